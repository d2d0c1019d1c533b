"""The words of the sample: companies with their GPUs, runs of jobs, spans of slots.

Instants are whole epoch seconds (UTC) throughout; days and months are Japan's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto
from random import Random
from typing import Final

from geniac_pipelines.calendar import JST, Month

JST_OFFSET: Final = 9 * 3600
DAY: Final = 86_400
LAST_MONTH: Final = Month(2026, 9)
FISCAL_YEAR_END: Final = date(2027, 3, 31)


class Trait(Enum):
    """What is peculiar to one company: a way of delivering, or something planted."""

    PIPED_NAMES = auto()
    CP932 = auto()
    OVER_PLAN = auto()
    CHRONIC_IDLE = auto()
    SOME_IDLE = auto()
    WEAK_USE = auto()
    MIG = auto()
    MIXED_JOBS = auto()
    SHARED_CLUSTER = auto()
    LATE_CORRECTION = auto()
    AFTER_PERIOD = auto()
    CONTRADICTS = auto()
    UNDER_PLAN = auto()
    NO_TELEMETRY = auto()
    PARTIAL_TELEMETRY = auto()
    TELEMETRY_STOPS = auto()
    METER_FAULTS = auto()
    TRUNCATED = auto()
    BAD_WORKBOOK = auto()
    HALF_EMPTY = auto()
    MISSING_REPORT = auto()
    LATE_REPORT = auto()
    STEPS = auto()
    LOCAL_STAMPS = auto()
    DAILY = auto()
    UNKNOWN_FORMAT = auto()


@dataclass(frozen=True)
class Slot:
    """A GPU (`mig` None) or a MIG slice, as the scheduler gives it out."""

    node: str
    gpu: int
    mig: int | None = None


@dataclass(frozen=True)
class Pool:
    """Slots of one gres type. `parts` is what one slot is worth in 1/28 of a physical GPU."""

    gres: str
    gpu_type: str
    parts: int
    slots_per_node: int
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Contract:
    """A line of 計算資源契約; days are inclusive."""

    number: str
    provider: str
    gpu_type: str
    gpu_count: int
    unit_price_jpy: int
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class Company:
    """An organisation with its part of a cluster and its habits.

    `utilisation` is the share of slot time that jobs are meant to hold; `activity` the mean
    SM_ACTIVE while they do. `plan_share` is the planned share of the contracted hours. `contact`
    None: the register lacks the address.
    """

    index: int
    organisation_id: str
    name_ja: str
    name_en: str
    corporate_number: str
    segment: str
    cohort: str
    support_from: date
    support_to: date
    cluster: str
    accounts: tuple[str, ...]
    pools: tuple[Pool, ...]
    contracts: tuple[Contract, ...]
    traits: frozenset[Trait]
    utilisation: float
    activity: float
    plan_share: float
    contact: str | None

    @property
    def gpu_types(self) -> tuple[str, ...]:
        """GPU types in order of its pools, each once."""
        return tuple(dict.fromkeys(pool.gpu_type for pool in self.pools))


@dataclass(frozen=True, slots=True)
class Span:
    """Slots `low` to `high` (exclusive) of a company's pool."""

    pool: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job as it truly was. `start` None: it was cancelled while pending, at `end`.

    Runs of a requeued job share `job`, and after numbering `job_id`. `runaway`: until somebody
    mended it, the scheduler's accounting never learned of the end. `hidden`: left out of the
    regular files.
    """

    company: str
    account: str
    user: str
    uid: int
    name: str
    partition: str
    job: int
    submit: int
    start: int | None
    end: int
    state: str
    exit_code: str
    limit_minutes: int
    spans: tuple[Span, ...]
    job_id: int = 0
    runaway: bool = False
    hidden: bool = False

    @property
    def seconds(self) -> int:
        return 0 if self.start is None else self.end - self.start


def randomness(seed: int, *purpose: object) -> Random:
    """A generator of its own for each purpose, so that one change does not stir all the rest."""
    return Random("/".join(map(str, (seed, *purpose))))


def epoch(day: date, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Epoch seconds of a time of day in Japan."""
    return round(
        datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=JST).timestamp()
    )


def jst_time(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, JST)


def jst_day(instant: int) -> date:
    """The day in Japan, whose clocks never change (JST is UTC+9 all year)."""
    return date(1970, 1, 1) + timedelta(days=(instant + JST_OFFSET) // DAY)


LAST_INSTANT: Final = epoch(LAST_MONTH.last + timedelta(days=1))
"""No run starts at this instant or later; those that run then go on."""


def gres_counts(run: Run, pools: tuple[Pool, ...]) -> Mapping[str, int]:
    """Slots by gres name, sorted by name."""
    counts: dict[str, int] = {}
    for span in run.spans:
        gres = pools[span.pool].gres
        counts[gres] = counts.get(gres, 0) + span.high - span.low
    return dict(sorted(counts.items()))
