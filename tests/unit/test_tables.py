"""Tables as people make them become typed rows; what can't be taken is told with its place."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from geniac_pipelines.areas import TEMPLATES
from geniac_pipelines.contracts import Column, Contract, Mode, Type
from geniac_pipelines.gpu_usage.contracts import (
    COMPUTE_CONTRACTS,
    MONTHLY_NOTES,
    MONTHLY_USAGE,
    PLANS,
)
from geniac_pipelines.intake.headings import find_header
from geniac_pipelines.intake.reading import Place, Row
from geniac_pipelines.intake.sheets import Sheet
from geniac_pipelines.intake.tables import without_repeats
from geniac_pipelines.programme.contracts import ORGANISATIONS
from tests.unit.handed_in import read_sheet, split, told

HEADER = ["計画の版", "対象月", "GPU種別", "計画GPU時間", "計画額", "用途"]
GOOD = [1, date(2026, 9, 1), "H100", 36000, 18000000, "事前学習"]
GOOD_VALUES = {
    "plan_version": 1,
    "month": date(2026, 9, 1),
    "gpu_type": "H100",
    "planned_gpu_hours": Decimal(36000),
    "planned_jpy": Decimal(18000000),
    "purpose": "事前学習",
}
EVERYTHING = Contract(
    name="test__everything",
    area="test",
    ja="全種類",
    meaning="すべての型",
    key=("code",),
    clauses=(),
    columns=(
        Column("code", Type.TEXT, "コード", "番号", required=True, example="A-1"),
        Column("whole", Type.INTEGER, "整数", "整数", minimum=0),
        Column("exact", Type.DECIMAL, "十進", "十進", unit="円"),
        Column("measured", Type.FLOAT, "測定", "測定"),
        Column("agreed", Type.BOOLEAN, "同意", "はい・いいえ"),
        Column("day", Type.DATE, "日", "日付"),
        Column("month", Type.MONTH, "月", "年月"),
        Column("moment", Type.INSTANT, "日時", "日時"),
        Column("name", Type.TEXT, "氏名", "個人名", personal=True),
        Column("kind", Type.TEXT, "種類", "種類", choices=("大", "小")),
    ),
)


def one(column: str, cell: object) -> tuple[object, list[tuple[str, str, int | None, str | None]]]:
    """The value that a cell of a column gives, and what is told about it."""
    heading = EVERYTHING.column(column).ja
    headings = ["コード", heading] if column != "code" else ["コード", "整数"]
    cells = ["A-1", cell] if column != "code" else [cell, 1]
    rows, refusals = read_sheet([headings, cells], EVERYTHING, epoch_1904=False)
    return (rows[0].values.get(column) if rows else "row lost"), told(refusals)


def test_a_plain_table_is_rows_with_their_places() -> None:
    rows, refusals = read_sheet([HEADER, GOOD], PLANS)
    assert rows == [Row(PLANS, GOOD_VALUES, Place("表", 2))]
    assert refusals == []


def test_titles_above_the_header_and_blank_rows_are_passed_over() -> None:
    table = [
        ["令和8年度 利用実施計画"],
        ["", "提出日", date(2026, 4, 1)],
        [],
        HEADER,
        [None] * 6,
        GOOD,
    ]
    rows, refusals = read_sheet(table, PLANS)
    assert [(r.values, r.place.row) for r in rows] == [(GOOD_VALUES, 6)]
    assert refusals == []


@pytest.mark.parametrize(
    "header",
    [
        ["計画　の版", "対象月", "ＧＰＵ種別", "計画GPU時間（時間）", "計画額(円)", "用途"],
        ["版【必須】", "年月", "GPU種類", "計画値［GPU時間］", "予定額（税抜）", "※利用目的"],
        ["plan_version", "month", "gpu_type", "planned_gpu_hours", "planned_jpy", "purpose"],
        ["計画版", "月", "GPU", "計画\nGPU時間", "金額", "目的"],
    ],
)
def test_headings_are_known_however_they_are_written(header) -> None:
    rows, refusals = read_sheet([header, GOOD], PLANS)
    assert [r.values for r in rows] == [GOOD_VALUES]
    assert refusals == []


def test_headings_over_two_rows_with_merged_groups() -> None:
    table = [
        ["計画の版", "対象月", "GPU種別", "計画", None, "用途"],
        [None, None, None, "GPU時間", "額", None],
        GOOD,
    ]
    merged = ((0, 3, 0, 4), (0, 0, 1, 0), (0, 1, 1, 1), (0, 2, 1, 2), (0, 5, 1, 5))
    rows, refusals = read_sheet(table, PLANS, merged=merged)
    assert [r.values for r in rows] == [GOOD_VALUES]
    assert refusals == []


def test_the_better_heading_takes_a_column_that_two_could_mean() -> None:
    # GPU時間 alone is an accepted heading, but beside the template's own it is something else
    table = [[*HEADER, "GPU時間"], [*GOOD, 5]]
    rows, refusals = read_sheet(table, PLANS)
    assert rows[0].values["planned_gpu_hours"] == 36000
    assert told(refusals) == [("table.extra-columns", "nothing", 1, None)]
    assert "「GPU時間」" in refusals[0].ja


def test_two_equal_headings_are_refused_not_guessed() -> None:
    rows, refusals = read_sheet([[*HEADER, "計画額"], [*GOOD, 5]], PLANS)
    assert rows == []
    assert told(refusals) == [("table.heading-twice", "file", 1, None)]


def test_a_missing_required_column_names_what_is_missing_and_what_was_found() -> None:
    rows, refusals = read_sheet([HEADER[:5], GOOD[:5]], PLANS)
    assert rows == []
    assert told(refusals) == [("table.columns-missing", "file", 1, None)]
    assert "必要な列が見つかりません：「用途」" in refusals[0].ja
    assert "「計画額」" in refusals[0].ja


def test_brackets_that_are_part_of_a_heading_are_kept() -> None:
    header = ["台帳", "組織ID", "組織名（英語）", "組織名", "区分"]
    cells = ["採択", "aoi", "Aoi AI", "あおい", "データ利活用"]
    rows, _ = read_sheet([header, cells], ORGANISATIONS)
    assert (rows[0].values["name_en"], rows[0].values["name_ja"]) == ("Aoi AI", "あおい")


@pytest.mark.parametrize("heading", ["計画額（税込）", "計画額（ドル）", "計画額（日）"])
def test_brackets_that_change_the_meaning_cost_the_column_and_are_told(heading) -> None:
    rows, refusals = read_sheet([[*HEADER[:4], heading, "用途"], GOOD], PLANS)
    assert "planned_jpy" not in rows[0].values
    assert told(refusals) == [("table.heading-doubtful", "cell", 1, "計画額")]


def test_hours_are_not_gpu_hours_unless_the_heading_says_so() -> None:
    header = ["対象月", "GPU種別", "利用量（時間）"]
    _, refusals = read_sheet([header, ["2026-09", "H100", 5]], MONTHLY_USAGE)
    assert told(refusals)[-1] == ("table.columns-missing", "file", 1, None)


# by hand: 18,000 千円 = 18,000,000 円; 1.5 百万円 = 1,500,000 円; 0.1 + 0.2 of a spreadsheet is 0.3
@pytest.mark.parametrize(
    ("heading", "cell", "jpy"),
    [
        ("計画額（千円）", 18000, "18000000"),
        ("計画額（単位：百万円）", 1.5, "1500000"),
        ("計画額（千円）", "18,000,000円", "18000000"),
        ("計画額[千円]", 0.30000000000000004, "300"),
        ("計画額（億円）", "1.23456789", "123456789"),
        ("計画額（十億円）", 0.5, "500000000"),
    ],
)
def test_a_unit_in_the_heading_scales_exactly_and_is_told(heading, cell, jpy) -> None:
    row = [*GOOD[:4], cell, GOOD[5]]
    rows, refusals = read_sheet([[*HEADER[:4], heading, "用途"], row], PLANS)
    assert rows[0].values["planned_jpy"] == Decimal(jpy)
    assert told(refusals) == [("table.scaled", "nothing", 1, "計画額")]


@pytest.mark.parametrize(
    "table",
    [
        [["（単位：千円）"], HEADER],
        [["単位：GPU時間、千円"], HEADER],
        [HEADER, [None, None, None, "GPU時間", "千円", None]],
        [HEADER, [None, None, None, "（GPU時間）", "（千円）", None]],
    ],
)
def test_a_unit_above_the_header_or_below_it_counts_for_its_columns(table) -> None:
    rows, refusals = read_sheet([*table, GOOD], PLANS)
    assert rows[0].values["planned_jpy"] == Decimal(18_000_000_000)
    assert rows[0].values["planned_gpu_hours"] == Decimal(36_000)
    assert [r.complaint.code for r in refusals] == ["table.scaled"]


def test_a_price_may_be_headed_or_written_in_yen() -> None:
    header = ["契約番号", "提供事業者", "GPU種別", "GPU枚数", "単価（円）", "開始日", "終了日"]
    cells = ["C-1", "甲", "H100", "64枚", "500円", "令和8年4月1日", "R9.3.31"]
    rows, refusals = read_sheet([header, cells], COMPUTE_CONTRACTS)
    assert refusals == []
    assert rows[0].values == {
        "contract_number": "C-1",
        "provider": "甲",
        "gpu_type": "H100",
        "gpu_count": 64,
        "unit_price_jpy": Decimal(500),
        "starts_on": date(2026, 4, 1),
        "ends_on": date(2027, 3, 31),
    }


def test_totals_footnotes_and_repeated_headers_are_left_out_and_told() -> None:
    table = [
        HEADER,
        GOOD,
        [None, "小　計", None, 36000, 18000000, None],
        HEADER,
        ["合計", None, None, 36000, 18000000, None],
        ["※ 税抜。"],
        [None, None, None, None, None, None, "欄外のメモ"],
    ]
    rows, refusals = read_sheet(table, PLANS)
    assert [r.place.row for r in rows] == [2]
    assert told(refusals) == [
        ("table.total-row", "nothing", 3, None),
        ("table.header-again", "nothing", 4, None),
        ("table.total-row", "nothing", 5, None),
        ("table.note-row", "nothing", 6, None),
        ("table.outside-row", "nothing", 7, None),
    ]


def test_a_text_that_says_total_is_no_total() -> None:
    header = ["対象月", "番号", "種別", "内容"]
    rows, refusals = read_sheet([header, ["2026-09", 1, "説明", "合計"]], MONTHLY_NOTES)
    assert (rows[0].values["body"], refusals) == ("合計", [])


def test_one_bad_row_costs_no_other_and_all_its_faults_are_told() -> None:
    bad = [None, "2026年13月", "NVIDIA H200 SXM", "約3万程度", "?", "学習"]
    rows, refusals = read_sheet([HEADER, bad, GOOD], PLANS)
    assert [r.values for r in rows] == [GOOD_VALUES]
    assert told(refusals) == [
        ("cell.blank", "row", 2, "計画の版"),
        ("cell.month", "row", 2, "対象月"),
        ("cell.choice", "row", 2, "GPU種別"),
        ("cell.number", "row", 2, "計画GPU時間"),
        ("cell.number", "cell", 2, "計画額"),
    ]
    assert "「H200」のことでしょうか" in refusals[2].ja
    assert refusals[2].cell == "NVIDIA H200 SXM"
    assert "did you mean" in refusals[2].en


def test_a_bad_optional_cell_costs_the_cell_alone() -> None:
    rows, refusals = read_sheet([HEADER, [*GOOD[:4], "たぶん100", GOOD[5]]], PLANS)
    assert rows[0].values == {**GOOD_VALUES, "planned_jpy": None}
    assert told(refusals) == [("cell.number", "cell", 2, "計画額")]
    assert "空欄として受け取りました" in refusals[0].ja


def test_merged_data_cells_are_not_filled_in_but_explained() -> None:
    table = [HEADER, GOOD, [None, date(2026, 10, 1), *GOOD[2:]]]
    rows, refusals = read_sheet(table, PLANS, merged=((1, 0, 2, 0),))
    assert [r.place.row for r in rows] == [2]
    assert told(refusals) == [("cell.merged", "row", 3, "計画の版")]


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("code", 2026, "2026"),
        ("code", 2026.0, "2026"),
        ("code", 0.1, "0.1"),
        ("code", "  0012 ", "0012"),
        ("code", "なし", "なし"),
        ("whole", "１，２３４", 1234),
        ("whole", 12.0, 12),
        ("exact", 35120.5, Decimal("35120.5")),
        ("exact", 0.1 + 0.2, Decimal("0.3")),
        ("exact", "12345678901234567890.123456789", Decimal("12345678901234567890.123456789")),
        ("exact", "△1億2,300万円", Decimal(-123_000_000)),
        ("exact", "未定", None),
        ("exact", "－", None),
        ("exact", 0, Decimal(0)),
        ("measured", "0.25", 0.25),
        ("agreed", "はい", True),
        ("agreed", "×", False),
        ("agreed", True, True),
        ("day", "令和8年4月1日", date(2026, 4, 1)),
        ("day", 20260401, date(2026, 4, 1)),
        ("day", "未定", None),
        ("month", date(2026, 9, 15), date(2026, 9, 1)),
        ("month", "R8.9", date(2026, 9, 1)),
        # 10:00 in Japan is 01:00 UTC
        ("moment", "2026/09/01 10:00", datetime(2026, 9, 1, 1, 0, tzinfo=UTC)),
        ("moment", "2026-09-01T10:00:00+00:00", datetime(2026, 9, 1, 10, 0, tzinfo=UTC)),
        ("moment", datetime(2026, 9, 1, 10, 0), datetime(2026, 9, 1, 1, 0, tzinfo=UTC)),  # noqa: DTZ001
        ("kind", " 大 ", "大"),
    ],
)
def test_cells_are_read_by_their_column(column, cell, value) -> None:
    found, complaints = one(column, cell)
    assert (found, complaints) == (value, [])
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("whole", 1.5, "cell.whole-number"),
        ("whole", -1, "cell.below-minimum"),
        ("whole", 10**19, "cell.too-big"),
        ("whole", date(2026, 9, 1), "cell.number"),
        ("exact", "1e40", "cell.too-big"),
        ("exact", "5ドル", "cell.number"),
        ("exact", "#REF!", "cell.number"),
        ("agreed", "たぶん", "cell.yes-no"),
        ("day", "2026年9月", "cell.date"),
        ("day", "10/15", "cell.date"),
        ("day", 5, "cell.date"),
        ("month", "令和8年度", "cell.month"),
        ("moment", "2026-09-01", "cell.instant"),
        ("moment", "朝", "cell.instant"),
        ("kind", "中", "cell.choice"),
    ],
)
def test_what_a_column_can_not_be_is_told(column, cell, code) -> None:
    found, complaints = one(column, cell)
    assert found is None
    assert complaints == [(code, "cell", 2, EVERYTHING.column(column).ja)]


@pytest.mark.parametrize(
    ("column", "cell", "value", "code"),
    [
        # 2026-04-01 is day 46,113 of a spreadsheet (ECMA-376 part 1, 18.17.4.1)
        ("day", 46113, date(2026, 4, 1), "cell.assumed"),
        # a third of 10 yen has no end: 9 decimals are kept
        ("exact", "3.3333333333333", Decimal("3.333333333"), "cell.rounded"),
        ("code", date(2026, 4, 1), "2026-04-01", "cell.assumed"),
        ("day", datetime(2026, 4, 1, 9, 0), date(2026, 4, 1), "cell.assumed"),  # noqa: DTZ001
    ],
)
def test_what_was_assumed_is_told_and_costs_nothing(column, cell, value, code) -> None:
    found, complaints = one(column, cell)
    assert found == value
    assert complaints == [(code, "nothing", 2, EVERYTHING.column(column).ja)]


def test_a_bare_number_is_no_date_where_the_calendar_is_unknown() -> None:
    _, refusals = read_sheet([["コード", "日"], ["A", 46113]], EVERYTHING)
    assert told(refusals) == [("cell.date", "cell", 2, "日")]


def test_personal_cells_come_out_as_pseudonyms_and_never_in_a_complaint() -> None:
    contract = Contract(
        "test__people", "test", "人", "人", key=("id",), clauses=(),
        columns=(
            Column("id", Type.TEXT, "番号", "番号", required=True),
            Column("name", Type.TEXT, "氏名", "氏名", personal=True),
            Column("born", Type.DATE, "生年月日", "生年月日", required=True, personal=True),
        ),
    )  # fmt: skip
    table = [
        ["番号", "氏名", "生年月日"],
        ["1", "山田花子", "1990-01-02"],
        ["2", "田中", "秘密の日"],
    ]
    rows, refusals = read_sheet(table, contract)
    assert [r.values["name"] for r in rows] == ["person:4"]
    [refusal] = refusals
    assert refusal.cell == "＊＊＊"
    assert "秘密" not in refusal.ja + refusal.ja_remedy + refusal.en + refusal.en_remedy


def plan(line: int, jpy: int, month: date = date(2026, 9, 1)) -> Row:
    values = {**GOOD_VALUES, "month": month, "planned_jpy": Decimal(jpy)}
    return Row(PLANS, values, Place("計画", line))


def test_rows_that_contradict_each_other_are_all_refused() -> None:
    rows, refusals = split(
        list(without_repeats([plan(2, 1), plan(3, 5, date(2026, 10, 1)), plan(4, 2)]))
    )
    assert [r.place.row for r in rows] == [3]
    assert told(refusals) == [
        ("table.contradiction", "row", 2, None),
        ("table.contradiction", "row", 4, None),
    ]
    assert (
        "シート「計画」 4行目と同じ項目（計画の版=1、対象月=2026-09、GPU種別=H100）"
        in refusals[0].ja
    )
    assert "2行目" in refusals[1].ja


def test_the_same_row_twice_is_taken_once() -> None:
    rows, refusals = split(list(without_repeats([plan(2, 1), plan(3, 1)])))
    assert [r.place.row for r in rows] == [2]
    assert told(refusals) == [("table.same-row", "nothing", 3, None)]


def test_rows_of_an_appending_table_may_repeat() -> None:
    log = Contract(
        "test__log", "test", "記録", "記録", key=("code",), clauses=(), mode=Mode.APPEND,
        columns=(Column("code", Type.TEXT, "コード", "番号"),),
    )  # fmt: skip
    given = [Row(log, {"code": "a"}, Place(None, n)) for n in (2, 3)]
    assert list(without_repeats(given)) == given


def test_no_two_columns_of_a_template_share_a_heading() -> None:
    contracts = [c for t in TEMPLATES for c in t.contracts]
    for contract in contracts:
        header = tuple(c.ja for c in contract.columns)
        found = find_header(Sheet("表", (header,)), contract)
        assert found is not None
        assert [f.column for _, f in sorted(found.fields.items())] == list(contract.columns)
    assert len(contracts) >= 6
