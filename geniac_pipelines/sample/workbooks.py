"""The workbooks that people hand in: one sheet a contract, its Japanese headers in the first row.

Here: rows to .xlsx, and nothing of what the rows say. Values go into cells as people's own
programs would put them: days and months as date cells, numbers as numbers, and whatever text a
careless hand typed as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from geniac_pipelines.calendar import Month
from geniac_pipelines.intake.contracts import Contract

Rows = Sequence[Mapping[str, Any]]
"""Rows by column name of the contract; absent or None leaves the cell empty."""

_CREATED: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC).replace(tzinfo=None)
_WIDTH: Final = 18


def write_workbook(path: Path, sheets: Sequence[tuple[Contract, Rows]]) -> None:
    """Write the sheets in order. The same rows give the same bytes."""
    book = xlsxwriter.Workbook(path, {"in_memory": True})
    try:
        book.set_properties({"author": "", "created": _CREATED})
        bold = book.add_format({"bold": True, "bg_color": "#DDE6F0"})
        formats = {
            date: book.add_format({"num_format": "yyyy/mm/dd"}),
            Month: book.add_format({"num_format": 'yyyy"年"m"月"'}),
        }
        for contract, rows in sheets:
            sheet = book.add_worksheet(contract.ja)
            sheet.set_column(0, len(contract.columns) - 1, _WIDTH)
            for at, column in enumerate(contract.columns):
                sheet.write_string(0, at, column.ja, bold)
            for number, row in enumerate(rows, start=1):
                _write_row(sheet, number, contract, row, formats)
    finally:
        book.close()


def _write_row(
    sheet: Any, number: int, contract: Contract, row: Mapping[str, Any], formats: Mapping[type, Any]
) -> None:
    unknown = row.keys() - {column.name for column in contract.columns}
    if unknown:
        raise KeyError(f"{contract.name} has no column {sorted(unknown)}")
    for at, column in enumerate(contract.columns):
        value = row.get(column.name)
        if value is None:
            continue
        if isinstance(value, Month):
            sheet.write_datetime(number, at, _moment(value.first), formats[Month])
        elif isinstance(value, date):
            sheet.write_datetime(number, at, _moment(value), formats[date])
        elif isinstance(value, str):
            sheet.write_string(number, at, value)
        else:
            sheet.write_number(number, at, value)


def _moment(day: date) -> datetime:
    """Workbooks know no zone."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001
