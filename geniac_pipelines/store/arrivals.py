"""The ledger's statements about arrivals and what reading them gave."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.store.ledger import (
    Ledger,
    arrivals,
    landing_days,
    landings,
    readings,
    refusals,
    sightings,
    upsert,
)


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

    For the same bytes under a corrected statement (sender, receipt, zone): neither would be newer
    than the other, and the rows would be counted for both senders.
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


def last_taken(ledger: Ledger, path: str) -> tuple[Arrival, str] | None:
    """The arrival last taken in from a path of the inbox, and the manifest's words then."""
    statement = (
        sa.select(*(arrivals.c[n] for n in Arrival.__dataclass_fields__), sightings.c.delivery)
        .join(sightings, sightings.c.arrival_id == arrivals.c.arrival_id)
        .where(sightings.c.path == path)
    )
    with ledger.reading() as connection:
        row = connection.execute(statement).first()
    return (Arrival(*row[:-1]), row.delivery) if row else None


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
    reading is out of date: failed ones (the fault may be mended or may have been the disk's),
    those that no format recognised while there were other formats, and those of a format whose
    version has changed.
    """
    stale: list[sa.ColumnElement[bool]] = [readings.c.arrival_id.is_(None)]
    if versions is not None:
        stale.append(readings.c.outcome == "failed")
        stale.append(
            sa.and_(readings.c.outcome == "unknown", readings.c.readers.is_distinct_from(readers))
        )
        stale += [
            sa.and_(readings.c.format == name, readings.c.format_version != version)
            for name, version in sorted(versions.items())
        ]
    statement = (
        sa.select(*(arrivals.c[n] for n in Arrival.__dataclass_fields__))
        .outerjoin(readings, readings.c.arrival_id == arrivals.c.arrival_id)
        .where(sa.or_(*stale))
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


def record(connection: Connection, reading: Reading) -> None:
    """Replace what is known of an arrival's reading by this."""
    key = {"arrival_id": reading.arrival_id}
    for table in (refusals, landing_days, landings, readings):
        connection.execute(sa.delete(table).where(table.c.arrival_id == reading.arrival_id))
    connection.execute(
        sa.insert(readings).values(
            format=reading.format,
            format_version=reading.format_version,
            outcome=reading.outcome,
            rows=sum(rows for _, _, rows in reading.tables),
            complaints=reading.complaints,
            error=reading.error,
            readers=reading.readers,
            **key,
        )
    )
    _insert(
        connection,
        landings,
        [{**key, "contract": c, "path": p, "rows": n} for c, p, n in reading.tables],
    )
    _insert(connection, landing_days, [{**key, "contract": c, "day": d} for c, d in reading.days])
    _insert(
        connection,
        refusals,
        [{**key, "number": n, **r.__dict__} for n, r in enumerate(reading.refusals, start=1)],
    )


def _insert(connection: Connection, table: sa.Table, rows: Iterable[dict[str, object]]) -> None:
    if rows := list(rows):
        connection.execute(sa.insert(table), rows)
