"""What every mart declares on who sees it, read from its YAML and from the built warehouse."""

from typing import Any

import pytest
import yaml

from geniac_pipelines.audiences import TABLE, Scope
from geniac_pipelines.figures.audience import NEVER, open_view, owner_column
from geniac_pipelines.settings import DBT_PROJECT
from geniac_pipelines.store.warehouse import connect, rows

OUTSIDE = {k.code for k in TABLE if k.scope is not Scope.ALL}
MARTS = {
    model["name"]: model
    for file in sorted((DBT_PROJECT / "models" / "marts").rglob("*.yml"))
    for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
}


def meta(described: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = described.get("config", {}).get("meta", {})
    return found


def rules(mart: str) -> dict[str, dict[str, Any]]:
    return {c["name"]: meta(c) for c in MARTS[mart]["columns"] if "leaves" in meta(c)}


@pytest.mark.parametrize("mart", MARTS)
def test_every_mart_says_who_sees_it(mart: str) -> None:
    """A mart that says nothing is the secretariat's alone; that it says so shows it was thought of.

    What one organisation sees of a mart is its own rows, so the mart must say whose they are.
    """
    declared = meta(MARTS[mart]).get("audiences")
    assert declared is not None
    assert set(declared) <= OUTSIDE
    assert len(set(declared)) == len(declared)
    if "company" in declared:
        assert owner_column([c["name"] for c in MARTS[mart]["columns"]])


@pytest.mark.parametrize("mart", MARTS)
def test_rules_on_rows_and_columns_name_boolean_columns_of_the_mart(mart: str) -> None:
    types = {c["name"]: c["data_type"] for c in MARTS[mart]["columns"]}
    named = [rule["leaves"] for rule in rules(mart).values() if rule["leaves"] != NEVER]
    if rows_leave := meta(MARTS[mart]).get("rows_leave"):
        named.append(rows_leave)
    assert {types.get(name) for name in named} <= {"boolean"}


def test_the_warehouse_carries_what_the_yaml_declares(small: Any) -> None:
    marts = {
        (m, a, meta(model).get("rows_leave"))
        for m, model in MARTS.items()
        for a in meta(model)["audiences"]
    }
    columns = {
        (m, name, rule["leaves"], rule.get("otherwise"))
        for m in MARTS
        for name, rule in rules(m).items()
    }
    assert set(small.execute("from audience.marts").fetchall()) == marts
    assert set(small.execute("from audience.columns").fetchall()) == columns


@pytest.mark.parametrize("audience", ["meti_nedo", "company:sound"])
def test_an_audience_finds_the_declared_marts_and_no_other(
    small_warehouse: Any, audience: str
) -> None:
    code = audience.partition(":")[0]
    wanted = {m for m, model in MARTS.items() if code in meta(model)["audiences"]}
    assert wanted < set(MARTS)
    with open_view(small_warehouse, audience) as view:
        found = {
            r["t"] for r in rows(view, "select table_name as t from information_schema.tables")
        }
    assert found == wanted


def test_the_secretariat_finds_all(small_warehouse: Any) -> None:
    with open_view(small_warehouse, "secretariat") as view:
        found = {
            mart: [c["column_name"] for c in rows(view, f"from (describe select * from {mart})")]
            for mart in MARTS
        }
    assert found == {mart: [c["name"] for c in m["columns"]] for mart, m in MARTS.items()}


def test_ministry_and_secretariat_agree_on_every_mart_that_hides_nothing(
    small_warehouse: Any,
) -> None:
    plain = [
        m
        for m, model in MARTS.items()
        if "meti_nedo" in meta(model)["audiences"]
        and not rules(m)
        and "rows_leave" not in meta(model)
    ]
    assert plain
    with connect(small_warehouse, read_only=True) as all_of_it:
        inside = {m: rows(all_of_it, f"from marts.{m} order by all") for m in plain}
    with open_view(small_warehouse, "meti_nedo") as view:
        assert {m: rows(view, f"from {m} order by all") for m in plain} == inside
