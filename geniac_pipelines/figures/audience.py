"""What an audience can see of the warehouse, by structure rather than by care.

`open_view` gives a connection on which the marts stand under their bare names. That of the
secretariat reads the published file. Any other holds copies of what the marts declare for it and
nothing else: the warehouse is detached from it and no file can be opened, so that no query, however
written, reaches a row, a column or a mart that may not leave the secretariat.

What may leave is declared beside each mart, in its dbt YAML:

- `meta.audiences` names the audiences that see the mart at all; without it, only the secretariat.
- `meta.rows_leave` names a boolean column: only rows where it is true leave.
- a column's `meta.leaves` names a boolean column of the same row, or is `never`: elsewhere the
  column is empty, or reads `meta.otherwise`.

dbt writes the declarations into the warehouse before it builds anything (macro
`declare_audiences`), so that a warehouse is always cut by the rules that it was built under.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geniac_pipelines.audiences import Audience, Scope, audience_with_view
from geniac_pipelines.store.warehouse import connect, identifier, quoted, rows

OWNER_COLUMNS = ("company_id", "organisation_id")
"""A mart's rows belong to the organisation in the first of these columns that it has."""

NEVER = "never"


@dataclass(frozen=True)
class _Mart:
    """What a mart declares for one audience."""

    name: str
    columns: Sequence[str]
    rows_leave: str | None
    rules: Mapping[str, tuple[str, str | None]]


@contextmanager
def open_view(warehouse: Path, audience: str) -> Iterator[Any]:
    """A connection that holds the marts under bare names for that audience.

    `secretariat` sees all, through views on the read-only file; others what is declared for them,
    `company:<id>` of that only its own rows, and no mart that has no owner column. Raises
    UnknownAudience for an audience that the table lacks or that has no content yet.
    """
    who = audience_with_view(audience)
    whole = who.kind.scope is Scope.ALL
    with _whole_view(warehouse) if whole else _cut_view(warehouse, who) as connection:
        yield connection


def owner_column(columns: Sequence[str]) -> str | None:
    """The column that says whose a row is; None where a mart has no owner."""
    return next((c for c in OWNER_COLUMNS if c in columns), None)


def rows_seen(connection: Any, mart: str, columns: Sequence[str], audience: str) -> str:
    """SQL condition of the rows of a mart that the audience's view holds.

    `connection` is to the whole warehouse. Of a mart without declarations it holds all rows.
    """
    who = audience_with_view(audience)
    if who.kind.scope is Scope.ALL:
        return "true"
    declared = rows(
        connection,
        "select rows_leave from audience.marts where audience = $code and mart = $mart",
        {"code": who.kind.code, "mart": mart},
    )
    rows_leave = declared[0]["rows_leave"] if declared else None
    return _seen(owner_column(columns), who.company, rows_leave)


@contextmanager
def _whole_view(warehouse: Path) -> Iterator[Any]:
    with connect(warehouse, read_only=True) as connection:
        for table in _columns(connection, None):
            name = identifier(table)
            connection.execute(f"create temp view {name} as from marts.{name}")
        yield connection


@contextmanager
def _cut_view(warehouse: Path, who: Audience) -> Iterator[Any]:
    if not warehouse.exists():
        raise FileNotFoundError(f"the warehouse {warehouse} does not exist")
    with connect() as connection:
        connection.execute(f"attach {quoted(str(warehouse))} as warehouse (read_only)")
        for mart in _declared(connection, who.kind.code):
            owner = owner_column(mart.columns)
            if who.kind.scope is Scope.OWN and owner is None:
                continue
            connection.execute(_copy(mart, owner, who.company))
        connection.execute("detach warehouse")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection


def _copy(mart: _Mart, owner: str | None, company: str | None) -> str:
    """SQL that copies what may leave. Names of columns are the only thing taken from rules."""
    shown = ", ".join(_shown(c, mart.rules.get(c)) for c in mart.columns)
    name = identifier(mart.name)
    return (
        f"create table {name} as select {shown} from warehouse.marts.{name} "
        f"where {_seen(owner, company, mart.rows_leave)}"
    )


def _seen(owner: str | None, company: str | None, rows_leave: str | None) -> str:
    conditions = ["true"]
    if company is not None and owner is not None:
        conditions.append(f"{identifier(owner)} = {quoted(company)}")
    if rows_leave is not None:
        conditions.append(identifier(rows_leave))
    return " and ".join(conditions)


def _shown(column: str, rule: tuple[str, str | None] | None) -> str:
    name = identifier(column)
    if rule is None:
        return name
    leaves, otherwise = rule
    when = "false" if leaves == NEVER else identifier(leaves)
    instead = "null" if otherwise is None else quoted(otherwise)
    return f"case when {when} then {name} else {instead} end as {name}"


def _declared(connection: Any, code: str) -> list[_Mart]:
    """The marts that declare this audience. A warehouse without declarations shows nothing."""
    present = rows(
        connection,
        "select table_name from information_schema.tables where table_catalog = 'warehouse' "
        "and table_schema = 'audience' and table_name in ('marts', 'columns')",
    )
    if len(present) != 2:
        return []
    columns = _columns(connection, "warehouse")
    rules: dict[str, dict[str, tuple[str, str | None]]] = {}
    for r in rows(connection, "from warehouse.audience.columns"):
        rules.setdefault(r["mart"], {})[r["column_name"]] = (r["leaves"], r["otherwise"])
    declared = rows(
        connection,
        "select mart, rows_leave from warehouse.audience.marts where audience = $code "
        "order by mart",
        {"code": code},
    )
    return [
        _Mart(d["mart"], columns[d["mart"]], d["rows_leave"], rules.get(d["mart"], {}))
        for d in declared
        if d["mart"] in columns
    ]


def _columns(connection: Any, catalog: str | None) -> dict[str, list[str]]:
    """The marts of a database with their columns in order."""
    found = rows(
        connection,
        "select table_name as name, list(column_name order by ordinal_position) as columns "
        "from information_schema.columns where table_schema = 'marts' "
        "and table_catalog = coalesce($catalog, current_database()) "
        "group by table_name order by table_name",
        {"catalog": catalog},
    )
    return {r["name"]: r["columns"] for r in found}
