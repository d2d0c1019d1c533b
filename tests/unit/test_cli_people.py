"""`geniac people`: who is behind a pseudonym, said to whoever says who asks and why."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from geniac_pipelines.cli import main
from geniac_pipelines.night import open_ledger, open_night
from geniac_pipelines.settings import Settings
from geniac_pipelines.store import people
from geniac_pipelines.store.arrivals import Arrival, register
from geniac_pipelines.store.decisions import decisions_about
from geniac_pipelines.store.people import Encounters, Pseudonyms

NOON = datetime(2026, 8, 3, 3, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("GENIAC_PSEUDONYM_KEY", raising=False)
    monkeypatch.delenv("GENIAC_LEDGER_URL", raising=False)
    return Settings(data=tmp_path, inbox=tmp_path / "inbox")


def meet(settings: Settings, name: str) -> str:
    """Somebody named `name` was in a file; gives the pseudonym."""
    with open_night(settings, "first") as night:
        met = Encounters(Pseudonyms(night.secret.key))
        came = Arrival("1" * 20, "0" * 64, 1, "a/x", "a", "mail", NOON, "Asia/Tokyo")
        with night.ledger.transaction() as connection:
            register(connection, came, NOON)
            pseudonym = met("user", name)
            people.keep(
                connection,
                night.secret,
                met,
                arrival="1" * 20,
                purpose="利用状況の確認",
                delete_on=date(2099, 8, 3),
            )
    return pseudonym


def geniac(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(main, ["people", *words, "--data", str(settings.data)])


def test_a_person_is_shown_and_the_look_recorded(settings: Settings) -> None:
    pseudonym = meet(settings, "山田")
    shown = geniac(settings, "show", pseudonym, "--person", "佐藤", "--purpose", "企業からの照会")
    assert shown.exit_code == 0, shown.output
    assert "識別子    山田" in shown.output
    assert "初回受付  2026-08-03 12:00" in shown.output
    assert "保管期限  2099-08-03" in shown.output
    (decision,) = decisions_about(open_ledger(settings), "person", pseudonym)
    assert (decision.person, decision.reason) == ("佐藤", "企業からの照会")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--person", "佐藤"), id="no purpose"),
        pytest.param(("--purpose", "why"), id="no name"),
        pytest.param(("--person", "machine", "--purpose", "why"), id="no person"),
    ],
)
def test_nobody_is_shown_without_a_name_and_a_purpose(
    settings: Settings, words: tuple[str, ...]
) -> None:
    pseudonym = meet(settings, "山田")
    shown = geniac(settings, "show", pseudonym, *words)
    assert shown.exit_code != 0
    assert "山田" not in shown.output


def test_after_a_change_of_the_key_the_old_pseudonym_still_leads_to_the_person(
    settings: Settings,
) -> None:
    """Issued reports and landings of erased originals go on bearing it."""
    pseudonym = meet(settings, "山田")
    changed = geniac(settings, "rotate", "--person", "佐藤", "--reason", "鍵の漏えい")
    assert changed.exit_code == 0, changed.output
    assert "人 1件" in changed.output
    shown = geniac(settings, "show", pseudonym, "--person", "佐藤", "--purpose", "照会")
    assert "識別子    山田" in shown.output


def test_a_lost_key_is_said_so(settings: Settings) -> None:
    pseudonym = meet(settings, "山田")
    (settings.data / "keys" / "pseudonym.key").unlink()
    shown = geniac(settings, "show", pseudonym, "--person", "佐藤", "--purpose", "照会")
    assert shown.exit_code == 1
    assert "バックアップ" in shown.output
