"""A night that takes in one new day, on 180 days of landing against one on 2 days."""

import shutil
from collections.abc import Iterator

from tests.bench.measure import Bench, Pairs, Usage, compare
from tests.bench.night import NIGHTLY

GOAL = 1.2
SEEDED, NEW = "2026-09-30", "2026-10-01"


def measure(bench: Bench) -> Iterator[Pairs]:
    """The history is taken in by an untimed night; each timed night begins with a copy of that."""
    folder = bench.folder / "history"
    bench.python("-m", "tests.bench.history_files", folder)
    for name in ("long", "short"):
        inbox, data = folder / name / "inbox", folder / name / "data"
        bench.python("-c", NIGHTLY, inbox, data, SEEDED)
        shutil.copytree(folder / "new", inbox, dirs_exist_ok=True)

    def night(name: str) -> Usage:
        tonight = folder / name / "tonight"
        shutil.rmtree(tonight, ignore_errors=True)
        shutil.copytree(folder / name / "data", tonight)
        return bench.python("-c", NIGHTLY, folder / name / "inbox", tonight, NEW)

    rows = {n: sum(1 for _ in (folder / n / "data" / "landing").rglob("*.parquet")) for n in
            ("long", "short")}  # fmt: skip
    yield compare(
        "history",
        "a night with one new day on 180 days of history / on 2 days",
        lambda: night("long"),
        lambda: night("short"),
        runs=bench.long_runs,
        goal=GOAL,
        workload={
            "landing files": f"{rows['long']} / {rows['short']}",
            "new files": sum(f.is_file() for f in (folder / "new").rglob("*")) - 1,
        },
        warm_up=False,
    )
