with observed as (

    select * from {{ ref('int_gpu_usage__rule_measures') }}

),

compared as (

    select
        observed.*,
        rules.version as rule_version,
        rules.name_ja,
        rules.clause as rule_clause,
        rules.compared_ja,
        rules.compared_en,
        rules.operator,
        rules.threshold,
        rules.unit,
        rules.coverage_floor_percent,
        rules.verdict_when_hit,
        rules.needs_telemetry,
        rules.needed_for_verdict,
        rules.proposal_ja,
        rules.power_ceiling_percent,
        rules.needs_telemetry
        and coalesce(observed.coverage_percent, 0) < rules.coverage_floor_percent
            as is_below_floor,
        observed.size_gpu_hours < rules.minimum_gpu_hours as is_small,
        case rules.operator
            when '>' then observed.observed > rules.threshold
            when '<' then observed.observed < rules.threshold
        end as is_beyond
    from observed
    inner join {{ ref('appropriateness_rules') }} as rules on observed.rule_id = rules.rule_id

),

judged as (

    select
        *,
        case
            when is_below_floor then '判定不能'
            when is_small then '非該当'
            when is_beyond is null then '判定不能'
            when is_beyond and power_ceiling_percent is not null and power_percent is null
                then '判定不能'
            when is_beyond and power_percent >= power_ceiling_percent then '非該当'
            when is_beyond then '該当'
            when is_at_least then '判定不能'
            else '非該当'
        end as state
    from compared

)

select
    company_id,
    month,
    rule_id,
    rule_version,
    name_ja,
    {{ clause_of_segment('segment', 'rule_clause') }} as clause,
    is_partial,
    compared_ja,
    compared_en,
    observed,
    operator,
    threshold,
    unit,
    coverage_percent,
    coverage_floor_percent,
    state,
    case when state = '判定不能' then {{ undecided_because() }} end as reason_ja,
    verdict_when_hit,
    needs_telemetry,
    needed_for_verdict,
    replace(
        proposal_ja, '{month}', {{ month_ja('month') }}
    ) as proposal_ja,
    evidence_relation,
    {{ match_of_month() }} as evidence_match,
    _arrivals
from judged
