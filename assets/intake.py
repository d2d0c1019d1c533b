"""Intake: what lies in the inbox is archived and registered, then read into landing tables."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from assets._shared import NIGHTLY_FRESH, OWNERS, landing_spec, table
from geniac_pipelines.areas import CONTRACTS, EXPECTATIONS, FORMATS
from geniac_pipelines.contracts import Contract
from geniac_pipelines.intake.desk import left_as_read, read_arrivals, to_read
from geniac_pipelines.intake.judge import Judge
from geniac_pipelines.intake.outcomes import by_folder
from geniac_pipelines.intake.sweep import take_in
from resources.night import NightResource


@dg.asset(
    group_name="intake",
    kinds={"file"},
    owners=OWNERS,
    freshness_policy=NIGHTLY_FRESH,
    description="受信箱のファイル。原本を保管し、誰からいつ届いたかを記録する",
)
def arrivals(night: NightResource) -> dg.MaterializeResult[None]:
    tonight = night.tonight
    taken = take_in(tonight.settings.inbox, tonight.archive, tonight.ledger, FORMATS, tonight.clock)
    return dg.MaterializeResult(
        metadata={
            "new_files": len(taken.arrivals),
            "届いたファイル": table(
                {"folder": "フォルダ", "files": "件数"}, by_folder(taken.arrivals)
            ),
            "移されたファイル": table(
                {"old": "元の場所", "new": "今の場所"},
                [{"old": old, "new": new} for new, old in sorted(taken.moved.items())],
            ),
            "まだ受け付けていないファイル": table(
                {"path": "ファイル", "reason": "理由"},
                [{"path": p, "reason": r} for p, r in sorted(taken.waiting.items())],
            ),
            "inbox": dg.PathMetadataValue(str(tonight.settings.inbox)),
        }
    )


JUDGED = [c for c in CONTRACTS if any(e.contract is c for e in EXPECTATIONS)]
CHECK = "expectations"


def _check_spec(contract: Contract) -> dg.AssetCheckSpec:
    asked = {e.complaint.ja for e in EXPECTATIONS if e.contract is contract}
    return dg.AssetCheckSpec(
        CHECK,
        asset=["landing", contract.name],
        description="今回読み取った行の点検（Great Expectations）。"
        "警告は行を残して提出者に確認を求め、エラーの行は受け取らず修正を求める。\n\n"
        + "\n".join(f"- {words}" for words in sorted(asked)),
    )


@dg.multi_asset(
    name="landing",
    specs=[landing_spec(c) for c in CONTRACTS],
    check_specs=[_check_spec(c) for c in JUDGED],
)
def landing(
    context: dg.AssetExecutionContext, night: NightResource
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    rows: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    desk = night.desk()
    pending = to_read(desk)
    for arrival, reading in read_arrivals(desk, pending):
        outcomes[reading.outcome] += 1
        rows.update({contract: n for contract, _, n in reading.tables})
        if reading.error:
            context.log.error(f"{arrival.name} ({reading.outcome}):\n{reading.error}")
    context.log.info(f"{len(pending)} arrivals read: {dict(outcomes)}")
    if left := left_as_read(desk):
        context.log.info(
            f"原本は削除済み（期限）: {len(left)} arrivals, {left[0].name} first, can't be read "
            "again; their landing stays as it was read"
        )
    for contract in CONTRACTS:
        yield dg.MaterializeResult(
            asset_key=["landing", contract.name],
            metadata={"dagster/partition_row_count": rows[contract.name]},
        )
    for contract in JUDGED:
        yield _check_result(contract, desk.judge)


def _check_result(contract: Contract, judge: Judge) -> dg.AssetCheckResult:
    """What was remarked on the rows read by this run; the ledger keeps each remark."""
    remarks = {code: n for (name, code), n in judge.remarks.items() if name == contract.name}
    faults = [fault for name, fault in judge.faults if name == contract.name]
    lost = {e.complaint.code for e in judge.expectations if e.complaint.costs == "row"}
    severe = bool(faults or lost & remarks.keys())
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=["landing", contract.name],
        passed=not (remarks or faults),
        severity=dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
        metadata={"judged_rows": judge.rows[contract.name], **remarks, "faults": faults},
    )
