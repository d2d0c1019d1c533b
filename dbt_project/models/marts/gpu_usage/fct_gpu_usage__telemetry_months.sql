with days as (

    select * from {{ ref('int_gpu_usage__company_totals') }}

)

select
    company_id,
    cast(date_trunc('month', usage_date) as date) as month,
    count(*) filter (where covered_part_seconds > 0) as telemetry_days,
    cast(sum(existing_part_seconds) as bigint) as existing_part_seconds,
    cast(sum(covered_part_seconds) as bigint) as covered_part_seconds,
    cast(sum(allocated_part_seconds) as bigint) as allocated_part_seconds,
    cast(sum(active_part_seconds) as bigint) as active_part_seconds,
    cast(sum(idle_part_seconds) as bigint) as idle_part_seconds,
    cast(sum(idle_allocated_part_seconds) as bigint) as idle_allocated_part_seconds,
    {{ percent('sum(covered_part_seconds)', 'sum(existing_part_seconds)') }}
        as telemetry_coverage_percent,
    {{ percent('sum(sm_part_seconds)', 'sum(existing_part_seconds)') }} as sm_coverage_percent,
    {{ gpu_hours('sum(active_part_seconds)') }} as busy_gpu_hours,
    {{ gpu_hours('sum(idle_part_seconds)') }} as idle_gpu_hours,
    {{ gpu_hours('sum(idle_allocated_part_seconds)') }} as idle_allocated_gpu_hours,
    case
        when sum(idle_allocated_part_seconds) is not null
            then {{ percent('sum(idle_allocated_part_seconds)', 'sum(allocated_part_seconds)') }}
    end as idle_allocated_percent,
    {{ percent('sum(sm_e6_part_seconds)', 'sum(sm_part_seconds) * 1000000') }}
        as mean_sm_active_percent,
    {{ percent('sum(sm_e6_part_seconds)', 'sum(sm_busy_part_seconds) * 1000000') }}
        as busy_sm_active_percent,
    {{ percent('sum(tensor_e6_part_seconds)', 'sum(tensor_part_seconds) * 1000000') }}
        as mean_tensor_active_percent,
    -- all energy laid on the busy time: the busy mean is at most this
    {{ percent('sum(power_mj) * 28', 'sum(rated_busy_w_part_seconds) * 1000') }}
        as busy_power_percent,
    {{ kwh('sum(energy_mj)') }} as energy_kwh,
    {{ merged_arrivals('_arrivals') }} as _arrivals
from days
group by company_id, date_trunc('month', usage_date)
