"""Hourly aggregates of a GPU whose fields each came as one series: columns by whole arrays.

Nearly every GPU is like that, and a company's month has millions of values. Here: arrays of one
GPU to columns of its hours. Not here: GPUs whose labels changed or that were scraped twice
(`prometheus_hours` combines those hour by hour), or the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from geniac_pipelines.gpu_usage.telemetry_contracts import AVERAGED
from geniac_pipelines.gpu_usage.telemetry_metrics import SENTINEL, Floats, Integers, Metric

HOUR_MS: Final = 3_600_000
MOST_MJ_AN_HOUR: Final = 3_600 * 10_000 * 1_000
"""An hour at 10 kW."""

MAX_COLUMNS: Final[Mapping[str, str]] = {
    "gpu_util_percent": "gpu_util_max_percent",
    "memory_used_mib": "memory_used_max_mib",
    "power_w": "power_max_w",
    "temperature_c": "temperature_max_c",
}
COUNT_COLUMNS: Final[Mapping[str, str]] = dict(AVERAGED)
IDLE_BY: Final[Mapping[bool, tuple[str, ...]]] = {
    False: ("gpu_util_percent", "sm_active_ratio", "gr_engine_active_ratio"),
    True: ("gr_engine_active_ratio", "sm_active_ratio"),
}
"""What tells idleness, the best first, of a whole GPU and of a MIG slice (True)."""


@dataclass(frozen=True)
class Points:
    """What one reply says of one series: hours' starts (ms since the epoch) and values."""

    starts: Integers
    values: Floats


def bounds(metric: Metric, statistic: str) -> tuple[float, float] | None:
    """Least and greatest value that can be true; None for counts."""
    if statistic in ("mean", "max", "last"):
        return metric.low, metric.high
    return (0.0, MOST_MJ_AN_HOUR) if statistic == "increase" else None


def plain(
    fields: Mapping[Metric, Mapping[str, Sequence[Points]]], interval_seconds: float, *, mig: bool
) -> tuple[Integers, dict[str, Floats]] | None:
    """Starts (ms) of the hours with samples and their columns, NaN where missing.

    `fields` holds each field's pages by statistic. None where the arrays won't do: an hour came
    twice, or a value can't be true and somebody must be told.
    """
    pages = [p for statistics in fields.values() for ps in statistics.values() for p in ps]
    starts: Integers = np.unique(np.concatenate([page.starts for page in pages]))
    samples = np.zeros(len(starts))
    columns: dict[str, Floats] = {}
    zeros: dict[str, Floats] = {}
    for metric, statistics in fields.items():
        found: dict[str, Floats] = {}
        for statistic, points in statistics.items():
            values = _spread(starts, points)
            if values is None or _impossible(values, bounds(metric, statistic)):
                return None
            found[statistic] = values
        count = np.nan_to_num(found.get("count", np.zeros(len(starts))))
        samples = np.maximum(samples, count)
        if "mean" in found:
            known = ~np.isnan(found["mean"])
            columns[metric.column] = found["mean"]
            columns[COUNT_COLUMNS[metric.column]] = np.where(known, count, np.nan)
            none = np.nan_to_num(found.get("zeros", np.zeros(len(starts))))
            zeros[metric.column] = np.where(known, np.minimum(none, count), np.nan)
        if "max" in found:
            columns[MAX_COLUMNS[metric.column]] = found["max"]
        if "last" in found:
            columns[metric.column] = found["last"]
        if "increase" in found:
            columns["energy_increase_mj"] = found["increase"]
    idle = np.full(len(starts), np.nan)
    for column in IDLE_BY[mig]:
        if column in zeros:
            idle = np.where(np.isnan(idle), zeros[column], idle)
    kept = samples > 0
    columns |= {"samples": samples, "idle_samples": idle}
    own = {name: values[kept] for name, values in columns.items()}
    own["interval_seconds"] = np.minimum(interval_seconds, 3_600 / own["samples"])
    return starts[kept], own


def _spread(starts: Integers, points: Sequence[Points]) -> Floats | None:
    """Values at their hours, NaN where none came or it says "not supported"; None: one twice."""
    at = np.searchsorted(starts, np.concatenate([page.starts for page in points]))
    if len(np.unique(at)) < len(at):
        return None
    values: Floats = np.full(len(starts), np.nan)
    values[at] = np.concatenate([page.values for page in points])
    values[~np.isfinite(values) | (np.abs(values) >= SENTINEL)] = np.nan
    return values


def _impossible(values: Floats, limits: tuple[float, float] | None) -> bool:
    return limits is not None and bool(np.any((values < limits[0]) | (values > limits[1])))
