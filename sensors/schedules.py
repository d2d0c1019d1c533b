"""Jobs and the clock that starts them. All times are Asia/Tokyo, said through one constant."""

import dagster as dg

from assets.gpu_usage import GPU_HOURS
from geniac_pipelines.calendar import JST

TIMEZONE = str(JST)

# a night makes the days of this asset itself, inside the asset that follows it
EVERY_NIGHT = dg.AssetSelection.all() - dg.AssetSelection.assets(GPU_HOURS)

nightly = dg.define_asset_job(
    "nightly",
    selection=EVERY_NIGHT,
    executor_def=dg.in_process_executor,
    description="夜間処理。届いたものを読み、表を作り、進行中の月の報告書（暫定）を公開する",
    tags={"dagster/max_runtime": str(3 * 3600)},
)

close_month = dg.define_asset_job(
    "close_month",
    selection=EVERY_NIGHT,
    executor_def=dg.in_process_executor,
    config={"resources": {"night": {"config": {"kind": "closing"}}}},
    description="月締め。指定した月の報告書を発行する。発行した報告書はその後変わらない",
)

backfill = dg.define_asset_job(
    "backfill",
    selection=dg.AssetSelection.assets(GPU_HOURS),
    executor_def=dg.in_process_executor,
    config={"resources": {"night": {"config": {"kind": "backfill"}}}},
    description="選んだ日のテレメトリの事実を作り直す。失われた、または壊れたファイルが元に戻る",
)

nightly_schedule = dg.ScheduleDefinition(
    name="nightly_at_two",
    job=nightly,
    cron_schedule="0 2 * * *",
    execution_timezone=TIMEZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="毎日2時（日本時間）に夜間処理を始める",
)
