"""An SMTP server (aiosmtpd) on loopback that keeps what it takes."""

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class Postman:
    """The server's side: takes mails, and refuses what it is told to refuse."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.taken: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []

    async def handle_MAIL(self, _server, _session, envelope, address, _options):  # noqa: N802
        envelope.mail_from = address
        return self.answers.get("mail", "250 OK")

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self.answers.get("rcpt", "250 OK")

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        if "data" in self.answers:
            return self.answers["data"]
        self.taken.append(envelope.original_content)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return "250 OK"

    async def handle_QUIT(self, _server, _session, _envelope):  # noqa: N802
        return self.answers.get("quit", "221 Bye")


class MailServer(Controller):
    """aiosmtpd on a free port of 127.0.0.1."""

    def factory(self):
        return SMTP(self.handler, **self.SMTP_kwargs)
