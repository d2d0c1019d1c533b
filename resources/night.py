"""The night as a resource: it holds the data folder's lock for as long as the run lasts."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
from pydantic import Field, PrivateAttr

from geniac_pipelines.alerts.channels import channels
from geniac_pipelines.alerts.outbox import drain
from geniac_pipelines.areas import EXPECTATIONS, FORMATS, days_of
from geniac_pipelines.calendar import Month
from geniac_pipelines.intake.desk import Desk
from geniac_pipelines.intake.judge import Judge
from geniac_pipelines.night import Night, open_ledger, open_night
from geniac_pipelines.reports.edition import publish
from geniac_pipelines.settings import Settings
from geniac_pipelines.store.lock import Busy

LOOK_AGAIN_SECONDS = 2.0
HELD = "geniac/held_the_data_folder"
"""Tag of runs that came to hold the lock: those that still wait for it are not dead."""


class NightResource(dg.ConfigurableResource["NightResource"]):
    """One run over the data folder. Waits before the first step while another run has it, at most
    `patience_seconds`, then raises `Busy`: an intake by day must not cost a night.

    Folders and services come from the environment (GENIAC_DATA, GENIAC_INBOX, …); a launcher may
    set them here instead, as the command line does.
    """

    kind: str = Field(default="nightly", description="nightly, closing, intake or backfill")
    month: str | None = Field(default=None, description="closing: the month to close, 2026-08")
    as_of: str | None = Field(default=None, description="day in Asia/Tokyo; empty: today")
    data: str | None = Field(default=None, description="data folder; empty: GENIAC_DATA")
    inbox: str | None = Field(default=None, description="inbox folder; empty: GENIAC_INBOX")
    patience_seconds: int = Field(default=1800, description="how long to wait for another run")

    _night: Night = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["NightResource"]:
        month = Month.parse(self.month) if self.month else None
        run_id = context.run.run_id if context.run else "no-run"
        settings = self.settings()
        try:
            with self._open(settings, run_id, month) as night:
                if context.instance and context.run:
                    _fail_dead_runs(context.instance, run_id, settings.data)
                # the last night may have died between its commit and showing its reports
                publish(night.ledger, night.data)
                self._night = night
                yield self
        finally:
            # whatever became of the run: what was committed before must reach people
            drain(open_ledger(settings), channels(settings).by_name)

    @contextmanager
    def _open(self, settings: Settings, run_id: str, month: Month | None) -> Iterator[Night]:
        deadline = time.monotonic() + self.patience_seconds
        with ExitStack() as stack:
            while True:
                try:
                    night = stack.enter_context(open_night(settings, run_id, self.kind, month))
                    break
                except Busy:
                    if time.monotonic() >= deadline:
                        raise
                    time.sleep(LOOK_AGAIN_SECONDS)
            yield night

    def settings(self) -> Settings:
        """The environment's settings with what this run's configuration overrides."""
        settings = Settings.from_environment()
        if self.data:
            settings = replace(settings, data=Path(self.data).resolve())
        if self.inbox:
            settings = replace(settings, inbox=Path(self.inbox).resolve())
        if self.as_of:
            settings = replace(settings, as_of=date.fromisoformat(self.as_of))
        return settings

    @property
    def tonight(self) -> Night:
        return self._night

    def desk(self) -> Desk:
        """The reading desk with every area's formats and expectations."""
        night = self.tonight
        return Desk(
            data=night.data,
            archive=night.archive,
            ledger=night.ledger,
            formats=FORMATS,
            pseudonym=night.pseudonyms,
            days_of=days_of,
            secret=night.secret,
            keep_days=night.settings.personal_days,
            judge=Judge(EXPECTATIONS),
        )


def _fail_dead_runs(instance: dg.DagsterInstance, run_id: str, data: Path) -> None:
    """Mark runs on this data folder as failed that the instance believes to be alive, though we
    hold their lock. Runs on another folder may share the instance, and live."""
    held = {HELD: hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:16]}
    instance.add_run_tags(run_id, held)
    alive = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING], tags=held
    )
    for run in instance.get_runs(alive):
        if run.run_id != run_id:
            instance.report_run_failed(
                run, "the process of this run has died: another run could take its lock"
            )
