"""What a person at a terminal is told while a night runs: which step of how many, how long, what.

Here: the words and the clock, without Dagster. `resources/progress.py` feeds it with the events of
a run, `launch` with the lines of dbt. Not here: the summary at the end (`summary`).
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

EVERY = 8.0
"""Seconds after which a step that still works says so."""

STEPS = {
    "arrivals": "受信箱の確認 / inbox",
    "landing": "読み取り / reading files",
    "facts__gpu_usage__gpu_days": "テレメトリの集計 / telemetry",
    "night_inputs": "入力の準備 / inputs of the night",
    "dbt": "表の作成と検査 / tables and checks",
    "analyses__gpu_usage__plan_forecasts": "予測 / forecasts",
    "findings": "指摘の判定 / findings",
    "monthly_reports": "報告書の作成 / reports",
    "generation": "公開 / publishing",
}

FOUND = {
    "new_files": "新しいファイル{:,}件",
    "dagster/partition_row_count": "{:,}行",
    "remade_days": "{:,}日分（組織×日）",
    "tables": "{:,}表",
    "checks": "検査{:,}件",
    "failed_checks": "うち不合格{:,}件",
    "examined": "{:,}件を点検",
    "reports": "報告書{:,}件",
    "figures": "数値{:,}個",
    "generation": "世代{:,}",
}
"""Numbers that a step may report, by the name of its metadata, in the order they are told."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NODE = re.compile(r"(\d+) of (\d+) (\S+)")
_TROUBLE = ("ERROR", "FAIL", "WARN")
_ENDING = re.compile(r"Completed with|Encountered an error|(Compilation|Runtime|Parsing) Error")


@dataclass
class _Step:
    key: str
    number: int
    started: float
    said: float
    detail: str = ""
    found: Counter[str] = field(default_factory=Counter)


class Progress:
    """Tells `say` one line as a step starts, ends or fails, and one every few seconds between.

    `total` is the number of steps. Used as a context manager it runs the clock in a thread of its
    own. Events may come from any thread.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        total: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        every: float = EVERY,
    ) -> None:
        self._say, self._total, self._clock, self._every = say, total, clock, every
        self._lock = threading.RLock()
        self._number = 0
        self._step: _Step | None = None
        self._spoken = clock()
        self._over = threading.Event()
        self._ticker: threading.Thread | None = None

    def __enter__(self) -> Progress:
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._ticker:
            self._ticker.join()

    def started(self, key: str) -> None:
        with self._lock:
            self._number += 1
            now = self._clock()
            self._step = _Step(key, self._number, now, now)
            self._tell(f"{self._place()} {_name(key)} …")

    def found(self, key: str, numbers: Mapping[str, Any]) -> None:
        """What the running step reports; integers of known names are added up."""
        with self._lock:
            if self._step is None or self._step.key != key:
                return
            for name, value in numbers.items():
                if name in FOUND and isinstance(value, int):
                    self._step.found[name] += value

    def doing(self, detail: str) -> None:
        """What the running step is at, told the next time that the clock strikes."""
        with self._lock:
            if self._step:
                self._step.detail = detail

    def ended(self, key: str) -> None:
        with self._lock:
            step = self._step
            if step is None or step.key != key:
                return
            found = "、".join(FOUND[n].format(step.found[n]) for n in FOUND if step.found[n])
            seconds = self._clock() - step.started
            self._tell(f"{self._place()} 完了 {seconds:.1f}秒{'　' + found if found else ''}")
            self._step = None

    def skipped(self, _key: str) -> None:
        """A step that has nothing to do counts, and needs no line of its own."""
        with self._lock:
            self._number += 1

    def failed(self, key: str) -> None:
        with self._lock:
            self._tell(
                f"{self._place()} 失敗 / FAILED: {_name(key)} [{key}]"
                "　これに続く段階は行いません / what follows from it is left out"
            )
            self._step = None

    def warned(self, message: str) -> None:
        with self._lock:
            self._tell(f"      注意 / warning: {message}")

    def tick(self) -> None:
        """Say that the step still runs, if nothing was said for `every` seconds."""
        with self._lock:
            now = self._clock()
            if now - self._spoken < self._every:
                return
            if self._step is None:
                self._tell("      準備中 / getting ready …")
                return
            detail = f"　{self._step.detail}" if self._step.detail else ""
            self._tell(f"{self._place()} 実行中 {now - self._step.started:.0f}秒{detail}")

    def _place(self) -> str:
        number = self._step.number if self._step else self._number
        return f"[{number:>2}/{self._total}]"

    def _tell(self, line: str) -> None:
        self._spoken = self._clock()
        self._say(line)

    def _tick(self) -> None:
        while not self._over.wait(1.0):
            self.tick()


class DbtLines(io.TextIOBase):
    """Stands in for standard output while dbt's lines come through it.

    Which node of how many becomes the step's detail; trouble is passed on, and so is everything
    from dbt's closing account of errors on; the rest is dropped (dbt's own log has it all). What
    Dagster does to the stream's file descriptor goes to `real`.
    """

    def __init__(self, progress: Progress, real: Any) -> None:
        self._progress, self._real = progress, real
        self._rest = ""
        self._closing = False

    def write(self, text: str) -> int:
        *lines, self._rest = f"{self._rest}{text}".split("\n")
        for line in lines:
            self._line(_COLOUR.sub("", line).strip())
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._real.fileno())

    def flush(self) -> None:
        self._real.flush()

    def _line(self, line: str) -> None:
        node = _NODE.match(line)
        if node and node[3] not in _TROUBLE:
            self._progress.doing(f"{node[1]}/{node[2]}")
        elif node or (_ENDING.search(line) or self._closing):
            self._closing = self._closing or not node
            if line:
                self._progress.warned(line)


def _name(key: str) -> str:
    return STEPS.get(key, key)
