"""What reading one cell needs and gives: column and setting in, value and complaints out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from geniac_pipelines.contracts import Column
from geniac_pipelines.intake import cell_complaints as say
from geniac_pipelines.intake.cell_complaints import Twofold
from geniac_pipelines.intake.reading import MASK, Complaint
from geniac_pipelines.intake.sheets import Cell


@dataclass(frozen=True)
class Setting:
    """What a sheet's cells need beside their column.

    `zone` is the IANA zone of moments written without one; `epoch_1904` tells what a bare number
    means as a date (None: unknown, so that it means nothing).
    """

    zone: str = "Asia/Tokyo"
    epoch_1904: bool | None = None


@dataclass(frozen=True)
class Field:
    """A column as a sheet heads it: values are counted in `unit`, which is 10**exponent of ours."""

    column: Column
    heading: str
    unit: str | None = None
    exponent: int = 0


@dataclass(frozen=True)
class Said:
    """A complaint about a cell, to which only the place is wanting."""

    complaint: Complaint
    params: Mapping[str, object]


@dataclass(frozen=True)
class Typed:
    """A value (None: missing), what is to be said about it, and whether its row is lost."""

    value: Any = None
    said: tuple[Said, ...] = ()

    @property
    def costs_row(self) -> bool:
        return any(s.complaint.costs == "row" for s in self.said)


@dataclass
class Reader:
    """Reads one cell; `notes` gathers what was assumed on the way."""

    heading: Field
    setting: Setting
    notes: list[Said] = field(default_factory=list)

    @property
    def column(self) -> Column:
        return self.heading.column

    def note(self, value: object, warning: str) -> None:
        """Note what was assumed; `warning` is "Japanese / English"."""
        ja, _, en = warning.partition(" / ")
        shown = MASK if self.column.personal else value
        params = {"column": self.column.ja, "value": shown, **reasons(self.column, ja, en or ja)}
        self.notes.append(Said(say.ASSUMED, params))


class Unfit(Exception):
    """The cell has no value of its column's type."""

    def __init__(self, complaint: Twofold, **params: object) -> None:
        super().__init__(complaint.row.code)
        self.complaint = complaint
        self.params = params


def reasons(column: Column, ja: str, en: str) -> dict[str, object]:
    """Reasons may quote the cell, which nobody is to see in a personal column."""
    if column.personal:
        return {"reason": "書き方が違います", "reason_en": "it is written otherwise"}
    if ja.startswith("例："):  # our own column's example follows in the remedy
        return {"reason": "数値の書き方ではありません", "reason_en": "not written as a number"}
    return {"reason": ja.removesuffix("。"), "reason_en": en}


def plain(cell: Cell) -> str:
    """Text of a cell: 2026 for the number 2026.0, TRUE for a truth value."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return f"{number_of(cell):f}"
    return str(cell)


def number_of(number: float) -> Decimal:
    """The decimal that a spreadsheet shows for its binary number: 0.1 + 0.2 is 0.3."""
    if number.is_integer() and abs(number) < 2**53:
        return Decimal(int(number))
    return Decimal(f"{number:.15g}")
