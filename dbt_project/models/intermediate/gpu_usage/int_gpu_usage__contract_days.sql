with contracts as (

    select * from {{ source('landing', 'gpu_usage__contracts') }}
    where ends_on >= starts_on

),

days as (

    select
        *,
        unnest(generate_series(
            cast(starts_on as timestamp), cast(ends_on as timestamp), interval 1 day
        )) as day_start
    from contracts

)

select
    _sender as company_id,
    contract_number,
    cast(day_start as date) as usage_date,
    gpu_type,
    gpu_count,
    gpu_count * 86400 as contracted_gpu_seconds,
    gpu_count * 24 * unit_price_jpy as contract_jpy,
    unit_price_jpy,
    _arrival
from days
