with plans as (

    select * from {{ source('landing', 'gpu_usage__plans') }}

)

select
    _sender as company_id,
    month,
    gpu_type,
    plan_version,
    planned_gpu_hours,
    planned_jpy,
    purpose,
    _arrival
from plans
-- the newest version holds for every month, those before its own revision too
qualify plan_version = max(plan_version) over (partition by _sender)
