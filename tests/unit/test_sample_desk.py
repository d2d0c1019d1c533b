"""What the sample's secretariat decides before a month is closed: whose findings, and once only."""

from datetime import UTC, datetime

from geniac_pipelines.calendar import Month
from geniac_pipelines.findings import desk, lifecycle
from geniac_pipelines.findings.model import Examined
from geniac_pipelines.findings.standing import KIND, releasable
from geniac_pipelines.sample.desk import decide
from geniac_pipelines.sample.model import Trait
from geniac_pipelines.sample.organisations import companies_of
from geniac_pipelines.store.decisions import decisions_about

COMPANIES = companies_of(24, 8, 2, 1)
AUGUST = Month(2026, 8)
AT = datetime(2026, 9, 7, 14, 59, tzinfo=UTC)


def company(trait: Trait) -> str:
    (found,) = [c.organisation_id for c in COMPANIES if trait in c.traits]
    return found


def found(ledger, *findings: tuple[str, Trait, str, str]) -> None:
    """A night that finds them: rule, whom, month, severity."""
    rows = [
        {
            "rule": rule,
            "subject": f"{company(trait)}/{month}",
            "company_id": company(trait),
            "month": None,
            "clause": "3-1-a",
            "severity": severity,
            "state": "found",
            "message_ja": "該当します",
            "message_en": "It applies",
            "proposal_ja": "確かめる",
            "relation": "fct_gpu_usage__company_months",
            "match": "{}",
            "arrivals": ["a" * 20],
        }
        for rule, trait, month, severity in findings
    ]
    with ledger.transaction() as connection:
        lifecycle.apply(connection, 1, [Examined.from_row(row) for row in rows], AT)


def standings(ledger) -> dict[str, str]:
    return {each.finding.id: each.standing.ja for each in desk.listing(ledger)}


def test_some_are_confirmed_one_is_contested_and_others_are_left(ledger):
    idle, over = company(Trait.CHRONIC_IDLE), company(Trait.OVER_PLAN)
    partly, says = company(Trait.SOME_IDLE), company(Trait.CONTRADICTS)
    under, weak = company(Trait.UNDER_PLAN), company(Trait.WEAK_USE)
    found(
        ledger,
        ("severe", Trait.CHRONIC_IDLE, "2026-08", "act"),
        ("over", Trait.OVER_PLAN, "2026-08", "watch"),
        ("over", Trait.OVER_PLAN, "2026-07", "watch"),
        ("idle", Trait.SOME_IDLE, "2026-08", "watch"),
        ("differs", Trait.CONTRADICTS, "2026-08", "watch"),
        ("under", Trait.UNDER_PLAN, "2026-08", "watch"),
        ("weak", Trait.WEAK_USE, "2026-08", "watch"),
    )
    decide(ledger, COMPANIES, AUGUST, AT)
    assert standings(ledger) == {
        f"severe/{idle}/2026-08": "確認済み",
        f"over/{over}/2026-08": "確認済み",
        f"over/{over}/2026-07": "機械判定（未確認）",
        f"idle/{partly}/2026-08": "確認済み",
        f"differs/{says}/2026-08": "異議あり",
        f"under/{under}/2026-08": "機械判定（未確認）",
        f"weak/{weak}/2026-08": "機械判定（未確認）",
    }


def test_what_asks_for_an_instruction_was_explained_and_may_leave(ledger):
    found(ledger, ("severe", Trait.CHRONIC_IDLE, "2026-08", "act"))
    decide(ledger, COMPANIES, AUGUST, AT)
    (listed,) = desk.listing(ledger)
    assert releasable(listed.finding, decisions_about(ledger, KIND))
    assert {d.person for d in decisions_about(ledger, KIND)} == {"事務局 見本 太郎（架空）"}


def test_nothing_is_decided_twice(ledger):
    found(
        ledger,
        ("severe", Trait.CHRONIC_IDLE, "2026-08", "act"),
        ("over", Trait.OVER_PLAN, "2026-08", "watch"),
    )
    # explained, confirmed; confirmed
    assert len(decide(ledger, COMPANIES, AUGUST, AT)) == 3
    once = decisions_about(ledger, KIND)
    assert decide(ledger, COMPANIES, AUGUST, AT) == ()
    assert decisions_about(ledger, KIND) == once
