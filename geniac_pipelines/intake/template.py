"""What a template is, and templates written from contracts.

A guide explains every column; then comes one sheet a contract. Data sheets hold a header in their
first row and nothing else, so that no example can ever be taken for data; examples stand in the
guide. The same template and rows give the same bytes. Reading back stands in `workbook`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from geniac_pipelines.calendar import Month
from geniac_pipelines.contracts import Column, Contract, Type
from geniac_pipelines.intake.cell_reader import number_of
from geniac_pipelines.intake.sheet_bounds import MARK_PROPERTY
from geniac_pipelines.japanese import fold

GUIDE: Final = "記入要領"
MARK_PREFIX: Final = "geniac-template:"
"""Behind it, in a cell of the guide, stand the template's name and version."""
LONGEST_SHEET_NAME: Final = 31
Rows = Sequence[Mapping[str, Any]]
"""Rows by column name of the contract; absent or None leaves the cell empty."""

PREPARED_ROWS: Final = 500
"""Rows of a data sheet that carry lists to choose from and checks of what is typed."""
CREATED: Final = datetime(2026, 4, 1, tzinfo=UTC).replace(tzinfo=None)
LONGEST_LIST: Final = 255
"""Characters of a list of choices that Excel keeps within the check itself."""
LONGEST_CELL: Final = 32_767
LINE_POINTS: Final = 15
HIGHEST_ROW: Final = 405
CHOICES_FROM: Final = 8
"""Column of the guide (from 0) from which lists stand that are longer."""

_DARK, _LIGHT, _GREY = "#C5D7FB", "#E8F1FE", "#626264"
_FIRST_DAY = date(2000, 1, 1)
_GUIDE_HEADS: Final = (
    ("シート", 36), ("項目", 20), ("必須", 6), ("意味", 46), ("単位", 12), ("選択肢", 34),
    ("記入例", 30),
)  # fmt: skip
_TYPES_JA: Final = {
    Type.TEXT: "文字", Type.INTEGER: "整数", Type.DECIMAL: "数値", Type.FLOAT: "数値",
    Type.BOOLEAN: "はい／いいえ", Type.DATE: "日付", Type.MONTH: "年月", Type.INSTANT: "日時",
}  # fmt: skip
_HOW_TO: Final = (
    "各シートの1行目（見出し）は変えず、2行目から1件1行で記入してください。色の濃い見出しは必須です。",
    "数値は数字だけを記入し、単位は付けないでください。値がない欄は空欄のままにし、"
    "0の場合だけ0と記入してください。",
    "列の追加、セルの結合、合計行は不要です（あっても読み取りません）。",
)


@dataclass(frozen=True)
class WorkbookTemplate:
    """A workbook that people hand in: one sheet a contract, in order.

    `name` (ASCII) is what commands call it and what the file's mark says; raise `version` when
    headings change. `meaning` tells those who fill it in what it is for.
    """

    name: str
    ja: str
    meaning: str
    area: str
    contracts: tuple[Contract, ...]
    version: int = 1
    personal: bool = False

    def __post_init__(self) -> None:
        names = [fold(sheet_name(c)) for c in self.contracts]
        if len(set(names)) != len(names) or fold(GUIDE) in names:
            raise ValueError(f"{self.name}: two sheets would have one name")

    @property
    def mark(self) -> str:
        return f"{self.name}/{self.version}"


def sheet_name(contract: Contract) -> str:
    """The contract's Japanese name within Excel's rules: 31 characters, none of []:*?/\\."""
    return "".join("_" if c in "[]:*?/\\'" else c for c in contract.ja)[:LONGEST_SHEET_NAME]


def write_template(
    template: WorkbookTemplate, path: Path, rows: Mapping[str, Rows] | None = None
) -> None:
    """Write the template, with data rows by the contract's name where some are given.

    Raises KeyError for rows of contracts or columns that the template lacks, ValueError for a
    text longer than a cell can be and for a Decimal that a number cell would round.
    """
    given = dict(rows or {})
    unknown = given.keys() - {c.name for c in template.contracts}
    if unknown:
        raise KeyError(f"{template.name} has no contract {sorted(unknown)}")
    book = xlsxwriter.Workbook(str(path), {"in_memory": True, "strings_to_urls": False})
    try:
        properties = {"title": template.ja, "author": "GENIAC事務局", "created": CREATED}
        book.set_properties(properties)
        book.set_custom_property(MARK_PROPERTY, template.mark)
        styles = _styles(book)
        lists = _write_guide(book.add_worksheet(GUIDE), template, styles)
        for contract in template.contracts:
            sheet = book.add_worksheet(sheet_name(contract))
            _write_head(sheet, contract, styles, lists)
            for number, row in enumerate(given.get(contract.name, ()), start=1):
                _write_row(sheet, number, contract, row, styles)
    finally:
        book.close()


def _styles(book: Any) -> dict[str, Any]:
    head = {"bold": True, "border": 1, "text_wrap": True, "valign": "vcenter"}
    return {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "plain": book.add_format({}),
        "mark": book.add_format({"font_color": _GREY, "font_size": 8}),
        "required": book.add_format({**head, "bg_color": _DARK}),
        "optional": book.add_format({**head, "bg_color": _LIGHT}),
        "cell": book.add_format({"border": 1, "text_wrap": True, "valign": "top"}),
        "date": book.add_format({"num_format": "yyyy/mm/dd"}),
        "month": book.add_format({"num_format": 'yyyy"年"m"月"'}),
        "text": book.add_format({"num_format": "@"}),
        "integer": book.add_format({"num_format": "#,##0"}),
    }


_STYLE_OF: Final = {
    Type.DATE: "date", Type.MONTH: "month", Type.INSTANT: "text", Type.TEXT: "text",
    Type.INTEGER: "integer", Type.DECIMAL: "plain", Type.FLOAT: "plain", Type.BOOLEAN: "plain",
}  # fmt: skip


def _write_guide(
    sheet: Any, template: WorkbookTemplate, styles: Mapping[str, Any]
) -> dict[tuple[str, str], str]:
    """Write the guide; gives the cell ranges of lists too long for a check, by contract, column."""
    sheet.write_string(0, 0, template.ja, styles["title"])
    sheet.write_string(1, 0, template.meaning)
    for number, line in enumerate(_HOW_TO, start=2):
        sheet.write_string(number, 0, line)
    mark_row = 2 + len(_HOW_TO)
    sheet.write_string(mark_row, 0, f"{MARK_PREFIX}{template.mark}", styles["mark"])
    row = mark_row + 2
    for position, (head, width) in enumerate(_GUIDE_HEADS):
        sheet.write_string(row, position, head, styles["optional"])
        sheet.set_column(position, position, width)
    lists: dict[tuple[str, str], str] = {}
    for contract in template.contracts:
        for column in contract.columns:
            row += 1
            texts = _guide_row(contract, column)
            for position, text in enumerate(texts):
                sheet.write_string(row, position, text, styles["cell"])
            sheet.set_row(row, row_height(texts, [width for _, width in _GUIDE_HEADS]))
            if len(",".join(column.choices)) > LONGEST_LIST:
                position = CHOICES_FROM + len(lists)
                for number, choice in enumerate((column.ja, *column.choices)):
                    sheet.write_string(number, position, choice)
                letter = xlsxwriter.utility.xl_col_to_name(position)
                last = len(column.choices) + 1
                lists[contract.name, column.name] = f"='{GUIDE}'!${letter}$2:${letter}${last}"
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.print_area(0, 0, row, len(_GUIDE_HEADS) - 1)
    return lists


def row_height(texts: Sequence[str], widths: Sequence[int]) -> int:
    """The height in points at which no text is cut in a column of that many characters.

    Not every program makes wrapped rows high enough by itself. A full-width character takes the
    room of two.
    """
    lines = 1
    for text, width in zip(texts, widths, strict=True):
        wide = [
            sum(1 + (unicodedata.east_asian_width(c) in "FWA") for c in part)
            for part in text.split("\n")
        ]
        lines = max(lines, sum(max(1, -(-w // (width - 1))) for w in wide))
    return min(HIGHEST_ROW, LINE_POINTS * lines)


def _guide_row(contract: Contract, column: Column) -> tuple[str, ...]:
    return (
        sheet_name(contract),
        column.ja,
        "必須" if column.required else "任意",
        f"{column.meaning}（{_TYPES_JA[column.type]}）",
        column.unit or "",
        "、".join(column.choices),
        "" if column.example is None else str(column.example),
    )


def _write_head(
    sheet: Any, contract: Contract, styles: Mapping[str, Any], lists: Mapping[tuple[str, str], str]
) -> None:
    for position, column in enumerate(contract.columns):
        style = styles["required" if column.required else "optional"]
        sheet.write_string(0, position, column.ja, style)
        # a full-width character takes the room of two digits
        width = max(14, 2 * len(column.ja) + 4, min(40, 2 * len(str(column.example or ""))))
        sheet.set_column(position, position, width, styles[_STYLE_OF[column.type]])
        sheet.write_comment(0, position, _note(column), {"x_scale": 1.8, "y_scale": 1.4})
        source = lists.get((contract.name, column.name)) or list(column.choices)
        if rule := _check(column, source):
            sheet.data_validation(1, position, PREPARED_ROWS, position, rule)
    sheet.set_row(0, 32)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _note(column: Column) -> str:
    lines = [f"{'【必須】' if column.required else '【任意】'}{column.meaning}"]
    if column.unit:
        lines.append(f"単位：{column.unit}")
    if column.example is not None:
        lines.append(f"例：{column.example}")
    return "\n".join(lines)


def _check(column: Column, choices: str | list[str]) -> dict[str, Any] | None:
    """What Excel checks while somebody types.

    Choices must be kept to; for the rest a warning can be overridden, since the reader takes more
    ways of writing (令和8年9月, 1億2,300万円) than a spreadsheet knows.
    """
    title = {"error_title": "入力の確認", "ignore_blank": True}
    if choices:
        return {
            **title, "validate": "list", "source": choices,
            "error_message": f"「{column.ja}」は選択肢から選んでください。"[:255],
        }  # fmt: skip
    if column.type is Type.BOOLEAN:
        return {
            **title, "validate": "list", "source": ["はい", "いいえ"],
            "error_message": "「はい」か「いいえ」を選んでください。",
        }  # fmt: skip
    warning = {**title, "error_type": "warning"}
    if column.type in (Type.DATE, Type.MONTH):
        kind, example = ("年月", "2026年9月") if column.type is Type.MONTH else ("日付", "2026/9/1")
        return {
            **warning, "validate": "date", "criteria": ">=", "value": _FIRST_DAY,
            "error_message": f"「{column.ja}」は{kind}で記入してください（例：{example}）。",
        }  # fmt: skip
    if column.type in (Type.INTEGER, Type.DECIMAL, Type.FLOAT):
        whole = column.type is Type.INTEGER
        least = column.minimum if column.minimum is not None else -(10**12)
        bound = f"{column.minimum}以上の" if column.minimum is not None else ""
        return {
            **warning, "validate": "integer" if whole else "decimal", "criteria": ">=",
            "value": least,
            "error_message": (
                f"「{column.ja}」は{bound}{'整数' if whole else '数値'}で記入してください。"
            ),
        }  # fmt: skip
    return None


def _write_row(
    sheet: Any, number: int, contract: Contract, row: Mapping[str, Any], styles: Mapping[str, Any]
) -> None:
    unknown = row.keys() - {column.name for column in contract.columns}
    if unknown:
        raise KeyError(f"{contract.name} has no column {sorted(unknown)}")
    for position, column in enumerate(contract.columns):
        value = row.get(column.name)
        if value is not None:
            _write_cell(sheet, number, position, value, styles[_STYLE_OF[column.type]])


def _write_cell(sheet: Any, number: int, position: int, value: Any, style: Any) -> None:
    if isinstance(value, Month):
        value = value.first
    if isinstance(value, bool):
        sheet.write_string(number, position, "はい" if value else "いいえ")
    elif isinstance(value, datetime):
        # a spreadsheet's own moments have no zone
        sheet.write_string(number, position, _moment(value), style)
    elif isinstance(value, date):
        sheet.write_datetime(number, position, value, style)
    elif isinstance(value, str):
        if len(value) > LONGEST_CELL:
            raise ValueError(f"a cell holds {LONGEST_CELL:,} characters, not {len(value):,}")
        sheet.write_string(number, position, value, style)
    elif isinstance(value, int | float | Decimal):
        _write_number(sheet, number, position, value, style)
    else:
        raise TypeError(f"{value!r} can't be a cell")


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"a moment without zone: {value}")
    return value.isoformat(sep=" ")


def _write_number(
    sheet: Any, number: int, position: int, value: int | float | Decimal, style: Any
) -> None:
    """A number cell where it holds the value exactly, else the digits as text."""
    if isinstance(value, float) or number_of(float(value)) == value:
        sheet.write_number(number, position, float(value), style)
    else:
        text = f"{value:f}" if isinstance(value, Decimal) else str(value)
        sheet.write_string(number, position, text, style)
