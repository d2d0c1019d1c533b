"""What single cells of sacct's text mean: stamps, durations, limits, states, counts.

Here: one cell in, one value out, or UnreadableCell. Not here: rows and their faults
(`from_text`), or GPU counts (`tres`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

SENTINELS: Final = frozenset(
    {"", "Unknown", "None", "None assigned", "N/A", "INVALID", "NONE", "(null)"}
)
"""Cells by which sacct says that it has no value."""

NO_VAL: Final = 0xFFFFFFFE
"""From here up a 32-bit number of Slurm's says "no value" (NO_VAL) or "unlimited" (INFINITE)."""

UNKNOWN_STATE: Final = "UNKNOWN"

_EPOCH = re.compile(r"[0-9]{1,11}", re.ASCII)
_STAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)
_DURATION = re.compile(
    r"(?:(?:([0-9]{1,6})-)?([0-9]{1,2}):)?([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?", re.ASCII
)
_COUNT = re.compile(r"[0-9]{1,20}", re.ASCII)
_STATE = re.compile(r"([A-Z][A-Z_]+)(?: by .+|\+)?", re.ASCII)
_UNLIMITED = frozenset({"UNLIMITED", "Partition_Limit"})
_INT64_LIMIT = 1 << 63


class UnreadableCell(ValueError):
    """A cell that is not of its column's type; says in both languages what was expected."""

    def __init__(self, expected_ja: str, expected_en: str) -> None:
        super().__init__(expected_en)
        self.expected_ja = expected_ja
        self.expected_en = expected_en


def text(cell: str) -> str | None:
    """The cell itself, None for a sentinel."""
    return None if cell in SENTINELS else cell


def instants(cell: str, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The instants (UTC) that a stamp can mean: none, one, or two in an hour that comes twice.

    Epoch seconds (SLURM_TIME_FORMAT=%s) and stamps with an offset mean one; a stamp without
    offset is local to `zone`. 0 is Slurm's "not yet". Raises UnreadableCell for anything else,
    also for a local time that the clocks jump over.
    """
    if cell in SENTINELS:
        return ()
    if _EPOCH.fullmatch(cell):
        seconds = int(cell)
        return (datetime.fromtimestamp(seconds, UTC),) if seconds else ()
    found = _STAMP.fullmatch(cell)
    if found is None:
        raise UnreadableCell(
            "時刻(1970年からの秒数、または2026-11-23T14:32:55の形)",
            "a time (epoch seconds, or like 2026-11-23T14:32:55)",
        )
    try:
        stamp = datetime.fromisoformat(cell)
        if found[1]:
            return (stamp.astimezone(UTC),)
        return _of_local(stamp, zone)
    except (ValueError, OverflowError):
        raise UnreadableCell("実在する時刻", "a time that exists") from None


def _of_local(stamp: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    both = (stamp.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    # a time that was jumped over does not come back as itself
    real = {i for i in both if i.astimezone(zone).replace(tzinfo=None) == stamp}
    if not real:
        raise ValueError
    return tuple(sorted(real))


def is_local(cell: str) -> bool:
    """Whether a stamp says neither epoch seconds nor its offset."""
    found = _STAMP.fullmatch(cell)
    return found is not None and found[1] is None


def duration(cell: str) -> int | None:
    """Whole seconds of `[D-]HH:MM:SS` or `MM:SS` (fractions cut), None for a sentinel."""
    if cell in SENTINELS:
        return None
    found = _DURATION.fullmatch(cell)
    if found is None:
        raise UnreadableCell("時間([日-]時:分:秒)", "a duration ([D-]HH:MM:SS)")
    days, hours, minutes, secs = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + secs


def limit(cell: str) -> int | None:
    """Seconds of a Timelimit; None where there is none of its own or it is unlimited."""
    return None if cell in _UNLIMITED else duration(cell)


def limit_minutes(cell: str) -> int | None:
    """Seconds of a TimelimitRaw, which is in minutes; None as in `limit`."""
    minutes = None if cell in _UNLIMITED else count(cell)
    return None if minutes is None or minutes >= NO_VAL else minutes * 60


def count(cell: str) -> int | None:
    """A whole number from 0, None for a sentinel. Raises UnreadableCell beyond 64 bits."""
    if cell in SENTINELS:
        return None
    if not _COUNT.fullmatch(cell) or int(cell) >= _INT64_LIMIT:
        raise UnreadableCell("0以上の整数", "a whole number from 0")
    return int(cell)


def joules(cell: str) -> int | None:
    """ConsumedEnergyRaw; 0 is None, as sacct prints it where no node measures energy.

    Numbers beyond 64 bits (Slurm's NO_VAL64) are None too.
    """
    if _COUNT.fullmatch(cell) and int(cell) >= _INT64_LIMIT - 1:
        return None
    return count(cell) or None


def state(cell: str) -> str:
    """The state without its tail (`CANCELLED by 0`), `UNKNOWN` for a sentinel."""
    if cell in SENTINELS:
        return UNKNOWN_STATE
    found = _STATE.fullmatch(cell)
    if found is None:
        raise UnreadableCell("ジョブの状態(COMPLETEDなど)", "a job state such as COMPLETED")
    return found[1]


def is_readable(read: Callable[[str], object], cell: str) -> bool:
    """Whether `read` takes the cell."""
    try:
        read(cell)
    except ValueError:
        return False
    return True
