"""The chapter on use of compute (clauses 3-1-a, 3-3-a, 3-7-3)."""

from __future__ import annotations

from typing import Any

from geniac_pipelines.calendar import Month
from geniac_pipelines.figures.model import FigureColumn, FigureTable
from geniac_pipelines.figures.query import figure_table
from geniac_pipelines.reports.document import (
    Block,
    Callout,
    Chapter,
    Chart,
    Heading,
    Paragraph,
    Table,
    text,
)

CLAUSE = "3-1-a"
HOURS = "GPU時間"

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

COMPANY = FigureColumn("name_ja", "組織")


def chapter(view: Any, month: Month, audience: str) -> Chapter:
    """The chapter for one audience and month, from that audience's view of the warehouse."""
    build = _Builder(view, month, audience)
    overview, companies = build.overview(), build.companies()
    return Chapter(
        id="gpu_usage",
        title="計算資源の利用状況",
        clause=CLAUSE,
        blocks=(
            *_situation(overview),
            Table(companies, empty="この月に契約・計画・利用のある組織はありません。"),
            _plan_chart(companies),
            Heading(2, "計画に対する累計"),
            Table(build.plan_to_date(), empty="利用実施計画が届いている組織はありません。"),
            Heading(2, "ジョブの終わり方"),
            Paragraph(
                text("取消しは浪費を意味しません。学習の途中で設定を変えるための取消しも含みます。")
            ),
            Table(build.job_states(), empty="この月のジョブ実行記録はありません。"),
            Heading(2, "進捗状況・課題・改善案"),
            Table(build.notes(), empty="この月の月次利用報告は届いていません。"),
            Heading(2, "提出状況"),
            Table(
                build.submissions(),
                tone_column="status",
                tones={
                    "未着（期限超過）": "alert",
                    "修正依頼中": "caution",
                    "未着（期限前）": "info",
                },
                empty="この月の提出物はすべて受領しています。",
            ),
        ),
    )


def overview(view: Any, month: Month, audience: str) -> FigureTable:
    """The one-row overview table, also for the report's summary."""
    return _Builder(view, month, audience).overview()


class _Builder:
    def __init__(self, view: Any, month: Month, audience: str) -> None:
        self._view = view
        self._month = month
        self._audience = audience

    def _table(
        self,
        name: str,
        title: str,
        *,
        sql: str,
        key: tuple[str, ...],
        columns: tuple[FigureColumn, ...],
        relation: str,
        match: dict[str, str],
        note: str = "",
    ) -> FigureTable:
        return figure_table(
            self._view,
            id=f"gpu_usage.{name}.{self._month}",
            title=f"{title}（{self._month.ja}）",
            clause=CLAUSE,
            audience=self._audience,
            columns=columns,
            key=key,
            sql=sql,
            relation=relation,
            match=match,
            parameters={"month": self._month.first},
            note=note,
        )

    def overview(self) -> FigureTable:
        return self._table(
            "overview",
            "全体",
            sql=OVERVIEW,
            key=("month",),
            columns=(
                FigureColumn("companies", "対象組織", "number", "社"),
                FigureColumn("reporting", "記録のある組織", "number", "社"),
                FigureColumn("contracted_gpu_hours", "契約量", "number", HOURS, 1),
                FigureColumn("allocated_gpu_hours", "割当量", "number", HOURS, 1),
                FigureColumn("allocated_percent", "契約に対する割当", "number", "%", 1),
            ),
            relation="marts.fct_gpu_usage__company_months",
            match={},
        )

    def companies(self) -> FigureTable:
        return self._table(
            "companies",
            "組織ごとの契約・割当・計画",
            sql=COMPANIES,
            key=("organisation_id",),
            columns=(
                COMPANY,
                FigureColumn("segment", "区分"),
                FigureColumn("contracted_gpu_hours", "契約量", "number", HOURS, 1),
                FigureColumn("allocated_gpu_hours", "割当量", "number", HOURS, 1),
                FigureColumn("allocated_percent", "契約比", "number", "%", 1),
                FigureColumn("planned_gpu_hours", "計画量", "number", HOURS, 1),
                FigureColumn("plan_percent", "計画比", "number", "%", 1),
            ),
            relation="marts.fct_gpu_usage__plan_months",
            match={"company_id": "organisation_id"},
            note="割当量はスケジューラの記録による物理GPU時間（MIGは分割の割合で換算）。「―」は記録なし。",
        )

    def plan_to_date(self) -> FigureTable:
        return self._table(
            "plan_to_date",
            "計画に対する累計",
            sql=PLAN_TO_DATE,
            key=("organisation_id",),
            columns=(
                COMPANY,
                FigureColumn("plan_version", "計画の版", "number", "版"),
                FigureColumn("planned_to_date", "計画（累計）", "number", HOURS, 1),
                FigureColumn("allocated_to_date", "実績（累計）", "number", HOURS, 1),
                FigureColumn("percent_to_date", "達成率", "number", "%", 1),
                FigureColumn("planned_in_all", "計画（全期間）", "number", HOURS, 1),
                FigureColumn("percent_in_all", "消化率", "number", "%", 1),
            ),
            relation="marts.fct_gpu_usage__plan_months",
            match={"company_id": "organisation_id"},
        )

    def job_states(self) -> FigureTable:
        return self._table(
            "job_states",
            "ジョブの終わり方",
            sql=JOB_STATES,
            key=("state",),
            columns=(
                FigureColumn("state_ja", "状態"),
                FigureColumn("state", "Slurmの状態名"),
                FigureColumn("job_count", "実行の数", "number", "件"),
                FigureColumn("allocated_gpu_hours", "割当量", "number", HOURS, 1),
                FigureColumn("share_percent", "割合", "number", "%", 1),
            ),
            relation="marts.fct_gpu_usage__job_states",
            match={"state": "state"},
        )

    def notes(self) -> FigureTable:
        return self._table(
            "notes",
            "進捗状況・課題・改善案",
            sql=NOTES,
            key=("organisation_id", "note_number"),
            columns=(
                COMPANY,
                FigureColumn("kind", "種別"),
                FigureColumn("body", "内容"),
                FigureColumn("due", "期限", "date"),
                FigureColumn("owner_role", "担当"),
            ),
            relation="marts.fct_gpu_usage__notes",
            match={"company_id": "organisation_id", "note_number": "note_number"},
            note="各組織の月次利用報告による。",
        )

    def submissions(self) -> FigureTable:
        return self._table(
            "submissions",
            "受領していない提出物",
            sql=SUBMISSIONS,
            key=("organisation_id", "kind"),
            columns=(
                COMPANY,
                FigureColumn("kind", "提出物"),
                FigureColumn("due_on", "期限", "date"),
                FigureColumn("received_on", "最後の受領日", "date"),
                FigureColumn("status", "状況"),
            ),
            relation="marts.fct_gpu_usage__submissions",
            match={"company_id": "organisation_id", "kind": "kind"},
        )


def _situation(overview: FigureTable) -> tuple[Block, ...]:
    """What the month looks like, in two sentences; says so when there is nothing to say."""
    if not overview.rows:
        return (
            Callout(
                "caution",
                "この月の記録がありません",
                text(
                    "契約・計画・ジョブ実行記録のいずれも届いていないため、状況を判断できません。"
                ),
            ),
        )
    row = overview.rows[0]
    return (
        Paragraph(
            text(
                "対象 ",
                overview.cell(row, "companies"),
                " のうち ",
                overview.cell(row, "reporting"),
                " からジョブ実行記録が届きました。契約量 ",
                overview.cell(row, "contracted_gpu_hours"),
                " に対し、割当量は ",
                overview.cell(row, "allocated_gpu_hours"),
                "（",
                overview.cell(row, "allocated_percent"),
                "）でした。",
            )
        ),
    )


def _plan_chart(companies: FigureTable) -> Chart:
    planned, allocated = "計画量", "割当量"
    return Chart(
        id="plan_and_use",
        title="計画量と割当量",
        subtitle="組織ごと、物理GPU時間",
        spec={
            "transform": [
                {"fold": ["planned_gpu_hours", "allocated_gpu_hours"], "as": ["what", "hours"]},
                {
                    "calculate": f"datum.what == 'planned_gpu_hours' ? '{planned}' : '{allocated}'",
                    "as": "系列",
                },
            ],
            "mark": {"type": "bar"},
            "encoding": {
                "y": {"field": "name_ja", "type": "nominal", "title": None, "sort": None},
                "yOffset": {"field": "系列", "sort": [planned, allocated]},
                "x": {"field": "hours", "type": "quantitative", "title": "GPU時間"},
                "color": {
                    "field": "系列",
                    "type": "nominal",
                    "title": None,
                    "sort": [planned, allocated],
                },
            },
        },
        table=companies,
        alt="組織ごとの計画量と割当量を並べた横棒グラフ。数値は「組織ごとの契約・割当・計画」の表と同じ。",
        source="利用実施計画、ジョブ実行記録（Slurm）",
    )
