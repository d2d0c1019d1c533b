"""What is in the inbox, who sent it, when: folders, or a manifest where one is given.

The inbox has a folder for each sender, named by the organisation's id; `_secretariat` is the
secretariat's own. A manifest `deliveries.csv` in the inbox's root may say more exactly, for each
path: sender, channel, received_at (ISO 8601 with offset; empty: by the clock), zone of local
stamps. It serves samples, replays and gateways that know when a mail came. A statement that is
corrected there later replaces what was taken in under the earlier one.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from stat import S_ISREG
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geniac_pipelines.japanese import UndecodableText, decode

MANIFEST = "deliveries.csv"
SECRETARIAT = "_secretariat"
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".swp")
RUBBISH = ("thumbs.db", "desktop.ini", "__macosx")
"""Left by desktop systems beside what people meant to send (lower case; files and folders)."""
DEFAULT_ZONE = "Asia/Tokyo"
FIRST_YEAR, LAST_YEAR = 2000, 2099
"""Of receipts; gateways write 1970 or 9999 for "not known"."""


class ManifestError(ValueError):
    """The manifest can't be read; the message names the line."""


@dataclass(frozen=True)
class Delivery:
    """What is known about one file beside its bytes. `received_at` None: by the clock."""

    sender: str | None
    channel: str = "inbox"
    received_at: datetime | None = None
    zone: str = DEFAULT_ZONE

    @property
    def words(self) -> str:
        """The manifest's statement as one string, so that a change of it is seen."""
        stamp = self.received_at.isoformat() if self.received_at else ""
        return "|".join((self.sender or "", self.channel, stamp, self.zone))


@dataclass(frozen=True)
class Sighting:
    """A file in the inbox as one look at it found it.

    `path` is relative, with slashes, and always text: a name that is no UTF-8 reads as CP932.
    """

    path: str
    file: Path
    size: int
    mtime_ns: int
    delivery: Delivery


def read_manifest(inbox: Path) -> dict[str, Delivery]:
    """Deliveries by path. No manifest: an empty dict. Raises ManifestError."""
    file = inbox / MANIFEST
    if not file.exists():
        return {}
    try:
        text = decode(file.read_bytes()).text
    except UndecodableText as error:
        raise ManifestError(f"{file}: {error}") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = {"path", "sender", "channel", "received_at"} - set(reader.fieldnames or ())
    if missing:
        raise ManifestError(f"{file}: columns missing: {', '.join(sorted(missing))}")
    deliveries: dict[str, Delivery] = {}
    for row in reader:
        where = f"{file}, line {reader.line_num}"
        if None in row or None in row.values():
            raise ManifestError(f"{where}: it has not as many cells as the header")
        if row["path"] in deliveries:
            raise ManifestError(f"{where}: {row['path']!r} is listed twice")
        deliveries[row["path"]] = _delivery(row, where)
    return deliveries


def _delivery(row: dict[str, str], where: str) -> Delivery:
    stamp = row["received_at"]
    received_at = None
    if stamp:
        try:
            received_at = datetime.fromisoformat(stamp)
        except ValueError as error:
            raise ManifestError(f"{where}: received_at {stamp!r} is no ISO 8601 time") from error
        if received_at.tzinfo is None:
            raise ManifestError(f"{where}: received_at {stamp!r} lacks its UTC offset")
        if not FIRST_YEAR <= received_at.year <= LAST_YEAR:
            raise ManifestError(
                f"{where}: received_at {stamp!r} is no time of a delivery; expected is a year from "
                f"{FIRST_YEAR} to {LAST_YEAR}, or nothing where it isn't known"
            )
    zone = row.get("zone") or DEFAULT_ZONE
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ManifestError(f"{where}: unknown time zone {zone!r}") from error
    return Delivery(row["sender"] or None, row["channel"] or "inbox", received_at, zone)


def look(inbox: Path, unlisted: Callable[[OSError], None] | None = None) -> Iterator[Sighting]:
    """Every deliverable file, in order of path.

    Left out: hidden files, lock files of office programs, what desktop systems leave, unfinished
    downloads (by name), symbolic links (they could lead out of the inbox) and the manifest itself.
    Raises ManifestError. A folder below the inbox that can't be listed is told to `unlisted`, or
    raised without it: silence there would look as if nobody had sent anything.
    """
    manifest = read_manifest(inbox)
    for file in sorted(_files(inbox, unlisted)):
        relative = file.relative_to(inbox)
        path = _text(relative.as_posix())
        if path == MANIFEST or is_rubbish(path) or path.lower().endswith(UNFINISHED):
            continue
        try:
            status = file.lstat()
        except FileNotFoundError:
            continue  # gone since it was listed
        if not S_ISREG(status.st_mode):
            continue
        sender = _text(relative.parts[0]) if len(relative.parts) > 1 else None
        delivery = manifest.get(path) or Delivery(sender)
        yield Sighting(path, file, status.st_size, status.st_mtime_ns, delivery)


def is_rubbish(path: str) -> bool:
    """Whether a path (with slashes) is hidden, a lock file or a desktop system's own."""
    parts = [p for p in path.split("/") if p not in (".", "..")]
    return any(p.startswith((".", "~$")) or p.lower() in RUBBISH for p in parts)


def _files(inbox: Path, unlisted: Callable[[OSError], None] | None) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        if isinstance(error, FileNotFoundError):
            return  # gone since its parent was listed
        if unlisted is None or error.filename == str(inbox):
            raise error
        unlisted(error)

    for folder, _, names in os.walk(inbox, onerror=fail):
        yield from (Path(folder) / name for name in names)


def _text(name: str) -> str:
    """A file name as text: bytes that are no UTF-8 come from old Japanese systems."""
    raw = os.fsencode(name)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp932", "backslashreplace")
