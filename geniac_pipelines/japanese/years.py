"""The year of a written date: an era year, a western one, or that of FY26.

Here: the grammar of a year and the eras' bounds. Not here: months and days (`date_points`).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from geniac_pipelines.calendar import ERAS, Era

# A four-digit number outside these is not taken for a year.
FIRST_YEAR, LAST_YEAR = 1868, 2199


class NotAPoint(Exception):
    """The text is no point in time; carries the reason in Japanese and English."""

    def __init__(self, reason_ja: str, reason_en: str) -> None:
        self.reason_ja = reason_ja
        self.reason_en = reason_en
        super().__init__(reason_en)


_ERA_NAME: Final = "明治|大正|昭和|平成|令和|明|大|昭|平|令|[MTSHR]"
YEAR: Final = (
    rf"(?:(?P<era>{_ERA_NAME})\.?(?P<era_year>元|[0-9]{{1,3}})|(?:西暦)?(?P<ad>[0-9]{{4}}))"
)


def western_year(era: str, era_year: str) -> tuple[int, Era]:
    """The calendar year of a written era year (R8, 令和元), and its era."""
    found = next(e for e in ERAS if era.upper() in (e.name, e.name[0], e.letter))
    number = 1 if era_year == "元" else int(era_year)
    year = found.western_year(number)
    if number == 0 or year > LAST_YEAR:
        raise NotAPoint(f"{era}{era_year}年という年はありません。", f"no year {era}{era_year}")
    return year, found


class Written:
    """The named parts that one rule found; a part that the rule lacks is None."""

    def __init__(self, found: re.Match[str]) -> None:
        self._parts = found.groupdict()

    def get(self, name: str) -> str | None:
        return self._parts.get(name)

    def number(self, name: str) -> int:
        return int(self._parts[name])


def year_of(written: Written) -> tuple[int, Era | None] | None:
    """The year as written, with its era; None when no year was written."""
    era, short = written.get("era"), written.get("fy")
    if era is not None:
        return western_year(era, written.get("era_year") or "")
    if short is not None and len(short) == 2:
        return 2000 + int(short), None
    digits = written.get("ad") or short
    if digits is None:
        return None
    year = int(digits)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotAPoint(
            f"{year}年は扱う範囲（{FIRST_YEAR}～{LAST_YEAR}年）にありません。",
            f"the year {year} is outside {FIRST_YEAR} to {LAST_YEAR}",
        )
    return year, None


def outside_era(earliest: date, latest: date, era: Era) -> tuple[str, ...]:
    """A warning where days are written in an era that did not hold all of them."""
    if earliest >= era.first and (era.last is None or latest <= era.last):
        return ()
    return (
        f"{era.name}は{era.first}～{era.last or ''}です。{earliest}～{latest}と読みました / "
        f"{era.name} was from {era.first} to {era.last or 'now'}; "
        f"read as {earliest} to {latest}",
    )
