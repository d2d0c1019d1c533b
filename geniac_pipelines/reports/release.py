"""Release (公開): a named person lets a report's exact content go to its audience.

A night makes reports for the secretariat's eyes. What an audience gets follows from the decisions
on record alone: the last release of a report names the generation that made it and the digest of
its files. Releasing changes no byte of a report; `edition.publish` shows what was released.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.audiences import COMPANY, Scope, audience
from geniac_pipelines.calendar import Month
from geniac_pipelines.store.decisions import REPORT, Act, record, recorded
from geniac_pipelines.store.files import sha256_of
from geniac_pipelines.store.ledger import Ledger, reports

COMPANIES = "companies"
"""In place of an audience: every company's extract of the month."""

DEFAULT_REASON = "内容を確認し、公開する"


class NotReleasable(ValueError):
    """There is no such report, it is out already, or its content is not the one that was read."""


class AlreadyOut(NotReleasable):
    """All that was named is released, in just this content."""


@dataclass(frozen=True)
class Made:
    """A report on record. `folder` is relative to the data folder; `status` draft or issued."""

    report: str
    generation: int
    status: str
    month: Month
    audience: str
    folder: str


@dataclass(frozen=True)
class Release:
    """A person's release of one content of a report."""

    report: str
    generation: int
    digest: str
    person: str
    at: datetime


@dataclass(frozen=True)
class Listed:
    """A report as it is now, the digest of its files, and what of it was last released."""

    made: Made
    digest: str
    release: Release | None

    @property
    def is_out(self) -> bool:
        """Whether this very content was released."""
        return self.release is not None and self.release.digest == self.digest

    @property
    def mark(self) -> str:
        """The digest's first digits, by which a person names this very content (版)."""
        return self.digest[:12]

    @property
    def ja(self) -> str:
        if self.is_out:
            return "公開済み"
        return "公開前（前の版を公開中）" if self.release else "公開前"


def content_digest(folder: Path) -> str:
    """Hex SHA-256 over the names and contents of all files below a report's folder."""
    sha = hashlib.sha256()
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        sha.update(f"{file.relative_to(folder).as_posix()}\0{sha256_of(file)}\n".encode())
    return sha.hexdigest()


def current(connection: Connection) -> tuple[Made, ...]:
    """The reports that count now: what was issued, and the newest generation's drafts."""
    newest = sa.select(sa.func.max(reports.c.generation)).scalar_subquery()
    statement = sa.select(reports).where(
        (reports.c.status == "issued") | (reports.c.generation == newest)
    )
    found = {r.report: r for r in _made(connection, statement)}
    return tuple(found[name] for name in sorted(found))


def releases(connection: Connection) -> dict[str, Release]:
    """The last release of each report, by report."""
    return {
        d.subject: Release(
            d.subject, d.details["generation"], d.details["digest"], d.person, d.decided_at
        )
        for d in recorded(connection, REPORT)
        if d.act is Act.RELEASE
    }


def released(connection: Connection) -> tuple[tuple[Made, Release], ...]:
    """What audiences are shown: the report that each last release names."""
    found = []
    for release in releases(connection).values():
        statement = sa.select(reports).where(
            reports.c.report == release.report, reports.c.generation == release.generation
        )
        found += [(made, release) for made in _made(connection, statement)]
    return tuple(found)


def listing(ledger: Ledger, data: Path) -> tuple[Listed, ...]:
    """The current reports with how they stand, newest month first, METI/NEDO before companies."""
    with ledger.reading() as connection:
        found, out = current(connection), releases(connection)
    listed = [Listed(m, content_digest(data / m.folder), out.get(m.report)) for m in found]
    return tuple(
        sorted(
            listed,
            key=lambda each: (
                -each.made.month.first.toordinal(),
                each.made.audience.startswith(COMPANY),
                each.made.audience,
            ),
        )
    )


def release(
    ledger: Ledger,
    data: Path,
    *,
    month: Month,
    to: str,
    person: str,
    at: datetime,
    reason: str = DEFAULT_REASON,
    mark: str | None = None,
) -> tuple[Listed, ...]:
    """Put on record that a person lets the current content go out; returns what was released.

    `to` is `meti_nedo`, `company:<id>`, or `companies` for every extract of the month that is not
    out yet. With `mark` it must be the content that the person has read. Raises NotReleasable,
    UnknownAudience, or NotADecision when the person is missing. Call it under the data folder's
    lock, and `edition.publish` after it.
    """
    chosen = _chosen(listing(ledger, data), month, to)
    waiting = [each for each in chosen if not each.is_out]
    if not waiting:
        raise AlreadyOut(f"{month.ja}の {to} は公開済みです / {month} is out already for {to}")
    for each in waiting:
        if mark is not None and each.mark != mark:
            raise NotReleasable(
                f"内容が変わっています。読み直してください（版 {each.mark}） / "
                f"the content is not the one you read ({mark}) but {each.mark}"
            )
    with ledger.transaction() as connection:
        for each in waiting:
            record(
                connection,
                REPORT,
                each.made.report,
                Act.RELEASE,
                reason=reason,
                person=person,
                at=at,
                details={
                    "audience": each.made.audience,
                    "generation": each.made.generation,
                    "digest": each.digest,
                    "status": each.made.status,
                },
            )
    return tuple(waiting)


def _chosen(listed: Sequence[Listed], month: Month, to: str) -> list[Listed]:
    """The month's reports that `to` names; at least one."""
    if to == COMPANIES:
        wanted = [e for e in listed if audience(e.made.audience).kind.scope is Scope.OWN]
    else:
        name = audience(to).name
        wanted = [e for e in listed if e.made.audience == name]
    found = [e for e in wanted if e.made.month == month]
    if not found:
        raise NotReleasable(
            f"{month.ja}の {to} 向けの報告書はありません（一覧は `geniac reports list`） / "
            f"there is no report of {month} for {to}; see `geniac reports list`"
        )
    return found


def _made(connection: Connection, statement: Any) -> list[Made]:
    """In the order of generations, so that a later one comes last."""
    rows = connection.execute(statement.order_by(reports.c.generation, reports.c.report))
    return [
        Made(r.report, r.generation, r.status, Month.of(r.month), r.audience, r.folder)
        for r in rows
    ]
