"""`sacct -P` and `-p`: delimited text with a header, in any order of fields, into runs of jobs.

Here: what kind of sacct text a file is, and its rows one after the other. Not here: lines
(`lines`), the cutting and mending of rows (`layout`), cells (`cells`), or
which runs are kept (`job`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from geniac_pipelines.gpu_usage.sacct import complaints
from geniac_pipelines.gpu_usage.sacct import layout as layouts
from geniac_pipelines.gpu_usage.sacct.cells import RowRefused, Typist
from geniac_pipelines.gpu_usage.sacct.job import COMMAND, Tally, items
from geniac_pipelines.gpu_usage.sacct.layout import Layout
from geniac_pipelines.gpu_usage.sacct.lines import Record, lines, records, top
from geniac_pipelines.intake.reading import Context, Item, Place, Refusal, Source

REQUIRED: Final[tuple[tuple[str, ...], ...]] = (
    ("JobIDRaw", "JobID"),
    ("Start",),
    ("End",),
    ("AllocTRES", "AllocGRES"),
)
"""Fields without which nothing can be said; the second of a pair stands in for the first."""


def recognise(source: Source) -> bool:
    """Whether the file begins as sacct's text does: delimited, without header, or as a table."""
    first = [text for _, text in top(source)]
    return bool(first) and (
        layouts.layout_of(first[0]) is not None
        or layouts.is_headerless(first[0])
        or layouts.is_fixed_width(first)
    )


def read(source: Source, context: Context) -> Iterator[Item]:
    """Rows of SACCT_JOBS, refusals and notes in the order of the file; notes on the whole last."""
    for number, text in top(source)[:1]:
        header = Place(row=number)
        layout = layouts.layout_of(text)
        if layout is None:
            headerless = layouts.is_headerless(text)
            kind = complaints.NO_HEADER if headerless else complaints.FIXED_WIDTH
            yield kind.at(header, command=COMMAND)
            return
        if not layout.is_sure:
            yield complaints.DELIMITER.at(header, layout.delimiter, command=COMMAND)
            return
        missing = [names[0] for names in REQUIRED if not layout.index.keys() & set(names)]
        if missing:
            yield complaints.FIELDS_MISSING.at(header, missing=", ".join(missing), command=COMMAND)
            return
        yield from _Reader(layout, context).read(source, header)


class _Reader:
    """Reads the rows under one header; holds one row and a few counters at a time."""

    def __init__(self, layout: Layout, context: Context) -> None:
        self._layout = layout
        self._context = context
        self._typist = Typist(layout, context.zone)
        self._tally = Tally()
        self._mended = 0
        self._first_mended: int | None = None
        self._composed_id: str | None = None

    def read(self, source: Source, header: Place) -> Iterator[Item]:
        """Everything the file gives, streamed."""
        if "State" not in self._layout.index:
            yield complaints.NO_STATE.at(header, command=COMMAND)
        if "Submit" not in self._layout.index:
            yield complaints.NO_SUBMIT.at(header, command=COMMAND)
        for record in records(self._layout, lines(source)):
            if isinstance(record, Refusal):
                yield self._refused(record)
            else:
                yield from self._row(record)
        yield from self._notes_on_rows()

    def _notes_on_rows(self) -> Iterator[Refusal]:
        if self._typist.local:
            yield complaints.LOCAL_TIME.at(Place(), zone=self._context.zone)
        if self._composed_id is not None:
            yield complaints.NO_RAW_ID.at(Place(), self._composed_id)
        if self._mended:
            yield complaints.MENDED.at(
                Place(row=self._first_mended), count=self._mended, command=COMMAND
            )
        yield from self._tally.notes()

    def _row(self, record: Record) -> Iterator[Item]:
        """The row of a record; lines after it that are no part of it are refused.

        Where the last line has no line feed the row on it is refused, since a number may be cut
        without a trace (`gres/gpu=1` of `gres/gpu=16`), unless a last delimiter closes it.
        """
        layout, all_lines = self._layout, record.without_blank_end()
        fields, used = None, len(all_lines)
        while used and (fields := layout.fields(all_lines[:used])) is None:
            used -= 1
        to_the_end = fields is None or used == len(all_lines)
        ended = record.whole or (layout.trailing and fields is not None and to_the_end)
        if not ended and to_the_end:
            yield self._refused(complaints.CUT.at(Place(row=record.first)))
            return
        if fields is not None:
            yield from self._fields(fields, record.first, layout.is_mended(all_lines[:used]))
        elif layout.begins_step(all_lines[0].split(layout.delimiter)):
            self._tally.steps += 1
            used = 1
        else:
            yield self._broken(record.first, all_lines[0])
            used = len(all_lines)
        for at in range(used, len(all_lines)):
            if not ended and at == len(all_lines) - 1:
                yield self._refused(complaints.CUT.at(Place(row=record.first + at)))
            else:
                yield self._broken(record.first + at, all_lines[at])

    def _fields(self, fields: list[str], row: int, mended: bool) -> Iterator[Item]:
        if self._layout.is_step(fields):
            self._tally.steps += 1
            return
        place = Place(row=row)
        try:
            job, notes = self._typist.job(fields, place)
        except RowRefused as refused:
            yield self._refused(refused.refusal)
            return
        if mended:
            self._mended += 1
            self._first_mended = self._first_mended or row
        if self._composed_id is None and not job.job_id.isdecimal():
            self._composed_id = job.job_id
        self._tally.add(job)
        yield from notes
        yield from items(job, place, self._context)

    def _refused(self, refusal: Refusal) -> Refusal:
        self._tally.refused += 1
        return refusal

    def _broken(self, row: int, line: str) -> Refusal:
        found = line.count(self._layout.delimiter) + (not self._layout.trailing)
        return self._refused(
            complaints.FIELD_COUNT.at(
                Place(row=row), expected=len(self._layout.names), found=found, command=COMMAND
            )
        )
