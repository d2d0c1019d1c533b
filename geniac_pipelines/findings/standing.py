"""What people decided about a finding, and what may therefore leave the secretariat.

Everything here is a pure function of a finding and the decisions about findings. A decision
belongs to one episode: what was confirmed or explained before a finding reopened says nothing
about the new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from geniac_pipelines.audiences import SECRETARIAT
from geniac_pipelines.findings.model import Finding, Severity
from geniac_pipelines.store.decisions import Act, Decision

KIND = "finding"
"""`subject_kind` of decisions about findings; their subject is the finding's id."""


class Standing(StrEnum):
    """Whose word a finding is."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    OVERRIDDEN = "overridden"

    @property
    def ja(self) -> str:
        return {
            "unconfirmed": "機械判定（未確認）",
            "confirmed": "確認済み",
            "disputed": "異議あり",
            "overridden": "人の判断で変更",
        }[self.value]


_STANDING = {
    Act.CONFIRM: Standing.CONFIRMED,
    Act.DISPUTE: Standing.DISPUTED,
    Act.OVERRIDE: Standing.OVERRIDDEN,
}


def standing(finding: Finding, decisions: Iterable[Decision]) -> Standing:
    """The last word on it. Only for the severity that was confirmed does a confirmation hold."""
    found = Standing.UNCONFIRMED
    for decision in about(finding, decisions):
        if decision.act is Act.CONFIRM and not _covers(decision, finding):
            found = Standing.UNCONFIRMED
        else:
            found = _STANDING.get(decision.act, found)
    return found


def explained(finding: Finding, decisions: Iterable[Decision]) -> bool:
    """Whether the company's explanation of this episode is on record."""
    return any(d.act is Act.EXPLAIN for d in about(finding, decisions))


def releasable(finding: Finding, decisions: Iterable[Decision]) -> bool:
    """Whether it may be shown to anybody but the secretariat.

    A machine's judgement may not, until a named person has confirmed it; 要指示 needs the company's
    explanation besides. Who may show it to METI and NEDO still has to release it: `released`.
    """
    decisions = tuple(decisions)
    if standing(finding, decisions) is not Standing.CONFIRMED:
        return False
    return finding.severity is not Severity.ACT or explained(finding, decisions)


def released(finding: Finding, decisions: Iterable[Decision], audience: str) -> bool:
    """Whether this audience may see it: the secretariat always, others after a named person's
    release for them, as long as it is `releasable`."""
    if audience == SECRETARIAT:
        return True
    decisions = tuple(decisions)
    return releasable(finding, decisions) and any(
        d.act is Act.RELEASE and d.details.get("audience") == audience
        for d in about(finding, decisions)
    )


def about(finding: Finding, decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Those on this finding and episode, in order."""
    mine = (
        d
        for d in decisions
        if d.subject_kind == KIND
        and d.subject == finding.id
        and d.details.get("episode") == finding.episode
    )
    return tuple(sorted(mine, key=lambda d: d.decision))


def _covers(confirmation: Decision, finding: Finding) -> bool:
    said = confirmation.details.get("severity")
    return said in list(Severity) and Severity(said).rank >= finding.severity.rank
