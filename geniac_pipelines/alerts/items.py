"""Findings as items of the digest: in full where they are news, in one line where they are known.

Not here: which of them are news, and in which order they stand (`digest`).
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from geniac_pipelines.alerts.grouping import whose
from geniac_pipelines.alerts.rows import Names
from geniac_pipelines.calendar import JST
from geniac_pipelines.findings.model import Finding, State
from geniac_pipelines.findings.standing import Standing, standing
from geniac_pipelines.store.decisions import Decision

SHOWN_SUBJECTS: Final = 10
"""Findings of a group whose numbers are spelled out, where no pattern gives them."""


@dataclass(frozen=True)
class Items:
    """How findings are told: by these names, and as these decisions of people let them stand."""

    names: Names
    decisions: Sequence[Decision]

    def full(self, group: Sequence[Finding]) -> list[str]:
        """Rule, company, what, proposal, and how to confirm; a group is told by its first."""
        finding = group[0]
        evidence = finding.evidence
        if len(group) > 1:
            return self._full_group(group)
        head = [f"・［{finding.severity.ja}］{self.names.rule(finding.rule)}"]
        if finding.company_id is not None:
            head.append(self.names.company(finding.company_id))
        if finding.month:
            head.append(finding.month.ja)
        lines = ["　".join([*head, f"条項 {evidence.clause}"]), f"　内容　　{evidence.message_ja}"]
        if evidence.proposal_ja:
            lines.append(f"　指示案　{evidence.proposal_ja}")
        judged = standing(finding, self.decisions)
        lines.append(f"　判定　　{judged.ja}")
        if judged is Standing.UNCONFIRMED:
            number = shlex.quote(finding.id)
            lines.append(f"　確認　　geniac findings confirm {number} --person 氏名 --reason 理由")
        return lines

    def brief(self, group: Sequence[Finding]) -> str:
        """What, and the number by which it is found again."""
        finding = group[0]
        message = finding.evidence.message_ja
        if len(group) > 1:
            rule = self.names.rule(finding.rule)
            return (
                f"・［{finding.severity.ja}］{rule}　{len(group)}件（{_companies(group)}）　"
                f"例　{message}"
            )
        named = self.names.named(finding.company_id)
        # most messages begin with the company's name
        if finding.company_id is not None and (named is None or named not in message):
            message = f"{self.names.company(finding.company_id)}　{message}"
        state = f"〔{finding.state.ja}〕" if finding.state is State.ACKNOWLEDGED else ""
        stale = ""
        if finding.stale_at is not None:
            day = finding.stale_at.astimezone(JST).date()
            stale = f"〔{day.month}月{day.day}日から判定できず〕"
        return f"・［{finding.severity.ja}］{message}{state}{stale}　{finding.id}"

    def _full_group(self, group: Sequence[Finding]) -> list[str]:
        finding = group[0]
        clauses = "、".join(sorted({f.evidence.clause for f in group}))
        rule = self.names.rule(finding.rule)
        lines = [
            f"・［{finding.severity.ja}］{rule}　{len(group)}件　条項 {clauses}",
            f"　例　　　{finding.evidence.message_ja}",
            *_under("対象　", whose(group, self.names)),
        ]
        proposals = {f.evidence.proposal_ja for f in group}
        if first := finding.evidence.proposal_ja:
            lines.append(f"　指示案　{'（例）' if len(proposals) > 1 else ''}{first}")
        if all(f.subject == f"{f.company_id}/{f.month}" for f in group):
            return [*lines, f"　番号　　{finding.rule}/組織ID/年-月（geniac findings show 番号）"]
        numbers = [f.id for f in group[:SHOWN_SUBJECTS]]
        if rest := len(group) - len(numbers):
            numbers.append(f"ほか {rest}件（geniac findings list）")
        return [*lines, *_under("番号　", numbers)]


def _companies(group: Sequence[Finding]) -> str:
    companies = {f.company_id for f in group}
    return "組織不明" if companies == {None} else f"{len(companies - {None})}組織"


def _under(title: str, texts: Sequence[str]) -> list[str]:
    """The texts below each other, the first behind the title."""
    return [f"　{title if n == 0 else '　　　'}　{text}" for n, text in enumerate(texts)]
