with decisions as (

    select * from {{ source('ledger', 'decisions') }}
    where act = 'explain'

),

notes as (

    select * from {{ source('landing', 'gpu_usage__monthly_notes') }}
    where kind = '説明'

),

-- subjects: of a verdict company/YYYY-MM, of a finding rule/company/YYYY-MM
explanations as (

    select
        split_part(subject, '/', 1) as company_id,
        split_part(subject, '/', 2) as month_text,
        null as rule_id
    from decisions
    where subject_kind = 'verdict'
    union all
    select
        split_part(subject, '/', 2) as company_id,
        split_part(subject, '/', 3) as month_text,
        split_part(subject, '/', 1) as rule_id
    from decisions
    where subject_kind = 'finding'
    union all
    select
        _sender as company_id,
        strftime(month, '%Y-%m') as month_text,
        null as rule_id
    from notes

)

select distinct
    company_id,
    month_text,
    rule_id
from explanations
where company_id is not null and month_text is not null
