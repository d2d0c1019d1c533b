"""Hourly aggregates and raw replies of a real Prometheus, compared with each other.

Three hours over midnight in Japan are given to the server as stored blocks; besides, it scrapes a
small exposition that the test serves.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from geniac_pipelines.gpu_usage.prometheus import PROMETHEUS_JSON
from geniac_pipelines.gpu_usage.prometheus_hours import PROMETHEUS_HOURS
from geniac_pipelines.gpu_usage.prometheus_live import PrometheusFailed, fetch_hours
from geniac_pipelines.http import HttpError, HttpRefused, PoliteClient
from tests.unit.http_server import unused_port
from tests.unit.telemetry_files import codes, hours_of, landed, read_text

pytestmark = pytest.mark.system

MIDNIGHT = datetime(2024, 9, 30, 15, 0, tzinfo=UTC)  # 2024-10-01 00:00 in Japan
START, END = MIDNIGHT - timedelta(hours=1), MIDNIGHT + timedelta(hours=2)
COUNT = 3 * 240
UTIL, POWER = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_POWER_USAGE"
ENERGY, GR = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
COMMON = 'gpu="0",Hostname="node1",modelName="NVIDIA H100"'
BUSY = f'UUID="GPU-busy",{COMMON}'
SLICE = f'UUID="GPU-mig",GPU_I_ID="1",GPU_I_PROFILE="1g.10gb",{COMMON}'
SCRAPED = f'{UTIL}{{UUID="GPU-now",{COMMON}}} 7\n'


def history() -> str:
    """OpenMetrics text: samples every 15 s from 3 s past START on.

    GPU-busy: 0 % for a third of the time, 90 % else; 400 W; the counter rises by 6,000,000 mJ each
    time and begins anew in the third hour; nothing at all in the first half of the last hour.
    GPU-mig, slice 1: its engine idles every other sample.
    """

    def stamps() -> Iterator[tuple[int, float]]:
        for n in range(COUNT):
            yield n, START.timestamp() + 3 + 15 * n

    def busy(name: str, value: object) -> list[str]:
        return [
            f"{name}{{{BUSY}}} {value(n)} {at:.3f}"  # type: ignore[operator]
            for n, at in stamps()
            if not 480 <= n < 600
        ]

    lines = [
        f"# TYPE {UTIL} gauge", *busy(UTIL, lambda n: 0 if n % 3 == 0 else 90),
        f"# TYPE {POWER} gauge", *busy(POWER, lambda n: 400),
        # gauge, since OpenMetrics wants counters to end in _total and dcgm-exporter's does not
        f"# TYPE {ENERGY} gauge",
        *busy(ENERGY, lambda n: 6_000_000 * (n + 1 if n < 650 else n - 649)),
        f"# TYPE {GR} gauge", *(f"{GR}{{{SLICE}}} {n % 2 * 0.5} {at:.3f}" for n, at in stamps()),
    ]  # fmt: skip
    return "\n".join([*lines, "# EOF", ""])


@contextmanager
def exposition() -> Iterator[int]:
    """Serve SCRAPED on loopback; gives the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(SCRAPED.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def client() -> Iterator[PoliteClient]:
    with PoliteClient("geniac-pipelines-tests", per_host_interval_s=0.0, retries=0) as polite:
        yield polite


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, client: PoliteClient) -> Iterator[str]:
    """Base URL of a Prometheus of this test's own, with the history and one scraped target."""
    binary, tool = shutil.which("prometheus"), shutil.which("promtool")
    if binary is None or tool is None:
        message = "the Debian package prometheus is needed: apt-get install prometheus"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("prometheus")
    data = folder / "data"
    (folder / "history.om").write_text(history())
    subprocess.run(
        [tool, "tsdb", "create-blocks-from", "openmetrics", folder / "history.om", data],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    with exposition() as target, (folder / "log").open("wb") as log:
        targets = f"[{{targets: ['127.0.0.1:{target}']}}]"
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            f"scrape_configs:\n- {{job_name: dcgm, static_configs: {targets}}}\n"
        )
        port = unused_port()
        process = subprocess.Popen(
            [
                binary, f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={data}", "--storage.tsdb.retention.time=100y",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_ready(client, url, process, folder / "log")
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_ready(
    client: PoliteClient, url: str, process: subprocess.Popen[bytes], log: Path
) -> None:
    for _ in range(150):
        if process.poll() is not None:
            pytest.fail(f"Prometheus ended: {log.read_text()[-2000:]}")
        try:
            client.get(f"{url}/-/ready")
        except HttpError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"Prometheus is not ready: {log.read_text()[-2000:]}")


def range_reply(client: PoliteClient, url: str, start: datetime, end: datetime) -> bytes:
    """What a company would save: every field of every GPU, each 15 seconds."""
    params = {
        "query": '{__name__=~"DCGM_FI_.+"}', "start": f"{start.timestamp():.3f}",
        "end": f"{end.timestamp() - 0.001:.3f}", "step": "15",
    }  # fmt: skip
    return client.get(f"{url}/api/v1/query_range", params=params).content


def facts_of(rows: list[dict], day: date, folder: Path) -> dict[tuple[str, int], dict]:
    found = hours_of([landed(folder / "landed.parquet", rows)], day, folder / "hours.parquet")
    return {
        (f["gpu_uuid"], round((f["hour_start"] - MIDNIGHT).total_seconds() / 3600)): f
        for f in found
    }


def test_hours_of_a_real_server_are_what_was_stored(
    client: PoliteClient, prometheus: str, tmp_path: Path
) -> None:
    document = fetch_hours(
        client, prometheus, "company-a", START, END, interval_seconds=15, page_hours=2
    )
    rows, refusals = read_text(PROMETHEUS_HOURS, tmp_path, document)
    assert codes(refusals) == []
    found = {
        (r["gpu_uuid"], round((r["sampled_at"] - MIDNIGHT) / timedelta(hours=1))): r for r in rows
    }
    assert sorted(found) == [(gpu, h) for gpu in ("GPU-busy", "GPU-mig") for h in (-1, 0, 1)]
    for hour, count in ((-1, 240), (0, 240), (1, 120)):
        row = found["GPU-busy", hour]
        assert (row["samples"], row["gpu_util_samples"], row["power_samples"]) == (count,) * 3
        assert row["gpu_util_percent"] == pytest.approx(60.0)  # 90 × 2/3
        assert (row["gpu_util_max_percent"], row["power_w"]) == (90.0, 400.0)
        assert row["mig_id"] is None
    # at a whole number of intervals past the hour the last sample is the one 12 seconds before
    assert [found["GPU-busy", h]["idle_samples"] for h in (-1, 0)] == [pytest.approx(80, abs=1)] * 2
    # full hours: 6,000,000 mJ × 240
    assert [found["GPU-busy", h]["energy_increase_mj"] for h in (-1, 0)] == [1_440_000_000] * 2
    # last hour: half of it, over a reset, extended by at most half an interval at its edges
    assert found["GPU-busy", 1]["energy_increase_mj"] == pytest.approx(720_000_000, rel=0.02)
    mig = found["GPU-mig", 0]
    assert (mig["mig_id"], mig["mig_profile"], mig["samples"]) == ("1", "1g.10gb", 240)
    assert mig["idle_samples"] == 120
    assert mig["gr_engine_active_ratio"] == pytest.approx(0.25)


@pytest.mark.parametrize(("day", "hours"), [(date(2024, 9, 30), [-1]), (date(2024, 10, 1), [0, 1])])
def test_facts_from_hours_and_from_raw_replies_agree(
    client: PoliteClient, prometheus: str, tmp_path: Path, day: date, hours: list[int]
) -> None:
    document = fetch_hours(client, prometheus, "company-a", START, END, interval_seconds=15)
    aggregates, _ = read_text(PROMETHEUS_HOURS, tmp_path, document)
    raw, refusals = read_text(
        PROMETHEUS_JSON, tmp_path, range_reply(client, prometheus, START, END)
    )
    assert refusals == []
    of_hours = facts_of(aggregates, day, tmp_path)
    of_raw = facts_of(raw, day, tmp_path)
    assert (
        of_hours.keys() == of_raw.keys() == {(g, h) for g in ("GPU-busy", "GPU-mig") for h in hours}
    )
    for key, fact in of_hours.items():
        other = of_raw[key]
        for name in ("mig_id", "mig_profile", "host", "gpu_model"):
            assert fact[name] == other[name]
        # evaluation looks back five minutes where samples stop: a saved reply says more than was
        # measured, while the count of an hour is exact
        slack = 300 + 15 if key == ("GPU-busy", 1) else 15
        for name in ("covered_seconds", "idle_seconds", "active_seconds", "power_seconds"):
            assert other[name] == pytest.approx(fact[name], abs=slack), (key, name)


def test_a_query_of_too_many_points_is_refused_by_the_server_and_explained_by_us(
    client: PoliteClient, prometheus: str, tmp_path: Path
) -> None:
    with pytest.raises(HttpRefused) as refused:
        range_reply(client, prometheus, START, START + timedelta(days=2))
    rows, refusals = read_text(PROMETHEUS_JSON, tmp_path, refused.value.body)
    assert rows == []
    assert codes(refusals) == ["prometheus.too-many-points"]


def test_a_live_scrape_is_read_as_a_vector(
    client: PoliteClient, prometheus: str, tmp_path: Path
) -> None:
    params = {"query": f'{UTIL}{{UUID="GPU-now"}}'}
    for _ in range(100):
        body = client.get(f"{prometheus}/api/v1/query", params=params).content
        rows, refusals = read_text(PROMETHEUS_JSON, tmp_path, body)
        if rows:
            break
        assert codes(refusals) == ["prometheus.empty"]
        time.sleep(0.2)
    (row,) = rows
    assert (row["gpu_uuid"], row["gpu_util_percent"]) == ("GPU-now", 7.0)
    assert abs(row["sampled_at"] - datetime.now(UTC)) < timedelta(minutes=1)


def test_scrapes_of_a_live_series_keep_their_own_stamps(
    client: PoliteClient, prometheus: str, tmp_path: Path
) -> None:
    params = {"query": f'{UTIL}{{UUID="GPU-now"}}[1m]'}
    for _ in range(100):
        body = client.get(f"{prometheus}/api/v1/query", params=params).content
        rows, _ = read_text(PROMETHEUS_JSON, tmp_path, body)
        if len(rows) >= 3:
            break
        time.sleep(0.2)
    assert len(rows) >= 3
    assert {round(r["interval_seconds"], 1) for r in rows} == {1.0}


def test_a_period_without_data_gives_no_rows(
    client: PoliteClient, prometheus: str, tmp_path: Path
) -> None:
    start = START - timedelta(days=30)
    document = fetch_hours(
        client, prometheus, "company-a", start, start + timedelta(hours=2), interval_seconds=15
    )
    rows, refusals = read_text(PROMETHEUS_HOURS, tmp_path, document)
    assert rows == []
    assert codes(refusals) == ["prometheus.empty"]


def test_a_broken_matcher_is_an_error_in_the_servers_words(
    client: PoliteClient, prometheus: str
) -> None:
    with pytest.raises(PrometheusFailed, match="bad_data"):
        fetch_hours(
            client, prometheus, "company-a", START, END, interval_seconds=15, matchers="company="
        )
