"""The two halves of intake: take in what lies in the inbox, then read what nobody has read.

Both may be stopped anywhere and run again: arrivals and readings are recorded whole, each in a
transaction, after their bytes are safe.
"""

from __future__ import annotations

import errno
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import overload

from sqlalchemy.engine import Connection

from geniac_pipelines.intake.contracts import Contract
from geniac_pipelines.intake.deliveries import Sighting, look
from geniac_pipelines.intake.land import Landed, land
from geniac_pipelines.intake.reading import (
    Complaint,
    Context,
    Format,
    Place,
    Refusal,
    Source,
    edition,
)
from geniac_pipelines.intake.recognise import recognise
from geniac_pipelines.intake.unpack import NESTED, UnpackRefused, is_archive, members
from geniac_pipelines.japanese import UndecodableText
from geniac_pipelines.settings import Clock
from geniac_pipelines.store.archive import Archive, ChangedWhileRead, DamagedObject
from geniac_pipelines.store.arrivals import (
    Arrival,
    Reading,
    RefusalRecord,
    arrival_id,
    last_taken,
    newest_receipt,
    record,
    register,
    saw,
    seen,
    supersede,
    unread,
)
from geniac_pipelines.store.ledger import Ledger

SETTLE_SECONDS = 2.0
"""A file younger than this is looked at twice, this far apart, and left for later if it grows."""
READINGS_A_TRANSACTION = 50
MASK = "＊＊＊"
OURS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)
"""Faults of our own disk or process while a file is read: they stop the night, which is run again,
and are never held against the file."""
ENVELOPE = "envelope"
"""Format recorded for an archive whose members were taken in as arrivals of their own."""

UNKNOWN = Complaint(
    "format.unknown",
    "file",
    ja="ファイルの形式を判別できません",
    ja_remedy="様式一覧の形式（geniac template の様式、sacct -P の出力など）で提出してください",
    en="no known format fits this file",
    en_remedy="send one of the listed formats (a template from `geniac template`, `sacct -P`, …)",
)


UNDECODABLE = Complaint(
    "text.undecodable",
    "file",
    ja="文字コードを読めません（先頭から{offset}バイト目）",
    ja_remedy="{reason_ja}",
    en="the bytes are no text from byte {offset} on",
    en_remedy="{reason_en}",
)


@dataclass
class Taken:
    """What a look at the inbox gave: paths newly taken in, paths left for later with the reason."""

    arrivals: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)


def take_in(
    inbox: Path,
    archive: Archive,
    ledger: Ledger,
    formats: Sequence[Format],
    clock: Clock,
    *,
    settle_seconds: float = SETTLE_SECONDS,
) -> Taken:
    """Archive and register every new or changed file of the inbox that is whole.

    A file that was touched but still holds the bytes that were taken from it is no new arrival;
    the same bytes at another path are, and so are old bytes that come back after others.
    """
    taken = Taken()
    if not inbox.is_dir():
        raise FileNotFoundError(f"the inbox {inbox} does not exist")

    def unlisted(error: OSError) -> None:
        taken.waiting[Path(error.filename).relative_to(inbox).as_posix()] = str(error)

    known = seen(ledger)
    fresh = [
        s
        for s in look(inbox, unlisted)
        if known.get(s.path) != (s.size, s.mtime_ns, s.delivery.words)
    ]
    _settle(fresh, settle_seconds)
    receipts = _Receipts(ledger, clock)
    for sighting in fresh:
        try:
            if _take(sighting, archive, ledger, formats, receipts):
                taken.arrivals.append(sighting.path)
        except FileNotFoundError:
            if sighting.file.exists():
                raise  # something of ours is missing, not the sender's file
            taken.waiting[sighting.path] = "gone before it could be read"
        except PermissionError as error:
            if error.filename != str(sighting.file):
                raise  # our own folder
            taken.waiting[sighting.path] = str(error)
        except ChangedWhileRead as error:
            taken.waiting[sighting.path] = f"{type(error).__name__}: {error}"
    return taken


def _settle(fresh: Sequence[Sighting], settle_seconds: float) -> None:
    """Wait once if any of the files is so young that somebody may still be writing it.

    A time of change in the future (another machine's clock, or ours set back) tells no age.
    """
    youngest = max((s.mtime_ns for s in fresh if s.delivery.received_at is None), default=0)
    age = max(time.time() - youngest / 1e9, 0.0)
    if age < settle_seconds:
        time.sleep(settle_seconds - age)


class _Receipts:
    """When the files of one look came in, for those whose delivery does not say.

    Receipts decide which of two versions holds, so no two may be the same: where `as_of` fixes
    the day, each file gets the microsecond after the last, in order of path.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._clock = clock
        self._last = newest_receipt(ledger, clock.receipt(), clock.now()) if clock.as_of else None

    def next(self, before: datetime | None) -> datetime:
        """The receipt of the next file; later than `before`, that of the path's last version,
        also when the clock was set back between them."""
        stamp = self._clock.receipt()
        for other in (self._last, before):
            if other is not None and other >= stamp:
                stamp = other + timedelta(microseconds=1)
        if self._clock.as_of:
            self._last = stamp
        return stamp


def _take(
    sighting: Sighting,
    archive: Archive,
    ledger: Ledger,
    formats: Sequence[Format],
    receipts: _Receipts,
) -> bool:
    """Take one file in; False if its bytes and what is said of them are those already taken."""
    now = sighting.file.stat()
    if (now.st_size, now.st_mtime_ns) != (sighting.size, sighting.mtime_ns):
        raise ChangedWhileRead("it is still being written")
    delivery = sighting.delivery
    stored = archive.put(sighting.file)
    last, words = last_taken(ledger, sighting.path) or (None, "")
    same_bytes = last is not None and last.sha256 == stored.sha256
    if last and same_bytes and words == delivery.words:
        with ledger.transaction() as connection:
            _saw(connection, sighting, last.arrival_id)
        return False
    received_at = delivery.received_at or receipts.next(last.received_at if last else None)
    whole_file = _arrival(
        Arrival(
            "",
            stored.sha256,
            stored.size,
            sighting.path,
            delivery.sender,
            delivery.channel,
            received_at,
            delivery.zone,
        )
    )
    opened, parts = _opened(whole_file, archive, formats)
    with ledger.transaction() as connection:
        if last and same_bytes:
            supersede(connection, last, whole_file.arrival_id)
        for arrival in (whole_file, *parts):
            register(connection, arrival, datetime.now(UTC))
        for reading in opened:
            record(connection, reading)
        _saw(connection, sighting, whole_file.arrival_id)
    return True


def _saw(connection: Connection, sighting: Sighting, arrival: str) -> None:
    saw(
        connection,
        sighting.path,
        size=sighting.size,
        mtime_ns=sighting.mtime_ns,
        delivery=sighting.delivery.words,
        arrival=arrival,
    )


def _arrival(unnamed: Arrival) -> Arrival:
    a = unnamed
    return replace(
        a,
        arrival_id=arrival_id(
            a.sha256,
            a.name,
            sender=a.sender,
            channel=a.channel,
            received_at=a.received_at,
            zone=a.zone,
        ),
    )


def _opened(
    whole_file: Arrival, archive: Archive, formats: Sequence[Format]
) -> tuple[list[Reading], list[Arrival]]:
    """If the file is an envelope: its members as arrivals, and what is known without reading.

    The archived bytes are looked at, not the inbox, where another version may lie by now.
    """
    with archive.materialised(whole_file.sha256) as file:
        source = Source(whole_file.name, file)
        if not is_archive(source) or _claimed(source, formats):
            return [], []
        parts: list[Arrival] = []
        try:
            with TemporaryDirectory(prefix="geniac-unpack-", dir=archive.work) as folder:
                for name, member in members(source, Path(folder)):
                    stored = archive.put(member)
                    inner = Source(name, member)
                    part = _arrival(
                        replace(
                            whole_file,
                            sha256=stored.sha256,
                            bytes=stored.size,
                            name=f"{whole_file.name}!{_storable(name)}",
                        )
                    )
                    if is_archive(inner) and not _claimed(inner, formats):
                        raise UnpackRefused(NESTED.at(Place()))
                    parts.append(part)
                    member.unlink()
        except UnpackRefused as refused:
            return [_envelope(whole_file, refused.refusal)], []
    return [_envelope(whole_file)], parts


def _claimed(source: Source, formats: Sequence[Format]) -> bool:
    """Whether a format takes the file as it is; if asking fails, reading it will tell why."""
    try:
        return recognise(source, formats) is not None
    except Exception:  # noqa: BLE001 - the reading of this file records the fault
        return True


def _envelope(arrival: Arrival, refusal: Refusal | None = None) -> Reading:
    return Reading(
        arrival.arrival_id,
        ENVELOPE,
        1,
        "refused" if refusal else "landed",
        complaints=1 if refusal else 0,
        refusals=(_kept(refusal, personal=False),) if refusal else (),
    )


@dataclass(frozen=True)
class Desk:
    """What reading needs beside the arrivals: where things lie and how people are named.

    `days_of(contract, file)` gives the days (Asia/Tokyo) that a bulk file touches.
    """

    data: Path
    archive: Archive
    ledger: Ledger
    formats: Sequence[Format]
    pseudonym: Callable[[str, str], str]
    days_of: Callable[[Contract, Path], set[date]]


def to_read(desk: Desk) -> Sequence[Arrival]:
    """Arrivals that nobody has read, or whose reading the desk's formats have overtaken."""
    return unread(desk.ledger, {f.name: f.version for f in desk.formats}, edition(desk.formats))


def read_arrivals(desk: Desk, pending: Sequence[Arrival]) -> Iterator[tuple[Arrival, Reading]]:
    """Read each arrival, record what came of it, and yield it.

    A reader that raises costs its own file only: the reading is recorded as failed with the
    traceback, which is an engineer's matter, not the sender's.
    """
    batch: list[tuple[Arrival, Reading]] = []
    for arrival in pending:
        batch.append((arrival, _read(desk, arrival)))
        if len(batch) >= READINGS_A_TRANSACTION:
            yield from _recorded(desk.ledger, batch)
            batch = []
    yield from _recorded(desk.ledger, batch)


def _recorded(
    ledger: Ledger, batch: Sequence[tuple[Arrival, Reading]]
) -> Iterator[tuple[Arrival, Reading]]:
    if not batch:
        return
    with ledger.transaction() as connection:
        for _, reading in batch:
            record(connection, reading)
    yield from batch


def _read(desk: Desk, arrival: Arrival) -> Reading:
    try:
        with desk.archive.materialised(arrival.sha256) as file:
            return _read_file(desk, arrival, Source(arrival.name, file))
    except (DamagedObject, FileNotFoundError):
        return _failed(desk, arrival, None, traceback.format_exc())


def _read_file(desk: Desk, arrival: Arrival, source: Source) -> Reading:
    known: Format | None = None
    try:
        known = recognise(source, desk.formats)
        if known is None:
            return _unknown(desk, arrival)
        context = Context(
            received_at=arrival.received_at,
            pseudonym=desk.pseudonym,
            sender=arrival.sender,
            zone=arrival.zone,
        )
        landed = land(
            known.read(source, context),
            arrival_id=arrival.arrival_id,
            context=context,
            path_of=lambda c: desk.data / landing_path(c.name, arrival.arrival_id),
        )
        return _reading(desk, arrival, known, landed)
    except UndecodableText as error:
        # the reader may leave this to us: it is the sender's matter, and costs the whole file
        refusal = UNDECODABLE.at(
            Place(), offset=error.offset, reason_ja=error.reason_ja, reason_en=error.reason_en
        )
        unreadable = Landed()
        unreadable.refuse(refusal)
        return _reading(desk, arrival, known, unreadable) if known else _unknown(desk, arrival)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OURS:
            raise
        # the traceback names the copy that was read, which is another each time
        trace = traceback.format_exc().replace(str(source.path), arrival.name)
        return _failed(desk, arrival, known, trace)


def _unknown(desk: Desk, arrival: Arrival) -> Reading:
    return Reading(
        arrival.arrival_id,
        None,
        None,
        "unknown",
        complaints=1,
        readers=edition(desk.formats),
        refusals=(_kept(UNKNOWN.at(Place()), personal=False),),
    )


def _failed(desk: Desk, arrival: Arrival, known: Format | None, trace: str) -> Reading:
    for contract in known.contracts if known else ():
        (desk.data / landing_path(contract.name, arrival.arrival_id)).unlink(missing_ok=True)
    return Reading(
        arrival.arrival_id,
        known.name if known else None,
        known.version if known else None,
        "failed",
        error=_storable(trace),
        readers=edition(desk.formats),
    )


def _reading(desk: Desk, arrival: Arrival, known: Format, landed: Landed) -> Reading:
    bulk = {c.name: c for c in known.contracts if c.bulk}
    return Reading(
        arrival_id=arrival.arrival_id,
        format=known.name,
        format_version=known.version,
        outcome=landed.outcome,
        complaints=landed.complaints,
        readers=edition(desk.formats),
        tables=tuple(
            (name, landing_path(name, arrival.arrival_id), rows)
            for name, rows in sorted(landed.rows.items())
        ),
        days=tuple(
            (name, day)
            for name, path in sorted(landed.files.items())
            if name in bulk
            for day in sorted(desk.days_of(bulk[name], path))
        ),
        refusals=tuple(_kept(r, personal=known.personal) for r in landed.refusals),
    )


def landing_path(contract: str, arrival: str) -> str:
    """Where an arrival's rows of a landing table lie, relative to the data folder."""
    return f"landing/{contract}/{arrival}.parquet"


def _kept(refusal: Refusal, *, personal: bool) -> RefusalRecord:
    shown = replace(refusal, cell=MASK) if personal and refusal.cell is not None else refusal
    return RefusalRecord(
        code=shown.complaint.code,
        costs=shown.complaint.costs,
        sheet=_storable(shown.place.sheet),
        line=shown.place.row,
        column=_storable(shown.place.column),
        cell=_storable(shown.cell),
        ja=_storable(shown.ja),
        ja_remedy=_storable(shown.ja_remedy),
        en=_storable(shown.en),
        en_remedy=_storable(shown.en_remedy),
    )


@overload
def _storable(text: str) -> str: ...
@overload
def _storable(text: str | None) -> str | None: ...
def _storable(text: str | None) -> str | None:
    """Text that both databases can hold: no NUL (PostgreSQL), no half of a surrogate pair."""
    if text is None:
        return None
    return text.replace("\0", "␀").encode("utf-8", "backslashreplace").decode()
