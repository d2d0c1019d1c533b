"""Another secret key in place of the present one, on purpose.

Sealed originals and the vault are encrypted anew; from the next night on every original that is
still held is read again and lands with new pseudonyms. What landed from an erased original keeps
its old pseudonyms, which the vault still knows: such a person counts twice. Only under the lock.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from geniac_pipelines.failpoints import failpoint
from geniac_pipelines.store import people
from geniac_pipelines.store.archive import Archive
from geniac_pipelines.store.decisions import Act, sound
from geniac_pipelines.store.decisions import record as decide
from geniac_pipelines.store.files import write_bytes
from geniac_pipelines.store.ledger import Ledger, readings, secret_keys, upsert
from geniac_pipelines.store.secret import (
    FILE,
    NEXT_FILE,
    ROTATION,
    VARIABLE,
    Secret,
    WrongKey,
    known_check,
    make_secret,
    open_secret,
    read_secret,
)

NEXT_VARIABLE = "GENIAC_PSEUDONYM_KEY_NEXT"


@dataclass(frozen=True)
class Rotated:
    """What a change of keys did.

    `damaged` are sealed objects that nobody can read, before or after. `configured`: the new key
    must now be set in the environment.
    """

    objects: int
    damaged: tuple[str, ...]
    people: int
    check: str
    configured: bool


def rotate(
    ledger: Ledger,
    root: Path,
    keys: Path,
    formats: Collection[str],
    *,
    configured: str | None,
    following: str | None,
    by: str,
    reason: str,
) -> Rotated:
    """Change from the present key to a new one; to be repeated after a kill.

    A key in the environment (`configured`) is followed by the one in `following`; a key in a file
    by a random one. `formats` are those whose files are read again. Raises WrongKey if the present
    key is not the ledger's, NotADecision without a name and a reason.
    """
    sound("key", "new", Act.ROTATE, reason=reason, person=by)
    begun = keys / ROTATION
    if begun.exists() and begun.read_text() == known_check(ledger):
        return _ended(ledger, keys, configured, following)
    old, new = _both(ledger, keys, configured, following)
    if begun.exists() and begun.read_text() != new.check:
        raise WrongKey(
            f"別の新しい鍵（照合値 {begun.read_text()}）への取替えが途中です。"
            "その鍵で再実行してください。 / "
            f"a change to another key (check value {begun.read_text()}) was begun; end it with it."
        )
    write_bytes(begun, new.check.encode())
    failpoint("rotation-begun")
    objects, damaged = Archive(root, secret=old).reseal(new)
    now = datetime.now(UTC)
    with ledger.transaction() as connection:
        decide(
            connection,
            "key",
            new.check,
            Act.ROTATE,
            reason=reason,
            person=by,
            at=now,
            details={"old": old.check},
        )
        count = people.reseal(connection, old, new)
        connection.execute(sa.update(secret_keys).values(until=now))
        row = {"check_value": new.check, "since": now, "until": None}
        connection.execute(
            upsert(secret_keys, connection)
            .values(row)
            .on_conflict_do_update(index_elements=["check_value"], set_=row)
        )
        # a version that no format has: whoever reads next finds these out of date
        connection.execute(
            sa.update(readings)
            .where(readings.c.format.in_(sorted(formats)))
            .values(format_version=0)
        )
    failpoint("rotation-recorded")
    ended = _ended(ledger, keys, configured, following)
    return replace(ended, objects=objects, damaged=tuple(damaged), people=count)


def _ended(ledger: Ledger, keys: Path, configured: str | None, following: str | None) -> Rotated:
    """The new key in the place of the old one."""
    new = open_secret(ledger, following if configured is not None else None, keys)
    return Rotated(0, (), 0, new.check, configured is not None)


def _both(
    ledger: Ledger, keys: Path, configured: str | None, following: str | None
) -> tuple[Secret, Secret]:
    old = read_secret(configured, keys)
    known = known_check(ledger)
    if old is None or known is None or old.check != known:
        where = VARIABLE if configured is not None else str(keys / FILE)
        raise WrongKey(
            f"{where} は現在の鍵ではありません。取替えには現在の鍵が必要です。 / "
            f"{where} is not the present key (on record: {known}), which is needed to change it."
        )
    if configured is not None:
        if following is None:
            raise WrongKey(
                f"新しい鍵を {NEXT_VARIABLE} に設定してください。 / "
                f"set {NEXT_VARIABLE} to the new key."
            )
        new = read_secret(following, keys)
        assert new is not None, "a configured key is a key"
    else:
        file = keys / NEXT_FILE
        new = Secret(file.read_bytes()) if file.exists() else make_secret(file)
    if new.check == old.check:
        raise WrongKey("新しい鍵が現在の鍵と同じです。 / the new key is the present one.")
    return old, new
