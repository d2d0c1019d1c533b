"""Compute use: facts of telemetry before dbt, the forecast that SQL can't make after it."""

import dagster as dg

from assets._shared import OWNERS
from geniac_pipelines.gpu_usage import facts
from geniac_pipelines.gpu_usage.forecast import write_analyses
from geniac_pipelines.store.generations import current_files
from resources.night import NightResource


@dg.asset(
    key=["facts", facts.DAYS],
    group_name="gpu_usage",
    kinds={"parquet", "duckdb"},
    owners=OWNERS,
    deps=[dg.AssetKey(["landing", "gpu_usage__telemetry"])],
    description="GPU×日の稼働（テレメトリ）。今夜届いたものが触れる日だけを作り直す",
)
def gpu_days(night: NightResource) -> dg.MaterializeResult[None]:
    tonight = night.tonight
    hours = current_files(tonight.ledger, facts.HOURS)
    days = current_files(tonight.ledger, facts.DAYS)
    work = facts.outstanding(tonight.snapshot, hours)
    tonight.made += facts.remake(tonight.data, work, hours, days)
    return dg.MaterializeResult(
        metadata={
            "remade_days": len(work),
            "companies": len({w.company for w in work}),
        }
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
    description="計画の終わりまでの利用量の予測。区間と方法を添えて、公開表に書き込む",
)
def plan_forecasts(night: NightResource) -> dg.MaterializeResult[None]:
    count = write_analyses(night.tonight.warehouse)
    return dg.MaterializeResult(metadata={"dagster/row_count": count})
