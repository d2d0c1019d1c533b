"""Marts against the truth of the sample, which never passed through a reader or SQL."""

import csv
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from geniac_pipelines.store.warehouse import connect, rows

DAYS = {"closing": "2026-09-07", "nightly": "2026-10-05"}


def truth(programme, kind: str, name: str) -> list[dict[str, str]]:
    with (programme.truth / DAYS[kind] / f"{name}.csv").open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def mart(programme, kind: str, sql: str) -> list[dict]:
    with connect(programme.warehouse(kind), read_only=True) as connection:
        return rows(connection, sql)


@pytest.mark.parametrize("kind", DAYS)
def test_usage_by_company_day_and_gpu_type_to_the_second(programme, kind):
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
    assert found == expected


@pytest.mark.parametrize("kind", DAYS)
def test_contracts_by_month_to_the_yen(programme, kind):
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
    assert expected
    assert found == expected


@pytest.mark.parametrize("kind", DAYS)
def test_plans_as_known_on_the_day(programme, kind):
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
    assert expected
    assert found == expected


@pytest.mark.parametrize("kind", DAYS)
def test_job_states(programme, kind):
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
    assert expected
    assert found == expected


@pytest.mark.parametrize("kind", DAYS)
def test_an_independent_computation_in_polars_agrees(programme, kind):
    """GPU-seconds a company and month, from the landed rows by another engine and another way."""
    warehouse = programme.warehouse(kind)
    with connect(warehouse, read_only=True) as connection:
        jobs = pl.DataFrame(
            rows(
                connection,
                "select company_id, gpu_count, epoch(started_at)::bigint as started, "
                "epoch(counted_until)::bigint as until from staging.stg_gpu_usage__sacct_jobs "
                "where company_id is not null and started_at is not null and gpu_count > 0",
            )
        )
        found = {
            (r["company_id"], str(r["day"])): int(r["seconds"])
            for r in rows(
                connection,
                "select company_id, usage_date as day, sum(gres_seconds) as seconds "
                "from marts.fct_gpu_usage__company_days where gres_seconds is not null "
                "group by all",
            )
        }
    day = 86_400
    jst = pl.col("started") + 9 * 3600, pl.col("until") + 9 * 3600
    expected = (
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
    assert found == {
        (r["company_id"], str(date.fromordinal(epoch + r["day"]))): r["seconds"]
        for r in expected.to_dicts()
    }
