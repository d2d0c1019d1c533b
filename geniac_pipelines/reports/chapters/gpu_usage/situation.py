"""The report's first page: how things stand, in counts, and what is to be decided.

Only counts stand here; which organisations they are is said in the chapter's tables.
"""

from __future__ import annotations

from collections.abc import Iterator

from geniac_pipelines.audiences import COMPANY as COMPANY_AUDIENCE
from geniac_pipelines.figures.model import Figure, FigureColumn, FigureTable
from geniac_pipelines.reports.chapters.gpu_usage.tables import Source
from geniac_pipelines.reports.document import Block, Bullets, Heading, Text, text

FORECASTS = "marts.fct_gpu_usage__plan_forecasts"
SUBMISSIONS = "marts.fct_gpu_usage__submissions"

SITUATION = """
with verdicts as (
    select
        strftime($month, '%Y-%m') as month,
        count(*) filter (where verdict = '要指示') as to_instruct,
        count(*) filter (where verdict = '要確認') as to_check,
        count(*) filter (where verdict = '確認中') as being_checked,
        count(*) filter (where verdict = '判定不能') as undecided,
        count(*) filter (where verdict = '適正') as fine
    from fct_gpu_usage__appropriateness where month = $month
),
forecasts as (
    select
        count(*) filter (where verdict = '計画を超える見込み') as over_plan,
        count(*) filter (where verdict = '計画を下回る見込み') as under_plan
    from fct_gpu_usage__plan_forecasts where month = $month
),
submissions as (
    select
        count(*) filter (where status = '未着（期限超過）') as overdue,
        count(*) filter (where status = '修正依頼中') as to_correct
    from fct_gpu_usage__submissions where month = $month
)
select * from verdicts cross join forecasts cross join submissions
order by verdicts.month
"""


def situation(source: Source) -> FigureTable:
    """The counts of the first page."""
    return source.table(
        "situation",
        "状況",
        sql=SITUATION,
        key=("month",),
        columns=(
            FigureColumn("to_instruct", "要指示", "number", "件"),
            FigureColumn("to_check", "要確認", "number", "件"),
            FigureColumn("being_checked", "確認中", "number", "件"),
            FigureColumn("undecided", "判定不能", "number", "件"),
            FigureColumn("fine", "適正", "number", "件"),
            FigureColumn("over_plan", "計画超過の見込み", "number", "件", relation=FORECASTS),
            FigureColumn("under_plan", "計画未達の見込み", "number", "件", relation=FORECASTS),
            FigureColumn("overdue", "期限を過ぎた未着", "number", "件", relation=SUBMISSIONS),
            FigureColumn("to_correct", "修正依頼中", "number", "件", relation=SUBMISSIONS),
        ),
        relation="marts.fct_gpu_usage__appropriateness",
        match={},
        note=(
            "件数は組織の数（未着と修正依頼中は提出物の数）。要指示・要確認は規則に該当したもの、"
            "確認中は事務局の確認を待つもの、判定不能は記録が足りず判定できないもの。"
        ),
    )


def to_decide(source: Source, table: FigureTable) -> tuple[Block, ...]:
    """What the reader is asked to decide or to do; says so where it is nothing."""
    row = table.rows[0]
    counts = {c.name: table.cell(row, c) for c in table.columns}
    own = source.audience.startswith(COMPANY_AUDIENCE)
    asked = tuple(_for_company(counts) if own else _for_officials(counts))
    title = "ご対応いただきたいこと" if own else "ご判断いただきたいこと"
    nothing = f"今回、{title}はありません。"
    return (Heading(2, title), Bullets(asked or (text(nothing),)))


def _for_officials(counts: dict[str, Figure]) -> Iterator[Text]:
    if counts["to_instruct"].value:
        yield text("要指示 ", counts["to_instruct"], "：企業への指示の要否（「適切性」の指示案）。")
    if counts["to_check"].value:
        yield text("要確認 ", counts["to_check"], "：事実確認の進め方（「適切性」）。")
    if counts["over_plan"].value:
        yield text(
            "計画を超える見込み ",
            counts["over_plan"],
            "：計画の改訂を求めるか（「計画の終わりまでの予測」）。",
        )
    if counts["under_plan"].value:
        yield text(
            "計画を下回る見込み ",
            counts["under_plan"],
            "：余る計算資源の扱い（「計画の終わりまでの予測」）。",
        )
    if counts["undecided"].value:
        yield text(
            "判定不能 ",
            counts["undecided"],
            "：足りない記録の提出を、いつまでに求めるか（理由は「適切性」）。",
        )
    if counts["overdue"].value:
        yield text("期限を過ぎた未着 ", counts["overdue"], "：督促の状況（「提出状況」）。")
    if counts["being_checked"].value:
        yield text(
            "確認中 ",
            counts["being_checked"],
            "は、事務局の確認と企業の説明がそろってから報告します。今回の判断は要りません。",
        )


def _for_company(counts: dict[str, Figure]) -> Iterator[Text]:
    if counts["overdue"].value:
        yield text("期限を過ぎた提出物 ", counts["overdue"], "のご提出（「提出状況」）。")
    if counts["to_correct"].value:
        yield text(
            "修正をお願いしている提出物 ", counts["to_correct"], "の再提出（「提出状況」）。"
        )
    if counts["undecided"].value:
        yield text("判定に足りない記録のご提出（「適切性」の理由）。")
    if counts["to_instruct"].value or counts["to_check"].value:
        yield text("「適切性」に挙げた点についてのご説明。")
