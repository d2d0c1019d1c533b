"""Decisions of people: complete, in order, and never changed."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from geniac_pipelines.store import decisions as d
from geniac_pipelines.store.ledger import Ledger, decisions, finding_events

AT = datetime(2026, 10, 5, 1, 0, tzinfo=UTC)


def a_decision(ledger: Ledger, **other: object) -> int:
    said = {"reason": "資料で確かめた", "person": "山田", "at": AT}
    kind, subject, act = "finding", "late/aoi-ai/2026-09", str(other.pop("act", "confirm"))
    kind = str(other.pop("subject_kind", kind))
    subject = str(other.pop("subject", subject))
    return d.decide(ledger, kind, subject, act, **(said | other))  # type: ignore[arg-type]


def test_what_was_decided_is_read_back_as_it_was_said(ledger):
    number = a_decision(ledger, details={"episode": 2}, person=" 山田 ")
    assert d.decisions_about(ledger, "finding", "late/aoi-ai/2026-09") == (
        d.Decision(
            decision=number,
            subject_kind="finding",
            subject="late/aoi-ai/2026-09",
            act=d.Act.CONFIRM,
            reason="資料で確かめた",
            person="山田",
            decided_at=AT,
            details={"episode": 2},
        ),
    )


def test_decisions_come_in_the_order_in_which_they_were_made(ledger):
    acts = ["confirm", "dispute", "confirm", "release"]
    for act in acts:
        a_decision(ledger, act=act)
    a_decision(ledger, subject="late/midori/2026-09", act="override")
    a_decision(ledger, subject_kind="message", act="release")
    about_one = d.decisions_about(ledger, "finding", "late/aoi-ai/2026-09")
    assert [e.act for e in about_one] == acts
    assert [e.act for e in d.decisions_about(ledger, "finding")] == [*acts, "override"]


@pytest.mark.parametrize("blank", ["", "   ", "\u3000\u3000", "…", "\u200b"])
@pytest.mark.parametrize("what", ["reason", "person", "subject", "subject_kind"])
def test_nothing_may_be_blank(ledger, what, blank):
    with pytest.raises(d.NotADecision):
        a_decision(ledger, **{what: blank})
    assert d.decisions_about(ledger, "finding") == ()


def test_the_acts_are_a_closed_set(ledger):
    with pytest.raises(d.NotADecision, match="approve"):
        a_decision(ledger, act="approve")


@pytest.mark.parametrize("machine", ["machine", "Machine ", "機械"])
def test_a_machine_decides_nothing(ledger, machine):
    with pytest.raises(d.NotADecision):
        a_decision(ledger, person=machine)


def test_an_instant_without_zone_is_refused(ledger):
    with pytest.raises(sa.exc.StatementError, match="without zone"):
        a_decision(ledger, at=datetime(2026, 10, 5))  # noqa: DTZ001


@pytest.mark.parametrize(
    "change",
    [
        sa.update(decisions).values(reason="別の理由"),
        sa.delete(decisions),
        sa.text("delete from decisions where decision = 1"),
        sa.update(finding_events).values(person="別人"),
    ],
    ids=["update", "delete", "delete one", "update of events"],
)
def test_the_database_itself_refuses_changes(ledger, change):
    a_decision(ledger)
    line = {"rule": "late", "subject": "x", "episode": 1, "what": "opened", "generation": 1}
    with ledger.transaction() as connection:
        connection.execute(
            sa.insert(finding_events).values(**line, at=AT, person="machine", reason="遅れ")
        )
    before = d.decisions_about(ledger, "finding")
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), ledger.transaction() as c:
        c.execute(change)
    assert d.decisions_about(ledger, "finding") == before


def test_preparing_again_changes_nothing(ledger):
    a_decision(ledger)
    Ledger(ledger.url.render_as_string(hide_password=False)).prepare()
    assert len(d.decisions_about(ledger, "finding")) == 1
