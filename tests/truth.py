"""Pairs of what must be equal: the sample's truth, and what a programme's warehouse says.

The truth never passed through a reader or SQL. `COMPARISONS` by name; each takes the programme and
"closing" or "nightly" and returns (expected, found), both of them with something in them.
"""

import csv
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from geniac_pipelines.store.warehouse import connect, rows

DAYS = {"closing": "2026-09-07", "nightly": "2026-10-05"}
Pair = tuple[dict[Any, Any], dict[Any, Any]]


def truth(programme, kind: str, name: str) -> list[dict[str, str]]:
    with (programme.truth / DAYS[kind] / f"{name}.csv").open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def mart(programme, kind: str, sql: str) -> list[dict]:
    with connect(programme.warehouse(kind), read_only=True) as connection:
        return rows(connection, sql)


def usage_days(programme, kind) -> Pair:
    """By company, day and GPU type, to the second."""
    expected = {
        (r["company_id"], r["usage_date"], r["gpu_type"]): (
            int(r["gres_seconds"]), int(r["gpu_part_seconds"]), int(r["run_count"]),
        )
        for r in truth(programme, kind, "usage_days")
    }  # fmt: skip
    found = {
        (r["company_id"], str(r["usage_date"]), r["gpu_type"]): (
            r["gres_seconds"], r["gpu_part_seconds"], r["job_count"],
        )
        for r in mart(
            programme, kind,
            "from marts.fct_gpu_usage__company_days where gpu_part_seconds is not null",
        )
    }  # fmt: skip
    assert len(expected) > 100
    return expected, found


def contracts(programme, kind) -> Pair:
    """By month, to the yen."""
    as_of = date.fromisoformat(DAYS[kind])
    expected = {
        (r["company_id"], r["month"], r["gpu_type"]): (
            int(r["contracted_gpu_seconds"]), Decimal(r["contract_jpy"]),
        )
        for r in truth(programme, kind, "contracted")
        # the month that still runs is counted to the day, the truth states whole months
        if r["month"] < f"{as_of:%Y-%m}"
    }  # fmt: skip
    found = {
        (r["company_id"], f"{r['month']:%Y-%m}", r["gpu_type"]): (
            r["contracted_gpu_seconds"], r["contract_jpy"],
        )
        for r in mart(
            programme, kind,
            "from marts.fct_gpu_usage__company_months where contracted_gpu_seconds is not null",
        )
        if f"{r['month']:%Y-%m}" < f"{as_of:%Y-%m}"
    }  # fmt: skip
    return expected, found


def plans(programme, kind) -> Pair:
    """As known on the day."""
    expected: dict[tuple[str, str], tuple[int, Decimal, Decimal]] = {}
    for r in truth(programme, kind, "planned"):
        key = (r["company_id"], r["month"])
        version, hours, yen = expected.get(key, (0, Decimal(0), Decimal(0)))
        expected[key] = (
            max(version, int(r["plan_version"])),
            hours + Decimal(r["planned_gpu_hours"]),
            yen + Decimal(r["planned_jpy"]),
        )
    found = {
        (r["company_id"], f"{r['month']:%Y-%m}"): (
            r["plan_version"], r["planned_gpu_hours"], r["planned_jpy"],
        )
        for r in mart(
            programme, kind,
            "from marts.fct_gpu_usage__plan_months where planned_gpu_hours is not null",
        )
    }  # fmt: skip
    return expected, found


def job_states(programme, kind) -> Pair:
    expected = {
        (r["company_id"], r["month"], r["state"]): (int(r["run_count"]), int(r["gpu_part_seconds"]))
        for r in truth(programme, kind, "job_states")
    }
    found = {
        (r["company_id"], f"{r['month']:%Y-%m}", r["state"]): (
            r["job_count"], r["gpu_part_seconds"],
        )
        for r in mart(programme, kind, "from marts.fct_gpu_usage__job_states")
    }  # fmt: skip
    return expected, found


def telemetry_days(programme, kind) -> Pair:
    """Covered, idle and active 1/28 GPU-seconds by company, day and GPU type."""
    names = ("covered_part_seconds", "idle_part_seconds", "active_part_seconds")
    expected = {
        (r["company_id"], r["usage_date"], r["gpu_type"]): tuple(int(r[name]) for name in names)
        for r in truth(programme, kind, "telemetry_days")
    }
    found = {
        (r["company_id"], str(r["usage_date"]), r["gpu_type"]): tuple(r[name] for name in names)
        for r in mart(
            programme, kind, "from marts.fct_gpu_usage__company_days where covered_part_seconds > 0"
        )
    }
    return expected, found


def gpu_seconds_by_polars(programme, kind) -> Pair:
    """GPU-seconds a company and day, from the landed rows by another engine and another way."""
    jobs = pl.DataFrame(
        mart(
            programme, kind,
            "select company_id, gpu_count, epoch(started_at)::bigint as started, "
            "epoch(counted_until)::bigint as until from staging.stg_gpu_usage__sacct_jobs "
            "where company_id is not null and started_at is not null and gpu_count > 0",
        ),
        infer_schema_length=None,
    )  # fmt: skip
    found = {
        (r["company_id"], str(r["day"])): int(r["seconds"])
        for r in mart(
            programme, kind,
            "select company_id, usage_date as day, sum(gres_seconds) as seconds "
            "from marts.fct_gpu_usage__company_days where gres_seconds is not null group by all",
        )
    }  # fmt: skip
    day = 86_400
    jst = pl.col("started") + 9 * 3600, pl.col("until") + 9 * 3600
    computed = (
        jobs.filter(pl.col("until") > pl.col("started"))
        .with_columns(a=jst[0], b=jst[1])
        .with_columns(day=pl.int_ranges(pl.col("a") // day, (pl.col("b") - 1) // day + 1))
        .explode("day")
        .with_columns(
            seconds=pl.min_horizontal("b", (pl.col("day") + 1) * day)
            - pl.max_horizontal("a", pl.col("day") * day)
        )
        .group_by("company_id", "day")
        .agg((pl.col("seconds") * pl.col("gpu_count")).sum().alias("seconds"))
    )
    epoch = date(1970, 1, 1).toordinal()
    expected = {
        (r["company_id"], str(date.fromordinal(epoch + r["day"]))): r["seconds"]
        for r in computed.to_dicts()
    }
    return expected, found


def verdicts(programme, kind) -> Pair:
    """By construction; only samples of the default size promise them."""
    expected = {
        (r["company_id"], r["month"]): r["verdict"] for r in truth(programme, kind, "verdicts")
    }
    last = max(month for _, month in expected)
    found = {
        (r["company_id"], month): r["verdict"]
        for r in mart(programme, kind, "from marts.fct_gpu_usage__appropriateness")
        if (month := f"{r['month']:%Y-%m}") <= last
    }
    return expected, found


COMPARISONS: dict[str, Callable[[Any, str], Pair]] = {
    "usage_days": usage_days,
    "contracts": contracts,
    "plans": plans,
    "job_states": job_states,
    "telemetry_days": telemetry_days,
    "gpu_seconds_by_polars": gpu_seconds_by_polars,
}
"""What must hold for a sample of any size."""
