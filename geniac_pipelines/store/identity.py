"""Which ledger belongs to which data folder.

A night deletes files that its ledger does not know. Joined to the wrong ledger (a mistyped
GENIAC_LEDGER_URL, a deleted database) it would delete everything; so both carry the same mark.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import sqlalchemy as sa

from geniac_pipelines.store.files import write_bytes
from geniac_pipelines.store.ledger import Ledger, arrivals, installation

MARK = "ledger-id"
WORKED_IN = ("archive", "landing", "facts", "generations")
"""Folders that only a night makes: a data folder that has one has had a ledger."""


class WrongLedger(Exception):
    """The data folder and the ledger do not belong together; nothing was touched."""

    def __init__(self, said: str) -> None:
        super().__init__(
            "台帳とデータフォルダの組合せが違います。GENIAC_DATA と GENIAC_LEDGER_URL を"
            f"確かめるか、同じバックアップから両方を戻してください / {said}"
        )


def belong_together(ledger: Ledger, data: Path) -> None:
    """Mark a new pair as belonging together; raises WrongLedger for two that do not."""
    mark = data / MARK
    ours = mark.read_text(encoding="utf-8").strip() if mark.exists() else None
    with ledger.reading() as connection:
        theirs = connection.execute(sa.select(installation.c.id)).scalar()
        empty = connection.execute(sa.select(arrivals.c.arrival_id).limit(1)).first() is None
    if theirs is None:
        if ours or any((data / folder).exists() for folder in WORKED_IN):
            raise WrongLedger(
                f"{data} has been worked in, but the ledger {ledger.name} is new. Restore the "
                "ledger or set GENIAC_LEDGER_URL right; to start anew, use a new data folder."
            )
        theirs = uuid.uuid4().hex
        with ledger.transaction() as connection:
            connection.execute(sa.insert(installation).values(id=theirs))
    elif ours is None and not empty:
        raise WrongLedger(
            f"the ledger {ledger.name} belongs to another data folder than {data}: the folder "
            f"lacks the file {MARK}, which a backup of the right one holds."
        )
    elif ours not in (None, theirs):
        raise WrongLedger(
            f"the ledger {ledger.name} ({theirs}) does not belong to {data} ({ours}); see "
            "GENIAC_DATA and GENIAC_LEDGER_URL."
        )
    if ours is None:
        write_bytes(mark, theirs.encode())
