with reported as (

    select
        _sender as company_id,
        month,
        cast(sum(reported_gpu_hours) as decimal(18, 4)) as reported_gpu_hours,
        -- an amount that is not yet fixed leaves the sum unknown
        case
            when count(*) = count(reported_jpy)
                then cast(sum(reported_jpy) as decimal(18, 3))
        end as reported_jpy,
        {{ merged_arrivals('[_arrival]') }} as _arrivals
    from {{ source('landing', 'gpu_usage__monthly_usage') }}
    group by _sender, month

),

used as (

    select
        company_id,
        month,
        cast(sum(gpu_part_seconds) as bigint) as gpu_part_seconds,
        {{ merged_arrivals('_arrivals') }} as _arrivals
    from {{ ref('fct_gpu_usage__company_months') }}
    group by company_id, month

)

select
    reported.company_id,
    reported.month,
    reported.reported_gpu_hours,
    reported.reported_jpy,
    {{ gpu_hours('used.gpu_part_seconds') }} as allocated_gpu_hours,
    cast(
        reported.reported_gpu_hours - {{ gpu_hours('used.gpu_part_seconds') }} as decimal(18, 4)
    ) as difference_gpu_hours,
    case
        -- all of it was reported beside an empty record
        when used.gpu_part_seconds = 0 and reported.reported_gpu_hours > 0
            then cast(100 as decimal(18, 4))
        when used.gpu_part_seconds = 0 then cast(0 as decimal(18, 4))
        else {{ percent(
            'abs(reported.reported_gpu_hours - used.gpu_part_seconds / 100800.0)',
            'used.gpu_part_seconds / 100800.0'
        ) }}
    end as difference_percent,
    list_sort(list_distinct(
        list_concat(coalesce(reported._arrivals, []), coalesce(used._arrivals, []))
    )) as _arrivals
from reported
left join used on reported.company_id = used.company_id and reported.month = used.month
