with days as (

    select * from {{ ref('fct_gpu_usage__company_days') }}

)

select
    company_id,
    cast(date_trunc('month', usage_date) as date) as month,
    gpu_type,
    cast(sum(contracted_gpu_seconds) as bigint) as contracted_gpu_seconds,
    cast(sum(gres_seconds) as bigint) as gres_seconds,
    cast(sum(gpu_part_seconds) as bigint) as gpu_part_seconds,
    {{ gpu_hours('sum(contracted_gpu_seconds) * 28') }} as contracted_gpu_hours,
    {{ gpu_hours('sum(gpu_part_seconds)') }} as allocated_gpu_hours,
    cast(sum(contract_jpy) as decimal(18, 3)) as contract_jpy,
    count(*) filter (where gpu_part_seconds > 0) as used_days,
    count(*) filter (where covered_part_seconds > 0) as telemetry_days,
    cast(sum(existing_part_seconds) as bigint) as existing_part_seconds,
    cast(sum(covered_part_seconds) as bigint) as covered_part_seconds,
    {{ gpu_hours('sum(active_part_seconds)') }} as busy_gpu_hours,
    {{ gpu_hours('sum(idle_part_seconds)') }} as idle_gpu_hours,
    {{ percent('sum(sm_e6_part_seconds)', 'sum(sm_part_seconds) * 1000000') }}
        as mean_sm_active_percent,
    {{ percent('sum(tensor_e6_part_seconds)', 'sum(tensor_part_seconds) * 1000000') }}
        as mean_tensor_active_percent,
    {{ kwh('sum(energy_mj)') }} as energy_kwh,
    {{ percent('sum(covered_part_seconds)', 'sum(existing_part_seconds)') }}
        as telemetry_coverage_percent,
    {{ merged_arrivals('_arrivals') }} as _arrivals
from days
group by company_id, date_trunc('month', usage_date), gpu_type
