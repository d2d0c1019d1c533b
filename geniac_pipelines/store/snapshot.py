"""The ledger as a night sees it: a copy made at its start, so that the night is repeatable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from geniac_pipelines.store.decisions import REPORT, Act
from geniac_pipelines.store.ledger import (
    Instant,
    Ledger,
    arrivals,
    decisions,
    figures,
    findings,
    generations,
    landing_days,
    landings,
    readings,
    refusals,
    reports,
)

LEFT_OUT = {"arrivals": {"registered_at"}, "readings": {"error", "readers"}}
"""Columns that the digest does not cover, by table."""


def take(ledger: Ledger, visible_until: datetime) -> dict[str, pa.Table]:
    """Tables of the ledger as Arrow, by name, each in the order of its primary key.

    Arrivals received and decisions made after `visible_until` are left out, and so are arrivals
    that a corrected statement superseded, with all that hangs on them. Figures are those of
    issued reports: drafts restate nothing. Releases of reports are left out: they decide who reads
    what a night made, not what it makes. Of people and keys nothing is taken, not even who
    looked somebody up.
    """
    seen = sa.select(arrivals.c.arrival_id).where(
        arrivals.c.received_at <= visible_until, arrivals.c.superseded_by.is_(None)
    )
    issued = sa.select(reports.c.generation).where(
        reports.c.report == figures.c.report,
        reports.c.generation == figures.c.generation,
        reports.c.status == "issued",
    )
    chosen: Sequence[tuple[sa.Table, Any]] = (
        (arrivals, arrivals.c.arrival_id.in_(seen)),
        (readings, readings.c.arrival_id.in_(seen)),
        (landings, landings.c.arrival_id.in_(seen)),
        (landing_days, landing_days.c.arrival_id.in_(seen)),
        (refusals, refusals.c.arrival_id.in_(seen)),
        (
            decisions,
            sa.and_(
                decisions.c.decided_at <= visible_until,
                decisions.c.act != Act.ACCESS.value,
                decisions.c.subject_kind != REPORT,
            ),
        ),
        (findings, sa.true()),
        (generations, sa.true()),
        (reports, reports.c.status == "issued"),
        (figures, sa.exists(issued)),
    )
    with ledger.reading() as connection:
        return {
            table.name: _arrow(table, connection.execute(sa.select(table).where(condition)).all())
            for table, condition in chosen
        }


def digest(snapshot: dict[str, pa.Table], *more: object) -> str:
    """SHA-256 over the snapshot's contents and whatever else decides the night's result.

    Left out is what a night itself made or what differs after a kill without anything having come
    in: generations, findings (what people did to them is in the decisions), places of landing
    files, times of registration, the words of an exception (which hold addresses of objects) and
    the readers tried (the program's digest covers them).
    """
    sha = hashlib.sha256()
    for name in sorted(snapshot):
        if name in ("generations", "findings", "landings"):
            continue
        table = snapshot[name]
        table = table.drop_columns(sorted(LEFT_OUT.get(name, ())))
        sha.update(name.encode())
        for column in table.column_names:
            sha.update(repr(table.column(column).to_pylist()).encode())
    for word in more:
        sha.update(repr(word).encode())
    return sha.hexdigest()


def _arrow(table: sa.Table, found: Sequence[Any]) -> pa.Table:
    # sorted here, not by the database: PostgreSQL's order of text depends on its locale
    key = [list(table.columns).index(c) for c in table.primary_key.columns]
    found = sorted(found, key=lambda row: tuple(row[n] for n in key))
    schema = pa.schema([pa.field(c.name, _type(c.type)) for c in table.columns])
    columns = [
        pa.array([_value(row[n]) for row in found], type=field.type)
        for n, field in enumerate(schema)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _type(kind: Any) -> pa.DataType:
    match kind:
        case Instant():
            return pa.timestamp("us", tz="UTC")
        case sa.Boolean():
            return pa.bool_()
        case sa.Integer():
            return pa.int64()
        case sa.Date():
            return pa.date32()
        case _:
            return pa.string()


def _value(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    if isinstance(value, datetime | date | int | bool) or value is None:
        return value
    return str(value)
