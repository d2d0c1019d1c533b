with plans as (

    select
        company_id,
        month,
        max(plan_version) as plan_version,
        cast(sum(planned_gpu_hours) as decimal(18, 4)) as planned_gpu_hours,
        cast(sum(planned_jpy) as decimal(18, 3)) as planned_jpy,
        string_agg(distinct purpose, '、' order by purpose) as purposes,
        {{ merged_arrivals('[_arrival]') }} as _arrivals
    from {{ ref('int_gpu_usage__current_plans') }}
    group by company_id, month

),

used as (

    select
        company_id,
        month,
        cast(sum(gpu_part_seconds) as bigint) as gpu_part_seconds,
        cast(sum(contracted_gpu_seconds) as bigint) as contracted_gpu_seconds,
        cast(sum(contract_jpy) as decimal(18, 3)) as contract_jpy,
        {{ merged_arrivals('_arrivals') }} as _arrivals
    from {{ ref('fct_gpu_usage__company_months') }}
    group by company_id, month

),

joined as (

    select
        coalesce(plans.company_id, used.company_id) as company_id,
        coalesce(plans.month, used.month) as month,
        plans.plan_version,
        plans.planned_gpu_hours,
        plans.planned_jpy,
        plans.purposes,
        used.gpu_part_seconds,
        used.contracted_gpu_seconds,
        used.contract_jpy,
        list_sort(list_distinct(
            list_concat(coalesce(plans._arrivals, []), coalesce(used._arrivals, []))
        )) as _arrivals
    from plans
    full outer join used
        on plans.company_id = used.company_id and plans.month = used.month

)

select
    company_id,
    month,
    plan_version,
    planned_gpu_hours,
    cast(sum(planned_gpu_hours) over to_date as decimal(18, 4)) as planned_gpu_hours_to_date,
    cast(sum(planned_gpu_hours) over all_months as decimal(18, 4)) as planned_gpu_hours_in_all,
    gpu_part_seconds,
    {{ gpu_hours('gpu_part_seconds') }} as allocated_gpu_hours,
    {{ gpu_hours('sum(gpu_part_seconds) over to_date') }} as allocated_gpu_hours_to_date,
    {{ gpu_hours('contracted_gpu_seconds * 28') }} as contracted_gpu_hours,
    planned_jpy,
    contract_jpy,
    purposes,
    _arrivals
from joined
window
    to_date as (partition by company_id order by month),
    all_months as (partition by company_id)
