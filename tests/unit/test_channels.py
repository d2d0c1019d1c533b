"""Channels against real servers on loopback: SMTP, and a webhook."""

import datetime as dt
import email
import json
import ssl
from email.policy import default

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from geniac_pipelines.alerts import render
from geniac_pipelines.alerts.channels import EmlFolder, Mail, Webhook, channels
from geniac_pipelines.alerts.outbox import ChannelDown, NotSent, Outgoing
from geniac_pipelines.http import PoliteClient
from geniac_pipelines.settings import Settings, Smtp
from tests.unit.http_server import FakeTime, say, serving, unused_port
from tests.unit.mail_server import MailServer, Postman

SENDER = "GENIAC事務局 <geniac@example.jp>"
BODY = "新しく見つかったこと 1件\n・株式会社あおいAI　利用率が12%です\n.\nおわり"


def outgoing(**other) -> Outgoing:
    usual = {
        "key": "0123456789abcdef0123456789abcdef",
        "kind": "digest",
        # 5 a.m. of the sixth in Japan
        "created_at": dt.datetime(2026, 10, 5, 20, 0, tzinfo=dt.UTC),
        "channel": "mail",
        "recipient": "tantou@example.jp",
        "audience": "secretariat",
        "subject": "【GENIAC】朝のまとめ 2026年10月6日（火）　新規1件・うち要指示1件",
        "body": BODY,
        "payload": {},
        "attempts": 1,
    }
    return Outgoing(**(usual | other))


@pytest.fixture
def served():
    """Start a server with a handler; all are stopped at the end."""
    started: list[MailServer] = []

    def start(handler, **options) -> int:
        port = unused_port()
        controller = MailServer(handler, hostname="127.0.0.1", port=port, **options)
        controller.start()
        started.append(controller)
        return port

    yield start
    for controller in started:
        controller.stop()


def mail_to(port: int, **other) -> Mail:
    security = other.pop("security", "none")
    user, password = other.pop("user", None), other.pop("password", None)
    smtp = Smtp("localhost" if security != "none" else "127.0.0.1", port, security, user, password)
    return Mail(smtp, SENDER, timeout_s=5, **other)


def test_a_japanese_mail_arrives_as_it_was_written(served):
    postman = Postman()
    mail_to(served(postman)).send(outgoing())
    assert postman.envelopes == [("geniac@example.jp", ["tantou@example.jp"])]
    read = email.message_from_bytes(postman.taken[0], policy=default)
    assert read["Subject"] == outgoing().subject
    assert read["From"] == SENDER
    assert read["To"] == "tantou@example.jp"
    assert read["Message-ID"] == "<0123456789abcdef0123456789abcdef@example.jp>"
    assert read["Date"] == "Tue, 06 Oct 2026 05:00:00 +0900"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read.get_content_type() == "text/plain"
    assert read.get_content_charset() == "utf-8"
    text = read.get_content().replace("\r\n", "\n")
    assert text == f"{BODY}\n\n-- \n通知番号 0123456789abcdef0123456789abcdef\n"


def test_the_same_message_is_the_same_bytes_each_time_and_on_disk(served, tmp_path):
    postman = Postman()
    port = served(postman)
    mail_to(port).send(outgoing())
    mail_to(port).send(outgoing(attempts=2))
    EmlFolder(tmp_path / "outbox", SENDER).send(outgoing())
    written = (tmp_path / "outbox" / f"{outgoing().key}.eml").read_bytes()
    assert postman.taken == [written, written]
    assert written.isascii()
    assert max(map(len, written.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    ("answers", "kind", "final"),
    [
        ({"rcpt": "550 no such user"}, NotSent, True),
        ({"rcpt": "452 mailbox full"}, NotSent, False),
        ({"data": "554 looks like spam"}, NotSent, True),
        ({"data": "451 try again"}, NotSent, False),
        ({"mail": "550 not from you"}, ChannelDown, False),
    ],
)
def test_what_the_server_says_decides_whether_to_try_again(served, answers, kind, final):
    with pytest.raises(NotSent) as caught:
        mail_to(served(Postman(**answers))).send(outgoing())
    assert (type(caught.value), caught.value.final) == (kind, final)
    assert next(iter(answers.values())).split(maxsplit=1)[1] in str(caught.value)


def test_a_bad_goodbye_does_not_take_back_what_was_accepted(served):
    postman = Postman(quit="500 what?")
    mail_to(served(postman)).send(outgoing())
    assert len(postman.taken) == 1


def test_no_server_means_the_channel_is_down():
    with pytest.raises(ChannelDown, match=r"127\.0\.0\.1"):
        mail_to(unused_port()).send(outgoing())


@pytest.mark.parametrize(
    "recipient", ["", "nobody", "a@example.jp, b@example.jp", "担当@example.jp", "@example.jp"]
)
def test_an_address_that_is_none_is_final(served, tmp_path, recipient):
    postman = Postman()
    for channel in (mail_to(served(postman)), EmlFolder(tmp_path, SENDER)):
        with pytest.raises(NotSent) as caught:
            channel.send(outgoing(recipient=recipient))
        assert caught.value.final
    assert postman.taken == []
    assert list(tmp_path.iterdir()) == []


def test_a_name_may_stand_before_the_address(served):
    postman = Postman()
    mail_to(served(postman)).send(outgoing(recipient="山田 <tantou@example.jp>"))
    assert postman.envelopes[0][1] == ["tantou@example.jp"]


# ---- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Paths of a key and a certificate of localhost that nobody else vouches for."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "key.pem", folder / "cert.pem"


@pytest.fixture
def server_side(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate[1], certificate[0])
    return context


@pytest.fixture
def trusting(certificate):
    return ssl.create_default_context(cafile=str(certificate[1]))


def only_with(user: bytes, password: bytes):
    def authenticate(_server, _session, _envelope, _mechanism, said):
        # not handled: the server itself answers 235 or 535
        known = (said.login, said.password) == (user, password)
        return AuthResult(success=known, handled=False)

    return authenticate


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypted_and_logged_in(served, server_side, trusting, security):
    postman = Postman()
    tls = (
        {"tls_context": server_side, "require_starttls": True}
        if security == "starttls"
        else {"ssl_context": server_side, "auth_require_tls": False}
    )
    login = {"authenticator": only_with(b"geniac", b"secret"), "auth_required": True}
    port = served(postman, **tls, **login)
    there = {"security": security, "context": trusting, "user": "geniac"}
    mail_to(port, password="secret", **there).send(outgoing())
    assert len(postman.taken) == 1
    with pytest.raises(ChannelDown) as caught:
        mail_to(port, password="wrong-word", **there).send(outgoing())
    assert "535" in str(caught.value)
    assert "wrong-word" not in str(caught.value)


def test_a_certificate_that_nobody_vouches_for_is_refused(served, server_side):
    postman = Postman()
    port = served(postman, tls_context=server_side)
    with pytest.raises(ChannelDown, match=r"(?i)certificate"):
        mail_to(port, security="starttls").send(outgoing())
    assert postman.taken == []


def test_no_mail_goes_in_the_clear_where_starttls_is_wanted(served):
    postman = Postman()
    with pytest.raises(ChannelDown, match="STARTTLS"):
        mail_to(served(postman), security="starttls").send(outgoing())
    assert postman.taken == []


# ---- webhook


@pytest.fixture
def hook():
    with serving() as server:
        yield server


def client(time: FakeTime | None = None, **other) -> PoliteClient:
    time = time or FakeTime()
    options = {"per_host_interval_s": 0, "clock": time.clock, "now": time.now}
    return PoliteClient("geniac-tests", sleep=time.sleep, **(options | other))


def test_a_webhook_gets_text_and_blocks(hook):
    url = hook.on("/services/T0/B0/secret", say(200, b"ok"))
    Webhook(url, client()).send(outgoing(channel="webhook"))
    (asked,) = hook.asked
    assert asked.headers["content-type"] == "application/json"
    content = json.loads(asked.body)
    assert content["text"] == outgoing().subject
    kinds = [b["type"] for b in content["blocks"]]
    assert kinds == ["header", "section", "context"]
    assert content["blocks"][1]["text"] == {"type": "mrkdwn", "text": BODY}
    assert outgoing().key in content["blocks"][2]["elements"][0]["text"]


@pytest.mark.parametrize(
    ("status", "kind", "final"),
    [
        (400, NotSent, True),
        (413, NotSent, True),
        (403, ChannelDown, False),
        (404, ChannelDown, False),
        (500, ChannelDown, False),
        (503, ChannelDown, False),
    ],
)
def test_what_a_webhook_answers_decides_whether_to_try_again(hook, status, kind, final):
    url = hook.on("/services/T0/B0/secret", say(status, b"no"))
    with pytest.raises(NotSent) as caught:
        Webhook(url, client(retries=0)).send(outgoing(channel="webhook"))
    assert (type(caught.value), caught.value.final) == (kind, final)
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(Webhook(url, client()))


def test_a_webhook_s_retry_after_is_passed_on(hook):
    url = hook.on("/hook", say(429, Retry_After="900"))
    with pytest.raises(ChannelDown) as caught:
        Webhook(url, client(max_seconds=60)).send(outgoing())
    assert caught.value.retry_after == dt.timedelta(minutes=15)


def test_no_webhook_server_means_the_channel_is_down():
    url = f"http://127.0.0.1:{unused_port()}/hook"
    with pytest.raises(ChannelDown):
        Webhook(url, client(retries=0)).send(outgoing())


def test_blocks_keep_slack_s_limits():
    long = "\n".join(["あ" * 7000, *("行" * 40 for _ in range(5000))])
    made = render.webhook(outgoing(subject="件" * 400, body=long))
    assert len(made["blocks"]) <= 50
    assert len(made["blocks"][0]["text"]["text"]) <= 150
    sections = [b["text"]["text"] for b in made["blocks"] if b["type"] == "section"]
    assert all(0 < len(s) <= 3000 for s in sections)
    assert sections[0] == "あ" * 3000
    assert "続き" in sections[-1]


def test_signs_that_slack_reads_are_escaped():
    made = render.webhook(outgoing(body="A & B <https://example.jp> <!channel>"))
    assert (
        made["blocks"][1]["text"]["text"] == "A &amp; B &lt;https://example.jp&gt; &lt;!channel&gt;"
    )


# ---- what is configured


def settings(tmp_path, **other) -> Settings:
    return Settings(data=tmp_path, inbox=tmp_path / "inbox", **other)


def test_without_a_mail_server_mails_become_files_and_the_night_says_so(tmp_path):
    made = channels(settings(tmp_path))
    assert made.to == (("mail", "secretariat@localhost"),)
    assert set(made.by_name) == {"mail"}
    assert "GENIAC_SMTP_HOST" in made.notes[0]
    made.by_name["mail"].send(outgoing())
    assert (tmp_path / "outbox" / f"{outgoing().key}.eml").exists()


def test_with_everything_configured_nothing_is_noted(tmp_path):
    smtp = Smtp("mail.example.jp", 587, "starttls", None, None)
    url = "https://hooks.example.com/services/secret"
    made = channels(
        settings(tmp_path, smtp=smtp, mail_to=("a@example.jp", "b@example.jp"), webhook_url=url)
    )
    assert made.to == (
        ("mail", "a@example.jp"),
        ("mail", "b@example.jp"),
        ("webhook", "secretariat"),
    )
    assert [type(c) for c in made.by_name.values()] == [Mail, Webhook]
    assert made.notes == ()
    assert "secret@" not in repr(made)


def test_a_server_without_recipients_is_noted(tmp_path):
    smtp = Smtp("mail.example.jp", 587, "starttls", None, None)
    made = channels(settings(tmp_path, smtp=smtp))
    assert made.to == ()
    assert "GENIAC_MAIL_TO" in made.notes[0]
