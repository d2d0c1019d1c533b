"""A message as bytes: mail (RFC 5322), and a webhook's JSON. The same message, the same bytes."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses, parseaddr
from typing import Any

from geniac_pipelines.alerts.outbox import Outgoing
from geniac_pipelines.calendar import JST

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

SLACK_HEADER = 150
SLACK_TEXT = 3000
SLACK_BLOCKS = 50
"""Limits of Slack's Block Kit: characters of a header, of a section, blocks of a message."""


def mail(outgoing: Outgoing, sender: str) -> bytes:
    """The mail with CRLF line ends. Raises ValueError for an address that can't be written.

    The Message-ID comes from the key, the Date from when the message was made, so that a second
    sending is the same mail. Auto-Submitted (RFC 3834) keeps absence notes from answering.
    """
    address(outgoing.recipient)
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = outgoing.recipient
    message["Subject"] = outgoing.subject
    message["Date"] = format_datetime(outgoing.created_at.astimezone(JST))
    message["Message-ID"] = message_id(outgoing.key, sender)
    message["Auto-Submitted"] = "auto-generated"
    # base64, since a server need not take eight bits
    message.set_content(_signed(outgoing), charset="utf-8", cte="base64")
    if attachment := outgoing.attachment:
        message.add_attachment(
            attachment.content, *WORKBOOK.split("/"), filename=attachment.name, cte="base64"
        )
        # the library's own would be another one each time; base64 holds no underscore
        message.set_boundary(f"_{outgoing.key}_")
    return message.as_bytes()


def address(text: str) -> str:
    """The bare address in `Name <user@host>`. Raises ValueError unless it is exactly one.

    Addresses beyond ASCII need SMTPUTF8, which few servers offer; they are refused.
    """
    found = [bare for _, bare in getaddresses([text])]
    if len(found) != 1 or not found[0].isascii() or not all(found[0].partition("@")):
        raise ValueError(f"{text!r} is not one mail address")
    return found[0]


def message_id(key: str, sender: str) -> str:
    """The Message-ID of a key, in the domain of the sender's address."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    return f"<{key}@{domain or 'localhost'}>"


def webhook(outgoing: Outgoing) -> dict[str, Any]:
    """What Slack's incoming webhooks take: `text` for notifications, `blocks` for the channel.

    A body that is too long for Slack ends with a line that says so. Of an attachment it tells the
    name alone.
    """
    header = {
        "type": "header",
        "text": {"type": "plain_text", "text": outgoing.subject[:SLACK_HEADER]},
    }
    pieces = _pieces(_escaped(outgoing.body), SLACK_TEXT)
    room = SLACK_BLOCKS - 2
    if len(pieces) > room:
        pieces = [*pieces[: room - 1], "（続きはメールか `geniac findings list` で）"]
    sections = [{"type": "section", "text": {"type": "mrkdwn", "text": p}} for p in pieces]
    words = f"通知番号 {outgoing.key}"
    if outgoing.attachment:
        words = f"添付（メールのみ） {_escaped(outgoing.attachment.name)}　{words}"
    note = {"type": "mrkdwn", "text": words}
    footer = {"type": "context", "elements": [note]}
    return {"text": _escaped(outgoing.subject), "blocks": [header, *sections, footer]}


def _signed(outgoing: Outgoing) -> str:
    return f"{outgoing.body.rstrip()}\n\n-- \n通知番号 {outgoing.key}\n"


def _escaped(text: str) -> str:
    """The three characters that mean something to Slack, as its manual has them written."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _pieces(text: str, size: int) -> list[str]:
    """The text in pieces of whole lines, as long as they may be; a longer line is cut."""
    pieces = [""]
    for line in text.splitlines():
        parts = [line[n : n + size] for n in range(0, len(line), size)] or [""]
        for part in parts:
            if len(pieces[-1]) + 1 + len(part) > size:
                pieces.append(part)
            else:
                pieces[-1] = f"{pieces[-1]}\n{part}" if pieces[-1] else part
    return [piece for piece in pieces if piece.strip()]
