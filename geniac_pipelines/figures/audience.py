"""What an audience can see of the warehouse, by structure rather than by care.

`open_view` gives a connection on which the marts stand under their bare names, cut down to the
audience. Queries of reports name tables bare and never a schema, so a company's report can't
reach another company's rows even by mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geniac_pipelines.store.warehouse import connect, quoted, rows

COMPANY = "company:"
SEES_ALL_COMPANIES = ("secretariat", "meti_nedo")
OWNER_COLUMNS = ("company_id", "organisation_id")
"""A mart's rows belong to the organisation in the first of these columns that it has."""


class UnknownAudience(ValueError):
    """An audience that this module does not know how to cut the marts for."""


@contextmanager
def open_view(warehouse: Path, audience: str) -> Iterator[Any]:
    """A read-only connection that holds the marts as temporary views for that audience.

    `meti_nedo` and `secretariat` see every organisation; `company:<id>` only its own rows, and
    no mart that has no owner column. Other audiences raise UnknownAudience.
    """
    company = _company(audience)
    with connect(warehouse, read_only=True) as connection:
        for table in _marts(connection):
            owner = next((c for c in OWNER_COLUMNS if c in table["columns"]), None)
            name = table["name"]
            if company is None:
                connection.execute(f"create temp view {name} as from marts.{name}")
            elif owner:
                connection.execute(
                    f"create temp view {name} as from marts.{name} where {owner} = "
                    + quoted(company)
                )
        yield connection


def _company(audience: str) -> str | None:
    if audience.startswith(COMPANY):
        return audience.removeprefix(COMPANY)
    if audience in SEES_ALL_COMPANIES:
        return None
    raise UnknownAudience(audience)


def _marts(connection: Any) -> list[dict[str, Any]]:
    return rows(
        connection,
        "select table_name as name, list(column_name order by ordinal_position) as columns "
        "from information_schema.columns where table_schema = 'marts' "
        "group by table_name order by table_name",
    )
