"""Our side of the telemetry comparison: intake and facts as a night does them, on one file.

    python -m tests.bench.our_telemetry json|parquet FILE DATA

`json` reads and lands the file, then makes the facts of the days that it touches; `parquet` makes
them from a landing file. Facts lie below DATA, which starts empty.
"""

import time

BEGAN = time.perf_counter()

import sys  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from pathlib import Path  # noqa: E402

# pyarrow imports it at the first array; every night has it loaded
import pandas as pd  # noqa: E402

from geniac_pipelines.areas import days_of  # noqa: E402
from geniac_pipelines.gpu_usage import facts  # noqa: E402
from geniac_pipelines.gpu_usage.prometheus import PROMETHEUS_JSON  # noqa: E402
from geniac_pipelines.gpu_usage.telemetry_contracts import TELEMETRY  # noqa: E402
from geniac_pipelines.intake.land import land  # noqa: E402
from geniac_pipelines.intake.reading import Context, Source  # noqa: E402
from tests.bench.measure import started  # noqa: E402

assert pd is sys.modules["pandas"]
COMPANY = "company"


def landed(file: Path, data: Path) -> Path:
    """Read a saved reply into its landing file."""
    context = Context(received_at=datetime(2026, 10, 1, tzinfo=UTC), pseudonym=lambda _, name: name)
    source = Source(file.name, file)
    out = data / "landing.parquet"
    result = land(
        PROMETHEUS_JSON.read(source, context),
        arrival_id="arrival",
        context=context,
        path_of=lambda contract: out,
    )
    if result.complaints:
        raise ValueError(f"{file} was not read whole: {result.refusals[:3]}")
    return out


def make_facts(landing: Path, data: Path) -> None:
    """The facts of every day that the landing file touches."""
    work = [
        facts.DayWork(COMPANY, day, (str(landing.resolve()),), inputs="benchmark")
        for day in sorted(days_of(TELEMETRY, landing))
    ]
    for _ in facts.remake(data, work, {}, {}):
        pass


if __name__ == "__main__":
    started(BEGAN)
    kind, file, data = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    data.mkdir(parents=True, exist_ok=True)
    make_facts(landed(file, data) if kind == "json" else file, data)
