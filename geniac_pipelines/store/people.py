"""Pseudonyms of people: keyed, the same everywhere for the same person and key.

Here: the key and the function. The key never lies in the ledger or the warehouse; whoever has
only those can't test guesses of names against pseudonyms.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from geniac_pipelines.store.files import write_bytes

MINIMUM_KEY_BYTES = 32


class WeakKey(ValueError):
    """The configured key is too short to keep names from being guessed."""


@dataclass(frozen=True, repr=False)
class Pseudonyms:
    """Turns (kind, value) into a pseudonym: 16 characters of base32 over HMAC-SHA256 (80 bits)."""

    key: bytes

    def __call__(self, kind: str, value: str) -> str:
        digest = hmac.new(self.key, f"{kind}\0{value}".encode(), hashlib.sha256).digest()
        return base64.b32encode(digest[:10]).decode().lower()


def load_pseudonyms(configured: str | None, folder: Path) -> Pseudonyms:
    """The key from the configuration, else from `folder`/pseudonym.key, made once at random.

    Raises WeakKey when the key has fewer than 32 bytes.
    """
    if configured is not None:
        return Pseudonyms(_strong(configured.encode(), "GENIAC_PSEUDONYM_KEY"))
    file = folder / "pseudonym.key"
    if not file.exists():
        old = os.umask(0o077)
        try:
            write_bytes(file, secrets.token_hex(32).encode())
        finally:
            os.umask(old)
    return Pseudonyms(_strong(file.read_bytes(), str(file)))


def _strong(key: bytes, where: str) -> bytes:
    if len(key) < MINIMUM_KEY_BYTES:
        raise WeakKey(f"{where} needs at least {MINIMUM_KEY_BYTES} bytes")
    return key
