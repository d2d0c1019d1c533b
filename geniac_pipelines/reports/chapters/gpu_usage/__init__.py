"""The chapter on use of compute (clauses 3-1-a, 3-3-a, 3-7-3): its order and its words.

Tables stand in `tables` and `appropriateness`, long queries in `queries`.
"""

from __future__ import annotations

from typing import Any

from geniac_pipelines.calendar import Month
from geniac_pipelines.figures.model import FigureTable
from geniac_pipelines.reports.chapters.gpu_usage import appropriateness, situation, tables
from geniac_pipelines.reports.chapters.gpu_usage.tables import CLAUSE, Source
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

__all__ = ["chapter", "opening", "overview", "situation_table"]


def chapter(view: Any, month: Month, audience: str) -> Chapter:
    """The chapter for one audience and month, from that audience's view of the warehouse."""
    source = Source(view, month, audience)
    companies = tables.companies(source)
    return Chapter(
        id="gpu_usage",
        title="計算資源の利用状況",
        clause=CLAUSE,
        blocks=(
            *_situation(tables.overview(source)),
            Table(companies, empty="この月に契約・計画・利用のある組織はありません。"),
            _plan_chart(companies),
            Heading(2, "計画に対する累計"),
            Table(tables.plan_to_date(source), empty="利用実施計画が届いている組織はありません。"),
            *appropriateness.sections(source),
            Heading(2, "ジョブの終わり方"),
            Paragraph(
                text("取消しは浪費を意味しません。学習の途中で設定を変えるための取消しも含みます。")
            ),
            Table(tables.job_states(source), empty="この月のジョブ実行記録はありません。"),
            Heading(2, "進捗状況・課題・改善案"),
            Table(tables.notes(source), empty="この月の月次利用報告は届いていません。"),
            Heading(2, "提出状況"),
            Table(
                tables.submissions(source),
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
    return tables.overview(Source(view, month, audience))


def situation_table(view: Any, month: Month, audience: str) -> FigureTable:
    """The counts of the first page."""
    return situation.situation(Source(view, month, audience))


def opening(view: Any, month: Month, audience: str) -> tuple[Block, ...]:
    """The first page: what the month looks like and what is to be decided."""
    source = Source(view, month, audience)
    whole, counts = tables.overview(source), situation.situation(source)
    return (
        *_situation(whole),
        Table(whole, empty="この月の記録がありません。"),
        Table(counts, empty="この月に判定の対象となる組織はありません。"),
        *situation.to_decide(source, counts),
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
