"""The text exposition format of Prometheus (version 0.0.4), line by line.

Here: samples with their labels, escapes, values and times. Not here: what they mean. HELP, TYPE
and other comments are passed over, as scrapes come with and without them. Source: Prometheus
documentation, "Exposition formats".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(,?)')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "\\": "\\", '"': '"'}
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan)",
    re.ASCII | re.IGNORECASE,
)
_TIME = re.compile(r"[0-9]{1,14}", re.ASCII)


@dataclass(frozen=True)
class Sample:
    """One sample; `time_ms` is ms since the epoch, None where the line gives no time."""

    line: int
    name: str
    labels: Mapping[str, str]
    value: float
    time_ms: int | None


@dataclass(frozen=True)
class Malformed:
    """A line that is neither blank, comment nor sample."""

    line: int
    text: str


def parse(lines: Iterable[tuple[int, str]]) -> Iterator[Sample | Malformed]:
    """Samples of numbered lines."""
    for number, line in lines:
        text = line.strip(" \t")
        if not text or text.startswith("#"):
            continue
        yield _sample(number, text) or Malformed(number, text)


def _sample(number: int, text: str) -> Sample | None:
    name = _NAME.match(text)
    if name is None:
        return None
    parsed = _labels(text, name.end())
    if parsed is None:
        return None
    labels, end = parsed
    words = text[end:].split()
    if not 1 <= len(words) <= 2 or not _NUMBER.fullmatch(words[0]):
        return None
    if len(words) == 2 and not _TIME.fullmatch(words[1]):
        return None
    time_ms = int(words[1]) if len(words) == 2 else None
    return Sample(number, name[0], labels, float(words[0]), time_ms)


def _labels(text: str, at: int) -> tuple[dict[str, str], int] | None:
    """Labels and where they end; None for a label set that can't be read."""
    while text[at : at + 1] in (" ", "\t"):
        at += 1
    if text[at : at + 1] != "{":
        return {}, at
    labels: dict[str, str] = {}
    at += 1
    more = True
    while more and (found := _LABEL.match(text, at)):
        if found[1] in labels:
            return None
        labels[found[1]] = _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[0]), found[2])
        at = found.end()
        more = bool(found[3])
    while text[at : at + 1] in (" ", "\t"):
        at += 1
    return (labels, at + 1) if text[at : at + 1] == "}" else None
