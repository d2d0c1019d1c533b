"""The first half of intake: take in what lies in the inbox, each file as an arrival.

It may be stopped anywhere and run again: arrivals are recorded whole, a few in a transaction,
after their bytes are safe. The second half, reading them, is `desk`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.engine import Connection

from geniac_pipelines.intake.deliveries import Sighting, look
from geniac_pipelines.intake.envelopes import Classification, opened
from geniac_pipelines.intake.moves import moved_from, noted
from geniac_pipelines.intake.reading import Format, Source
from geniac_pipelines.settings import Clock
from geniac_pipelines.store.archive import Archive, ChangedWhileRead, StoredObject
from geniac_pipelines.store.arrivals import (
    Arrival,
    LastTaken,
    Reading,
    forget,
    identified,
    last_taken,
    newest_receipt,
    record,
    register,
    saw,
    seen,
    supersede,
    taken_with,
)
from geniac_pipelines.store.ledger import Ledger

SETTLE_SECONDS = 2.0
"""A file younger than this is looked at twice, this far apart, and left for later if it grows."""
FILES_A_TRANSACTION = 50
BYTES_A_TRANSACTION = 256 * 2**20


@dataclass
class Taken:
    """What a look at the inbox gave: paths newly taken in, paths left for later with the reason.

    `moved` are those of the new paths that a file of another sender's folder moved to, with the
    old path.
    """

    arrivals: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)


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
    the same bytes at another path are, and so are old bytes that come back after others. If their
    old path is gone and was another sender's, the file was moved: the new arrival then stands for
    the old one, received when that was.
    """
    taken = Taken()
    if not inbox.is_dir():
        raise NoInbox(
            f"受信箱 {inbox} がありません。フォルダを作るか、--inbox を確かめてください / "
            f"the inbox {inbox} is no folder; make it, or correct --inbox (GENIAC_INBOX)"
        )

    def unlisted(error: OSError) -> None:
        taken.waiting[Path(error.filename).relative_to(inbox).as_posix()] = str(error)

    known = seen(ledger)
    found = list(look(inbox, unlisted))
    fresh = [s for s in found if known.get(s.path) != (s.size, s.mtime_ns, s.delivery.words)]
    _settle(fresh, settle_seconds)
    reception = _Reception(
        archive,
        ledger,
        formats,
        _Receipts(ledger, clock),
        present={s.path for s in found},
        unlisted=tuple(taken.waiting),
    )
    for batch in _batches(fresh):
        stored = [s for sighting in batch if (s := reception.store(sighting, taken.waiting))]
        for came in reception.register(stored):
            taken.arrivals.append(came.sighting.path)
            if came.moved_from:
                taken.moved[came.sighting.path] = came.moved_from
    return taken


def _batches(fresh: Sequence[Sighting]) -> Iterator[list[Sighting]]:
    """Files that are registered together: so few and small that a kill costs little work."""
    batch: list[Sighting] = []
    for sighting in fresh:
        batch.append(sighting)
        if len(batch) >= FILES_A_TRANSACTION or sum(s.size for s in batch) >= BYTES_A_TRANSACTION:
            yield batch
            batch = []
    if batch:
        yield batch


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


class NoInbox(FileNotFoundError):
    """There is no folder where the inbox should be."""


@dataclass(frozen=True)
class _Stored:
    """A file of the inbox whose bytes are safe."""

    sighting: Sighting
    object: StoredObject
    envelope: bool


@dataclass(frozen=True)
class _Came:
    """What is to be registered of one file. `replaced` is an arrival that it now stands for."""

    sighting: Sighting
    arrival: Arrival
    members: tuple[Arrival, ...] = ()
    envelope: Reading | None = None
    replaced: Arrival | None = None
    moved_from: str | None = None


@dataclass
class _Reception:
    """Where files come in. `present` are the paths that this look saw, `unlisted` the folders of
    which nobody knows what they hold."""

    archive: Archive
    ledger: Ledger
    formats: Sequence[Format]
    receipts: _Receipts
    present: Collection[str]
    unlisted: Sequence[str]
    _moved: set[str] = field(default_factory=set)

    def _gone(self, path: str) -> bool:
        """Whether no file is at a path any more, and none was found to have moved from there."""
        hidden = any(path.startswith(f"{folder}/") for folder in self.unlisted)
        return not hidden and path not in self.present and path not in self._moved

    def store(self, sighting: Sighting, waiting: dict[str, str]) -> _Stored | None:
        """Archive a file; if it can't be had yet, say why in `waiting`."""
        try:
            return self._store(sighting)
        except FileNotFoundError:
            if sighting.file.exists():
                raise  # something of ours is missing, not the sender's file
            waiting[sighting.path] = "gone before it could be read"
        except PermissionError as error:
            if error.filename != str(sighting.file):
                raise  # our own folder
            waiting[sighting.path] = str(error)
        except ChangedWhileRead as error:
            waiting[sighting.path] = f"{type(error).__name__}: {error}"
        return None

    def _store(self, sighting: Sighting) -> _Stored:
        now = sighting.file.stat()
        if (now.st_size, now.st_mtime_ns) != (sighting.size, sighting.mtime_ns):
            raise ChangedWhileRead("it is still being written")
        classified = Classification(Source(sighting.path, sighting.file), self.formats)
        stored = self.archive.put(sighting.file, private=lambda: classified.private)
        return _Stored(sighting, stored, classified.envelope)

    def register(self, batch: Sequence[_Stored]) -> list[_Came]:
        """Register archived files in one transaction; those that are new arrivals are returned."""
        before = last_taken(self.ledger, [s.sighting.path for s in batch])
        twins = taken_with(self.ledger, {s.object.sha256 for s in batch})
        touched: list[tuple[Sighting, str]] = []
        came: list[_Came] = []
        for stored in batch:
            last = before.get(stored.sighting.path)
            same = last is not None and last.arrival.sha256 == stored.object.sha256
            if last and same and last.delivery == stored.sighting.delivery.words:
                touched.append((stored.sighting, last.arrival.arrival_id))
            else:
                came.append(self._come(stored, last, twins))
        with self.ledger.transaction() as connection:
            for one in came:
                if one.replaced:
                    supersede(connection, one.replaced, one.arrival.arrival_id)
                if one.moved_from:
                    forget(connection, one.moved_from)
                for arrival in (one.arrival, *one.members):
                    register(connection, arrival, datetime.now(UTC))
            record(connection, *(one.envelope for one in came if one.envelope))
            for sighting, arrival_id in touched:
                _saw(connection, sighting, arrival_id)
            for one in came:
                _saw(connection, one.sighting, one.arrival.arrival_id)
        return came

    def _come(self, stored: _Stored, last: LastTaken | None, twins: Sequence[LastTaken]) -> _Came:
        sighting, delivery = stored.sighting, stored.sighting.delivery
        same = last is not None and last.arrival.sha256 == stored.object.sha256
        gone = {twin.path for twin in twins if self._gone(twin.path)}
        move = None if same else moved_from(sighting, stored.object.sha256, twins, gone)
        received_at = delivery.received_at
        if received_at is None and move and not last:
            received_at = move.arrival.received_at
        received_at = received_at or self.receipts.next(last.arrival.received_at if last else None)
        arrival = identified(
            Arrival(
                "",
                stored.object.sha256,
                stored.object.size,
                sighting.path,
                delivery.sender,
                delivery.channel,
                received_at,
                delivery.zone,
            )
        )
        came = _Came(sighting, arrival)
        if stored.envelope:
            reading, members = opened(arrival, self.archive, self.formats)
            came = replace(came, envelope=reading, members=tuple(members))
        if last and same:
            return replace(came, replaced=last.arrival)
        if move:
            self._moved.add(move.path)
            envelope = came.envelope and noted(came.envelope, move.arrival)
            came = replace(came, replaced=move.arrival, moved_from=move.path, envelope=envelope)
        return came


def _saw(connection: Connection, sighting: Sighting, arrival: str) -> None:
    saw(
        connection,
        sighting.path,
        size=sighting.size,
        mtime_ns=sighting.mtime_ns,
        delivery=sighting.delivery.words,
        arrival=arrival,
    )
