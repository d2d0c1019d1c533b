"""The warehouse: one DuckDB file a night, prepared here, filled by dbt, read by everybody else.

Preparing lays three schemas for dbt: `landing` (the current rows of each contract), `history`
(every row that ever landed) and `ledger` (the night's snapshot of the ledger). Readers open the
published file read-only; nobody writes to it any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from geniac_pipelines.contracts import LINEAGE, Contract, Mode

_PATTERN = re.compile(r"[*?\[]")

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    # nothing may be fetched at run time, and stamps mean the same on every machine
    "autoinstall_known_extensions": "false",
    "TimeZone": "UTC",
}


@contextmanager
def connect(path: Path | None = None, *, read_only: bool = False) -> Iterator[Any]:
    """A DuckDB connection that is closed at the end; in memory when `path` is None.

    Use one connection a thread, and read results whole before the next statement.
    """
    connection = duckdb.connect(
        str(path) if path else ":memory:", read_only=read_only, config=SETTINGS
    )
    try:
        yield connection
    finally:
        connection.close()


def rows(
    connection: Any, sql: str, parameters: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The whole result as dicts, in the query's order."""
    result = connection.execute(sql, dict(parameters) if parameters else None)
    names = [d[0] for d in result.description]
    return [dict(zip(names, values, strict=True)) for values in result.fetchall()]


def quoted(text: str) -> str:
    """A string literal of SQL, for the file lists of views (which take no parameters)."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name in SQL, also where it is a reserved word."""
    return '"' + name.replace('"', '""') + '"'


def file_list(paths: Sequence[Path]) -> str:
    """A list of SQL for read_parquet; signs that would make a pattern of a path stand for
    themselves."""
    return "[" + ", ".join(quoted(_PATTERN.sub(r"[\g<0>]", str(p))) for p in paths) + "]"


def current_rows(contract: Contract, history: str | None = None) -> str:
    """SQL of the rows that hold now, over `history` (`history.<contract>` if None): see `Mode`.

    Rows of one arrival that share a key were refused at intake; the last one wins here so that
    the order is total whatever happens.
    """
    table = history or f"history.{contract.name}"
    latest = "_received_at desc, _arrival desc"
    key = ", ".join(map(identifier, contract.key))
    match contract.mode:
        case Mode.APPEND:
            return f"select * from {table}"
        case Mode.LATEST:
            return (
                f"select * from {table} qualify row_number() over "
                f"(partition by {key} order by {latest}, _line desc, _sheet desc) = 1"
            )
        case Mode.REPLACE:
            scope = ", ".join(map(identifier, contract.scope))
            return (
                f"select * from (select * from {table} qualify dense_rank() over "
                f"(partition by {scope} order by {latest}) = 1) qualify row_number() over "
                f"(partition by {key} order by _line desc, _sheet desc) = 1"
            )


def prepare(
    path: Path,
    *,
    landings: Mapping[Contract, Sequence[Path]],
    facts: Mapping[str, Sequence[Path]],
    snapshot: Mapping[str, pa.Table],
    visible_until: datetime,
) -> None:
    """Create the warehouse file with the schemas that dbt reads.

    `landings` gives every contract its Parquet files, the zero-row one among them, since an empty
    list can't be read. Rows received after `visible_until` don't exist for this night, nor do
    those that the snapshot's table `landings` does not place in the very file: a file may still
    hold rows of an arrival that was superseded, or read again since.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with connect(path) as connection:
        for schema in ("history", "landing", "facts", "ledger"):
            connection.execute(f"create schema {schema}")
        for table, content in snapshot.items():
            connection.register("snapshot_table", content)
            connection.execute(f'create table ledger."{table}" as from snapshot_table')
            connection.unregister("snapshot_table")
        for contract, files in landings.items():
            if contract.bulk:
                continue
            connection.execute(
                f"create view history.{contract.name} as "
                + history_rows(contract, files, visible_until)
            )
            connection.execute(f"create view landing.{contract.name} as {current_rows(contract)}")
        for table, files in facts.items():
            connection.execute(
                f"create view facts.{table} as select * from read_parquet({file_list(files)})"
            )


def history_rows(contract: Contract, files: Sequence[Path], visible_until: datetime) -> str:
    """SQL of every row that landed in `files`, in the contract's columns of today, for a connection
    to a warehouse that holds the snapshot's table `landings`.

    Files that landed before a column was added lack it: there it is missing.
    """
    columns = ", ".join(
        f"cast(landed.{identifier(c.name)} as {c.type.duckdb}) as {identifier(c.name)}"
        for c in (*contract.columns, *LINEAGE)
    )
    return (
        f"select {columns} from read_parquet({file_list(files)}, union_by_name = true, "
        "filename = true, hive_partitioning = false) as landed semi join ledger.landings as placed "
        f"on placed.contract = {quoted(contract.name)} and placed.arrival_id = landed._arrival "
        "and parse_filename(placed.path) = parse_filename(landed.filename) "
        f"where landed._received_at <= {quoted(visible_until.isoformat())}::timestamptz"
    )


def row_counts(path: Path) -> dict[str, int]:
    """The rows of every table of a warehouse, by `schema.name`; views are left out."""
    with connect(path, read_only=True) as connection:
        tables = rows(connection, "select schema_name, table_name from duckdb_tables()")
        return {
            f"{t['schema_name']}.{t['table_name']}": connection.execute(
                f"select count(*) from {identifier(t['schema_name'])}.{identifier(t['table_name'])}"
            ).fetchone()[0]
            for t in tables
        }


def carry(current: Path, previous: Path, relations: Sequence[str]) -> list[str]:
    """Copy relations (`schema.name`) from the last generation into tonight's file.

    For what could not be built tonight. Returns those that were carried; a relation that the last
    generation lacks stays missing, and whoever needs it fails.
    """
    carried = []
    with connect(current) as connection:
        connection.execute(f"attach {quoted(str(previous))} as previous (read_only)")
        present = {
            f"{r['table_schema']}.{r['table_name']}"
            for r in rows(
                connection,
                "select table_schema, table_name from information_schema.tables "
                "where table_catalog = 'previous'",
            )
        }
        for relation in sorted(set(relations) & present):
            schema = relation.split(".", maxsplit=1)[0]
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(f"create or replace table {relation} as from previous.{relation}")
            carried.append(relation)
    return carried
