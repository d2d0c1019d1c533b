"""dcgm-exporter's text: the exposition format line by line, then scrapes as rows."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geniac_pipelines.gpu_usage.dcgm import DCGM_SCRAPE
from geniac_pipelines.gpu_usage.exposition import Malformed, Sample, parse
from geniac_pipelines.intake.reading import Source
from tests.unit.telemetry_files import RECEIVED, codes, known, read_text

A = 'gpu="0",UUID="GPU-a",modelName="NVIDIA H100",Hostname="node1"'


def one(line: str) -> Sample | Malformed:
    (parsed,) = parse([(1, line)])
    return parsed


@pytest.mark.parametrize(
    ("line", "name", "labels", "value", "time_ms"),
    [
        ("m 12.47", "m", {}, 12.47, None),
        ('a:b_1{x="p",_y="2"} 10 1395066363', "a:b_1", {"x": "p", "_y": "2"}, 10.0, 1395066363),
        (r'm{a="C:\\d",b="x:\n\"y\""} 1.4e9', "m", {"a": "C:\\d", "b": 'x:\n"y"'}, 1.4e9, None),
        ('m{le="+Inf"} 144320', "m", {"le": "+Inf"}, 144320.0, None),
        ("m +Inf 1", "m", {}, math.inf, 1),
        ("m -Inf", "m", {}, -math.inf, None),
        ("  m\t{ a = \"1\" , b=\"}\" , }\t 2", "m", {"a": "1", "b": "}"}, 2.0, None),
        ("m{} 3", "m", {}, 3.0, None),
        (r'm{a="\t"} 3', "m", {"a": r"\t"}, 3.0, None),
    ],
)  # fmt: skip
def test_a_sample_line(line, name, labels, value, time_ms):
    assert one(line) == Sample(1, name, labels, value, time_ms)


def test_nan_is_a_value():
    parsed = one("m NaN")
    assert isinstance(parsed, Sample)
    assert math.isnan(parsed.value)


@pytest.mark.parametrize(
    "line",
    [
        "m", "m{} ", "m 1 2 3", "m one", "m 1 1.5", "m 1 -5", "1m 1", 'm{a="1" 1', 'm{a=1} 1',
        'm{a="1"b="2"} 1', 'm{a="1",a="2"} 1', "m 0x10", "m 1_000", "<html>",
    ],
)  # fmt: skip
def test_a_line_that_is_no_sample_is_told(line):
    assert one(line) == Malformed(1, line.strip())


def test_comments_and_blank_lines_say_nothing():
    lines = ["# HELP m text", "# TYPE m gauge", "#", "", "  ", "# scraped by hand"]
    assert list(parse(enumerate(lines, start=1))) == []


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@given(
    st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True),
    st.dictionaries(
        st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True),
        st.text(st.characters(exclude_categories=["Cs"])),
        max_size=4,
    ),
    st.floats(allow_nan=False),
    st.none() | st.integers(0, 10**14 - 1),
)
def test_whatever_is_written_by_the_rules_is_read_back(name, labels, value, time_ms):
    inner = ",".join(f'{k}="{_escaped(v)}"' for k, v in labels.items())
    number = {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, repr(value))
    line = f"{name}{{{inner}}} {number}" + ("" if time_ms is None else f" {time_ms}")
    assert one(line) == Sample(1, name, labels, value, time_ms)


@given(st.text(max_size=60))
def test_no_line_makes_the_parser_fail(line):
    assert len(list(parse([(1, line)]))) <= 1


def test_a_scrape_without_times_has_the_time_of_its_arrival_and_says_so(tmp_path):
    text = (
        "# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).\n"
        "# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n"
        f"DCGM_FI_DEV_GPU_UTIL{{{A}}} 91\n"
        f"DCGM_FI_DEV_POWER_USAGE{{{A}}} 68.244000\n"
        f"DCGM_FI_DEV_SM_CLOCK{{{A}}} 660\n"
    )
    (row,), refusals = read_text(DCGM_SCRAPE, tmp_path, text)
    assert known(row) == {
        "sampled_at": RECEIVED, "gpu_uuid": "GPU-a", "host": "node1", "gpu_index": 0,
        "gpu_model": "NVIDIA H100", "evaluated": False, "samples": 1, "gpu_util_percent": 91.0,
        "power_w": 68.244,
    }  # fmt: skip
    assert codes(refusals) == ["dcgm.no-time"]
    assert refusals[0].complaint.costs == "nothing"


def test_times_in_the_text_are_taken_and_tell_scrapes_apart(tmp_path):
    text = "".join(
        f"DCGM_FI_DEV_GPU_UTIL{{{A}}} {value} {ms}\n"
        for value, ms in ((1, 1790780400123), (2, 1790780415123))
    )
    rows, refusals = read_text(DCGM_SCRAPE, tmp_path, text)
    assert [(r["sampled_at"], r["gpu_util_percent"]) for r in rows] == [
        (datetime(2026, 9, 30, 15, 0, 0, 123000, tzinfo=UTC), 1.0),
        (datetime(2026, 9, 30, 15, 0, 15, 123000, tzinfo=UTC), 2.0),
    ]
    assert refusals == []


def test_several_scrapes_without_times_cannot_be_told_apart(tmp_path):
    scrape = f"DCGM_FI_DEV_GPU_UTIL{{{A}}} 91\n"
    rows, (refusal,) = read_text(DCGM_SCRAPE, tmp_path, scrape * 2)
    assert rows == []
    assert refusal.complaint.code == "dcgm.several-scrapes"
    assert "2行目" in refusal.ja


@pytest.mark.parametrize("value", ["NaN", "9223372036854775794", "9.223372036854776e+18", "+Inf"])
def test_not_supported_is_missing_without_complaint(tmp_path, value):
    text = f"DCGM_FI_DEV_GPU_UTIL{{{A}}} 0\nDCGM_FI_DEV_POWER_USAGE{{{A}}} {value}\n"
    (row,), refusals = read_text(DCGM_SCRAPE, tmp_path, text)
    assert row["power_w"] is None
    assert row["gpu_util_percent"] == 0.0
    assert codes(refusals) == ["dcgm.no-time"]


def test_mig_slices_and_a_gpu_without_uuid(tmp_path):
    text = (
        f'DCGM_FI_PROF_GR_ENGINE_ACTIVE{{{A},GPU_I_PROFILE="1g.10gb",GPU_I_ID="7"}} 0.5\n'
        f'DCGM_FI_PROF_GR_ENGINE_ACTIVE{{{A},GPU_I_PROFILE="2g.20gb",GPU_I_ID="3"}} 0.25\n'
        'DCGM_FI_DEV_GPU_UTIL{gpu="1"} 5\n'
    )
    rows, refusals = read_text(DCGM_SCRAPE, tmp_path, text)
    assert [(r["mig_id"], r["mig_profile"], r["gr_engine_active_ratio"]) for r in rows] == [
        ("3", "2g.20gb", 0.25),
        ("7", "1g.10gb", 0.5),
    ]
    assert codes(refusals) == ["dcgm.no-uuid", "dcgm.no-time"]
    assert refusals[0].place.row == 3


def test_an_unreadable_line_costs_only_itself(tmp_path):
    text = f"DCGM_FI_DEV_GPU_UTIL{{{A}}} 5\nDCGM_FI_DEV_FB_USED{{{A}\n"
    rows, refusals = read_text(DCGM_SCRAPE, tmp_path, text)
    assert len(rows) == 1
    assert codes(refusals) == ["dcgm.unreadable-line", "dcgm.no-time"]
    assert refusals[0].place.row == 2
    assert '名{ラベル="値"} 値' in refusals[0].ja


def test_an_impossible_value_is_missing_with_a_complaint(tmp_path):
    text = f"DCGM_FI_DEV_GPU_UTIL{{{A}}} 5\nDCGM_FI_DEV_GPU_TEMP{{{A}}} 1000\n"
    (row,), refusals = read_text(DCGM_SCRAPE, tmp_path, text)
    assert row["temperature_c"] is None
    assert codes(refusals) == ["telemetry.out-of-range", "dcgm.no-time"]


def test_the_old_and_the_new_name_of_the_clock_reasons_are_one_column(tmp_path):
    for name in ("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "DCGM_FI_DEV_CLOCKS_EVENT_REASONS"):
        (row,), _ = read_text(DCGM_SCRAPE, tmp_path, f"{name}{{{A}}} 68\n")
        assert row["clock_event_reasons"] == 68


def test_a_scrape_with_nothing_used_is_refused(tmp_path):
    rows, refusals = read_text(DCGM_SCRAPE, tmp_path, f"DCGM_FI_DEV_SM_CLOCK{{{A}}} 660\n")
    assert rows == []
    assert codes(refusals) == ["dcgm.nothing-usable"]


def test_only_dcgm_text_is_claimed(tmp_path):
    path = tmp_path / "file"
    path.write_text('# HELP up x\nup 1\nnode_load1{a="DCGM_FI_DEV_GPU_UTIL"} 0.5\n')
    assert not DCGM_SCRAPE.recognise(Source("file", path))
