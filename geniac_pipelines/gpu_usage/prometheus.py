"""Saved replies of Prometheus (`query` and `query_range`) to telemetry rows.

A reply is long (a series for each metric and GPU), the table is wide (a row for each GPU and
instant). Series are laid into a spool as they come and read back GPU by GPU, so that memory holds
one series or one GPU, whatever the size of the file.

The API gives `[epoch seconds, "value"]` pairs. In a `query_range` reply the times are those of
evaluation, on a grid of the step (`evaluated`); in a range vector they are the scrapes' own. After
a series breaks off the server repeats its last sample for up to five minutes in `query_range`,
unless it saw the target go; hourly aggregates don't have that fault.
Source: Prometheus documentation, "HTTP API"; `isPartial` is VictoriaMetrics' addition.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa

from geniac_pipelines.gpu_usage import prometheus_complaints as complaints
from geniac_pipelines.gpu_usage.prometheus_replies import Broken, Reply, Series, replies
from geniac_pipelines.gpu_usage.telemetry_contracts import TELEMETRY
from geniac_pipelines.gpu_usage.telemetry_metrics import (
    METRICS,
    OUT_OF_RANGE,
    Floats,
    Gpu,
    Integers,
    batch_of,
    cleaned,
    gathered,
    gpu_of,
)
from geniac_pipelines.intake.reading import Batch, Context, Format, Item, Place, Refusal, Source

SPOOL_BYTES: Final = 1 << 27
COARSE_SECONDS: Final = 300
"""The longest time for which one sample stands: Prometheus' own lookback."""

_STATUS = re.compile(rb'"status"\s*:\s*"(?:success|error)"')
_BODY = re.compile(rb'"(?:resultType|errorType)"\s*:')
_STARTS = re.compile(rb"[\s\x00]*\{")


@dataclass(frozen=True)
class _Stored:
    """A series in the spool: times in microseconds, then values, 8 bytes each."""

    column: str
    offset: int
    points: int
    median_us: int | None


@dataclass
class _Pile:
    """What one reply has brought so far. `step_us` and `common_us`: least and common spacing."""

    spool: IO[bytes]
    gpus: dict[tuple[str, str], tuple[Gpu, list[_Stored]]] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    step_us: int = 0
    common_us: int = 0

    def store(self, gpu: Gpu, column: str, at_us: Integers, values: Floats) -> None:
        spacing = np.diff(at_us)
        median = None
        if len(spacing):
            median = int(np.sort(spacing)[(len(spacing) - 1) // 2])
            least = int(spacing.min())
            self.step_us = min(self.step_us, least) if self.step_us else least
            self.common_us = int(np.gcd(self.common_us, np.gcd.reduce(spacing)))
        offset = self.spool.seek(0, 2)
        self.spool.write(at_us.tobytes())
        self.spool.write(values.tobytes())
        known, stored = self.gpus.setdefault(gpu.key, (gpu, []))
        # labels may change along a series (a pod's name); the greatest is one that all runs choose
        self.gpus[gpu.key] = (max(known, gpu), stored)
        stored.append(_Stored(column, offset, len(at_us), median))

    def load(self, stored: _Stored) -> tuple[Integers, Floats]:
        self.spool.seek(stored.offset)
        at_us = np.frombuffer(self.spool.read(8 * stored.points), dtype=np.int64)
        values = np.frombuffer(self.spool.read(8 * stored.points), dtype=np.float64)
        return at_us, values

    @property
    def on_grid(self) -> bool:
        """Whether all times of the reply lie a whole number of its least step apart."""
        return self.step_us > 0 and self.step_us == self.common_us


def read(source: Source, context: Context) -> Iterator[Item]:
    """Rows of every reply in the file, reply by reply; within one ordered by GPU and time."""
    del context  # epoch seconds need no zone, and no name of a person occurs
    row = 1
    with (
        source.open() as stream,
        SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool,
    ):
        pile = _Pile(spool)
        try:
            for part in replies(stream):
                if isinstance(part, Series):
                    yield from _series(part, pile)
                    continue
                yield from _reply(part, pile)
                before = row
                for batch in _rows(pile):
                    yield Batch(TELEMETRY, batch.rows, row)
                    row += batch.rows.num_rows
                if pile.gpus and row == before:
                    yield complaints.NOTHING_MEASURED.at(Place(), series=part.series)
                spool.seek(0)
                spool.truncate()
                pile = _Pile(spool)
        except Broken as broken:
            if not broken.in_reply:
                yield complaints.NOT_JSON.at(Place())
                return
            yield complaints.CUT_OFF.at(Place(), series=broken.series)
            for batch in _rows(pile):
                yield Batch(TELEMETRY, batch.rows, row)
                row += batch.rows.num_rows


def _series(series: Series, pile: _Pile) -> Iterator[Refusal]:
    """Lay a series into the spool, or say why not."""
    labels = series.content.get("metric")
    if not isinstance(labels, dict):
        yield complaints.BAD_SERIES.at(Place(row=series.number), "metric")
        return
    name = labels.get("__name__")
    place = Place(row=series.number, column=name)
    if not name:
        yield complaints.NO_NAME.at(place)
        return
    metric = METRICS.get(name)
    if metric is None:
        pile.unknown[name] += 1
        return
    gpu = gpu_of(labels)
    if gpu is None:
        yield complaints.NO_UUID.at(place)
        return
    try:
        at_us, values = (
            points(series.content)
            if series.points is None
            else (_instants(series.points[:, 0]), series.points[:, 1])
        )
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        yield complaints.BAD_SERIES.at(place, "values")
        return
    kept, impossible = cleaned(metric, values)
    if len(impossible):
        yield OUT_OF_RANGE.at(
            place, f"{impossible[0]:g}", metric=name, count=len(impossible),
            low=metric.low, high=metric.high,
        )  # fmt: skip
    pile.store(gpu, metric.column, at_us, kept)


def points(content: Mapping[str, Any]) -> tuple[Integers, Floats]:
    """Times (microseconds, ascending, each once) and values of a series or of a vector's element.

    Prometheus' times have milliseconds. Raises ValueError and its kin for anything else.
    """
    pairs = content["values"] if "values" in content else [content["value"]]
    if not pairs:
        return np.empty(0, np.int64), np.empty(0, np.float64)
    times, texts = zip(*pairs, strict=True)
    if not all(isinstance(t, str) for t in texts):
        raise ValueError("a value is written as a string")
    at_us = _instants(np.array(times, dtype=np.float64))
    return at_us, np.array([float(t) for t in texts], dtype=np.float64)


def _instants(seconds: Floats) -> Integers:
    """Microseconds since the epoch; raises ValueError for what can't be the times of a series."""
    if not (np.isfinite(seconds).all() and (np.diff(seconds) > 0).all() and seconds[0] > 0):
        raise ValueError("times must be finite and rise")
    if seconds[-1] > 1e11:
        raise ValueError("times are in seconds")
    at_us: Integers = np.rint(seconds * 1e3).astype(np.int64) * 1_000
    return at_us


def _reply(reply: Reply, pile: _Pile) -> Iterator[Refusal]:
    """What the envelope says about the whole reply, and what its series lacked."""
    content = reply.content
    if content.get("status") == "error":
        error = str(content.get("error", ""))
        kind = complaints.TOO_MANY_POINTS if "11,000" in error else complaints.FAILED
        yield kind.at(Place(), f"{content.get('errorType', '')}: {error}")
        return
    data = content.get("data")
    kind_of_result = data.get("resultType") if isinstance(data, dict) else None
    if kind_of_result not in ("matrix", "vector"):
        yield complaints.NO_SERIES_TYPE.at(Place(), kind_of_result)
        return
    if content.get("isPartial") is True or content.get("warnings"):
        said = "; ".join(str(w) for w in content.get("warnings") or ["isPartial"])
        yield complaints.PARTIAL.at(Place(), said)
    if reply.series == 0:
        yield complaints.EMPTY.at(Place())
    elif not pile.gpus and pile.unknown:
        yield complaints.NOTHING_USABLE.at(Place(), _names(pile.unknown))
    elif pile.unknown:
        yield complaints.UNUSED.at(Place(), _names(pile.unknown))
    if pile.step_us > COARSE_SECONDS * 1_000_000:
        yield complaints.COARSE.at(Place(), f"{pile.step_us / 1e6:g}")


def _names(metrics: Counter[str]) -> str:
    names = sorted(metrics)
    return ", ".join(names[:10]) + (f", … ({len(names)})" if len(names) > 10 else "")


def _rows(pile: _Pile) -> Iterator[Batch]:
    return gathered(_pivoted(pile, gpu, stored) for _, (gpu, stored) in sorted(pile.gpus.items()))


def _pivoted(pile: _Pile, gpu: Gpu, stored: list[_Stored]) -> pa.RecordBatch:
    """All metrics of one GPU side by side, a row for each instant at which any was measured.

    Where two series give one metric of one GPU at one instant (scraped twice, or the labels
    changed), the greater value holds: use is never understated.
    """
    loaded = [(s.column, *pile.load(s)) for s in stored]
    at_us = loaded[0][1]
    if not all(np.array_equal(at, at_us) for _, at, _ in loaded):
        at_us = np.unique(np.concatenate([at for _, at, _ in loaded]))
    columns: dict[str, Any] = {}
    for column, at, values in loaded:
        wide = columns.setdefault(column, np.full(len(at_us), np.nan))
        where = np.searchsorted(at_us, at)
        wide[where] = np.fmax(wide[where], values)
    measured = ~np.logical_and.reduce([np.isnan(v) for v in columns.values()])
    medians = [s.median_us for s in stored if s.median_us]
    interval_us = pile.step_us if pile.on_grid else min(medians, default=0)
    return batch_of(
        gpu,
        at_us[measured],
        {
            **{name: values[measured] for name, values in columns.items()},
            "interval_seconds": interval_us / 1e6 if interval_us else None,
            "evaluated": pile.on_grid,
            "samples": 1,
        },
    )


def recognise(source: Source) -> bool:
    """A reply's envelope at the file's beginning (UTF-8, or UTF-16 as a Windows shell saves it)."""
    head = source.head
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "replace").encode("utf-8", "replace")
    head = head.removeprefix(b"\xef\xbb\xbf")
    return bool(
        _STARTS.match(head)
        and b'"geniac.prometheus-hours"' not in head
        and _STATUS.search(head)
        and _BODY.search(head)
    )


PROMETHEUS_JSON: Final = Format(
    name="prometheus-json",
    area="gpu_usage",
    ja="Prometheus APIの応答（query_range、query）のJSON",
    contracts=(TELEMETRY,),
    recognise=recognise,
    read=read,
)
FORMATS: Final[tuple[Format, ...]] = (PROMETHEUS_JSON,)
