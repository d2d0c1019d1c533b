"""Telemetry to facts: GPU × hour and GPU × day, exact, the same bytes from any order of files.

Here: what the facts mean, running the SQL (`rollup_sql`) and writing what it gives. Not here:
weights of MIG slices, companies' totals, verdicts (dbt does them), or which files are current.

How the hours are made
- **Instants.** Rows of one GPU (or MIG slice) at one instant become one, column by column, the
  greatest value holding: files may overlap, or bring one metric each. Evaluation times are first
  moved back to multiples of their step, so that files whose grids differ by seconds meet.
- **Spans.** A raw sample stands from its instant for its interval, at most MAX_HOLD_SECONDS, and
  never past the next sample of that GPU. A sample of unknown interval (a lone scrape) stands only
  if another follows within MAX_HOLD_SECONDS. An aggregate stands for its samples times interval,
  within its hour.
- **Whole seconds.** A span covers the whole seconds that end in it, and is cut at full hours, so
  that an hour has at most 3,600 covered seconds, idle + active + unknown = covered, and
  neighbouring spans add up without gap or overlap. Hours of UTC are hours of Japan.
- **Raw or aggregate.** Where a GPU has both in one hour, the kind that covers more seconds is
  taken alone; if equal, the raw samples.
- **Means** are sums of value × 10^6 × seconds (integers) with the seconds in which the value is
  known; the mean is their quotient, taken last.
- **Idle** is use of 0: GPU_UTIL, where missing SM_ACTIVE or GR_ENGINE_ACTIVE; on a MIG slice
  GR_ENGINE_ACTIVE, where missing SM_ACTIVE, as GPU_UTIL says nothing there. Where none is known
  the seconds are unknown. Seconds without samples are not covered; neither is idle.
- **Energy** is the difference of the counter between a GPU's readings that follow each other by
  at most MAX_ENERGY_GAP_SECONDS; a counter that fell was reset, and its new value counts. A
  difference that would need more than MAX_POWER_W is no energy (a counter of other origin). It is
  shared between two hours in proportion to the seconds (rounded down in the first, the rest in
  the second). `energy_seconds` says for how long energy is known. It belongs to the whole device:
  under MIG every slice repeats it.
- **XID** is the last error's code and stays; it counts as an event where it changes to another
  code than the reading before, within MAX_ENERGY_GAP_SECONDS.

A day therefore depends on samples up to one hour before and after it: `touched_days`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geniac_pipelines.calendar import day_bounds, jst_date
from geniac_pipelines.gpu_usage.rollup_sql import (
    DAYS_SQL,
    GPUS_SQL,
    HOURS_SQL,
    HOURS_TOUCHED_SQL,
)
from geniac_pipelines.store.files import whole
from geniac_pipelines.store.warehouse import connect

MAX_HOLD_SECONDS: Final = 300
"""Prometheus' own lookback: an older sample is not taken for the present."""
MAX_ENERGY_GAP_SECONDS: Final = 3_600
MAX_POWER_W: Final = 10_000
HALO: Final = timedelta(seconds=MAX_ENERGY_GAP_SECONDS)
"""How far outside a day its facts look."""

CHUNK_SAMPLES: Final = 500_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_WEIGHTED = (
    "gpu_util", "sm_active", "tensor_active", "gr_engine_active", "dram_active", "memory_used",
    "power",
)  # fmt: skip
_INSTANT = pa.timestamp("us", tz="UTC")
_COMMON_BEFORE: tuple[tuple[str, pa.DataType], ...] = (
    ("company_id", pa.string()),
    ("gpu_uuid", pa.string()),
    ("mig_id", pa.string()),
)
_COMMON_AFTER: tuple[tuple[str, pa.DataType], ...] = (
    ("mig_profile", pa.string()),
    ("gpu_model", pa.string()),
    ("host", pa.string()),
    ("gpu_index", pa.int64()),
    ("samples", pa.int64()),
    ("expected_samples", pa.int64()),
    ("covered_seconds", pa.int64()),
    ("idle_seconds", pa.int64()),
    ("active_seconds", pa.int64()),
    ("unknown_seconds", pa.int64()),
    *((f"{name}_{part}", pa.int64()) for name in _WEIGHTED for part in ("seconds", "e6_seconds")),
    ("gpu_util_max_percent", pa.float64()),
    ("memory_used_max_mib", pa.float64()),
    ("power_max_w", pa.float64()),
    ("temperature_max_c", pa.float64()),
    ("energy_seconds", pa.int64()),
    ("energy_mj", pa.int64()),
    ("throttle_known_seconds", pa.int64()),
    ("throttled_seconds", pa.int64()),
    ("power_capped_seconds", pa.int64()),
    ("xid_events", pa.int64()),
    ("xid_codes", pa.list_(pa.int64())),
)
HOUR_FACTS: Final = pa.schema([*_COMMON_BEFORE, ("hour_start", _INSTANT), *_COMMON_AFTER])
"""GPU × hour. `hour_start` UTC; `*_e6_seconds` is Σ value × 10^6 × seconds over `*_seconds`."""
DAY_FACTS: Final = pa.schema(
    [*_COMMON_BEFORE, ("day", pa.date32()), ("hours", pa.int64()), *_COMMON_AFTER]
)
"""GPU × JST day; `hours` is how many hours have facts."""


def rollup_hours(con: Any, files: Sequence[Path], company: str, day: date, out: Path) -> int:
    """Write the GPU × hour facts of a company's JST day to `out`; returns the number of rows.

    `files` are landed telemetry of that company, at least all that `touched_days` maps to the
    day; more, or another order, changes no byte. `con` is a DuckDB connection.
    """
    return rollup_hours_of_days(con, files, company, {day: out})[day]


def rollup_hours_of_days(
    con: Any, files: Sequence[Path], company: str, outs: Mapping[date, Path]
) -> dict[date, int]:
    """Write the facts of days that follow each other, one file each; returns their rows.

    One query makes them all, as its fixed cost is that of hundreds of thousands of samples; each
    file is byte for byte what the day alone would give. GPUs are taken in groups of CHUNK_SAMPLES,
    so that memory does not grow with the company.
    """
    starts, _ = day_bounds(min(outs))
    _, ends = day_bounds(max(outs))
    if (max(outs) - min(outs)).days + 1 != len(outs):
        raise ValueError(f"the days from {min(outs)} to {max(outs)} do not follow each other")
    reach = {"files": [str(f) for f in files], "first": starts - HALO, "last": ends + HALO}
    parameters = {
        **reach,
        "company": company,
        "first_hour": int(starts.timestamp()),
        "last_hour": int(ends.timestamp()),
        "max_hold_us": MAX_HOLD_SECONDS * 1_000_000,
        "max_energy_gap_us": MAX_ENERGY_GAP_SECONDS * 1_000_000,
        # 1 W is 1 mJ in 1,000 µs
        "max_mj_per_us": MAX_POWER_W // 1_000,
    }
    found = con.execute(GPUS_SQL, reach).fetchall() if files else []
    table = _table(
        [
            con.sql(HOURS_SQL, params={**parameters, "first_gpu": first, "last_gpu": last})
            for first, last in _chunks(found)
        ],
        HOUR_FACTS,
    )
    counts = {}
    for day, out in sorted(outs.items()):
        begins, over = (pa.scalar(instant, _INSTANT) for instant in day_bounds(day))
        own = pc.and_(
            pc.greater_equal(table["hour_start"], begins), pc.less(table["hour_start"], over)
        )
        counts[day] = _write(table.filter(own), out)
    return counts


def rollup_days(
    con: Any, files: Sequence[Path], company: str, day: date, out: Path, *, last: date | None = None
) -> int:
    """Write the GPU × day facts of a company's JST day to `out`; returns the number of rows.

    `files` are hour facts with no hour twice, at least those of that company and day. With `last`
    all days from `day` to `last` that have hours, in order of GPU and day.
    """
    starts, _ = day_bounds(day)
    _, ends = day_bounds(last or day)
    parameters = {
        "files": [str(f) for f in files],
        "company": company,
        "first": starts,
        "last": ends,
    }
    parts = [con.sql(DAYS_SQL, params=parameters)] if files else []
    return _write(_table(parts, DAY_FACTS), out)


def touched_days(files: Sequence[Path]) -> set[date]:
    """The JST days whose facts depend on these landed files: those within HALO of a sample."""
    if not files:
        return set()
    with connect() as con:
        found = con.execute(HOURS_TOUCHED_SQL, {"files": [str(f) for f in files]}).fetchall()
    # a sample moved by an hour is in the hour before or after, wherever in its hour it lies
    return {
        jst_date(EPOCH + timedelta(hours=hour + step)) for (hour,) in found for step in (-1, 0, 1)
    }


def _chunks(gpus: Sequence[tuple[str, int]]) -> Iterator[tuple[str, str]]:
    """First and last UUID of groups of neighbours with about CHUNK_SAMPLES samples each."""
    first, samples = "", 0
    for number, (gpu, count) in enumerate(gpus):
        first = first or gpu
        samples += count
        if samples >= CHUNK_SAMPLES or number == len(gpus) - 1:
            yield first, gpu
            first, samples = "", 0


def _table(parts: Sequence[Any], schema: pa.Schema) -> pa.Table:
    """Results that follow each other in total order, as one table."""
    tables = [p.to_arrow_table().select(schema.names).cast(schema) for p in parts]
    return pa.concat_tables([schema.empty_table(), *tables])


def _write(table: pa.Table, out: Path) -> int:
    with whole(out) as temporary:
        pq.write_table(table.combine_chunks(), temporary, compression="zstd")
    return int(table.num_rows)
