"""Notices of failed runs and of failed checks. A failed check that does not block leaves the run
a success, so the second sensor reads the checks of every finished night.
"""

from typing import Any

import dagster as dg

from geniac_pipelines.alerts.channels import channels
from geniac_pipelines.alerts.failures import cause, report
from geniac_pipelines.night import open_ledger
from geniac_pipelines.settings import Settings
from sensors.arrivals import intake
from sensors.schedules import backfill, close_month, nightly

SHOWN = 20
SHOWN_CHARACTERS = 300


@dg.run_failure_sensor(
    monitored_jobs=[nightly, close_month, intake, backfill],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="処理が失敗したとき、担当者への知らせを送信箱に入れる",
)
def run_failed(context: dg.RunFailureSensorContext) -> None:
    run = context.dagster_run
    # a retry of the same run is the same failure: the first attempt speaks for all
    if run.tags.get("dagster/retry_number", "0") != "0":
        return
    failed = context.get_step_failure_events()
    steps = [e.step_key for e in failed]
    settings = Settings.from_environment()
    report(
        open_ledger(settings),
        channels(settings),
        kind="run-failure",
        about=run.job_name,
        title=f"処理 {run.job_name} が失敗しました",
        lines=[
            f"実行番号: {run.run_id}",
            f"失敗した段: {', '.join(s for s in steps if s) or '（開始前）'}",
            f"内容: {context.failure_event.message or '（記録なし）'}",
            *(f"原因: {_said(e.step_failure_data.error)}" for e in failed),
            "対応: Dagsterの画面で実行番号を開き、記録を確認してください。",
        ],
    )


def _said(error: Any) -> str:
    return cause(error)[:SHOWN_CHARACTERS] if error else "（記録なし）"


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[nightly, close_month],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="成功した処理のうち、通らなかった点検（エラー）を担当者に知らせる",
)
def checks_failed(context: dg.RunStatusSensorContext) -> None:
    run = context.dagster_run
    records = context.instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    events = [r.event_log_entry.dagster_event for r in records]
    evaluations = [e.asset_check_evaluation_data for e in events if e]
    # a warning stands in Dagster and in the report; only an error needs somebody this morning
    failed = [e for e in evaluations if not e.passed and e.severity is dg.AssetCheckSeverity.ERROR]
    if not failed:
        return
    settings = Settings.from_environment()
    names = [f"・{e.asset_key.to_user_string()}: {e.check_name}" for e in failed]
    more = [f"ほか{len(names) - SHOWN}件"] if len(names) > SHOWN else []
    report(
        open_ledger(settings),
        channels(settings),
        kind="failed-checks",
        about=run.job_name,
        title=f"{len(failed)}件の点検が通りませんでした",
        lines=[f"実行番号: {run.run_id}", *names[:SHOWN], *more],
    )
