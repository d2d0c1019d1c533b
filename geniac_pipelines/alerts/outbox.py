"""The outbox: messages are written in the night's commit and sent afterwards, at least once.

`enqueue` belongs into the committing transaction; `drain` sends. A process that dies in between,
or between sending and noting it, leaves a message that the next drain sends (again) under the same
Message-ID, so that a mail program shows it once. Several drains may run at once: each message is
claimed for a while by one of them.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.alerts.attachments import attached, keep
from geniac_pipelines.alerts.message import Attachment, Message
from geniac_pipelines.failpoints import failpoint
from geniac_pipelines.store.ledger import Ledger, messages, upsert

LEASE = timedelta(minutes=5)
"""How long one drain has a message to itself; longer than any channel may take to send."""

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
MOST_ATTEMPTS = 14
"""Then a message counts as failed and waits for a person: after about a day and a half."""

ELSEWHERE = "eml"
"""`sent_by` of what was only written to a folder, since mail is not configured."""

log = logging.getLogger(__name__)


class NotSent(Exception):
    """A channel could not deliver. `final`: trying again would not help.

    `retry_after` is the wait that the other side asked for.
    """

    def __init__(
        self, problem: str, *, final: bool = False, retry_after: timedelta = timedelta(0)
    ) -> None:
        super().__init__(problem)
        self.final = final
        self.retry_after = retry_after


class ChannelDown(NotSent):
    """The channel as a whole can't deliver now, whoever the recipient is."""


@dataclass(frozen=True)
class Outgoing:
    """A message on its way. `created_at` is aware UTC."""

    key: str
    kind: str
    created_at: datetime
    channel: str
    recipient: str
    audience: str
    subject: str
    body: str
    payload: Mapping[str, Any]
    attempts: int
    attachment: Attachment | None = None


class Channel(Protocol):
    """A way to somebody. `name` is what the ledger notes as the way that was taken."""

    @property
    def name(self) -> str: ...

    def send(self, outgoing: Outgoing) -> None:
        """Deliver, or raise NotSent. Must end within LEASE."""


@dataclass(frozen=True)
class Failure:
    """A message that was not sent. `final`: it is given up until a person retries it."""

    key: str
    recipient: str
    problem: str
    final: bool


@dataclass(frozen=True)
class Drained:
    """What a drain did: keys sent, failures, and how many messages still wait."""

    sent: tuple[str, ...]
    failed: tuple[Failure, ...]
    waiting: int


@dataclass(frozen=True)
class Health:
    """How the alert path is. `last_sent_at` is None when nothing was ever sent for real."""

    last_sent_at: datetime | None
    waiting: int
    failed: int


def enqueue(connection: Connection, generation: int, message: Message, now: datetime) -> bool:
    """Put a message into the outbox, in the transaction of the night that says it.

    `now` becomes its Date. False if it is there already. One for another audience than the
    secretariat enters as a draft.
    """
    row = new_row(generation, message, now)
    statement = (
        upsert(messages, connection).values(row).on_conflict_do_nothing(index_elements=["key"])
    )
    entered = bool(connection.execute(statement).rowcount == 1)
    if entered:
        keep(connection, message)
    return entered


def new_row(generation: int, message: Message, now: datetime) -> dict[str, Any]:
    """A message as the ledger stores it at first."""
    return {
        "key": message.key,
        "kind": message.kind,
        "created_generation": generation,
        "created_at": now,
        "channel": message.channel,
        "recipient": message.recipient,
        "audience": message.audience,
        "subject": message.subject,
        "body": message.body,
        "payload": dict(message.payload),
        "state": "draft" if message.needs_release else "pending",
        "attempts": 0,
    }


def drain(
    ledger: Ledger,
    channels: Mapping[str, Channel],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    lease: timedelta = LEASE,
) -> Drained:
    """Send what is due. Never raises because of a message or a channel.

    `channels` says which channel serves each name; messages for other names wait. `now` is the
    machine's clock, not a night's day: claims and waits are about real time.
    """
    me = uuid.uuid4().hex
    usable = dict(channels)
    sent: list[str] = []
    failed: list[Failure] = []
    while usable:
        outgoing = _claim(ledger, me, usable, now(), lease)
        if outgoing is None:
            break
        channel = usable[outgoing.channel]
        problem = _send(channel, outgoing)
        if problem is None:
            _mark_sent(ledger, me, outgoing.key, channel.name, now())
            sent.append(outgoing.key)
            continue
        if isinstance(problem, ChannelDown):
            del usable[outgoing.channel]
        failed.append(_mark_failed(ledger, me, outgoing, problem, now()))
    with ledger.reading() as connection:
        return Drained(tuple(sent), tuple(failed), health(connection).waiting)


def retry(ledger: Ledger, key: str) -> bool:
    """Let a message that was given up be tried again. False if there is no such one."""
    statement = (
        sa.update(messages)
        .where(messages.c.key == key, messages.c.state == "failed")
        .values(state="pending", attempts=0, next_attempt_at=None)
    )
    with ledger.transaction() as connection:
        return bool(connection.execute(statement).rowcount == 1)


def given_up(connection: Connection) -> tuple[Failure, ...]:
    """Messages that wait for a person to retry them, oldest first."""
    statement = (
        sa.select(messages.c.key, messages.c.recipient, messages.c.last_error)
        .where(messages.c.state == "failed")
        .order_by(messages.c.created_at, messages.c.key)
    )
    found = connection.execute(statement)
    return tuple(Failure(r.key, r.recipient, r.last_error or "", True) for r in found)


def health(connection: Connection) -> Health:
    """How the alert path is."""
    last = sa.select(sa.func.max(messages.c.sent_at)).where(messages.c.sent_by != ELSEWHERE)
    states = sa.select(messages.c.state, sa.func.count().label("number")).group_by(messages.c.state)
    counts = {row.state: row.number for row in connection.execute(states)}
    last_sent_at = connection.execute(last).scalar()
    return Health(last_sent_at, counts.get("pending", 0), counts.get("failed", 0))


def wait_after(attempts: int) -> timedelta:
    """How long to wait after that many failed attempts: 1, 2, 4, … minutes, at most 6 hours."""
    doublings = min(attempts - 1, 20)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def _claim(
    ledger: Ledger, me: str, channels: Collection[str], now: datetime, lease: timedelta
) -> Outgoing | None:
    """Take the next due message; those tried least often first, so that a bad one holds up none.

    The attempt counts from here on: a message that kills the process is given up in the end, too.
    """
    due = (
        sa.select(messages)
        .where(
            messages.c.state == "pending",
            messages.c.channel.in_(sorted(channels)),
            sa.or_(messages.c.next_attempt_at.is_(None), messages.c.next_attempt_at <= now),
            sa.or_(messages.c.claimed_until.is_(None), messages.c.claimed_until <= now),
        )
        .order_by(messages.c.attempts, messages.c.created_generation, messages.c.key)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    with ledger.transaction() as connection:
        row = connection.execute(due).first()
        if row is None:
            return None
        attempts = row.attempts + 1
        connection.execute(
            sa.update(messages)
            .where(messages.c.key == row.key)
            .values(claimed_by=me, claimed_until=now + lease, attempts=attempts)
        )
        attachment = attached(connection, [row.key]).get(row.key)
    chosen = {n: getattr(row, n) for n in Outgoing.__dataclass_fields__ if n != "attachment"}
    return replace(Outgoing(**chosen), attempts=attempts, attachment=attachment)


def _send(channel: Channel, outgoing: Outgoing) -> NotSent | None:
    failpoint("outbox-before-send")
    try:
        channel.send(outgoing)
    except NotSent as error:
        return error
    except Exception as error:
        # a fault of ours in one message must not keep the others from their recipients
        log.exception("message %s could not be sent", outgoing.key)
        return NotSent(f"{type(error).__name__}: {error}")
    failpoint("outbox-after-send")
    return None


def _mark_sent(ledger: Ledger, me: str, key: str, sent_by: str, now: datetime) -> None:
    _mark(ledger, me, key, state="sent", sent_at=now, sent_by=sent_by, last_error=None)


def _mark_failed(
    ledger: Ledger, me: str, outgoing: Outgoing, problem: NotSent, now: datetime
) -> Failure:
    final = problem.final or outgoing.attempts >= MOST_ATTEMPTS
    wait = max(wait_after(outgoing.attempts), problem.retry_after)
    _mark(
        ledger,
        me,
        outgoing.key,
        state="failed" if final else "pending",
        next_attempt_at=now + wait,
        last_error=str(problem),
    )
    return Failure(outgoing.key, outgoing.recipient, str(problem), final)


def _mark(ledger: Ledger, me: str, key: str, **values: Any) -> None:
    """Note the outcome and free the claim, unless another drain has the message by now."""
    statement = (
        sa.update(messages)
        .where(messages.c.key == key, messages.c.claimed_by == me)
        .values(claimed_by=None, claimed_until=None, **values)
    )
    with ledger.transaction() as connection:
        connection.execute(statement)
