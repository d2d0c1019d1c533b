"""Envelopes are opened within bounds; hostile and damaged ones are refused with a reason."""

import gzip
import io
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geniac_pipelines.intake import unpack
from geniac_pipelines.intake.reading import Source
from geniac_pipelines.intake.unpack import UnpackRefused, is_archive, members


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def opened(tmp_path: Path, content: bytes, name: str = "sent.zip") -> list[tuple[str, bytes]]:
    """Names and contents of the members; folder `out` shows what was written where."""
    file = tmp_path / "sent"
    file.write_bytes(content)
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    return [(n, f.read_bytes()) for n, f in members(Source(name, file), out)]


def refusal(tmp_path: Path, content: bytes, name: str = "sent.zip") -> str:
    with pytest.raises(UnpackRefused) as caught:
        opened(tmp_path, content, name)
    return caught.value.refusal.complaint.code


def test_members_come_in_the_order_of_the_archive(tmp_path: Path) -> None:
    content = zipped(("b.csv", b"second"), ("folder/", b""), ("folder/a.csv", b"first"))
    assert opened(tmp_path, content) == [("b.csv", b"second"), ("folder/a.csv", b"first")]


def test_gzip_is_an_envelope_of_one(tmp_path: Path) -> None:
    content = gzip.compress(b"log", mtime=0)
    assert opened(tmp_path, content, "a/sacct.log.gz") == [("sacct.log", b"log")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (zipped(("a", b"")), True),
        (zipped(), True),
        (gzip.compress(b"", mtime=0), True),
        (b"PK", False),
    ],
)
def test_archives_are_known_by_their_first_bytes(
    tmp_path: Path, content: bytes, expected: bool
) -> None:
    (tmp_path / "f").write_bytes(content)
    assert is_archive(Source("whatever.txt", tmp_path / "f")) is expected


def test_a_bomb_by_ratio_is_stopped_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """50 MB of zeros in 50 kB: 1,000 times. Nothing near that size may reach disk or memory."""
    monkeypatch.setattr(unpack, "RATIO_FLOOR", 1 << 20)
    content = zipped(("zeros", bytes(50_000_000)))
    assert len(content) * unpack.MAX_RATIO < 50_000_000
    tracemalloc.start()
    assert refusal(tmp_path, content) == "archive.unsafe"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(f.stat().st_size for f in (tmp_path / "out").iterdir()) < 15_000_000
    assert peak < 15_000_000


def test_a_gzip_bomb_is_stopped(tmp_path: Path) -> None:
    content = gzip.compress(bytes(50_000_000))
    assert len(content) * unpack.MAX_RATIO < 50_000_000
    assert refusal(tmp_path, content, "x.gz") == "archive.unsafe"


def test_many_small_bombs_share_one_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_BYTES", 3_000_000)
    content = zipped(*((str(n), bytes(1_000_000)) for n in range(4)))
    assert refusal(tmp_path, content) == "archive.unsafe"


def test_a_bomb_by_count_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    content = zipped(*((str(n), b"") for n in range(unpack.MAX_MEMBERS + 1)))
    assert refusal(tmp_path, content) == "archive.unsafe"
    assert list((tmp_path / "out").iterdir()) == []


def test_a_lie_about_the_expanded_size_helps_no_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Central directory and local header say 10 bytes; the stream holds 50 MB."""
    monkeypatch.setattr(unpack, "RATIO_FLOOR", 1 << 20)
    content = bytearray(zipped(("zeros", bytes(50_000_000))))
    true_size = struct.pack("<I", 50_000_000)
    assert content.count(true_size) == 2
    lying = bytes(content.replace(true_size, struct.pack("<I", 10)))
    # read to the declared size, then the checksum is wrong: it never grows, it is never taken
    assert refusal(tmp_path, lying) == "archive.damaged"


def test_a_lie_about_the_compressed_size_widens_no_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "RATIO_FLOOR", 1 << 20)
    content = zipped(("zeros", bytes(50_000_000)))
    (info,) = zipfile.ZipFile(io.BytesIO(content)).infolist()
    lying = content.replace(struct.pack("<I", info.compress_size), struct.pack("<I", 2**31))
    assert refusal(tmp_path, lying) in ("archive.unsafe", "archive.damaged")
    assert sum(f.stat().st_size for f in (tmp_path / "out").iterdir()) < 15_000_000


def test_an_encrypted_archive_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """Bit 0 of the general purpose flags (APPNOTE 4.4.4), here of the second member only."""
    content = bytearray(zipped(("open.csv", b"x"), ("secret.csv", b"x")))
    central = content.rfind(b"PK\x01\x02")
    content[central + 8] |= 1
    assert refusal(tmp_path, bytes(content)) == "archive.encrypted"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../outside.csv", "a/../../b.csv", "C:\\x.csv", "..\\x.csv"]
)
def test_a_members_name_chooses_no_path(tmp_path: Path, name: str) -> None:
    found = opened(tmp_path, zipped((name, b"content")))
    assert found == [(name.replace("\\", "/"), b"content")]
    everything = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")}
    assert everything == {"sent", "out", "out/0"}


def raw_names(content: bytes, placeholder: bytes, name: bytes) -> bytes:
    """The archive with another name, and without the flag that says UTF-8."""
    assert len(placeholder) == len(name)
    assert content.count(placeholder) == 2
    return content.replace(placeholder, name)


@pytest.mark.parametrize("encoding", ["cp932", "utf-8"])
def test_japanese_names_without_the_utf8_flag_are_read(tmp_path: Path, encoding: str) -> None:
    """CP932 from Windows (表 holds the byte of a backslash), UTF-8 from macOS."""
    name = "報告/利用表①.csv".encode(encoding)
    placeholder = b"x" * len(name)
    content = raw_names(zipped((placeholder.decode(), b"c")), placeholder, name)
    assert [n for n, _ in opened(tmp_path, content)] == ["報告/利用表①.csv"]


def test_names_are_composed(tmp_path: Path) -> None:
    """macOS writes が as か and a mark (NFD)."""
    assert [n for n, _ in opened(tmp_path, zipped(("か\u3099.csv", b"c")))] == ["が.csv"]


def test_what_desktop_systems_add_is_left_out(tmp_path: Path) -> None:
    content = zipped(
        ("a.csv", b"a"), ("__MACOSX/._a.csv", b"?"), (".DS_Store", b"?"), ("x/Thumbs.db", b"?")
    )
    assert opened(tmp_path, content) == [("a.csv", b"a")]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_archive_is_damaged(tmp_path: Path, method: int, share: float) -> None:
    content = zipped(("a.csv", bytes(range(256)) * 50), method=method)
    assert refusal(tmp_path, content[: int(len(content) * share)]) == "archive.damaged"


def test_a_truncated_gzip_is_damaged(tmp_path: Path) -> None:
    content = gzip.compress(bytes(range(256)) * 50)
    assert refusal(tmp_path, content[:-9], "x.gz") == "archive.damaged"


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    body = b"abcdefgh" * 100
    content = zipped(("a.csv", body), method=zipfile.ZIP_STORED)
    assert zlib.crc32(body) != zlib.crc32(body[::-1])
    assert refusal(tmp_path, content.replace(body, body[::-1])) == "archive.damaged"


def test_a_compression_that_we_lack_is_told(tmp_path: Path) -> None:
    """Method 9, deflate64, which Windows uses for big files."""
    content = bytearray(zipped(("a.csv", b"x" * 100)))
    content[8] = 9
    content[content.rfind(b"PK\x01\x02") + 10] = 9
    assert refusal(tmp_path, bytes(content)) == "archive.damaged"


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_damage_raises_anything_but_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]))
    content = bytearray(zipped(("a.csv", b"abc" * 50), ("日本.csv", b"x" * 9), method=method))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = opened(tmp_path, bytes(content))
    except UnpackRefused as refused:
        assert refused.refusal.ja
    else:
        assert all(isinstance(n, str) for n, _ in found)


def test_a_full_disk_is_not_held_against_the_sender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(member: object, target: Path, limit: int) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(unpack, "_copy", full)
    with pytest.raises(OSError, match="No space left"):
        opened(tmp_path, zipped(("a.csv", b"x")))
