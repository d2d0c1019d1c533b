"""The ledger's statements about arrivals and what reading them gave."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import overload

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.store.ledger import (
    Ledger,
    arrivals,
    landing_days,
    landings,
    personal_objects,
    readings,
    refusals,
    sightings,
    upsert,
)

LOSSES = ("file", "row", "cell")
"""Costs of a refusal that lost something, so that the sender has to correct it; worst first."""


@dataclass(frozen=True)
class Arrival:
    """Bytes that came from somebody. `name` is the path in the inbox, members after '!'."""

    arrival_id: str
    sha256: str
    bytes: int
    name: str
    sender: str | None
    channel: str
    received_at: datetime
    zone: str


def arrival_id(
    sha256: str, name: str, *, sender: str | None, channel: str, received_at: datetime, zone: str
) -> str:
    """20 hex digits that the same delivery gets again after a kill and on a replay."""
    stamp = received_at.astimezone(UTC).isoformat()
    words = "\0".join((sha256, name, sender or "", channel, stamp, zone))
    return hashlib.sha256(words.encode()).hexdigest()[:20]


def identified(unnamed: Arrival) -> Arrival:
    """The arrival with the id that its statement gives it."""
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


def register(connection: Connection, arrival: Arrival, registered_at: datetime) -> None:
    """Record an arrival; the same one twice is one, and holds again if it was superseded."""
    values = {**arrival.__dict__, "registered_at": registered_at}
    connection.execute(
        upsert(arrivals, connection)
        .values(values)
        .on_conflict_do_update(index_elements=["arrival_id"], set_={"superseded_by": None})
    )


def supersede(connection: Connection, old: Arrival, by: str) -> None:
    """From now on arrival `by` stands for `old` and, if that is an envelope, for its members.

    For the same bytes under a corrected statement (sender, receipt, zone) or moved to another
    sender: neither would be newer than the other, and the rows would be counted for both senders.
    """
    member = sa.and_(
        arrivals.c.name.startswith(f"{old.name}!", autoescape=True),
        arrivals.c.sender.is_not_distinct_from(old.sender),
        arrivals.c.channel == old.channel,
        arrivals.c.received_at == old.received_at,
        arrivals.c.zone == old.zone,
    )
    connection.execute(
        sa.update(arrivals)
        .where(sa.or_(arrivals.c.arrival_id == old.arrival_id, member))
        .values(superseded_by=by)
    )


def saw(
    connection: Connection, path: str, *, size: int, mtime_ns: int, delivery: str, arrival: str
) -> None:
    """Remember a taken file, so that it is not opened again while it stays as it is."""
    values = {"size": size, "mtime_ns": mtime_ns, "delivery": delivery, "arrival_id": arrival}
    connection.execute(
        upsert(sightings, connection)
        .values(path=path, **values)
        .on_conflict_do_update(index_elements=["path"], set_=values)
    )


@dataclass(frozen=True)
class LastTaken:
    """What was last taken in from a path of the inbox, with the manifest's words then."""

    path: str
    mtime_ns: int
    delivery: str
    arrival: Arrival


def last_taken(ledger: Ledger, paths: Collection[str]) -> dict[str, LastTaken]:
    """What was last taken in from some paths, by path."""
    return {found.path: found for found in _taken(ledger, sightings.c.path.in_(paths))}


def taken_with(ledger: Ledger, digests: Collection[str]) -> list[LastTaken]:
    """Every path from which the bytes of these SHA-256 were last taken in, in order."""
    return _taken(ledger, arrivals.c.sha256.in_(digests))


def _taken(ledger: Ledger, which: sa.ColumnElement[bool]) -> list[LastTaken]:
    statement = (
        sa.select(
            sightings.c.path,
            sightings.c.mtime_ns,
            sightings.c.delivery,
            *(arrivals.c[n] for n in Arrival.__dataclass_fields__),
        )
        .join(sightings, sightings.c.arrival_id == arrivals.c.arrival_id)
        .where(which)
        .order_by(sightings.c.path)
    )
    with ledger.reading() as connection:
        return [
            LastTaken(row.path, row.mtime_ns, row.delivery, Arrival(*row[3:]))
            for row in connection.execute(statement)
        ]


def forget(connection: Connection, path: str) -> None:
    """A file left its path; should it come back there, it is looked at again."""
    connection.execute(sa.delete(sightings).where(sightings.c.path == path))


def moved(ledger: Ledger) -> dict[str, Arrival]:
    """Of arrivals that came about by a move in the inbox: the arrival at the old path, by id."""
    old, new = arrivals.alias("old"), arrivals.alias("new")
    statement = (
        sa.select(new.c.arrival_id, *(old.c[n] for n in Arrival.__dataclass_fields__))
        .join(new, old.c.superseded_by == new.c.arrival_id)
        .where(old.c.name != new.c.name, old.c.sha256 == new.c.sha256)
        .order_by(old.c.registered_at, old.c.arrival_id)
    )
    with ledger.reading() as connection:
        return {row[0]: Arrival(*row[1:]) for row in connection.execute(statement)}


def newest_receipt(ledger: Ledger, since: datetime, until: datetime) -> datetime | None:
    """The latest receipt between two instants, both included."""
    statement = sa.select(sa.func.max(arrivals.c.received_at)).where(
        arrivals.c.received_at >= since, arrivals.c.received_at <= until
    )
    with ledger.reading() as connection:
        newest: datetime | None = connection.execute(statement).scalar()
    return newest


def seen(ledger: Ledger) -> dict[str, tuple[int, int, str]]:
    """Size, mtime (ns) and manifest words of every file taken in, by path."""
    with ledger.reading() as connection:
        rows = connection.execute(sa.select(sightings))
        return {r.path: (r.size, r.mtime_ns, r.delivery) for r in rows}


def unread(
    ledger: Ledger, versions: Mapping[str, int] | None = None, readers: str | None = None
) -> Sequence[Arrival]:
    """Arrivals to be read, oldest receipt first: those that nobody has read yet.

    With the `versions` of the formats and the digest `readers` of all of them, also those whose
    reading is out of date: those with an error, which failed or were not judged (the fault may be
    mended or may have been the disk's), those that no format recognised while there were other
    formats, and those of a format whose version has changed. Read ones whose original was erased
    since are left out: their landing is the record (see `beyond_reading`).
    """
    return _stale(ledger, versions, readers, erased=False)


def beyond_reading(
    ledger: Ledger, versions: Mapping[str, int], readers: str | None
) -> Sequence[Arrival]:
    """Arrivals whose reading is out of date, but whose original was erased: they stay as read."""
    return _stale(ledger, versions, readers, erased=True)


def _stale(
    ledger: Ledger, versions: Mapping[str, int] | None, readers: str | None, *, erased: bool
) -> Sequence[Arrival]:
    stale: list[sa.ColumnElement[bool]] = [readings.c.arrival_id.is_(None)]
    if versions is not None:
        stale += [readings.c.outcome == "failed", readings.c.error.is_not(None)]
        stale.append(
            sa.and_(readings.c.outcome == "unknown", readings.c.readers.is_distinct_from(readers))
        )
        stale += [
            sa.and_(readings.c.format == name, readings.c.format_version != version)
            for name, version in sorted(versions.items())
        ]
    gone = sa.and_(personal_objects.c.erased_at.is_not(None), readings.c.arrival_id.is_not(None))
    statement = (
        sa.select(*(arrivals.c[n] for n in Arrival.__dataclass_fields__))
        .outerjoin(readings, readings.c.arrival_id == arrivals.c.arrival_id)
        .outerjoin(personal_objects, personal_objects.c.sha256 == arrivals.c.sha256)
        .where(sa.or_(*stale))
        .where(gone if erased else sa.not_(gone))
        .order_by(arrivals.c.received_at, arrivals.c.arrival_id)
    )
    with ledger.reading() as connection:
        return [Arrival(**row._mapping) for row in connection.execute(statement)]


@dataclass(frozen=True)
class RefusalRecord:
    """A refusal as kept: texts filled in, the cell masked where the file is personal."""

    code: str
    costs: str
    sheet: str | None
    line: int | None
    column: str | None
    cell: str | None
    ja: str
    ja_remedy: str
    en: str
    en_remedy: str


@dataclass(frozen=True)
class Reading:
    """The outcome of reading one arrival, ready to be recorded."""

    arrival_id: str
    format: str | None
    format_version: int | None
    outcome: str
    complaints: int = 0
    error: str | None = None
    readers: str | None = None
    tables: tuple[tuple[str, str, int], ...] = ()
    """(contract, path relative to the data folder, rows)"""
    days: tuple[tuple[str, date], ...] = ()
    refusals: tuple[RefusalRecord, ...] = ()


def record(connection: Connection, *new: Reading) -> None:
    """Replace what is known of some arrivals' readings by these, one an arrival."""
    ids = [reading.arrival_id for reading in new]
    for table in (refusals, landing_days, landings, readings):
        connection.execute(sa.delete(table).where(table.c.arrival_id.in_(ids)))
    _insert(
        connection,
        readings,
        (
            {
                "arrival_id": r.arrival_id,
                "format": r.format,
                "format_version": r.format_version,
                "outcome": r.outcome,
                "rows": sum(rows for _, _, rows in r.tables),
                "complaints": r.complaints,
                "error": r.error,
                "readers": r.readers,
            }
            for r in new
        ),
    )
    _insert(
        connection,
        landings,
        (
            {"arrival_id": r.arrival_id, "contract": contract, "path": path, "rows": rows}
            for r in new
            for contract, path, rows in r.tables
        ),
    )
    _insert(
        connection,
        landing_days,
        (
            {"arrival_id": r.arrival_id, "contract": contract, "day": day}
            for r in new
            for contract, day in r.days
        ),
    )
    _insert(
        connection,
        refusals,
        (
            {"arrival_id": r.arrival_id, "number": number, **refusal.__dict__}
            for r in new
            for number, refusal in enumerate(r.refusals, start=1)
        ),
    )


def _insert(connection: Connection, table: sa.Table, rows: Iterable[dict[str, object]]) -> None:
    if rows := list(rows):
        connection.execute(sa.insert(table), rows)


@overload
def storable(text: str) -> str: ...
@overload
def storable(text: str | None) -> str | None: ...
def storable(text: str | None) -> str | None:
    """Text that both databases can hold: no NUL (PostgreSQL), no half of a surrogate pair."""
    if text is None:
        return None
    return text.replace("\0", "␀").encode("utf-8", "backslashreplace").decode()
