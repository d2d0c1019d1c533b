"""Rules, verdicts and findings on the small programme; expected values by hand."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from geniac_pipelines.calendar import Month
from geniac_pipelines.figures.audience import open_view
from geniac_pipelines.figures.model import FigureTable
from geniac_pipelines.findings.model import Outcome, examination
from geniac_pipelines.reports.chapters import gpu_usage
from geniac_pipelines.store.warehouse import connect, rows
from tests.warehouse.programme import COMPANIES

SEPTEMBER = "month = date '2026-09-01'"
SEPTEMBER_FIRST = date(2026, 9, 1)


def verdict(connection: Any, company: str) -> dict[str, Any]:
    (row,) = rows(
        connection,
        "select * from marts.fct_gpu_usage__appropriateness "
        f"where company_id = '{company}' and {SEPTEMBER}",
    )
    return row


def rule(connection: Any, company: str, name: str, month: str = SEPTEMBER) -> dict[str, Any]:
    (row,) = rows(
        connection,
        "select * from marts.fct_gpu_usage__appropriateness_rules "
        f"where company_id = '{company}' and rule_id = '{name}' and {month}",
    )
    return row


@pytest.mark.parametrize(
    ("company", "machine", "worst"),
    [
        # everything is there and within bounds
        ("sound", "適正", None),
        # 144 % of the plan is found although there is no telemetry
        ("over", "要確認", "over_plan_month"),
        ("spent", "要指示", "over_plan_total"),
        ("idle", "要指示", "idle_in_allocation_severe"),
        # on plan, but nobody can say whether the GPUs worked
        ("dark", "判定不能", "idle_in_allocation"),
        ("partly", "判定不能", "idle_in_allocation"),
        ("weekly", "要確認", "idle_on_measured_days"),
        ("after", "要指示", "outside_support"),
        ("reports", "要確認", "self_report_differs"),
        # 17 + 3 of 5,760 contracted GPU-hours
        ("sliced", "要確認", "low_allocation"),
    ],
)
def test_the_gravest_rule_gives_the_verdict(
    small: Any, company: str, machine: str, worst: str | None
) -> None:
    found = verdict(small, company)
    assert (found["machine_verdict"], found["worst_rule"]) == (machine, worst)
    assert found["rule_version"] == "1"


@pytest.mark.parametrize(
    ("company", "name", "observed", "state"),
    [
        # 5,760 / 5,800
        ("sound", "over_plan_month", "99.3103", "非該当"),
        # 1,440 / 1,000
        ("over", "over_plan_month", "144.0000", "該当"),
        # 1,440 of 10,000 in all
        ("over", "over_plan_total", "14.4000", "非該当"),
        ("spent", "over_plan_total", "144.0000", "該当"),
        ("idle", "idle_in_allocation", "75.0000", "該当"),
        # mean SM 20 % over 24 h is 80 % over the 6 busy hours
        ("idle", "low_sm_activity", "80.0000", "非該当"),
        # idle beyond 25 % for certain, but with 37.5 % measured it is not judged
        ("partly", "idle_in_allocation", "37.5000", "判定不能"),
        ("dark", "idle_in_allocation", None, "判定不能"),
        # a week of 8 × 24 h is well measured, all of it idle; the month as a whole is not
        ("weekly", "idle_on_measured_days", "100.0000", "該当"),
        ("weekly", "idle_in_allocation", "23.3333", "判定不能"),
        # no day of it reaches 70 %
        ("partly", "idle_on_measured_days", None, "判定不能"),
        # 4 GPUs × 24 h × 2 days after the support period
        ("after", "outside_support", "192.0000", "該当"),
        # its contract goes on
        ("after", "outside_contract", "0.0000", "非該当"),
        ("after", "unplanned_use", "192.0000", "該当"),
        ("reports", "self_report_differs", "13.1944", "該当"),
        ("sound", "self_report_differs", "0.0000", "非該当"),
        # nothing was reported, which is no contradiction
        ("dark", "self_report_differs", None, "判定不能"),
        # without a plan nobody can be under it; 20 GPU-hours are too few to ask whether over
        ("sliced", "under_plan_month", None, "判定不能"),
        ("sliced", "over_plan_month", None, "非該当"),
        ("sliced", "unplanned_use", None, "判定不能"),
        # 8 of 8 GPUs on every day
        ("sound", "over_capacity", "100.0000", "非該当"),
        # 20 / 5,760
        ("sliced", "low_allocation", "0.3472", "該当"),
    ],
)
def test_each_rule_compares_what_its_file_says(
    small: Any, company: str, name: str, observed: str | None, state: str
) -> None:
    found = rule(small, company, name)
    assert found["observed"] == (None if observed is None else Decimal(observed))
    assert found["state"] == state
    assert (found["proposal_ja"] is not None) == (state == "該当")


def test_the_running_month_is_marked_and_not_condemned_early(small: Any) -> None:
    found = rule(small, "over", "under_plan_month", "month = date '2026-10-01'")
    # 9,000 planned for October, no record by the 5th: unknown, not under plan
    assert found["is_partial"]
    assert (found["observed"], found["state"]) == (None, "判定不能")


def test_use_of_earlier_months_does_not_condemn_a_month_without_records(small: Any) -> None:
    found = rule(small, "spent", "over_plan_total", "month = date '2026-10-01'")
    assert found["state"] == "判定不能"


def test_robot_developers_are_judged_under_their_own_clause(small: Any) -> None:
    assert verdict(small, "sliced")["clause"] == "3-3-a"
    assert verdict(small, "sound")["clause"] == "3-1-a"


def test_decisions_of_people_stand_beside_the_machine(small: Any) -> None:
    spent, over, idle, dark = (verdict(small, c) for c in ("spent", "over", "idle", "dark"))
    # confirmed, and the company's 説明 came in its monthly report
    assert (spent["verdict"], spent["status"]) == ("要指示", "確認済み")
    assert (spent["is_explained"], spent["may_leave"]) == (True, True)
    assert spent["decided_by"] == "山田（事務局）"
    # overridden with a reason
    assert (over["verdict"], over["machine_verdict"]) == ("適正", "要確認")
    assert (over["status"], over["decided_reason"]) == ("人の判断で変更", "計画の改訂を受理済み")
    # 要確認 was confirmed, which says nothing about 要指示
    assert (idle["verdict"], idle["status"]) == ("要指示", "機械判定（未確認）")
    assert not idle["may_leave"]
    # confirmed and explained on the finding of the rule that decides
    after = verdict(small, "after")
    assert (after["verdict"], after["status"]) == ("要指示", "確認済み")
    assert (after["is_explained"], after["may_leave"]) == (True, True)
    assert (dark["status"], dark["decided_by"]) == ("機械判定（未確認）", None)


def test_every_row_of_findings_can_be_examined(small: Any) -> None:
    found = examination(
        [
            *rows(small, "select * from findings.fnd_gpu_usage"),
            *rows(small, "select * from findings.fnd_programme"),
        ]
    )
    assert found.problems == ()
    assert set(found.names) == {e.rule for e in found.examined}
    assert found.names["over_plan_month"] == "月の計画超過"
    assert found.names["low_telemetry_coverage"] == "テレメトリの網羅率不足"
    assert found.names["missing_plan"] == "利用実施計画の未提出"
    outcomes = {e.id: e.outcome for e in found.examined}
    assert outcomes["over_plan_month/over/2026-09"] is Outcome.FOUND
    assert outcomes["over_plan_month/sound/2026-09"] is Outcome.CLEAR
    assert outcomes["idle_in_allocation/dark/2026-09"] is Outcome.UNKNOWN
    assert outcomes["low_telemetry_coverage/dark/2026-09"] is Outcome.FOUND
    assert outcomes["low_telemetry_coverage/sound/2026-09"] is Outcome.CLEAR
    assert outcomes["unknown_sender/stranger"] is Outcome.FOUND
    assert outcomes["unknown_sender/_secretariat"] is Outcome.CLEAR
    assert outcomes["unassigned_usage/stranger/c1/research"] is Outcome.FOUND
    assert outcomes["unassigned_usage/sound/c1/research"] is Outcome.CLEAR
    assert outcomes["unreadable_file/dark/memo.bin"] is Outcome.FOUND
    # 5 October is before the fifth business day; nothing of September is late yet
    assert outcomes["missing_monthly_usage/dark/2026-09"] is Outcome.CLEAR
    assert outcomes["missing_monthly_usage/after/2026-08"] is Outcome.FOUND


def test_findings_say_what_was_compared_in_full_sentences(small: Any) -> None:
    (found,) = rows(
        small,
        "select * from findings.fnd_gpu_usage "
        "where rule = 'over_plan_month' and subject = 'over/2026-09'",
    )
    assert found["message_ja"] == (
        "over株式会社の2026年9月は、月の割当量÷その月の計画量が144.0%です"
        "（しきい値 120.0% を超えると該当）。"
    )
    assert "2026年9月の利用が計画を上回った理由" in found["proposal_ja"]
    assert found["severity"] == "watch"
    assert found["relation"] == "marts.fct_gpu_usage__plan_months"
    assert json.loads(found["match"]) == {"company_id": "over", "month": "2026-09-01"}
    assert "over-plans" in found["arrivals"]


def test_the_evidence_of_every_finding_is_there(small: Any) -> None:
    found = rows(
        small,
        "select rule, relation, match from findings.fnd_gpu_usage where state = 'found' "
        "and rule != 'low_telemetry_coverage' order by rule, subject",
    )
    assert found
    for row in found:
        key = json.loads(row["match"])
        (hits,) = rows(
            small,
            f"select count(*) as n from {row['relation']} "
            "where company_id = $company_id and month = cast($month as date)",
            key,
        )
        assert hits["n"] >= 1, row


def _tables(path: Any, audience: str) -> dict[str, FigureTable]:
    with open_view(path, audience) as view:
        chapter = gpu_usage.chapter(view, Month(2026, 9), audience)
    return {t.id.split(".")[1]: t for t in chapter.tables()}


OUTSIDE = ["meti_nedo", *(f"company:{c}" for c in COMPANIES)]


def test_an_instruction_leaves_the_secretariat_only_after_the_explanation(
    small_warehouse: Any,
) -> None:
    inside, outside = (
        {r["organisation_id"]: r["verdict"] for r in _tables(small_warehouse, a)["verdicts"].rows}
        for a in ("secretariat", "meti_nedo")
    )
    assert set(inside) == set(COMPANIES)
    assert (inside["idle"], outside["idle"]) == ("要指示", "確認中")
    # confirmed and explained: on the verdict and in a monthly report, or both on the finding
    assert (inside["spent"], outside["spent"]) == ("要指示", "要指示")
    assert (inside["after"], outside["after"]) == ("要指示", "要指示")
    hits = {
        (r["organisation_id"], r["rule_id"])
        for r in _tables(small_warehouse, "meti_nedo")["rules"].rows
    }
    assert ("spent", "over_plan_total") in hits
    assert ("idle", "idle_in_allocation_severe") not in hits


def test_what_reads_confirmation_pending_may_be_either_verdict(small_warehouse: Any) -> None:
    """Were it 要指示 alone, the words would tell what they hide."""
    inside, outside = (
        {r["organisation_id"]: r["verdict"] for r in _tables(small_warehouse, a)["verdicts"].rows}
        for a in ("secretariat", "meti_nedo")
    )
    pending = {c for c, verdict in outside.items() if verdict == "確認中"}
    assert {inside[c] for c in pending} == {"要指示", "要確認"}
    # and a 要確認 that a person confirmed is told
    assert outside["reports"] == "要確認"


@pytest.mark.parametrize("audience", OUTSIDE)
def test_no_cell_outside_tells_what_may_not_leave(small_warehouse: Any, audience: str) -> None:
    """Every row of every mart of the view: not only what today's chapters ask for."""
    with connect(small_warehouse, read_only=True) as inside:
        hidden = {
            (r["company_id"], r["month"])
            for r in rows(
                inside,
                "select * from marts.fct_gpu_usage__appropriateness "
                "where machine_verdict = '要指示' and not is_explained",
            )
        }
    assert ("idle", SEPTEMBER_FIRST) in hidden
    with open_view(small_warehouse, audience) as view:
        judged = rows(view, "from fct_gpu_usage__appropriateness")
        evidence = rows(view, "from fct_gpu_usage__appropriateness_rules")
    assert judged
    for row in judged:
        assert row["machine_verdict"] is None
        assert (row["decided_by"], row["decided_reason"], row["decided_at"]) == (None, None, None)
        if (row["company_id"], row["month"]) in hidden:
            assert row["verdict"] != "要指示"
            assert (row["worst_rule"], row["worst_rule_ja"], row["hit_count"]) == (None,) * 3
    assert not {(r["company_id"], r["month"]) for r in evidence} & hidden
    # a proposed instruction only with a verdict that a person confirmed
    confirmed = {(r["company_id"], r["month"]) for r in judged if r["status"] == "確認済み"}
    proposed = {(r["company_id"], r["month"]) for r in evidence if r["proposal_ja"]}
    assert proposed <= confirmed


def test_an_override_shows_the_new_verdict_and_no_proposal(small_warehouse: Any) -> None:
    """What was found leaves with it, being 要確認; under 要指示 it would need an explanation."""
    with open_view(small_warehouse, "company:over") as view:
        (row,) = rows(view, f"from fct_gpu_usage__appropriateness where {SEPTEMBER}")
        found = rows(view, f"from fct_gpu_usage__appropriateness_rules where {SEPTEMBER}")
    assert (row["verdict"], row["status"]) == ("適正", "人の判断で変更")
    hits = {r["rule_id"] for r in found if r["state"] == "該当"}
    assert hits == {"over_plan_month", "over_plan_to_date"}
    assert all(r["proposal_ja"] is None for r in found)


def test_a_company_reads_all_rules_on_itself_and_nothing_on_others(small_warehouse: Any) -> None:
    tables = _tables(small_warehouse, "company:reports")
    assert {r["organisation_id"] for r in tables["rules"].rows} == {"reports"}
    # all 15 rules of the file
    assert len(tables["rules"].rows) == 15
    # confirmed, so the proposal for the one that was found goes with it
    proposed = [r["rule_id"] for r in tables["rules"].rows if r["proposal_ja"]]
    assert proposed == ["self_report_differs"]


def test_a_company_whose_verdict_waits_reads_none_of_the_rules(small_warehouse: Any) -> None:
    """A gap in the list would tell which rule was found."""
    assert _tables(small_warehouse, "company:idle")["rules"].rows == ()


def test_the_chapter_prints_forecast_and_telemetry(small_warehouse: Any) -> None:
    tables = _tables(small_warehouse, "meti_nedo")
    sound = next(r for r in tables["forecasts"].rows if r["organisation_id"] == "sound")
    assert sound["forecast"] == Decimal("11712.0")
    dark = next(r for r in tables["telemetry"].rows if r["organisation_id"] == "dark")
    assert tables["telemetry"].cell(dark, "idle_gpu_hours").text == "―"
