"""The landing step judges handed-in rows, as checks of the tables concerned."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from geniac_pipelines.definitions import build_definitions
from geniac_pipelines.gpu_usage.contracts import COMPUTE_CONTRACTS, PLANS
from geniac_pipelines.gpu_usage.workbooks import CONTRACT_WORKBOOK, PLAN_WORKBOOK
from geniac_pipelines.intake.template import write_template
from geniac_pipelines.store.ledger import Ledger, refusals


def run_intake(folder: Path) -> dict[str, dg.AssetCheckEvaluation]:
    """Run the intake job; its checks by landing table."""
    config = {"kind": "intake", "data": str(folder / "data"), "inbox": str(folder / "inbox")}
    job = build_definitions().resolve_job_def("intake")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            run_config={"resources": {"night": {"config": config}}}, instance=instance
        )
    assert result.success
    found = result.get_asset_check_evaluations()
    return {e.asset_key.path[-1]: e for e in found}


def hand_in(folder: Path) -> None:
    plan: dict[str, Any] = {
        "plan_version": 1, "month": "2026-10", "gpu_type": "H100", "planned_gpu_hours": 1000,
        "planned_jpy": 5, "purpose": "学習",
    }  # fmt: skip
    contract: dict[str, Any] = {
        "contract_number": "C-1", "provider": "甲", "gpu_type": "H100", "gpu_count": 8,
        "unit_price_jpy": 500, "starts_on": date(2026, 4, 2), "ends_on": date(2026, 4, 1),
    }  # fmt: skip
    inbox = folder / "inbox" / "aoi-ai"
    inbox.mkdir(parents=True)
    write_template(PLAN_WORKBOOK, inbox / "plan.xlsx", {PLANS.name: [plan]})
    write_template(CONTRACT_WORKBOOK, inbox / "contract.xlsx", {COMPUTE_CONTRACTS.name: [contract]})


def test_doubts_warn_and_broken_invariants_are_errors_without_stopping_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENIAC_LEDGER_URL", raising=False)
    hand_in(tmp_path)
    first = run_intake(tmp_path)
    assert set(first) == {
        "gpu_usage__plans",
        "gpu_usage__contracts",
        "gpu_usage__monthly_usage",
        "gpu_usage__monthly_notes",
    }
    plans, contracts = first[PLANS.name], first[COMPUTE_CONTRACTS.name]
    assert (plans.passed, plans.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert plans.metadata["gpu-usage.price-implausible"].value == 1
    assert (contracts.passed, contracts.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert contracts.metadata["gpu-usage.contract-ends-before-start"].value == 1
    assert first["gpu_usage__monthly_usage"].passed
    with Ledger(f"sqlite:///{tmp_path / 'data' / 'ledger.sqlite'}").reading() as connection:
        kept = set(connection.execute(sa.select(refusals.c.code)).scalars())
    assert {"gpu-usage.price-implausible", "gpu-usage.contract-ends-before-start"} <= kept

    second = run_intake(tmp_path)
    assert all(e.passed and e.metadata["judged_rows"].value == 0 for e in second.values())
