"""Sealed and erased objects: nobody reads them without the key, no change goes unnoticed."""

import hashlib
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from geniac_pipelines.settings import ROOT
from geniac_pipelines.store.archive import (
    Archive,
    ChangedWhileRead,
    DamagedObject,
    ErasedObject,
    NoKey,
)
from geniac_pipelines.store.sealed import NotGenuine, open_value, seal_value, sealed_with
from geniac_pipelines.store.secret import Secret

SECRET = Secret(b"k" * 32)
OTHER = Secret(b"o" * 32)
NOON = datetime(2026, 8, 3, 3, tzinfo=UTC)
TEXT = b"User|JobName\nyamada|train\n"


def archive(root: Path, secret: Secret | None = SECRET) -> Archive:
    return Archive(root / "archive", work=root / "work", secret=secret)


def put(root: Path, content: bytes = TEXT, sealed: bool = True) -> str:
    file = root / "sent"
    file.write_bytes(content)
    return archive(root).put(file, private=lambda: sealed).sha256


def read(root: Path, sha256: str, secret: Secret | None = SECRET) -> bytes:
    return b"".join(archive(root, secret).chunks(sha256))


def names(root: Path) -> list[str]:
    return sorted(p.name.split(".")[-1] for p in (root / "archive").rglob("*") if p.is_file())


def test_a_sealed_object_keeps_the_name_of_its_plain_bytes_and_comes_back(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    name = put(tmp_path, content)
    assert name == hashlib.sha256(content).hexdigest()
    assert names(tmp_path) == ["sealed"]
    with archive(tmp_path).materialised(name) as file:
        assert file.read_bytes() == content


@settings(max_examples=50)
@given(st.binary(max_size=2_000))
def test_any_bytes_come_back(content: bytes) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        assert read(Path(folder), put(Path(folder), content)) == content


def test_a_sealed_file_is_aes_256_gcm_of_the_zstd_stream_under_a_key_by_hkdf(
    tmp_path: Path,
) -> None:
    """Opened here by hand: mark 8, check value 8, salt 32, ciphertext, tag 16."""
    name = put(tmp_path)
    sealed = archive(tmp_path).sealed_path(name).read_bytes()
    head, body = sealed[:48], sealed[48:]
    key = HKDF(hashes.SHA256(), 32, salt=head[16:], info=b"geniac sealed file").derive(SECRET.key)
    packed = AESGCM(key).decrypt(bytes(12), body, head)
    assert pa.CompressedInputStream(pa.BufferReader(packed), "zstd").read() == TEXT
    assert head[8:16].hex() == SECRET.check == sealed_with(archive(tmp_path).sealed_path(name))


def test_no_plain_byte_lies_on_the_disk(tmp_path: Path) -> None:
    name = put(tmp_path, b"yamada" * 3)
    (tmp_path / "sent").unlink()
    read(tmp_path, name)
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(files) == 1
    assert b"yamada" not in files[0].read_bytes()


def test_the_same_bytes_are_sealed_differently_each_time(tmp_path: Path) -> None:
    """Else two archives would tell that they hold the same file."""
    name = put(tmp_path)
    first = archive(tmp_path).sealed_path(name).read_bytes()
    put(tmp_path)
    assert archive(tmp_path).sealed_path(name).read_bytes() != first


def test_without_the_key_nothing_is_read_or_sealed(tmp_path: Path) -> None:
    name = put(tmp_path)
    with pytest.raises(NoKey):
        read(tmp_path, name, None)
    with pytest.raises(DamagedObject, match="another key"):
        read(tmp_path, name, OTHER)
    with pytest.raises(NoKey):
        archive(tmp_path, None).put(tmp_path / "sent", private=lambda: True)
    assert names(tmp_path) == ["sealed"]


@pytest.mark.parametrize("place", [0, 9, 20, 60, -1])
def test_a_changed_byte_anywhere_is_noticed(tmp_path: Path, place: int) -> None:
    name = put(tmp_path)
    file = archive(tmp_path).sealed_path(name)
    changed = bytearray(file.read_bytes())
    changed[place] ^= 1
    file.write_bytes(changed)
    with pytest.raises(DamagedObject):
        read(tmp_path, name)


@pytest.mark.parametrize("keep", [0, 7, 47, 63, 64, 70])
def test_a_cut_file_is_noticed(tmp_path: Path, keep: int) -> None:
    name = put(tmp_path)
    file = archive(tmp_path).sealed_path(name)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(DamagedObject):
        read(tmp_path, name)


def test_what_is_sealed_once_stays_sealed(tmp_path: Path) -> None:
    """Whoever sends the same bytes under a harmless name opens nothing."""
    name = put(tmp_path)
    assert put(tmp_path, sealed=False) == name
    assert names(tmp_path) == ["sealed"]
    assert read(tmp_path, name) == TEXT


def test_a_plain_object_is_sealed_later(tmp_path: Path) -> None:
    name = put(tmp_path, sealed=False)
    assert names(tmp_path) == ["zst"]
    for _ in range(2):
        archive(tmp_path).seal(name)
        assert names(tmp_path) == ["sealed"]
        assert read(tmp_path, name) == TEXT


def test_a_plain_copy_beside_the_sealed_one_goes_at_the_next_sealing(tmp_path: Path) -> None:
    """As a kill between writing the one and removing the other leaves it."""
    name = put(tmp_path, sealed=False)
    plain = archive(tmp_path).path(name).read_bytes()
    archive(tmp_path).seal(name)
    archive(tmp_path).path(name).write_bytes(plain)
    archive(tmp_path).seal(name)
    assert names(tmp_path) == ["sealed"]


def test_the_question_whether_to_seal_is_asked_while_changes_are_watched_for(
    tmp_path: Path,
) -> None:
    file = tmp_path / "sent"
    file.write_bytes(b"harmless")

    def swap() -> bool:
        (tmp_path / "other").write_bytes(TEXT)
        (tmp_path / "other").replace(file)
        return False

    with pytest.raises(ChangedWhileRead):
        archive(tmp_path).put(file, private=swap)
    assert names(tmp_path) == []


def test_an_erased_object_says_when_and_why(tmp_path: Path) -> None:
    name = put(tmp_path)
    for _ in range(2):
        archive(tmp_path, None).erase(name, at=NOON, why="期限")
    assert names(tmp_path) == ["erased"]
    assert not archive(tmp_path).holds(name)
    with pytest.raises(ErasedObject) as erased:
        read(tmp_path, name)
    assert (erased.value.at, erased.value.why) == ("2026-08-03T03:00:00+00:00", "期限")


def test_erasing_takes_both_copies(tmp_path: Path) -> None:
    name = put(tmp_path, sealed=False)
    plain = archive(tmp_path).path(name).read_bytes()
    archive(tmp_path).seal(name)
    archive(tmp_path).path(name).write_bytes(plain)
    archive(tmp_path).erase(name, at=NOON, why="期限")
    assert names(tmp_path) == ["erased"]


def test_what_never_was_cannot_be_erased(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="ab" * 32):
        archive(tmp_path).erase("ab" * 32, at=NOON, why="期限")


def test_bytes_that_come_again_are_held_again(tmp_path: Path) -> None:
    name = put(tmp_path)
    archive(tmp_path).erase(name, at=NOON, why="期限")
    put(tmp_path)
    assert names(tmp_path) == ["sealed"]
    assert read(tmp_path, name) == TEXT


@pytest.mark.failpoints
@pytest.mark.parametrize(
    ("failpoint", "act", "left"),
    [
        ("object-sealed", "seal", ["sealed", "zst"]),
        ("object-tombstone", "erase", ["erased", "zst"]),
        ("file-before-rename", "erase", ["part", "zst"]),
        ("object-erased", "erase", ["erased"]),
    ],
)
def test_a_kill_leaves_what_the_next_run_finishes(
    tmp_path: Path, failpoint: str, act: str, left: list[str]
) -> None:
    name = put(tmp_path, sealed=False)
    work = (
        "import sys; from pathlib import Path; from tests.unit.test_sealed import NOON, archive\n"
        "held = archive(Path(sys.argv[1]))\n"
        "if sys.argv[3] == 'seal': held.seal(sys.argv[2])\n"
        "else: held.erase(sys.argv[2], at=NOON, why='期限')"
    )
    command = [sys.executable, "-c", work, str(tmp_path), name, act]
    environment = {k: v for k, v in os.environ.items() if k != "GENIAC_FAILPOINT"}
    killed = subprocess.run(
        command, cwd=ROOT, env={**environment, "GENIAC_FAILPOINT": failpoint}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert names(tmp_path) == left
    archive(tmp_path).remove_leftovers()
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    assert names(tmp_path) == ["sealed" if act == "seal" else "erased"]


@given(st.text(), st.text(max_size=20))
def test_a_sealed_value_opens_where_it_belongs_and_nowhere_else(value: str, place: str) -> None:
    sealed = seal_value(SECRET, "people", value, place)
    assert open_value(SECRET, "people", sealed, place) == value
    for secret, purpose, bound_to in (
        (OTHER, "people", place),
        (SECRET, "others", place),
        (SECRET, "people", place + "x"),
    ):
        with pytest.raises(NotGenuine):
            open_value(secret, purpose, sealed, bound_to)
