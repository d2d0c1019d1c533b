"""No landing table is forgotten between intake and the report: nothing would turn red by itself."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from geniac_pipelines.areas import CONTRACTS
from geniac_pipelines.contracts import Contract
from geniac_pipelines.settings import DBT_PROJECT

BULK_WAY = {"gpu_usage__telemetry": "facts.gpu_usage__gpu_days"}
"""What dbt sees of a table of which facts are made."""


@cache
def manifest() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((DBT_PROJECT / "target" / "manifest.json").read_text())
    return content


def models() -> Iterator[dict[str, Any]]:
    return (n for n in manifest()["nodes"].values() if n["resource_type"] == "model")


def read_by_models() -> set[str]:
    """Sources (`schema.name`) that some model selects from."""
    sources = {i: f"{s['schema']}.{s['name']}" for i, s in manifest()["sources"].items()}
    return {sources[i] for m in models() for i in m["depends_on"]["nodes"] if i in sources}


def ways_down() -> set[str]:
    """Relations to which the trace of a number goes on from some model."""
    drills = (m["config"].get("meta", {}).get("drill", []) for m in models())
    return {step["relation"] for drill in drills for step in drill}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)
class TestEach:
    def test_a_model_reads_it(self, contract: Contract) -> None:
        assert BULK_WAY.get(contract.name, f"landing.{contract.name}") in read_by_models()

    def test_the_trace_of_a_number_reaches_it(self, contract: Contract) -> None:
        assert f"landing.{contract.name}" in ways_down()

    def test_a_report_can_say_what_a_later_file_of_it_changes(self, contract: Contract) -> None:
        assert contract.changes_ja
