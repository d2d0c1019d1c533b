"""Ask a company's own Prometheus for hourly aggregates, all of them or none.

Raw samples stay where they are: a day of 370 GPUs is two million samples, or nine thousand hours.
Here: discovery of the series, paging and the checks that make a fetch whole. What is asked for and
what the saved document means is in `prometheus_hours`. Works with servers that speak the same API
(VictoriaMetrics, Thanos, Mimir) if they know `last_over_time`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from geniac_pipelines.gpu_usage.prometheus_hours import (
    ASKED,
    ENVELOPE,
    STATISTICS,
    VERSION,
    evaluation_ms,
)
from geniac_pipelines.gpu_usage.telemetry_metrics import gpu_of
from geniac_pipelines.http import Fetched, HttpError, HttpRefused, PoliteClient

MAX_POINTS: Final = 11_000
"""Prometheus refuses more points a series in one reply."""
PAGE_HOURS: Final = 168


class PrometheusFailed(Exception):
    """The server did not give all that was asked for; nothing of it may be used."""


def fetch_hours(
    client: PoliteClient,
    base_url: str,
    company: str,
    start: datetime,
    end: datetime,
    *,
    interval_seconds: int,
    matchers: str = "",
    headers: Mapping[str, str] | None = None,
    page_hours: int = PAGE_HOURS,
) -> bytes:
    """Aggregates of every hour in [start, end) and every GPU, as one JSON document to archive.

    `base_url` is the server's (with its path prefix, without /api/v1). `start` and `end` are
    aware and full hours that are over. `interval_seconds` is the scrape interval, by which samples
    become coverage. `matchers` are label matchers (`company="a"`) that every query gets.
    `headers` may carry an Authorization; they are not part of the document.

    Raises ValueError for unfit arguments, PrometheusFailed when the server fails, answers with
    an error, a partial result or a warning, or contradicts itself.
    """
    _check(start, end, interval_seconds, page_hours)
    server = _Server(client, base_url.rstrip("/"), headers)
    found = server.series(matchers, start, end)
    if end > server.answered_at:
        raise ValueError(f"the hours up to {end} are not over at {server.answered_at}")
    present = {labels["__name__"] for labels in found}
    gpus = sorted({g.key for labels in found if (g := gpu_of(labels)) is not None})
    pages = [
        page
        for name in sorted(present & ASKED.keys())
        for first, last in _pages(start, end, page_hours)
        for page in server.page(name, matchers, first, last, interval_seconds)
    ]
    return orjson.dumps(
        {
            "format": ENVELOPE,
            "version": VERSION,
            "company": company,
            "fetched_at": server.answered_at.isoformat(),
            "start": start.astimezone(UTC).isoformat(),
            "end": end.astimezone(UTC).isoformat(),
            "interval_seconds": interval_seconds,
            "matchers": matchers,
            "gpus": [{"uuid": uuid, "mig": mig} for uuid, mig in gpus],
            "pages": pages,
        }
    )


def _check(start: datetime, end: datetime, interval_seconds: int, page_hours: int) -> None:
    for instant in (start, end):
        if instant.tzinfo is None:
            raise ValueError(f"{instant} has no time zone")
        if instant.timestamp() % 3_600:
            raise ValueError(f"{instant} is not a full hour")
    if start >= end:
        raise ValueError("the period is empty")
    if not 1 <= interval_seconds <= 300:
        raise ValueError("a scrape interval of 1 to 300 seconds was expected")
    if not 1 <= page_hours <= MAX_POINTS:
        raise ValueError(f"a page holds 1 to {MAX_POINTS} hours")


def _pages(start: datetime, end: datetime, hours: int) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        last = min(start + timedelta(hours=hours), end)
        yield start, last
        start = last


def _ms(instant: datetime) -> int:
    return int(instant.timestamp()) * 1_000


class _Server:
    """One server during one fetch; `answered_at` (UTC) is when it last answered."""

    def __init__(
        self, client: PoliteClient, base_url: str, headers: Mapping[str, str] | None
    ) -> None:
        self._client = client
        self._base_url = base_url
        self._headers = headers
        self.answered_at = datetime.fromtimestamp(0, UTC)

    def series(self, matchers: str, start: datetime, end: datetime) -> list[dict[str, str]]:
        """Label sets of all fields that are asked for, also of GPUs that fell silent."""
        names = "|".join(sorted(ASKED))
        selector = ", ".join(m for m in (f'__name__=~"{names}"', matchers) if m)
        params = {
            "match[]": f"{{{selector}}}",
            "start": str(_ms(start) // 1_000),
            "end": str(_ms(end) // 1_000),
        }
        reply = self._ask("/api/v1/series", params)
        data = reply.get("data")
        if not isinstance(data, list) or not all(isinstance(s, dict) for s in data):
            raise PrometheusFailed("the list of series is not a list")
        return [s for s in data if isinstance(s.get("__name__"), str)]

    def page(
        self, name: str, matchers: str, first: datetime, last: datetime, interval_seconds: int
    ) -> list[dict[str, Any]]:
        """Every aggregate of one field over the hours in [first, last), checked against each other.

        Whatever has a mean, maximum or last value had a sample, so it must have a count.
        """
        series = f"{name}{{{matchers}}}"
        pages = []
        for statistic in ASKED[name]:
            query = STATISTICS[statistic].format(series=series, interval=interval_seconds)
            params = {
                "query": query,
                "start": f"{evaluation_ms(_ms(first)) / 1000:.3f}",
                "end": f"{(_ms(last) - 1) / 1000:.3f}",
                "step": "3600",
            }
            reply = self._ask("/api/v1/query_range", params)
            _matrix(reply, query)
            pages.append({"metric": name, "statistic": statistic, **params, "reply": reply})
        counted = next(_points(p) for p in pages if p["statistic"] == "count")
        for page in pages:
            # counting zeros looks back a little, and an increase needs two samples
            if page["statistic"] in ("mean", "max", "last") and _points(page) != counted:
                raise PrometheusFailed(f"{page['query']} and the count disagree; ask again later")
        return pages

    def _ask(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        try:
            fetched = self._client.get(self._base_url + path, params=params, headers=self._headers)
        except HttpRefused as refused:
            said = _said(refused.body)
            raise PrometheusFailed(f"{refused}{f' ({said})' if said else ''}") from refused
        except HttpError as error:
            raise PrometheusFailed(str(error)) from error
        self.answered_at = max(self.answered_at, fetched.fetched_at)
        return _whole(fetched, path)


def _said(body: bytes) -> str:
    """The error that the API put into the body of a refusal."""
    try:
        content = orjson.loads(body)
        return f"{content['errorType']}: {content['error']}"
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return ""


def _whole(fetched: Fetched, path: str) -> dict[str, Any]:
    """The reply, if it is a success, complete and without warnings."""
    try:
        reply = orjson.loads(fetched.content)
    except orjson.JSONDecodeError as error:
        raise PrometheusFailed(f"{path}: the reply is not JSON, or cut off") from error
    if not isinstance(reply, dict) or reply.get("status") != "success":
        raise PrometheusFailed(f"{path}: {_said(fetched.content) or 'not a success'}")
    if reply.get("isPartial") or reply.get("warnings"):
        raise PrometheusFailed(f"{path}: partial result: {reply.get('warnings', 'isPartial')}")
    return reply


def _matrix(reply: Mapping[str, Any], query: str) -> None:
    data = reply.get("data")
    if not isinstance(data, dict) or data.get("resultType") != "matrix":
        raise PrometheusFailed(f"{query}: a matrix was expected")


def _points(page: Mapping[str, Any]) -> set[tuple[str, float]]:
    """Which series has a value when."""
    return {
        (repr(sorted((k, v) for k, v in s["metric"].items() if k != "__name__")), t)
        for s in page["reply"]["data"]["result"]
        for t, _ in s["values"]
    }
