"""The outbox: said once, sent at least once, and no message stands in another's way."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from geniac_pipelines.alerts import drafts, outbox
from geniac_pipelines.alerts.outbox import (
    MOST_ATTEMPTS,
    ChannelDown,
    Health,
    NotSent,
    Outgoing,
    drain,
    enqueue,
    wait_after,
)
from geniac_pipelines.cli import main
from geniac_pipelines.store.decisions import NotADecision, decisions_about
from geniac_pipelines.store.ledger import Ledger, messages
from tests.outbox_process import CREATED, a_message

START = datetime(2026, 10, 5, 21, 0, tzinfo=UTC)


class Hands:
    """A channel that remembers what it was given and fails where it is told to."""

    def __init__(self, fails: Callable[[Outgoing], Exception | None] = lambda _: None) -> None:
        self.name = "mail"
        self.fails = fails
        self.given: list[Outgoing] = []

    def send(self, outgoing: Outgoing) -> None:
        self.given.append(outgoing)
        if error := self.fails(outgoing):
            raise error

    @property
    def subjects(self) -> list[str]:
        return [o.subject.split()[-1] for o in self.given]


def put(ledger, *which, generation=1):
    with ledger.transaction() as connection:
        return [enqueue(connection, generation, m, CREATED) for m in which]


def rows(ledger):
    with ledger.reading() as connection:
        found = connection.execute(sa.select(messages))
        return {row.subject.split()[-1]: row for row in found}


def at(minutes: float = 0) -> Callable[[], datetime]:
    return lambda: START + timedelta(minutes=minutes)


# ---- once


def test_the_same_message_is_said_once(ledger):
    assert put(ledger, a_message("a"), a_message("b")) == [True, True]
    assert put(ledger, a_message("a", body="別の文面")) == [False]
    hands = Hands()
    assert len(drain(ledger, {"mail": hands}, at()).sent) == 2
    assert put(ledger, a_message("a")) == [False]
    assert drain(ledger, {"mail": hands}, at(999)).sent == ()
    assert hands.subjects.count("a") == 1


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "late"},
        {"about": "b"},
        {"period": "2026-10-07"},
        {"recipient": "other@example.jp"},
        {"step": 1},
        {"channel": "webhook"},
    ],
)
def test_what_makes_it_another_message(other):
    assert a_message(**other).key != a_message().key


@pytest.mark.parametrize("other", [{"subject": "別"}, {"body": "別"}, {"payload": {"n": 1}}])
def test_its_wording_does_not(other):
    assert a_message(**other).key == a_message().key


def test_parts_of_the_key_can_t_run_together():
    assert a_message(about="a", period="bc").key != a_message(about="ab", period="c").key


@pytest.mark.parametrize(
    "other",
    [
        {"subject": "朝のまとめ\r\nBcc: someone@example.jp"},
        {"recipient": "a@example.jp\nb@example.jp"},
        {"subject": " "},
        {"body": "\n"},
        {"recipient": None},
    ],
)
def test_a_message_that_can_t_be_sent_is_not_made(other):
    with pytest.raises(ValueError, match=r"line|subject and a body|recipient"):
        a_message(**other)


def test_a_night_that_fails_says_nothing(ledger):
    def night() -> None:
        with ledger.transaction() as connection:
            enqueue(connection, 1, a_message(), CREATED)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        night()
    assert rows(ledger) == {}


# ---- sending


def test_what_was_sent_is_noted(ledger):
    put(ledger, a_message())
    drained = drain(ledger, {"mail": Hands()}, at())
    assert drained == outbox.Drained((a_message().key,), (), 0)
    row = rows(ledger)["a"]
    assert (row.state, row.sent_at, row.sent_by) == ("sent", START, "mail")
    assert (row.attempts, row.claimed_by, row.claimed_until) == (1, None, None)


def test_older_generations_go_first(ledger):
    put(ledger, a_message("late"), generation=7)
    put(ledger, a_message("early"), generation=3)
    hands = Hands()
    drain(ledger, {"mail": hands}, at())
    assert hands.subjects == ["early", "late"]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (NotSent("mailbox full"), "pending"),
        (NotSent("no such user", final=True), "failed"),
        (KeyError("a fault of ours"), "pending"),
    ],
)
def test_one_bad_recipient_never_stops_the_others(ledger, error, state):
    put(ledger, *(a_message(w) for w in "abcde"))
    hands = Hands(lambda o: error if o.subject.endswith("c") else None)
    drained = drain(ledger, {"mail": hands}, at())
    assert len(drained.sent) == 4
    assert [f.key for f in drained.failed] == [a_message("c").key]
    assert {w: r.state for w, r in rows(ledger).items()} == {
        **dict.fromkeys("abde", "sent"),
        "c": state,
    }
    assert rows(ledger)["c"].last_error


def test_a_channel_that_is_down_is_left_alone_and_the_other_one_is_not(ledger):
    put(ledger, a_message("a"), a_message("b"), a_message("c", channel="webhook"))
    down, up = Hands(lambda _: ChannelDown("no route")), Hands()
    drained = drain(ledger, {"mail": down, "webhook": up}, at())
    assert (len(down.given), up.subjects) == (1, ["c"])
    assert (len(drained.sent), len(drained.failed), drained.waiting) == (1, 1, 2)
    # the one that was not tried comes first the next time
    tried = down.given[0].subject
    down.fails = lambda _: None
    drain(ledger, {"mail": down}, at(5))
    assert [o.subject == tried for o in down.given] == [True, False, True]


def test_what_has_no_channel_waits(ledger):
    put(ledger, a_message(channel="webhook"))
    assert drain(ledger, {"mail": Hands()}, at()).waiting == 1
    assert drain(ledger, {}, at()).waiting == 1


def test_waits_double_up_to_six_hours():
    assert [wait_after(n) / timedelta(minutes=1) for n in (1, 2, 3, 9, 10, 13)] == [
        1,
        2,
        4,
        256,
        360,
        360,
    ]


def test_a_failed_one_is_tried_again_when_its_wait_is_over(ledger):
    put(ledger, a_message())
    hands = Hands(lambda _: NotSent("busy"))
    for minute, tries in ((0, 1), (0.9, 1), (1, 2), (2.9, 2), (3, 3)):
        drain(ledger, {"mail": hands}, at(minute))
        assert len(hands.given) == tries, minute


def test_the_wait_that_the_other_side_asks_for_is_kept(ledger):
    put(ledger, a_message())
    hands = Hands(lambda _: ChannelDown("busy", retry_after=timedelta(minutes=30)))
    for minute, tries in ((0, 1), (29, 1), (30, 2)):
        drain(ledger, {"mail": hands}, at(minute))
        assert len(hands.given) == tries, minute


def test_it_is_given_up_at_last_and_a_person_can_retry(ledger):
    put(ledger, a_message())
    hands = Hands(lambda _: NotSent("busy"))
    for attempt in range(MOST_ATTEMPTS + 3):
        drained = drain(ledger, {"mail": hands}, at(attempt * 361))
    assert len(hands.given) == MOST_ATTEMPTS
    assert (rows(ledger)["a"].state, drained.failed) == ("failed", ())
    with ledger.reading() as connection:
        assert outbox.health(connection) == Health(None, 0, 1)
    hands.fails = lambda _: None
    assert outbox.retry(ledger, a_message().key)
    assert drain(ledger, {"mail": hands}, at(9999)).sent == (a_message().key,)
    assert not outbox.retry(ledger, a_message().key)


def test_what_was_given_up_is_listed_until_somebody_retries_it(ledger):
    put(ledger, a_message("a"), a_message("b"))
    refuse = Hands(lambda o: NotSent("no such user", final=True) if "a" in o.subject else None)
    drain(ledger, {"mail": refuse}, at())

    def listed() -> list[tuple[str, str, str]]:
        with ledger.reading() as connection:
            return [(f.key, f.recipient, f.problem) for f in outbox.given_up(connection)]

    assert listed() == [(a_message("a").key, "tantou@example.jp", "no such user")]
    outbox.retry(ledger, a_message("a").key)
    assert listed() == []


def test_the_desk_names_what_was_given_up_and_how_to_send_it_again(tmp_path, monkeypatch):
    monkeypatch.delenv("GENIAC_LEDGER_URL", raising=False)
    monkeypatch.delenv("GENIAC_SMTP_HOST", raising=False)
    data = tmp_path / "data"
    ledger = Ledger(f"sqlite:///{data / 'ledger.sqlite'}")
    ledger.prepare()
    put(ledger, a_message(recipient="nobody"))
    ledger.engine.dispose()
    box = ["outbox", "--data", str(data)]
    CliRunner().invoke(main, box)
    # a later look finds it too, though nothing was tried then
    said = CliRunner().invoke(main, box).output
    key = a_message(recipient="nobody").key
    assert "送信 0件　失敗 0件　待ち 0件\n止まっている通知 1件" in said
    assert "geniac outbox --retry 番号" in said
    assert f"　{key} nobody: the mail can't be written" in said


def test_what_was_only_written_to_a_folder_is_no_sign_of_a_working_path(ledger):
    put(ledger, a_message("a"))
    folder = Hands()
    folder.name = "eml"
    drain(ledger, {"mail": folder}, at())
    with ledger.reading() as connection:
        assert outbox.health(connection).last_sent_at is None
    put(ledger, a_message("b"))
    drain(ledger, {"mail": Hands()}, at(60))
    with ledger.reading() as connection:
        assert outbox.health(connection).last_sent_at == START + timedelta(minutes=60)


# ---- two at once


def test_a_message_in_hand_is_not_taken_by_another_drain(ledger):
    put(ledger, a_message("a"), a_message("b"))
    inner = Hands()

    def meanwhile(_: Outgoing) -> None:
        drain(ledger, {"mail": inner}, at())

    outer = Hands(meanwhile)
    drain(ledger, {"mail": outer}, at())
    assert len(outer.given) == len(inner.given) == 1
    assert set(outer.subjects + inner.subjects) == {"a", "b"}


def test_a_claim_ends_with_its_lease_and_the_late_drain_notes_nothing(ledger):
    """Somebody sleeps over the lease: another sends too, and both mark it once."""
    put(ledger, a_message())
    inner = Hands()

    def asleep(_: Outgoing) -> Exception:
        drain(ledger, {"mail": inner}, at(6))
        return NotSent("woke up too late")

    drain(ledger, {"mail": Hands(asleep)}, at())
    assert len(inner.given) == 1
    assert (rows(ledger)["a"].state, rows(ledger)["a"].last_error) == ("sent", None)


def test_many_drains_at_once_send_each_message_once(ledger):
    abouts = [f"m{n}" for n in range(30)]
    put(ledger, *(a_message(about) for about in abouts))
    hands = [Hands() for _ in range(4)]
    threads = [
        threading.Thread(target=drain, args=(ledger, {"mail": each}, at())) for each in hands
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(s for each in hands for s in each.subjects) == Counter(abouts)


# ---- killed


def process(*arguments, kill=None, later=False):
    """Run the outbox in a process of its own; with `kill` it must die there."""
    env = {k: v for k, v in os.environ.items() if k != "GENIAC_FAILPOINT"}
    env |= {"GENIAC_FAILPOINT": kill} if kill else {}
    env |= {"LATER": "1"} if later else {}
    command = [sys.executable, "-m", "tests.outbox_process", *map(str, arguments)]
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == (-signal.SIGKILL if kill else 0), done.stderr


def sent_to(file):
    return Counter(line.split()[0] for line in file.read_text().splitlines())


def ids(*abouts):
    return [f"<{a_message(about).key}@example.jp>" for about in abouts]


@pytest.mark.failpoints
def test_killed_before_the_commit_nothing_was_said(ledger, ledger_url, tmp_path):
    process("fill", ledger_url, "a", "b", kill="ledger-before-commit")
    process("drain", ledger_url, tmp_path / "sent")
    assert not (tmp_path / "sent").exists()
    assert rows(ledger) == {}


@pytest.mark.failpoints
def test_killed_between_commit_and_send_it_goes_out_next_time(ledger, ledger_url, tmp_path):
    file = tmp_path / "sent"
    process("fill", ledger_url, "a", "b", kill="ledger-after-commit")
    process("drain", ledger_url, file)
    assert sent_to(file) == Counter(ids("a", "b"))


@pytest.mark.failpoints
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_killed_before_sending_each_still_arrives_once(ledger, ledger_url, tmp_path, nth):
    file = tmp_path / "sent"
    process("fill", ledger_url, "a", "b", "c")
    process("drain", ledger_url, file, kill=f"outbox-before-send:{nth}")
    process("drain", ledger_url, file)
    # the one that the dead drain had in hand stays claimed until the lease ends
    assert sum(sent_to(file).values()) == 2
    process("drain", ledger_url, file, later=True)
    assert sent_to(file) == Counter(ids("a", "b", "c"))


@pytest.mark.failpoints
def test_killed_between_send_and_mark_it_goes_again_under_the_same_id(ledger, ledger_url, tmp_path):
    file = tmp_path / "sent"
    process("fill", ledger_url, "a", "b")
    process("drain", ledger_url, file, kill="outbox-after-send")
    process("drain", ledger_url, file, later=True)
    (first, twice), (second, once) = sent_to(file).most_common()
    assert (twice, once) == (2, 1)
    assert {first, second} == set(ids("a", "b"))
    assert {r.state for r in rows(ledger).values()} == {"sent"}
    process("drain", ledger_url, file, later=True)
    assert sum(sent_to(file).values()) == 3


# ---- drafts


def for_company(about="aoi-ai", **other):
    return a_message(about, kind="reminder", audience=f"company:{about}", **other)


def offered(ledger, *which, kinds=("reminder",), generation=1):
    with ledger.transaction() as connection:
        drafts.offer(connection, generation, kinds, which, CREATED)
    with ledger.reading() as connection:
        return drafts.waiting(connection)


def released(ledger, draft, **other):
    said = {"mark": draft.mark, "person": "山田", "reason": "督促する", "at": START}
    drafts.release(ledger, draft.key, **(said | other))


@pytest.mark.parametrize("audience", ["company:aoi-ai", "meti_nedo", "adoptees", "public"])
def test_nothing_leaves_the_secretariat_by_itself(ledger, audience):
    put(ledger, a_message(audience=audience))
    hands = Hands()
    assert drain(ledger, {"mail": hands}, at()) == outbox.Drained((), (), 0)
    assert rows(ledger)["a"].state == "draft"


def test_a_released_draft_is_sent_and_who_released_it_is_on_record(ledger):
    (draft,) = offered(ledger, for_company())
    released(ledger, draft)
    (decision,) = decisions_about(ledger, "message", draft.key)
    assert (decision.act, decision.person, decision.reason) == ("release", "山田", "督促する")
    assert decision.details["mark"] == draft.mark
    hands = Hands()
    drain(ledger, {"mail": hands}, at())
    assert [(o.key, o.created_at) for o in hands.given] == [(draft.key, START)]


def test_the_wording_that_goes_out_is_the_one_that_was_read(ledger):
    (draft,) = offered(ledger, for_company())
    (renewed,) = offered(ledger, for_company(body="期限を過ぎています\n"), generation=2)
    assert renewed.key == draft.key
    with pytest.raises(drafts.NotReleasable, match="文面"):
        released(ledger, draft)
    released(ledger, renewed)
    assert offered(ledger, for_company(body="また別の文面\n"), generation=3) == ()
    assert rows(ledger)["aoi-ai"].body == "期限を過ぎています\n"


def test_a_draft_whose_reason_is_gone_is_withdrawn_and_comes_back_with_it(ledger):
    (draft,) = offered(ledger, for_company())
    other = for_company("midori")
    assert [d.audience for d in offered(ledger, other)] == ["company:midori"]
    with pytest.raises(drafts.NotReleasable):
        released(ledger, draft)
    assert len(offered(ledger, other, for_company())) == 2
    assert len(offered(ledger, kinds=("correction",))) == 2


def test_release_needs_a_person_a_reason_and_an_address(ledger):
    (draft,) = offered(ledger, for_company(recipient=None))
    with pytest.raises(drafts.NotReleasable, match="宛先"):
        released(ledger, draft)
    with pytest.raises(drafts.NotReleasable, match="宛先"):
        released(ledger, draft, to="not an address")
    with pytest.raises(NotADecision):
        released(ledger, draft, to="a@example.jp", reason="")
    assert rows(ledger)["aoi-ai"].state == "draft"
    released(ledger, draft, to="a@example.jp")
    with pytest.raises(drafts.NotReleasable):
        released(ledger, draft, to="a@example.jp")
    hands = Hands()
    drain(ledger, {"mail": hands}, at())
    assert [o.recipient for o in hands.given] == ["a@example.jp"]


def test_what_was_asked_is_known_only_from_released_messages(ledger):
    wanted = for_company(payload={"asks": ["reminder:x/2026-09/1"]})
    (draft,) = offered(ledger, wanted)
    with ledger.reading() as connection:
        assert drafts.asked(connection) == {}
    released(ledger, draft)
    with ledger.reading() as connection:
        assert drafts.asked(connection) == {"aoi-ai": {"reminder:x/2026-09/1"}}


@pytest.mark.parametrize("wrong", [a_message(), for_company()])
def test_only_drafts_of_the_named_kinds_can_be_offered(ledger, wrong):
    with pytest.raises(ValueError, match="not a draft"):
        offered(ledger, wrong, kinds=("correction",))
