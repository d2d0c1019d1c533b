"""The tables of a report as an Excel workbook for reading: as in the report, ready to print.

Here: that workbook, and what every workbook of a report shares (file metadata, names of sheets,
long texts). Not here: the tables for machines (`machine_tables`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from math import ceil
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
from geniac_pipelines.reports.printable import display_width, mark, status, written
from geniac_pipelines.reports.theme import BLUES, QUIET, TONES

LONGEST_CELL = 32_767
"""Characters that a cell of Excel holds (Microsoft, "Excel specifications and limits")."""
_CUT = "…（Excelの上限のため、ここまで）"

NARROWEST, WIDEST = 8, 48
_LONG_WORD = re.compile(r"[!-~]{24,}")

LINE, TALLEST = 16, 409
"""Points of one line, and of the tallest row that Excel takes."""
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
    book = open_book(memory, document)
    styles = _Styles(book)
    tables = document.tables()
    names = sheet_names([t.title for t in tables], taken=("表紙",))
    _cover(book, document, styles, list(zip(names, tables, strict=True)))
    printed = _printed(document)
    for name, table in zip(names, tables, strict=True):
        _sheet(book.add_worksheet(name), table, printed.get(table.id), document, styles)
    book.close()
    return memory.getvalue()


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


def write_text(sheet: Any, at: tuple[int, int], text: str, style: Any = None) -> None:
    """Write a text; one too long for a cell is cut and says so, where xlsxwriter would drop it."""
    if len(text) > LONGEST_CELL:
        text = text[: LONGEST_CELL - len(_CUT)] + _CUT
    sheet.write_string(*at, text, style)


def open_book(memory: BytesIO, document: Document) -> Any:
    """A new xlsxwriter workbook with the document's metadata; `as_of` is its only date."""
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
    standing = f"【{mark(document)}】" if mark(document) else ""
    sheet.write_string(
        0, 0, f"{document.title}{standing}", styles(bold=True, font_size=16, font_color=BLUES[0])
    )
    facts = [
        ("内容", document.subtitle),
        ("宛先", document.audience_ja),
        ("対象期間", document.period_ja),
        ("集計の基準日", written(document.as_of, "date")),
        ("データの版", document.generation),
        ("作成", document.author),
    ]
    if status(document):
        facts.append(("状態", status(document)))
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
    sheet.set_row(0, 24)
    sheet.write_string(0, 0, table.title, styles(bold=True, font_size=13))
    widths = [_width(table, column) for column in table.columns]
    for c, column in enumerate(table.columns):
        side = "right" if column.kind == "number" else "left"
        head = styles.head(bold=True, align=side, indent=_indent(column))
        sheet.write_string(1, c, column.ja, head)
        sheet.write_string(
            2,
            c,
            f"（{column.unit}）" if column.unit else "",
            styles.head(align=side, font_color=QUIET, bottom=1, bottom_color=BLUES[0]),
        )
        sheet.set_column(c, c, widths[c])
    for r, row in enumerate(table.rows, start=3):
        if (lines := _lines(table, row, widths)) > 1:
            sheet.set_row(r, min(LINE * lines, TALLEST))
        for c, column in enumerate(table.columns):
            ink = _ink(printed, column, row)
            shown = replace(column, decimals=column.digits(row))
            _write(sheet, (r, c), row[column.name], shown, ink=ink, styles=styles)
    below = 3 + len(table.rows)
    if not table.rows:
        empty = printed.empty if printed else "該当する行はありません。"
        sheet.write_string(below, 0, empty, styles(font_color=QUIET))
    elif len(table.rows) > 1:
        sheet.autofilter(2, 0, below - 1, len(table.columns) - 1)
    for n, sentence in enumerate(_sentences(f"注：{table.note}" if table.note else ""), start=1):
        sheet.write_string(below + n, 0, sentence, styles(font_color=QUIET))
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
        sheet.write_datetime(*at, value, styles(num_format=form, align="left", indent=1))
    else:
        write_text(
            sheet,
            at,
            written(value, column.kind),
            styles(text_wrap=True, indent=_indent(column), **ink),
        )


def _indent(column: FigureColumn) -> int:
    """Days stand a little apart from the numbers to their left."""
    return 1 if column.kind in ("date", "month") else 0


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


def _sentences(note: str) -> list[str]:
    """One to a row: a long line beyond the columns would shrink the printed page to its width."""
    return [f"{part}。" for part in note.removesuffix("。").split("。")] if note else []


def _lines(table: FigureTable, row: Mapping[str, Scalar], widths: Sequence[int]) -> int:
    """Lines of the row's longest cell. Said in the file, since not every program finds it out."""
    lines = [1]
    for column, width in zip(table.columns, widths, strict=True):
        if column.kind == "text":
            said = written(row[column.name]).split("\n")
            needed = [max(1, ceil(display_width(t) / (width - 2))) for t in said]
            # A word that no line holds begins on a line of its own
            lines.append(sum(needed) + sum(_LONG_WORD.search(t) is not None for t in said))
    return max(lines)


def _page(sheet: Any, document: Document) -> None:
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    standing = f" 【{mark(document)}】" if mark(document) else ""
    sheet.set_header(
        f"&L{_escaped(document.title)}&R{_escaped(document.audience_ja)} 向け{standing}"
    )
    sheet.set_footer(f"&Lデータの版：{_escaped(document.generation)}&R&P / &N")


def _escaped(text: str) -> str:
    return text.replace("&", "&&")
