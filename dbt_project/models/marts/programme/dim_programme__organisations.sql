select
    organisation_id,
    name_ja,
    name_en,
    corporate_number,
    segment,
    cohort,
    support_from,
    support_to,
    [_arrival] as _arrivals
from {{ ref('stg_programme__organisations') }}
