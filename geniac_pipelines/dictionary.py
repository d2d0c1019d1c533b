"""The data dictionary (データ辞書): landing tables from contracts, marts from dbt's YAML.

Written into `docs/data-dictionary.ja.md` by `geniac contracts`; nobody edits that file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from geniac_pipelines.contracts import LINEAGE, Contract

INTRODUCTION = """# データ辞書

`geniac contracts` が、受入表の契約（`geniac_pipelines/<分野>/contracts.py`）とdbtの説明
（`dbt_project/models/**/*.yml`）から作成します。直接編集しないでください。

単位は列名の末尾にも示します（`_gpu_hours`、`_jpy`、`_seconds`、`_kwh`）。時刻はUTCで保存し、日と月は日本時間
です。空欄は値がないことを示し、ゼロではありません。
"""
MODES = {"append": "追記", "latest": "同じキーは後から届いた行が有効", "replace": "範囲ごとに置換"}


def dictionary(contracts: Sequence[Contract], dbt_project: Path) -> str:
    """The whole dictionary as Markdown."""
    parts = [INTRODUCTION, "## 受入表（届いた行そのもの）\n"]
    for contract in contracts:
        parts.append(_contract(contract))
    parts.append("すべての受入表（大量データを除く）に、次の来歴の列が付きます。\n")
    parts.append(_rows((c.name, c.type.duckdb, c.ja, c.meaning, "") for c in LINEAGE))
    parts.append("\n## 公開表（マート）\n")
    for model in _marts(dbt_project):
        parts.append(_mart(model))
    return "\n".join(parts).rstrip() + "\n"


def _contract(contract: Contract) -> str:
    scope = f"（範囲 {', '.join(contract.scope)}）" if contract.scope else ""
    return "\n".join(
        [
            f"### {contract.ja}　`{contract.name}`\n",
            f"{contract.meaning}。仕様書 {', '.join(contract.clauses)}。\n",
            f"キー: `{', '.join(contract.key)}`　更新: {MODES[contract.mode.value]}{scope}\n",
            _rows((c.name, c.type.duckdb, c.ja, c.meaning, c.unit or "") for c in contract.columns),
        ]
    )


def _mart(model: Mapping[str, Any]) -> str:
    return "\n".join(
        [
            f"### `{model['name']}`\n",
            f"{' '.join(model['description'].split())}\n",
            _rows(
                (c["name"], c.get("data_type", ""), "", " ".join(c["description"].split()), "")
                for c in model["columns"]
            ),
        ]
    )


def _rows(cells: Iterable[tuple[str, str, str, str, str]]) -> str:
    lines = ["| 列 | 型 | 名称 | 意味 | 単位 |", "|---|---|---|---|---|"]
    lines += [
        f"| `{name}` | {kind} | {ja} | {meaning} | {unit} |"
        for name, kind, ja, meaning, unit in cells
    ]
    return "\n".join(lines) + "\n"


def _marts(dbt_project: Path) -> list[Mapping[str, Any]]:
    models: list[Mapping[str, Any]] = []
    for file in sorted((dbt_project / "models" / "marts").rglob("*.yml")):
        models += yaml.safe_load(file.read_text(encoding="utf-8")).get("models", [])
    return sorted(models, key=lambda m: str(m["name"]))
