"""Drafts: messages to others than the secretariat, which only a person sends on their way.

A night offers drafts and renews their wording; it withdraws those whose reason is gone. Releasing
one is a decision on record, made on the wording that the person has read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.alerts.attachments import attached, drop_withdrawn, keep
from geniac_pipelines.alerts.message import COMPANY, Attachment, Message, mark
from geniac_pipelines.alerts.outbox import new_row
from geniac_pipelines.alerts.render import address
from geniac_pipelines.store.decisions import Act, record
from geniac_pipelines.store.ledger import Ledger, messages, upsert

KIND = "message"
"""`subject_kind` of decisions about messages; their subject is the message's key."""

ON_ITS_WAY = ("pending", "sent", "failed")


class NotReleasable(ValueError):
    """There is no such draft, it has no address, or its wording is not the one that was read."""


@dataclass(frozen=True)
class Draft:
    """A draft as a person reads it. `mark` names this very wording, attachment and address."""

    key: str
    kind: str
    audience: str
    recipient: str | None
    subject: str
    body: str
    created_at: datetime
    attachment: Attachment | None = None

    @property
    def mark(self) -> str:
        return mark(self.recipient, self.subject, self.body, self.attachment)


_STORED = tuple(n for n in Draft.__dataclass_fields__ if n != "attachment")


def asked(connection: Connection) -> dict[str, set[str]]:
    """What messages that a person released asked of each company, by company id."""
    statement = sa.select(messages.c.audience, messages.c.payload).where(
        messages.c.audience.startswith(COMPANY, autoescape=True),
        messages.c.state.in_(ON_ITS_WAY),
    )
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in connection.execute(statement):
        found[row.audience.removeprefix(COMPANY)].update(row.payload.get("asks", ()))
    return dict(found)


def offer(
    connection: Connection,
    generation: int,
    kinds: Collection[str],
    drafts: Sequence[Message],
    now: datetime,
) -> None:
    """Make these the drafts of their kinds, in the night's commit.

    One that is there already gets the new wording and address as long as nobody has released it;
    one of these kinds that is not offered any more is withdrawn. Raises ValueError for a message
    that needs no release or is of another kind.
    """
    for draft in drafts:
        if not draft.needs_release or draft.kind not in kinds:
            raise ValueError(f"not a draft of {kinds}: {draft.kind} for {draft.audience}")
        row = new_row(generation, draft, now)
        renewed = {n: row[n] for n in ("recipient", "subject", "body", "payload", "state")}
        written = connection.execute(
            upsert(messages, connection)
            .values(row)
            .on_conflict_do_update(
                index_elements=["key"],
                set_=renewed,
                where=messages.c.state.in_(("draft", "withdrawn")),
            )
        )
        if written.rowcount == 1:
            keep(connection, draft)
    connection.execute(
        sa.update(messages)
        .where(
            messages.c.kind.in_(sorted(kinds)),
            messages.c.state == "draft",
            messages.c.key.not_in([d.key for d in drafts]),
        )
        .values(state="withdrawn")
    )
    drop_withdrawn(connection)


def waiting(connection: Connection) -> tuple[Draft, ...]:
    """The drafts that nobody has released yet, in a fixed order."""
    statement = sa.select(*(messages.c[n] for n in _STORED)).where(messages.c.state == "draft")
    rows = connection.execute(statement).all()
    carried = attached(connection, [row.key for row in rows])
    found = (Draft(**row._asdict(), attachment=carried.get(row.key)) for row in rows)
    return tuple(sorted(found, key=lambda d: (d.audience, d.kind, d.key)))


def release(
    ledger: Ledger,
    key: str,
    *,
    mark: str,
    person: str,
    reason: str,
    at: datetime,
    to: str | None = None,
) -> None:
    """Send a draft on its way, as a person's decision.

    `mark` is that of the wording which the person has read; `to` replaces the address. Raises
    NotReleasable, or NotADecision when person or reason are missing. The mail is dated `at`.
    """
    with ledger.transaction() as connection:
        statement = sa.select(messages).where(messages.c.key == key).with_for_update()
        row = connection.execute(statement).first()
        if row is None or row.state != "draft":
            state = row.state if row else "unknown"
            raise NotReleasable(f"{key} は送信待ちの下書きではありません / not a draft but {state}")
        chosen = {n: getattr(row, n) for n in _STORED}
        draft = Draft(**chosen, attachment=attached(connection, [key]).get(key))
        if draft.mark != mark:
            raise NotReleasable(
                "文面、添付または宛先が変わっています。読み直してください"
                f"（版 {draft.mark}） / wording, attachment or address are not what you read "
                f"({mark}) but {draft.mark}"
            )
        recipient = to or draft.recipient
        if not recipient:
            raise NotReleasable(
                "宛先が登録されていません。--to で指定するか、組織台帳の「連絡先メール」に記入して"
                "次の夜間処理を待ってください / no address is on record: name one with --to, or "
                "enter it in the register and wait for the next night"
            )
        try:
            address(recipient)
        except ValueError as error:
            raise NotReleasable(f"宛先が正しくありません / {error}") from error
        details = {"mark": mark, "recipient": recipient, "audience": draft.audience}
        if draft.attachment:
            details["attachment"] = draft.attachment.sha256
        record(
            connection,
            KIND,
            key,
            Act.RELEASE,
            reason=reason,
            person=person,
            at=at,
            details=details,
        )
        connection.execute(
            sa.update(messages)
            .where(messages.c.key == key)
            .values(state="pending", recipient=recipient, created_at=at)
        )
