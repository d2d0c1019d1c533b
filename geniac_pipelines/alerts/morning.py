"""What a night says to people, recorded in its commit: findings, drafts, the digest.

`record_morning` is what a night stages. Not here: sending, which is `outbox.drain`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.alerts import company, drafts, outbox
from geniac_pipelines.alerts.digest import KIND, DigestData, digest
from geniac_pipelines.alerts.rows import Company, Correction, Intake, Names, Submission, split
from geniac_pipelines.alerts.timetable import digest_due
from geniac_pipelines.findings import lifecycle, store
from geniac_pipelines.findings.model import Changes, Examination
from geniac_pipelines.findings.standing import KIND as FINDING
from geniac_pipelines.store.arrivals import LOSSES
from geniac_pipelines.store.decisions import recorded
from geniac_pipelines.store.ledger import arrivals, messages, readings, refusals


@dataclass(frozen=True)
class Morning:
    """What a night knows. `register` is every organisation, `to` (channel, recipient) pairs.

    `submissions` and `corrections` are all that hold now; what was written about before is not
    written about again. `now` is the instant up to which arrivals exist for the night, in UTC.
    `provisional` (tables carried over) and `notes` (Japanese) go into the digest as they are.
    """

    as_of: date
    now: datetime
    examination: Examination
    register: Sequence[Company]
    submissions: Sequence[Submission]
    corrections: Sequence[Correction]
    to: Sequence[tuple[str, str]]
    provisional: Sequence[str] = field(default=())
    notes: Sequence[str] = field(default=())


def record_morning(connection: Connection, generation: int, morning: Morning) -> Changes:
    """Bring findings up to date, offer drafts, and enqueue the digest where the day has one."""
    changes = lifecycle.apply(connection, generation, morning.examination.examined, morning.now)
    decisions = recorded(connection, FINDING)
    owns = split(morning.register, morning.submissions, morning.corrections, changes.findings)
    composed = company.compose(
        owns, morning.register, decisions, drafts.asked(connection), morning.as_of
    )
    drafts.offer(connection, generation, company.KINDS, composed.messages, morning.now)
    if not digest_due(morning.as_of):
        return changes
    since = _last_digest(connection)
    names = Names({c.company_id: c.name_ja for c in morning.register}, morning.examination.names)
    data = DigestData(
        as_of=morning.as_of,
        generation=generation,
        since=since,
        findings=changes.findings,
        events=store.since(connection, since or 0),
        decisions=decisions,
        submissions=morning.submissions,
        intake=_intake(connection, _last_digest_at(connection), morning.now),
        drafts=len(drafts.waiting(connection)),
        health=outbox.health(connection),
        provisional=morning.provisional,
        problems=tuple(f"判定規則の不具合: {p}" for p in morning.examination.problems),
        held=tuple(_held(held, names) for held in composed.held),
        notes=morning.notes,
        names=names,
    )
    for channel, recipient in morning.to:
        message = digest(data, channel, recipient)
        outbox.enqueue(connection, generation, message, morning.now)
    return changes


def _held(held: company.Held, names: Names) -> str:
    others = "、".join(map(names.company, held.named))
    return (
        f"{names.company(held.company_id)}宛ての{company.KINDS[held.kind]}。"
        f"文面か添付に、他社の名前（{others}）があります"
    )


def _last_digest(connection: Connection) -> int | None:
    newest = sa.select(sa.func.max(messages.c.created_generation)).where(messages.c.kind == KIND)
    found: int | None = connection.execute(newest).scalar()
    return found


def _last_digest_at(connection: Connection) -> datetime | None:
    newest = sa.select(sa.func.max(messages.c.created_at)).where(messages.c.kind == KIND)
    found: datetime | None = connection.execute(newest).scalar()
    return found


def _intake(connection: Connection, after: datetime | None, until: datetime) -> Intake:
    """What came in after the last digest and up to this night."""
    came = [arrivals.c.received_at <= until, arrivals.c.superseded_by.is_(None)]
    if after is not None:
        came.append(arrivals.c.received_at > after)
    mine = sa.select(arrivals.c.arrival_id).where(*came)
    files = sa.select(sa.func.count()).select_from(arrivals).where(*came)
    rows = sa.select(sa.func.sum(readings.c.rows)).where(readings.c.arrival_id.in_(mine))
    refused = sa.select(sa.func.count()).select_from(refusals)
    refused = refused.where(refusals.c.arrival_id.in_(mine), refusals.c.costs.in_(LOSSES))
    return Intake(
        files=connection.execute(files).scalar_one(),
        rows=int(connection.execute(rows).scalar() or 0),
        refusals=connection.execute(refused).scalar_one(),
    )
