"""GPU telemetry as hourly aggregates that a company's own Prometheus made, one file a month.

The document that the collector saves: an envelope with the server's replies, page by page. Every
aggregate is counted from the runs in whole samples, one a minute: how many samples of the hour a
run held the slot and worked. Hours of an outage have no point in any series, and an hour without
a sample of 0 has none in the count of zeros, as servers answer.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import compress
from operator import add
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from geniac_pipelines.calendar import Month
from geniac_pipelines.sample.model import LAST_MONTH, Company, Pool, Run, Slot, Trait, epoch
from geniac_pipelines.sample.telemetry import (
    COVERED,
    MODELS,
    RATIOS,
    WATTS,
    Measured,
    labels,
    measured,
    opened,
    order,
    parts_of,
    work_level,
    works_until,
)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

INTERVAL: Final = 60
EACH: Final = 3_600 // INTERVAL
"""Samples an hour."""
STOPPED_ON: Final = LAST_MONTH.first + timedelta(days=13)
"""The day from which a company with TELEMETRY_STOPS measures nothing more."""

_SM: Final = "DCGM_FI_PROF_SM_ACTIVE"
_POWER: Final = "DCGM_FI_DEV_POWER_USAGE"
_ENERGY: Final = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
_PAGES: Final = (
    (_ENERGY, "count", "count_over_time({0}{{}}[1h])"),
    (_ENERGY, "increase", "increase({0}{{}}[1h])"),
    (_POWER, "mean", "avg_over_time({0}{{}}[1h])"),
    (_POWER, "count", "count_over_time({0}{{}}[1h])"),
    (_POWER, "max", "max_over_time({0}{{}}[1h])"),
    (_SM, "mean", "avg_over_time({0}{{}}[1h])"),
    (_SM, "count", "count_over_time({0}{{}}[1h])"),
    (_SM, "zeros", f"count_over_time(({{0}}{{{{}}}} == 0)[1h:{INTERVAL}s])"),
)
_COUNTS: Final = [str(n) for n in range(EACH + 1)]
# an hour at a tenth of a watt is 360,000 mJ
_HOURS_MJ: Final = [str(360_000 * tenths) for tenths in range(7_001)]
_OUTAGES: Final = 0.25
"""Chance that a host measures nothing for some hours of a month."""


@dataclass(frozen=True)
class _Hours:
    """Arrays slots × hours of one company and month."""

    slots: list[tuple[Pool, Slot]]
    kept: Mask
    busy: Integers
    mean: Integers
    power: Integers
    power_max: Integers


def write_hours(
    company: Company,
    runs: Sequence[Run],
    month: Month,
    path: Path,
    *,
    but: Collection[date],
    seed: int,
    received_at: int,
) -> list[Measured]:
    """Write a month without the days in `but`; returns what it tells, by day and GPU type."""
    made = _simulate(company, runs, month, but=but, seed=seed)
    first = epoch(month.first)
    hours = made.kept.shape[1]
    # evaluated one millisecond before the hour's end
    stamps = [f'{first + 3_600 * (h + 1) - 1}.999,"' for h in range(hours)]
    head = json.dumps(
        {
            "format": "geniac.prometheus-hours",
            "version": 1,
            "company": company.organisation_id,
            "fetched_at": _utc(received_at - 120),
            "start": _utc(first),
            "end": _utc(first + 3_600 * hours),
            "interval_seconds": INTERVAL,
            "matchers": "",
            "gpus": [
                {"uuid": uuid, "mig": "" if slot.mig is None else str(slot.mig)}
                for pool, slot in made.slots
                for uuid in [json.loads(labels(company, pool, slot, _SM))["UUID"]]
            ],
        },
        separators=(",", ":"),
    )
    with opened(path) as stream:
        stream.write(head[:-1].encode() + b',"pages":[')
        for number, (metric, statistic, query) in enumerate(_PAGES):
            asked = {
                "metric": metric,
                "statistic": statistic,
                "query": query.format(metric),
                "start": f"{first + 3_599}.999",
                "end": f"{first + 3_600 * hours - 1}.999",
                "step": "3600",
            }
            text = json.dumps(asked, separators=(",", ":"))[:-1]
            stream.write(b"," * (number > 0) + text.encode())
            stream.write(b',"reply":{"status":"success","data":{"resultType":"matrix","result":[')
            separator = b""
            for series in _series(company, made, metric, statistic, stamps):
                stream.write(separator + series.encode())
                separator = b","
            stream.write(b"]}}}")
        stream.write(b"]}\n")
    return _told(company, made, month, received_at)


def _utc(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat()


def _told(company: Company, made: _Hours, month: Month, received_at: int) -> list[Measured]:
    found: list[Measured] = []
    stands = INTERVAL * parts_of(made.slots)
    covered = np.where(made.kept, EACH, 0)
    active = np.where(made.kept, made.busy, 0)
    for number in range(made.kept.shape[1] // 24):
        own = slice(24 * number, 24 * number + 24)
        found += measured(
            company,
            month.first + timedelta(days=number),
            made.slots,
            covered[:, own].sum(axis=1) * stands,
            active[:, own].sum(axis=1) * stands,
            received_at=received_at,
        )
    return found


def _simulate(
    company: Company, runs: Sequence[Run], month: Month, *, but: Collection[date], seed: int
) -> _Hours:
    starts, days = epoch(month.first), (month.last - month.first).days + 1
    slots = [(pool, slot) for pool in company.pools for slot in pool.slots]
    offsets = np.cumsum([0, *(len(pool.slots) for pool in company.pools)])
    shape = (len(slots), 24 * days)
    busy = np.zeros(shape, dtype=np.int64)
    work, peak = np.zeros(shape), np.zeros(shape)
    for run in runs:
        level = 0.0 if run.start is None else work_level(company, run)
        if run.start is None or not level:
            continue
        begins = max(run.start - starts, 0)
        ends = min(works_until(company, run) - starts, 86_400 * days)
        # a sample at second 60 k of the month shows the run at work if begins <= 60 k < ends
        first, last = -(-begins // INTERVAL), -(-ends // INTERVAL)
        if first >= last:
            continue
        at = np.arange(first // EACH, (last - 1) // EACH + 1)
        samples = np.minimum(last, (at + 1) * EACH) - np.maximum(first, at * EACH)
        for span in run.spans:
            rows = slice(offsets[span.pool] + span.low, offsets[span.pool] + span.high)
            columns = slice(int(at[0]), int(at[-1]) + 1)
            busy[rows, columns] += samples
            work[rows, columns] += samples * level
            peak[rows, columns] = np.maximum(peak[rows, columns], level)
    noise = np.random.default_rng([seed, company.index, month.first.toordinal(), EACH])
    mean = np.clip(work / EACH * noise.uniform(0.96, 1.04, shape), 0, 1)
    kept = _kept(company, slots, month, noise)
    for day in but:
        if month.first <= day <= month.last:
            kept[:, 24 * (day.day - 1) : 24 * day.day] = False
    # whatever worked for a single sample has a mean above 0
    thousandths = np.maximum(np.rint(mean * 1_000).astype(np.int64), np.minimum(busy, 1))
    power, power_max = _watts(slots, mean, np.maximum(peak, mean))
    return _Hours(slots, kept, busy, thousandths, power, power_max)


def _kept(
    company: Company, slots: list[tuple[Pool, Slot]], month: Month, noise: np.random.Generator
) -> Mask:
    """Where something was measured: a collector that fails cuts every row, a host only its own."""
    hours = 24 * ((month.last - month.first).days + 1)
    kept: Mask = np.ones((len(slots), hours), dtype=bool)
    if Trait.PARTIAL_TELEMETRY in company.traits:
        for day in range(hours // 24):
            lost = noise.permutation(24)[round(24 * COVERED) :]
            kept[:, 24 * day + lost] = False
    if Trait.TELEMETRY_STOPS in company.traits and month == Month.of(STOPPED_ON):
        kept[:, 24 * (STOPPED_ON.day - 1) :] = False
    for node in sorted({slot.node for _, slot in slots}):
        if noise.random() < _OUTAGES:
            begins, length = int(noise.integers(0, hours)), int(noise.integers(2, 30))
            rows = [number for number, (_, slot) in enumerate(slots) if slot.node == node]
            kept[np.array(rows), begins : begins + length] = False
    return kept


def _watts(slots: list[tuple[Pool, Slot]], mean: Floats, peak: Floats) -> tuple[Integers, Integers]:
    """Mean and greatest power in tenths of a watt; a slice shows its whole GPU's."""
    physical = {gpu: n for n, gpu in enumerate(dict.fromkeys((s.node, s.gpu) for _, s in slots))}
    of_gpu = np.array([physical[slot.node, slot.gpu] for _, slot in slots])
    share = np.array([pool.parts / 28 for pool, _ in slots])[:, None]
    _, limit, idle, _ = zip(*(MODELS[pool.gpu_type] for pool, _ in slots), strict=True)
    above = (np.array(limit) - np.array(idle))[:, None]
    found = []
    for level in (mean, peak):
        load = np.zeros((len(physical), level.shape[1]))
        np.add.at(load, of_gpu, level * share)
        watts = np.array(idle)[:, None] + above * np.clip(load * 1.3, 0, 0.98)[of_gpu]
        found.append(np.rint(watts * 10).astype(np.int64))
    return found[0], found[1]


def _series(
    company: Company, made: _Hours, metric: str, statistic: str, stamps: list[str]
) -> Iterator[str]:
    """Text of every series of one reply, GPU by GPU; empty ones don't exist."""
    for number in sorted(range(len(made.slots)), key=lambda n: order(made.slots[n][1])):
        pool, slot = made.slots[number]
        kept = made.kept[number]
        if statistic == "zeros":
            kept = kept & (made.busy[number] < EACH)
        if not kept.any():
            continue
        values = _values(made, number, metric, statistic, kept)
        points = '"],['.join(map(add, compress(stamps, kept.tolist()), values))
        # a function over a range drops the series' name
        name = labels(company, pool, slot, "").replace('"__name__":"",', "")
        yield f'{{"metric":{name},"values":[[{points}"]]}}'


def _values(made: _Hours, number: int, metric: str, statistic: str, kept: Mask) -> list[str]:
    if statistic == "count":
        return [_COUNTS[EACH]] * int(kept.sum())
    if statistic == "zeros":
        return [_COUNTS[v] for v in (EACH - made.busy[number][kept]).tolist()]
    if metric == _SM:
        return [RATIOS[v] for v in made.mean[number][kept].tolist()]
    words = _HOURS_MJ if metric == _ENERGY else WATTS
    tenths = made.power_max if statistic == "max" else made.power
    return [words[v] for v in tenths[number][kept].tolist()]
