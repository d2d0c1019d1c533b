"""Intake from the inbox to landing: nothing half, nothing twice, and no file stops another."""

import gzip
import io
import os
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geniac_pipelines.contracts import Contract, Mode
from geniac_pipelines.intake import sweep
from geniac_pipelines.intake.desk import read_arrivals, to_read
from geniac_pipelines.intake.reading import (
    MASK,
    Batch,
    Complaint,
    Context,
    Item,
    Place,
    Row,
    Source,
)
from geniac_pipelines.settings import Clock
from geniac_pipelines.store.archive import Archive, ChangedWhileRead, StoredObject
from geniac_pipelines.store.ledger import Ledger
from tests.small_night import (
    BAD_NUMBER,
    FORMATS,
    JOBS,
    JOBS_FORMAT,
    NOTES,
    PLANS,
    Desktop,
    jobs,
    plans,
    utc,
)


@pytest.fixture
def desktop(tmp_path: Path, ledger: Ledger) -> Desktop:
    desktop = Desktop(tmp_path, ledger)
    desktop.inbox.mkdir()
    return desktop


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def landed_files(desktop: Desktop) -> list[str]:
    return sorted(
        p.name for p in (desktop.data / "landing").rglob("*.parquet") if "empty" not in p.name
    )


def test_a_file_is_taken_in_once(desktop: Desktop) -> None:
    desktop.drop("a/1.csv", jobs((1, "2.5")))
    assert desktop.take().arrivals == ["a/1.csv"]
    assert desktop.take().arrivals == []
    (arrival,) = desktop.table("arrivals")
    assert (arrival["name"], arrival["sender"], arrival["channel"]) == ("a/1.csv", "a", "inbox")
    with desktop.archive.materialised(arrival["sha256"]) as file:
        assert file.read_bytes() == jobs((1, "2.5"))


def test_a_missing_inbox_is_an_error_and_not_an_empty_one(desktop: Desktop) -> None:
    desktop.inbox.rmdir()
    with pytest.raises(FileNotFoundError, match="inbox"):
        desktop.take()


def test_a_touched_file_is_no_new_arrival(desktop: Desktop) -> None:
    """A restored backup must not make old versions newer than their corrections."""
    file = desktop.drop("a/1.csv", jobs((1, "2.5")))
    desktop.take()
    os.utime(file, ns=(1, 1))
    assert desktop.take().arrivals == []
    assert len(desktop.table("arrivals")) == 1


def test_old_bytes_that_come_back_are_a_new_arrival(desktop: Desktop) -> None:
    for content in (jobs((1, "1")), jobs((1, "2")), jobs((1, "1"))):
        desktop.drop("a/1.csv", content)
        desktop.take()
    desktop.read()
    assert len(desktop.table("arrivals")) == 3
    assert [str(r[2]) for r in desktop.current(JOBS)] == ["1.000000000"]


def test_the_same_bytes_at_another_path_are_an_arrival_of_their_own(desktop: Desktop) -> None:
    desktop.drop("a/1.csv", jobs((1, "1")))
    desktop.drop("b/1.csv", jobs((1, "1")))
    desktop.take()
    found = desktop.table("arrivals")
    assert {r["sender"] for r in found} == {"a", "b"}
    assert len({r["sha256"] for r in found}) == 1
    assert len(list(desktop.archive.root.rglob("*.zst"))) == 1


def test_a_young_file_waits_until_it_is_whole(desktop: Desktop) -> None:
    """Somebody is writing while we look; the half must never be archived."""
    file = desktop.drop("a/1.csv", b"#jobs\n")

    def write() -> None:
        for n in range(20):
            with file.open("ab") as stream:
                stream.write(f"c1,{n},1,taro\n".encode())
            time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    taken = desktop.take(settle_seconds=0.3)
    assert taken.arrivals == []
    assert list(taken.waiting) == ["a/1.csv"]
    assert list(desktop.archive.root.rglob("*.zst")) == []
    writer.join()
    assert desktop.take(settle_seconds=0.1).arrivals == ["a/1.csv"]
    desktop.read()
    assert len(desktop.current(JOBS)) == 20


def test_a_file_whose_time_lies_in_the_future_is_watched_too(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine's clock is ahead, or ours was set back."""
    file = desktop.drop("a/1.csv", b"#jobs\n")
    ahead = time.time_ns() + 3600 * 10**9
    os.utime(file, ns=(ahead, ahead))
    slept: list[float] = []
    monkeypatch.setattr(sweep.time, "sleep", slept.append)
    desktop.take(settle_seconds=2.0)
    assert slept == [2.0]


def test_old_files_are_not_waited_for(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    file = desktop.drop("a/1.csv", jobs((1, "1")))
    os.utime(file, (1, 1))
    monkeypatch.setattr(sweep.time, "sleep", lambda s: pytest.fail("waited for nothing"))
    assert desktop.take(settle_seconds=2.0).arrivals == ["a/1.csv"]


def test_a_file_that_changes_while_it_is_read_is_left_for_later(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop.drop("a/1.csv", jobs((1, "1")))
    desktop.drop("a/2.csv", jobs((2, "1")))
    really = Archive.put

    def put(self: Archive, file: Path, **how: Any) -> StoredObject:
        if file.name == "1.csv":
            raise ChangedWhileRead(str(file))
        return really(self, file, **how)

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "put", put)
        taken = desktop.take()
    assert (taken.arrivals, list(taken.waiting)) == (["a/2.csv"], ["a/1.csv"])
    assert desktop.take().arrivals == ["a/1.csv"]


def test_a_file_that_vanishes_is_left_out(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = desktop.drop("a/1.csv", jobs((1, "1")))
    desktop.drop("a/2.csv", jobs((2, "1")))
    monkeypatch.setattr(sweep, "_settle", lambda *_: gone.unlink())
    taken = desktop.take()
    assert (taken.arrivals, list(taken.waiting)) == (["a/2.csv"], ["a/1.csv"])


@pytest.mark.parametrize(
    ("sender", "zone", "received_at"),
    [
        ("b", "Asia/Tokyo", "2026-08-03T00:00:00"),
        ("a", "Europe/Paris", "2026-08-03T00:00:00"),
        ("a", "Asia/Tokyo", "2026-08-02T00:00:00"),
        ("a", "Asia/Tokyo", ""),
    ],
    ids=["sender", "zone", "earlier receipt", "receipt by the clock"],
)
def test_a_corrected_statement_on_the_same_bytes_replaces_the_arrival(
    desktop: Desktop, sender: str, zone: str, received_at: str
) -> None:
    desktop.drop("a/1.txt", plans("x", "y"), received_at="2026-08-03T00:00:00")
    desktop.take()
    desktop.read()
    desktop.state("a/1.txt", sender, received_at, zone)
    assert desktop.take().arrivals == ["a/1.txt"]
    desktop.read()

    first, second = sorted(desktop.table("arrivals"), key=lambda r: r["superseded_by"] is None)
    assert first["superseded_by"] == second["arrival_id"]
    assert (second["sender"], second["zone"]) == (sender, zone)
    # counted once, for the corrected sender alone, though the table is scoped by sender
    assert len(desktop.current(PLANS)) == 2

    desktop.state("a/1.txt", "a", "2026-08-03T00:00:00")
    desktop.take()
    holds = [r["arrival_id"] for r in desktop.table("arrivals") if r["superseded_by"] is None]
    assert holds == [first["arrival_id"]]
    assert len(desktop.current(PLANS)) == 2


def move(desktop: Desktop, old: str, new: str) -> None:
    target = desktop.inbox / new
    target.parent.mkdir(parents=True, exist_ok=True)
    (desktop.inbox / old).rename(target)


def holding(desktop: Desktop) -> dict[str, str]:
    """Sender of each arrival that holds, by its path."""
    return {r["name"]: r["sender"] for r in desktop.table("arrivals") if not r["superseded_by"]}


def test_a_file_moved_to_the_right_folder_counts_for_that_sender_alone(desktop: Desktop) -> None:
    desktop.drop("a/1.txt", plans("x", "y"))
    desktop.outcomes()
    (first,) = desktop.table("arrivals")
    move(desktop, "a/1.txt", "b/1.txt")
    taken = desktop.take()
    assert (taken.arrivals, taken.moved) == (["b/1.txt"], {"b/1.txt": "a/1.txt"})
    desktop.read()
    assert holding(desktop) == {"b/1.txt": "b"}
    assert len(desktop.current(PLANS)) == 2
    second = next(r for r in desktop.table("arrivals") if r["sender"] == "b")
    # it was handed in when it came, not when somebody tidied up
    assert second["received_at"] == first["received_at"]
    (note,) = desktop.table("refusals")
    assert (note["arrival_id"], note["code"], note["costs"]) == (
        second["arrival_id"],
        "arrival.moved",
        "nothing",
    )
    assert "「a/1.txt」（提出者 a）" in note["ja"]
    assert [r["outcome"] for r in desktop.table("readings")] == ["landed", "landed"]


def test_a_move_loses_to_a_correction_that_came_before_it(desktop: Desktop) -> None:
    desktop.drop("a/old.txt", plans("x"))
    desktop.outcomes()
    desktop.drop("b/new.txt", plans("y"))
    desktop.outcomes()
    move(desktop, "a/old.txt", "b/old.txt")
    desktop.outcomes()
    assert [row[0] for row in desktop.current(PLANS)] == ["y"]


def test_a_move_that_is_undone_is_as_if_it_had_not_been(desktop: Desktop) -> None:
    desktop.drop("a/1.txt", plans("x"))
    desktop.outcomes()
    before = desktop.table("arrivals")
    move(desktop, "a/1.txt", "b/1.txt")
    desktop.outcomes()
    move(desktop, "b/1.txt", "a/1.txt")
    desktop.outcomes()
    assert holding(desktop) == {"a/1.txt": "a"}
    assert before[0]["arrival_id"] in {
        r["arrival_id"] for r in desktop.table("arrivals") if not r["superseded_by"]
    }
    assert len(desktop.current(PLANS)) == 1
    assert desktop.take().arrivals == []


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=5), st.sampled_from(["1.txt", "1.zip"]))
def test_wherever_a_file_is_moved_it_counts_once_for_whom_it_lies_with(
    folders: list[str], name: str
) -> None:
    content = plans("x", "y") if name == "1.txt" else zipped(**{"1.txt": plans("x", "y")})
    with TemporaryDirectory() as root:
        opened = Ledger(f"sqlite:///{root}/ledger.sqlite")
        opened.prepare()
        desktop = Desktop(Path(root), opened)
        desktop.drop(f"a/{name}", content)
        desktop.outcomes()
        place = "a"
        for folder in folders:
            if folder != place:
                move(desktop, f"{place}/{name}", f"{folder}/{name}")
            place = folder
            desktop.outcomes()
        assert set(holding(desktop).values()) == {place}
        assert len(desktop.current(PLANS)) == 2
        assert len({r["received_at"] for r in desktop.table("arrivals")}) == 1
        opened.engine.dispose()


def test_a_moved_envelope_takes_its_members_along(desktop: Desktop) -> None:
    desktop.drop("a/all.zip", zipped(**{"2.txt": plans("p")}))
    desktop.outcomes()
    move(desktop, "a/all.zip", "b/all.zip")
    desktop.outcomes()
    assert holding(desktop) == {"b/all.zip": "b", "b/all.zip!2.txt": "b"}
    assert len(desktop.current(PLANS)) == 1


def test_a_file_that_is_renamed_on_the_way_is_told_by_its_time_of_change(desktop: Desktop) -> None:
    desktop.drop("a/1.txt", plans("x"))
    desktop.outcomes()
    move(desktop, "a/1.txt", "b/right.txt")
    assert desktop.take().moved == {"b/right.txt": "a/1.txt"}


def test_a_file_that_was_copied_and_deleted_is_told_by_its_name(desktop: Desktop) -> None:
    file = desktop.drop("a/1.txt", plans("x"))
    os.utime(file, ns=(1, 1))
    desktop.outcomes()
    file.unlink()
    desktop.drop("b/sub/1.txt", plans("x"))
    assert desktop.take().moved == {"b/sub/1.txt": "a/1.txt"}


def test_two_senders_may_hand_in_the_same_bytes(desktop: Desktop) -> None:
    """Both are there; or one was cleared away long before the other came."""
    for sender in "ab":
        desktop.drop(f"{sender}/{sender}.txt", plans("x"))
    desktop.outcomes()
    assert holding(desktop) == {"a/a.txt": "a", "b/b.txt": "b"}
    cleared = desktop.inbox / "a/a.txt"
    os.utime(cleared, ns=(1, 1))
    desktop.take()
    cleared.unlink()
    desktop.drop("c/c.txt", plans("x"))
    taken = desktop.take()
    assert (taken.arrivals, taken.moved) == (["c/c.txt"], {})
    assert holding(desktop) == {"a/a.txt": "a", "b/b.txt": "b", "c/c.txt": "c"}


def test_one_file_moves_to_one_place(desktop: Desktop) -> None:
    file = desktop.drop("a/1.txt", plans("x"))
    desktop.outcomes()
    file.unlink()
    desktop.drop("b/1.txt", plans("x"))
    desktop.drop("c/1.txt", plans("x"))
    assert desktop.take().moved == {"b/1.txt": "a/1.txt"}
    assert holding(desktop) == {"b/1.txt": "b", "c/1.txt": "c"}


def test_a_folder_that_can_not_be_listed_has_lost_no_file(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop.drop("a/1.txt", plans("x"))
    desktop.outcomes()
    desktop.drop("b/1.txt", plans("x"))
    really = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied", str(path))
        return really(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert desktop.take().moved == {}
    assert holding(desktop) == {"a/1.txt": "a", "b/1.txt": "b"}


def test_files_are_registered_together_and_a_kill_between_costs_no_arrival(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "FILES_A_TRANSACTION", 2)
    for n in range(5):
        desktop.drop(f"a/{n}.csv", jobs((n, "1")))
    really = Archive.put
    count = 0

    def put(self: Archive, file: Path, **more: Any) -> StoredObject:
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        return really(self, file, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "put", put)
        with pytest.raises(KeyboardInterrupt):
            desktop.take()
    assert {r["name"] for r in desktop.table("arrivals")} == {"a/0.csv", "a/1.csv"}
    assert desktop.take().arrivals == ["a/2.csv", "a/3.csv", "a/4.csv"]


def test_new_bytes_supersede_nothing_but_are_later(desktop: Desktop) -> None:
    desktop.drop("a/1.txt", plans("x"), received_at="2026-08-03T00:00:00")
    desktop.take()
    desktop.drop("a/1.txt", plans("y"), received_at="2026-08-04T00:00:00")
    desktop.take()
    assert [r["superseded_by"] for r in desktop.table("arrivals")] == [None, None]


def test_a_day_that_is_fixed_still_tells_earlier_from_later(desktop: Desktop) -> None:
    """All receipts fall on the last second of the day; a correction must win all the same."""
    clock = Clock(date(2026, 8, 3))
    for hours in ("1", "2", "3", "4", "5"):
        desktop.drop("a/1.csv", jobs((1, hours)))
        desktop.drop(f"a/{hours}-other.csv", jobs((2, hours)))
        desktop.take(clock)
    desktop.read()
    receipts = [r["received_at"] for r in desktop.table("arrivals")]
    assert len(set(receipts)) == 10
    assert max(receipts) < utc("2026-08-03T15:00:00")
    assert [str(r[2])[:1] for r in desktop.current(JOBS)] == ["5", "5"]


def test_a_day_in_the_future_does_not_date_receipts_ahead(desktop: Desktop) -> None:
    desktop.drop("a/1.csv", jobs((1, "1")))
    before = Clock().now()
    desktop.take(Clock(date(2200, 1, 1)))
    (arrival,) = desktop.table("arrivals")
    assert before <= arrival["received_at"] <= Clock().now()


def test_a_clock_set_back_does_not_turn_a_correction_into_the_older_version(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop.drop("a/1.csv", jobs((1, "1")))
    desktop.take()
    (first,) = desktop.table("arrivals")
    day_before = first["received_at"] - timedelta(days=1)
    monkeypatch.setattr(Clock, "receipt", lambda self: day_before)
    desktop.drop("a/1.csv", jobs((1, "2")))
    desktop.take()
    second = max(desktop.table("arrivals"), key=lambda r: r["received_at"])
    assert second["received_at"] == first["received_at"] + timedelta(microseconds=1)
    desktop.read()
    assert [str(r[2])[:1] for r in desktop.current(JOBS)] == ["2"]
    # what lies ahead of a clock that was set back waits until the clock is there again
    assert desktop.current(JOBS, until=day_before.replace(tzinfo=None).isoformat()) == []


def test_the_members_of_an_envelope_are_arrivals(desktop: Desktop) -> None:
    content = zipped(**{"x/1.csv": jobs((1, "1")), "2.txt": plans("p")})
    desktop.drop("a/all.zip", content, received_at="2026-08-03T00:00:00")
    assert desktop.outcomes() == {"a/all.zip!x/1.csv": "landed", "a/all.zip!2.txt": "landed"}
    by_name = {r["name"]: r for r in desktop.table("arrivals")}
    assert set(by_name) == {"a/all.zip", "a/all.zip!x/1.csv", "a/all.zip!2.txt"}
    assert {r["sender"] for r in by_name.values()} == {"a"}
    assert {r["received_at"] for r in by_name.values()} == {utc("2026-08-03T00:00:00")}
    assert len(desktop.current(JOBS)) == 1


def test_a_corrected_sender_goes_for_the_members_too(desktop: Desktop) -> None:
    content = zipped(**{"2.txt": plans("p")})
    desktop.drop("a/all.zip", content, received_at="2026-08-03T00:00:00")
    desktop.outcomes()
    desktop.state("a/all.zip", "b", "2026-08-03T00:00:00")
    desktop.outcomes()
    holds = {
        (r["name"], r["sender"]) for r in desktop.table("arrivals") if r["superseded_by"] is None
    }
    assert holds == {("a/all.zip", "b"), ("a/all.zip!2.txt", "b")}
    assert len(desktop.current(PLANS)) == 1


def test_a_gzip_is_opened(desktop: Desktop) -> None:
    desktop.drop("a/log.csv.gz", gzip.compress(jobs((1, "1"))))
    assert desktop.outcomes() == {"a/log.csv.gz!log.csv": "landed"}


def test_an_envelope_is_opened_from_the_archive_and_not_from_the_inbox(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replaced right after it was archived, the inbox holds other bytes than the evidence."""
    file = desktop.drop("a/all.zip", zipped(**{"old.csv": jobs((1, "1"))}))
    really = Archive.put

    def put(self: Archive, source: Path, **how: Any) -> StoredObject:
        stored = really(self, source, **how)
        if source == file:
            file.write_bytes(zipped(**{"new.csv": jobs((2, "2"))}))
        return stored

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "put", put)
        desktop.take()
    assert {r["name"] for r in desktop.table("arrivals")} == {"a/all.zip", "a/all.zip!old.csv"}
    desktop.take()
    assert "a/all.zip!new.csv" in {r["name"] for r in desktop.table("arrivals")}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (zipped(**{"inner.zip": zipped(**{"1.csv": jobs((1, "1"))})}), "archive.nested"),
        (zipped(**{"1.csv": jobs((1, "1"))})[:60], "archive.damaged"),
        (gzip.compress(bytes(50_000_000)), "archive.unsafe"),
    ],
    ids=["nested", "damaged", "bomb"],
)
def test_an_envelope_that_cannot_be_opened_is_refused_whole_and_stops_nothing(
    desktop: Desktop, content: bytes, code: str
) -> None:
    desktop.drop("a/bad.zip", content)
    desktop.drop("b/1.csv", jobs((2, "1")))
    assert desktop.outcomes() == {"b/1.csv": "landed"}
    assert [r["code"] for r in desktop.table("refusals")] == [code]
    readings = {r["format"]: r["outcome"] for r in desktop.table("readings")}
    assert readings == {"envelope": "refused", "jobs": "landed"}
    assert {r["name"] for r in desktop.table("arrivals")} == {"a/bad.zip", "b/1.csv"}


def test_a_recogniser_that_falls_over_costs_its_own_file(tmp_path: Path, ledger: Ledger) -> None:
    def recognise(source: Source) -> bool:
        if source.head.startswith(b"PK"):
            raise RuntimeError("the recogniser fell over")
        return False

    broken = replace(JOBS_FORMAT, name="broken", recognise=recognise)
    desktop = Desktop(tmp_path, ledger, formats=(*FORMATS, broken))
    desktop.drop("a/1.zip", zipped(**{"1.csv": jobs((1, "1"))}))
    desktop.drop("b/1.csv", jobs((1, "1")))
    assert desktop.outcomes() == {"a/1.zip": "failed", "b/1.csv": "landed"}


def test_two_formats_that_claim_a_file_are_our_fault_and_said_so(
    tmp_path: Path, ledger: Ledger
) -> None:
    twin = replace(JOBS_FORMAT, name="twin")
    desktop = Desktop(tmp_path, ledger, formats=(*FORMATS, twin))
    desktop.drop("a/1.csv", jobs((1, "1")))
    assert desktop.outcomes() == {"a/1.csv": "failed"}
    (reading,) = desktop.table("readings")
    assert "claimed by jobs, twin" in reading["error"]


def test_a_reader_that_raises_costs_its_own_file_and_leaves_no_parquet(desktop: Desktop) -> None:
    desktop.drop("a/bad.csv", jobs((1, "1")) + b"!raise\n")
    desktop.drop("b/good.csv", jobs((2, "1")))
    assert desktop.outcomes() == {"a/bad.csv": "failed", "b/good.csv": "landed"}
    (failed,) = [r for r in desktop.table("readings") if r["outcome"] == "failed"]
    assert (failed["format"], failed["format_version"], failed["rows"]) == ("jobs", 1, 0)
    assert "RuntimeError: the reader of a/bad.csv fell over" in failed["error"]
    assert "_read_jobs" in failed["error"]
    assert len(landed_files(desktop)) == 1
    assert desktop.table("refusals") == []


def test_a_complaint_whose_text_cannot_be_filled_costs_its_own_file(
    tmp_path: Path, ledger: Ledger
) -> None:
    odd = Complaint("odd", "row", "{nowhere}", "", "{nowhere}", "")

    def read(source: Source, context: Context) -> Iterator[Item]:
        yield Row(JOBS, {"cluster": "c", "job_id": 1}, Place(None, 1))
        yield odd.at(Place())

    desktop = Desktop(tmp_path, ledger, formats=(replace(JOBS_FORMAT, read=read),))
    desktop.drop("a/1.csv", jobs((1, "1")))
    assert desktop.outcomes() == {"a/1.csv": "failed"}
    assert landed_files(desktop) == []


def test_one_bad_row_costs_no_good_one(desktop: Desktop) -> None:
    desktop.drop("a/1.csv", jobs((1, "1"), (2, "二"), (2**70, "1"), (3, "3")))
    assert desktop.outcomes() == {"a/1.csv": "partial"}
    assert [r[1] for r in desktop.current(JOBS)] == [1, 3]
    first, second = sorted(desktop.table("refusals"), key=lambda r: r["line"])
    assert (first["line"], first["column"], first["cell"]) == (3, "GPU時間", "二")
    assert first["ja"] == "「二」は数ではありません"
    assert (second["line"], second["cell"]) == (4, str(2**70))
    (reading,) = desktop.table("readings")
    assert (reading["rows"], reading["complaints"]) == (2, 2)


def test_refusals_of_personal_formats_show_no_cell(desktop: Desktop) -> None:
    desktop.drop("a/notes.txt", "#notes\n?山田太郎の病名\nよい\n".encode())
    assert desktop.outcomes() == {"a/notes.txt": "partial"}
    (refusal,) = desktop.table("refusals")
    assert refusal["cell"] == MASK
    assert "山田" not in repr(refusal)
    assert (refusal["sheet"], refusal["line"]) == ("回答", 2)


def test_cells_that_a_database_cannot_hold_are_kept_in_signs(
    tmp_path: Path, ledger: Ledger
) -> None:
    """PostgreSQL has no NUL, UTF-8 no half of a surrogate pair."""

    def read(source: Source, context: Context) -> Iterator[Item]:
        yield BAD_NUMBER.at(Place("\0", 1, "列"), "a\0b\ud83d")

    desktop = Desktop(tmp_path, ledger, formats=(replace(JOBS_FORMAT, read=read),))
    desktop.drop("a/1.csv", jobs((1, "1")))
    assert desktop.outcomes() == {"a/1.csv": "refused"}
    (refusal,) = desktop.table("refusals")
    assert (refusal["sheet"], refusal["cell"]) == ("␀", "a␀b\\ud83d")


def test_bytes_that_are_no_text_are_the_senders_matter(desktop: Desktop) -> None:
    desktop.drop("a/1.csv", jobs((1, "1")) + "利用報告".encode()[:-1])
    assert desktop.outcomes() == {"a/1.csv": "refused"}
    (refusal,) = desktop.table("refusals")
    assert refusal["code"] == "text.undecodable"
    assert "作り直して" in refusal["ja_remedy"] or "保存し直して" in refusal["ja_remedy"]
    assert landed_files(desktop) == []


def test_an_unknown_file_is_told_what_to_do(desktop: Desktop) -> None:
    desktop.drop("a/what.bin", b"\x00\x01\x02")
    assert desktop.outcomes() == {"a/what.bin": "unknown"}
    (refusal,) = desktop.table("refusals")
    assert refusal["code"] == "format.unknown"
    assert "提出してください" in refusal["ja_remedy"]


def test_an_unknown_file_is_read_when_a_format_for_it_comes(desktop: Desktop) -> None:
    known = desktop.formats
    desktop.formats = (known[1],)
    desktop.drop("a/1.csv", jobs((1, "1")))
    assert desktop.outcomes() == {"a/1.csv": "unknown"}
    assert desktop.read() == []
    desktop.formats = known
    assert [r.outcome for _, r in desktop.read()] == ["landed"]
    assert desktop.table("refusals") == []


def test_a_failed_file_is_tried_again_each_night(desktop: Desktop) -> None:
    desktop.drop("a/1.csv", jobs((1, "1")) + b"!raise\n")
    assert desktop.outcomes() == {"a/1.csv": "failed"}
    mended = replace(JOBS_FORMAT, read=lambda s, c: iter(()))
    desktop.formats = (mended,)
    assert [r.outcome for _, r in desktop.read()] == ["landed"]
    assert desktop.read() == []


def test_a_new_version_of_a_reader_reads_its_files_again(desktop: Desktop) -> None:
    desktop.drop("a/1.csv", jobs((1, "1")))
    desktop.drop("a/2.txt", plans("x"))
    desktop.outcomes()

    def read_double(source: Source, context: Context) -> Iterator[Item]:
        for item in JOBS_FORMAT.read(source, context):
            yield replace(item, values={**item.values, "gpu_hours": item.values["gpu_hours"] * 2})

    desktop.formats = (replace(JOBS_FORMAT, read=read_double, version=2), *FORMATS[1:])
    assert [a.name for a, _ in desktop.read()] == ["a/1.csv"]
    assert [str(r[2]) for r in desktop.current(JOBS)] == ["2.000000000"]


def test_a_damaged_object_costs_its_own_file(desktop: Desktop) -> None:
    desktop.drop("a/1.csv", jobs((1, "1")))
    desktop.drop("b/1.csv", jobs((2, "1")))
    desktop.take()
    victim = next(r for r in desktop.table("arrivals") if r["sender"] == "a")
    desktop.archive.path(victim["sha256"]).write_bytes(b"rot")
    assert {a.sender: r.outcome for a, r in desktop.read()} == {"a": "failed", "b": "landed"}
    (failed,) = [r for r in desktop.table("readings") if r["outcome"] == "failed"]
    assert "DamagedObject" in failed["error"]


def test_a_full_disk_stops_the_night_and_is_held_against_no_file(
    tmp_path: Path, ledger: Ledger
) -> None:
    def read(source: Source, context: Context) -> Iterator[Item]:
        raise OSError(28, "No space left on device")
        yield

    desktop = Desktop(tmp_path, ledger, formats=(replace(JOBS_FORMAT, read=read),))
    desktop.drop("a/1.csv", jobs((1, "1")))
    desktop.take()
    with pytest.raises(OSError, match="No space left"):
        desktop.read()
    assert desktop.table("readings") == []
    desktop.formats = FORMATS
    assert [r.outcome for _, r in desktop.read()] == ["landed"]


def test_readings_are_recorded_as_they_go(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before a kill need not be read again."""
    monkeypatch.setattr("geniac_pipelines.intake.desk.READINGS_A_TRANSACTION", 2)
    for n in range(5):
        desktop.drop(f"a/{n}.csv", jobs((n, "1")))
    desktop.take()
    desk = desktop.desk()
    pending = to_read(desk)
    reading = read_arrivals(desk, pending)
    next(reading)
    reading.close()
    assert len(desktop.table("readings")) == 2
    assert to_read(desk) == pending[2:]


def test_an_arrival_without_rows_has_no_file(desktop: Desktop) -> None:
    desktop.drop("a/empty.txt", plans())
    assert desktop.outcomes() == {"a/empty.txt": "landed"}
    assert landed_files(desktop) == []
    assert desktop.table("landings") == []


def test_the_days_of_bulk_files_are_recorded(tmp_path: Path, ledger: Ledger) -> None:
    bulk = Contract(
        "test__bulk", "test", "大量", "", JOBS.columns[1:2], (), (), mode=Mode.APPEND, bulk=True
    )
    rows = pa.RecordBatch.from_pydict({"job_id": [1]})
    form = replace(JOBS_FORMAT, contracts=(bulk,), read=lambda s, c: iter([Batch(bulk, rows, 1)]))
    desktop = Desktop(tmp_path, ledger, formats=(form,))
    desktop.drop("a/1.csv", jobs((1, "1")))
    desktop.take()
    days = {date(2026, 8, 3), date(2026, 8, 4)}
    desk = replace(desktop.desk(), days_of=lambda contract, file: days)
    list(read_arrivals(desk, to_read(desk)))
    assert {r["day"] for r in desktop.table("landing_days")} == days
    assert NOTES.name not in {r["contract"] for r in desktop.table("landing_days")}
