"""Dates and periods as people write them, to a first and a last day.

Here: the public readers, ranges, and cells that hold a date already. Signs and words around a
date are in `date_text`, the grammar of a single point in `date_points`. Not here: instants; a time
of day is dropped with a warning.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from geniac_pipelines.calendar import jst_date
from geniac_pipelines.japanese.absent import is_dash, is_no_value, is_undecided
from geniac_pipelines.japanese.date_points import Point, Surroundings
from geniac_pipelines.japanese.date_text import clock_dropped, normalised, read_with_words
from geniac_pipelines.japanese.errors import NoValue, UnreadableDate
from geniac_pipelines.japanese.periods import Period, Precision
from geniac_pipelines.japanese.years import NotAPoint

__all__ = ["Period", "Precision", "from_excel_serial", "parse_date", "parse_period"]

_LAST_UNIT = re.compile("(年度|[年月日Q])$")


def parse_period(text: str | date | None, *, as_of: date | None = None) -> Period:
    """Read a date or period as people in Japan write it.

    Read are: eras (令和8年4月1日, R8.4.1, ㋿, 元年), kanji and full-width numerals, ISO and slashed
    dates, 20260930, months, 上旬・中旬・下旬, 前半・後半, 月末, 年度, its 四半期 and 上期・下期 and
    months, ranges with any dash or tilde, 現在 stamps, and 未定 or a dash for "undecided".
    A year that is not written is that of `as_of` (a JST day) or of the other end of a range.
    A day of an era before it began or after it ended is taken, with a warning, and so is every
    other assumption. 四半期 or 上期 of a year that is not said to be a 年度 is refused as unclear.

    A `date` cell is taken as it is; a naive `datetime` cell is Japan time, as spreadsheets hold
    it, and an aware one is brought to Japan time. Excel serial numbers go through
    `from_excel_serial`.

    Raises UnreadableDate, also for days that do not exist, and NoValue for a blank or なし.
    """
    if text is None:
        raise _no_value("")
    if not isinstance(text, str):
        return _from_cell(text)
    if is_no_value(text):
        raise _no_value(text)
    if is_undecided(text) or is_dash(text):
        return Period(None, None, Precision.UNDECIDED, text)
    try:
        point = _read(normalised(text), as_of)
    except NotAPoint as error:
        raise UnreadableDate(text, error.reason_ja, error.reason_en) from None
    return Period(point.earliest, point.latest, point.precision, text, point.warnings)


def parse_date(text: str | date | None, *, as_of: date | None = None) -> date:
    """Read one day, by the rules of `parse_period`.

    Raises UnreadableDate where the text means more than a day, and NoValue where it is blank or
    says that the date is undecided.
    """
    period = parse_period(text, as_of=as_of)
    if period.earliest is None:
        raise _no_value(period.text)
    if period.earliest != period.latest:
        raise UnreadableDate(
            period.text,
            f"1日に決まりません（{period.earliest}～{period.latest}）。日まで書いてください。",
            f"it is not one day ({period.earliest} to {period.latest}); write the day",
        )
    return period.earliest


def from_excel_serial(serial: float, *, epoch_1904: bool = False) -> date:
    """The day of an Excel serial number (ECMA-376 part 1, 18.17.4.1); a time of day is dropped.

    In the 1900 system day 1 is 1900-01-01 and day 60 is 1900-02-29, which never was and is
    refused. In the 1904 system day 0 is 1904-01-01. Raises UnreadableDate.
    """
    day = math.floor(serial) if math.isfinite(serial) else -1
    last = 2_957_003 if epoch_1904 else 2_958_465  # 9999-12-31
    first = 0 if epoch_1904 else 1
    if not first <= day <= last or (not epoch_1904 and day == 60):
        raise UnreadableDate(
            str(serial),
            "Excelの日付シリアル値ではありません。",
            "not a day of Excel's calendar",
        )
    if epoch_1904:
        return date(1904, 1, 1) + timedelta(days=day)
    return date(1899, 12, 30 if day > 60 else 31) + timedelta(days=day)


def _no_value(text: str) -> NoValue:
    return NoValue(
        text,
        "日付が入っていません。未定なら「未定」と書いてください。",
        "no date is given; write 未定 if it is undecided",
    )


def _from_cell(cell: date) -> Period:
    if not isinstance(cell, date):
        raise TypeError(f"a text or a date was expected, not {cell!r}: see from_excel_serial()")
    if not isinstance(cell, datetime):
        return Period(cell, cell, Precision.DAY, cell.isoformat())
    if cell != cell:  # noqa: PLR0124 - pandas' NaT is a datetime that equals nothing
        raise _no_value(str(cell))
    day = cell.date() if cell.tzinfo is None else jst_date(cell)
    warnings = () if cell.time() == time() else (clock_dropped(cell.time().isoformat()),)
    return Period(day, day, Precision.DAY, cell.isoformat(), warnings)


def _read(text: str, as_of: date | None) -> Point:
    around = Surroundings(as_of=as_of)
    if "~" in text:
        left, _, right = text.partition("~")
        return _range(left, right, around)
    try:
        return read_with_words(text, around)
    except NotAPoint as failed:
        reason = failed
    readings: dict[tuple[date, date], Point] = {}
    for found in re.finditer("-", text):
        try:
            point = _range(text[: found.start()], text[found.end() :], around)
        except NotAPoint:
            continue
        readings[point.earliest, point.latest] = point
    if len(readings) == 1:
        return next(iter(readings.values()))
    raise reason


def _range(left: str, right: str, around: Surroundings) -> Point:
    """Join two ends, each of which may lack what the other one says."""
    if not left.strip() or not right.strip():
        raise NotAPoint(
            "期間の始めと終わりの両方を書いてください。", "write both the start and the end"
        )
    right = right.removesuffix("期") if right.endswith("月期") else right
    right = right.removesuffix("まで").removesuffix("迄")
    start = _left_end(left, right, around)
    end = read_with_words(right, replace(around, before=start))
    if end.latest < start.earliest and end.borrowed == "year":
        # 12月28日～1月5日 goes over the New Year.
        later = replace(start, year=start.year + 1, latest=_years_later(start.latest))
        end = read_with_words(right, replace(around, before=later))
    if end.latest < start.earliest:
        raise NotAPoint(
            f"終わり（{end.latest}）が始め（{start.earliest}）より前です。",
            f"the end {end.latest} is before the start {start.earliest}",
        )
    warnings = tuple(dict.fromkeys(start.warnings + end.warnings))
    return replace(start, latest=end.latest, precision=Precision.RANGE, warnings=warnings)


def _years_later(day: date) -> date:
    # The first of the month exists in every year, and only year and month are used.
    return day.replace(year=day.year + 1, day=1)


def _left_end(left: str, right: str, around: Surroundings) -> Point:
    """The left end, first with the unit that only the right end names: 4～6月, 2026～2028年度."""
    unit = _LAST_UNIT.search(right)
    if unit is not None and left[-1:].isdecimal():
        try:
            return read_with_words(left + unit[1], around)
        except NotAPoint:
            pass
    return read_with_words(left, around)
