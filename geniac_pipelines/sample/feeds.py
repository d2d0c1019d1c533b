"""Which sacct files are handed in when, and what each shows of which run.

A file shows every run that was submitted before its window ended and had not ended before it
began, in the state of the moment at which sacct was called. Here too: what that makes known about
a run (`Sighting`), on which the truth rests. Not here: text (`sacct`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from geniac_pipelines.sample.model import (
    DAY,
    LAST_INSTANT,
    LAST_MONTH,
    Company,
    Pool,
    Run,
    Trait,
    epoch,
    jst_day,
    randomness,
)
from geniac_pipelines.sample.organisations import PROVIDER, PROVIDER_CLUSTER
from geniac_pipelines.sample.special_jobs import OPERATORS_POOL

CORRECTION_QUERIED: Final = epoch(date(2026, 10, 3), 10, 2)
CORRECTION_RECEIVED: Final = epoch(date(2026, 10, 3), 14, 5, 30)
_TRUNCATED_WEEK_OF: Final = epoch(LAST_MONTH.first + timedelta(days=8))
_CP932_WEEK_OF: Final = epoch(LAST_MONTH.first + timedelta(days=15))


@dataclass(frozen=True)
class Style:
    """How a sender calls sacct. `delimiter` 0x1F or a bar; stamps as epoch or local time."""

    delimiter: str = "\x1f"
    local_stamps: bool = False
    steps: bool = False
    cluster_field: bool = True
    job_id_field: bool = False
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one file says of one run.

    `until` is where its use ends as far as the file can tell: the true end, the file's receipt
    while the run was still going on, None when it held nothing (yet).
    """

    run: Run
    state: str
    until: int | None


@dataclass(frozen=True)
class SacctFile:
    """One output of sacct. `whole_rows` None, or the number of rows before the file breaks off."""

    sender: str
    name: str
    channel: str
    queried_at: int
    received_at: int
    cluster: str
    style: Style
    sightings: tuple[Sighting, ...]
    whole_rows: int | None = None

    @property
    def legible(self) -> tuple[Sighting, ...]:
        """What can be read of it."""
        return self.sightings[: self.whole_rows]


def pools_by_owner(companies: Sequence[Company]) -> dict[str, tuple[Pool, ...]]:
    """The pools that a run's spans speak of, by the run's company."""
    pools = {company.organisation_id: company.pools for company in companies}
    return {**pools, PROVIDER: (OPERATORS_POOL,)}


def sacct_files(
    companies: Sequence[Company], runs: Sequence[Run], first: date, seed: int
) -> Iterator[SacctFile]:
    """Every sacct file of every sender, in order of sender and time."""
    by_owner: dict[str, list[Run]] = {}
    for run in runs:
        by_owner.setdefault(run.company, []).append(run)
    shared: list[Run] = []
    for company in companies:
        own = by_owner.get(company.organisation_id, [])
        if Trait.SHARED_CLUSTER in company.traits:
            shared.extend(own)
        else:
            yield from _company_files(company, own, first, seed)
    if shared:
        shared.extend(by_owner.get(PROVIDER, []))
        rng = randomness(seed, "feed", PROVIDER)
        yield from _regular(
            PROVIDER, PROVIDER_CLUSTER, Style(), shared, first=first, days=7, rng=rng, peculiar={}
        )


def _company_files(
    company: Company, runs: list[Run], first: date, seed: int
) -> Iterator[SacctFile]:
    traits = company.traits
    rng = randomness(seed, "feed", company.index)
    style = Style(
        delimiter="\x1f" if Trait.PIPED_NAMES in traits or company.index % 3 else "|",
        local_stamps=Trait.LOCAL_STAMPS in traits,
        steps=Trait.STEPS in traits,
        cluster_field=company.index % 5 != 3,
        job_id_field=Trait.STEPS in traits or company.index % 4 == 2,
    )
    peculiar: dict[Trait, int] = {}
    if Trait.TRUNCATED in traits:
        peculiar[Trait.TRUNCATED] = _TRUNCATED_WEEK_OF
    if Trait.CP932 in traits:
        peculiar[Trait.CP932] = _CP932_WEEK_OF
    days = 1 if Trait.DAILY in traits else 7
    yield from _regular(
        company.organisation_id, company.cluster, style, runs,
        first=first, days=days, rng=rng, peculiar=peculiar,
    )  # fmt: skip
    if Trait.LATE_CORRECTION in traits:
        yield _correction(company, style, runs, first)


def _regular(
    sender: str,
    cluster: str,
    style: Style,
    runs: list[Run],
    *,
    first: date,
    days: int,
    rng: Random,
    peculiar: Mapping[Trait, int],
) -> Iterator[SacctFile]:
    """Files of a day or a week (Monday to Sunday), each called and sent on the morning after."""
    by_submit = sorted(
        (run for run in runs if not run.hidden), key=lambda run: (run.submit, run.job_id)
    )
    submits = [run.submit for run in by_submit]
    open_runs: list[Run] = []
    taken = 0
    for starts, ends in _windows(first, days):
        queried_at = ends + 3 * 3600 + rng.randint(0, 600)
        received_at = ends + (6 if days == 1 else 9) * 3600 + rng.randint(0, 3_599)
        upto = bisect_left(submits, ends)
        open_runs = [run for run in open_runs if run.runaway or run.end >= starts]
        open_runs += by_submit[taken:upto]
        taken = upto
        sightings = tuple(
            _sight(run, queried_at, received_at, mended=False)
            for run in sorted(open_runs, key=lambda run: (run.job_id, run.submit))
        )
        whole_rows = None
        if starts <= peculiar.get(Trait.TRUNCATED, -1) < ends:
            whole_rows = len(sightings) * 3 // 5 if len(sightings) > 1 else None
        encoding = "cp932" if starts <= peculiar.get(Trait.CP932, -1) < ends else "utf-8"
        first_day, last_day = jst_day(starts), jst_day(ends - 1)
        span = f"{first_day}" if days == 1 else f"{first_day}_{last_day}"
        yield SacctFile(
            sender=sender,
            name=f"sacct_{span}.txt",
            channel="collector" if days == 1 else "portal",
            queried_at=queried_at,
            received_at=received_at,
            cluster=cluster,
            style=replace(style, encoding=encoding),
            sightings=sightings,
            whole_rows=whole_rows,
        )


def _windows(first: date, days: int) -> Iterator[tuple[int, int]]:
    """Start and exclusive end of each window from the first day on; weeks begin on Monday."""
    starts = epoch(first)
    while starts < LAST_INSTANT:
        ahead = days if days == 1 else 7 - jst_day(starts).weekday()
        ends = min(starts + ahead * DAY, LAST_INSTANT)
        yield starts, ends
        starts = ends


def _correction(company: Company, style: Style, runs: list[Run], first: date) -> SacctFile:
    """The last two months once more, everybody's jobs, with the accounting mended."""
    starts = max(epoch(first), epoch(LAST_MONTH.previous().first))
    shown = sorted(
        (run for run in runs if run.end >= starts), key=lambda run: (run.job_id, run.submit)
    )
    return SacctFile(
        sender=company.organisation_id,
        name=f"sacct_{jst_day(starts)}_{LAST_MONTH.last}_訂正.txt",
        channel="mail",
        queried_at=CORRECTION_QUERIED,
        received_at=CORRECTION_RECEIVED,
        cluster=company.cluster,
        style=style,
        sightings=tuple(
            _sight(run, CORRECTION_QUERIED, CORRECTION_RECEIVED, mended=True) for run in shown
        ),
    )


def _sight(run: Run, queried_at: int, received_at: int, *, mended: bool) -> Sighting:
    if run.start is None:
        return Sighting(run, "CANCELLED" if run.end <= queried_at else "PENDING", None)
    if run.start > queried_at:
        return Sighting(run, "PENDING", None)
    if run.end > queried_at or (run.runaway and not mended):
        return Sighting(run, "RUNNING", received_at)
    return Sighting(run, run.state, run.end)
