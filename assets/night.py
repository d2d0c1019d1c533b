"""The night's frame: its inputs at the beginning, the published generation at the end."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from assets._shared import NIGHTLY_FRESH, OWNERS, table
from geniac_pipelines.areas import CONTRACTS
from geniac_pipelines.gpu_usage import facts
from geniac_pipelines.gpu_usage.rollup import DAY_FACTS
from geniac_pipelines.intake.outcomes import HEADINGS, by_sender
from geniac_pipelines.night import Night
from geniac_pipelines.store.generations import current_files
from geniac_pipelines.store.lake import empty, landing_files
from geniac_pipelines.store.warehouse import prepare
from resources.night import NightResource


@dg.asset(
    group_name="night",
    kinds={"duckdb"},
    owners=OWNERS,
    deps=[
        *(dg.AssetKey(["landing", c.name]) for c in CONTRACTS),
        dg.AssetKey(["facts", facts.DAYS]),
    ],
    output_required=False,
    freshness_policy=NIGHTLY_FRESH,
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
        facts={facts.DAYS: _day_files(tonight)},
        snapshot=tonight.tables(),
        visible_until=tonight.visible_until,
    )
    yield dg.MaterializeResult(
        metadata={
            "as_of": tonight.as_of.isoformat(),
            "inputs": tonight.inputs,
            "arrivals": tonight.snapshot["arrivals"].num_rows,
            "提出元ごとの受付": table(HEADINGS, [o.as_row for o in by_sender(tonight.snapshot)]),
        }
    )


def _day_files(tonight: Night) -> list[Path]:
    """The day facts as they will be after tonight's commit, with the zero-row file."""
    current = current_files(tonight.ledger, facts.DAYS)
    current |= {f.part: f for f in tonight.made if f.table == facts.DAYS}
    zero = empty(tonight.data, facts.DAYS, DAY_FACTS)
    return [zero, *facts.current_day_files(tonight.data, current)]
