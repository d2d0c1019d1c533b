"""The truth of a sample, straight from the generated runs and papers, in whole numbers.

A separate path on purpose: nothing here reads a file of the sample, uses a reader of the platform
or asks a database. Everything is told as of a day, out of what had been received by its end:

- A run counts from its start to its end. While the newest file that shows it still shows it
  running it counts up to that file's receipt, and never past the end of the as-of day.
- `gres_seconds` are Slurm's own (a MIG slice counts one); `gpu_part_seconds` are physical, in
  1/28 of a GPU (H100, A100 and H200 slices `Ng.…` are 4N parts).
- Days and months are Japan's, and runs are split at their bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from geniac_pipelines.calendar import Month, add_business_days, months_between
from geniac_pipelines.sample.feeds import SacctFile, Sighting
from geniac_pipelines.sample.inbox import Inbox
from geniac_pipelines.sample.model import (
    DAY,
    JST_OFFSET,
    LAST_MONTH,
    Company,
    Pool,
    epoch,
    jst_day,
)
from geniac_pipelines.sample.papers import Paper, support_months
from geniac_pipelines.sample.telemetry import Measured
from geniac_pipelines.sample.verdicts import verdicts

DUE_BUSINESS_DAY: Final = 5
"""Monthly reports are due on this business day of the following month."""

Row = tuple[object, ...]


@dataclass(frozen=True)
class Table:
    """A table of the truth, ready to be written; rows are sorted."""

    name: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass
class Everything:
    """All that was generated, under the paths at which it was handed in."""

    companies: Sequence[Company]
    pools: dict[str, tuple[Pool, ...]]
    first: Month
    inbox: Inbox
    sacct: list[tuple[str, SacctFile]] = field(default_factory=list)
    papers: list[tuple[str, Paper]] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)


@dataclass(frozen=True)
class _Held:
    """A run's use of one gres as known on a day."""

    owner: str | None
    sender: str
    cluster: str
    account: str
    run: tuple[str, int, int]
    state: str
    start: int
    until: int
    gpu_type: str
    slots: int
    parts: int


def tables(everything: Everything, as_of: date) -> Iterator[Table]:
    """Every table of the truth as of the end of a day."""
    cutoff = epoch(as_of + timedelta(days=1))
    held = list(_held(everything, cutoff))
    owned = [h for h in held if h.owner is not None]
    yield _usage_days(owned)
    yield _usage_months(owned)
    yield _job_states(owned)
    yield _unassigned([h for h in held if h.owner is None])
    yield _contracted(everything, as_of, cutoff)
    yield _planned(everything, cutoff)
    yield _reported(everything, cutoff)
    yield _submissions(everything, as_of, cutoff)
    yield _telemetry_days(everything, cutoff)
    yield _verdicts(everything, as_of)


def _held(everything: Everything, cutoff: int) -> Iterator[_Held]:
    owners = {company.organisation_id for company in everything.companies}
    newest: dict[tuple[str, int, int], tuple[SacctFile, Sighting]] = {}
    arrived = [file for _, file in everything.sacct if file.received_at < cutoff]
    for file in sorted(arrived, key=lambda file: file.received_at):
        for sighting in file.legible:
            run = sighting.run
            newest[run.company, run.job_id, run.submit] = file, sighting
    for key, (file, sighting) in newest.items():
        run = sighting.run
        if run.start is None or sighting.until is None:
            continue
        for span in run.spans:
            pool = everything.pools[run.company][span.pool]
            yield _Held(
                owner=run.company if run.company in owners else None,
                sender=file.sender,
                cluster=file.cluster,
                account=run.account,
                run=key,
                state=sighting.state,
                start=run.start,
                until=min(sighting.until, cutoff),
                gpu_type=pool.gpu_type,
                slots=span.high - span.low,
                parts=(span.high - span.low) * pool.parts,
            )


def split_by_day(start: int, end: int) -> Iterator[tuple[date, int]]:
    """The days (Japan) that an interval touches, with its seconds in each."""
    while start < end:
        midnight = ((start + JST_OFFSET) // DAY + 1) * DAY - JST_OFFSET
        yield jst_day(start), min(end, midnight) - start
        start = midnight


def _split_by_month(start: int, end: int) -> Iterator[tuple[Month, int]]:
    """The same by months, each clipped by its own bounds and not added up from days."""
    if start >= end:
        return
    for month in months_between(Month.of(jst_day(start)), Month.of(jst_day(end - 1))):
        begins, ends = epoch(month.first), epoch(month.last + timedelta(days=1))
        yield month, min(end, ends) - max(start, begins)


@dataclass
class _Sum:
    gres_seconds: int = 0
    part_seconds: int = 0
    runs: set[tuple[str, int, int]] = field(default_factory=set)

    def add(self, held: _Held, seconds: int) -> None:
        self.gres_seconds += held.slots * seconds
        self.part_seconds += held.parts * seconds
        self.runs.add(held.run)


def _usage_days(owned: Sequence[_Held]) -> Table:
    sums: dict[tuple[str, str, str], _Sum] = {}
    for held in owned:
        for day, seconds in split_by_day(held.start, held.until):
            key = str(held.owner), str(day), held.gpu_type
            sums.setdefault(key, _Sum()).add(held, seconds)
    return Table(
        "usage_days",
        ("company_id", "usage_date", "gpu_type", "gres_seconds", "gpu_part_seconds", "run_count"),
        _summed(sums),
    )


def _usage_months(owned: Sequence[_Held]) -> Table:
    sums: dict[tuple[str, str, str], _Sum] = {}
    for held in owned:
        for month, seconds in _split_by_month(held.start, held.until):
            key = str(held.owner), str(month), held.gpu_type
            sums.setdefault(key, _Sum()).add(held, seconds)
    return Table(
        "usage_months",
        ("company_id", "month", "gpu_type", "gres_seconds", "gpu_part_seconds", "run_count"),
        _summed(sums),
    )


def _summed(sums: dict[tuple[str, str, str], _Sum]) -> tuple[Row, ...]:
    return tuple(
        (*key, s.gres_seconds, s.part_seconds, len(s.runs)) for key, s in sorted(sums.items())
    )


def _job_states(owned: Sequence[_Held]) -> Table:
    """Runs that held a GPU in a month, by the state that is last known of them."""
    sums: dict[tuple[str, str, str], _Sum] = {}
    for held in owned:
        for month, seconds in _split_by_month(held.start, held.until):
            sums.setdefault((str(held.owner), str(month), held.state), _Sum()).add(held, seconds)
    return Table(
        "job_states",
        ("company_id", "month", "state", "run_count", "gpu_part_seconds"),
        tuple((*key, len(s.runs), s.part_seconds) for key, s in sorted(sums.items())),
    )


def _unassigned(strangers: Sequence[_Held]) -> Table:
    """Use that belongs to no organisation of the register."""
    sums: dict[tuple[str, str, str], _Sum] = {}
    for held in strangers:
        sender = "" if held.sender.startswith("_") else held.sender
        key = sender, held.cluster, held.account
        sums.setdefault(key, _Sum()).add(held, held.until - held.start)
    return Table(
        "unassigned",
        ("sender", "cluster", "account", "run_count", "gpu_part_seconds"),
        tuple((*key, len(s.runs), s.part_seconds) for key, s in sorted(sums.items())),
    )


def _contracted(everything: Everything, as_of: date, cutoff: int) -> Table:
    """Contracted seconds and yen of the days up to the as-of day."""
    rows: list[Row] = []
    for _, paper in everything.papers:
        if not paper.contracts or paper.company is None or paper.received_at >= cutoff:
            continue
        for contract in paper.company.contracts:
            last = min(contract.ends_on, as_of)
            if last < contract.starts_on:
                continue
            for month in months_between(Month.of(contract.starts_on), Month.of(last)):
                days = (min(month.last, last) - max(month.first, contract.starts_on)).days + 1
                gpu_hours = contract.gpu_count * 24 * days
                rows.append(
                    (
                        paper.company.organisation_id, str(month), contract.gpu_type,
                        gpu_hours * 3600, gpu_hours * contract.unit_price_jpy,
                    )
                )  # fmt: skip
    header = ("company_id", "month", "gpu_type", "contracted_gpu_seconds", "contract_jpy")
    return Table("contracted", header, tuple(sorted(rows)))


def _planned(everything: Everything, cutoff: int) -> Table:
    """The newest version that had come, for every month."""
    current: dict[str, Paper] = {}
    for _, paper in everything.papers:
        if paper.plan is None or paper.company is None or paper.received_at >= cutoff:
            continue
        known = current.get(paper.company.organisation_id)
        if known is None or known.plan is None or known.plan.version < paper.plan.version:
            current[paper.company.organisation_id] = paper
    rows: list[Row] = [
        (company_id, str(month), gpu_type, paper.plan.version, hours, jpy)
        for company_id, paper in current.items()
        if paper.plan is not None
        for (month, gpu_type), (hours, jpy) in paper.plan.lines.items()
    ]
    header = (
        "company_id", "month", "gpu_type", "plan_version", "planned_gpu_hours", "planned_jpy",
    )  # fmt: skip
    return Table("planned", header, tuple(sorted(rows)))


def _newest_reports(
    everything: Everything, cutoff: int
) -> dict[tuple[str, Month], list[tuple[str, Paper]]]:
    """Reports that had come, by company and month, oldest first."""
    found: dict[tuple[str, Month], list[tuple[str, Paper]]] = {}
    for path, paper in sorted(everything.papers, key=lambda each: each[1].received_at):
        if paper.report is None or paper.company is None or paper.received_at >= cutoff:
            continue
        key = paper.company.organisation_id, paper.report.month
        found.setdefault(key, []).append((path, paper))
    return found


def _reported(everything: Everything, cutoff: int) -> Table:
    """Self-reported hours as they stand in the newest report of each month that can be read."""
    rows: list[Row] = []
    for (company_id, month), came in _newest_reports(everything, cutoff).items():
        readable = [p.report for _, p in came if p.report is not None and p.report.tenths]
        if not readable:
            continue
        newest = readable[-1]
        for gpu_type, tenths in newest.tenths.items():
            jpy = newest.jpy[gpu_type]
            hours = f"{tenths // 10}.{tenths % 10}"
            rows.append((company_id, str(month), gpu_type, hours, "" if jpy is None else jpy))
    header = ("company_id", "month", "gpu_type", "reported_gpu_hours", "reported_jpy")
    return Table("reported", header, tuple(sorted(rows, key=lambda row: row[:3])))


def _submissions(everything: Everything, as_of: date, cutoff: int) -> Table:
    """Monthly reports owed up to the as-of day: when they came, or that they are missing.

    `usage` and `notes` tell whether any row of that sheet could be taken.
    """
    came_by = _newest_reports(everything, cutoff)
    rows: list[Row] = []
    for company in everything.companies:
        for month in support_months(company, everything.first):
            if month.first > as_of:
                continue
            due = add_business_days(month.last, DUE_BUSINESS_DAY)
            came = [paper for _, paper in came_by.get((company.organisation_id, month), [])]
            first_day = jst_day(came[0].received_at) if came else None
            last_day = jst_day(came[-1].received_at) if came else None
            status = "received" if came else "overdue" if due < as_of else "not-yet-due"
            if first_day is not None and first_day > due:
                status = "late"
            reports = [paper.report for paper in came if paper.report is not None]
            rows.append(
                (
                    company.organisation_id, str(month), str(due),
                    str(first_day or ""), str(last_day or ""), status,
                    int(any(report.tenths for report in reports)),
                    int(any(report.note_numbers for report in reports)),
                )
            )  # fmt: skip
    header = (
        "company_id", "month", "due_on", "first_received_on", "last_received_on", "status",
        "usage", "notes",
    )  # fmt: skip
    return Table("submissions", header, tuple(sorted(rows, key=lambda row: row[:2])))


def _telemetry_days(everything: Everything, cutoff: int) -> Table:
    """What telemetry had told of each day, in 1/28 GPU-seconds, out of the runs themselves."""
    rows: list[Row] = [
        (m.company_id, str(m.day), m.gpu_type, m.covered, m.idle, m.active)
        for m in everything.measured
        if m.received_at < cutoff
    ]
    header = (
        "company_id", "usage_date", "gpu_type", "covered_part_seconds", "idle_part_seconds",
        "active_part_seconds",
    )  # fmt: skip
    return Table("telemetry_days", header, tuple(sorted(rows, key=lambda row: row[:3])))


def _verdicts(everything: Everything, as_of: date) -> Table:
    """By construction (`verdicts`), for the sample's months that were over on the as-of day."""
    last = min(LAST_MONTH, Month.of(as_of).previous())
    measured_from = min((Month.of(m.day) for m in everything.measured), default=LAST_MONTH.next())
    rows = tuple(
        (v.company_id, str(v.month), v.verdict)
        for v in verdicts(everything.companies, everything.first, last, measured_from)
    )
    return Table("verdicts", ("company_id", "month", "verdict"), tuple(sorted(rows)))
