with job_days as (

    select * from {{ ref('int_gpu_usage__job_days') }}
    where company_id is not null and usage_date <= {{ as_of() }}

),

-- an export is of a window without holes: between its first and last day all jobs are in it;
-- the day on which it was received was not over
spans as (

    select
        job_days.company_id,
        job_days._arrival,
        min(job_days.usage_date) as first_day,
        least(
            max(job_days.usage_date), {{ jst_day('max(arrivals.received_at)') }} - interval 1 day
        ) as last_day
    from job_days
    inner join {{ source('ledger', 'arrivals') }} as arrivals
        on job_days._arrival = arrivals.arrival_id
    group by job_days.company_id, job_days._arrival

),

recorded as (

    select
        company_id,
        _arrival,
        unnest(generate_series(
            cast(first_day as timestamp), cast(last_day as timestamp), interval 1 day
        )) as day_start
    from spans

),

used as (

    select
        company_id,
        usage_date,
        sum(gpu_part_seconds) as gpu_part_seconds
    from job_days
    group by company_id, usage_date

)

select
    recorded.company_id,
    cast(recorded.day_start as date) as usage_date,
    cast(coalesce(max(used.gpu_part_seconds), 0) as bigint) as gpu_part_seconds,
    {{ merged_arrivals('[recorded._arrival]') }} as _arrivals
from recorded
left join used
    on
        recorded.company_id = used.company_id
        and cast(recorded.day_start as date) = used.usage_date
group by recorded.company_id, recorded.day_start
