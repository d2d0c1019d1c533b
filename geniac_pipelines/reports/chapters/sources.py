"""The chapter on what the report rests on: files received, what was refused, restatements."""

from __future__ import annotations

from typing import Any

from geniac_pipelines.calendar import Month
from geniac_pipelines.figures.model import FigureColumn, FigureTable
from geniac_pipelines.figures.query import figure_table
from geniac_pipelines.reports.document import (
    Block,
    Chapter,
    Heading,
    Paragraph,
    Table,
    text,
)

CLAUSE = "3-1-a"

BY_FORMAT = """
select
    coalesce(format, '判別できず') as format,
    case outcome
        when 'landed' then '受領'
        when 'partial' then '一部受領'
        when 'refused' then '受領できず'
        when 'unknown' then '形式不明'
        when 'failed' then '読み取り障害'
    end as outcome_ja,
    outcome,
    count(*) as files,
    cast(sum(row_count) as bigint) as row_count,
    cast(sum(complaint_count) as bigint) as complaints
from fct_programme__deliveries
group by 1, 2, 3
order by 1, 3
"""

NOT_TAKEN = """
select
    arrival_id,
    coalesce(company_id, sender, '不明') as sender,
    file_name,
    received_on,
    case outcome
        when 'partial' then '一部受領'
        when 'refused' then '受領できず'
        when 'unknown' then '形式不明'
        when 'failed' then '読み取り障害'
    end as outcome_ja,
    complaint_count
from fct_programme__deliveries
where outcome != 'landed' and received_on >= $month
order by received_on, file_name, arrival_id
"""


def chapter(view: Any, month: Month, audience: str, restated: FigureTable | None) -> Chapter:
    """Sources of the report; `restated` lists figures of issued reports that have changed."""
    blocks: list[Block] = [
        Paragraph(
            text(
                "数値はすべて届いたファイルの行から計算しています。",
                "各数値の求め方ともとのファイルは、番号から追跡できます。",
            )
        ),
        Table(_by_format(view, audience), empty="届いたファイルはありません。"),
        Heading(2, "受領できなかったもの"),
        Table(_not_taken(view, month, audience), empty="月初以降に届いたものは全て受領しました。"),
    ]
    if restated is not None:
        blocks += [
            Heading(2, "発行済みの報告書からの訂正"),
            Table(restated, empty="発行済みの報告書の数値に変更はありません。"),
        ]
    return Chapter(id="sources", title="データの出所と訂正", clause=CLAUSE, blocks=tuple(blocks))


def _by_format(view: Any, audience: str) -> FigureTable:
    return figure_table(
        view,
        id="sources.formats",
        title="届いたファイルと読み取り結果",
        clause=CLAUSE,
        audience=audience,
        columns=(
            FigureColumn("format", "形式"),
            FigureColumn("outcome_ja", "結果"),
            FigureColumn("files", "ファイル", "number", "件"),
            FigureColumn("row_count", "受領した行", "number", "行"),
            FigureColumn("complaints", "修正依頼・注意", "number", "件"),
        ),
        key=("format", "outcome"),
        sql=BY_FORMAT,
        relation="marts.fct_programme__deliveries",
        match={"format": "format", "outcome": "outcome"},
    )


def _not_taken(view: Any, month: Month, audience: str) -> FigureTable:
    return figure_table(
        view,
        id=f"sources.not_taken.{month}",
        title="受領できなかった、または一部だけ受領したファイル",
        clause=CLAUSE,
        audience=audience,
        columns=(
            FigureColumn("sender", "提出者"),
            FigureColumn("file_name", "ファイル"),
            FigureColumn("received_on", "受付日", "date"),
            FigureColumn("outcome_ja", "結果"),
            FigureColumn("complaint_count", "修正依頼・注意", "number", "件"),
        ),
        key=("arrival_id",),
        sql=NOT_TAKEN,
        relation="marts.fct_programme__deliveries",
        match={"arrival_id": "arrival_id"},
        parameters={"month": month.first},
    )
