"""What a written date means: a first and a last day, and how finely it was written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Precision(StrEnum):
    """How finely a date was written."""

    DAY = "day"
    PART_OF_MONTH = "part_of_month"  # 上旬・中旬・下旬, 前半・後半
    MONTH = "month"
    QUARTER = "quarter"
    HALF = "half"
    YEAR = "year"
    FISCAL_YEAR = "fiscal_year"
    RANGE = "range"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a written date may mean, both included, with the text as it came.

    `earliest` and `latest` are JST days; both are None when, and only when, the text says that
    the date is undecided. 月末 and 年度末 are that last day, with the precision of a day.
    `warnings` (Japanese / English) tell what was assumed, so that the text can be put right.
    """

    earliest: date | None
    latest: date | None
    precision: Precision
    text: str
    warnings: tuple[str, ...] = ()
