"""One request on the way to an answer, and the next one when a redirect points elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin, urlsplit

import requests
from requests.utils import urldefragauth

from geniac_pipelines.http.answers import HttpRefused, Validators
from geniac_pipelines.http.urls import headers_for_redirect, host_of, redact

Parameter = str | int | float
Params = Mapping[str, Parameter | Sequence[Parameter]]

REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Ask:
    """What a caller wants. `hide_path` says that the address as such is secret."""

    method: str
    url: str
    headers: Mapping[str, str]
    max_bytes: int
    params: Params | None = None
    body: bytes | None = None
    validators: Validators = field(default_factory=Validators)
    public_only: bool = False
    hide_path: bool = False

    @property
    def shown(self) -> str:
        return f"{self.method} {redact(self.url, hide_path=self.hide_path)}"


@dataclass(frozen=True)
class Hop:
    """A request to one address: `url` without credentials and fragment, `headers` complete.

    `may_be_private` says that the address may lie outside the public internet: it was configured,
    or it is the same host as the private one that redirected to it.
    """

    url: str
    headers: Mapping[str, str]
    may_be_private: bool

    @property
    def resource(self) -> str:
        return hashlib.sha256(self.url.encode()).hexdigest()

    def request(self, ask: Ask) -> requests.PreparedRequest:
        headers = {**self.headers, **self._conditions(ask.validators)}
        return _prepared(ask.shown, ask.method, self.url, headers, body=ask.body)

    def redirected(self, location: str, ask: Ask, *, reached_private: bool) -> Hop:
        """The hop to which an answer of this one points.

        A private address stays within reach only while every step so far stood on the same host.
        """
        target = _prepared(ask.shown, ask.method, urljoin(self.url, _as_sent(location)), {})
        url = urldefragauth(str(target.url))
        return Hop(
            url,
            headers_for_redirect(self.headers, self.url, url),
            may_be_private=reached_private and host_of(url) == host_of(self.url),
        )

    def _conditions(self, validators: Validators) -> dict[str, str]:
        if validators.resource != self.resource:
            return {}
        sent = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
        return {name: value for name, value in sent.items() if value is not None}


def first_hop(ask: Ask) -> tuple[Ask, Hop]:
    """The first hop of an ask, and the ask with its address and validators in their final form.

    Credentials in the URL become an Authorization header. Raises HttpRefused for what is no
    http(s) URL.
    """
    prepared = _prepared(ask.shown, ask.method, ask.url, ask.headers, params=ask.params)
    hop = Hop(
        urldefragauth(str(prepared.url)),
        {name: value for name, value in prepared.headers.items() if name != "Content-Length"},
        may_be_private=not ask.public_only,
    )
    bound = replace(ask.validators, resource=ask.validators.resource or hop.resource)
    return replace(ask, url=hop.url, params=None, validators=bound), hop


def _as_sent(location: str) -> str:
    """A Location header as the server wrote it: http.client reads UTF-8 bytes as Latin-1."""
    try:
        return location.encode("latin-1").decode()
    except UnicodeError:
        return location


def _prepared(
    shown: str,
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    params: Params | None = None,
    body: bytes | None = None,
) -> requests.PreparedRequest:
    problem = None
    try:
        prepared = requests.Request(
            method, url, headers=dict(headers), params=dict(params or {}), data=body
        ).prepare()
        parts = urlsplit(str(prepared.url))
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            problem = f"only http and https are asked, not {parts.scheme or 'this'!r}"
    except requests.exceptions.InvalidHeader:
        problem = "a header can't be sent as it is"
    except (requests.RequestException, ValueError):
        problem = "this is not a URL that can be asked"
    # raised here, where no exception that quotes the URL is under way
    if problem is not None:
        raise HttpRefused(shown, problem)
    return prepared
