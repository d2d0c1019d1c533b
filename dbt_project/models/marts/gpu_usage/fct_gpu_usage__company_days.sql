with contracted as (

    select
        company_id,
        usage_date,
        gpu_type,
        cast(sum(contracted_gpu_seconds) as bigint) as contracted_gpu_seconds,
        cast(sum(contract_jpy) as decimal(18, 3)) as contract_jpy,
        {{ merged_arrivals('[_arrival]') }} as _arrivals
    from {{ ref('int_gpu_usage__contract_days') }}
    where usage_date <= {{ as_of() }}
    group by company_id, usage_date, gpu_type

),

allocated as (

    select
        company_id,
        usage_date,
        gpu_type,
        cast(sum(gres_seconds) as bigint) as gres_seconds,
        cast(sum(gpu_part_seconds) as bigint) as gpu_part_seconds,
        count(distinct job_key) as job_count,
        {{ merged_arrivals('[_arrival]') }} as _arrivals
    from {{ ref('int_gpu_usage__job_days') }}
    where company_id is not null
    group by company_id, usage_date, gpu_type

)

select
    coalesce(contracted.company_id, allocated.company_id) as company_id,
    coalesce(contracted.usage_date, allocated.usage_date) as usage_date,
    coalesce(contracted.gpu_type, allocated.gpu_type) as gpu_type,
    contracted.contracted_gpu_seconds,
    allocated.gres_seconds,
    allocated.gpu_part_seconds,
    {{ gpu_hours('contracted.contracted_gpu_seconds * 28') }} as contracted_gpu_hours,
    {{ gpu_hours('allocated.gpu_part_seconds') }} as allocated_gpu_hours,
    allocated.job_count,
    contracted.contract_jpy,
    list_sort(list_distinct(
        list_concat(coalesce(contracted._arrivals, []), coalesce(allocated._arrivals, []))
    )) as _arrivals
from contracted
full outer join allocated
    on
        contracted.company_id = allocated.company_id
        and contracted.usage_date = allocated.usage_date
        and contracted.gpu_type = allocated.gpu_type
