"""Files for the tests of handed-in tables, made outside of the code under test."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from geniac_pipelines.contracts import Contract
from geniac_pipelines.intake.reading import Context, Format, Refusal, Row, Source
from geniac_pipelines.intake.sheets import Sheet
from geniac_pipelines.intake.tables import find_header, read_table

CREATED = datetime(2026, 9, 1)  # noqa: DTZ001 - workbooks know no zone
RECEIVED = datetime(2026, 10, 2, 1, 0, tzinfo=UTC)
CONTEXT = Context(RECEIVED, lambda kind, value: f"{kind}:{len(value)}", sender="aoi-ai")


def xlsx(
    sheets: Mapping[str, Sequence[Sequence[Any]]], *, merged: Sequence[tuple[int, ...]] = ()
) -> bytes:
    """A plain workbook as anybody would make it; merged ranges apply to every sheet."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": CREATED})
    day = book.add_format({"num_format": "yyyy/mm/dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for top, left, bottom, right in merged:
            sheet.merge_range(top, left, bottom, right, "")
        for row, cells in enumerate(rows):
            for column, value in enumerate(cells):
                if isinstance(value, date):
                    sheet.write_datetime(row, column, value, day)
                elif isinstance(value, str):
                    sheet.write_string(row, column, value)
                elif value is not None:
                    sheet.write(row, column, value)
    book.close()
    return buffer.getvalue()


def rezipped(content: bytes, changes: Mapping[str, bytes]) -> bytes:
    """The workbook with members replaced or added."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in [*old.namelist(), *(n for n in changes if n not in old.namelist())]:
            new.writestr(name, changes[name] if name in changes else old.read(name))
    return buffer.getvalue()


def with_sheet_xml(rows: str) -> bytes:
    """A workbook of one sheet whose rows are this XML."""
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{rows}</sheetData></worksheet>"
    )
    return rezipped(xlsx({"a": [[1]]}), {"xl/worksheets/sheet1.xml": xml.encode()})


def ods(table_rows: str) -> bytes:
    """An OpenDocument spreadsheet of one sheet."""
    name = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{name}:office:1.0" xmlns:table="{name}:table:1.0"'
        f' xmlns:text="{name}:text:1.0"><office:body><office:spreadsheet><table:table'
        f' table:name="表">{table_rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{name}:manifest:1.0"/>')
        archive.writestr("content.xml", content)
    return buffer.getvalue()


def source(folder: Path, content: bytes, name: str = "sent.xlsx") -> Source:
    file = folder / "object"  # objects of the archive have no telling names
    file.write_bytes(content)
    return Source(name, file)


def read_sheet(
    rows: Sequence[Sequence[Any]], contract: Contract, **of_sheet: Any
) -> tuple[list[Row], list[Refusal]]:
    """Rows and refusals of a table; the header must be found."""
    sheet = Sheet("表", tuple(tuple(row) for row in rows), **of_sheet)
    header = find_header(sheet, contract)
    assert header is not None
    items = list(read_table(sheet, contract, header, CONTEXT))
    return split(items)


def read_file(known: Format, given: Source) -> tuple[list[Row], list[Refusal]]:
    return split(list(known.read(given, CONTEXT)))


def split(items: Sequence[Any]) -> tuple[list[Row], list[Refusal]]:
    rows = [i for i in items if isinstance(i, Row)]
    return rows, [i for i in items if isinstance(i, Refusal)]


def told(refusals: Sequence[Refusal]) -> list[tuple[str, str, int | None, str | None]]:
    """Code, cost, row and column of each refusal."""
    return [(r.complaint.code, r.complaint.costs, r.place.row, r.place.column) for r in refusals]
