"""What is in the inbox, who sent it, when: folders, or a manifest where one is given.

The inbox has a folder for each sender, named by the organisation's id; `_secretariat` is the
secretariat's own. A manifest `deliveries.csv` in the inbox's root may say more exactly, for each
path: sender, channel, received_at (ISO 8601 with offset), zone of local stamps. It serves samples,
replays and gateways that know when a mail came.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geniac_pipelines.japanese import decode

MANIFEST = "deliveries.csv"
SECRETARIAT = "_secretariat"
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".swp")
DEFAULT_ZONE = "Asia/Tokyo"


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
    """A file in the inbox as one look at it found it; `path` is relative, with slashes."""

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
    reader = csv.DictReader(decode(file.read_bytes()).text.splitlines())
    missing = {"path", "sender", "channel", "received_at"} - set(reader.fieldnames or ())
    if missing:
        raise ManifestError(f"{file}: columns missing: {', '.join(sorted(missing))}")
    deliveries: dict[str, Delivery] = {}
    for row in reader:
        where = f"{file}, line {reader.line_num}"
        try:
            received_at = datetime.fromisoformat(row["received_at"])
        except ValueError as error:
            raise ManifestError(
                f"{where}: received_at {row['received_at']!r} is no ISO 8601 time"
            ) from error
        if received_at.tzinfo is None:
            raise ManifestError(f"{where}: received_at {row['received_at']!r} lacks its UTC offset")
        zone = row.get("zone") or DEFAULT_ZONE
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ManifestError(f"{where}: unknown time zone {zone!r}") from error
        deliveries[row["path"]] = Delivery(
            row["sender"] or None, row["channel"] or "inbox", received_at, zone
        )
    return deliveries


def look(inbox: Path) -> Iterator[Sighting]:
    """Every deliverable file, in order of path.

    Left out: hidden files, lock files of office programs, unfinished downloads (by name),
    symbolic links (they could lead out of the inbox) and the manifest itself.
    """
    manifest = read_manifest(inbox)
    for file in sorted(inbox.rglob("*")):
        relative = file.relative_to(inbox)
        hidden = any(part.startswith((".", "~$")) for part in relative.parts)
        unfinished = file.name.lower().endswith(UNFINISHED)
        if hidden or unfinished or file.is_symlink() or not file.is_file():
            continue
        path = relative.as_posix()
        if path == MANIFEST:
            continue
        status = file.stat()
        delivery = manifest.get(path) or Delivery(_sender_by_folder(relative))
        yield Sighting(path, file, status.st_size, status.st_mtime_ns, delivery)


def _sender_by_folder(relative: Path) -> str | None:
    return relative.parts[0] if len(relative.parts) > 1 else None
