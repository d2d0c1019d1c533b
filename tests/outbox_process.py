"""A process that fills or drains an outbox, to be killed: `python -m tests.outbox_process …`.

fill URL KEYS…      enqueue a message for each word, in one transaction
drain URL FILE      send what is due by appending a line to FILE, an hour from now if LATER is set
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from geniac_pipelines.alerts import outbox
from geniac_pipelines.alerts.message import Message
from geniac_pipelines.alerts.outbox import Outgoing
from geniac_pipelines.alerts.render import message_id
from geniac_pipelines.store.ledger import Ledger

CREATED = datetime(2026, 10, 5, 20, 0, tzinfo=UTC)


def a_message(about: str = "a", **other: object) -> Message:
    """A message to the secretariat, or what `other` makes of it."""
    usual: dict[str, object] = {
        "kind": "digest",
        "about": about,
        "period": "2026-10-06",
        "channel": "mail",
        "recipient": "tantou@example.jp",
        "audience": "secretariat",
        "subject": f"朝のまとめ {about}",
        "body": "新しく対応が必要なことはありません。\n",
    }
    return Message(**(usual | other))  # type: ignore[arg-type]


class Log:
    """A channel that appends the Message-ID and recipient to a file."""

    name = "mail"

    def __init__(self, file: Path) -> None:
        self.file = file

    def send(self, outgoing: Outgoing) -> None:
        with self.file.open("a") as f:
            f.write(f"{message_id(outgoing.key, 'geniac@example.jp')} {outgoing.recipient}\n")


def main(what: str, url: str, *rest: str) -> None:
    ledger = Ledger(url)
    if what == "fill":
        with ledger.transaction() as connection:
            for about in rest:
                outbox.enqueue(connection, 1, a_message(about), CREATED)
        return
    now = datetime.now(UTC) + timedelta(hours=1 if os.environ.get("LATER") else 0)
    outbox.drain(ledger, {"mail": Log(Path(rest[0]))}, lambda: now)


if __name__ == "__main__":
    main(*sys.argv[1:])
