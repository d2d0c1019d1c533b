"""A figure is one number with its unit and origin; a figure table is one query with cells.

Renderers accept numbers only as `Figure`s, so a number that nobody can trace can't be printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

Scalar = int | Decimal | str | date | datetime | bool | None

NO_VALUE = "―"
"""Printed where a value is missing. Never 0."""

_WIDE = Context(prec=80)
"""Wide enough for the 38 digits of the database; Python's usual 28 are not."""


@dataclass(frozen=True)
class Origin:
    """What a table of figures was made from: one query on the published warehouse.

    `relation` is the mart that the rows stand for and `match` names the columns of the result
    whose values find a row's origin in it (mart column -> result column): the first step of a
    drill-down. `parameters` are bound into `sql` as $name. Of a relation that knows months, the
    rows of $month are meant; if the figures are `cumulative`, those of the months before as well.
    """

    sql: str
    relation: str
    match: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    cumulative: bool = False


@dataclass(frozen=True)
class FigureColumn:
    """A column of a figure table.

    `kind` is "text", "number", "date" or "month"; numbers carry `unit` and `decimals` (digits
    printed after the point, rounded half to even). Where rows are of different kinds, `decimals_in`
    names the column of the row that says how many, and `decimals` is the most of them. `relation`
    is the mart that this column is made from, where it is another than the table's.
    """

    name: str
    ja: str
    kind: str = "text"
    unit: str | None = None
    decimals: int = 0
    decimals_in: str | None = None
    relation: str | None = None

    def digits(self, row: Mapping[str, Scalar]) -> int:
        """Digits printed after the point in that row."""
        return self.decimals if self.decimals_in is None else int(str(row[self.decimals_in]))

    def __post_init__(self) -> None:
        if self.kind not in ("text", "number", "date", "month"):
            raise ValueError(f"{self.name}: unknown kind {self.kind}")


@dataclass(frozen=True)
class Figure:
    """One number (or one missing value) that may be printed.

    `id` is stable over rebuilds: `<table id>/<row key>/<column>`. `value` None prints NO_VALUE.
    `label` says in words which number it is.
    """

    id: str
    label: str
    value: Decimal | int | None
    unit: str | None
    decimals: int
    clause: str
    audience: str
    origin: Origin
    row: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Thousands separated, rounded half to even, without the unit; NO_VALUE when missing."""
        return format_number(self.value, self.decimals)

    @property
    def ja(self) -> str:
        """With its unit, as running text prints it: 1,234.5 GPU時間."""
        if self.value is None or not self.unit:
            return self.text
        space = "" if self.unit in ("%", "円", "件", "社", "枚", "日", "か月") else " "
        return f"{self.text}{space}{self.unit}"


@dataclass(frozen=True)
class FigureTable:
    """The result of one query, whose every numeric cell is a figure.

    `key` names the columns that identify a row (and thereby its cells); rows are in the total
    order of the query. `note` is printed under the table.
    """

    id: str
    title: str
    clause: str
    audience: str
    columns: tuple[FigureColumn, ...]
    key: tuple[str, ...]
    rows: tuple[Mapping[str, Scalar], ...]
    origin: Origin
    note: str = ""

    def __post_init__(self) -> None:
        names = [c.name for c in self.columns]
        for row in self.rows:
            lacking = [n for n in (*names, *self.key) if n not in row]
            if lacking:
                raise ValueError(f"{self.id}: the query gives no column {lacking}")
        keys = [self.row_key(r) for r in self.rows]
        if len(set(keys)) != len(keys):
            raise ValueError(f"{self.id}: {self.key} does not identify its rows")

    def row_key(self, row: Mapping[str, Scalar]) -> str:
        return ",".join(str(row[k]) for k in self.key)

    def cell(self, row: Mapping[str, Scalar], column: FigureColumn | str) -> Figure:
        """The figure in that cell; ValueError for a column that holds no numbers."""
        if isinstance(column, str):
            column = next(c for c in self.columns if c.name == column)
        value: Any = row[column.name]
        if column.kind != "number" or isinstance(value, bool | float | str):
            raise ValueError(f"{self.id}.{column.name} is not a number: {value!r}")
        return Figure(
            id=f"{self.id}/{self.row_key(row)}/{column.name}",
            label=self._label(row, column),
            value=value,
            unit=column.unit,
            decimals=column.digits(row),
            clause=self.clause,
            audience=self.audience,
            origin=replace(self.origin, relation=column.relation or self.origin.relation),
            row=row,
        )

    def _label(self, row: Mapping[str, Scalar], column: FigureColumn) -> str:
        words = next((c.name for c in self.columns if c.kind == "text"), None)
        unit = f"（{column.unit}）" if column.unit else ""
        parts = [self.title, str(row[words]) if words else "", f"{column.ja}{unit}"]
        return "／".join(p for p in parts if p)

    def figures(self) -> Sequence[Figure]:
        """All numeric cells, row by row."""
        numeric = [c for c in self.columns if c.kind == "number"]
        return [self.cell(row, column) for row in self.rows for column in numeric]


def format_number(value: Decimal | int | None, decimals: int) -> str:
    """1234567.5, 1 -> 1,234,567.5; rounded half to even (JIS Z 8401 rule A); None -> NO_VALUE."""
    if value is None:
        return NO_VALUE
    step = Decimal(1).scaleb(-decimals)
    rounded = Decimal(value).quantize(step, ROUND_HALF_EVEN, _WIDE)
    if rounded == 0:
        rounded = abs(rounded)
    return f"{rounded:,.{decimals}f}"
