"""A night: from the lock to the one transaction that publishes it.

`open_night` takes the data folder's lock, clears what dead nights left and yields a `Night`.
Steps stage what they made; `Night.commit` records all of it at once. What was not committed is
invisible, and swept by the next night. This module knows no area.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, cached_property
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.calendar import Month
from geniac_pipelines.failpoints import failpoint
from geniac_pipelines.settings import ROOT, Clock, Settings
from geniac_pipelines.store import generations, snapshot, warehouse
from geniac_pipelines.store.archive import Archive
from geniac_pipelines.store.calendar_table import calendar_table
from geniac_pipelines.store.files import flush_tree
from geniac_pipelines.store.generations import FactFile, Generation
from geniac_pipelines.store.identity import belong_together
from geniac_pipelines.store.lake import remove_orphans
from geniac_pipelines.store.ledger import Ledger, landings, reports
from geniac_pipelines.store.lock import exclusive
from geniac_pipelines.store.people import Pseudonyms
from geniac_pipelines.store.retention import erase_due
from geniac_pipelines.store.secret import Secret, open_secret

KEPT_GENERATIONS = 3

PROGRAM = {
    "geniac_pipelines": ("*.py", "*.typ", "*.j2", "*.toml"),
    "dbt_project": ("*.sql", "*.yml", "*.csv"),
}
"""What of the program decides the result of a night."""

Staged = Callable[[Connection, int], object]
"""Something to record in the committing transaction, given the new generation's number."""


class AlreadyIssued(Exception):
    """A month that was closed before was to be closed again: what was issued stays as it is."""

    def __init__(self, month: Month) -> None:
        super().__init__(
            f"{month} は締め済みです。発行した報告書は変わりません / "
            f"{month} is closed already; its issued reports stand"
        )


class NothingStaged(Exception):
    """The commit was reached in a run that did not make a warehouse and reports first."""


@dataclass
class Night:
    """One run over the data folder, under its lock.

    `kind` is "nightly" or "closing"; `month` is the month whose report it makes (the running
    draft, or the month that is closed). `visible_until` bounds the arrivals that exist for it.
    """

    run_id: str
    kind: str
    settings: Settings
    clock: Clock
    ledger: Ledger
    month_to_close: Month | None = None
    made: list[FactFile] = field(default_factory=list)
    provisional: list[str] = field(default_factory=list)
    _staged: list[Staged] = field(default_factory=list)
    _afterwards: list[Callable[[], object]] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.settings.data

    @property
    def folder(self) -> Path:
        """This night's own folder; published by the commit, else swept."""
        return generations.folder(self.data, self.run_id)

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    @property
    def archive(self) -> Archive:
        return Archive(self.data / "archive", work=self.data / "work", secret=self.secret)

    @cached_property
    def secret(self) -> Secret:
        """The installation's key; raises WrongKey if it is not the one that the ledger knows."""
        return open_secret(self.ledger, self.settings.pseudonym_key, self.data / "keys")

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        return Pseudonyms(self.secret.key)

    @cached_property
    def as_of(self) -> date:
        """The day (Asia/Tokyo) as of which this night works, fixed when first asked."""
        return self.clock.today()

    @cached_property
    def visible_until(self) -> datetime:
        """Arrivals up to this instant exist for this night; fixed when first asked."""
        return self.clock.now()

    @cached_property
    def snapshot(self) -> dict[str, pa.Table]:
        """The ledger as of this night's start of work on it: after intake, before facts."""
        return snapshot.take(self.ledger, self.visible_until)

    def tables(self) -> dict[str, pa.Table]:
        """What the warehouse's schema `ledger` holds: snapshot, calendar, and this night itself."""
        itself = pa.table(
            {
                "as_of": pa.array([self.as_of], pa.date32()),
                "visible_until": pa.array([self.visible_until], pa.timestamp("us", tz="UTC")),
            }
        )
        return {**self.snapshot, "calendar": calendar_table(), "night": itself}

    @cached_property
    def inputs(self) -> str:
        """Digest of everything that decides this night's result."""
        return snapshot.digest(
            self.snapshot, self.kind, self.as_of, str(self.month_to_close), program_version()
        )

    def nothing_to_do(self) -> str | None:
        """Why there is nothing to do, or None: the last night had exactly these inputs.

        A warehouse that somebody removed is made again, and so is one that could not be built
        whole: what kept it from that may be mended.
        """
        last = self.latest()
        if last is None or last.inputs != self.inputs:
            return None
        if last.provisional or not (self.data / last.warehouse).exists():
            return None
        return (
            f"nothing new arrived since generation {last.generation} (as of {last.as_of}); "
            "its reports stand"
        )

    def stage(self, what: Staged) -> None:
        """Record `what` in the committing transaction."""
        self._staged.append(what)

    def after_commit(self, what: Callable[[], object]) -> None:
        """Do `what` when the commit is through.

        It must follow from the ledger alone and bear repeating: after a kill in between, the next
        night does it again before anything else.
        """
        self._afterwards.append(what)

    def stage_merge(self, sources: tuple[str, ...], path: str) -> None:
        """From the commit on, the arrivals of `sources` have their rows in `path`."""

        def merge(connection: Connection, generation: int) -> None:
            connection.execute(
                sa.update(landings).where(landings.c.path.in_(sources)).values(path=path)
            )
            generations.retire(connection, generation, sources)

        self.stage(merge)

    def commit(self) -> int:
        """Publish everything staged in one transaction; returns the generation's number."""
        if not self._staged or not self.warehouse.exists():
            raise NothingStaged(
                "this run staged nothing to publish; launch the whole job, not the last step"
            )
        flush_tree(self.folder)
        failpoint("night-before-commit")
        with self.ledger.transaction() as connection:
            generation = generations.insert(
                connection,
                run_id=self.run_id,
                kind=self.kind,
                as_of=self.as_of,
                inputs=self.inputs,
                warehouse=self.warehouse.relative_to(self.data).as_posix(),
                provisional=bool(self.provisional),
                committed_at=self.clock.now(),
            )
            generations.replace_files(connection, generation, self.made)
            for staged in self._staged:
                staged(connection, generation)
        failpoint("night-after-commit")
        for what in self._afterwards:
            what()
        return generation

    def carry(self, relations: Sequence[str]) -> list[str]:
        """Take relations that could not be built from the last generation, marked provisional.

        Names may be quoted and qualified by the database, as dbt writes them. Returns
        `schema.name` of what was carried.
        """
        names = [".".join(r.replace('"', "").split(".")[-2:]) for r in relations]
        last = self.latest()
        if not names or last is None:
            return []
        carried = warehouse.carry(self.warehouse, self.data / last.warehouse, names)
        self.provisional.extend(carried)
        return carried

    def latest(self) -> Generation | None:
        return generations.latest(self.ledger)


@contextmanager
def open_night(
    settings: Settings, run_id: str, kind: str = "nightly", month_to_close: Month | None = None
) -> Iterator[Night]:
    """Hold the data folder for one run. Raises `Busy` at once if another run has it.

    Raises WrongKey if the secret key is not the ledger's, AlreadyIssued for a month that was closed
    before. Erases originals with personal data
    whose day has passed.
    """
    if kind not in ("nightly", "closing", "intake", "backfill"):
        raise ValueError(f"unknown kind of run: {kind}")
    with exclusive(settings.data, f"{kind} {run_id}"):
        ledger = open_ledger(settings)
        with ledger.exclusive():
            if month_to_close and is_issued(ledger, month_to_close):
                raise AlreadyIssued(month_to_close)
            night = Night(run_id, kind, settings, Clock(settings.as_of), ledger, month_to_close)
            archive = night.archive  # refused here without the right key, before anything is done
            sweep_dead_nights(settings.data, ledger)
            # a day to come that `as_of` sets up for a trial erases nothing in earnest
            erase_due(ledger, archive, min(night.clock.today(), Clock().today()))
            yield night


def is_issued(ledger: Ledger, month: Month) -> bool:
    """Whether reports of the month were issued."""
    statement = sa.select(reports.c.report).where(
        reports.c.status == "issued", reports.c.month == month.first
    )
    with ledger.reading() as connection:
        return connection.execute(statement.limit(1)).first() is not None


def open_ledger(settings: Settings) -> Ledger:
    """The ledger, its tables made if they are missing.

    Raises WrongLedger if it is not the one that this data folder was worked in with.
    """
    ledger = Ledger(settings.ledger_url or f"sqlite:///{settings.data / 'ledger.sqlite'}")
    ledger.prepare()
    belong_together(ledger, settings.data)
    return ledger


@cache
def program_version() -> str:
    """Digest of the program itself: code, SQL, seeds and templates decide a night's result too."""
    sha = hashlib.sha256()
    for folder, patterns in PROGRAM.items():
        files = {f for p in patterns for f in (ROOT / folder).rglob(p) if "target" not in f.parts}
        for file in sorted(files):
            sha.update(file.relative_to(ROOT).as_posix().encode())
            sha.update(file.read_bytes())
    return sha.hexdigest()


def sweep_dead_nights(data: Path, ledger: Ledger) -> None:
    """Remove what no kept generation refers to. Only under the lock."""
    kept = generations.kept(ledger, KEPT_GENERATIONS)
    remove_orphans(data, generations.referenced(ledger, kept))
    generations.forget_drafts(ledger, kept)
    Archive(data / "archive").remove_leftovers()
    for folder in (data, data / "keys"):
        for half in folder.glob(".*.part"):
            half.unlink()
    shutil.rmtree(data / "work", ignore_errors=True)
    root = data / "generations"
    for child in sorted(root.iterdir()) if root.is_dir() else []:
        if child.name not in kept.values():
            # a child process that outlived its night may still write there; what it leaves now
            # is removed by the next night
            shutil.rmtree(child, ignore_errors=True)
