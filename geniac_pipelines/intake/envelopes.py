"""Archives that are mere envelopes: told before they are kept, opened into members afterwards.

Here: what a file is as far as keeping it depends on that, and the members of an envelope as
arrivals. How archives are opened within bounds stands in `unpack`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from geniac_pipelines.intake.reading import Format, Place, Refusal, Source
from geniac_pipelines.intake.unpack import ENVELOPE, NESTED, UnpackRefused, is_archive, members
from geniac_pipelines.store.archive import Archive
from geniac_pipelines.store.arrivals import Arrival, Reading, identified, storable


@dataclass
class Classification:
    """What a file is, as far as its archiving depends on it. Asked while the file is watched."""

    source: Source
    formats: Sequence[Format]
    _claimed: bool = True

    @cached_property
    def private(self) -> bool:
        """Whether it must be sealed: it is personal, or nobody can say that it is not."""
        try:
            if any(f.recognise(self.source) for f in self.formats if f.personal):
                return True
            # the first claim will do; a second one is found when the file is read
            self._claimed = any(f.recognise(self.source) for f in self.formats if not f.personal)
        except OSError:
            raise
        except Exception:  # noqa: BLE001 - the reading of this file records the fault
            return True
        return not self._claimed

    @property
    def envelope(self) -> bool:
        """Whether it is an archive that no format takes as it is."""
        return self.private and not self._claimed and is_archive(self.source)


def opened(
    whole_file: Arrival, archive: Archive, formats: Sequence[Format]
) -> tuple[Reading, list[Arrival]]:
    """What is known of an envelope without reading, and its members as arrivals.

    The archived bytes are looked at, not the inbox, where another version may lie by now.
    """
    parts: list[Arrival] = []
    try:
        with (
            archive.materialised(whole_file.sha256) as file,
            TemporaryDirectory(prefix="geniac-unpack-", dir=archive.work) as folder,
        ):
            for name, member in members(Source(whole_file.name, file), Path(folder)):
                parts.append(_member(whole_file, Source(name, member), archive, formats))
                member.unlink()
    except UnpackRefused as refused:
        return _envelope(whole_file, refused.refusal), []
    return _envelope(whole_file), parts


def _member(
    whole_file: Arrival, source: Source, archive: Archive, formats: Sequence[Format]
) -> Arrival:
    classified = Classification(source, formats)
    stored = archive.put(source.path, private=lambda: classified.private)
    if classified.envelope:
        raise UnpackRefused(NESTED.at(Place()))
    part = replace(
        whole_file,
        sha256=stored.sha256,
        bytes=stored.size,
        name=f"{whole_file.name}!{storable(source.name)}",
    )
    return identified(part)


def _envelope(arrival: Arrival, refusal: Refusal | None = None) -> Reading:
    return Reading(
        arrival.arrival_id,
        ENVELOPE,
        1,
        "refused" if refusal else "landed",
        complaints=1 if refusal else 0,
        refusals=(refusal.record,) if refusal else (),
    )
