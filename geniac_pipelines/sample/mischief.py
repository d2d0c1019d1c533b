"""What is planted on purpose: files that can't be taken, and conduct that somebody must act on.

Here: the stray files, and the list of everything planted with what the platform should make of
it. Faults inside regular papers and feeds are planted where those are made (`papers`, `feeds`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from geniac_pipelines.calendar import Month
from geniac_pipelines.sample.feeds import SacctFile, Sighting, Style
from geniac_pipelines.sample.inbox import UNIDENTIFIED
from geniac_pipelines.sample.model import (
    LAST_INSTANT,
    LAST_MONTH,
    Company,
    Pool,
    Run,
    Slot,
    Span,
    Trait,
    epoch,
    randomness,
)
from geniac_pipelines.sample.papers import CONTRADICTS_FROM

STRANGER: Final = "stranger"
STRANGERS_CLUSTER: Final = "hpc2"
STRANGERS_ACCOUNT: Final = "research"
STRANGERS_POOL: Final = Pool("a100", "A100", 28, 8, tuple(Slot("node001", i) for i in range(8)))

NOT_A_FORMAT: Final = (
    b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    b"2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n"
    b"trailer\n<< /Root 1 0 R /Size 3 >>\n%%EOF\n"
)
"""A document that is no data, as people attach instead of the workbook."""

_IDLE: Final = "割り当てたままSM稼働率がほぼ0の時間が、割当の大半を占める"


@dataclass(frozen=True)
class Stray:
    """A file of raw bytes to hand in."""

    folder: str
    name: str
    channel: str
    received_at: int
    content: bytes


@dataclass(frozen=True)
class Planted:
    """Conduct of a company that the platform should find; months are the affected ones."""

    kind: str
    company_id: str
    from_month: str
    ja: str


def stray_files(companies: Sequence[Company]) -> Iterator[Stray]:
    """Files in no format that anybody reads."""
    for company in companies:
        if Trait.UNKNOWN_FORMAT in company.traits:
            yield Stray(
                company.organisation_id,
                "9月度利用状況のご報告.pdf",
                "mail",
                epoch(date(2026, 10, 2), 16, 20, 44),
                NOT_A_FORMAT,
            )


def strangers_file(seed: int) -> SacctFile:
    """A sound sacct output that came by mail from somebody nobody knows."""
    rng = randomness(seed, "stranger")
    begins = LAST_INSTANT - 9 * 86_400
    runs = []
    for number in range(5):
        start = begins + number * 20 * 3600 + rng.randint(0, 3600)
        runs.append(
            Run(
                company=STRANGER,
                account=STRANGERS_ACCOUNT,
                user="x01",
                uid=1201,
                name=f"run{number}",
                partition="gpu",
                job=number,
                submit=start - 40,
                start=start,
                end=start + rng.randint(1_800, 16 * 3600),
                state="COMPLETED",
                exit_code="0:0",
                limit_minutes=1_440,
                spans=(Span(0, 0, rng.choice((1, 2, 4))),),
                job_id=310 + number,
            )
        )
    received_at = LAST_INSTANT - 2 * 86_400 + 10 * 3600
    return SacctFile(
        sender=UNIDENTIFIED,
        name="sacct_output.txt",
        channel="mail",
        queried_at=received_at - 600,
        received_at=received_at,
        cluster=STRANGERS_CLUSTER,
        style=Style(delimiter="|"),
        sightings=tuple(Sighting(run, run.state, run.end) for run in runs),
    )


def planted(companies: Sequence[Company], first: Month) -> Iterator[Planted]:
    """Findings that should come of this sample, by company."""
    for company in companies:
        traits, name = company.traits, company.organisation_id
        if Trait.OVER_PLAN in traits:
            yield Planted("over-plan", name, str(first), "計画の2倍前後を使い続けている")
        if Trait.UNDER_PLAN in traits:
            yield Planted("under-plan", name, str(first), "計画の半分も使っていない")
        if Trait.CHRONIC_IDLE in traits:
            yield Planted("chronic-idle", name, str(LAST_MONTH), _IDLE)
        if Trait.AFTER_PERIOD in traits:
            after = Month.of(company.support_to).next()
            month = min(after, LAST_MONTH)
            yield Planted(
                "use-after-period", name, str(month), f"{company.support_to} の後も使っている"
            )
        if Trait.CONTRADICTS in traits:
            yield Planted(
                "report-contradicts-scheduler", name, str(max(first, CONTRADICTS_FROM)),
                "自己申告がジョブ実行記録より3割少ない",
            )  # fmt: skip
        if Trait.NO_TELEMETRY in traits:
            yield Planted("no-telemetry", name, str(first), "テレメトリが一度も届いていない")
        if Trait.PARTIAL_TELEMETRY in traits:
            yield Planted("low-coverage", name, str(LAST_MONTH), "テレメトリの4割しか届いていない")
        if Trait.TELEMETRY_STOPS in traits:
            yield Planted(
                "telemetry-stops", name, str(LAST_MONTH), "月の半ばからテレメトリが途絶えている"
            )
        if Trait.SOME_IDLE in traits:
            yield Planted(
                "some-idle",
                name,
                str(LAST_MONTH),
                "仕事が終わった後もGPUを確保したままにし、割当の4割前後が動いていない",
            )
        if Trait.WEAK_USE in traits:
            yield Planted("weak-use", name, str(LAST_MONTH), "動いている間のSM稼働率が1割前後")
        if Trait.LATE_CORRECTION in traits:
            yield Planted(
                "restatement", name, str(max(first, LAST_MONTH.previous())),
                "締めた月のジョブ実行記録と月次利用報告が後から訂正された",
            )  # fmt: skip
