"""Where a trace reads a relation from: a warehouse's own tables, and the landing files beside it.

Landing tables are read from the files that the generation's own snapshot of the ledger names, below
the data folder as it lies today: the warehouse's views remember where it lay then. Not here: which
rows are followed (`trace_rows`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geniac_pipelines.contracts import Contract
from geniac_pipelines.store import lake
from geniac_pipelines.store.warehouse import (
    current_rows,
    file_list,
    history_rows,
    identifier,
    rows,
)

LANDING = "landing"
PLACE = "_place"
"""Number of a row in its landing file: what orders the rows of a bulk table."""

_ARRIVAL_IN_NAME = "([^/]+)[.]parquet$"


@dataclass(frozen=True)
class Source:
    """SQL to read a relation from. `is_bulk`: too many rows to keep, each with its arrival and
    PLACE. `lacking` counts landing files that the generation had and the data folder has not."""

    sql: str
    is_bulk: bool = False
    lacking: int = 0


class Sources:
    """A generation's warehouse, to which `connection` leads, and its landing files."""

    def __init__(self, connection: Any, data: Path, contracts: Sequence[Contract]) -> None:
        self._connection = connection
        self._data = data
        self._contracts = {f"{LANDING}.{c.name}": c for c in contracts}

    def find(self, relation: str, days: str | None = None) -> Source | None:
        """None where there is no such relation.

        `days` is a query for the days (Asia/Tokyo) that are asked for; it spares reading the files
        of a bulk table that touch none of them.
        """
        if contract := self._contracts.get(relation):
            return self._landing(contract, days)
        schema, name = relation.split(".", 1)
        found = rows(
            self._connection,
            "select 1 from information_schema.tables where table_schema = $schema "
            "and table_name = $name and table_catalog = current_database()",
            {"schema": schema, "name": name},
        )
        return Source(f"{identifier(schema)}.{identifier(name)}") if found else None

    def _landing(self, contract: Contract, days: str | None) -> Source:
        paths = self._placed(contract, days)
        there = [p for p in paths if p.exists()]
        lacking = len(paths) - len(there)
        files = [lake.empty(self._data, contract.name, contract.schema), *there]
        if contract.bulk:
            numbered = (
                f"select * exclude (filename, file_row_number), file_row_number as {PLACE}, "
                f"regexp_extract(filename, '{_ARRIVAL_IN_NAME}', 1) as _arrival from read_parquet("
                f"{file_list(files)}, union_by_name = true, filename = true, "
                "file_row_number = true)"
            )
            return Source(f"({numbered})", is_bulk=True, lacking=lacking)
        (night,) = rows(self._connection, "select visible_until from ledger.night")
        history = history_rows(contract, files, night["visible_until"])
        return Source(f"({current_rows(contract, f'({history})')})", lacking=lacking)

    def _placed(self, contract: Contract, days: str | None) -> list[Path]:
        touching = (
            f"and arrival_id in (select arrival_id from ledger.landing_days "
            f"where contract = $contract and day in ({days})) "
            if contract.bulk and days
            else ""
        )
        placed = rows(
            self._connection,
            "select distinct path from ledger.landings where contract = $contract "
            f"{touching}order by path",
            {"contract": contract.name},
        )
        return [self._data / r["path"] for r in placed]
