"""The asset graph: one module an area. A body is read → one call into the core → write → result."""

import atexit
import gc

import dagster  # noqa: F401
import dagster_dbt  # noqa: F401

# What these two hold lives as long as the process. Unfrozen, the collector goes through all of it
# again and again while our own modules load: a quarter of the time until definitions are there.
gc.freeze()
# at the end everything is collected, or DuckDB's bindings complain of what was left behind
atexit.register(gc.unfreeze)
