"""dbt's source files, written from the contracts so that no column is described twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from geniac_pipelines.contracts import LINEAGE, Column, Contract

LEDGER_TABLES = {
    "arrivals": "受付。誰からいつどのファイルが届いたか",
    "readings": "読み取り結果",
    "landings": "受付ごとの行数と置き場所",
    "landing_days": "大量データの受付が触れる日",
    "refusals": "修正のお願いと注意",
    "decisions": "人の判断（追記のみ）",
    "generations": "公開した世代",
    "reports": "発行済みの報告書",
    "figures": "発行済みの報告書の数値",
    "calendar": "営業日の暦",
    "night": "その夜の基準日と、到着を数える最後の時刻（1行）",
}
"""The tables of schema `ledger` in a night's warehouse, with what they hold."""

HEADER = "# Written by `geniac contracts`; change the contract, not this file.\n"


def source_file(area: str, contracts: Sequence[Contract]) -> str:
    """YAML of an area's landing tables (current rows) for dbt."""
    tables = [
        {
            "name": c.name,
            "description": f"{c.ja}。{c.meaning}",
            "config": {
                "meta": {
                    # dagster-dbt finds the asset that lands this table by its key
                    "dagster": {"asset_key": ["landing", c.name]},
                    "key": list(c.key),
                    "mode": c.mode.value,
                }
            },
            "columns": [_column(column) for column in (*c.columns, *LINEAGE)],
        }
        for c in contracts
        if c.area == area and not c.bulk
    ]
    source = {"name": "landing", "schema": "landing", "tables": tables}
    return HEADER + _dump({"sources": [source]})


def ledger_file() -> str:
    """YAML of the night's ledger tables (snapshot and calendar) for dbt."""
    tables = [
        {
            "name": name,
            "description": comment,
            "config": {"meta": {"dagster": {"asset_key": ["night_inputs"]}}},
        }
        for name, comment in sorted(LEDGER_TABLES.items())
    ]
    source = {"name": "ledger", "schema": "ledger", "tables": tables}
    return HEADER + _dump({"sources": [source]})


def files(contracts: Sequence[Contract], project: Path) -> dict[Path, str]:
    """What each source file of the dbt project must hold."""
    staging = project / "models" / "staging"
    written = {
        staging / area / f"_{area}__sources.yml": source_file(area, contracts)
        for area in sorted({c.area for c in contracts})
    }
    written[staging / "_ledger__sources.yml"] = ledger_file()
    return written


def _column(column: Column) -> dict[str, str]:
    unit = f"（単位 {column.unit}）" if column.unit else ""
    return {
        "name": column.name,
        "data_type": column.type.duckdb,
        "description": f"{column.ja}。{column.meaning}{unit}",
    }


def _dump(content: object) -> str:
    text: str = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=1000)
    return text
