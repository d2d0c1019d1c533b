"""Faults of the place or of its use, whose words say what to do; a stack trace would hide them.

A roof's helper. Not here: faults of the program itself, which keep their stack traces.
"""

from __future__ import annotations

import errno

from sqlalchemy.exc import DatabaseError

from geniac_pipelines.intake.deliveries import ManifestError
from geniac_pipelines.intake.sweep import NoInbox
from geniac_pipelines.night import AlreadyIssued
from geniac_pipelines.reports.edition import ContentChanged
from geniac_pipelines.store.identity import WrongLedger
from geniac_pipelines.store.ledger import LedgerMismatch
from geniac_pipelines.store.lock import Busy
from geniac_pipelines.store.secret import WeakKey, WrongKey

KNOWN: tuple[type[Exception], ...] = (
    AlreadyIssued, Busy, ContentChanged, LedgerMismatch, ManifestError, NoInbox, WeakKey, WrongKey,
    WrongLedger,
)  # fmt: skip
OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


def words_of(error: Exception) -> str | None:
    """What to tell a person about the error, in Japanese and English; None for any other."""
    if isinstance(error, KNOWN):
        return str(error)
    if isinstance(error, DatabaseError):
        return (
            "データベース（台帳またはDagsterの記録）を読み書きできません。空き容量と権限を確かめ、"
            "壊れている場合は docs/operations.md の “Back up and restore” の手順で戻してください / "
            f"a database (ledger, or Dagster's records) can't be read or written: {error.orig}. "
            "Look for room and permissions; if it is damaged, restore it as docs/operations.md says"
        )
    if isinstance(error, OSError) and error.errno in OF_THE_DISK:
        return (
            f"ファイルを読み書きできません（{error.filename}）。空き容量と権限を確かめてください / "
            f"{error.strerror}: {error.filename}. Look for room and permissions"
        )
    return None
