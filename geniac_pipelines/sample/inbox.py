"""The inbox's folders and its manifest: one row for each file that was handed in."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from geniac_pipelines.sample.model import jst_time

MANIFEST: Final = "deliveries.csv"
SECRETARIAT: Final = "_secretariat"
UNIDENTIFIED: Final = "_unidentified"
"""Folder of files whose sender nobody could tell; the manifest leaves their sender empty."""


@dataclass(frozen=True)
class Delivered:
    """A row of the manifest; `sender` "" is unknown, `received_at` epoch seconds."""

    path: str
    sender: str
    channel: str
    received_at: int


@dataclass
class Inbox:
    """Files are put in one after the other; `close` writes the manifest, last of all."""

    root: Path
    delivered: list[Delivered] = field(default_factory=list)

    def place(self, folder: str, name: str, channel: str, received_at: int) -> Path:
        """Where to write a file of a sender; it is entered in the manifest.

        Raises ValueError when the path is taken already.
        """
        month = jst_time(received_at).strftime("%Y-%m")
        path = f"{folder}/{month}/{name}"
        file = self.root / folder / month / name
        if file.exists():
            raise ValueError(f"two files of the sample would be {path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        sender = "" if folder == UNIDENTIFIED else folder
        self.delivered.append(Delivered(path, sender, channel, received_at))
        return file

    def relative(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix()

    def close(self) -> None:
        with (self.root / MANIFEST).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(("path", "sender", "channel", "received_at"))
            for row in sorted(self.delivered, key=lambda row: row.path):
                stamp = jst_time(row.received_at).isoformat()
                writer.writerow((row.path, row.sender, row.channel, stamp))
