"""Queries of the chapter on use, plans, jobs, notes and submissions; one row set a table."""

from __future__ import annotations

OVERVIEW = """
select
    strftime($month, '%Y-%m') as month,
    count(distinct company_id) as companies,
    count(distinct company_id) filter (where gpu_part_seconds is not null) as reporting,
    cast(sum(contracted_gpu_seconds) / 3600.0 as decimal(18, 1)) as contracted_gpu_hours,
    cast(sum(gpu_part_seconds) / 100800.0 as decimal(18, 1)) as allocated_gpu_hours,
    cast(
        100.0 * sum(gpu_part_seconds) / nullif(sum(contracted_gpu_seconds) * 28, 0)
        as decimal(18, 1)
    ) as allocated_percent
from fct_gpu_usage__company_months
where month = $month
order by 1
"""

COMPANIES = """
select
    organisations.organisation_id,
    organisations.name_ja,
    organisations.segment,
    cast(plan_months.contracted_gpu_hours as decimal(18, 1)) as contracted_gpu_hours,
    cast(plan_months.allocated_gpu_hours as decimal(18, 1)) as allocated_gpu_hours,
    cast(
        100 * plan_months.allocated_gpu_hours / nullif(plan_months.contracted_gpu_hours, 0)
        as decimal(18, 1)
    ) as allocated_percent,
    cast(plan_months.planned_gpu_hours as decimal(18, 1)) as planned_gpu_hours,
    cast(
        100 * plan_months.allocated_gpu_hours / nullif(plan_months.planned_gpu_hours, 0)
        as decimal(18, 1)
    ) as plan_percent
from dim_programme__organisations as organisations
left join fct_gpu_usage__plan_months as plan_months
    on organisations.organisation_id = plan_months.company_id and plan_months.month = $month
where organisations.segment != 'データ利活用'
order by organisations.segment, organisations.organisation_id
"""

PLAN_TO_DATE = """
select
    plan_months.company_id as organisation_id,
    organisations.name_ja,
    plan_months.plan_version,
    cast(plan_months.planned_gpu_hours_to_date as decimal(18, 1)) as planned_to_date,
    cast(plan_months.allocated_gpu_hours_to_date as decimal(18, 1)) as allocated_to_date,
    cast(
        100 * plan_months.allocated_gpu_hours_to_date
        / nullif(plan_months.planned_gpu_hours_to_date, 0) as decimal(18, 1)
    ) as percent_to_date,
    cast(plan_months.planned_gpu_hours_in_all as decimal(18, 1)) as planned_in_all,
    cast(
        100 * plan_months.allocated_gpu_hours_to_date
        / nullif(plan_months.planned_gpu_hours_in_all, 0) as decimal(18, 1)
    ) as percent_in_all
from fct_gpu_usage__plan_months as plan_months
inner join dim_programme__organisations as organisations
    on plan_months.company_id = organisations.organisation_id
where plan_months.month = $month and plan_months.planned_gpu_hours is not null
order by organisations.segment, plan_months.company_id
"""

JOB_STATES = """
select
    state,
    case state
        when 'COMPLETED' then '正常終了'
        when 'FAILED' then '失敗'
        when 'CANCELLED' then '取消し'
        when 'TIMEOUT' then '制限時間超過'
        when 'NODE_FAIL' then 'ノード障害'
        when 'PREEMPTED' then '割込み中断'
        when 'RUNNING' then '実行中'
        when 'OUT_OF_MEMORY' then 'メモリ不足'
        when 'REQUEUED' then '再投入'
        else 'その他'
    end as state_ja,
    cast(sum(job_count) as bigint) as job_count,
    cast(sum(gpu_part_seconds) / 100800.0 as decimal(18, 1)) as allocated_gpu_hours,
    cast(
        100.0 * sum(gpu_part_seconds) / nullif(sum(sum(gpu_part_seconds)) over (), 0)
        as decimal(18, 1)
    ) as share_percent
from fct_gpu_usage__job_states
where month = $month
group by state
order by sum(gpu_part_seconds) desc, state
"""

NOTES = """
select
    notes.company_id as organisation_id,
    organisations.name_ja,
    notes.note_number,
    notes.kind,
    notes.body,
    notes.due,
    notes.owner_role
from fct_gpu_usage__notes as notes
inner join dim_programme__organisations as organisations
    on notes.company_id = organisations.organisation_id
where notes.month = $month
order by organisations.segment, notes.company_id, notes.note_number
"""

SUBMISSIONS = """
select
    submissions.company_id as organisation_id,
    organisations.name_ja,
    submissions.kind,
    submissions.due_on,
    submissions.received_on,
    submissions.status
from fct_gpu_usage__submissions as submissions
inner join dim_programme__organisations as organisations
    on submissions.company_id = organisations.organisation_id
where submissions.month = $month and submissions.status != '受領'
order by submissions.status, submissions.company_id, submissions.kind
"""
