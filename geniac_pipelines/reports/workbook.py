"""The tables of a report as Excel workbooks and CSV files.

Two forms, because one cannot serve both: for reading (as in the report, printable) and for
machines (long form, one header row, exact values). The second follows
行政データにおける機械可読性に関するルール; `machine_readable` checks it.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import xlsxwriter

from geniac_pipelines.figures.model import (
    NO_VALUE,
    FigureColumn,
    FigureTable,
    Scalar,
    format_number,
)
from geniac_pipelines.reports.document import Block, Document, Table
from geniac_pipelines.reports.machine_readable import machine_dependent
from geniac_pipelines.reports.printable import DRAFT, display_width, written
from geniac_pipelines.reports.theme import BLUES, QUIET, TONES

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

NARROWEST, WIDEST = 8, 48
FACE = "Yu Gothic"
"""Excel looks faces up on the reader's machine; this one comes with every Japanese Windows."""

_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def browse_workbook(document: Document) -> bytes:
    """For reading: 表紙 with a list of tables, then one sheet per table, ready to print."""
    memory = BytesIO()
    book = _open(memory, document)
    styles = _Styles(book)
    tables = document.tables()
    names = sheet_names([t.title for t in tables], taken=("表紙",))
    _cover(book, document, styles, list(zip(names, tables, strict=True)))
    printed = _printed(document)
    for name, table in zip(names, tables, strict=True):
        _sheet(book.add_worksheet(name), table, printed.get(table.id), document, styles)
    book.close()
    return memory.getvalue()


def machine_workbook(document: Document) -> bytes:
    """For machines: each sheet is one table in long form, its header in row 1, nothing else."""
    memory = BytesIO()
    book = _open(memory, document)
    tables = document.tables()
    for name, table in zip(sheet_names([t.id for t in tables]), tables, strict=True):
        sheet = book.add_worksheet(name)
        for r, row in enumerate([MACHINE_COLUMNS, *long_rows(table)]):
            for c, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(r, c, value)
                elif value is not None:
                    sheet.write_number(r, c, float(value))
    if not tables:
        book.add_worksheet("no_tables").write_row(0, 0, MACHINE_COLUMNS)
    book.close()
    return memory.getvalue()


def machine_csvs(document: Document) -> dict[str, bytes]:
    """File name -> the long form of one table: UTF-8 without BOM, CRLF, quoted as RFC 4180 says.

    No byte order mark: programs would read it as part of the first column's name, and for eyes
    there is the workbook. Numbers are exact, in plain decimal notation.
    """
    files = {}
    for table in document.tables():
        page = StringIO(newline="")
        writer = csv.writer(page, lineterminator="\r\n")
        writer.writerow(MACHINE_COLUMNS)
        for row in long_rows(table):
            writer.writerow([f"{v:f}" if isinstance(v, Decimal) else v for v in row])
        files[f"{re.sub(r'[^A-Za-z0-9._-]', '_', table.id)}.csv"] = page.getvalue().encode()
    return files


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

    Signs such as ① or ㈱ become their compatibility form (1, (株)); all else stays as it was.
    """
    known = "".join(unicodedata.normalize("NFKC", c) if machine_dependent(c) else c for c in value)
    return re.sub(r"\s+", " ", known).strip()


def sheet_names(titles: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """Names that Excel takes: at most 31 characters, no []:*?/\\ and no two alike."""
    used = {t.lower() for t in taken} | {"history"}
    names = []
    for title in titles:
        stem = re.sub(r"[\[\]:*?/\\]", "_", title).strip("' ") or "表"
        name, again = stem[:31], 2
        while name.lower() in used:
            name, again = f"{stem[: 28 - len(str(again))]}_{again}", again + 1
        used.add(name.lower())
        names.append(name)
    return names


def _cell_text(value: Scalar, column: FigureColumn) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        if column.kind == "month":
            return f"{value:%Y-%m}"
        return value.isoformat()
    return plain_text(str(value))


def _open(memory: BytesIO, document: Document) -> Any:
    book = xlsxwriter.Workbook(memory, _OPTIONS)
    day = document.as_of
    book.set_properties(
        {
            "title": f"{document.title} {document.period_ja}",
            "subject": document.subtitle,
            "author": document.author,
            "comments": f"データの版：{document.generation}",
            "created": datetime(day.year, day.month, day.day),  # noqa: DTZ001 - the file has none
        }
    )
    return book


class _Styles:
    """The formats of one workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def __call__(self, **properties: Any) -> Any:
        wanted = {"font_name": FACE, "font_size": 10, "valign": "top", **properties}
        key = tuple(sorted(wanted.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(wanted)
        return self._made[key]

    def head(self, **properties: Any) -> Any:
        return self(bg_color=BLUES[4], text_wrap=True, **properties)


def _cover(
    book: Any, document: Document, styles: _Styles, tables: Sequence[tuple[str, FigureTable]]
) -> None:
    sheet = book.add_worksheet("表紙")
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 70)
    mark = f"【{DRAFT}】" if document.draft else ""
    sheet.write_string(
        0, 0, f"{document.title}{mark}", styles(bold=True, font_size=16, font_color=BLUES[0])
    )
    facts = [
        ("内容", document.subtitle),
        ("宛先", document.audience_ja),
        ("対象期間", document.period_ja),
        ("集計の基準日", written(document.as_of, "date")),
        ("データの版", document.generation),
        ("作成", document.author),
    ]
    if document.draft:
        facts.append(("状態", f"{DRAFT}（発行前のため、数値が変わることがあります）"))
    for r, (name, value) in enumerate(facts, start=2):
        sheet.write_string(r, 0, name, styles(bold=True))
        sheet.write_string(r, 1, value, styles(text_wrap=True))
    first = len(facts) + 3
    sheet.write_string(first, 0, "要件番号", styles.head(bold=True))
    sheet.write_string(first, 1, "表", styles.head(bold=True))
    for r, (name, table) in enumerate(tables, start=first + 1):
        sheet.write_string(r, 0, table.clause, styles())
        quoted = name.replace("'", "''")
        sheet.write_url(
            r, 1, f"internal:'{quoted}'!A1", styles(font_color=BLUES[0], underline=1), table.title
        )
    sheet.hide_gridlines(2)
    _page(sheet, document)


def _sheet(
    sheet: Any, table: FigureTable, printed: Table | None, document: Document, styles: _Styles
) -> None:
    sheet.write_string(0, 0, table.title, styles(bold=True, font_size=13))
    for c, column in enumerate(table.columns):
        side = "right" if column.kind == "number" else "left"
        sheet.write_string(1, c, column.ja, styles.head(bold=True, align=side))
        sheet.write_string(
            2,
            c,
            f"（{column.unit}）" if column.unit else "",
            styles.head(align=side, font_color=QUIET, bottom=1, bottom_color=BLUES[0]),
        )
        sheet.set_column(c, c, _width(table, column))
    for r, row in enumerate(table.rows, start=3):
        for c, column in enumerate(table.columns):
            ink = _ink(printed, column, row)
            _write(sheet, (r, c), row[column.name], column, ink=ink, styles=styles)
    below = 3 + len(table.rows)
    if not table.rows:
        empty = printed.empty if printed else "該当する行はありません。"
        sheet.write_string(below, 0, empty, styles(font_color=QUIET))
    elif len(table.rows) > 1:
        sheet.autofilter(2, 0, below - 1, len(table.columns) - 1)
    if table.note:
        sheet.write_string(below + 1, 0, f"注：{table.note}", styles(font_color=QUIET))
    sheet.freeze_panes(3, 1 if table.columns[0].kind == "text" else 0)
    sheet.repeat_rows(1, 2)
    sheet.set_landscape()
    _page(sheet, document)


def _write(
    sheet: Any,
    at: tuple[int, int],
    value: Scalar,
    column: FigureColumn,
    *,
    ink: dict[str, Any],
    styles: _Styles,
) -> None:
    if column.kind == "number":
        points = f".{'0' * column.decimals}" if column.decimals else ""
        number = styles(num_format=f"#,##0{points}", align="right")
        if value is None:
            sheet.write_string(*at, NO_VALUE, styles(align="right"))
        else:
            # As the report prints it: half to even, which Excel's own display would not do
            shown = format_number(Decimal(str(value)), column.decimals).replace(",", "")
            sheet.write_number(*at, float(shown), number)
    elif isinstance(value, date) and not isinstance(value, datetime):
        form = 'yyyy"年"m"月"' if column.kind == "month" else 'yyyy"年"m"月"d"日"'
        sheet.write_datetime(*at, value, styles(num_format=form, align="left"))
    else:
        sheet.write_string(*at, written(value, column.kind), styles(text_wrap=True, **ink))


def _ink(printed: Table | None, column: FigureColumn, row: Mapping[str, Scalar]) -> dict[str, Any]:
    """Colour of a cell that carries a tone; its words say the same without it."""
    if printed is None or column.name != printed.tone_column:
        return {}
    name = printed.tones.get(str(row[column.name]))
    if name is None:
        return {}
    return {"font_color": TONES[name].ink, "bg_color": TONES[name].paper, "bold": True}


def _printed(document: Document) -> dict[str, Table]:
    """Table id -> the first block that prints it as a table."""
    every: list[Block] = [b for c in document.chapters for b in c.blocks]
    found: dict[str, Table] = {}
    for block in (*every, *document.summary):
        if isinstance(block, Table):
            found.setdefault(block.table.id, block)
    return found


def _width(table: FigureTable, column: FigureColumn) -> int:
    """Characters; a full-width one counts as two. Room for the filter's arrow is left."""
    if column.kind == "number":
        texts = [table.cell(r, column).text for r in table.rows]
    else:
        texts = [written(r[column.name], column.kind) for r in table.rows]
    texts += [column.ja, f"（{column.unit}）" if column.unit else ""]
    return min(max(NARROWEST, *(display_width(t) + 3 for t in texts)), WIDEST)


def _page(sheet: Any, document: Document) -> None:
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    mark = f" 【{DRAFT}】" if document.draft else ""
    sheet.set_header(f"&L{_escaped(document.title)}&R{_escaped(document.audience_ja)} 向け{mark}")
    sheet.set_footer(f"&Lデータの版：{_escaped(document.generation)}&R&P / &N")


def _escaped(text: str) -> str:
    return text.replace("&", "&&")
