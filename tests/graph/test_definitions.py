"""The graph as the UI shows it: names, words, times, and what loading it must not do."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from geniac_pipelines.definitions import build_definitions

GRAPH = Path(__file__).parent / "graph.json"


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions()


@pytest.fixture(scope="module")
def specs(definitions) -> list[dg.AssetSpec]:
    return sorted(definitions.resolve_all_asset_specs(), key=lambda s: s.key)


def test_the_graph_is_the_one_that_was_reviewed(specs):
    # after a deliberate change: python -m tests.graph.review
    seen = {
        s.key.to_user_string(): sorted(d.asset_key.to_user_string() for d in s.deps) for s in specs
    }
    assert seen == json.loads(GRAPH.read_text())


def test_every_asset_says_in_japanese_what_it_is(specs):
    silent = [
        s.key.to_user_string()
        for s in specs
        if not any("ぁ" <= c <= "ん" or "ァ" <= c <= "ヶ" for c in s.description or "")
    ]
    assert silent == []


def test_every_asset_has_a_group_a_kind_and_an_owner(specs):
    assert [s.key for s in specs if not (s.group_name and s.kinds and s.owners)] == []


def test_landing_assets_show_their_columns(specs):
    landing = [s for s in specs if s.key.path[0] == "landing"]
    assert landing
    assert all(s.metadata["dagster/column_schema"].columns for s in landing)


def test_the_night_starts_at_two_in_japan(definitions):
    schedule = definitions.resolve_schedule_def("nightly_at_two")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "Asia/Tokyo")


def test_jobs_run_in_process(definitions):
    jobs = [definitions.resolve_job_def(n) for n in ("nightly", "close_month", "intake")]
    assert {j.executor_def.name for j in jobs} == {"in_process"}


def test_loading_imports_no_great_expectations_and_parses_no_dbt():
    code = (
        "import sys, geniac_pipelines.definitions;"
        "print([m for m in ('great_expectations', 'dbt.cli.main') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
