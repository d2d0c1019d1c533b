with gpu_days as (

    select * from {{ ref('stg_gpu_usage__gpu_days') }}
    where usage_date <= {{ as_of() }}

),

organisations as (

    select * from {{ ref('stg_programme__organisations') }}

),

-- one row a device: under MIG every slice repeats the device's power and energy
devices as (

    select
        company_id,
        usage_date,
        gpu_type,
        gpu_uuid,
        max(rated_power_w) as rated_power_w,
        sum(covered_seconds * parts) as covered_part_seconds,
        sum(idle_seconds * parts) as idle_part_seconds,
        sum(active_seconds * parts) as active_part_seconds,
        sum(unknown_seconds * parts) as unknown_part_seconds,
        sum(sm_active_seconds * parts) as sm_part_seconds,
        sum(sm_active_e6_seconds * parts) as sm_e6_part_seconds,
        sum(case when sm_active_seconds > 0 then active_seconds * parts end)
            as sm_busy_part_seconds,
        sum(tensor_active_seconds * parts) as tensor_part_seconds,
        sum(tensor_active_e6_seconds * parts) as tensor_e6_part_seconds,
        max(energy_seconds) as energy_seconds,
        max(energy_mj) as energy_mj,
        max(power_seconds) as power_seconds,
        -- W × 10^6 × s in mJ, of the slice that knows it longest
        max_by(power_e6_seconds // 1000, (power_seconds, power_e6_seconds)) as power_mj
    from gpu_days
    group by company_id, usage_date, gpu_type, gpu_uuid

),

arrivals as (

    select
        arrivals.sender as company_id,
        landing_days.day as usage_date,
        list_sort(list_distinct(list(landing_days.arrival_id))) as _arrivals
    from {{ source('ledger', 'landing_days') }} as landing_days
    inner join {{ source('ledger', 'arrivals') }} as arrivals
        on landing_days.arrival_id = arrivals.arrival_id
    where landing_days.contract = 'gpu_usage__telemetry'
    group by arrivals.sender, landing_days.day

),

totals as (

    select
        company_id,
        usage_date,
        gpu_type,
        count(*) as gpu_count,
        cast(count(*) * 28 * 86400 as bigint) as seen_part_seconds,
        cast(sum(covered_part_seconds) as bigint) as covered_part_seconds,
        cast(sum(idle_part_seconds) as bigint) as idle_part_seconds,
        cast(sum(active_part_seconds) as bigint) as active_part_seconds,
        cast(sum(unknown_part_seconds) as bigint) as unknown_part_seconds,
        cast(sum(sm_part_seconds) as bigint) as sm_part_seconds,
        cast(sum(sm_e6_part_seconds) as bigint) as sm_e6_part_seconds,
        cast(sum(sm_busy_part_seconds) as bigint) as sm_busy_part_seconds,
        cast(sum(tensor_part_seconds) as bigint) as tensor_part_seconds,
        cast(sum(tensor_e6_part_seconds) as bigint) as tensor_e6_part_seconds,
        cast(sum(energy_seconds) as bigint) as energy_seconds,
        cast(sum(energy_mj) as bigint) as energy_mj,
        -- power counts only beside a rating that it can be held against
        cast(sum(
            case when power_seconds > 0 and rated_power_w is not null then power_mj end
        ) as bigint) as power_mj,
        cast(sum(
            case when power_seconds > 0 then rated_power_w * active_part_seconds end
        ) as bigint) as rated_busy_w_part_seconds
    from devices
    group by company_id, usage_date, gpu_type

)

select
    totals.*,
    coalesce(arrivals._arrivals, []) as _arrivals
from totals
-- a sender who is in no register is reported as such; nobody's telemetry is no company's
inner join organisations on totals.company_id = organisations.organisation_id
left join arrivals
    on totals.company_id = arrivals.company_id and totals.usage_date = arrivals.usage_date
