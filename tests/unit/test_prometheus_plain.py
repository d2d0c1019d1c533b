"""Series in Prometheus' own form are parsed in bulk, and give what the general way gives."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geniac_pipelines.gpu_usage import prometheus_replies
from geniac_pipelines.gpu_usage.prometheus import PROMETHEUS_JSON
from geniac_pipelines.gpu_usage.prometheus_plain import plain_series
from tests.unit.telemetry_files import codes, read_text, reply, series

LABELS = {"__name__": "DCGM_FI_DEV_GPU_UTIL", "UUID": "GPU-a"}


def text_of(labels, pairs):
    """As the server writes it: no blanks, values between quotes."""
    content = {"metric": labels, "values": pairs}
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
times = st.integers(1, 10**13).map(lambda ms: ms / 1000)


@given(
    labels=st.dictionaries(st.text(), st.text()),
    pairs=st.lists(st.tuples(times, numbers.map(str)), min_size=1),
)
def test_times_and_values_are_those_that_json_and_python_read(labels, pairs):
    found = plain_series(text_of(labels, [list(p) for p in pairs]))
    # a label may hold the very marks at which the text is cut; then the general way reads it
    if found is None:
        assert any('"' in word for pair in labels.items() for word in pair)
        return
    read, points = found
    assert read == labels
    expected = np.array([[at, float(value)] for at, value in pairs])
    np.testing.assert_array_equal(points, expected)


@pytest.mark.parametrize(
    "text",
    [
        b'{"metric":{"UUID":"a"},"values":[[1,"2"], [2,"3"]]}',
        b'{"metric":{"UUID":"a"},"values":[[1,"NaN"]]}',
        b'{"metric":{"UUID":"a"},"values":[[1,"+Inf"]]}',
        b'{"metric":{"UUID":"a"},"values":[[1,"1_0"]]}',
        b'{"metric":{"UUID":"a"},"values":[[1,""]]}',
        b'{"metric":{"UUID":"a"},"values":[[1,2]]}',
        b'{"metric":{"UUID":"a"},"values":[["1","2"]]}',
        b'{"metric":{"UUID":"a"},"values":[[1,"2","3"]]}',
        b'{"metric":{"UUID":"a"},"values":[[1,"2"],[3]]}',
        b'{"metric":{"UUID":"a"},"values":[[01,"2"]]}',
        b'{"metric":{"UUID":"a"},"value":[1,"2"]}',
        b'{"metric":{"UUID":"a"},"values":[]}',
        b'{"metric":{"UUID":"a},"values":[[1,"2"]]}',
        b'{"values":[[1,"2"]],"metric":{"UUID":"a"}}',
    ],
)
def test_any_other_form_is_left_to_the_general_way(text):
    assert plain_series(text) is None


def test_a_reply_reads_the_same_either_way(tmp_path, monkeypatch):
    stamps = [1_790_694_000 + 15 * n for n in range(200)]
    content = reply(
        series("DCGM_FI_DEV_GPU_UTIL", [(t, str(t % 101)) for t in stamps]),
        series("DCGM_FI_DEV_GPU_UTIL", [(t, "150") for t in stamps], uuid="GPU-over"),
        series("DCGM_FI_DEV_POWER_USAGE", [(t, "71.3") for t in stamps[::2]]),
        series("DCGM_FI_DEV_FB_USED", [(t, "9223372036854776000") for t in stamps]),
        series("DCGM_FI_DEV_FB_USED", [(t, "NaN") for t in stamps], uuid="GPU-none"),
        series("DCGM_FI_DEV_GPU_UTIL", [(2.0, "1"), (1.0, "1")], uuid="GPU-backwards"),
        series("DCGM_FI_DEV_GPU_UTIL", [(t, "1") for t in stamps], uuid='GPU-"]]}'),
    )
    rows, refusals = read_text(PROMETHEUS_JSON, tmp_path, content)
    monkeypatch.setattr(prometheus_replies, "plain_series", lambda text: None)
    assert (rows, refusals) == read_text(PROMETHEUS_JSON, tmp_path, content)
    assert len([r for r in rows if r["gpu_uuid"] == "GPU-a"]) == 200
    assert codes(refusals) == ["telemetry.out-of-range", "prometheus.bad-series"]


def test_a_series_longer_than_a_chunk_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(prometheus_replies, "CHUNK", 64)
    stamps = [1_790_694_000 + 15 * n for n in range(50)]
    content = reply(series("DCGM_FI_DEV_GPU_UTIL", [(t, "7") for t in stamps]))
    rows, refusals = read_text(PROMETHEUS_JSON, tmp_path, content)
    assert [r["gpu_util_percent"] for r in rows] == [7.0] * 50
    assert refusals == []
