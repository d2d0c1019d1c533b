"""An edition: the monthly report of one night, rendered for every audience and put on record."""

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

from geniac_pipelines.calendar import Month
from geniac_pipelines.figures.model import Figure, Scalar
from geniac_pipelines.figures.restated import Printed
from geniac_pipelines.reports.document import Document
from geniac_pipelines.reports.monthly import audiences, build, report_id
from geniac_pipelines.reports.render import render
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
    months = {
        r["report"]: Month.of(r["month"])
        for r in snapshot["reports"].to_pylist()
        if r["audience"] == audience
    }
    found: defaultdict[Month, dict[str, Printed]] = defaultdict(dict)
    for row in snapshot["figures"].to_pylist():
        if row["report"] in months:
            value = None if row["value"] is None else Decimal(row["value"])
            printed = Printed(row["label"], value, row["decimals"])
            found[months[row["report"]]][row["figure"]] = printed
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
    """Render the month's report for each audience into its own folder below `folder`."""
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
        target = folder / audience.replace(":", "_")
        render(document, target)
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


def publish(ledger: Ledger, data: Path) -> None:
    """Show what was committed where people look: reports/<month>/<audience>/.

    Follows the ledger alone, so it may be repeated at any time: a night calls it after its commit,
    and the next night before anything else, in case the last one died in between. Files that
    already hold the bytes are not touched; files of an older draft are removed.
    """
    newest = sa.select(sa.func.max(reports_table.c.generation)).scalar_subquery()
    statement = (
        sa.select(reports_table)
        .where((reports_table.c.status == "issued") | (reports_table.c.generation == newest))
        .order_by(reports_table.c.generation, reports_table.c.report)
    )
    with ledger.reading() as connection:
        committed = connection.execute(statement).all()
    for report in committed:
        folder = data / report.folder
        shown = data / "reports" / str(Month.of(report.month)) / folder.name
        files = {f.relative_to(folder) for f in folder.rglob("*") if f.is_file()}
        for name in sorted(files):
            content = (folder / name).read_bytes()
            if not (shown / name).exists() or (shown / name).read_bytes() != content:
                write_bytes(shown / name, content)
        for file in [f for f in shown.rglob("*") if f.is_file()]:
            if file.relative_to(shown) not in files:
                file.unlink()


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
        },
    }


def _plain(value: Scalar) -> object:
    return json.loads(json.dumps(value, default=str))
