"""Reports of the night and the commit that publishes them."""

import dagster as dg

from assets._shared import NIGHTLY_FRESH, OWNERS, table
from geniac_pipelines.areas import CONTRACTS
from geniac_pipelines.gpu_usage import overview
from geniac_pipelines.reports import edition
from geniac_pipelines.store.generations import version_of
from geniac_pipelines.store.lake import plan_merges, write_merge
from resources.night import NightResource

READ = [
    dg.AssetKey(["analyses", "gpu_usage__plan_forecasts"]),
    *(
        dg.AssetKey(["marts", name])
        for name in (
            "dim_programme__organisations",
            "fct_programme__deliveries",
            "fct_gpu_usage__appropriateness",
            "fct_gpu_usage__appropriateness_rules",
            "fct_gpu_usage__company_months",
            "fct_gpu_usage__job_states",
            "fct_gpu_usage__notes",
            "fct_gpu_usage__plan_months",
            "fct_gpu_usage__submissions",
            "fct_gpu_usage__telemetry_months",
        )
    ),
]


@dg.asset(
    group_name="reports",
    kinds={"pdf", "excel"},
    owners=OWNERS,
    deps=READ,
    freshness_policy=NIGHTLY_FRESH,
    description="月次報告書。経済産業省・NEDO向けと、組織ごとの抜粋",
)
def monthly_reports(night: NightResource) -> dg.MaterializeResult[None]:
    tonight = night.tonight
    closing = tonight.month_to_close
    month = closing or edition.running_month(tonight.snapshot, tonight.as_of)
    made = list(
        edition.make(
            tonight.warehouse,
            tonight.folder / "reports",
            month=month,
            as_of=tonight.as_of,
            version=version_of(tonight.inputs),
            issued=closing is not None,
            snapshot=tonight.snapshot,
        )
    )
    tonight.stage(lambda c, g: edition.put_on_record(c, g, made, tonight.data))
    tonight.after_commit(lambda: edition.publish(tonight.ledger, tonight.data))
    return dg.MaterializeResult(
        metadata={
            "month": str(month),
            "status": "issued" if closing else "draft",
            "reports": len(made),
            "figures": sum(len(r.document.figures()) for r in made),
            "企業ごとの判定": table(
                overview.VERDICT_HEADINGS, overview.verdicts(tonight.warehouse, month)
            ),
            "報告書": table(
                {"audience": "宛先", "figures": "数値"},
                [
                    {"audience": r.document.audience, "figures": len(r.document.figures())}
                    for r in made
                ],
            ),
        }
    )


@dg.asset(
    group_name="night",
    kinds={"sqlite"},
    owners=OWNERS,
    deps=[monthly_reports, dg.AssetKey("findings")],
    freshness_policy=NIGHTLY_FRESH,
    description="公開する世代。その夜の結果を一つの取引で台帳に記録し、公開する",
)
def generation(night: NightResource) -> dg.MaterializeResult[None]:
    tonight = night.tonight
    for merge in plan_merges(tonight.ledger, CONTRACTS):
        contract = next(c for c in CONTRACTS if c.name == merge.contract)
        write_merge(tonight.data, merge, contract.schema)
        tonight.stage_merge(merge.sources, merge.path)
    number = tonight.commit()
    return dg.MaterializeResult(
        metadata={
            "generation": number,
            "前の世代から引き継いだ表": table(
                {"relation": "表"}, [{"relation": r} for r in tonight.provisional]
            ),
        }
    )
