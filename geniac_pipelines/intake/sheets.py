"""Cells of tabular files as they came: Excel and OpenDocument by calamine, CSV and TSV by csv.

Here: opening a file within bounds, and its sheets of cells. What is checked before a workbook is
opened stands in `sheet_bounds`. Not here: headings, columns and what a cell means (`tables`).
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import python_calamine

from geniac_pipelines.intake.reading import Complaint, Place, Refusal, Source
from geniac_pipelines.intake.sheet_bounds import (
    DAMAGED,
    LOCKED,
    MAX_CELLS,
    MAX_COLUMNS,
    TOO_LARGE,
    Precheck,
    SheetsRefused,
    check_workbook,
    is_workbook,
)
from geniac_pipelines.japanese import UndecodableText, decode

__all__ = [
    "Book", "Cell", "Sheet", "SheetsRefused", "Span", "book", "head_rows", "is_workbook", "sheets",
]  # fmt: skip

MAX_TEXT_BYTES: Final = 200 << 20
DELIMITERS: Final = (",", "\t", ";")
SNIFFED_RECORDS: Final = 50
HEAD_ROWS: Final = 50
"""Rows among which a header is looked for, and more."""

NOT_TEXT: Final = Complaint(
    "sheet.not-text",
    "file",
    ja="文字コードを判別できません（{reason}）",
    ja_remedy="UTF-8のCSVか、Excel形式（.xlsx）で保存し直して提出してください",
    en="the encoding of the text can't be told ({reason})",
    en_remedy="save it as UTF-8 CSV or as .xlsx and send it again",
)
QUOTES: Final = Complaint(
    "sheet.quotes",
    "file",
    ja='{row}行目から始まる値の引用符（"）の対応が取れません',
    ja_remedy='値の中の「"」は「""」と二重に書くか、Excel形式（.xlsx）で提出してください',
    en="the quotes of a value that begins in row {row} do not match ({reason})",
    en_remedy='double each " within a value, or send the file as .xlsx',
)

Cell = str | int | float | bool | date | None
"""What a cell holds: None when empty; `datetime` (a `date` too) without zone for a moment."""

Span = tuple[int, int, int, int]
"""Merged cells: first row, first column, last row, last column, each counted from 0."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet: its name (None for CSV) and rows of cells, of which the first is `first_row`.

    Rows of a CSV are counted as spreadsheets show them: a value with line breaks is one row.
    `epoch_1904` tells what a bare number means as a date; None where the file does not say.
    """

    name: str | None
    rows: tuple[tuple[Cell, ...], ...]
    first_row: int = 1
    hidden: bool = False
    merged: tuple[Span, ...] = ()
    epoch_1904: bool | None = None

    @cached_property
    def head_texts(self) -> list[list[str]]:
        """The first rows as a header is looked for in them: each cell as text, "" if empty.

        Merged cells are filled into all that they span, which is right for headings alone: an
        amount that spans two rows must not be counted twice.
        """
        rows = [[_head_text(cell) for cell in row] for row in self.rows[:HEAD_ROWS]]
        for top, left, bottom, right in self.merged:
            if top < len(rows) and left < len(rows[top]):
                text = rows[top][left]
                for row in rows[top : bottom + 1]:
                    row[left : right + 1] = [text] * (min(right + 1, len(row)) - left)
        return rows


def _head_text(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell.strip()
    return "" if cell is None else str(cell)


@dataclass(frozen=True)
class Book:
    """All sheets of a file, and the template that its document property names, if any."""

    sheets: tuple[Sheet, ...]
    mark: str | None = None


def sheets(source: Source) -> list[Sheet]:
    """All sheets of a workbook, hidden ones too, or the one table of a CSV or TSV.

    Raises SheetsRefused where the file can't be opened within the bounds.
    """
    return list(book(source).sheets)


def book(source: Source) -> Book:
    """The sheets with what the file says of itself. Raises SheetsRefused."""
    status = source.path.stat()
    identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    found = _opened(str(source.path), identity, is_workbook(source))
    if isinstance(found, Refusal):
        raise SheetsRefused(found)
    return found


# Every format asks for the same file, one after the other, before one of them reads it.
@lru_cache(maxsize=1)
def _opened(path: str, _identity: tuple[int, ...], workbook: bool) -> Book | Refusal:
    try:
        return _workbook(Path(path)) if workbook else Book((_delimited(Path(path)),))
    except SheetsRefused as refused:
        return refused.refusal


def _workbook(path: Path) -> Book:
    data = path.read_bytes()
    precheck = check_workbook(data)
    try:
        found = tuple(_calamine_sheets(data, precheck))
    except SheetsRefused:
        raise
    except python_calamine.PasswordError:
        raise SheetsRefused(LOCKED.at(Place())) from None
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise SheetsRefused(DAMAGED.at(Place(), reason=error)) from error
    except BaseException as error:
        # A panic of the Rust reader, which is no Exception, is a fault of the file too.
        if type(error).__name__ != "PanicException":
            raise
        raise SheetsRefused(DAMAGED.at(Place(), reason="unreadable workbook")) from error
    return Book(found, precheck.mark)


def _calamine_sheets(data: bytes, precheck: Precheck) -> Iterator[Sheet]:
    workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    budget = MAX_CELLS
    for meta in workbook.sheets_metadata:
        if meta.typ is not python_calamine.SheetTypeEnum.WorkSheet:
            continue
        found = workbook.get_sheet_by_name(meta.name)
        height, width = (n + 1 for n in found.end or (-1, -1))
        budget -= height * width
        if width > MAX_COLUMNS or budget < 0:
            size = f"{height:,} × {width:,}"
            raise SheetsRefused(TOO_LARGE.at(Place(meta.name), reason=size))
        rows = [[_cell(value) for value in row] for row in found.to_python(skip_empty_area=False)]
        for (row, column), error in precheck.errors.get(meta.name, {}).items():
            if row < len(rows) and column < len(rows[row]):
                rows[row][column] = error
        yield Sheet(
            meta.name,
            tuple(tuple(row) for row in rows),
            hidden=meta.visible is not python_calamine.SheetVisibleEnum.Visible,
            merged=tuple((*first, *last) for first, last in found.merged_cell_ranges or ()),
            epoch_1904=precheck.epoch_1904,
        )


def _cell(value: Any) -> Cell:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        midnight = value.time() == datetime.min.time()
        return value.date() if midnight and value.tzinfo is None else value
    if isinstance(value, str):
        return value.replace("_x000D_", "").replace("\r\n", "\n")
    return value if isinstance(value, bool | int | float | date) else str(value)


def _delimited(path: Path) -> Sheet:
    size = path.stat().st_size
    if size > MAX_TEXT_BYTES:
        raise SheetsRefused(TOO_LARGE.at(Place(), reason=f"{size:,} bytes"))
    try:
        text = decode(path.read_bytes()).text
    except UndecodableText as error:
        raise SheetsRefused(NOT_TEXT.at(Place(), reason=error.reason_ja)) from error
    rows: list[tuple[Cell, ...]] = []
    cells = 0
    reader = _records(text, _delimiter(text))
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            number = len(rows) + 1
            raise SheetsRefused(QUOTES.at(Place(row=number), row=number, reason=error)) from error
        if row is None:
            return Sheet(None, tuple(rows))
        cells += len(row)
        if len(row) > MAX_COLUMNS or cells > MAX_CELLS:
            place = Place(row=len(rows) + 1)
            reason = f"{len(row):,} 列" if len(row) > MAX_COLUMNS else f"> {MAX_CELLS:,} セル"
            raise SheetsRefused(TOO_LARGE.at(place, reason=reason))
        rows.append(tuple(value if value.strip() else None for value in row))


def head_rows(head: bytes, whole: bool) -> tuple[tuple[Cell, ...], ...]:
    """The first records of a text file from its first bytes, for recognition; () if it is none.

    `whole` says whether the bytes are all of the file; else the last line is left out.
    """
    data = head if whole else head[: head.rfind(b"\n") + 1]
    try:
        text = decode(data).text
    except UndecodableText:
        return ()
    rows = []
    try:
        for _, row in zip(range(SNIFFED_RECORDS), _records(text, _delimiter(text)), strict=False):
            rows.append(tuple(value if value.strip() else None for value in row[:MAX_COLUMNS]))
    except csv.Error:  # a quoted value that the head cuts in two, or no CSV at all
        pass
    return tuple(rows)


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    # strict: a stray quote would otherwise swallow every row up to the next one
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _delimiter(text: str) -> str:
    """The delimiter under which most records at the start have one and the same width above 1."""

    def regularity(delimiter: str) -> tuple[int, int]:
        widths: Counter[int] = Counter()
        try:
            for _, row in zip(range(SNIFFED_RECORDS), _records(text, delimiter), strict=False):
                widths[len(row)] += 1
        except csv.Error:
            pass
        wide = [(count, width) for width, count in widths.items() if width > 1]
        return max(wide, default=(0, 0))

    return max(DELIMITERS, key=regularity)
