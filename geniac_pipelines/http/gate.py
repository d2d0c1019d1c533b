"""The one way out: connections that know where they may go and when they must stop.

Each request has a gate, an adapter and a connection of its own. Nothing is pooled: a kept
connection would pass by the address check of the next request, and a stale one would leave open
whether a message was sent.

Proxies, cookies and .netrc of the environment play no part here: behind a proxy nobody could say
which address was reached.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from types import TracebackType
from typing import Any, ClassVar, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from geniac_pipelines.http.waits import Budget

# IANA special-purpose registries and multicast, where the standard library's tables lag behind:
# protocol assignments, the former 6to4 relays, documentation.
_NOT_PUBLIC_V4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
_NOT_PUBLIC_V6 = (IPv6Network("2001::/23"), IPv6Network("3fff::/20"))
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")

# An unreachable address costs a connect timeout each.
_MOST_ADDRESSES = 4


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the public internet, by the IANA special-purpose registries.

    An IPv6 address that only wraps an IPv4 one (mapped, NAT64, 6to4) is as public as that one.
    """
    if isinstance(address, IPv4Address):
        special = any(address in network for network in _NOT_PUBLIC_V4)
        return address.is_global and not address.is_multicast and not special
    wrapped = _wrapped_v4(address)
    if wrapped is not None:
        return is_public(wrapped)
    special = any(address in network for network in _NOT_PUBLIC_V6)
    return address in _GLOBAL_UNICAST_V6 and address.is_global and not special


def _wrapped_v4(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


class AddressRefused(Exception):
    """The gate is for public addresses and the host has none."""


class Gate:
    """What one request may do: reach public addresses only, or any; and until when.

    While the `with` block runs, a timer cuts the connection when the budget is over, wherever the
    exchange stands: a body, or a header, that drips byte by byte never runs into a read timeout.
    `expired` tells that this happened. Name resolution and the TLS handshake can't be cut; they
    end by the resolver's and the connection's own timeouts.
    """

    def __init__(self, budget: Budget, *, public_only: bool) -> None:
        self.expired = False
        self._budget = budget
        self._public_only = public_only
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(max(0.0, budget.remaining()), self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()

    def connect(self, host: str, port: int, **options: Any) -> socket.socket:
        """A socket to the first of the host's permitted addresses that answers.

        The host is resolved here, once, and the connection goes to the very addresses that were
        judged, so that a name which changes its address in between gains nothing. Raises
        AddressRefused, or OSError as `socket.create_connection` does.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        permitted = [each for each in addresses if self._permits(each)]
        if not permitted:
            raise AddressRefused(host)
        *others, last = permitted[:_MOST_ADDRESSES]
        for address in others:
            with suppress(OSError):
                return self._connect(address, port, **options)
        return self._connect(last, port, **options)

    def hold(self, held: socket.socket) -> None:
        """The socket to cut when time is over."""
        with self._lock:
            self._socket = held
        if self.expired:
            self._cut()

    def _permits(self, address: str) -> bool:
        return not self._public_only or is_public(ip_address(address))

    def _connect(
        self, address: str, port: int, *, timeout: float, socket_options: Any
    ) -> socket.socket:
        connected = socket.create_connection(
            (address, port), timeout=max(0.001, min(timeout, self._budget.remaining()))
        )
        connected.settimeout(timeout)
        for option in socket_options or ():
            connected.setsockopt(*option)
        return connected

    def _cut(self) -> None:
        with self._lock:
            self.expired = True
            if self._socket is not None:
                # the plain method: that of a TLS socket would drop its state under the reader
                with suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _ThroughGate(HTTPConnection):
    """A connection that gets its socket from a gate."""

    def __init__(self, *arguments: Any, gate: Gate, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._gate = gate

    def _new_conn(self) -> socket.socket:
        # urllib3's own place for another kind of socket (its SOCKS support stands here, too);
        # the errors are those which it expects from it
        try:
            return self._gate.connect(
                self.host, self.port, timeout=self.timeout, socket_options=self.socket_options
            )
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except UnicodeError as error:
            # what the idna codec says to a label that is empty or too long
            unknown = socket.gaierror(socket.EAI_NONAME, "not a host name")
            raise NameResolutionError(self.host, self, unknown) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "timed out") from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error

    def connect(self) -> None:
        super().connect()
        self._gate.hold(self.sock)


class _ThroughGateTls(_ThroughGate, HTTPSConnection):
    """The same for https: the address is judged before TLS begins, the name after."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _ThroughGate


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _ThroughGateTls


class GateAdapter(HTTPAdapter):
    """requests' transport, with connections through one gate."""

    POOLS: ClassVar[Mapping[str, type[HTTPConnectionPool]]] = {"http": _Pool, "https": _TlsPool}

    def __init__(self, gate: Gate) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)
        self._gate = gate

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = dict(self.POOLS)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, *arguments: Any, **options: Any
    ) -> HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(request, *arguments, **options)
        if not isinstance(pool, (_Pool, _TlsPool)):
            raise TypeError(f"{type(pool).__name__} would lead past the gate")
        pool.conn_kw["gate"] = self._gate
        return pool
