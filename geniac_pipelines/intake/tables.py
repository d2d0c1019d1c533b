"""A sheet and a contract to rows and refusals.

Title rows above the header, headers over two rows, units in brackets, extra columns, blank rows
and totals are as people make them, and are coped with; what is left out is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from geniac_pipelines.intake.cells import SCALES, Unreadable, value_of
from geniac_pipelines.intake.contracts import Column, Contract
from geniac_pipelines.intake.reading import Complaint, Place, Refusal, Row
from geniac_pipelines.intake.sheets import Cell, Sheet
from geniac_pipelines.japanese import fold

SEARCHED_ROWS: Final = 30
"""A header lower than this is not looked for."""

COLUMNS_MISSING: Final = Complaint(
    "table.columns_missing",
    "file",
    ja="「{contract}」に必要な列がありません: {missing}（見つかった列: {found}）",
    ja_remedy="様式の見出しを変えずに記入してください。様式は事務局からお送りできます",
    en="columns missing for {contract}: {missing} (found: {found})",
    en_remedy="keep the headings of the template",
)
EXTRA_COLUMNS: Final = Complaint(
    "table.extra_columns",
    "nothing",
    ja="様式にない列は読み取りませんでした: {extra}",
    ja_remedy="必要な内容であれば事務局にご連絡ください",
    en="columns that the template lacks were not read: {extra}",
    en_remedy="tell the secretariat if they matter",
)
TOTAL_ROW: Final = Complaint(
    "table.total_row",
    "nothing",
    ja="合計の行は読み取りませんでした",
    ja_remedy="対応は不要です",
    en="a row of totals was left out",
    en_remedy="nothing to do",
)
SCALED: Final = Complaint(
    "table.scaled",
    "nothing",
    ja="「{column}」は見出しの単位（{unit}）から円に換算しました",
    ja_remedy="対応は不要です",
    en="'{column}' was converted to yen from the unit in its heading ({unit})",
    en_remedy="nothing to do",
)
REPEATED: Final = Complaint(
    "table.repeated_key",
    "row",
    ja="{first}行目と同じ項目（{key}）です。どちらが正しいか判断できないため、後の行は受け取れません",
    ja_remedy="重複を解消して再提出してください",
    en="same key ({key}) as row {first}; which one holds can't be told, the later was not taken",
    en_remedy="remove the duplicate and send the file again",
)

EMPTY: Final = Complaint(
    "table.empty",
    "nothing",
    ja="「{contract}」に記入された行がありません",
    ja_remedy="該当がない場合は対応不要です。記入漏れの場合は再提出してください",
    en="{contract} holds no rows",
    en_remedy="nothing to do if there is nothing to report; else fill it in",
)

_BRACKETS = re.compile(r"[(（\[［【]([^)）\]］】]*)[)）\]］】]")
_MARKS = re.compile(r"[※*＊]|必須|\s")
_TOTALS = ("合計", "計", "小計", "総計", "total")


@dataclass(frozen=True)
class Header:
    """Where a contract's columns stand: row of the header (from 1), column by position."""

    row: int
    columns: Mapping[int, Column]
    scales: Mapping[int, tuple[str, int]]
    extra: tuple[str, ...]

    def missing(self, contract: Contract) -> list[Column]:
        found = {c.name for c in self.columns.values()}
        return [c for c in contract.columns if c.required and c.name not in found]


def find_header(sheet: Sheet, contract: Contract) -> Header | None:
    """The header row that names most of the contract's columns; None if none names two."""
    best: Header | None = None
    for number in range(min(SEARCHED_ROWS, len(sheet.rows))):
        for cells in _readings(sheet.rows, number):
            header = _header(cells[1], cells[0], contract)
            if len(header.columns) >= min(2, len(contract.columns)) and (
                best is None or len(header.columns) > len(best.columns)
            ):
                best = header
    return best


def _readings(rows: Sequence[Sequence[Cell]], number: int) -> Iterator[tuple[int, Sequence[Cell]]]:
    """A row as a header, and together with the next one where headings span two rows."""
    yield number + 1, rows[number]
    if number + 1 < len(rows):
        above, below = rows[number], rows[number + 1]
        width = max(len(above), len(below))
        joined = [
            (below[n] if n < len(below) else None) or (above[n] if n < len(above) else None)
            for n in range(width)
        ]
        yield number + 2, joined


def _header(cells: Sequence[Cell], row: int, contract: Contract) -> Header:
    names = {
        _plain(name): column
        for column in contract.columns
        for name in (*column.headers, column.name, column.ja)
    }
    columns: dict[int, Column] = {}
    scales: dict[int, tuple[str, int]] = {}
    extra = []
    for position, cell in enumerate(cells):
        if not isinstance(cell, str):
            continue
        # the bracket may be part of the name (組織名（英語）) or a unit beside it
        column = names.get(_plain(cell)) or names.get(_plain(_BRACKETS.sub("", cell)))
        if column is None or column in columns.values():
            extra.append(cell.strip())
            continue
        columns[position] = column
        unit = _BRACKETS.search(cell)
        if unit and unit[1] in SCALES and column.unit and column.unit.startswith("円"):
            scales[position] = (unit[1], SCALES[unit[1]])
    return Header(row, columns, scales, tuple(extra))


def _plain(heading: str) -> str:
    return fold(_MARKS.sub("", heading))


def read_table(sheet: Sheet, contract: Contract, header: Header) -> Iterator[Row | Refusal]:
    """Rows of the contract from a sheet whose header is known."""
    if missing := header.missing(contract):
        found = "、".join(c.ja for c in header.columns.values())
        yield COLUMNS_MISSING.at(
            Place(sheet.name, header.row),
            contract=contract.ja,
            missing="、".join(c.ja for c in missing),
            found=found or "なし",
        )
        return
    if header.extra:
        yield EXTRA_COLUMNS.at(Place(sheet.name, header.row), extra="、".join(header.extra))
    for position, (unit, _) in header.scales.items():
        place = Place(sheet.name, header.row, header.columns[position].ja)
        yield SCALED.at(place, column=header.columns[position].ja, unit=unit)
    keys: dict[tuple[Any, ...], int] = {}
    empty = True
    for number, cells in enumerate(sheet.rows[header.row :], start=header.row + 1):
        for item in _read_row(sheet, contract, header, (number, cells), keys):
            empty = False
            yield item
    if empty:
        yield EMPTY.at(Place(sheet.name), contract=contract.ja)


def _read_row(
    sheet: Sheet,
    contract: Contract,
    header: Header,
    row: tuple[int, Sequence[Cell]],
    keys: dict[tuple[Any, ...], int],
) -> Iterator[Row | Refusal]:
    number, cells = row
    taken = {p: cells[p] if p < len(cells) else None for p in header.columns}
    if all(c is None or not str(c).strip() for c in taken.values()):
        return
    if any(isinstance(c, str) and fold(c) in _TOTALS for c in taken.values()):
        yield TOTAL_ROW.at(Place(sheet.name, number))
        return
    values: dict[str, Any] = {}
    lost = False
    for position, cell in taken.items():
        column = header.columns[position]
        value = value_of(cell, column, header.scales.get(position, ("", 1))[1])
        if isinstance(value, Unreadable):
            costs = "row" if column.required else "cell"
            lost = lost or column.required
            place = Place(sheet.name, number, column.ja)
            yield value.complaint[costs].at(place, cell, **value.params)
        else:
            values[column.name] = value
    if lost:
        return
    own = [n for n in contract.key if not n.startswith("_")]
    key = tuple(values.get(n) for n in own)
    first = keys.setdefault(key, number)
    if first != number:
        shown = "、".join(str(k) for k in key)
        yield REPEATED.at(Place(sheet.name, number), first=first, key=shown)
        return
    yield Row(contract, values, Place(sheet.name, number))
