"""The second half of intake: read the arrivals that nobody has read, and record what came of it.

It may be stopped anywhere and run again: readings are recorded whole, some in a transaction, after
their rows are safe. How files become arrivals stands in `sweep`.
"""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from geniac_pipelines.contracts import Contract
from geniac_pipelines.intake.judge import Judge
from geniac_pipelines.intake.land import Landed, land
from geniac_pipelines.intake.moves import noted
from geniac_pipelines.intake.reading import (
    MASK,
    Complaint,
    Context,
    Format,
    Place,
    Source,
    edition,
)
from geniac_pipelines.intake.recognise import recognise
from geniac_pipelines.intake.unpack import ENVELOPE
from geniac_pipelines.japanese import UndecodableText
from geniac_pipelines.store import people
from geniac_pipelines.store.archive import Archive, DamagedObject, ErasedObject
from geniac_pipelines.store.arrivals import (
    Arrival,
    Reading,
    beyond_reading,
    moved,
    record,
    storable,
    unread,
)
from geniac_pipelines.store.ledger import Ledger
from geniac_pipelines.store.people import Encounters
from geniac_pipelines.store.retention import delete_on, protect
from geniac_pipelines.store.secret import Secret

READINGS_A_TRANSACTION = 50
OURS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)
"""Faults of our own disk or process while a file is read: they stop the night, which is run again,
and are never held against the file."""

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


@dataclass(frozen=True)
class Desk:
    """What reading needs beside the arrivals: where things lie and how people are named.

    `days_of(contract, file)` gives the days (Asia/Tokyo) that a bulk file touches. Under `secret`
    the people met are kept; they and personal originals are for `keep_days` from the receipt.
    What `judge` remarks is recorded with the refusals of the same reading.
    """

    data: Path
    archive: Archive
    ledger: Ledger
    formats: Sequence[Format]
    pseudonym: Callable[[str, str], str]
    days_of: Callable[[Contract, Path], set[date]]
    secret: Secret
    keep_days: int
    judge: Judge = field(default_factory=lambda: Judge(()))


_Read = tuple[Arrival, Reading, Encounters]


def to_read(desk: Desk) -> Sequence[Arrival]:
    """Arrivals that nobody has read, or whose reading the desk's formats have overtaken."""
    return unread(desk.ledger, {f.name: f.version for f in desk.formats}, edition(desk.formats))


def left_as_read(desk: Desk) -> Sequence[Arrival]:
    """Arrivals that would be read again, had their original not been erased; landing holds them."""
    versions = {f.name: f.version for f in desk.formats}
    return beyond_reading(desk.ledger, versions, edition(desk.formats))


def read_arrivals(desk: Desk, pending: Sequence[Arrival]) -> Iterator[tuple[Arrival, Reading]]:
    """Read each arrival, record what came of it, and yield it.

    A reader that raises costs its own file only: the reading is recorded as failed with the
    traceback, which is an engineer's matter, not the sender's.
    """
    batch: list[_Read] = []
    came_from = moved(desk.ledger)
    for arrival in pending:
        met = Encounters(desk.pseudonym)
        reading = _read(desk, arrival, met)
        if old := came_from.get(arrival.arrival_id):
            reading = noted(reading, old)
        batch.append((arrival, reading, met))
        if len(batch) >= READINGS_A_TRANSACTION:
            yield from _recorded(desk, batch)
            batch = []
    yield from _recorded(desk, batch)
    purposes = {f.name: f.purpose for f in desk.formats if f.personal}
    protect(desk.ledger, desk.archive, purposes, desk.keep_days, ENVELOPE)


def _recorded(desk: Desk, batch: Sequence[_Read]) -> Iterator[tuple[Arrival, Reading]]:
    if not batch:
        return
    purposes = {f.name: f.purpose for f in desk.formats}
    with desk.ledger.transaction() as connection:
        record(connection, *(reading for _, reading, _ in batch))
        for arrival, reading, met in batch:
            if reading.tables:
                assert reading.format is not None, "rows come from a format"
                people.keep(
                    connection,
                    desk.secret,
                    met,
                    arrival=arrival.arrival_id,
                    purpose=purposes[reading.format],
                    delete_on=delete_on(arrival.received_at, desk.keep_days),
                )
    for arrival, reading, _ in batch:
        yield arrival, reading


def _read(desk: Desk, arrival: Arrival, met: Encounters) -> Reading:
    try:
        with desk.archive.materialised(arrival.sha256) as file:
            return _read_file(desk, arrival, Source(arrival.name, file), met)
    except (DamagedObject, ErasedObject, FileNotFoundError):
        return _failed(desk, arrival, None, storable(traceback.format_exc()))


def _read_file(desk: Desk, arrival: Arrival, source: Source, met: Encounters) -> Reading:
    known: Format | None = None
    try:
        known = recognise(source, desk.formats)
        if known is None:
            return _unknown(desk, arrival)
        context = Context(
            received_at=arrival.received_at,
            pseudonym=met,
            sender=arrival.sender,
            zone=arrival.zone,
        )
        faults: list[str] = []
        items = desk.judge.through(
            known.read(source, context), lambda _: faults.append(_trace(arrival, source, known))
        )
        landed = land(
            items,
            arrival_id=arrival.arrival_id,
            context=context,
            path_of=lambda c: desk.data / landing_path(c.name, arrival.arrival_id),
        )
        return replace(_reading(desk, arrival, known, landed), error="\n".join(faults) or None)
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
        return _failed(desk, arrival, known, _trace(arrival, source, known))


def _trace(arrival: Arrival, source: Source, known: Format | None) -> str:
    """The traceback of what was just raised, storable; of a personal file without the words of
    the exception, which may quote a cell and end in logs.

    It names the copy that was read, which is another each time.
    """
    kind, error, frames = sys.exc_info()
    if known and known.personal and kind and error:
        return storable("".join(traceback.format_tb(frames)) + f"{kind.__name__}: {MASK}")
    return storable(traceback.format_exc().replace(str(source.path), arrival.name))


def _unknown(desk: Desk, arrival: Arrival) -> Reading:
    return Reading(
        arrival.arrival_id,
        None,
        None,
        "unknown",
        complaints=1,
        readers=edition(desk.formats),
        refusals=(UNKNOWN.at(Place()).record,),
    )


def _failed(desk: Desk, arrival: Arrival, known: Format | None, trace: str) -> Reading:
    for contract in known.contracts if known else ():
        (desk.data / landing_path(contract.name, arrival.arrival_id)).unlink(missing_ok=True)
    return Reading(
        arrival.arrival_id,
        known.name if known else None,
        known.version if known else None,
        "failed",
        error=trace,
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
        refusals=tuple((r.masked if known.personal else r).record for r in landed.refusals),
    )


def landing_path(contract: str, arrival: str) -> str:
    """Where an arrival's rows of a landing table lie, relative to the data folder."""
    return f"landing/{contract}/{arrival}.parquet"
