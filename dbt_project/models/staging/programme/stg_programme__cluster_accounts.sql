with accounts as (

    select * from {{ source('landing', 'programme__cluster_accounts') }}

)

select
    cluster,
    account,
    organisation_id,
    _arrival,
    _sheet,
    _line
from accounts
