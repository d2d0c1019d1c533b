"""The chapter on what the report rests on: files received, what was refused, restatements."""

from __future__ import annotations

from typing import Any

from geniac_pipelines.areas import FORMATS
from geniac_pipelines.calendar import Month
from geniac_pipelines.figures.model import FigureColumn, FigureTable
from geniac_pipelines.figures.query import figure_table
from geniac_pipelines.reports.document import (
    Block,
    Bullets,
    Chapter,
    Heading,
    Paragraph,
    Table,
    text,
)

CLAUSE = "3-1-a"

FORMAT_JA = "\n".join(f"        when '{f.name}' then '{f.ja}'" for f in FORMATS)

OUTCOME_JA = """
    case outcome
        when 'landed' then '受領'
        when 'partial' then '一部受領'
        when 'refused' then '受領できず'
        when 'unknown' then '形式不明'
        when 'failed' then '読み取り障害'
    end as outcome_ja"""

BY_FORMAT = f"""
select
    coalesce(format, '判別できず') as format,
    case format
{FORMAT_JA}
        else coalesce(format, '判別できず')
    end as format_ja,
    {OUTCOME_JA.strip()},
    outcome,
    count(*) as files,
    cast(sum(row_count) as bigint) as row_count,
    cast(sum(complaint_count) as bigint) as complaints
from fct_programme__deliveries
group by all
order by 1, 4
"""

NOT_TAKEN = f"""
select
    deliveries.arrival_id,
    coalesce(organisations.name_ja, deliveries.sender, '不明') as sender,
    regexp_replace(deliveries.file_name, '^' || deliveries.sender || '/', '') as file_name,
    deliveries.received_on,
    {OUTCOME_JA.strip()},
    deliveries.complaint_count
from fct_programme__deliveries as deliveries
left join dim_programme__organisations as organisations
    on deliveries.company_id = organisations.organisation_id
where deliveries.outcome != 'landed' and deliveries.received_on >= $month
order by deliveries.received_on, deliveries.file_name, deliveries.arrival_id
"""

TERMS = (
    ("GPU時間", "GPU（演算装置）の枚数と時間の積。分割して使うときは割合で数える。"),
    ("契約量・計画量", "契約で使える量と、利用実施計画で使うとした量。"),
    ("割当量", "ジョブ（計算の単位）を動かす管理ソフト（Slurm）が企業に割り当てた量。"),
    ("テレメトリ", "GPUが実際に動いていたかを、機器から自動で集めた記録。"),
    ("機械判定（未確認）", "規則に当てはめただけで、担当者がまだ確かめていない判定。"),
    ("暫定", "報告書の発行前で、これから届く記録により数値が変わり得ること。"),
    ("―", "値がないこと。ゼロではない。"),
)


def chapter(view: Any, month: Month, audience: str, restated: FigureTable | None) -> Chapter:
    """Sources of the report; `restated` lists figures of issued reports that have changed."""
    blocks: list[Block] = [
        Paragraph(
            text(
                "数値はすべて届いたファイルの行から計算しています。",
                "HTML版で数値を選ぶと、求め方ともとのファイルのたどり方が表示されます。",
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
    blocks += [
        Heading(2, "用語"),
        Bullets(tuple(text(f"{term}：{meaning}") for term, meaning in TERMS)),
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
            FigureColumn("format_ja", "形式"),
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
