"""One writer at a time on a data folder: a lock of the operating system, freed by death.

A pool of the orchestrator would not do: after a kill it stays taken for ever.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(Exception):
    """Somebody else holds the lock; the message says who."""


@contextmanager
def exclusive(folder: Path, purpose: str) -> Iterator[None]:
    """Hold the folder's lock while the block runs; raises Busy at once if it is held.

    The lock belongs to the open file, not to the process: two holders in one process exclude
    each other too. Advisory, on a local disk; a network disk must support flock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
            raise Busy(
                f"ほかの処理（{holder or '不明'}）が使っています。終わるのを待ってください / "
                f"{folder} is in use by {holder or 'another process'}. Wait for it to end, or end "
                "it; the lock is freed with its holder."
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} ({purpose})\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
