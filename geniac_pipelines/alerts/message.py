"""A message before it goes into the outbox, and the key that makes it one message."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SECRETARIAT = "secretariat"
COMPANY = "company:"


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

    @property
    def mark(self) -> str:
        """Eight hex digits of its wording: what somebody has read when they release it."""
        return mark(self.subject, self.body)


def mark(subject: str, body: str) -> str:
    """See `Message.mark`."""
    return hashlib.sha256(f"{subject}\0{body}".encode()).hexdigest()[:8]
