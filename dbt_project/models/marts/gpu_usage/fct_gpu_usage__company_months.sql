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
    {{ merged_arrivals('_arrivals') }} as _arrivals
from days
group by company_id, date_trunc('month', usage_date), gpu_type
