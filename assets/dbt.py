"""dbt's models and tests: one child process a night, into the night's own warehouse file."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)

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
    variables = {
        "as_of": tonight.as_of.isoformat(),
        "visible_until": tonight.visible_until.isoformat(),
    }
    # the child process inherits it; in process and under the lock there is one night at a time
    os.environ["GENIAC_WAREHOUSE"] = str(tonight.warehouse)
    invocation = dbt_cli.cli(
        ["build", "--vars", json.dumps(variables)], context=context, raise_on_error=False
    )
    yield from invocation.stream()
