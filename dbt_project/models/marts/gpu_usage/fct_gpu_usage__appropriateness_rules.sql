with results as (

    select * from {{ ref('int_gpu_usage__rule_results') }}

)

select
    company_id,
    month,
    rule_id,
    rule_version,
    name_ja,
    clause,
    is_partial,
    compared_ja,
    observed,
    operator,
    threshold,
    unit,
    coverage_percent,
    coverage_floor_percent,
    state,
    verdict_when_hit,
    case when state = '該当' then proposal_ja end as proposal_ja,
    needed_for_verdict,
    evidence_relation,
    evidence_match,
    _arrivals
from results
