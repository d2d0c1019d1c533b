"""Which row of a sheet is its header, and which column of a contract stands where.

Here: title rows, headings over several rows, units and remarks in brackets, and what makes one
contract fit a sheet better than another. Not here: the rows below (`tables`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from geniac_pipelines.contracts import Column, Contract
from geniac_pipelines.intake.cell_reader import Field
from geniac_pipelines.intake.sheets import Sheet
from geniac_pipelines.japanese import fold
from geniac_pipelines.japanese.units import same_unit, split_scale

SEARCHED_ROWS: Final = 40
"""A header lower than this is not looked for."""
HEADER_DEPTH: Final = 3
"""Rows that one header may take."""
LONGEST_HEADING: Final = 100

_BRACKETS = re.compile(r"[(（\[［【〔]([^()（）\[\]［］【】〔〕]*)[)）\]］】〕]")
_MARKS = re.compile(r"[※*＊★●◎]")
_UNIT_WORD = re.compile(r"^単位[:：]?")
_UNIT_LINE = re.compile(r"[（(]?\s*単位\s*[:：]\s*([^()（）]+?)\s*[)）]?")
_REMARKS: Final = frozenset(
    map(
        fold,
        ("必須", "任意", "必須項目", "選択", "選択式", "選択してください", "半角", "半角数字",
         "数値", "整数", "数字のみ", "西暦", "年月", "年月日", "yyyy/mm/dd", "yyyy-mm-dd",
         "yyyy/mm", "税抜", "税別", "税抜き", "自由記述", "プルダウン"),
    )
)  # fmt: skip
"""What may stand in brackets behind a heading without changing what the column means."""


@dataclass(frozen=True)
class Unit:
    """A unit that a heading names: `scale` × the column's own, in powers of ten."""

    text: str
    exponent: int


@dataclass(frozen=True)
class Header:
    """Where a contract's columns stand in a sheet.

    `first` and `last` are its rows (indices), `body` the index of the first row of data; `fields`
    are by position. `extra` are headings that mean nothing to the contract, `doubtful` those whose
    brackets say something that we can't take for granted (計画額（税込）), `twice` headings that
    claim a column together.
    """

    first: int
    last: int
    body: int
    fields: Mapping[int, Field]
    extra: tuple[str, ...] = ()
    doubtful: tuple[tuple[str, Column], ...] = ()
    twice: tuple[str, ...] = ()
    strength: int = 0

    def missing(self, contract: Contract) -> list[Column]:
        """Required columns that no heading names."""
        found = {f.column.name for f in self.fields.values()}
        return [c for c in contract.columns if c.required and c.name not in found]

    @property
    def found(self) -> list[str]:
        """Every heading as it came, from left to right for those that were understood."""
        known = [self.fields[position].heading for position in sorted(self.fields)]
        return [*known, *(text for text, _ in self.doubtful), *self.extra]


@dataclass(frozen=True)
class _Label:
    """One reading of a heading; `rank` 2 where it is the whole heading, 1 where a part of it."""

    text: str
    rank: int


@dataclass(frozen=True)
class _Match:
    column: Column
    strength: int
    unit: Unit | None = None
    doubtful: bool = False


@dataclass(frozen=True)
class _Index:
    """A contract's headings, folded: the column of each, and all their beginnings."""

    columns: Mapping[str, tuple[Column, int]]
    beginnings: frozenset[str]

    def hint(self, text: str) -> bool:
        """Whether a cell could be a heading or the upper part of one."""
        return bool(text) and (_bare(text) in self.beginnings or _folded(text) in self.beginnings)


@lru_cache(maxsize=65_536)
def _folded(text: str) -> str:
    return fold(_MARKS.sub("", text))


@lru_cache(maxsize=65_536)
def _bare(text: str) -> str:
    return _folded(_BRACKETS.sub("", text))


@cache
def _index(contract: Contract) -> _Index:
    """Columns by folded heading, with 2 for the heading of the template and 1 for others.

    Raises ValueError where two columns of the contract share a heading: a fault of the contract.
    """
    columns: dict[str, tuple[Column, int]] = {}
    for column in contract.columns:
        names = {fold(h): 1 for h in (*column.headers, column.name)} | {fold(column.ja): 2}
        for name, strength in names.items():
            if name in columns:
                raise ValueError(f"{contract.name}: two columns are headed {name!r}")
            columns[name] = (column, strength)
    beginnings = {name[:end] for name in columns for end in range(1, len(name) + 1)}
    return _Index(columns, frozenset(beginnings))


def find_header(sheet: Sheet, contract: Contract) -> Header | None:
    """The rows that name most of the contract's columns; None where none names two of them.

    Merged cells count in every column that they span. Among equals the shortest header wins, then
    the one with more exact headings, then the uppermost.
    """
    best: tuple[tuple[int, ...], Header] | None = None
    rows = sheet.head_texts[:SEARCHED_ROWS]
    index = _index(contract)
    least = min(2, len(contract.columns))
    hints = [{n for n, text in enumerate(row) if index.hint(text)} for row in rows]
    for first in range(len(rows)):
        for depth in range(1, min(HEADER_DEPTH, len(rows) - first) + 1):
            if len(set().union(*hints[first : first + depth])) < least:
                continue
            header = _header(rows[first : first + depth], first, index)
            count = len(header.fields)
            if count < least:
                continue
            score = (count, -len(header.twice), -depth, header.strength, -first)
            if best is None or score > best[0]:
                best = (score, header)
    return _with_units(rows, best[1]) if best else None


def _header(levels: Sequence[Sequence[str]], first: int, index: _Index) -> Header:
    matches: dict[int, tuple[str, _Match | None]] = {}
    for position in range(max(map(len, levels))):
        texts: list[str] = []
        for level in levels:
            text = level[position] if position < len(level) else ""
            if text and text not in texts:
                texts.append(text)
        if texts and sum(map(len, texts)) <= LONGEST_HEADING:
            found = [m for label in _labels(texts) if (m := _match(label, index))]
            best = max(found, key=lambda m: (not m.doubtful, m.strength), default=None)
            matches[position] = ("".join(texts), best)
    return _settle(matches, first, len(levels))


def _labels(texts: Sequence[str]) -> Iterator[_Label]:
    yield _Label("".join(texts), 2)
    if len(texts) > 1:
        yield _Label(texts[-1], 1)


def _match(label: _Label, index: _Index) -> _Match | None:
    plain = _folded(label.text)
    if plain in index.columns:
        column, strength = index.columns[plain]
        return _Match(column, strength * label.rank)
    brackets = _BRACKETS.findall(label.text)
    bare = _bare(label.text)
    if not brackets or bare not in index.columns:
        return None
    column, strength = index.columns[bare]
    units = [unit_of(text, column, bare) for text in brackets if fold(text) not in _REMARKS]
    known = [unit for unit in units if unit is not None]
    doubtful = len(known) < len(units) or len(known) > 1
    return _Match(column, strength * label.rank, known[0] if known else None, doubtful)


def unit_of(text: str, column: Column, heading: str) -> Unit | None:
    """The unit that a text names, if the column can be counted in it; None if it can't be.

    A column's unit (円/GPU時間), its numerator (円) and multiples of either (千円) fit. 時間 fits
    GPU時間 only where the heading itself says GPU時間, as in 計画GPU時間（時間）.
    """
    if column.unit is None:
        return None
    exponent, base = split_scale(_UNIT_WORD.sub("", text.strip()).strip())
    own = (column.unit, column.unit.partition("/")[0])
    in_heading = column.unit == "GPU時間" and "gpu時間" in fold(heading)
    if any(same_unit(base, unit) for unit in own) or (in_heading and same_unit(base, "時間")):
        return Unit(f"{_SCALE_NAMES[exponent]}{column.unit}", exponent)
    return None


_SCALE_NAMES: Final = {
    0: "", 3: "千", 4: "万", 6: "百万", 7: "千万", 8: "億", 9: "十億", 12: "兆",
}  # fmt: skip


def _settle(matches: Mapping[int, tuple[str, _Match | None]], first: int, depth: int) -> Header:
    """Give each column to the heading that names it best; equals claim it together."""
    claims: dict[str, list[tuple[int, int]]] = {}
    for position, (_, match) in matches.items():
        if match and not match.doubtful:
            claims.setdefault(match.column.name, []).append((match.strength, position))
    fields: dict[int, Field] = {}
    twice: list[str] = []
    strength = 0
    for claimed in claims.values():
        top = max(claimed)[0]
        winners = [position for s, position in claimed if s == top]
        if len(winners) > 1:
            twice += [matches[position][0] for position in winners]
        text, match = matches[winners[0]]
        if match is None:
            continue
        unit = match.unit or Unit(match.column.unit or "", 0)
        fields[winners[0]] = Field(match.column, text, unit.text or None, unit.exponent)
        strength += top
    taken = {f.column.name for f in fields.values()}
    doubtful = tuple(
        (text, match.column)
        for text, match in matches.values()
        if match and match.doubtful and match.column.name not in taken
    )
    left = {text for text, _ in doubtful} | set(twice)
    extra = tuple(
        text for p, (text, _) in sorted(matches.items()) if p not in fields and text not in left
    )
    last = first + depth - 1
    return Header(first, last, last + 1, fields, extra, doubtful, tuple(twice), strength)


def _with_units(rows: Sequence[Sequence[str]], header: Header) -> Header:
    """Take in units from a 単位 line above the header and from a row of units below it."""
    fields = dict(header.fields)
    for row in rows[: header.first]:
        for text in row:
            line = _UNIT_LINE.fullmatch(text) if text else None
            for word in re.split(r"[、,，・\s]+", line[1]) if line else ():
                for position, field in fields.items():
                    fields[position] = _counted_in(field, word)
    body = header.body
    if body < len(rows) and (below := _unit_row(rows[body], header.fields)) is not None:
        for position, text in below.items():
            fields[position] = _counted_in(fields[position], text)
        body += 1
    return Header(
        header.first, header.last, body, fields,
        header.extra, header.doubtful, header.twice, header.strength,
    )  # fmt: skip


def _counted_in(field: Field, text: str) -> Field:
    """The field in that unit, unless its own heading names one or the unit is none of its."""
    unit = unit_of(text, field.column, field.heading)
    if unit is None or field.exponent or (field.unit and _BRACKETS.search(field.heading)):
        return field
    return Field(field.column, field.heading, unit.text, unit.exponent)


def _unit_row(row: Sequence[str], fields: Mapping[int, Field]) -> dict[int, str] | None:
    """Units by position where a row holds nothing but units of its columns; else None."""
    found: dict[int, str] = {}
    for position, text in enumerate(row):
        if not text:
            continue
        field = fields.get(position)
        unit = text.strip("()（）[]［］")
        if field is None or unit_of(unit, field.column, field.heading) is None:
            return None
        found[position] = unit
    return found or None
