"""One cell to one typed value, by the column that it stands in.

Here: what a cell means as a text, number or choice; days, months and moments stand in `cell_times`.
Not here: which column a cell belongs to and in which unit the heading counts (`headings`), or what
becomes of a row (`tables`).
"""

from __future__ import annotations

import difflib
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from geniac_pipelines.contracts import Column, Type
from geniac_pipelines.intake import cell_complaints as say
from geniac_pipelines.intake.cell_complaints import Twofold
from geniac_pipelines.intake.cell_reader import (
    Field,
    Reader,
    Said,
    Setting,
    Typed,
    Unfit,
    number_of,
    plain,
    reasons,
)
from geniac_pipelines.intake.cell_times import day_of, instant_of, month_of
from geniac_pipelines.intake.sheets import Cell
from geniac_pipelines.japanese import (
    NoValue,
    UnreadableNumber,
    UnreadableText,
    fold,
    parse_number,
)

DECIMALS: Final = Decimal("1e-9")
_WIDE: Final = Context(prec=120, rounding=ROUND_HALF_UP)
_LARGEST: Final = {Type.DECIMAL: Decimal(10) ** 29, Type.INTEGER: Decimal(2**63)}
_DASHES: Final = frozenset("-‐‑‒–−—―─ー")
_YES: Final = frozenset(
    map(fold, ("はい", "有", "あり", "可", "済", "○", "〇", "◯", "yes", "y", "true"))
)
_NO: Final = frozenset(
    map(fold, ("いいえ", "無", "なし", "否", "未", "×", "✕", "no", "n", "false"))
)


def is_blank(cell: Cell) -> bool:
    """Empty, only spaces, or nothing but a dash, as people mark what they have no value for."""
    if not isinstance(cell, str):
        return cell is None
    return not set(cell.split()) or set("".join(cell.split())) <= _DASHES


def value_of(cell: Cell, field: Field, setting: Setting) -> Typed:
    """The typed value of a cell.

    INTEGER gives int, DECIMAL an exact Decimal in the column's own unit (at most 9 decimals),
    DATE a day, MONTH the month's first day, INSTANT a UTC moment, TEXT stripped text (with
    `choices`: the choice as declared). A number cell counts with 15 significant digits, as
    spreadsheets do. A blank, a dash or a word such as なし in a number or date is missing.
    """
    column = field.column
    if is_blank(cell) or cell is None:
        return _missing(column)
    reader = Reader(field, setting)
    try:
        value = _READERS[column.type](cell, reader)
    except NoValue:
        return _missing(column)
    except Unfit as unfit:
        return _unfit(column, unfit.complaint, **unfit.params)
    except UnreadableText as error:
        kind = {Type.DATE: say.DATE, Type.MONTH: say.MONTH, Type.INSTANT: say.INSTANT}.get(
            column.type, say.NUMBER
        )
        return _unfit(column, kind, **reasons(column, error.reason_ja, error.reason_en))
    if (
        column.minimum is not None
        and isinstance(value, int | float | Decimal)
        and (value < column.minimum)
    ):
        return _unfit(column, say.BELOW, minimum=column.minimum)
    return Typed(value, tuple(reader.notes))


def shown(cell: Cell) -> str | None:
    """The cell as a person sees it, for complaints; at most 200 characters."""
    if cell is None:
        return None
    text = plain(cell)
    text = text if len(text) <= 200 else text[:200] + "…"
    return text.encode("utf-8", "backslashreplace").decode()


def _missing(column: Column) -> Typed:
    return Typed(None, (Said(say.BLANK, _params(column)),) if column.required else ())


def _unfit(column: Column, complaint: Twofold, **more: object) -> Typed:
    return Typed(None, (Said(complaint.of(column.required), {**_params(column), **more}),))


def _params(column: Column) -> dict[str, object]:
    example = "" if column.example is None else str(column.example)
    return {
        "column": column.ja,
        "unit": f"（単位：{column.unit}）" if column.unit else "",
        "unit_en": f" (in {column.unit})" if column.unit else "",
        "example": f"（例：{example}）" if example else "",
        "example_en": f" (such as {example})" if example else "",
    }


def _text(cell: Cell, reader: Reader) -> str:
    column = reader.column
    text = plain(cell).strip()
    if isinstance(cell, date) and not column.choices:
        reader.note(
            text,
            "文字の列ですが、日付のセルになっています。表計算ソフトが自動で変換した可能性があります"
            " / a date cell in a text column; the spreadsheet may have converted it by itself",
        )
    if not column.choices:
        return text
    folded = {fold(choice): choice for choice in column.choices}
    if (chosen := folded.get(fold(text))) is not None:
        return chosen
    near = _nearest(fold(text), list(folded))
    raise Unfit(
        say.CHOICE,
        choices="、".join(column.choices),
        guess=f"（「{folded[near]}」のことでしょうか）" if near else "",
        guess_en=f" (did you mean {folded[near]!r}?)" if near else "",
    )


def _nearest(text: str, choices: list[str]) -> str | None:
    """The one choice that the text holds or is held by, else the most alike."""
    related = [c for c in choices if c in text or (len(text) > 1 and text in c)]
    if related:
        longest = max(related, key=len)
        return longest if all(c in longest for c in related) else None
    return next(iter(difflib.get_close_matches(text, choices, n=1, cutoff=0.5)), None)


def _number(cell: Cell, reader: Reader) -> Decimal:
    if isinstance(cell, date | bool):
        raise UnreadableNumber(
            plain(cell), "日付や真偽値のセルです", "the cell holds a date or a truth value"
        )
    unit, exponent = reader.heading.unit, reader.heading.exponent
    given = number_of(cell) if isinstance(cell, float) else cell
    try:
        found = parse_number(given, unit=unit)
    except NoValue:
        raise
    except UnreadableNumber:
        # 500円 is what people write where a price is counted in 円/GPU時間
        if unit is None or "/" not in unit:
            raise
        found = parse_number(given, unit=unit.partition("/")[0])
    for warning in found.warnings:
        reader.note(found.value, warning)
    return found.value.scaleb(exponent, _WIDE) if exponent else found.value


def _bounded(value: Decimal, column: Column) -> Decimal:
    largest = _LARGEST[Type.INTEGER if column.type is Type.INTEGER else Type.DECIMAL]
    if not -largest < value < largest:
        raise Unfit(say.TOO_BIG)
    return value


def _decimal(cell: Cell, reader: Reader) -> Decimal:
    value = _bounded(_number(cell, reader), reader.column)
    rounded = value.quantize(DECIMALS, context=_WIDE)
    if rounded != value:
        params = {"column": reader.column.ja, "value": f"{rounded:f}"}
        reader.notes.append(Said(say.ROUNDED, params))
        return rounded
    return value


def _integer(cell: Cell, reader: Reader) -> int:
    value = _bounded(_number(cell, reader), reader.column)
    if value != value.to_integral_value():
        raise Unfit(say.WHOLE)
    return int(value)


def _float(cell: Cell, reader: Reader) -> float:
    return float(_bounded(_number(cell, reader), reader.column))


def _boolean(cell: Cell, reader: Reader) -> bool:
    if isinstance(cell, bool):
        return cell
    text = fold(plain(cell))
    if text in _YES or text == "1":
        return True
    if text in _NO or text == "0":
        return False
    raise Unfit(say.YES_NO)


_READERS: Final = {
    Type.TEXT: _text,
    Type.INTEGER: _integer,
    Type.DECIMAL: _decimal,
    Type.FLOAT: _float,
    Type.BOOLEAN: _boolean,
    Type.DATE: day_of,
    Type.MONTH: month_of,
    Type.INSTANT: instant_of,
}
