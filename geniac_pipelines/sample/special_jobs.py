"""Runs beside everyday work: the provider's own tests, and runs that accounting got wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

from geniac_pipelines.sample.model import (
    LAST_INSTANT,
    LAST_MONTH,
    Pool,
    Run,
    Slot,
    Span,
    epoch,
    jst_day,
    randomness,
)
from geniac_pipelines.sample.organisations import OPERATORS_ACCOUNT, PROVIDER

OPERATORS_POOL: Final = Pool(
    "h100", "H100", 28, 8, tuple(Slot("kirigumo-ops001", i) for i in range(8))
)
RUNAWAY_STARTS_BY: Final = LAST_MONTH.first - timedelta(days=6)


def with_secrets(runs: list[Run], rng: Random) -> list[Run]:
    """Runs of one user that regular files leave out, and one whose end is learned too late."""
    hidden_user = runs[0].user
    first = epoch(LAST_MONTH.previous().first)
    marked = [
        replace(run, hidden=True)
        if run.user == hidden_user and first <= run.submit and run.start is not None
        else run
        for run in runs
    ]
    candidates = [
        at
        for at, run in enumerate(marked)
        if run.start is not None
        and not run.hidden
        and run.state in ("COMPLETED", "FAILED")
        and sum(span.high - span.low for span in run.spans) <= 8
        and first <= run.start
        and jst_day(run.end) <= RUNAWAY_STARTS_BY
    ]
    if candidates:
        at = candidates[rng.randrange(len(candidates))]
        marked[at] = replace(marked[at], runaway=True)
    return marked


def operators_runs(begins: int, count: int, seed: int) -> list[Run]:
    """The provider's own burn-in tests on a node of theirs, one in each of `count` equal times."""
    rng = randomness(seed, "operators")
    stretch = (LAST_INSTANT - begins) // count
    runs = []
    for number in range(count):
        start = begins + number * stretch + rng.randint(60, stretch // 2)
        runs.append(
            Run(
                company=PROVIDER,
                account=OPERATORS_ACCOUNT,
                user="ops",
                uid=990,
                name="burn-in",
                partition="ops",
                job=number,
                submit=start - 5,
                start=start,
                end=start + rng.randint(1_800, 4 * 3600),
                state="COMPLETED",
                exit_code="0:0",
                limit_minutes=360,
                spans=(Span(0, 0, rng.choice((4, 8))),),
            )
        )
    return runs
