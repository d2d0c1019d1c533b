"""How long originals with personal data, and the names in the vault, are kept; and their end.

Here: which objects are under a deletion date, and the erasing when it has passed. Landing stays
and is the record from then on. Not here: which formats are personal (areas), how bytes are sealed
and erased (archive), who is in the vault (people).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from geniac_pipelines.calendar import JST
from geniac_pipelines.store import people
from geniac_pipelines.store.archive import Archive
from geniac_pipelines.store.ledger import Ledger, arrivals, personal_objects, readings, upsert

EXPIRED = "期限"
"""Why the night erases."""
UNREAD_PURPOSE = "形式を判別できなかった原本の確認（個人情報を含むおそれ）"
ENVELOPE_PURPOSE = "まとめて届いたファイルの原本（中のファイルは別に保管）"


@dataclass(frozen=True)
class Erased:
    """What a night erased: originals, and people in the vault."""

    objects: int
    people: int


@dataclass(frozen=True)
class Custody:
    """What is known of an original under a deletion date; `erased_at` None: it is still there."""

    sha256: str
    purpose: str
    delete_on: date
    erased_at: datetime | None
    erased_why: str | None


def delete_on(received_at: datetime, keep_days: int) -> date:
    """The last day (Asia/Tokyo) on which bytes received then are kept."""
    day = received_at.astimezone(JST).date()
    return day + min(timedelta(days=keep_days), date.max - day)


def protect(
    ledger: Ledger,
    archive: Archive,
    purposes: Mapping[str, str],
    keep_days: int,
    envelope: str,
) -> int:
    """Seal every read original that is, or may be, personal, and record its purpose and date.

    `purposes` holds the personal formats. Originals that no format recognised and envelopes (of
    format `envelope`) count too: nobody can say that they hold nothing of people. Bytes that came
    again are kept from their newest receipt on. Returns how many were recorded; may be repeated.
    """
    newest = sa.func.max(arrivals.c.received_at).label("newest")
    statement = (
        sa.select(arrivals.c.sha256, sa.func.min(readings.c.format).label("format"), newest)
        .join(readings, readings.c.arrival_id == arrivals.c.arrival_id)
        .outerjoin(personal_objects, personal_objects.c.sha256 == arrivals.c.sha256)
        .where(
            sa.or_(
                readings.c.outcome == "unknown",
                readings.c.format.in_([envelope, *sorted(purposes)]),
            )
        )
        .group_by(arrivals.c.sha256, personal_objects.c.received_at)
        .having(
            sa.or_(
                personal_objects.c.received_at.is_(None), newest > personal_objects.c.received_at
            )
        )
        .order_by(arrivals.c.sha256)
    )
    with ledger.reading() as connection:
        found = connection.execute(statement).all()
    known = {envelope: ENVELOPE_PURPOSE, **purposes}
    rows = []
    for sha256, format_name, received_at in found:
        archive.seal(sha256)
        rows.append(
            {
                "sha256": sha256,
                "format": format_name,
                "purpose": known[format_name] if format_name else UNREAD_PURPOSE,
                "received_at": received_at,
                "delete_on": delete_on(received_at, keep_days),
                "erased_at": None,
                "erased_why": None,
            }
        )
    if not rows:
        return 0
    with ledger.transaction() as connection:
        statement = upsert(personal_objects, connection)
        changed = {c.name: c for c in statement.excluded if c.name != "sha256"}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["sha256"], set_=changed), rows
        )
    return len(rows)


def erase_due(ledger: Ledger, archive: Archive, today: date) -> Erased:
    """Erase every original whose day has passed, and the people kept for it.

    An original that came back unasked (its file lies in the inbox and was touched) goes again.
    The bytes go first: a kill in between leaves a date to be met by the next night, never a note
    of an erasure that did not happen.
    """
    statement = (
        sa.select(personal_objects.c.sha256, personal_objects.c.erased_at)
        .where(personal_objects.c.delete_on < today)
        .order_by(personal_objects.c.sha256)
    )
    with ledger.reading() as connection:
        due = [
            sha256
            for sha256, erased_at in connection.execute(statement)
            if erased_at is None or archive.holds(sha256)
        ]
        nobody = not people.count_due(connection, today)
    if not due and nobody:
        return Erased(0, 0)
    now = datetime.now(UTC)
    for sha256 in due:
        if archive.holds(sha256):
            archive.erase(sha256, at=now, why=EXPIRED)
    with ledger.transaction() as connection:
        for sha256 in due:
            connection.execute(
                sa.update(personal_objects)
                .where(personal_objects.c.sha256 == sha256)
                .values(erased_at=now, erased_why=EXPIRED)
            )
        gone = people.delete_due(connection, today)
    return Erased(len(due), gone)


def custody(ledger: Ledger, sha256: str) -> Custody | None:
    """What is known of an original under a deletion date; None if it is under none."""
    columns = [personal_objects.c[name] for name in Custody.__dataclass_fields__]
    with ledger.reading() as connection:
        row = connection.execute(
            sa.select(*columns).where(personal_objects.c.sha256 == sha256)
        ).first()
    return Custody(**row._mapping) if row else None
