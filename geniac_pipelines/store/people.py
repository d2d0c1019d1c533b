"""People: keyed pseudonyms, and the vault that alone leads back from one to a person.

Here: the function, what intake saw of people on the way (`Encounters`), and the vault's rows. A
row is encrypted under the secret key, is written in the transaction that records the reading, and
goes when the last original that names the person goes. It is read by `look_up` alone, which puts
who asked and why on record. Nothing of it enters the snapshot, the lake, the warehouse or a log.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.store.decisions import Act
from geniac_pipelines.store.decisions import record as decide
from geniac_pipelines.store.ledger import Ledger, arrivals, people, upsert
from geniac_pipelines.store.sealed import open_value, seal_value
from geniac_pipelines.store.secret import Secret

NAMES_OF_THINGS = frozenset({"job_name"})
"""Kinds that get a pseudonym since people write anything into them, but that name nobody."""
SUBJECT_KIND = "person"
PURPOSE = "people"


class UnknownPseudonym(LookupError):
    """The vault has no person of that pseudonym: never seen, or deleted on its day."""


@dataclass(frozen=True, repr=False)
class Pseudonyms:
    """Turns (kind, value) into a pseudonym: 16 characters of base32 over HMAC-SHA256 (80 bits)."""

    key: bytes

    def __call__(self, kind: str, value: str) -> str:
        words = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        digest = hmac.new(self.key, words, hashlib.sha256).digest()
        return base64.b32encode(digest[:10]).decode().lower()


@dataclass(repr=False)
class Encounters:
    """Passes names on to `pseudonym` and remembers which people were among them.

    Never shown: its representation ends in logs.
    """

    pseudonym: Callable[[str, str], str]
    met: dict[tuple[str, str], str] = field(default_factory=dict)

    def __call__(self, kind: str, value: str) -> str:
        known = self.met.get((kind, value))
        if known is None:
            known = self.pseudonym(kind, value)
            if kind not in NAMES_OF_THINGS:
                self.met[kind, value] = known
        return known


@dataclass(frozen=True)
class Person:
    """What the vault tells. `identifier` is the name, account or address as it came."""

    pseudonym: str
    kind: str
    identifier: str = field(repr=False)
    purpose: str
    first_arrival: str
    first_seen: datetime
    delete_on: date


def keep(
    connection: Connection,
    secret: Secret,
    met: Encounters,
    *,
    arrival: str,
    purpose: str,
    delete_on: date,
) -> None:
    """Put the people of one arrival into the vault, inside the transaction of its reading.

    Who is in already stays under the first arrival, until the later of the two days.
    """
    rows = [
        {
            "pseudonym": pseudonym,
            "kind": kind,
            "sealed": seal_value(secret, PURPOSE, identifier, f"{kind}\0{pseudonym}"),
            "purpose": purpose,
            "first_arrival": arrival,
            "delete_on": delete_on,
        }
        for (kind, identifier), pseudonym in sorted(met.met.items())
    ]
    if not rows:
        return
    statement = upsert(people, connection)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["pseudonym"],
            set_={"purpose": new.purpose, "delete_on": new.delete_on},
            where=new.delete_on > people.c.delete_on,
        ),
        rows,
    )


def look_up(
    ledger: Ledger, secret: Secret, pseudonym: str, *, by: str, purpose: str, at: datetime
) -> Person:
    """The person behind a pseudonym; that `by` asked, and for which purpose, goes on record.

    Raises UnknownPseudonym (that is on record too), NotADecision without a name and a purpose,
    NotGenuine if the row was made with another key.
    """
    columns = (*people.c, arrivals.c.received_at.label("first_seen"))
    statement = (
        sa.select(*columns)
        .join(arrivals, arrivals.c.arrival_id == people.c.first_arrival)
        .where(people.c.pseudonym == pseudonym)
    )
    with ledger.transaction() as connection:
        row = connection.execute(statement).first()
        decide(
            connection,
            SUBJECT_KIND,
            pseudonym,
            Act.ACCESS,
            reason=purpose,
            person=by,
            at=at,
            details={"found": row is not None},
        )
    if row is None:
        raise UnknownPseudonym(
            f"仮名 {pseudonym} の記録はありません（期限により削除済みか、"
            "受け付けたことがありません） / "
            f"the vault has no {pseudonym}: deleted on its day, or never seen"
        )
    return Person(
        pseudonym=row.pseudonym,
        kind=row.kind,
        identifier=open_value(secret, PURPOSE, row.sealed, f"{row.kind}\0{row.pseudonym}"),
        purpose=row.purpose,
        first_arrival=row.first_arrival,
        first_seen=row.first_seen,
        delete_on=row.delete_on,
    )


def reseal(connection: Connection, old: Secret, new: Secret) -> int:
    """Encrypt every row anew under another key; returns how many. Pseudonyms stay what they are."""
    columns = (people.c.pseudonym, people.c.kind, people.c.sealed)
    rows = connection.execute(sa.select(*columns)).all()
    for pseudonym, kind, sealed in rows:
        bound_to = f"{kind}\0{pseudonym}"
        identifier = open_value(old, PURPOSE, sealed, bound_to)
        connection.execute(
            sa.update(people)
            .where(people.c.pseudonym == pseudonym)
            .values(sealed=seal_value(new, PURPOSE, identifier, bound_to))
        )
    return len(rows)


def count_due(connection: Connection, today: date) -> int:
    """How many people `delete_due` would delete."""
    due = sa.select(sa.func.count()).select_from(people).where(people.c.delete_on < today)
    return int(connection.execute(due).scalar_one())


def delete_due(connection: Connection, today: date) -> int:
    """Delete whose day has passed; returns how many. Their pseudonyms then lead nowhere."""
    return connection.execute(sa.delete(people).where(people.c.delete_on < today)).rowcount
