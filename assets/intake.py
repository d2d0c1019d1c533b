"""Intake: what lies in the inbox is archived and registered, then read into landing tables."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from assets._shared import OWNERS, landing_spec
from geniac_pipelines.areas import CONTRACTS, FORMATS
from geniac_pipelines.intake.sweep import read_arrivals, take_in, to_read
from resources.night import NightResource


@dg.asset(
    group_name="intake",
    kinds={"file"},
    owners=OWNERS,
    description="受信箱のファイル。原本を保管し、誰からいつ届いたかを記録する",
)
def arrivals(night: NightResource) -> dg.MaterializeResult[None]:
    tonight = night.tonight
    taken = take_in(tonight.settings.inbox, tonight.archive, tonight.ledger, FORMATS, tonight.clock)
    return dg.MaterializeResult(
        metadata={
            "new_files": len(taken.arrivals),
            "waiting": dg.JsonMetadataValue(taken.waiting),
            "inbox": dg.PathMetadataValue(str(tonight.settings.inbox)),
        }
    )


@dg.multi_asset(name="landing", specs=[landing_spec(c) for c in CONTRACTS])
def landing(
    context: dg.AssetExecutionContext, night: NightResource
) -> Iterator[dg.MaterializeResult[None]]:
    rows: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    desk = night.desk()
    pending = to_read(desk)
    for arrival, reading in read_arrivals(desk, pending):
        outcomes[reading.outcome] += 1
        rows.update({contract: n for contract, _, n in reading.tables})
        if reading.error:
            context.log.error(f"{arrival.name} could not be read:\n{reading.error}")
    context.log.info(f"{len(pending)} arrivals read: {dict(outcomes)}")
    for contract in CONTRACTS:
        yield dg.MaterializeResult(
            asset_key=["landing", contract.name],
            metadata={"dagster/partition_row_count": rows[contract.name]},
        )
