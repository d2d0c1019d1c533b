with notes as (

    select * from {{ source('landing', 'gpu_usage__monthly_notes') }}

)

select
    _sender as company_id,
    month,
    cast(note_number as integer) as note_number,
    kind,
    body,
    due,
    owner_role,
    [_arrival] as _arrivals
from notes
