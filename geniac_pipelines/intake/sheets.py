"""Cells of tabular files with their addresses: Excel and OpenDocument by calamine, CSV and TSV.

Here: opening within bounds, and rows of cells as they came. Not here: what the cells mean.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import python_calamine

from geniac_pipelines.intake.reading import Complaint, Place, Refusal, Source
from geniac_pipelines.japanese import UndecodableText, decode

MAX_COLUMNS: Final = 1_000
MAX_CELLS: Final = 20_000_000
MAX_UNPACKED: Final = 512 << 20
MAX_RATIO: Final = 200
RATIO_FLOOR: Final = 20 << 20
"""Workbooks below this unpacked size are harmless whatever their ratio."""

CSV_BYTES: Final = 200 << 20

TOO_LARGE: Final = Complaint(
    "sheet.too_large",
    "file",
    ja="表が大きすぎます（{reason}）",
    ja_remedy="不要な行・列・シートを除くか、ファイルを分けて提出してください",
    en="the table is too large ({reason})",
    en_remedy="remove what is not needed, or split the file",
)
LOCKED: Final = Complaint(
    "sheet.locked",
    "file",
    ja="ファイルにパスワードが設定されています",
    ja_remedy="パスワードを外して再提出してください",
    en="the file is protected by a password",
    en_remedy="send it without password",
)
DAMAGED: Final = Complaint(
    "sheet.damaged",
    "file",
    ja="ファイルを開けません（{reason}）",
    ja_remedy="ファイルを開き直して保存し、再提出してください",
    en="the file can't be opened ({reason})",
    en_remedy="open it, save it anew and send it again",
)

Cell = str | int | float | bool | date | None


class SheetsRefused(Exception):
    """The file's cells can't be had; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.en)
        self.refusal = refusal


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name (None for CSV) and rows of cells; the first row is number 1."""

    name: str | None
    rows: tuple[tuple[Cell, ...], ...]


def is_workbook(source: Source) -> bool:
    """Excel (new or old, encrypted too) or OpenDocument by its first bytes."""
    return source.head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))


def sheets(source: Source) -> Sequence[Sheet]:
    """All sheets of a workbook, or the one table of a CSV or TSV. Raises SheetsRefused."""
    status = source.path.stat()
    return _sheets(str(source.path), status.st_size, status.st_mtime_ns, is_workbook(source))


@lru_cache(maxsize=2)
def _sheets(path: str, _size: int, _mtime_ns: int, workbook: bool) -> tuple[Sheet, ...]:
    # recognition and reading ask for the same file one after the other
    return _workbook(Path(path)) if workbook else (_delimited(Path(path)),)


def _workbook(path: Path) -> tuple[Sheet, ...]:
    _bound_archive(path)
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        found = []
        budget = MAX_CELLS
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            budget -= sheet.total_height * sheet.total_width
            if sheet.total_width > MAX_COLUMNS or budget < 0:
                size = f"{sheet.total_height:,} × {sheet.total_width:,}"
                raise SheetsRefused(TOO_LARGE.at(Place(name), reason=size))
            rows = sheet.to_python(skip_empty_area=False)
            found.append(Sheet(name, tuple(tuple(_cell(c) for c in row) for row in rows)))
        return tuple(found)
    except python_calamine.PasswordError as error:
        raise SheetsRefused(LOCKED.at(Place())) from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise SheetsRefused(DAMAGED.at(Place(), reason=error)) from error


def _bound_archive(path: Path) -> None:
    """Refuse a workbook that would unpack to more than memory should hold."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(i.file_size for i in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise SheetsRefused(DAMAGED.at(Place(), reason=error)) from error
    limit = max(RATIO_FLOOR, min(MAX_UNPACKED, path.stat().st_size * MAX_RATIO))
    if unpacked > limit:
        raise SheetsRefused(TOO_LARGE.at(Place(), reason=f"{unpacked:,} bytes unpacked"))


def _cell(value: Any) -> Cell:
    if value == "" or value is None:
        return None
    if isinstance(value, datetime):
        return value.date() if value.time() == value.time().min else str(value)
    if isinstance(value, str | bool | int | float | date):
        return value
    return str(value)


def _delimited(path: Path) -> Sheet:
    if path.stat().st_size > CSV_BYTES:
        raise SheetsRefused(TOO_LARGE.at(Place(), reason=f"{path.stat().st_size:,} bytes"))
    try:
        text = decode(path.read_bytes()).text
    except UndecodableText as error:
        raise SheetsRefused(DAMAGED.at(Place(), reason=error)) from error
    first = text.split("\n", maxsplit=1)[0]
    delimiter = max((",", "\t", ";"), key=first.count)
    rows: list[tuple[Cell, ...]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(row) > MAX_COLUMNS:
                place = Place(row=len(rows) + 1)
                raise SheetsRefused(TOO_LARGE.at(place, reason=f"{len(row):,} 列"))
            rows.append(tuple(c if c.strip() else None for c in row))
    except csv.Error as error:
        raise SheetsRefused(DAMAGED.at(Place(row=len(rows) + 1), reason=error)) from error
    return Sheet(None, tuple(rows))
