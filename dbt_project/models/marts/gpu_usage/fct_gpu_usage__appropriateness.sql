with results as (

    select
        *,
        company_id || '/' || strftime(month, '%Y-%m') as subject,
        case
            when state = '該当' and verdict_when_hit = '要指示' then 3
            when state = '該当' then 2
            when state = '判定不能' and needed_for_verdict then 1
            else 0
        end as gravity
    from {{ ref('int_gpu_usage__rule_results') }}

),

judged as (

    select
        company_id,
        month,
        subject,
        max(clause) as clause,
        max(rule_version) as rule_version,
        bool_or(is_partial) as is_partial,
        max(gravity) as gravity,
        -- the gravest; of equals the first by name, so that nights agree
        min_by(rule_id, (-gravity, rule_id)) as worst_rule,
        min_by(name_ja, (-gravity, rule_id)) as worst_rule_ja,
        count(*) filter (where state = '該当') as hit_count,
        count(*) filter (where state = '判定不能') as undecided_count,
        max(coverage_percent) filter (where rule_id = 'idle_in_allocation')
            as telemetry_coverage_percent,
        {{ merged_arrivals('_arrivals') }} as _arrivals
    from results
    group by company_id, month, subject

),

verdicts as (

    select
        *,
        case gravity when 3 then '要指示' when 2 then '要確認' when 1 then '判定不能' else '適正' end
            as machine_verdict
    from judged

),

-- a decision on the finding of the deciding rule is one on the verdict
words as (

    select
        decision,
        subject,
        null as rule_id,
        act,
        json_extract_string(details, '$.verdict') as decided_verdict,
        person,
        reason,
        decided_at
    from {{ source('ledger', 'decisions') }}
    where subject_kind = 'verdict' and act in ('confirm', 'override', 'dispute')
    union all
    select
        decision,
        split_part(subject, '/', 2) || '/' || split_part(subject, '/', 3) as subject,
        split_part(subject, '/', 1) as rule_id,
        act,
        -- what was confirmed is the severity that the person saw
        case json_extract_string(details, '$.severity')
            when 'act' then '要指示'
            when 'watch' then '要確認'
            else ''
        end as decided_verdict,
        person,
        reason,
        decided_at
    from {{ source('ledger', 'decisions') }}
    where subject_kind = 'finding' and act in ('confirm', 'dispute')

),

last_words as (

    select words.*
    from words
    inner join verdicts
        on
            words.subject = verdicts.subject
            and coalesce(words.rule_id = verdicts.worst_rule, true)
    qualify row_number() over (partition by words.subject order by words.decision desc) = 1

),

explanations as (

    select * from {{ ref('int_gpu_usage__explanations') }}

),

-- of the month as a whole, or of each rule that decided the verdict
explained as (

    select verdicts.subject
    from verdicts
    inner join results
        on
            verdicts.subject = results.subject
            and (verdicts.gravity = 0 or results.gravity = verdicts.gravity)
    left join explanations
        on
            results.company_id = explanations.company_id
            and strftime(results.month, '%Y-%m') = explanations.month_text
            and coalesce(explanations.rule_id = results.rule_id, true)
    group by verdicts.subject
    having
        count(distinct results.rule_id)
        = count(distinct results.rule_id) filter (where explanations.company_id is not null)

),

decided as (

    select
        verdicts.*,
        case
            -- a confirmation holds for the verdict that it confirmed
            when
                last_words.act = 'confirm'
                and coalesce(last_words.decided_verdict, verdicts.machine_verdict)
                = verdicts.machine_verdict
                then '確認済み'
            when last_words.act = 'override' then '人の判断で変更'
            when last_words.act = 'dispute' then '異議あり'
            else '機械判定（未確認）'
        end as status,
        last_words.decided_verdict,
        last_words.person,
        last_words.reason,
        last_words.decided_at,
        explained.subject is not null as is_explained
    from verdicts
    left join last_words on verdicts.subject = last_words.subject
    left join explained on verdicts.subject = explained.subject

),

final as (

    select
        *,
        case
            when status = '人の判断で変更' then coalesce(decided_verdict, machine_verdict)
            else machine_verdict
        end as verdict,
        status in ('確認済み', '人の判断で変更') as is_decided
    from decided

),

leaving as (

    select
        *,
        -- 要指示 only when confirmed and after the company's explanation; 要確認 only when confirmed
        -- too, or whatever reads 確認中 outside would be 要指示 for certain
        case verdict
            when '要指示' then is_decided and is_explained
            when '要確認' then is_decided
            else true
        end as may_leave
    from final

)

select
    company_id,
    month,
    clause,
    verdict,
    machine_verdict,
    status,
    case when gravity > 0 then worst_rule end as worst_rule,
    case when gravity > 0 then worst_rule_ja end as worst_rule_ja,
    hit_count,
    undecided_count,
    telemetry_coverage_percent,
    rule_version,
    is_partial,
    is_explained,
    may_leave,
    -- whoever changed a verdict of 要指示 did not explain what it was found on
    may_leave and (machine_verdict != '要指示' or is_explained) as evidence_may_leave,
    case when status != '機械判定（未確認）' then person end as decided_by,
    case when status != '機械判定（未確認）' then reason end as decided_reason,
    case when status != '機械判定（未確認）' then decided_at end as decided_at,
    _arrivals
from leaving
