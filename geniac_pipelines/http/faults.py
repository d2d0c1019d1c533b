"""What went wrong below us, in words that show no URL.

The messages of requests and urllib3 quote request targets with their query, so none of their
exceptions is passed on, not even as a cause.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.client import IncompleteRead

from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)


class Failed(Exception):
    """One try that failed.

    `again` tells whether another may help, `received` whether the server may have taken the
    request in, `retry_after_s` the wait it asked for.
    """

    def __init__(
        self,
        problem: str,
        *,
        again: bool,
        received: bool,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.again = again
        self.received = received
        self.status = status
        self.retry_after_s = retry_after_s


_KNOWN: tuple[tuple[type[BaseException], str], ...] = (
    (NameResolutionError, "the host name has no address"),
    (ReadTimeoutError, "no data in time"),
    (DecodeError, "the body can't be decompressed"),
    (IncompleteRead, "the connection ended before the body did"),
)


def failed_by(error: BaseException) -> Failed:
    """The failure that an exception of requests or urllib3 stands for.

    A certificate that was not accepted is final; every other fault of a connection may pass.
    """
    chain = list(_chain(error))
    for each in chain:
        if isinstance(each, ssl.SSLCertVerificationError):
            problem = f"the certificate was not accepted: {each.verify_message}"
            return Failed(problem, again=False, received=False)
    unsent = any(isinstance(each, (NewConnectionError, ConnectTimeoutError)) for each in chain)
    return Failed(_words(chain), again=True, received=not unsent)


def _words(chain: list[BaseException]) -> str:
    for kind, words in _KNOWN:
        if any(isinstance(each, kind) for each in chain):
            return words
    for each in reversed(chain):
        if isinstance(each, OSError) and each.strerror:
            return each.strerror.lower()
    # last, since urllib3 counts a refused connection among the timeouts
    if any(isinstance(each, ConnectTimeoutError) for each in chain):
        return "no connection in time"
    return type(chain[-1]).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it wraps: as an argument, a reason, a cause or a context."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        wrapped = (*each.args, getattr(each, "reason", None), each.__cause__, each.__context__)
        waiting.extend(inner for inner in wrapped if isinstance(inner, BaseException))
