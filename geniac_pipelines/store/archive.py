"""The archive of objects: the bytes as they came, once for each SHA-256, compressed with zstd.

An object says nothing about who sent it or under which name: that is an arrival (ledger). Objects
that hold what is said of people are sealed (encrypted) under the same name, the hash of the plain
bytes; an erased object leaves a tombstone that says when and why.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import pyarrow as pa

from geniac_pipelines.failpoints import failpoint
from geniac_pipelines.store.files import CHUNK, flush, write_bytes
from geniac_pipelines.store.sealed import NotGenuine, opening, sealed_with, sealing
from geniac_pipelines.store.secret import Secret


class DamagedObject(Exception):
    """An archived object whose bytes no longer have the hash that names it."""


class ErasedObject(Exception):
    """An object whose bytes were erased on purpose: `at` (ISO 8601, UTC) and `why`."""

    def __init__(self, sha256: str, at: str, why: str) -> None:
        super().__init__(f"object {sha256} was erased on {at}: {why}")
        self.at = at
        self.why = why


class NoKey(Exception):
    """A sealed object was to be read or written without the secret key."""


class ChangedWhileRead(Exception):
    """A file that changed or was replaced while it was being taken in; it is tried again later."""


@dataclass(frozen=True)
class StoredObject:
    """An object: its SHA-256 (hex) and its size in bytes before compression."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Archive:
    """The objects below `root`.

    Plain copies are made for as long as somebody reads one: below `work`, or in the system's
    folder for temporary files where it is None. Without the `secret` sealed objects can be erased
    but neither read nor written.
    """

    root: Path
    work: Path | None = None
    secret: Secret | None = field(default=None, repr=False)

    def path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / f"{sha256}.zst"

    def sealed_path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / f"{sha256}.sealed"

    def tombstone(self, sha256: str) -> Path:
        return self.root / sha256[:2] / f"{sha256}.erased"

    def put(self, file: Path, private: Callable[[], bool] = lambda: False) -> StoredObject:
        """Keep a file's bytes, sealed if `private()` says so. Twice the same bytes are kept once.

        `private` may look at the file: it is asked while changes of it are watched for. Bytes that
        are kept sealed stay so, whatever is said of them later.

        Raises ChangedWhileRead if the file changed under our hands: half of a new version joined
        to half of an old one must never become evidence.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        size = 0
        # the name is known only when the last byte is read, so the root serves as staging
        temporary = self._incoming()
        try:
            with file.open("rb") as source:
                before = _version(os.fstat(source.fileno()))
                sealed = private()
                with self._sink(temporary, sealed) as sink:
                    while chunk := source.read(CHUNK):
                        digest.update(chunk)
                        size += len(chunk)
                        sink.write(chunk)
                # the path may name another file by now, and the open one may have grown
                after = {_version(os.fstat(source.fileno())), _version(file.stat())}
            if after != {before} or size != before[1]:
                raise ChangedWhileRead(f"{file} changed while it was read")
            self._settle(temporary, digest.hexdigest(), sealed)
        finally:
            temporary.unlink(missing_ok=True)
        failpoint("object-stored")
        return StoredObject(digest.hexdigest(), size)

    @contextmanager
    def materialised(self, sha256: str) -> Iterator[Path]:
        """The object's bytes as a plain file for as long as the block runs.

        Raises as `chunks` does.
        """
        if self.work:
            self.work.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="geniac-object-", dir=self.work) as folder:
            plain = Path(folder) / "object"
            with plain.open("wb") as sink:
                for chunk in self.chunks(sha256):
                    sink.write(chunk)
            yield plain

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """The object's plain bytes, piece by piece; they are the right ones if no piece raises.

        Raises FileNotFoundError for an unknown object, ErasedObject for an erased one,
        DamagedObject if the bytes are not those, NoKey for a sealed object without the key.
        """
        stored = self._held(sha256)
        if stored is None:
            self.raise_absent(sha256)
        digest = hashlib.sha256()
        for chunk in self._unpacked(stored):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != sha256:
            raise DamagedObject(f"{stored}: the bytes hash to {digest.hexdigest()}")

    def holds(self, sha256: str) -> bool:
        """Whether the bytes lie here, whole or rotten."""
        return self._held(sha256) is not None

    def is_sealed(self, sha256: str) -> bool:
        return self.sealed_path(sha256).exists()

    def seal(self, sha256: str) -> None:
        """Encrypt an object that was kept plain; an erased or sealed one is left as it is."""
        plain = self.path(sha256)
        if not plain.exists():
            return
        secret = self._key()
        temporary = self._incoming()
        try:
            with plain.open("rb") as source, sealing(temporary, secret) as sink:
                while chunk := source.read(CHUNK):
                    sink.write(chunk)
            self._settle(temporary, sha256, sealed=True)
        finally:
            temporary.unlink(missing_ok=True)

    def reseal(self, new: Secret) -> tuple[int, list[str]]:
        """Encrypt every sealed object anew under another key; may be repeated.

        Returns how many were, less those that are under the new key already, and the names of
        objects that are damaged: nobody can read them, and they stay as they are.
        """
        done, damaged = 0, []
        for stored in sorted(self.root.glob("*/*.sealed")):
            try:
                if sealed_with(stored) == new.check:
                    continue
                self._reseal(stored, new)
            except NotGenuine:
                damaged.append(stored.stem)
                continue
            done += 1
            failpoint("object-resealed")
        return done, damaged

    def _reseal(self, stored: Path, new: Secret) -> None:
        temporary = self._incoming()
        try:
            with opening(stored, self._key()) as source, sealing(temporary, new) as sink:
                while chunk := source.read(CHUNK):
                    sink.write(chunk)
            flush(temporary)
            temporary.replace(stored)
            flush(stored.parent)
        finally:
            temporary.unlink(missing_ok=True)

    def erase(self, sha256: str, *, at: datetime, why: str) -> None:
        """Erase an object's bytes and leave a tombstone; may be repeated.

        Raises FileNotFoundError for an object that never was here.
        """
        if not self.holds(sha256):
            if self.tombstone(sha256).exists():
                return
            self.raise_absent(sha256)
        words = json.dumps({"erased_at": at.isoformat(), "why": why}, ensure_ascii=False)
        write_bytes(self.tombstone(sha256), words.encode())
        failpoint("object-tombstone")
        self.path(sha256).unlink(missing_ok=True)
        self.sealed_path(sha256).unlink(missing_ok=True)
        flush(self.tombstone(sha256).parent)
        failpoint("object-erased")

    def remove_leftovers(self) -> None:
        """Delete what a killed night was writing. Only under the night's lock."""
        for pattern in (".incoming-*.part", "*/.*.part"):
            for file in self.root.glob(pattern):
                file.unlink(missing_ok=True)

    def _held(self, sha256: str) -> Path | None:
        both = (self.sealed_path(sha256), self.path(sha256))
        return next((path for path in both if path.exists()), None)

    def raise_absent(self, sha256: str) -> NoReturn:
        """Say of bytes that are not held why: ErasedObject, else FileNotFoundError."""
        stone = self.tombstone(sha256)
        if stone.exists():
            words = json.loads(stone.read_bytes())
            raise ErasedObject(sha256, words["erased_at"], words["why"])
        raise FileNotFoundError(f"object {sha256} is not in the archive {self.root}")

    def _incoming(self) -> Path:
        return self.root / f".incoming-{secrets.token_hex(8)}.part"

    def _settle(self, temporary: Path, sha256: str, sealed: bool) -> None:
        """Give staged bytes their name. The plain copy goes only when the sealed one is safe."""
        flush(temporary)
        keeps_sealed = sealed or self.is_sealed(sha256)
        stored = self.sealed_path(sha256) if sealed else self.path(sha256)
        stored.parent.mkdir(exist_ok=True)
        # a copy that was kept before is replaced: if it had rotted, it is whole again
        temporary.replace(stored)
        flush(stored.parent)
        if sealed:
            failpoint("object-sealed")
            self.path(sha256).unlink(missing_ok=True)
        elif keeps_sealed:
            self.seal(sha256)
        self.tombstone(sha256).unlink(missing_ok=True)

    @contextmanager
    def _sink(self, path: Path, sealed: bool) -> Iterator[Any]:
        if not sealed:
            with pa.CompressedOutputStream(str(path), "zstd") as sink:
                yield sink
            return
        with (
            sealing(path, self._key()) as target,
            pa.CompressedOutputStream(pa.PythonFile(target, "w"), "zstd") as sink,
        ):
            yield sink

    def _unpacked(self, stored: Path) -> Iterator[bytes]:
        """The plain bytes; a fault in reading or unpacking them is damage, a full disk is not."""
        try:
            if stored.suffix == ".sealed":
                with (
                    opening(stored, self._key()) as source,
                    pa.CompressedInputStream(pa.PythonFile(source, "r"), "zstd") as plain,
                ):
                    yield from _pieces(plain)
            else:
                with pa.CompressedInputStream(str(stored), "zstd") as plain:
                    yield from _pieces(plain)
        except (OSError, pa.ArrowInvalid, NotGenuine) as error:
            raise DamagedObject(f"{stored}: {error}") from error

    def _key(self) -> Secret:
        if self.secret is None:
            raise NoKey(f"a sealed object of {self.root} needs the secret key")
        return self.secret


def _pieces(stream: Any) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
