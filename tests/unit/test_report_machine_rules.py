"""Rules of 行政データにおける機械可読性に関するルール: found where broken, kept by us."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from geniac_pipelines.figures.model import FigureColumn
from geniac_pipelines.reports.document import Table
from geniac_pipelines.reports.machine_readable import violations
from geniac_pipelines.reports.machine_tables import machine_csvs, machine_workbook, plain_text
from geniac_pipelines.reports.workbook import LONGEST_CELL, browse_workbook
from tests.realdata import realdata
from tests.unit.report_documents import HOURS, NAME, figure_table, report


def found(path: Path) -> list[tuple[str, str]]:
    return [(v.rule, v.place) for v in violations(path)]


def drawn(tmp_path: Path, change: Callable[[Any, Any], object]) -> Path:
    """A good table (県, 人口) and one change to its workbook and sheet."""
    path = tmp_path / "t.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("人口")
    sheet.write_row(0, 0, ["県", "人口"])
    sheet.write_row(1, 0, ["北海道", 5250])
    sheet.write_row(2, 0, ["青森県", 1246])
    change(book, sheet)
    book.close()
    return path


def a_chart(book: Any, sheet: Any) -> None:
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=人口!$B$2:$B$3"})
    sheet.insert_chart("D2", chart)


@pytest.mark.parametrize(
    ("change", "rule", "place"),
    [
        (lambda book, sheet: None, None, None),
        (a_chart, "L1-10", ""),
        (lambda book, sheet: sheet.insert_textbox(4, 4, "注"), "L1-10", ""),
        (lambda book, sheet: sheet.write_comment("A2", "注"), "L1-10", ""),
        (lambda book, sheet: sheet.set_row(1, None, None, {"hidden": True}), "L1-13", "2行目"),
        (
            lambda book, sheet: sheet.set_column(1, 1, 9, None, {"hidden": True}),
            "L1-13",
            "2〜2列目",
        ),
        (lambda book, sheet: book.add_worksheet("裏").hide(), "L1-13", ""),
        (lambda book, sheet: sheet.write_formula(2, 1, "=B2-4004", None, 1246), "L2-06", "B3"),
        (lambda book, sheet: sheet.merge_range("A3:A4", "青森県"), "L1-12", "A3:A4"),
        (lambda book, sheet: sheet.write(5, 0, "出所：国勢調査"), "L1-02", ""),
    ],
)
def test_each_excel_rule(tmp_path: Path, change: Any, rule: str | None, place: str | None) -> None:
    assert found(drawn(tmp_path, change)) == ([] if rule is None else [(rule, place)])


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("120、130", "L1-07"),
        ("1,200／1,300", "L1-07"),
        ("12(34)", "L1-07"),
        ("男120、女130", "L1-07"),
        ("東京都、大阪府", None),  # names in one cell may be one answer
        ("2026/09/01", None),
        ("第3次調査、速報", None),
        ("令和8年9月", "L3-05"),
        ("令和元年度", "L3-05"),
        ("R8.9.1", "L3-05"),
        ("H30年度", "L3-05"),
        ("令和8年（2026年）", None),
        ("2026-09", None),
        ("令和8年9月に受領した記録", None),
    ],
)
def test_each_cell_rule(tmp_path: Path, cell: str, rule: str | None) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f'項目,内容\r\n一,"{cell}"\r\n二,あり\r\n', encoding="utf-8")
    assert found(path) == ([] if rule is None else [(rule, "B2")])


def test_days_written_in_two_ways_in_one_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("期限,件\r\n2026-09-01,あ\r\n2026/9/2,い\r\n", encoding="utf-8")
    assert found(path) == [("L3-05", "1列目")]


@pytest.mark.parametrize(
    ("sample", "rule", "place"),
    [
        ("mr_rule_02_multiple_tables_NG-01.csv", "L1-02", ""),
        ("mr_rule_06_space_formatting_NG-01.csv", "L1-06", "A2"),
        ("mr_rule_15_csv_quoting_NG-01.csv", "L1-15", "2行目"),
    ],
)
def test_published_bad_samples_are_found_where_they_are_bad(
    sample: str, rule: str, place: str
) -> None:
    assert (rule, place) in found(realdata(f"reports/{sample}"))


AWKWARD = figure_table(
    [
        {"name": " ㈱甲\n乙  丙①\ue000", "hours": Decimal("0.10"), "due": date(2026, 9, 1)},
        {"name": None, "hours": None, "due": None},
        {"name": "=1+1", "hours": Decimal(0), "due": date(2026, 10, 1)},
    ],
    (NAME, HOURS, FigureColumn("due", "期限", "date")),
    title="月／組織ごとの割当量（①）",
    note="一行目\n二行目",
)


def test_our_own_tables_break_no_rule(tmp_path: Path) -> None:
    document = report(Table(AWKWARD))
    workbook = tmp_path / "t.xlsx"
    workbook.write_bytes(machine_workbook(document))
    assert violations(workbook) == []
    for name, content in machine_csvs(document).items():
        (tmp_path / name).write_bytes(content)
        assert violations(tmp_path / name) == []


def test_the_workbook_for_reading_is_not_one_for_machines(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(browse_workbook(report(Table(AWKWARD))))
    assert {"L3-01", "L1-02"} & {v.rule for v in violations(path)}


def test_the_machine_workbook_defines_its_items_and_codes(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(machine_workbook(report(Table(AWKWARD))))
    book = CalamineWorkbook.from_path(path)
    assert book.sheet_names == ["usage.companies", "項目定義", "コード表"]
    head, *items = book.get_sheet_by_name("項目定義").to_python()
    by_name = [dict(zip(head, item, strict=True)) for item in items]
    assert [(i["項目ID"], i["種類"], i["単位"]) for i in by_name] == [
        ("name", "text", ""),
        ("hours", "number", "GPU時間"),
        ("due", "date", ""),
    ]
    assert by_name[1]["表示小数桁"] == 1
    assert by_name[0]["基準日"] == "2026-10-15"
    codes = book.get_sheet_by_name("コード表").to_python()
    assert ["欠測", 1, "値がない（ゼロではない）"] in codes


def test_zero_and_nothing_differ_in_the_machine_workbook(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(machine_workbook(report(Table(AWKWARD))))
    head, *rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    cells = [dict(zip(head, row, strict=True)) for row in rows]
    hours = [(c["値"], c["欠測"]) for c in cells if c["項目ID"] == "hours"]
    assert hours == [(0.1, 0), ("", 1), (0, 0)]
    names = [(c["文字値"], c["欠測"]) for c in cells if c["項目ID"] == "name"]
    assert names == [("(株)甲 乙 丙1〓", 0), ("", 1), ("=1+1", 0)]


def test_a_text_too_long_for_a_cell_is_cut_and_says_so(tmp_path: Path) -> None:
    long = report(Table(figure_table([{"name": "長" * 40_000, "hours": Decimal(1)}])))
    for made in (browse_workbook(long), machine_workbook(long)):
        path = tmp_path / "t.xlsx"
        path.write_bytes(made)
        book = CalamineWorkbook.from_path(path)
        texts = [
            c for n in book.sheet_names for r in book.get_sheet_by_name(n).to_python() for c in r
        ]
        (cut,) = {c for c in texts if isinstance(c, str) and len(c) > 1000}
        assert len(cut) == LONGEST_CELL
        assert cut.endswith("…（Excelの上限のため、ここまで）")
    (whole,) = machine_csvs(long).values()
    assert "長" * 40_000 in whole.decode()


def test_signs_that_have_no_other_form_become_the_mark_for_a_missing_character() -> None:
    assert plain_text("甲\ue123乙") == "甲〓乙"
