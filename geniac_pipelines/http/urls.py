"""Addresses: what of them may be shown, and what may travel from one to the next."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

MASK = "***"
UNREADABLE = "<unreadable URL>"

# Keys in paths (webhooks, private feeds) are this long and mix their characters.
_LONG_RUN = re.compile(r"[!-~]{20,}")

# Whatever else a caller sends may be a key under a name that we don't know.
_HARMLESS_HEADERS = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})

_DEFAULT_PORTS = {"http": 80, "https": 443}


def redact(url: str, *, hide_path: bool = False) -> str:
    """A URL as it may be shown: no credentials, no query values, no fragment, no keys in the path.

    Names of query parameters stay, since they tell requests apart; a parameter without a value
    may itself be the key and is masked whole. `hide_path` masks all of the path, for addresses
    that are secret as such. Never raises; what can't be read is not shown.
    """
    try:
        parts = urlsplit(url)
        authority = _authority(parts)
    except ValueError:
        return UNREADABLE
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return UNREADABLE
    path = f"/{MASK}" if hide_path and parts.path not in {"", "/"} else _redact_path(parts.path)
    query = f"?{_redact_query(parts.query)}" if parts.query else ""
    return f"{parts.scheme}://{authority}{path}{query}"


def redact_target(target: str) -> str:
    """The same for a request target: a path with its query, as HTTP libraries log it."""
    path, mark, query = target.partition("?")
    return f"{_redact_path(path)}{mark}{_redact_query(query)}"


def _authority(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if parts.port is None else f"{host}:{parts.port}"


def _redact_path(path: str) -> str:
    return "/".join(_redact_segment(segment) for segment in path.split("/"))


def _redact_segment(segment: str) -> str:
    name, mark, _ = segment.partition(";")
    shown = MASK if _may_be_key(unquote(name)) else name
    return f"{shown};{MASK}" if mark else shown


def _may_be_key(text: str) -> bool:
    return any(_mixes_characters(run) for run in _LONG_RUN.findall(text))


def _mixes_characters(run: str) -> bool:
    return bool(re.search(r"[0-9]", run)) or (run.lower() != run and run.upper() != run)


def _redact_query(query: str) -> str:
    return "&".join(_redact_parameter(each) for each in query.split("&")) if query else ""


def _redact_parameter(parameter: str) -> str:
    name, mark, _ = parameter.partition("=")
    if not mark or _may_be_key(unquote(name)):
        return MASK
    return f"{name}={MASK}"


def host_of(url: str) -> str:
    """The host of a URL, comparable: lower case, without the dot at the end."""
    return (urlsplit(url).hostname or "").rstrip(".")


def headers_for_redirect(headers: Mapping[str, str], origin: str, target: str) -> dict[str, str]:
    """The headers that a redirect takes along.

    All of them within one scheme, host and port, or when the same host moves from the standard
    port of http to that of https; only the harmless ones otherwise.
    """
    if _keeps_secrets(origin, target):
        return dict(headers)
    return {name: value for name, value in headers.items() if name.lower() in _HARMLESS_HEADERS}


def _keeps_secrets(origin: str, target: str) -> bool:
    before, after = urlsplit(origin), urlsplit(target)
    if host_of(origin) != host_of(target):
        return False
    ports = tuple(each.port or _DEFAULT_PORTS[each.scheme] for each in (before, after))
    if before.scheme == after.scheme:
        return ports[0] == ports[1]
    return before.scheme == "http" and ports == (80, 443)


class _TargetFilter(logging.Filter):
    """Redacts request targets among the arguments of a log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_redact_argument(each) for each in record.args)
        return True


def _redact_argument(argument: object) -> object:
    if not isinstance(argument, str):
        return argument
    if "://" in argument and urlsplit(argument).path:
        return redact(argument)
    return redact_target(argument) if argument.startswith("/") else argument


_FILTER = _TargetFilter()


def redact_library_logs() -> None:
    """Make urllib3's debug log, which shows whole request targets, show redacted ones.

    A logger keeps one filter once, so that calling this again changes nothing.
    """
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_FILTER)
