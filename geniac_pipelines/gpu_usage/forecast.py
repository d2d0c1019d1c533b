"""Where each company's use will stand at the end of its plan (利用実施計画), as of each month.

A forecast of month M knows what was recorded up to M's end, so that the report of a closed month
says the same again later unless records were corrected. Here: which days count as observed, what
is compared with what, the phrases. Not here: the mathematics (`geniac_pipelines.stats.forecast`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from geniac_pipelines.calendar import Month, months_between
from geniac_pipelines.stats.forecast import (
    LEVEL,
    MINIMUM,
    RESAMPLES,
    SEED,
    WINDOW,
    NoForecast,
    forecast,
)
from geniac_pipelines.store.warehouse import connect, rows

TABLE: Final = "fct_gpu_usage__plan_forecasts"
PARTS_PER_HOUR: Final = 100_800
"""1/28-GPU seconds in a GPU-hour."""

OVER, WITHIN, UNDER = "計画を超える見込み", "計画どおりもあり得る", "計画を下回る見込み"
NONE = "予測できない"
METHOD: Final = (
    f"直近の記録のある{WINDOW}日（{MINIMUM}日以上）の、営業日と休日それぞれの平均を残りの日に当てはめ、"
    f"7日ごとの循環ブロック・ブートストラップ（{RESAMPLES}回）で累計の{LEVEL:.0%}区間を求める。"
    "記録のない日は0とみなさず除く"
)

_HOURS = pa.decimal128(18, 1)
_COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("company_id", pa.string()),
    ("month", pa.date32()),
    ("plan_version", pa.int64()),
    ("plan_ends_on", pa.date32()),
    ("observed_until", pa.date32()),
    ("observed_days", pa.int64()),
    ("missing_days", pa.int64()),
    ("planned_gpu_hours", _HOURS),
    ("planned_gpu_hours_to_date", _HOURS),
    ("actual_gpu_hours", _HOURS),
    ("forecast_gpu_hours", _HOURS),
    ("low_gpu_hours", _HOURS),
    ("high_gpu_hours", _HOURS),
    ("forecast_percent", pa.decimal128(18, 1)),
    ("verdict", pa.string()),
    ("reason", pa.string()),
    ("method", pa.string()),
    ("level_percent", pa.int64()),
    ("seed", pa.int64()),
    ("_arrivals", pa.list_(pa.string())),
)
SCHEMA: Final = pa.schema(_COLUMNS)
"""Company × month. `actual_gpu_hours` is the allocation up to `observed_until`, `missing_days` how
many days since the first record have none. `forecast`, `low` and `high` are of the plan's whole
period, the actual part included; null with `reason` where there is none."""

PLANS_SQL = """
select
    company_id,
    month,
    plan_version,
    planned_gpu_hours,
    gpu_part_seconds is not null as is_recorded,
    _arrivals
from marts.fct_gpu_usage__plan_months
where planned_gpu_hours is not null
order by company_id, month
"""

DAYS_SQL = """
select company_id, usage_date, gpu_part_seconds, _arrivals
from intermediate.int_gpu_usage__recorded_days
order by company_id, usage_date
"""

AS_OF_SQL = "select as_of from ledger.night"


@dataclass(frozen=True)
class PlanMonth:
    """The current plan's hours for a month. `is_recorded`: scheduler records of it came."""

    month: Month
    version: int
    planned: Decimal
    is_recorded: bool
    arrivals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Day:
    """The allocation of a day that was recorded whole, in 1/28-GPU seconds."""

    day: date
    parts: int
    arrivals: tuple[str, ...] = ()


def write_analyses(warehouse: Path) -> int:
    """Write `marts.fct_gpu_usage__plan_forecasts` into a night's warehouse; returns its rows.

    After dbt, by the night alone: dbt lays the empty table, with its documented contract. Without
    any plan it stays empty.
    """
    with connect(warehouse) as connection:
        as_of: date = rows(connection, AS_OF_SQL)[0]["as_of"]
        plans: dict[str, list[PlanMonth]] = {}
        for row in rows(connection, PLANS_SQL):
            plans.setdefault(row["company_id"], []).append(
                PlanMonth(
                    Month.of(row["month"]),
                    row["plan_version"],
                    row["planned_gpu_hours"],
                    row["is_recorded"],
                    tuple(row["_arrivals"]),
                )
            )
        days: dict[str, list[Day]] = {}
        for row in rows(connection, DAYS_SQL):
            days.setdefault(row["company_id"], []).append(
                Day(row["usage_date"], row["gpu_part_seconds"], tuple(row["_arrivals"]))
            )
        table = plan_forecasts(plans, days, as_of)
        connection.register("forecasts", table)
        connection.execute(
            f"create or replace table marts.{TABLE} as select * from forecasts "
            "order by company_id, month"
        )
    return int(table.num_rows)


def plan_forecasts(
    plans: Mapping[str, Sequence[PlanMonth]], days: Mapping[str, Sequence[Day]], as_of: date
) -> pa.Table:
    """Forecasts (SCHEMA) of every company with a plan, for each month of it up to `as_of`."""
    found = [
        row
        for company in sorted(plans)
        for row in _of_company(company, plans[company], days.get(company, ()), as_of)
    ]
    return pa.Table.from_pylist(found, schema=SCHEMA)


def _of_company(
    company: str, plan: Sequence[PlanMonth], days: Sequence[Day], as_of: date
) -> Iterator[dict[str, Any]]:
    planned = [p for p in plan if p.planned > 0]
    if not planned:
        return
    last = min(max(p.month for p in planned), Month.of(as_of))
    for month in months_between(min(p.month for p in planned), last):
        yield {"company_id": company, "month": month.first} | _of_month(planned, days, month, as_of)


def _of_month(
    plan: Sequence[PlanMonth], days: Sequence[Day], month: Month, as_of: date
) -> dict[str, Any]:
    ends_on = max(p.month for p in plan).last
    in_plan = [d for d in days if d.day <= min(month.last, ends_on) and d.day < as_of]
    total = sum((p.planned for p in plan), Decimal(0))
    row: dict[str, Any] = {
        "plan_version": max(p.version for p in plan),
        "plan_ends_on": ends_on,
        "observed_until": in_plan[-1].day if in_plan else None,
        "missing_days": (in_plan[-1].day - in_plan[0].day).days + 1 - len(in_plan)
        if in_plan
        else None,
        "planned_gpu_hours": _rounded(total),
        "planned_gpu_hours_to_date": _rounded(
            sum((p.planned for p in plan if p.month <= month), Decimal(0))
        ),
        "actual_gpu_hours": _hours(sum(d.parts for d in in_plan)) if in_plan else None,
        "method": METHOD,
        "level_percent": round(LEVEL * 100),
        "seed": SEED,
        "_arrivals": sorted(
            {a for p in plan for a in p.arrivals} | {a for d in in_plan for a in d.arrivals}
        ),
    }
    try:
        return row | _numbers(plan, in_plan, month, ends_on, total)
    except NoForecast as refusal:
        return row | {"verdict": NONE, "reason": refusal.reason_ja}


def _numbers(
    plan: Sequence[PlanMonth], known: Sequence[Day], month: Month, ends_on: date, total: Decimal
) -> dict[str, Any]:
    """Forecast, interval and phrase; raises NoForecast."""
    until = known[-1].day if known else None
    seen = Month.of(until) if until else month
    gaps = [p.month for p in plan if p.month <= seen and not p.is_recorded]
    if gaps:
        raise NoForecast(
            f"no records of {gaps[0]}",
            f"{gaps[0].ja}のジョブ実行記録がなく、実績の累計が分かりません",
        )
    actual = sum(d.parts for d in known)
    if until == ends_on:
        low = middle = high = Decimal(actual) / PARTS_PER_HOUR
        observed = 0
    else:
        first = until + timedelta(days=1) if until else month.first
        found = forecast({d.day: float(d.parts) for d in known}, first, ends_on)
        low, middle, high = (
            Decimal(actual + round(part)) / PARTS_PER_HOUR
            for part in (found.low, found.total, found.high)
        )
        observed = found.observed_days
    return {
        "observed_days": observed,
        "forecast_gpu_hours": _rounded(middle),
        "low_gpu_hours": _rounded(low),
        "high_gpu_hours": _rounded(high),
        "forecast_percent": _rounded(100 * middle / total),
        "verdict": OVER if low > total else UNDER if high < total else WITHIN,
        "reason": None,
    }


def _hours(parts: int) -> Decimal:
    return _rounded(Decimal(parts) / PARTS_PER_HOUR)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"))
