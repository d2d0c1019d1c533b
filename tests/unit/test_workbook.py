"""Templates are written from contracts and read back; a file is told by its mark or headings."""

import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import python_calamine
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from geniac_pipelines.areas import TEMPLATES
from geniac_pipelines.calendar import Month
from geniac_pipelines.contracts import Column, Contract, Type
from geniac_pipelines.gpu_usage.contracts import MONTHLY_NOTES, MONTHLY_USAGE, PLANS
from geniac_pipelines.gpu_usage.workbooks import (
    FORMATS,
    MONTHLY_WORKBOOK,
    PLAN_WORKBOOK,
)
from geniac_pipelines.intake.reading import Source
from geniac_pipelines.intake.template import row_height
from geniac_pipelines.intake.workbook import (
    WorkbookTemplate,
    format_of,
    formats_of,
    other_workbooks,
    sheet_name,
    write_template,
)
from tests.unit.handed_in import read_file, rezipped, source, told, xlsx

PLAN, CONTRACT, MONTHLY = FORMATS
HEADER = [c.ja for c in PLANS.columns]
GOOD = [1, date(2026, 9, 1), "H100", 36000, 18000000, "事前学習"]
CONTRACTS = [(t, c) for t in TEMPLATES for c in t.contracts]


def written(
    folder: Path, template: WorkbookTemplate, rows: Mapping[str, Any] | None = None
) -> Source:
    file = folder / "written.xlsx"
    write_template(template, file, rows)
    return Source("提出.xlsx", file)


def claims(given: Source) -> list[str]:
    return [f.name for f in FORMATS if f.recognise(given)]


def values(column: Column) -> st.SearchStrategy[Any]:
    """Any value that a column may hold."""
    if column.choices:
        return st.sampled_from(column.choices)
    least = column.minimum if column.minimum is not None else -(10**12)
    kinds: dict[Type, st.SearchStrategy[Any]] = {
        Type.TEXT: st.text(
            st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30
        ).map(lambda text: "あ" + text),  # a lone dash is how people leave a cell empty
        Type.INTEGER: st.integers(least, 2**63 - 1),
        Type.DECIMAL: st.decimals(least, 10**15, places=9, allow_nan=False)
        | st.integers(least, 10**15),
        Type.DATE: st.dates(date(1990, 1, 1), date(2099, 12, 31)),
        Type.MONTH: st.dates(date(1990, 1, 1), date(2099, 12, 31)).map(Month.of),
    }
    known = kinds[column.type]
    return known if column.required else st.none() | known


def rows_of(contract: Contract) -> st.SearchStrategy[list[dict[str, Any]]]:
    own = [n for n in contract.key if not n.startswith("_")]
    return st.lists(
        st.fixed_dictionaries({c.name: values(c) for c in contract.columns}),
        min_size=1, max_size=5, unique_by=lambda row: tuple(row[n] for n in own),
    )  # fmt: skip


def as_typed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.first if isinstance(v, Month) else v for k, v in row.items()}


@pytest.mark.parametrize(("template", "contract"), CONTRACTS, ids=lambda x: x.name)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_written_rows_come_back_as_they_were(tmp_path, template, contract, data) -> None:
    rows = data.draw(rows_of(contract))
    known = format_of(template)
    found, refusals = read_file(known, written(tmp_path, template, {contract.name: rows}))
    assert [dict(r.values) for r in found] == [as_typed(row) for row in rows]
    assert [(r.place.sheet, r.place.row) for r in found] == [
        (sheet_name(contract), n) for n in range(2, len(rows) + 2)
    ]
    assert all(r.complaint.costs == "nothing" for r in refusals)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(len(HEADER))), titles=st.integers(0, 3))
@example(order=list(range(len(HEADER))), titles=0)
def test_the_order_of_columns_makes_no_difference(tmp_path, order, titles) -> None:
    table = [["題"]] * titles + [[cells[n] for n in order] for cells in (HEADER, GOOD)]
    given = source(tmp_path, xlsx({"Sheet1": table}))
    assert claims(given) == ["workbook-gpu-plan"]
    [row], refusals = read_file(PLAN, given)
    assert refusals == []
    assert row.values == {
        "plan_version": 1,
        "month": date(2026, 9, 1),
        "gpu_type": "H100",
        "planned_gpu_hours": Decimal(36000),
        "planned_jpy": Decimal(18000000),
        "purpose": "事前学習",
    }


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
def test_a_template_is_the_same_bytes_each_time(tmp_path, template) -> None:
    first = written(tmp_path, template).path.read_bytes()
    assert written(tmp_path, template).path.read_bytes() == first


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
def test_an_empty_template_is_recognised_and_holds_no_example_as_data(tmp_path, template) -> None:
    given = written(tmp_path, template)
    formats = formats_of(TEMPLATES)
    [known] = [f for f in formats if f.recognise(given)]
    assert known.name == f"workbook-{template.name}"
    rows, refusals = read_file(known, given)
    assert rows == []
    assert refusals[-1].complaint.code == "workbook.no-rows"


def test_the_guide_explains_every_column_with_unit_choices_and_example(tmp_path) -> None:
    file = written(tmp_path, MONTHLY_WORKBOOK).path
    book = python_calamine.CalamineWorkbook.from_path(file)
    assert book.sheet_names == [
        "記入要領", "月次利用報告（利用量）", "月次利用報告（進捗・課題・改善案）",
    ]  # fmt: skip
    guide = [row for row in book.get_sheet_by_name("記入要領").to_python() if row[1]]
    assert guide[0][:7] == ["シート", "項目", "必須", "意味", "単位", "選択肢", "記入例"]
    assert len(guide) == 1 + len(MONTHLY_USAGE.columns) + len(MONTHLY_NOTES.columns)
    assert ["月次利用報告（利用量）", "利用GPU時間", "必須"] in [row[:3] for row in guide]
    assert ["GPU時間", "", "35,120.5"] in [row[4:7] for row in guide]
    [sheet, _] = [book.get_sheet_by_name(n).to_python() for n in book.sheet_names[1:]]
    assert sheet == [["対象月", "GPU種別", "利用GPU時間", "利用額"]]


def test_a_template_offers_choices_and_checks_what_is_typed(tmp_path) -> None:
    file = written(tmp_path, PLAN_WORKBOOK).path
    with zipfile.ZipFile(file) as archive:
        sheet = archive.read("xl/worksheets/sheet2.xml").decode()
        notes = archive.read("xl/comments1.xml").decode()
    assert '<dataValidation type="list"' in sheet
    assert "H100,H200,B200,GB200" in sheet
    assert 'type="date"' in sheet
    assert "「計画GPU時間」は0以上の数値で記入してください。" in sheet
    assert "【必須】その月に使う予定の量" in notes


def test_choices_too_long_for_a_check_stand_in_the_guide(tmp_path) -> None:
    choices = tuple(f"選択肢その{n:03}" for n in range(60))
    contract = Contract(
        "test__long", "test", "長い表", "長い", key=("kind",), clauses=(),
        columns=(Column("kind", Type.TEXT, "種類", "種類", required=True, choices=choices),),
    )  # fmt: skip
    template = WorkbookTemplate("long", "長い様式", "説明", "test", (contract,))
    file = written(tmp_path, template).path
    with zipfile.ZipFile(file) as archive:
        assert "'記入要領'!$I$2:$I$61" in archive.read("xl/worksheets/sheet2.xml").decode()
    book = python_calamine.CalamineWorkbook.from_path(file)
    guide = book.get_sheet_by_name("記入要領").to_python()
    assert [row[8] for row in guide[1:61]] == list(choices)


def test_rows_of_unknown_contracts_or_columns_are_not_written(tmp_path) -> None:
    with pytest.raises(KeyError, match="no contract"):
        write_template(PLAN_WORKBOOK, tmp_path / "a.xlsx", {"x": []})
    with pytest.raises(KeyError, match="no column"):
        write_template(PLAN_WORKBOOK, tmp_path / "a.xlsx", {PLANS.name: [{"x": 1}]})


def test_moments_are_written_with_their_zone(tmp_path) -> None:
    contract = Contract(
        "test__times", "test", "時刻", "時刻", key=("at",), clauses=(),
        columns=(Column("at", Type.INSTANT, "日時", "日時", required=True),),
    )  # fmt: skip
    template = WorkbookTemplate("times", "時刻", "説明", "test", (contract,))
    at = datetime(2026, 9, 1, 3, 30, tzinfo=UTC)
    [row], _ = read_file(
        format_of(template), written(tmp_path, template, {contract.name: [{"at": at}]})
    )
    assert row.values == {"at": at}
    with pytest.raises(ValueError, match="without zone"):
        written(tmp_path, template, {contract.name: [{"at": at.replace(tzinfo=None)}]})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_plain_csv_of_one_contract_is_taken(tmp_path, encoding) -> None:
    text = '対象月,GPU種別,利用GPU時間,利用額\n2026年9月,H100,"35,120.5",\n'
    given = source(tmp_path, text.encode(encoding), "report.csv")
    assert claims(given) == ["workbook-gpu-monthly"]
    [row], refusals = read_file(MONTHLY, given)
    assert row.values["reported_gpu_hours"] == Decimal("35120.5")
    assert (row.place.sheet, row.place.row, refusals) == (None, 2, [])


def test_a_csv_larger_than_the_first_look_is_recognised_by_its_beginning(tmp_path) -> None:
    lines = [f"2026-09,H100,{n},\n" for n in range(10_000)]
    text = "対象月,GPU種別,利用GPU時間,利用額\n" + "".join(lines)
    assert len(text) > 65_536
    assert claims(source(tmp_path, text.encode("cp932"), "report.csv")) == ["workbook-gpu-monthly"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"hello\n", b'{"a": [1, 2]}', b"<html>,</html>", b"\0\1\2,\3",
        b"JobIDRaw|Submit|Start\n1|2026-09-01T00:00:00|Unknown\n",
        "対象月,番号\n2026-09,1\n".encode(),
    ],
)  # fmt: skip
def test_other_files_are_not_claimed(tmp_path, content) -> None:
    assert claims(source(tmp_path, content, "x")) == []


def test_the_mark_tells_a_template_whose_headings_were_changed(tmp_path) -> None:
    file = written(tmp_path, PLAN_WORKBOOK).path
    with zipfile.ZipFile(file) as archive:
        strings = archive.read("xl/sharedStrings.xml").decode()
    other = "<t>見出し"
    changed = strings
    for heading in ("対象月", "GPU種別", "計画GPU時間", "用途"):
        changed = changed.replace(f"<t>{heading}</t>", f"{other}{heading}</t>")
    content = rezipped(file.read_bytes(), {"xl/sharedStrings.xml": changed.encode()})
    given = source(tmp_path, content)
    assert claims(given) == ["workbook-gpu-plan"]
    rows, refusals = read_file(PLAN, given)
    assert rows == []
    assert told(refusals)[0][:2] == ("table.columns-missing", "file")


def test_the_guide_alone_carries_the_mark_too(tmp_path) -> None:
    file = written(tmp_path, PLAN_WORKBOOK).path
    content = rezipped(file.read_bytes(), {"docProps/custom.xml": b"<Properties/>"})
    assert claims(source(tmp_path, content)) == ["workbook-gpu-plan"]


def test_another_version_of_a_template_is_read_by_its_headings(tmp_path) -> None:
    old = WorkbookTemplate("gpu-plan", "利用実施計画", "説明", "gpu_usage", (PLANS,), version=9)
    row = {c.name: v for c, v in zip(PLANS.columns, GOOD, strict=True)}
    given = written(tmp_path, old, {PLANS.name: [row]})
    [_], refusals = read_file(PLAN, given)
    assert [r.complaint.code for r in refusals] == ["workbook.other-version"]
    assert "提出：第9版、現行：第1版" in refusals[0].ja


def test_a_missing_required_column_is_refused_with_words_not_as_unknown(tmp_path) -> None:
    given = source(tmp_path, xlsx({"Sheet1": [HEADER[:5], GOOD[:5]]}))
    assert claims(given) == ["workbook-gpu-plan"]
    rows, refusals = read_file(PLAN, given)
    assert (rows, told(refusals)) == ([], [("table.columns-missing", "file", 1, None)])
    assert "「用途」" in refusals[0].ja


def test_a_sheet_named_like_the_template_is_refused_for_what_it_lacks(tmp_path) -> None:
    given = source(tmp_path, xlsx({"利用実施計画": [["メモ"], ["未記入"]]}))
    assert claims(given) == ["workbook-gpu-plan"]
    _, refusals = read_file(PLAN, given)
    assert told(refusals)[0][:2] == ("table.columns-missing", "file")
    assert "見つかった見出し：なし" in refusals[0].ja


def two_alike() -> tuple[WorkbookTemplate, WorkbookTemplate]:
    def made(name: str) -> WorkbookTemplate:
        contract = Contract(
            f"test__{name}", "test", f"表{name}", "表", key=("code",), clauses=(),
            columns=(
                Column("code", Type.TEXT, "コード", "番号", required=True),
                Column("amount", Type.INTEGER, "数", "数", required=True),
            ),
        )  # fmt: skip
        return WorkbookTemplate(name, f"様式{name}", "説明", "test", (contract,))

    return made("甲"), made("乙")


def test_a_file_that_fits_two_templates_alike_is_refused_not_guessed(tmp_path) -> None:
    formats = formats_of(two_alike())
    given = source(tmp_path, "コード,数\nA,1\n".encode(), "a.csv")
    [known] = [f for f in formats if f.recognise(given)]
    rows, refusals = read_file(known, given)
    assert (rows, told(refusals)) == ([], [("workbook.ambiguous", "file", None, None)])
    assert "「様式甲」「様式乙」" in refusals[0].ja


def test_a_sheet_that_fits_two_contracts_of_a_template_alike_is_refused(tmp_path) -> None:
    first, second = two_alike()
    both = WorkbookTemplate("both", "両方", "説明", "test", (*first.contracts, *second.contracts))
    table = [["コード", "数"], ["A", 1]]
    rows, refusals = read_file(format_of(both), source(tmp_path, xlsx({"Sheet1": table})))
    assert rows == []
    assert told(refusals) == [("workbook.ambiguous", "file", None, None)]
    # the sheet's name settles it
    rows, refusals = read_file(format_of(both), source(tmp_path, xlsx({"表乙": table})))
    assert [r.contract.ja for r in rows] == ["表乙"]


def test_sheets_that_are_not_of_the_template_are_told(tmp_path) -> None:
    given = source(tmp_path, xlsx({"利用実施計画": [HEADER, GOOD], "作業用": [["メモ"]], "空": []}))
    rows, refusals = read_file(PLAN, given)
    assert len(rows) == 1
    assert [(r.complaint.code, r.place.sheet) for r in refusals] == [
        ("workbook.sheet-ignored", "作業用")
    ]


def test_keys_are_unique_over_all_sheets_of_a_file(tmp_path) -> None:
    other = [1, date(2026, 9, 1), "H100", 99, 1, "別"]
    given = source(tmp_path, xlsx({"上期": [HEADER, GOOD], "下期": [HEADER, other]}))
    rows, refusals = read_file(PLAN, given)
    assert rows == []
    assert [(r.complaint.code, r.place.sheet) for r in refusals] == [
        ("table.contradiction", "上期"),
        ("table.contradiction", "下期"),
    ]


def test_an_empty_or_missing_sheet_of_a_template_is_told(tmp_path) -> None:
    row = {"month": Month(2026, 9), "gpu_type": "H100", "reported_gpu_hours": 5}
    given = written(tmp_path, MONTHLY_WORKBOOK, {MONTHLY_USAGE.name: [row]})
    rows, refusals = read_file(MONTHLY, given)
    assert len(rows) == 1
    assert [r.complaint.code for r in refusals] == ["workbook.sheet-empty"]


def test_workbooks_that_nobody_claims_are_refused_with_words(tmp_path) -> None:
    formats = formats_of(TEMPLATES)
    other = other_workbooks(formats, TEMPLATES)
    foreign = source(tmp_path, xlsx({"売上": [["品名", "数量"], ["りんご", 5]]}))
    assert other.recognise(foreign)
    _, refusals = read_file(other, foreign)
    assert [r.complaint.code for r in refusals] == ["workbook.no-template"]
    assert "「売上」" in refusals[0].ja
    assert "「利用実施計画」" in refusals[0].ja_remedy
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    given = source(tmp_path, locked)
    assert not any(f.recognise(given) for f in formats)
    assert other.recognise(given)
    _, refusals = read_file(other, given)
    assert [r.complaint.code for r in refusals] == ["sheet.locked"]
    assert not other.recognise(written(tmp_path, PLAN_WORKBOOK))
    assert not other.recognise(source(tmp_path, b"a,b\n", "a.csv"))


def test_names_of_sheets_keep_to_the_rules_of_spreadsheets() -> None:
    names = [sheet_name(c) for t in TEMPLATES for c in t.contracts]
    assert all(len(n) <= 31 and not set(n) & set("[]:*?/\\'") for n in names)
    long = Contract(
        "t__l", "t", "長" * 40 + "/", "", (Column("a", Type.TEXT, "a", ""),), ("a",), ()
    )
    assert sheet_name(long) == "長" * 31
    with pytest.raises(ValueError, match="one name"):
        WorkbookTemplate("x", "x", "", "t", (long, long))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cells=st.lists(
        st.lists(
            st.none()
            | st.integers(-(10**9), 10**9)
            | st.floats(allow_nan=False, allow_infinity=False, width=32)
            | st.booleans()
            | st.dates(date(1990, 1, 1), date(2099, 12, 31))
            | st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=12),
            min_size=6, max_size=6,
        ),
        max_size=6,
    )
)  # fmt: skip
def test_whatever_cells_hold_each_row_is_taken_left_out_or_refused(tmp_path, cells) -> None:
    rows, refusals = read_file(PLAN, source(tmp_path, xlsx({"Sheet1": [HEADER, *cells]})))
    spoken = {r.place.row for r in (*rows, *refusals)}
    for number, row in enumerate(cells, start=2):
        texts = ["" if cell is None else str(cell) for cell in row]
        blank = all(not set("".join(text.split())) - set("-‐‑‒–−—―─ー") for text in texts)
        assert (number in spoken) != blank
    assert not {r.place.row for r in rows} & {
        r.place.row for r in refusals if r.complaint.costs == "row"
    }


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=500))
def test_any_bytes_are_asked_for_and_read_without_a_fault(tmp_path, content) -> None:
    given = source(tmp_path, content)
    for known in FORMATS:
        assert known.recognise(given) in (True, False)
        _, refusals = read_file(known, given)
        # whatever came, nobody is left without a word on what to do
        assert all(r.ja and r.ja_remedy for r in refusals)


# by hand: あ is 2 wide, so 30 of them need 60 of the 19 usable characters a line, 4 lines of 15 pt
@pytest.mark.parametrize(
    ("texts", "widths", "height"),
    [
        (["abc"], [20], 15),
        (["あ" * 30], [20], 60),
        (["a\nb\nc", "x"], [20, 5], 45),
        ([""], [9], 15),
    ],
)
def test_rows_are_high_enough_for_their_texts(texts, widths, height) -> None:
    assert row_height(texts, widths) == height
