"""One cell to one typed value, by the column that it stands in."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from geniac_pipelines.calendar import Month
from geniac_pipelines.intake.contracts import Column, Type
from geniac_pipelines.intake.reading import Complaint
from geniac_pipelines.intake.sheets import Cell
from geniac_pipelines.japanese import (
    NoValue,
    UnreadableText,
    fold,
    parse_date,
    parse_number,
    parse_period,
)

_ROW = ("この行は受け取れませんでした。", "the row was not taken; ")
_CELL = ("このセルは空欄として受け取りました。", "the cell was taken as empty; ")


def _pair(code: str, ja: str, ja_remedy: str, en: str, en_remedy: str) -> dict[str, Complaint]:
    """The complaint for a required column (costs the row) and for another (costs the cell)."""
    return {
        costs: Complaint(
            f"cell.{code}", costs, ja=ja, ja_remedy=lost[0] + ja_remedy,
            en=en, en_remedy=lost[1] + en_remedy,
        )
        for costs, lost in (("row", _ROW), ("cell", _CELL))
    }  # fmt: skip


BLANK: Final = _pair(
    "blank",
    "「{column}」が空欄です",
    "値を記入してください（ない場合は、ないことを別途ご連絡ください）",
    "'{column}' is blank",
    "fill it in",
)
NUMBER: Final = _pair(
    "number",
    "「{column}」は数値で記入してください（{unit}）。「{cell}」は数値として読めません",
    "数字だけを記入してください（例 {example}）",
    "'{column}' must be a number ({unit}); {cell!r} can't be read as one",
    "write digits only, such as {example}",
)
WHOLE: Final = _pair(
    "whole_number",
    "「{column}」は整数で記入してください。「{cell}」は整数ではありません",
    "整数を記入してください（例 {example}）",
    "'{column}' must be a whole number; {cell!r} is not",
    "write a whole number, such as {example}",
)
BELOW: Final = _pair(
    "below_minimum",
    "「{column}」は{minimum}以上のはずです。「{cell}」と記入されています",
    "値を確認してください",
    "'{column}' can't be below {minimum}; it is {cell!r}",
    "check the value",
)
DATE: Final = _pair(
    "date",
    "「{column}」は日付で記入してください。「{cell}」は日付として読めません（{reason}）",
    "例 {example} の形で記入してください",
    "'{column}' must be a day; {cell!r} can't be read as one ({reason_en})",
    "write it like {example}",
)
MONTH: Final = _pair(
    "month",
    "「{column}」は年月で記入してください。「{cell}」は年月として読めません（{reason}）",
    "例 {example} の形で記入してください",
    "'{column}' must be a month; {cell!r} can't be read as one ({reason_en})",
    "write it like {example}",
)
CHOICE: Final = _pair(
    "choice",
    "「{column}」は選択肢から選んでください。「{cell}」は選択肢にありません",
    "{choices} から選んでください{guess}",
    "'{column}' must be one of the choices; {cell!r} is not",
    "choose from {choices}{guess}",
)

SCALES: Final = {"千円": 1_000, "百万円": 1_000_000, "億円": 100_000_000}
"""Units of a heading that scale yen."""


@dataclass(frozen=True)
class Unreadable:
    """Why a cell has no value, with what the complaint needs to be said."""

    complaint: dict[str, Complaint]
    params: dict[str, Any]


def value_of(cell: Cell, column: Column, scale: int = 1) -> Any | Unreadable | None:
    """The typed value; None for a blank that may be blank; Unreadable else.

    Decimals are exact: a number cell goes through its shortest decimal writing. MONTH gives the
    month's first day.
    """
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return _blank(column)
    try:
        match column.type:
            case Type.TEXT:
                return _text(cell, column)
            case Type.INTEGER | Type.DECIMAL:
                return _number(cell, column, scale)
            case Type.DATE:
                return cell if isinstance(cell, date) else parse_date(str(cell))
            case Type.MONTH:
                return _month(cell, column)
            case _:
                raise NotImplementedError(f"{column.name}: no hand-in column has this type")
    except NoValue:
        return _blank(column)
    except UnreadableText as error:
        kind = {Type.DATE: DATE, Type.MONTH: MONTH}.get(column.type, NUMBER)
        return _unreadable(kind, column, reason=error.reason_ja, reason_en=error.reason_en)


def _blank(column: Column) -> Unreadable | None:
    return _unreadable(BLANK, column) if column.required else None


def _unreadable(complaint: dict[str, Complaint], column: Column, **more: Any) -> Unreadable:
    params = {
        "column": column.ja,
        "unit": column.unit or "単位なし",
        "example": column.example if column.example is not None else "",
    }
    return Unreadable(complaint, {**params, **more})


def _text(cell: Cell, column: Column) -> Any:
    plain = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    plain = plain.strip()
    if not column.choices:
        return plain
    folded = {fold(choice): choice for choice in column.choices}
    if chosen := folded.get(fold(plain)):
        return chosen
    near = difflib.get_close_matches(fold(plain), folded, n=1, cutoff=0.6)
    guess = f"（「{folded[near[0]]}」ではありませんか）" if near else ""
    return _unreadable(CHOICE, column, choices="、".join(column.choices), guess=guess)


def _number(cell: Cell, column: Column, scale: int) -> Any:
    if isinstance(cell, bool | date):
        return _unreadable(NUMBER, column)
    unit = column.unit.split("/")[0] if column.unit else None
    value = parse_number(cell, unit=unit).value * scale
    if column.minimum is not None and value < column.minimum:
        return _unreadable(BELOW, column, minimum=column.minimum)
    if column.type is Type.DECIMAL:
        return value.quantize(Decimal("1e-9")) if value.as_tuple().exponent != 0 else value
    return int(value) if value == value.to_integral_value() else _unreadable(WHOLE, column)


def _month(cell: Cell, column: Column) -> Any:
    if isinstance(cell, date):
        return cell.replace(day=1)
    period = parse_period(str(cell))
    if period.earliest is None or period.latest is None:
        return _blank(column)
    month = Month.of(period.earliest)
    if month != Month.of(period.latest):
        reasons = {"reason": "1か月より長い期間です", "reason_en": "longer than a month"}
        return _unreadable(MONTH, column, **reasons)
    return month.first
