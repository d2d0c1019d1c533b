"""What Dagster's pages are told of a night's tables."""

from pathlib import Path

import dagster as dg
import duckdb

from geniac_pipelines.store import generations
from tests.end_to_end.programme import Programme

LAYERS = ("staging", "intermediate", "marts", "findings", "seeds")


def told(home: Path, run_id: str) -> dict[str, object]:
    """The row count that the run told of each table of dbt, None where it told none."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        records = instance.get_records_for_run(
            run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
        ).records
    made = [r.event_log_entry.asset_materialization for r in records]
    return {
        ".".join(m.asset_key.path): getattr(m.metadata.get("dagster/row_count"), "value", None)
        for m in made
        if m and m.asset_key.path[0] in LAYERS and len(m.asset_key.path) == 2
    }


def test_tables_of_dbt_say_how_many_rows_they_have(programme: Programme):
    night = generations.latest(programme.ledger)
    counts = told(programme.data / "dagster", night.run_id)
    with duckdb.connect(str(programme.data / night.warehouse), read_only=True) as connection:
        expected = {
            name: connection.execute(f"select count(*) from {name}").fetchall()[0][0]
            for name in sorted(counts)
        }
    # dbt lays it empty, and the forecasts tell their own number
    assert counts.pop("marts.fct_gpu_usage__plan_forecasts") is None
    assert expected.pop("marts.fct_gpu_usage__plan_forecasts") > 0
    assert counts == expected
    assert {name.split(".")[0] for name in counts} == set(LAYERS)
    assert counts["marts.dim_programme__organisations"] > 0
