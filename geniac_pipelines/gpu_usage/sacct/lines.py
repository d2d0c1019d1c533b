"""Lines of sacct's text: physical lines out of the bytes, and those that stand for one row.

Here: line ends, encodings and what belongs together. Not here: fields (`layout`).

The file is read as a stream, and its encoding is looked at line by line: Slurm hands through the
bytes of each job name as they were submitted, so one file may hold several encodings.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from geniac_pipelines.gpu_usage.sacct import complaints
from geniac_pipelines.gpu_usage.sacct import layout as layouts
from geniac_pipelines.gpu_usage.sacct.fields import FIELD_NAMES
from geniac_pipelines.gpu_usage.sacct.layout import Layout
from geniac_pipelines.intake.reading import Place, Refusal, Source

MOST_LINE_BYTES = 1 << 20
MOST_LINES_OF_A_ROW = 100
"""Every shorter run of the lines is tried too, so that the work grows with the square."""

# NUL tells binary data; the others are what Python's cp932 makes of bytes without a meaning there.
_NOT_TEXT = re.compile("[\x00\x80\uf8f0-\uf8f3]")
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Line:
    """A physical line; `text` None where it can't be decoded, `whole` if a line feed ends it."""

    number: int
    text: str | None
    whole: bool


@dataclass(slots=True)
class Record:
    """Lines that belong together: one that begins a row, and those after it that do not."""

    first: int
    lines: list[str]
    whole: bool

    def without_blank_end(self) -> list[str]:
        """The lines up to the last that is not blank."""
        end = len(self.lines)
        while end > 1 and not self.lines[end - 1].strip():
            end -= 1
        return self.lines[:end]


def top(source: Source) -> list[tuple[int, str]]:
    """The first two lines that are not blank, with their numbers, out of the file's head."""
    encoding = "utf-16" if source.head.startswith(_UTF16_BOMS) else "utf-8-sig"
    lines = source.head.decode(encoding, errors="replace").split("\n")
    return [(n, line.rstrip("\r")) for n, line in enumerate(lines, start=1) if line.strip()][:2]


def lines(source: Source) -> Iterator[Line]:
    """Every line of the file, ended by \\n or \\r\\n; a longer one than 1 MiB comes in pieces."""
    with source.open() as file:
        if source.head.startswith(_UTF16_BOMS):
            # PowerShell redirects into UTF-16
            wide = io.TextIOWrapper(file, encoding="utf-16", errors="replace", newline="\n")
            for number, text in enumerate(wide, start=1):
                bare = text.rstrip("\n").rstrip("\r")
                yield Line(number, None if "\ufffd" in bare else bare, text.endswith("\n"))
            return
        pieces = iter(lambda: file.readline(MOST_LINE_BYTES), b"")
        for number, piece in enumerate(pieces, start=1):
            raw = piece.removeprefix(codecs.BOM_UTF8) if number == 1 else piece
            yield Line(number, _text(raw.rstrip(b"\n").rstrip(b"\r")), raw.endswith(b"\n"))


def _text(raw: bytes) -> str | None:
    for encoding in ("utf-8", "cp932"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if _NOT_TEXT.search(text) else text
    return None


def records(layout: Layout, source: Iterator[Line]) -> Iterator[Record | Refusal]:
    """Rows with the lines they stand on, and refusals of lines that can be no part of a row.

    The same header again, where files were put together, is passed over; at another one reading
    ends with a refusal. A blank line counts only within a row.
    """
    record: Record | None = None
    for line in source:
        if line.text == layout.line:
            continue
        refusal = _no_part_of_a_row(layout, line)
        if refusal is not None:
            if record is not None:
                yield record
                record = None
            yield refusal
            if refusal.complaint is complaints.OTHER_HEADER:
                return
            continue
        text = line.text or ""
        if record is not None and _continues(layout, record, line):
            record.lines.append(text)
            record.whole = line.whole
        elif text.strip():
            if record is not None:
                yield record
            record = Record(line.number, [text], line.whole)
    if record is not None:
        yield record


def _no_part_of_a_row(layout: Layout, line: Line) -> Refusal | None:
    place = Place(row=line.number)
    if line.text is None:
        return complaints.UNDECODABLE.at(place)
    first = line.text.partition(layout.delimiter)[0]
    if first in FIELD_NAMES and layouts.layout_of(line.text) is not None:
        return complaints.OTHER_HEADER.at(place)
    return None


def _continues(layout: Layout, record: Record, line: Line) -> bool:
    if not layout.may_span_lines:
        return False
    if len(record.lines) >= MOST_LINES_OF_A_ROW:
        return False
    parts = (line.text or "").split(layout.delimiter)
    return not layout.starts(parts, cut=not line.whole)
