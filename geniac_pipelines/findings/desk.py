"""The desk at which people look at findings and act on them; the command line calls it.

Every act takes a named person and a reason, and is one transaction: the decision, the finding, the
line of its history. Not here: the text of lists (`desk_text`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from geniac_pipelines.audiences import audience as known
from geniac_pipelines.findings import store
from geniac_pipelines.findings.model import Change, Event, Finding, Severity, State
from geniac_pipelines.findings.standing import KIND, Standing, releasable, standing
from geniac_pipelines.store.decisions import Act, Decision, record, recorded
from geniac_pipelines.store.ledger import Ledger

ACTIVE = (State.OPEN, State.ACKNOWLEDGED)


class UnknownFinding(LookupError):
    """No finding of that id is on record."""


class NotPossible(ValueError):
    """The act does not fit the state in which the finding is."""


@dataclass(frozen=True)
class Listed:
    """A finding with the last word of people on it."""

    finding: Finding
    standing: Standing


@dataclass(frozen=True)
class Card:
    """All that is on record about one finding."""

    finding: Finding
    standing: Standing
    decisions: tuple[Decision, ...]
    history: tuple[store.Entry, ...]


def listing(
    ledger: Ledger,
    *,
    states: tuple[State, ...] = ACTIVE,
    rule: str | None = None,
    company: str | None = None,
    severity: Severity | None = None,
    unconfirmed: bool = False,
) -> tuple[Listed, ...]:
    """The findings that fit, most severe first, then the oldest.

    `severity` is the least one; `unconfirmed` keeps only the machine's judgements.
    """
    with ledger.reading() as connection:
        found = store.load(connection)
        decisions = recorded(connection, KIND)
    listed = (Listed(f, standing(f, decisions)) for f in found)
    chosen = [
        each
        for each in listed
        if each.finding.state in states
        and rule in (None, each.finding.rule)
        and company in (None, each.finding.company_id)
        and (severity is None or each.finding.severity.rank >= severity.rank)
        and (not unconfirmed or each.standing is Standing.UNCONFIRMED)
    ]
    return tuple(sorted(chosen, key=_urgency))


def card(ledger: Ledger, finding_id: str) -> Card:
    """One finding with its decisions and history. Raises UnknownFinding."""
    rule, _, subject = finding_id.partition("/")
    with ledger.reading() as connection:
        finding = store.find(connection, rule, subject)
        if finding is None:
            raise _unknown(finding_id)
        decisions = recorded(connection, KIND, finding.id)
        history = store.history(connection, rule, subject)
    return Card(finding, standing(finding, decisions), decisions, history)


def confirm(ledger: Ledger, finding_id: str, *, person: str, reason: str, at: datetime) -> Finding:
    """Make the machine's judgement, at the severity that it has now, a person's.

    It counts for the month's verdict too, from the next night on, when the rule decides that.
    """
    return _act(ledger, finding_id, Deed(Act.CONFIRM, Event.CONFIRMED, person, reason, at))


def dispute(ledger: Ledger, finding_id: str, *, person: str, reason: str, at: datetime) -> Finding:
    """Put an objection on record: it can't be shown to others until somebody confirms it anew."""
    return _act(ledger, finding_id, Deed(Act.DISPUTE, Event.DISPUTED, person, reason, at))


def explain(ledger: Ledger, finding_id: str, *, person: str, reason: str, at: datetime) -> Finding:
    """Put the company's explanation on record; `reason` is what it says, `person` who took it.

    It counts for the month's verdict too, from the next night on, when the rule decides that.
    """
    return _act(ledger, finding_id, Deed(Act.EXPLAIN, Event.EXPLAINED, person, reason, at))


def acknowledge(
    ledger: Ledger, finding_id: str, *, person: str, reason: str, at: datetime
) -> Finding:
    """Say that somebody deals with it. Raises NotPossible unless it is open."""

    def taken(finding: Finding) -> Finding:
        if finding.state is not State.OPEN:
            raise _not_possible(finding, "acknowledged")
        return replace(finding, state=State.ACKNOWLEDGED)

    deed = Deed(Act.ACKNOWLEDGE, Event.ACKNOWLEDGED, person, reason, at)
    return _act(ledger, finding_id, deed, taken)


def resolve(ledger: Ledger, finding_id: str, *, person: str, reason: str, at: datetime) -> Finding:
    """Close it, whatever the next examination finds; only more severity opens it again.

    Raises NotPossible unless it is open or acknowledged.
    """

    def closed(finding: Finding) -> Finding:
        if not finding.state.active:
            raise _not_possible(finding, "closed")
        return replace(
            finding,
            state=State.CLOSED,
            stale_generation=None,
            stale_at=None,
            ended_generation=finding.seen_generation,
            ended_at=at,
        )

    return _act(ledger, finding_id, Deed(Act.RESOLVE, Event.CLOSED, person, reason, at), closed)


def release(
    ledger: Ledger, finding_id: str, audience: str, *, person: str, reason: str, at: datetime
) -> Finding:
    """Let another audience see it. Raises NotPossible while it must not leave the secretariat, and
    UnknownAudience."""
    to = known(audience).name
    deed = Deed(Act.RELEASE, Event.RELEASED, person, reason, at, {"audience": to})
    return _act(ledger, finding_id, deed)


@dataclass(frozen=True)
class Deed:
    """What a person does: the decision to record and the line in the finding's history."""

    act: Act
    event: Event
    person: str
    reason: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)


def _act(
    ledger: Ledger,
    finding_id: str,
    deed: Deed,
    become: Callable[[Finding], Finding] = lambda finding: finding,
) -> Finding:
    rule, _, subject = finding_id.partition("/")
    with ledger.transaction() as connection:
        finding = store.find(connection, rule, subject, for_update=True)
        if finding is None:
            raise _unknown(finding_id)
        decisions = recorded(connection, KIND, finding.id)
        if deed.act is Act.RELEASE and not releasable(finding, decisions):
            raise _must_not_leave(finding)
        changed = become(finding)
        number = record(
            connection,
            KIND,
            finding.id,
            deed.act,
            reason=deed.reason,
            person=deed.person,
            at=deed.at,
            details={
                **deed.details,
                "episode": finding.episode,
                "severity": finding.severity.value,
                "message_ja": finding.evidence.message_ja,
            },
        )
        if changed != finding:
            store.update(connection, [changed])
        change = Change(deed.event, changed, deed.reason.strip())
        store.note(connection, change, deed.person.strip(), deed.at, number)
    return changed


def _urgency(listed: Listed) -> tuple[Any, ...]:
    finding = listed.finding
    return (-finding.severity.rank, finding.opened_at, finding.rule, finding.subject)


def _unknown(finding_id: str) -> UnknownFinding:
    return UnknownFinding(
        f"{finding_id} という検出結果はありません（`geniac findings list` で確かめられます） / "
        f"there is no finding {finding_id}; see `geniac findings list`"
    )


def _not_possible(finding: Finding, wanted: str) -> NotPossible:
    return NotPossible(
        f"{finding.id} は「{finding.state.ja}」なので、この操作はできません / "
        f"it is {finding.state.value} and can't be {wanted}"
    )


def _must_not_leave(finding: Finding) -> NotPossible:
    need = "確認" if finding.severity is not Severity.ACT else "確認と、会社の説明の記録"
    return NotPossible(
        f"{finding.id}（{finding.severity.ja}）を事務局の外に出すには、先に{need}が要ります / "
        "a named person has to confirm it first, and 要指示 needs the company's explanation"
    )
