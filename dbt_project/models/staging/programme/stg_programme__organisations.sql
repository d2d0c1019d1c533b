with organisations as (

    select * from {{ source('landing', 'programme__organisations') }}

)

select
    organisation_id,
    name_ja,
    name_en,
    corporate_number,
    segment,
    cohort,
    support_from,
    support_to,
    contact_email,
    register,
    _arrival,
    _sheet,
    _line
from organisations
