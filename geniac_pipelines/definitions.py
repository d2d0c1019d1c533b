"""The Dagster roof: `build_definitions` joins assets, resources and sensors.

Tests and special builds pass `overrides`; `defs` is what the code location loads. Loading does no
network, parses no dbt project and imports no great_expectations.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets import dbt, findings, gpu_usage, intake, night, reports
from resources.dbt import dbt_cli
from resources.night import NightResource
from resources.progress import progress
from sensors import arrivals, delivery, failures, schedules


def build_definitions(overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions; `overrides` replaces resources by name."""
    resources: dict[str, Any] = {
        "night": NightResource.configure_at_launch(),
        "dbt_cli": dbt_cli(),
        **(overrides or {}),
    }
    return dg.Definitions(
        assets=dg.load_assets_from_modules([intake, gpu_usage, night, dbt, findings, reports]),
        jobs=[schedules.nightly, schedules.close_month, schedules.backfill, arrivals.intake],
        sensors=[
            arrivals.arrivals_sensor,
            delivery.outbox_sensor,
            failures.run_failed,
            failures.checks_failed,
        ],
        schedules=[schedules.nightly_schedule],
        # also for what is launched from an asset's page, which no job speaks for
        executor=dg.in_process_executor,
        resources=resources,
        loggers={"progress": progress},
    )


defs = build_definitions()
