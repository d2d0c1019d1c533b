"""Mail to servers that answer slowly or badly: it has an end, and the outcome is the right one."""

import smtplib
import socket
import threading
import time
from collections.abc import Callable

import pytest

from geniac_pipelines.alerts import smtp
from geniac_pipelines.alerts.channels import Mail
from geniac_pipelines.alerts.outbox import ChannelDown, NotSent
from geniac_pipelines.alerts.smtp import PlainSmtp, TlsSmtp
from geniac_pipelines.settings import Smtp
from tests.unit.smtp_script import DRIP, Script, scripted
from tests.unit.test_channels import certificate, outgoing, server_side, trusting

__all__ = ["certificate", "server_side", "trusting"]

PATIENCE = 30.0
"""For one answer: never what ends a dialogue here, since the server says something all the time."""
LONGEST = 0.3
SOON = 10.0
"""Long after LONGEST, for a busy machine, and long before PATIENCE."""


def mail_to(script: Script, security="none", longest=LONGEST, user=None, **other) -> Mail:
    # certificates are of localhost
    host = "127.0.0.1" if security == "none" else "localhost"
    there = Smtp(host, script.port, security, user, "secret" if user else None)
    return Mail(there, "geniac@example.jp", timeout_s=PATIENCE, longest_s=longest, **other)


def soon(act: Callable[[], object], error: type[Exception]) -> Exception:
    """What `act` raises, and it must do so soon."""
    began = time.monotonic()
    with pytest.raises(error) as caught:
        act()
    assert time.monotonic() - began < SOON
    return caught.value


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(smtp, "AGAIN_S", 0.05)


# ---- the whole dialogue has an end


def test_a_greeting_that_drips_is_cut():
    with scripted(greeting=DRIP) as script:
        soon(
            lambda: PlainSmtp("127.0.0.1", script.port, timeout=PATIENCE, longest_s=LONGEST),
            smtplib.SMTPServerDisconnected,
        )
        assert script.heard == []


@pytest.mark.parametrize("what", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "content"])
def test_wherever_the_server_drips_the_channel_is_down(what):
    with scripted(**{what: DRIP}) as script:
        error = soon(lambda: mail_to(script).send(outgoing()), ChannelDown)
    assert not error.final


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("what", ["EHLO", "AUTH", "RCPT"])
def test_encryption_changes_nothing_about_that(security, what, server_side, trusting):
    tls = {"context": server_side, "at_once": security == "tls"}
    with scripted(**tls, **{what: DRIP}) as script:
        mail = mail_to(script, security, user="geniac", context=trusting)
        soon(lambda: mail.send(outgoing()), ChannelDown)
        assert script.mails == 0


def test_time_that_runs_out_while_encryption_begins_still_ends_the_rest(server_side, trusting):
    """There is no socket to be cut while it changes hands."""
    with scripted(context=server_side, late_s=2 * LONGEST, RCPT=DRIP) as script:
        mail = mail_to(script, "starttls", context=trusting)
        error = soon(lambda: mail.send(outgoing()), ChannelDown)
        assert not error.final
        assert script.mails == 0


def test_time_that_runs_out_while_connecting_still_ends_the_rest(monkeypatch):
    connect = socket.create_connection

    def slowly(*args, **options):
        time.sleep(2 * LONGEST)
        return connect(*args, **options)

    monkeypatch.setattr(socket, "create_connection", slowly)
    with scripted(RCPT=DRIP) as script:
        error = soon(lambda: mail_to(script).send(outgoing()), ChannelDown)
        assert not error.final
        assert script.mails == 0


def test_a_parting_that_drips_is_cut_and_the_mail_stays_sent():
    with scripted(QUIT=DRIP) as script:
        began = time.monotonic()
        # long enough for a busy machine to come to the parting
        mail_to(script, longest=2.0).send(outgoing())
        assert time.monotonic() - began < SOON
        assert script.mails == 1


def test_a_server_that_says_nothing_is_left_after_one_answer_s_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        there = Smtp("127.0.0.1", port, "none", None, None)
        mail = Mail(there, "geniac@example.jp", timeout_s=LONGEST, longest_s=PATIENCE)
        error = soon(lambda: mail.send(outgoing()), ChannelDown)
        assert not error.final


@pytest.mark.parametrize("kind", [PlainSmtp, TlsSmtp])
def test_nothing_keeps_watch_over_what_is_over(kind, server_side, trusting):
    before = set(threading.enumerate())
    tls = kind is TlsSmtp
    options = {"context": trusting} if tls else {}
    with scripted(context=server_side, at_once=tls) as script:
        held = kind("localhost", script.port, timeout=PATIENCE, longest_s=PATIENCE, **options)
        (watch,) = (t for t in set(threading.enumerate()) - before if "_watch" in t.name)
        held.close()
        watch.join(SOON)
        assert not watch.is_alive()


# ---- what the server says decides whether to try again


def refused(script: Script, **how) -> NotSent:
    with pytest.raises(NotSent) as caught:
        mail_to(script, longest=PATIENCE, **how).send(outgoing())
    assert "secret" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("said", "kind", "final"),
    [
        # this server, today
        ({"greeting": "554 no service"}, ChannelDown, False),
        ({"greeting": "421 too busy"}, ChannelDown, False),
        ({"HELO": "421 too busy", "EHLO": "502 what"}, ChannelDown, False),
        ({"MAIL": "550 not from you"}, ChannelDown, False),
        ({"MAIL": "452 disk full"}, ChannelDown, False),
        ({"RCPT": "421 closing"}, ChannelDown, False),
        ({"DATA": "421 closing"}, ChannelDown, False),
        ({"content": "421 closing"}, ChannelDown, False),
        # this mail, for now
        ({"RCPT": "450 greylisted"}, NotSent, False),
        ({"DATA": "451 try later"}, NotSent, False),
        ({"content": "451 try later"}, NotSent, False),
        # this mail, for good
        ({"RCPT": "550 no such user"}, NotSent, True),
        ({"RCPT": "553 bad address"}, NotSent, True),
        ({"DATA": "554 no"}, NotSent, True),
        ({"content": "554 spam"}, NotSent, True),
    ],
)
def test_permanent_and_passing_refusals_are_told_apart(said, kind, final):
    with scripted(**said) as script:
        error = refused(script)
    assert (type(error), error.final) == (kind, final)
    assert next(iter(said.values())).split(maxsplit=1)[1] in str(error)


@pytest.mark.parametrize("said", ["454 TLS not available", "501 no", "502 unknown"])
def test_where_starttls_is_refused_nothing_is_said_in_the_clear(said, trusting):
    with scripted(STARTTLS=said) as script:
        error = refused(script, security="starttls", user="geniac", context=trusting)
        assert (type(error), error.final) == (ChannelDown, False)
        assert {line.split()[0].upper() for line in script.heard} <= {"EHLO", "STARTTLS", "QUIT"}


@pytest.mark.parametrize("said", ["535 wrong", "454 later", "534 too weak"])
def test_a_login_that_fails_is_for_a_person_to_mend_and_costs_no_message(
    said, server_side, trusting
):
    with scripted(context=server_side, AUTH=said) as script:
        error = refused(script, security="starttls", user="geniac", context=trusting)
        assert (type(error), error.final) == (ChannelDown, False)
        assert said.split(maxsplit=1)[1] in str(error)
        assert not any(line.upper().startswith("MAIL") for line in script.heard)


def test_a_server_without_login_is_down_for_whoever_must_log_in(server_side, trusting):
    with scripted(context=server_side, EHLO="250-a\r\n250 STARTTLS") as script:
        error = refused(script, security="starttls", user="geniac", context=trusting)
        assert type(error) is ChannelDown
