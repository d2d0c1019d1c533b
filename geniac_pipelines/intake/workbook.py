"""Workbooks to hand in: written from contracts as templates, and read back.

A template has a sheet 記入要領 that explains every column, and one sheet a contract with nothing
but its header, so that no example can ever be taken for data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from geniac_pipelines.intake.contracts import Column, Contract, Type
from geniac_pipelines.intake.reading import Complaint, Context, Format, Item, Place, Source
from geniac_pipelines.intake.sheets import Sheet, SheetsRefused, is_workbook, sheets
from geniac_pipelines.intake.tables import Header, find_header, read_table
from geniac_pipelines.japanese import fold

GUIDE: Final = "記入要領"
PREPARED_ROWS: Final = 500
"""Rows of a template that carry drop-down lists and input checks."""

CREATED: Final = datetime(2026, 4, 1, tzinfo=UTC).replace(tzinfo=None)

SHEET_IGNORED: Final = Complaint(
    "workbook.sheet_ignored",
    "nothing",
    ja="シート「{name}」は様式にないため読み取りませんでした",
    ja_remedy="必要な内容であれば事務局にご連絡ください",
    en="sheet {name!r} is not part of the template and was not read",
    en_remedy="tell the secretariat if it matters",
)


@dataclass(frozen=True)
class WorkbookTemplate:
    """A workbook that people hand in. `name` is what `geniac template` calls it."""

    name: str
    ja: str
    meaning: str
    area: str
    contracts: tuple[Contract, ...]
    personal: bool = False


def format_of(template: WorkbookTemplate) -> Format:
    """The format that reads a template back, as a workbook or as CSV of one of its sheets."""

    def recognise(source: Source) -> bool:
        return bool(_matches(source, template))

    def read(source: Source, _context: Context) -> Iterator[Item]:
        try:
            found = sheets(source)
        except SheetsRefused as refused:
            yield refused.refusal
            return
        for sheet in found:
            match = _match(sheet, template)
            if match:
                yield from read_table(sheet, *match)
            elif sheet.name != GUIDE and any(any(row) for row in sheet.rows):
                yield SHEET_IGNORED.at(Place(sheet.name), name=sheet.name)

    return Format(
        name=f"workbook-{template.name}",
        area=template.area,
        ja=template.ja,
        contracts=template.contracts,
        recognise=recognise,
        read=read,
        personal=template.personal,
    )


def _matches(source: Source, template: WorkbookTemplate) -> bool:
    if not is_workbook(source) and (b"\0" in source.head or not _may_be_table(source.head)):
        return False
    try:
        found = sheets(source)
    except SheetsRefused:
        return False
    return any(_match(sheet, template) for sheet in found)


def _may_be_table(head: bytes) -> bool:
    """Cheap look: a table has delimiters; JSON and XML begin otherwise."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return start not in (b"{", b"[", b"<") and any(d in head for d in (b",", b"\t", b";"))


def _match(sheet: Sheet, template: WorkbookTemplate) -> tuple[Contract, Header] | None:
    """The contract that a sheet holds: all required headings stand there, or it has its name.

    A sheet that keeps the template's name but has lost a heading is ours to refuse with words.
    """
    if sheet.name == GUIDE:
        return None
    for contract in template.contracts:
        header = find_header(sheet, contract)
        if header and not header.missing(contract):
            return contract, header
    for contract in template.contracts:
        if sheet.name and fold(sheet.name) == fold(sheet_name(contract)):
            header = find_header(sheet, contract) or Header(1, {}, {}, ())
            return contract, header
    return None


def sheet_name(contract: Contract) -> str:
    """Excel allows 31 characters and no []:*?/\\."""
    return contract.ja[:31]


def write_template(template: WorkbookTemplate, path: Path) -> None:
    """Write the empty template; the same template gives the same bytes."""
    book = xlsxwriter.Workbook(str(path), {"in_memory": True})
    try:
        book.set_properties({"title": template.ja, "author": "GENIAC事務局", "created": CREATED})
        styles = {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "head": book.add_format(
                {"bold": True, "bg_color": "#E8F1FE", "border": 1, "text_wrap": True}
            ),
            "required": book.add_format(
                {"bold": True, "bg_color": "#C5D7FB", "border": 1, "text_wrap": True}
            ),
            "cell": book.add_format({"border": 1, "text_wrap": True, "valign": "top"}),
            "date": book.add_format({"num_format": "yyyy/mm/dd"}),
            "month": book.add_format({"num_format": 'yyyy"年"m"月"'}),
        }
        _write_guide(book.add_worksheet(GUIDE), template, styles)
        for contract in template.contracts:
            _write_sheet(book.add_worksheet(sheet_name(contract)), contract, styles)
    finally:
        book.close()


def _write_guide(sheet: Any, template: WorkbookTemplate, styles: dict[str, Any]) -> None:
    sheet.write_string(0, 0, template.ja, styles["title"])
    sheet.write_string(1, 0, template.meaning)
    sheet.write_string(
        2, 0, "見出しの行は変えずに、2行目から記入してください。色の濃い見出しは必須です。"
    )
    row = 4
    heads = ("シート", "項目", "必須", "意味", "単位", "選択肢", "記入例")
    for position, head in enumerate(heads):
        sheet.write_string(row, position, head, styles["head"])
    for contract in template.contracts:
        for column in contract.columns:
            row += 1
            cells = (
                sheet_name(contract),
                column.ja,
                "必須" if column.required else "",
                column.meaning,
                column.unit or "",
                "、".join(column.choices),
                "" if column.example is None else str(column.example),
            )
            for position, cell in enumerate(cells):
                sheet.write_string(row, position, cell, styles["cell"])
    for position, width in enumerate((28, 18, 6, 48, 14, 40, 30)):
        sheet.set_column(position, position, width)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _write_sheet(sheet: Any, contract: Contract, styles: dict[str, Any]) -> None:
    for position, column in enumerate(contract.columns):
        style = styles["required" if column.required else "head"]
        sheet.write_string(0, position, column.ja, style)
        cell_format = {Type.DATE: styles["date"], Type.MONTH: styles["month"]}.get(column.type)
        sheet.set_column(position, position, max(12, 2 * len(column.ja) + 4), cell_format)
        if rule := _validation(column):
            sheet.data_validation(1, position, PREPARED_ROWS, position, rule)
    sheet.freeze_panes(1, 0)


def _validation(column: Column) -> dict[str, Any] | None:
    """The input check that Excel makes while somebody types."""
    about = {
        "input_title": column.ja[:32],
        "input_message": column.meaning[:255],
        "error_title": "入力を確認してください",
        "ignore_blank": True,
    }
    if column.choices and len(",".join(column.choices)) <= 255:
        return {
            **about,
            "validate": "list",
            "source": list(column.choices),
            "error_message": "選択肢から選んでください",
        }
    if column.type in (Type.INTEGER, Type.DECIMAL):
        return {
            **about,
            "validate": "integer" if column.type is Type.INTEGER else "decimal",
            "criteria": ">=",
            "value": column.minimum if column.minimum is not None else -1_000_000_000_000,
            "error_message": "数値を入力してください",
        }
    return None


def formats_of(templates: Sequence[WorkbookTemplate]) -> tuple[Format, ...]:
    return tuple(format_of(t) for t in templates)
