"""A console logger for people: which step of how many, and whatever is a warning or worse."""

import logging
import sys

import dagster as dg

from geniac_pipelines.progress import Progress

NAME = "geniac.progress"


class Steps(logging.Handler):
    """Tells a `Progress` of the events of a run."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.DEBUG)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        said = getattr(record, "dagster_meta", {})
        event = said.get("dagster_event")
        if isinstance(event, dg.DagsterEvent):
            self._event(event)
            return
        message = str(said.get("orig_message") or record.getMessage())
        # that what follows a failed step is left out is said once, by the failure
        if record.levelno >= logging.WARNING and not message.startswith("Dependencies for step"):
            self._progress.warned(message)

    def _event(self, event: dg.DagsterEvent) -> None:
        key = event.step_key or ""
        match event.event_type:
            case dg.DagsterEventType.STEP_START:
                self._progress.started(key)
            case dg.DagsterEventType.STEP_SUCCESS:
                self._progress.ended(key)
            case dg.DagsterEventType.STEP_SKIPPED:
                self._progress.skipped(key)
            case dg.DagsterEventType.STEP_FAILURE:
                self._progress.failed(key)
            case dg.DagsterEventType.ASSET_MATERIALIZATION:
                metadata = event.step_materialization_data.materialization.metadata
                numbers = {name: value.value for name, value in metadata.items()}
                self._progress.found(key, {"tables": 1} | numbers if key == "dbt" else numbers)
            case dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                passed = event.asset_check_evaluation_data.passed
                self._progress.found(key, {"checks": 1, "failed_checks": int(not passed)})


def _progress(_context: dg.InitLoggerContext) -> logging.Logger:
    """The logger that `launch` has given a handler; without one, plain lines of warnings."""
    logger = logging.getLogger(NAME)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    if not logger.handlers:
        plain = logging.StreamHandler(sys.stderr)
        plain.setLevel(logging.WARNING)
        logger.addHandler(plain)
    return logger


progress = dg.LoggerDefinition(_progress, description="一行ずつの進み具合")
