"""The small programme that the tests of marts share: each company has one thing about it.

All of September 2026, as of 5 October. Every company has 8 H100 under contract, 192 GPU-hours a
day, 5,760 in September, unless its line says otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from geniac_pipelines.calendar import JST
from geniac_pipelines.gpu_usage.contracts import (
    COMPUTE_CONTRACTS,
    MONTHLY_NOTES,
    MONTHLY_USAGE,
    PLANS,
    SACCT_JOBS,
)
from geniac_pipelines.programme.contracts import ORGANISATIONS
from tests.warehouse.build import Arrived, Decided

AS_OF = date(2026, 10, 5)
SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
SEPTEMBER_DAYS = [SEPTEMBER + timedelta(days=n) for n in range(30)]
MODEL = "NVIDIA H100 80GB HBM3"
HOUR = 3600

COMPANIES = {
    "sound": "領域特化モデル開発",
    "over": "領域特化モデル開発",
    "spent": "領域特化モデル開発",
    "idle": "領域特化モデル開発",
    "dark": "領域特化モデル開発",
    "partly": "領域特化モデル開発",
    "weekly": "領域特化モデル開発",
    "after": "領域特化モデル開発",
    "sliced": "ロボット基盤モデル開発",
    "reports": "領域特化モデル開発",
}


def jst(text: str) -> datetime:
    """An instant from wall-clock time in Japan."""
    return datetime.fromisoformat(text).replace(tzinfo=JST).astimezone(UTC)


def job(
    number: int,
    start: str,
    end: str | None,
    gres: str = "h100=8",
    *,
    state: str = "COMPLETED",
    submit: str | None = None,
    account: str = "research",
) -> dict[str, Any]:
    """A run of a job; times are wall-clock time in Japan."""
    submitted = jst(submit or start)
    return {
        "cluster": "c1",
        "job_id": str(number),
        "run_key": submitted,
        "submitted_at": submitted,
        "account": account,
        "state": state,
        "started_at": jst(start),
        "ended_at": jst(end) if end else None,
        "gres_allocated": gres,
        "gpu_count": sum(int(e.split("=")[1]) for e in gres.split(",")),
    }


def whole_september(number: int = 1, gres: str = "h100=8") -> dict[str, Any]:
    """8 GPUs × 24 hours × 30 days = 5,760 GPU-hours."""
    return job(number, "2026-09-01 00:00", "2026-10-01 00:00", gres)


def plan(version: int, **months: float) -> list[dict[str, Any]]:
    """Planned GPU-hours by month, written m2026_09=…"""
    return [
        {
            "plan_version": version,
            "month": date(int(name[1:5]), int(name[6:8]), 1),
            "gpu_type": "H100",
            "planned_gpu_hours": hours,
            "purpose": "継続事前学習",
        }
        for name, hours in months.items()
    ]


def contract(starts_on: date = SEPTEMBER, ends_on: date = date(2027, 3, 31)) -> dict[str, Any]:
    return {
        "contract_number": "C-1",
        "provider": "提供者",
        "gpu_type": "H100",
        "gpu_count": 8,
        "unit_price_jpy": 500,
        "starts_on": starts_on,
        "ends_on": ends_on,
    }


def telemetry(
    company: str,
    *,
    active_hours: int,
    idle_hours: int,
    sm: float = 0.5,
    watts: int = 500,
    gpus: int = 8,
    days: Sequence[date] = SEPTEMBER_DAYS,
) -> Iterator[dict[str, Any]]:
    """Facts of whole GPUs, every day alike. `sm` and `watts` are means over the covered time."""
    covered = (active_hours + idle_hours) * HOUR
    for day in days:
        for gpu in range(gpus):
            yield gpu_day(
                company,
                f"GPU-{gpu}",
                day,
                active=active_hours * HOUR,
                idle=idle_hours * HOUR,
                sm_seconds=covered,
                sm_e6=round(sm * 1_000_000) * covered,
                watts=watts,
            )


def gpu_day(
    company: str,
    uuid: str,
    day: date,
    *,
    active: int,
    idle: int,
    sm_seconds: int = 0,
    sm_e6: int | None = None,
    watts: int = 500,
    mig: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Facts of one GPU or MIG slice (`mig`: id, profile) and day."""
    covered = active + idle
    mig_id, profile = mig or ("", None)
    return {
        "company_id": company,
        "gpu_uuid": uuid,
        "mig_id": mig_id,
        "mig_profile": profile,
        "day": day,
        "hours": 24,
        "gpu_model": MODEL,
        "covered_seconds": covered,
        "active_seconds": active,
        "idle_seconds": idle,
        "unknown_seconds": 0,
        "sm_active_seconds": sm_seconds,
        "sm_active_e6_seconds": sm_e6,
        "tensor_active_seconds": 0,
        "power_seconds": covered,
        "power_e6_seconds": watts * 1_000_000 * covered,
        "energy_seconds": covered,
        "energy_mj": watts * 1_000 * covered,
    }


def organisations() -> list[dict[str, Any]]:
    ended = {"after": date(2026, 8, 31)}
    begun = {"after": date(2026, 4, 1)}
    return [
        {
            "register": "main",
            "organisation_id": company,
            "name_ja": f"{company}株式会社",
            "segment": segment,
            "support_from": begun.get(company, SEPTEMBER),
            "support_to": ended.get(company, date(2027, 3, 31)),
        }
        for company, segment in COMPANIES.items()
    ]


def usage(hours: float) -> list[dict[str, Any]]:
    return [{"month": SEPTEMBER, "gpu_type": "H100", "reported_gpu_hours": hours}]


def _sent(company: str, what: Mapping[Any, Sequence[Mapping[str, Any]]]) -> Iterator[Arrived]:
    for contract_, rows in what.items():
        yield Arrived(
            f"{company}-{contract_.name.split('__')[1]}"[:20],
            company,
            datetime(2026, 10, 2, tzinfo=UTC),
            {contract_: rows},
        )


def arrivals() -> list[Arrived]:
    whole = {SACCT_JOBS: [whole_september()], COMPUTE_CONTRACTS: [contract()]}
    fitting = plan(1, m2026_09=5760, m2026_10=5760)
    first, second = (datetime(2026, 9, d, tzinfo=UTC) for d in (1, 20))
    return [
        Arrived("register", "_secretariat", first, {ORGANISATIONS: organisations()}),
        # its plan was revised: version 1 no longer counts
        Arrived("sound-plan-1", "sound", first, {PLANS: plan(1, m2026_09=1000, m2026_12=500)}),
        Arrived("sound-plan-2", "sound", second, {PLANS: plan(2, m2026_09=5800, m2026_10=5800)}),
        Arrived("sound-gpus", "sound", second, telemetry_days=SEPTEMBER_DAYS),
        *_sent("sound", {**whole, MONTHLY_USAGE: usage(5760)}),
        # 4 GPUs for 15 days: 4 × 24 × 15 = 1,440 GPU-hours on a plan of 1,000
        *_sent(
            "over",
            {
                SACCT_JOBS: [job(1, "2026-09-01 00:00", "2026-09-16 00:00", "h100=4")],
                COMPUTE_CONTRACTS: [contract()],
                PLANS: plan(1, m2026_09=1000, m2026_10=9000),
            },
        ),
        # the same use, and 1,000 is all that was ever planned
        *_sent(
            "spent",
            {
                SACCT_JOBS: [job(1, "2026-09-01 00:00", "2026-09-16 00:00", "h100=4")],
                COMPUTE_CONTRACTS: [contract()],
                PLANS: plan(1, m2026_09=1000),
                MONTHLY_NOTES: [
                    {"month": SEPTEMBER, "note_number": 1, "kind": "説明", "body": "再学習のため"}
                ],
            },
        ),
        *_sent("idle", {**whole, PLANS: fitting}),
        *_sent("dark", {**whole, PLANS: fitting}),
        *_sent("partly", {**whole, PLANS: fitting}),
        *_sent("weekly", {**whole, PLANS: fitting}),
        # support ended on 31 August; 4 GPUs for 2 days of September are 192 GPU-hours
        *_sent(
            "after",
            {
                SACCT_JOBS: [job(1, "2026-09-10 00:00", "2026-09-12 00:00", "h100=4")],
                COMPUTE_CONTRACTS: [contract(date(2026, 4, 1))],
                PLANS: plan(1, m2026_04=100),
            },
        ),
        *_sent(
            "sliced",
            {
                SACCT_JOBS: [
                    # 2 whole H100 and 3 slices of 1/7 for 7 hours over midnight:
                    # (2 + 3/7) × 7 = 17 GPU-hours, 3/7 of them before midnight
                    job(1, "2026-09-03 21:00", "2026-09-04 04:00", "1g.10gb=3,h100=2"),
                    # requeued: two runs of one number, 1 hour and 2 hours of one GPU
                    job(2, "2026-09-05 01:00", "2026-09-05 02:00", "h100=1", state="PREEMPTED"),
                    job(
                        2, "2026-09-05 03:00", "2026-09-05 05:00", "h100=1",
                        submit="2026-09-05 02:30",
                    ),
                ],
                COMPUTE_CONTRACTS: [contract()],
            },
        ),
        # 5,000 reported beside 5,760 allocated: 760 / 5,760 = 13.19 %
        *_sent("reports", {**whole, PLANS: fitting, MONTHLY_USAGE: usage(5000)}),
        Arrived(
            "stranger-jobs", "stranger", second,
            {SACCT_JOBS: [job(9, "2026-09-01 00:00", "2026-09-01 10:00", "h100=1")]},
        ),
        Arrived(
            "riddle", "dark", second, outcome="unknown", format=None, name="dark/memo.bin"
        ),
    ]  # fmt: skip


def gpu_days() -> list[dict[str, Any]]:
    slices = [
        gpu_day(
            "sliced", "GPU-m", date(2026, 9, 3),
            active=12 * HOUR, idle=12 * HOUR, watts=200, mig=(str(n), "1g.10gb"),
        )
        for n in (7, 8, 9)
    ]  # fmt: skip
    return [
        *telemetry("sound", active_hours=20, idle_hours=4),
        *telemetry("idle", active_hours=6, idle_hours=18, sm=0.2, watts=200),
        # 9 of 24 hours are measured, all of them idle
        *telemetry("partly", active_hours=0, idle_hours=9),
        # one week measured whole, and idle
        *telemetry("weekly", active_hours=0, idle_hours=24, days=SEPTEMBER_DAYS[:7]),
        *slices,
    ]


def decisions() -> list[Decided]:
    return [
        Decided("spent/2026-09", "confirm", {"verdict": "要指示"}),
        Decided("over/2026-09", "override", {"verdict": "適正"}, reason="計画の改訂を受理済み"),
        # what was confirmed is no longer what the machine says
        Decided("idle/2026-09", "confirm", {"verdict": "要確認"}),
        # on findings, as `geniac findings` does; two rules of 要指示 were found, each explained
        Decided("outside_support/after/2026-09", "confirm", {"severity": "act"}, kind="finding"),
        Decided("outside_support/after/2026-09", "explain", {"severity": "act"}, kind="finding"),
        Decided("over_plan_total/after/2026-09", "explain", {"severity": "act"}, kind="finding"),
        Decided(
            "self_report_differs/reports/2026-09", "confirm", {"severity": "watch"}, kind="finding"
        ),
    ]
