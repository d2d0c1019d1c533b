"""The ways out: mail by SMTP, a Slack-compatible webhook, and a folder where mail is not set up."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path

from geniac_pipelines.alerts import render
from geniac_pipelines.alerts.outbox import ELSEWHERE, Channel, ChannelDown, NotSent, Outgoing
from geniac_pipelines.alerts.smtp import PlainSmtp, TlsSmtp
from geniac_pipelines.http import (
    HttpError,
    HttpRefused,
    HttpTooLarge,
    HttpTooSlow,
    HttpUnavailable,
    PoliteClient,
)
from geniac_pipelines.settings import Settings, Smtp
from geniac_pipelines.store.files import write_bytes

TIMEOUT_S = 30.0
LONGEST_S = 120.0
"""A mail's whole dialogue; well within the lease of a message."""

FAREWELL = 421

NOBODY = "secretariat@localhost"
"""Stands as recipient of the mails that are only written to the folder."""
USER_AGENT = "geniac-pipelines"

FAULTS_OF_ONE_MESSAGE = frozenset({400, 413, 422})
"""Statuses by which a webhook refuses this document; others refuse us."""


@dataclass(frozen=True)
class Channels:
    """What is configured.

    `to` is where the secretariat reads: channel and recipient. `notes` says, in Japanese, what is
    not configured and where messages go instead.
    """

    by_name: Mapping[str, Channel]
    to: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def channels(settings: Settings, client: PoliteClient | None = None) -> Channels:
    """The channels of an installation; without a mail server, mails become files."""
    by_name: dict[str, Channel] = {}
    notes = []
    to = [("mail", address) for address in settings.mail_to]
    if settings.smtp:
        by_name["mail"] = Mail(settings.smtp, settings.mail_from)
    else:
        folder = settings.data / "outbox"
        by_name["mail"] = EmlFolder(folder, settings.mail_from)
        notes.append(
            f"メールサーバーが設定されていないため、メールは送らず {folder} に書き出します"
            "（GENIAC_SMTP_HOST）"
        )
    if settings.webhook_url:
        client = client or PoliteClient(USER_AGENT, max_seconds=60.0)
        by_name["webhook"] = Webhook(settings.webhook_url, client)
        to.append(("webhook", "secretariat"))
    if not settings.mail_to and not settings.smtp:
        to.append(("mail", NOBODY))
    elif not settings.mail_to:
        notes.append("事務局の宛先が設定されていないため、メールは作りません（GENIAC_MAIL_TO）")
    return Channels(by_name, tuple(to), tuple(notes))


@dataclass(frozen=True)
class Mail:
    """Mail by SMTP; certificates are checked against `context`, by default the system's.

    `timeout_s` bounds one answer of the server, `longest_s` all of a mail's dialogue.
    """

    smtp: Smtp
    sender: str
    context: ssl.SSLContext | None = field(default=None, repr=False)
    timeout_s: float = TIMEOUT_S
    longest_s: float = LONGEST_S
    name: str = "mail"

    def send(self, outgoing: Outgoing) -> None:
        """See `Channel`."""
        try:
            content = render.mail(outgoing, self.sender)
        except ValueError as error:
            raise NotSent(f"the mail can't be written: {error}", final=True) from error
        try:
            server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelDown(f"{self.smtp.host}:{self.smtp.port}: {error}") from error
        try:
            server.sendmail(
                parseaddr(self.sender)[1], [render.address(outgoing.recipient)], content
            )
        except (smtplib.SMTPException, OSError) as error:
            raise _not_sent(error) from error
        finally:
            # what was accepted stays accepted, however the parting goes
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _connect(self) -> smtplib.SMTP:
        smtp, context = self.smtp, self.context or ssl.create_default_context()
        server: smtplib.SMTP
        times = {"timeout": self.timeout_s, "longest_s": self.longest_s}
        if smtp.security == "tls":
            server = TlsSmtp(smtp.host, smtp.port, **times, context=context)
        else:
            server = PlainSmtp(smtp.host, smtp.port, **times)
        try:
            if smtp.security == "starttls":
                server.starttls(context=context)
            if smtp.user:
                server.login(smtp.user, smtp.password or "")
        except BaseException:
            server.close()
            raise
        return server


def _not_sent(error: smtplib.SMTPException | OSError) -> NotSent:
    """5xx to this recipient or this content is final (RFC 5321, 4.2.1); all else passes.

    With 421 the server says farewell, whatever it was asked (3.8).
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
        return _refused("recipient", code, reply)
    if isinstance(error, smtplib.SMTPSenderRefused):
        return ChannelDown(f"sender refused: {error.smtp_code} {_text(error.smtp_error)}")
    if isinstance(error, smtplib.SMTPDataError):
        return _refused("content", error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return NotSent(str(error), final=True)
    return ChannelDown(f"{type(error).__name__}: {error}")


def _refused(what: str, code: int, reply: bytes | str) -> NotSent:
    words = f"{what} refused: {code} {_text(reply)}"
    return ChannelDown(words) if code == FAREWELL else NotSent(words, final=code >= 500)


def _text(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply


@dataclass(frozen=True)
class Webhook:
    """A Slack-compatible incoming webhook. Its address is a secret and is never shown."""

    url: str = field(repr=False)
    client: PoliteClient
    name: str = "webhook"

    def send(self, outgoing: Outgoing) -> None:
        """See `Channel`."""
        try:
            self.client.post_json(self.url, render.webhook(outgoing))
        except HttpRefused as error:
            if error.status in FAULTS_OF_ONE_MESSAGE:
                raise NotSent(str(error), final=True) from error
            raise ChannelDown(str(error)) from error
        except HttpUnavailable as error:
            wait = timedelta(seconds=min(error.retry_after_s or 0.0, 86_400.0))
            raise ChannelDown(str(error), retry_after=wait) from error
        except HttpTooLarge:
            # it answered with success, only at too great length
            return
        except (HttpTooSlow, HttpError) as error:
            raise NotSent(str(error)) from error


@dataclass(frozen=True)
class EmlFolder:
    """Writes each mail, byte for byte as it would be sent, to `<folder>/<key>.eml`."""

    folder: Path
    sender: str
    name: str = ELSEWHERE

    def send(self, outgoing: Outgoing) -> None:
        """See `Channel`."""
        try:
            content = render.mail(outgoing, self.sender)
        except ValueError as error:
            raise NotSent(f"the mail can't be written: {error}", final=True) from error
        try:
            write_bytes(self.folder / f"{outgoing.key}.eml", content)
        except OSError as error:
            raise ChannelDown(f"{self.folder}: {error}") from error
