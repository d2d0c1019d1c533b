"""One cell to one typed value, by the column that it stands in.

Here: what a cell means as a text, number, day, month, moment or choice. Not here: which column a
cell belongs to and in which unit the heading counts (`headings`), or what becomes of a row
(`tables`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from geniac_pipelines.calendar import Month
from geniac_pipelines.intake import cell_complaints as say
from geniac_pipelines.intake.cell_complaints import Twofold
from geniac_pipelines.intake.contracts import Column, Type
from geniac_pipelines.intake.reading import Complaint
from geniac_pipelines.intake.sheets import Cell
from geniac_pipelines.japanese import (
    NoValue,
    UnreadableDate,
    UnreadableNumber,
    UnreadableText,
    fold,
    from_excel_serial,
    parse_date,
    parse_number,
    parse_period,
)

MASK: Final = "＊＊＊"
"""What stands for a cell that nobody is to see in a reply."""
DECIMALS: Final = Decimal("1e-9")
_WIDE: Final = Context(prec=120, rounding=ROUND_HALF_UP)
_LARGEST: Final = {Type.DECIMAL: Decimal(10) ** 29, Type.INTEGER: Decimal(2**63)}
_SERIALS: Final = (36_526, 73_050)
"""Excel's numbers of the days 2000-01-01 to 2099-12-31; others are no dates of ours."""
_DASHES: Final = frozenset("-‐‑‒–−—―─ー")
_YES: Final = frozenset(
    map(fold, ("はい", "有", "あり", "可", "済", "○", "〇", "◯", "yes", "y", "true"))
)
_NO: Final = frozenset(
    map(fold, ("いいえ", "無", "なし", "否", "未", "×", "✕", "no", "n", "false"))
)


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
class _Reader:
    """Reads one cell; `notes` gathers what was assumed on the way."""

    heading: Field
    setting: Setting
    notes: list[Said] = field(default_factory=list)

    @property
    def column(self) -> Column:
        return self.heading.column

    def note(self, value: object, warning: str) -> None:
        ja, _, en = warning.partition(" / ")
        shown = MASK if self.column.personal else value
        reasons = _reasons(self.column, ja, en or ja)
        self.notes.append(Said(say.ASSUMED, {"column": self.column.ja, "value": shown, **reasons}))


class _Unfit(Exception):
    def __init__(self, complaint: Twofold, **params: object) -> None:
        super().__init__(complaint.row.code)
        self.complaint = complaint
        self.params = params


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
    reader = _Reader(field, setting)
    try:
        value = _READERS[column.type](cell, reader)
    except NoValue:
        return _missing(column)
    except _Unfit as unfit:
        return _unfit(column, unfit.complaint, **unfit.params)
    except UnreadableText as error:
        kind = {Type.DATE: say.DATE, Type.MONTH: say.MONTH, Type.INSTANT: say.INSTANT}.get(
            column.type, say.NUMBER
        )
        reasons = _reasons(column, error.reason_ja, error.reason_en)
        return _unfit(column, kind, **reasons)
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
    text = _plain(cell)
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


def _reasons(column: Column, ja: str, en: str) -> dict[str, object]:
    """Reasons may quote the cell, which nobody is to see in a personal column."""
    if column.personal:
        return {"reason": "書き方が違います", "reason_en": "it is written otherwise"}
    if ja.startswith("例："):  # our own column's example follows in the remedy
        return {"reason": "数値の書き方ではありません", "reason_en": "not written as a number"}
    return {"reason": ja.removesuffix("。"), "reason_en": en}


def _plain(cell: Cell) -> str:
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


def _text(cell: Cell, reader: _Reader) -> str:
    column = reader.column
    text = _plain(cell).strip()
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
    raise _Unfit(
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


def _number(cell: Cell, reader: _Reader) -> Decimal:
    if isinstance(cell, date | bool):
        raise UnreadableNumber(
            _plain(cell), "日付や真偽値のセルです", "the cell holds a date or a truth value"
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
        raise _Unfit(say.TOO_BIG)
    return value


def _decimal(cell: Cell, reader: _Reader) -> Decimal:
    value = _bounded(_number(cell, reader), reader.column)
    rounded = value.quantize(DECIMALS, context=_WIDE)
    if rounded != value:
        params = {"column": reader.column.ja, "value": f"{rounded:f}"}
        reader.notes.append(Said(say.ROUNDED, params))
        return rounded
    return value


def _integer(cell: Cell, reader: _Reader) -> int:
    value = _bounded(_number(cell, reader), reader.column)
    if value != value.to_integral_value():
        raise _Unfit(say.WHOLE)
    return int(value)


def _float(cell: Cell, reader: _Reader) -> float:
    return float(_bounded(_number(cell, reader), reader.column))


def _date_text(cell: Cell, reader: _Reader) -> str | date:
    """A date cell as it is, a bare number as the day that the spreadsheet means, else text."""
    if isinstance(cell, bool):
        raise UnreadableDate(_plain(cell), "真偽値のセルです", "the cell holds a truth value")
    if isinstance(cell, str | date):
        return cell
    number = number_of(float(cell or 0))
    epoch_1904 = reader.setting.epoch_1904
    if epoch_1904 is not None and _SERIALS[0] <= number <= _SERIALS[1]:
        day = from_excel_serial(float(number), epoch_1904=epoch_1904)
        reader.note(
            day,
            "日付の表示形式でない数値だったため、表計算ソフトの通し日数として読みました"
            " / a bare number, read as the spreadsheet's count of days",
        )
        return day
    return f"{number:f}"


def _day(cell: Cell, reader: _Reader) -> date:
    text = _date_text(cell, reader)
    day = parse_date(text)
    for warning in parse_period(text).warnings:
        reader.note(day, warning)
    return day


def _month(cell: Cell, reader: _Reader) -> date:
    text = _date_text(cell, reader)
    period = parse_period(text)
    if period.earliest is None or period.latest is None:
        raise NoValue(period.text, "年月が未定です", "the month is not decided")
    month = Month.of(period.earliest)
    if month != Month.of(period.latest):
        raise UnreadableDate(
            period.text,
            f"1か月に決まりません（{period.earliest}～{period.latest}）",
            f"it is not one month ({period.earliest} to {period.latest})",
        )
    for warning in period.warnings:
        reader.note(month.ja, warning)
    return month.first


def _instant(cell: Cell, reader: _Reader) -> datetime:
    local = _moment(cell)
    if local.tzinfo is None:
        zone = ZoneInfo(reader.setting.zone)
        first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            raise _Unfit(
                say.INSTANT,
                **_reasons(
                    reader.column,
                    f"夏時間の切り替えのため{zone.key}では1つに決まりません",
                    f"not one moment in {zone.key}, where clocks change",
                ),
            )
        local = first
    return local.astimezone(UTC)


def _moment(cell: Cell) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())  # a moment at midnight is told as a day
    text = _plain(cell).strip()
    try:
        found = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise UnreadableDate(text, "日時の形ではありません", "not a day with a time") from None
    if len(text) <= len("2026-09-01"):
        raise UnreadableDate(text, "時刻がありません", "the time is missing")
    return found


def _boolean(cell: Cell, reader: _Reader) -> bool:
    if isinstance(cell, bool):
        return cell
    text = fold(_plain(cell))
    if text in _YES or text == "1":
        return True
    if text in _NO or text == "0":
        return False
    raise _Unfit(say.YES_NO)


_READERS: Final = {
    Type.TEXT: _text,
    Type.INTEGER: _integer,
    Type.DECIMAL: _decimal,
    Type.FLOAT: _float,
    Type.BOOLEAN: _boolean,
    Type.DATE: _day,
    Type.MONTH: _month,
    Type.INSTANT: _instant,
}
