"""The examined rows of a night: every table of schema `findings` in its warehouse."""

from __future__ import annotations

from typing import Any

from geniac_pipelines.store.warehouse import rows


def examined_rows(warehouse: Any) -> list[dict[str, Any]]:
    """One row for each (rule, subject) that some rule examined, in order; see `Examined`."""
    tables = rows(
        warehouse,
        "select table_name from information_schema.tables where table_schema = 'findings' "
        "order by table_name",
    )
    found: list[dict[str, Any]] = []
    for table in tables:
        found += rows(
            warehouse, f'select * from findings."{table["table_name"]}" order by rule, subject'
        )
    return found
