"""Telemetry to facts: GPU × hour and GPU × day, exact, the same bytes from any order of files.

Here: the one SQL text of the hours, the one of the days, and writing what they give. Not here:
weights of MIG slices, companies' totals, verdicts (dbt does them), or which files are current.

How the hours are made
- **Instants.** Rows of one GPU (or MIG slice) at one instant become one, column by column, the
  greatest value holding: files may overlap, or bring one metric each. Evaluation times are first
  moved back to multiples of their step, so that files whose grids differ by seconds meet.
- **Spans.** A raw sample stands from its instant for its interval, at most MAX_HOLD_SECONDS, and
  never past the next sample of that GPU. A sample of unknown interval (a lone scrape) stands only
  if another follows within MAX_HOLD_SECONDS. An aggregate stands for its samples times interval.
- **Whole seconds.** A span covers the whole seconds that begin in it, and is cut at full hours,
  so that an hour has at most 3,600 covered seconds, idle + active + unknown = covered, and
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

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from geniac_pipelines.calendar import day_bounds
from geniac_pipelines.store.files import whole

MAX_HOLD_SECONDS: Final = 300
"""Prometheus' own lookback: an older sample is not taken for the present."""
MAX_ENERGY_GAP_SECONDS: Final = 3_600
MAX_POWER_W: Final = 10_000
HALO: Final = timedelta(seconds=MAX_ENERGY_GAP_SECONDS)
"""How far outside a day its facts look."""

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

HOURS_SQL: Final = """
with landed as (
    select
        gpu_uuid,
        coalesce(mig_id, '') as mig_id,
        samples > 1 as is_aggregate,
        cast(round(interval_seconds * 1e6) as bigint) as interval_us,
        case
            when evaluated and interval_us > 0
                then epoch_us(sampled_at) - epoch_us(sampled_at) % interval_us
            else epoch_us(sampled_at)
        end as at_us,
        * exclude (gpu_uuid, mig_id, sampled_at, interval_seconds, evaluated)
    from read_parquet($files)
    where sampled_at >= $first and sampled_at < $last
),

instants as (
    select
        gpu_uuid,
        mig_id,
        is_aggregate,
        at_us,
        min(interval_us) as interval_us,
        max(samples) as samples,
        max(mig_profile) as mig_profile,
        max(gpu_model) as gpu_model,
        max(host) as host,
        max(gpu_index) as gpu_index,
        max(gpu_util_percent) as gpu_util,
        max(sm_active_ratio) as sm_active,
        max(tensor_active_ratio) as tensor_active,
        max(gr_engine_active_ratio) as gr_engine_active,
        max(dram_active_ratio) as dram_active,
        max(memory_used_mib) as memory_used,
        max(power_w) as power,
        max(gpu_util_samples) as gpu_util_samples,
        max(sm_active_samples) as sm_active_samples,
        max(tensor_active_samples) as tensor_active_samples,
        max(gr_engine_active_samples) as gr_engine_active_samples,
        max(dram_active_samples) as dram_active_samples,
        max(memory_used_samples) as memory_used_samples,
        max(power_samples) as power_samples,
        max(idle_samples) as idle_samples,
        max(greatest(gpu_util_max_percent, gpu_util_percent)) as gpu_util_max_percent,
        max(greatest(memory_used_max_mib, memory_used_mib)) as memory_used_max_mib,
        max(greatest(power_max_w, power_w)) as power_max_w,
        max(greatest(temperature_max_c, temperature_c)) as temperature_max_c,
        max(energy_mj) as counter_mj,
        max(energy_increase_mj) as energy_increase_mj,
        max(clock_event_reasons) as clock_event_reasons,
        max(xid_code) as xid_code
    from landed
    group by gpu_uuid, mig_id, is_aggregate, at_us
),

neighbours as (
    select
        *,
        lead(at_us) over following as next_us,
        lead(counter_mj ignore nulls) over following as next_counter_mj,
        lead(case when counter_mj is not null then at_us end ignore nulls) over following
            as next_counter_us,
        lag(xid_code ignore nulls) over following as last_xid_code,
        lag(case when xid_code is not null then at_us end ignore nulls) over following
            as last_xid_us
    from instants
    window following as (partition by gpu_uuid, mig_id, is_aggregate order by at_us)
),

spans as (
    select
        *,
        at_us // 1000000 as from_s,
        case
            when is_aggregate then least(at_us + samples * interval_us, next_us)
            when interval_us is not null
                then least(at_us + least(interval_us, $max_hold_us), next_us)
            when next_us - at_us <= $max_hold_us then next_us
            else at_us
        end // 1000000 as to_s,
        case
            when next_counter_us - at_us > $max_energy_gap_us then null
            when next_counter_mj >= counter_mj then next_counter_mj - counter_mj
            else next_counter_mj
        end as rise_mj,
        case when rise_mj <= $max_mj_per_us * (next_counter_us - at_us) then rise_mj end
            as energy_mj,
        next_counter_us // 1000000 as energy_to_s,
        from_s - from_s % 3600 as hour_s,
        case
            when mig_id = '' then coalesce(gpu_util, sm_active, gr_engine_active)
            else coalesce(gr_engine_active, sm_active)
        end as used,
        case
            when mig_id = '' then coalesce(
                case when gpu_util is not null then gpu_util_samples end,
                case when sm_active is not null then sm_active_samples end,
                gr_engine_active_samples
            )
            else coalesce(
                case when gr_engine_active is not null then gr_engine_active_samples end,
                sm_active_samples
            )
        end as used_samples
    from neighbours
),

pieces as (
    select
        *,
        hour_s as piece_hour_s,
        true as is_first,
        least(to_s, hour_s + 3600) - from_s as seconds,
        least(energy_to_s, hour_s + 3600) - from_s as energy_seconds,
        case
            when energy_to_s <= hour_s + 3600 then energy_mj
            else energy_mj * (hour_s + 3600 - from_s) // (energy_to_s - from_s)
        end as piece_mj
    from spans
    union all
    select
        *,
        hour_s + 3600 as piece_hour_s,
        false as is_first,
        greatest(to_s - hour_s - 3600, 0) as seconds,
        energy_to_s - hour_s - 3600 as energy_seconds,
        energy_mj - energy_mj * (hour_s + 3600 - from_s) // (energy_to_s - from_s) as piece_mj
    from spans
    where to_s > hour_s + 3600 or energy_to_s > hour_s + 3600
)
select * from pieces
"""
