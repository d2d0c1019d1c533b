"""Named places where a test may kill the process, to prove that no write boundary leaks.

`GENIAC_FAILPOINT=name` (or `name:3` for the third passage) kills this process with SIGKILL there,
as a power cut would. Unset, a failpoint costs one dictionary look-up.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

_passed: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Die here if the environment asks for it."""
    wanted = os.environ.get("GENIAC_FAILPOINT")
    if not wanted:
        return
    target, _, nth = wanted.partition(":")
    if target == name:
        _passed[name] += 1
        if _passed[name] == int(nth or 1):
            os.kill(os.getpid(), signal.SIGKILL)
