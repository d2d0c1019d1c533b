with facts as (

    select * from {{ source('facts', 'gpu_usage__gpu_days') }}

),

names as (

    select distinct gpu_model from facts
    where gpu_model is not null

),

models as (

    select
        names.gpu_model,
        gpu_models.gpu_type,
        gpu_models.rated_power_w
    from names
    inner join {{ ref('gpu_models') }} as gpu_models
        on regexp_matches(names.gpu_model, gpu_models.pattern, 'i')
    qualify row_number() over (partition by names.gpu_model order by gpu_models.rank) = 1

),

slices as (

    select * from {{ ref('gpu_types') }}

)

select
    facts.company_id,
    facts.day as usage_date,
    facts.gpu_uuid,
    facts.mig_id,
    facts.mig_profile,
    facts.gpu_model,
    -- the device's own name says more than that of a slice, which two types may share
    coalesce(models.gpu_type, slices.gpu_type, '種別不明') as gpu_type,
    -- a slice of unknown name counts as a whole GPU, as in the scheduler's records
    case when facts.mig_id = '' then 28 else coalesce(slices.parts, 28) end as parts,
    models.rated_power_w,
    facts.covered_seconds,
    facts.idle_seconds,
    facts.active_seconds,
    facts.unknown_seconds,
    facts.sm_active_seconds,
    facts.sm_active_e6_seconds,
    facts.tensor_active_seconds,
    facts.tensor_active_e6_seconds,
    facts.power_seconds,
    facts.power_e6_seconds,
    facts.energy_seconds,
    facts.energy_mj
from facts
left join models on facts.gpu_model = models.gpu_model
left join slices
    -- media extensions (1g.10gb+me) share the slice's compute
    on regexp_extract(lower(facts.mig_profile), '^[^+]+') = slices.gres_name
