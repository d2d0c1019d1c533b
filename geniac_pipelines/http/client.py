"""The client that collectors and webhooks hold in their hands."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypedDict

from requests.structures import CaseInsensitiveDict

from geniac_pipelines.http.answers import Downloaded, Fetched, Validators
from geniac_pipelines.http.exchange import Exchange, Limits, Reply, Timing
from geniac_pipelines.http.hops import Ask, Params
from geniac_pipelines.http.urls import redact_library_logs
from geniac_pipelines.http.waits import Pace
from geniac_pipelines.store.files import whole

MIB = 1 << 20


def _utc_now() -> datetime:
    return datetime.now(UTC)


class PoliteClient:
    """Asks over http and https with pace, patience and limits; may be used by many threads.

    Two requests to one host start at least `per_host_interval_s` apart. A call ends within
    `max_seconds`, tries and waits together, the time in line for the pace not counted; only name
    resolution and connecting can outlast it, by their own timeouts. `timeout_s` is (connect,
    read between two bytes). `max_bytes` bounds a body, as declared and as decompressed. A failed
    GET is tried `retries` times more, after the wait that the server asked for or a random one.

    `clock` is monotonic seconds, `now` an aware UTC instant.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        per_host_interval_s: float = 1.0,
        timeout_s: tuple[float, float] = (5.0, 60.0),
        max_bytes: int = 64 * MIB,
        max_seconds: float = 300.0,
        retries: int = 4,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        if not user_agent.strip() or not user_agent.isascii():
            raise ValueError("a polite client names itself, in ASCII")
        self._user_agent = user_agent
        self._max_bytes = max_bytes
        self._exchange = Exchange(
            Limits(timeout_s, max_seconds, retries),
            Timing(clock, now, sleep, rng if rng is not None else random.Random()),
            Pace(per_host_interval_s, clock, sleep),
        )
        self._closed = False
        redact_library_logs()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing may be asked from here on. No connection outlives its call anyway."""
        self._closed = True

    def get(
        self,
        url: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        validators: Validators | None = None,
        max_bytes: int | None = None,
        public_only: bool = False,
    ) -> Fetched:
        """Ask for a resource and hold its body in memory.

        With `validators` a resource that did not change answers `not_modified`. The URL itself
        may be private, since an operator wrote it; set `public_only` for one that came with data.
        A redirect may reach a private address only on the host that was configured as private.

        Raises HttpRefused (4xx, a forbidden address, not a URL), HttpUnavailable (tries used up),
        HttpTooLarge, HttpTooSlow.
        """
        ask = self._ask(
            "GET",
            url,
            headers,
            max_bytes=max_bytes,
            params=params,
            validators=validators or Validators(),
            public_only=public_only,
        )
        reply, content = self._exchange.call(ask, b"".join)
        return Fetched(**_head(reply), content=content or b"")

    def download(
        self,
        url: str,
        path: Path,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        validators: Validators | None = None,
        max_bytes: int | None = None,
        public_only: bool = False,
    ) -> Downloaded:
        """The same into a file, which appears whole under its name or not at all."""
        ask = self._ask(
            "GET",
            url,
            headers,
            max_bytes=max_bytes,
            params=params,
            validators=validators or Validators(),
            public_only=public_only,
        )
        reply, written = self._exchange.call(ask, lambda pieces: _write(path, pieces))
        size, sha256 = written or (None, None)
        return Downloaded(**_head(reply), path=path if written else None, size=size, sha256=sha256)

    def post_json(
        self,
        url: str,
        body: Mapping[str, Any] | Sequence[Any],
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Fetched:
        """Post a JSON document (RFC 8259, UTF-8), as webhooks take it.

        Sent again only when nothing came of it for certain: no connection, 429 or 503. Redirects
        are not followed. Messages show the host alone, since such addresses are keys themselves.
        Raises as `get` does; HttpUnavailable then tells by `maybe_received` whether the message
        may have arrived all the same.
        """
        ask = self._ask(
            "POST",
            url,
            {**(headers or {}), "Content-Type": "application/json"},
            body=json.dumps(body, ensure_ascii=False, allow_nan=False).encode(),
            hide_path=True,
        )
        reply, content = self._exchange.call(ask, b"".join)
        return Fetched(**_head(reply), content=content or b"")

    def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        *,
        max_bytes: int | None = None,
        **more: Any,
    ) -> Ask:
        if self._closed:
            raise RuntimeError("this client was closed")
        own = {"User-Agent": self._user_agent, "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
        asked = CaseInsensitiveDict[str]({**own, "Connection": "close"})
        asked.update(headers or {})
        bound = self._max_bytes if max_bytes is None else max_bytes
        return Ask(method, url, dict(asked), bound, **more)


class _Head(TypedDict):
    status: int
    url: str
    final_url: str
    headers: Mapping[str, str]
    fetched_at: datetime
    validators: Validators
    not_modified: bool


def _head(reply: Reply) -> _Head:
    return _Head(
        status=reply.status,
        url=reply.ask.url,
        final_url=reply.hop.url,
        headers=reply.response.headers,
        fetched_at=reply.at,
        validators=_validators(reply),
        not_modified=reply.not_modified,
    )


def _validators(reply: Reply) -> Validators:
    """Those of this answer; a 304 may leave out what did not change (RFC 9110, 15.4.5)."""
    headers = reply.response.headers
    sent = reply.ask.validators if reply.not_modified else Validators()
    return Validators(
        etag=headers.get("ETag", sent.etag),
        last_modified=headers.get("Last-Modified", sent.last_modified),
        resource=reply.hop.resource,
    )


def _write(path: Path, pieces: Iterator[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with whole(path) as temporary, temporary.open("wb") as file:
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            file.write(piece)
    return size, digest.hexdigest()
