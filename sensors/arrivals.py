"""Files that arrive by day: taken in when they have stopped growing, without waiting for night.

Only intake is launched (archive, register, read, land); tables and reports are the night's. The
night sweeps the inbox anyway, so a sensor that is off or late costs nothing but time.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import dagster as dg

from geniac_pipelines.intake.deliveries import look
from geniac_pipelines.night import open_ledger
from geniac_pipelines.settings import Settings
from geniac_pipelines.store.arrivals import seen

INTERVAL_SECONDS = 60

intake = dg.define_asset_job(
    "intake",
    selection=dg.AssetSelection.groups("intake", "landing"),
    executor_def=dg.in_process_executor,
    config={"resources": {"night": {"config": {"kind": "intake"}}}},
    description="日中の受付。届いたファイルを保管し、読み取るところまで行う",
)


@dg.sensor(
    job=intake,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="受信箱に届いたファイルのうち、2回続けて大きさと時刻が変わらないものを受け付ける",
)
def arrivals_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    settings = Settings.from_environment()
    if not settings.inbox.is_dir():
        return dg.SkipReason(f"the inbox {settings.inbox} does not exist")
    cursor = json.loads(context.cursor or "{}")
    now = _untaken(settings)
    stable = {p: v for p, v in now.items() if cursor.get("seen", {}).get(p) == v}
    if not stable:
        return _result(now, cursor.get("attempts", {}), "no file is new and at rest")
    if context.instance.get_runs(
        dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.QUEUED],
        )
    ):
        return _result(now, cursor.get("attempts", {}), "another run has the data folder")
    digest = hashlib.sha256(json.dumps(stable, sort_keys=True).encode()).hexdigest()[:16]
    # a key is never launched twice, so files that an earlier run failed to take need a new one
    attempt = cursor.get("attempts", {}).get(digest, 0) + 1
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"{digest}-{attempt}")],
        cursor=json.dumps({"seen": now, "attempts": {digest: attempt}}),
    )


def _untaken(settings: Settings) -> dict[str, list[int]]:
    """Size and mtime (ns) of files in the inbox that are not taken in as they are."""
    known = seen(open_ledger(settings))
    return {
        s.path: [s.size, s.mtime_ns]
        for s in look(settings.inbox)
        if known.get(s.path) != (s.size, s.mtime_ns, s.delivery.words)
    }


def _result(now: Mapping[str, list[int]], attempts: Mapping[str, Any], why: str) -> dg.SensorResult:
    return dg.SensorResult(
        skip_reason=why, cursor=json.dumps({"seen": now, "attempts": dict(attempts)})
    )
