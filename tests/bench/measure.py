"""Measuring: child processes timed one after the other, ours beside a yardstick in the same run.

Here: what one child cost, and what pairs of them say. Not here: which children (one module a
comparison).

Only child processes are measured, with everything that they start in turn (dbt). The measuring
process itself must stay small: Linux counts to a child's peak what its parent held when it
started it, so whatever needs memory (samples, reference results) is made in children too.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

STARTED = "BENCH-STARTED"


@dataclass(frozen=True)
class Usage:
    """What one child process cost: seconds of wall and of CPU, greatest memory.

    `start_*` is the part before its own work (interpreter, imports) where the child says so.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float
    start_wall_s: float = 0.0
    start_cpu_s: float = 0.0

    @property
    def work_cpu_s(self) -> float:
        return self.cpu_s - self.start_cpu_s

    @property
    def work_wall_s(self) -> float:
        return self.wall_s - self.start_wall_s


@dataclass(frozen=True)
class Pairs:
    """Runs of a comparison, `ours[n]` beside `yardstick[n]`."""

    name: str
    title: str
    workload: Mapping[str, Any]
    goal: float
    ours: tuple[Usage, ...]
    yardstick: tuple[Usage, ...]

    def ratio(self, measure: str) -> float:
        """Median of the pairs' own ratios: what slowed the machine slowed both of a pair."""
        return statistics.median(
            float(getattr(a, measure)) / float(getattr(b, measure))
            for a, b in zip(self.ours, self.yardstick, strict=True)
        )

    def median(self, side: str, measure: str) -> float:
        return statistics.median(float(getattr(u, measure)) for u in getattr(self, side))

    def as_json(self) -> dict[str, Any]:
        measures = ("work_cpu_s", "work_wall_s", "cpu_s", "wall_s", "peak_mib")
        return {
            **asdict(self),
            "runs": len(self.ours),
            "medians": {
                side: {m: round(self.median(side, m), 3) for m in measures}
                for side in ("ours", "yardstick")
            },
            "ratios": {m: round(self.ratio(m), 3) for m in measures},
        }

    def __str__(self) -> str:
        def line(side: str, words: str) -> str:
            cpu, wall, start, peak = (
                self.median(side, m) for m in ("work_cpu_s", "work_wall_s", "start_cpu_s",
                                               "peak_mib")
            )  # fmt: skip
            before = f"   (start {start:.2f} CPU-s)" if start else ""
            return f"  {words:<10}{cpu:8.2f} CPU-s {wall:8.2f} s wall {peak:7.0f} MiB{before}"

        cpu, wall = self.ratio("work_cpu_s"), self.ratio("work_wall_s")
        verdict = "met" if cpu <= self.goal else "MISSED"
        return "\n".join(
            [
                self.title,
                "  " + ", ".join(f"{k} {v}" for k, v in self.workload.items()),
                line("ours", "ours"),
                line("yardstick", "yardstick"),
                f"  ratio     {cpu:8.2f} CPU   {wall:8.2f} wall      n = {len(self.ours)}, "
                f"goal {self.goal:g} (CPU): {verdict}",
            ]
        )


def compare(
    name: str,
    title: str,
    ours: Callable[[], Usage],
    yardstick: Callable[[], Usage],
    *,
    runs: int,
    goal: float,
    workload: Mapping[str, Any],
    warm_up: bool = True,
) -> Pairs:
    """Run both in turn, the order changing from pair to pair, after one untimed run of each."""
    if warm_up:
        ours()
        yardstick()
    measured: list[tuple[Usage, Usage]] = []
    for number in range(runs):
        if number % 2:
            second = yardstick()
            measured.append((ours(), second))
        else:
            first = ours()
            measured.append((first, yardstick()))
    a, b = zip(*measured, strict=True)
    return Pairs(name, title, workload, goal, a, b)


class Bench:
    """A folder for the benchmark's files, and the environment in which its children run.

    `runs` is the number of pairs of what takes seconds, `long_runs` of whole nights.

    Bytecode is kept in that folder, so that imports cost the same wherever the project lies.
    """

    def __init__(self, folder: Path, runs: int, long_runs: int) -> None:
        self.folder = folder
        self.runs = runs
        self.long_runs = long_runs
        self.environment = {
            **{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }

    def python(self, *arguments: str | Path) -> Usage:
        """Run this interpreter with the arguments; raises RuntimeError with what a failure said."""
        return self._measured([sys.executable, *map(str, arguments)])

    def _measured(self, command: Sequence[str]) -> Usage:
        with tempfile.TemporaryFile() as said:
            before = time.perf_counter()
            child = subprocess.Popen(
                command, env=self.environment, stdout=said, stderr=subprocess.STDOUT
            )
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - before
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode:
                raise RuntimeError(f"{command} ended with {child.returncode}:\n{_tail(said)}")
            start_cpu, start_wall = _started(_tail(said))
        return Usage(
            wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, start_wall, start_cpu
        )


def started(began: float) -> None:
    """A child says that its imports are done and its work begins; `began` by perf_counter."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    parts = [used.ru_utime + used.ru_stime, time.perf_counter() - began]
    print(STARTED, json.dumps(parts), flush=True)


def _started(said: str) -> tuple[float, float]:
    for line in said.splitlines():
        if line.startswith(STARTED):
            cpu, wall = json.loads(line.removeprefix(STARTED))
            return cpu, wall
    return 0.0, 0.0


def _tail(said: IO[bytes], size: int = 4_000) -> str:
    said.seek(max(0, said.seek(0, 2) - size))
    return said.read().decode("utf-8", "replace")
