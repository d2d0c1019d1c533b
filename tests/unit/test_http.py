"""The polite client, against a real server on loopback.

Where a test needs addresses of the public internet, it declares 127.0.0.1 to be public and
127.0.0.2 to be private, and resolves names itself.
"""

import gzip
import hashlib
import logging
import math
import random
import socket
import string
import threading
import time
import traceback
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from geniac_pipelines.http import (
    HttpAddressRefused,
    HttpError,
    HttpRefused,
    HttpTooLarge,
    HttpTooSlow,
    HttpUnavailable,
    PoliteClient,
    Validators,
    gate,
    parse_retry_after,
    redact,
)
from geniac_pipelines.http.urls import headers_for_redirect
from geniac_pipelines.http.waits import Pace
from tests.unit.http_server import FakeTime, raw, say, self_signed, serving, unused_port

AGENT = "geniac-tests/1 (+mailto:secretariat@example.jp)"
NOW = datetime(2026, 9, 30, 15, 0, tzinfo=UTC)
KIB = 1 << 10


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def private_server():
    with serving("127.0.0.2") as running:
        yield running


@pytest.fixture
def fake():
    return FakeTime(NOW)


@pytest.fixture
def client(fake):
    with PoliteClient(
        AGENT,
        per_host_interval_s=0,
        clock=fake.clock,
        now=fake.now,
        sleep=fake.sleep,
        rng=LongestJitter(),
    ) as open_client:
        yield open_client


@pytest.fixture
def quick():
    """A client on real time which gives a call 0.4 seconds."""
    with PoliteClient(AGENT, per_host_interval_s=0, max_seconds=0.4, retries=0) as open_client:
        yield open_client


class LongestJitter(random.Random):
    """Always the upper bound, and remembers the bounds."""

    def __init__(self):
        super().__init__(0)
        self.bounds = []

    def uniform(self, low, high):
        self.bounds.append((low, high))
        return high


class Resolver:
    """Names of our own; an address list for each question, the last one stays."""

    def __init__(self, monkeypatch):
        self._names = {}
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)
        monkeypatch.setattr(gate, "is_public", lambda address: str(address) == "127.0.0.1")

    def name(self, host, *answers):
        self._names[host] = [each if isinstance(each, list) else [each] for each in answers]

    def __call__(self, host, port, *args, **kwargs):
        if host not in self._names:
            return self._real(host, port, *args, **kwargs)
        left = self._names[host]
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]


@pytest.fixture
def resolver(monkeypatch):
    return Resolver(monkeypatch)


# --- asking ------------------------------------------------------------------------------------


def test_an_answer_with_all_its_parts(client, server):
    server.on("/feed", say(200, b"<rss/>", Content_Type="text/xml", ETag='"v1"'))
    fetched = client.get(server.url("/feed"), params={"page": 2, "match[]": ["a", "b"]})
    asked_url = server.url("/feed?page=2&match%5B%5D=a&match%5B%5D=b")
    assert (fetched.status, fetched.content) == (200, b"<rss/>")
    assert (fetched.url, fetched.final_url) == (asked_url, asked_url)
    assert fetched.headers["content-type"] == "text/xml"
    assert fetched.fetched_at == NOW
    assert fetched.fetched_at.utcoffset() == timedelta(0)
    assert fetched.validators.etag == '"v1"'
    assert not fetched.not_modified


def test_the_client_names_itself(client, server):
    client.get(server.on("/", say()))
    assert server.asked[0].headers["user-agent"] == AGENT


@pytest.mark.parametrize("agent", ["", "  ", "収集"])
def test_a_client_without_a_proper_name_is_not_made(agent):
    with pytest.raises(ValueError, match="names itself"):
        PoliteClient(agent)


def test_a_compressed_body_is_decompressed(client, server):
    url = server.on("/", say(200, gzip.compress("生成ＡＩ".encode()), Content_Encoding="gzip"))
    assert client.get(url).content.decode() == "生成ＡＩ"


def test_an_encoding_that_was_not_asked_for_is_refused(client, server):
    with pytest.raises(HttpRefused, match="encoded as br"):
        client.get(server.on("/", say(200, b"\x0b\x02\x80", Content_Encoding="br")))


def test_after_the_context_nothing_is_asked(client, server):
    with client:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        client.get(server.on("/", say()))
    assert server.asked == []


def test_proxies_of_the_environment_are_not_used(client, server, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.setenv("no_proxy", "")
    assert client.get(server.on("/", say(200, b"direct"))).content == b"direct"


# --- conditional requests ----------------------------------------------------------------------

MODIFIED = "Wed, 30 Sep 2026 00:00:00 GMT"


def test_etag_and_last_modified_in_304_out_is_not_an_error(client, server):
    url = server.on("/", say(200, b"one", ETag='W/"v1"', Last_Modified=MODIFIED), say(304))
    first = client.get(url)
    second = client.get(url, validators=first.validators)
    assert server.asked[1].headers["if-none-match"] == 'W/"v1"'
    assert server.asked[1].headers["if-modified-since"] == MODIFIED
    assert (second.status, second.not_modified, second.content) == (304, True, b"")
    assert second.validators == first.validators


def test_a_304_may_renew_validators(client, server):
    url = server.on("/", say(304, ETag='"v2"'))
    answer = client.get(url, validators=Validators(etag='"v1"', last_modified=MODIFIED))
    assert (answer.validators.etag, answer.validators.last_modified) == ('"v2"', MODIFIED)


def test_validators_go_to_the_address_that_gave_them(client, server):
    server.on("/final", say(200, b"one", ETag='"v1"'))
    url = server.on("/feed", say(302, Location="/final"))
    first = client.get(url)
    client.get(url, validators=first.validators)
    sent = [(each.target, each.headers.get("if-none-match")) for each in server.asked[2:]]
    assert sent == [("/feed", None), ("/final", '"v1"')]


def test_a_304_that_nobody_asked_for_is_refused(client, server):
    with pytest.raises(HttpRefused, match="304"):
        client.get(server.on("/", say(304)))


# --- tries and waits ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_faults_are_tried_again(client, server, status):
    assert client.get(server.on("/", say(status), say(200, b"yes"))).content == b"yes"


def test_waits_grow_exponentially_with_full_jitter(fake, server):
    jitter = LongestJitter()
    client = PoliteClient(
        AGENT, per_host_interval_s=0, clock=fake.clock, now=fake.now, sleep=fake.sleep, rng=jitter
    )
    with pytest.raises(HttpUnavailable):
        client.get(server.on("/", say(500)))
    # one second, doubled after each failure; anywhere between zero and that
    assert jitter.bounds == [(0, 1), (0, 2), (0, 4), (0, 8)]
    assert fake.slept == [1, 2, 4, 8]


def test_a_refused_connection_is_tried_again(client, fake):
    with pytest.raises(HttpUnavailable, match="connection refused") as caught:
        client.get(f"http://127.0.0.1:{unused_port()}/")
    assert len(caught.value.attempts) == 5
    assert not caught.value.maybe_received


def test_a_host_without_address_is_told_as_that(client, resolver, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(HttpUnavailable, match="the host name has no address"):
        client.get("http://nowhere.test/")


def test_a_host_that_is_no_name_is_not_found(client):
    with pytest.raises(HttpUnavailable, match="the host name has no address"):
        client.get(f"http://{'a' * 64}.test/")


@pytest.mark.parametrize(
    "cut_off",
    [
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
        raw(b""),
    ],
    ids=["length", "chunked", "no answer"],
)
def test_a_body_cut_short_is_tried_again_never_handed_out(client, server, cut_off):
    assert client.get(server.on("/", cut_off, say(200, b"whole"))).content == b"whole"


def test_a_body_that_is_not_what_its_encoding_says_is_never_handed_out(client, server):
    with pytest.raises(HttpUnavailable, match="can't be decompressed"):
        client.get(server.on("/", say(200, b"plain text", Content_Encoding="gzip")))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_other_4xx_are_refused_at_once(client, server, fake, status):
    with pytest.raises(HttpRefused) as caught:
        client.get(server.on("/", say(status, b'{"error": "too long"}')))
    assert (caught.value.status, caught.value.body) == (status, b'{"error": "too long"}')
    assert (len(server.asked), fake.slept) == (1, [])


def test_exhausted_tries_come_with_their_history(client, server):
    url = server.on("/", say(500), say(503), raw(b""), say(504))
    with pytest.raises(HttpUnavailable) as caught:
        client.get(url)
    history = [(each.at, each.status) for each in caught.value.attempts]
    # at 0, and after waits of 1, 2, 4 and 8 seconds
    at = [NOW + timedelta(seconds=seconds) for seconds in (0, 1, 3, 7, 15)]
    assert history == list(zip(at, [500, 503, None, 504, 504], strict=True))
    assert "given up after 5 tries: 500 Internal Server Error, 503" in str(caught.value)


def test_retry_after_in_seconds(client, server, fake):
    client.get(server.on("/", say(429, Retry_After="17"), say()))
    assert fake.slept == [17]


def test_retry_after_as_a_date(client, server, fake):
    in_45_s = format_datetime(NOW + timedelta(seconds=45), usegmt=True)
    client.get(server.on("/", say(503, Retry_After=in_45_s), say()))
    assert fake.slept == [45]


def test_retry_after_that_can_not_be_read_leaves_our_own_wait(client, server, fake):
    client.get(server.on("/", say(503, Retry_After="soon"), say()))
    assert fake.slept == [1]


def test_retry_after_beyond_max_seconds_is_neither_waited_nor_disregarded(client, server, fake):
    with pytest.raises(HttpUnavailable, match="asks to wait 301 s") as caught:
        client.get(server.on("/", say(429, Retry_After="301")))
    assert caught.value.retry_after_s == 301
    assert (len(server.asked), fake.slept) == (1, [])


# RFC 9110, section 5.6.7, shows one instant in the three spellings of an HTTP-date.
@pytest.mark.parametrize(
    "spelling",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_parse_retry_after_reads_every_http_date(spelling):
    assert parse_retry_after(spelling, datetime(1994, 11, 6, 8, 49, 7, tzinfo=UTC)) == 30
    assert parse_retry_after(spelling, datetime(1994, 11, 6, 9, 0, tzinfo=UTC)) == 0


@given(st.integers(0, 10**9 - 1))
def test_parse_retry_after_reads_seconds(seconds):
    assert parse_retry_after(f" {seconds} ", NOW) == seconds


@given(st.integers(-(10**8), 10**8))
def test_parse_retry_after_reads_dates(seconds):
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert parse_retry_after(date, NOW) == max(0, seconds)


@given(st.text(max_size=60) | st.text("0123456789 :,-+GMTSunJan", max_size=60))
@example("9" * 5000)
@example("-5")
@example("1.5")
@example("٣")
@example("Sun, 06 Nov 99999 08:49:37 GMT")
@example("Sun, 06 Nov 1994 08:49:37 +999999999999999")
def test_parse_retry_after_never_fails_and_never_goes_back(value):
    wait = parse_retry_after(value, NOW)
    assert wait is None or wait >= 0


@pytest.mark.parametrize("value", ["", "-5", "1.5", "soon", "٣", "12 s"])
def test_parse_retry_after_takes_nothing_else(value):
    assert parse_retry_after(value, NOW) is None


def test_parse_retry_after_takes_an_absurd_number_for_never():
    assert parse_retry_after("9" * 5000, NOW) == math.inf


# --- pace --------------------------------------------------------------------------------------


def test_pace_per_host(server, private_server, fake):
    client = PoliteClient(
        AGENT, per_host_interval_s=3, clock=fake.clock, now=fake.now, sleep=fake.sleep
    )
    here, there = server.on("/", say()), private_server.on("/", say())
    for url in (here, there, here, here):
        client.get(url)
    assert fake.slept == [3, 3]


def test_pace_counts_redirects_and_tries(server, fake):
    client = PoliteClient(
        AGENT,
        per_host_interval_s=10,
        clock=fake.clock,
        now=fake.now,
        sleep=fake.sleep,
        rng=LongestJitter(),
    )
    server.on("/b", say(503), say())
    client.get(server.on("/a", say(302, Location="/b")))
    # a, then b at 10; b failed, 1 s of patience, then 9 until the turn of a at 20; b again at 30
    assert fake.slept == [10, 1, 9, 10]


def test_pace_does_not_use_up_the_time_of_a_call(server, fake):
    client = PoliteClient(
        AGENT,
        per_host_interval_s=100,
        max_seconds=5,
        clock=fake.clock,
        now=fake.now,
        sleep=fake.sleep,
    )
    url = server.on("/", say(200, b"yes"))
    assert [client.get(url).content for _ in range(3)] == [b"yes"] * 3


class SlowName(str):
    """A host name that takes its time to be looked up, so that threads meet there."""

    def __hash__(self):
        time.sleep(0.0005)
        return super().__hash__()


def test_pace_is_kept_over_threads():
    waits, guard, together = [], threading.Lock(), threading.Barrier(8)

    def sleep(seconds):
        with guard:
            waits.append(seconds)

    pace = Pace(2.0, lambda: 50.0, sleep)

    def ask_five_times():
        together.wait()
        for _ in range(5):
            pace.take_turn(SlowName("example.jp"))

    threads = [threading.Thread(target=ask_five_times) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # time stands still: forty requests get forty turns, two seconds apart, the first at once
    assert sorted(waits) == [2.0 * turn for turn in range(1, 40)]


# --- size --------------------------------------------------------------------------------------


def test_a_declared_length_beyond_the_limit_is_not_read(client, server):
    endless = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n", drip=b"x")
    with pytest.raises(HttpTooLarge, match="67108865 bytes declared"):
        client.get(server.on("/", endless))


def test_an_undeclared_length_beyond_the_limit_is_cut(client, server):
    chunks = b"".join(b"400\r\n" + b"x" * KIB + b"\r\n" for _ in range(65)) + b"0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    url = server.on("/", raw(head + chunks))
    assert len(client.get(url, max_bytes=65 * KIB).content) == 65 * KIB
    with pytest.raises(HttpTooLarge, match="more than 66559 bytes"):
        client.get(url, max_bytes=65 * KIB - 1)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_gzip_bomb_is_cut_before_it_unfolds(client, server, layers):
    bomb = bytes(64 << 20)
    for _ in range(layers):
        bomb = gzip.compress(bomb, compresslevel=9)
    encoding = ", ".join(["gzip"] * layers)
    url = server.on("/", say(200, bomb, Content_Encoding=encoding))
    tracemalloc.start()
    try:
        with pytest.raises(HttpTooLarge):
            client.get(url, max_bytes=256 * KIB)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


# --- time --------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "dripping",
    [
        raw(HEAD + b"Content-Length: 100000\r\n\r\n", drip=b"x"),
        raw(HEAD + b"\r\n", drip=b"x"),
        raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", drip=b"1\r\nx\r\n"),
        raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", drip=b"x"),
        raw(HEAD + b"X-Endless: ", drip=b"x"),
        raw(b"", drip=b"HTTP/1.1 100 Continue\r\n\r\n"),
        # a gzip header whose file name does not end: nothing ever comes out of decompression
        raw(HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08" + bytes(6), drip=b"x"),
        raw(HEAD + b"Content-Length: 10\r\n\r\nxxxxx", drip=b"", every_s=1),
    ],
    ids=["length", "close", "chunks", "chunk line", "header", "continue", "gzip name", "ends"],
)
def test_a_slow_drip_ends_with_the_time_of_the_call(quick, server, dripping, request):
    expected = HttpUnavailable if request.node.callspec.id == "ends" else HttpTooSlow
    began = time.monotonic()
    with pytest.raises(expected):
        quick.get(server.on("/", dripping))
    assert time.monotonic() - began < 1.5


def test_a_server_that_says_nothing_ends_with_the_time_of_the_call(quick):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(HttpTooSlow, match=r"not complete after 0\.4 s"):
            quick.get(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        assert time.monotonic() - began < 1.5


def test_a_read_timeout_is_tried_again(server):
    client = PoliteClient(
        AGENT, per_host_interval_s=0, timeout_s=(1, 0.1), retries=1, sleep=lambda _: None
    )
    hanging = raw(HEAD + b"Content-Length: 5\r\n\r\n", drip=b"x", every_s=0.5)
    with pytest.raises(HttpUnavailable, match="no data in time, no data in time"):
        client.get(server.on("/", hanging))


def test_no_time_is_left_for_another_try(server, fake):
    client = PoliteClient(
        AGENT,
        per_host_interval_s=0,
        max_seconds=6,
        clock=fake.clock,
        now=fake.now,
        sleep=fake.sleep,
        rng=LongestJitter(),
    )
    with pytest.raises(HttpUnavailable, match="given up after 3 tries"):
        client.get(server.on("/", say(500)))
    # after 1 and 2 seconds the next wait, 4, would end at 7
    assert fake.slept == [1, 2]


# --- where a request may go --------------------------------------------------------------------

SPECIAL = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "233.252.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", SPECIAL)
def test_special_addresses_are_not_public(address):
    """Taken from the IANA IPv4 and IPv6 Special-Purpose Address Registries."""
    assert not gate.is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:4860:4860::8888", "64:ff9b::8.8.8.8"],
)
def test_addresses_of_the_internet_are_public(address):
    assert gate.is_public(ip_address(address))


def test_a_configured_url_may_be_private(client, private_server, resolver):
    assert client.get(private_server.on("/", say(200, b"metrics"))).content == b"metrics"


def test_a_url_that_came_with_data_may_not_be_private(client, private_server, resolver):
    url = private_server.on("/", say())
    with pytest.raises(HttpAddressRefused, match=r"127\.0\.0\.2 has no public address"):
        client.get(url, public_only=True)
    assert private_server.asked == []


@pytest.mark.parametrize("host", ["127.0.0.2", "2130706434", "0x7f.2", "inside.test"])
def test_a_public_host_can_not_redirect_to_a_private_one(
    client, server, private_server, resolver, host
):
    """However the private address is written: 2130706434 is 127 * 2^24 + 2."""
    resolver.name("outside.test", "127.0.0.1")
    resolver.name("inside.test", "127.0.0.2")
    private_server.on("/admin", say())
    server.on("/", say(302, Location=private_server.url("/admin", host)))
    with pytest.raises(HttpAddressRefused):
        client.get(server.url("/", "outside.test"))
    assert private_server.asked == []


def test_a_name_that_turns_private_between_two_hops_is_refused(client, server, resolver):
    """DNS rebinding: public for the first request, private for the redirect to itself."""
    resolver.name("outside.test", "127.0.0.1", "127.0.0.2")
    server.on("/", say(302, Location="/admin"))
    with pytest.raises(HttpAddressRefused):
        client.get(server.url("/", "outside.test"))


def test_only_the_public_ones_of_a_host_s_addresses_are_tried(client, server, resolver):
    resolver.name("both.test", ["127.0.0.2", "127.0.0.1"])
    url = server.url("/", "both.test")
    server.on("/", say(200, b"public"))
    assert client.get(url, public_only=True).content == b"public"


def test_a_private_host_may_redirect_to_itself(client, private_server, resolver):
    resolver.name("prometheus.test", "127.0.0.2")
    private_server.on("/new", say(200, b"metrics"))
    private_server.on("/old", say(301, Location="/new"))
    fetched = client.get(private_server.url("/old", "prometheus.test"))
    assert fetched.content == b"metrics"
    assert fetched.final_url == private_server.url("/new", "prometheus.test")


def test_a_private_host_can_not_redirect_to_another_private_one(client, private_server, resolver):
    resolver.name("prometheus.test", "127.0.0.2")
    private_server.on("/", say(302, Location=private_server.url("/")))
    with pytest.raises(HttpAddressRefused):
        client.get(private_server.url("/", "prometheus.test"))
    assert len(private_server.asked) == 1


def test_no_way_back_to_a_private_host_through_a_public_one(
    client, server, private_server, resolver
):
    private_server.on("/", say(302, Location=server.url("/")))
    server.on("/", say(302, Location=private_server.url("/delete")))
    with pytest.raises(HttpAddressRefused):
        client.get(private_server.url("/"))
    assert [each.target for each in private_server.asked] == ["/"]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.jp/", "httpx://example.jp/", "example.jp", "http:"]
)
def test_only_http_and_https_are_asked(client, url):
    with pytest.raises(HttpRefused):
        client.get(url)


def test_a_redirect_to_another_scheme_is_refused(client, server):
    with pytest.raises(HttpRefused, match="'file'"):
        client.get(server.on("/", say(302, Location="file:///etc/passwd")))


def test_at_most_five_redirects(client, server):
    for step in range(6):
        server.on(f"/{step}", say(302, Location=f"/{step + 1}"))
    server.on("/6", say(200, b"end"))
    assert client.get(server.url("/1")).content == b"end"
    with pytest.raises(HttpRefused, match="more than 5 redirects"):
        client.get(server.url("/0"))


def test_a_redirect_is_read_as_utf_8(client, server):
    server.on("/%E5%A0%B1%E9%81%93", say(200, b"news"))
    location = "/報道".encode()
    redirect = raw(
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
    )
    assert client.get(server.on("/", redirect)).content == b"news"


SECRETS = {"Authorization": "Bearer S3CRET", "Cookie": "id=S3CRET", "X-Api-Key": "S3CRET"}


def test_authorisation_stays_behind_when_the_host_changes(client, server, resolver):
    resolver.name("one.test", "127.0.0.1")
    resolver.name("two.test", "127.0.0.1")
    server.on("/a", say(302, Location="/b"))
    server.on("/b", say(302, Location=server.url("/c", "two.test")))
    # and it does not come back with the host
    server.on("/c", say(302, Location=server.url("/d", "one.test")))
    server.on("/d", say())
    client.get(server.url("/a", "one.test"), headers={**SECRETS, "Accept": "text/xml"})
    told = [
        {value for value in each.headers.values() if "S3CRET" in value} for each in server.asked
    ]
    assert told == [set(SECRETS.values())] * 2 + [set()] * 2
    assert {each.headers["accept"] for each in server.asked} == {"text/xml"}
    assert {each.headers["user-agent"] for each in server.asked} == {AGENT}


@pytest.mark.parametrize(
    ("origin", "target", "kept"),
    [
        ("https://a.test/", "https://a.test/x", True),
        ("https://a.test/", "https://a.test:443/", True),
        ("http://a.test/", "https://a.test/", True),
        ("https://a.test/", "http://a.test/", False),
        ("https://a.test:8443/", "http://a.test:8443/", False),
        ("https://a.test/", "https://a.test:8443/", False),
        ("http://a.test:8080/", "https://a.test/", False),
        ("https://a.test/", "https://b.a.test/", False),
    ],
)
def test_authorisation_stays_behind_when_scheme_falls_or_port_changes(origin, target, kept):
    carried = headers_for_redirect({**SECRETS, "Accept": "*/*"}, origin, target)
    assert carried == ({**SECRETS, "Accept": "*/*"} if kept else {"Accept": "*/*"})


def test_credentials_of_the_url_are_sent_to_its_host_and_shown_nowhere(client, server, resolver):
    resolver.name("two.test", "127.0.0.1")
    server.on("/a", say(302, Location=server.url("/b", "u:p@two.test")))
    server.on("/b", say())
    fetched = client.get(server.url("/a", "user:S3CRET@127.0.0.1"))
    # base64 of "user:S3CRET"
    assert server.asked[0].headers["authorization"] == "Basic dXNlcjpTM0NSRVQ="
    assert "authorization" not in server.asked[1].headers
    assert fetched.url == server.url("/a")
    assert fetched.final_url == server.url("/b", "two.test")


@pytest.fixture
def tls_server(tmp_path, monkeypatch):
    """A server whose certificate the client trusts."""
    certificate, tls = self_signed(tmp_path, "127.0.0.1")
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    with serving(tls=tls) as running:
        yield running


def test_https_goes_through_the_same_gate(client, tls_server, resolver):
    tls_server.on("/", say(200, b"safe"))
    url = tls_server.url("/").replace("http:", "https:")
    assert client.get(url, public_only=True).content == b"safe"
    resolver.name("inside.test", "127.0.0.2")
    with pytest.raises(HttpAddressRefused):
        client.get(url.replace("127.0.0.1", "inside.test"), public_only=True)


def test_a_slow_drip_over_https_ends_with_the_time_of_the_call(quick, tls_server):
    tls_server.on("/", raw(HEAD + b"Content-Length: 100000\r\n\r\n", drip=b"x"))
    began = time.monotonic()
    with pytest.raises(HttpTooSlow):
        quick.get(tls_server.url("/").replace("http:", "https:"))
    assert time.monotonic() - began < 1.5


def test_authorisation_does_not_follow_a_fall_from_https_to_http(client, server, tls_server):
    tls_server.on("/", say(302, Location=server.on("/", say())))
    client.get(tls_server.url("/").replace("http:", "https:"), headers=SECRETS)
    assert tls_server.asked[0].headers["authorization"] == SECRETS["Authorization"]
    assert "authorization" not in server.asked[0].headers


def test_a_certificate_that_is_not_trusted_is_final(client, tmp_path, fake):
    _, tls = self_signed(tmp_path, "127.0.0.1")
    with serving(tls=tls) as untrusted:
        untrusted.on("/", say())
        with pytest.raises(HttpUnavailable, match="1 try: the certificate was not accepted"):
            client.get(untrusted.url("/").replace("http:", "https:"))
    assert (untrusted.asked, fake.slept) == ([], [])


# --- what is shown -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://u:p@Example.JP:8443/a?token=x&page=2#f",
            "https://example.jp:8443/a?token=***&page=***",
        ),
        ("http://[::1]:9090/api/v1/query?query=up", "http://[::1]:9090/api/v1/query?query=***"),
        ("https://example.jp/?c2VjcmV0", "https://example.jp/?***"),
        (
            "https://hooks.example/services/T0/B0/aBcDeFgHiJkLmNoPqRsTuVwX",
            "https://hooks.example/services/T0/B0/***",
        ),
        ("https://example.jp/list;jsessionid=A1?x=", "https://example.jp/list;***?x=***"),
        (
            "https://example.jp/press/release-on-models",
            "https://example.jp/press/release-on-models",
        ),
        ("ftp://u:p@example.jp/", "<unreadable URL>"),
        ("https://u:p@[::1/", "<unreadable URL>"),
        ("https://u:p@example.jp:port/", "<unreadable URL>"),
        ("", "<unreadable URL>"),
    ],
)
def test_redact(url, shown):
    assert redact(url) == shown


def test_redact_hides_the_path_of_an_address_that_is_secret():
    assert (
        redact("https://hooks.example/a/b?c=d", hide_path=True) == "https://hooks.example/***?c=***"
    )


# letters that no part of the URLs below uses
SECRET = st.text("qxzQXZ789", min_size=3, max_size=40)


@given(SECRET, SECRET, SECRET, SECRET, st.sampled_from(["http", "https", "HTTPS"]))
def test_redact_shows_no_secret(user, password, value, fragment, scheme):
    url = f"{scheme}://{user}:{password}@host.test:80/path?token={value}&{value}#{fragment}"
    shown = redact(url)
    assert shown == f"{scheme.lower()}://host.test:80/path?token=***&***"
    assert redact(shown) == shown


@given(st.text(string.ascii_letters + string.digits + "-_", min_size=20, max_size=80))
def test_redact_shows_no_key_in_the_path(key):
    one_kind = key.lower() == key or key.upper() == key
    if not one_kind or any(each.isdigit() for each in key):
        assert redact(f"https://host.test/hook/{key}/send") == "https://host.test/hook/***/send"


@given(st.text() | st.text("ht:/p@?#[]%&=;a1.\\ ").map("http://".__add__))
def test_redact_never_fails(url):
    shown = redact(url)
    assert shown == "<unreadable URL>" or shown.startswith(("http://", "https://"))


# a name, since tracebacks quote the lines of this file
KEY = "S3CRET"


def everything_shown(error):
    lines = traceback.format_exception(error)
    return "".join(lines) + repr(error) + str(error) + repr(error.__dict__)


@pytest.mark.parametrize(
    "answer",
    [
        say(404),
        say(500),
        raw(b""),
        say(302, Location=f"ftp://u:{KEY}@h/?{KEY}"),
        say(302, Location=f"http://u:{KEY}@127.0.0.1:1/{KEY}?{KEY}"),
        raw(f"{KEY}\n".encode()),
    ],
    ids=["refused", "unavailable", "broken", "redirect", "redirect to nobody", "not http"],
)
def test_no_secret_in_messages_or_logs(client, server, caplog, answer):
    caplog.set_level(logging.DEBUG)
    server.on("/a", answer)
    with pytest.raises(HttpError) as caught:
        client.get(server.url(f"/a?key={KEY}", f"u:{KEY}@127.0.0.1"), params={"token": KEY})
    error = caught.value
    assert KEY not in everything_shown(error) + caplog.text
    # not behind the curtain either, for tools which follow causes by themselves
    assert (error.__cause__, error.__context__) == (None, None)
    assert f"GET {server.url('/a?key=***')}" in str(error)


def test_no_secret_in_messages_when_nobody_listens(client, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(HttpUnavailable) as caught:
        client.get(f"http://u:{KEY}@127.0.0.1:{unused_port()}/?key={KEY}")
    assert KEY not in everything_shown(caught.value) + caplog.text


def test_no_secret_in_the_repr_of_an_answer(client, server):
    fetched = client.get(
        server.on("/", say(200, b"S3CRET", X_Key="S3CRET")), params={"k": "S3CRET"}
    )
    assert "S3CRET" in fetched.url
    assert "S3CRET" not in repr(fetched)


def test_the_log_still_tells_what_was_asked(client, server, caplog):
    caplog.set_level(logging.DEBUG, "urllib3")
    client.get(server.on("/api/v1/query", say()), params={"query": "up"})
    assert '"GET /api/v1/query?query=*** HTTP/1.1" 200' in caplog.text


# --- files -------------------------------------------------------------------------------------


def test_download_writes_the_whole_file(client, server, tmp_path):
    body = random.Random(1).randbytes(300 * KIB)
    target = tmp_path / "new" / "export.zip"
    got = client.download(server.on("/", say(200, body, ETag='"e"')), target)
    assert target.read_bytes() == body
    assert (got.path, got.size) == (target, 300 * KIB)
    assert got.sha256 == hashlib.sha256(body).hexdigest()
    assert got.validators.etag == '"e"'
    assert [each.name for each in target.parent.iterdir()] == ["export.zip"]


def test_download_starts_anew_after_a_broken_try(client, server, tmp_path):
    broken = raw(HEAD + b"Content-Length: 10\r\n\r\nhalf")
    client.download(server.on("/", broken, say(200, b"whole")), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"whole"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (raw(HEAD + b"Content-Length: 10\r\n\r\nhalf"), HttpUnavailable),
        (raw(HEAD + b"\r\n" + b"x" * 2000), HttpTooLarge),
        (say(404), HttpRefused),
    ],
    ids=["broken", "too large", "refused"],
)
def test_download_that_fails_leaves_the_old_file_and_nothing_else(
    client, server, tmp_path, answer, expected
):
    (tmp_path / "f").write_bytes(b"old")
    with pytest.raises(expected):
        client.download(server.on("/", answer), tmp_path / "f", max_bytes=1000)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"f": b"old"}


def test_download_of_what_did_not_change_leaves_the_file_alone(client, server, tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    url = server.on("/", say(304))
    got = client.download(url, tmp_path / "f", validators=Validators(etag='"e"'))
    assert (got.not_modified, got.path, got.size, got.sha256) == (True, None, None, None)
    assert (tmp_path / "f").read_bytes() == b"old"


# --- webhooks ----------------------------------------------------------------------------------


def test_post_json_sends_the_document(client, server):
    answer = client.post_json(server.on("/hook", say(200, b"ok")), {"text": "納期超過"})
    (asked,) = server.asked
    assert (asked.method, asked.body.decode()) == ("POST", '{"text": "納期超過"}')
    assert asked.headers["content-type"] == "application/json"
    assert answer.content == b"ok"


@pytest.mark.parametrize("status", [429, 503])
def test_post_json_is_sent_again_when_the_server_did_nothing(client, server, fake, status):
    client.post_json(server.on("/hook", say(status, Retry_After="7"), say()), {})
    assert (len(server.asked), fake.slept) == (2, [7])


def test_post_json_is_sent_again_when_the_connection_was_refused(client, server, monkeypatch):
    port = unused_port()
    with pytest.raises(HttpUnavailable, match="connection refused") as caught:
        client.post_json(f"http://127.0.0.1:{port}/hook", {})
    assert (len(caught.value.attempts), caught.value.maybe_received) == (5, False)


@pytest.mark.parametrize("answer", [say(500), say(502), say(504), raw(b"")])
def test_post_json_is_not_sent_again_when_it_may_have_arrived(client, server, answer):
    with pytest.raises(HttpUnavailable) as caught:
        client.post_json(server.on("/hook", answer), {})
    assert (len(server.asked), caught.value.maybe_received) == (1, True)


@pytest.mark.parametrize("status", [301, 307, 400, 404])
def test_post_json_is_not_carried_elsewhere(client, server, status):
    with pytest.raises(HttpRefused):
        client.post_json(server.on("/hook", say(status, Location="/other")), {})
    assert len(server.asked) == 1


def test_post_json_shows_the_host_of_a_webhook_alone(client, server, caplog):
    with pytest.raises(HttpRefused) as caught:
        client.post_json(server.on("/services/key", say(404)), {})
    assert str(caught.value).startswith(f"POST {server.url('/***')}: ")


def test_post_json_refuses_what_json_does_not_know(client, server):
    with pytest.raises(ValueError, match="JSON compliant"):
        client.post_json(server.on("/hook", say()), {"share": math.nan})
    assert server.asked == []
