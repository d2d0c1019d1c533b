"""The graph as the UI shows it: names, words, times, and what loading it must not do."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml

from geniac_pipelines.definitions import build_definitions
from geniac_pipelines.launch import DAGSTER_YAML
from geniac_pipelines.settings import ROOT

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


def test_facts_and_analyses_show_their_columns(specs):
    ours = {"facts/gpu_usage__gpu_hours", "facts/gpu_usage__gpu_days"}
    ours |= {"analyses/gpu_usage__plan_forecasts"}
    schemas = {
        s.key.to_user_string(): s.metadata["dagster/column_schema"]
        for s in specs
        if s.key.to_user_string() in ours
    }
    assert set(schemas) == ours
    assert all(c.description for schema in schemas.values() for c in schema.columns)


def test_what_a_night_makes_must_be_there_before_six(specs):
    policies = {s.key.to_user_string(): s.freshness_policy for s in specs}
    made = {"arrivals", "night_inputs", "findings", "monthly_reports", "generation"}
    made |= {k for k in policies if k.startswith("landing/")} | {"facts/gpu_usage__gpu_days"}
    assert {k for k, policy in policies.items() if policy} == made
    said = {(p.deadline_cron, p.lower_bound_delta, p.timezone) for p in policies.values() if p}
    # the night begins at 2:00 in Japan
    assert said == {("0 6 * * *", timedelta(hours=4), "Asia/Tokyo")}


def test_only_a_backfill_makes_days_by_themselves(definitions):
    days = dg.AssetKey(["facts", "gpu_usage__gpu_hours"])
    selected = {
        name: days in definitions.resolve_job_def(name).asset_layer.selected_asset_keys
        for name in ("nightly", "close_month", "intake", "backfill")
    }
    assert selected == {
        "nightly": False,
        "close_month": False,
        "intake": False,
        "backfill": True,
    }
    [spec] = [s for s in definitions.resolve_all_asset_specs() if s.key == days]
    assert isinstance(spec.partitions_def, dg.DailyPartitionsDefinition)
    assert str(spec.partitions_def.timezone) == "Asia/Tokyo"


def test_the_settings_for_postgresql_are_ours_with_another_storage():
    example = ROOT / "docs" / "dagster-postgres.yaml"
    documented = yaml.safe_load(example.read_text(encoding="utf-8"))
    assert set(documented.pop("storage")) == {"postgres"}
    assert documented == yaml.safe_load(DAGSTER_YAML)


def test_the_night_starts_at_two_in_japan(definitions):
    schedule = definitions.resolve_schedule_def("nightly_at_two")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "Asia/Tokyo")


def test_jobs_run_in_process(definitions):
    jobs = [
        definitions.resolve_job_def(n) for n in ("nightly", "close_month", "intake", "backfill")
    ]
    assert {j.executor_def.name for j in jobs} == {"in_process"}


def test_loading_imports_no_great_expectations_and_parses_no_dbt():
    code = (
        "import sys, geniac_pipelines.definitions;"
        "print([m for m in ('great_expectations', 'dbt.cli.main') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
