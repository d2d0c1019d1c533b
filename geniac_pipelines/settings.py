"""Where things are and which outside services are configured. Read once, passed on.

Everything comes from the environment (names begin with GENIAC_) or from arguments of the
commands; nothing is guessed silently: what is left unset switches the matching service off, and
the night says so.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from geniac_pipelines.calendar import JST

ROOT = Path(__file__).resolve().parent.parent
DBT_PROJECT = ROOT / "dbt_project"
WAREHOUSE_VARIABLE = "GENIAC_WAREHOUSE"
"""Tells dbt, a child process, which file the night's warehouse is."""
PERSONAL_DAYS = 400
"""A fiscal year and the month in which it is closed: until then a correction may need the file."""


@dataclass(frozen=True)
class Smtp:
    """Mail server. `security` is "none", "starttls" or "tls"."""

    host: str
    port: int
    security: str
    user: str | None
    password: str | None = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """Configuration of one installation.

    `as_of` fixes the day (Asia/Tokyo) as of which a night works; None means today by the clock.
    `ledger_url` is an SQLAlchemy URL; the default is SQLite inside `data`. `personal_days` is how
    long originals with personal data, and the names in the vault, are kept from their receipt on.
    What may hold a secret is left out of the representation, which ends in logs.
    """

    data: Path
    inbox: Path
    as_of: date | None = None
    ledger_url: str | None = field(default=None, repr=False)
    pseudonym_key: str | None = field(default=None, repr=False)
    pseudonym_key_next: str | None = field(default=None, repr=False)
    personal_days: int = PERSONAL_DAYS
    smtp: Smtp | None = None
    mail_from: str = "geniac-pipelines@localhost"
    mail_to: tuple[str, ...] = ()
    webhook_url: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if "?" in str(self.data):
            raise ValueError(
                "data folder (GENIAC_DATA): DuckDB keeps no file under a path with '?': "
                f"{self.data}"
            )

    @staticmethod
    def from_environment(env: Mapping[str, str] = os.environ) -> Settings:
        """Settings from GENIAC_DATA, GENIAC_INBOX, GENIAC_AS_OF, GENIAC_LEDGER_URL, … .

        Raises ValueError that names the variable when one can't be read.
        """
        data = Path(env.get("GENIAC_DATA") or ROOT / ".data").resolve()
        smtp = None
        if env.get("GENIAC_SMTP_HOST"):
            security = env.get("GENIAC_SMTP_SECURITY", "starttls")
            if security not in ("none", "starttls", "tls"):
                raise ValueError("GENIAC_SMTP_SECURITY must be none, starttls or tls")
            smtp = Smtp(
                host=env["GENIAC_SMTP_HOST"],
                port=_integer(env, "GENIAC_SMTP_PORT", 587),
                security=security,
                user=env.get("GENIAC_SMTP_USER") or None,
                password=env.get("GENIAC_SMTP_PASSWORD") or None,
            )
        return Settings(
            data=data,
            inbox=Path(env.get("GENIAC_INBOX") or data / "inbox").resolve(),
            as_of=_day(env, "GENIAC_AS_OF"),
            ledger_url=env.get("GENIAC_LEDGER_URL") or None,
            pseudonym_key=env.get("GENIAC_PSEUDONYM_KEY") or None,
            pseudonym_key_next=env.get("GENIAC_PSEUDONYM_KEY_NEXT") or None,
            personal_days=_days(env, "GENIAC_PERSONAL_DAYS", PERSONAL_DAYS),
            smtp=smtp,
            mail_from=env.get("GENIAC_MAIL_FROM") or "geniac-pipelines@localhost",
            mail_to=tuple(a.strip() for a in env.get("GENIAC_MAIL_TO", "").split(",") if a.strip()),
            webhook_url=env.get("GENIAC_WEBHOOK_URL") or None,
        )

    def with_as_of(self, as_of: date | None) -> Settings:
        return replace(self, as_of=as_of)

    def environment(self) -> dict[str, str]:
        """The variables that give a child process the same folders and day (no secrets)."""
        env = {"GENIAC_DATA": str(self.data), "GENIAC_INBOX": str(self.inbox)}
        if self.as_of:
            env["GENIAC_AS_OF"] = self.as_of.isoformat()
        return env


@dataclass(frozen=True)
class Clock:
    """Now, as the night sees it: the real time, or the end of the day that `as_of` fixes."""

    as_of: date | None = None

    def now(self) -> datetime:
        """Aware UTC datetime; with `as_of` the day's last microsecond: all of the day is past."""
        return self._end() - timedelta(microseconds=1) if self.as_of else datetime.now(UTC)

    def receipt(self) -> datetime:
        """When a file that is found now came in (aware UTC).

        With `as_of` the beginning of the day's last second: later receipts of the same night have
        room behind it, and all of them are before `now`. Never in the future, whatever `as_of`
        says: a file that really comes tomorrow must not be older.
        """
        present = datetime.now(UTC)
        return min(present, self._end() - timedelta(seconds=1)) if self.as_of else present

    def today(self) -> date:
        """The day in Asia/Tokyo."""
        return self.now().astimezone(JST).date()

    def _end(self) -> datetime:
        assert self.as_of is not None, "only a fixed day has an end"
        end = datetime.combine(self.as_of + timedelta(days=1), time.min, JST)
        return end.astimezone(UTC)


def _integer(env: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(env.get(name) or default)
    except ValueError as error:
        raise ValueError(f"{name} must be a whole number, not {env[name]!r}") from error


def _days(env: Mapping[str, str], name: str, default: int) -> int:
    days = _integer(env, name, default)
    if days < 1:
        raise ValueError(f"{name} must be at least 1, not {days}")
    return days


def _day(env: Mapping[str, str], name: str) -> date | None:
    value = env.get(name)
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a day like 2026-10-05, not {value!r}") from error
