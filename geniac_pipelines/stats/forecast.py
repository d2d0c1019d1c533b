"""Forecast of a daily series to a day, as a sum with an interval, or a stated refusal.

Method. Days differ by whether ministries and firms work on them, so the expected value of a coming
day is the mean of the observed days of its kind (business day or day off) among the last
`WINDOW` observed days. The interval is that of a circular block bootstrap: residuals (observed
minus mean of the kind) are drawn in blocks of `BLOCK` days that followed each other, which keeps
the dependence of neighbouring days (a training run lasts a week), and each resample also takes its
means anew, so that the uncertainty of the means is in the interval. A change of course that the
window does not show is in no interval.
Politis, D. N. and Romano, J. P. (1992), A circular block-resampling procedure for stationary data,
in: Exploring the Limits of Bootstrap, Wiley, 263–270.

Missing days stay missing: they are neither zero nor filled, only not observed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from geniac_pipelines.calendar import is_business_day

WINDOW: Final = 28
"""Observed days that count, the newest; four weeks."""
MINIMUM: Final = 14
"""Fewer observed days give no forecast: two weeks show each weekday twice."""
REACH: Final = 56
"""Days before the first forecast day among which the window is sought; older use says little."""
BLOCK: Final = 7
RESAMPLES: Final = 2_000
LEVEL: Final = 0.8
SEED: Final = 20260401


class NoForecast(ValueError):
    """The series does not allow a forecast. `reason_ja` says why in report words."""

    def __init__(self, reason: str, reason_ja: str) -> None:
        super().__init__(reason)
        self.reason_ja = reason_ja


@dataclass(frozen=True)
class Forecast:
    """The sum from `first` to `last` (JST days, inclusive), in the unit of the series.

    `low` and `high` bound the `level` interval; `observed_days` is how many days it rests on.
    """

    first: date
    last: date
    total: float
    low: float
    high: float
    business_mean: float
    off_mean: float
    observed_days: int
    level: float
    seed: int


def forecast(
    series: Mapping[date, float], first: date, last: date, *, seed: int = SEED
) -> Forecast:
    """Forecast the sum of a daily series over the days `first` to `last`.

    `series` holds complete observed days only (a partly observed day is no observation); days from
    `first` on are ignored. Values may not be negative; nor will the interval be. Where the window
    holds no day of one kind, the mean over all its days stands for it. Raises NoForecast.
    """
    if last < first:
        raise NoForecast("no day is left to forecast", "予測する期間が残っていません")
    window = _window(series, first)
    days = sorted(window)
    values = np.array([window[d] for d in days], dtype=np.float64)
    business = np.array([is_business_day(d) for d in days])
    horizon = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    coming = np.array([is_business_day(d) for d in horizon])
    means = _means(values, business)
    sums = _resampled(values, business, _blocks(values.size), coming, seed)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(sums, [tail, 1 - tail])
    total = _total(means, coming)
    return Forecast(
        first=first,
        last=last,
        total=total,
        # the interval holds its own middle, also where resampling is one-sided
        low=min(max(float(low), 0.0), total),
        high=max(float(high), total),
        business_mean=means[0],
        off_mean=means[1],
        observed_days=len(days),
        level=LEVEL,
        seed=seed,
    )


def _window(series: Mapping[date, float], first: date) -> dict[date, float]:
    """The newest WINDOW observed days before `first`, not older than REACH."""
    recent = sorted(d for d in series if first - timedelta(days=REACH) <= d < first)[-WINDOW:]
    if len(recent) < MINIMUM:
        raise NoForecast(
            f"{len(recent)} observed days in the {REACH} days before {first}, {MINIMUM} are needed",
            f"直近{REACH}日のうち記録のある日が{len(recent)}日で、{MINIMUM}日に足りません",
        )
    for day in recent:
        if not math.isfinite(series[day]) or series[day] < 0:
            raise ValueError(f"{day}: {series[day]} is no daily amount")
    return {day: float(series[day]) for day in recent}


def _means(values: npt.NDArray[np.float64], business: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Mean of business days and of days off; the mean of all where a kind is not there."""
    everything = _mean(values)
    kinds = (values[business], values[~business])
    worked, off = (_mean(v) if v.size else everything for v in kinds)
    return worked, off


def _mean(values: npt.NDArray[np.float64]) -> float:
    return math.fsum(sorted(values.tolist())) / values.size


def _total(means: tuple[float, float], coming: npt.NDArray[np.bool_]) -> float:
    worked = int(coming.sum())
    return means[0] * worked + means[1] * (coming.size - worked)


def _blocks(count: int) -> npt.NDArray[np.int64]:
    """Indices of the runs of BLOCK observed days, one for each day at which a run can begin.

    The last day is followed by the first, so that every day is drawn equally often; without that
    the days at both ends would count less and shift the interval off the forecast.
    """
    return (np.arange(count)[:, None] + np.arange(BLOCK)) % count


def _resampled(
    values: npt.NDArray[np.float64],
    business: npt.NDArray[np.bool_],
    blocks: npt.NDArray[np.int64],
    coming: npt.NDArray[np.bool_],
    seed: int,
) -> npt.NDArray[np.float64]:
    """Sums over the coming days, one a resample."""
    worked, off = _means(values, business)
    fitted = np.where(business, worked, off)
    residuals = values - fitted
    rng = np.random.default_rng(seed)
    past = np.maximum(fitted + _drawn(rng, residuals, blocks, values.size), 0.0)
    worked_again, off_again = _means_of_rows(past, business)
    centre = np.where(coming, worked_again[:, None], off_again[:, None])
    path = np.maximum(centre + _drawn(rng, residuals, blocks, coming.size), 0.0)
    return np.asarray(np.sort(path, axis=1).sum(axis=1))


def _means_of_rows(
    values: npt.NDArray[np.float64], business: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """As `_means`, for each row of a matrix of resampled series."""
    ordered = (values[:, business], values[:, ~business])
    worked, off = (np.sort(v if v.shape[1] else values, axis=1).mean(axis=1) for v in ordered)
    return worked, off


def _drawn(
    rng: np.random.Generator,
    residuals: npt.NDArray[np.float64],
    blocks: npt.NDArray[np.int64],
    length: int,
) -> npt.NDArray[np.float64]:
    """RESAMPLES rows of `length` residuals, in blocks drawn with replacement."""
    needed = -(-length // blocks.shape[1])
    chosen = blocks[rng.integers(len(blocks), size=(RESAMPLES, needed))]
    return residuals[chosen.reshape(RESAMPLES, -1)[:, :length]]
