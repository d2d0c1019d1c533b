"""Who is told when, in business days of Japan's ministries.

The digest comes on business days and covers all nights since the last one. A company that owes
something is reminded on the first, fifth and tenth business day after the due day; a due day on a
day off moves to the next business day.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date

from geniac_pipelines.calendar import (
    business_days_between,
    is_business_day,
    roll_to_business_day,
)

REMINDERS = (1, 5, 10)
"""Business days after the due day on which the first, second, third reminder is drafted."""


def digest_due(day: date) -> bool:
    """Whether the secretariat gets its digest on this day (JST)."""
    return is_business_day(day)


def days_late(due: date, day: date) -> int:
    """Business days since the due day; 0 or less while it is not over."""
    return business_days_between(roll_to_business_day(due), day)


def reminder_step(due: date, day: date) -> int:
    """Which reminder is due on this day: 0 for none yet, then 1, 2, 3."""
    return bisect_right(REMINDERS, days_late(due, day))
