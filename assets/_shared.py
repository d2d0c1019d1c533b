"""What assets of several modules need: owners, kinds, column schemas from contracts."""

import dagster as dg

from geniac_pipelines.intake.contracts import LINEAGE, Contract

OWNERS = ["team:data-engineering"]


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
    )
