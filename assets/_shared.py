"""What assets of several modules need: owners, freshness, column schemas, tables and pictures."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

import dagster as dg
import pyarrow as pa

from geniac_pipelines.calendar import JST
from geniac_pipelines.contracts import LINEAGE, Contract
from resources.dbt import dbt_project

OWNERS = ["team:data-engineering"]

NIGHTLY_FRESH = dg.FreshnessPolicy.cron(
    deadline_cron="0 6 * * *", lower_bound_delta=timedelta(hours=4), timezone=str(JST)
)
"""Made anew between 2:00, when the night begins, and 6:00, before anybody reads it."""

SHOWN_ROWS = 100
"""Rows of a table in the metadata; more would swell the event log night by night."""


def column_schema(contract: Contract) -> dg.TableSchema:
    """Dagster's column schema of a landing table, in the words of its contract."""
    columns = contract.columns if contract.bulk else (*contract.columns, *LINEAGE)
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=c.name,
                type=c.type.duckdb,
                description=f"{c.ja}。{c.meaning}" + (f"（単位 {c.unit}）" if c.unit else ""),
                constraints=dg.TableColumnConstraints(nullable=not c.required),
            )
            for c in columns
        ]
    )


def landing_spec(contract: Contract) -> dg.AssetSpec:
    """The asset of a landing table."""
    return dg.AssetSpec(
        key=["landing", contract.name],
        deps=["arrivals"],
        group_name="landing",
        kinds={"parquet"},
        owners=OWNERS,
        tags={"area": contract.area},
        description=f"{contract.ja}。{contract.meaning}。\n\n仕様書 {', '.join(contract.clauses)}",
        metadata={"dagster/column_schema": column_schema(contract)},
        freshness_policy=NIGHTLY_FRESH,
    )


def arrow_columns(schema: pa.Schema, meanings: Mapping[str, str]) -> dg.TableSchema:
    """Dagster's column schema of a Parquet table that no contract describes."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name=f.name, type=str(f.type), description=meanings[f.name])
            for f in schema
        ]
    )


def model_columns(name: str) -> dg.TableSchema:
    """The column schema of a dbt model, as its YAML has it; also of one that Python fills."""
    models = {n["name"]: n for n in _manifest()["nodes"].values()}
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=c["name"],
                type=c["data_type"] or "varchar",
                description=" ".join(c["description"].split()),
            )
            for c in models[name]["columns"].values()
        ]
    )


def filled_after_dbt() -> set[str]:
    """Tables (`schema.name`) that dbt lays empty and a later asset of the night fills."""
    return {
        f"{n['schema']}.{n['name']}"
        for n in _manifest()["nodes"].values()
        if n["config"].get("meta", {}).get("filled_after_dbt")
    }


@cache
def _manifest() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(dbt_project.manifest_path.read_text(encoding="utf-8"))
    return content


def table(headings: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue[Any]:
    """Rows as a table of the UI, columns named by `headings` (key of the row: words).

    What is missing prints as ―, as in the reports; no row at all is "なし". Beyond SHOWN_ROWS the
    last row says how many more there are.
    """
    if not rows:
        return dg.TextMetadataValue("なし")
    shown = [{ja: _cell(row[key]) for key, ja in headings.items()} for row in rows[:SHOWN_ROWS]]
    if more := len(rows) - len(shown):
        first, *others = headings.values()
        shown.append({first: f"ほか{more}行", **dict.fromkeys(others, "")})
    return dg.TableMetadataValue(
        records=[dg.TableRecord(row) for row in shown],
        schema=dg.TableSchema(
            # the last row's words would not fit a column of numbers
            columns=[dg.TableColumn(name=ja, type="string") for ja in headings.values()]
        ),
    )


def _cell(value: Any) -> str | int | float | bool:
    if value is None:
        return "―"
    if isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def picture(
    words: str, spec: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> dg.MetadataValue[Any]:
    """A chart as the UI shows it, with words for those who can't see it."""
    if not rows:
        return dg.MarkdownMetadataValue(f"{words}: 記録なし")
    # a drawing library, which definitions need not wait for
    from geniac_pipelines.reports.pictures import png  # noqa: PLC0415

    data = base64.b64encode(png(spec, rows)).decode("ascii")
    return dg.MarkdownMetadataValue(f"![{words}](data:image/png;base64,{data})")
