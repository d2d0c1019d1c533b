"""From a printed number down to the file, sheet and line it came from, one level a step.

The first step is the figure's own query and the mart rows it stands for; each further step
follows the `drill` that the dbt YAML of a relation declares, until rows of a landing table are
reached: those know their arrival, sheet and line, and the archive still holds the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from geniac_pipelines.calendar import JST
from geniac_pipelines.store.archive import Archive
from geniac_pipelines.store.ledger import (
    Ledger,
    arrivals,
    figures,
    generations,
    landing_days,
    landings,
)
from geniac_pipelines.store.warehouse import connect, file_list, rows

SHOWN_ROWS = 20
SHOWN_ARRIVALS = 10
LANDING = "landing"
ARRIVAL_IN_NAME = "([^/]+)[.]parquet$"


class UnknownFigure(LookupError):
    """No report printed a figure of that id."""


@dataclass(frozen=True)
class Step:
    """Where to go from a relation: the next one, and which of its columns must equal ours.

    `match` maps columns of the next relation to ours; `month_of` names a date column of the next
    relation that must lie in our `month`, `day_of` an instant whose day in Japan must be our
    `usage_date`.
    """

    relation: str
    match: Mapping[str, str]
    month_of: str | None = None
    day_of: str | None = None


@dataclass(frozen=True)
class Level:
    """Rows of one relation on the way down; `total` counts those that are not shown too."""

    relation: str
    rows: Sequence[Mapping[str, Any]]
    total: int


@dataclass(frozen=True)
class Origin:
    """A file that rows came from."""

    arrival_id: str
    name: str
    sender: str | None
    received_at: str
    sha256: str


@dataclass
class Trace:
    """The way from a figure down; levels from the mart to landing."""

    figure: str
    label: str
    value: str | None
    unit: str | None
    report: str
    generation: int
    sql: str
    parameters: Mapping[str, Any]
    levels: list[Level] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)


def drills(manifest: Path) -> dict[str, list[Step]]:
    """The declared ways down, by relation (`schema.name`), from dbt's manifest."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    return {
        f"{n['schema']}.{n['name']}": [_step(s) for s in n["config"].get("meta", {})["drill"]]
        for n in nodes
        if n["resource_type"] == "model" and "drill" in n["config"].get("meta", {})
    }


def _step(declared: Mapping[str, Any]) -> Step:
    match = declared["match"]
    pairs = match if isinstance(match, dict) else {name: name for name in match}
    return Step(declared["relation"], pairs, declared.get("month_of"), declared.get("day_of"))


def trace(
    ledger: Ledger,
    data: Path,
    ways: Mapping[str, Sequence[Step]],
    figure: str,
    *,
    report: str | None = None,
    depth: int = 9,
) -> Trace:
    """Follow a figure `depth` levels down. Raises UnknownFigure.

    Without `report`, the newest generation that printed the figure is followed.
    """
    found, warehouse = _printed(ledger, data, figure, report)
    origin = found.origin
    result = Trace(
        figure=figure,
        label=found.label,
        value=found.value,
        unit=found.unit,
        report=found.report,
        generation=found.generation,
        sql=origin["sql"],
        parameters=origin["parameters"],
    )
    with connect(warehouse, read_only=True) as connection:
        walker = _Walker(connection, ledger, data, ways)
        month = origin["parameters"].get("month")
        here = walker.level(origin["relation"], [dict(origin["match"])], month)
        frontier = [here]
        for _ in range(depth):
            result.levels.extend(frontier)
            frontier = [below for level in frontier for below in walker.below(level)]
        result.origins = _origins(ledger, result.levels)
    return result


def original_line(archive: Archive, sha256: str, line: int) -> str | None:
    """The text of a line of an archived text file; None where the file is no text.

    No plain copy is made. Raises as `Archive.chunks` does.
    """
    found: bytes | None = None
    for number, raw in enumerate(_lines(archive.chunks(sha256)), start=1):
        if number <= line and b"\0" in raw:
            return None
        if number == line:
            found = raw  # read on: only the end tells whether the bytes are the right ones
    return None if found is None else found.decode("utf-8", "replace").rstrip("\r")


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _printed(ledger: Ledger, data: Path, figure: str, report: str | None) -> tuple[Any, Path]:
    statement = (
        sa.select(figures, generations.c.warehouse)
        .join(generations, generations.c.generation == figures.c.generation)
        .where(figures.c.figure == figure)
        .order_by(figures.c.generation.desc(), figures.c.report)
        .limit(1)
    )
    if report:
        statement = statement.where(figures.c.report == report)
    with ledger.reading() as connection:
        row = connection.execute(statement).first()
    if row is None:
        raise UnknownFigure(f"no report printed {figure!r}; `geniac figures` lists those that are")
    return row, data / row.warehouse


class _Walker:
    def __init__(
        self, connection: Any, ledger: Ledger, data: Path, ways: Mapping[str, Sequence[Step]]
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._data = data
        self._ways = ways

    def below(self, level: Level) -> list[Level]:
        """The next levels under a level's rows; several where a mart joins several relations."""
        found = []
        for step in self._ways.get(level.relation, ()):
            keys = [
                {theirs: row.get(ours) for theirs, ours in step.match.items()} for row in level.rows
            ]
            months = {_month(row) for row in level.rows} if step.month_of else set()
            days = {row.get("usage_date") for row in level.rows} if step.day_of else set()
            below = self.level(
                step.relation,
                keys,
                None,
                month_of=step.month_of,
                months=months - {None},
                day_of=step.day_of,
                days=days,
            )
            if below.total:
                found.append(below)
        return found

    def level(
        self,
        relation: str,
        keys: Sequence[Mapping[str, Any]],
        month: str | None,
        *,
        month_of: str | None = None,
        months: set[date | None] | None = None,
        day_of: str | None = None,
        days: set[date | None] | None = None,
    ) -> Level:
        """Rows of `relation` that equal any of `keys` (and lie in the month, or on the days)."""
        on = sorted(d for d in days or () if d)
        source = self._source(relation, keys, on)
        conditions, parameters = ["true"], {}
        if source is None:
            return Level(relation, (), 0)
        if keys and keys[0]:
            each = []
            for n, key in enumerate(keys):
                parts: list[str] = []
                for column, value in key.items():
                    name = f"k{n}_{len(parts)}"
                    same = f'"{column}" is not distinct from ${name}'
                    # marts that are keyed by text write an empty one where there was none
                    parts.append(same if value != "" else f'({same} or "{column}" is null)')
                    parameters[name] = value
                each.append("(" + " and ".join(parts) + ")")
            conditions.append("(" + " or ".join(each) + ")")
        columns = self._columns(source)
        if month and "month" in columns:
            conditions.append("month = cast($month as date)")
            parameters["month"] = month
        if month_of and months:
            conditions.append(f"date_trunc('month', {month_of}) in (select unnest($months))")
            parameters["months"] = sorted(m for m in months if m)
        if day_of:
            conditions.append(
                f"cast(timezone('{JST.key}', {day_of}) as date) in (select unnest($on))"
            )
            parameters["on"] = on
        where = " and ".join(conditions)
        total = rows(
            self._connection, f"select count(*) as n from {source} where {where}", parameters
        )[0]["n"]
        shown = rows(
            self._connection,
            f"select * from {source} where {where} order by all limit {SHOWN_ROWS}",
            parameters,
        )
        return Level(relation, shown, total)

    def _columns(self, source: str) -> set[str]:
        described = rows(self._connection, f"select * from (describe select * from {source})")
        return {r["column_name"] for r in described}

    def _source(
        self, relation: str, keys: Sequence[Mapping[str, Any]], days: Sequence[date]
    ) -> str | None:
        """SQL to read a relation from; landing tables through the ledger, which knows the files.

        Of a table whose rows don't know their arrival (telemetry), the file's name tells it.
        """
        schema, name = relation.split(".", 1)
        if schema != LANDING:
            return relation
        statement = sa.select(landings.c.path).where(landings.c.contract == name).distinct()
        if days:
            touched = sa.select(landing_days.c.arrival_id).where(
                landing_days.c.contract == name, landing_days.c.day.in_(days)
            )
            statement = statement.where(landings.c.arrival_id.in_(touched))
        wanted = sorted({k["_arrival"] for k in keys if k.get("_arrival")})
        if wanted:
            statement = statement.where(landings.c.arrival_id.in_(wanted))
        with self._ledger.reading() as connection:
            paths = sorted(connection.execute(statement).scalars())
        if not paths:
            return None
        listed = file_list([self._data / p for p in paths])
        if not days:
            return f"read_parquet({listed})"
        arrival = f"regexp_extract(filename, '{ARRIVAL_IN_NAME}', 1) as _arrival"
        return (
            f"(select * exclude (filename), {arrival} from read_parquet({listed}, filename = true))"
        )


def _month(row: Mapping[str, Any]) -> date | None:
    value = row.get("month")
    return value if isinstance(value, date) else None


def _origins(ledger: Ledger, levels: Sequence[Level]) -> list[Origin]:
    named: set[str] = set()
    for level in levels:
        for row in level.rows:
            if row.get("_arrival"):
                named.add(row["_arrival"])
            named.update(row.get("_arrivals") or ())
    statement = (
        sa.select(arrivals)
        .where(arrivals.c.arrival_id.in_(sorted(named)))
        .order_by(arrivals.c.received_at, arrivals.c.arrival_id)
    )
    with ledger.reading() as connection:
        return [
            Origin(r.arrival_id, r.name, r.sender, r.received_at.isoformat(), r.sha256)
            for r in connection.execute(statement)
        ]
