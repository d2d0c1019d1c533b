"""The secret key: where it comes from, how a wrong one is noticed, what is derived from it.

Here: the key and its record in the ledger. The key itself never lies in the ledger or the
warehouse; whoever has only those can't test guesses of names against pseudonyms. Not here: what
the keys are used for (people, archive).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from geniac_pipelines.store.files import flush, write_bytes
from geniac_pipelines.store.ledger import Ledger, landings, secret_keys, upsert

VARIABLE = "GENIAC_PSEUDONYM_KEY"
FILE = "pseudonym.key"
NEXT_FILE = "pseudonym.key.next"
ROTATION = "rotation"
"""In the folder of keys while one takes another's place: the check value of the new one."""
MINIMUM_KEY_BYTES = 32


class WeakKey(ValueError):
    """The configured key is too short to keep names from being guessed."""


class WrongKey(Exception):
    """The key at hand is not the one that this ledger's pseudonyms were made with, or is gone."""


@dataclass(frozen=True, repr=False)
class Secret:
    """The installation's secret key."""

    key: bytes

    @property
    def check(self) -> str:
        """16 hex digits that tell this key from another and nothing more about it."""
        return hmac.new(self.key, b"geniac key check", hashlib.sha256).hexdigest()[:16]

    def derive(self, purpose: str, salt: bytes | None = None) -> bytes:
        """A key of 32 bytes for one purpose (HKDF-SHA256, RFC 5869)."""
        kdf = HKDF(hashes.SHA256(), 32, salt=salt, info=f"geniac {purpose}".encode())
        return kdf.derive(self.key)


def read_secret(configured: str | None, folder: Path) -> Secret | None:
    """The key from the configuration, else from `folder`/pseudonym.key; None if there is none.

    Raises WeakKey when it has fewer than 32 bytes.
    """
    if configured is not None:
        return Secret(_strong(configured.encode(), VARIABLE))
    file = folder / FILE
    return Secret(_strong(file.read_bytes(), str(file))) if file.exists() else None


def make_secret(file: Path) -> Secret:
    """A new random key, written to `file` for its owner alone."""
    old = os.umask(0o077)
    try:
        write_bytes(file, secrets.token_hex(32).encode())
    finally:
        os.umask(old)
    return Secret(file.read_bytes())


def open_secret(
    ledger: Ledger, configured: str | None, folder: Path, *, make: bool = True
) -> Secret:
    """The key that belongs to this ledger; made at random (with `make`) at its first use.

    Raises WrongKey where the ledger knows another key, where it was worked with and no key is at
    hand, and in the middle of a change of keys: new pseudonyms would break every count of people
    without a sound.
    """
    _end_of_rotation(ledger, folder)
    found = read_secret(configured, folder)
    where = VARIABLE if configured is not None else str(folder / FILE)
    known = known_check(ledger)
    if found is None:
        if known or not make or _landed(ledger):
            raise WrongKey(_message(f"鍵 {where} がありません", f"the key {where} is gone", known))
        found = make_secret(folder / FILE)
    if known is None:
        _remember(ledger, found)
    elif found.check != known:
        raise WrongKey(
            _message(
                f"{where} の鍵（照合値 {found.check}）は、この台帳の仮名を作った鍵ではありません",
                f"{where} holds another key (check value {found.check}) than the one that made "
                "this ledger's pseudonyms",
                known,
            )
        )
    return found


def _end_of_rotation(ledger: Ledger, folder: Path) -> None:
    """Finish a change of keys that the ledger has recorded; refuse to work within one."""
    marker = folder / ROTATION
    if not marker.exists():
        return
    if marker.read_text() != known_check(ledger):
        raise WrongKey(
            f"鍵の取替えが途中です（{marker}）。"
            "geniac people rotate をもう一度実行してください。 / "
            f"a change of keys was begun ({marker}); run `geniac people rotate` again."
        )
    following = folder / NEXT_FILE
    if following.exists():
        following.replace(folder / FILE)
        flush(folder)
    marker.unlink(missing_ok=True)


def known_check(ledger: Ledger) -> str | None:
    """The check value of the key that this ledger works with; None before its first use."""
    statement = sa.select(secret_keys.c.check_value).where(secret_keys.c.until.is_(None))
    with ledger.reading() as connection:
        found: str | None = connection.execute(statement).scalar()
    return found


def _message(ja: str, en: str, known: str | None) -> str:
    expected = known or "記録なし / none on record"
    return (
        f"{ja}（台帳の照合値 {expected}）。何も処理していません。keys/ をバックアップから戻すか、"
        f"{VARIABLE} を元の値にしてください。"
        "意図して取り替えるときは geniac people rotate を使います。"
        f" / {en} (on record: {expected}). Nothing was done. Restore keys/ from the backup or set "
        f"{VARIABLE} back; to change the key on purpose, use `geniac people rotate` "
        "(docs/operations.md)."
    )


def _landed(ledger: Ledger) -> bool:
    with ledger.reading() as connection:
        return connection.execute(sa.select(landings.c.arrival_id).limit(1)).first() is not None


def _remember(ledger: Ledger, secret: Secret) -> None:
    with ledger.transaction() as connection:
        connection.execute(
            upsert(secret_keys, connection)
            .values(check_value=secret.check, since=datetime.now(UTC), until=None)
            .on_conflict_do_nothing()
        )


def _strong(key: bytes, where: str) -> bytes:
    if len(key) < MINIMUM_KEY_BYTES:
        raise WeakKey(f"{where} needs at least {MINIMUM_KEY_BYTES} bytes")
    return key
