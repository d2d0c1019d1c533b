"""The night's frame: its inputs at the beginning, the published generation at the end."""

from collections.abc import Iterator

import dagster as dg

from assets._shared import OWNERS
from geniac_pipelines.areas import CONTRACTS
from geniac_pipelines.store.lake import landing_files
from geniac_pipelines.store.warehouse import prepare
from resources.night import NightResource


@dg.asset(
    group_name="night",
    kinds={"duckdb"},
    owners=OWNERS,
    deps=[dg.AssetKey(["landing", c.name]) for c in CONTRACTS],
    output_required=False,
    description=(
        "その夜の入力。台帳の写しと各表の現在の行を、夜ごとの倉庫ファイルに用意する。"
        "前の夜から何も変わっていなければ、ここで終わる"
    ),
)
def night_inputs(
    context: dg.AssetExecutionContext, night: NightResource
) -> Iterator[dg.MaterializeResult[None]]:
    tonight = night.tonight
    if reason := tonight.nothing_to_do():
        context.log.info(reason)
        return
    prepare(
        tonight.warehouse,
        landings=landing_files(tonight.ledger, tonight.data, CONTRACTS),
        facts={},
        snapshot=tonight.tables(),
        visible_until=tonight.visible_until,
    )
    yield dg.MaterializeResult(
        metadata={
            "as_of": tonight.as_of.isoformat(),
            "inputs": tonight.inputs,
            "arrivals": tonight.snapshot["arrivals"].num_rows,
        }
    )
