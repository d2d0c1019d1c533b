"""A whole night's digest reaches a real mail server and a real webhook, whatever dies or refuses.

One night runs through Dagster and dbt in a process of its own and is killed between its commit and
sending; each test goes on from a copy of what it left. A message that was on its way when its
process died stays claimed until its lease is over: a drain of later sends it again.
"""

import email
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.smtp import AuthResult

from geniac_pipelines.alerts.channels import Mail, Webhook
from geniac_pipelines.alerts.outbox import LEASE, Channel, Drained, drain
from geniac_pipelines.http import PoliteClient
from geniac_pipelines.settings import Smtp
from geniac_pipelines.store import generations
from geniac_pipelines.store.ledger import Ledger, messages
from geniac_pipelines.store.warehouse import connect, rows
from tests.system.nights import GENIAC, SENDER, TO, done, geniac, killed
from tests.unit.http_server import Asked, Server, say, self_signed, serving, unused_port
from tests.unit.mail_server import MailServer, Postman

pytestmark = pytest.mark.system

HOOK = "/services/T0/B0/0f1e2d3c"


@dataclass
class Town:
    """A mail server that wants TLS and a password, a webhook, and who is configured for them."""

    postman: Postman
    hook: Server
    smtp: Smtp
    certificate: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, command: str, data: Path) -> str:
        """Run a command on a data folder to its good end; gives what it printed."""
        return done(geniac(command, data, self.environment))

    def killed(self, command: str, data: Path, failpoint: str) -> None:
        killed(geniac(command, data, self.environment, failpoint))

    def channels(self, **other: Any) -> dict[str, Channel]:
        """The same ways as the commands', with less patience: a try of two seconds."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        mail = Mail(self.smtp, SENDER, context, timeout_s=1)
        client = PoliteClient(
            "geniac-tests",
            per_host_interval_s=0,
            timeout_s=(1, 1),
            max_seconds=2,
            retries=other.get("retries", 0),
        )
        return {"mail": mail, "webhook": Webhook(self.hook.url(HOOK), client)}

    @property
    def mails(self) -> list[EmailMessage]:
        read = (email.message_from_bytes(content, policy=default) for content in self.postman.taken)
        return [mail for mail in read if isinstance(mail, EmailMessage)]

    @property
    def posts(self) -> list[Asked]:
        return self.hook.asked


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    certificate, tls = self_signed(folder, "127.0.0.1")
    postman = Postman()
    server = MailServer(
        postman,
        hostname="127.0.0.1",
        port=unused_port(),
        tls_context=tls,
        require_starttls=True,
        authenticator=_only_geniac,
        auth_required=True,
    )
    server.start()
    smtp = Smtp("127.0.0.1", server.port, "starttls", "geniac", "himitsu")
    try:
        with serving() as hook:
            hook.on(HOOK, say(200, b"ok"))
            environment = {
                "GENIAC_SMTP_HOST": smtp.host,
                "GENIAC_SMTP_PORT": str(smtp.port),
                "GENIAC_SMTP_SECURITY": smtp.security,
                "GENIAC_SMTP_USER": "geniac",
                "GENIAC_SMTP_PASSWORD": "himitsu",
                "GENIAC_MAIL_FROM": SENDER,
                "GENIAC_MAIL_TO": ",".join(TO),
                "GENIAC_WEBHOOK_URL": hook.url(HOOK),
                # how an installation trusts its own authority
                "SSL_CERT_FILE": str(certificate),
            }
            yield Town(postman, hook, smtp, certificate, environment)
    finally:
        server.stop()


def _only_geniac(_server, _session, _envelope, _mechanism, said) -> AuthResult:
    known = (said.login, said.password) == (b"geniac", b"himitsu")
    return AuthResult(success=known, handled=False)


@pytest.fixture
def data(committed, tmp_path) -> Path:
    """A copy of what the night left, its inbox beside it."""
    shutil.copytree(committed / "data", tmp_path / "data")
    (tmp_path / "inbox").symlink_to(committed / "inbox")
    return tmp_path / "data"


@pytest.fixture
def there(tmp_path) -> Iterator[Town]:
    with town(tmp_path) as made:
        yield made


@pytest.fixture
def ledger(data) -> Iterator[Ledger]:
    made = Ledger(f"sqlite:///{data / 'ledger.sqlite'}")
    yield made
    made.engine.dispose()


def recorded(ledger: Ledger) -> dict[str, sa.Row[Any]]:
    """The digests in the ledger, by key."""
    statement = sa.select(messages).where(messages.c.kind == "digest")
    with ledger.reading() as connection:
        return {row.key: row for row in connection.execute(statement)}


def states(ledger: Ledger) -> dict[str, set[str]]:
    """States of the digests by channel."""
    found: dict[str, set[str]] = {}
    for row in recorded(ledger).values():
        found.setdefault(row.channel, set()).add(row.state)
    return found


def later(ledger: Ledger, channels: dict[str, Channel], after: timedelta) -> Drained:
    """A drain of so much later."""
    now = datetime.now(UTC) + after
    return drain(ledger, channels, lambda: now)


def message_ids(ledger: Ledger) -> list[str]:
    return sorted(
        f"<{row.key}@example.jp>" for row in recorded(ledger).values() if row.channel == "mail"
    )


# ---- what arrives


def test_the_next_night_sends_what_a_killed_one_committed_each_once(there, data, ledger):
    there.run("nightly", data)
    by_recipient = {r.recipient: r for r in recorded(ledger).values() if r.channel == "mail"}
    assert sorted(mail["To"] for mail in there.mails) == sorted(by_recipient) == list(TO)
    assert len(there.posts) == 1
    assert states(ledger) == {"mail": {"sent"}, "webhook": {"sent"}}
    there.run("outbox", data)
    assert (len(there.mails), len(there.posts)) == (2, 1)


def test_a_mail_says_what_the_ledger_says_in_japanese(there, data, ledger):
    there.run("outbox", data)
    last = generations.latest(ledger)
    assert last is not None
    with connect(data / last.warehouse, read_only=True) as warehouse:
        register = rows(warehouse, "select name_ja from marts.dim_programme__organisations")
    names = [r["name_ja"] for r in register]
    by_recipient = {r.recipient: r for r in recorded(ledger).values() if r.channel == "mail"}
    for raw, mail in zip(there.postman.taken, there.mails, strict=True):
        row = by_recipient[mail["To"]]
        assert mail["Subject"] == row.subject
        assert mail["Subject"].startswith("【GENIAC】朝のまとめ 2026年10月5日（月）")
        assert mail["From"] == SENDER
        assert mail["Message-ID"] == f"<{row.key}@example.jp>"
        assert mail["Date"].datetime == row.created_at.replace(microsecond=0)
        assert mail.get_content_type() == "text/plain"
        said = mail.get_content().replace("\r\n", "\n")
        assert said == f"{row.body.rstrip()}\n\n-- \n通知番号 {row.key}\n"
        # names of whom the findings are about, from the files that were handed in
        assert any(name in said for name in names)
        # what every server on the way can carry (RFC 5321, 4.5.3.1.6 and 7 bits)
        assert raw.isascii()
        assert max(map(len, raw.splitlines())) <= 998
    envelopes = [("geniac@example.jp", [address]) for address in TO]
    assert sorted(there.postman.envelopes) == envelopes


def test_a_webhook_gets_what_slack_takes(there, data, ledger):
    there.run("outbox", data)
    (post,) = there.posts
    (row,) = (r for r in recorded(ledger).values() if r.channel == "webhook")
    assert (post.method, post.target) == ("POST", HOOK)
    assert post.headers["content-type"] == "application/json"
    content = json.loads(post.body)
    assert set(content) == {"text", "blocks"}
    assert content["text"] == row.subject
    header, *sections, footer = content["blocks"]
    assert header == {"type": "header", "text": {"type": "plain_text", "text": row.subject}}
    assert footer["type"] == "context"
    assert row.key in footer["elements"][0]["text"]
    assert {s["type"] for s in sections} == {"section"}
    assert {s["text"]["type"] for s in sections} == {"mrkdwn"}
    assert all(0 < len(s["text"]["text"]) <= 3000 for s in sections)
    # escaped as Slack's manual says; between pieces only line ends are lost
    wanted = row.body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    said = "\n".join(s["text"]["text"] for s in sections)
    assert [line for line in said.splitlines() if line] == [
        line for line in wanted.splitlines() if line
    ]


def test_drains_at_the_same_time_send_each_message_once(there, data, ledger):
    drains = [geniac("outbox", data, there.environment) for _ in range(2)]
    for each in drains:
        done(each)
    assert sorted(mail["Message-ID"] for mail in there.mails) == message_ids(ledger)
    assert len(there.posts) == 1


# ---- killed


def test_a_drain_killed_before_sending_leaves_it_to_a_later_one(there, data, ledger):
    there.killed("outbox", data, "outbox-before-send:2")
    assert len(there.mails) + len(there.posts) == 1
    # the claimed one waits for the end of its lease, the third is sent at once
    there.run("outbox", data)
    assert len(there.mails) + len(there.posts) == 2
    assert later(ledger, there.channels(), LEASE).waiting == 0
    assert sorted(mail["Message-ID"] for mail in there.mails) == message_ids(ledger)
    assert len(there.posts) == 1


def test_what_was_sent_and_not_noted_comes_again_as_the_same_message(there, data, ledger):
    order = sorted(recorded(ledger))  # keys decide among messages of one night
    first = recorded(ledger)[order[0]]
    there.killed("outbox", data, "outbox-after-send")
    assert len(there.mails) + len(there.posts) == 1
    assert recorded(ledger)[first.key].state == "pending"
    assert later(ledger, there.channels(), LEASE).waiting == 0
    assert len(there.mails) + len(there.posts) == len(order) + 1
    if first.channel == "mail":
        again = [c for c in there.postman.taken if f"<{first.key}@".encode() in c]
    else:
        again = [post.body for post in there.posts]
    assert len(again) == 2
    assert again[0] == again[1]
    assert sorted({mail["Message-ID"] for mail in there.mails}) == message_ids(ledger)
    assert states(ledger) == {"mail": {"sent"}, "webhook": {"sent"}}


# ---- refused


def test_greylisted_mails_go_out_after_a_minute(there, data, ledger):
    there.postman.answers["rcpt"] = "451 4.7.1 greylisted, come back"
    said = there.run("outbox", data)
    assert said.count("greylisted") == len(TO)
    assert states(ledger) == {"mail": {"pending"}, "webhook": {"sent"}}
    del there.postman.answers["rcpt"]
    assert later(ledger, there.channels(), timedelta(seconds=30)).sent == ()
    assert len(later(ledger, there.channels(), timedelta(minutes=1)).sent) == len(TO)
    assert sorted(mail["Message-ID"] for mail in there.mails) == message_ids(ledger)


@pytest.mark.parametrize(
    ("stage", "answer"),
    [("rcpt", "550 5.1.1 no such user"), ("data", "554 5.7.1 looks like spam")],
)
def test_a_final_refusal_waits_for_a_person_who_retries_it(there, data, ledger, stage, answer):
    there.postman.answers[stage] = answer
    there.run("outbox", data)
    assert states(ledger) == {"mail": {"failed"}, "webhook": {"sent"}}
    assert all(answer in r.last_error for r in recorded(ledger).values() if r.channel == "mail")
    del there.postman.answers[stage]
    assert later(ledger, there.channels(), timedelta(days=30)).sent == ()
    key = next(r.key for r in recorded(ledger).values() if r.channel == "mail")
    assert _retry(there, data, key).startswith("送信 1件")
    assert [mail["Message-ID"] for mail in there.mails] == [f"<{key}@example.jp>"]


def _retry(there: Town, data: Path, key: str) -> str:
    process = subprocess.run(
        [*GENIAC, "outbox", "--data", str(data), "--retry", key],
        env=os.environ | there.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return process.stdout.strip()


def test_a_wrong_password_loses_nothing_and_is_not_shown(there, data, ledger):
    wrong = there.environment | {"GENIAC_SMTP_PASSWORD": "machigai-desu"}
    there.environment, right = wrong, there.environment
    said = there.run("outbox", data)
    assert "535" in said
    assert "machigai" not in said
    assert states(ledger) == {"mail": {"pending"}, "webhook": {"sent"}}
    there.environment = right
    assert later(ledger, there.channels(), timedelta(minutes=1)).waiting == 0
    assert sorted(mail["Message-ID"] for mail in there.mails) == message_ids(ledger)


@pytest.mark.parametrize("drip", [b"", b"220-patience\r\n"], ids=["silent", "dripping"])
def test_a_mail_server_that_never_comes_to_the_point_is_given_up(there, data, ledger, drip):
    with tarpit(drip) as port:
        channels = there.channels()
        smtp = Smtp("127.0.0.1", port, "starttls", None, None)
        channels["mail"] = Mail(smtp, SENDER, timeout_s=1, longest_s=3)
        started = time.monotonic()
        drained = drain(ledger, channels)
        assert time.monotonic() - started < 15
    # the channel is down: the second mail was not even tried
    assert len(drained.failed) == 1
    assert states(ledger) == {"mail": {"pending"}, "webhook": {"sent"}}
    assert later(ledger, there.channels(), timedelta(minutes=1)).waiting == 0


@contextmanager
def tarpit(drip: bytes) -> Iterator[int]:
    """A port where every connection gets `drip` each 0.2 s and nothing else, for a minute."""
    closing = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not closing.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                while not closing.wait(0.2):
                    try:
                        connection.sendall(drip)
                    except OSError:
                        break

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(4)
        listener.settimeout(0.2)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            closing.set()
            thread.join()


def test_a_webhook_that_asks_for_a_second_gets_it(there, data, ledger):
    there.hook.on(HOOK, say(429, Retry_After="1"), say(200, b"ok"))
    drained = drain(ledger, there.channels(retries=2))
    assert (len(drained.sent), drained.failed) == (3, ())
    assert len(there.posts) == 2
    assert there.posts[0].body == there.posts[1].body


def test_a_webhook_that_asks_for_a_day_is_left_alone_for_a_day(there, data, ledger):
    there.hook.on(HOOK, say(429, Retry_After="86400"), say(200, b"ok"))
    there.run("outbox", data)
    assert states(ledger) == {"mail": {"sent"}, "webhook": {"pending"}}
    later(ledger, there.channels(), timedelta(hours=23, minutes=59))
    assert len(there.posts) == 1
    assert len(later(ledger, there.channels(), timedelta(hours=24, minutes=1)).sent) == 1
    assert there.posts[0].body == there.posts[1].body


@pytest.mark.parametrize(("status", "state"), [(400, "failed"), (404, "pending"), (500, "pending")])
def test_a_webhook_that_refuses_holds_up_no_mail(there, data, ledger, status, state):
    there.hook.on(HOOK, say(status, b"no"))
    said = there.run("outbox", data)
    assert states(ledger) == {"mail": {"sent"}, "webhook": {state}}
    assert len(there.posts) == 1
    # the address of a webhook is a key
    assert HOOK not in said
    assert HOOK.rpartition("/")[2] not in said
    (row,) = (r for r in recorded(ledger).values() if r.channel == "webhook")
    assert str(status) in row.last_error
    assert HOOK.rpartition("/")[2] not in row.last_error


def test_a_webhook_that_never_answers_is_given_up_in_bounded_time(there, data, ledger):
    with tarpit(b"") as port:
        channels = there.channels()
        client = PoliteClient("geniac-tests", timeout_s=(1, 60), max_seconds=2, retries=4)
        channels["webhook"] = Webhook(f"http://127.0.0.1:{port}{HOOK}", client)
        started = time.monotonic()
        drain(ledger, channels)
        assert time.monotonic() - started < 15
    assert states(ledger) == {"mail": {"sent"}, "webhook": {"pending"}}
    assert later(ledger, there.channels(), timedelta(minutes=1)).waiting == 0
    assert len(there.posts) == 1
