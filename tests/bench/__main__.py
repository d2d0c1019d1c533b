"""`make bench`: speed as ratios, medians of pairs run in turn on one machine.

python -m tests.bench [--only NAME] [--runs N] [--small] [--large] [--out FILE]
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from tests.bench import definitions, history, night, telemetry_day
from tests.bench.measure import Bench, Pairs

PACKAGES = ("dagster", "dagster-dbt", "dbt-core", "dbt-duckdb", "duckdb", "pyarrow", "numpy")


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    names = {line.partition(":")[2].strip() for line in cpus if line.startswith("model name")}
    return {
        "cpu": ", ".join(sorted(names)) or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{p: version(p) for p in PACKAGES},
        "load_at_start": os.getloadavg()[0],
    }


def main() -> None:
    comparisons: dict[str, Callable[[Bench], Iterator[Pairs]]] = {
        "definitions": definitions.measure,
        "telemetry": lambda bench: telemetry_day.measure(bench, large=asked.large),
        "history": history.measure,
        "night": lambda bench: night.measure(bench, small=asked.small),
    }
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=comparisons, action="append", help="this comparison")
    parser.add_argument("--runs", type=int, help="pairs of each (default 3, of whole nights 2)")
    parser.add_argument("--small", action="store_true", help="the night on a small sample")
    parser.add_argument("--large", action="store_true", help="telemetry: 88 million sample-times")
    parser.add_argument("--out", type=Path, help="write all figures as JSON")
    asked = parser.parse_args()
    here = machine()
    for name, value in here.items():
        print(f"{name:<16}{value}")
    began = time.perf_counter()
    results = []
    # also where output goes to a file, one sees how far it is
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory(prefix="geniac-bench-") as folder:
        bench = Bench(Path(folder), asked.runs or 3, asked.runs or 2)
        for name in asked.only or comparisons:
            for pairs in comparisons[name](bench):
                print(f"\n{pairs}")
                results.append(pairs.as_json())
    print(f"\n{time.perf_counter() - began:.0f} s in all")
    if asked.out:
        asked.out.write_text(json.dumps({"machine": here, "comparisons": results}, indent=2))


if __name__ == "__main__":
    main()
