"""Nights in processes of their own, forked from one that has loaded all modules once.

Such a night is what `geniac nightly` runs, less the loading; it tells of its steps as they begin
and end, so that a test can choose its moment.
"""

import logging
import multiprocessing
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from geniac_pipelines.sample.write import AS_OF
from geniac_pipelines.settings import Settings
from tests.system.nights import KEY, LONGEST_S

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.system.loaded"])

BEFORE, AFTER = "before the steps", "after the commit"


@dataclass(frozen=True)
class Phase:
    """A part of a night's life and how long it takes (seconds)."""

    name: str
    seconds: float


@dataclass
class ForkedNight:
    """A night under way. `phase` is where it was when it was last looked at."""

    data: Path
    phase: str = BEFORE
    history: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._news, there = FORKS.Pipe(duplex=False)
        self.data.mkdir(parents=True, exist_ok=True)
        self.started = time.monotonic()
        self._process = FORKS.Process(target=_night, args=(there, self.data))
        self._process.start()
        there.close()

    def reaches(self, phase: str) -> bool:
        """Wait until a phase begins; False if the night ends without it."""
        return self._watch(lambda: self.phase == phase, LONGEST_S)

    def lives(self, seconds: float) -> bool:
        """Let it go on for a while; False if it ends before."""
        return not self._watch(lambda: False, seconds) and self._process.is_alive()

    def ends(self) -> bool:
        """Wait for its end; whether that was a good one."""
        self._watch(lambda: False, LONGEST_S)
        self._process.join(LONGEST_S)
        self.history.append(("end", time.monotonic() - self.started))
        return self._process.exitcode == 0

    def kill(self, *, alone: bool) -> None:
        """As a power cut would; or, `alone`, without the children, as the kernel does it."""
        pid = self._process.pid
        assert pid is not None
        with suppress(ProcessLookupError):
            (os.kill if alone else os.killpg)(pid, signal.SIGKILL)
        self._process.join(LONGEST_S)

    def bury(self) -> None:
        """End what is left of its children."""
        assert self._process.pid is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def phases(self) -> list[Phase]:
        """The phases of a night that has ended."""
        names = [BEFORE, *(name for name, _ in self.history[:-1])]
        times = [0.0, *(at for _, at in self.history)]
        return [
            Phase(name, end - begin)
            for name, begin, end in zip(names, times[:-1], times[1:], strict=True)
        ]

    def _watch(self, satisfied, seconds: float) -> bool:
        """Read news until satisfied, at most so long; False when time or the news are over."""
        deadline = time.monotonic() + seconds
        while not satisfied():
            left = deadline - time.monotonic()
            if left <= 0 or not self._news.poll(left):
                return False
            try:
                self.phase = self._news.recv()
            except EOFError:
                return False
            self.history.append((self.phase, time.monotonic() - self.started))
        return True


def _night(news: Connection, data: Path) -> None:
    """The child's side: `geniac nightly`, in a process group of its own."""
    os.setsid()
    with (data.parent / f"{data.name}.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ["GENIAC_PSEUDONYM_KEY"] = KEY
    from geniac_pipelines.launch import launch
    from resources.progress import NAME

    logging.getLogger(NAME).addHandler(_Steps(news))
    settings = Settings(data=data, inbox=data.parent / "inbox", as_of=AS_OF)
    launched = launch("nightly", settings, None, progress=print)
    print(launched.summary, flush=True)
    news.close()
    # without the farewells of modules that were loaded in another process
    os._exit(0 if launched.success else 1)


class _Steps(logging.Handler):
    """Sends a step's name when it begins, and AFTER when the commit is through."""

    def __init__(self, news: Connection) -> None:
        super().__init__(logging.DEBUG)
        self._news = news

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        match getattr(event, "event_type_value", ""), getattr(event, "step_key", ""):
            case "STEP_START", step:
                self._news.send(step)
            case "STEP_SUCCESS", "generation":
                self._news.send(AFTER)
