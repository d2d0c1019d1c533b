"""A night through Dagster against the same core calls and `dbt build` without it."""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tests.bench.measure import Bench, Pairs, Usage, compare

GOAL = 1.3
FIXED_S, STEP_S = 6.0, 0.1
"""Overhead that Dagster may cost a night, and each of its steps."""

AS_OF = "2026-10-05"
"""The sample's own last day."""
SMALL = "companies=6, gpus_per_company=8, months=2, telemetry_days=1"
TINY = "companies=2, gpus_per_company=2, months=1, telemetry_days=1"
NIGHTLY = (
    "import sys; from geniac_pipelines.cli import main; i, d, a = sys.argv[1:];"
    "main(['nightly', '--inbox', i, '--data', d, '--as-of', a])"
)


def measure(bench: Bench, *, small: bool = False) -> Iterator[Pairs]:
    """Each night begins with an empty data folder and takes in the whole sample.

    First both take in a tiny one, untimed, so that neither is timed while it compiles bytecode.
    """
    sample, tiny, data = (bench.folder / name for name in ("sample", "tiny", "night"))
    for folder, size in ((sample, SMALL if small else ""), (tiny, TINY)):
        bench.python(
            "-c",
            "import sys, pathlib; from geniac_pipelines.sample.write import write_sample;"
            f"write_sample(pathlib.Path(sys.argv[1]), {size})",
            folder,
        )

    def night(command: Sequence[str], taken: Path = sample) -> Usage:
        shutil.rmtree(data, ignore_errors=True)
        return bench.python(*command, taken / "inbox", data, AS_OF)

    dagster, alone = ("-c", NIGHTLY), ("-m", "tests.bench.bare_night")
    night(dagster, tiny)
    steps, recorded = count_steps(data), ledger_rows(data)
    night(alone, tiny)
    if recorded != (without := ledger_rows(data)):
        raise ValueError(f"the two nights do not the same work: {recorded} and {without}")
    pairs = compare(
        "night",
        "a night through Dagster / the same core calls and dbt build",
        lambda: night(dagster),
        lambda: night(alone),
        runs=bench.long_runs,
        goal=GOAL,
        workload={
            "sample": SMALL if small else "24 companies, 6 months",
            "files": sum(f.is_file() for f in (sample / "inbox").rglob("*")),
        },
        warm_up=False,
    )
    yield pairs
    over = pairs.median("ours", "wall_s") - pairs.median("yardstick", "wall_s")
    limit = FIXED_S + STEP_S * steps
    print(f"  overhead  {over:8.2f} s wall, {limit:.1f} s allowed for {steps} steps")


def count_steps(data: Path) -> int:
    """Steps that Dagster recorded for the only run of a data folder."""
    found = 0
    for file in (data / "dagster" / "history" / "runs").glob("*.db"):
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            (count,) = connection.execute(
                "select count(distinct step_key) from event_logs "
                "where dagster_event_type = 'STEP_START'"
            ).fetchone()
            found = max(found, count)
    if not found:
        raise LookupError(f"Dagster recorded no steps below {data}")
    return found


def ledger_rows(data: Path) -> dict[str, int]:
    """Rows of each table of a data folder's ledger: what a night took in, read and published."""
    file = data / "ledger.sqlite"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        names = connection.execute(
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
        ).fetchall()
        return {
            name: connection.execute(f'select count(*) from "{name}"').fetchone()[0]
            for (name,) in sorted(names)
        }
