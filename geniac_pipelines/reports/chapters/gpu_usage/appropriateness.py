"""Sections on appropriateness (適切性), forecast to the plan's end, and telemetry.

What may leave the secretariat is no business of these queries: the view that they run on holds
nothing else (`figures.audience`). Until a judgement may leave, it reads 確認中, without rules.
"""

from __future__ import annotations

from geniac_pipelines.audiences import COMPANY as COMPANY_AUDIENCE
from geniac_pipelines.figures.model import FigureColumn, FigureTable
from geniac_pipelines.reports.chapters.gpu_usage.tables import COMPANY, HOURS, Source
from geniac_pipelines.reports.document import Block, Chart, Heading, Paragraph, Table, text

TONES = {"要指示": "alert", "要確認": "caution", "判定不能": "info", "確認中": "info"}
STATE_TONES = {"該当": "caution", "判定不能": "info"}
FORECAST_TONES = {"計画超過": "caution", "計画未達": "caution"}

VERDICTS = """
with undecided as (
    -- without telemetry there is none of SM activity either; that is said once
    select
        company_id,
        coalesce(
            max(reason_ja) filter (where rule_id = 'idle_in_allocation'),
            max(reason_ja) filter (where rule_id = 'low_sm_activity')
        ) as telemetry,
        string_agg(distinct reason_ja, '、' order by reason_ja)
            filter (where rule_id not in ('idle_in_allocation', 'low_sm_activity')) as others
    from fct_gpu_usage__appropriateness_rules
    where month = $month and state = '判定不能' and needed_for_verdict
    group by company_id
)
select
    appropriateness.company_id as organisation_id,
    organisations.name_ja,
    appropriateness.verdict,
    case
        when appropriateness.verdict = '判定不能'
            then concat_ws('、', undecided.telemetry, undecided.others)
        when appropriateness.verdict = '適正' then '該当する規則なし'
        when appropriateness.verdict = '確認中' then '事務局が確認しています'
        else appropriateness.worst_rule_ja
    end as reason,
    case appropriateness.status
        when '機械判定（未確認）' then '未確認'
        else appropriateness.status
    end as status_ja,
    case when appropriateness.is_explained then '記録あり' else '未記録' end as explanation,
    appropriateness.undecided_count,
    cast(appropriateness.telemetry_coverage_percent as decimal(18, 1)) as coverage_percent
from fct_gpu_usage__appropriateness as appropriateness
inner join dim_programme__organisations as organisations
    on appropriateness.company_id = organisations.organisation_id
left join undecided on appropriateness.company_id = undecided.company_id
where appropriateness.month = $month
order by organisations.segment, appropriateness.company_id
"""

RULES = """
select
    rules.company_id as organisation_id,
    rules.rule_id,
    organisations.name_ja,
    rules.name_ja as rule_ja,
    rules.state,
    cast(rules.observed as decimal(18, 1)) as observed,
    cast(rules.threshold as decimal(18, 1)) as threshold,
    rules.unit || case rules.operator when '>' then 'を超えると該当' else '未満で該当' end
        as unit_ja,
    case rules.state
        when '判定不能' then rules.reason_ja
        when '該当' then rules.verdict_when_hit
    end as outcome_ja,
    rules.proposal_ja
from fct_gpu_usage__appropriateness_rules as rules
inner join dim_programme__organisations as organisations
    on rules.company_id = organisations.organisation_id
where rules.month = $month and (rules.state = '該当' or $is_company)
order by organisations.segment, rules.company_id, rules.rule_id
"""

TELEMETRY = """
select
    telemetry.company_id as organisation_id,
    organisations.name_ja,
    cast(telemetry.telemetry_coverage_percent as decimal(18, 1)) as coverage_percent,
    cast(telemetry.busy_gpu_hours as decimal(18, 1)) as busy_gpu_hours,
    cast(telemetry.idle_gpu_hours as decimal(18, 1)) as idle_gpu_hours,
    cast(telemetry.idle_allocated_gpu_hours as decimal(18, 1)) as idle_allocated_gpu_hours,
    cast(telemetry.idle_allocated_percent as decimal(18, 1)) as idle_allocated_percent,
    cast(telemetry.busy_sm_active_percent as decimal(18, 1)) as busy_sm_active_percent,
    cast(telemetry.mean_tensor_active_percent as decimal(18, 1)) as mean_tensor_active_percent,
    cast(telemetry.energy_kwh as decimal(18, 1)) as energy_kwh
from fct_gpu_usage__telemetry_months as telemetry
inner join dim_programme__organisations as organisations
    on telemetry.company_id = organisations.organisation_id
where telemetry.month = $month
order by organisations.segment, telemetry.company_id
"""

FORECASTS = """
select
    forecasts.company_id as organisation_id,
    organisations.name_ja,
    forecasts.plan_ends_on,
    forecasts.observed_until,
    forecasts.planned_gpu_hours_to_date as planned_to_date,
    forecasts.actual_gpu_hours as actual,
    forecasts.planned_gpu_hours as planned,
    forecasts.forecast_gpu_hours as forecast,
    forecasts.low_gpu_hours as low,
    forecasts.high_gpu_hours as high,
    forecasts.forecast_percent,
    case forecasts.verdict
        when '計画を超える見込み' then '計画超過'
        when '計画を下回る見込み' then '計画未達'
        when '予測できない' then '予測できない（' || forecasts.reason || '）'
        else forecasts.verdict
    end as outlook
from fct_gpu_usage__plan_forecasts as forecasts
inner join dim_programme__organisations as organisations
    on forecasts.company_id = organisations.organisation_id
where forecasts.month = $month
order by organisations.segment, forecasts.company_id
"""

METHOD = "select distinct method from fct_gpu_usage__plan_forecasts order by method"


def sections(source: Source) -> tuple[Block, ...]:
    """The blocks from 適切性 to telemetry, in the order in which they are read."""
    outlook = forecasts(source)
    return (
        Heading(2, "適切性"),
        Table(
            verdicts(source),
            tone_column="verdict",
            tones=TONES,
            empty="この月に判定の対象となる組織はありません。",
        ),
        Table(
            rules(source),
            tone_column="state",
            tones=STATE_TONES,
            empty="この月に該当した規則はありません。",
        ),
        Heading(2, "計画の終わりまでの予測"),
        *_method(source),
        Table(
            outlook,
            tone_column="outlook",
            tones=FORECAST_TONES,
            empty="予測の対象となる計画はありません。",
        ),
        forecast_chart(outlook),
        Heading(2, "テレメトリによる稼働"),
        Table(telemetry(source), empty="この月の契約・割当・テレメトリはありません。"),
    )


def verdicts(source: Source) -> FigureTable:
    return source.table(
        "verdicts",
        "適切性の判定",
        sql=VERDICTS,
        key=("organisation_id",),
        columns=(
            COMPANY,
            FigureColumn("verdict", "判定"),
            FigureColumn("reason", "理由"),
            FigureColumn("status_ja", "確認"),
            FigureColumn("explanation", "企業の説明"),
            FigureColumn("undecided_count", "判定できない規則", "number", "件"),
            FigureColumn("coverage_percent", "網羅率", "number", "%", 1),
        ),
        relation="marts.fct_gpu_usage__appropriateness",
        match={"company_id": "organisation_id"},
        note=(
            "判定は該当した規則のうち最も重いもの。「判定不能」は必要な記録がそろわないもので、"
            "「適正」ではない。「確認中」は事務局の確認と企業の説明を待つもの。"
            "網羅率は、あったはずのGPU時間のうちテレメトリ（GPUの稼働の記録）がある割合。"
            "基準日が対象の月の中にあるときは、基準日までの記録による。"
        ),
    )


def rules(source: Source) -> FigureTable:
    """What was found; a company reads all rules on itself, hit or not."""
    return source.table(
        "rules",
        "規則ごとの値としきい値",
        sql=RULES,
        key=("organisation_id", "rule_id"),
        columns=(
            COMPANY,
            FigureColumn("rule_ja", "規則"),
            FigureColumn("state", "状態"),
            FigureColumn("observed", "値", "number", None, 1),
            FigureColumn("threshold", "しきい値", "number", None, 1),
            FigureColumn("unit_ja", "単位と条件"),
            FigureColumn("outcome_ja", "判定・理由"),
            FigureColumn("proposal_ja", "指示案"),
        ),
        relation="marts.fct_gpu_usage__appropriateness_rules",
        match={"company_id": "organisation_id", "rule_id": "rule_id"},
        parameters={"is_company": source.audience.startswith(COMPANY_AUDIENCE)},
        note="指示案は機械が作った案で、事務局が確認するまで指示ではありません。",
    )


def telemetry(source: Source) -> FigureTable:
    return source.table(
        "telemetry",
        "テレメトリの網羅率、稼働、電力",
        sql=TELEMETRY,
        key=("organisation_id",),
        columns=(
            COMPANY,
            FigureColumn("coverage_percent", "網羅率", "number", "%", 1),
            FigureColumn("busy_gpu_hours", "稼働", "number", HOURS, 1),
            FigureColumn("idle_gpu_hours", "アイドル", "number", HOURS, 1),
            FigureColumn("idle_allocated_gpu_hours", "割当中の確かなアイドル", "number", HOURS, 1),
            FigureColumn("idle_allocated_percent", "同、割当比", "number", "%", 1),
            FigureColumn("busy_sm_active_percent", "稼働中のSM稼働率", "number", "%", 1),
            FigureColumn("mean_tensor_active_percent", "Tensorコア稼働率", "number", "%", 1),
            FigureColumn("energy_kwh", "電力量", "number", "kWh", 1),
        ),
        relation="marts.fct_gpu_usage__telemetry_months",
        match={"company_id": "organisation_id"},
        note=(
            "網羅率は、あったはずのGPU時間のうちテレメトリのある割合。「―」は届いていないことを示し、"
            "アイドル（動いていない）ではない。割当中の確かなアイドルは、測れなかった時間を全て稼働と"
            "みなした下限。SM稼働率はGPUの演算器が、Tensorコア稼働率は行列演算の回路が働いた時間の割合。"
        ),
    )


def forecasts(source: Source) -> FigureTable:
    return source.table(
        "forecasts",
        "計画の終わりでの累計の予測",
        sql=FORECASTS,
        key=("organisation_id",),
        columns=(
            COMPANY,
            FigureColumn("plan_ends_on", "計画の終わり", "date"),
            FigureColumn("actual", "実績（累計）", "number", HOURS, 1),
            FigureColumn("planned", "計画（全期間）", "number", HOURS, 1),
            FigureColumn("forecast", "予測", "number", HOURS, 1),
            FigureColumn("low", "下限", "number", HOURS, 1),
            FigureColumn("high", "上限", "number", HOURS, 1),
            FigureColumn("forecast_percent", "計画比", "number", "%", 1),
            FigureColumn("outlook", "見込み"),
        ),
        relation="marts.fct_gpu_usage__plan_forecasts",
        match={"company_id": "organisation_id"},
    )


def _method(source: Source) -> tuple[Block, ...]:
    """What the forecast says, and how it is made in the words that the table itself carries."""
    found = source.view.execute(METHOD).fetchall()
    return (
        Paragraph(
            text(
                "これまでの利用の調子が続いた場合に、計画の最終日までに使う量です。"
                "下限と上限の間に、おおむね八割の確からしさで収まると見込まれます。"
                "計画の全期間の量がこの間にあれば「計画どおり」、下限より小さければ「計画超過」、"
                "上限より大きければ「計画未達」です。"
            )
        ),
        *(Paragraph(text(f"求め方：{method}。")) for (method,) in found),
    )


def forecast_chart(table: FigureTable) -> Chart:
    names = {"y": {"field": "name_ja", "type": "nominal", "title": None, "sort": None}}
    hours = {"type": "quantitative", "title": "GPU時間"}
    return Chart(
        id="plan_forecast",
        title="実績と計画の終わりまでの予測",
        subtitle="組織ごと、物理GPU時間。棒は実績、点と線は予測とその区間、縦線は全期間の計画",
        spec={
            "layer": [
                {
                    "mark": {"type": "bar"},
                    "encoding": {**names, "x": {"field": "actual", **hours}},
                },
                {
                    "mark": {"type": "rule"},
                    "encoding": {**names, "x": {"field": "low", **hours}, "x2": {"field": "high"}},
                },
                {
                    "mark": {"type": "point", "filled": True},
                    "encoding": {**names, "x": {"field": "forecast", **hours}},
                },
                {
                    "mark": {"type": "tick", "thickness": 3, "color": "black"},
                    "encoding": {**names, "x": {"field": "planned", **hours}},
                },
            ]
        },
        table=table,
        alt=(
            "組織ごとの実績の累計、計画の終わりでの予測とその区間、全期間の計画を重ねた横棒グラフ。"
            "数値は「計画の終わりでの累計の予測」の表と同じ。"
        ),
        source="利用実施計画、ジョブ実行記録（Slurm）",
    )
