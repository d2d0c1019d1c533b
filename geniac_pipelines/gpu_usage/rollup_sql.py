"""The SQL of the telemetry rollup, for DuckDB. What it computes, and why so, is said in `rollup`.

Parameters are named ($files, $first, …); nothing is pasted into the texts.
"""

from typing import Final

HOURS_SQL: Final = """
with landed as not materialized (
    select
        gpu_uuid,
        coalesce(mig_id, '') as mig_id,
        samples > 1 as is_aggregate,
        cast(round(interval_seconds * samples * 1e6) as bigint) as hold_us,
        case
            when evaluated and hold_us between 1 and $max_hold_us
                then epoch_us(sampled_at) - epoch_us(sampled_at) % hold_us
            else epoch_us(sampled_at)
        end as at_us,
        samples,
        gpu_util_percent as gpu_util,
        sm_active_ratio as sm_active,
        tensor_active_ratio as tensor_active,
        gr_engine_active_ratio as gr_engine_active,
        dram_active_ratio as dram_active,
        memory_used_mib as memory_used,
        power_w as power,
        gpu_util_samples,
        sm_active_samples,
        tensor_active_samples,
        gr_engine_active_samples,
        dram_active_samples,
        memory_used_samples,
        power_samples,
        idle_samples,
        greatest(gpu_util_max_percent, gpu_util_percent) as gpu_util_max,
        greatest(memory_used_max_mib, memory_used_mib) as memory_used_max,
        greatest(power_max_w, power_w) as power_max,
        greatest(temperature_max_c, temperature_c) as temperature_max,
        energy_mj as counter_mj,
        energy_increase_mj,
        clock_event_reasons as reasons,
        xid_code,
        mig_profile,
        gpu_model,
        host,
        gpu_index,
        epoch_us(sampled_at) // 3600000000 + 9 as jst_hour
    from read_parquet($files)
    where sampled_at >= $first
        and sampled_at < $last
        and gpu_uuid between $first_gpu and $last_gpu
),

-- merging costs more than all the rest, and most GPUs need none; equal hashes only merge in vain
repeated as materialized (
    select gpu_uuid
    from landed
    group by gpu_uuid
    having count(*) > count(distinct hash(mig_id, is_aggregate, at_us))
),

instants as (
    select * exclude (mig_profile, gpu_model, host, gpu_index, jst_hour)
    from landed
    where gpu_uuid not in (from repeated)
    union all by name
    select
        gpu_uuid,
        mig_id,
        is_aggregate,
        at_us,
        min(hold_us) as hold_us,
        max(samples) as samples,
        max(gpu_util) as gpu_util,
        max(sm_active) as sm_active,
        max(tensor_active) as tensor_active,
        max(gr_engine_active) as gr_engine_active,
        max(dram_active) as dram_active,
        max(memory_used) as memory_used,
        max(power) as power,
        max(gpu_util_samples) as gpu_util_samples,
        max(sm_active_samples) as sm_active_samples,
        max(tensor_active_samples) as tensor_active_samples,
        max(gr_engine_active_samples) as gr_engine_active_samples,
        max(dram_active_samples) as dram_active_samples,
        max(memory_used_samples) as memory_used_samples,
        max(power_samples) as power_samples,
        max(idle_samples) as idle_samples,
        max(gpu_util_max) as gpu_util_max,
        max(memory_used_max) as memory_used_max,
        max(power_max) as power_max,
        max(temperature_max) as temperature_max,
        max(counter_mj) as counter_mj,
        max(energy_increase_mj) as energy_increase_mj,
        max(reasons) as reasons,
        max(xid_code) as xid_code
    from landed
    where gpu_uuid in (from repeated)
    group by gpu_uuid, mig_id, is_aggregate, at_us
),

-- a day's own samples and those of the hour before and after it name its devices
devices as (
    select
        gpu_uuid,
        mig_id,
        day_number,
        max(mig_profile) as mig_profile,
        max(gpu_model) as gpu_model,
        max(host) as host,
        max(gpu_index) as gpu_index
    from (
        select
            * exclude (jst_hour),
            unnest(list_distinct([(jst_hour - 1) // 24, (jst_hour + 1) // 24])) as day_number
        from (
            select
                gpu_uuid,
                mig_id,
                jst_hour,
                max(mig_profile) as mig_profile,
                max(gpu_model) as gpu_model,
                max(host) as host,
                max(gpu_index) as gpu_index
            from landed
            group by gpu_uuid, mig_id, jst_hour
        )
    )
    group by gpu_uuid, mig_id, day_number
),

neighbours as (
    select
        *,
        lead(at_us) over by_time as next_us,
        lead(counter_mj ignore nulls) over by_time as next_counter_mj,
        lead(case when counter_mj is not null then at_us end ignore nulls) over by_time
            as next_counter_us,
        lag(xid_code ignore nulls) over by_time as last_xid_code,
        lag(case when xid_code is not null then at_us end ignore nulls) over by_time
            as last_xid_us
    from instants
    window by_time as (partition by gpu_uuid, mig_id, is_aggregate order by at_us)
),

spans as (
    select
        *,
        at_us // 1000000 as from_s,
        from_s - from_s % 3600 + 3600 as hour_end_s,
        case
            when is_aggregate then least(at_us + hold_us, next_us, hour_end_s * 1000000)
            when hold_us is not null then least(at_us + least(hold_us, $max_hold_us), next_us)
            when next_us - at_us <= $max_hold_us then next_us
            else at_us
        end // 1000000 as to_s,
        case
            when counter_mj is null or next_counter_us - at_us > $max_energy_gap_us then null
            when next_counter_mj >= counter_mj then next_counter_mj - counter_mj
            -- the counter began anew
            else next_counter_mj
        end as rise_mj,
        case when rise_mj <= $max_mj_per_us * (next_counter_us - at_us) then rise_mj end
            as energy_mj,
        case when energy_mj is not null then next_counter_us // 1000000 end as energy_to_s,
        case
            when energy_to_s > hour_end_s
                then energy_mj * (hour_end_s - from_s) // (energy_to_s - from_s)
            else energy_mj
        end as energy_here_mj,
        case
            when mig_id = '' then coalesce(gpu_util, sm_active, gr_engine_active)
            else coalesce(gr_engine_active, sm_active)
        end as used,
        case
            when not is_aggregate then null
            when mig_id = '' and gpu_util is not null then gpu_util_samples
            when mig_id = '' and sm_active is not null then sm_active_samples
            when gr_engine_active is not null then gr_engine_active_samples
            else sm_active_samples
        end as used_samples
    from neighbours
),

pieces as (
    select
        * exclude (to_s, energy_to_s, energy_mj, energy_here_mj, part),
        part = 0 as is_first,
        case when is_first then hour_end_s - 3600 else hour_end_s end as hour_s,
        case
            when is_first then least(to_s, hour_end_s) - from_s
            else greatest(to_s - hour_end_s, 0)
        end as seconds,
        case
            when is_first and energy_to_s > hour_end_s then hour_end_s - from_s
            when is_first then energy_to_s - from_s
            when energy_to_s > hour_end_s then energy_to_s - hour_end_s
        end as energy_seconds,
        case
            when is_first then energy_here_mj
            when energy_to_s > hour_end_s then energy_mj - energy_here_mj
        end as energy_mj
    from (
        select
            *,
            unnest(
                case when to_s > hour_end_s or energy_to_s > hour_end_s then [0, 1] else [0] end
            ) as part
        from spans
    )
),

judged as (
    select
        *,
        case
            when gpu_util is not null
                then seconds * coalesce(gpu_util_samples, samples) // samples
        end as gpu_util_s,
        case
            when sm_active is not null
                then seconds * coalesce(sm_active_samples, samples) // samples
        end as sm_active_s,
        case
            when tensor_active is not null
                then seconds * coalesce(tensor_active_samples, samples) // samples
        end as tensor_active_s,
        case
            when gr_engine_active is not null
                then seconds * coalesce(gr_engine_active_samples, samples) // samples
        end as gr_engine_active_s,
        case
            when dram_active is not null
                then seconds * coalesce(dram_active_samples, samples) // samples
        end as dram_active_s,
        case
            when memory_used is not null
                then seconds * coalesce(memory_used_samples, samples) // samples
        end as memory_used_s,
        case
            when power is not null
                then seconds * coalesce(power_samples, samples) // samples
        end as power_s,
        case
            when used is null then 0
            when not is_aggregate then seconds
            when idle_samples is null and used > 0 then 0
            else seconds * coalesce(used_samples, samples) // samples
        end as used_seconds,
        case
            when used is null then 0
            when used = 0 then used_seconds
            when is_aggregate and idle_samples is not null
                then least(seconds * idle_samples // samples, used_seconds)
            else 0
        end as idle_seconds
    from pieces
    where hour_s >= $first_hour and hour_s < $last_hour
),

streams as (
    select
        gpu_uuid,
        mig_id,
        hour_s,
        is_aggregate,
        sum(case when is_first then samples else 0 end) as samples,
        cast(round(3600e6 / min(hold_us / samples)) as bigint) as expected_samples,
        sum(seconds) as covered_seconds,
        sum(idle_seconds) as idle_seconds,
        sum(used_seconds) - sum(idle_seconds) as active_seconds,
        sum(seconds) - sum(used_seconds) as unknown_seconds,
        coalesce(sum(gpu_util_s), 0) as gpu_util_seconds,
        sum(cast(round(gpu_util * 1e6) as bigint) * gpu_util_s)
            as gpu_util_e6_seconds,
        coalesce(sum(sm_active_s), 0) as sm_active_seconds,
        sum(cast(round(sm_active * 1e6) as bigint) * sm_active_s)
            as sm_active_e6_seconds,
        coalesce(sum(tensor_active_s), 0) as tensor_active_seconds,
        sum(cast(round(tensor_active * 1e6) as bigint) * tensor_active_s)
            as tensor_active_e6_seconds,
        coalesce(sum(gr_engine_active_s), 0) as gr_engine_active_seconds,
        sum(cast(round(gr_engine_active * 1e6) as bigint) * gr_engine_active_s)
            as gr_engine_active_e6_seconds,
        coalesce(sum(dram_active_s), 0) as dram_active_seconds,
        sum(cast(round(dram_active * 1e6) as bigint) * dram_active_s)
            as dram_active_e6_seconds,
        coalesce(sum(memory_used_s), 0) as memory_used_seconds,
        sum(cast(round(memory_used * 1e6) as bigint) * memory_used_s)
            as memory_used_e6_seconds,
        coalesce(sum(power_s), 0) as power_seconds,
        sum(cast(round(power * 1e6) as bigint) * power_s)
            as power_e6_seconds,
        max(gpu_util_max) as gpu_util_max_percent,
        max(memory_used_max) as memory_used_max_mib,
        max(power_max) as power_max_w,
        max(temperature_max) as temperature_max_c,
        coalesce(sum(
            case
                when not is_aggregate then energy_seconds
                when energy_increase_mj is not null then seconds
            end
        ), 0) as energy_seconds,
        sum(case when is_aggregate then energy_increase_mj else energy_mj end) as energy_mj,
        sum(case when reasons is not null then seconds else 0 end) as throttle_known_seconds,
        -- HW slowdown 8, SW thermal 32, HW thermal 64, HW power brake 128
        sum(case when reasons & 232 > 0 then seconds else 0 end) as throttled_seconds,
        sum(case when reasons & 4 > 0 then seconds else 0 end) as power_capped_seconds,
        case when count(xid_code) > 0 then count(*) filter (
            where is_first
            and xid_code > 0
            and xid_code <> last_xid_code
            and at_us - last_xid_us <= $max_energy_gap_us
        ) end as xid_events,
        case when count(xid_code) > 0 then coalesce(
            list(distinct xid_code order by xid_code) filter (where is_first and xid_code > 0), []
        ) end as xid_codes
    from judged
    group by gpu_uuid, mig_id, hour_s, is_aggregate
)

select
    $company as company_id,
    to_timestamp(hour_s) as hour_start,
    * exclude (hour_s, is_aggregate, day_number)
from (select *, (hour_s + 32400) // 86400 as day_number from streams)
join devices using (gpu_uuid, mig_id, day_number)
qualify row_number() over (
    partition by gpu_uuid, mig_id, hour_s order by covered_seconds desc, is_aggregate
) = 1
order by company_id, gpu_uuid, mig_id, hour_start
"""

DAYS_SQL: Final = """
select
    company_id,
    gpu_uuid,
    mig_id,
    date '1970-01-01' + cast((epoch_us(hour_start) // 1000000 + 32400) // 86400 as integer) as day,
    count(*) as hours,
    max(mig_profile) as mig_profile,
    max(gpu_model) as gpu_model,
    max(host) as host,
    max(gpu_index) as gpu_index,
    sum(samples) as samples,
    sum(expected_samples) as expected_samples,
    sum(covered_seconds) as covered_seconds,
    sum(idle_seconds) as idle_seconds,
    sum(active_seconds) as active_seconds,
    sum(unknown_seconds) as unknown_seconds,
    sum(gpu_util_seconds) as gpu_util_seconds,
    sum(gpu_util_e6_seconds) as gpu_util_e6_seconds,
    sum(sm_active_seconds) as sm_active_seconds,
    sum(sm_active_e6_seconds) as sm_active_e6_seconds,
    sum(tensor_active_seconds) as tensor_active_seconds,
    sum(tensor_active_e6_seconds) as tensor_active_e6_seconds,
    sum(gr_engine_active_seconds) as gr_engine_active_seconds,
    sum(gr_engine_active_e6_seconds) as gr_engine_active_e6_seconds,
    sum(dram_active_seconds) as dram_active_seconds,
    sum(dram_active_e6_seconds) as dram_active_e6_seconds,
    sum(memory_used_seconds) as memory_used_seconds,
    sum(memory_used_e6_seconds) as memory_used_e6_seconds,
    sum(power_seconds) as power_seconds,
    sum(power_e6_seconds) as power_e6_seconds,
    max(gpu_util_max_percent) as gpu_util_max_percent,
    max(memory_used_max_mib) as memory_used_max_mib,
    max(power_max_w) as power_max_w,
    max(temperature_max_c) as temperature_max_c,
    sum(energy_seconds) as energy_seconds,
    sum(energy_mj) as energy_mj,
    sum(throttle_known_seconds) as throttle_known_seconds,
    sum(throttled_seconds) as throttled_seconds,
    sum(power_capped_seconds) as power_capped_seconds,
    sum(xid_events) as xid_events,
    list_sort(list_distinct(flatten(list(xid_codes) filter (where xid_codes is not null))))
        as xid_codes
from read_parquet($files)
where company_id = $company and hour_start >= $first and hour_start < $last
group by company_id, gpu_uuid, mig_id, day
order by company_id, gpu_uuid, mig_id, day
"""

GPUS_SQL: Final = """
select gpu_uuid, count(*) as samples
from read_parquet($files)
where sampled_at >= $first and sampled_at < $last
group by gpu_uuid
order by gpu_uuid
"""

HOURS_TOUCHED_SQL: Final = """
select distinct epoch_us(sampled_at) // 3600000000 as hour
from read_parquet($files)
order by hour
"""
