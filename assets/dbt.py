"""dbt's models and tests: one child process a night, into the night's own warehouse file."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)

from assets._shared import OWNERS, filled_after_dbt
from geniac_pipelines.settings import WAREHOUSE_VARIABLE
from geniac_pipelines.store.warehouse import row_counts
from resources.dbt import dbt_project
from resources.night import NightResource


class Translator(DagsterDbtTranslator):
    """Keys are layer and model (`marts/fct_…`), groups are areas."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        declared = dbt_resource_props.get("config", {}).get("meta", {}).get("dagster", {})
        if key := declared.get("asset_key"):
            return dg.AssetKey(key)
        is_seed = dbt_resource_props["resource_type"] == "seed"
        layer = "seeds" if is_seed else dbt_resource_props["fqn"][1]
        return dg.AssetKey([layer, dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        fqn = dbt_resource_props["fqn"]
        area: str = fqn[1] if dbt_resource_props["resource_type"] == "seed" else fqn[2]
        return area

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:
        return OWNERS

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        # the YAML's words alone; dagster-dbt would add the SQL, which the code reference shows
        return " ".join(str(dbt_resource_props["description"]).split())

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        # dbt itself skips what depends on a failed test, and the night carries the last good
        # table over; a blocking check would stop the other areas' reports as well
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec._replace(blocking=False) if spec else None


BUILD = ["build", "--exclude-resource-type", "unit_test"]
"""Unit tests judge the program, not tonight's data: `make test` runs them."""


def _is_missing(result: Mapping[str, Any]) -> bool:
    return bool(
        result["unique_id"].startswith("model.") and result["status"] in ("error", "skipped")
    )


@dbt_assets(
    manifest=dbt_project.manifest_path,
    project=dbt_project,
    # the ledger's tables are several dbt sources and one asset
    dagster_dbt_translator=Translator(
        DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)
    ),
    name="dbt",
)
def dbt(
    context: dg.AssetExecutionContext, dbt_cli: DbtCliResource, night: NightResource
) -> Iterator[Any]:
    tonight = night.tonight
    # the child process inherits it; in process and under the lock there is one night at a time
    os.environ[WAREHOUSE_VARIABLE] = str(tonight.warehouse)
    # its log stays for a look until the next run begins, which clears the folder
    target = tonight.data / "work" / f"dbt-{tonight.run_id}"
    invocation = dbt_cli.cli(BUILD, context=context, raise_on_error=False, target_path=target)
    # told when dbt has ended: until then nobody else can open the file and count
    events = list(invocation.stream())
    built = {e.output_name for e in events if isinstance(e, dg.Output)}
    later = filled_after_dbt()
    counts = {t: n for t, n in row_counts(tonight.warehouse).items() if t not in later}
    tables = {k.to_python_identifier(): ".".join(k.path[-2:]) for k in context.selected_asset_keys}
    for event in events:
        if isinstance(event, dg.Output) and (table := tables[event.output_name]) in counts:
            yield event.with_metadata({**event.metadata, "dagster/row_count": counts[table]})
        else:
            yield event
    # one area's fault must not stop the others: what was not built comes from the last generation
    results = invocation.get_artifact("run_results.json")["results"]
    carried = tonight.carry([r["relation_name"] for r in results if _is_missing(r)])
    for output, table in tables.items():
        if output not in built and table in carried:
            yield dg.Output(None, output_name=output, metadata={"provisional": True})
