"""Tables of the chapter on use, plans, jobs, notes and submissions, and how a table is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geniac_pipelines.calendar import Month
from geniac_pipelines.figures.model import FigureColumn, FigureTable, Scalar
from geniac_pipelines.figures.query import figure_table
from geniac_pipelines.reports.chapters.gpu_usage import queries

CLAUSE = "3-1-a"
HOURS = "GPU時間"
COMPANY = FigureColumn("name_ja", "組織")


@dataclass(frozen=True)
class Source:
    """What a table is made from: an audience's view of the warehouse, and the month."""

    view: Any
    month: Month
    audience: str

    def table(
        self,
        name: str,
        title: str,
        *,
        sql: str,
        key: tuple[str, ...],
        columns: tuple[FigureColumn, ...],
        relation: str,
        match: Mapping[str, str],
        note: str = "",
        parameters: Mapping[str, Scalar] | None = None,
        cumulative: bool = False,
    ) -> FigureTable:
        """The figure table `gpu_usage.<name>.<month>`; `$month` is always bound."""
        return figure_table(
            self.view,
            id=f"gpu_usage.{name}.{self.month}",
            title=f"{title}（{self.month.ja}）",
            clause=CLAUSE,
            audience=self.audience,
            columns=columns,
            key=key,
            sql=sql,
            relation=relation,
            match=match,
            parameters={"month": self.month.first, **(parameters or {})},
            note=note,
            cumulative=cumulative,
        )


def overview(source: Source) -> FigureTable:
    return source.table(
        "overview",
        "全体",
        sql=queries.OVERVIEW,
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


def companies(source: Source) -> FigureTable:
    return source.table(
        "companies",
        "組織ごとの契約・割当・計画",
        sql=queries.COMPANIES,
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


def plan_to_date(source: Source) -> FigureTable:
    return source.table(
        "plan_to_date",
        "計画に対する累計",
        sql=queries.PLAN_TO_DATE,
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
        cumulative=True,
    )


def job_states(source: Source) -> FigureTable:
    return source.table(
        "job_states",
        "ジョブの終わり方",
        sql=queries.JOB_STATES,
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


def notes(source: Source) -> FigureTable:
    return source.table(
        "notes",
        "進捗状況・課題・改善案",
        sql=queries.NOTES,
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


def submissions(source: Source) -> FigureTable:
    return source.table(
        "submissions",
        "受領していない提出物",
        sql=queries.SUBMISSIONS,
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
