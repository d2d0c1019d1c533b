"""Hourly aggregates: fetched from a scripted server, saved as one document, read to rows."""

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest

from geniac_pipelines.gpu_usage.prometheus_hours import ASKED, PROMETHEUS_HOURS, hour_before
from geniac_pipelines.gpu_usage.prometheus_live import PrometheusFailed, fetch_hours
from geniac_pipelines.http import PoliteClient
from geniac_pipelines.intake.reading import Source
from tests.unit.http_server import Handler, Server, say, serving
from tests.unit.telemetry_files import codes, hours_of, known, landed, read_text, samples

START = datetime(2026, 9, 30, 15, 0, tzinfo=UTC)  # midnight in Japan
NOW = START + timedelta(days=30)
UTIL, POWER = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_POWER_USAGE"
ENERGY, XID = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "DCGM_FI_DEV_XID_ERRORS"
GR = "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
GPU = {"UUID": "GPU-a", "gpu": "0", "Hostname": "node1", "modelName": "NVIDIA H100"}

Series = tuple[dict[str, str], list[tuple[float, float]]]


def every15(value, count: int = 240, first: float = 3.0) -> list[tuple[float, float]]:
    """Samples from `first` seconds after START; `value` may be a function of the number."""
    return [
        (START.timestamp() + first + 15 * n, float(value(n) if callable(value) else value))
        for n in range(count)
    ]


class FakePrometheus:
    """Enough of the API to answer what is asked, by plain Python over all samples."""

    def __init__(self, server: Server, *series: Series) -> None:
        self.stored = series
        self.queries: list[dict[str, str]] = []
        self.changes = {}
        server.on("/prom/api/v1/series", self._series)
        server.on("/prom/api/v1/query_range", self._range)
        self.url = server.url("/prom/")

    def _asked(self, handler: Handler) -> dict[str, str]:
        asked = {k: v[0] for k, v in parse_qs(urlsplit(handler.path).query).items()}
        self.queries.append(asked)
        return asked

    def _series(self, handler: Handler) -> None:
        self._asked(handler)
        self._answer(handler, [labels for labels, _ in self.stored])

    def _answer(self, handler: Handler, data: object, query: str = "") -> None:
        body = {"status": "success", "data": data}
        for part, change in self.changes.items():
            if part in query:
                body = change(body)
        say(200, json.dumps(body).encode(), Date=format_datetime(NOW, usegmt=True))(handler)

    def _range(self, handler: Handler) -> None:
        asked = self._asked(handler)
        result = []
        start, end = float(asked["start"]), float(asked["end"])
        assert asked["step"] == "3600"
        function, name = re.match(r"(\w+)\(\(?(DCGM\w+)", asked["query"]).groups()
        for labels, points in self.stored:
            if labels["__name__"] != name:
                continue
            values = []
            for n in range(int((end - start) // 3600) + 1):
                at = start + 3600 * n
                value = self._value(function, asked["query"], points, at)
                if value is not None:
                    values.append([round(at, 3), str(value)])
            if values:
                result.append(
                    {
                        "metric": {k: v for k, v in labels.items() if k != "__name__"},
                        "values": values,
                    }
                )
        self._answer(handler, {"resultType": "matrix", "result": result}, asked["query"])

    @staticmethod
    def _value(function: str, query: str, points, at: float) -> float | None:
        inside = [v for t, v in points if at - 3600 < t <= at]
        if "== 0" in query:
            inside = [v for v in inside if v == 0]
        if not inside or (function == "increase" and len(inside) < 2):
            return None
        return {
            "avg_over_time": lambda: sum(inside) / len(inside),
            "count_over_time": lambda: len(inside),
            "max_over_time": lambda: max(inside),
            "last_over_time": lambda: inside[-1],
            "increase": lambda: inside[-1] - inside[0],
        }[function]()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def client() -> Iterator[PoliteClient]:
    with PoliteClient("tests", per_host_interval_s=0.0, retries=0, now=lambda: NOW) as polite:
        yield polite


def fetch(client, fake, hours=1, **more) -> bytes:
    arguments = {"interval_seconds": 15, **more}
    return fetch_hours(
        client, fake.url, "company-a", START, START + timedelta(hours=hours), **arguments
    )


def named(metric: str, **more: str) -> dict[str, str]:
    return {"__name__": metric, **GPU, **more}


def test_an_hour_of_samples_becomes_one_row_that_says_the_same(server, client, tmp_path):
    util = every15(lambda n: 0 if n < 60 else 80)
    fake = FakePrometheus(server, (named(UTIL), util), (named(POWER), every15(400)))
    rows, refusals = read_text(PROMETHEUS_HOURS, tmp_path, fetch(client, fake))
    assert refusals == []
    assert [known(r) for r in rows] == [
        {
            "sampled_at": START, "gpu_uuid": "GPU-a", "host": "node1", "gpu_index": 0,
            "gpu_model": "NVIDIA H100", "evaluated": False, "interval_seconds": 15.0,
            "samples": 240, "gpu_util_percent": 60.0, "gpu_util_samples": 240,
            "gpu_util_max_percent": 80.0, "idle_samples": 60, "power_w": 400.0,
            "power_samples": 240, "power_max_w": 400.0,
        }
    ]  # fmt: skip
    aggregates = hours_of(
        [landed(tmp_path / "hours", rows)], date(2026, 10, 1), tmp_path / "of-hours"
    )
    raw = samples(
        START, 240, gpu_util_percent=lambda n: 0.0 if n < 60 else 80.0, power_w=400.0, host="node1",
        gpu_index=0, gpu_model="NVIDIA H100",
    )  # fmt: skip
    assert aggregates == hours_of(
        [landed(tmp_path / "raw", raw)], date(2026, 10, 1), tmp_path / "of-raw"
    )


def test_hours_are_evaluated_a_millisecond_before_their_end(server, client):
    fake = FakePrometheus(server, (named(XID), every15(0)))
    fetch(client, fake, hours=2)
    asked = [q for q in fake.queries if "query" in q]
    # 16:00 and 17:00 UTC are 1790784000 and 1790787600
    assert {(q["start"], q["end"]) for q in asked} == {("1790783999.999", "1790787599.999")}
    assert hour_before(1790783999.999) == START.timestamp() * 1000
    with pytest.raises(ValueError, match="full hour"):
        hour_before(1790784000)


def test_long_periods_are_asked_for_page_by_page_and_every_hour_once(server, client, tmp_path):
    fake = FakePrometheus(server, (named(UTIL), every15(5, 240 * 5)))
    rows, _ = read_text(PROMETHEUS_HOURS, tmp_path, fetch(client, fake, hours=5, page_hours=2))
    assert [r["sampled_at"] for r in rows] == [START + timedelta(hours=h) for h in range(5)]
    assert len([q for q in fake.queries if "avg_over_time" in q.get("query", "")]) == 3


def test_only_fields_that_the_server_has_are_asked_for(server, client):
    fake = FakePrometheus(server, (named(UTIL), every15(5)))
    fetch(client, fake)
    assert {q["query"].split("(")[0] for q in fake.queries if "query" in q} == {
        "avg_over_time", "count_over_time", "max_over_time",
    }  # fmt: skip
    assert all(UTIL in q["query"] for q in fake.queries if "query" in q)


def test_label_matchers_go_into_every_query(server, client):
    fake = FakePrometheus(server, (named(UTIL), every15(5)))
    fetch(client, fake, matchers='company="a"')
    assert all('company="a"' in q.get("query", q.get("match[]", "")) for q in fake.queries)


def test_energy_codes_and_temperature(server, client, tmp_path):
    fake = FakePrometheus(
        server,
        (named(ENERGY), every15(lambda n: 1000 * n)),
        (named(XID), every15(lambda n: 79 if n > 200 else 0)),
        (named("DCGM_FI_DEV_GPU_TEMP"), every15(lambda n: n % 50)),
    )
    (row,), _ = read_text(PROMETHEUS_HOURS, tmp_path, fetch(client, fake))
    assert row["energy_increase_mj"] == 239_000
    assert (row["xid_code"], row["temperature_max_c"], row["samples"]) == (79, 49.0, 240)
    assert row["gpu_util_percent"] is None
    assert row["idle_samples"] is None


def test_a_mig_slice_is_idle_by_its_engine(server, client, tmp_path):
    mig = {"GPU_I_ID": "3", "GPU_I_PROFILE": "1g.10gb"}
    fake = FakePrometheus(
        server,
        (named(UTIL, **mig), every15(0)),
        (named(GR, **mig), every15(lambda n: 0 if n < 10 else 0.5)),
    )
    (row,), _ = read_text(PROMETHEUS_HOURS, tmp_path, fetch(client, fake))
    assert (row["mig_id"], row["mig_profile"], row["idle_samples"]) == ("3", "1g.10gb", 10)


def test_few_samples_are_little_coverage(server, client, tmp_path):
    fake = FakePrometheus(server, (named(UTIL), every15(5, 40)))
    (row,), _ = read_text(PROMETHEUS_HOURS, tmp_path, fetch(client, fake))
    assert (row["samples"], row["interval_seconds"]) == (40, 15.0)


def test_a_series_whose_labels_change_within_the_hour_adds_up(server, client, tmp_path):
    fake = FakePrometheus(
        server,
        (named(UTIL, pod="one"), every15(90, 60)),
        (named(UTIL, pod="two"), every15(10, 180, first=3 + 15 * 60)),
    )
    (row,), _ = read_text(PROMETHEUS_HOURS, tmp_path, fetch(client, fake))
    assert (row["gpu_util_samples"], row["gpu_util_max_percent"]) == (240, 90.0)
    # (90 × 60 + 10 × 180) / 240
    assert row["gpu_util_percent"] == pytest.approx(30.0)


def test_a_gpu_that_is_scraped_twice_counts_once(server, client, tmp_path):
    fake = FakePrometheus(
        server,
        (named(UTIL, job="one"), every15(50)),
        (named(UTIL, job="two"), every15(50, first=7.0)),
        (named(ENERGY, job="one"), every15(lambda n: 1000 * n)),
        (named(ENERGY, job="two"), every15(lambda n: 1000 * n, first=7.0)),
    )
    (row,), _ = read_text(PROMETHEUS_HOURS, tmp_path, fetch(client, fake))
    assert (row["samples"], row["gpu_util_percent"]) == (240, 50.0)
    assert row["energy_increase_mj"] == 239_000


def test_whole_arrays_say_what_hour_by_hour_says(server, client, tmp_path, monkeypatch):
    """Fields with gaps, codes, a MIG slice, hours asked for page by page: either way the same."""
    random = Random(7)
    slice_ = {"GPU_I_ID": "1", "GPU_I_PROFILE": "1g.10gb"}

    def gappy(values) -> list[tuple[float, float]]:
        return [point for point in every15(values, 5 * 240) if random.random() < 0.6][300:]

    fake = FakePrometheus(
        server,
        (named(UTIL), gappy(lambda n: random.choice((0, 50)))),
        (named(POWER), gappy(lambda n: random.choice((90, 9.3e18, 410)))[:200]),
        (named(ENERGY), gappy(lambda n: 1000 * n)),
        (named(XID), gappy(lambda n: 79 if n > 700 else 0)[400:]),
        (named(GR, **slice_), gappy(lambda n: random.choice((0, 0.5)))),
        (named(POWER, **slice_), every15(math.nan, 240)),
    )
    document = fetch(client, fake, hours=6, page_hours=2)
    by_arrays = read_text(PROMETHEUS_HOURS, tmp_path, document)
    monkeypatch.setattr(
        "geniac_pipelines.gpu_usage.prometheus_hours.plain", lambda *given, **named: None
    )
    assert len(by_arrays[0]) > 6
    assert read_text(PROMETHEUS_HOURS, tmp_path, document) == by_arrays


@pytest.mark.parametrize("value", [math.nan, 9.223372036854775e18])
def test_an_hour_with_unsupported_readings_has_no_mean_rather_than_a_wrong_one(
    server, client, tmp_path, value
):
    fake = FakePrometheus(
        server,
        (named(UTIL), every15(50)),
        (named(POWER), every15(lambda n: value if n == 9 else 1)),
    )
    (row,), _ = read_text(PROMETHEUS_HOURS, tmp_path, fetch(client, fake))
    assert row["gpu_util_percent"] == 50.0
    assert row["power_w"] is None
    assert row["power_samples"] is None


def test_an_impossible_mean_is_missing_with_a_complaint(server, client, tmp_path):
    fake = FakePrometheus(server, (named(UTIL), every15(500)))
    (row,), refusals = read_text(PROMETHEUS_HOURS, tmp_path, fetch(client, fake))
    assert row["gpu_util_percent"] is None
    assert row["idle_samples"] is None
    assert codes(refusals) == ["telemetry.out-of-range"] * 2
    assert "mean(gpu_util_percent)" in refusals[0].ja


def test_gpus_known_but_silent_are_named_and_not_idle(server, client, tmp_path):
    fake = FakePrometheus(
        server, (named(UTIL), every15(5)), ({**named(UTIL), "UUID": "GPU-silent"}, [])
    )
    rows, (note,) = read_text(PROMETHEUS_HOURS, tmp_path, fetch(client, fake))
    assert [r["gpu_uuid"] for r in rows] == ["GPU-a"]
    assert note.complaint.code == "prometheus.unmeasured"
    assert note.complaint.costs == "nothing"
    assert "GPU-silent" in note.ja


def test_a_server_without_any_series_is_a_note_and_no_row(server, client, tmp_path):
    rows, refusals = read_text(PROMETHEUS_HOURS, tmp_path, fetch(client, FakePrometheus(server)))
    assert rows == []
    assert codes(refusals) == ["prometheus.empty"]


# All or nothing


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: {**body, "isPartial": True}, "partial"),
        (lambda body: {**body, "warnings": ["store gateway down"]}, "store gateway down"),
        (lambda body: {"status": "error", "errorType": "timeout", "error": "too slow"}, "too slow"),
        (lambda body: {**body, "data": {"resultType": "vector", "result": []}}, "matrix"),
        (lambda body: {**body, "data": {"resultType": "matrix", "result": []}}, "disagree"),
        (lambda body: [], "not a success"),
    ],
)
def test_anything_less_than_all_is_an_error(server, client, change, message):
    fake = FakePrometheus(server, (named(UTIL), every15(5)))
    fake.changes["max_over_time"] = change
    with pytest.raises(PrometheusFailed, match=message):
        fetch(client, fake)


def test_a_refusal_shows_the_servers_own_words(server, client):
    fake = FakePrometheus(server, (named(UTIL), every15(5)))
    error = b'{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution"}'
    server.on("/prom/api/v1/query_range", say(400, error))
    with pytest.raises(PrometheusFailed, match="bad_data: exceeded maximum resolution"):
        fetch(client, fake)


def test_a_page_that_fails_in_the_middle_leaves_nothing(server, client):
    fake = FakePrometheus(server, (named(UTIL), every15(5, 240 * 3)))
    good = [server.answers["/prom/api/v1/query_range"][0]] * 5
    server.on("/prom/api/v1/query_range", *good, say(503, b"gone"))
    with pytest.raises(PrometheusFailed, match="503"):
        fetch(client, fake, hours=3, page_hours=1)


def test_a_cut_off_reply_is_an_error(server, client):
    fake = FakePrometheus(server, (named(UTIL), every15(5)))
    server.on("/prom/api/v1/query_range", say(200, b'{"status":"success","data":{"resu'))
    with pytest.raises(PrometheusFailed, match="not JSON"):
        fetch(client, fake)


def test_hours_that_are_not_over_are_not_asked_for(server, client):
    fake = FakePrometheus(server, (named(UTIL), every15(5)))
    with pytest.raises(ValueError, match="not over"):
        fetch(client, fake, hours=31 * 24)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": datetime(2026, 9, 30, 15, 30, tzinfo=UTC)}, "full hour"),
        ({"start": datetime(2026, 9, 30, 15, 0)}, "time zone"),  # noqa: DTZ001 - the fault
        ({"end": START}, "empty"),
        ({"interval_seconds": 0}, "scrape interval"),
        ({"page_hours": 11_001}, "page"),
    ],
)
def test_unfit_arguments_are_refused_before_anything_is_asked(client, change, message):
    arguments = {
        "start": START, "end": START + timedelta(hours=1), "interval_seconds": 15, **change,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        fetch_hours(client, "http://127.0.0.1:9", "company-a", **arguments)


# The document


def test_the_document_keeps_query_time_and_reply_and_no_credentials(server, client):
    fake = FakePrometheus(server, (named(UTIL), every15(5)))
    document = json.loads(fetch(client, fake, headers={"Authorization": "Bearer secret"}))
    assert "secret" not in json.dumps(document)
    assert server.asked[-1].headers["authorization"] == "Bearer secret"
    assert document["company"] == "company-a"
    assert document["fetched_at"] == NOW.isoformat()
    assert {p["statistic"] for p in document["pages"]} == set(ASKED[UTIL])
    page = next(p for p in document["pages"] if p["statistic"] == "zeros")
    assert page["query"] == "count_over_time((DCGM_FI_DEV_GPU_UTIL{} == 0)[1h:15s])"
    assert page["reply"]["status"] == "success"


def test_the_same_fetch_gives_the_same_bytes(server, client):
    fake = FakePrometheus(server, (named(UTIL), every15(5)), (named(POWER), every15(9)))
    assert fetch(client, fake) == fetch(client, fake)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2}, {"pages": [{}]}, {"interval_seconds": 0},
        {"pages": [{"metric": UTIL, "statistic": "mean", "reply": {"data": {"result": [
            {"metric": GPU, "values": [[1790784000, "1"]]}]}}}]},
    ],
)  # fmt: skip
def test_a_damaged_document_is_refused_whole(server, client, tmp_path, change):
    fake = FakePrometheus(server, (named(UTIL), every15(5)))
    document = {**json.loads(fetch(client, fake)), **change}
    text = json.dumps(document, separators=(",", ":"))
    rows, refusals = read_text(PROMETHEUS_HOURS, tmp_path, text)
    assert rows == []
    assert codes(refusals) == ["prometheus.not-an-envelope"]


def test_a_document_cut_off_is_refused_whole(server, client, tmp_path):
    fake = FakePrometheus(server, (named(UTIL), every15(5)))
    rows, refusals = read_text(PROMETHEUS_HOURS, tmp_path, fetch(client, fake)[:-10])
    assert rows == []
    assert codes(refusals) == ["prometheus.not-an-envelope"]


def test_a_reply_is_not_taken_for_the_document(tmp_path):
    path = tmp_path / "file"
    path.write_text('{"status":"success","data":{"resultType":"matrix","result":[]}}')
    assert not PROMETHEUS_HOURS.recognise(Source("file", path))
