"""Hourly aggregates that a company's own Prometheus made, as `prometheus_live` saved them.

Here: which aggregates are asked for, the envelope that keeps the server's replies as they came,
and reading it to telemetry rows of one GPU and hour. Not here: asking (`prometheus_live`).

An hour [T, T+1h) is evaluated one millisecond before its end, since stamps have milliseconds and
a range ends at the evaluation time inclusively. Servers before version 3 also include the range's
first instant; a sample exactly there, one millisecond before the hour, counts in both hours.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa

from geniac_pipelines.gpu_usage import prometheus_complaints as complaints
from geniac_pipelines.gpu_usage.prometheus_hours_plain import (
    COUNT_COLUMNS,
    HOUR_MS,
    IDLE_BY,
    MAX_COLUMNS,
    Points,
    bounds,
    plain,
)
from geniac_pipelines.gpu_usage.telemetry_contracts import TELEMETRY
from geniac_pipelines.gpu_usage.telemetry_metrics import (
    METRICS,
    OUT_OF_RANGE,
    SENTINEL,
    Gpu,
    Metric,
    batch_of,
    gathered,
    gpu_of,
)
from geniac_pipelines.intake.reading import Context, Format, Item, Place, Refusal, Source

ENVELOPE: Final = "geniac.prometheus-hours"
VERSION: Final = 1

STATISTICS: Final[Mapping[str, str]] = {
    "mean": "avg_over_time({series}[1h])",
    "count": "count_over_time({series}[1h])",
    "max": "max_over_time({series}[1h])",
    # evaluated at every interval, as a range of samples can't be filtered
    "zeros": "count_over_time(({series} == 0)[1h:{interval}s])",
    "increase": "increase({series}[1h])",
    "last": "last_over_time({series}[1h])",
}
"""PromQL of each aggregate over one hour."""

_USED = ("mean", "count", "zeros")
ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "DCGM_FI_DEV_GPU_UTIL": (*_USED, "max"),
    "DCGM_FI_PROF_SM_ACTIVE": _USED,
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": _USED,
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": ("mean", "count"),
    "DCGM_FI_PROF_DRAM_ACTIVE": ("mean", "count"),
    "DCGM_FI_DEV_FB_USED": ("mean", "count", "max"),
    "DCGM_FI_DEV_POWER_USAGE": ("mean", "count", "max"),
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": ("count", "increase"),
    "DCGM_FI_DEV_GPU_TEMP": ("count", "max"),
    "DCGM_FI_DEV_XID_ERRORS": ("count", "last"),
}
"""Which aggregates of which field are asked for."""

SeriesKey = tuple[tuple[str, str], ...]
Cells = dict[str, float]


Hour = dict[str, dict[SeriesKey, Cells]]
"""By field, then by label set: the aggregates of one GPU in one hour."""
Hours = dict[int, Hour]
"""By the hour's start, in ms since the epoch."""
Said = dict[str, dict[SeriesKey, dict[str, list[Points]]]]
"""By field, label set and statistic: everything that the replies say of one GPU."""


def read(source: Source, context: Context) -> Iterator[Item]:
    """Rows ordered by GPU and hour; notes on GPUs that the server knows but did not measure."""
    del context  # epoch seconds need no zone, and no name of a person occurs
    try:
        document = _document(source.path)
        known = document["version"] == VERSION and document["interval_seconds"] > 0
    except (orjson.JSONDecodeError, TypeError, KeyError):
        known = False
    if not known:
        yield complaints.NOT_AN_ENVELOPE.at(Place())
        return
    try:
        gpus, said = _arranged(document["pages"])
        announced = [(g["uuid"], g["mig"]) for g in document["gpus"]]
    except (TypeError, ValueError, KeyError, IndexError):
        yield complaints.NOT_AN_ENVELOPE.at(Place())
        return
    refusals: list[Refusal] = []
    batches = [
        _batch(gpus[key], said[key], document["interval_seconds"], refusals) for key in sorted(said)
    ]
    if not said:
        yield complaints.EMPTY.at(Place())
    silent = [key for key in announced if key not in said]
    if said and silent:
        names = ", ".join(uuid for uuid, _ in silent[:5])
        yield complaints.UNMEASURED.at(Place(), names, count=len(silent))
    yield from refusals
    yield from gathered(batches)


def _document(path: Path) -> Any:
    """The parsed document. Millions of small lists, none of them garbage, are not worth a search
    for garbage, which would double the time.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return orjson.loads(path.read_bytes())
    finally:
        if collects:
            gc.enable()


def _arranged(
    pages: Sequence[Mapping[str, Any]],
) -> tuple[dict[tuple[str, str], Gpu], dict[tuple[str, str], Said]]:
    """GPU by key, and what was said of it."""
    gpus: dict[tuple[str, str], Gpu] = {}
    said: dict[tuple[str, str], Said] = {}
    for page in pages:
        if page["metric"] not in ASKED or page["statistic"] not in STATISTICS:
            raise ValueError(f"nobody asks for {page['statistic']} of {page['metric']}")
        for series in page["reply"]["data"]["result"]:
            labels = series["metric"]
            gpu = gpu_of(labels)
            if gpu is None:
                continue
            gpus[gpu.key] = max(gpus.get(gpu.key, gpu), gpu)
            identity = tuple(sorted((k, v) for k, v in labels.items() if k != "__name__"))
            if points := _points(series["values"]):
                fields = said.setdefault(gpu.key, {}).setdefault(page["metric"], {})
                fields.setdefault(identity, {}).setdefault(page["statistic"], []).append(points)
    return gpus, said


def _points(values: Sequence[tuple[float, str]]) -> Points | None:
    """Raises ValueError or TypeError where the values are no values of full hours."""
    if not values:
        return None
    stamps = np.array([seconds for seconds, _ in values], dtype=np.float64)
    starts = np.rint(stamps * 1000).astype(np.int64) + 1 - HOUR_MS
    if np.any(starts % HOUR_MS):
        raise ValueError(f"{stamps[starts % HOUR_MS != 0][0]} s is not before a full hour")
    return Points(starts, np.array([float(value) for _, value in values]))


def evaluation_ms(hour_ms: int) -> int:
    """When the hour that starts at `hour_ms` is evaluated."""
    return hour_ms + HOUR_MS - 1


def hour_before(seconds: float) -> int:
    """Start (ms since the epoch) of the hour that was evaluated then. Raises ValueError."""
    start = round(seconds * 1000) + 1 - HOUR_MS
    if start % HOUR_MS:
        raise ValueError(f"{seconds} s is not one millisecond before a full hour")
    return start


def _batch(gpu: Gpu, said: Said, interval_seconds: int, refusals: list[Refusal]) -> pa.RecordBatch:
    if all(len(series) == 1 for series in said.values()):
        fields = {METRICS[name]: next(iter(series.values())) for name, series in said.items()}
        found = plain(fields, interval_seconds, mig=bool(gpu.mig))
        if found:
            starts, arrays = found
            return batch_of(gpu, starts * 1_000, {**arrays, "evaluated": False})
    rows: dict[int, Cells] = {}
    for start, hour in sorted(_by_hour(said).items()):
        combined = {
            METRICS[name]: _combined(series, interval_seconds)
            for name, series in sorted(hour.items())
        }
        refusals.extend(_impossible(gpu, start, combined))
        row = _row(gpu, combined, interval_seconds)
        if row:
            rows[start] = row
    columns: dict[str, Any] = {
        name: np.array([row.get(name, math.nan) for row in rows.values()], dtype=np.float64)
        for name in {n for row in rows.values() for n in row}
    }
    at_us = np.array(list(rows), dtype=np.int64) * 1_000
    return batch_of(gpu, at_us, {**columns, "evaluated": False})


def _by_hour(said: Said) -> Hours:
    hours: Hours = {}
    for name, series in said.items():
        for identity, statistics in series.items():
            for statistic, pages in statistics.items():
                for page in pages:
                    for start, value in zip(
                        page.starts.tolist(), page.values.tolist(), strict=True
                    ):
                        fields = hours.setdefault(start, {}).setdefault(name, {})
                        fields.setdefault(identity, {})[statistic] = value
    return hours


def _combined(series: Mapping[SeriesKey, Cells], interval_seconds: int) -> Cells:
    """One field of one GPU and hour, where labels changed (a pod's name) or it was scraped twice.

    Series that follow each other add up. When they hold more samples than the hour has room for
    they ran side by side, and the fullest (of equals the one whose labels come first) stands.
    """
    measured = [
        {s: v for s, v in cells.items() if math.isfinite(v) and abs(v) < SENTINEL}
        for _, cells in sorted(series.items())
    ]
    if sum(c.get("count", 0.0) for c in measured) > 3_600 / interval_seconds + 1:
        measured = [max(measured, key=lambda c: c.get("count", 0.0))]
    found: Cells = {}
    for statistic in ("max", "last"):
        if values := [c[statistic] for c in measured if statistic in c]:
            found[statistic] = max(values)
    if increases := [c["increase"] for c in measured if "increase" in c]:
        found["increase"] = math.fsum(increases)
    # an hour with "not supported" in it has no mean, and its samples count for none
    averaged = [c for c in measured if "mean" in c and c.get("count")] or measured
    found["count"] = sum(c.get("count", 0.0) for c in averaged)
    if "mean" in averaged[0]:
        products = math.fsum(c["mean"] * c["count"] for c in averaged)
        found["mean"] = averaged[0]["mean"] if len(averaged) == 1 else products / found["count"]
        found["zeros"] = min(sum(c.get("zeros", 0.0) for c in averaged), found["count"])
    return found


def _impossible(gpu: Gpu, start: int, fields: Mapping[Metric, Cells]) -> Iterator[Refusal]:
    """Take out values that can't be true, with a complaint for each."""
    for metric, cells in fields.items():
        for statistic in ("mean", "max", "last", "increase"):
            low, high = bounds(metric, statistic) or (-math.inf, math.inf)
            if statistic in cells and not low <= cells[statistic] <= high:
                hour = datetime.fromtimestamp(start / 1000, UTC).isoformat()
                value = f"{cells.pop(statistic):g}, {gpu.uuid}, {hour}"
                name = f"{statistic}({metric.column})"
                yield OUT_OF_RANGE.at(
                    Place(column=name), value, metric=name, count=1, low=low, high=high
                )


def _row(gpu: Gpu, fields: Mapping[Metric, Cells], interval_seconds: int) -> Cells:
    """The columns of one GPU and hour; empty when no sample was counted."""
    samples = max(cells["count"] for cells in fields.values())
    if not samples:
        return {}
    row: Cells = {"samples": samples, "interval_seconds": min(interval_seconds, 3_600 / samples)}
    zeros: Cells = {}
    for metric, cells in fields.items():
        column = metric.column
        if "mean" in cells:
            row[column] = cells["mean"]
            row[COUNT_COLUMNS[column]] = cells["count"]
            zeros[column] = cells["zeros"]
        if "max" in cells:
            row[MAX_COLUMNS[column]] = cells["max"]
        if "last" in cells:
            row[column] = cells["last"]
        if "increase" in cells:
            row["energy_increase_mj"] = cells["increase"]
    for column in IDLE_BY[bool(gpu.mig)]:
        if column in zeros:
            row["idle_samples"] = zeros[column]
            break
    return row


def recognise(source: Source) -> bool:
    """The envelope names itself first."""
    return source.head.startswith(b'{"format":"' + ENVELOPE.encode() + b'"')


PROMETHEUS_HOURS: Final = Format(
    name="prometheus-hours",
    area="gpu_usage",
    ja="Prometheusから取得した1時間ごとの集計",
    contracts=(TELEMETRY,),
    recognise=recognise,
    read=read,
)
FORMATS: Final[tuple[Format, ...]] = (PROMETHEUS_HOURS,)
