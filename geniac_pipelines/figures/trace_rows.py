"""Down from rows of a mart to all the rows that they were made from, inside one warehouse.

Every row is followed, in SQL and one join a step; a few of each relation are shown. Not here: which
report printed the number (`trace`), where relations are read from (`trace_sources`), or words
(`trace_text`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from geniac_pipelines.calendar import JST
from geniac_pipelines.contracts import Contract
from geniac_pipelines.figures.audience import rows_seen
from geniac_pipelines.figures.trace_sources import LANDING, PLACE, Sources
from geniac_pipelines.store.warehouse import identifier, rows

SHOWN_ROWS = 20
MARTS = "marts"
FIGURES = "ledger.figures"
"""What issued reports printed, as the generation's snapshot holds it."""

NOT_BUILT = "この世代にこの表はない"
NO_COLUMN = "この世代のこの表には、たどるための項目がない"
NO_WAY = "もとのファイルへのたどり方が宣言されていない"
AS_PRINTED = "発行済みの報告書が載せた数値。もとのファイルは、その番号をたどると分かる"
FILES_GONE = (
    "この世代が読んだ landing/ のファイルが、データフォルダに足りない。"
    "バックアップから戻すと、すべての行をたどれる"
)


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
class Start:
    """The rows that a figure stands for: those of `relation` that the audience sees, that equal
    `match` and, where the relation knows months, are of `month` (or before it, if `cumulative`)."""

    relation: str
    match: Mapping[str, Any]
    month: str | None
    audience: str
    cumulative: bool = False


@dataclass(frozen=True)
class Level:
    """The rows of one relation on the way down.

    `total` counts them all, `rows` holds the first SHOWN_ROWS in a total order; `arrivals` are
    those that any of them was made from. `stop` says why the way ends here before a file is known.
    """

    relation: str
    rows: Sequence[Mapping[str, Any]]
    total: int
    arrivals: frozenset[str] = frozenset()
    stop: str | None = None


class Rows:
    """All that a generation's warehouse says, by relation. `connection` is to that warehouse."""

    def __init__(self, connection: Any, data: Path, contracts: Sequence[Contract]) -> None:
        self._connection = connection
        self._sources = Sources(connection, data, contracts)
        self._held: dict[str, str] = {}

    def follow(self, ways: Mapping[str, Sequence[Step]], start: Start, depth: int) -> list[Level]:
        """The levels from `start` down, each relation once, after all those that lead to it.

        A relation that is more than `depth` levels away is left out, and so is one without a row.
        """
        incoming = _incoming(ways, start.relation, depth)
        order = TopologicalSorter({r: [p for p, _ in steps] for r, steps in incoming.items()})
        levels = []
        for relation in order.static_order():
            found = (
                self._start(start)
                if relation == start.relation
                else self._below(relation, incoming[relation])
            )
            ends = relation not in ways and not relation.startswith(f"{LANDING}.")
            if found.total and not found.arrivals and ends:
                found = replace(found, stop=AS_PRINTED if relation == FIGURES else NO_WAY)
            if found.total or found.stop or relation == start.relation:
                levels.append(found)
        return levels

    def _start(self, start: Start) -> Level:
        source = self._sources.find(start.relation)
        if source is None:
            return Level(start.relation, (), 0, stop=NOT_BUILT)
        types = self._types(source.sql)
        wanted = start.match
        parameters: dict[str, Any] = {}
        conditions: list[str] = []
        if start.month is not None and "month" in types:
            conditions.append(f"month {'<=' if start.cumulative else '='} cast($month as date)")
            parameters["month"] = start.month
        if not wanted.keys() <= types.keys():
            return Level(start.relation, (), 0, stop=NO_COLUMN)
        conditions += [
            f"{_comparable(identifier(name), types[name])} is not distinct from "
            f"{_comparable(f'cast($p{n} as {types[name]})', types[name])}"
            for n, name in enumerate(wanted)
        ]
        parameters |= {f"p{n}": value for n, value in enumerate(wanted.values())}
        schema, name = start.relation.split(".", 1)
        if schema == MARTS:
            seen = rows_seen(self._connection, name, list(types), start.audience)
            conditions.append(f"({seen})")
        where = " and ".join(conditions) or "true"
        return self._hold(start.relation, f"select * from {source.sql} where {where}", parameters)

    def _below(self, relation: str, incoming: Sequence[tuple[str, Step]]) -> Level:
        """Rows that any row of a level above leads to."""
        above = [(self._held[parent], step) for parent, step in incoming if parent in self._held]
        if not above:
            return Level(relation, (), 0)
        source = self._sources.find(relation, self._days(above))
        if source is None:
            return Level(relation, (), 0, stop=NOT_BUILT)
        types = self._types(source.sql)
        joins = [self._join(n, table, step, types) for n, (table, step) in enumerate(above)]
        usable = [j for j in joins if j is not None]
        if not usable:
            return Level(relation, (), 0, stop=NO_COLUMN)
        hit = " or ".join(f"k{n}.hit" for n, join in enumerate(joins) if join is not None)
        matched = f"from {source.sql} as s {' '.join(usable)} where ({hit})"
        if source.is_bulk:
            found = self._bulk(relation, matched)
        else:
            found = self._hold(relation, f"select s.* {matched}")
        stop = FILES_GONE if source.lacking else NO_COLUMN if len(usable) < len(joins) else None
        return replace(found, stop=stop)

    def _days(self, above: Sequence[tuple[str, Step]]) -> str | None:
        """A query for the days to which all steps are bound; None where one is not."""
        bound = [t for t, step in above if step.day_of and "usage_date" in self._types(t)]
        if len(bound) < len(above):
            return None
        return " union ".join(f"select usage_date from {table}" for table in bound)

    def _join(self, n: int, above: str, step: Step, types: Mapping[str, str]) -> str | None:
        """A join with the distinct keys of the level above: it multiplies no row.

        None where one of both sides lacks a column of the step.
        """
        ours = self._types(above)
        pairs = list(step.match.items())
        named = ((step.month_of, "month"), (step.day_of, "usage_date"))
        extra = {column: our for column, our in named if column is not None}
        needed = {theirs for theirs, _ in pairs} | set(extra)
        had = {our for _, our in pairs} | set(extra.values())
        if not needed <= types.keys() or not had <= ours.keys():
            return None
        keys: list[str] = []
        conditions: list[str] = []
        for theirs, our in pairs:
            text = "VARCHAR" if types[theirs] == ours[our] == "VARCHAR" else ""
            keys.append(_comparable(identifier(our), text))
            their = _comparable(f"s.{identifier(theirs)}", text)
            conditions.append(f"{their} is not distinct from k{n}.c{len(conditions)}")
        for column, our in extra.items():
            keys.append(identifier(our))
            conditions.append(f"{_period(our, column)} = k{n}.c{len(conditions)}")
        columns = ", ".join(f"{key} as c{i}" for i, key in enumerate(keys))
        return (
            f"left join (select distinct {columns}, true as hit from {above}) as k{n} "
            f"on {' and '.join(conditions)}"
        )

    def _hold(self, relation: str, sql: str, parameters: Mapping[str, Any] | None = None) -> Level:
        """Keep the rows for the steps below, count them and take the first."""
        table = f"temp.level_{len(self._held)}"
        self._connection.execute(f"create temp table {table[5:]} as {sql}", dict(parameters or {}))
        self._held[relation] = table
        types = self._types(table)
        named = []
        if "_arrival" in types:
            named.append(f"select _arrival as a from {table}")
        if "_arrivals" in types:
            named.append(f"select unnest(_arrivals) as a from {table}")
        arrivals = rows(self._connection, " union ".join(named)) if named else []
        return Level(
            relation,
            rows(self._connection, f"from {table} order by all limit {SHOWN_ROWS}"),
            rows(self._connection, f"select count(*) as n from {table}")[0]["n"],
            frozenset(r["a"] for r in arrivals if r["a"] is not None),
        )

    def _bulk(self, relation: str, matched: str) -> Level:
        """Millions of rows are counted by arrival, not kept; the first are read from the first
        files that hold any."""
        counted = rows(
            self._connection,
            f"select s._arrival, count(*) as n {matched} group by all order by all",
        )
        first: list[str] = []
        total = 0
        for each in counted:
            if total < SHOWN_ROWS:
                first.append(each["_arrival"])
            total += each["n"]
        shown = rows(
            self._connection,
            f"select s.* exclude ({PLACE}) {matched} "
            f"and s._arrival in (select unnest($first)) order by s._arrival, s.{PLACE} "
            f"limit {SHOWN_ROWS}",
            {"first": first},
        )
        return Level(relation, shown, total, frozenset(r["_arrival"] for r in counted))

    def _types(self, source: str) -> dict[str, str]:
        described = rows(self._connection, f"select * from (describe select * from {source})")
        return {r["column_name"]: r["column_type"] for r in described}


def _incoming(
    ways: Mapping[str, Sequence[Step]], start: str, depth: int
) -> dict[str, list[tuple[str, Step]]]:
    """The relations within `depth` levels, with the steps that lead to each."""
    distance = {start: 1}
    incoming: dict[str, list[tuple[str, Step]]] = {start: []}
    waiting = [start]
    while waiting:
        relation = waiting.pop(0)
        if distance[relation] >= depth:
            continue
        for step in ways.get(relation, ()):
            if step.relation not in distance:
                distance[step.relation] = distance[relation] + 1
                waiting.append(step.relation)
            incoming.setdefault(step.relation, []).append((relation, step))
    return incoming


def _comparable(expression: str, kind: str) -> str:
    """Marts that are keyed by text write an empty one where there was none: both are the same."""
    return f"nullif({expression}, '')" if kind == "VARCHAR" else expression


def _period(our: str, column: str) -> str:
    """What of a column must equal our `month` (of a date) or `usage_date` (of an instant)."""
    name = f"s.{identifier(column)}"
    if our == "month":
        return f"cast(date_trunc('month', {name}) as date)"
    return f"cast(timezone('{JST.key}', {name}) as date)"
