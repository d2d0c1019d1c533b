"""Writes a sample programme: inbox, manifest and truth, always the same for the same arguments.

    <out>/SAMPLE                        says that this folder was written here
    <out>/inbox/<organisation>/<month>/ files as they were handed in, by month of receipt
    <out>/inbox/deliveries.csv          who sent what through which channel, when
    <out>/truth/<day>/*.csv             what is true as of each of two days
    <out>/truth/truth.json              what is planted, and what should be refused

Here: order and places. Not here: what anything says.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from geniac_pipelines.calendar import Month
from geniac_pipelines.sample.expectations import AS_OF, CLOSING, CLOSING_AS_OF, write_truth
from geniac_pipelines.sample.feeds import SacctFile, pools_by_owner, sacct_files
from geniac_pipelines.sample.inbox import Inbox
from geniac_pipelines.sample.jobs import runs_of
from geniac_pipelines.sample.mischief import (
    STRANGER,
    STRANGERS_POOL,
    Stray,
    strangers_file,
    stray_files,
)
from geniac_pipelines.sample.model import DAY, LAST_MONTH, Company, Run, Trait, epoch
from geniac_pipelines.sample.organisations import companies_of, first_month
from geniac_pipelines.sample.papers import Paper, papers
from geniac_pipelines.sample.sacct import write_sacct
from geniac_pipelines.sample.telemetry import DayCount, Measured, Meters, write_day
from geniac_pipelines.sample.telemetry_hours import write_hours
from geniac_pipelines.sample.truth import Everything
from geniac_pipelines.sample.workbooks import write_workbook

__all__ = ["AS_OF", "CLOSING", "CLOSING_AS_OF", "LAST_DAY", "SampleSummary", "write_sample"]

LAST_DAY: Final = LAST_MONTH.last
_MARK: Final = "SAMPLE"
_RAW_METERS: Final = frozenset({0, 1, 2, 3, 7, 12, 13})
"""Companies that send every sample of the last days, and hourly aggregates of the rest."""
_PLAIN_METERS: Final = frozenset({0, 12})
"""Those of them that send it uncompressed."""
_LONGEST_STEP_S: Final = 300
_AT_ONCE: Final = 12_000_000
"""GPUs × instants of one company's day, which are in memory together (67 bytes each)."""


@dataclass(frozen=True)
class SampleSummary:
    """What was written. Days are Asia/Tokyo."""

    out: Path
    companies: int
    first_day: date
    last_day: date
    closing: str
    closing_as_of: date
    as_of: date
    deliveries: int
    runs: int
    sacct_rows: int
    telemetry_samples: int
    bytes: int

    def __str__(self) -> str:
        return (
            f"{self.out}: {self.companies} companies, {self.first_day} to {self.last_day}, "
            f"{self.deliveries} deliveries ({self.bytes / 1e6:.1f} MB), {self.runs} runs in "
            f"{self.sacct_rows} sacct rows, {self.telemetry_samples} telemetry samples; "
            f"close {self.closing} as of {self.closing_as_of}, all there as of {self.as_of}"
        )


def write_sample(
    out: Path,
    *,
    companies: int = 24,
    gpus_per_company: int = 64,
    months: int = 6,
    seed: int = 1,
    telemetry_interval_s: int = 300,
    telemetry_days: int = 2,
    telemetry_months: int = 2,
    telemetry_of_all: bool = False,
) -> SampleSummary:
    """Write a sample programme into `out`, whose earlier sample is replaced.

    `months` end with 2026-09. Telemetry comes as hourly aggregates of the last `telemetry_months`
    months, but for the last `telemetry_days` days of seven companies, whose every sample comes
    (`telemetry_of_all`: of all whose collectors work): one in `telemetry_interval_s` seconds, at
    most 300, as Prometheus lets a sample stand for five minutes.

    A company's day is made at once and is all of the telemetry that is in memory: 67 bytes for
    each GPU and instant, 50 MB for 512 GPUs every 60 s. On the disk, an instant of a GPU takes
    120 bytes, compressed 31. Raises ValueError for sizes that can't be, FileExistsError where
    `out` holds an inbox that is no sample.
    """
    _refuse_nonsense(
        companies=companies, gpus=gpus_per_company, months=months, days=telemetry_days,
        telemetry_months=telemetry_months, step=telemetry_interval_s,
    )  # fmt: skip
    first = first_month(months)
    made = companies_of(companies, gpus_per_company, months, seed)
    runs = runs_of(made, months, seed)
    _clear(out)
    inbox = Inbox(out / "inbox")
    everything = Everything(
        made, {**pools_by_owner(made), STRANGER: (STRANGERS_POOL,)}, first, inbox
    )
    for paper in papers(made, runs, first, seed):
        _put_paper(everything, paper)
    for sacct in [*sacct_files(made, runs, first.first, seed), strangers_file(seed)]:
        _put_sacct(everything, sacct)
    strays = [(_put_stray(inbox, stray), stray) for stray in stray_files(made)]
    days = min(telemetry_days, (LAST_DAY - first.first).days + 1)
    by_owner: dict[str, list[Run]] = {}
    for run in runs:
        by_owner.setdefault(run.company, []).append(run)
    meters: list[DayCount] = []
    for company in made:
        own = by_owner.get(company.organisation_id, [])
        counts, told = _put_telemetry(
            inbox, company, own,
            days=days if telemetry_of_all or company.index in _RAW_METERS else 0,
            months=min(months, telemetry_months), interval=telemetry_interval_s, seed=seed,
        )  # fmt: skip
        meters += counts
        everything.measured += told
    write_truth(out / "truth", everything, strays, meters)
    inbox.close()
    return SampleSummary(
        out=out,
        companies=companies,
        first_day=first.first,
        last_day=LAST_DAY,
        closing=CLOSING,
        closing_as_of=CLOSING_AS_OF,
        as_of=AS_OF,
        deliveries=len(inbox.delivered),
        runs=len(runs),
        sacct_rows=sum(len(file.legible) for _, file in everything.sacct),
        telemetry_samples=sum(count.samples for count in meters),
        bytes=sum(file.stat().st_size for file in out.rglob("*") if file.is_file()),
    )


def _refuse_nonsense(
    *, companies: int, gpus: int, months: int, days: int, telemetry_months: int, step: int
) -> None:
    for ja, en, value, least in (
        ("企業の数", "companies", companies, 1),
        ("1社のGPU数", "GPUs per company", gpus, 1),
        ("月数", "months", months, 1),
        ("テレメトリの日数", "telemetry days", days, 0),
        ("テレメトリの月数", "telemetry months", telemetry_months, 0),
    ):
        if value < least:
            raise ValueError(
                f"{ja}は{least}以上です（指定：{value}） / "
                f"{en} must be at least {least}, not {value}"
            )
    # a step that doesn't divide the day would leave its last seconds to no sample
    if not 1 <= step <= _LONGEST_STEP_S or DAY % step:
        raise ValueError(
            f"テレメトリの間隔は1〜{_LONGEST_STEP_S}秒で、1日を割り切る秒数です（指定：{step}） / "
            f"the telemetry step must be 1 to {_LONGEST_STEP_S} s and divide a day, not {step}"
        )
    if days and gpus * (DAY // step) > _AT_ONCE:
        raise ValueError(
            f"1社1日の標本は{_AT_ONCE:,}（GPU数×回数）までです：{gpus}基では間隔を"
            f"{-(-gpus * DAY // _AT_ONCE)}秒以上にしてください / for {gpus} GPUs the telemetry "
            f"step must be at least {-(-gpus * DAY // _AT_ONCE)} s, or a day does not fit in memory"
        )


def _clear(out: Path) -> None:
    """Remove an earlier sample, and only that."""
    mark = out / _MARK
    for folder in (out / "inbox", out / "truth"):
        if folder.exists():
            if not mark.exists():
                raise FileExistsError(f"{folder} exists and was not written as a sample")
            shutil.rmtree(folder)
    (out / "inbox").mkdir(parents=True)
    (out / "truth").mkdir()
    mark.write_text(
        "見本データ。架空の組織・ジョブ・報告であり、実在のものとは関係がない。\n"
        "A made-up programme; nothing in it is real.\n",
        encoding="utf-8",
    )


def _put_paper(everything: Everything, paper: Paper) -> None:
    file = everything.inbox.place(paper.folder, paper.name, paper.channel, paper.received_at)
    write_workbook(file, paper.form, paper.rows, paper.manner)
    everything.papers.append((everything.inbox.relative(file), paper))


def _put_sacct(everything: Everything, sacct: SacctFile) -> None:
    file = everything.inbox.place(sacct.sender, sacct.name, sacct.channel, sacct.received_at)
    write_sacct(sacct, everything.pools, file)
    everything.sacct.append((everything.inbox.relative(file), sacct))


def _put_stray(inbox: Inbox, stray: Stray) -> str:
    file = inbox.place(stray.folder, stray.name, stray.channel, stray.received_at)
    file.write_bytes(stray.content)
    return inbox.relative(file)


def _put_telemetry(
    inbox: Inbox,
    company: Company,
    own: Sequence[Run],
    *,
    days: int,
    months: int,
    interval: int,
    seed: int,
) -> tuple[list[DayCount], list[Measured]]:
    """Every month's aggregates on the next month's first day, dense days in the small hours after.

    Dense days are left out of the aggregates; a month that has no others has none.
    """
    counts: list[DayCount] = []
    told: list[Measured] = []
    if Trait.NO_TELEMETRY in company.traits:
        return counts, told
    meters = Meters()
    dense = [LAST_DAY - timedelta(days=back) for back in range(days - 1, -1, -1)]
    if Trait.TELEMETRY_STOPS in company.traits:
        dense = []
    for day in dense:
        received_at = epoch(day + timedelta(days=1), 4, 10, company.index % 60)
        name = f"dcgm_{day}.json{'' if company.index in _PLAIN_METERS else '.gz'}"
        file = inbox.place(company.organisation_id, name, "collector", received_at)
        near = [run for run in own if run.end > epoch(day)]
        count, known = write_day(
            company, near, day, file,
            interval=interval, seed=seed, meters=meters, received_at=received_at,
        )  # fmt: skip
        counts.append(count)
        told += known
    for month in (m for m in _months_back(months) if not dense or m.first < dense[0]):
        received_at = epoch(month.last + timedelta(days=1), 5, 20, company.index % 60)
        name = f"prometheus_hours_{month}.json.gz"
        file = inbox.place(company.organisation_id, name, "collector", received_at)
        near = [run for run in own if run.end > epoch(month.first)]
        told += write_hours(
            company, near, month, file, but=dense, seed=seed, received_at=received_at
        )
    return counts, told


def _months_back(months: int) -> Iterator[Month]:
    """The last months of the sample, newest first."""
    month = LAST_MONTH
    for _ in range(months):
        yield month
        month = month.previous()
