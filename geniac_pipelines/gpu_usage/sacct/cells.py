"""The fields of one row of sacct's text into a typed `Job`.

Here: which field gives which fact, which may be unreadable without costing the row, and local
times that come twice. Not here: single cells (`values`), or what a run's facts mean
together (`job`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import pairwise, product
from typing import TypeVar
from zoneinfo import ZoneInfo

from geniac_pipelines.gpu_usage.sacct import complaints, values
from geniac_pipelines.gpu_usage.sacct.fields import exit_code, job_id
from geniac_pipelines.gpu_usage.sacct.job import COMMAND, ELAPSED_TOLERANCE_SECONDS, Job
from geniac_pipelines.gpu_usage.sacct.layout import Layout
from geniac_pipelines.gpu_usage.sacct.tres import Gres, UnreadableTres, gpus, gpus_of_gres
from geniac_pipelines.intake.reading import Complaint, Place, Refusal

T = TypeVar("T")
_REMEMBERED = 1 << 14


class RowRefused(Exception):
    """A row can't be taken; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.en)
        self.refusal = refusal


class Typist:
    """Turns rows under one header into jobs, local stamps being read in one zone.

    `local` tells whether any stamp so far came without offset. Equal cells are read once, since
    jobs share their TRES texts and many of their stamps.
    """

    def __init__(self, layout: Layout, zone: str) -> None:
        self.local = False
        self._layout = layout
        self._zone = ZoneInfo(zone)
        self._instants = lru_cache(_REMEMBERED)(self._read_instants)
        self._gpus = lru_cache(_REMEMBERED)(gpus)
        self._gpus_of_gres = lru_cache(_REMEMBERED)(gpus_of_gres)

    def job(self, fields: Sequence[str], place: Place) -> tuple[Job, list[Refusal]]:
        """The job, and complaints about cells that were left empty. Raises RowRefused."""
        cells = _Cells(self._layout, fields, place)
        return self._typed(cells), cells.notes

    def _read_instants(self, cell: str) -> tuple[datetime, ...]:
        self.local = self.local or values.is_local(cell)
        return values.instants(cell, self._zone)

    def _typed(self, cells: _Cells) -> Job:
        elapsed = cells.first(("ElapsedRaw", values.count), ("Elapsed", values.duration))
        suspended = cells.take("Suspended", values.duration)
        submitted, eligible, started, ended = self._times(cells, elapsed, suspended)
        return Job(
            job_id=cells.must("JobIDRaw" if cells.has("JobIDRaw") else "JobID", job_id),
            state=_state(cells),
            cluster=cells.take("Cluster", values.text),
            account=cells.take("Account", values.text),
            user=cells.take("User", values.text),
            job_name=cells.take("JobName", lambda cell: cell or None),
            partition=cells.take("Partition", values.text),
            qos=cells.take("QOS", values.text),
            exit_code=cells.take("ExitCode", exit_code),
            reason=cells.take("Reason", values.text),
            submitted_at=submitted,
            eligible_at=eligible,
            started_at=started,
            ended_at=ended,
            elapsed_seconds=elapsed,
            suspended_seconds=suspended,
            time_limit_seconds=cells.first(
                ("TimelimitRaw", values.limit_minutes), ("Timelimit", values.limit)
            ),
            node_count=cells.take("NNodes", values.count),
            node_list=cells.take("NodeList", values.text),
            allocated=(
                cells.must("AllocTRES", self._tres)
                if cells.has("AllocTRES")
                else cells.must("AllocGRES", self._gpus_of_gres)
            ),
            requested=cells.first(("ReqTRES", self._tres), ("ReqGRES", self._gpus_of_gres)),
            energy_joules=cells.take("ConsumedEnergyRaw", values.joules),
        )

    def _tres(self, cell: str) -> Gres | None:
        """Every job on nodes has a TRES text, so that an empty one says nothing about GPUs."""
        return None if cell in values.SENTINELS else self._gpus(cell)

    def _times(
        self, cells: _Cells, elapsed: int | None, suspended: int | None
    ) -> tuple[datetime | None, ...]:
        """Submit, Eligible, Start and End, where need be settled between two meanings."""
        found = [
            cells.must("Submit", self._instants) if cells.has("Submit") else (),
            cells.take("Eligible", self._instants) or (),
            cells.must("Start", self._instants),
            cells.must("End", self._instants),
        ]
        if all(len(meanings) <= 1 for meanings in found):
            return tuple(meanings[0] if meanings else None for meanings in found)
        length = None if elapsed is None else elapsed + (suspended or 0)
        settled = _settled([meanings or (None,) for meanings in found], length)
        if settled is None:
            raise RowRefused(complaints.AMBIGUOUS_TIME.at(cells.place, command=COMMAND))
        return settled


def _state(cells: _Cells) -> str:
    if not cells.has("State"):
        return values.UNKNOWN_STATE
    if cells.text("State") in values.SENTINELS:
        cells.notes.append(complaints.STATE_EMPTY.at(cells.at("State")))
    return cells.must("State", values.state)


def _settled(
    found: Sequence[tuple[datetime | None, ...]], length: int | None
) -> tuple[datetime | None, ...] | None:
    """The one choice of instants that keeps Submit ≤ Eligible ≤ Start ≤ End and the length."""
    choices = []
    for choice in product(*found):
        known = [instant for instant in choice if instant is not None]
        if all(a <= b for a, b in pairwise(known)):
            choices.append(choice)
    if len(choices) > 1 and length is not None:
        choices = [c for c in choices if _lasts(c[2], c[3], length)]
    return choices[0] if len(choices) == 1 else None


def _lasts(started: datetime | None, ended: datetime | None, length: int) -> bool:
    if started is None or ended is None:
        return True
    span = (ended - started).total_seconds()
    return abs(span - length) <= ELAPSED_TOLERANCE_SECONDS


@dataclass(slots=True)
class _Cells:
    """The cells of one row by field name; what could not be read collects in `notes`."""

    layout: Layout
    fields: Sequence[str]
    place: Place
    notes: list[Refusal] = field(default_factory=list)

    def has(self, name: str) -> bool:
        return name in self.layout.index

    def text(self, name: str) -> str:
        """The cell, "" where there is no such field."""
        at = self.layout.index.get(name)
        return "" if at is None else self.fields[at]

    def at(self, name: str) -> Place:
        return Place(row=self.place.row, column=name)

    def must(self, name: str, read: Callable[[str], T]) -> T:
        """The cell's value; raises RowRefused where it can't be read."""
        try:
            return read(self.text(name))
        except (values.UnreadableCell, UnreadableTres) as error:
            raise RowRefused(self._complaint(complaints.REQUIRED_CELL, name, error)) from None

    def take(self, name: str, read: Callable[[str], T | None]) -> T | None:
        """The cell's value; None with a complaint where it can't be read."""
        if name not in self.layout.index:
            return None
        try:
            return read(self.text(name))
        except (values.UnreadableCell, UnreadableTres) as error:
            self.notes.append(self._complaint(complaints.CELL, name, error))
            return None

    def first(self, *fields: tuple[str, Callable[[str], T | None]]) -> T | None:
        """The value of the first of these fields that has one."""
        found = (self.take(name, read) for name, read in fields)
        return next((value for value in found if value is not None), None)

    def _complaint(self, complaint: Complaint, name: str, error: ValueError) -> Refusal:
        if isinstance(error, values.UnreadableCell):
            ja, en = error.expected_ja, error.expected_en
        else:
            ja, en = "TRES(billing=16,gres/gpu=8 の形)", f"a TRES text ({error})"
        cell = self.text(name)
        return complaint.at(self.at(name), cell, expected_ja=ja, expected_en=en, command=COMMAND)
