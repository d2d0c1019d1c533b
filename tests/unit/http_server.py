"""A scripted HTTP server on loopback, and a time that passes only when somebody sleeps."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Headers = dict[str, str]


@dataclass
class Asked:
    """A request as the server saw it."""

    method: str
    target: str
    headers: Headers
    body: bytes


Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append(Asked(self.command, self.path, headers, body))
        # a client that had enough hangs up
        with suppress(BrokenPipeError, ConnectionResetError):
            self.server.next_answer(self.path.partition("?")[0])(self)

    do_POST = do_GET  # noqa: N815 - the name is the standard library's

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class Server(ThreadingHTTPServer):
    """`answers` holds, for each path, what is answered in turn; the last one stays."""

    host: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    daemon_threads = True

    def __post_init__(self) -> None:
        super().__init__((self.host, 0), Handler)

    def next_answer(self, path: str) -> Answer:
        left = self.answers[path]
        return left.pop(0) if len(left) > 1 else left[0]

    def on(self, path: str, *answers: Answer) -> str:
        """Script a path; returns its URL."""
        self.answers[path] = list(answers)
        return self.url(path)

    def url(self, path: str, host: str | None = None) -> str:
        return f"http://{host or self.host}:{self.server_port}{path}"


@contextmanager
def serving(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(host)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def self_signed(folder: Path, address: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for an IP address (its file), and a server's TLS that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    valid_from = datetime.now(UTC) - timedelta(hours=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(valid_from)
        .not_valid_after(valid_from + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file = folder / "key.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    return file, context


def unused_port() -> int:
    """A port on loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    """An answer; underscores in header names stand for hyphens."""

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        if status != 304:
            handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def raw(data: bytes, *, drip: bytes = b"", every_s: float = 0.02) -> Answer:
    """Bytes as they are, then `drip` again and again for at most five seconds, then hang up."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(data)
        hung_up = threading.Event()
        for _ in range(int(5 / every_s) if drip else 0):
            handler.wfile.write(drip)
            hung_up.wait(every_s)

    return answer


@dataclass
class FakeTime:
    """Monotonic seconds and UTC instants that move together, by sleeping only."""

    start: datetime = datetime(2026, 9, 30, 15, 0, tzinfo=UTC)
    passed: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.passed

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.passed)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds
