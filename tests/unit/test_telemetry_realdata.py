"""Real replies and scrapes, one test for each trap that they hold."""

import json
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from geniac_pipelines.areas import FORMATS
from geniac_pipelines.gpu_usage.dcgm import DCGM_SCRAPE
from geniac_pipelines.gpu_usage.prometheus import PROMETHEUS_JSON
from geniac_pipelines.intake.reading import Source
from geniac_pipelines.intake.recognise import recognise
from tests.realdata import realdata
from tests.unit.telemetry_files import RECEIVED, codes, hours_of, known, landed, read_path

pytestmark = pytest.mark.realdata


def raw(name: str) -> list[dict]:
    """The series of a reply, read by the standard library."""
    return json.loads(realdata(f"gpu_usage/{name}").read_text())["data"]["result"]


@pytest.mark.parametrize(
    ("name", "fmt"),
    [
        ("prometheus_query_instant_dcgm_l40s.json", PROMETHEUS_JSON),
        ("prometheus_query_range_empty.json", PROMETHEUS_JSON),
        ("prometheus_query_range_error_11000.json", PROMETHEUS_JSON),
        ("prometheus_query_range_gpu_util.json", PROMETHEUS_JSON),
        ("prometheus_query_range_sentinel_nan_counter_reset.json", PROMETHEUS_JSON),
        ("dcgm_exporter_l40s_driver595.prom", DCGM_SCRAPE),
        ("dcgm_exporter_t4_driver590_nohelp.prom", DCGM_SCRAPE),
        ("dcgm_exporter_vgpu_a100_10c.prom", DCGM_SCRAPE),
    ],
)
def test_each_file_is_claimed_by_its_format_alone(name, fmt):
    path = realdata(f"gpu_usage/{name}")
    assert recognise(Source(name, path), FORMATS) is fmt


@pytest.mark.parametrize(
    "name", ["slurm_22.05_sacct.json", "slurm_22.05_sacct_parsable2_epoch.txt"]
)
def test_scheduler_records_are_not_taken_for_telemetry(name):
    source = Source(name, realdata(f"gpu_usage/{name}"))
    assert not PROMETHEUS_JSON.recognise(source)
    assert not DCGM_SCRAPE.recognise(source)


def test_a_range_of_gpu_util_gives_every_point_once():
    rows, refusals = read_path(
        PROMETHEUS_JSON, realdata("gpu_usage/prometheus_query_range_gpu_util.json")
    )
    expected = {
        (s["metric"]["UUID"], float(t), float(v))
        for s in raw("prometheus_query_range_gpu_util.json")
        for t, v in s["values"]
    }
    assert len(expected) == 3 * 28
    assert {
        (r["gpu_uuid"], r["sampled_at"].timestamp(), r["gpu_util_percent"]) for r in rows
    } == expected
    assert {(r["interval_seconds"], r["host"], r["samples"]) for r in rows} == {(15.0, "gpu01", 1)}
    assert refusals == []


def test_an_idle_gpu_in_a_range_is_idle_for_what_was_measured_and_no_longer(tmp_path):
    rows, _ = read_path(PROMETHEUS_JSON, realdata("gpu_usage/prometheus_query_range_gpu_util.json"))
    facts = hours_of(
        [landed(tmp_path / "landed.parquet", rows)], date(2026, 11, 23), tmp_path / "hours.parquet"
    )
    # 28 points of 15 seconds within 14:00 UTC; the third GPU is at 0 % throughout
    assert [(f["covered_seconds"], f["idle_seconds"]) for f in facts] == [
        (420, 0),
        (420, 0),
        (420, 420),
    ]


def test_sentinels_and_nan_are_missing_and_the_counter_reset_costs_no_energy(tmp_path):
    name = "prometheus_query_range_sentinel_nan_counter_reset.json"
    rows, (note,) = read_path(PROMETHEUS_JSON, realdata(f"gpu_usage/{name}"))
    assert note.complaint.code == "prometheus.unused"
    assert "DCGM_FI_DEV_MEMORY_TEMP" in note.ja
    facts = hours_of(
        [landed(tmp_path / "landed.parquet", rows)], date(2026, 11, 23), tmp_path / "hours.parquet"
    )
    counters = [s for s in raw(name) if s["metric"]["__name__"].endswith("ENERGY_CONSUMPTION")]
    assert len(facts) == len(counters) == 4
    for fact, counter in zip(facts, counters, strict=True):
        values = [int(v) for _, v in counter["values"]]
        falls = [n for n in range(1, len(values)) if values[n] < values[n - 1]]
        # the rise before each fall, and what the counter holds from each new beginning
        parts = [0, *falls, len(values)]
        expected = sum(
            values[end - 1] - (values[begin] if begin == 0 else 0) for begin, end in pairwise(parts)
        )
        assert fact["energy_mj"] == expected
        assert fact["energy_seconds"] == 27 * 15
        assert fact["unknown_seconds"] == fact["covered_seconds"] == 420


def test_the_reset_is_really_there():
    name = "prometheus_query_range_sentinel_nan_counter_reset.json"
    counters = [s for s in raw(name) if s["metric"]["__name__"].endswith("ENERGY_CONSUMPTION")]
    falls = [sum(int(b[1]) < int(a[1]) for a, b in pairwise(s["values"])) for s in counters]
    assert any(falls)


def test_an_empty_reply_is_a_note_and_no_row():
    rows, refusals = read_path(
        PROMETHEUS_JSON, realdata("gpu_usage/prometheus_query_range_empty.json")
    )
    assert rows == []
    assert codes(refusals) == ["prometheus.empty"]


def test_the_refusal_of_11000_points_costs_the_file_and_names_the_remedy():
    rows, (refusal,) = read_path(
        PROMETHEUS_JSON, realdata("gpu_usage/prometheus_query_range_error_11000.json")
    )
    assert rows == []
    assert refusal.complaint.code == "prometheus.too-many-points"
    assert "11,000" in refusal.ja
    assert "avg_over_time" in refusal.ja_remedy


def test_an_instant_vector_of_a_real_node_is_one_temperature_at_its_millisecond():
    (row,), refusals = read_path(
        PROMETHEUS_JSON, realdata("gpu_usage/prometheus_query_instant_dcgm_l40s.json")
    )
    assert known(row) == {
        "sampled_at": datetime.fromtimestamp(1775721747, UTC).replace(microsecond=82_000),
        "gpu_uuid": "GPU-5b4e07f6-3a86-4340-039d-25f2a83cdc43", "host": "gpu1-wl8sg",
        "gpu_index": 0, "gpu_model": "NVIDIA L40S", "evaluated": False, "samples": 1,
        "temperature_c": 32.0,
    }  # fmt: skip
    assert refusals == []


def test_a_scrape_with_help_and_type_lines():
    (row,), refusals = read_path(
        DCGM_SCRAPE, realdata("gpu_usage/dcgm_exporter_l40s_driver595.prom")
    )
    assert known(row) == {
        "sampled_at": RECEIVED, "gpu_uuid": "GPU-5b4e07f6-3a86-4340-039d-25f2a83cdc43",
        "host": "gpu1-wl8sg", "gpu_index": 0, "gpu_model": "NVIDIA L40S", "evaluated": False,
        "samples": 1, "gpu_util_percent": 0.0, "tensor_active_ratio": 0.0,
        "gr_engine_active_ratio": 0.0, "dram_active_ratio": 0.000131, "memory_used_mib": 0.0,
        "power_w": 35.686, "energy_mj": 5551899580, "temperature_c": 32.0,
    }  # fmt: skip
    assert codes(refusals) == ["dcgm.no-time"]


def test_a_busy_gpu_without_help_lines_shows_use_that_the_engine_does_not_confirm():
    (row,), refusals = read_path(
        DCGM_SCRAPE, realdata("gpu_usage/dcgm_exporter_t4_driver590_nohelp.prom")
    )
    assert (row["gpu_util_percent"], row["gr_engine_active_ratio"]) == (91.0, 0.156205)
    assert row["energy_mj"] == 15152422938
    # not among the exporter's default counters
    assert row["sm_active_ratio"] is None
    assert codes(refusals) == ["dcgm.no-time"]


def test_a_vgpu_has_no_power_energy_or_profiling_and_that_is_missing_not_zero():
    (row,), refusals = read_path(
        DCGM_SCRAPE, realdata("gpu_usage/dcgm_exporter_vgpu_a100_10c.prom")
    )
    assert row["gpu_model"] == "GRID A100-10C"
    assert (row["gpu_util_percent"], row["memory_used_mib"]) == (0.0, 0.0)
    missing = ("power_w", "energy_mj", "sm_active_ratio", "gr_engine_active_ratio", "temperature_c")
    assert [row[name] for name in missing] == [None] * 5
    assert codes(refusals) == ["dcgm.no-time"]
