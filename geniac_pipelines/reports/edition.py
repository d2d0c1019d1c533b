"""An edition: the monthly report of one night, rendered for every audience and put on record.

Not here: what a person lets go out (`release`); `publish` only shows it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geniac_pipelines.audiences import SECRETARIAT
from geniac_pipelines.audiences import audience as known
from geniac_pipelines.calendar import Month
from geniac_pipelines.figures.model import Figure, Scalar
from geniac_pipelines.figures.restated import Printed
from geniac_pipelines.reports.document import Document
from geniac_pipelines.reports.monthly import audiences, build, report_id
from geniac_pipelines.reports.release import content_digest, current, released
from geniac_pipelines.store.files import write_bytes
from geniac_pipelines.store.ledger import Ledger
from geniac_pipelines.store.ledger import figures as figures_table
from geniac_pipelines.store.ledger import reports as reports_table


@dataclass(frozen=True)
class Report:
    """One rendered report: its document and the folder that holds its files."""

    document: Document
    folder: Path
    month: Month
    issued: bool


def issued_months(snapshot: Mapping[str, pa.Table]) -> list[Month]:
    """Months whose report was issued, oldest first."""
    return sorted({Month.of(r["month"]) for r in snapshot["reports"].to_pylist()})


def running_month(snapshot: Mapping[str, pa.Table], as_of: date) -> Month:
    """The month that a night drafts: the one after the last closed; before any closing, last month.

    Never later than the month of `as_of` itself.
    """
    closed = issued_months(snapshot)
    this = Month.of(as_of)
    return min(closed[-1].next(), this) if closed else this.previous()


def earlier_figures(
    snapshot: Mapping[str, pa.Table], audience: str
) -> dict[Month, dict[str, Printed]]:
    """What issued reports of an audience printed, by month and figure."""
    days = {g["generation"]: g["as_of"] for g in snapshot["generations"].to_pylist()}
    months = {
        r["report"]: (Month.of(r["month"]), days.get(r["generation"]))
        for r in snapshot["reports"].to_pylist()
        if r["audience"] == audience
    }
    found: defaultdict[Month, dict[str, Printed]] = defaultdict(dict)
    for row in snapshot["figures"].to_pylist():
        if row["report"] in months:
            value = None if row["value"] is None else Decimal(row["value"])
            month, issued_on = months[row["report"]]
            found[month][row["figure"]] = Printed(row["label"], value, row["decimals"], issued_on)
    return dict(found)


def make(
    warehouse: Path,
    folder: Path,
    *,
    month: Month,
    as_of: date,
    version: str,
    issued: bool,
    snapshot: Mapping[str, pa.Table],
) -> Iterator[Report]:
    """Render the month's report for each audience, twice: as it goes out, into its own folder below
    `folder`, and marked as not released, for the secretariat to read, beside it (`unreleased`)."""
    # typesetting, charts and workbooks: definitions need not wait for them
    from geniac_pipelines.reports.render import render  # noqa: PLC0415

    for audience, name in audiences(warehouse):
        document = build(
            warehouse,
            month=month,
            audience=audience,
            audience_ja=name,
            as_of=as_of,
            version=version,
            issued=issued,
            earlier=earlier_figures(snapshot, audience),
        )
        target = folder / known(audience).folder
        render(document, target, unreleased(target))
        yield Report(document, target, month, issued)


def put_on_record(
    connection: Connection, generation: int, made: Sequence[Report], data: Path
) -> None:
    """Record reports and every figure they print, inside the committing transaction."""
    for report in made:
        name = report_id(report.month, report.document.audience)
        connection.execute(
            sa.insert(reports_table).values(
                report=name,
                generation=generation,
                status="issued" if report.issued else "draft",
                month=report.month.first,
                audience=report.document.audience,
                folder=report.folder.relative_to(data).as_posix(),
            )
        )
        if rows := [_figure_row(name, generation, f) for f in report.document.figures()]:
            connection.execute(sa.insert(figures_table), rows)


class ContentChanged(ValueError):
    """Files of a released report are not those that were released."""


def publish(ledger: Ledger, data: Path) -> None:
    """Show what was committed and released where people look.

    `reports/<month>/secretariat/<audience>/` holds what is not released, marked so on its pages;
    `reports/<month>/<audience>/` what a person released last. Follows the ledger alone, so it may
    be repeated at any time: after a commit or a release, and before a night does anything else, in
    case the last one died in between. Files that already hold the bytes are not touched; other
    files in these folders are removed. Raises ContentChanged, after showing all the rest.
    """
    with ledger.reading() as connection:
        waiting, out = current(connection), released(connection)
    shown: dict[Path, Path | None] = {}
    changed: list[str] = []
    digests = {release.report: release.digest for _, release in out}
    for made in waiting:
        folder, month = data / made.folder, data / "reports" / str(made.month)
        is_out = digests.get(made.report) == content_digest(folder)
        shown[month / SECRETARIAT / folder.name] = None if is_out else unreleased(folder)
        shown[month / folder.name] = None
    for made, release in out:
        folder = data / made.folder
        place = data / "reports" / str(made.month) / folder.name
        if content_digest(folder) == release.digest:
            shown[place] = folder
        else:
            # what is shown there stays as it is
            shown.pop(place, None)
            changed.append(f"{made.report} of generation {made.generation}")
    for place, source in shown.items():
        _show(source, place)
    if changed:
        raise ContentChanged(
            f"{', '.join(changed)}: the files differ from those that were released; restore them "
            "from a backup of the data folder"
        )


def unreleased(folder: Path) -> Path:
    """Where the copy marked as not released lies, for the folder of a report that may go out."""
    return folder.parent.with_name("unreleased") / folder.name


def _show(source: Path | None, place: Path) -> None:
    """Make `place` hold the files of `source`, or nothing."""
    files = set() if source is None else {f.relative_to(source) for f in _files(source)}
    for name in sorted(files):
        assert source is not None, "only a source has files"
        content = (source / name).read_bytes()
        if not (place / name).exists() or (place / name).read_bytes() != content:
            write_bytes(place / name, content)
    for file in _files(place):
        if file.relative_to(place) not in files:
            file.unlink()
    folders = [f for f in place.rglob("*") if f.is_dir()]
    for folder in sorted([*folders, place, place.parent], reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _files(folder: Path) -> list[Path]:
    return [f for f in folder.rglob("*") if f.is_file()]


def _figure_row(report: str, generation: int, figure: Figure) -> dict[str, object]:
    return {
        "report": report,
        "generation": generation,
        "figure": figure.id,
        "label": figure.label,
        "value": None if figure.value is None else str(figure.value),
        "unit": figure.unit,
        "decimals": figure.decimals,
        "clause": figure.clause,
        "origin": {
            "sql": figure.origin.sql.strip(),
            "relation": figure.origin.relation,
            "match": {m: _plain(figure.row.get(c)) for m, c in figure.origin.match.items()},
            "parameters": {k: _plain(v) for k, v in figure.origin.parameters.items()},
            "cumulative": figure.origin.cumulative,
        },
    }


def _plain(value: Scalar) -> object:
    return json.loads(json.dumps(value, default=str))
