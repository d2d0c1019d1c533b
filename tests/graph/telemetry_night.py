"""A night of telemetry alone: the real intake and fact assets, and a commit without any report."""

import os
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from assets.gpu_usage import gpu_days
from assets.intake import arrivals, landing
from geniac_pipelines.settings import Settings
from geniac_pipelines.store.warehouse import prepare
from resources.night import NightResource
from tests.unit.telemetry_files import reply, series

AS_OF = date(2026, 10, 20)
MIDNIGHT = {  # Unix time at which these days begin in Japan (UTC+9)
    "2026-09-29": 1_790_607_600,
    "2026-09-30": 1_790_694_000,
    "2026-10-02": 1_790_866_800,
}
NOON = 12 * 3600


@dg.asset(deps=[gpu_days])
def commit(night: NightResource) -> None:
    tonight = night.tonight
    prepare(
        tonight.warehouse,
        landings={},
        facts={},
        snapshot=tonight.tables(),
        visible_until=tonight.visible_until,
    )
    tonight.stage(lambda connection, generation: None)
    tonight.commit()


def drop(settings: Settings, company: str, day: str, *, busy: int) -> Path:
    """One hour of one GPU from noon (Japan) at a minute's step, its use at `busy` per cent."""
    start = MIDNIGHT[day] + NOON
    values = [(start + 60 * minute, str(busy)) for minute in range(60)]
    file = settings.inbox / company / f"{day}-{busy}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = reply(series("DCGM_FI_DEV_GPU_UTIL", values, uuid=f"GPU-{company}"))
    file.write_text(text, encoding="utf-8")
    # at rest for so long that no night waits for it to settle
    os.utime(file, (MIDNIGHT[day], MIDNIGHT[day]))
    return file


def configured(settings: Settings, kind: str, patience_seconds: int = 0) -> dict[str, Any]:
    """The night's own configuration, as a launcher gives it."""
    return {
        "kind": kind,
        "data": str(settings.data),
        "inbox": str(settings.inbox),
        "as_of": str(settings.as_of),
        "patience_seconds": patience_seconds,
    }


def run_night(settings: Settings, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [arrivals, landing, gpu_days, commit],
        instance=instance,
        resources={"night": NightResource(**configured(settings, "nightly"))},
    )
