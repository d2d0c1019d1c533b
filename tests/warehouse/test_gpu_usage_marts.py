"""Marts of compute use on the small programme; expected values by hand."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from geniac_pipelines.gpu_usage.forecast import SCHEMA, write_analyses
from geniac_pipelines.store.warehouse import connect, rows
from tests.warehouse.build import Arrived, build
from tests.warehouse.programme import SEPTEMBER


def one(connection: Any, sql: str) -> dict[str, Any]:
    found = rows(connection, sql)
    assert len(found) == 1, found
    return found[0]


def company_month(connection: Any, company: str, table: str = "company_months") -> dict[str, Any]:
    return one(
        connection,
        f"select * from marts.fct_gpu_usage__{table} "
        f"where company_id = '{company}' and month = date '2026-09-01'",
    )


def test_a_month_adds_contract_and_allocation(small: Any) -> None:
    # 8 GPUs × 24 h × 30 days
    row = company_month(small, "sound")
    assert row["contracted_gpu_hours"] == Decimal("5760.0000")
    assert row["allocated_gpu_hours"] == Decimal("5760.0000")
    # at ¥500 an hour
    assert row["contract_jpy"] == Decimal("2880000.000")
    assert row["used_days"] == 30


def test_slices_weigh_a_seventh_and_the_job_is_cut_at_midnight_in_japan(small: Any) -> None:
    found = rows(
        small,
        "select usage_date, gres_seconds, gpu_part_seconds from marts.fct_gpu_usage__company_days "
        "where company_id = 'sliced' and gpu_part_seconds is not null order by usage_date",
    )
    # 5 gres entries, 2 × 28 + 3 × 4 = 68 parts; 21:00 to 04:00 is 3 hours before midnight, 4 after
    assert [(r["usage_date"], r["gres_seconds"], r["gpu_part_seconds"]) for r in found] == [
        (date(2026, 9, 3), 5 * 3 * 3600, 68 * 3 * 3600),
        (date(2026, 9, 4), 5 * 4 * 3600, 68 * 4 * 3600),
        # requeued: 1 hour and 2 hours of one GPU, both runs count
        (date(2026, 9, 5), 3 * 3600, 28 * 3 * 3600),
    ]


def test_telemetry_becomes_busy_and_idle_hours_sm_and_energy(small: Any) -> None:
    row = company_month(small, "sound")
    # 8 GPUs × 30 days × 20 h busy, 4 h idle
    assert row["busy_gpu_hours"] == Decimal("4800.0000")
    assert row["idle_gpu_hours"] == Decimal("960.0000")
    assert row["mean_sm_active_percent"] == Decimal("50.0000")
    # 0.5 kW × 5,760 h
    assert row["energy_kwh"] == Decimal("2880.0000")
    assert row["telemetry_coverage_percent"] == Decimal("100.0000")
    assert row["telemetry_days"] == 30


def test_the_tensor_mean_is_missing_where_the_metric_is(small: Any) -> None:
    assert company_month(small, "sound")["mean_tensor_active_percent"] is None


def test_no_telemetry_is_missing_not_zero(small: Any) -> None:
    row = company_month(small, "dark")
    names = (
        "busy_gpu_hours", "idle_gpu_hours", "mean_sm_active_percent", "energy_kwh",
        "telemetry_coverage_percent", "covered_part_seconds",
    )  # fmt: skip
    assert {n: row[n] for n in names} == dict.fromkeys(names)
    assert row["allocated_gpu_hours"] == Decimal("5760.0000")


def test_slices_share_their_devices_energy_and_count_by_parts(small: Any) -> None:
    row = company_month(small, "sliced")
    # each of 3 slices repeats the device's 200 W × 24 h = 4.8 kWh: it counts once
    assert row["energy_kwh"] == Decimal("4.8000")
    # 3 slices × 1/7 × 12 h = 36/7
    assert row["busy_gpu_hours"] == Decimal("5.1429")


def test_certain_idle_is_what_no_unmeasured_time_can_explain(small: Any) -> None:
    idle, partly, sound = (
        company_month(small, company, "telemetry_months") for company in ("idle", "partly", "sound")
    )
    # a day: 192 h allocated, 8 × 6 = 48 h active, all measured: 144 h idle, 75 %
    assert idle["idle_allocated_gpu_hours"] == Decimal("4320.0000")
    assert idle["idle_allocated_percent"] == Decimal("75.0000")
    # a day: 192 h allocated, none active, 120 h not measured: at least 72 h idle
    assert partly["telemetry_coverage_percent"] == Decimal("37.5000")
    assert partly["idle_allocated_gpu_hours"] == Decimal("2160.0000")
    # a day: 192 - 160 = 32 h of 192
    assert sound["idle_allocated_percent"] == Decimal("16.6667")
    # mean SM of 50 % over 24 h is 60 % over the 20 h that were busy
    assert sound["busy_sm_active_percent"] == Decimal("60.0000")
    # 500 W × 24 h over 20 busy hours of 700 W: 85.71 %
    assert sound["busy_power_percent"] == Decimal("85.7143")


def test_the_newest_plan_holds(small: Any) -> None:
    found = rows(
        small,
        "select month, plan_version, planned_gpu_hours from marts.fct_gpu_usage__plan_months "
        "where company_id = 'sound' and planned_gpu_hours is not null order by month",
    )
    # version 1 had 1,000 for September and 500 for December
    assert [tuple(r.values()) for r in found] == [
        (SEPTEMBER, 2, Decimal("5800.0000")),
        (date(2026, 10, 1), 2, Decimal("5800.0000")),
    ]


def test_self_reports_stand_beside_the_scheduler(small: Any) -> None:
    row = company_month(small, "reports", "self_reports")
    assert row["difference_gpu_hours"] == Decimal("-760.0000")
    # 760 / 5,760
    assert row["difference_percent"] == Decimal("13.1944")
    # no amount in yen was reported, which is not ¥0
    assert row["reported_jpy"] is None


def test_telemetry_knows_the_files_it_came_from(small: Any) -> None:
    row = one(
        small,
        "select _arrivals from intermediate.int_gpu_usage__telemetry_days "
        "where company_id = 'sound' and usage_date = date '2026-09-03'",
    )
    assert row["_arrivals"] == ["sound-gpus"]
    assert "sound-gpus" in company_month(small, "sound")["_arrivals"]


def test_a_day_without_jobs_inside_a_file_is_a_recorded_zero(small: Any) -> None:
    found = rows(
        small,
        "select usage_date, gpu_part_seconds from intermediate.int_gpu_usage__recorded_days "
        "where company_id = 'after' order by usage_date",
    )
    # 4 × 28 parts × 86,400 s on both days; the job ends at midnight, so the 12th is no part of it
    assert [tuple(r.values()) for r in found] == [
        (date(2026, 9, 10), 9_676_800),
        (date(2026, 9, 11), 9_676_800),
    ]


def test_forecasts_run_to_the_end_of_the_plan(small: Any) -> None:
    row = company_month(small, "sound", "plan_forecasts")
    # September 5,760 is known, and October goes on with 192 a day: 31 × 192 = 5,952
    assert row["observed_until"] == date(2026, 9, 30)
    assert row["actual_gpu_hours"] == Decimal("5760.0")
    assert row["forecast_gpu_hours"] == Decimal("11712.0")
    # 11,712 / 11,600
    assert row["forecast_percent"] == Decimal("101.0")
    assert row["verdict"] == "計画を超える見込み"
    assert "sound-plan-2" in row["_arrivals"]


def test_forecasts_have_the_columns_that_dbt_documents(small: Any) -> None:
    table = small.sql("from marts.fct_gpu_usage__plan_forecasts").to_arrow_table()
    assert [(f.name, f.type) for f in table.schema if f.name != "_arrivals"] == [
        (f.name, f.type) for f in SCHEMA if f.name != "_arrivals"
    ]
    assert table.schema.field("_arrivals").type.value_type == pa.string()


def test_writing_the_analyses_again_changes_nothing(small_warehouse: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(small_warehouse.read_bytes())
    query = "select * from marts.fct_gpu_usage__plan_forecasts order by company_id, month"
    with connect(copy, read_only=True) as connection:
        before = rows(connection, query)
    assert write_analyses(copy) == len(before) > 0
    with connect(copy, read_only=True) as connection:
        assert rows(connection, query) == before


def test_an_empty_programme_builds_and_has_all_tables(tmp_path: Path) -> None:
    path = build(tmp_path, list[Arrived](), as_of=date(2026, 10, 5))
    with connect(path, read_only=True) as connection:
        found = rows(
            connection,
            "select (select count(*) from marts.fct_gpu_usage__plan_forecasts) as forecasts, "
            "(select count(*) from marts.fct_gpu_usage__appropriateness) as verdicts, "
            "(select count(*) from findings.fnd_gpu_usage) as findings, "
            "(select count(*) from findings.fnd_programme) as others",
        )
    assert found == [{"forecasts": 0, "verdicts": 0, "findings": 0, "others": 0}]
