"""The tables of a report for machines: one workbook and one CSV file a table, in long form.

They follow 行政データにおける機械可読性に関するルール; `machine_readable` checks it. Not here: the
workbook for reading (`workbook`).

How the rules are met that leave a choice: units stand in a column beside each value (L3-04,
L2-01), since a long form (L3-09) mixes units; 値 holds numbers only and 文字値 everything else,
days as ISO 8601 (L3-05); an unknown value is an empty cell with 欠測 = 1, never 0 (L1-09).
Definitions (L3-08) and codes (L3-02) are two more sheets of the workbook, each one table from row
1, so that they can't be parted from the data; every CSV row repeats its table's title, item and
unit, so that a CSV file can be read alone.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

from geniac_pipelines.figures.model import FigureColumn, FigureTable, Scalar
from geniac_pipelines.reports.document import Document
from geniac_pipelines.reports.machine_readable import machine_dependent
from geniac_pipelines.reports.workbook import open_book, sheet_names, write_text

MACHINE_COLUMNS = (
    "表ID",
    "表題",
    "行キー",
    "行の名称",
    "項目ID",
    "項目",
    "値",
    "単位",
    "文字値",
    "欠測",
)
"""The long form: one row for each cell. 欠測 is 1 where nothing is known, and then 値 is empty."""

DEFINITIONS, CODES = "項目定義", "コード表"
"""Sheets of the machine workbook that say what items and codes mean."""

DEFINITION_COLUMNS = (
    "表ID",
    "表題",
    "項目ID",
    "項目",
    "種類",
    "単位",
    "表示小数桁",
    "要件番号",
    "参照先",
    "注記",
    "データの版",
    "基準日",
)
CODE_COLUMNS = ("項目", "コード", "意味")
_CODES = (
    ("欠測", 0, "値がある"),
    ("欠測", 1, "値がない（ゼロではない）"),
    ("種類", "number", "数値。「値」に入る"),
    ("種類", "text", "文字。「文字値」に入る"),
    ("種類", "date", "日付。「文字値」に西暦の年-月-日で入る"),
    ("種類", "month", "月。「文字値」に西暦の年-月で入る"),
)


def machine_workbook(document: Document) -> bytes:
    """For machines: each sheet is one table in long form, its header in row 1, nothing else."""
    memory = BytesIO()
    book = open_book(memory, document)
    tables = document.tables()
    beside = (DEFINITIONS, CODES)
    for name, table in zip(sheet_names([t.id for t in tables], beside), tables, strict=True):
        _grid(book.add_worksheet(name), [MACHINE_COLUMNS, *long_rows(table)])
    _grid(book.add_worksheet(DEFINITIONS), [DEFINITION_COLUMNS, *definition_rows(document)])
    _grid(book.add_worksheet(CODES), [CODE_COLUMNS, *_CODES])
    book.close()
    return memory.getvalue()


def machine_csvs(document: Document) -> dict[str, bytes]:
    """File name -> the long form of one table: UTF-8 without BOM, CRLF, quoted as RFC 4180 says.

    No byte order mark: programs would read it as part of the first column's name, and for eyes
    there is the workbook. Numbers are exact, in plain decimal notation.
    """
    files: dict[str, bytes] = {}
    for table in document.tables():
        page = StringIO(newline="")
        writer = csv.writer(page, lineterminator="\r\n")
        writer.writerow(MACHINE_COLUMNS)
        for row in long_rows(table):
            writer.writerow([f"{v:f}" if isinstance(v, Decimal) else v for v in row])
        stem = re.sub(r"[^A-Za-z0-9._-]", "_", table.id)
        name, again = f"{stem}.csv", 2
        while name.lower() in {f.lower() for f in files}:
            name, again = f"{stem}_{again}.csv", again + 1
        files[name] = page.getvalue().encode()
    return files


def definition_rows(document: Document) -> Iterator[Sequence[str | int | None]]:
    """One row for each item of each table, in order of appearance."""
    for table in document.tables():
        for column in table.columns:
            yield (
                plain_text(table.id),
                plain_text(table.title),
                column.name,
                plain_text(column.ja),
                column.kind,
                plain_text(column.unit or ""),
                column.decimals if column.kind == "number" else None,
                table.clause,
                plain_text(table.origin.relation),
                plain_text(table.note),
                plain_text(document.generation),
                document.as_of.isoformat(),
            )


def long_rows(table: FigureTable) -> Iterator[tuple[str | int | Decimal | None, ...]]:
    """Each cell of the table as one row of MACHINE_COLUMNS, in the order of the table."""
    words = next((c for c in table.columns if c.kind == "text"), None)
    for row in table.rows:
        named = "" if words is None else _cell_text(row[words.name], words)
        for column in table.columns:
            number = table.cell(row, column).value if column.kind == "number" else None
            raw = row[column.name]
            yield (
                plain_text(table.id),
                plain_text(table.title),
                plain_text(table.row_key(row)),
                named,
                column.name,
                plain_text(column.ja),
                number,
                plain_text(column.unit or ""),
                "" if column.kind == "number" else _cell_text(raw, column),
                1 if raw is None else 0,
            )


def plain_text(value: str) -> str:
    """Text that every program reads alike: one line, single spaces, no machine-dependent signs.

    Signs such as ① or ㈱ become their compatibility form (1, (株)); one that has none, such as a
    character for private use, becomes 〓, the printers' mark for a missing character; all else
    stays as it was.
    """
    return re.sub(r"\s+", " ", "".join(map(_known, value))).strip()


def _known(character: str) -> str:
    if not machine_dependent(character):
        return character
    form = unicodedata.normalize("NFKC", character)
    return form if form != character else "〓"


def _grid(sheet: Any, rows: Iterable[Sequence[str | int | Decimal | None]]) -> None:
    sheet.set_column(0, len(MACHINE_COLUMNS), 18)
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if isinstance(value, str):
                write_text(sheet, (r, c), value)
            elif value is not None:
                sheet.write_number(r, c, float(value))


def _cell_text(value: Scalar, column: FigureColumn) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        if column.kind == "month":
            return f"{value:%Y-%m}"
        return value.isoformat()
    return plain_text(str(value))
