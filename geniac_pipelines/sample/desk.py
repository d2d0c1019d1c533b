"""What the sample's secretariat decides on a month's findings before that month is closed.

Some are confirmed, one is 要指示 that its company explained, one is contested, and some nobody has
looked at yet, so that a report shows them all. Not here: how a decision is recorded (`findings`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from geniac_pipelines.calendar import Month
from geniac_pipelines.findings import desk
from geniac_pipelines.findings.model import Finding
from geniac_pipelines.sample.model import Company, Trait
from geniac_pipelines.sample.organisations import SECRETARIAT_PERSON
from geniac_pipelines.store.decisions import Act
from geniac_pipelines.store.ledger import Ledger

_ACTS: Final[dict[Act, Callable[..., Finding]]] = {
    Act.CONFIRM: desk.confirm,
    Act.EXPLAIN: desk.explain,
    Act.DISPUTE: desk.dispute,
}


@dataclass(frozen=True)
class Word:
    """What is decided on all findings of whoever bears a trait, and why."""

    trait: Trait
    act: Act
    reason: str


WORDS: Final = (
    Word(
        Trait.CHRONIC_IDLE,
        Act.EXPLAIN,
        "学習データの前処理が遅れ、確保したGPUの大半が待っていた。9月中に前処理を終え、"
        "使わないGPUは返却するとの説明を受けた",
    ),
    Word(
        Trait.CHRONIC_IDLE,
        Act.CONFIRM,
        "テレメトリとジョブ実行記録を突き合わせ、割当の大半が動いていないことを確かめた",
    ),
    Word(Trait.OVER_PLAN, Act.CONFIRM, "計画書とジョブ実行記録を突き合わせ、超過を確かめた"),
    Word(Trait.SOME_IDLE, Act.CONFIRM, "ジョブの終わりの後もGPUが確保されていることを確かめた"),
    Word(
        Trait.CONTRADICTS,
        Act.DISPUTE,
        "障害で止まった時間を申告から除いたとの申し出があり、提供事業者の記録と照合している",
    ),
)


def decide(
    ledger: Ledger,
    companies: Iterable[Company],
    month: Month,
    at: datetime,
    words: Sequence[Word] = WORDS,
) -> tuple[Finding, ...]:
    """Put the words on the month's findings on record; returns what was decided on, in order.

    Whatever is on record already is not decided again.
    """
    bearers = tuple(companies)
    decided: list[Finding] = []
    for word in words:
        for company in (c for c in bearers if word.trait in c.traits):
            subject = f"{company.organisation_id}/{month}"
            for listed in desk.listing(ledger, company=company.organisation_id):
                finding = listed.finding
                if finding.subject == subject and not _is_on_record(ledger, finding, word.act):
                    decided.append(
                        _ACTS[word.act](
                            ledger, finding.id, person=SECRETARIAT_PERSON, reason=word.reason, at=at
                        )
                    )
    return tuple(decided)


def _is_on_record(ledger: Ledger, finding: Finding, act: Act) -> bool:
    return any(decision.act is act for decision in desk.card(ledger, finding.id).decisions)
