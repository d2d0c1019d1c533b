with results as (

    select * from {{ ref('int_gpu_usage__rule_results') }}

),

verdicts as (

    select * from {{ ref('fct_gpu_usage__appropriateness') }}

)

select
    results.company_id,
    results.month,
    results.rule_id,
    results.rule_version,
    results.name_ja,
    results.clause,
    results.is_partial,
    results.compared_ja,
    results.observed,
    results.operator,
    results.threshold,
    results.unit,
    results.coverage_percent,
    results.coverage_floor_percent,
    results.state,
    results.reason_ja,
    results.verdict_when_hit,
    case when results.state = '該当' then results.proposal_ja end as proposal_ja,
    results.needed_for_verdict,
    results.evidence_relation,
    results.evidence_match,
    verdicts.status = '確認済み' as is_confirmed,
    verdicts.evidence_may_leave as may_leave,
    results._arrivals
from results
inner join verdicts
    on results.company_id = verdicts.company_id and results.month = verdicts.month
