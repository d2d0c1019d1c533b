"""The archive of objects: the bytes as they came, once for each SHA-256, compressed with zstd.

An object says nothing about who sent it or under which name: that is an arrival (ledger).
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from geniac_pipelines.failpoints import failpoint
from geniac_pipelines.store.files import CHUNK, flush


class DamagedObject(Exception):
    """An archived object whose bytes no longer have the hash that names it."""


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
    folder for temporary files where it is None.
    """

    root: Path
    work: Path | None = None

    def path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / f"{sha256}.zst"

    def put(self, file: Path) -> StoredObject:
        """Keep a file's bytes. Twice the same bytes are kept once.

        Raises ChangedWhileRead if the file changed under our hands: half of a new version joined
        to half of an old one must never become evidence.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        size = 0
        # the name is known only when the last byte is read, so the root serves as staging
        temporary = self.root / f".incoming-{secrets.token_hex(8)}.part"
        try:
            with (
                file.open("rb") as source,
                pa.CompressedOutputStream(str(temporary), "zstd") as sink,
            ):
                before = _version(os.fstat(source.fileno()))
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    sink.write(chunk)
                # the path may name another file by now, and the open one may have grown
                after = {_version(os.fstat(source.fileno())), _version(file.stat())}
            if after != {before} or size != before[1]:
                raise ChangedWhileRead(f"{file} changed while it was read")
            flush(temporary)
            stored = self.path(digest.hexdigest())
            stored.parent.mkdir(exist_ok=True)
            # a copy that was kept before is replaced: if it had rotted, it is whole again
            temporary.replace(stored)
            flush(stored.parent)
        finally:
            temporary.unlink(missing_ok=True)
        failpoint("object-stored")
        return StoredObject(digest.hexdigest(), size)

    @contextmanager
    def materialised(self, sha256: str) -> Iterator[Path]:
        """The object's bytes as a plain file for as long as the block runs.

        Raises FileNotFoundError for an unknown object, DamagedObject if the bytes are not those.
        """
        stored = self.path(sha256)
        if not stored.exists():
            raise FileNotFoundError(f"object {sha256} is not in the archive {self.root}")
        if self.work:
            self.work.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="geniac-object-", dir=self.work) as folder:
            plain = Path(folder) / "object"
            digest = hashlib.sha256()
            with plain.open("wb") as sink:
                for chunk in _chunks(stored):
                    digest.update(chunk)
                    sink.write(chunk)
            if digest.hexdigest() != sha256:
                raise DamagedObject(f"{stored}: the bytes hash to {digest.hexdigest()}")
            yield plain

    def remove_leftovers(self) -> None:
        """Delete what a killed night was writing. Only under the night's lock."""
        for file in self.root.glob(".incoming-*.part"):
            file.unlink(missing_ok=True)


def _version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _chunks(stored: Path) -> Iterator[bytes]:
    """The plain bytes; a fault in reading or unpacking them is damage, a full disk is not."""
    try:
        with pa.CompressedInputStream(str(stored), "zstd") as source:
            while chunk := source.read(CHUNK):
                yield chunk
    except (OSError, pa.ArrowInvalid) as error:
        raise DamagedObject(f"{stored}: {error}") from error
