"""`make bench`: medians of several runs, each beside its yardstick in the same run.

1. Loading the definitions against `import dagster, dagster_dbt`.
2. A night through Dagster against the same core calls and `dbt build` without it.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from geniac_pipelines.sample.write import AS_OF, write_sample

RUNS = 3
SMALL = {"companies": 6, "gpus_per_company": 8, "months": 2, "telemetry_days": 1}
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def seconds(command: Sequence[str]) -> float:
    """Wall time of a child process; a failing one ends the benchmark."""
    started = time.perf_counter()
    subprocess.run(
        command, check=True, env={**os.environ, **ONE_THREAD}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - started


def compare(title: str, ours: Callable[[], float], yardstick: Callable[[], float]) -> None:
    """Run both in turn and print medians and the median ratio of the pairs."""
    pairs = [(ours(), yardstick()) for _ in range(RUNS)]
    a, b = (statistics.median(p[n] for p in pairs) for n in (0, 1))
    ratio = statistics.median(x / y for x, y in pairs)
    print(f"{title}\n  ours {a:.2f} s   yardstick {b:.2f} s   ratio {ratio:.2f}", flush=True)


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def main() -> None:
    compare(
        "definitions load / import dagster, dagster_dbt",
        lambda: seconds(python("import geniac_pipelines.definitions")),
        lambda: seconds(python("import dagster, dagster_dbt")),
    )
    with tempfile.TemporaryDirectory(prefix="geniac-bench-") as folder:
        root = Path(folder)
        write_sample(root / "sample", **SMALL)
        inbox = str(root / "sample" / "inbox")

        def night(command: Sequence[str]) -> float:
            data = root / "data"
            shutil.rmtree(data, ignore_errors=True)
            return seconds([*command, inbox, str(data), AS_OF.isoformat()])

        dagster = (
            "import sys; from geniac_pipelines.cli import main;"
            "i, d, a = sys.argv[1:];"
            "main(['nightly', '--inbox', i, '--data', d, '--as-of', a])"
        )
        compare(
            "a night through Dagster / the same core calls and dbt build",
            lambda: night(python(dagster)),
            lambda: night([sys.executable, "-m", "tests.bench.bare_night"]),
        )


if __name__ == "__main__":
    main()
