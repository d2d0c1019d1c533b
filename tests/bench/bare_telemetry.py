"""The yardstick for telemetry: DuckDB alone, from the same file to the same facts of the same day.

Written for this file's kind only (raw samples on one grid, no sample twice, no hourly aggregates,
no throttling), which is what bare SQL for one file would be. The meaning is that of
`geniac_pipelines.gpu_usage.rollup`; the text shares nothing with it.

    python -m tests.bench.bare_telemetry json|parquet FILE DAY OUT_HOURS OUT_DAYS
"""

import time

BEGAN = time.perf_counter()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import duckdb  # noqa: E402

from tests.bench.measure import started  # noqa: E402

READ_JSON = """
create temp table wide as
with series as (
    select unnest(data.result) as one
    from read_json($file, maximum_object_size = 4000000000, columns = {
        data: 'struct(result struct(metric json, "values" double[][])[])'
    })
),
points as (
    select
        one.metric ->> 'UUID' as gpu,
        coalesce(one.metric ->> 'GPU_I_ID', '') as mig,
        one.metric ->> '__name__' as field,
        unnest(one."values") as point
    from series
)
select
    gpu,
    mig,
    cast(round(point[1] * 1000) as bigint) * 1000 as us,
    max(point[2]) filter (field = 'DCGM_FI_DEV_GPU_UTIL') as util,
    max(point[2]) filter (field = 'DCGM_FI_PROF_SM_ACTIVE') as sm,
    max(point[2]) filter (field = 'DCGM_FI_PROF_PIPE_TENSOR_ACTIVE') as tensor,
    max(point[2]) filter (field = 'DCGM_FI_PROF_GR_ENGINE_ACTIVE') as engine,
    max(point[2]) filter (field = 'DCGM_FI_DEV_FB_USED') as memory,
    max(point[2]) filter (field = 'DCGM_FI_DEV_POWER_USAGE') as watt,
    cast(max(point[2]) filter (field = 'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION') as bigint) as meter,
    cast(max(point[2]) filter (field = 'DCGM_FI_DEV_XID_ERRORS') as bigint) as xid
from points
group by gpu, mig, us
"""

READ_PARQUET = """
create temp view wide as
select
    gpu_uuid as gpu,
    coalesce(mig_id, '') as mig,
    epoch_us(sampled_at) as us,
    gpu_util_percent as util,
    sm_active_ratio as sm,
    tensor_active_ratio as tensor,
    gr_engine_active_ratio as engine,
    memory_used_mib as memory,
    power_w as watt,
    energy_mj as meter,
    xid_code as xid
from read_parquet('{file}')
"""

HOURS = """
create temp table hours as
with ordered as (
    select
        *,
        us // 1000000 as a,
        (us // 3600000000 + 1) * 3600 as full_hour,
        lead(us) over one as following,
        lead(case when meter is not null then {'us': us, 'mj': meter} end ignore nulls) over one
            as next_meter,
        lag(case when xid is not null then {'us': us, 'code': xid} end ignore nulls) over one
            as last_xid
    from wide
    window one as (partition by gpu, mig order by us)
),
held as (
    select
        *,
        least(us + least($interval, 300) * 1000000, coalesce(following, us + 300000000)) // 1000000
            as b,
        case
            when next_meter.us - us > 3600000000 then null
            when next_meter.mj < meter then next_meter.mj
            else next_meter.mj - meter
        end as raw_mj,
        case when meter is not null and raw_mj <= 10 * (next_meter.us - us) then raw_mj end as mj,
        case when mj is not null then next_meter.us // 1000000 end as mj_b,
        case
            when mj_b > full_hour then mj * (full_hour - a) // (mj_b - a) else mj
        end as mj_first
    from ordered
),
cut as (
    select
        *,
        full_hour - 3600 as hour,
        least(b, full_hour) - a as s,
        case when mj_b is not null then least(mj_b, full_hour) - a end as mj_s,
        mj_first as mj_part,
        1 as counted
    from held
    union all
    select
        *,
        full_hour as hour,
        greatest(b - full_hour, 0) as s,
        mj_b - full_hour as mj_s,
        mj - mj_first as mj_part,
        0 as counted
    from held
    where b > full_hour or mj_b > full_hour
),
used as (
    select
        *,
        case when mig = '' then coalesce(util, sm, engine) else coalesce(engine, sm) end as busy
    from cut
    where (hour + 32400) // 86400 = $day
)
select
    gpu,
    mig,
    hour,
    sum(counted) as samples,
    cast(3600 / $interval as bigint) as expected_samples,
    sum(s) as covered_seconds,
    coalesce(sum(s) filter (busy = 0), 0) as idle_seconds,
    coalesce(sum(s) filter (busy <> 0), 0) as active_seconds,
    coalesce(sum(s) filter (busy is null), 0) as unknown_seconds,
    coalesce(sum(s) filter (util is not null), 0) as gpu_util_seconds,
    sum(cast(round(util * 1e6) as bigint) * s) as gpu_util_e6_seconds,
    coalesce(sum(s) filter (sm is not null), 0) as sm_active_seconds,
    sum(cast(round(sm * 1e6) as bigint) * s) as sm_active_e6_seconds,
    coalesce(sum(s) filter (tensor is not null), 0) as tensor_active_seconds,
    sum(cast(round(tensor * 1e6) as bigint) * s) as tensor_active_e6_seconds,
    coalesce(sum(s) filter (engine is not null), 0) as gr_engine_active_seconds,
    sum(cast(round(engine * 1e6) as bigint) * s) as gr_engine_active_e6_seconds,
    coalesce(sum(s) filter (memory is not null), 0) as memory_used_seconds,
    sum(cast(round(memory * 1e6) as bigint) * s) as memory_used_e6_seconds,
    coalesce(sum(s) filter (watt is not null), 0) as power_seconds,
    sum(cast(round(watt * 1e6) as bigint) * s) as power_e6_seconds,
    max(util) as gpu_util_max_percent,
    max(memory) as memory_used_max_mib,
    max(watt) as power_max_w,
    coalesce(sum(mj_s), 0) as energy_seconds,
    sum(mj_part) as energy_mj,
    case when count(xid) > 0 then count(*) filter (
        counted = 1 and xid > 0 and xid <> last_xid.code and us - last_xid.us <= 3600000000
    ) end as xid_events
from used
group by gpu, mig, hour
"""

DAYS = """
create temp table days as
select gpu, mig, count(*) as hours, sum(columns(* exclude (gpu, mig, hour, gpu_util_max_percent,
    memory_used_max_mib, power_max_w))), max(gpu_util_max_percent) as gpu_util_max_percent,
    max(memory_used_max_mib) as memory_used_max_mib, max(power_max_w) as power_max_w
from hours
group by gpu, mig
"""


def main(kind: str, file: str, day: int, interval: int, hours: Path, days: Path) -> None:
    """`day` is the JST day's number since 1970-01-01; `interval` the samples' spacing (s)."""
    connection = duckdb.connect()
    if kind == "json":
        connection.execute(READ_JSON, {"file": file})
    else:
        connection.execute(READ_PARQUET.replace("{file}", file.replace("'", "''")))
    connection.execute(HOURS, {"day": day, "interval": interval})
    connection.execute(DAYS)
    connection.execute(
        f"copy (from hours order by gpu, mig, hour) to '{hours}' (format parquet, codec zstd)"
    )
    connection.execute(
        f"copy (from days order by gpu, mig) to '{days}' (format parquet, codec zstd)"
    )


if __name__ == "__main__":
    started(BEGAN)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *map(Path, sys.argv[5:7]))
