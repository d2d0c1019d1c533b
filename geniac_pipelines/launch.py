"""Running a job in this process, for the command line: progress as it goes, a summary at the end.

A roof's helper: it loads dagster, so nothing but `cli` imports it.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geniac_pipelines.known_faults import KNOWN
from geniac_pipelines.settings import Settings

DAGSTER_YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  max_runtime_seconds: 10800
concurrency:
  runs:
    max_concurrent_runs: 2
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      failure: 90
      success: 90
"""


@dataclass(frozen=True)
class Launched:
    success: bool
    summary: str


def prepare_home(data: Path) -> Path:
    """Dagster's home below the data folder, with our instance settings; never overwrites them."""
    home = data / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    settings = home / "dagster.yaml"
    if not settings.exists():
        settings.write_text(DAGSTER_YAML, encoding="utf-8")
    return home


def launch(
    job: str, settings: Settings, month: str | None, progress: Callable[[str], None]
) -> Launched:
    """Execute `job` on the settings' folders; recorded in the Dagster instance of the data folder.

    `progress` gets a line for each step and every few seconds. `month` is for `close_month` only.
    Never raises for a failed run: the summary says what failed.
    """
    home = os.environ.get("DAGSTER_HOME") or str(prepare_home(settings.data))
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    import dagster as dg  # noqa: PLC0415

    from geniac_pipelines.alerts.failures import cause, root  # noqa: PLC0415
    from geniac_pipelines.definitions import defs  # noqa: PLC0415
    from geniac_pipelines.progress import DbtLines, Progress  # noqa: PLC0415
    from resources.progress import NAME, Steps  # noqa: PLC0415

    started = time.monotonic()
    definition = defs.resolve_job_def(job)
    logger = logging.getLogger(NAME)
    with (
        Progress(progress, len(definition.nodes_in_topological_order)) as told,
        dg.DagsterInstance.from_config(home) as instance,
    ):
        handler = Steps(told)
        logger.addHandler(handler)
        try:
            with redirect_stdout(DbtLines(told, sys.stdout)):
                result = definition.execute_in_process(
                    run_config=_run_config(job, settings, month),
                    instance=instance,
                    raise_on_error=False,
                )
        finally:
            logger.removeHandler(handler)
        failed = [e for e in result.all_events if e.is_step_failure]
        found = [(f"{e.step_key}: ", e.step_failure_data.error) for e in failed]
        if not result.success and not failed:
            # before the first step: the lock is held by another run, a key is wrong, …
            found = [("", _error(e)) for e in result.all_events if e.is_failure]
        errors = [(where, error) for where, error in found if error]
        plain = {known.__name__ for known in KNOWN}
        details = [where + e.to_string() for where, e in errors if root(e).cls_name not in plain]
        causes = [where + cause(e) for where, e in errors]
        if not result.success and not causes:
            causes = ["the run ended before its first step"]
    for detail in details:
        progress(detail)
    from geniac_pipelines.summary import summarise  # noqa: PLC0415

    seconds = time.monotonic() - started
    return Launched(
        result.success, summarise(settings, result.run_id, result.success, seconds, causes)
    )


def _error(event: Any) -> Any:
    """What an event that is no step's says went wrong; None where it says nothing."""
    return getattr(event.event_specific_data, "error", None)


def _run_config(job: str, settings: Settings, month: str | None) -> Mapping[str, Any]:
    night: dict[str, Any] = {
        "kind": "closing" if job == "close_month" else "nightly",
        "data": str(settings.data),
        "inbox": str(settings.inbox),
        # a person who waits wants to be told at once who has the folder
        "patience_seconds": 0,
    }
    if month:
        night["month"] = month
    if settings.as_of:
        night["as_of"] = settings.as_of.isoformat()
    return {"resources": {"night": {"config": night}}, "loggers": {"progress": {}}}
