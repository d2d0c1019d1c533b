"""A headless Chromium of a test's own, spoken to by the DevTools protocol over a pipe.

Messages are JSON texts that end with a zero byte: commands go in by file descriptor 3, answers and
events come out of 4 (`--remote-debugging-pipe`).
"""

import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0

OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # whatever asks for a host gets none
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)

Event = dict[str, Any]


@dataclass
class Page:
    """A tab. `events` holds what the browser told, oldest first."""

    commands: int
    answers: int
    events: list[Event] = field(default_factory=list)
    session: str | None = None
    _number: int = 0
    _rest: bytes = b""
    _answered: dict[int, Event] = field(default_factory=dict)

    def call(self, method: str, **parameters: Any) -> Any:
        """One command and its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        number = self._number
        self._read_until(lambda: number in self._answered, method)
        answer = self._answered.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, file: Path) -> None:
        """Show a file, loaded whole."""
        self.events.clear()
        self.call("Page.navigate", url=file.as_uri())
        self._read_until(lambda: bool(self.told("Page.loadEventFired")), "Page.navigate")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        said = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in said:
            raise RuntimeError(f"{expression}: {said['exceptionDetails']}")
        return said["result"].get("value")

    def told(self, method: str) -> list[Event]:
        """Parameters of all events of a kind."""
        return [e["params"] for e in self.events if e["method"] == method]

    def _read_until(self, satisfied: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not satisfied():
            ready, _, _ = select.select([self.answers], [], [], deadline - time.monotonic())
            piece = os.read(self.answers, 1 << 16) if ready else b""
            if not piece:
                raise TimeoutError(f"chromium did not answer to {what}")
            *whole, self._rest = (self._rest + piece).split(b"\0")
            for message in map(json.loads, whole):
                if "id" in message:
                    self._answered[message["id"]] = message
                else:
                    self.events.append(message)


@contextmanager
def browsing(binary: str, profile: Path) -> Iterator[Page]:
    """A browser with an empty profile and one tab that reports requests, logs and errors."""
    command_end, commands = os.pipe()
    answers, answer_end = os.pipe()

    places = f'exec "$0" "$@" 3<&{command_end} 4>&{answer_end}'
    with (profile.parent / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", places, binary, *OPTIONS, f"--user-data-dir={profile}"],
            pass_fds=(command_end, answer_end),
            stdout=log,
            stderr=log,
        )
    os.close(command_end)
    os.close(answer_end)
    try:
        page = Page(commands, answers)
        target = page.call("Target.createTarget", url="about:blank")["targetId"]
        attached = page.call("Target.attachToTarget", targetId=target, flatten=True)
        page.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            page.call(f"{domain}.enable")
        yield page
    finally:
        process.terminate()
        process.wait(timeout=30)
        os.close(commands)
        os.close(answers)
