"""Archives (zip, gzip) that senders use as envelopes, opened within bounds.

An archive that is itself a format (a workbook) never comes here: formats are asked first.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from geniac_pipelines.intake.reading import Complaint, Place, Refusal, Source
from geniac_pipelines.store.files import CHUNK

MAX_MEMBERS = 2_000
MAX_BYTES = 4 << 30
MAX_RATIO = 250
"""Text logs compress 10 to 60 times; 250 leaves room, a bomb has thousands."""
RATIO_FLOOR = 10 << 20

UNSAFE = Complaint(
    "archive.unsafe",
    "file",
    ja="圧縮ファイルを安全に展開できません（{reason}）",
    ja_remedy="ファイルを分けるか、圧縮せずに提出してください",
    en="the archive can't be opened safely ({reason})",
    en_remedy="split it, or send the files uncompressed",
)
ENCRYPTED = Complaint(
    "archive.encrypted",
    "file",
    ja="圧縮ファイルにパスワードが設定されています",
    ja_remedy="パスワードを外して再提出してください",
    en="the archive is protected by a password",
    en_remedy="send it without password",
)
DAMAGED = Complaint(
    "archive.damaged",
    "file",
    ja="圧縮ファイルが壊れています（{reason}）",
    ja_remedy="作り直して再提出してください",
    en="the archive is damaged ({reason})",
    en_remedy="make it anew and send it again",
)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class UnpackRefused(Exception):
    """The archive is refused; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.en)
        self.refusal = refusal


def is_archive(source: Source) -> bool:
    return source.head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b"))


def members(source: Source, folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and extracted file of each member, in the archive's order; raises UnpackRefused.

    Extracted files get numbers for names, so no member's name ever chooses a path.
    """
    try:
        if source.head.startswith(b"\x1f\x8b"):
            yield from _gzip_member(source, folder)
        else:
            yield from _zip_members(source, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise UnpackRefused(DAMAGED.at(Place(), reason=error)) from error


def _zip_members(source: Source, folder: Path) -> Iterator[tuple[str, Path]]:
    with zipfile.ZipFile(source.path) as archive:
        infos = [i for i in archive.infolist() if not i.is_dir()]
        if len(infos) > MAX_MEMBERS:
            raise UnpackRefused(UNSAFE.at(Place(), reason=f"{len(infos)} > {MAX_MEMBERS} files"))
        budget = MAX_BYTES
        for number, info in enumerate(infos):
            if info.flag_bits & 1:
                raise UnpackRefused(ENCRYPTED.at(Place()))
            target = folder / str(number)
            with archive.open(info) as member:
                budget -= _copy(member, target, min(budget, _limit(info.compress_size)))
            yield _member_name(info), target


def _gzip_member(source: Source, folder: Path) -> Iterator[tuple[str, Path]]:
    target = folder / "0"
    with gzip.open(source.path) as member:
        _copy(member, target, min(MAX_BYTES, _limit(source.size)))
    yield Path(source.name).name.removesuffix(".gz"), target


def _limit(compressed: int) -> int:
    return max(RATIO_FLOOR, compressed * MAX_RATIO)


def _copy(member: _Readable, target: Path, limit: int) -> int:
    """Copy at most `limit` bytes, counted as they come: declared sizes can lie."""
    written = 0
    with target.open("wb") as sink:
        while chunk := member.read(CHUNK):
            written += len(chunk)
            if written > limit:
                raise UnpackRefused(UNSAFE.at(Place(), reason=f"> {limit:,} bytes expanded"))
            sink.write(chunk)
    return written


def _member_name(info: zipfile.ZipInfo) -> str:
    """The member's name; names without the UTF-8 flag come from Japanese Windows as CP932."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("cp932")
    except UnicodeError:
        return info.filename
