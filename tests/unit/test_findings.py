"""The life of a finding, night by night; and what people make of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geniac_pipelines.findings import desk, lifecycle, store
from geniac_pipelines.findings.desk_text import card_text, clip, pad, table, width
from geniac_pipelines.findings.model import (
    Event,
    Evidence,
    Examined,
    Finding,
    NotExaminable,
    Outcome,
    Severity,
    State,
    examination,
)
from geniac_pipelines.findings.standing import KIND, Standing, releasable, released, standing
from geniac_pipelines.store import snapshot
from geniac_pipelines.store.decisions import Decision, NotADecision, decide, decisions_about

FIRST = datetime(2026, 10, 1, 17, 0, tzinfo=UTC)
ROW = {
    "rule": "gpu_low",
    "subject": "aoi-ai/2026-09",
    "company_id": "aoi-ai",
    "month": date(2026, 9, 1),
    "clause": "3-1-a",
    "severity": "act",
    "state": "found",
    "message_ja": "利用率が12%です",
    "message_en": "Utilisation is 12%",
    "proposal_ja": "利用方法について指示する",
    "relation": "fct_gpu_usage__company_months",
    "match": '{"company_id": "aoi-ai", "month": "2026-09-01"}',
    "arrivals": ["b" * 20, "a" * 20],
}
LOW = "gpu_low/aoi-ai/2026-09"


def seen(**other: object) -> Examined:
    return Examined.from_row(ROW | other)


class Nights:
    """Nights on a ledger, numbered from 1, one a day."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.number = 0

    @property
    def now(self) -> datetime:
        return FIRST + timedelta(days=self.number)

    def __call__(self, *examined: Examined, crash: bool = False):
        self.number += 1
        with self.ledger.transaction() as connection:
            changes = lifecycle.apply(connection, self.number, examined, self.now)
            if crash:
                raise Crash
        return changes

    def all(self) -> dict[str, Finding]:
        with self.ledger.reading() as connection:
            return {f.id: f for f in store.load(connection)}

    def low(self) -> Finding:
        return self.all()[LOW]

    def history(self) -> list[tuple[str, int, str]]:
        with self.ledger.reading() as connection:
            lines = store.history(connection, "gpu_low", "aoi-ai/2026-09")
        return [(e.what.value, e.generation, e.person) for e in lines]

    def decisions(self) -> tuple[Decision, ...]:
        return decisions_about(self.ledger, KIND)


class Crash(Exception):
    """A night that dies before its commit."""


@pytest.fixture
def night(ledger):
    return Nights(ledger)


def by(person: str, reason: str = "資料で確かめた") -> dict[str, object]:
    return {"person": person, "reason": reason, "at": FIRST + timedelta(days=40)}


# ---- nights


def test_what_is_found_first_is_opened(night):
    changes = night(seen())
    assert [f.id for f in changes.new] == [LOW]
    assert changes.continuing == ()
    assert night.low() == Finding(
        rule="gpu_low",
        subject="aoi-ai/2026-09",
        episode=1,
        state=State.OPEN,
        evidence=Evidence(
            company_id="aoi-ai",
            month=date(2026, 9, 1),
            clause="3-1-a",
            severity=Severity.ACT,
            message_ja="利用率が12%です",
            message_en="Utilisation is 12%",
            proposal_ja="利用方法について指示する",
            relation="fct_gpu_usage__company_months",
            match={"company_id": "aoi-ai", "month": "2026-09-01"},
            arrivals=("a" * 20, "b" * 20),
        ),
        first_generation=1,
        first_at=FIRST + timedelta(days=1),
        opened_generation=1,
        opened_at=FIRST + timedelta(days=1),
        seen_generation=1,
        seen_at=FIRST + timedelta(days=1),
    )


def test_what_is_found_again_goes_on_with_new_evidence(night):
    night(seen())
    changes = night(seen(message_ja="利用率が10%です", severity="watch"))
    low = night.low()
    assert changes.new == ()
    assert changes.continuing == (low,)
    assert (low.episode, low.first_generation, low.seen_generation) == (1, 1, 2)
    assert low.evidence.message_ja == "利用率が10%です"
    assert low.severity is Severity.WATCH
    assert night.history() == [("opened", 1, "machine"), ("changed", 2, "machine")]


def test_the_same_found_again_is_no_event(night):
    night(seen())
    assert night(seen()).changes == ()
    assert night.low().seen_generation == 2
    assert night.history() == [("opened", 1, "machine")]


def test_it_ends_when_it_was_examined_and_clear(night):
    night(seen())
    changes = night(seen(state="clear"))
    assert [f.id for f in changes.of(Event.RESOLVED)] == [LOW]
    low = night.low()
    assert (low.state, low.ended_generation) == (State.RESOLVED, 2)
    assert low.seen_generation == 1
    assert night(seen(state="clear")).changes == ()


@pytest.mark.parametrize("rows", [(), (seen(state="unknown", message_ja="計測が4日分だけ"),)])
def test_without_a_result_it_stands_and_says_since_when(night, rows):
    night(seen())
    changes = night(*rows)
    assert [c.event for c in changes.changes] == [Event.STALE]
    night(*rows)
    low = night.low()
    assert (low.state, low.stale_generation, low.seen_generation) == (State.OPEN, 2, 1)
    assert low.stale_at == FIRST + timedelta(days=2)
    assert low in changes.continuing
    night(seen())
    assert night.low().stale_generation is None
    assert [e for e, _, _ in night.history()] == ["opened", "stale", "examined"]


def test_why_it_could_not_be_judged_is_on_record(night):
    night(seen())
    night(seen(state="unknown", message_ja="計測が4日分だけ"))
    with night.ledger.reading() as connection:
        assert (
            store.history(connection, "gpu_low", "aoi-ai/2026-09")[-1].reason == "計測が4日分だけ"
        )


def test_stale_then_clear_ends_it(night):
    night(seen())
    night()
    night(seen(state="clear"))
    low = night.low()
    assert (low.state, low.stale_generation, low.stale_at) == (State.RESOLVED, None, None)


def test_what_was_never_found_leaves_no_trace(night):
    changes = night(seen(state="clear"), seen(state="unknown", subject="midori/2026-09"))
    assert (changes.findings, changes.changes, changes.undecided) == ((), (), 1)
    assert night.all() == {}


def test_found_after_the_end_reopens_as_a_new_episode(night):
    night(seen())
    night(seen(state="clear"))
    changes = night(seen())
    low = night.low()
    assert changes.new == (low,)
    assert (low.episode, low.state, low.first_generation, low.opened_generation) == (
        2,
        State.OPEN,
        1,
        3,
    )
    assert (low.ended_generation, low.ended_at) == (None, None)
    assert [e for e, _, _ in night.history()] == ["opened", "resolved", "reopened"]


def test_a_night_that_crashes_leaves_everything_as_it_was(night):
    night(seen())
    before = night.all()
    for rows in ((seen(state="clear"),), (), (seen(message_ja="別"), seen(subject="x/2026-09"))):
        with pytest.raises(Crash):
            night(*rows, crash=True)
    assert night.all() == before
    assert night.history() == [("opened", 1, "machine")]
    night(seen())
    assert night.low().stale_generation is None


def test_rules_and_subjects_don_t_touch_each_other(night):
    night(seen(), seen(subject="midori/2026-09"), seen(rule="late"))
    night(seen(state="clear"), seen(subject="midori/2026-09"), seen(rule="late"))
    assert {i: f.state for i, f in night.all().items()} == {
        LOW: State.RESOLVED,
        "gpu_low/midori/2026-09": State.OPEN,
        "late/aoi-ai/2026-09": State.OPEN,
    }


def test_one_subject_twice_is_refused_before_anything_is_written(night):
    with pytest.raises(NotExaminable, match="more than once"):
        night(seen(), seen(state="clear"))
    assert night.all() == {}


def test_advance_tells_beforehand_what_apply_records(night):
    night(seen(), seen(subject="midori/2026-09"))
    rows = (seen(state="clear"), seen(subject="kumo/2026-09"))
    foreseen = lifecycle.advance(night.all().values(), rows, 2, FIRST + timedelta(days=2))
    assert night(*rows) == foreseen
    assert tuple(night.all().values()) == foreseen.findings


outcomes = st.sampled_from(["found", "clear", "unknown", None])
acts = st.sampled_from([None, None, "acknowledge", "resolve"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from("abc"), outcomes), st.sampled_from(list(Severity)), acts
        ),
        max_size=12,
    )
)
def test_never_resolved_unless_examined_and_clear(nights):
    """Random nights without a ledger; a person may act on subject a between them."""
    current: tuple[Finding, ...] = ()
    for number, (results, severity, act) in enumerate(nights, 1):
        before = {f.subject: f for f in current}
        rows = [seen(subject=s, state=r, severity=severity.value) for s, r in results.items() if r]
        changes = lifecycle.advance(current, rows, number, FIRST)
        for finding in changes.findings:
            old, result = before.get(finding.subject), results.get(finding.subject)
            if finding.state is State.RESOLVED:
                assert result == "clear" or (old is not None and old.state is State.RESOLVED)
            if old is None:
                assert result == "found"
                assert finding.episode == 1
            elif old.state.active and result in ("unknown", None):
                assert finding.state is old.state
                assert finding.stale_generation is not None
                assert finding.evidence == old.evidence
            elif old.state is State.ACKNOWLEDGED and result == "found":
                assert finding.state is State.ACKNOWLEDGED
            if result == "found" and not (old and old.state is State.CLOSED):
                assert finding.state.active
                assert finding.seen_generation == number
            if old is not None and finding.episode > old.episode:
                assert result == "found"
                assert not old.state.active
        assert set(before) <= {f.subject for f in changes.findings}
        current = tuple(_acted(f, act) if f.subject == "a" else f for f in changes.findings)


def _acted(finding: Finding, act: str | None) -> Finding:
    if act and finding.state.active:
        state = State.ACKNOWLEDGED if act == "acknowledge" else State.CLOSED
        return replace(finding, state=state)
    return finding


# ---- rows of rules


def test_a_rule_with_a_bad_row_counts_as_not_run_and_says_why():
    rows = [
        ROW,
        ROW | {"rule": "late", "severity": "urgent"},
        ROW | {"rule": "late", "subject": "midori"},
        ROW | {"rule": "twice"},
        ROW | {"rule": "twice", "state": "clear"},
        ROW | {"rule": "no_clause", "clause": None},
        ROW | {"rule": "silent", "message_ja": " "},
        {k: v for k, v in ROW.items() if k != "arrivals"} | {"rule": "short"},
        ROW | {"rule": "match", "match": "[1]"},
        ROW | {"rule": "Bad/Name"},
    ]
    result = examination(rows)
    assert result.examined == (seen(),)
    named = [p.split()[1] for p in result.problems]
    assert named == ["Bad/Name", "late", "match", "no_clause", "short", "silent", "twice"]
    assert "urgent" in result.problems[1]


def test_rules_keep_the_names_that_they_came_with_even_if_they_count_as_not_run():
    rows = [
        ROW | {"rule_ja": "低い割当"},
        ROW | {"rule": "late", "severity": "urgent", "rule_ja": "遅れ"},
        ROW | {"rule": "nameless"},
        ROW | {"rule": "void", "rule_ja": None},
    ]
    assert examination(rows).names == {ROW["rule"]: "低い割当", "late": "遅れ"}


def test_where_nothing_is_found_words_and_severity_may_be_missing():
    row = ROW | {"state": "clear", "severity": None, "message_ja": None, "message_en": None}
    assert Examined.from_row(row).outcome is Outcome.CLEAR


# ---- people


def test_a_judgement_is_the_machine_s_until_a_person_confirms_it(night):
    night(seen(severity="watch"))
    assert standing(night.low(), night.decisions()) is Standing.UNCONFIRMED
    assert not releasable(night.low(), night.decisions())
    desk.confirm(night.ledger, LOW, **by("山田"))
    assert standing(night.low(), night.decisions()) is Standing.CONFIRMED
    assert releasable(night.low(), night.decisions())
    assert night.history()[-1] == ("confirmed", 1, "山田")


def test_act_needs_the_company_s_explanation_too(night):
    night(seen(severity="act"))
    desk.confirm(night.ledger, LOW, **by("山田"))
    assert not releasable(night.low(), night.decisions())
    desk.explain(night.ledger, LOW, **by("山田", "9月は環境移行のため、と先方より説明"))
    assert releasable(night.low(), night.decisions())


def test_an_explanation_alone_confirms_nothing(night):
    night(seen(severity="act"))
    desk.explain(night.ledger, LOW, **by("山田"))
    assert not releasable(night.low(), night.decisions())


def test_what_was_confirmed_as_less_severe_is_not_confirmed_as_more(night):
    night(seen(severity="watch"))
    desk.confirm(night.ledger, LOW, **by("山田"))
    night(seen(severity="act"))
    assert standing(night.low(), night.decisions()) is Standing.UNCONFIRMED
    night(seen(severity="note"))
    assert standing(night.low(), night.decisions()) is Standing.CONFIRMED


def test_an_objection_holds_until_somebody_confirms_anew(night):
    night(seen(severity="watch"))
    desk.confirm(night.ledger, LOW, **by("山田"))
    desk.dispute(night.ledger, LOW, **by("佐藤", "契約台数が違う"))
    assert standing(night.low(), night.decisions()) is Standing.DISPUTED
    assert not releasable(night.low(), night.decisions())
    desk.confirm(night.ledger, LOW, **by("山田"))
    assert releasable(night.low(), night.decisions())


def test_an_override_takes_it_back(night):
    night(seen(severity="watch"))
    desk.confirm(night.ledger, LOW, **by("山田"))
    details = {"episode": 1}
    decide(night.ledger, KIND, LOW, "override", details=details, **by("佐藤"))
    assert standing(night.low(), night.decisions()) is Standing.OVERRIDDEN
    assert not releasable(night.low(), night.decisions())


def test_a_new_episode_starts_unconfirmed_and_unexplained(night):
    night(seen())
    desk.confirm(night.ledger, LOW, **by("山田"))
    desk.explain(night.ledger, LOW, **by("山田"))
    night(seen(state="clear"))
    assert releasable(night.low(), night.decisions())
    night(seen())
    assert standing(night.low(), night.decisions()) is Standing.UNCONFIRMED
    desk.confirm(night.ledger, LOW, **by("山田"))
    assert not releasable(night.low(), night.decisions())


def test_each_audience_outside_needs_a_release_of_its_own(night):
    night(seen())
    with pytest.raises(desk.NotPossible, match="会社の説明"):
        desk.release(night.ledger, LOW, "meti_nedo", **by("山田"))
    desk.confirm(night.ledger, LOW, **by("山田"))
    desk.explain(night.ledger, LOW, **by("山田"))
    assert not released(night.low(), night.decisions(), "meti_nedo")
    desk.release(night.ledger, LOW, "meti_nedo", **by("山田"))
    assert released(night.low(), night.decisions(), "meti_nedo")
    assert not released(night.low(), night.decisions(), "public")
    assert released(night.low(), (), "secretariat")
    desk.dispute(night.ledger, LOW, **by("佐藤"))
    assert not released(night.low(), night.decisions(), "meti_nedo")


def test_acknowledged_stays_so_until_it_is_resolved(night):
    night(seen())
    desk.acknowledge(night.ledger, LOW, **by("山田", "先方に照会中"))
    with pytest.raises(desk.NotPossible):
        desk.acknowledge(night.ledger, LOW, **by("山田"))
    night(seen(message_ja="利用率が9%です"))
    night()
    assert night.low().state is State.ACKNOWLEDGED
    night(seen(state="clear"))
    assert night.low().state is State.RESOLVED
    night(seen())
    assert night.low().state is State.OPEN


def test_closed_by_a_person_stays_closed_while_the_same_is_found(night):
    night(seen(severity="watch"))
    desk.resolve(night.ledger, LOW, **by("山田", "計画変更を承認済み"))
    changes = night(seen(severity="watch", message_ja="利用率が11%です"))
    assert (changes.changes, changes.continuing) == ((), ())
    low = night.low()
    assert (low.state, low.seen_generation) == (State.CLOSED, 2)
    assert low.evidence.message_ja == "利用率が12%です"


def test_closed_reopens_when_it_becomes_more_severe(night):
    night(seen(severity="watch"))
    desk.resolve(night.ledger, LOW, **by("山田"))
    night(seen(severity="note"))
    assert night.low().state is State.CLOSED
    night(seen(severity="act"))
    assert (night.low().state, night.low().episode) == (State.OPEN, 2)


def test_closed_then_clear_then_found_reopens(night):
    night(seen(severity="watch"))
    desk.resolve(night.ledger, LOW, **by("山田"))
    night(seen(state="clear"))
    night(seen(severity="watch"))
    assert (night.low().state, night.low().episode) == (State.OPEN, 2)


def test_what_has_ended_can_t_be_closed(night):
    night(seen())
    night(seen(state="clear"))
    with pytest.raises(desk.NotPossible):
        desk.resolve(night.ledger, LOW, **by("山田"))


def test_an_act_without_reason_changes_nothing(night):
    night(seen())
    with pytest.raises(NotADecision):
        desk.resolve(night.ledger, LOW, person="山田", reason=" ", at=FIRST)
    assert night.low().state is State.OPEN
    assert night.history() == [("opened", 1, "machine")]


def test_an_unknown_finding_is_said_to_be_unknown(night):
    with pytest.raises(desk.UnknownFinding, match="nothing/here"):
        desk.confirm(night.ledger, "nothing/here", **by("山田"))
    with pytest.raises(desk.UnknownFinding):
        desk.card(night.ledger, "nothing")


def test_what_a_person_does_while_a_night_runs_is_not_lost(night):
    """The night read the ledger before the act, but applies to it as it is at the commit."""
    night(seen())
    early = night.all()
    desk.acknowledge(night.ledger, LOW, **by("山田"))
    assert early[LOW].state is State.OPEN
    night(seen())
    assert night.low().state is State.ACKNOWLEDGED


# ---- the snapshot


def test_the_snapshot_holds_findings_that_read_back_the_same(night):
    night(seen(), seen(subject="midori/2026-09", company_id=None, month=None, proposal_ja=None))
    taken = snapshot.take(night.ledger, FIRST + timedelta(days=50))["findings"].to_pylist()
    assert {Finding.from_row(row).id: Finding.from_row(row) for row in taken} == night.all()


def test_a_night_s_findings_make_no_second_night_but_a_person_s_act_does(night):
    def digest() -> str:
        return snapshot.digest(snapshot.take(night.ledger, FIRST + timedelta(days=50)))

    before = digest()
    night(seen())
    assert digest() == before
    desk.acknowledge(night.ledger, LOW, **by("山田"))
    assert digest() != before


# ---- lists


def test_the_list_is_cut_by_filters_and_ordered_by_urgency(night):
    night(
        seen(subject="a", severity="note"),
        seen(subject="b", severity="act", company_id="midori"),
        seen(subject="c", severity="watch", rule="late"),
        seen(subject="d", severity="act"),
    )
    desk.confirm(night.ledger, "gpu_low/d", **by("山田"))
    desk.resolve(night.ledger, "gpu_low/a", **by("山田"))

    def ids(**filters):
        return [each.finding.subject for each in desk.listing(night.ledger, **filters)]

    assert ids() == ["b", "d", "c"]
    assert ids(states=tuple(State)) == ["b", "d", "c", "a"]
    assert ids(rule="late") == ["c"]
    assert ids(company="midori") == ["b"]
    assert ids(severity=Severity.ACT) == ["b", "d"]
    assert ids(unconfirmed=True) == ["b", "c"]


def test_columns_stay_straight_with_japanese_in_them(night):
    night(seen(), seen(subject="midori/2026-09", message_ja="ＧＰＵ利用率がとても低い"))
    desk.acknowledge(night.ledger, LOW, **by("山田"))
    header, first, second, count = table(desk.listing(night.ledger)).splitlines()
    assert count == "2 件"
    starts = [width(header[: header.index("条項")])]
    starts += [width(line[: line.index("3-1-a")]) for line in (first, second)]
    assert len(set(starts)) == 1
    assert "機械判定（未確認）" in first


def test_an_empty_list_says_so():
    assert table([]) == "該当する検出結果はありません"


def test_the_card_shows_evidence_and_history(night):
    night(seen())
    desk.explain(night.ledger, LOW, **by("山田", "環境移行のため"))
    night()
    text = card_text(desk.card(night.ledger, LOW))
    for words in (
        "利用率が12%です",
        "利用方法について指示する",
        "company_id=aoi-ai",
        "a" * 20,
        "会社の説明  山田  環境移行のため",
        "機械判定（未確認）",
        # the third of October, 17:00 UTC, is the fourth in Japan
        "2026-10-04 から判定できず",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("利用率", 6), ("ｶﾞ", 2), ("Ａ1", 3), ("か\u3099", 2), ("", 0), ("①", 1)],
)
def test_width_in_columns_of_a_terminal(text, columns):
    assert width(text) == columns
    assert width(pad(text, 10)) == 10


@given(st.text(alphabet="aあｱ漢 \n", max_size=30), st.integers(4, 20))
def test_clipped_text_fits_in_one_line(text, columns):
    clipped = clip(text, columns)
    assert width(clipped) <= columns
    assert "\n" not in clipped
