"""Encrypted files and values: AES-256-GCM under keys derived from the secret key.

A sealed file is: mark (8 bytes), check value of the secret key (8), salt (32), ciphertext, tag
(16). Each file has a key of its own (HKDF over the salt), used once, so the nonce is zero. Bytes
read from a sealed file are genuine only when its end has been reached: whoever reads piece by
piece acts on nothing before that.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from geniac_pipelines.store.files import CHUNK
from geniac_pipelines.store.secret import Secret

MARK = b"GENIAC\x00\x01"
CHECK_BYTES = 8
SALT_BYTES = 32
TAG_BYTES = 16
NONCE_BYTES = 12
HEAD_BYTES = len(MARK) + CHECK_BYTES + SALT_BYTES
PURPOSE = "sealed file"


class NotGenuine(Exception):
    """Sealed bytes that were changed, cut, or made with another key."""


class _Sealing(io.RawIOBase):
    """Encrypts what is written to it."""

    def __init__(self, target: IO[bytes], secret: Secret) -> None:
        head = MARK + bytes.fromhex(secret.check) + os.urandom(SALT_BYTES)
        self._target = target
        self._encryptor = _cipher(secret, head[-SALT_BYTES:], None).encryptor()
        self._encryptor.authenticate_additional_data(head)
        target.write(head)

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        plain = bytes(data)  # type: ignore[call-overload]
        self._target.write(self._encryptor.update(plain))
        return len(plain)

    def finish(self) -> None:
        """Write the tag; a file without it is not genuine."""
        self._target.write(self._encryptor.finalize() + self._encryptor.tag)


class _Opening(io.RawIOBase):
    """Decrypts as it is read; raises NotGenuine at the end of bytes that are not."""

    def __init__(self, source: IO[bytes], size: int, secret: Secret) -> None:
        source.seek(size - TAG_BYTES)
        tag = source.read(TAG_BYTES)
        source.seek(0)
        head = source.read(HEAD_BYTES)
        self._source = source
        self._left = size - HEAD_BYTES - TAG_BYTES
        self._decryptor = _cipher(secret, head[-SALT_BYTES:], tag).decryptor()
        self._decryptor.authenticate_additional_data(head)
        self._ended = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._left == 0:
            self.check()
            return b""
        wanted = self._left if size < 0 else min(size, self._left)
        found = self._source.read(wanted)
        self._left -= len(found)
        return self._decryptor.update(found)

    def check(self) -> None:
        """Read what is left and compare the tag."""
        while self._left:
            found = self._source.read(min(CHUNK, self._left))
            if not found:
                raise NotGenuine("the sealed file is cut")
            self._left -= len(found)
            self._decryptor.update(found)
        if self._ended:
            return
        try:
            self._decryptor.finalize()
        except InvalidTag as error:
            raise NotGenuine("changed, or sealed with another key") from error
        self._ended = True


@contextmanager
def sealing(path: Path, secret: Secret) -> Iterator[_Sealing]:
    """A new sealed file at `path`, to be written to; it is whole when the block has ended well."""
    with path.open("wb") as target:
        sink = _Sealing(target, secret)
        yield sink
        sink.finish()


@contextmanager
def opening(path: Path, secret: Secret) -> Iterator[_Opening]:
    """The plain bytes of a sealed file. Raises NotGenuine, at the latest when the block ends."""
    if sealed_with(path) != secret.check:
        raise NotGenuine("sealed with another key")
    size = path.stat().st_size
    with path.open("rb") as source:
        opened = _Opening(source, size, secret)
        yield opened
        opened.check()


def sealed_with(path: Path) -> str:
    """The check value of the key that a file is sealed with; raises NotGenuine if it is none."""
    with path.open("rb") as source:
        head = source.read(HEAD_BYTES)
    if len(head) < HEAD_BYTES or path.stat().st_size < HEAD_BYTES + TAG_BYTES or head[:8] != MARK:
        raise NotGenuine("no sealed file")
    return head[len(MARK) : len(MARK) + CHECK_BYTES].hex()


def seal_value(secret: Secret, purpose: str, value: str, bound_to: str) -> bytes:
    """A short text encrypted; it opens only with the same `bound_to`, say its row's key."""
    nonce = os.urandom(NONCE_BYTES)
    cipher = AESGCM(secret.derive(purpose))
    return nonce + cipher.encrypt(nonce, value.encode("utf-8", "surrogatepass"), bound_to.encode())


def open_value(secret: Secret, purpose: str, sealed: bytes, bound_to: str) -> str:
    """The text of `seal_value`; raises NotGenuine."""
    nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        plain = AESGCM(secret.derive(purpose)).decrypt(nonce, body, bound_to.encode())
    except InvalidTag as error:
        raise NotGenuine("changed, or sealed with another key") from error
    return plain.decode("utf-8", "surrogatepass")


def _cipher(secret: Secret, salt: bytes, tag: bytes | None) -> Cipher[modes.GCM]:
    return Cipher(algorithms.AES(secret.derive(PURPOSE, salt)), modes.GCM(bytes(NONCE_BYTES), tag))
