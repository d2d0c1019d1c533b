"""One written point in time, of any fineness: a day, 上旬, a month, a quarter, a 年度.

Here: the grammar of a single point in normalised text (`dates.py` normalises). Not here: ranges,
words around the date, or cells that are no text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from geniac_pipelines.calendar import FISCAL_YEAR_FIRST_MONTH, Month, fiscal_year
from geniac_pipelines.japanese.periods import Precision
from geniac_pipelines.japanese.years import YEAR, NotAPoint, Written, outside_era, year_of


@dataclass(frozen=True, slots=True)
class Point:
    """A point read from text; `year` is the fiscal one when `fiscal`.

    `borrowed` tells what was not written but taken from elsewhere: "" nothing, "year" or "month".
    """

    earliest: date
    latest: date
    precision: Precision
    year: int
    fiscal: bool = False
    borrowed: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where unwritten parts come from: the point before in a range, else the as-of day."""

    as_of: date | None = None
    before: Point | None = None


_M = "(?P<month>[0-9]{1,2})"
_D = "(?P<day>[0-9]{1,2})"
_PART = "(?P<part>上旬|初旬|中旬|下旬|前半|後半|末日?)"
# 四半期 arrives as Q, see `dates.py`.
_SPAN = (
    "(?:第?(?P<q1>[1-4])Q期?|Q(?P<q2>[1-4])|(?P<half>上半?期|下半?期|H[12]|[12]H))(?P<end>末日?)?"
)

_FIRST_HALF = ("上", "H1", "1H")

_PARTS: Final[dict[str, Callable[[Month], tuple[int, int]]]] = {
    "上旬": lambda month: (1, 10),
    "初旬": lambda month: (1, 10),
    "中旬": lambda month: (11, 20),
    "下旬": lambda month: (21, month.last.day),
    "前半": lambda month: (1, 15),
    "後半": lambda month: (16, month.last.day),
    "末": lambda month: (month.last.day, month.last.day),
    "末日": lambda month: (month.last.day, month.last.day),
}


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def read_point(text: str, around: Surroundings) -> Point:
    """Read normalised text as one point. Raises NotAPoint."""
    for pattern, build in _RULES:
        found = pattern.fullmatch(text)
        if found is not None:
            return build(Written(found), around)
    raise NotAPoint(
        "例：2026-09-30、2026年9月、令和8年9月30日、9月上旬、2026年度第2四半期",
        "write for example 2026-09-30, 2026年9月, 令和8年9月30日, 2026年度第2四半期",
    )


def _calendar(
    written: Written, around: Surroundings, span: Callable[[int], tuple[date, date, Precision]]
) -> Point:
    """Build a point of a calendar year, taking an unwritten year from the surroundings."""
    named = year_of(written)
    if named is not None:
        year, era = named
        point = Point(*span(year), year)
        return replace(
            point, warnings=outside_era(point.earliest, point.latest, era) if era else ()
        )
    before = around.before
    if before is not None:
        # A month after a 年度 is counted in that 年度: 2026年度4月～3月 ends in March 2027.
        if before.fiscal:
            month = written.number("month")
            year = before.year + (month < FISCAL_YEAR_FIRST_MONTH)
        else:
            year = before.latest.year
        return Point(*span(year), before.year, fiscal=before.fiscal, borrowed="year")
    if around.as_of is None:
        raise NotAPoint("年がありません。年を付けてください。", "no year is written; write it")
    year = around.as_of.year
    return Point(*span(year), year, borrowed="year", warnings=(_assumed(f"{year}年", year),))


def _assumed(shown: str, year: int) -> str:
    return f"年の記載がないため{shown}と読みました / no year was written; {year} was taken"


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise NotAPoint(
            f"{year}年{month}月{day}日という日はありません。", f"no day {year}-{month}-{day}"
        ) from None


def _month(year: int, month: int) -> Month:
    if not 1 <= month <= 12:
        raise NotAPoint(f"{month}月という月はありません。", f"no month {month}")
    return Month(year, month)


def _day_point(written: Written, around: Surroundings) -> Point:
    def span(year: int) -> tuple[date, date, Precision]:
        day = _date(year, written.number("month"), written.number("day"))
        return day, day, Precision.DAY

    return _calendar(written, around, span)


def _month_point(written: Written, around: Surroundings) -> Point:
    def span(year: int) -> tuple[date, date, Precision]:
        return _part_of(_month(year, written.number("month")), written.get("part"))

    return _calendar(written, around, span)


def _part_of(month: Month, part: str | None) -> tuple[date, date, Precision]:
    if part is None:
        return month.first, month.last, Precision.MONTH
    first, last = _PARTS[part](month)
    precision = Precision.DAY if first == last else Precision.PART_OF_MONTH
    return month.first.replace(day=first), month.first.replace(day=last), precision


def _year_point(written: Written, around: Surroundings) -> Point:
    def span(year: int) -> tuple[date, date, Precision]:
        if written.get("end"):
            return date(year, 12, 31), date(year, 12, 31), Precision.DAY
        return date(year, 1, 1), date(year, 12, 31), Precision.YEAR

    return _calendar(written, around, span)


def _fiscal_point(written: Written, around: Surroundings) -> Point:
    """A 年度, its quarter, half or month; an unwritten 年度 comes from the surroundings."""
    year, borrowed, warnings = _fiscal_year_of(written, around)
    if written.get("month") is not None:
        number = written.number("month")
        month = _month(year + (number < FISCAL_YEAR_FIRST_MONTH), number)
        earliest, latest, precision = _part_of(month, written.get("part"))
    else:
        offset, months, precision = _fiscal_span(written)
        first = Month(year, FISCAL_YEAR_FIRST_MONTH)
        for _ in range(offset):
            first = first.next()
        last = first
        for _ in range(months - 1):
            last = last.next()
        earliest, latest = first.first, last.last
        if written.get("end"):
            earliest, precision = latest, Precision.DAY
    return Point(earliest, latest, precision, year, True, borrowed, warnings)


def _fiscal_year_of(written: Written, around: Surroundings) -> tuple[int, str, tuple[str, ...]]:
    named = year_of(written)
    if named is not None:
        year, era = named
        # 令和元年度 and 平成31年度 both name fiscal 2019, so only a 年度 wholly outside is odd.
        whole = Point(date(year, 4, 1), date(year + 1, 3, 31), Precision.FISCAL_YEAR, year)
        apart = era is not None and (
            whole.latest < era.first or (era.last is not None and whole.earliest > era.last)
        )
        warnings = (
            outside_era(whole.earliest, whole.latest, era) if era is not None and apart else ()
        )
        if len(written.get("fy") or "") == 2:
            warnings = (f"FY{written.get('fy')}を{year}年度と読みました / read as fiscal {year}",)
        return year, "", warnings
    if around.before is not None:
        before = around.before
        return before.year if before.fiscal else fiscal_year(before.latest), "year", ()
    if around.as_of is None:
        raise NotAPoint("年度がありません。年度を付けてください。", "no fiscal year is written")
    year = fiscal_year(around.as_of)
    return year, "year", (_assumed(f"{year}年度", year),)


def _fiscal_span(written: Written) -> tuple[int, int, Precision]:
    """Months from April, how many months, and the precision."""
    quarter, half = written.get("q1") or written.get("q2"), written.get("half")
    if quarter is not None:
        return 3 * (int(quarter) - 1), 3, Precision.QUARTER
    if half is not None:
        return (0 if half.upper().startswith(_FIRST_HALF) else 6), 6, Precision.HALF
    return 0, 12, Precision.FISCAL_YEAR


def _unclear_span(written: Written, around: Surroundings) -> Point:
    raise NotAPoint(
        "年度か暦年か分かりません。「2026年度第2四半期」のように書いてください。",
        "fiscal or calendar year is not told; write for example 2026年度第2四半期",
    )


def _day_after(written: Written, around: Surroundings) -> Point:
    """The bare right end of 2026年9月1日～5日."""
    before = _month_before(around)
    day = _date(before.latest.year, before.latest.month, written.number("day"))
    return replace(before, earliest=day, latest=day, precision=Precision.DAY)


def _part_after(written: Written, around: Surroundings) -> Point:
    """The bare right end of 2026年9月上旬～中旬."""
    before = _month_before(around)
    earliest, latest, precision = _part_of(Month.of(before.latest), written.get("part"))
    return replace(before, earliest=earliest, latest=latest, precision=precision)


def _month_before(around: Surroundings) -> Point:
    fine = (Precision.DAY, Precision.PART_OF_MONTH, Precision.MONTH)
    if around.before is None or around.before.precision not in fine:
        raise NotAPoint("月がありません。月を付けてください。", "no month is written; write it")
    return replace(around.before, borrowed="month", warnings=())


def _of_year(pattern: str) -> re.Pattern[str]:
    return _rule(f"{YEAR}{pattern}")


_FY = "(?:FY'?(?P<fy>[0-9]{4}|[0-9]{2})(?:年度)?)"

_RULES: Final[tuple[tuple[re.Pattern[str], Callable[[Written, Surroundings], Point]], ...]] = (
    (_rule(f"(?:{YEAR}年)?{_M}月{_D}日?"), _day_point),
    (_of_year(rf"(?P<s>[-/.]){_M}(?P=s){_D}"), _day_point),
    (_of_year(f"年{_M}/{_D}"), _day_point),
    (_rule(f"{_M}/{_D}"), _day_point),
    (_rule("(?P<ad>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"), _day_point),
    (_rule(f"(?:{YEAR}年)?{_M}月{_PART}?"), _month_point),
    (_of_year(f"[-/.]{_M}{_PART}?"), _month_point),
    (_of_year("年?(?P<end>末日?)?"), _year_point),
    (_of_year(f"年度{_M}月{_PART}?"), _fiscal_point),
    (_of_year(f"年度(?:の?{_SPAN})?"), _fiscal_point),
    (_of_year("年度(?P<end>末日?)"), _fiscal_point),
    (_rule(f"{_FY}(?:[-/の]?{_SPAN})?"), _fiscal_point),
    (_rule(f"{_FY}(?P<end>末日?)"), _fiscal_point),
    (_of_year(f"年?[-/の]?{_SPAN}"), _unclear_span),
    (_rule(_SPAN), _fiscal_point),
    (_rule(f"{_D}日"), _day_after),
    (_rule(_PART), _part_after),
)
