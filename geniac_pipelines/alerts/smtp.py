"""SMTP connections whose whole dialogue has an end.

A timeout of a socket bounds one read. A server that sends a line of a greeting now and then, as
tarpits do, would hold a night for hours. Not here: what is said (`channels`).
"""

from __future__ import annotations

import smtplib
import socket
import threading
from contextlib import suppress
from typing import Any

AGAIN_S = 1.0
"""How often a connection that is over its time is cut, until it is closed."""


class _Bounded(smtplib.SMTP):
    """Cuts its connection `longest_s` seconds after its making, wherever the dialogue stands.

    Whoever waits for the server then gets SMTPServerDisconnected. Name resolution and connecting
    are bounded by `timeout` alone, for each address, and so is the beginning of encryption; what
    is left of the dialogue then ends at once. Close it, as any connection.
    """

    def __init__(self, host: str, port: int, *, longest_s: float, **options: Any) -> None:
        self._over = threading.Event()
        threading.Thread(target=self._watch, args=(longest_s,), daemon=True).start()
        try:
            super().__init__(host, port, **options)
        except BaseException:
            self._over.set()
            raise

    def close(self) -> None:
        self._over.set()
        super().close()

    def _watch(self, longest_s: float) -> None:
        wait = longest_s
        # again and again: while it connects or begins to encrypt, there is no socket to be cut
        while not self._over.wait(wait):
            self._cut()
            wait = AGAIN_S

    def _cut(self) -> None:
        held = self.sock
        if held is not None:
            # the plain method: that of a TLS socket would drop its state under the reader
            with suppress(OSError):
                socket.socket.shutdown(held, socket.SHUT_RDWR)


class PlainSmtp(_Bounded):
    """Plain at first; `starttls` encrypts it."""


class TlsSmtp(_Bounded, smtplib.SMTP_SSL):
    """Encrypted from the first byte."""
