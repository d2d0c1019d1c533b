"""The archive of objects: the bytes as they came, once for each SHA-256, compressed with zstd.

An object says nothing about who sent it or under which name: that is an arrival (ledger).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from geniac_pipelines.failpoints import failpoint
from geniac_pipelines.store.files import CHUNK, whole


class DamagedObject(Exception):
    """An archived object whose bytes no longer have the hash that names it."""


class ChangedWhileRead(Exception):
    """A file whose size or time changed while it was being taken in; it is tried again later."""


@dataclass(frozen=True)
class StoredObject:
    """An object: its SHA-256 (hex) and its size in bytes before compression."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Archive:
    root: Path

    def path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / f"{sha256}.zst"

    def put(self, file: Path) -> StoredObject:
        """Keep a file's bytes. Twice the same bytes are kept once.

        Raises ChangedWhileRead if the file changed under our hands: half of a new version joined
        to half of an old one must never become evidence.
        """
        before = file.stat()
        digest = hashlib.sha256()
        size = 0
        # the name is known only when the last byte is read, so the folder's root serves as staging
        with whole(self.root / f"incoming-{os.getpid()}") as temporary:
            with (
                file.open("rb") as source,
                pa.CompressedOutputStream(str(temporary), "zstd") as sink,
            ):
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    sink.write(chunk)
            after = file.stat()
            if (before.st_size, before.st_mtime_ns) != (size, after.st_mtime_ns):
                raise ChangedWhileRead(str(file))
            self.path(digest.hexdigest()).parent.mkdir(exist_ok=True)
        (self.root / f"incoming-{os.getpid()}").replace(self.path(digest.hexdigest()))
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
        with TemporaryDirectory(prefix="geniac-object-") as folder:
            plain = Path(folder) / "object"
            digest = hashlib.sha256()
            try:
                with (
                    pa.CompressedInputStream(str(stored), "zstd") as source,
                    plain.open("wb") as sink,
                ):
                    while chunk := source.read(CHUNK):
                        digest.update(chunk)
                        sink.write(chunk)
            except (OSError, pa.ArrowInvalid) as error:
                raise DamagedObject(f"{stored}: {error}") from error
            if digest.hexdigest() != sha256:
                raise DamagedObject(f"{stored}: the bytes hash to {digest.hexdigest()}")
            yield plain
