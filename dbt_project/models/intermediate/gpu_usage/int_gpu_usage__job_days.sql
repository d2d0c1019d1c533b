with allocations as (

    select * from {{ ref('int_gpu_usage__job_allocations') }}
    where counted_until > started_at

),

days as (

    select
        *,
        unnest(generate_series(
            {{ jst_day('started_at') }},
            -- a job that ends at midnight exactly does not touch the day that begins there
            {{ jst_day("counted_until - interval 1 microsecond") }},
            interval 1 day
        )) as day_start
    from allocations

),

clipped as (

    select
        *,
        cast(day_start as date) as usage_date,
        greatest(started_at, {{ jst_midnight('day_start') }}) as clipped_from,
        least(counted_until, {{ jst_midnight("day_start + interval 1 day") }}) as clipped_to
    from days

)

select
    job_key,
    company_id,
    usage_date,
    gpu_type,
    gres_name,
    cluster,
    job_id,
    state,
    is_running,
    date_diff('second', clipped_from, clipped_to) as seconds,
    gres_count * date_diff('second', clipped_from, clipped_to) as gres_seconds,
    gpu_parts * date_diff('second', clipped_from, clipped_to) as gpu_part_seconds,
    _arrival
from clipped
