-- One measure a rule (macro rule_measure): what is compared, and what it lacks where it is unknown.
with measures as (

    select
        *,
        case
            when plan_version is null then '利用実施計画が届いていない'
            when allocated_gpu_hours is null then 'ジョブ実行記録が届いていない'
            else 'この月までの計画量がない'
        end as plan_lacking,
        case
            when allocated_part_seconds is null then 'ジョブ実行記録が届いていない'
            when not has_contract then '契約の記録がない'
            else 'この月に有効な契約がない'
        end as contract_lacking
    from {{ ref('int_gpu_usage__month_measures') }}

)

{{ rule_measure(
    'over_plan_month',
    observed='100 * allocated_gpu_hours / nullif(planned_gpu_hours, 0)',
    lacking='plan_lacking',
    size='allocated_gpu_hours',
    evidence='fct_gpu_usage__plan_months',
    arrivals='plan_arrivals'
) }}
union all
-- earlier use is no fault of a month without records of its own
{{ rule_measure(
    'over_plan_to_date',
    observed='case when allocated_gpu_hours is not null'
    ' then 100 * allocated_gpu_hours_to_date / nullif(planned_gpu_hours_to_date, 0) end',
    lacking='plan_lacking',
    size='allocated_gpu_hours_to_date',
    is_at_least='not months_known',
    evidence='fct_gpu_usage__plan_months',
    arrivals='plan_arrivals'
) }}
union all
-- as above
{{ rule_measure(
    'over_plan_total',
    observed='case when allocated_gpu_hours is not null'
    ' then 100 * allocated_gpu_hours_to_date / nullif(planned_gpu_hours_in_all, 0) end',
    lacking='plan_lacking',
    size='allocated_gpu_hours_to_date',
    is_at_least='not months_known',
    evidence='fct_gpu_usage__plan_months',
    arrivals='plan_arrivals'
) }}
union all
{{ rule_measure(
    'under_plan_month',
    observed='100 * allocated_gpu_hours / nullif(planned_gpu_hours_so_far, 0)',
    lacking='plan_lacking',
    size='planned_gpu_hours_so_far',
    evidence='fct_gpu_usage__plan_months',
    arrivals='plan_arrivals'
) }}
union all
{{ rule_measure(
    'under_plan_to_date',
    observed='case when months_known'
    ' then 100 * allocated_gpu_hours_to_date / nullif(planned_gpu_hours_to_date_so_far, 0) end',
    lacking="case when plan_version is not null and not months_known"
    " then '記録のない月があり、累計が分からない' else plan_lacking end",
    size='planned_gpu_hours_to_date_so_far',
    evidence='fct_gpu_usage__plan_months',
    arrivals='plan_arrivals'
) }}
union all
{{ rule_measure(
    'unplanned_use',
    observed='case when plan_version is null then null when planned_gpu_hours > 0 then 0'
    ' else allocated_gpu_hours end',
    lacking='plan_lacking',
    evidence='fct_gpu_usage__plan_months',
    arrivals='plan_arrivals'
) }}
union all
{{ rule_measure(
    'idle_in_allocation',
    observed='idle_allocated_percent',
    lacking="'ジョブ実行記録が届いていない'",
    size='idle_allocated_gpu_hours',
    coverage='telemetry_coverage_percent',
    evidence='fct_gpu_usage__telemetry_months'
) }}
union all
{{ rule_measure(
    'idle_in_allocation_severe',
    observed='idle_allocated_percent',
    lacking="'ジョブ実行記録が届いていない'",
    size='idle_allocated_gpu_hours',
    coverage='telemetry_coverage_percent',
    evidence='fct_gpu_usage__telemetry_months'
) }}
union all
{{ rule_measure(
    'idle_on_measured_days',
    observed='measured_idle_percent',
    lacking="'ジョブ実行記録が届いていない'",
    size='measured_idle_gpu_hours',
    coverage='measured_coverage_percent',
    evidence='fct_gpu_usage__telemetry_months',
    covered_ja='テレメトリがよくそろった日'
) }}
union all
{{ rule_measure(
    'low_sm_activity',
    observed='busy_sm_active_percent',
    lacking="'GPUが稼働した記録がない'",
    size='busy_gpu_hours',
    coverage='sm_coverage_percent',
    power='busy_power_percent',
    evidence='fct_gpu_usage__telemetry_months',
    covered_ja='SM稼働率のテレメトリ'
) }}
union all
{{ rule_measure(
    'outside_contract',
    observed='case when has_contract and allocated_part_seconds is not null'
    ' then outside_contract_part_seconds / 100800.0 end',
    lacking='contract_lacking',
    evidence='fct_gpu_usage__company_months'
) }}
union all
{{ rule_measure(
    'outside_support',
    observed='case when support_known and allocated_part_seconds is not null'
    ' then outside_support_part_seconds / 100800.0 end',
    lacking="case when support_known then 'ジョブ実行記録が届いていない'"
    " else '支援期間が台帳にない' end",
    evidence='fct_gpu_usage__company_months'
) }}
union all
{{ rule_measure(
    'self_report_differs',
    observed='difference_percent',
    lacking="case when reported_gpu_hours is null then '月次利用報告が届いていない'"
    " when allocated_gpu_hours is null then 'ジョブ実行記録が届いていない'"
    " else '報告量と割当量の差が求められない' end",
    size='greatest(allocated_gpu_hours, reported_gpu_hours)',
    evidence='fct_gpu_usage__self_reports',
    arrivals='report_arrivals'
) }}
union all
{{ rule_measure(
    'over_capacity',
    observed='highest_day_percent',
    lacking='contract_lacking',
    evidence='fct_gpu_usage__company_months'
) }}
union all
{{ rule_measure(
    'low_allocation',
    observed='100 * (cast(allocated_part_seconds as double) / nullif(contracted_part_seconds, 0))',
    lacking='contract_lacking',
    size='contracted_part_seconds / 100800.0',
    evidence='fct_gpu_usage__company_months'
) }}
