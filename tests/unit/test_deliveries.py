"""What a look at the inbox finds, who sent it, and what it leaves alone."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from geniac_pipelines.intake.deliveries import (
    MANIFEST,
    Delivery,
    ManifestError,
    look,
    read_manifest,
)

HEADER = "path,sender,channel,received_at,zone\n"


def put(inbox: Path, path: str, content: bytes = b"x") -> Path:
    file = inbox / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def manifest(inbox: Path, text: str, encoding: str = "utf-8") -> None:
    put(inbox, MANIFEST, text.encode(encoding))


def test_the_first_folder_is_the_sender(tmp_path: Path) -> None:
    put(tmp_path, "aoi-ai/2026-08/sacct.txt")
    put(tmp_path, "_secretariat/register.xlsx")
    put(tmp_path, "loose.csv")
    found = {s.path: s.delivery.sender for s in look(tmp_path)}
    assert found == {
        "_secretariat/register.xlsx": "_secretariat",
        "aoi-ai/2026-08/sacct.txt": "aoi-ai",
        "loose.csv": None,
    }


def test_files_come_in_the_order_of_their_paths_with_size_and_time(tmp_path: Path) -> None:
    for path in ("b/2", "a/9", "b/1", "a/z/0"):
        put(tmp_path, path, b"four")
    found = list(look(tmp_path))
    assert [s.path for s in found] == ["a/9", "a/z/0", "b/1", "b/2"]
    assert {s.size for s in found} == {4}
    assert found[0].mtime_ns == (tmp_path / "a/9").stat().st_mtime_ns


@pytest.mark.parametrize(
    "path",
    [
        ".hidden",
        "a/.hidden/file.csv",
        "a/~$book.xlsx",
        "a/upload.csv.part",
        "a/UPLOAD.CSV.PART",
        "a/x.crdownload",
        "a/x.filepart",
        "a/Thumbs.db",
        "a/desktop.ini",
        "__MACOSX/a/x.csv",
        MANIFEST,
    ],
)
def test_what_nobody_meant_to_send_is_left_alone(tmp_path: Path, path: str) -> None:
    put(tmp_path, path, HEADER.encode())
    assert list(look(tmp_path)) == []


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = put(tmp_path / "outside", "secret.csv")
    inbox = tmp_path / "inbox"
    put(inbox, "a/real.csv")
    (inbox / "a" / "link.csv").symlink_to(secret)
    (inbox / "b").symlink_to(tmp_path / "outside")
    os.mkfifo(inbox / "a" / "pipe")
    assert [s.path for s in look(inbox)] == ["a/real.csv"]


def test_a_name_that_is_no_utf8_reads_as_cp932(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/" + "利用報告.csv".encode("cp932")
    Path(os.fsdecode(raw)).write_bytes(b"x")
    (found,) = look(tmp_path)
    assert found.path == "利用報告.csv"
    assert found.file.read_bytes() == b"x"


def test_a_file_that_vanishes_during_the_look_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a/1.csv")
    gone = put(tmp_path, "a/2.csv")
    put(tmp_path, "a/3.csv")
    really = Path.lstat

    def lstat(self: Path) -> os.stat_result:
        if self == gone:
            raise FileNotFoundError(2, "gone", str(self))
        return really(self)

    monkeypatch.setattr(Path, "lstat", lstat)
    assert [s.path for s in look(tmp_path)] == ["a/1.csv", "a/3.csv"]


def test_a_folder_that_cannot_be_listed_is_told_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a/1.csv")
    put(tmp_path, "b/2.csv")
    really = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied", str(path))
        return really(path)

    monkeypatch.setattr(os, "scandir", scandir)
    told: list[OSError] = []
    assert [s.path for s in look(tmp_path, told.append)] == ["b/2.csv"]
    assert [e.filename for e in told] == [str(tmp_path / "a")]
    with pytest.raises(PermissionError):
        list(look(tmp_path))


def test_a_manifest_says_who_when_and_in_which_zone(tmp_path: Path) -> None:
    manifest(
        tmp_path,
        HEADER
        + "x/1.csv,aoi-ai,mail,2026-08-03T09:30:00+09:00,\n"
        + "x/2.csv,,gateway,2026-08-03T00:30:00Z,Europe/Paris\n"
        + "x/3.csv,aoi-ai,,,\n",
    )
    half_past = datetime(2026, 8, 3, 0, 30, tzinfo=UTC)
    assert read_manifest(tmp_path) == {
        "x/1.csv": Delivery("aoi-ai", "mail", half_past, "Asia/Tokyo"),
        "x/2.csv": Delivery(None, "gateway", half_past, "Europe/Paris"),
        "x/3.csv": Delivery("aoi-ai", "inbox", None, "Asia/Tokyo"),
    }


def test_the_manifest_goes_before_the_folder_and_others_keep_theirs(tmp_path: Path) -> None:
    put(tmp_path, "wrong/1.csv")
    put(tmp_path, "wrong/2.csv")
    manifest(tmp_path, HEADER + "wrong/1.csv,right,mail,2026-08-03T00:00:00Z,\n")
    assert [s.delivery.sender for s in look(tmp_path)] == ["right", "wrong"]


def test_a_manifest_from_excel_in_cp932_and_with_quotes_is_read(tmp_path: Path) -> None:
    manifest(
        tmp_path,
        HEADER + '"x/報告, 8月.csv",aoi-ai,mail,2026-08-03T00:00:00Z,\r\n',
        encoding="cp932",
    )
    assert list(read_manifest(tmp_path)) == ["x/報告, 8月.csv"]


def test_no_manifest_is_an_empty_one(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("path,sender\nx,y\n", "columns missing: channel, received_at"),
        (HEADER + "x,y,mail,yesterday,\n", "line 2: received_at 'yesterday'"),
        (HEADER + "x,y,mail,9999-06-01T00:00:00+00:00,\n", "line 2: .* from 2000 to 2099"),
        (HEADER + "x,y,mail,0001-01-01T00:00:00+09:00,\n", "line 2: .* from 2000 to 2099"),
        (HEADER + "x,y,mail,1970-01-01T00:00:00+00:00,\n", "line 2: .* from 2000 to 2099"),
        (HEADER + "x,y,mail,2026-08-03T00:00:00,\n", "lacks its UTC offset"),
        (HEADER + "x,y,mail,2026-08-03T00:00:00Z,Asia/Nowhere\n", "unknown time zone"),
        (HEADER + "x,y,mail,2026-08-03T00:00:00Z,../../etc/passwd\n", "unknown time zone"),
        (HEADER + "x,y\n", "line 2: it has not as many cells"),
        (HEADER + "x,y,mail,2026-08-03T00:00:00Z,,extra\n", "line 2: it has not as many cells"),
        (HEADER + "x,y,,,\nx,z,,,\n", "line 3: 'x' is listed twice"),
        ("\0\1\2", "文字コード"),
    ],
)
def test_a_manifest_that_cannot_be_trusted_stops_the_look(
    tmp_path: Path, text: str, says: str
) -> None:
    put(tmp_path, "a/1.csv")
    manifest(tmp_path, text)
    with pytest.raises(ManifestError, match=says):
        list(look(tmp_path))


def test_any_change_of_a_statement_changes_its_words() -> None:
    base = Delivery("a", "mail", datetime(2026, 8, 3, tzinfo=UTC), "Asia/Tokyo")
    others = [
        Delivery("b", base.channel, base.received_at, base.zone),
        Delivery("a", "inbox", base.received_at, base.zone),
        Delivery("a", "mail", datetime(2026, 8, 4, tzinfo=UTC), base.zone),
        Delivery("a", "mail", None, base.zone),
        Delivery("a", "mail", base.received_at, "UTC"),
    ]
    assert len({d.words for d in (base, *others)}) == 6
