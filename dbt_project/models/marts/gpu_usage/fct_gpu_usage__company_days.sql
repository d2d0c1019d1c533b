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

),

telemetry as (

    select * from {{ ref('int_gpu_usage__telemetry_days') }}

),

keys as (

    select
        company_id,
        usage_date,
        gpu_type
    from contracted
    union distinct
    select
        company_id,
        usage_date,
        gpu_type
    from allocated
    union distinct
    select
        company_id,
        usage_date,
        gpu_type
    from telemetry

),

joined as (

    select
        keys.company_id,
        keys.usage_date,
        keys.gpu_type,
        contracted.contracted_gpu_seconds,
        contracted.contract_jpy,
        allocated.gres_seconds,
        allocated.gpu_part_seconds,
        allocated.job_count,
        telemetry.gpu_count as telemetry_gpu_count,
        -- GPU time that is known to have existed; greatest() passes over what is missing
        cast(greatest(
            contracted.contracted_gpu_seconds * 28,
            allocated.gpu_part_seconds,
            telemetry.seen_part_seconds
        ) as bigint) as existing_part_seconds,
        telemetry.covered_part_seconds,
        telemetry.idle_part_seconds,
        telemetry.active_part_seconds,
        telemetry.unknown_part_seconds,
        telemetry.sm_part_seconds,
        telemetry.sm_e6_part_seconds,
        telemetry.tensor_part_seconds,
        telemetry.tensor_e6_part_seconds,
        telemetry.energy_mj,
        list_sort(list_distinct(list_concat(
            coalesce(contracted._arrivals, []),
            coalesce(allocated._arrivals, []),
            coalesce(telemetry._arrivals, [])
        ))) as _arrivals
    from keys
    left join contracted
        on
            keys.company_id = contracted.company_id
            and keys.usage_date = contracted.usage_date
            and keys.gpu_type = contracted.gpu_type
    left join allocated
        on
            keys.company_id = allocated.company_id
            and keys.usage_date = allocated.usage_date
            and keys.gpu_type = allocated.gpu_type
    left join telemetry
        on
            keys.company_id = telemetry.company_id
            and keys.usage_date = telemetry.usage_date
            and keys.gpu_type = telemetry.gpu_type

)

select
    company_id,
    usage_date,
    gpu_type,
    contracted_gpu_seconds,
    gres_seconds,
    gpu_part_seconds,
    {{ gpu_hours('contracted_gpu_seconds * 28') }} as contracted_gpu_hours,
    {{ gpu_hours('gpu_part_seconds') }} as allocated_gpu_hours,
    job_count,
    contract_jpy,
    telemetry_gpu_count,
    existing_part_seconds,
    covered_part_seconds,
    idle_part_seconds,
    active_part_seconds,
    unknown_part_seconds,
    sm_part_seconds,
    sm_e6_part_seconds,
    tensor_part_seconds,
    tensor_e6_part_seconds,
    energy_mj,
    {{ gpu_hours('active_part_seconds') }} as busy_gpu_hours,
    {{ gpu_hours('idle_part_seconds') }} as idle_gpu_hours,
    {{ percent('sm_e6_part_seconds', 'sm_part_seconds * 1000000') }} as mean_sm_active_percent,
    {{ percent('tensor_e6_part_seconds', 'tensor_part_seconds * 1000000') }}
        as mean_tensor_active_percent,
    {{ kwh('energy_mj') }} as energy_kwh,
    {{ percent('covered_part_seconds', 'existing_part_seconds') }} as telemetry_coverage_percent,
    _arrivals
from joined
