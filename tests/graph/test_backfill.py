"""Days of facts: recorded by the night that remade them, made again by a backfill."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import dagster as dg
import pyarrow.parquet as pq
import pytest

from geniac_pipelines.definitions import build_definitions
from geniac_pipelines.gpu_usage import facts
from geniac_pipelines.night import open_ledger
from geniac_pipelines.settings import Settings
from geniac_pipelines.store import generations
from geniac_pipelines.store.lock import Busy, exclusive
from tests.graph.telemetry_night import AS_OF, configured, drop, run_night

GPU_HOURS = dg.AssetKey(["facts", "gpu_usage__gpu_hours"])
BEGIN, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    """Two companies with telemetry of three days in two months, and their first night."""
    monkeypatch.setenv("GENIAC_PSEUDONYM_KEY", "k" * 32)
    made = Settings(data=tmp_path / "data", inbox=tmp_path / "inbox", as_of=AS_OF)
    drop(made, "a", "2026-09-29", busy=40)
    drop(made, "a", "2026-09-30", busy=0)
    drop(made, "a", "2026-10-02", busy=40)
    drop(made, "b", "2026-09-30", busy=40)
    return made


@pytest.fixture
def night(settings, instance) -> dg.ExecuteInProcessResult:
    return run_night(settings, instance)


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions()


@pytest.fixture
def backfill(definitions, settings, instance, night):
    """Run the backfill of a range of days after the first night."""

    def run(first: str, last: str, patience_seconds: int = 0) -> dg.ExecuteInProcessResult:
        config = configured(settings, "backfill", patience_seconds)
        return definitions.resolve_job_def("backfill").execute_in_process(
            instance=instance,
            tags={BEGIN: first, END: last},
            run_config={"resources": {"night": {"config": config}}},
            raise_on_error=False,
        )

    return run


def fact_files(settings) -> dict[str, str]:
    folder = settings.data / "facts"
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*.parquet")
    }


def current(settings, table: str, part: str):
    return settings.data / generations.current_files(open_ledger(settings), table)[part].path


def recorded(instance, run: dg.ExecuteInProcessResult) -> list[str | None]:
    events = run.get_asset_materialization_events()
    return [e.partition for e in events if e.asset_key == GPU_HOURS]


def test_a_night_records_each_day_that_it_remade_once(night, instance, settings):
    assert recorded(instance, night) == ["2026-09-29", "2026-09-30", "2026-10-02"]
    # a correction of the middle day comes: that day alone is remade
    drop(settings, "a", "2026-09-30", busy=80)
    assert recorded(instance, run_night(settings, instance)) == ["2026-09-30"]


def test_days_made_again_have_the_same_bytes(backfill, instance, settings):
    before = fact_files(settings)
    run = backfill("2026-09-29", "2026-10-02")
    assert run.success
    # hours of 4 company days, day facts of a's two months and b's one
    assert len(before) == 7
    assert fact_files(settings) == before
    assert recorded(instance, run) == ["2026-09-29", "2026-09-30", "2026-10-01", "2026-10-02"]


def test_lost_and_damaged_files_are_healed(backfill, instance, settings):
    before = fact_files(settings)
    current(settings, facts.HOURS, "a/2026-09-30").unlink()
    current(settings, facts.HOURS, "b/2026-09-30").write_bytes(b"PAR1 half a file")
    current(settings, facts.DAYS, "a/2026-09").write_bytes(b"")
    assert fact_files(settings) != before
    run = backfill("2026-09-30", "2026-09-30")
    assert run.success
    assert fact_files(settings) == before
    [event] = run.asset_materializations_for_node("gpu_hours")
    said = {
        r.data["企業"]: r.data["作り直す前"] for r in event.metadata["作り直したファイル"].records
    }
    assert said == {"a": "ファイルなし", "b": "内容が異なる"}


def test_a_broken_day_beside_the_chosen_one_is_healed_with_it(backfill, settings):
    before = fact_files(settings)
    current(settings, facts.HOURS, "a/2026-09-29").unlink()
    october = current(settings, facts.HOURS, "a/2026-10-02")
    october.write_bytes(b"PAR1 half a file")
    assert backfill("2026-09-30", "2026-09-30").success
    # the month's day facts need the one; the other month was not touched
    assert {n: d for n, d in fact_files(settings).items() if before[n] != d}.keys() == {
        october.relative_to(settings.data / "facts").as_posix()
    }
    assert len(fact_files(settings)) == len(before)


def test_the_other_days_of_a_month_stay_in_its_day_facts(backfill, settings):
    file = current(settings, facts.DAYS, "a/2026-09")
    assert backfill("2026-09-30", "2026-09-30").success
    days = pq.read_table(file).to_pylist()
    # one hour of samples a minute apart: each stands for 60 s
    assert [(str(d["day"]), d["active_seconds"], d["idle_seconds"]) for d in days] == [
        ("2026-09-29", 3600, 0),
        ("2026-09-30", 0, 3600),
    ]


def test_what_came_since_the_night_is_left_to_the_next(backfill, definitions, instance, settings):
    before = fact_files(settings)
    drop(settings, "b", "2026-09-30", busy=80)
    intake = {"resources": {"night": {"config": configured(settings, "intake")}}}
    job = definitions.resolve_job_def("intake")
    assert job.execute_in_process(instance=instance, run_config=intake).success
    assert backfill("2026-09-30", "2026-09-30").success
    assert fact_files(settings) == before
    assert recorded(instance, run_night(settings, instance)) == ["2026-09-30"]


def test_a_run_without_patience_says_who_has_the_folder(backfill, settings):
    with exclusive(settings.data, "nightly another-run"):
        run = backfill("2026-09-30", "2026-09-30")
    assert not run.success
    [failure] = [e.event_specific_data.error for e in run.all_events if e.is_failure]
    assert Busy.__name__ in failure.to_string()
    assert "nightly another-run" in failure.to_string()


def test_a_run_waits_for_the_one_that_has_the_folder(backfill, settings):
    held = ExitStack()
    held.enter_context(exclusive(settings.data, "intake by-day"))
    ends = threading.Timer(0.5, held.close)
    ends.start()
    assert backfill("2026-09-30", "2026-09-30", patience_seconds=60).success
    ends.join()
