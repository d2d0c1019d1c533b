"""Saved replies of Prometheus, trap by trap, on replies written here."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geniac_pipelines.gpu_usage.prometheus import PROMETHEUS_JSON, points
from geniac_pipelines.intake.reading import Source
from tests.unit.telemetry_files import codes, known, labels, read_text, reply, series

T = 1_790_780_400  # 2026-09-30T15:00:00Z, midnight in Japan
UTIL, SM = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_SM_ACTIVE"
ENERGY = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(T + seconds, UTC)


def test_a_series_for_each_metric_becomes_a_row_for_each_instant(tmp_path):
    text = reply(
        series(UTIL, [(T, "86"), (T + 15, "0")]),
        series(SM, [(T, "0.5"), (T + 15, "0.25")]),
        series(ENERGY, [(T, "1500"), (T + 15, "3000")]),
    )
    rows, refusals = read_text(PROMETHEUS_JSON, tmp_path, text)
    assert refusals == []
    assert [known(r) for r in rows] == [
        {
            "sampled_at": at(0), "gpu_uuid": "GPU-a", "host": "node1", "gpu_index": 0,
            "gpu_model": "NVIDIA H100 80GB HBM3", "interval_seconds": 15.0, "evaluated": True,
            "samples": 1, "gpu_util_percent": 86.0, "sm_active_ratio": 0.5, "energy_mj": 1500,
        },
        {
            "sampled_at": at(15), "gpu_uuid": "GPU-a", "host": "node1", "gpu_index": 0,
            "gpu_model": "NVIDIA H100 80GB HBM3", "interval_seconds": 15.0, "evaluated": True,
            "samples": 1, "gpu_util_percent": 0.0, "sm_active_ratio": 0.25, "energy_mj": 3000,
        },
    ]  # fmt: skip


def test_metrics_measured_at_different_instants_leave_gaps_not_zeros(tmp_path):
    text = reply(series(UTIL, [(T, "5")]), series(SM, [(T + 15, "0.5")]))
    rows, _ = read_text(PROMETHEUS_JSON, tmp_path, text)
    assert [(r["gpu_util_percent"], r["sm_active_ratio"]) for r in rows] == [
        (5.0, None),
        (None, 0.5),
    ]


@pytest.mark.parametrize("value", ["NaN", "+Inf", "9223372036854776000", "9223372036854775794"])
def test_what_was_not_measured_is_missing_and_no_complaint(tmp_path, value):
    text = reply(series(UTIL, [(T, "7"), (T + 15, value)]), series(SM, [(T + 15, "0.1")]))
    rows, refusals = read_text(PROMETHEUS_JSON, tmp_path, text)
    assert [r["gpu_util_percent"] for r in rows] == [7.0, None]
    assert refusals == []


def test_an_instant_at_which_nothing_was_measured_is_no_row(tmp_path):
    rows, _ = read_text(PROMETHEUS_JSON, tmp_path, reply(series(UTIL, [(T, "NaN"), (T + 15, "1")])))
    assert [r["sampled_at"] for r in rows] == [at(15)]


def test_an_impossible_value_is_missing_with_a_complaint_that_shows_it(tmp_path):
    text = reply(series(UTIL, [(T, "150"), (T + 15, "50")]))
    rows, (refusal,) = read_text(PROMETHEUS_JSON, tmp_path, text)
    assert [r["gpu_util_percent"] for r in rows] == [50.0]
    assert refusal.complaint.code == "telemetry.out-of-range"
    assert refusal.place.row == 1
    assert refusal.place.column == UTIL
    assert "150" in refusal.ja
    assert "0〜100" in refusal.ja


def test_the_interval_is_the_step_also_for_series_with_gaps_and_single_points(tmp_path):
    text = reply(
        series(UTIL, [(T, "1"), (T + 30, "1"), (T + 90, "1")]),
        series(UTIL, [(T, "1"), (T + 15, "1")], uuid="GPU-b"),
        series(UTIL, [(T + 45, "1")], uuid="GPU-c"),
    )
    rows, _ = read_text(PROMETHEUS_JSON, tmp_path, text)
    assert {(r["gpu_uuid"], r["interval_seconds"], r["evaluated"]) for r in rows} == {
        ("GPU-a", 15.0, True), ("GPU-b", 15.0, True), ("GPU-c", 15.0, True),
    }  # fmt: skip


def test_jittered_stamps_are_instants_of_scrapes_and_keep_their_milliseconds(tmp_path):
    stamps = [T + 0.123, T + 15.125, T + 30.121, T + 60.123]
    rows, _ = read_text(PROMETHEUS_JSON, tmp_path, reply(series(UTIL, [(t, "1") for t in stamps])))
    assert [r["sampled_at"] for r in rows] == [at(s) for s in (0.123, 15.125, 30.121, 60.123)]
    # spacings 15.002, 14.996, 30.002: the lower median
    assert {(r["interval_seconds"], r["evaluated"]) for r in rows} == {(15.002, False)}


def test_a_vector_is_one_instant_of_unknown_interval(tmp_path):
    element = {"metric": labels(UTIL), "value": [T + 0.082, "32"]}
    (row,), refusals = read_text(PROMETHEUS_JSON, tmp_path, reply(element, kind="vector"))
    assert (row["sampled_at"], row["gpu_util_percent"]) == (at(0.082), 32.0)
    assert (row["interval_seconds"], row["evaluated"]) == (None, False)
    assert refusals == []


def test_a_step_beyond_five_minutes_is_noted(tmp_path):
    _, refusals = read_text(
        PROMETHEUS_JSON, tmp_path, reply(series(UTIL, [(T, "1"), (T + 3600, "1")]))
    )
    assert codes(refusals) == ["prometheus.coarse-step"]
    assert refusals[0].complaint.costs == "nothing"
    assert "3600" in refusals[0].en


def test_mig_slices_are_told_apart_and_hostname_may_be_written_small(tmp_path):
    def of(slice_id: str) -> dict:
        found = series(
            "DCGM_FI_PROF_GR_ENGINE_ACTIVE", [(T, f"0.{slice_id}")],
            GPU_I_ID=slice_id, GPU_I_PROFILE="1g.10gb", hostname="node9",
        )  # fmt: skip
        del found["metric"]["Hostname"]
        return found

    rows, _ = read_text(PROMETHEUS_JSON, tmp_path, reply(of("2"), of("1")))
    assert [
        (r["mig_id"], r["mig_profile"], r["host"], r["gr_engine_active_ratio"]) for r in rows
    ] == [("1", "1g.10gb", "node9", 0.1), ("2", "1g.10gb", "node9", 0.2)]


def test_one_gpu_whose_labels_change_is_one_gpu_and_the_greater_value_holds(tmp_path):
    text = reply(
        series(UTIL, [(T, "10"), (T + 15, "20")], pod="one"),
        series(UTIL, [(T + 15, "90"), (T + 30, "30")], pod="two"),
    )
    rows, _ = read_text(PROMETHEUS_JSON, tmp_path, text)
    assert [r["gpu_util_percent"] for r in rows] == [10.0, 90.0, 30.0]


def test_the_refusal_of_11000_points_is_explained(tmp_path):
    error = (
        "exceeded maximum resolution of 11,000 points per timeseries. "
        "Try decreasing the query resolution (?step=XX)"
    )
    text = json.dumps({"status": "error", "errorType": "bad_data", "error": error})
    rows, (refusal,) = read_text(PROMETHEUS_JSON, tmp_path, text)
    assert rows == []
    assert refusal.complaint.code == "prometheus.too-many-points"
    assert refusal.complaint.costs == "file"
    assert "45時間50分" in refusal.ja_remedy  # 11,000 × 15 s
    assert "45 h 50 min" in refusal.en_remedy


def test_another_error_is_shown_as_the_server_said_it(tmp_path):
    text = '{"status":"error","errorType":"execution","error":"query timed out"}'
    _, (refusal,) = read_text(PROMETHEUS_JSON, tmp_path, text)
    assert refusal.complaint.code == "prometheus.error"
    assert "execution: query timed out" in refusal.ja


def test_no_data_is_a_note_and_never_idle(tmp_path):
    rows, (refusal,) = read_text(PROMETHEUS_JSON, tmp_path, reply())
    assert rows == []
    assert refusal.complaint.costs == "nothing"
    assert "アイドルとは数えません" in refusal.ja


@pytest.mark.parametrize("more", [{"isPartial": True}, {"warnings": ["store gateway down"]}])
def test_a_partial_reply_keeps_its_rows_and_says_so(tmp_path, more):
    rows, refusals = read_text(PROMETHEUS_JSON, tmp_path, reply(series(UTIL, [(T, "1")]), **more))
    assert len(rows) == 1
    assert codes(refusals) == ["prometheus.partial"]
    assert refusals[0].complaint.costs == "row"


def test_a_whole_victoriametrics_reply_is_no_complaint(tmp_path):
    text = reply(series(UTIL, [(T, "1")]), isPartial=False, stats={"seriesFetched": "1"})
    assert read_text(PROMETHEUS_JSON, tmp_path, text)[1] == []


def test_a_reply_cut_off_gives_the_series_before_the_cut(tmp_path):
    whole = reply(series(UTIL, [(T, "1")]), series(UTIL, [(T, "2"), (T + 15, "3")], uuid="GPU-b"))
    rows, (refusal,) = read_text(PROMETHEUS_JSON, tmp_path, whole[:-20])
    assert [r["gpu_uuid"] for r in rows] == ["GPU-a"]
    assert refusal.complaint.code == "prometheus.cut-off"
    assert refusal.complaint.costs == "row"
    assert "1番目" in refusal.ja


def test_damage_before_the_first_series_costs_the_file(tmp_path):
    rows, refusals = read_text(PROMETHEUS_JSON, tmp_path, '{"status":"success","resultType":"mat')
    assert rows == []
    assert codes(refusals) == ["prometheus.not-json"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"metric": {"UUID": "GPU-a"}}, "prometheus.no-name"),
        ({"metric": {"__name__": UTIL, "Hostname": "node1"}}, "prometheus.no-uuid"),
        ({"values": [[T, "1"], [T, "2"]]}, "prometheus.bad-series"),
        ({"values": [[T, 1]]}, "prometheus.bad-series"),
        ({"values": [[T, "one"]]}, "prometheus.bad-series"),
        ({"values": [[T * 1000, "1"]]}, "prometheus.bad-series"),
        ({"values": [["now", "1"]]}, "prometheus.bad-series"),
        ({"metric": []}, "prometheus.bad-series"),
    ],
)
def test_a_series_that_cannot_be_used_costs_only_itself(tmp_path, change, code):
    good = series(UTIL, [(T, "1")], uuid="GPU-b")
    bad = {**series(UTIL, [(T, "1")]), **change}
    rows, refusals = read_text(PROMETHEUS_JSON, tmp_path, reply(bad, good))
    assert [r["gpu_uuid"] for r in rows] == ["GPU-b"]
    assert codes(refusals) == [code]
    assert refusals[0].place.row == 1


def test_metrics_that_are_not_used_are_named(tmp_path):
    text = reply(series("DCGM_FI_DEV_SM_CLOCK", [(T, "210")]), series(UTIL, [(T, "1")]))
    rows, (refusal,) = read_text(PROMETHEUS_JSON, tmp_path, text)
    assert len(rows) == 1
    assert refusal.complaint.code == "prometheus.unused"
    assert "DCGM_FI_DEV_SM_CLOCK" in refusal.ja


def test_a_file_without_any_used_metric_is_refused(tmp_path):
    rows, refusals = read_text(PROMETHEUS_JSON, tmp_path, reply(series("up", [(T, "1")])))
    assert rows == []
    assert codes(refusals) == ["prometheus.nothing-usable"]


def test_a_scalar_is_no_series(tmp_path):
    text = '{"status":"success","data":{"resultType":"scalar","result":[1790780400,"1"]}}'
    assert codes(read_text(PROMETHEUS_JSON, tmp_path, text)[1]) == ["prometheus.result-type"]


def test_replies_after_each_other_are_all_read(tmp_path):
    error = '{"status":"error","errorType":"timeout","error":"x"}'
    text = "\n".join(
        [reply(series(UTIL, [(T, "1")])), error, reply(series(SM, [(T, "0.5")])), reply()]
    )
    rows, refusals = read_text(PROMETHEUS_JSON, tmp_path, text)
    assert [known(r).get("gpu_util_percent") for r in rows] == [1.0, None]
    assert [known(r).get("sm_active_ratio") for r in rows] == [None, 0.5]
    assert codes(refusals) == ["prometheus.error", "prometheus.empty"]


def test_pretty_printed_or_saved_by_a_windows_shell_is_the_same(tmp_path):
    text = reply(series(UTIL, [(T, "1"), (T + 15, "2")], note='}]},{"metric":{'))
    compact, _ = read_text(PROMETHEUS_JSON, tmp_path, text)
    pretty = json.dumps(json.loads(text), indent=2, sort_keys=True)
    for form in (pretty.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        assert read_text(PROMETHEUS_JSON, tmp_path, form) == (compact, [])


def test_an_integer_beyond_what_a_float_holds_exactly_is_refused(tmp_path):
    text = reply(series(ENERGY, [(T, str(2**53)), (T + 15, str(2**53 + 2))]))
    rows, refusals = read_text(PROMETHEUS_JSON, tmp_path, text)
    assert [r["energy_mj"] for r in rows] == [2**53]
    assert codes(refusals) == ["telemetry.out-of-range"]


@pytest.mark.parametrize(
    "text", ['{"meta": {}, "jobs": [], "errors": []}', "JobID|State", "", '{"status":"success"}']
)
def test_other_files_are_not_claimed(tmp_path, text):
    path = tmp_path / "file"
    path.write_text(text)
    assert not PROMETHEUS_JSON.recognise(Source("file", path))


_VALUES = st.one_of(
    st.floats(0, 100).map(repr), st.integers(0, 100).map(str), st.just("NaN"),
    st.just("9223372036854776000"),
)  # fmt: skip
_STAMPS = st.lists(st.integers(0, 10_000), min_size=1, max_size=30, unique=True).map(sorted)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_measured_value_arrives_once_at_its_instant(tmp_path_factory, data):
    expected, result = {}, []
    for uuid in data.draw(st.sets(st.sampled_from(["GPU-a", "GPU-b", "GPU-c"]), min_size=1)):
        for metric, column in ((UTIL, "gpu_util_percent"), (SM, "sm_active_ratio")):
            stamps = data.draw(_STAMPS)
            values = [(T + s, data.draw(_VALUES)) for s in stamps]
            if metric == SM:
                values = [(t, v if v == "NaN" else "0.5") for t, v in values]
            result.append(series(metric, values, uuid=uuid))
            for t, v in values:
                if v not in ("NaN", "9223372036854776000"):
                    expected[uuid, t, column] = float(v)
    text = reply(*data.draw(st.permutations(result)))
    rows, _ = read_text(PROMETHEUS_JSON, tmp_path_factory.mktemp("reply"), text)
    found = {
        (r["gpu_uuid"], r["sampled_at"].timestamp(), column): r[column]
        for r in rows
        for column in ("gpu_util_percent", "sm_active_ratio")
        if r[column] is not None
    }
    assert found == expected
    keys = [(r["gpu_uuid"], r["sampled_at"]) for r in rows]
    assert keys == sorted(set(keys))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 400), st.binary(max_size=4))
def test_no_damage_makes_the_reader_fail(tmp_path_factory, position, noise):
    text = bytearray(
        reply(series(UTIL, [(T, "1"), (T + 15, "2")]), series(SM, [(T, "0.1")])).encode()
    )
    text[position : position + len(noise)] = noise
    path = tmp_path_factory.mktemp("damaged") / "file"
    path.write_bytes(bytes(text))
    source = Source("file", path)
    if PROMETHEUS_JSON.recognise(source):
        rows, refusals = read_text(PROMETHEUS_JSON, path.parent, bytes(text))
        assert rows or refusals


def test_points_are_milliseconds_exactly():
    at_us, _ = points({"values": [[1790780400.001, "1"], [1790780400.999, "1"]]})
    assert at_us.tolist() == [1_790_780_400_001_000, 1_790_780_400_999_000]
