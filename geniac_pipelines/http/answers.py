"""What an exchange comes to: answers, validators, and the ways in which it fails.

No text made here (messages, reprs) shows a URL that was not redacted first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Validators:
    """What makes the next request conditional (RFC 9110, sections 8.8 and 13.1).

    `etag` and `last_modified` are opaque: they go back as they came. They belong to the address
    that answered in the end, not to the one that was asked first; `resource` is the SHA-256 (hex)
    of that address, so that they can be stored without the secrets of its query. None means the
    address that is asked first.
    """

    etag: str | None = None
    last_modified: str | None = None
    resource: str | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The head of an answer with status 2xx, or of a 304 to a conditional request.

    `url` is what was asked, `final_url` what answered after redirects, without credentials and
    fragment; both may hold secrets in their query. `headers` are looked up without regard to case.
    `fetched_at` (UTC) is when the final headers were here.
    """

    status: int
    url: str = field(repr=False)
    final_url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    fetched_at: datetime
    validators: Validators
    not_modified: bool


@dataclass(frozen=True, kw_only=True)
class Fetched(Answer):
    """An answer with its body, decompressed. `content` is empty when nothing was modified."""

    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Downloaded(Answer):
    """An answer whose body (decompressed) went to a file.

    When nothing was modified there is no new file: `path`, `size` (bytes) and `sha256` (hex) are
    None, and whatever lay at the path was left alone.
    """

    path: Path | None
    size: int | None
    sha256: str | None


@dataclass(frozen=True)
class Attempt:
    """One try that failed: when it ended (UTC), the status if there was one, what was wrong."""

    at: datetime
    status: int | None
    problem: str


class HttpError(Exception):
    """An exchange that brought nothing. `url` is redacted; `attempts` are the failed tries."""

    def __init__(self, url: str, problem: str, attempts: Sequence[Attempt] = ()) -> None:
        super().__init__(f"{url}: {problem}")
        self.url = url
        self.problem = problem
        self.attempts = tuple(attempts)


class HttpRefused(HttpError):
    """Asking again would not help: the server said no, or we would not ask.

    `status` and `headers` are None when it never came to an answer. `body` is the beginning of
    the server's own explanation, never part of the message.
    """

    def __init__(
        self,
        url: str,
        problem: str,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        super().__init__(url, problem)
        self.status = status
        self.headers = headers
        self.body = body


class HttpAddressRefused(HttpRefused):
    """A host that stands on an address which this request may not reach."""


class HttpUnavailable(HttpError):
    """The server could not be reached or could not serve, as often as we may ask.

    `retry_after_s` is the wait that the last answer asked for, if any: don't ask before.
    `maybe_received` tells that some try may have been acted upon although it failed.
    """

    def __init__(
        self,
        url: str,
        problem: str,
        attempts: Sequence[Attempt],
        *,
        retry_after_s: float | None,
        maybe_received: bool,
    ) -> None:
        super().__init__(url, problem, attempts)
        self.retry_after_s = retry_after_s
        self.maybe_received = maybe_received


class HttpTooLarge(HttpError):
    """The body is longer than allowed, as declared or as it came out of decompression."""


class HttpTooSlow(HttpError):
    """The answer was still not complete when the time of the call was over."""
