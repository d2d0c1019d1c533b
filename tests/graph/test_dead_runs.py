"""Runs whose process died are marked as failed by the next one on the same data folder."""

import dagster as dg
from dagster._core.test_utils import create_run_for_test

from resources.night import _fail_dead_runs


def started(instance: dg.DagsterInstance) -> str:
    return create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED).run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_only_runs_that_held_this_very_folder_are_dead(tmp_path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        died, elsewhere, waiting, own = (started(instance) for _ in range(4))
        _fail_dead_runs(instance, died, tmp_path / "one")
        # two installations may keep their records in one instance
        _fail_dead_runs(instance, elsewhere, tmp_path / "other")
        _fail_dead_runs(instance, own, tmp_path / "two" / ".." / "one")
        assert status(instance, died) is dg.DagsterRunStatus.FAILURE
        assert status(instance, elsewhere) is dg.DagsterRunStatus.STARTED
        # it has not held the lock yet
        assert status(instance, waiting) is dg.DagsterRunStatus.STARTED
        assert status(instance, own) is dg.DagsterRunStatus.STARTED
