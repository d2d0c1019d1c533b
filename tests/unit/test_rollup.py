"""The telemetry rollup: rule by rule on rows written here, then against a second computation."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import floor
from operator import itemgetter

import polars as pl
import pyarrow.parquet as pq
import pytest

from geniac_pipelines.gpu_usage.rollup import (
    DAY_FACTS,
    HOUR_FACTS,
    rollup_days,
    rollup_hours,
    rollup_hours_of_days,
    touched_days,
)
from geniac_pipelines.store.warehouse import connect
from tests.unit.telemetry_files import hours_of, landed, sample, samples

DAY = date(2026, 10, 1)
MIDNIGHT = datetime(2026, 9, 30, 15, 0, tzinfo=UTC)  # 2026-10-01 00:00 in Japan


def t(hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
    """An instant of the day, from its midnight in Japan."""
    return MIDNIGHT + timedelta(hours=hours, minutes=minutes, seconds=seconds)


@pytest.fixture
def facts(tmp_path):
    """Hour facts of DAY from lists of rows, one landing file each; by GPU, slice and JST hour."""

    def make(*files):
        paths = [landed(tmp_path / f"landed-{n}.parquet", rows) for n, rows in enumerate(files)]
        found = hours_of(paths, DAY, tmp_path / "hours.parquet")
        return {
            (
                r["gpu_uuid"],
                r["mig_id"],
                int((r["hour_start"] - MIDNIGHT).total_seconds() // 3600),
            ): r
            for r in found
        }

    return make


def only(found):
    (fact,) = found.values()
    return fact


# Coverage and idleness


def test_a_full_hour_of_samples_is_covered_whole(facts):
    fact = only(facts(samples(t(), 240, gpu_util_percent=50.0)))
    assert fact["company_id"] == "company-a"
    assert fact["hour_start"] == MIDNIGHT
    assert (fact["samples"], fact["expected_samples"], fact["covered_seconds"]) == (240, 240, 3600)
    assert (fact["idle_seconds"], fact["active_seconds"], fact["unknown_seconds"]) == (0, 3600, 0)
    assert fact["gpu_util_seconds"] == 3600
    assert fact["gpu_util_e6_seconds"] == 50 * 10**6 * 3600


def test_only_samples_of_use_zero_are_idle(facts):
    fact = only(facts(samples(t(), 240, gpu_util_percent=lambda n: 0.0 if n < 80 else 1.0)))
    assert (fact["idle_seconds"], fact["active_seconds"]) == (1200, 2400)


def test_no_samples_are_no_facts_and_not_idle(facts):
    found = facts(
        samples(t(), 240, gpu_util_percent=9.0) + samples(t(2), 240, gpu_util_percent=9.0)
    )
    assert [hour for _, _, hour in found] == [0, 2]


def test_a_gap_is_not_covered(facts):
    rows = samples(t(), 60, gpu_util_percent=0.0) + samples(t(minutes=30), 60, gpu_util_percent=0.0)
    fact = only(facts(rows))
    assert (fact["covered_seconds"], fact["idle_seconds"]) == (1800, 1800)


def test_samples_of_which_use_is_unknown_are_covered_but_neither_idle_nor_active(facts):
    rows = samples(t(), 120, power_w=300.0) + samples(t(minutes=30), 120, gpu_util_percent=0.0)
    fact = only(facts(rows))
    assert fact["covered_seconds"] == 3600
    assert (fact["idle_seconds"], fact["active_seconds"], fact["unknown_seconds"]) == (
        1800,
        0,
        1800,
    )
    assert (fact["gpu_util_seconds"], fact["power_seconds"]) == (1800, 1800)
    assert fact["sm_active_seconds"] == 0
    assert fact["sm_active_e6_seconds"] is None


@pytest.mark.parametrize(
    ("values", "idle"),
    [
        ({"gpu_util_percent": 0.0, "sm_active_ratio": 0.5}, 15),
        ({"sm_active_ratio": 0.0, "gr_engine_active_ratio": 0.5}, 15),
        ({"gr_engine_active_ratio": 0.0}, 15),
        ({"gpu_util_percent": 0.0, "gr_engine_active_ratio": 0.5, "mig_id": "1"}, 0),
        ({"gr_engine_active_ratio": 0.0, "sm_active_ratio": 0.5, "mig_id": "1"}, 15),
        ({"sm_active_ratio": 0.0, "mig_id": "1"}, 15),
    ],
)
def test_what_idle_is_judged_by(facts, values, idle):
    assert only(facts([sample(t(), **values)]))["idle_seconds"] == idle


def test_under_mig_gpu_util_alone_says_nothing(facts):
    fact = only(facts([sample(t(), gpu_util_percent=0.0, mig_id="1", mig_profile="1g.10gb")]))
    assert (fact["idle_seconds"], fact["unknown_seconds"]) == (0, 15)
    assert (fact["mig_id"], fact["mig_profile"]) == ("1", "1g.10gb")


def test_slices_of_one_gpu_are_told_apart(facts):
    rows = [sample(t(), gr_engine_active_ratio=float(n), mig_id=str(n)) for n in (0, 1)]
    found = facts(rows)
    assert {mig: f["idle_seconds"] for (_, mig, _), f in found.items()} == {"0": 15, "1": 0}


# Spans


def test_a_sample_stands_until_the_next_and_its_span_is_cut_at_the_hour(facts):
    # 00:59:50 stands for ten seconds of hour 0 and five of hour 1
    found = facts([sample(t(minutes=59, seconds=50), gpu_util_percent=100.0)])
    assert {h: f["covered_seconds"] for (_, _, h), f in found.items()} == {0: 10, 1: 5}
    assert {h: f["samples"] for (_, _, h), f in found.items()} == {0: 1, 1: 0}
    assert found["GPU-a", "", 1]["gpu_util_e6_seconds"] == 100 * 10**6 * 5


def test_a_denser_second_collector_does_not_count_twice(facts):
    every15 = samples(t(), 240, gpu_util_percent=40.0)
    every5 = samples(t(seconds=2), 720, step=5.0, gpu_util_percent=40.0, interval_seconds=5.0)
    found = facts(every15, every5)
    # the last sample of 5 seconds, at 59:57, reaches two seconds into the next hour
    assert {h: f["covered_seconds"] for (_, _, h), f in found.items()} == {0: 3600, 1: 2}
    assert found["GPU-a", "", 0]["gpu_util_e6_seconds"] == 40 * 10**6 * 3600


def test_tenths_of_seconds_add_up_to_the_seconds_that_passed(facts):
    rows = samples(t(), 36_000, step=0.1, gpu_util_percent=5.0, interval_seconds=0.1)
    assert only(facts(rows))["covered_seconds"] == 3600


def test_jitter_costs_nothing(facts):
    rows = [
        sample(t(seconds=15 * n + (n % 3) * 0.003), gpu_util_percent=5.0, interval_seconds=15.01)
        for n in range(240)
    ]
    assert only(facts(rows))["covered_seconds"] == 3600


def test_a_point_an_hour_stands_for_five_minutes_only(facts):
    fact = only(facts([sample(t(), gpu_util_percent=0.0, interval_seconds=3600.0, evaluated=True)]))
    assert (fact["covered_seconds"], fact["idle_seconds"]) == (300, 300)


def test_a_lone_scrape_covers_nothing_and_scrapes_within_five_minutes_what_lies_between(facts):
    def scrape(minutes):
        return sample(t(minutes=minutes), gpu_util_percent=3.0, interval_seconds=None)

    assert only(facts([scrape(0)]))["covered_seconds"] == 0
    assert only(facts([scrape(0), scrape(5), scrape(11)]))["covered_seconds"] == 300


def test_the_day_begins_and_ends_at_midnight_in_japan(facts):
    rows = [
        sample(t(seconds=-5), gpu_util_percent=0.0),
        sample(t(seconds=10), gpu_util_percent=0.0),
        sample(t(hours=24, seconds=-5), gpu_util_percent=0.0),
        sample(t(hours=24, seconds=10), gpu_util_percent=0.0),
    ]
    found = facts(rows)
    # ten seconds of yesterday's last sample, then fifteen; today's last sample has five left
    assert {h: f["covered_seconds"] for (_, _, h), f in found.items()} == {0: 25, 23: 5}


# Overlapping and complementary files


def test_the_same_samples_from_two_files_count_once(facts):
    rows = samples(t(), 240, gpu_util_percent=0.0, energy_mj=lambda n: 1000 * n)
    alone = facts(rows)
    assert facts(rows, rows[100:150]) == alone
    assert alone["GPU-a", "", 0]["energy_mj"] == 239_000


def test_one_metric_a_file_meets_in_one_row(facts):
    util = samples(t(), 240, gpu_util_percent=80.0)
    power = samples(t(), 240, power_w=500.0)
    fact = only(facts(util, power))
    assert (fact["samples"], fact["gpu_util_seconds"], fact["power_seconds"]) == (240, 3600, 3600)


def test_grids_that_begin_seconds_apart_meet(facts):
    # two queries by hand, with start times 7 seconds apart
    util = samples(t(seconds=3), 240, gpu_util_percent=80.0, evaluated=True)
    power = samples(t(seconds=10), 240, power_w=500.0, evaluated=True)
    fact = only(facts(util, power))
    assert (fact["samples"], fact["gpu_util_seconds"], fact["power_seconds"]) == (240, 3600, 3600)


def test_of_two_values_for_one_instant_the_greater_holds(facts):
    fact = only(facts([sample(t(), gpu_util_percent=0.0)], [sample(t(), gpu_util_percent=60.0)]))
    assert (fact["idle_seconds"], fact["gpu_util_e6_seconds"]) == (0, 60 * 10**6 * 15)


# Energy


def energy(facts, *readings):
    """Energy and its seconds by hour, from (instant, counter) pairs."""
    found = facts([sample(at, energy_mj=mj) for at, mj in readings])
    return {h: (f["energy_mj"], f["energy_seconds"]) for (_, _, h), f in found.items()}


def test_energy_is_the_rise_of_the_counter(facts):
    readings = [(t(), 1_000), (t(seconds=15), 4_500), (t(seconds=30), 6_000)]
    assert energy(facts, *readings) == {0: (5_000, 30)}


def test_after_a_reset_the_new_value_counts(facts):
    readings = [(t(), 9_000_000), (t(seconds=15), 600), (t(seconds=30), 1_000)]
    assert energy(facts, *readings) == {0: (1_000, 30)}


def test_a_rise_over_the_hour_is_shared_by_seconds_and_nothing_is_lost(facts):
    # 15 s: 10 in hour 0 and 5 in hour 1; 1,000 × 10 / 15 = 666.67 is rounded down
    readings = [(t(minutes=59, seconds=50), 0), (t(hours=1, seconds=5), 1_000)]
    assert energy(facts, *readings) == {0: (666, 10), 1: (334, 5)}


def test_a_gap_of_up_to_an_hour_loses_no_energy_though_it_is_not_covered(facts):
    found = facts(
        [sample(t(minutes=30), energy_mj=0), sample(t(minutes=90), energy_mj=720_000_000)]
    )
    assert {h: (f["energy_mj"], f["covered_seconds"]) for (_, _, h), f in found.items()} == {
        0: (360_000_000, 15),
        1: (360_000_000, 15),
    }


def test_a_longer_gap_is_unknown_not_zero(facts):
    readings = [(t(minutes=30), 0), (t(minutes=90, seconds=1), 720)]
    assert energy(facts, *readings) == {0: (None, 0), 1: (None, 0)}


def test_a_rise_that_no_gpu_can_need_is_no_energy(facts):
    # 10 kW for 15 s is 150,000,000 mJ
    assert energy(facts, (t(), 0), (t(seconds=15), 150_000_000)) == {0: (150_000_000, 15)}
    assert energy(facts, (t(), 0), (t(seconds=15), 150_000_001)) == {0: (None, 0)}


def test_energy_over_midnight_belongs_to_both_days(facts, tmp_path):
    rows = [
        sample(t(seconds=-5), energy_mj=0), sample(t(seconds=10), energy_mj=3_000),
        sample(t(hours=23, minutes=59, seconds=55), energy_mj=6_000),
        sample(t(hours=24, seconds=10), energy_mj=7_500),
    ]  # fmt: skip
    found = facts(rows)
    assert {h: (f["energy_mj"], f["energy_seconds"]) for (_, _, h), f in found.items()} == {
        0: (2_000, 10),
        23: (500, 5),
    }


def test_readings_without_the_counter_do_not_hide_it(facts):
    rows = [sample(t(), energy_mj=0), sample(t(seconds=15)), sample(t(seconds=30), energy_mj=900)]
    assert only(facts(rows))["energy_mj"] == 900


# Errors and throttling


def test_a_code_counts_once_for_each_change_though_the_gauge_keeps_it(facts):
    rows = samples(t(), 8, xid_code=lambda n: [0, 0, 31, 31, 31, 79, 79, 31][n])
    fact = only(facts(rows))
    assert (fact["xid_events"], fact["xid_codes"]) == (3, [31, 79])


def test_a_code_that_was_there_before_is_seen_but_no_event(facts):
    fact = only(facts(samples(t(), 4, xid_code=31)))
    assert (fact["xid_events"], fact["xid_codes"]) == (0, [31])


def test_no_reading_of_codes_is_unknown_and_code_zero_is_none(facts):
    assert only(facts([sample(t())]))["xid_events"] is None
    assert only(facts([sample(t())]))["xid_codes"] is None
    fact = only(facts([sample(t(), xid_code=0)]))
    assert (fact["xid_events"], fact["xid_codes"]) == (0, [])


def test_throttling_is_told_from_the_power_cap(facts):
    # bits: idle 1, power cap 4, HW slowdown 8, SW thermal 32, HW thermal 64
    rows = samples(t(), 6, clock_event_reasons=lambda n: [0, 1, 4, 8, 32 + 4, 64][n])
    fact = only(facts([*rows, sample(t(minutes=5))]))
    assert fact["throttle_known_seconds"] == 90
    assert (fact["throttled_seconds"], fact["power_capped_seconds"]) == (45, 30)


# Aggregates


def aggregate(at, count=240, **more):
    interval = min(15.0, 3600 / count)
    return sample(at, samples=count, interval_seconds=interval, **more)


def test_an_aggregate_says_the_same_as_its_samples(facts):
    raw = samples(
        t(), 240, gpu_util_percent=lambda n: 0.0 if n < 60 else 80.0, power_w=400.0,
        memory_used_mib=lambda n: 1000.0 + n, temperature_c=lambda n: 40.0 + n % 7,
    )  # fmt: skip
    made = aggregate(
        t(), gpu_util_percent=60.0, gpu_util_samples=240, gpu_util_max_percent=80.0,
        idle_samples=60, power_w=400.0, power_samples=240, power_max_w=400.0,
        memory_used_mib=1119.5, memory_used_samples=240, memory_used_max_mib=1239.0,
        temperature_max_c=46.0,
    )  # fmt: skip
    assert facts([made]) == facts(raw)


def test_metrics_with_fewer_samples_are_known_for_less_time(facts):
    made = aggregate(
        t(), gpu_util_percent=50.0, gpu_util_samples=240, idle_samples=0, sm_active_ratio=0.5,
        sm_active_samples=60,
    )  # fmt: skip
    fact = only(facts([made]))
    assert (fact["gpu_util_seconds"], fact["sm_active_seconds"]) == (3600, 900)
    assert fact["sm_active_e6_seconds"] == 500_000 * 900


def test_an_aggregate_of_few_samples_covers_little(facts):
    made = aggregate(t(), 40, gpu_util_percent=0.0, gpu_util_samples=40, idle_samples=40)
    fact = only(facts([made]))
    assert (fact["samples"], fact["covered_seconds"], fact["idle_seconds"]) == (40, 600, 600)


def test_one_sample_too_many_does_not_overfill_the_hour(facts):
    made = aggregate(t(), 241, gpu_util_percent=1.0, gpu_util_samples=241, idle_samples=0)
    assert {h: f["covered_seconds"] for (_, _, h), f in facts([made]).items()} == {0: 3600}


def test_without_a_count_of_zeros_a_mean_above_zero_leaves_idleness_unknown(facts):
    busy = aggregate(t(), gpu_util_percent=50.0, gpu_util_samples=240)
    still = aggregate(t(1), gpu_util_percent=0.0, gpu_util_samples=240)
    found = facts([busy, still])
    assert {h: (f["idle_seconds"], f["unknown_seconds"]) for (_, _, h), f in found.items()} == {
        0: (0, 3600),
        1: (3600, 0),
    }


def test_energy_of_aggregates_is_their_own(facts):
    rows = [
        aggregate(t(), gpu_util_percent=9.0, energy_increase_mj=1_000),
        aggregate(t(1), gpu_util_percent=9.0, energy_increase_mj=2_000),
        aggregate(t(2), gpu_util_percent=9.0),
    ]
    found = facts(rows)
    assert {h: (f["energy_mj"], f["energy_seconds"]) for (_, _, h), f in found.items()} == {
        0: (1_000, 3600),
        1: (2_000, 3600),
        2: (None, 0),
    }


def test_of_raw_and_aggregate_the_one_that_covers_more_is_taken(facts):
    made = [
        aggregate(t(h), gpu_util_percent=50.0, gpu_util_samples=240, idle_samples=0) for h in (0, 1)
    ]
    raw = samples(t(), 240, gpu_util_percent=0.0) + samples(t(1), 10, gpu_util_percent=0.0)
    found = facts(made, raw)
    assert {h: (f["samples"], f["idle_seconds"]) for (_, _, h), f in found.items()} == {
        0: (240, 3600),
        1: (240, 0),
    }


# Days


def test_days_are_the_sums_of_their_hours(facts, tmp_path):
    rows = [
        sample(
            t(h, minutes=30), gpu_util_percent=float(h), energy_mj=h * 100, xid_code=h, host="n1"
        )
        for h in range(-1, 25)
    ]
    hours = facts(rows)
    with connect() as con:
        out = tmp_path / "days.parquet"
        assert rollup_days(con, [tmp_path / "hours.parquet"], "company-a", DAY, out) == 1
        assert rollup_days(con, [tmp_path / "hours.parquet"], "company-b", DAY, out) == 0
        assert rollup_days(con, [tmp_path / "hours.parquet"], "company-a", DAY, out) == 1
    (day,) = pq.read_table(out).to_pylist()
    assert (day["day"], day["hours"], day["samples"]) == (DAY, 24, 24)
    assert (day["covered_seconds"], day["idle_seconds"]) == (24 * 15, 15)
    # Σ 0…23 = 276 percent, 15 seconds each
    assert day["gpu_util_e6_seconds"] == 276 * 10**6 * 15
    assert day["gpu_util_max_percent"] == 23.0
    assert day["energy_mj"] == sum(f["energy_mj"] for f in hours.values())
    assert (day["xid_events"], day["xid_codes"]) == (24 - 1, list(range(1, 24)))
    assert day["host"] == "n1"
    assert pq.read_schema(out).equals(DAY_FACTS)


def test_nothing_makes_an_empty_file_of_the_right_columns(tmp_path):
    out = tmp_path / "facts.parquet"
    with connect() as con:
        for files in ([], [landed(tmp_path / "empty.parquet", [])]):
            assert rollup_hours(con, files, "company-a", DAY, out) == 0
            assert pq.read_schema(out).equals(HOUR_FACTS)
        assert rollup_days(con, [out], "company-a", DAY, tmp_path / "days.parquet") == 0
    assert pq.read_schema(tmp_path / "days.parquet").equals(DAY_FACTS)


@pytest.mark.parametrize(
    ("at", "days"),
    [
        (t(hours=12), {DAY}),
        (t(hours=1), {DAY}),
        (t(minutes=59, seconds=59), {DAY, date(2026, 9, 30)}),
        (t(hours=22, minutes=59, seconds=59), {DAY}),
        (t(hours=23), {DAY, date(2026, 10, 2)}),
    ],
)
def test_a_sample_touches_the_days_within_an_hour(tmp_path, at, days):
    assert touched_days([landed(tmp_path / "one.parquet", [sample(at)])]) == days


def test_no_files_touch_no_days(tmp_path):
    assert touched_days([]) == set()
    assert touched_days([landed(tmp_path / "empty.parquet", [])]) == set()


# Against a second computation


def random_rows(seed):
    """Three GPUs and two slices from before midnight to after the next: all that can go wrong."""
    rng = random.Random(seed)
    rows = []
    devices = [("GPU-a", None), ("GPU-b", None), ("GPU-c", None), ("GPU-m", "1"), ("GPU-m", "2")]
    for uuid, mig in devices:
        at, counter = -1.4 * 3600, rng.randrange(10**9)
        interval = rng.choice([15.0, 30.0, 60.0])
        while at < 25.4 * 3600:
            at += interval + rng.choice([0, 0, 0, rng.uniform(-0.4, 0.4), interval * 7])
            if rng.random() < 0.01:
                at += rng.uniform(0, 8000)
            power = rng.uniform(60, 700)
            counter = 0 if rng.random() < 0.01 else counter + round(power * interval * 1000)
            values = {
                "gpu_util_percent": rng.choice([None, 0.0, 0.0, rng.uniform(0, 100)]),
                "sm_active_ratio": rng.choice([None, 0.0, rng.random()]),
                "gr_engine_active_ratio": rng.choice([None, 0.0, rng.random()]),
                "memory_used_mib": float(rng.randrange(80_000)),
                "power_w": round(power, 3),
                "energy_mj": rng.choice([counter, counter, counter, None]),
                "xid_code": rng.choice([0, 0, 0, 31, 79, None]),
            }
            rows.append(
                sample(
                    t(seconds=round(at, 3)), uuid, mig_id=mig,
                    interval_seconds=rng.choice([interval] * 9 + [None]), **values,
                )
            )  # fmt: skip
    return rows


def second_by_second(rows):
    """Each second of the day goes to the last sample before its end, if that still holds.

    Samples are of distinct instants. Returns hour facts by (GPU, slice, hour).
    """
    frame = (
        pl.DataFrame(rows, infer_schema_length=None)
        .with_columns(
            pl.col("mig_id").fill_null(""),
            ((pl.col("sampled_at") - MIDNIGHT).dt.total_microseconds()).alias("us"),
        )
        .sort("gpu_uuid", "mig_id", "us")
        .with_columns(
            (pl.col("us").shift(-1).over("gpu_uuid", "mig_id") - pl.col("us")).alias("to_next")
        )
        .with_columns(
            pl.when(pl.col("interval_seconds").is_not_null())
            .then(pl.min_horizontal((pl.col("interval_seconds") * 1e6).cast(pl.Int64), 300_000_000))
            .when(pl.col("to_next") <= 300_000_000)
            .then(pl.col("to_next"))
            .otherwise(0)
            .alias("hold")
        )
    )
    found = {}
    for (uuid, mig), part in frame.group_by("gpu_uuid", "mig_id", maintain_order=True):
        ends = pl.DataFrame({"end": [s * 1_000_000 for s in range(1, 86_401)]}).sort("end")
        per_second = ends.join_asof(
            part, left_on="end", right_on="us", strategy="backward", allow_exact_matches=False
        ).filter(pl.col("end") <= pl.col("us") + pl.col("hold"))
        used = (
            pl.coalesce("gr_engine_active_ratio", "sm_active_ratio")
            if mig
            else pl.coalesce("gpu_util_percent", "sm_active_ratio", "gr_engine_active_ratio")
        )

        def weighted(name):
            # decimals: an exact sum, in any order
            return (pl.col(name) * 1e6).round().cast(pl.Int64).sum()

        hours = per_second.group_by(((pl.col("end") - 1) // 3_600_000_000).alias("hour")).agg(
            pl.len().alias("covered_seconds"),
            (used == 0).sum().alias("idle_seconds"),
            (used > 0).sum().alias("active_seconds"),
            used.is_null().sum().alias("unknown_seconds"),
            pl.col("gpu_util_percent").count().alias("gpu_util_seconds"),
            weighted("gpu_util_percent").alias("gpu_util_e6_seconds"),
            pl.col("memory_used_mib").count().alias("memory_used_seconds"),
            weighted("memory_used_mib").alias("memory_used_e6_seconds"),
            weighted("power_w").alias("power_e6_seconds"),
        )
        for row in hours.iter_rows(named=True):
            found[uuid, mig, row.pop("hour")] = row
    return found


def energy_by_hand(rows):
    """Rises of the counter, shared between hours, and seconds; by (GPU, slice, hour)."""
    found = defaultdict(lambda: [0, 0])
    by_gpu = defaultdict(list)
    for row in rows:
        if row["energy_mj"] is not None:
            seconds = (row["sampled_at"] - MIDNIGHT).total_seconds()
            by_gpu[row["gpu_uuid"], row["mig_id"] or ""].append((seconds, row["energy_mj"]))
    for gpu, readings in by_gpu.items():
        for (t0, mj0), (t1, mj1) in pairwise(sorted(readings)):
            rise = mj1 - mj0 if mj1 >= mj0 else mj1
            if t1 - t0 > 3600 or rise > 10_000_000 * (t1 - t0):
                continue
            s0, s1 = floor(t0), floor(t1)
            hour = s0 // 3600
            border = min(s1, (hour + 1) * 3600)
            first = rise if border == s1 else rise * (border - s0) // (s1 - s0)
            for h, mj, seconds in (
                (hour, first, border - s0),
                (hour + 1, rise - first, s1 - border),
            ):
                if seconds or h == hour:
                    found[(*gpu, h)][0] += mj
                    found[(*gpu, h)][1] += seconds
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_sql_agrees_with_a_computation_second_by_second(tmp_path, seed):
    rows = random_rows(seed)
    rng = random.Random(seed)
    rng.shuffle(rows)
    third = len(rows) // 3
    files = [
        landed(tmp_path / "a.parquet", rows[: 2 * third]),
        landed(tmp_path / "b.parquet", rows[third:]),
    ]
    found = {
        (r["gpu_uuid"], r["mig_id"], int((r["hour_start"] - MIDNIGHT).total_seconds() // 3600)): r
        for r in hours_of(files, DAY, tmp_path / "hours.parquet")
    }
    expected = second_by_second(rows)
    assert len(expected) > 50
    assert {k for k, f in found.items() if f["covered_seconds"]} == expected.keys()
    for key, row in expected.items():
        fact = found[key]
        for name, value in row.items():
            got = fact[name]
            # no reading at all: a sum over nothing is missing, not 0
            assert got == value or (got is None and value == 0), (key, name)
        assert fact["covered_seconds"] <= 3600
        assert (
            fact["idle_seconds"] + fact["active_seconds"] + fact["unknown_seconds"]
            == fact["covered_seconds"]
        )
    energies = energy_by_hand(rows)
    for key, fact in found.items():
        mj, seconds = energies.get(key, (0, 0))
        assert (fact["energy_mj"] or 0, fact["energy_seconds"]) == (mj, seconds), key
        assert fact["energy_seconds"] <= 3600


@pytest.mark.parametrize("seed", range(2))
def test_the_same_rows_give_the_same_bytes_in_any_order_and_number_of_files(tmp_path, seed):
    rows = random_rows(seed)
    rng = random.Random(99)
    results = set()
    for attempt, parts in enumerate((1, 3, 7)):
        rng.shuffle(rows)
        files = [landed(tmp_path / f"{attempt}-{n}.parquet", rows[n::parts]) for n in range(parts)]
        files += [landed(tmp_path / f"{attempt}-again.parquet", rows[: 50 * attempt])]
        for _ in range(2):
            rng.shuffle(files)
            out = tmp_path / "hours.parquet"
            days = tmp_path / "days.parquet"
            with connect() as con:
                rollup_hours(con, files, "company-a", DAY, out)
                rollup_days(con, [out], "company-a", DAY, days)
            results.add((out.read_bytes(), days.read_bytes()))
    assert len(results) == 1


def test_many_gpus_are_taken_in_groups_without_a_trace(tmp_path, monkeypatch):
    rows = random_rows(5)
    files = [landed(tmp_path / "a.parquet", rows)]
    whole = hours_of(files, DAY, tmp_path / "whole.parquet")
    monkeypatch.setattr("geniac_pipelines.gpu_usage.rollup.CHUNK_SAMPLES", 10)
    assert hours_of(files, DAY, tmp_path / "groups.parquet") == whole
    assert (tmp_path / "groups.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


@pytest.mark.parametrize("seed", range(3))
def test_days_made_together_are_byte_for_byte_what_each_alone_gives(tmp_path, seed):
    rows = random_rows(seed)
    moved = []
    for later in range(4):
        for row in rows:
            at = row["sampled_at"] + timedelta(days=later)
            # a host's name that holds for one day, or only for the hours about midnight
            host = f"n{(at + timedelta(hours=9, minutes=random.Random(seed).randint(-90, 90))).day}"
            moved.append({**row, "sampled_at": at, "host": host})
    files = [landed(tmp_path / f"{n}.parquet", moved[n::2]) for n in range(2)]
    days = [DAY + timedelta(days=n) for n in range(4)]
    together = {day: tmp_path / f"together-{day}.parquet" for day in days}
    with connect() as con:
        counts = rollup_hours_of_days(con, files, "company-a", together)
        for day in days:
            alone = tmp_path / f"alone-{day}.parquet"
            assert rollup_hours(con, files, "company-a", day, alone) == counts[day] > 0
            assert alone.read_bytes() == together[day].read_bytes()
        rollup_days(con, list(together.values()), "company-a", DAY, tmp_path / "all", last=days[-1])
        each = []
        for day in days:
            rollup_days(con, [together[day]], "company-a", day, tmp_path / "one")
            each += pq.read_table(tmp_path / "one").to_pylist()
    order = itemgetter("gpu_uuid", "mig_id", "day")
    assert pq.read_table(tmp_path / "all").to_pylist() == sorted(each, key=order)


def test_days_with_a_gap_between_are_not_made_together(tmp_path):
    with connect() as con, pytest.raises(ValueError, match="do not follow"):
        outs = {DAY: tmp_path / "a", DAY + timedelta(days=2): tmp_path / "b"}
        rollup_hours_of_days(con, [], "company-a", outs)


def test_a_killed_rollup_leaves_no_file(tmp_path):
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"PAR1")
    with connect() as con, pytest.raises(Exception, match="bad"):
        rollup_hours(con, [bad], "company-a", DAY, tmp_path / "hours.parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["bad.parquet"]
