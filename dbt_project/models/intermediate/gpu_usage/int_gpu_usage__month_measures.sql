with organisations as (

    select * from {{ ref('stg_programme__organisations') }}
    where segment != 'データ利活用'

),

plan_months as (

    select
        *,
        count(*) filter (where planned_gpu_hours > 0 and gpu_part_seconds is null) over to_date
        = 0 as months_known,
        max(plan_version) over (partition by company_id) as any_plan_version
    from {{ ref('fct_gpu_usage__plan_months') }}
    window to_date as (partition by company_id order by month)

),

totals as (

    select
        *,
        cast(date_trunc('month', usage_date) as date) as month
    from {{ ref('int_gpu_usage__company_totals') }}

),

contract_spans as (

    select
        company_id,
        usage_date
    from {{ ref('int_gpu_usage__contract_days') }}
    group by company_id, usage_date

),

months as (

    select distinct
        organisations.organisation_id as company_id,
        cast(date_trunc('month', calendar.day) as date) as month
    from organisations
    inner join {{ source('ledger', 'calendar') }} as calendar
        on
            calendar.day >= organisations.support_from
            and calendar.day <= organisations.support_to
    where calendar.day <= {{ as_of() }}
    union distinct
    select
        totals.company_id,
        totals.month
    from totals
    inner join organisations on totals.company_id = organisations.organisation_id

),

last_days as (

    select
        company_id,
        month,
        max(usage_date) filter (where allocated_part_seconds is not null) as last_allocated_on
    from totals
    group by company_id, month

),

days as (

    select
        totals.*,
        last_days.last_allocated_on,
        contract_spans.usage_date is not null as is_under_contract,
        totals.usage_date between organisations.support_from and organisations.support_to
            as is_supported
    from totals
    inner join organisations on totals.company_id = organisations.organisation_id
    inner join last_days
        on totals.company_id = last_days.company_id and totals.month = last_days.month
    left join contract_spans
        on
            totals.company_id = contract_spans.company_id
            and totals.usage_date = contract_spans.usage_date

),

-- the days that telemetry covers well enough to be judged by themselves
measured as (

    select
        days.company_id,
        days.month,
        count(*) as measured_days,
        {{ percent('sum(days.covered_part_seconds)', 'sum(days.existing_part_seconds)') }}
            as measured_coverage_percent,
        {{ gpu_hours('sum(days.idle_allocated_part_seconds)') }} as measured_idle_gpu_hours,
        {{ percent('sum(days.idle_allocated_part_seconds)', 'sum(days.allocated_part_seconds)') }}
            as measured_idle_percent
    from days
    inner join {{ ref('appropriateness_rules') }} as rules
        on rules.rule_id = 'idle_on_measured_days'
    where
        days.allocated_part_seconds is not null
        and 100 * days.covered_part_seconds
        >= rules.coverage_floor_percent * days.existing_part_seconds
    group by days.company_id, days.month, rules.minimum_days
    having count(*) >= rules.minimum_days

),

sums as (

    select
        company_id,
        month,
        max(last_allocated_on) as last_allocated_on,
        cast(sum(allocated_part_seconds) as bigint) as allocated_part_seconds,
        cast(sum(contracted_part_seconds) filter (
            where date_trunc('month', {{ as_of() }}) != month
            or usage_date <= last_allocated_on
        ) as bigint) as contracted_part_seconds,
        coalesce(
            sum(allocated_part_seconds) filter (where not is_under_contract), 0
        ) as outside_contract_part_seconds,
        coalesce(
            sum(allocated_part_seconds) filter (where not is_supported), 0
        ) as outside_support_part_seconds,
        max({{ percent('allocated_part_seconds', 'contracted_part_seconds') }})
            as highest_day_percent,
        {{ merged_arrivals('_arrivals') }} as _arrivals
    from days
    group by company_id, month

),

plan_arrivals as (

    -- a plan is evidence for months that it leaves out, too
    select
        company_id,
        {{ merged_arrivals('[_arrival]') }} as _arrivals
    from {{ ref('int_gpu_usage__current_plans') }}
    group by company_id

),

plans as (

    select
        company_id,
        max(plan_version) as plan_version
    from {{ ref('int_gpu_usage__current_plans') }}
    group by company_id

),

contracts as (

    select distinct company_id from contract_spans

),

joined as (

    select
        months.company_id,
        months.month,
        organisations.segment,
        organisations.support_from is not null and organisations.support_to is not null
            as support_known,
        contracts.company_id is not null as has_contract,
        plans.plan_version,
        date_trunc('month', {{ as_of() }}) = months.month as is_partial,
        case
            when date_trunc('month', {{ as_of() }}) = months.month
                then cast(day(sums.last_allocated_on) as double) / day(last_day(months.month))
            else 1
        end as elapsed_share,
        sums.allocated_part_seconds,
        sums.contracted_part_seconds,
        sums.outside_contract_part_seconds,
        sums.outside_support_part_seconds,
        sums.highest_day_percent,
        coalesce(plan_months.months_known, false) as months_known,
        plan_months.planned_gpu_hours,
        plan_months.planned_gpu_hours_to_date,
        plan_months.planned_gpu_hours_in_all,
        plan_months.allocated_gpu_hours,
        plan_months.allocated_gpu_hours_to_date,
        telemetry.telemetry_coverage_percent,
        telemetry.sm_coverage_percent,
        telemetry.busy_gpu_hours,
        telemetry.idle_allocated_gpu_hours,
        telemetry.idle_allocated_percent,
        telemetry.busy_sm_active_percent,
        telemetry.busy_power_percent,
        measured.measured_coverage_percent,
        measured.measured_idle_gpu_hours,
        measured.measured_idle_percent,
        reports.reported_gpu_hours,
        reports.difference_percent,
        list_sort(list_distinct(list_concat(
            coalesce(sums._arrivals, []), coalesce(plan_arrivals._arrivals, [])
        ))) as plan_arrivals,
        coalesce(sums._arrivals, []) as usage_arrivals,
        coalesce(reports._arrivals, []) as report_arrivals
    from months
    inner join organisations on months.company_id = organisations.organisation_id
    left join sums on months.company_id = sums.company_id and months.month = sums.month
    left join measured
        on months.company_id = measured.company_id and months.month = measured.month
    left join plan_months
        on months.company_id = plan_months.company_id and months.month = plan_months.month
    left join plans on months.company_id = plans.company_id
    left join plan_arrivals on months.company_id = plan_arrivals.company_id
    left join contracts on months.company_id = contracts.company_id
    left join {{ ref('fct_gpu_usage__telemetry_months') }} as telemetry
        on months.company_id = telemetry.company_id and months.month = telemetry.month
    left join {{ ref('fct_gpu_usage__self_reports') }} as reports
        on months.company_id = reports.company_id and months.month = reports.month

)

select
    *,
    cast(planned_gpu_hours * elapsed_share as decimal(18, 4)) as planned_gpu_hours_so_far,
    cast(
        planned_gpu_hours_to_date - coalesce(planned_gpu_hours, 0) * (1 - elapsed_share)
        as decimal(18, 4)
    ) as planned_gpu_hours_to_date_so_far
from joined
