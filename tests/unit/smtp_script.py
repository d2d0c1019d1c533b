"""An SMTP server on loopback that says word for word what it is told to, however slowly."""

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

DRIP = "drip"
"""Stands for an answer that never comes to its last line."""

USUAL = {
    "greeting": "220 mail.example.jp",
    "EHLO": "250-mail.example.jp\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS",
    "HELO": "250 mail.example.jp",
    "STARTTLS": "220 go on",
    "AUTH": "235 welcome",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 end with a dot",
    "content": "250 taken",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}


@dataclass
class Script:
    """A server for one connection. `heard` are the lines that came, mails left out.

    `context` is the server's side of TLS, begun `late_s` seconds after the client asked for it.
    """

    answers: Mapping[str, str]
    context: ssl.SSLContext | None = None
    at_once: bool = False
    late_s: float = 0
    heard: list[str] = field(default_factory=list)
    mails: int = 0

    def __post_init__(self) -> None:
        self.answers = {**USUAL, **self.answers}
        self.stopped = threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]

    def serve(self) -> None:
        # the client may hang up wherever it likes
        with suppress(OSError):
            connection, _ = self.listening.accept()
            with connection:
                self.talk(connection)

    def talk(self, connection: socket.socket) -> None:
        if self.at_once:
            connection = self.encrypted(connection)
        lines = connection.makefile("rb")
        self.say(connection, "greeting")
        while line := lines.readline():
            self.heard.append(line.decode().strip())
            verb = line.split()[0].decode().upper()
            self.say(connection, verb)
            if verb == "QUIT":
                return
            if verb == "STARTTLS" and self.context:
                connection = self.encrypted(connection)
                lines = connection.makefile("rb")
            if verb == "DATA" and self.answers[verb].startswith("354"):
                while lines.readline() not in (b".\r\n", b""):
                    pass
                self.mails += 1
                self.say(connection, "content")

    def encrypted(self, connection: socket.socket) -> ssl.SSLSocket:
        assert self.context is not None
        self.stopped.wait(self.late_s)
        return self.context.wrap_socket(connection, server_side=True)

    def say(self, connection: socket.socket, what: str) -> None:
        answer = self.answers[what]
        if answer == DRIP:
            code = "220" if what == "greeting" else "250"
            while not self.stopped.wait(0.02):
                connection.sendall(f"{code}-please wait\r\n".encode())
        else:
            connection.sendall(f"{answer}\r\n".encode())


@contextmanager
def scripted(**options: object) -> Iterator[Script]:
    """A script that is served; see `Script`. Answers may stand among the options by their verb."""
    own = {n: options.pop(n) for n in ("context", "at_once", "late_s") if n in options}
    script = Script(options, **own)  # type: ignore[arg-type]
    thread = threading.Thread(target=script.serve)
    thread.start()
    try:
        yield script
    finally:
        script.stopped.set()
        script.listening.close()
        thread.join(10)
        assert not thread.is_alive()
