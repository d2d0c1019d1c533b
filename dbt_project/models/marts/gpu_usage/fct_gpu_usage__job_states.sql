with days as (

    select
        *,
        cast(date_trunc('month', usage_date) as date) as month
    from {{ ref('int_gpu_usage__job_days') }}
    where company_id is not null

)

select
    company_id,
    month,
    state,
    count(distinct job_key) as job_count,
    cast(sum(gpu_part_seconds) as bigint) as gpu_part_seconds,
    {{ gpu_hours('sum(gpu_part_seconds)') }} as allocated_gpu_hours,
    {{ merged_arrivals('[_arrival]') }} as _arrivals
from days
group by company_id, month, state
