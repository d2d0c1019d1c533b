"""What the alerts need to know of a night, read from its warehouse."""

from __future__ import annotations

from datetime import date
from typing import Any

from geniac_pipelines.alerts.rows import Company, Correction, Delivered, Handed, Submission
from geniac_pipelines.alerts.timetable import days_late
from geniac_pipelines.store.arrivals import RefusalRecord
from geniac_pipelines.store.warehouse import rows

REGISTER = """
select organisation_id, name_ja, name_en, contact_email
from staging.stg_programme__organisations
order by organisation_id
"""

SUBMISSIONS = """
select company_id, month, kind, due_on, status
from marts.fct_gpu_usage__submissions
order by due_on, company_id, kind
"""

CORRECTIONS = """
select
    deliveries.company_id, deliveries.arrival_id, deliveries.file_name,
    deliveries.sha256, deliveries.received_at, deliveries.row_count,
    refusals.code, refusals.costs,
    refusals.sheet, refusals.line, refusals.column, refusals.cell,
    refusals.ja, refusals.ja_remedy, refusals.en, refusals.en_remedy
from ledger.refusals as refusals
inner join marts.fct_programme__deliveries as deliveries
    on refusals.arrival_id = deliveries.arrival_id
where refusals.costs != 'nothing' and deliveries.company_id is not null
order by deliveries.received_at, deliveries.arrival_id, refusals.number
"""

KIND_EN = {
    "月次利用報告（利用量）": "monthly report (usage)",
    "月次利用報告（進捗・課題・改善案）": "monthly report (progress, problems, improvements)",
    "ジョブ実行記録": "scheduler accounting",
    "利用実施計画": "usage plan",
}


def register(warehouse: Any) -> list[Company]:
    """Every organisation of the register, with the address that letters to it go to.

    The address stands in no mart, so that no report can print it.
    """
    return [
        Company(r["organisation_id"], r["name_ja"], r["name_en"], contact=r["contact_email"])
        for r in rows(warehouse, REGISTER)
    ]


def submissions(warehouse: Any, as_of: date) -> list[Submission]:
    """Everything that companies owe up to `as_of`, with where it stands."""
    return [
        Submission(
            company_id=r["company_id"],
            what=r["kind"],
            what_en=KIND_EN[r["kind"]],
            period=f"{r['month']:%Y-%m}",
            due=r["due_on"],
            state=_state(r["status"], r["due_on"], as_of),
        )
        for r in rows(warehouse, SUBMISSIONS)
    ]


def corrections(warehouse: Any) -> list[Correction]:
    """The places that companies have to correct or to confirm, oldest delivery first."""
    return [
        Correction(
            company_id=r["company_id"],
            delivered=Delivered(
                r["arrival_id"], r["file_name"], r["sha256"], r["received_at"], r["row_count"]
            ),
            refusal=RefusalRecord(**{n: r[n] for n in RefusalRecord.__dataclass_fields__}),
        )
        for r in rows(warehouse, CORRECTIONS)
    ]


def _state(status: str, due: date, as_of: date) -> Handed:
    if not status.startswith("未着"):
        return Handed.RECEIVED
    return Handed.MISSING if days_late(due, as_of) > 0 else Handed.EXPECTED
