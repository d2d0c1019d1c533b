"""The runs of every company: who held which slots from when to when, and how it ended.

Slots are divided into lanes, and a lane holds one run at a time, so that no moment ever sees more
GPUs in use than there are. From time to time all lanes are drawn anew (a phase). Long trainings
run on lanes of whole nodes, short work on the rest; after each run the lane rests for as long as
the company's utilisation asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

from geniac_pipelines.calendar import Month
from geniac_pipelines.sample.lanes import Lane, kept_for_mixed, lanes_of
from geniac_pipelines.sample.model import (
    DAY,
    LAST_INSTANT,
    Company,
    Run,
    Span,
    Trait,
    epoch,
    randomness,
)
from geniac_pipelines.sample.organisations import PROVIDER, PROVIDER_CLUSTER, first_month
from geniac_pipelines.sample.special_jobs import operators_runs, with_secrets

_PHASE_DAYS: Final = (35, 80)
_HOUR: Final = 3600
_USES_AFTER_PERIOD: Final = 0.45
_SHORTEST: Final = 20

_TRAINING_NAMES: Final = ("pretrain-{size}b-r{n}", "cpt-{size}b-stage{n}", "sft-{size}b-{n}")
_SHORT_NAMES: Final = ("eval-{n}", "debug-{n}", "tokenize-{n}", "ablation-{n}", "dpo-{size}b-{n}")
_PIPED_TRAINING: Final = ("事前学習|{size}B|段階{n}", "追加学習|{size}B|{n}回目")
_PIPED_SHORT: Final = ("評価|{n}", "動作確認|{n}", "データ整形|{size}B用|{n}")


def runs_of(companies: Sequence[Company], months: int, seed: int) -> tuple[Run, ...]:
    """Every run of every company and of the shared cluster's operators, numbered by cluster."""
    runs: list[Run] = []
    clusters = {company.organisation_id: company.cluster for company in companies}
    for company in companies:
        runs.extend(_company_runs(company, seed))
    if PROVIDER_CLUSTER in clusters.values():
        clusters[PROVIDER] = PROVIDER_CLUSTER
        runs.extend(operators_runs(epoch(first_month(months).first), 3 * months, seed))
    by_cluster: dict[str, list[Run]] = {}
    for run in runs:
        by_cluster.setdefault(clusters[run.company], []).append(run)
    return tuple(
        run
        for cluster, members in sorted(by_cluster.items())
        for run in _numbered(members, randomness(seed, "ids", cluster).randrange(1_000, 90_000))
    )


def _numbered(runs: list[Run], first: int) -> Iterator[Run]:
    """Job ids in order of submission; the runs of one job share its id."""
    ids: dict[tuple[str, int], int] = {}
    ordered = sorted(runs, key=lambda run: (run.submit, run.company, run.job))
    for run in ordered:
        job_id = ids.setdefault((run.company, run.job), first + len(ids))
        yield replace(run, job_id=job_id)


def _company_runs(company: Company, seed: int) -> list[Run]:
    rng = randomness(seed, "jobs", company.index)
    begins = epoch(company.support_from)
    maker = _Maker(company, rng)
    for number, pool in enumerate(company.pools):
        slots = len(pool.slots)
        kept = kept_for_mixed(company, number)
        starts = begins
        while starts < LAST_INSTANT:
            ends = min(LAST_INSTANT, starts + rng.randint(*_PHASE_DAYS) * DAY)
            if LAST_INSTANT - ends < _PHASE_DAYS[0] * DAY:
                ends = LAST_INSTANT
            for lane in lanes_of(number, pool, slots - kept, rng):
                maker.fill(lane, starts, ends)
            starts = ends
    if Trait.MIXED_JOBS in company.traits:
        maker.mixed(begins)
    runs = maker.runs
    if Trait.LATE_CORRECTION in company.traits:
        runs = with_secrets(runs, rng)
    return runs


class _Maker:
    """Makes the runs of one company, lane by lane."""

    def __init__(self, company: Company, rng: Random) -> None:
        self.runs: list[Run] = []
        self._company = company
        self._rng = rng
        self._job = 0
        self._users = [(f"u{company.index:03d}{n}", 2001 + n) for n in range(1, 7)]
        self._period_ends = epoch(company.support_to + timedelta(days=1))

    def fill(self, lane: Lane, starts: int, ends: int) -> None:
        """One run after the other; but for the sample's last phase the lane is empty at its end."""
        rng = self._rng
        now = starts + rng.randint(300, 2 * DAY if lane.training else 10 * _HOUR)
        owed = 0.0
        while now < ends:
            until = None if ends == LAST_INSTANT else ends
            held, now = self._job_from(lane, now, until)
            share = self._utilisation(now)
            owed += held * (1 - share) / share
            gap = max(_SHORTEST, min(5 * DAY, owed * rng.uniform(0.3, 1.7)))
            owed -= gap
            now += round(gap)

    def _utilisation(self, now: int) -> float:
        """A company warms up over its first two months; after its period it should have stopped."""
        if now >= self._period_ends:
            return _USES_AFTER_PERIOD
        warm = min(1.0, 0.7 + (now - epoch(self._company.support_from)) / (200 * DAY))
        return self._company.utilisation * warm

    def _job_from(self, lane: Lane, start: int, until: int | None) -> tuple[int, int]:
        """A job that starts then; requeued jobs have two runs. Seconds held, and the end."""
        rng = self._rng
        self._job += 1
        state, seconds, limit, exit_code = self._ending(lane)
        if until is not None and start + seconds > until - _SHORTEST:
            seconds = until - _SHORTEST - start
            if seconds < 60:
                return 0, until
            state, exit_code = "CANCELLED", "0:15"
        run = self._run(lane, start, start + seconds, state=state, exit_code=exit_code, limit=limit)
        self.runs.append(run)
        if rng.random() < 0.02:
            self._cancelled_while_pending(run)
        requeued = state in ("NODE_FAIL", "PREEMPTED")
        again = run.end + rng.randint(120, 1_500)
        if not requeued or (until is not None and again + 600 > until) or again >= LAST_INSTANT:
            return seconds, run.end
        second = min(limit * 60, round(self._length(lane)))
        if until is not None:
            second = min(second, until - _SHORTEST - again)
        self.runs.append(
            replace(
                run,
                submit=run.end,
                start=again,
                end=again + second,
                state="COMPLETED",
                exit_code="0:0",
            )
        )
        return seconds + second, again + second

    def _length(self, lane: Lane) -> float:
        rng = self._rng
        if lane.training:
            return min(12 * DAY, max(600, rng.lognormvariate(11.4, 1.0)))
        if lane.slices:
            return min(2 * DAY, max(60, rng.lognormvariate(10.0, 1.1)))
        return min(3 * DAY, max(15, rng.lognormvariate(9.0, 1.5)))

    def _ending(self, lane: Lane) -> tuple[str, int, int, str]:
        """State, seconds, time limit in minutes, exit code."""
        rng = self._rng
        length = self._length(lane)
        dice = rng.random()
        limit = max(10, -(-round(length * rng.uniform(1.1, 4) / 60) // 30) * 30)
        if dice < 0.70:
            return "COMPLETED", round(length), limit, "0:0"
        if dice < 0.82:
            return "FAILED", max(4, round(length * rng.uniform(0.01, 0.5))), limit, "1:0"
        if dice < 0.90:
            return "CANCELLED", max(10, round(length * rng.uniform(0.05, 0.9))), limit, "0:15"
        if dice < 0.95:
            return "TIMEOUT", limit * 60 + rng.randint(0, 30), limit, "0:0"
        if dice < 0.965:
            return "OUT_OF_MEMORY", max(20, round(length * 0.1)), limit, "0:125"
        if dice < 0.98:
            return "NODE_FAIL", max(60, round(length * rng.uniform(0.1, 0.9))), limit, "1:0"
        return "PREEMPTED", max(60, round(length * rng.uniform(0.1, 0.9))), limit, "0:0"

    def _run(
        self, lane: Lane, start: int, end: int, *, state: str, exit_code: str, limit: int
    ) -> Run:
        rng = self._rng
        company = self._company
        low, high = lane.span.low, lane.span.high
        # some ask for less than is free, so that the rest lies idle
        if high - low > 1 and rng.random() < 0.06:
            high = low + max(1, (high - low) // 2)
        user, uid = rng.choice(self._users)
        # the fuller the cluster, the longer the queue
        typical, spread = (5, 2.0) if company.utilisation < 0.8 else (8, 1.5)
        wait = round(rng.lognormvariate(typical, spread))
        account = company.accounts[0]
        if len(company.accounts) > 1 and not lane.training and rng.random() < 0.3:
            account = company.accounts[1]
        return Run(
            company=company.organisation_id,
            account=account,
            user=user,
            uid=uid,
            name=self._name(lane.training),
            partition="train" if lane.training else "mig" if lane.slices else "short",
            job=self._job,
            submit=start - min(wait, 6 * DAY),
            start=start,
            end=end,
            state=state,
            exit_code=exit_code,
            limit_minutes=limit,
            spans=(Span(lane.span.pool, low, high),),
        )

    def _name(self, training: bool) -> str:
        piped = Trait.PIPED_NAMES in self._company.traits
        kinds: tuple[str, ...]
        if training:
            kinds = _PIPED_TRAINING if piped else _TRAINING_NAMES
        else:
            kinds = _PIPED_SHORT if piped else _SHORT_NAMES
        n, size = self._rng.randint(1, 40), self._rng.choice((1, 3, 7, 8, 13, 34))
        return self._rng.choice(kinds).format(n=n, size=size)

    def _cancelled_while_pending(self, like: Run) -> None:
        """A job that its user took back before it ever started."""
        self._job += 1
        self.runs.append(
            replace(
                like,
                job=self._job,
                start=None,
                end=like.submit + self._rng.randint(60, 6 * _HOUR),
                state="CANCELLED",
                exit_code="0:0",
            )
        )

    def mixed(self, begins: int) -> None:
        """A job every few days that holds a whole GPU and two slices together."""
        company = self._company
        spans = tuple(
            Span(number, len(pool.slots) - kept_for_mixed(company, number), len(pool.slots))
            for number, pool in enumerate(company.pools)
            if kept_for_mixed(company, number)
        )
        if len(spans) < 2:
            return
        now = begins + 9 * _HOUR
        while now < LAST_INSTANT:
            self._job += 1
            lane = Lane(spans[0], training=False, slices=False)
            end = now + self._rng.randint(_HOUR, 30 * _HOUR)
            run = self._run(lane, now, end, state="COMPLETED", exit_code="0:0", limit=2_880)
            self.runs.append(replace(run, spans=spans))
            now = end + self._rng.randint(DAY, 4 * DAY)


def gpu_hours(runs: Sequence[Run], company: Company, month: Month, gpu_type: str) -> float:
    """Physical GPU-hours a company's runs truly held in a month, as its own people would sum up."""
    starts, ends = epoch(month.first), epoch(month.last + timedelta(days=1))
    parts = 0
    for run in runs:
        if run.start is None or run.company != company.organisation_id:
            continue
        seconds = min(run.end, ends) - max(run.start, starts)
        if seconds > 0:
            for span in run.spans:
                pool = company.pools[span.pool]
                if pool.gpu_type == gpu_type:
                    parts += seconds * (span.high - span.low) * pool.parts
    return parts / 28 / _HOUR
