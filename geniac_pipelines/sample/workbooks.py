"""The workbooks that people hand in: the programme's templates filled in, and sheets of their own.

Here: rows to .xlsx, and nothing of what the rows say. Values go into cells as people's own
programs would put them: days and months as date cells, numbers as numbers, and whatever text a
careless hand typed as text. Only the template is the platform's own; a sample of nothing else
would prove little of how others' workbooks are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum, auto
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from geniac_pipelines.calendar import Month
from geniac_pipelines.contracts import Column, Contract
from geniac_pipelines.intake.template import Rows, WorkbookTemplate, write_template

_CREATED: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC).replace(tzinfo=None)
_WIDTH: Final = 18
_SUMMED: Final = frozenset({"GPU時間", "円"})
"""Units of columns that an office adds up."""


class Manner(StrEnum):
    """How somebody makes a workbook.

    TEMPLATE: the programme's own, filled in. PLAIN: sheets with the template's headings and nothing
    else, as an export has them. OFFICE: a title in merged cells, other words and units in the
    headings, unused columns left out, a line of totals, sheets that nobody named.
    """

    TEMPLATE = auto()
    PLAIN = auto()
    OFFICE = auto()


def write_workbook(
    path: Path, form: WorkbookTemplate, rows: Mapping[str, Rows], manner: Manner
) -> None:
    """Write the form's sheets, rows by contract. The same rows give the same bytes.

    Raises KeyError for rows of contracts or columns that the form lacks.
    """
    if manner is Manner.TEMPLATE:
        write_template(form, path, rows)
        return
    book = xlsxwriter.Workbook(path, {"in_memory": True})
    try:
        book.set_properties({"author": "", "created": _CREATED})
        styles = {
            "title": book.add_format({"bold": True, "font_size": 14, "align": "center"}),
            "heading": book.add_format({"bold": True, "bg_color": "#DDE6F0"}),
            date: book.add_format({"num_format": "yyyy/mm/dd"}),
            Month: book.add_format({"num_format": 'yyyy"年"m"月"'}),
        }
        for contract in form.contracts:
            own = rows[contract.name]
            _refuse_unknown(contract, own)
            if manner is Manner.OFFICE:
                _write_office(book.add_worksheet(), contract, own, styles)
            else:
                sheet = book.add_worksheet(contract.ja)
                _write_table(sheet, 0, [(c, c.ja) for c in contract.columns], own, styles)
    finally:
        book.close()


def _refuse_unknown(contract: Contract, rows: Rows) -> None:
    known = {column.name for column in contract.columns}
    unknown = {name for row in rows for name in row} - known
    if unknown:
        raise KeyError(f"{contract.name} has no column {sorted(unknown)}")


def _write_office(sheet: Any, contract: Contract, rows: Rows, styles: Mapping[Any, Any]) -> None:
    columns = [
        c
        for c in contract.columns
        if c.required or any(row.get(c.name) is not None for row in rows)
    ]
    sheet.merge_range(0, 0, 0, len(columns) - 1, f"{contract.ja}について", styles["title"])
    headed = [(c, (c.headers or (c.ja,))[0] + (f"（{c.unit}）" if c.unit else "")) for c in columns]
    _write_table(sheet, 2, headed, rows, styles)
    summed = [at for at, column in enumerate(columns) if column.unit in _SUMMED]
    if summed and rows:
        last = 3 + len(rows)
        sheet.write_string(last, 0, "合計", styles["heading"])
        for at in summed:
            values = [row.get(columns[at].name) for row in rows]
            sheet.write_number(last, at, sum(v for v in values if v is not None))


def _write_table(
    sheet: Any,
    top: int,
    headed: Sequence[tuple[Column, str]],
    rows: Rows,
    styles: Mapping[Any, Any],
) -> None:
    """Columns with their headings in row `top` (from 0), the rows below them."""
    sheet.set_column(0, len(headed) - 1, _WIDTH)
    for at, (column, heading) in enumerate(headed):
        sheet.write_string(top, at, heading, styles["heading"])
        for number, row in enumerate(rows, start=top + 1):
            _write_cell(sheet, number, at, row.get(column.name), styles)


def _write_cell(sheet: Any, row: int, at: int, value: Any, styles: Mapping[Any, Any]) -> None:
    if value is None:
        return
    if isinstance(value, Month):
        sheet.write_datetime(row, at, _moment(value.first), styles[Month])
    elif isinstance(value, date):
        sheet.write_datetime(row, at, _moment(value), styles[date])
    elif isinstance(value, str):
        sheet.write_string(row, at, value)
    else:
        sheet.write_number(row, at, value)


def _moment(day: date) -> datetime:
    """Workbooks know no zone."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001
