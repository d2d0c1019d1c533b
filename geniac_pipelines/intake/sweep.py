"""The two halves of intake: take in what lies in the inbox, then read what nobody has read.

Both may be stopped anywhere and run again: arrivals and readings are recorded whole, each in a
transaction, after their bytes are safe.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from geniac_pipelines.intake.contracts import Contract
from geniac_pipelines.intake.deliveries import Sighting, look
from geniac_pipelines.intake.land import Landed, land
from geniac_pipelines.intake.reading import Complaint, Context, Format, Place, Refusal, Source
from geniac_pipelines.intake.recognise import recognise
from geniac_pipelines.intake.unpack import UnpackRefused, is_archive, members
from geniac_pipelines.settings import Clock
from geniac_pipelines.store.archive import Archive, ChangedWhileRead
from geniac_pipelines.store.arrivals import (
    Arrival,
    Reading,
    RefusalRecord,
    arrival_id,
    record,
    register,
    saw,
    seen,
)
from geniac_pipelines.store.ledger import Ledger

SETTLE_SECONDS = 2.0
"""A file younger than this is looked at twice, this far apart, and left for later if it grows."""
READINGS_A_TRANSACTION = 50
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
    """Archive and register every new or changed file of the inbox that is whole."""
    taken = Taken()
    if not inbox.is_dir():
        raise FileNotFoundError(f"the inbox {inbox} does not exist")
    known = seen(ledger)
    fresh = [s for s in look(inbox) if known.get(s.path) != (s.size, s.mtime_ns, s.delivery.words)]
    _settle(fresh, settle_seconds)
    for sighting in fresh:
        try:
            _take(sighting, archive, ledger, formats, clock)
            taken.arrivals.append(sighting.path)
        except FileNotFoundError:
            taken.waiting[sighting.path] = "gone before it could be read"
        except (ChangedWhileRead, PermissionError) as error:
            taken.waiting[sighting.path] = f"{type(error).__name__}: {error}"
    return taken


def _settle(fresh: Sequence[Sighting], settle_seconds: float) -> None:
    """Wait once if any of the files is so young that somebody may still be writing it."""
    youngest = max((s.mtime_ns for s in fresh if s.delivery.received_at is None), default=0)
    age = time.time() - youngest / 1e9
    if 0 <= age < settle_seconds:
        time.sleep(settle_seconds - age)


def _take(
    sighting: Sighting, archive: Archive, ledger: Ledger, formats: Sequence[Format], clock: Clock
) -> None:
    now = sighting.file.stat()
    if (now.st_size, now.st_mtime_ns) != (sighting.size, sighting.mtime_ns):
        raise ChangedWhileRead("it is still being written")
    delivery = sighting.delivery
    received_at = delivery.received_at or clock.now()
    stored = archive.put(sighting.file)
    whole_file = Arrival(
        arrival_id(stored.sha256, sighting.path, delivery.sender, received_at),
        stored.sha256,
        stored.size,
        sighting.path,
        delivery.sender,
        delivery.channel,
        received_at,
        delivery.zone,
    )
    source = Source(sighting.path, sighting.file)
    parts: list[Arrival] = []
    opened: Reading | None = None
    if is_archive(source) and recognise(source, formats) is None:
        opened, parts = _open_envelope(whole_file, source, archive)
    with ledger.transaction() as connection:
        for arrival in (whole_file, *parts):
            register(connection, arrival, clock.now())
        if opened:
            record(connection, opened)
        saw(connection, sighting.path, sighting.size, sighting.mtime_ns, delivery.words)


def _open_envelope(
    envelope: Arrival, source: Source, archive: Archive
) -> tuple[Reading, list[Arrival]]:
    parts: list[Arrival] = []
    with TemporaryDirectory(prefix="geniac-unpack-") as folder:
        try:
            for name, file in members(source, Path(folder)):
                stored = archive.put(file)
                path = f"{envelope.name}!{name}"
                parts.append(
                    replace(
                        envelope,
                        arrival_id=arrival_id(
                            stored.sha256, path, envelope.sender, envelope.received_at
                        ),
                        sha256=stored.sha256,
                        bytes=stored.size,
                        name=path,
                    )
                )
        except UnpackRefused as refused:
            reading = Reading(
                envelope.arrival_id,
                ENVELOPE,
                1,
                "refused",
                complaints=1,
                refusals=(_kept(refused.refusal, personal=False),),
            )
            return reading, []
    return Reading(envelope.arrival_id, ENVELOPE, 1, "landed"), parts


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
    with desk.archive.materialised(arrival.sha256) as file:
        source = Source(arrival.name, file)
        known: Format | None = None
        try:
            known = recognise(source, desk.formats)
            if known is None:
                return Reading(
                    arrival.arrival_id,
                    None,
                    None,
                    "unknown",
                    complaints=1,
                    refusals=(_kept(UNKNOWN.at(Place()), personal=False),),
                )
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
        except Exception:  # noqa: BLE001 - one file's fault must not stop the others
            return Reading(
                arrival.arrival_id,
                known.name if known else None,
                known.version if known else None,
                "failed",
                error=traceback.format_exc(),
            )
        return _reading(desk, arrival, known, landed)


def _reading(desk: Desk, arrival: Arrival, known: Format, landed: Landed) -> Reading:
    bulk = {c.name: c for c in known.contracts if c.bulk}
    return Reading(
        arrival_id=arrival.arrival_id,
        format=known.name,
        format_version=known.version,
        outcome=landed.outcome,
        complaints=landed.complaints,
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
    shown = replace(refusal, cell="＊＊＊") if personal and refusal.cell else refusal
    return RefusalRecord(
        code=shown.complaint.code,
        costs=shown.complaint.costs,
        sheet=shown.place.sheet,
        line=shown.place.row,
        column=shown.place.column,
        cell=shown.cell,
        ja=shown.ja,
        ja_remedy=shown.ja_remedy,
        en=shown.en,
        en_remedy=shown.en_remedy,
    )
