"""`sacct --json`: one document with a list of jobs, into runs of jobs.

Here: the shapes of the versions of Slurm's data parser, and damage to the document. Not here:
which runs become rows (`job`). Steps are nested under their job and are not looked at.

dbv0.0.38 (22.05) and v0.0.40 (24.05) were seen as output; the names of v0.0.43 to v0.0.46 in
Slurm's own source (src/plugins/data_parser/*/parsers.c, the array of JOB) are the same. Since
0.0.39 a number may come as {"set": …, "infinite": …, "number": …} and a state as a list.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import orjson

from geniac_pipelines.gpu_usage.sacct import complaints, values
from geniac_pipelines.gpu_usage.sacct.cells import RowRefused
from geniac_pipelines.gpu_usage.sacct.job import COMMAND, Job, Tally, items
from geniac_pipelines.gpu_usage.sacct.tres import Gres, UnreadableTres, gpus_of_list
from geniac_pipelines.intake.reading import (
    HEAD_BYTES,
    Complaint,
    Context,
    Item,
    Place,
    Refusal,
    Source,
)
from geniac_pipelines.japanese import UndecodableText

T = TypeVar("T")

READ_VERSIONS: Final = range(38, 47)
"""Third parts of the data parser versions (0.0.38 …) whose shape this reader knows."""

MOST_BYTES: Final = 1 << 29
"""A larger document is refused: it is read whole, which took 5.4 times its size in memory."""

_SHOWN = 60

_PLUGIN = re.compile(r'"type"\s*:\s*"openapi\\?/(?:dbv[0-9.]+|slurmdbd)"')
_COMMAND = re.compile(r'"command"\s*:\s*\[\s*"(?:[^"]*/)?sacct"')
_JOBS = re.compile(r'"jobs"\s*:')
_SHAPE = tuple(
    re.compile(pattern)
    for pattern in (r'"association"\s*:\s*\{', r'"time"\s*:\s*\{', r'"allocation_nodes"\s*:')
)
_VERSION = re.compile(r"v0\.0\.([0-9]+)")


def recognise(source: Source) -> bool:
    """Whether a document looks like sacct's: its plugin, its command, or the shape of its jobs.

    Newer versions put the jobs first and `meta` last, so both ends of the file are looked at.
    """
    head = _ascii(source.head, source)
    if not head.lstrip().startswith("{"):
        return False
    ends = head + _ascii(_tail(source), source)
    if not _JOBS.search(ends):
        return False
    return bool(
        _PLUGIN.search(ends)
        or _COMMAND.search(ends)
        or all(pattern.search(head) for pattern in _SHAPE)
    )


def _tail(source: Source) -> bytes:
    with source.open() as file:
        file.seek(max(0, source.size - HEAD_BYTES))
        return file.read(HEAD_BYTES)


def _ascii(data: bytes, source: Source) -> str:
    """What of the bytes is ASCII, which is all that recognition needs, also in UTF-16."""
    if source.head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.replace(b"\0", b"")
    return data.decode("ascii", errors="ignore")


def read(source: Source, context: Context) -> Iterator[Item]:
    """Rows of SACCT_JOBS, refusals and notes; a row's place is its number in the list of jobs."""
    document = _document(source)
    if isinstance(document, Refusal):
        yield document
        return
    jobs = document.get("jobs")
    if not isinstance(jobs, list):
        yield complaints.JSON_NO_LIST.at(Place())
        return
    yield from _notes(document)
    tally = Tally()
    for number, entry in enumerate(jobs, start=1):
        yield from _job(entry, Place(row=number), context, tally)
    yield from tally.notes()


def _document(source: Source) -> Mapping[str, Any] | Refusal:
    if source.size > MOST_BYTES:
        return complaints.JSON_TOO_LARGE.at(
            Place(), size=source.size, most=MOST_BYTES, command=COMMAND
        )
    try:
        document = orjson.loads(source.decoded.text)
    except UndecodableText as error:
        return complaints.JSON_UNDECODABLE.at(Place(), offset=error.offset)
    except orjson.JSONDecodeError as error:
        return complaints.JSON_DAMAGED.at(
            Place(row=error.lineno), line=error.lineno, column=error.colno, reason=error.msg
        )
    return document if isinstance(document, dict) else complaints.JSON_NO_LIST.at(Place())


def _notes(document: Mapping[str, Any]) -> Iterator[Refusal]:
    plugin = _at(document, "meta.plugin")
    named = plugin if isinstance(plugin, Mapping) else {}
    version = str(named.get("data_parser") or named.get("type") or "?")
    found = _VERSION.search(version)
    if found is None or int(found[1]) not in READ_VERSIONS:
        yield complaints.JSON_VERSION.at(Place(), version=version[:_SHOWN])
    errors = document.get("errors")
    if errors:
        yield complaints.JSON_ERRORS.at(
            Place(), count=len(errors) if isinstance(errors, list) else 1
        )


def _job(entry: object, place: Place, context: Context, tally: Tally) -> Iterator[Item]:
    if not isinstance(entry, Mapping):
        tally.refused += 1
        yield complaints.JSON_NOT_A_JOB.at(place, row=place.row)
        return
    facts = _Facts(entry, place)
    try:
        job = _typed(facts)
    except RowRefused as refused:
        tally.refused += 1
        yield refused.refusal
        return
    tally.add(job)
    yield from facts.notes
    yield from items(job, place, context)


def _typed(facts: _Facts) -> Job:
    return Job(
        job_id=str(facts.must("job_id", _known_number)),
        state=facts.must("state.current", _state),
        cluster=facts.take("cluster", _text) or facts.take("association.cluster", _text),
        account=facts.take("account", _text) or facts.take("association.account", _text),
        user=facts.take("user", _text) or facts.take("association.user", _text),
        job_name=facts.take("name", _name),
        partition=facts.take("partition", _text),
        qos=facts.take("qos", _text),
        exit_code=facts.take("exit_code", _exit_code),
        reason=facts.take("state.reason", _text),
        submitted_at=facts.must("time.submission", _instant),
        eligible_at=facts.take("time.eligible", _instant),
        started_at=facts.must("time.start", _instant),
        ended_at=facts.must("time.end", _instant),
        elapsed_seconds=facts.must("time.elapsed", _number),
        suspended_seconds=facts.take("time.suspended", _number),
        time_limit_seconds=facts.take("time.limit", _limit),
        node_count=facts.take("allocation_nodes", _number),
        node_list=facts.take("nodes", _text),
        allocated=facts.must("tres.allocated", _tres),
        requested=facts.take("tres.requested", _tres),
    )


_ABSENT = object()


def _at(entry: Mapping[str, Any], path: str) -> object:
    found: object = entry
    for step in path.split("."):
        if not isinstance(found, Mapping):
            return _ABSENT
        found = found.get(step, _ABSENT)
    return found


@dataclass(slots=True)
class _Facts:
    """One job of the list; what could not be read collects in `notes`."""

    entry: Mapping[str, Any]
    place: Place
    notes: list[Refusal] = field(default_factory=list)

    def must(self, path: str, read: Callable[[object], T]) -> T:
        """The value; raises RowRefused where the field is missing or can't be read."""
        found = _at(self.entry, path)
        if found is _ABSENT:
            raise RowRefused(complaints.JSON_FIELD_MISSING.at(self._place(path), command=COMMAND))
        try:
            return read(found)
        except (values.UnreadableCell, UnreadableTres) as error:
            raise RowRefused(
                self._complaint(complaints.REQUIRED_CELL, path, found, error)
            ) from None

    def take(self, path: str, read: Callable[[object], T | None]) -> T | None:
        """The value; None where the field is missing, with a complaint if it can't be read."""
        found = _at(self.entry, path)
        if found is _ABSENT:
            return None
        try:
            return read(found)
        except (values.UnreadableCell, UnreadableTres) as error:
            self.notes.append(self._complaint(complaints.CELL, path, found, error))
            return None

    def _place(self, path: str) -> Place:
        return Place(row=self.place.row, column=path)

    def _complaint(
        self, complaint: Complaint, path: str, found: object, error: ValueError
    ) -> Refusal:
        if isinstance(error, values.UnreadableCell):
            ja, en = error.expected_ja, error.expected_en
        else:
            ja, en = "TRESの一覧", f"a list of TRES ({error})"
        return complaint.at(
            self._place(path),
            str(found)[:_SHOWN],
            expected_ja=ja,
            expected_en=en,
            command=COMMAND,
        )


def _text(found: object) -> str | None:
    if found is None:
        return None
    if not isinstance(found, str):
        raise values.UnreadableCell("文字列", "a string")
    return values.text(found)


def _name(found: object) -> str | None:
    """A job's name; one may well be called None."""
    return found if isinstance(found, str) and found else _text(found)


def _number(found: object) -> int | None:
    """A whole number from 0, plain or wrapped; None where it is not set, infinite or NO_VAL."""
    if isinstance(found, Mapping):
        if found.get("set") is not True or found.get("infinite") is True:
            return None
        found = found.get("number")
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise values.UnreadableCell("0以上の整数", "a whole number from 0")
    return None if found >= values.NO_VAL else found


def _known_number(found: object) -> int:
    number = _number(found)
    if number is None:
        raise values.UnreadableCell("番号", "a number")
    return number


def _instant(found: object) -> datetime | None:
    """Epoch seconds; 0 is Slurm's "not yet"."""
    seconds = _number(found)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _limit(found: object) -> int | None:
    minutes = _number(found)
    return None if minutes is None else minutes * 60


def _state(found: object) -> str:
    """The base state; where a list is given, flags such as COMPLETING follow it."""
    first = found[0] if isinstance(found, list) and found else found
    if not isinstance(first, str):
        raise values.UnreadableCell("ジョブの状態", "a job state")
    return values.state(first)


def _exit_code(found: object) -> str | None:
    """`return code:signal` as sacct's text prints it; None where neither is set."""
    if not isinstance(found, Mapping):
        raise values.UnreadableCell("終了コード", "an exit code")
    code = _number(found.get("return_code"))
    signal = found.get("signal")
    number = None
    if isinstance(signal, Mapping):
        number = _number(signal.get("id", signal.get("signal_id")))
    return None if code is None and number is None else f"{code or 0}:{number or 0}"


def _tres(found: object) -> Gres | None:
    """GPUs of a TRES list; None of an empty one, which says nothing about GPUs."""
    if not isinstance(found, list):
        raise values.UnreadableCell("TRESの一覧", "a list of TRES")
    return gpus_of_list(found) if found else None
