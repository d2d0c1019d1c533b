"""One call from its first try to its answer: hops, limits on the body, tries and the waits."""

from __future__ import annotations

import http
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import requests
import urllib3

from geniac_pipelines.http.answers import (
    Attempt,
    HttpAddressRefused,
    HttpRefused,
    HttpTooLarge,
    HttpTooSlow,
    HttpUnavailable,
)
from geniac_pipelines.http.faults import Failed, failed_by
from geniac_pipelines.http.gate import AddressRefused, Gate, GateAdapter
from geniac_pipelines.http.hops import REDIRECTS, Ask, Hop, first_hop
from geniac_pipelines.http.urls import host_of
from geniac_pipelines.http.waits import Budget, Pace, backoff, parse_retry_after

MOST_REDIRECTS = 5

# 429 and 503 say that nothing was done, so that even a post may be sent again.
_NOTHING_DONE = frozenset({429, 503})
_PASSING = {"GET": frozenset({429, 500, 502, 503, 504}), "POST": _NOTHING_DONE}

_READABLE_ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})

_CHUNK = 64 * 1024
_EXPLANATION_BYTES = 4096

_T = TypeVar("_T")


@dataclass(frozen=True)
class Limits:
    """Bounds of a call: (connect, read) timeouts and total in seconds, further tries."""

    timeout_s: tuple[float, float]
    max_seconds: float
    retries: int


@dataclass(frozen=True)
class Timing:
    """Where time and chance come from: monotonic seconds, aware UTC instants, sleep, jitter."""

    clock: Callable[[], float]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    rng: random.Random


@dataclass(frozen=True)
class Reply:
    """The head of an answer, received at `at` (UTC), its body perhaps still on the line."""

    ask: Ask
    hop: Hop
    response: requests.Response
    gate: Gate
    at: datetime
    private: bool

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def not_modified(self) -> bool:
        """A 304 to a request that was conditional; to any other it would make no sense."""
        sent = self.response.request.headers
        return self.status == 304 and ("If-None-Match" in sent or "If-Modified-Since" in sent)

    @property
    def phrase(self) -> str:
        try:
            return f"{self.status} {http.HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)

    @property
    def location(self) -> str | None:
        """Where a redirect points. A post is not carried on to another address."""
        if self.ask.method == "POST" or self.status not in REDIRECTS:
            return None
        return self.response.headers.get("Location")


class Exchange:
    """Carries out asks within limits; shared by the threads of one client."""

    def __init__(self, limits: Limits, timing: Timing, pace: Pace) -> None:
        self._limits = limits
        self._timing = timing
        self._pace = pace

    def call(self, ask: Ask, sink: Callable[[Iterator[bytes]], _T]) -> tuple[Reply, _T | None]:
        """The answer, and what `sink` made of its body; None for a 304.

        A sink gets the body in pieces, decompressed. It starts anew with each try, and must let
        pass what the pieces raise.
        """
        ask, hop = first_hop(ask)
        budget = Budget(self._limits.max_seconds, self._timing.clock)
        attempts: list[Attempt] = []
        maybe_received = False
        while True:
            try:
                return self._follow(ask, hop, budget, sink)
            except Failed as error:
                failed = error
            except (HttpTooLarge, HttpTooSlow) as error:
                error.attempts = tuple(attempts)
                raise
            attempts.append(Attempt(self._timing.now(), failed.status, failed.problem))
            maybe_received = maybe_received or failed.received
            wait = self._wait_after(ask, failed, len(attempts))
            if wait is None or wait >= budget.remaining():
                break
            self._timing.sleep(wait)
        raise _unavailable(ask, attempts, failed, maybe_received=maybe_received)

    def _wait_after(self, ask: Ask, failed: Failed, tries: int) -> float | None:
        """Seconds until the next try; None when there is none.

        What a server asks for is waited in full or, where the call has no time for it, not at
        all: to come back earlier would be rude and in vain.
        """
        twice = ask.method == "POST" and failed.received
        if twice or not failed.again or tries > self._limits.retries:
            return None
        if failed.retry_after_s is not None:
            return failed.retry_after_s
        return backoff(tries, self._timing.rng)

    def _follow(
        self, ask: Ask, hop: Hop, budget: Budget, sink: Callable[[Iterator[bytes]], _T]
    ) -> tuple[Reply, _T | None]:
        for _ in range(MOST_REDIRECTS + 1):
            with self._open(ask, hop, budget) as reply:
                location = reply.location
                if location is None:
                    return self._take(reply, budget, sink)
                hop = hop.redirected(location, ask, reached_private=reply.private)
        raise HttpRefused(ask.shown, f"more than {MOST_REDIRECTS} redirects")

    @contextmanager
    def _open(self, ask: Ask, hop: Hop, budget: Budget) -> Iterator[Reply]:
        """Send one request and yield its answer, which is closed afterwards.

        Public addresses are tried first: so it comes to light whether the host is private.
        """
        budget.extend(self._pace.take_turn(host_of(hop.url)))
        with ExitStack() as stack:
            reply = self._send(ask, hop, budget, stack, private=False)
            if reply is None and hop.may_be_private:
                reply = self._send(ask, hop, budget, stack, private=True)
            if reply is None:
                raise HttpAddressRefused(ask.shown, f"{host_of(hop.url)} has no public address")
            yield reply

    def _send(
        self, ask: Ask, hop: Hop, budget: Budget, stack: ExitStack, *, private: bool
    ) -> Reply | None:
        """One request on a connection of its own. None where the gate has no way to the host."""
        gate = stack.enter_context(Gate(budget, public_only=not private))
        adapter = GateAdapter(gate)
        stack.callback(adapter.close)
        try:
            response = adapter.send(
                hop.request(ask), stream=True, timeout=self._limits.timeout_s, verify=True
            )
        except AddressRefused:
            return None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            failed = failed_by(error)
        else:
            stack.callback(response.close)
            return Reply(ask, hop, response, gate, self._timing.now(), private)
        self._check_time(ask, gate, budget)
        raise failed

    def _take(
        self, reply: Reply, budget: Budget, sink: Callable[[Iterator[bytes]], _T]
    ) -> tuple[Reply, _T | None]:
        """The answer of the last hop, or why there is none."""
        if reply.not_modified:
            return reply, None
        if reply.ok:
            return reply, sink(self._pieces(reply, budget))
        if reply.status in _PASSING[reply.ask.method] or reply.status >= 500:
            asked = reply.response.headers.get("Retry-After")
            raise Failed(
                reply.phrase,
                again=reply.status in _PASSING[reply.ask.method],
                received=reply.status not in _NOTHING_DONE,
                status=reply.status,
                retry_after_s=None if asked is None else parse_retry_after(asked, reply.at),
            )
        raise HttpRefused(
            reply.ask.shown,
            f"the server answered {reply.phrase}",
            status=reply.status,
            headers=reply.response.headers,
            body=_explanation(reply.response),
        )

    def _pieces(self, reply: Reply, budget: Budget) -> Iterator[bytes]:
        """The body, decompressed, in pieces of at most 64 KiB as they come."""
        ask, headers = reply.ask, reply.response.headers
        encodings = {
            each.strip() for each in headers.get("Content-Encoding", "").lower().split(",")
        }
        if not encodings <= _READABLE_ENCODINGS:
            raise HttpRefused(ask.shown, f"the body is encoded as {', '.join(sorted(encodings))}")
        declared = headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) > ask.max_bytes:
            raise HttpTooLarge(ask.shown, f"{declared} bytes declared, {ask.max_bytes} allowed")
        size = 0
        while True:
            piece = _next_piece(reply.response)
            self._check_time(ask, reply.gate, budget)
            if isinstance(piece, Failed):
                raise piece
            if not piece:
                return
            size += len(piece)
            if size > ask.max_bytes:
                raise HttpTooLarge(ask.shown, f"more than {ask.max_bytes} bytes")
            yield piece

    def _check_time(self, ask: Ask, gate: Gate, budget: Budget) -> None:
        if gate.expired or budget.spent:
            raise HttpTooSlow(ask.shown, f"not complete after {self._limits.max_seconds:g} s")


def _next_piece(response: requests.Response) -> bytes | Failed:
    """What one read brings, b"" at the end. No more is decompressed than is handed out."""
    try:
        return bytes(response.raw.read1(_CHUNK, decode_content=True) or b"")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return failed_by(error)


def _explanation(response: requests.Response) -> bytes:
    """The beginning of a refusal's body. A courtesy of the server: the refusal stands without."""
    try:
        return bytes(response.raw.read1(_EXPLANATION_BYTES, decode_content=True) or b"")
    except (urllib3.exceptions.HTTPError, OSError):
        return b""


def _unavailable(
    ask: Ask, attempts: list[Attempt], failed: Failed, *, maybe_received: bool
) -> HttpUnavailable:
    tries = "1 try" if len(attempts) == 1 else f"{len(attempts)} tries"
    problem = f"given up after {tries}: {', '.join(each.problem for each in attempts)}"
    if failed.retry_after_s is not None:
        problem += f"; the server asks to wait {failed.retry_after_s:.0f} s"
    return HttpUnavailable(
        ask.shown,
        problem,
        attempts,
        retry_after_s=failed.retry_after_s,
        maybe_received=maybe_received,
    )
