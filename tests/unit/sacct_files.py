"""How the tests of the sacct readers make files and read them."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from geniac_pipelines.gpu_usage.sacct import FORMATS
from geniac_pipelines.intake.reading import Context, Refusal, Row, Source
from geniac_pipelines.intake.recognise import recognise


class Outcome:
    """What reading one file gave; `format` None when nothing claims it."""

    def __init__(self, name, items):
        self.format = name
        self.rows = [item for item in items if isinstance(item, Row)]
        self.refusals = [item for item in items if isinstance(item, Refusal)]

    @property
    def values(self):
        return [dict(row.values) for row in self.rows]

    @property
    def codes(self):
        return [refusal.complaint.code for refusal in self.refusals]

    def refusal(self, code):
        (found,) = [r for r in self.refusals if r.complaint.code == code]
        return found


def context(zone="UTC"):
    """Pseudonyms that tests can see through."""
    return Context(
        received_at=datetime(2026, 12, 1, tzinfo=UTC),
        pseudonym=lambda kind, value: f"{kind}<{value}>",
        sender="org-a",
        zone=zone,
    )


def read_file(path, zone="UTC"):
    """Recognise the file among the sacct formats and read it."""
    source = Source(path.name, path)
    known = recognise(source, FORMATS)
    if known is None:
        return Outcome(None, [])
    return Outcome(known.name, list(known.read(source, context(zone))))


def read(data, zone="UTC"):
    """The same for text or bytes, under a name that says nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload.dat"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return read_file(path, zone)


def at(seconds):
    return datetime.fromtimestamp(seconds, UTC)
