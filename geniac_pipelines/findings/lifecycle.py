"""What a night's examination makes of the findings on record.

Absence is not absence of a problem: a finding ends only when its subject was really examined and
came out clear, or when a person closes it. A rule that crashed, data that do not suffice and a
subject that vanished leave a finding as it stands, and say since when.

`advance` is pure, so that reports can tell before the commit what the commit will record; `apply`
is the same on the ledger, inside the committing transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from geniac_pipelines.findings import store
from geniac_pipelines.findings.model import (
    Change,
    Changes,
    Event,
    Evidence,
    Examined,
    Finding,
    Outcome,
    State,
    refuse_doubles,
)


def apply(
    connection: Connection, generation: int, examined: Iterable[Examined], now: datetime
) -> Changes:
    """Bring the ledger's findings up to a night that becomes `generation`; returns what changed.

    `now` is the night's instant (aware). Raises NotExaminable when a subject comes twice.
    """
    current = store.load(connection, for_update=True)
    changes = advance(current, examined, generation, now)
    store.save(connection, current, changes, generation, now)
    return changes


def advance(
    current: Iterable[Finding], examined: Iterable[Examined], generation: int, now: datetime
) -> Changes:
    """The same without a ledger."""
    examined = tuple(examined)
    refuse_doubles(examined)
    before = {f.id: f for f in current}
    seen = {e.id: e for e in examined}
    after: dict[str, Finding] = {}
    changes: list[Change] = []
    for each in sorted({*before, *seen}):
        finding, happened = _next(before.get(each), seen.get(each), generation, now)
        if finding is not None:
            after[each] = finding
            changes += [Change(event, finding, reason) for event, reason in happened]
    ordered = sorted(after.values(), key=lambda f: (f.rule, f.subject))
    undecided = sum(e.outcome is Outcome.UNKNOWN for e in examined)
    return Changes(tuple(ordered), tuple(changes), undecided)


Step = tuple[Finding | None, list[tuple[Event, str]]]


def _next(finding: Finding | None, seen: Examined | None, generation: int, now: datetime) -> Step:
    if finding is None:
        return _first(seen, generation, now) if seen else (None, [])
    outcome = seen.outcome if seen else None
    match finding.state:
        case State.OPEN | State.ACKNOWLEDGED:
            if seen and outcome is Outcome.FOUND:
                return _still(finding, seen.evidence, generation, now)
            if outcome is Outcome.CLEAR:
                return _resolved(finding, generation, now)
            return _stale(finding, seen, generation, now)
        case State.CLOSED:
            if seen and outcome is Outcome.FOUND:
                return _closed_still(finding, seen.evidence, generation, now)
            if outcome is Outcome.CLEAR:
                return _resolved(finding, generation, now)
        case State.RESOLVED:
            if seen and outcome is Outcome.FOUND:
                return _again(finding, seen.evidence, generation, now, "解消の後に再び検出")
    return finding, []


def _first(seen: Examined, generation: int, now: datetime) -> Step:
    if seen.outcome is not Outcome.FOUND:
        return None, []
    opened = Finding(
        rule=seen.rule,
        subject=seen.subject,
        episode=1,
        state=State.OPEN,
        evidence=seen.evidence,
        first_generation=generation,
        first_at=now,
        opened_generation=generation,
        opened_at=now,
        seen_generation=generation,
        seen_at=now,
    )
    return opened, [(Event.OPENED, seen.evidence.message_ja)]


def _still(finding: Finding, evidence: Evidence, generation: int, now: datetime) -> Step:
    happened = []
    if finding.stale_generation is not None:
        happened.append((Event.EXAMINED, f"世代 {finding.stale_generation} 以来の判定"))
    if evidence != finding.evidence:
        happened.append((Event.CHANGED, _difference(finding.evidence, evidence)))
    seen = replace(
        finding,
        evidence=evidence,
        seen_generation=generation,
        seen_at=now,
        stale_generation=None,
        stale_at=None,
    )
    return seen, happened


def _stale(finding: Finding, seen: Examined | None, generation: int, now: datetime) -> Step:
    if finding.stale_generation is not None:
        return finding, []
    why = (seen.evidence.message_ja or "判定不能") if seen else "この対象は調べられていません"
    stale = replace(finding, stale_generation=generation, stale_at=now)
    return stale, [(Event.STALE, why)]


def _resolved(finding: Finding, generation: int, now: datetime) -> Step:
    ended = replace(
        finding,
        state=State.RESOLVED,
        stale_generation=None,
        stale_at=None,
        ended_generation=generation,
        ended_at=now,
    )
    return ended, [(Event.RESOLVED, "調べた結果、該当しなくなった")]


def _closed_still(finding: Finding, evidence: Evidence, generation: int, now: datetime) -> Step:
    """A person closed it knowing it is there: it stays closed unless it becomes more severe.

    The evidence stays what that person saw.
    """
    if evidence.severity.rank > finding.severity.rank:
        reason = f"対応終了の後に重大度が上がった（{finding.severity.ja}→{evidence.severity.ja}）"
        return _again(finding, evidence, generation, now, reason)
    return replace(finding, seen_generation=generation, seen_at=now), []


def _again(
    finding: Finding, evidence: Evidence, generation: int, now: datetime, reason: str
) -> Step:
    reopened = replace(
        finding,
        episode=finding.episode + 1,
        state=State.OPEN,
        evidence=evidence,
        opened_generation=generation,
        opened_at=now,
        seen_generation=generation,
        seen_at=now,
        stale_generation=None,
        stale_at=None,
        ended_generation=None,
        ended_at=None,
    )
    return reopened, [(Event.REOPENED, reason)]


def _difference(old: Evidence, new: Evidence) -> str:
    words = []
    if old.severity is not new.severity:
        words.append(f"重大度 {old.severity.ja}→{new.severity.ja}")
    if old.message_ja != new.message_ja:
        words.append(f"内容「{old.message_ja}」→「{new.message_ja}」")
    return "。".join(words) or "根拠のデータが変わった"
