"""The secret key: made once, never changed without a sound, changed on purpose without a loss."""

import stat
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from geniac_pipelines.night import open_night
from geniac_pipelines.settings import Settings
from geniac_pipelines.store import people, rotation
from geniac_pipelines.store.archive import Archive
from geniac_pipelines.store.decisions import NotADecision, decisions_about
from geniac_pipelines.store.ledger import Ledger, landings, readings, secret_keys
from geniac_pipelines.store.lock import exclusive
from geniac_pipelines.store.rotation import Rotated, rotate
from geniac_pipelines.store.secret import (
    FILE,
    NEXT_FILE,
    Secret,
    WeakKey,
    WrongKey,
    known_check,
    open_secret,
)
from tests.small_night import NOTES_FORMAT, SECRET, Desktop, jobs

KEY = "0123456789abcdef" * 2
OTHER = KEY[::-1]
NOON = datetime(2026, 8, 3, 3, tzinfo=UTC)


def test_without_a_configured_key_one_is_made_once_for_its_owner_alone(
    tmp_path: Path, ledger: Ledger
) -> None:
    first = open_secret(ledger, None, tmp_path / "keys")
    file = tmp_path / "keys" / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(first.key) == 64
    assert open_secret(ledger, None, tmp_path / "keys").key == first.key


def test_a_short_key_is_refused_wherever_it_comes_from(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(WeakKey, match="GENIAC_PSEUDONYM_KEY"):
        open_secret(ledger, "short", tmp_path)
    (tmp_path / FILE).write_bytes(b"")
    with pytest.raises(WeakKey, match=r"pseudonym\.key"):
        open_secret(ledger, None, tmp_path)


@pytest.mark.parametrize("source", ["environment", "file"])
def test_another_key_is_refused_with_what_to_do(
    tmp_path: Path, ledger: Ledger, source: str
) -> None:
    open_secret(ledger, KEY, tmp_path)
    (tmp_path / FILE).write_text(OTHER)
    configured, where = (
        (OTHER, "GENIAC_PSEUDONYM_KEY") if source == "environment" else (None, str(tmp_path / FILE))
    )
    with pytest.raises(WrongKey) as refused:
        open_secret(ledger, configured, tmp_path)
    message = str(refused.value)
    for words in (where, Secret(KEY.encode()).check, "バックアップ", "Restore keys/", "rotate"):
        assert words in message
    assert KEY not in message
    assert OTHER not in message


def test_the_same_key_may_move_from_the_file_to_the_environment(
    tmp_path: Path, ledger: Ledger
) -> None:
    made = open_secret(ledger, None, tmp_path)
    assert open_secret(ledger, made.key.decode(), tmp_path / "elsewhere").key == made.key


def test_a_lost_key_is_not_made_anew(tmp_path: Path, ledger: Ledger) -> None:
    open_secret(ledger, None, tmp_path)
    (tmp_path / FILE).unlink()
    with pytest.raises(WrongKey, match="is gone"):
        open_secret(ledger, None, tmp_path)
    assert not (tmp_path / FILE).exists()


def test_a_ledger_with_landings_gets_no_new_key_either(tmp_path: Path) -> None:
    """One that was worked with before the key was recorded."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    ledger.prepare()
    desktop = Desktop(tmp_path, ledger)
    desktop.drop("a/1.csv", jobs((1, "1")))
    assert desktop.outcomes() == {"a/1.csv": "landed"}
    with pytest.raises(WrongKey):
        open_secret(ledger, None, tmp_path / "keys")
    assert open_secret(ledger, KEY, tmp_path / "keys").key == KEY.encode()


def test_a_look_makes_no_key(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(WrongKey):
        open_secret(ledger, None, tmp_path, make=False)
    assert list(tmp_path.glob("*.key*")) == []


def test_the_check_value_is_no_part_of_the_key_and_stands_in_the_ledger(
    tmp_path: Path, ledger: Ledger
) -> None:
    secret = open_secret(ledger, KEY, tmp_path)
    assert known_check(ledger) == secret.check
    assert len(bytes.fromhex(secret.check)) == 8
    assert secret.check not in KEY


def test_a_night_with_another_key_does_nothing(tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path / "data", inbox=tmp_path, as_of=date(2026, 10, 5), pseudonym_key=KEY
    )
    with open_night(settings, "first"):
        pass
    left = settings.data / "work" / "left"
    left.parent.mkdir()
    left.touch()
    other = Settings(
        data=tmp_path / "data", inbox=tmp_path, as_of=date(2026, 10, 5), pseudonym_key=OTHER
    )
    with pytest.raises(WrongKey), open_night(other, "second"):
        pass
    assert left.exists(), "the sweep must not run"
    with open_night(settings, "third"):
        assert not left.exists()


class Place:
    """A desktop on which a key is changed: two personal files, one plain, people met in them."""

    def __init__(self, root: Path, ledger: Ledger) -> None:
        self.desktop = Desktop(root, ledger)
        self.ledger = ledger
        self.keys = root / "data" / "keys"
        self.keys.mkdir(parents=True)
        (self.keys / FILE).write_bytes(SECRET.key)
        open_secret(ledger, None, self.keys)
        self.desktop.drop("a/1.csv", jobs((1, "1")))
        self.desktop.drop("a/notes.txt", "#notes\nよい\n".encode())
        self.desktop.drop("a/more.txt", "#notes\nわるい\n".encode())
        self.desktop.outcomes()

    def rotate(self, **how: str | None) -> Rotated:
        asked = {"configured": None, "following": None, "by": "佐藤", "reason": "鍵の漏えい"}
        return rotate(
            self.ledger,
            self.desktop.archive.root,
            self.keys,
            [NOTES_FORMAT.name],
            **{**asked, **how},
        )

    def secret(self) -> Secret:
        return open_secret(self.ledger, None, self.keys)

    def everything_opens(self, secret: Secret) -> None:
        archive = Archive(self.desktop.archive.root, secret=secret)
        for row in self.desktop.table("arrivals"):
            assert b"".join(archive.chunks(row["sha256"]))
        (row,) = self.desktop.table("people")
        found = people.look_up(
            self.ledger, secret, row["pseudonym"], by="佐藤", purpose="確認", at=NOON
        )
        assert found.identifier == "taro"


def test_a_key_is_changed_on_purpose_and_nothing_is_lost(tmp_path: Path, ledger: Ledger) -> None:
    place = Place(tmp_path, ledger)
    done = place.rotate()
    assert (done.objects, done.people, done.configured) == (2, 1, False)
    new = place.secret()
    assert new.key != SECRET.key
    assert new.check == done.check
    place.everything_opens(new)
    (decision,) = decisions_about(ledger, "key")
    assert (decision.person, decision.reason) == ("佐藤", "鍵の漏えい")
    with ledger.reading() as connection:
        spans = connection.execute(sa.select(secret_keys.c.until)).scalars().all()
    assert sorted(until is None for until in spans) == [False, True]


def test_after_a_change_personal_files_are_read_again(tmp_path: Path, ledger: Ledger) -> None:
    place = Place(tmp_path, ledger)
    assert place.desktop.read() == []
    place.rotate()
    with ledger.reading() as connection:
        columns = (readings.c.format, readings.c.format_version)
        versions = {tuple(r) for r in connection.execute(sa.select(*columns))}
        assert len(connection.execute(sa.select(landings)).all()) == 3
    assert versions == {("jobs", 1), ("notes", 0)}


def test_a_key_in_the_environment_is_followed_by_another_there(
    tmp_path: Path, ledger: Ledger
) -> None:
    place = Place(tmp_path, ledger)
    (place.keys / FILE).unlink()
    old = SECRET.key.decode()
    with pytest.raises(WrongKey, match="GENIAC_PSEUDONYM_KEY_NEXT"):
        place.rotate(configured=old)
    done = place.rotate(configured=old, following=OTHER)
    assert done.configured
    place.everything_opens(open_secret(ledger, OTHER, place.keys))
    with pytest.raises(WrongKey):
        open_secret(ledger, old, place.keys)
    assert list(place.keys.iterdir()) == []


def test_a_change_needs_the_present_key_a_name_and_a_reason(tmp_path: Path, ledger: Ledger) -> None:
    place = Place(tmp_path, ledger)
    with pytest.raises(NotADecision):
        place.rotate(reason=" ")
    (place.keys / FILE).write_text(OTHER)
    with pytest.raises(WrongKey, match="present key"):
        place.rotate()
    (place.keys / FILE).write_bytes(SECRET.key)
    place.everything_opens(place.secret())


def test_nothing_works_in_the_middle_of_a_change(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path, ledger)

    def fall(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(people, "reseal", fall)
        with pytest.raises(RuntimeError):
            place.rotate()
    with pytest.raises(WrongKey, match="rotate"):
        place.secret()
    with pytest.raises(WrongKey, match="was begun"):
        place.rotate(configured=SECRET.key.decode(), following=OTHER)
    begun = (place.keys / NEXT_FILE).read_bytes()
    done = place.rotate()
    assert (done.objects, done.people) == (0, 1)
    assert place.secret().key == begun
    place.everything_opens(place.secret())


def test_a_change_killed_after_the_ledger_knew_of_it_is_finished_by_whoever_comes_next(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(_: str) -> None:
        raise RuntimeError

    place = Place(tmp_path, ledger)
    with monkeypatch.context() as patch:
        patch.setattr(rotation, "failpoint", lambda n: n == "rotation-recorded" and fall(n))
        with pytest.raises(RuntimeError):
            place.rotate()
    again = place.rotate()
    assert (again.objects, again.people) == (0, 0)
    assert len(decisions_about(ledger, "key")) == 1
    assert [p.name for p in place.keys.iterdir()] == [FILE]
    place.everything_opens(place.secret())


def test_a_rotten_original_does_not_stop_a_change(tmp_path: Path, ledger: Ledger) -> None:
    place = Place(tmp_path, ledger)
    rotten = next(iter(sorted(place.desktop.archive.root.rglob("*.sealed"))))
    rotten.write_bytes(rotten.read_bytes()[:-1])
    done = place.rotate()
    assert (done.objects, done.damaged) == (1, (rotten.stem,))
    assert place.secret().check == done.check


def test_the_lock_keeps_nights_out(tmp_path: Path) -> None:
    """`geniac people rotate` holds the same lock as a night."""
    from click.testing import CliRunner

    from geniac_pipelines.cli import main

    with exclusive(tmp_path, "night"):
        done = CliRunner().invoke(
            main,
            ["people", "rotate", "--person", "佐藤", "--reason", "試", "--data", str(tmp_path)],
        )
    assert done.exit_code == 1
    assert "in use by" in done.output
