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

decisions as (

    select
        *,
        json_extract_string(details, '$.verdict') as decided_verdict
    from {{ source('ledger', 'decisions') }}
    where subject_kind = 'verdict'

),

last_words as (

    select
        subject,
        act,
        decided_verdict,
        person,
        reason,
        decided_at
    from decisions
    where act in ('confirm', 'override', 'dispute')
    qualify row_number() over (partition by subject order by decision desc) = 1

),

explained as (

    select subject from decisions
    where act = 'explain'
    union distinct
    select _sender || '/' || strftime(month, '%Y-%m') as subject
    from {{ source('landing', 'gpu_usage__monthly_notes') }}
    where kind = '説明'

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
    -- 要指示 leaves the secretariat only when confirmed, and after the company's explanation
    verdict != '要指示' or (is_decided and is_explained) as may_leave,
    case when status != '機械判定（未確認）' then person end as decided_by,
    case when status != '機械判定（未確認）' then reason end as decided_reason,
    case when status != '機械判定（未確認）' then decided_at end as decided_at,
    _arrivals
from final
