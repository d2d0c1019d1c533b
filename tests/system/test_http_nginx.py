"""The polite client against a real nginx: conditions, encodings, limits, redirects, patience.

nginx runs as a single process of this test's own, on loopback, from a folder of its own.
"""

import gzip
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path

import pytest

from geniac_pipelines.http import (
    HttpAddressRefused,
    HttpRefused,
    HttpTooLarge,
    HttpTooSlow,
    HttpUnavailable,
    PoliteClient,
    Validators,
    gate,
)
from tests.unit.http_server import self_signed, unused_port

pytestmark = pytest.mark.system

TEXT = "利用量,GPU時間\n" * 2000
MODIFIED = datetime(2026, 10, 1, 3, 0, tzinfo=UTC)
FAR = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=36500)
HIDDEN_BYTES = 8 * 1024 * 1024  # zeros: as gzip about 8 kB

CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  log_format lines escape=json '{{"at": $msec, "host": "$server_addr", "method": "$request_method",'
    ' "uri": "$request_uri", "status": $status, "if_none_match": "$http_if_none_match"}}';
  access_log {folder}/access.log lines;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  types {{ text/csv csv; }}
  default_type application/octet-stream;
  gzip_types text/csv;
  limit_req_zone $binary_remote_addr zone=one:64k rate=1r/s;
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.2:{port};
    root {folder}/files;
    client_max_body_size 1k;
    location /zipped/ {{ alias {folder}/files/; gzip on; }}
    location /hidden/ {{ alias {folder}/files/; add_header Content-Encoding gzip; }}
    location /strange/ {{ alias {folder}/files/; add_header Content-Encoding br; }}
    location /moved {{ return 302 /usage.csv; }}
    location /round {{ return 302 /round; }}
    location /inside {{ return 302 http://127.0.0.1:{port}/secret.csv; }}
    location /neighbour {{ return 302 http://127.0.0.2:{port}/secret.csv; }}
    location /elsewhere {{ return 302 file:///etc/hostname; }}
    location /kept {{ return 307 /usage.csv; }}
    location /paced {{
      limit_req zone=one;
      limit_req_status 429;
      error_page 429 @later;
      alias {folder}/files/usage.csv;
    }}
    location @later {{ internal; add_header Retry-After 2 always; return 429; }}
    location /seconds {{ add_header Retry-After 1 always; return 503; }}
    location /date {{ add_header Retry-After "{far}" always; return 503; }}
    location /past {{ add_header Retry-After "Thu, 01 Oct 2026 00:00:00 GMT" always; return 503; }}
    location /hour {{ add_header Retry-After 3600 always; return 503; }}
    location /broken {{ return 500; }}
    location /gone {{ return 410 "moved to the new portal"; }}
    location /dripping {{ limit_rate 512; alias {folder}/files/usage.csv; }}
    location /silent {{ proxy_pass http://127.0.0.1:{silent}; proxy_read_timeout 60s; }}
    location /dead {{ proxy_pass http://127.0.0.1:{dead}; }}
    location /hook {{ proxy_pass http://127.0.0.1:{port}/gone; }}
  }}
  server {{
    listen 127.0.0.1:{tls} ssl;
    ssl_certificate {folder}/certificate.pem;
    ssl_certificate_key {folder}/key.pem;
    root {folder}/files;
  }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running server: addresses, and what it was asked."""

    folder: Path
    port: int
    tls: int

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def asked(self, path: str) -> list[dict]:
        """Requests for a path, in the order in which they were answered.

        A line is written when its answer is through, a little after the client has it.
        """
        lines = (self.folder / "access.log").read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["uri"] == path]

    def asked_soon(self, path: str, times: int) -> list[dict]:
        """The same, once there are that many; fails after two seconds without them."""
        for _ in range(40):
            if len(self.asked(path)) >= times:
                break
            time.sleep(0.05)
        found = self.asked(path)
        assert len(found) == times, (path, found)
        return found


@contextmanager
def never_answering() -> Iterator[int]:
    """A port that accepts connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener.getsockname()[1]


@pytest.fixture(scope="module")
def nginx(tmp_path_factory) -> Iterator[Nginx]:
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        message = "the Debian package nginx-light is needed: apt-get install nginx-light"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("nginx")
    _write_files(folder)
    self_signed(folder, "127.0.0.1")
    port, tls = unused_port(), unused_port()
    with never_answering() as silent:
        ports = {"port": port, "tls": tls, "silent": silent, "dead": unused_port()}
        (folder / "nginx.conf").write_text(
            CONFIG.format(folder=folder, far=format_datetime(FAR, usegmt=True), **ports)
        )
        command = [binary, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"]
        process = subprocess.Popen(command)
        try:
            _wait_until_listening(port, process, folder / "error.log")
            yield Nginx(folder, port, tls)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _write_files(folder: Path) -> None:
    files = folder / "files"
    files.mkdir()
    for name, content in (
        ("usage.csv", TEXT.encode()),
        ("secret.csv", b"not for you"),
        ("zeros.gz", gzip.compress(bytes(HIDDEN_BYTES), mtime=0)),
    ):
        (files / name).write_bytes(content)
        os.utime(files / name, (MODIFIED.timestamp(), MODIFIED.timestamp()))


def _wait_until_listening(port: int, process: subprocess.Popen, log: Path) -> None:
    for _ in range(100):
        if process.poll() is not None:
            pytest.fail(f"nginx ended: {log.read_text()[-2000:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"nginx does not listen: {log.read_text()[-2000:]}")


@pytest.fixture
def client() -> Iterator[PoliteClient]:
    with a_client() as polite:
        yield polite


def a_client(**other) -> PoliteClient:
    return PoliteClient("geniac-pipelines-tests", **({"per_host_interval_s": 0.0} | other))


# ---- conditions


def test_what_did_not_change_is_not_sent_again(nginx, client):
    url = nginx.url("/usage.csv")
    first = client.get(url)
    assert (first.status, first.content) == (200, TEXT.encode())
    # nginx: hexadecimal mtime and size
    size = len(TEXT.encode())
    assert first.validators.etag == f'"{int(MODIFIED.timestamp()):x}-{size:x}"'
    assert first.validators.last_modified == "Thu, 01 Oct 2026 03:00:00 GMT"
    again = client.get(url, validators=first.validators)
    assert (again.status, again.not_modified, again.content) == (304, True, b"")
    assert again.validators == first.validators


def test_the_date_alone_is_enough(nginx, client):
    dated = Validators(last_modified="Thu, 01 Oct 2026 03:00:00 GMT")
    assert client.get(nginx.url("/usage.csv"), validators=dated).not_modified


def test_what_changed_is_sent_anew(nginx, client, tmp_path):
    file, path = nginx.folder / "files" / "changing.csv", tmp_path / "got.csv"
    file.write_bytes(b"a")
    first = client.download(nginx.url("/changing.csv"), path)
    kept = client.download(nginx.url("/changing.csv"), path, validators=first.validators)
    assert (kept.path, path.read_bytes()) == (None, b"a")
    file.write_bytes(b"bb")
    second = client.download(nginx.url("/changing.csv"), path, validators=first.validators)
    assert (second.status, path.read_bytes(), second.size) == (200, b"bb", 2)
    assert second.sha256 == hashlib.sha256(b"bb").hexdigest()


def test_validators_of_the_address_behind_a_redirect_go_there_only(nginx, client):
    first = client.get(nginx.url("/moved"))
    assert first.final_url == nginx.url("/usage.csv")
    assert client.get(nginx.url("/moved"), validators=first.validators).not_modified
    assert [line["if_none_match"] for line in nginx.asked_soon("/moved", 2)] == ["", ""]
    assert nginx.asked("/usage.csv")[-1]["if_none_match"] == first.validators.etag


# ---- encodings and sizes


def test_a_zipped_answer_is_unzipped_and_conditional(nginx, client):
    first = client.get(nginx.url("/zipped/usage.csv"))
    assert first.headers["Content-Encoding"] == "gzip"
    assert first.content == TEXT.encode()
    # what is zipped on the fly is the same only by content (RFC 9110, 8.8.1)
    assert first.validators.etag.startswith('W/"')
    again = client.get(nginx.url("/zipped/usage.csv"), validators=first.validators)
    assert again.not_modified


def test_little_that_unzips_to_much_is_cut_off(nginx, client, tmp_path):
    url, path = nginx.url("/hidden/zeros.gz"), tmp_path / "zeros"
    with pytest.raises(HttpTooLarge, match="more than 1048576 bytes"):
        client.download(url, path, max_bytes=1024 * 1024)
    assert list(tmp_path.iterdir()) == []
    assert client.download(url, path, max_bytes=HIDDEN_BYTES).size == HIDDEN_BYTES


def test_an_encoding_that_was_not_offered_is_refused(nginx, client):
    with pytest.raises(HttpRefused, match="encoded as br"):
        client.get(nginx.url("/strange/usage.csv"))


def test_a_declared_size_beyond_the_bound_is_refused_unread(nginx, client):
    size = len(TEXT.encode())
    with pytest.raises(HttpTooLarge, match=f"{size} bytes declared, {size - 1} allowed"):
        client.get(nginx.url("/usage.csv"), max_bytes=size - 1)
    assert len(client.get(nginx.url("/usage.csv"), max_bytes=size).content) == size


def test_a_range_is_what_was_asked_and_one_that_is_not_there_is_refused(nginx, client):
    part = client.get(nginx.url("/usage.csv"), headers={"Range": "bytes=0-8"})
    assert (part.status, part.content.decode()) == (206, "利用量")
    size = len(TEXT.encode())
    with pytest.raises(HttpRefused) as refused:
        client.get(nginx.url("/usage.csv"), headers={"Range": f"bytes={size}-"})
    assert refused.value.status == 416
    assert refused.value.headers["Content-Range"] == f"bytes */{size}"


# ---- addresses


def test_nothing_is_asked_of_loopback_by_a_url_that_came_with_data(nginx, client):
    with pytest.raises(HttpAddressRefused):
        client.get(nginx.url("/secret.csv?direct"), public_only=True)
    assert nginx.asked("/secret.csv?direct") == []


@pytest.mark.parametrize("public_only", [False, True])
def test_a_public_host_does_not_lead_inside(nginx, client, monkeypatch, public_only):
    # 127.0.0.2 plays the public internet
    monkeypatch.setattr(gate, "is_public", lambda address: address == ip_address("127.0.0.2"))
    before = nginx.asked("/secret.csv")
    with pytest.raises(HttpAddressRefused):
        client.get(nginx.url("/inside", host="127.0.0.2"), public_only=public_only)
    assert nginx.asked("/inside")[-1]["host"] == "127.0.0.2"
    assert nginx.asked("/secret.csv") == before
    # the way from inside to outside is open
    assert client.get(nginx.url("/neighbour")).content == b"not for you"


def test_a_private_host_leads_to_itself_only(nginx, client):
    assert client.get(nginx.url("/inside")).content == b"not for you"
    with pytest.raises(HttpAddressRefused):
        client.get(nginx.url("/neighbour"))


def test_redirects_without_end_or_to_files_are_refused(nginx, client):
    with pytest.raises(HttpRefused, match="redirects"):
        client.get(nginx.url("/round"))
    nginx.asked_soon("/round", 6)
    with pytest.raises(HttpRefused, match="only http and https"):
        client.get(nginx.url("/elsewhere"))


def test_a_certificate_that_nobody_vouches_for_is_tried_once(nginx, client):
    with pytest.raises(HttpUnavailable, match="certificate") as caught:
        client.get(f"https://127.0.0.1:{nginx.tls}/usage.csv?tls")
    assert len(caught.value.attempts) == 1
    assert nginx.asked("/usage.csv?tls") == []


# ---- patience


def test_a_rate_limit_is_waited_for_as_long_as_it_says(nginx, client):
    assert client.get(nginx.url("/paced")).status == 200
    assert client.get(nginx.url("/paced")).status == 200
    lines = nginx.asked_soon("/paced", 3)
    assert [line["status"] for line in lines] == [200, 429, 200]
    assert lines[2]["at"] - lines[1]["at"] >= 1.99  # $msec is cut to milliseconds


def test_seconds_are_waited_between_all_tries(nginx):
    with a_client(retries=2) as client, pytest.raises(HttpUnavailable) as caught:
        client.get(nginx.url("/seconds"))
    assert (len(caught.value.attempts), caught.value.retry_after_s) == (3, 1.0)
    times = [line["at"] for line in nginx.asked_soon("/seconds", 3)]
    assert all(b - a >= 0.99 for a, b in pairwise(times))


def test_a_date_beyond_the_time_of_the_call_is_told_not_waited_for(nginx):
    for path, seconds in (
        ("/hour", 3600.0),
        ("/date", (FAR - datetime.now(UTC)).total_seconds()),
    ):
        started = time.monotonic()
        with a_client(max_seconds=20) as client, pytest.raises(HttpUnavailable) as caught:
            client.get(nginx.url(path))
        assert time.monotonic() - started < 5
        assert caught.value.retry_after_s == pytest.approx(seconds, abs=60)
        nginx.asked_soon(path, 1)


def test_a_date_that_has_passed_allows_the_next_try_at_once(nginx):
    started = time.monotonic()
    with a_client(retries=3) as client, pytest.raises(HttpUnavailable) as caught:
        client.get(nginx.url("/past"))
    assert (len(caught.value.attempts), caught.value.retry_after_s) == (4, 0.0)
    assert time.monotonic() - started < 5


def test_a_refusal_is_final_and_brings_the_server_s_words(nginx, client):
    with pytest.raises(HttpRefused) as refused:
        client.get(nginx.url("/gone"))
    assert (refused.value.status, refused.value.body) == (410, b"moved to the new portal")
    nginx.asked_soon("/gone", 1)


def test_a_body_that_drips_ends_with_the_time_of_the_call(nginx, tmp_path):
    started = time.monotonic()
    with a_client(max_seconds=2) as client, pytest.raises(HttpTooSlow):
        client.download(nginx.url("/dripping"), tmp_path / "usage.csv")
    assert 1.9 < time.monotonic() - started < 10
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_says_nothing_is_given_up(nginx):
    started = time.monotonic()
    with a_client(timeout_s=(1, 1), retries=1) as client, pytest.raises(HttpUnavailable) as caught:
        client.get(nginx.url("/silent"))
    assert [each.problem for each in caught.value.attempts] == ["no data in time"] * 2
    assert 1.9 < time.monotonic() - started < 15


def test_a_dead_server_behind_the_proxy_is_tried_again(nginx):
    with a_client(retries=1) as client, pytest.raises(HttpUnavailable) as caught:
        client.get(nginx.url("/dead"))
    assert [each.status for each in caught.value.attempts] == [502, 502]


# ---- posts


@pytest.mark.parametrize(
    ("path", "problem"),
    [("/broken", HttpUnavailable), ("/kept", HttpRefused), ("/hook", HttpRefused)],
)
def test_a_post_is_sent_once_and_not_carried_on(nginx, client, path, problem):
    with pytest.raises(problem):
        client.post_json(nginx.url(path), {"text": "知らせ"})
    assert [line["method"] for line in nginx.asked_soon(path, 1)] == ["POST"]


def test_a_post_is_repeated_when_nothing_was_done(nginx):
    url = nginx.url("/seconds?post")
    with a_client(retries=1) as client, pytest.raises(HttpUnavailable) as caught:
        client.post_json(url, {"text": "知らせ"})
    assert not caught.value.maybe_received
    assert [line["status"] for line in nginx.asked_soon("/seconds?post", 2)] == [503, 503]


def test_a_post_that_is_too_long_for_the_server_is_refused(nginx, client):
    with pytest.raises(HttpRefused) as refused:
        client.post_json(nginx.url("/gone?long"), {"text": "あ" * 1024})
    assert refused.value.status == 413
