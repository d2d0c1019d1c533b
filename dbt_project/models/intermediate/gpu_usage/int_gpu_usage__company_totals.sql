with days as (

    select * from {{ ref('fct_gpu_usage__company_days') }}

),

power as (

    select
        company_id,
        usage_date,
        cast(sum(power_mj) as bigint) as power_mj,
        cast(sum(rated_busy_w_part_seconds) as bigint) as rated_busy_w_part_seconds,
        cast(sum(sm_busy_part_seconds) as bigint) as sm_busy_part_seconds
    from {{ ref('int_gpu_usage__telemetry_days') }}
    group by company_id, usage_date

),

totals as (

    select
        company_id,
        usage_date,
        cast(sum(contracted_gpu_seconds) * 28 as bigint) as contracted_part_seconds,
        cast(sum(gpu_part_seconds) as bigint) as allocated_part_seconds,
        cast(sum(telemetry_gpu_count) * 28 * 86400 as bigint) as seen_part_seconds,
        cast(sum(covered_part_seconds) as bigint) as covered_part_seconds,
        cast(sum(idle_part_seconds) as bigint) as idle_part_seconds,
        cast(sum(active_part_seconds) as bigint) as active_part_seconds,
        cast(sum(unknown_part_seconds) as bigint) as unknown_part_seconds,
        cast(sum(sm_part_seconds) as bigint) as sm_part_seconds,
        cast(sum(sm_e6_part_seconds) as bigint) as sm_e6_part_seconds,
        cast(sum(tensor_part_seconds) as bigint) as tensor_part_seconds,
        cast(sum(tensor_e6_part_seconds) as bigint) as tensor_e6_part_seconds,
        cast(sum(energy_mj) as bigint) as energy_mj,
        {{ merged_arrivals('_arrivals') }} as _arrivals
    from days
    group by company_id, usage_date

),

existing as (

    select
        *,
        -- greatest() passes over what is missing
        greatest(contracted_part_seconds, allocated_part_seconds, seen_part_seconds)
            as existing_part_seconds
    from totals

)

select
    existing.company_id,
    existing.usage_date,
    existing.contracted_part_seconds,
    existing.allocated_part_seconds,
    existing.existing_part_seconds,
    existing.covered_part_seconds,
    existing.idle_part_seconds,
    existing.active_part_seconds,
    existing.unknown_part_seconds,
    case
        when
            existing.covered_part_seconds is not null
            and existing.allocated_part_seconds is not null
            then greatest(
                0,
                existing.allocated_part_seconds
                - existing.active_part_seconds
                - existing.unknown_part_seconds
                - greatest(0, existing.existing_part_seconds - existing.covered_part_seconds)
            )
    end as idle_allocated_part_seconds,
    existing.sm_part_seconds,
    existing.sm_e6_part_seconds,
    power.sm_busy_part_seconds,
    existing.tensor_part_seconds,
    existing.tensor_e6_part_seconds,
    existing.energy_mj,
    power.power_mj,
    power.rated_busy_w_part_seconds,
    existing._arrivals
from existing
left join power
    on existing.company_id = power.company_id and existing.usage_date = power.usage_date
