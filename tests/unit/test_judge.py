"""Typed rows of hand-in files are judged across rows: asked about, or withheld if impossible."""

import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geniac_pipelines.contracts import Contract
from geniac_pipelines.gpu_usage.contracts import (
    COMPUTE_CONTRACTS,
    MONTHLY_NOTES,
    MONTHLY_USAGE,
    PLANS,
)
from geniac_pipelines.gpu_usage.expectations import EXPECTATIONS
from geniac_pipelines.intake.judge import Expectation, Judge, frame, judge
from geniac_pipelines.intake.reading import Complaint, Place, Row

LAZY = """
import importlib, pkgutil, sys
import geniac_pipelines
for found in pkgutil.walk_packages(geniac_pipelines.__path__, "geniac_pipelines."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print(len([n for n in sys.modules if n.startswith("geniac_pipelines.")]))
print("great_expectations" in sys.modules)
"""

LATE = Complaint("t.late", "nothing", "遅い", "不要です", "late", "nothing to do")


def judged(contract: Contract, *rows: dict[str, Any]) -> list[tuple[str, int | None, str | None]]:
    """Code, line and cell of each remark on rows that stand from line 2."""
    typed = [Row(contract, row, Place("表", n)) for n, row in enumerate(rows, start=2)]
    remarks = judge(contract, frame(typed), EXPECTATIONS)
    assert {r.complaint.costs for r in remarks} <= {"doubt", "row"}
    assert all(r.place.sheet == "表" for r in remarks)
    return [(r.complaint.code, r.place.row, r.cell) for r in remarks]


def plan(
    month: date, hours: int = 1000, jpy: int | None = 500_000, gpu: str = "H100"
) -> dict[str, Any]:
    return {
        "plan_version": 1,
        "month": month,
        "gpu_type": gpu,
        "planned_gpu_hours": Decimal(hours),
        "planned_jpy": None if jpy is None else Decimal(jpy),
        "purpose": "学習",
    }


def usage(month: date, gpu: str, hours: str, jpy: int | None) -> dict[str, Any]:
    return {
        "month": month,
        "gpu_type": gpu,
        "reported_gpu_hours": Decimal(hours),
        "reported_jpy": None if jpy is None else Decimal(jpy),
    }


def test_importing_the_project_does_not_import_great_expectations() -> None:
    run = subprocess.run(
        [sys.executable, "-c", LAZY], capture_output=True, text=True, check=True, timeout=120
    )
    modules, loaded = run.stdout.split()
    assert int(modules) > 20
    assert loaded == "False"


def test_a_sound_plan_draws_no_remark() -> None:
    months = [date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)]
    rows = [plan(m, gpu=g) for m in months for g in ("H100", "A100")]
    assert judged(PLANS, *rows) == []


# 500,000 円 for 1,000 GPU-hours is 500 円 each; 49,000 is 49, 5,001,000 is 5,001
def test_prices_that_no_gpu_has_are_asked_about() -> None:
    months = [date(2026, m, 1) for m in (4, 5, 6, 7, 8)]
    prices = [50_000, 49_000, 5_000_000, 5_001_000, None]
    rows = [plan(m, jpy=jpy) for m, jpy in zip(months, prices, strict=True)]
    assert judged(PLANS, *rows) == [
        ("gpu-usage.price-implausible", 3, "49000"),
        ("gpu-usage.price-implausible", 5, "5001000"),
    ]


def test_no_price_is_made_of_no_hours() -> None:
    assert judged(PLANS, plan(date(2026, 4, 1), hours=0, jpy=0)) == []


def test_a_month_left_out_of_a_plan_is_asked_about_wherever_its_row_stands() -> None:
    rows = [
        plan(date(2027, 1, 1)),
        plan(date(2026, 9, 1)),
        plan(date(2026, 10, 1)),
        plan(date(2026, 12, 1)),
        plan(date(2026, 9, 1), gpu="A100"),
    ]
    assert judged(PLANS, *rows) == [("gpu-usage.plan-months-not-consecutive", 5, "2026-12")]


def test_months_outside_of_all_support_are_asked_about() -> None:
    rows = [plan(date(2027, 3, 1)), plan(date(2027, 4, 1))]
    assert judged(PLANS, *rows) == [("gpu-usage.month-outside-support", 3, "2027-04")]


def test_a_contract_may_last_a_day_but_not_end_before_it_starts() -> None:
    def contract(starts: date, ends: date | None, price: str) -> dict[str, Any]:
        return {
            "contract_number": "C-1", "provider": "甲", "gpu_type": "H100", "gpu_count": 8,
            "unit_price_jpy": Decimal(price), "starts_on": starts, "ends_on": ends,
        }  # fmt: skip

    rows = [
        contract(date(2026, 4, 1), date(2026, 4, 1), "500"),
        contract(date(2026, 4, 2), date(2026, 4, 1), "500"),
        contract(date(2026, 4, 2), None, "0.5"),
    ]
    assert judged(COMPUTE_CONTRACTS, *rows) == [
        ("gpu-usage.contract-ends-before-start", 3, "2026-04-01"),
        ("gpu-usage.price-implausible", 4, "0.5"),
    ]


def test_a_monthly_report_is_of_one_month() -> None:
    september, august = date(2026, 9, 1), date(2026, 8, 1)
    assert judged(
        MONTHLY_USAGE,
        usage(september, "H100", "1000.5", 500_250),
        usage(august, "A100", "10", None),
        usage(september, "H200", "0", None),
    ) == [("gpu-usage.report-months-differ", 3, "2026-08")]
    note = {"note_number": 1, "kind": "課題", "body": "本文", "due": None, "owner_role": None}
    assert judged(MONTHLY_NOTES, {"month": september, **note}) == []


def test_rows_of_a_landing_file_are_judged_as_well(tmp_path) -> None:
    table = pa.table(
        {
            "month": pa.array([date(2027, 5, 1)], pa.date32()),
            "gpu_type": ["H100"],
            "reported_gpu_hours": pa.array([Decimal(1)], pa.decimal128(38, 9)),
            "reported_jpy": pa.array([None], pa.decimal128(38, 9)),
            "_sheet": pa.array([None], pa.string()),
            "_line": [7],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    [remark] = judge(MONTHLY_USAGE, pd.read_parquet(tmp_path / "a.parquet"), EXPECTATIONS)
    assert remark.complaint.code == "gpu-usage.month-outside-support"
    assert remark.place == Place(None, 7, "対象月")
    assert "2027-05が支援期間（2024-12-01～2027-03-31）の外です" in remark.ja


def test_nothing_is_judged_where_there_is_nothing_to_judge() -> None:
    assert judge(PLANS, frame([]), EXPECTATIONS) == []
    assert judge(PLANS, pd.DataFrame([plan(date(2030, 1, 1))]), ()) == []


def test_an_expectation_that_can_not_be_evaluated_is_a_fault_of_ours() -> None:
    said = Complaint("x.y", "doubt", "あ", "い", "a", "b")
    broken = Expectation(
        PLANS, "month", said, lambda gxe: gxe.ExpectColumnValuesToNotBeNull(column="no_such")
    )
    with pytest.raises(RuntimeError, match=r"x\.y"):
        judge(PLANS, pd.DataFrame([plan(date(2026, 9, 1))]), [broken])


@pytest.mark.parametrize("costs", ["nothing", "cell", "file"])
def test_an_expectation_costs_a_doubt_or_the_row(costs: str) -> None:
    other = Complaint("x.y", costs, "あ", "い", "a", "b")
    with pytest.raises(ValueError, match="costs a doubt or the row"):
        Expectation(PLANS, "month", other, lambda gxe: None)


def test_an_expectation_names_a_column_that_exists() -> None:
    doubt = Complaint("x.y", "doubt", "あ", "い", "a", "b")
    with pytest.raises(KeyError):
        Expectation(PLANS, "no_such", doubt, lambda gxe: None)


def ends(contract_number: str, day: date) -> Row:
    values = {
        "contract_number": contract_number, "provider": "甲", "gpu_type": "H100", "gpu_count": 8,
        "unit_price_jpy": Decimal(500), "starts_on": date(2026, 4, 2), "ends_on": day,
    }  # fmt: skip
    return Row(COMPUTE_CONTRACTS, values, Place("表", int(contract_number)))


def test_a_row_that_breaks_an_invariant_is_withheld_and_one_in_doubt_stays() -> None:
    broken, sound = ends("2", date(2026, 4, 1)), ends("3", date(2026, 4, 2))
    doubtful = Row(PLANS, plan(date(2030, 1, 1)), Place("計画", 2))
    note = LATE.at(Place("表", 9))
    judge = Judge(EXPECTATIONS)
    items = list(judge.through([broken, note, doubtful, sound]))
    assert [i for i in items if isinstance(i, Row)] == [sound, doubtful]
    assert [(i.complaint.code, i.place.row) for i in items if not isinstance(i, Row)] == [
        ("t.late", 9),
        ("gpu-usage.contract-ends-before-start", 2),
        ("gpu-usage.month-outside-support", 2),
    ]
    assert judge.rows == {COMPUTE_CONTRACTS.name: 2, PLANS.name: 1}
    assert judge.remarks == {
        (COMPUTE_CONTRACTS.name, "gpu-usage.contract-ends-before-start"): 1,
        (PLANS.name, "gpu-usage.month-outside-support"): 1,
    }


def test_each_file_is_judged_by_itself() -> None:
    """August in one file and September in another are two sound monthly reports."""
    judge = Judge(EXPECTATIONS)
    for month in (date(2026, 8, 1), date(2026, 9, 1)):
        row = Row(MONTHLY_USAGE, usage(month, "H100", "10", None), Place("表", 2))
        assert list(judge.through([row])) == [row]
    assert judge.rows == {MONTHLY_USAGE.name: 2}
    assert not judge.remarks


def test_rows_that_can_not_be_judged_are_taken_and_the_fault_is_told() -> None:
    doubt = Complaint("x.y", "doubt", "あ", "い", "a", "b")
    broken = Expectation(
        PLANS, "month", doubt, lambda gxe: gxe.ExpectColumnValuesToNotBeNull(column="no_such")
    )
    row = Row(PLANS, plan(date(2026, 9, 1)), Place("計画", 2))
    judge, told = Judge([broken]), []
    assert list(judge.through([row], told.append)) == [row]
    assert [type(e) for e in told] == [RuntimeError]
    assert [name for name, _ in judge.faults] == [PLANS.name]
    with pytest.raises(RuntimeError, match=r"x\.y"):
        list(Judge([broken]).through([row]))


def test_a_file_of_other_tables_costs_no_import_of_great_expectations() -> None:
    """Seconds and hundreds of megabytes are spent only where there is something to judge."""
    code = (
        "import sys; from geniac_pipelines.areas import EXPECTATIONS;"
        "from geniac_pipelines.gpu_usage.contracts import SACCT_JOBS;"
        "from geniac_pipelines.intake.judge import Judge;"
        "from geniac_pipelines.intake.reading import Place, Row;"
        "list(Judge(EXPECTATIONS).through([Row(SACCT_JOBS, {}, Place())]));"
        "print([m for m in ('great_expectations', 'pandas') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
