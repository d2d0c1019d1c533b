"""The morning digest for the secretariat: 朝のまとめ.

Pure text from data: the same data, the same words. It covers every night since the last digest,
so that nothing of a weekend is lost, and says when a message last really went out, since a broken
alert path tells nobody by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from geniac_pipelines.alerts.grouping import grouped
from geniac_pipelines.alerts.items import Items
from geniac_pipelines.alerts.message import SECRETARIAT, Message
from geniac_pipelines.alerts.outbox import Health
from geniac_pipelines.alerts.rows import Handed, Intake, Names, Submission
from geniac_pipelines.alerts.timetable import days_late
from geniac_pipelines.calendar import JST
from geniac_pipelines.findings.model import Event, Finding, Severity, State
from geniac_pipelines.findings.standing import Standing, standing
from geniac_pipelines.findings.store import Entry
from geniac_pipelines.store.decisions import Decision

KIND = "digest"
SHOWN = 30
"""Items that a section spells out; the findings of the rest are counted."""

CALM = "新しく対応が必要なことはありません。"
WEEKDAYS = "月火水木金土日"


@dataclass(frozen=True)
class DigestData:
    """What a digest is made from.

    `since` is the generation of the last digest (None: this is the first); `events` are what
    nights did to findings after it, `intake` what came in after it. `findings` is every finding as
    it stands now. `provisional` names the warehouse's tables that were carried over, `problems`
    (Japanese) is what went wrong, `held` (Japanese) which drafts were not made; `notes` (Japanese)
    are facts that ask for nothing, such as what is not configured.
    """

    as_of: date
    generation: int
    since: int | None
    findings: Sequence[Finding]
    events: Sequence[Entry]
    decisions: Sequence[Decision]
    submissions: Sequence[Submission]
    intake: Intake
    drafts: int
    health: Health
    names: Names
    provisional: Sequence[str] = ()
    problems: Sequence[str] = ()
    held: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class _Sorted:
    opened: list[Finding]
    reopened: list[Finding]
    resolved: list[Finding]
    continuing: list[Finding]
    newly_stale: list[Finding]

    @property
    def new(self) -> list[Finding]:
        return [*self.opened, *self.reopened]


def digest(data: DigestData, channel: str, recipient: str) -> Message:
    """The digest of one morning, to one recipient of the secretariat."""
    found = _sorted(data)
    unconfirmed = [f for f in _active(data) if _standing(data, f) is Standing.UNCONFIRMED]
    missing = [s for s in data.submissions if s.state is Handed.MISSING]
    calm = not (found.new or found.resolved or missing or data.problems or data.provisional)
    calm = calm and not (data.intake.refusals or data.health.failed or found.newly_stale)
    calm = calm and not data.held
    day = f"{data.as_of.year}年{data.as_of.month}月{data.as_of.day}日"
    weekday = WEEKDAYS[data.as_of.weekday()]
    lines = [
        "GENIAC事務局　朝のまとめ",
        f"基準日 {day}（{weekday}）　世代 {data.generation}{_since(data)}",
        "",
    ]
    if calm:
        lines += [CALM, "", *_counts(data, found, unconfirmed)]
    else:
        lines += _sections(data, found, unconfirmed, missing)
    lines += ["", *_path(data.health), *(f"お知らせ　{note}" for note in data.notes)]
    return Message(
        kind=KIND,
        about=SECRETARIAT,
        period=data.as_of.isoformat(),
        channel=channel,
        recipient=recipient,
        audience=SECRETARIAT,
        subject=f"【GENIAC】朝のまとめ {day}（{weekday}）{_headline(found, missing)}",
        body="\n".join(lines) + "\n",
        payload={
            "as_of": data.as_of.isoformat(),
            "generation": data.generation,
            "new": [f.id for f in found.new],
            "resolved": [f.id for f in found.resolved],
        },
    )


def _sorted(data: DigestData) -> _Sorted:
    """Which of the findings are news. What opened and ended since the last digest has ended."""
    happened: dict[str, set[Event]] = {}
    for entry in data.events:
        happened.setdefault(f"{entry.rule}/{entry.subject}", set()).add(entry.what)
    found = _Sorted([], [], [], [], [])
    for finding in sorted(data.findings, key=_urgency):
        events = happened.get(finding.id, set())
        if finding.state is State.RESOLVED:
            if Event.RESOLVED in events:
                found.resolved.append(finding)
        elif not finding.state.active:
            continue
        elif Event.OPENED in events:
            found.opened.append(finding)
        elif Event.REOPENED in events:
            found.reopened.append(finding)
        else:
            found.continuing.append(finding)
            if Event.STALE in events and finding.stale_generation is not None:
                found.newly_stale.append(finding)
    return found


def _sections(
    data: DigestData,
    found: _Sorted,
    unconfirmed: Sequence[Finding],
    missing: Sequence[Submission],
) -> list[str]:
    lines = _to_do(data, found, unconfirmed, missing)
    lines += [*_counts(data, found, unconfirmed), ""]
    if data.problems:
        lines += ["■ 処理の不具合", *(f"・{problem}" for problem in data.problems), ""]
    if data.provisional:
        lines.append("■ 暫定の表（作り直せず、前の晩の値のまま）")
        lines += [*(f"・{name}" for name in sorted(data.provisional)), ""]
    if data.held:
        lines += ["■ 作らなかった下書き", *(f"・{held}" for held in data.held), ""]
    items = Items(data.names, data.decisions)
    lines += _section("新しく見つかったこと", found.opened, items.full)
    lines += _section("再び見つかったこと", found.reopened, items.full)
    if not found.new:
        lines += ["新しい検出結果はありません。", ""]
    lines += _section("解消したこと", found.resolved, lambda g: [items.brief(g)])
    lines += _submissions(data, missing)
    lines.append("")
    lines += _section("継続していること", found.continuing, lambda g: [items.brief(g)])
    lines.append("報告書は、データフォルダの reports/ に、月ごと・宛先ごとにあります。")
    return lines


def _to_do(
    data: DigestData,
    found: _Sorted,
    unconfirmed: Sequence[Finding],
    missing: Sequence[Submission],
) -> list[str]:
    """What the secretariat does this morning, most urgent first; nothing where it is nothing."""
    acting = [f for f in unconfirmed if f.severity is Severity.ACT]
    do = []
    faults = {
        "「処理の不具合」": data.problems,
        "「暫定の表」": data.provisional,
        "「通知の経路」": data.health.failed,
    }
    if told := [title for title, there in faults.items() if there]:
        do.append(f"下の{'と'.join(told)}を、運用の担当者に伝える")
    if acting:
        do.append(
            f"要指示 {len(acting)}件を確かめ、確認または却下する"
            "（内容は geniac findings show 番号、却下は geniac findings resolve 番号）"
        )
    if data.held:
        do.append(f"下の「作らなかった下書き」{len(data.held)}件の内容を確かめ、個別に連絡する")
    if missing:
        do.append(f"期限を過ぎた未提出 {len(missing)}件の督促を確かめる（geniac drafts list）")
    if data.drafts:
        do.append(f"企業への下書き {data.drafts}件を読み、送るものを決める（geniac drafts list）")
    if others := len(unconfirmed) - len(acting):
        do.append(f"ほかの未確認 {others}件に目を通す（geniac findings list --unconfirmed）")
    if not do:
        return []
    return ["■ 今日すること", *(f"{n}. {what}" for n, what in enumerate(do, start=1)), ""]


def _section(
    title: str, findings: Sequence[Finding], show: Callable[[Sequence[Finding]], list[str]]
) -> list[str]:
    if not findings:
        return []
    lines = [f"■ {title} {len(findings)}件"]
    groups = list(grouped(findings))
    for group in groups[:SHOWN]:
        lines += show(group)
    if rest := sum(map(len, groups[SHOWN:])):
        lines.append(f"ほか {rest}件（geniac findings list）")
    return [*lines, ""]


def _submissions(data: DigestData, missing: Sequence[Submission]) -> list[str]:
    if not data.submissions:
        return ["■ 提出状況　予定されているものはありません"]
    received = sum(s.state is Handed.RECEIVED for s in data.submissions)
    expected = sum(s.state is Handed.EXPECTED for s in data.submissions)
    lines = [
        f"■ 提出状況　受領 {received}件　期限前 {expected}件　期限を過ぎて未提出 {len(missing)}件"
    ]
    ordered = sorted(missing, key=lambda s: (s.due, s.company_id, s.what, s.period))
    lines += [
        f"・{data.names.company(s.company_id)}　{s.what}（{s.period}）　"
        f"期限 {_day(s.due)}（{days_late(s.due, data.as_of)}営業日経過）"
        for s in ordered
    ]
    return lines


def _counts(data: DigestData, found: _Sorted, unconfirmed: Sequence[Finding]) -> list[str]:
    intake = data.intake
    active = [*found.new, *found.continuing]
    acting = sum(f.severity is Severity.ACT for f in active)
    lines = [
        f"対応中・未対応の検出結果 {len(active)}件（うち要指示 {acting}件）　"
        f"うち機械判定（未確認） {len(unconfirmed)}件",
        f"受付　ファイル {intake.files:,}件　行 {intake.rows:,}　"
        f"修正のお願い {intake.refusals:,}件",
    ]
    if data.drafts:
        lines.append(f"送信を待つ下書き {data.drafts}件（geniac drafts list）")
    return lines


def _path(health: Health) -> list[str]:
    last = health.last_sent_at
    when = f"{last.astimezone(JST):%Y-%m-%d %H:%M}（日本時間）" if last else "まだありません"
    lines = [f"通知の経路　前回送信に成功した時刻 {when}"]
    if health.failed:
        lines.append(f"　送信できずに止まっている通知が {health.failed}件あります（geniac outbox）")
    if health.waiting:
        lines.append(f"　送信を待つ通知 {health.waiting}件")
    return lines


def _headline(found: _Sorted, missing: Sequence[Submission]) -> str:
    acting = sum(f.severity is Severity.ACT for f in found.new)
    words = []
    if found.new:
        words.append(f"新規{len(found.new)}件" + (f"・うち要指示{acting}件" if acting else ""))
    if missing:
        words.append(f"未提出{len(missing)}件")
    return "　" + "　".join(words) if words else ""


def _since(data: DigestData) -> str:
    if data.since is None:
        return "　初回"
    return f"　前回のまとめ（世代 {data.since}）より後の変化"


def _active(data: DigestData) -> Iterable[Finding]:
    return (f for f in data.findings if f.state.active)


def _standing(data: DigestData, finding: Finding) -> Standing:
    return standing(finding, data.decisions)


def _urgency(finding: Finding) -> tuple[int, str, str]:
    return (-finding.severity.rank, finding.rule, finding.subject)


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日"
