"""What a forked night finds loaded: all that a night loads in the course of its life.

Importing this module is the work; it is for the fork server of `forked_nights` alone.
"""

import importlib

NAMES = (
    "geniac_pipelines.definitions",
    "geniac_pipelines.summary",
    "resources.progress",
    # what the programme and its libraries load only when they need it
    "alembic.config",
    "altair",
    "dagster._core.execution.api",
    "dbt.cli.main",
    "great_expectations",
    "holidays.countries.japan",
    "psycopg2",
    "scipy.stats",
    "structlog",
)

for name in NAMES:
    importlib.import_module(name)
