"""The ledger's statements about arrivals and what reading them gave."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

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


def arrival_id(sha256: str, name: str, sender: str | None, received_at: datetime) -> str:
    """20 hex digits that the same delivery gets again after a kill and on a replay."""
    words = "\0".join((sha256, name, sender or "", received_at.isoformat()))
    return hashlib.sha256(words.encode()).hexdigest()[:20]


def register(connection: Connection, arrival: Arrival, registered_at: datetime) -> None:
    """Record an arrival; the same one twice is one."""
    values = {**arrival.__dict__, "registered_at": registered_at}
    connection.execute(upsert(arrivals, connection).values(values).on_conflict_do_nothing())


def saw(connection: Connection, path: str, size: int, mtime_ns: int, delivery: str) -> None:
    """Remember a taken file, so that it is not opened again while it stays as it is."""
    statement = upsert(sightings, connection).values(
        path=path, size=size, mtime_ns=mtime_ns, delivery=delivery
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["path"],
            set_={"size": size, "mtime_ns": mtime_ns, "delivery": delivery},
        )
    )


def seen(ledger: Ledger) -> dict[str, tuple[int, int, str]]:
    """Size, mtime (ns) and manifest words of every file taken in, by path."""
    with ledger.reading() as connection:
        rows = connection.execute(sa.select(sightings))
        return {r.path: (r.size, r.mtime_ns, r.delivery) for r in rows}


def unread(ledger: Ledger) -> Sequence[Arrival]:
    """Arrivals that nobody has read yet, oldest receipt first."""
    statement = (
        sa.select(*(arrivals.c[n] for n in Arrival.__dataclass_fields__))
        .outerjoin(readings, readings.c.arrival_id == arrivals.c.arrival_id)
        .where(readings.c.arrival_id.is_(None))
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
