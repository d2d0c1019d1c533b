"""Dagster's own records and the ledger on a real PostgreSQL, configured as the documents say."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from geniac_pipelines.night import open_ledger
from geniac_pipelines.settings import ROOT, Settings
from geniac_pipelines.store import generations
from tests.graph.telemetry_night import AS_OF, drop, run_night
from tests.ledgers import VARIABLE, postgres_schema

pytestmark = pytest.mark.system

EXAMPLE = ROOT / "docs" / "dagster-postgres.yaml"
GPU_HOURS = dg.AssetKey(["facts", "gpu_usage__gpu_hours"])


@pytest.fixture
def home(tmp_path, monkeypatch) -> Iterator[Path]:
    """A DAGSTER_HOME with the documented settings; its database and the ledger's are empty."""
    server = os.environ.get(VARIABLE)
    if not server:
        message = f"{VARIABLE} does not name a PostgreSQL server (postgresql://user@host/database)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path / "dagster"
    folder.mkdir()
    shutil.copy(EXAMPLE, folder / "dagster.yaml")
    with postgres_schema(server) as records, postgres_schema(server) as ledger:
        monkeypatch.setenv("DAGSTER_HOME", str(folder))
        monkeypatch.setenv("GENIAC_DAGSTER_POSTGRES_URL", records)
        monkeypatch.setenv("GENIAC_LEDGER_URL", ledger)
        monkeypatch.setenv("GENIAC_PSEUDONYM_KEY", "k" * 32)
        yield folder


def test_a_night_is_recorded_on_postgresql_and_found_by_the_next_process(home, tmp_path):
    settings = Settings(
        data=tmp_path / "data",
        inbox=tmp_path / "inbox",
        as_of=AS_OF,
        ledger_url=os.environ["GENIAC_LEDGER_URL"],
    )
    drop(settings, "a", "2026-09-29", busy=40)
    drop(settings, "a", "2026-09-30", busy=40)
    with dg.DagsterInstance.get() as instance:
        night = run_night(settings, instance)
        assert night.success
    with dg.DagsterInstance.get() as later:
        run = later.get_run_by_id(night.run_id)
        days = later.get_materialized_partitions(GPU_HOURS)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert days == {"2026-09-29", "2026-09-30"}
    assert [g.run_id for g in generations.every(open_ledger(settings))] == [night.run_id]
    # neither Dagster nor the ledger fell back on files
    assert sorted(p.suffix for p in home.rglob("*") if p.suffix in (".db", ".sqlite")) == []
    assert not (settings.data / "ledger.sqlite").exists()
