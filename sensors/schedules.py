"""Jobs and the clock that starts them. All times are Asia/Tokyo, said through one constant."""

import dagster as dg

from geniac_pipelines.calendar import JST

TIMEZONE = str(JST)

nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="夜間処理。届いたものを読み、表を作り、進行中の月の報告書（暫定）を公開する",
    tags={"dagster/max_runtime": str(3 * 3600)},
)

close_month = dg.define_asset_job(
    "close_month",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    config={"resources": {"night": {"config": {"kind": "closing"}}}},
    description="月締め。指定した月の報告書を発行する。発行した報告書はその後変わらない",
)

nightly_schedule = dg.ScheduleDefinition(
    name="nightly_at_two",
    job=nightly,
    cron_schedule="0 2 * * *",
    execution_timezone=TIMEZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="毎日2時（日本時間）に夜間処理を始める",
)
