"""Days, months, fiscal years and business days of the programme, all in Japan time.

Here: what a 年度, a month or a business day is, and where a JST day begins and ends in UTC.
Not here: reading dates that people wrote (`geniac_pipelines.japanese`), and who is told what on
which day (`geniac_pipelines.alerts`).

Instants are aware datetimes and are stored in UTC; days are `datetime.date` and mean JST days.
A `datetime` is refused wherever a day is expected, since its own date may be the day before in
Japan: pass it through `jst_date` first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from re import fullmatch
from typing import NamedTuple
from zoneinfo import ZoneInfo

JST = ZoneInfo("Asia/Tokyo")

FISCAL_YEAR_FIRST_MONTH = 4

# Saturdays became days off for every ministry in May 1992; equinoxes are computed to 2099.
FIRST_BUSINESS_YEAR, LAST_BUSINESS_YEAR = 1993, 2099

# Article 1, paragraph 1, item 3 of 行政機関の休日に関する法律: 12-29 to 01-03 of the next year.
_YEAR_END_CLOSURE = frozenset({(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)})


class Era(NamedTuple):
    """One 元号 and the days on which it was in force (`last` is None for the present one)."""

    name: str
    letter: str
    first: date
    last: date | None

    def western_year(self, era_year: int) -> int:
        """The calendar year of this era's year; year 1 is 元年."""
        return self.first.year - 1 + era_year


# First and last days from the edicts and cabinet orders of each 改元; until 平成 the day of change
# belongs to both eras. Meiji was declared in the autumn of 1868 with effect from the New Year's
# Day of the lunar calendar, 1868-01-25.
ERAS: tuple[Era, ...] = (
    Era("明治", "M", date(1868, 1, 25), date(1912, 7, 30)),
    Era("大正", "T", date(1912, 7, 30), date(1926, 12, 25)),
    Era("昭和", "S", date(1926, 12, 25), date(1989, 1, 7)),
    Era("平成", "H", date(1989, 1, 8), date(2019, 4, 30)),
    Era("令和", "R", date(2019, 5, 1), None),
)


def _day(value: date) -> date:
    if isinstance(value, datetime):
        raise TypeError(f"a day was expected, not the instant {value!r}: use jst_date() first")
    return value


def fiscal_year(day: date) -> int:
    """The 年度 that a day falls in: April to March, named by the year of its April."""
    _day(day)
    return day.year if day.month >= FISCAL_YEAR_FIRST_MONTH else day.year - 1


def era_year(day: date) -> str:
    """The Japanese era year for report text, such as 令和8年; the first year is 元年.

    Raises ValueError before 1873-01-01, when Japan took the Gregorian calendar.
    """
    _day(day)
    if day < date(1873, 1, 1):
        raise ValueError(f"no era year for {day}: Japan took the Gregorian calendar in 1873")
    era = next(era for era in reversed(ERAS) if era.first <= day)
    number = day.year - era.first.year + 1
    return f"{era.name}{'元' if number == 1 else number}年"


def jst_date(instant: datetime) -> date:
    """The JST day of an aware instant. Raises ValueError for a naive one."""
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise ValueError(f"{instant!r} has no time zone; its day in Japan cannot be known")
    return instant.astimezone(JST).date()


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Start and exclusive end of a JST day, as aware UTC datetimes."""
    return _midnight(_day(day)), _midnight(day + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=JST).astimezone(UTC)


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A calendar month in Japan; ordered by time, written "2026-09"."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not 1 <= self.year <= 9999 or not 1 <= self.month <= 12:
            raise ValueError(f"no such month: year {self.year}, month {self.month}")

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read "2026-09", exactly as `str` writes it. Raises ValueError for anything else."""
        found = fullmatch(r"([0-9]{4})-([0-9]{2})", text)
        if found is None:
            raise ValueError(f"a month is written YYYY-MM, not {text!r}")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        """The month that a JST day falls in."""
        _day(day)
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def ja(self) -> str:
        """For report text: 2026年9月."""
        return f"{self.year}年{self.month}月"

    @property
    def fiscal_year(self) -> int:
        """The 年度 of this month."""
        return fiscal_year(self.first)

    @property
    def first(self) -> date:
        """First day."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Last day, inclusive."""
        if self.month == 12:
            return date(self.year, 12, 31)
        return date(self.year, self.month + 1, 1) - timedelta(days=1)

    @property
    def starts_at(self) -> datetime:
        """The month's first instant in Japan, as an aware UTC datetime."""
        return _midnight(self.first)

    @property
    def ends_at(self) -> datetime:
        """The first instant after the month in Japan (exclusive), as an aware UTC datetime."""
        return _midnight(self.last + timedelta(days=1))

    def next(self) -> Month:
        """The month after."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def previous(self) -> Month:
        """The month before."""
        return Month(self.year, self.month - 1) if self.month > 1 else Month(self.year - 1, 12)


def months_between(first: Month, last: Month) -> Iterator[Month]:
    """Every month from `first` to `last`, both included; none when `last` is earlier."""
    while first <= last:
        yield first
        first = first.next()


@cache
def _days_off(year: int) -> frozenset[date]:
    if not FIRST_BUSINESS_YEAR <= year <= LAST_BUSINESS_YEAR:
        raise ValueError(
            f"business days are known from {FIRST_BUSINESS_YEAR} to {LAST_BUSINESS_YEAR}, "
            f"not in {year}"
        )
    # computes tables of all its calendars when imported, which definitions need not wait for
    import holidays  # noqa: PLC0415

    closure = {date(year, month, day) for month, day in _YEAR_END_CLOSURE}
    return frozenset(closure | set(holidays.country_holidays("JP", years=year)))


def is_business_day(day: date) -> bool:
    """Whether ministries work on this day.

    Days off are those of 行政機関の休日に関する法律 (昭和63年法律第91号), article 1: Saturdays and
    Sundays, the holidays of 国民の祝日に関する法律 with their substitutes, and 12-29 to 01-03.
    Raises ValueError outside 1993–2099.
    """
    _day(day)
    return day not in _days_off(day.year) and day.weekday() < 5


def roll_to_business_day(day: date) -> date:
    """The day itself, or the next business day where it is a day off.

    This is how a deadline that falls on a day off moves (article 2 of the same law).
    """
    while not is_business_day(day):
        day += timedelta(days=1)
    return day


def add_business_days(day: date, count: int) -> date:
    """The `count`-th business day after `day`, or before it when `count` is negative.

    `count` 0 gives the day itself, even on a day off; `roll_to_business_day` moves that.
    """
    _day(day)
    step = timedelta(days=1 if count > 0 else -1)
    remaining = abs(count)
    while remaining:
        day += step
        remaining -= is_business_day(day)
    return day


def business_days_between(start: date, end: date) -> int:
    """Business days after `start` up to and including `end`; negative when `end` is earlier.

    It counts as a slip does: from Friday to Monday is 1, from Friday to Saturday 0. Swapping the
    days changes only the sign, and slips over a chain of dates add up.
    """
    _day(start)
    _day(end)
    if end < start:
        return -business_days_between(end, start)
    span = (end - start).days
    return sum(is_business_day(start + timedelta(days=offset)) for offset in range(1, span + 1))
