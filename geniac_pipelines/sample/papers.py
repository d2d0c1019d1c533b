"""What the workbooks say and when they come: registers, plans, contracts, monthly reports.

Each paper is kept as data (`Plan`, `Report`) beside its file, so that the truth can be told
without reading any workbook. Faults that are planted in a paper stand in its `faults`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from geniac_pipelines.calendar import Month, add_business_days, era_year, months_between
from geniac_pipelines.gpu_usage.contracts import (
    COMPUTE_CONTRACTS,
    MONTHLY_NOTES,
    MONTHLY_USAGE,
    PLANS,
)
from geniac_pipelines.gpu_usage.workbooks import CONTRACT_WORKBOOK, MONTHLY_WORKBOOK, PLAN_WORKBOOK
from geniac_pipelines.intake.template import Rows, WorkbookTemplate
from geniac_pipelines.programme.contracts import CLUSTER_ACCOUNTS, ORGANISATIONS
from geniac_pipelines.programme.workbooks import ORGANISATIONS_WORKBOOK
from geniac_pipelines.sample.feeds import CORRECTION_RECEIVED
from geniac_pipelines.sample.inbox import SECRETARIAT
from geniac_pipelines.sample.jobs import gpu_hours
from geniac_pipelines.sample.model import (
    LAST_MONTH,
    Company,
    Run,
    Trait,
    epoch,
    randomness,
)
from geniac_pipelines.sample.workbooks import Manner

UNDERSTATED: Final = 0.70
CONTRADICTS_FROM: Final = LAST_MONTH.previous()
_BAD_MONTH: Final = LAST_MONTH.previous()
_MANNERS: Final = {1: Manner.OFFICE, 3: Manner.PLAIN}
"""By the remainder of a company's index by six. Nobody whose cells are spoilt is an office: where a
fault stands is told for sheets whose headings are in the first row."""
_PURPOSES: Final = ("継続事前学習", "事前学習", "指示追従学習と評価", "行動生成モデルの学習")
_PROGRESS: Final = (
    "学習は計画どおり進んでいる", "評価用データの整備が終わった", "学習の中間評価で目標を上回った",
    "学習の第2段階に入った",
)  # fmt: skip
_PROBLEMS: Final = (
    ("ノード障害で学習が2回中断した", "チェックポイントの保存間隔を短くする"),
    ("データ読み込みが遅くGPUが待つ時間がある", "前処理を別ノードに移す"),
    ("損失が発散し学習をやり直した", "学習率の予熱期間を延ばす"),
    ("待ち行列が長く小さな評価が進まない", "評価用の区画を分ける"),
)


@dataclass(frozen=True)
class Fault:
    """A cell that can't be taken: sheet, row (the header is row 1), header of the column."""

    kind: str
    costs: str
    sheet: str
    row: int
    column: str
    cell: str


@dataclass(frozen=True)
class Plan:
    """One version of a 利用実施計画: (month, GPU type) → (GPU-hours, yen)."""

    version: int
    lines: Mapping[tuple[Month, str], tuple[int, int]]


@dataclass(frozen=True)
class Report:
    """A monthly report as far as it can be read: GPU-tenths-of-hours and yen by GPU type."""

    month: Month
    tenths: Mapping[str, int]
    jpy: Mapping[str, int | None]
    note_numbers: tuple[int, ...]


@dataclass(frozen=True)
class Paper:
    """A workbook to hand in, with what of it the truth must know; `rows` by contract."""

    folder: str
    name: str
    channel: str
    received_at: int
    form: WorkbookTemplate
    rows: Mapping[str, Rows]
    company: Company | None = None
    plan: Plan | None = None
    contracts: bool = False
    report: Report | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def manner(self) -> Manner:
        """Most fill in the template, the secretariat among them."""
        if self.company is None:
            return Manner.TEMPLATE
        return _MANNERS.get(self.company.index % 6, Manner.TEMPLATE)


def papers(
    companies: Sequence[Company], runs: Sequence[Run], first: Month, seed: int
) -> Iterator[Paper]:
    """Every workbook of the sample."""
    own_runs: dict[str, list[Run]] = {}
    for run in runs:
        own_runs.setdefault(run.company, []).append(run)
    yield _register(companies, first)
    for company in companies:
        own = own_runs.get(company.organisation_id, [])
        yield _contract_paper(company, first)
        yield from _plans(company, own, first, seed)
        yield from _reports(company, own, first, seed)


def _register(companies: Sequence[Company], first: Month) -> Paper:
    organisations = [
        {
            "register": "採択事業者" if "懸賞" not in company.segment else "懸賞計算資源",
            "organisation_id": company.organisation_id,
            "name_ja": company.name_ja,
            "name_en": company.name_en,
            "corporate_number": company.corporate_number,
            "segment": company.segment,
            "cohort": company.cohort,
            "support_from": company.support_from,
            "support_to": company.support_to,
            "contact_email": company.contact,
        }
        for company in companies
    ]
    accounts = [
        {"cluster": c.cluster, "account": account, "organisation_id": c.organisation_id}
        for c in companies
        if Trait.SHARED_CLUSTER in c.traits
        for account in c.accounts
    ]
    return Paper(
        SECRETARIAT,
        "参加組織台帳.xlsx",
        "portal",
        epoch(first.first - timedelta(days=7), 10, 12),
        ORGANISATIONS_WORKBOOK,
        {ORGANISATIONS.name: organisations, CLUSTER_ACCOUNTS.name: accounts},
    )


def _contract_paper(company: Company, first: Month) -> Paper:
    rows = [
        {
            "contract_number": c.number,
            "provider": c.provider,
            "gpu_type": c.gpu_type,
            "gpu_count": c.gpu_count,
            "unit_price_jpy": c.unit_price_jpy,
            "starts_on": c.starts_on,
            "ends_on": c.ends_on,
        }
        for c in company.contracts
    ]
    return Paper(
        company.organisation_id,
        "計算資源契約.xlsx",
        "mail",
        epoch(first.first - timedelta(days=5), 11, company.index % 60),
        CONTRACT_WORKBOOK,
        {COMPUTE_CONTRACTS.name: rows},
        company,
        contracts=True,
    )


def _plans(company: Company, own: Sequence[Run], first: Month, seed: int) -> Iterator[Paper]:
    rng = randomness(seed, "plan", company.index)
    months = list(months_between(first, Month.of(company.support_to)))
    astray = {Trait.OVER_PLAN, Trait.UNDER_PLAN} & company.traits
    lines: dict[tuple[Month, str], tuple[int, int]] = {}
    for month in months:
        for contract in company.contracts:
            days = (min(month.last, contract.ends_on) - month.first).days + 1
            available = contract.gpu_count * 24 * days
            # plans prove right, but for those who plan far beside what they come to do
            meant = available * company.plan_share
            if month <= LAST_MONTH and not astray:
                meant = gpu_hours(own, company, month, contract.gpu_type)
            # a plan that ends within the sample is not used up: the fault is what comes after
            low = 1.01 if Trait.AFTER_PERIOD in company.traits else 0.94
            hours = min(round(meant * rng.uniform(low, 1.06) / 10) * 10, available)
            lines[month, contract.gpu_type] = hours, hours * contract.unit_price_jpy
    purpose = _PURPOSES[3 if "ロボット" in company.segment else company.index % 3]
    received = epoch(first.first - timedelta(days=4), 13, company.index % 60)
    yield _plan_paper(company, Plan(1, lines), purpose, received)
    revised_on = _revised_on(company, first)
    if revised_on is None:
        return
    factor = rng.choice((0.92, 1.15))
    prices = {c.gpu_type: c.unit_price_jpy for c in company.contracts}
    priced = {}
    for (month, gpu_type), (planned, _) in lines.items():
        hours = round(planned * factor / 10) * 10 if month >= LAST_MONTH else planned
        priced[month, gpu_type] = hours, hours * prices[gpu_type]
    received = epoch(revised_on, 15, company.index % 60)
    yield _plan_paper(company, Plan(2, priced), purpose + "（改訂）", received)


def _revised_on(company: Company, first: Month) -> date | None:
    """Some revise before the closing of the last month but one, some after it."""
    if {Trait.OVER_PLAN, Trait.UNDER_PLAN} & company.traits:
        return None
    if company.index % 7 == 3:
        return max(date(2026, 8, 20), first.first)
    if company.index % 5 == 2:
        return date(2026, 9, 15)
    return None


def _plan_paper(company: Company, plan: Plan, purpose: str, received_at: int) -> Paper:
    rows = [
        {
            "plan_version": plan.version,
            "month": month,
            "gpu_type": gpu_type,
            "planned_gpu_hours": hours,
            "planned_jpy": jpy,
            "purpose": purpose,
        }
        for (month, gpu_type), (hours, jpy) in plan.lines.items()
    ]
    return Paper(
        company.organisation_id,
        f"利用実施計画_第{plan.version}版.xlsx",
        "mail" if company.index % 2 else "portal",
        received_at,
        PLAN_WORKBOOK,
        {PLANS.name: rows},
        company,
        plan=plan,
    )


def _reports(company: Company, own: Sequence[Run], first: Month, seed: int) -> Iterator[Paper]:
    """A report for each month of the support period, in the first business days of the next."""
    rng = randomness(seed, "reports", company.index)
    regular = [run for run in own if not run.hidden]
    for month in support_months(company, first):
        day = add_business_days(month.last, rng.randint(1, 3))
        received = epoch(day, rng.randint(9, 17), rng.randint(0, 59), rng.randint(0, 59))
        notes = _notes(company, month, seed)
        if Trait.MISSING_REPORT in company.traits and month == LAST_MONTH:
            continue
        if Trait.LATE_REPORT in company.traits and month == LAST_MONTH.previous():
            received = epoch(date(2026, 9, 14), 17, 41, 8)
        # by the last month's report the company had found what its accounting left out
        known = own if month == LAST_MONTH else regular
        yield _report(company, known, month, received, notes=notes)
        if Trait.LATE_CORRECTION in company.traits and month == LAST_MONTH.previous():
            yield _report(
                company, own, month, CORRECTION_RECEIVED + 300, notes=notes, suffix="_訂正"
            )


def support_months(company: Company, first: Month) -> Iterator[Month]:
    """The months of the sample for which the company owes reports."""
    return months_between(first, min(LAST_MONTH, Month.of(company.support_to)))


def _notes(company: Company, month: Month, seed: int) -> list[dict[str, Any]]:
    rng = randomness(seed, "notes", company.index, month)
    rows: list[dict[str, Any]] = [{"kind": "進捗", "body": rng.choice(_PROGRESS)}]
    if rng.random() < 0.6:
        problem, remedy = rng.choice(_PROBLEMS)
        rows.append({"kind": "課題", "body": problem})
        due = month.last + timedelta(days=rng.randint(14, 45))
        rows.append({"kind": "改善案", "body": remedy, "due": due, "owner_role": "基盤担当"})
    cell = _month_cell(company, month)
    return [{"month": cell, "note_number": n, **row} for n, row in enumerate(rows, start=1)]


def _month_cell(company: Company, month: Month) -> Month | str:
    """Most type a date; some write the month out, in western or in Japanese years."""
    if company.index % 6 == 4:
        return month.ja
    if company.index % 6 == 5:
        return f"{era_year(month.first)}{month.month}月"
    return month


def _report(
    company: Company,
    runs: Sequence[Run],
    month: Month,
    received_at: int,
    *,
    notes: list[dict[str, Any]],
    suffix: str = "",
) -> Paper:
    share = 1.0
    if Trait.CONTRADICTS in company.traits and month >= CONTRADICTS_FROM:
        share = UNDERSTATED
    tenths: dict[str, int] = {}
    jpy: dict[str, int | None] = {}
    for contract in company.contracts:
        hours = gpu_hours(runs, company, month, contract.gpu_type) * share
        tenths[contract.gpu_type] = round(hours * 10)
        # the newest month's invoice is often not there yet
        open_yet = month == LAST_MONTH and company.index % 3 == 0
        days = (min(month.last, contract.ends_on) - month.first).days + 1
        full = contract.gpu_count * 24 * days * contract.unit_price_jpy
        jpy[contract.gpu_type] = None if open_yet else full
    usage: list[dict[str, Any]] = [
        {
            "month": _month_cell(company, month),
            "gpu_type": gpu_type,
            "reported_gpu_hours": tenth / 10,
            "reported_jpy": jpy[gpu_type],
        }
        for gpu_type, tenth in tenths.items()
    ]
    faults = _spoil(company, month, usage, notes)
    lost_rows = {(f.sheet, f.row) for f in faults if f.costs == "row"}
    lost_types = {
        str(usage[row - 2]["gpu_type"]) for sheet, row in lost_rows if sheet == MONTHLY_USAGE.ja
    }
    report = Report(
        month,
        {t: v for t, v in tenths.items() if t not in lost_types},
        {t: v for t, v in jpy.items() if t not in lost_types},
        tuple(
            int(note["note_number"])
            for row, note in enumerate(notes, start=2)
            if (MONTHLY_NOTES.ja, row) not in lost_rows
        ),
    )
    return Paper(
        company.organisation_id,
        f"月次利用報告_{month}{suffix}.xlsx",
        "mail" if company.index % 2 == 0 else "portal",
        received_at,
        MONTHLY_WORKBOOK,
        {MONTHLY_USAGE.name: usage, MONTHLY_NOTES.name: notes},
        company,
        report=report,
        faults=faults,
    )


def _spoil(
    company: Company, month: Month, usage: list[dict[str, Any]], notes: list[dict[str, Any]]
) -> tuple[Fault, ...]:
    """Plant the faults of a careless hand into one month's rows (changed in place)."""
    if month != _BAD_MONTH:
        return ()
    if Trait.BAD_WORKBOOK in company.traits:
        usage[0]["reported_gpu_hours"] = "約3万程度"
        notes[0]["month"] = "2026年13月"
        return (
            Fault("number-unreadable", "row", MONTHLY_USAGE.ja, 2, "利用GPU時間", "約3万程度"),
            Fault("month-unreadable", "row", MONTHLY_NOTES.ja, 2, "対象月", "2026年13月"),
        )
    if Trait.HALF_EMPTY in company.traits:
        usage[0]["reported_gpu_hours"] = None
        notes[0]["body"] = None
        notes.append({"month": _month_cell(company, month), "note_number": len(notes) + 1})
        last = len(notes) + 1
        return (
            Fault("required-empty", "row", MONTHLY_USAGE.ja, 2, "利用GPU時間", ""),
            Fault("required-empty", "row", MONTHLY_NOTES.ja, 2, "内容", ""),
            Fault("required-empty", "row", MONTHLY_NOTES.ja, last, "種別", ""),
            Fault("required-empty", "row", MONTHLY_NOTES.ja, last, "内容", ""),
        )
    return ()
