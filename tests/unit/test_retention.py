"""Originals with personal data: sealed from the first moment, kept until their day, then gone."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from geniac_pipelines.areas import FORMATS as REAL_FORMATS
from geniac_pipelines.contracts import Contract
from geniac_pipelines.intake.desk import left_as_read, to_read
from geniac_pipelines.intake.reading import Context, Item, Source
from geniac_pipelines.intake.unpack import ENVELOPE
from geniac_pipelines.night import open_night
from geniac_pipelines.settings import Settings
from geniac_pipelines.store.archive import ErasedObject
from geniac_pipelines.store.ledger import Ledger
from geniac_pipelines.store.retention import (
    EXPIRED,
    Erased,
    custody,
    delete_on,
    erase_due,
    protect,
)
from tests.small_night import KEEP_DAYS, KEY, NOTES, NOTES_FORMAT, Desktop, jobs, utc

NOTE = "#notes\n山田さんは元気\n".encode()
RECEIVED = "2026-08-02T20:00:00"
LAST_DAY = date(2027, 9, 7)
"""400 days after 2026-08-03 05:00 in Japan: 151 to the year's end (Aug 28, Sep 30, Oct 31, Nov 30,
Dec 31 = 150 after the 3rd), then 250 days of 2027, the 250th being September 7."""
AFTER = date(2027, 9, 8)


@pytest.fixture
def desktop(tmp_path: Path, ledger: Ledger) -> Desktop:
    desktop = Desktop(tmp_path, ledger)
    desktop.inbox.mkdir()
    return desktop


def objects(desktop: Desktop) -> dict[str, str]:
    """How each arrival's bytes lie in the archive, by the arrival's name."""
    archive = desktop.archive
    return {
        row["name"]: "sealed"
        if archive.is_sealed(row["sha256"])
        else "plain"
        if archive.path(row["sha256"]).exists()
        else "erased"
        for row in desktop.table("arrivals")
    }


def sha256(desktop: Desktop, name: str) -> str:
    return next(r["sha256"] for r in desktop.table("arrivals") if r["name"] == name)


def erase(desktop: Desktop, today: date = AFTER) -> Erased:
    return erase_due(desktop.ledger, desktop.archive, today)


def test_the_last_day_counts_from_the_day_of_receipt_in_japan() -> None:
    assert delete_on(utc(RECEIVED), KEEP_DAYS) == LAST_DAY
    assert delete_on(utc("2026-08-03T14:59:59"), 1) == date(2026, 8, 4)
    assert delete_on(utc("2026-08-03T15:00:00"), 1) == date(2026, 8, 5)


def test_what_is_personal_or_may_be_is_sealed_before_anybody_reads_it(desktop: Desktop) -> None:
    envelope = io.BytesIO()
    with zipfile.ZipFile(envelope, "w") as zipped:
        zipped.writestr("note.txt", NOTE + b"x")
        zipped.writestr("jobs.csv", jobs((2, "1")))
    desktop.drop("a/jobs.csv", jobs((1, "1")))
    desktop.drop("a/note.txt", NOTE)
    desktop.drop("a/what.bin", b"\x01\x02")
    desktop.drop("a/all.zip", envelope.getvalue())
    desktop.take()
    assert objects(desktop) == {
        "a/jobs.csv": "plain",
        "a/note.txt": "sealed",
        "a/what.bin": "sealed",
        "a/all.zip": "sealed",
        "a/all.zip!note.txt": "sealed",
        "a/all.zip!jobs.csv": "plain",
    }
    desktop.read()
    formats = {r["sha256"]: r["format"] for r in desktop.table("personal_objects")}
    assert formats == {
        sha256(desktop, "a/note.txt"): "notes",
        sha256(desktop, "a/all.zip!note.txt"): "notes",
        sha256(desktop, "a/what.bin"): None,
        sha256(desktop, "a/all.zip"): ENVELOPE,
    }


def test_a_recogniser_that_falls_over_leaves_the_file_sealed(
    tmp_path: Path, ledger: Ledger
) -> None:
    def fall(source: object) -> bool:
        raise RuntimeError

    desktop = Desktop(tmp_path, ledger, formats=(replace(NOTES_FORMAT, recognise=fall),))
    desktop.drop("a/note.txt", NOTE)
    desktop.take()
    assert objects(desktop) == {"a/note.txt": "sealed"}


def test_a_fault_in_a_personal_file_is_told_without_its_words(
    tmp_path: Path, ledger: Ledger
) -> None:
    """Readers' exceptions quote what they could not read, and the ledger and logs keep them."""

    def fall(source: Source, context: Context) -> Iterator[Item]:
        raise ValueError(source.decoded.text)
        yield

    desktop = Desktop(tmp_path, ledger, formats=(replace(NOTES_FORMAT, read=fall),))
    desktop.drop("a/note.txt", NOTE)
    desktop.take()
    ((_, reading),) = desktop.read()
    assert reading.outcome == "failed"
    assert reading.error is not None
    assert "in fall" in reading.error
    assert "ValueError" in reading.error
    assert "山田" not in reading.error


def test_purpose_and_date_are_on_record(desktop: Desktop) -> None:
    desktop.drop("a/note.txt", NOTE, received_at=RECEIVED)
    desktop.outcomes()
    kept = custody(desktop.ledger, sha256(desktop, "a/note.txt"))
    assert kept is not None
    assert (kept.purpose, kept.delete_on, kept.erased_at) == (NOTES_FORMAT.purpose, LAST_DAY, None)
    assert custody(desktop.ledger, "0" * 64) is None


def test_within_retention_an_original_is_read_again(desktop: Desktop) -> None:
    desktop.drop("a/note.txt", NOTE, received_at=RECEIVED)
    desktop.outcomes()
    assert erase(desktop, LAST_DAY) == Erased(0, 0)
    desktop.formats = (replace(NOTES_FORMAT, version=2),)
    (reading,) = (reading for _, reading in desktop.read())
    assert (reading.outcome, reading.format_version) == ("landed", 2)


def test_after_its_day_an_original_goes_and_its_landing_stays(desktop: Desktop) -> None:
    desktop.drop("a/note.txt", NOTE, received_at=RECEIVED)
    desktop.drop("a/jobs.csv", jobs((1, "1")), received_at=RECEIVED)
    desktop.outcomes()
    assert len(desktop.table("people")) == 1

    assert erase(desktop) == Erased(objects=1, people=1)

    assert objects(desktop) == {"a/note.txt": "erased", "a/jobs.csv": "plain"}
    assert desktop.table("people") == []
    assert desktop.current(NOTES) == [("山田さんは元気",)]
    name = sha256(desktop, "a/note.txt")
    kept = custody(desktop.ledger, name)
    assert kept is not None
    assert kept.erased_at is not None
    assert kept.erased_why == EXPIRED
    with pytest.raises(ErasedObject), desktop.archive.materialised(name):
        pass
    assert erase(desktop) == Erased(0, 0)


def test_an_erasure_that_was_killed_is_recorded_by_the_next_night(desktop: Desktop) -> None:
    """The bytes go before the ledger says so, never the other way round."""
    desktop.drop("a/note.txt", NOTE, received_at=RECEIVED)
    desktop.outcomes()
    name = sha256(desktop, "a/note.txt")
    desktop.archive.erase(name, at=utc("2027-09-08T00:00:00"), why=EXPIRED)
    assert erase(desktop).objects == 1
    kept = custody(desktop.ledger, name)
    assert kept is not None
    assert kept.erased_why == EXPIRED


def test_an_erased_original_is_not_read_again_and_that_is_said(desktop: Desktop) -> None:
    desktop.drop("a/note.txt", NOTE, received_at=RECEIVED)
    desktop.outcomes()
    erase(desktop)
    assert left_as_read(desktop.desk()) == []
    desktop.formats = (replace(NOTES_FORMAT, version=2),)
    assert to_read(desktop.desk()) == []
    assert [a.name for a in left_as_read(desktop.desk())] == ["a/note.txt"]
    assert desktop.read() == []
    assert desktop.current(NOTES) == [("山田さんは元気",)]


def test_a_touched_file_in_the_inbox_does_not_bring_erased_bytes_back(desktop: Desktop) -> None:
    file = desktop.drop("a/note.txt", NOTE, received_at=RECEIVED)
    desktop.outcomes()
    erase(desktop)
    file.touch()
    desktop.outcomes()
    assert len(desktop.table("arrivals")) == 1
    assert erase(desktop).objects == 1
    assert objects(desktop) == {"a/note.txt": "erased"}


def test_bytes_that_really_come_again_are_kept_from_then_on(desktop: Desktop) -> None:
    desktop.drop("a/note.txt", NOTE, received_at=RECEIVED)
    desktop.outcomes()
    erase(desktop)
    desktop.drop("a/again.txt", NOTE, received_at="2027-09-08T00:00:00")
    assert desktop.outcomes() == {"a/again.txt": "landed"}
    assert erase(desktop) == Erased(0, 0)
    kept = custody(desktop.ledger, sha256(desktop, "a/note.txt"))
    assert kept is not None
    assert (kept.erased_at, kept.delete_on) == (None, date(2028, 10, 12))


def test_a_format_that_becomes_personal_seals_what_was_kept_plain(desktop: Desktop) -> None:
    desktop.formats = (replace(NOTES_FORMAT, personal=False),)
    desktop.drop("a/note.txt", NOTE)
    desktop.outcomes()
    assert objects(desktop) == {"a/note.txt": "plain"}
    assert desktop.table("personal_objects") == []
    desktop.formats = (NOTES_FORMAT,)
    desktop.read()
    assert objects(desktop) == {"a/note.txt": "sealed"}
    assert len(desktop.table("personal_objects")) == 1


def test_protecting_again_changes_nothing(desktop: Desktop) -> None:
    desktop.drop("a/note.txt", NOTE, received_at=RECEIVED)
    desktop.outcomes()
    before = desktop.table("personal_objects")
    again = protect(desktop.ledger, desktop.archive, {"notes": "別の目的"}, 1, ENVELOPE)
    assert again == 0
    assert desktop.table("personal_objects") == before


def test_people_and_reading_are_recorded_together_or_not_at_all(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from geniac_pipelines.store import people

    def fall(*_: object, **__: object) -> None:
        raise RuntimeError

    desktop.drop("a/jobs.csv", jobs((1, "1")))
    desktop.take()
    with monkeypatch.context() as patch:
        patch.setattr(people, "keep", fall)
        with pytest.raises(RuntimeError):
            desktop.read()
    assert desktop.table("readings") == []
    desktop.read()
    (person,) = desktop.table("people")
    assert person["first_arrival"] == desktop.table("readings")[0]["arrival_id"]


def test_a_trial_of_a_day_to_come_erases_nothing(tmp_path: Path) -> None:
    """`--as-of` in the far future is a rehearsal; today by the clock the day has not passed."""
    data = tmp_path / "data"
    ledger = Ledger(f"sqlite:///{data / 'ledger.sqlite'}")
    settings = Settings(data=data, inbox=tmp_path / "inbox", pseudonym_key=KEY)
    with open_night(settings, "first"):
        pass
    desktop = Desktop(tmp_path, ledger)
    desktop.drop("a/note.txt", NOTE)
    desktop.drop("a/old.txt", NOTE + b"x", received_at="2020-01-01T00:00:00")
    desktop.outcomes()
    with open_night(replace(settings, as_of=date(2020, 1, 2)), "past"):
        assert objects(desktop) == {"a/note.txt": "sealed", "a/old.txt": "sealed"}
    with open_night(replace(settings, as_of=date(2099, 1, 1)), "trial"):
        assert objects(desktop) == {"a/note.txt": "sealed", "a/old.txt": "erased"}


def test_a_format_whose_tables_hold_anything_of_people_is_personal() -> None:
    """Also where names became pseudonyms, the original still has them."""

    def of_people(contract: Contract) -> bool:
        named = any(c.personal or c.name.endswith("_pseudonym") for c in contract.columns)
        return contract.personal or named

    held = {f.name for f in REAL_FORMATS if any(map(of_people, f.contracts))}
    assert held >= {"sacct-text", "sacct-json"}
    personal = {f.name for f in REAL_FORMATS if f.personal}
    # of a foreign workbook nobody knows what it holds
    assert personal >= held | {"workbook-other"}
    assert all(f.purpose for f in REAL_FORMATS if f.personal)
