"""Generations: which files, warehouse, figures and reports are the published ones.

A night commits its generation in one transaction; until then nothing that it wrote is visible,
and after it everything is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.store.decisions import REPORT, Act, recorded
from geniac_pipelines.store.ledger import (
    Ledger,
    figures,
    files,
    generations,
    landings,
    reports,
)

LANDING = "landing"
"""Stands for a facts table's name in `files` where a merged landing file is kept for readers."""


@dataclass(frozen=True)
class Generation:
    """A committed night. `warehouse` is relative to the data folder; `inputs` is a digest."""

    generation: int
    run_id: str
    kind: str
    as_of: date
    inputs: str
    warehouse: str
    provisional: bool
    committed_at: datetime


@dataclass(frozen=True)
class FactFile:
    """A Parquet file of a facts table: one part (company and day or month) of it."""

    path: str
    table: str
    part: str
    inputs: str
    rows: int


def version_of(inputs: str) -> str:
    """データの版: what a generation's reports bear of the digest of its inputs."""
    return inputs[:12]


def latest(ledger: Ledger) -> Generation | None:
    """The generation that readers follow; None before the first night."""
    statement = sa.select(generations).order_by(generations.c.generation.desc()).limit(1)
    with ledger.reading() as connection:
        row = connection.execute(statement).first()
    return Generation(**row._mapping) if row else None


def every(ledger: Ledger) -> list[Generation]:
    """All committed generations, oldest first."""
    statement = sa.select(generations).order_by(generations.c.generation)
    with ledger.reading() as connection:
        return [Generation(**row._mapping) for row in connection.execute(statement)]


def current_files(ledger: Ledger, table: str) -> dict[str, FactFile]:
    """The current files of a facts table, by part."""
    columns = [files.c[n] for n in FactFile.__dataclass_fields__]
    statement = sa.select(*columns).where(files.c.table == table, files.c.until.is_(None))
    with ledger.reading() as connection:
        return {row.part: FactFile(**row._mapping) for row in connection.execute(statement)}


def insert(
    connection: Connection,
    *,
    run_id: str,
    kind: str,
    as_of: date,
    inputs: str,
    warehouse: str,
    provisional: bool,
    committed_at: datetime,
) -> int:
    """Open a generation inside the night's committing transaction; returns its number."""
    result = connection.execute(
        sa.insert(generations).values(
            run_id=run_id,
            kind=kind,
            as_of=as_of,
            inputs=inputs,
            warehouse=warehouse,
            provisional=provisional,
            committed_at=committed_at,
        )
    )
    key = result.inserted_primary_key
    assert key is not None, "a single-row insert tells its key"
    return int(key[0])


def replace_files(connection: Connection, generation: int, made: Sequence[FactFile]) -> None:
    """Make these files current and end the ones that they replace."""
    for file in made:
        connection.execute(
            sa.update(files)
            .where(files.c.table == file.table, files.c.part == file.part)
            .where(files.c.until.is_(None))
            .values(until=generation)
        )
        connection.execute(sa.insert(files).values(**file.__dict__, since=generation))


def retire(connection: Connection, generation: int, paths: Sequence[str]) -> None:
    """Landing files whose rows lie elsewhere from now on: views of this generation and of those
    before it still read them."""
    for path in paths:
        connection.execute(sa.delete(files).where(files.c.path == path, files.c.table == LANDING))
        connection.execute(
            sa.insert(files).values(
                path=path,
                since=0,
                until=generation + 1,
                table=LANDING,
                part=path,
                inputs="",
                rows=0,
            )
        )


def kept(ledger: Ledger, keep: int) -> dict[int, str]:
    """Run ids of the generations that stay: the newest `keep`, all that issued a report, and those
    whose draft an audience is shown."""
    columns = (generations.c.generation, generations.c.run_id)
    newest = sa.select(*columns).order_by(generations.c.generation.desc()).limit(keep)
    issued = (
        sa.select(*columns)
        .join(reports, reports.c.generation == generations.c.generation)
        .where(reports.c.status == "issued")
    )
    with ledger.reading() as connection:
        out = sa.select(*columns).where(
            generations.c.generation.in_(sorted(set(shown(connection).values())))
        )
        found = [tuple(r) for s in (newest, issued, out) for r in connection.execute(s)]
    return dict(found)


def shown(connection: Connection) -> dict[str, int]:
    """The generation of each report that its audience is shown, by report: the last release's."""
    return {
        d.subject: d.details["generation"]
        for d in recorded(connection, REPORT)
        if d.act is Act.RELEASE
    }


def referenced(ledger: Ledger, kept: Collection[int]) -> dict[str, set[str]]:
    """Files that stay, by folder of the data folder.

    All that hold landed rows; of the facts and of merged landing files, those that are current or
    that a kept generation reads.
    """
    with ledger.reading() as connection:
        landed = set(connection.execute(sa.select(landings.c.path)).scalars())
        spans = connection.execute(sa.select(files.c.path, files.c.since, files.c.until)).all()
    read = {
        path
        for path, since, until in spans
        if until is None or any(since <= generation < until for generation in kept)
    }
    return {"landing": landed | read, "facts": read}


def forget_drafts(ledger: Ledger, kept: Collection[int]) -> None:
    """Take drafts and their figures off the record whose generation's folder is gone.

    Each night prints every figure anew; what was issued stays for ever.
    """
    gone = sa.and_(reports.c.status == "draft", reports.c.generation.not_in(sorted(kept)))
    with ledger.reading() as connection:
        drafts = connection.execute(
            sa.select(reports.c.report, reports.c.generation).where(gone)
        ).all()
    if not drafts:
        return
    with ledger.transaction() as connection:
        for report, generation in drafts:
            for table in (figures, reports):
                connection.execute(
                    sa.delete(table).where(
                        table.c.report == report, table.c.generation == generation
                    )
                )


def folder(data: Path, run_id: str) -> Path:
    """Where a night puts its warehouse, snapshot and reports."""
    return data / "generations" / run_id
