"""Compute use: facts of telemetry before dbt, the forecast that SQL can't make after it.

Facts of hours lie by company and day. A night touches days here and there, which no partitioned
run can say, so it makes them inside `gpu_days` and records each remade day as a materialisation
of `gpu_hours`. As an asset of its own `gpu_hours` serves the backfill alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg

from assets._shared import NIGHTLY_FRESH, OWNERS, arrow_columns, model_columns, picture, table
from geniac_pipelines.calendar import JST
from geniac_pipelines.gpu_usage import facts, overview
from geniac_pipelines.gpu_usage.fact_meanings import MEANINGS
from geniac_pipelines.gpu_usage.forecast import TABLE, write_analyses
from geniac_pipelines.gpu_usage.restore import Restored, by_day, restore
from geniac_pipelines.gpu_usage.rollup import DAY_FACTS, HOUR_FACTS
from geniac_pipelines.store.generations import FactFile, current_files
from resources.night import NightResource

GPU_HOURS = dg.AssetKey(["facts", facts.HOURS])

# February 2024: the programme's beginning
BY_DAY = dg.DailyPartitionsDefinition(start_date="2024-02-01", timezone=str(JST))


# `asset` warns at every start that its backfill policy is a beta; `multi_asset` has it for good
@dg.multi_asset(
    name="gpu_hours",
    specs=[
        dg.AssetSpec(
            key=GPU_HOURS,
            group_name="gpu_usage",
            kinds={"parquet", "duckdb"},
            owners=OWNERS,
            deps=[dg.AssetKey(["landing", "gpu_usage__telemetry"])],
            metadata={"dagster/column_schema": arrow_columns(HOUR_FACTS, MEANINGS)},
            description=(
                "GPU×時間の稼働（テレメトリ）を日（日本時間）ごとに。夜間処理が作り直した日はここに"
                "記録される。失われた、または壊れたファイルは、日を選んで実行すると、同じ内容で元の"
                "場所に作り直す"
            ),
        )
    ],
    partitions_def=BY_DAY,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def gpu_hours(context: dg.AssetExecutionContext, night: NightResource) -> None:
    tonight = night.tonight
    chosen = [date.fromisoformat(key) for key in context.partition_keys]
    hours = current_files(tonight.ledger, facts.HOURS)
    days = current_files(tonight.ledger, facts.DAYS)
    made = restore(tonight.data, tonight.snapshot, hours, days, chosen)
    context.log.info(f"{len(made)} files made again: {dict(Counter(r.found for r in made))}")
    for day, files in by_day(made, chosen).items():
        context.add_asset_metadata(_restored(files), partition_key=str(day), asset_key=GPU_HOURS)


def _restored(files: Sequence[Restored]) -> dict[str, Any]:
    headings = {"company": "企業", "rows": "行数", "found": "作り直す前"}
    rows = [{"company": r.company, "rows": r.file.rows, "found": r.found.ja} for r in files]
    return {
        "dagster/partition_row_count": sum(r.file.rows for r in files),
        "作り直したファイル": table(headings, rows),
    }


@dg.asset(
    key=["facts", facts.DAYS],
    group_name="gpu_usage",
    kinds={"parquet", "duckdb"},
    owners=OWNERS,
    deps=[dg.AssetKey(["landing", "gpu_usage__telemetry"]), GPU_HOURS],
    freshness_policy=NIGHTLY_FRESH,
    metadata={"dagster/column_schema": arrow_columns(DAY_FACTS, MEANINGS)},
    description="GPU×日の稼働（テレメトリ）。今夜届いたものが触れる日だけを作り直す",
)
def gpu_days(context: dg.AssetExecutionContext, night: NightResource) -> dg.MaterializeResult[None]:
    tonight = night.tonight
    hours = current_files(tonight.ledger, facts.HOURS)
    days = current_files(tonight.ledger, facts.DAYS)
    work = facts.outstanding(tonight.snapshot, hours)
    made = list(facts.remake(tonight.data, work, hours, days))
    tonight.made += made
    for event in _remade_days([f for f in made if f.table == facts.HOURS]):
        context.log_event(event)
    days |= {f.part: f for f in made if f.table == facts.DAYS}
    covered = overview.coverage(facts.current_day_files(tonight.data, days))
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(f.rows for f in days.values()),
            "remade_days": len(work),
            "companies": len({w.company for w in work}),
            "作り直した日": table(overview.REMADE_HEADINGS, overview.remade(work)),
            "テレメトリの網羅率": picture(
                "企業×日のテレメトリの網羅率", overview.COVERAGE_CHART, covered
            ),
        }
    )


def _remade_days(files: Sequence[FactFile]) -> Iterator[dg.AssetMaterialization]:
    """One event a day, whatever the number of companies, so that the log stays small."""
    by_date: defaultdict[date, list[FactFile]] = defaultdict(list)
    for file in files:
        by_date[facts.day_of(file.part)].append(file)
    for day, made in sorted(by_date.items()):
        yield dg.AssetMaterialization(
            GPU_HOURS,
            partition=str(day),
            metadata={
                "dagster/partition_row_count": sum(f.rows for f in made),
                "companies": len(made),
            },
        )


@dg.asset(
    key=["analyses", "gpu_usage__plan_forecasts"],
    group_name="gpu_usage",
    kinds={"python", "duckdb"},
    owners=OWNERS,
    deps=[
        dg.AssetKey(["marts", "fct_gpu_usage__plan_forecasts"]),
        dg.AssetKey(["marts", "fct_gpu_usage__company_days"]),
        dg.AssetKey(["marts", "fct_gpu_usage__plan_months"]),
    ],
    metadata={"dagster/column_schema": model_columns(TABLE)},
    description="計画の終わりまでの利用量の予測。区間と方法を添えて、公開表に書き込む",
)
def plan_forecasts(night: NightResource) -> dg.MaterializeResult[None]:
    count = write_analyses(night.tonight.warehouse)
    return dg.MaterializeResult(metadata={"dagster/row_count": count})
