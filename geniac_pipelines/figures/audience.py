"""What an audience can see of the warehouse, by structure rather than by care.

`open_view` gives a connection on which the marts stand under their bare names, cut down to the
audience. A company's connection holds copies of its own rows and nothing else: the warehouse is
detached from it and no file can be opened, so that no query, however written, reaches another
company's rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geniac_pipelines.store.warehouse import connect, identifier, quoted, rows

COMPANY = "company:"
SEES_ALL_COMPANIES = ("secretariat", "meti_nedo")
OWNER_COLUMNS = ("company_id", "organisation_id")
"""A mart's rows belong to the organisation in the first of these columns that it has."""


class UnknownAudience(ValueError):
    """An audience that this module does not know how to cut the marts for."""


@contextmanager
def open_view(warehouse: Path, audience: str) -> Iterator[Any]:
    """A connection that holds the marts under bare names for that audience.

    `meti_nedo` and `secretariat` see every organisation, through views on the read-only file;
    `company:<id>` only its own rows, and no mart that has no owner column. Other audiences raise
    UnknownAudience.
    """
    company = _company(audience)
    opened = _whole_view(warehouse) if company is None else _company_view(warehouse, company)
    with opened as connection:
        yield connection


@contextmanager
def _whole_view(warehouse: Path) -> Iterator[Any]:
    with connect(warehouse, read_only=True) as connection:
        for table in _marts(connection):
            name = identifier(table["name"])
            connection.execute(f"create temp view {name} as from marts.{name}")
        yield connection


@contextmanager
def _company_view(warehouse: Path, company: str) -> Iterator[Any]:
    if not warehouse.exists():
        raise FileNotFoundError(f"the warehouse {warehouse} does not exist")
    with connect() as connection:
        connection.execute(f"attach {quoted(str(warehouse))} as warehouse (read_only)")
        for table in _marts(connection, "warehouse"):
            owner = next((c for c in OWNER_COLUMNS if c in table["columns"]), None)
            if owner is None:
                continue
            name = identifier(table["name"])
            connection.execute(
                f"create table {name} as from warehouse.marts.{name} "
                f"where {identifier(owner)} = {quoted(company)}"
            )
        connection.execute("detach warehouse")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection


def _company(audience: str) -> str | None:
    if audience.startswith(COMPANY) and audience != COMPANY:
        return audience.removeprefix(COMPANY)
    if audience in SEES_ALL_COMPANIES:
        return None
    raise UnknownAudience(audience)


def _marts(connection: Any, catalog: str | None = None) -> list[dict[str, Any]]:
    return rows(
        connection,
        "select table_name as name, list(column_name order by ordinal_position) as columns "
        "from information_schema.columns where table_schema = 'marts' "
        "and table_catalog = coalesce($catalog, current_database()) "
        "group by table_name order by table_name",
        {"catalog": catalog},
    )
