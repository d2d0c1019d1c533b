"""A day of telemetry to facts, against DuckDB alone: from Prometheus' JSON and from landing."""

import shutil
from collections.abc import Iterator
from datetime import date

from tests.bench.measure import Bench, Pairs, Usage, compare

GOAL = 1.3
# as in telemetry_files, which the small measuring process does not import
INTERVAL_S = 15
DAY = date(2026, 9, 30)
SAMPLES = 2_200_000
LARGE_COMPANIES = 40


def measure(bench: Bench, *, large: bool = False) -> Iterator[Pairs]:
    """Both formats, results compared for equality before anything is timed.

    `large` takes forty such companies at once instead, from landing.
    """
    folder = bench.folder / "telemetry"
    bench.python("-m", "tests.bench.telemetry_files", "day", folder)
    kinds = [("json", "day.json", 1), ("parquet", "landing.parquet", 1)]
    if large:
        bench.python("-m", "tests.bench.telemetry_files", "large", folder, str(LARGE_COMPANIES))
        kinds = [("parquet", "large.parquet", LARGE_COMPANIES)]
    data, hours, days = folder / "data", folder / "hours.parquet", folder / "days.parquet"
    number = str((DAY - date(1970, 1, 1)).days)
    for kind, name, times in kinds:
        file = folder / name

        def ours(kind: str = kind, file: object = file) -> Usage:
            shutil.rmtree(data, ignore_errors=True)
            return bench.python("-m", "tests.bench.our_telemetry", kind, str(file), data)

        def bare(kind: str = kind, file: object = file) -> Usage:
            module = "tests.bench.bare_telemetry"
            return bench.python("-m", module, kind, str(file), number, str(INTERVAL_S), hours, days)

        ours()
        bare()
        bench.python("-m", "tests.bench.telemetry_files", "same", data, hours, days)
        yield compare(
            f"telemetry-{'large' if large else kind}",
            f"telemetry of a day to facts, from {kind} / DuckDB alone (results equal)",
            ours,
            bare,
            runs=bench.runs,
            goal=GOAL,
            workload={
                "sample-times": f"{SAMPLES * times / 1e6:.1f} million",
                "format": f"{kind}, {file.stat().st_size / 1e6:.1f} MB",
            },
            warm_up=False,
        )
