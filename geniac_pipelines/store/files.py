"""Whole files or none: write under a hidden name, flush to disk, rename."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geniac_pipelines.failpoints import failpoint

CHUNK = 1 << 20


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it becomes `path` in one rename.

    The temporary name begins with a dot, so that no reader's glob ever sees it. After an
    exception it is removed and `path` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.part"
    try:
        yield temporary
        with temporary.open("rb") as f:
            os.fsync(f.fileno())
        failpoint("file-before-rename")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    with whole(path) as temporary:
        temporary.write_bytes(content)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as f:
        while chunk := f.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
