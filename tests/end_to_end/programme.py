"""The sample programme in small, run as the command line runs it: a closing, the release of its
report to METI and NEDO, then a night."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from geniac_pipelines.cli_reports import release_now
from geniac_pipelines.launch import Launched, launch
from geniac_pipelines.sample.organisations import SECRETARIAT_PERSON
from geniac_pipelines.sample.write import AS_OF, CLOSING, CLOSING_AS_OF, write_sample
from geniac_pipelines.settings import Settings
from geniac_pipelines.store import generations
from geniac_pipelines.store.ledger import Ledger

SMALL = {"companies": 5, "gpus_per_company": 8, "months": 2, "telemetry_days": 2}


@dataclass(frozen=True)
class Programme:
    """A data folder after both runs, and what they said."""

    data: Path
    truth: Path
    closing: Launched
    night: Launched

    @property
    def ledger(self) -> Ledger:
        return Ledger(f"sqlite:///{self.data / 'ledger.sqlite'}")

    def warehouse(self, kind: str) -> Path:
        """The warehouse of the closing or of the nightly run."""
        kept = [g for g in generations.every(self.ledger) if g.kind == kind]
        return self.data / kept[-1].warehouse

    def settings(self, kind: str) -> Settings:
        as_of = CLOSING_AS_OF if kind == "closing" else AS_OF
        inbox = self.truth.parent / "inbox"
        return Settings(data=self.data, inbox=inbox, as_of=as_of)


def run(folder: Path, size: Mapping[str, int] = SMALL) -> Programme:
    """Write the sample, close its month, release what METI and NEDO get, run its night."""
    write_sample(folder / "sample", **size)
    data, said = folder / "data", []
    inbox = folder / "sample" / "inbox"
    closing = launch(
        "close_month", Settings(data=data, inbox=inbox, as_of=CLOSING_AS_OF), CLOSING, said.append
    )
    release_now(
        Settings(data=data, inbox=inbox, as_of=CLOSING_AS_OF),
        month=CLOSING,
        to="meti_nedo",
        person=SECRETARIAT_PERSON,
    )
    night = launch("nightly", Settings(data=data, inbox=inbox, as_of=AS_OF), None, said.append)
    assert closing.success, said
    assert night.success, said
    return Programme(data, folder / "sample" / "truth", closing, night)
