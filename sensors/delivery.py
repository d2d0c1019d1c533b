"""Sending what waits in the outbox, besides the drain at the end of every night."""

import dagster as dg

from geniac_pipelines.alerts.channels import channels
from geniac_pipelines.alerts.outbox import drain
from geniac_pipelines.night import open_ledger
from geniac_pipelines.settings import Settings

INTERVAL_SECONDS = 300


@dg.sensor(
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="送信箱に残っている知らせを送る",
)
def outbox_sensor() -> dg.SkipReason:
    settings = Settings.from_environment()
    done = drain(open_ledger(settings), channels(settings).by_name)
    return dg.SkipReason(
        f"sent {len(done.sent)}, failed {len(done.failed)}, waiting {done.waiting}"
    )
