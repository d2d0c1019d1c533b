"""The archive keeps bytes as they came, whole or not at all, and notices when they have rotted."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geniac_pipelines.store.archive import Archive, ChangedWhileRead, DamagedObject
from geniac_pipelines.store.files import sha256_of, whole, write_bytes


def put(archive: Archive, folder: Path, content: bytes) -> str:
    file = folder / "sent"
    file.write_bytes(content)
    return archive.put(file).sha256


def stored_files(archive: Archive) -> list[str]:
    return sorted(p.name for p in archive.root.rglob("*") if p.is_file())


def test_an_object_is_named_by_the_hash_of_its_bytes_and_comes_back_as_it_was(
    tmp_path: Path,
) -> None:
    archive = Archive(tmp_path / "archive")
    content = b"\x00\xff" * 1_000_000

    name = put(archive, tmp_path, content)

    assert name == hashlib.sha256(content).hexdigest()
    with archive.materialised(name) as file:
        assert file.read_bytes() == content
    assert not file.exists()


@given(st.binary(max_size=2_000))
def test_any_bytes_come_back(content: bytes) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "archive")
        name = put(archive, Path(folder), content)
        with archive.materialised(name) as file:
            assert file.read_bytes() == content


def test_twice_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    name = put(archive, tmp_path, b"same")
    assert put(archive, tmp_path, b"same") == name
    assert stored_files(archive) == [f"{name}.zst"]


class SlowFile:
    """Opens a file for `Archive.put` and lets something happen when its end is reached."""

    def __init__(self, path: Path, happens: object) -> None:
        self.path, self.happens = path, happens

    def stat(self) -> os.stat_result:
        return self.path.stat()

    def __str__(self) -> str:
        return str(self.path)

    @contextmanager
    def open(self, mode: str) -> Iterator[object]:
        with self.path.open(mode) as stream:
            happens = self.happens

            class Stream:
                def fileno(self) -> int:
                    return stream.fileno()

                def read(self, size: int) -> bytes:
                    chunk = stream.read(size)
                    if not chunk:
                        happens()
                    return chunk

            yield Stream()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda f: f.write_bytes(b"new content"), id="written over"),
        pytest.param(lambda f: f.open("ab").write(b"more"), id="grown"),
        pytest.param(
            lambda f: (f.with_name("new").write_bytes(b"half"), f.with_name("new").replace(f)),
            id="replaced by another file",
        ),
    ],
)
def test_a_file_that_changes_while_it_is_read_is_not_kept(tmp_path: Path, change: object) -> None:
    archive = Archive(tmp_path / "archive")
    file = tmp_path / "sent"
    file.write_bytes(b"old content")
    with pytest.raises(ChangedWhileRead):
        archive.put(SlowFile(file, lambda: change(file)))
    assert stored_files(archive) == []


def test_a_replacement_of_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    """`rsync --times` may give a new file the size and time of the old one."""
    archive = Archive(tmp_path / "archive")
    file = tmp_path / "sent"
    file.write_bytes(b"aaaa")
    stamp = file.stat().st_mtime_ns

    def replace() -> None:
        other = tmp_path / "other"
        other.write_bytes(b"bbbb")
        os.utime(other, ns=(stamp, stamp))
        other.replace(file)

    with pytest.raises(ChangedWhileRead):
        archive.put(SlowFile(file, replace))
    assert stored_files(archive) == []


def test_a_damaged_object_is_found_by_its_hash(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    name = put(archive, tmp_path, b"the truth")
    # a valid zstd file with other bytes: only the hash can tell
    with pa.CompressedOutputStream(str(archive.path(name)), "zstd") as sink:
        sink.write(b"something else")
    with pytest.raises(DamagedObject, match=name), archive.materialised(name):
        pass


@pytest.mark.parametrize("keep", [0, 5, 20])
def test_a_truncated_object_is_found(tmp_path: Path, keep: int) -> None:
    archive = Archive(tmp_path / "archive")
    name = put(archive, tmp_path, os.urandom(1_000))
    archive.path(name).write_bytes(archive.path(name).read_bytes()[:keep])
    with pytest.raises(DamagedObject), archive.materialised(name):
        pass


def test_sending_the_bytes_again_heals_a_damaged_object(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    name = put(archive, tmp_path, b"the truth")
    archive.path(name).write_bytes(b"rot")
    put(archive, tmp_path, b"the truth")
    with archive.materialised(name) as file:
        assert file.read_bytes() == b"the truth"


def test_an_unknown_object_is_named_in_the_error(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match="ab" * 32),
        Archive(tmp_path).materialised("ab" * 32),
    ):
        pass


def test_what_a_killed_night_was_writing_is_removed_and_nothing_else(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    name = put(archive, tmp_path, b"kept")
    (archive.root / ".incoming-0123.part").write_bytes(b"half")
    archive.remove_leftovers()
    assert stored_files(archive) == [f"{name}.zst"]


def test_plain_copies_lie_in_the_work_folder_where_one_is_given(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive", work=tmp_path / "work")
    name = put(archive, tmp_path, b"personal")
    with archive.materialised(name) as file:
        assert file.is_relative_to(tmp_path / "work")
    assert list((tmp_path / "work").iterdir()) == []


def test_a_full_disk_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(tmp_path / "archive", work=tmp_path / "work")
    name = put(archive, tmp_path, b"x")

    def full(path: Path, mode: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space left"), archive.materialised(name):
        pass


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "file"
    write_bytes(target, b"first")
    with pytest.raises(RuntimeError), whole(target) as temporary:
        temporary.write_bytes(b"half of the sec")
        raise RuntimeError
    assert target.read_bytes() == b"first"
    assert [p.name for p in target.parent.iterdir()] == ["file"]


def test_a_file_being_written_has_a_hidden_name(tmp_path: Path) -> None:
    with whole(tmp_path / "file.parquet") as temporary:
        temporary.write_bytes(b"x")
        assert temporary.name.startswith(".")
        assert list(tmp_path.glob("*.parquet")) == []
    assert sha256_of(tmp_path / "file.parquet") == hashlib.sha256(b"x").hexdigest()
