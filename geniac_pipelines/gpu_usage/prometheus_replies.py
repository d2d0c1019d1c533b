"""Saved replies of Prometheus' HTTP API, taken apart series by series without holding the file.

Here: bytes to replies (the envelope) and series (labels and values as they stand), for one reply
or several after each other in a file. Not here: what any of it means (`prometheus`).

No JSON object is the beginning of another, so the first text that starts at `{`, ends at `}` and
parses is the whole object. That finds a series' end without a tokenizer, in any order of keys.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

import orjson

from geniac_pipelines.gpu_usage.prometheus_plain import BEGINS, ENDS, plain_series
from geniac_pipelines.gpu_usage.telemetry_metrics import Floats

CHUNK: Final = 1 << 20
MAX_OBJECT_BYTES: Final = 1 << 26
"""A series longer than this (three million points) is taken for damage."""

_RESULT = re.compile(rb'"result"\s*:\s*\[')
_BLANK = re.compile(rb"[\s,]*")


@dataclass(frozen=True)
class Series:
    """One element of `data.result`: labels under `metric`, `values` or `value`.

    Of a series in Prometheus' own form, `points` are the values (time, value) and `content` holds
    the labels alone.
    """

    number: int
    content: dict[str, Any]
    points: Floats | None = None


@dataclass(frozen=True)
class Reply:
    """All of a reply but its series, which came before it (`data.result` is empty here)."""

    content: dict[str, Any]
    series: int


class Broken(ValueError):
    """The text stops being JSON, or ends, after `series` whole series of the current reply."""

    def __init__(self, series: int, *, in_reply: bool) -> None:
        super().__init__(f"not JSON after {series} series")
        self.series = series
        self.in_reply = in_reply


def replies(stream: IO[bytes]) -> Iterator[Series | Reply]:
    """Series as they come, after each reply's last one the reply itself.

    Raises Broken where the text is damaged or cut off, and for series that are no objects.
    """
    text = _Text(stream)
    while text.skip_blank():
        head, has_result = _head(text)
        if not has_result:
            yield Reply(head, 0)
            continue
        start = text.take_head()
        number = 0
        while text.skip_blank() and text.peek() == b"{":
            number += 1
            if plain := text.take_plain():
                yield Series(number, {"metric": plain[0]}, plain[1])
                continue
            content = text.take_object(b"")
            if content is None:
                raise Broken(number - 1, in_reply=True)
            yield Series(number, content)
        rest = text.take_object(start)
        if rest is None:
            raise Broken(number, in_reply=True)
        yield Reply(rest, number)


def _head(text: _Text) -> tuple[dict[str, Any], bool]:
    """A reply without a result (an error), or {} and True when a result array follows."""
    text.read_to_result()
    limit = text.result_starts()
    whole = text.take_object(b"", limit=limit)
    if whole is not None:
        return whole, False
    if limit is None:
        raise Broken(0, in_reply=False)
    return {}, True


class _Text:
    """The unread part of the file, grown by need; UTF-16 (a Windows shell's `>`) becomes UTF-8."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._buffer = bytearray(stream.read(CHUNK))
        self._decoder: codecs.IncrementalDecoder | None = None
        if self._buffer.startswith(codecs.BOM_UTF8):
            del self._buffer[: len(codecs.BOM_UTF8)]
        elif self._buffer.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._decoder = codecs.getincrementaldecoder("utf-16")("replace")
            self._buffer = bytearray(self._decoder.decode(bytes(self._buffer)).encode())

    def _more(self) -> bool:
        chunk = self._stream.read(CHUNK)
        if self._decoder and chunk:
            chunk = self._decoder.decode(chunk).encode("utf-8", "replace")
        self._buffer += chunk
        return bool(chunk)

    def peek(self) -> bytes:
        return bytes(self._buffer[:1])

    def skip_blank(self) -> bool:
        """Move past blanks and commas; False at the end of the file."""
        while True:
            blank = _BLANK.match(self._buffer)
            del self._buffer[: blank.end() if blank else 0]
            if self._buffer:
                return True
            if not self._more():
                return False

    def read_to_result(self) -> None:
        while _RESULT.search(self._buffer) is None and len(self._buffer) < MAX_OBJECT_BYTES:
            if not self._more():
                return

    def result_starts(self) -> int | None:
        found = _RESULT.search(self._buffer)
        return found.start() if found else None

    def take_head(self) -> bytes:
        """The reply's text up to and with the `[` of its result."""
        found = _RESULT.search(self._buffer)
        end = found.end() if found else 0
        head = bytes(self._buffer[:end])
        del self._buffer[:end]
        return head

    def take_plain(self) -> tuple[dict[str, Any], Floats] | None:
        """A series in Prometheus' own form; None, and nothing taken, where the text is another."""
        while len(self._buffer) < len(BEGINS) and self._more():
            pass
        if not self._buffer.startswith(BEGINS):
            return None
        searched = 0
        while (found := self._buffer.find(ENDS, searched)) < 0:
            searched = max(0, len(self._buffer) - len(ENDS) + 1)
            if searched > MAX_OBJECT_BYTES or not self._more():
                return None
        end = found + len(ENDS)
        plain = plain_series(bytes(self._buffer[:end]))
        if plain:
            del self._buffer[:end]
        return plain

    def take_object(self, before: bytes, limit: int | None = None) -> dict[str, Any] | None:
        """The shortest object that `before` and the text begin with; None if there is none.

        With `limit` only the text before that offset is looked at.
        """
        at = 0
        while True:
            at = self._buffer.find(b"}", at, limit) + 1
            if at == 0:
                at = len(self._buffer)
                if limit is not None or at > MAX_OBJECT_BYTES or not self._more():
                    return None
                continue
            with memoryview(self._buffer) as view, view[:at] as text:
                content = _parsed(before + bytes(text) if before else text)
            if content is not None:
                del self._buffer[:at]
                return content


def _parsed(text: bytes | memoryview) -> dict[str, Any] | None:
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None
