"""A message before it goes into the outbox, and the key that makes it one message."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SECRETARIAT = "secretariat"
COMPANY = "company:"


LARGEST_ATTACHMENT = 1 << 20
"""Bytes; a mail carries a third more of it, which any server takes."""


@dataclass(frozen=True)
class Attachment:
    """A workbook (.xlsx) that goes with a message. Raises ValueError for one that can't."""

    name: str
    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not self.name.endswith(".xlsx") or any(ord(c) < 32 or c in "/\\" for c in self.name):
            raise ValueError(f"not a workbook's name: {self.name!r}")
        if len(self.content) > LARGEST_ATTACHMENT:
            raise ValueError(f"{self.name} is too large for a mail: {len(self.content)} bytes")

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Message:
    """What is said, once, to one recipient.

    `kind` (or rule), `about`, `period`, the recipient and `step` (of an escalation) make it one:
    the same again is not sent again. `channel` is "mail" or "webhook". `recipient` is an address
    or, for a webhook, a name for it; None where it is not known yet, which only a draft may be.
    Whatever is for another audience than the secretariat is a draft until a person releases it.
    """

    kind: str
    about: str
    period: str
    channel: str
    recipient: str | None
    audience: str
    subject: str
    body: str
    step: int = 0
    payload: Mapping[str, Any] = field(default_factory=dict)
    attachment: Attachment | None = None

    def __post_init__(self) -> None:
        for name in ("recipient", "subject"):
            text = getattr(self, name) or ""
            if any(ord(c) < 32 for c in text):
                raise ValueError(f"{name} must be a single line: {text!r}")
        if not self.subject.strip() or not self.body.strip():
            raise ValueError(f"a message needs a subject and a body: {self.kind} {self.about}")
        if self.recipient is None and not self.needs_release:
            raise ValueError("only a draft may be without recipient")

    @property
    def needs_release(self) -> bool:
        return self.audience != SECRETARIAT

    @property
    def key(self) -> str:
        """32 hex digits that the same message gets again, whatever its wording."""
        parts = (self.kind, self.about, self.period, self.recipient, self.step, self.channel)
        # as JSON, so that no two lists of parts run together to the same text
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def mark(
    recipient: str | None, subject: str, body: str, attachment: Attachment | None = None
) -> str:
    """Eight hex digits of what goes out and where to: what somebody has read who releases it."""
    parts = [subject, recipient or "", body, *([attachment.sha256] if attachment else [])]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]
