"""The header of sacct's delimited text, and how a row is cut into its fields.

Here: field names, the delimiter, and rows whose job name holds the delimiter or a line feed,
which Slurm does not escape. Such a row is mended only where one reading alone is possible.
Not here: what the cells mean (`values`), or lines of a file (`from_text`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from geniac_pipelines.gpu_usage.sacct import values
from geniac_pipelines.gpu_usage.sacct.fields import (
    FIELD_NAMES,
    FREE_TEXT,
    JOB_ID,
    ONLY_SLURMS,
    READERS,
)

_LANDED_FREE_TEXT = "JobName"
_WITHIN_VALUES = frozenset(",:=/+-.[]_ ")
"""Characters of stamps, TRES texts, node lists and states (`CANCELLED by 0`)."""
_UTC = ZoneInfo("UTC")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
MOST_ATTEMPTS = 5_000
"""A row whose readings cannot be gone through in this many attempts is not mended."""


@dataclass(frozen=True)
class Layout:
    """A header: its fields in order, the delimiter, and whether it ends every line (`-p`)."""

    names: tuple[str, ...]
    delimiter: str
    trailing: bool

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of each field; of one named twice, the first."""
        return {name: at for at, name in reversed(list(enumerate(self.names)))}

    @cached_property
    def id_at(self) -> int | None:
        """Position of JobIDRaw, else of JobID."""
        return self.index.get("JobIDRaw", self.index.get("JobID"))

    @property
    def is_sure(self) -> bool:
        """Whether no typed value can hold the delimiter."""
        return not _WITHIN_VALUES & set(self.delimiter)

    @cached_property
    def _free(self) -> tuple[int, ...]:
        return tuple(at for at, name in enumerate(self.names) if name in FREE_TEXT)

    @cached_property
    def may_span_lines(self) -> bool:
        """Whether a row over several lines can be told: free text that stands after the id."""
        return bool(self._free) and self.id_at is not None and self.id_at < self._free[0]

    @property
    def line(self) -> str:
        """The header as it is printed."""
        return self.delimiter.join(self.names) + (self.delimiter if self.trailing else "")

    def starts(self, parts: Sequence[str], *, cut: bool = False) -> bool:
        """Whether a line cut at the delimiter begins a row: its first typed fields fit.

        `cut`: the file ends within the line, so its last part may be half a field.
        """
        at = self.id_at
        if at is None or at >= len(parts) or not JOB_ID.fullmatch(parts[at]):
            return False
        if len(parts) == len(self.names) + self.trailing:
            return True
        typed = min(self._free[0] if self._free else len(self.names), len(parts) - cut)
        return all(self._fits(k, parts[k]) for k in range(typed))

    def begins_step(self, parts: Sequence[str]) -> bool:
        """Whether a line that begins a row is a job step's, even where the row is broken."""
        return self.starts(parts) and self.is_step(parts)

    def is_step(self, fields: Sequence[str]) -> bool:
        """Whether a row is a job step's: its id has a dot."""
        return any("." in fields[at] for at in self._ids if at < len(fields))

    @cached_property
    def _ids(self) -> tuple[int, ...]:
        return tuple(self.index[n] for n in ("JobIDRaw", "JobID") if n in self.index)

    def is_mended(self, lines: Sequence[str]) -> bool:
        """Whether a row on these lines has more lines or delimiters than it should."""
        plain = len(self.names) - 1 + self.trailing
        return len(lines) > 1 or lines[0].count(self.delimiter) > plain

    def fields(self, lines: Sequence[str]) -> list[str] | None:
        """The fields of one row that stands on these lines, None unless exactly one reading fits.

        A row on one line with the right number of fields is taken as it is. Otherwise surplus
        delimiters and line feeds must belong to free text, and every typed field must fit.
        """
        parts = "\n".join(lines).split(self.delimiter)
        if self.trailing and parts.pop():
            return None
        surplus = len(parts) - len(self.names)
        if surplus < 0:
            return None
        if surplus == 0 and len(lines) == 1:
            return parts
        attempts = iter(range(MOST_ATTEMPTS))
        readings = list(self._readings(parts, 0, 0, surplus, attempts))
        if not readings or next(attempts, None) is None:
            return None
        landed = {tuple(f for f, keep in zip(r, self._kept, strict=True) if keep) for r in readings}
        return readings[0] if len(landed) == 1 else None

    @cached_property
    def _kept(self) -> tuple[bool, ...]:
        return tuple(n not in FREE_TEXT or n == _LANDED_FREE_TEXT for n in self.names)

    def _readings(
        self, parts: list[str], column: int, at: int, surplus: int, attempts: Iterator[int]
    ) -> Iterator[list[str]]:
        """Every way to give the surplus pieces to free-text columns so that all others fit."""
        if next(attempts, None) is None:
            return
        taken: list[str] = []
        while column < len(self.names) and self.names[column] not in FREE_TEXT:
            if not self._fits(column, parts[at]):
                return
            taken.append(parts[at])
            column, at = column + 1, at + 1
        if column == len(self.names):
            if surplus == 0:
                yield taken
            return
        for extra in range(surplus + 1):
            free = self.delimiter.join(parts[at : at + extra + 1])
            rests = self._readings(parts, column + 1, at + extra + 1, surplus - extra, attempts)
            for rest in rests:
                yield [*taken, free, *rest]

    def _fits(self, column: int, cell: str) -> bool:
        read = READERS.get(self.names[column])
        return "\n" not in cell and (read is None or values.is_readable(read, cell))


def layout_of(line: str) -> Layout | None:
    """The layout that a header line of `sacct -P` or `-p` gives, None if it is no such header."""
    first = _NAME.match(line)
    if first is None:
        return None
    gap = re.match(r"[^A-Za-z0-9_]+", line[first.end() :])
    if gap is None:
        return None
    names = line.split(gap[0])
    trailing = names[-1] == ""
    if trailing:
        names.pop()
    if not all(_NAME.fullmatch(name) for name in names) or not _are_slurms(names):
        return None
    return Layout(tuple(names), gap[0], trailing)


def is_fixed_width(lines: Sequence[str]) -> bool:
    """Whether these are the first lines of sacct's table for the eye: names over dashes."""
    return (
        len(lines) > 1
        and _are_slurms(lines[0].split())
        and all(set(dashes) == {"-"} for dashes in lines[1].split() or [""])
    )


def is_headerless(line: str) -> bool:
    """Whether a line looks like a row of sacct without header, as `sacct -n` or XDMoD dump it."""
    for delimiter in ("|", "\x1f", "\t"):
        parts = line.split(delimiter)
        if (
            len(parts) >= 8
            and any(JOB_ID.fullmatch(part) for part in parts[:2])
            and sum(_is_time(part) for part in parts) >= 2
            and any(_KNOWN_STATE.fullmatch(part) for part in parts)
        ):
            return True
    return False


_KNOWN_STATE = re.compile(
    r"(BOOT_FAIL|CANCELLED|COMPLETED|DEADLINE|FAILED|NODE_FAIL|OUT_OF_MEMORY|PENDING|PREEMPTED|"
    r"RUNNING|REQUEUED|RESIZING|REVOKED|SUSPENDED|TIMEOUT)( by .+)?"
)
_EARLIEST_EPOCH = 1_000_000_000


def _is_time(part: str) -> bool:
    if part.isdecimal():
        return len(part) == 10 and int(part) >= _EARLIEST_EPOCH
    try:
        return bool(values.instants(part, _UTC))
    except values.UnreadableCell:
        return False


def _are_slurms(names: Sequence[str]) -> bool:
    known = FIELD_NAMES.intersection(names)
    return len(known) >= 3 and 3 * len(known) >= 2 * len(set(names)) and bool(known & ONLY_SLURMS)
