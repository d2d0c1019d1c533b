"""Decisions of people: who decided what about which thing, when and why. Append-only.

Here: the closed set of acts and the two statements that every area uses. There is no way to
change or take back a decision but a later one; the database itself refuses. Not here: what follows
from a decision, which is the business of whoever asks (findings, drafts, reports).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.store.ledger import Ledger, decisions

MACHINES = frozenset({"machine", "機械"})
"""Names under which no person can decide."""


class Act(StrEnum):
    """What a person can do about a thing."""

    CONFIRM = "confirm"
    OVERRIDE = "override"
    DISPUTE = "dispute"
    INSTRUCT = "instruct"
    EXPLAIN = "explain"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    RECUSE = "recuse"
    RELEASE = "release"
    ISSUE = "issue"
    FORGET = "forget"
    ACCESS = "access"
    ROTATE = "rotate"


REPORT = "report"
"""`subject_kind` of decisions about reports; their subject is the report's id. A night does not
see them: who may read its reports changes none of them."""


class NotADecision(ValueError):
    """Something that a decision needs is missing, or the act is none."""


@dataclass(frozen=True)
class Decision:
    """One decision. `decided_at` is aware UTC; `details` is whatever the act needs in JSON."""

    decision: int
    subject_kind: str
    subject: str
    act: Act
    reason: str
    person: str
    decided_at: datetime
    details: Mapping[str, Any]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """From a row of the ledger, or of its snapshot, where `details` is JSON text."""
        details = row["details"]
        return cls(
            **{
                **{name: row[name] for name in cls.__dataclass_fields__},
                "act": Act(row["act"]),
                "details": json.loads(details) if isinstance(details, str) else details,
            }
        )


def decide(
    ledger: Ledger,
    subject_kind: str,
    subject: str,
    act: str,
    *,
    reason: str,
    person: str,
    at: datetime,
    details: Mapping[str, Any] | None = None,
) -> int:
    """Put a decision on record; returns its number. See `record`."""
    with ledger.transaction() as connection:
        return record(
            connection,
            subject_kind,
            subject,
            act,
            reason=reason,
            person=person,
            at=at,
            details=details,
        )


def record(
    connection: Connection,
    subject_kind: str,
    subject: str,
    act: str,
    *,
    reason: str,
    person: str,
    at: datetime,
    details: Mapping[str, Any] | None = None,
) -> int:
    """The same inside a transaction that also does what follows from the decision.

    `reason` and `person` need at least one letter or digit; `at` is an aware instant. Raises
    NotADecision that says what is wrong, in Japanese and English.
    """
    chosen = sound(subject_kind, subject, act, reason=reason, person=person)
    statement = sa.insert(decisions).values(
        subject_kind=subject_kind,
        subject=subject,
        act=chosen.value,
        reason=reason.strip(),
        person=person.strip(),
        decided_at=at,
        details=dict(details or {}),
    )
    key = connection.execute(statement).inserted_primary_key
    assert key is not None, "a single-row insert tells its key"
    return int(key[0])


def sound(subject_kind: str, subject: str, act: str, *, reason: str, person: str) -> Act:
    """The act, if everything that a decision needs is there; raises NotADecision."""
    try:
        chosen = Act(act)
    except ValueError:
        known = ", ".join(Act)
        raise NotADecision(
            f"判断の種類 {act!r} はありません / no such act; one of: {known}"
        ) from None
    for name, ja, text in (
        ("reason", "理由", reason),
        ("person", "判断した人", person),
        ("subject_kind", "対象の種類", subject_kind),
        ("subject", "対象", subject),
    ):
        if not any(map(str.isalnum, text)):
            raise NotADecision(f"{ja}を書いてください / a decision needs a {name}")
    if person.strip().casefold() in MACHINES:
        raise NotADecision("判断は名前のある人がします / a machine can't decide; name a person")
    return chosen


def decisions_about(
    ledger: Ledger, subject_kind: str, subject: str | None = None
) -> tuple[Decision, ...]:
    """Decisions about one subject, or about all of a kind, in the order in which they were made."""
    with ledger.reading() as connection:
        return recorded(connection, subject_kind, subject)


def recorded(
    connection: Connection, subject_kind: str, subject: str | None = None
) -> tuple[Decision, ...]:
    """`decisions_about` inside a transaction."""
    statement = sa.select(decisions).where(decisions.c.subject_kind == subject_kind)
    if subject is not None:
        statement = statement.where(decisions.c.subject == subject)
    rows = connection.execute(statement.order_by(decisions.c.decision))
    return tuple(Decision.from_row(row._asdict()) for row in rows)
