"""What somebody must act on: findings brought up to date, drafts offered, the digest enqueued."""

import dagster as dg

from assets._shared import NIGHTLY_FRESH, OWNERS, picture, table
from geniac_pipelines.alerts.channels import channels
from geniac_pipelines.alerts.morning import Morning, record_morning
from geniac_pipelines.alerts.night import corrections, register, submissions
from geniac_pipelines.findings import overview
from geniac_pipelines.findings.model import examination
from geniac_pipelines.findings.read import examined_rows
from geniac_pipelines.store.warehouse import connect
from resources.night import NightResource

MODELS = [
    dg.AssetKey(["findings", "fnd_gpu_usage"]),
    dg.AssetKey(["findings", "fnd_programme"]),
    dg.AssetKey(["marts", "dim_programme__organisations"]),
    dg.AssetKey(["marts", "fct_gpu_usage__submissions"]),
]


@dg.asset(
    group_name="findings",
    kinds={"sqlite"},
    owners=OWNERS,
    deps=MODELS,
    freshness_policy=NIGHTLY_FRESH,
    description=(
        "指摘（誰かが対応すべきこと）の更新と、朝のまとめの作成。"
        "実際に調べた対象だけを解消とし、調べられなかったものはそのまま残す"
    ),
)
def findings(night: NightResource) -> dg.MaterializeResult[None]:
    tonight = night.tonight
    ways = channels(tonight.settings)
    with connect(tonight.warehouse, read_only=True) as warehouse:
        found = examination(examined_rows(warehouse))
        morning = Morning(
            as_of=tonight.as_of,
            now=tonight.visible_until,
            examination=found,
            register=register(warehouse),
            submissions=submissions(warehouse, tonight.as_of),
            corrections=corrections(warehouse),
            to=ways.to,
            provisional=tuple(tonight.provisional),
            notes=ways.notes,
        )
    tonight.stage(lambda connection, number: record_morning(connection, number, morning))
    rules = overview.by_rule(found)
    return dg.MaterializeResult(
        metadata={
            "examined": len(found.examined),
            "problems": len(found.problems),
            "調べられなかった規則": table(
                {"problem": "理由"}, [{"problem": p} for p in found.problems]
            ),
            "規則ごとの結果": table(overview.HEADINGS, rules),
            "規則ごとの結果（図）": picture(
                "規則ごとの該当の数", overview.CHART, overview.bars(rules)
            ),
        }
    )
