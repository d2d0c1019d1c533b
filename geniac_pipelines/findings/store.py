"""The ledger's statements about findings and their events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.findings.model import MACHINE, Change, Changes, Event, Finding
from geniac_pipelines.store.ledger import finding_events, findings

KEY = ("rule", "subject")


@dataclass(frozen=True)
class Entry:
    """One line of a finding's history."""

    what: Event
    rule: str
    subject: str
    episode: int
    generation: int
    at: datetime
    person: str
    reason: str


def load(connection: Connection, *, for_update: bool = False) -> tuple[Finding, ...]:
    """Every finding on record; with `for_update` nobody else changes them until the commit."""
    statement = sa.select(findings)
    if for_update:
        # the order keeps two of these from waiting for each other
        statement = statement.order_by(findings.c.rule, findings.c.subject).with_for_update()
    rows = connection.execute(statement)
    found = (Finding.from_row(row._asdict()) for row in rows)
    # sorted here: PostgreSQL's order of text depends on its locale
    return tuple(sorted(found, key=lambda f: (f.rule, f.subject)))


def find(
    connection: Connection, rule: str, subject: str, *, for_update: bool = False
) -> Finding | None:
    """One finding; with `for_update` nobody else changes it until the transaction ends."""
    statement = sa.select(findings).where(findings.c.rule == rule, findings.c.subject == subject)
    if for_update:
        statement = statement.with_for_update()
    row = connection.execute(statement).first()
    return Finding.from_row(row._asdict()) if row else None


def save(
    connection: Connection,
    before: Iterable[Finding],
    changes: Changes,
    generation: int,
    now: datetime,
) -> None:
    """Write what a night changed, and an event for each change."""
    old = {f.id: f for f in before}
    new = [f.row() for f in changes.findings if f.id not in old]
    if new:
        connection.execute(sa.insert(findings), new)
    update(connection, [f for f in changes.findings if f.id in old and f != old[f.id]])
    lines = [_event(change, generation, now, MACHINE, None) for change in changes.changes]
    if lines:
        connection.execute(sa.insert(finding_events), lines)


def update(connection: Connection, changed: Sequence[Finding]) -> None:
    """Write findings that are on record already."""
    if not changed:
        return
    values: dict[str, Any] = {
        c.name: sa.bindparam(f"b_{c.name}") for c in findings.c if c.name not in KEY
    }
    statement = sa.update(findings).values(values)
    for name in KEY:
        statement = statement.where(findings.c[name] == sa.bindparam(f"b_{name}"))
    connection.execute(statement, [{f"b_{k}": v for k, v in f.row().items()} for f in changed])


def note(connection: Connection, change: Change, person: str, at: datetime, decision: int) -> None:
    """Put on record what a person did to a finding, as of the night that they had before them."""
    line = _event(change, change.finding.seen_generation, at, person, decision)
    connection.execute(sa.insert(finding_events), [line])


def history(connection: Connection, rule: str, subject: str) -> tuple[Entry, ...]:
    """All that happened to a finding, in order."""
    about = (finding_events.c.rule == rule, finding_events.c.subject == subject)
    return _entries(connection, *about)


def since(connection: Connection, generation: int) -> tuple[Entry, ...]:
    """All that nights after `generation` did to findings, in order."""
    by_nights = (finding_events.c.generation > generation, finding_events.c.person == MACHINE)
    return _entries(connection, *by_nights)


def _entries(connection: Connection, *where: sa.ColumnElement[bool]) -> tuple[Entry, ...]:
    columns = [finding_events.c[name] for name in Entry.__dataclass_fields__]
    statement = sa.select(*columns).where(*where).order_by(finding_events.c.event)
    rows = connection.execute(statement)
    return tuple(Entry(**{**row._asdict(), "what": Event(row.what)}) for row in rows)


def _event(
    change: Change, generation: int, at: datetime, person: str, decision: int | None
) -> dict[str, object]:
    return {
        "rule": change.finding.rule,
        "subject": change.finding.subject,
        "episode": change.finding.episode,
        "what": change.event.value,
        "generation": generation,
        "at": at,
        "person": person,
        "reason": change.reason,
        "decision": decision,
    }
