with days as (

    select * from {{ ref('int_gpu_usage__job_days') }}
    where company_id is null

),

jobs as (

    select * from {{ ref('stg_gpu_usage__sacct_jobs') }}

)

select
    coalesce(jobs._sender, '') as sender,
    coalesce(days.cluster, '') as cluster,
    coalesce(jobs.account, '') as account,
    count(distinct days.job_key) as job_count,
    cast(sum(days.gpu_part_seconds) as bigint) as gpu_part_seconds,
    {{ gpu_hours('sum(days.gpu_part_seconds)') }} as allocated_gpu_hours,
    {{ merged_arrivals('[days._arrival]') }} as _arrivals
from days
inner join jobs on days.job_key = jobs.job_key
group by 1, 2, 3
