"""A file that somebody moved within the inbox: how it is told, and what is noted of it.

A move is no delivery: the arrival at the new path stands for that at the old one, was received
when that was, and says where it came from. Not here: recording it (`sweep`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from geniac_pipelines.intake.deliveries import Sighting
from geniac_pipelines.intake.reading import Complaint, Place
from geniac_pipelines.store.arrivals import Arrival, LastTaken, Reading

MOVED = Complaint(
    "arrival.moved",
    "nothing",
    ja="以前「{path}」（提出者 {sender}）として受け付けた同じファイルが、ここへ移されました。"
    "以前の受付に代えて、この受付だけを集計します",
    ja_remedy="移したのが誤りであれば、元のフォルダに戻してください",
    en="the same file, taken in earlier as {path!r} (sender {sender}), was moved here; this "
    "arrival counts in its place",
    en_remedy="if the move was a mistake, move the file back",
)


def moved_from(
    sighting: Sighting, sha256: str, twins: Sequence[LastTaken], gone: Collection[str]
) -> LastTaken | None:
    """Where a new file lay before, if it was moved here from another sender's folder.

    `twins` are the paths that files were taken in from, `gone` those of them where no file is now.
    A move keeps the name or the time of change. Bytes alone are no proof: two senders may hand in
    the same empty form, the second after the first one's was cleared away.
    """

    def likeness(twin: LastTaken) -> tuple[bool, bool]:
        same_name = PurePosixPath(twin.path).name == PurePosixPath(sighting.path).name
        return same_name, twin.mtime_ns == sighting.mtime_ns

    candidates = [
        twin
        for twin in twins
        if twin.arrival.sha256 == sha256
        and twin.arrival.sender != sighting.delivery.sender
        and twin.path in gone
        and any(likeness(twin))
    ]
    return max(candidates, key=lambda t: (likeness(t), t.arrival.received_at, t.path), default=None)


def noted(reading: Reading, old: Arrival) -> Reading:
    """The reading of an arrival that stands for `old`, with a note that says so."""
    note = MOVED.at(Place(), path=old.name, sender=old.sender or "―").record
    return replace(reading, complaints=reading.complaints + 1, refusals=(*reading.refusals, note))
