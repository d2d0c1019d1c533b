"""Attachments of messages in the ledger: written with their message, read when it goes out.

The bytes are kept rather than made again, so that a second sending carries the same ones and a
person releases precisely what they have looked at.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.alerts.message import Attachment, Message
from geniac_pipelines.store.ledger import attachments, messages


def keep(connection: Connection, message: Message) -> None:
    """Let the message carry its attachment and none that it had before."""
    connection.execute(sa.delete(attachments).where(attachments.c.key == message.key))
    if found := message.attachment:
        values = {"key": message.key, "name": found.name, "content": found.content}
        connection.execute(sa.insert(attachments).values(values))


def drop_withdrawn(connection: Connection) -> None:
    """Forget what withdrawn drafts would have carried."""
    withdrawn = sa.select(messages.c.key).where(messages.c.state == "withdrawn")
    connection.execute(sa.delete(attachments).where(attachments.c.key.in_(withdrawn)))


def attached(connection: Connection, keys: Collection[str]) -> dict[str, Attachment]:
    """The attachments of those messages that have one, by key."""
    statement = sa.select(attachments).where(attachments.c.key.in_(sorted(keys)))
    return {r.key: Attachment(r.name, bytes(r.content)) for r in connection.execute(statement)}
