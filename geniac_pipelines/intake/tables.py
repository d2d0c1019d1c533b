"""A sheet and a contract to rows and refusals.

Here: which rows of a sheet are data, what becomes of each, and rows that contradict each other.
Title rows, totals, footnotes and repeated headers are as people make them and are left out, which
is said. One bad row never costs a good one. Not here: finding the header (`headings`) and reading
a cell (`cells`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from geniac_pipelines.contracts import Contract, Mode, Type
from geniac_pipelines.intake import table_complaints as say
from geniac_pipelines.intake.cell_complaints import BLANK, MERGED
from geniac_pipelines.intake.cell_reader import Field, Setting, Typed
from geniac_pipelines.intake.cells import is_blank, shown, value_of
from geniac_pipelines.intake.headings import Header, find_header
from geniac_pipelines.intake.reading import MASK, Complaint, Context, Place, Refusal, Row
from geniac_pipelines.intake.sheets import Cell, Sheet
from geniac_pipelines.japanese import fold

__all__ = ["Header", "find_header", "read_table", "without_repeats"]

_TOTAL = re.compile(
    r"(合計|小計|総計|総合計|計|年計|年度計|累計|subtotal|total|grandtotal)([(\[【].*)?"
)
_NOTE = re.compile(r"※|[*＊]|[（(]?(注|備考|注記|出典|以上)([\d()（）:：.．\s]|$)")


@dataclass(frozen=True)
class _Table:
    """A sheet with its contract and header, and how its cells are read."""

    sheet: Sheet
    contract: Contract
    header: Header
    setting: Setting
    context: Context

    def place(self, index: int | None = None, field: Field | None = None) -> Place:
        row = None if index is None else self.sheet.first_row + index
        return Place(self.sheet.name, row, field.column.ja if field else None)

    def cell(self, cells: Sequence[Cell], position: int) -> Cell:
        return cells[position] if position < len(cells) else None

    def shown(self, cell: Cell, field: Field) -> str | None:
        if cell is not None and (field.column.personal or self.contract.personal):
            return MASK
        return shown(cell)


def read_table(
    sheet: Sheet, contract: Contract, header: Header, context: Context
) -> Iterator[Row | Refusal]:
    """Rows of the contract from a sheet whose header is known, with every complaint.

    Nothing is taken from a sheet that lacks a required column or names a column twice. A row
    with an unreadable or missing required cell is refused, with each of its faults; an unreadable
    optional cell is refused alone. Personal columns come out as pseudonyms (kind "person").
    """
    setting = Setting(context.zone, sheet.epoch_1904)
    table = _Table(sheet, contract, header, setting, context)
    if header.twice:
        headings = _listed(header.twice)
        yield say.HEADING_TWICE.at(
            table.place(header.last), contract=contract.ja, headings=headings
        )
        return
    if header.missing(contract):
        yield columns_missing(sheet, contract, header)
        return
    yield from _on_headings(table)
    for index in range(header.body, len(sheet.rows)):
        yield from _read_row(table, index)


def columns_missing(sheet: Sheet, contract: Contract, header: Header | None) -> Refusal:
    """The refusal of a sheet that lacks required columns, or has no header at all (None)."""
    required = [c for c in contract.columns if c.required]
    missing = header.missing(contract) if header else required
    row = sheet.first_row + header.last if header else None
    return say.COLUMNS_MISSING.at(
        Place(sheet.name, row),
        contract=contract.ja,
        missing=_listed([c.ja for c in missing]),
        found=_listed(header.found if header else []) or "なし",
    )


def _listed(headings: Iterable[str]) -> str:
    words = [f"「{' '.join(h.split())[:40]}」" for h in headings]
    return "".join(words[:30]) + (f"ほか{len(words) - 30}列" if len(words) > 30 else "")


def _on_headings(table: _Table) -> Iterator[Refusal]:
    header = table.header
    if header.extra:
        yield say.EXTRA_COLUMNS.at(table.place(header.last), headings=_listed(header.extra))
    for heading, column in header.doubtful:
        place = Place(table.sheet.name, table.sheet.first_row + header.last, column.ja)
        unit = f"（{column.unit}）" if column.unit else ""
        yield say.HEADING_DOUBTFUL.at(place, heading, expected=f"{column.ja}{unit}")
    for _, field in sorted(header.fields.items()):
        if field.exponent:
            yield say.SCALED.at(
                table.place(header.last, field),
                field.heading,
                unit=field.unit,
                own=field.column.unit,
                factor=f"{10**field.exponent:,}",
            )


def _read_row(table: _Table, index: int) -> Iterator[Row | Refusal]:
    cells = table.sheet.rows[index]
    if all(map(is_blank, cells)):
        return
    if (note := _no_data(table, cells)) is not None:
        yield note.at(table.place(index), shown(_first(cells)))
        return
    values: dict[str, Any] = {}
    lost = False
    for position, field in sorted(table.header.fields.items()):
        cell = table.cell(cells, position)
        typed = value_of(cell, field, table.setting)
        yield from _refusals(table, index, position, typed)
        lost = lost or typed.costs_row
        value = typed.value
        if field.column.personal and field.column.type is Type.TEXT and value is not None:
            value = table.context.pseudonym("person", value)
        values[field.column.name] = value
    if not lost:
        yield Row(table.contract, values, table.place(index))


def _refusals(table: _Table, index: int, position: int, typed: Typed) -> Iterator[Refusal]:
    field = table.header.fields[position]
    cell = table.cell(table.sheet.rows[index], position)
    for said in typed.said:
        complaint = said.complaint
        if complaint is BLANK and cell is None and _is_merged(table.sheet, index, position):
            complaint = MERGED
        yield complaint.at(table.place(index, field), table.shown(cell, field), **said.params)


def _is_merged(sheet: Sheet, index: int, position: int) -> bool:
    return any(
        top <= index <= bottom and left <= position <= right
        for top, left, bottom, right in sheet.merged
    )


def _first(cells: Sequence[Cell]) -> Cell:
    return next((cell for cell in cells if not is_blank(cell)), None)


def _no_data(table: _Table, cells: Sequence[Cell]) -> Complaint | None:
    """Why a row that is not empty holds no data: a total, a footnote, the header once more."""
    fields = table.header.fields
    filled = [p for p in fields if not is_blank(table.cell(cells, p))]
    if not filled:
        return say.OUTSIDE_ROW
    keys = [p for p in filled if fields[p].column.name in table.contract.key]
    # a name may well be 合計, a month or a choice never
    words = [
        table.cell(cells, p)
        for p in keys
        if fields[p].column.type is not Type.TEXT or fields[p].column.choices
    ]
    for cell in (_first(cells), *words):
        if isinstance(cell, str) and _TOTAL.fullmatch(fold(cell)):
            return say.TOTAL_ROW
    first = _first(cells)
    alone = sum(not is_blank(c) for c in cells) == 1
    if alone and isinstance(first, str) and _NOTE.match(first.strip()):
        return say.NOTE_ROW
    if len(filled) > 1 and all(
        isinstance(cell := table.cell(cells, p), str) and fold(cell) == fold(fields[p].heading)
        for p in filled
    ):
        return say.HEADER_AGAIN
    return None


def without_repeats(rows: Sequence[Row]) -> Iterator[Row | Refusal]:
    """The rows of one file for one contract, each natural key at most once.

    The same row twice is taken once, with a note. Rows that say different things under one key
    are all refused, each naming the others: which of them holds is for the sender to say, and a
    wrong one would otherwise pass for the truth. Contracts of mode APPEND may repeat themselves.
    """
    same: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = tuple(row.values.get(n) for n in row.contract.key if not n.startswith("_"))
        # without key columns of their own, rows are told apart by their place alone
        append = row.contract.mode is Mode.APPEND or not key
        same.setdefault((id(row),) if append else (row.contract.name, *key), []).append(row)
    for group in same.values():
        first = group[0]
        if all(row.values == first.values for row in group):
            yield first
            for row in group[1:]:
                yield say.SAME_ROW.at(row.place, other=first.place.ja, other_en=first.place.en)
            continue
        for row in group:
            others = [other.place for other in group if other is not row][:5]
            yield say.CONTRADICTION.at(
                row.place,
                key=_key(row),
                others="、".join(p.ja for p in others),
                others_en="; ".join(p.en for p in others),
            )


def _key(row: Row) -> str:
    columns = [row.contract.column(n) for n in row.contract.key if not n.startswith("_")]
    hidden = row.contract.personal
    return "、".join(
        f"{c.ja}={MASK if hidden or c.personal else _key_text(c.type, row.values.get(c.name))}"
        for c in columns
    )


def _key_text(kind: Type, value: Any) -> str:
    if value is None:
        return "空欄"
    return f"{value:%Y-%m}" if kind is Type.MONTH else str(value)
