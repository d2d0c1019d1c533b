"""Archives (zip, gzip) that senders use as envelopes, opened within bounds.

An archive that is itself a format (a workbook) never comes here: formats are asked first.
"""

from __future__ import annotations

import gzip
import lzma
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from geniac_pipelines.intake.deliveries import is_rubbish
from geniac_pipelines.intake.reading import Complaint, Place, Refusal, Source
from geniac_pipelines.store.files import CHUNK

ENVELOPE = "envelope"
"""Format recorded for an archive whose members were taken in as arrivals of their own."""
MAX_MEMBERS = 2_000
MAX_BYTES = 4 << 30
MAX_RATIO = 250
"""Text logs compress 10 to 60 times; 250 leaves room, a bomb has thousands."""
RATIO_FLOOR = 10 << 20

UNSAFE = Complaint(
    "archive.unsafe",
    "file",
    ja="圧縮ファイルを安全に展開できません（{reason_ja}）",
    ja_remedy="ファイルを分けるか、圧縮せずに提出してください",
    en="the archive can't be opened safely ({reason_en})",
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
    ja="圧縮ファイルが壊れています",
    ja_remedy="作り直して再提出してください",
    en="the archive is damaged ({reason})",
    en_remedy="make it anew and send it again",
)


NESTED = Complaint(
    "archive.nested",
    "file",
    ja="圧縮ファイルの中に圧縮ファイルがあります",
    ja_remedy="中の圧縮ファイルを展開し、そのまま提出してください",
    en="an archive lies within the archive",
    en_remedy="unpack the inner one and send its files",
)

EMPTY = Complaint(
    "archive.empty",
    "file",
    ja="圧縮ファイルの中に、提出物のファイルがありません",
    ja_remedy="中身を確かめ、ファイルを入れて再提出してください",
    en="the archive holds no file",
    en_remedy="look into it and send it again with the files",
)

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    IndexError,
    OverflowError,
)
"""What the standard library raises on damaged or odd archives."""


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

    Extracted files get numbers for names, so no member's name ever chooses a path. What desktop
    systems add (`__MACOSX`, `Thumbs.db`) is left out. Faults of our own disk are raised as they
    are: they are not the sender's.
    """
    is_gzip = source.head.startswith(b"\x1f\x8b")
    found = False
    for member in _gzip_member(source, folder) if is_gzip else _zip_members(source, folder):
        found = True
        yield member
    if not found:
        raise UnpackRefused(EMPTY.at(Place()))


def _zip_members(source: Source, folder: Path) -> Iterator[tuple[str, Path]]:
    try:
        archive = zipfile.ZipFile(source.path)
    except _UNREADABLE as error:
        raise _damaged(error) from error
    with archive:
        infos = [i for i in archive.infolist() if not i.is_dir()]
        if len(infos) > MAX_MEMBERS:
            raise _unsafe(
                f"{len(infos):,}件のファイル。上限は{MAX_MEMBERS:,}件",
                f"{len(infos):,} files, at most {MAX_MEMBERS:,}",
            )
        if any(i.flag_bits & 1 for i in infos):
            raise UnpackRefused(ENCRYPTED.at(Place()))
        budget = MAX_BYTES
        for number, info in enumerate(infos):
            name = _member_name(info)
            if is_rubbish(name):
                continue
            target = folder / str(number)
            try:
                member = archive.open(info)
            except _UNREADABLE as error:
                raise _damaged(error) from error
            with member:
                # the archive's own size bounds what a lying entry may claim
                limit = _limit(min(info.compress_size, source.size))
                budget -= _copy(member, target, min(budget, limit))
            yield name, target


def _gzip_member(source: Source, folder: Path) -> Iterator[tuple[str, Path]]:
    target = folder / "0"
    with gzip.open(source.path) as member:
        _copy(member, target, min(MAX_BYTES, _limit(source.size)))
    yield Path(source.name).name.removesuffix(".gz"), target


def _damaged(error: Exception) -> UnpackRefused:
    return UnpackRefused(DAMAGED.at(Place(), reason=error))


def _unsafe(reason_ja: str, reason_en: str) -> UnpackRefused:
    return UnpackRefused(UNSAFE.at(Place(), reason_ja=reason_ja, reason_en=reason_en))


def _limit(compressed: int) -> int:
    return max(RATIO_FLOOR, compressed * MAX_RATIO)


def _copy(member: _Readable, target: Path, limit: int) -> int:
    """Copy at most `limit` bytes, counted as they come: declared sizes can lie."""
    written = 0
    with target.open("wb") as sink:
        while True:
            try:
                chunk = member.read(CHUNK)
            except _UNREADABLE as error:
                raise _damaged(error) from error
            if not chunk:
                break
            written += len(chunk)
            if written > limit:
                raise _unsafe(
                    f"展開すると{limit:,}バイトを超えます", f"more than {limit:,} bytes expanded"
                )
            sink.write(chunk)
    return written


def _member_name(info: zipfile.ZipInfo) -> str:
    """The member's name, composed (NFC), with slashes (old .NET writes backslashes).

    Without the UTF-8 flag a name is UTF-8 all the same (macOS) or CP932 (Windows in Japan).
    """
    name = info.filename
    if not info.flag_bits & 0x800:
        raw = name.encode("cp437")
        for encoding in ("utf-8", "cp932"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return unicodedata.normalize("NFC", name).replace("\\", "/")
