"""How long to wait: for a host's pace, for what a server asks, between tries, and at most."""

from __future__ import annotations

import math
import random
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

BACKOFF_FIRST_S = 1.0
BACKOFF_LONGEST_S = 60.0

# More digits than this are thirty years or longer, and int() itself has a limit.
_MOST_DIGITS = 9


def parse_retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110, section 10.2.3), never negative.

    Both forms are read: a number of seconds, and an HTTP-date in any of its three spellings,
    which is GMT by definition. `now` is aware. An absurdly large number is infinity. None for
    what is neither form.
    """
    text = value.strip(" \t")
    if re.fullmatch(r"[0-9]+", text):
        digits = text.lstrip("0") or "0"
        return math.inf if len(digits) > _MOST_DIGITS else float(digits)
    try:
        at = parsedate_to_datetime(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return max(0.0, (at - now).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def backoff(failed: int, rng: random.Random) -> float:
    """Seconds to wait after the `failed`-th failure (from 1): exponential, with full jitter.

    Uniform between zero and the doubling bound, so that clients which failed together don't come
    back together (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """
    return rng.uniform(0.0, min(BACKOFF_LONGEST_S, BACKOFF_FIRST_S * 2.0 ** (failed - 1)))


class Budget:
    """The time of one call, running from its making, by a monotonic clock in seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._deadline = clock() + seconds

    def remaining(self) -> float:
        return self._deadline - self._clock()

    @property
    def spent(self) -> bool:
        return self.remaining() <= 0

    def extend(self, seconds: float) -> None:
        """Give back time that was not the server's to use."""
        self._deadline += seconds


class Pace:
    """At least `interval_s` between the starts of two requests to a host, over all threads."""

    def __init__(
        self, interval_s: float, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}

    def take_turn(self, host: str) -> float:
        """Wait for this host's next turn; returns how long that was, in seconds."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + self._interval_s
        wait = turn - now
        # outside the lock, so that other hosts don't stand in this one's line
        if wait > 0:
            self._sleep(wait)
        return wait
