with results as (

    select * from {{ ref('int_gpu_usage__rule_results') }}

),

organisations as (

    select * from {{ ref('stg_programme__organisations') }}

),

measures as (

    select * from {{ ref('int_gpu_usage__month_measures') }}

),

floors as (

    select max(coverage_floor_percent) as coverage_floor_percent
    from {{ ref('appropriateness_rules') }}

),

rules as (

    select
        results.rule_id as rule,
        results.name_ja as rule_ja,
        results.company_id || '/' || strftime(results.month, '%Y-%m') as subject,
        results.company_id,
        results.month,
        results.clause,
        case results.verdict_when_hit when '要指示' then 'act' else 'watch' end as severity,
        case results.state
            when '該当' then 'found'
            when '非該当' then 'clear'
            else 'unknown'
        end as state,
        case
            when results.state = '判定不能'
                then
                    concat(
                        organisations.name_ja, 'の', {{ month_ja('results.month') }},
                        'は、「', results.name_ja, '」を判定できません。',
                        case
                            when
                                results.needs_telemetry
                                and coalesce(results.coverage_percent, 0)
                                < results.coverage_floor_percent
                                and results.coverage_percent > 0
                                then concat(
                                    'テレメトリの網羅率が',
                                    {{ figure('results.coverage_percent') }},
                                    '%で、必要な', {{ figure('results.coverage_floor_percent') }},
                                    '%に届きません。'
                                )
                            when
                                results.needs_telemetry
                                and coalesce(results.coverage_percent, 0) = 0
                                then '必要なGPUテレメトリがそろっていません。'
                            else '判定に必要な記録がそろっていません。'
                        end
                    )
            else concat(
                organisations.name_ja, 'の', {{ month_ja('results.month') }},
                case when results.is_partial then '（月の途中）' else '' end,
                'は、', results.compared_ja, 'が',
                coalesce(
                    {{ figure('results.observed') }}
                    || case when results.unit = '%' then '' else ' ' end || results.unit,
                    '不明'
                ),
                'です（しきい値 ', {{ figure('results.threshold') }},
                case when results.unit = '%' then '' else ' ' end, results.unit,
                case results.operator when '>' then ' を超えると該当' else ' 未満で該当' end,
                '）。',
                case
                    when results.needs_telemetry
                        then concat(
                            'テレメトリの網羅率は', {{ figure('results.coverage_percent') }}, '%です。'
                        )
                    else ''
                end
            )
        end as message_ja,
        case
            when results.state = '判定不能'
                then concat(
                    results.company_id, ' ', strftime(results.month, '%Y-%m'), ': ',
                    results.rule_id, ' can''t be judged for lack of records'
                )
            else concat(
                results.company_id, ' ', strftime(results.month, '%Y-%m'), ': ',
                results.compared_en, ' is ',
                coalesce({{ figure('results.observed') }}, 'unknown'), ' ',
                replace(results.unit, 'GPU時間', 'GPU hours'),
                case results.operator when '>' then ', limit ' else ', at least ' end,
                {{ figure('results.threshold') }}
            )
        end as message_en,
        results.proposal_ja,
        results.evidence_relation as relation,
        results.evidence_match as match,
        results._arrivals as arrivals
    from results
    inner join organisations on results.company_id = organisations.organisation_id

),

coverage as (

    select
        'low_telemetry_coverage' as rule,
        'テレメトリの網羅率不足' as rule_ja,
        measures.company_id || '/' || strftime(measures.month, '%Y-%m') as subject,
        measures.company_id,
        measures.month,
        {{ clause_of_segment('measures.segment', "'3-1-a'") }} as clause,
        'watch' as severity,
        case
            when measures.is_partial then 'unknown'
            when coalesce(measures.telemetry_coverage_percent, 0) < floors.coverage_floor_percent
                then 'found'
            else 'clear'
        end as state,
        case
            when measures.is_partial
                then concat(
                    organisations.name_ja, 'の', {{ month_ja('measures.month') }},
                    'は月の途中なので、テレメトリの網羅率をまだ判定しません。'
                )
            when measures.telemetry_coverage_percent is null
                then concat(
                    organisations.name_ja, 'の', {{ month_ja('measures.month') }},
                    'は、GPUテレメトリが届いていません。稼働とアイドルを判定できません。'
                )
            else concat(
                organisations.name_ja, 'の', {{ month_ja('measures.month') }},
                'のGPUテレメトリの網羅率は', {{ figure('measures.telemetry_coverage_percent') }},
                '%です（下限 ', {{ figure('floors.coverage_floor_percent') }}, '%）。'
            )
        end as message_ja,
        concat(
            measures.company_id, ' ', strftime(measures.month, '%Y-%m'),
            ': telemetry covers ',
            coalesce({{ figure('measures.telemetry_coverage_percent') }} || ' %', 'nothing'),
            ', at least ', {{ figure('floors.coverage_floor_percent') }}, ' % is needed'
        ) as message_en,
        'テレメトリの送付（dcgm-exporterの取得とSM稼働率の有効化）を依頼する。' as proposal_ja,
        'marts.fct_gpu_usage__telemetry_months' as relation,
        cast(json_object(
            'company_id', measures.company_id, 'month', cast(measures.month as varchar)
        ) as varchar) as match,
        measures.usage_arrivals as arrivals
    from measures
    inner join organisations on measures.company_id = organisations.organisation_id
    cross join floors

)

select * from rules
union all
select * from coverage
