-- One select a rule. observed: the compared value. size_gpu_hours: what has to reach the rule's
-- minimum. coverage_percent: of telemetry. is_at_least: the value is known only from below.
with measures as (

    select * from {{ ref('int_gpu_usage__month_measures') }}

)

select
    company_id,
    month,
    segment,
    is_partial,
    'over_plan_month' as rule_id,
    cast(100 * allocated_gpu_hours / nullif(planned_gpu_hours, 0) as decimal(18, 4)) as observed,
    cast(allocated_gpu_hours as decimal(18, 4)) as size_gpu_hours,
    cast(null as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__plan_months' as evidence_relation,
    plan_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'over_plan_to_date' as rule_id,
    -- earlier use is no fault of a month without records of its own
    cast(
        case
            when
                allocated_gpu_hours is not null
                then 100 * allocated_gpu_hours_to_date / nullif(planned_gpu_hours_to_date, 0)
        end as decimal(18, 4)
    ) as observed,
    cast(allocated_gpu_hours_to_date as decimal(18, 4)) as size_gpu_hours,
    cast(null as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    not months_known as is_at_least,
    'marts.fct_gpu_usage__plan_months' as evidence_relation,
    plan_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'over_plan_total' as rule_id,
    -- earlier use is no fault of a month without records of its own
    cast(
        case
            when
                allocated_gpu_hours is not null
                then 100 * allocated_gpu_hours_to_date / nullif(planned_gpu_hours_in_all, 0)
        end as decimal(18, 4)
    ) as observed,
    cast(allocated_gpu_hours_to_date as decimal(18, 4)) as size_gpu_hours,
    cast(null as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    not months_known as is_at_least,
    'marts.fct_gpu_usage__plan_months' as evidence_relation,
    plan_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'under_plan_month' as rule_id,
    cast(
        100 * allocated_gpu_hours / nullif(planned_gpu_hours_so_far, 0)
        as decimal(18, 4)
    ) as observed,
    cast(planned_gpu_hours_so_far as decimal(18, 4)) as size_gpu_hours,
    cast(null as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__plan_months' as evidence_relation,
    plan_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'under_plan_to_date' as rule_id,
    cast(
        case
            when
                months_known
                then 100 * allocated_gpu_hours_to_date / nullif(planned_gpu_hours_to_date_so_far, 0)
        end as decimal(18, 4)
    ) as observed,
    cast(planned_gpu_hours_to_date_so_far as decimal(18, 4)) as size_gpu_hours,
    cast(null as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__plan_months' as evidence_relation,
    plan_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'unplanned_use' as rule_id,
    cast(
        case
            when plan_version is null then null
            when planned_gpu_hours > 0 then 0
            else allocated_gpu_hours
        end as decimal(18, 4)
    ) as observed,
    cast(null as decimal(18, 4)) as size_gpu_hours,
    cast(null as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__plan_months' as evidence_relation,
    plan_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'idle_in_allocation' as rule_id,
    cast(idle_allocated_percent as decimal(18, 4)) as observed,
    cast(idle_allocated_gpu_hours as decimal(18, 4)) as size_gpu_hours,
    cast(telemetry_coverage_percent as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__telemetry_months' as evidence_relation,
    usage_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'idle_in_allocation_severe' as rule_id,
    cast(idle_allocated_percent as decimal(18, 4)) as observed,
    cast(idle_allocated_gpu_hours as decimal(18, 4)) as size_gpu_hours,
    cast(telemetry_coverage_percent as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__telemetry_months' as evidence_relation,
    usage_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'idle_on_measured_days' as rule_id,
    cast(measured_idle_percent as decimal(18, 4)) as observed,
    cast(measured_idle_gpu_hours as decimal(18, 4)) as size_gpu_hours,
    cast(measured_coverage_percent as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__telemetry_months' as evidence_relation,
    usage_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'low_sm_activity' as rule_id,
    cast(busy_sm_active_percent as decimal(18, 4)) as observed,
    cast(busy_gpu_hours as decimal(18, 4)) as size_gpu_hours,
    cast(sm_coverage_percent as decimal(18, 4)) as coverage_percent,
    cast(busy_power_percent as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__telemetry_months' as evidence_relation,
    usage_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'outside_contract' as rule_id,
    cast(
        case
            when
                has_contract and allocated_part_seconds is not null
                then outside_contract_part_seconds / 100800.0
        end as decimal(18, 4)
    ) as observed,
    cast(null as decimal(18, 4)) as size_gpu_hours,
    cast(null as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__company_months' as evidence_relation,
    usage_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'outside_support' as rule_id,
    cast(
        case
            when
                support_known and allocated_part_seconds is not null
                then outside_support_part_seconds / 100800.0
        end as decimal(18, 4)
    ) as observed,
    cast(null as decimal(18, 4)) as size_gpu_hours,
    cast(null as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__company_months' as evidence_relation,
    usage_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'self_report_differs' as rule_id,
    cast(difference_percent as decimal(18, 4)) as observed,
    cast(greatest(allocated_gpu_hours, reported_gpu_hours) as decimal(18, 4)) as size_gpu_hours,
    cast(null as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__self_reports' as evidence_relation,
    report_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'over_capacity' as rule_id,
    cast(highest_day_percent as decimal(18, 4)) as observed,
    cast(null as decimal(18, 4)) as size_gpu_hours,
    cast(null as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__company_months' as evidence_relation,
    usage_arrivals as _arrivals
from measures
union all
select
    company_id,
    month,
    segment,
    is_partial,
    'low_allocation' as rule_id,
    cast(
        100 * (cast(allocated_part_seconds as double) / nullif(contracted_part_seconds, 0))
        as decimal(18, 4)
    ) as observed,
    cast(contracted_part_seconds / 100800.0 as decimal(18, 4)) as size_gpu_hours,
    cast(null as decimal(18, 4)) as coverage_percent,
    cast(null as decimal(18, 4)) as power_percent,
    false as is_at_least,
    'marts.fct_gpu_usage__company_months' as evidence_relation,
    usage_arrivals as _arrivals
from measures
