with arrivals as (

    select * from {{ source('ledger', 'arrivals') }}

),

readings as (

    select * from {{ source('ledger', 'readings') }}

),

landings as (

    select
        arrival_id,
        list_sort(list(contract)) as contracts
    from {{ source('ledger', 'landings') }}
    group by arrival_id

),

organisations as (

    select * from {{ ref('stg_programme__organisations') }}

)

select
    arrivals.arrival_id,
    organisations.organisation_id as company_id,
    arrivals.sender,
    arrivals.name as file_name,
    arrivals.channel,
    arrivals.received_at,
    {{ jst_day('arrivals.received_at') }} as received_on,
    arrivals.sha256,
    arrivals.bytes as file_bytes,
    readings.format,
    readings.outcome,
    readings.rows as row_count,
    readings.complaints as complaint_count,
    coalesce(landings.contracts, []) as contracts,
    [arrivals.arrival_id] as _arrivals
from arrivals
inner join readings on arrivals.arrival_id = readings.arrival_id
left join landings on arrivals.arrival_id = landings.arrival_id
left join organisations on arrivals.sender = organisations.organisation_id
-- an opened envelope is not read itself; its members are deliveries of their own
where readings.format is distinct from 'envelope' or readings.outcome = 'refused'
