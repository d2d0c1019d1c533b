"""The morning digest, drafts to companies, and what a night records of both."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from geniac_pipelines.alerts import company, drafts, messages, outbox
from geniac_pipelines.alerts.digest import CALM, DigestData, digest
from geniac_pipelines.alerts.foreign import foreign_names
from geniac_pipelines.alerts.messages import CATALOGUE, LANGUAGES, say
from geniac_pipelines.alerts.morning import Morning, record_morning
from geniac_pipelines.alerts.outbox import Health
from geniac_pipelines.alerts.rows import (
    Company,
    ForeignRow,
    Handed,
    Intake,
    Names,
    Own,
    Submission,
    split,
)
from geniac_pipelines.alerts.timetable import days_late, digest_due, reminder_step
from geniac_pipelines.findings import desk, lifecycle
from geniac_pipelines.findings.model import (
    Event,
    Examination,
    Examined,
    Finding,
    State,
    examination,
)
from geniac_pipelines.findings.store import Entry
from geniac_pipelines.store import ledger as tables
from geniac_pipelines.store.decisions import Act, Decision
from tests.corrections import a_correction

MONDAY = date(2026, 10, 5)
NOW = datetime(2026, 10, 4, 17, 0, tzinfo=UTC)
AOI = Company("aoi-ai", "株式会社あおいAI", "Aoi AI Inc.", contact="tantou@aoi.example.jp")
MIDORI = Company("midori", "みどりロボティクス株式会社", "Midori Robotics", ("緑ロボ",))
REGISTER = (AOI, MIDORI)
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
    "match": "{}",
    "arrivals": [],
}


def examined(**other) -> Examined:
    return Examined.from_row(ROW | other)


def finding(state=State.OPEN, generation=12, **other) -> Finding:
    changes = lifecycle.advance((), (examined(**other),), generation, NOW)
    return replace(changes.findings[0], state=state)


def entry(what: Event, of: Finding, generation=12) -> Entry:
    return Entry(what, of.rule, of.subject, of.episode, generation, NOW, "machine", "")


def owed(**other) -> Submission:
    usual = {
        "company_id": "aoi-ai",
        "what": "月次報告",
        "what_en": "monthly report",
        "period": "2026-08",
        # a Thursday
        "due": date(2026, 9, 10),
        "state": Handed.MISSING,
    }
    return Submission(**(usual | other))


def names(**rules: str) -> Names:
    return Names({c.company_id: c.name_ja for c in REGISTER}, rules)


def data(**other) -> DigestData:
    usual = {
        "as_of": MONDAY,
        "generation": 12,
        "since": 11,
        "findings": (),
        "events": (),
        "decisions": (),
        "submissions": (),
        "intake": Intake(0, 0, 0),
        "drafts": 0,
        # 08:03 of the second in Japan
        "health": Health(datetime(2026, 10, 1, 23, 3, tzinfo=UTC), 0, 0),
        "names": names(),
    }
    return DigestData(**(usual | other))


def text(**other) -> str:
    return digest(data(**other), "mail", "tantou@example.jp").body


def confirmation(of: Finding, number=1, act=Act.CONFIRM) -> Decision:
    details = {"episode": of.episode, "severity": of.severity.value}
    return Decision(number, "finding", of.id, act, "確かめた", "山田", NOW, details)


# ---- the digest


def test_a_quiet_morning_is_one_calm_line():
    message = digest(data(), "mail", "tantou@example.jp")
    assert message.subject == "【GENIAC】朝のまとめ 2026年10月5日（月）"
    assert message.body == (
        "GENIAC事務局　朝のまとめ\n"
        "基準日 2026年10月5日（月）　世代 12　前回のまとめ（世代 11）より後の変化\n"
        "\n"
        "新しく対応が必要なことはありません。\n"
        "\n"
        "対応中・未対応の検出結果 0件（うち要指示 0件）　うち機械判定（未確認） 0件\n"
        "受付　ファイル 0件　行 0　修正のお願い 0件\n"
        "\n"
        "通知の経路　前回送信に成功した時刻 2026-10-02 08:03（日本時間）\n"
    )


def test_what_is_new_comes_with_clause_company_proposal_and_how_to_confirm():
    found = finding()
    message = digest(
        data(
            findings=(found,),
            events=(entry(Event.OPENED, found),),
            names=names(gpu_low="低い割当"),
        ),
        "mail",
        "a@example.jp",
    )
    assert message.subject.endswith("新規1件・うち要指示1件")
    assert (
        "■ 新しく見つかったこと 1件\n"
        "・［要指示］低い割当　株式会社あおいAI（aoi-ai）　2026年9月　条項 3-1-a\n"
        "　内容　　利用率が12%です\n"
        "　指示案　利用方法について指示する\n"
        "　判定　　機械判定（未確認）\n"
        "　確認　　geniac findings confirm gpu_low/aoi-ai/2026-09 --person 氏名 --reason 理由\n"
    ) in message.body
    assert CALM not in message.body
    assert message.payload["new"] == ["gpu_low/aoi-ai/2026-09"]


def test_what_is_confirmed_needs_no_command():
    found = finding()
    body = text(
        findings=(found,),
        events=(entry(Event.OPENED, found),),
        decisions=(confirmation(found),),
    )
    assert "判定　　確認済み" in body
    assert "findings confirm" not in body
    assert "うち機械判定（未確認） 0件" in body


def test_news_is_told_from_what_goes_on():
    again = finding(subject="again")
    ended = finding(State.RESOLVED, subject="ended")
    came_and_went = finding(State.RESOLVED, subject="short")
    old = finding(State.ACKNOWLEDGED, subject="old", severity="watch")
    stale = replace(finding(subject="stale"), stale_generation=12, stale_at=NOW)
    closed = finding(State.CLOSED, subject="closed")
    body = text(
        findings=(again, ended, came_and_went, old, stale, closed),
        events=(
            entry(Event.REOPENED, again),
            entry(Event.RESOLVED, ended),
            entry(Event.OPENED, came_and_went),
            entry(Event.RESOLVED, came_and_went),
            entry(Event.STALE, stale),
            entry(Event.OPENED, closed),
        ),
    )
    sections = {part.split(" ")[0]: part for part in body.split("■ ")[1:]}
    assert "再び見つかったこと 1件" in body
    assert "gpu_low/again" in sections["再び見つかったこと"]
    assert {"gpu_low/ended", "gpu_low/short"} <= set(sections["解消したこと"].split())
    continuing = sections["継続していること"]
    assert "〔対応中〕　gpu_low/old" in continuing
    # the fourth of October, 17:00 UTC, is the fifth in Japan
    assert "〔10月5日から判定できず〕　gpu_low/stale" in continuing
    assert continuing.index("gpu_low/stale") < continuing.index("gpu_low/old")
    assert "gpu_low/closed" not in body
    assert "新しく見つかったこと" not in body
    assert "検出結果 3件（うち要指示 2件）　うち機械判定（未確認） 3件" in body


def test_missing_submissions_are_listed_with_business_days():
    body = text(
        submissions=(
            owed(),
            owed(company_id="midori", period="2026-07", due=date(2026, 8, 10)),
            owed(state=Handed.RECEIVED),
            owed(state=Handed.RECEIVED),
            owed(state=Handed.EXPECTED, due=date(2026, 10, 10)),
        )
    )
    assert "■ 提出状況　受領 2件　期限前 1件　期限を過ぎて未提出 2件" in body
    # 11, 14–18, 24, 25, 28–30 September and 1, 2, 5 October; the 21st to 23rd are holidays
    aoi = "・株式会社あおいAI（aoi-ai）　月次報告（2026-08）　期限 9月10日（14営業日経過）"
    assert aoi in body
    assert body.index("midori") < body.index("aoi-ai")


def test_counts_drafts_and_the_state_of_the_alert_path_are_told():
    body = text(
        intake=Intake(12, 3456, 4),
        drafts=2,
        health=Health(None, 3, 1),
        provisional=("marts.fct_b", "marts.fct_a"),
        problems=("判定規則の不具合: x",),
        notes=("メールは送らず書き出します",),
    )
    for words in (
        "受付　ファイル 12件　行 3,456　修正のお願い 4件",
        "送信を待つ下書き 2件（geniac drafts list）",
        "前回送信に成功した時刻 まだありません",
        "止まっている通知が 1件",
        "送信を待つ通知 3件",
        "■ 暫定の表（作り直せず、前の晩の値のまま）\n・marts.fct_a\n・marts.fct_b",
        "1. 下の「処理の不具合」と「暫定の表」と「通知の経路」を、運用の担当者に伝える\n",
        "■ 処理の不具合\n・判定規則の不具合: x",
        "お知らせ　メールは送らず書き出します",
    ):
        assert words in body


@pytest.mark.parametrize(
    "unrest",
    [
        {"intake": Intake(1, 0, 1)},
        {"health": Health(NOW, 0, 1)},
        {"provisional": ("marts.x",)},
        {"problems": ("x",)},
        {"held": ("x",)},
        {"submissions": (owed(),)},
    ],
)
def test_what_asks_for_a_look_is_no_calm_morning(unrest):
    assert CALM not in text(**unrest)


@pytest.mark.parametrize(
    "rest",
    [
        {"notes": ("メールは書き出します",)},
        {"intake": Intake(12, 400, 0)},
        {"findings": (finding(generation=3),)},
        {"submissions": (owed(state=Handed.RECEIVED),)},
    ],
)
def test_what_asks_for_nothing_new_is_a_calm_one(rest):
    assert CALM in text(**rest)


def test_a_long_list_is_cut_and_counted():
    many = tuple(finding(subject=f"s{n:03d}") for n in range(45))
    body = text(findings=many, events=tuple(entry(Event.OPENED, f) for f in many))
    assert "■ 新しく見つかったこと 45件" in body
    assert body.count("　内容　") == 30
    assert "ほか 15件" in body


def test_many_of_one_rule_are_one_item_and_what_must_be_acted_on_never_is():
    months = [date(2026, m, 1) for m in (4, 5, 6)]
    watched = [
        finding(subject=f"aoi-ai/{m:%Y-%m}", month=m, severity="watch", rule="gpu_seen")
        for m in months
    ]
    watched.append(
        finding(
            subject="midori/2026-05",
            company_id="midori",
            month=months[1],
            severity="watch",
            rule="gpu_seen",
        )
    )
    acting = [finding(subject=f"s{n}") for n in range(4)]
    both = (*watched, *acting)
    body = text(
        findings=both,
        events=tuple(entry(Event.OPENED, f) for f in both),
        names=names(gpu_seen="割当中のアイドル"),
    )
    assert "■ 新しく見つかったこと 8件" in body
    assert "・［要確認］割当中のアイドル　4件　条項 3-1-a\n" in body
    aoi, midori = "株式会社あおいAI（aoi-ai）", "みどりロボティクス株式会社（midori）"
    assert f"　対象　　2026年4月〜2026年6月　{aoi}\n　　　　　2026年5月　{midori}\n" in body
    assert "　番号　　gpu_seen/組織ID/年-月（geniac findings show 番号）\n" in body
    assert body.count("・［要指示］") == 4
    assert body.index("・［要指示］") < body.index("割当中のアイドル　4件")


def test_what_goes_on_is_grouped_under_the_rule_s_name():
    watched = tuple(finding(subject=f"s{n}", severity="watch") for n in range(4))
    body = text(findings=watched, problems=("x",), names=names(gpu_low="低い割当"))
    assert "・［要確認］低い割当　4件（1組織）　例　利用率が12%です\n" in body


def test_a_rule_that_came_without_a_name_is_called_by_its_id():
    watched = tuple(finding(subject=f"s{n}", severity="watch") for n in range(4))
    body = text(findings=watched, events=tuple(entry(Event.OPENED, f) for f in watched))
    assert "・［要確認］gpu_low　4件" in body


def test_months_with_a_gap_are_counted():
    found = tuple(
        finding(subject=f"aoi-ai/2026-{m:02d}", month=date(2026, m, 1), severity="watch")
        for m in (4, 5, 7, 8)
    )
    body = text(findings=found, events=tuple(entry(Event.OPENED, f) for f in found))
    assert "　対象　　2026年4月〜2026年8月のうち4か月　株式会社あおいAI（aoi-ai）\n" in body


def test_companies_of_the_same_months_stand_in_one_line():
    found = tuple(
        finding(subject=f"{c}/{n}", company_id=c, month=date(2026, 9, 1), severity="watch")
        for c in ("aoi-ai", "midori")
        for n in "ab"
    )
    body = text(findings=found, events=tuple(entry(Event.OPENED, f) for f in found))
    both = "株式会社あおいAI（aoi-ai）、みどりロボティクス株式会社（midori）"
    assert f"　対象　　2026年9月　{both}\n" in body


def test_a_group_whose_numbers_follow_no_pattern_names_them():
    """Of files, say: company and month don't tell which."""
    about = {"rule": "unreadable_file", "severity": "watch", "company_id": None, "month": None}
    found = tuple(finding(subject=f"受信 {n:02d}.pdf", **about) for n in range(12))
    body = text(findings=found, events=tuple(entry(Event.OPENED, f) for f in found))
    assert "　番号　　unreadable_file/受信 00.pdf\n　　　　　unreadable_file/受信 01.pdf\n" in body
    assert (
        "　　　　　unreadable_file/受信 09.pdf\n　　　　　ほか 2件（geniac findings list）\n"
        in body
    )
    assert "対象" not in body


def test_proposals_that_differ_are_told_by_an_example():
    watched = {"severity": "watch"}
    same = [finding(subject=f"s{n}", **watched) for n in range(4)]
    other = finding(subject="s9", proposal_ja="別の案", **watched)
    for found, said in ((same, "　指示案　利用方法"), ([*same, other], "　指示案　（例）利用方法")):
        assert said in text(findings=found, events=[entry(Event.OPENED, f) for f in found])


def test_a_command_can_be_copied_whatever_the_number_holds():
    found = finding(subject="(none)/月次 報告.xlsx", company_id=None, month=None)
    body = text(findings=(found,), events=(entry(Event.OPENED, found),))
    assert "confirm 'gpu_low/(none)/月次 報告.xlsx' --person" in body
    # about no company and no month
    assert "・［要指示］gpu_low　条項 3-1-a\n" in body


def test_a_line_names_its_company_once():
    named = finding(subject="a", message_ja="株式会社あおいAIの利用率が12%です")
    body = text(findings=(named, finding(subject="b")), problems=("x",))
    assert "・［要指示］株式会社あおいAIの利用率が12%です　gpu_low/a\n" in body
    assert "・［要指示］株式会社あおいAI（aoi-ai）　利用率が12%です　gpu_low/b\n" in body


def test_the_digest_begins_with_what_is_to_be_done_most_urgent_first():
    acting, watched = finding(), finding(subject="other", severity="watch")
    body = text(
        findings=(acting, watched),
        events=(entry(Event.OPENED, acting), entry(Event.OPENED, watched)),
        submissions=(owed(),),
        drafts=2,
        problems=("x",),
        held=("y",),
    )
    assert (
        "後の変化\n\n■ 今日すること\n"
        "1. 下の「処理の不具合」を、運用の担当者に伝える\n"
        "2. 要指示 1件を確かめ、確認または却下する"
        "（内容は geniac findings show 番号、却下は geniac findings resolve 番号）\n"
        "3. 下の「作らなかった下書き」1件の内容を確かめ、個別に連絡する\n"
        "4. 期限を過ぎた未提出 1件の督促を確かめる（geniac drafts list）\n"
        "5. 企業への下書き 2件を読み、送るものを決める（geniac drafts list）\n"
        "6. ほかの未確認 1件に目を通す（geniac findings list --unconfirmed）\n"
    ) in body
    assert body.index("■ 処理の不具合") < body.index("■ 新しく見つかったこと")


def test_the_same_data_give_the_same_digest_in_any_order():
    found = tuple(finding(subject=s) for s in "cab")
    events = tuple(entry(Event.OPENED, f) for f in found)
    again = text(findings=found[::-1], events=events[::-1])
    assert text(findings=found, events=events) == again


# ---- when


@pytest.mark.parametrize(
    ("day", "due"),
    [
        (date(2026, 10, 2), True),
        (date(2026, 10, 3), False),
        (date(2026, 9, 22), False),
        (date(2026, 12, 29), False),
        (date(2027, 1, 4), True),
    ],
)
def test_the_digest_comes_on_business_days(day, due):
    assert digest_due(day) is due


def test_reminders_come_after_one_five_and_ten_business_days():
    """Due on Saturday the tenth of October, which is Tuesday: the twelfth is a holiday."""
    due = date(2026, 10, 10)
    steps = {day: reminder_step(due, date(2026, 10, day)) for day in range(9, 32)}
    assert days_late(due, date(2026, 10, 13)) == 0
    assert {day for day, step in steps.items() if step == 0} == set(range(9, 14))
    assert {day for day, step in steps.items() if step == 1} == set(range(14, 20))
    assert {day for day, step in steps.items() if step == 2} == set(range(20, 27))
    assert {day for day, step in steps.items() if step == 3} == set(range(27, 32))


# ---- wording


def test_every_text_is_there_in_both_languages_with_the_same_placeholders():
    from string import Formatter

    def fields(words: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(words) if name}

    for key, texts in CATALOGUE.items():
        assert set(texts) == set(LANGUAGES), key
        assert len({frozenset(fields(t)) for t in texts.values()}) == 1, key
        assert all(t.strip() for t in texts.values()), key


def test_every_key_that_is_said_exists_and_every_key_is_said():
    import re
    from pathlib import Path

    source = Path(company.__file__).read_text(encoding="utf-8")
    said = set(re.findall(r'say\(\s*"([a-z.]+)"', source))
    said |= {f"{kind}.subject" for kind in (*company.KINDS, "doubt")}
    said |= {f"place.{name}" for name in ("sheet", "line", "column", "cell")}
    assert said == set(CATALOGUE)


def test_an_unknown_key_or_a_missing_value_is_an_error():
    with pytest.raises(KeyError):
        say("no.such", "ja")
    with pytest.raises(KeyError):
        say("reminder.item", "ja", what="月次報告")
    assert messages.LANGUAGES == ("ja", "en")


# ---- drafts to companies


def letters(own, decisions=(), asked=(), day=MONDAY):
    composed = company.compose(
        [own], REGISTER, decisions, {own.company.company_id: set(asked)}, day
    )
    return {m.kind: m for m in composed.messages}, composed.held


def test_a_reminder_lists_what_is_missing_in_both_languages():
    made, _ = letters(Own(AOI, submissions=(owed(), owed(state=Handed.RECEIVED))))
    (message,) = made.values()
    assert (message.audience, message.recipient) == ("company:aoi-ai", "tantou@aoi.example.jp")
    assert message.needs_release
    assert message.subject.startswith("【GENIAC】ご提出のお願い（第3回） / [GENIAC]")
    assert message.body.count("・月次報告（2026-08）　期限 2026-09-10") == 1
    assert message.body.count("- monthly report (2026-08), due 2026-09-10") == 1
    assert "株式会社あおいAI ご担当者様" in message.body
    assert "To Aoi AI Inc." in message.body


def test_before_the_first_business_day_after_the_due_day_nobody_is_reminded():
    own = Own(AOI, submissions=(owed(due=date(2026, 10, 2)),))
    assert letters(own, day=date(2026, 10, 4))[0] == {}
    assert "reminder" in letters(own, day=date(2026, 10, 5))[0]


def test_nothing_is_asked_twice_but_the_next_step_is():
    own = Own(AOI, submissions=(owed(),), corrections=(a_correction(),))
    made, _ = letters(own, day=date(2026, 9, 11))
    asked = {a for m in made.values() for a in m.payload["asks"]}
    assert letters(own, asked=asked, day=date(2026, 9, 14))[0] == {}
    later, _ = letters(own, asked=asked, day=date(2026, 9, 17))
    assert set(later) == {"reminder"}
    assert "第2回" in later["reminder"].subject


def test_a_correction_says_where_what_came_and_what_to_do():
    many = tuple(a_correction(line=n) for n in range(10, 40))
    made, _ = letters(Own(AOI, corrections=(a_correction(), *many)))
    body = made["correction"].body
    assert (
        "■ 月次報告_8月.xlsx\n"
        "・シート「利用実績」 7行目 「GPU時間」列 記載「約百」: 数として読めません\n"
        "　→ 半角の数字で書いてください\n"
    ) in body
    assert 'sheet "利用実績", line 7, column "GPU時間", found "約百": not a number' in body
    assert "・ほか 11 か所" in body
    assert "31か所" in made["correction"].subject


DOUBT = {
    "costs": "doubt",
    "cell": "5",
    "ja": "金額が小さすぎます",
    "ja_remedy": "正しければ対応は不要です",
    "en": "too cheap",
    "en_remedy": "nothing to do if right",
}


def test_what_is_in_doubt_goes_into_the_same_letter_behind_what_was_lost():
    made, _ = letters(Own(AOI, corrections=(a_correction(line=2, **DOUBT), a_correction())))
    body = made["correction"].body
    lost, doubt = body.index("数として読めません"), body.index("金額が小さすぎます")
    assert lost < body.index("次の点が正しいかご確認ください。正しければ対応は不要です。") < doubt
    assert body.count("■ 月次報告_8月.xlsx") == 1
    assert "修正のお願い（1か所）" in made["correction"].subject
    assert "Corrections to your submission (1)" in made["correction"].subject


def test_doubts_alone_ask_for_no_correction():
    made, _ = letters(Own(AOI, corrections=(a_correction(line=2, **DOUBT),)))
    letter = made["correction"]
    assert "確認のお願い（1か所）" in letter.subject
    assert "ファイル全体の再提出をお願いします" not in letter.body
    assert letter.payload["asks"] == [f"correction:{'a' * 20}"]
    again = letters(Own(AOI, corrections=(a_correction(),)), asked=letter.payload["asks"])
    assert again[0] == {}


def test_an_explanation_is_asked_once_the_fact_is_confirmed_without_the_verdict():
    found = finding()
    own = Own(AOI, findings=(found,))
    assert letters(own)[0] == {}
    made, _ = letters(own, decisions=(confirmation(found),))
    body = made["explanation"].body
    assert "・2026年9月: 利用率が12%です" in body
    assert "- 2026-09: Utilisation is 12%" in body
    assert "要指示" not in body
    assert "利用方法について指示する" not in body
    told = (confirmation(found), confirmation(found, 2, Act.EXPLAIN))
    assert letters(own, decisions=told)[0] == {}


def test_less_than_act_needs_no_explanation():
    found = finding(severity="watch")
    assert letters(Own(AOI, findings=(found,)), decisions=(confirmation(found),))[0] == {}


def test_one_company_s_letter_can_t_be_made_from_another_s_rows():
    for other in (
        {"submissions": (owed(company_id="midori"),)},
        {"corrections": (a_correction(company_id="midori"),)},
        {"findings": (finding(company_id="midori"),)},
        {"findings": (finding(company_id=None),)},
    ):
        with pytest.raises(ForeignRow):
            Own(AOI, **other)


def test_what_goes_to_one_company_names_no_other():
    companies = [
        Company(f"firm-{n}", f"第{n}試験株式会社", f"Firm {n} Ltd.", contact=f"a@f{n}.example.jp")
        for n in range(6)
    ]
    owns = split(
        companies,
        [owed(company_id=c.company_id) for c in companies],
        [a_correction(company_id=c.company_id, arrival_id=c.company_id) for c in companies],
        [finding(company_id=c.company_id, subject=c.company_id) for c in companies],
    )
    decisions = [confirmation(f, n) for n, own in enumerate(owns) for f in own.findings]
    composed = company.compose(owns, companies, decisions, {}, MONDAY)
    assert composed.held == ()
    assert len(composed.messages) == 6 * 3
    for message in composed.messages:
        own = message.audience.removeprefix("company:")
        for other in companies:
            if other.company_id != own:
                whole = f"{message.subject}{message.body}{message.payload}{message.recipient}"
                assert not any(name in whole for name in other.names)


@pytest.mark.parametrize(
    "words",
    [
        "みどりロボティクスのファイル",
        "（株）みどり ロボティクス",
        "ミドリ MIDORI robotics 社",
        "緑ロボ.xlsx",
        "inbox/midori/2026-08.xlsx",
        "Midori-Robotics",
        "midori",
    ],
)
def test_free_text_that_names_another_company_holds_the_draft_back(words):
    made, held = letters(Own(AOI, corrections=(a_correction(file=words),), submissions=(owed(),)))
    assert set(made) == {"reminder"}
    assert held == (company.Held("aoi-ai", "correction", ("midori",)),)


@pytest.mark.parametrize(
    "words", ["midoriya.xlsx", "あおいAIの報告", "Aoi AI, Inc. / aoi-ai", "緑"]
)
def test_own_names_and_mere_parts_of_words_do_not(words):
    assert letters(Own(AOI, corrections=(a_correction(file=words),)))[1] == ()


def test_of_two_names_in_one_place_the_longer_is_meant():
    short, long = Company("ao", "株式会社あおい"), Company("aoai", "あおいロボット株式会社")
    both = (short, long)
    assert foreign_names("あおいロボットの報告", short, both) == ("aoai",)
    assert foreign_names("あおいロボットの報告", long, both) == ()
    assert foreign_names("あおいの報告", long, both) == ("ao",)


# ---- a night


def morning(day=MONDAY, **other) -> Morning:
    usual = {
        "as_of": day,
        "now": datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=7),
        "examination": Examination((examined(),), ()),
        "register": REGISTER,
        "submissions": (),
        "corrections": (),
        "to": (("mail", "a@example.jp"), ("webhook", "secretariat")),
    }
    return Morning(**(usual | other))


def night(ledger, generation, said: Morning):
    with ledger.transaction() as connection:
        return record_morning(connection, generation, said)


def digests(ledger):
    m = tables.messages
    statement = sa.select(m).where(m.c.kind == "digest").order_by(m.c.created_generation)
    with ledger.reading() as connection:
        return connection.execute(statement).all()


def test_a_night_says_its_news_once_to_each_recipient(ledger):
    night(ledger, 1, morning())
    night(ledger, 2, morning())
    assert [(d.created_generation, d.channel) for d in digests(ledger)] in (
        [(1, "mail"), (1, "webhook")],
        [(1, "webhook"), (1, "mail")],
    )
    assert "新しく見つかったこと 1件" in digests(ledger)[0].body
    assert "初回" in digests(ledger)[0].body


def test_a_night_calls_rules_by_the_names_that_they_came_with(ledger):
    rows = [
        ROW | {"subject": f"s{n}", "severity": "watch", "rule_ja": "低い割当"} for n in range(4)
    ]
    night(ledger, 1, morning(examination=examination(rows)))
    assert "・［要確認］低い割当　4件" in digests(ledger)[0].body


def test_what_a_weekend_brings_is_told_on_monday(ledger):
    to = (("mail", "a@example.jp"),)
    friday, saturday = date(2026, 10, 2), date(2026, 10, 3)
    clear = Examination((examined(state="clear"),), ())
    other = Examination((examined(), examined(subject="x", company_id=None)), ())
    night(ledger, 1, morning(friday, examination=clear, to=to))
    night(ledger, 2, morning(saturday, examination=other, to=to))
    night(ledger, 3, morning(date(2026, 10, 4), examination=other, to=to))
    assert len(digests(ledger)) == 1
    night(ledger, 4, morning(MONDAY, examination=other, to=to))
    monday = digests(ledger)[1]
    assert "前回のまとめ（世代 1）より後の変化" in monday.body
    assert "新しく見つかったこと 2件" in monday.body
    night(ledger, 5, morning(date(2026, 10, 6), examination=other, to=to))
    assert CALM in digests(ledger)[2].body
    assert "検出結果 2件" in digests(ledger)[2].body


def test_what_a_second_night_of_the_day_finds_is_told_the_next_day(ledger):
    to = (("mail", "a@example.jp"),)
    night(ledger, 1, morning(examination=Examination((), ()), to=to))
    night(ledger, 2, morning(to=to))
    night(ledger, 3, morning(date(2026, 10, 6), to=to))
    assert [d.created_generation for d in digests(ledger)] == [1, 3]
    assert "新しく見つかったこと 1件" in digests(ledger)[1].body


def test_drafts_are_offered_released_and_not_offered_again(ledger):
    night(ledger, 1, morning(submissions=(owed(),)))
    with ledger.reading() as connection:
        (draft,) = drafts.waiting(connection)
    assert "送信を待つ下書き 1件" in digests(ledger)[0].body
    said = {"mark": draft.mark, "person": "山田", "reason": "督促", "at": NOW}
    drafts.release(ledger, draft.key, **said)
    night(ledger, 2, morning(date(2026, 10, 6), submissions=(owed(),)))
    with ledger.reading() as connection:
        assert drafts.waiting(connection) == ()


def test_from_the_machine_s_verdict_to_what_may_be_shown_outside(ledger):
    """Found, confirmed, explanation asked and given, released to METI."""
    by = {"person": "山田", "reason": "資料で確かめた", "at": NOW}
    night(ledger, 1, morning())
    low = "gpu_low/aoi-ai/2026-09"
    desk.confirm(ledger, low, **by)
    night(ledger, 2, morning(date(2026, 10, 6)))
    with ledger.reading() as connection:
        assert [d.kind for d in drafts.waiting(connection)] == ["explanation"]
    desk.explain(ledger, low, **by)
    night(ledger, 3, morning(date(2026, 10, 7)))
    with ledger.reading() as connection:
        assert drafts.waiting(connection) == ()
    assert desk.release(ledger, low, "meti_nedo", **by).id == low


def test_a_broken_rule_is_told_and_resolves_nothing(ledger):
    night(ledger, 1, morning())
    broken = Examination((), ("rule gpu_low counts as not run: x",))
    changes = night(ledger, 2, morning(date(2026, 10, 6), examination=broken))
    assert [f.state for f in changes.findings] == [State.OPEN]
    body = digests(ledger)[-1].body
    assert "判定規則の不具合: rule gpu_low counts as not run: x" in body
    assert "10月6日から判定できず" in body


def test_a_held_draft_is_told_to_the_secretariat(ledger):
    night(ledger, 1, morning(corrections=(a_correction(file="midori.xlsx"),)))
    body = digests(ledger)[0].body
    assert (
        "■ 作らなかった下書き\n・株式会社あおいAI（aoi-ai）宛ての修正依頼。"
        "文面か添付に、他社の名前（みどりロボティクス株式会社（midori））があります\n"
    ) in body
    with ledger.reading() as connection:
        assert drafts.waiting(connection) == ()


def test_what_came_in_is_counted_since_the_last_digest(ledger):
    def arrive(name: str, at: datetime, refused: int) -> None:
        row = {"arrival_id": name, "sha256": "0" * 64, "bytes": 1, "name": name, "zone": "UTC"}
        read = {"format": "x", "format_version": 1, "outcome": "landed", "complaints": refused}
        words = dict.fromkeys(("ja", "ja_remedy", "en", "en_remedy"), "x")
        with ledger.transaction() as c:
            c.execute(
                sa.insert(tables.arrivals).values(
                    **row, sender=None, channel="inbox", received_at=at, registered_at=at
                )
            )
            c.execute(sa.insert(tables.readings).values(arrival_id=name, rows=10, **read))
            for number, costs in enumerate([*["row"] * refused, "nothing"]):
                c.execute(
                    sa.insert(tables.refusals).values(
                        arrival_id=name, number=number, code="x", costs=costs, **words
                    )
                )

    tuesday = morning(date(2026, 10, 6))
    arrive("first", morning().now - timedelta(hours=1), 2)
    night(ledger, 1, morning())
    arrive("second", morning().now + timedelta(hours=1), 1)
    arrive("third", tuesday.now, 0)
    arrive("not yet", tuesday.now + timedelta(hours=1), 5)
    night(ledger, 2, tuesday)
    first, *_, last = digests(ledger)
    assert "ファイル 1件　行 10　修正のお願い 2件" in first.body
    assert "ファイル 2件　行 20　修正のお願い 1件" in last.body


def test_the_digest_says_when_a_message_last_went_out(ledger):
    class Hands:
        name = "mail"

        def send(self, _: outbox.Outgoing) -> None:
            """Take it."""

    night(ledger, 1, morning())
    assert "前回送信に成功した時刻 まだありません" in digests(ledger)[0].body
    sent_at = datetime(2026, 10, 5, 0, 30, tzinfo=UTC)
    outbox.drain(ledger, {"mail": Hands(), "webhook": Hands()}, lambda: sent_at)
    night(ledger, 2, morning(date(2026, 10, 6)))
    assert "前回送信に成功した時刻 2026-10-05 09:30（日本時間）" in digests(ledger)[-1].body
