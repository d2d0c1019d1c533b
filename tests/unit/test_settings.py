"""Settings: everything from the environment, nothing guessed in silence, no secret in a log."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from geniac_pipelines.failpoints import failpoint
from geniac_pipelines.settings import ROOT, Clock, Settings, Smtp


def settings(**env: str) -> Settings:
    return Settings.from_environment(env)


def test_without_variables_everything_lies_below_the_checkout_and_services_are_off() -> None:
    made = settings()
    assert made.data == ROOT / ".data"
    assert made.inbox == ROOT / ".data" / "inbox"
    off = (made.as_of, made.ledger_url, made.pseudonym_key, made.smtp, made.webhook_url)
    assert off == (None,) * 5
    assert made.mail_to == ()


def test_the_inbox_lies_in_the_data_folder_unless_it_is_named(tmp_path: Path) -> None:
    assert settings(GENIAC_DATA=str(tmp_path)).inbox == tmp_path / "inbox"
    assert settings(GENIAC_DATA=str(tmp_path), GENIAC_INBOX="/srv/in").inbox == Path("/srv/in")


def test_an_empty_variable_is_an_unset_one() -> None:
    names = ("GENIAC_DATA", "GENIAC_INBOX", "GENIAC_AS_OF", "GENIAC_LEDGER_URL", "GENIAC_SMTP_HOST")
    assert settings(**dict.fromkeys(names, "")) == settings()


def test_a_mail_server_is_read_whole() -> None:
    made = settings(
        GENIAC_SMTP_HOST="mail.example",
        GENIAC_SMTP_PORT="465",
        GENIAC_SMTP_SECURITY="tls",
        GENIAC_SMTP_USER="u",
        GENIAC_SMTP_PASSWORD="p",
        GENIAC_MAIL_TO="a@example, b@example,,",
    )
    assert made.smtp == Smtp("mail.example", 465, "tls", "u", "p")
    assert made.mail_to == ("a@example", "b@example")
    assert settings(GENIAC_SMTP_HOST="h").smtp == Smtp("h", 587, "starttls", None, None)


@pytest.mark.parametrize(
    ("name", "value", "others"),
    [
        ("GENIAC_AS_OF", "5 October", {}),
        ("GENIAC_AS_OF", "2026-02-30", {}),
        ("GENIAC_SMTP_PORT", "many", {"GENIAC_SMTP_HOST": "h"}),
        ("GENIAC_SMTP_SECURITY", "ssl", {"GENIAC_SMTP_HOST": "h"}),
        ("GENIAC_DATA", "/srv/what?", {}),
        ("GENIAC_PERSONAL_DAYS", "a year", {}),
        ("GENIAC_PERSONAL_DAYS", "0", {}),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(
    name: str, value: str, others: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=name):
        settings(**{name: value}, **others)


def test_personal_data_is_kept_for_400_days_unless_said_otherwise() -> None:
    assert settings().personal_days == 400
    assert settings(GENIAC_PERSONAL_DAYS="90").personal_days == 90


def test_secrets_stay_out_of_the_representation() -> None:
    made = settings(
        GENIAC_LEDGER_URL="postgresql://u:secret-1@h/d",
        GENIAC_PSEUDONYM_KEY="secret-2",
        GENIAC_PSEUDONYM_KEY_NEXT="secret-5",
        GENIAC_SMTP_HOST="h",
        GENIAC_SMTP_PASSWORD="secret-3",
        GENIAC_WEBHOOK_URL="https://hooks.example/secret-4",
    )
    assert "secret" not in repr(made)


def test_a_child_process_gets_folders_and_day_and_no_secret(tmp_path: Path) -> None:
    made = settings(
        GENIAC_DATA=str(tmp_path), GENIAC_AS_OF="2026-10-05", GENIAC_PSEUDONYM_KEY="secret"
    )
    assert Settings.from_environment(made.environment()) == settings(
        GENIAC_DATA=str(tmp_path), GENIAC_AS_OF="2026-10-05"
    )
    assert "GENIAC_AS_OF" not in made.with_as_of(None).environment()


def test_a_fixed_day_is_seen_from_its_end_in_tokyo() -> None:
    """5 October in Tokyo ends at 15:00 UTC."""
    clock = Clock(date(2026, 10, 5))
    assert clock.now() == datetime(2026, 10, 5, 14, 59, 59, 999_999, tzinfo=UTC)
    assert clock.today() == date(2026, 10, 5)


def test_receipts_of_a_fixed_day_have_a_second_of_room_before_its_end() -> None:
    clock = Clock(date(2025, 10, 5))
    assert clock.receipt() == datetime(2025, 10, 5, 14, 59, 59, tzinfo=UTC)
    assert clock.receipt() < clock.now()


def test_a_receipt_is_never_in_the_future() -> None:
    before = datetime.now(UTC)
    stamp = Clock(date(2200, 1, 1)).receipt()
    assert before <= stamp <= datetime.now(UTC)


def test_without_a_day_the_clock_runs() -> None:
    clock = Clock()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert clock.now().tzinfo is UTC
    assert abs(clock.receipt() - clock.now()) < timedelta(minutes=1)


def test_failpoints_are_silent_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENIAC_FAILPOINT", raising=False)
    assert failpoint("anywhere") is None
    monkeypatch.setenv("GENIAC_FAILPOINT", "elsewhere:2")
    assert failpoint("anywhere") is None
    assert failpoint("elsewhere") is None
