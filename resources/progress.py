"""A console logger for people: one line a step, and whatever is a warning or worse."""

import logging
import sys

import dagster as dg


class _Steps(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING:
            return True
        meta = getattr(record, "dagster_meta", {})
        return meta.get("dagster_event") is not None and " execution of step " in str(
            meta["dagster_event"]
        )


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return record.getMessage()


def _progress(_context: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.getLogger("geniac.progress")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Line())
        handler.addFilter(_Steps())
        logger.addHandler(handler)
    return logger


progress = dg.LoggerDefinition(_progress, description="一行ずつの進み具合")
