"""From a query to a figure table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from geniac_pipelines.figures.model import Figure, FigureColumn, FigureTable, Origin, Scalar
from geniac_pipelines.store.warehouse import rows


class UnorderedQuery(ValueError):
    """A figure query without ORDER BY: its rows could come in another order each night."""


def figure_table(
    connection: Any,
    *,
    id: str,
    title: str,
    clause: str,
    audience: str,
    columns: Sequence[FigureColumn],
    key: Sequence[str],
    sql: str,
    relation: str,
    match: Mapping[str, str] | None = None,
    parameters: Mapping[str, Scalar] | None = None,
    note: str = "",
    cumulative: bool = False,
) -> FigureTable:
    """Run `sql` on an audience's connection and make each numeric cell a figure.

    Floats are refused by the table's cells: round in SQL to a DECIMAL. Raises UnorderedQuery.
    """
    if not _is_ordered(sql):
        raise UnorderedQuery(f"{id}: the query has no ORDER BY of its own")
    found = rows(connection, sql, parameters)
    return FigureTable(
        id=id,
        title=title,
        clause=clause,
        audience=audience,
        columns=tuple(columns),
        key=tuple(key),
        rows=tuple(found),
        origin=Origin(sql, relation, dict(match or {}), dict(parameters or {}), cumulative),
        note=note,
    )


def _is_ordered(sql: str) -> bool:
    """Whether ORDER BY stands outside all parentheses: that of a window or subquery is another."""
    outside, depth = [], 0
    for character in re.sub(r"'(?:[^']|'')*'|--[^\n]*", "", sql):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            outside.append(character)
    return re.search(r"\border\s+by\b", "".join(outside), re.IGNORECASE) is not None


def single(table: FigureTable, column: str) -> Figure:
    """The figure of a one-row table; ValueError if it has another number of rows."""
    if len(table.rows) != 1:
        raise ValueError(f"{table.id} has {len(table.rows)} rows, not one")
    return table.cell(table.rows[0], column)
