"""Telemetry that was filed under the wrong company counts under the right one alone."""

import dagster as dg
import polars as pl
import pytest

from geniac_pipelines.gpu_usage import facts
from geniac_pipelines.night import open_ledger
from geniac_pipelines.settings import Settings
from geniac_pipelines.store import generations
from tests.graph.telemetry_night import AS_OF, drop, run_night


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    monkeypatch.setenv("GENIAC_PSEUDONYM_KEY", "k" * 32)
    return Settings(data=tmp_path / "data", inbox=tmp_path / "inbox", as_of=AS_OF)


def days(settings: Settings) -> list[tuple[str, str, str, int]]:
    """Company, GPU, day and samples of the current day facts, in order."""
    files = generations.current_files(open_ledger(settings), facts.DAYS)
    table = pl.concat(pl.read_parquet(settings.data / f.path) for f in files.values())
    found = table.select("company_id", "gpu_uuid", pl.col("day").cast(pl.String), "samples")
    return sorted(found.rows())


def test_the_days_of_a_moved_file_leave_the_company_that_had_it(settings):
    drop(settings, "a", "2026-09-29", busy=40)
    wrong = drop(settings, "a", "2026-09-30", busy=20)
    right = settings.inbox / "b" / wrong.name
    gpu, other = "GPU-a", "a"
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_night(settings, instance).success
        assert days(settings) == [(other, gpu, "2026-09-29", 60), (other, gpu, "2026-09-30", 60)]

        right.parent.mkdir()
        wrong.rename(right)
        assert run_night(settings, instance).success
        assert days(settings) == [(other, gpu, "2026-09-29", 60), ("b", gpu, "2026-09-30", 60)]

        # emptied once, such a day is no work for the nights after
        third = run_night(settings, instance)
        made = third.asset_materializations_for_node("facts__gpu_usage__gpu_days")
        assert made[-1].metadata["remade_days"].value == 0

        # and back again
        right.rename(wrong)
        assert run_night(settings, instance).success
        assert days(settings) == [(other, gpu, "2026-09-29", 60), (other, gpu, "2026-09-30", 60)]


def test_a_company_whose_only_file_moved_has_no_days_left(settings):
    wrong = drop(settings, "a", "2026-09-30", busy=20)
    right = settings.inbox / "b" / wrong.name
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_night(settings, instance).success
        right.parent.mkdir()
        wrong.rename(right)
        assert run_night(settings, instance).success
    assert days(settings) == [("b", "GPU-a", "2026-09-30", 60)]
