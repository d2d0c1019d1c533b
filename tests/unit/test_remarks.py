"""What a night remarks on handed-in workbooks stands with the refusals of the same reading."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from geniac_pipelines.alerts.night import corrections
from geniac_pipelines.contracts import Contract
from geniac_pipelines.gpu_usage.contracts import COMPUTE_CONTRACTS, MONTHLY_USAGE, PLANS
from geniac_pipelines.gpu_usage.expectations import EXPECTATIONS
from geniac_pipelines.gpu_usage.workbooks import CONTRACT_WORKBOOK, FORMATS, PLAN_WORKBOOK
from geniac_pipelines.intake.desk import read_arrivals, to_read
from geniac_pipelines.intake.judge import Expectation, Judge
from geniac_pipelines.intake.reading import Complaint
from geniac_pipelines.intake.template import write_template
from geniac_pipelines.intake.workbook import WorkbookTemplate
from geniac_pipelines.store import snapshot, warehouse
from geniac_pipelines.store.ledger import Ledger
from tests.small_night import Desktop, utc

UNTIL = utc("2099-01-01")


@pytest.fixture
def desktop(tmp_path: Path, ledger: Ledger) -> Desktop:
    return Desktop(tmp_path, ledger, formats=FORMATS)


def plan(month: str, jpy: object = 500_000) -> dict[str, Any]:
    return {
        "plan_version": 1, "month": month, "gpu_type": "H100", "planned_gpu_hours": 1000,
        "planned_jpy": jpy, "purpose": "学習",
    }  # fmt: skip


def contract(number: str, ends_on: date) -> dict[str, Any]:
    return {
        "contract_number": number, "provider": "甲", "gpu_type": "H100", "gpu_count": 8,
        "unit_price_jpy": 500, "starts_on": date(2026, 4, 2), "ends_on": ends_on,
    }  # fmt: skip


def hand_in(
    desktop: Desktop, template: WorkbookTemplate, rows: Sequence[Mapping[str, Any]]
) -> None:
    desktop.drop("aoi-ai/book.xlsx", b"", received_at="2026-10-02T00:00:00")
    write_template(template, desktop.inbox / "aoi-ai/book.xlsx", {template.contracts[0].name: rows})
    desktop.take()


def read(desktop: Desktop, judge: Judge) -> list[str]:
    desk = replace(desktop.desk(), judge=judge)
    return [reading.outcome for _, reading in read_arrivals(desk, to_read(desk))]


def told(desktop: Desktop) -> list[tuple[str, str, int | None]]:
    return [(r["code"], r["costs"], r["line"]) for r in desktop.table("refusals")]


def values(desktop: Desktop, of: Contract, column: str) -> list[Any]:
    position = [c.name for c in of.columns].index(column)
    return [row[position] for row in desktop.current(of)]


def test_a_doubtful_row_stays_and_its_remark_stands_with_the_refusals(desktop: Desktop) -> None:
    hand_in(desktop, PLAN_WORKBOOK, [plan("2026-09"), plan("2026-10", 5), plan("13月")])
    assert read(desktop, Judge(EXPECTATIONS)) == ["partial"]
    assert told(desktop) == [
        ("cell.month", "row", 4),
        ("gpu-usage.price-implausible", "doubt", 3),
    ]
    assert values(desktop, PLANS, "month") == [date(2026, 9, 1), date(2026, 10, 1)]
    (reading,) = desktop.table("readings")
    assert (reading["complaints"], reading["rows"]) == (2, 2)


def test_doubts_alone_leave_a_file_wholly_taken(desktop: Desktop) -> None:
    hand_in(desktop, PLAN_WORKBOOK, [plan("2026-10", 5)])
    assert read(desktop, Judge(EXPECTATIONS)) == ["landed"]
    assert [costs for _, costs, _ in told(desktop)] == ["doubt"]


def test_a_broken_invariant_costs_the_row_and_makes_the_file_one_to_correct(
    desktop: Desktop,
) -> None:
    rows = [contract("C-1", date(2026, 4, 1)), contract("C-2", date(2027, 3, 31))]
    hand_in(desktop, CONTRACT_WORKBOOK, rows)
    assert read(desktop, Judge(EXPECTATIONS)) == ["partial"]
    assert told(desktop) == [("gpu-usage.contract-ends-before-start", "row", 2)]
    assert values(desktop, COMPUTE_CONTRACTS, "contract_number") == ["C-2"]


def test_a_file_is_judged_once_and_the_next_night_finds_the_same_inputs(desktop: Desktop) -> None:
    hand_in(desktop, PLAN_WORKBOOK, [plan("2026-10", 5)])
    plain = snapshot.digest(snapshot.take(desktop.ledger, UNTIL))
    read(desktop, Judge(EXPECTATIONS))
    judged = snapshot.digest(snapshot.take(desktop.ledger, UNTIL))
    assert judged != plain
    second = Judge(EXPECTATIONS)
    assert read(desktop, second) == []
    assert not second.rows
    assert snapshot.digest(snapshot.take(desktop.ledger, UNTIL)) == judged


def test_remarks_decide_the_nights_inputs(tmp_path: Path, ledger: Ledger) -> None:
    """The draft to the company depends on them, so they must not pass for nothing new."""
    desktop = Desktop(tmp_path, ledger, formats=FORMATS)
    hand_in(desktop, PLAN_WORKBOOK, [plan("2026-10", 5)])
    read(desktop, Judge(()))
    unjudged = snapshot.digest(snapshot.take(ledger, UNTIL))
    desktop.formats = tuple(replace(f, version=f.version + 1) for f in FORMATS)
    read(desktop, Judge(EXPECTATIONS))
    assert snapshot.digest(snapshot.take(ledger, UNTIL)) != unjudged


def test_rows_that_could_not_be_judged_are_there_and_are_judged_by_the_next_night(
    desktop: Desktop,
) -> None:
    doubt = Complaint("x.y", "doubt", "あ", "い", "a", "b")
    broken = Expectation(
        PLANS, "month", doubt, lambda gxe: gxe.ExpectColumnValuesToNotBeNull(column="no_such")
    )
    hand_in(desktop, PLAN_WORKBOOK, [plan("2026-10", 5)])
    assert read(desktop, Judge([broken])) == ["landed"]
    (reading,) = desktop.table("readings")
    assert "x.y can't be evaluated" in reading["error"]
    before = snapshot.digest(snapshot.take(desktop.ledger, UNTIL))
    assert read(desktop, Judge([broken])) == ["landed"]
    # an engineer's matter: no news for the marts
    assert snapshot.digest(snapshot.take(desktop.ledger, UNTIL)) == before
    assert values(desktop, PLANS, "month") == [date(2026, 10, 1)]

    assert read(desktop, Judge(EXPECTATIONS)) == ["landed"]
    assert [code for code, _, _ in told(desktop)] == ["gpu-usage.price-implausible"]
    assert read(desktop, Judge(EXPECTATIONS)) == []


def test_both_kinds_of_complaint_reach_the_letter_and_mere_notes_do_not(
    desktop: Desktop, tmp_path: Path
) -> None:
    rows = [plan("2026-09"), plan("2026-10", 5), plan("13月"), plan("2026-09")]
    hand_in(desktop, PLAN_WORKBOOK, rows)
    read(desktop, Judge(EXPECTATIONS))
    assert {costs for _, costs, _ in told(desktop)} == {"row", "doubt", "nothing"}
    file = tmp_path / "look.duckdb"
    warehouse.prepare(
        file,
        landings={},
        facts={},
        snapshot=snapshot.take(desktop.ledger, UNTIL),
        visible_until=UNTIL,
    )
    with warehouse.connect(file) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.fct_programme__deliveries as select *, name as file_name, "
            "sender as company_id, rows as row_count from ledger.arrivals "
            "join ledger.readings using (arrival_id)"
        )
        found = corrections(connection)
    assert [(c.refusal.line, c.doubt) for c in found] == [(4, False), (3, True)]
    (delivered,) = {c.delivered for c in found}
    assert (delivered.file, delivered.rows) == ("aoi-ai/book.xlsx", 2)
    assert delivered.received_at == utc("2026-10-02")
    assert MONTHLY_USAGE.name not in {r["contract"] for r in desktop.table("landings")}
