"""What a trace shows of originals: the line, or why it is not shown."""

from datetime import UTC, datetime
from pathlib import Path

from geniac_pipelines.figures.trace import Level, Origin, Trace, original_line
from geniac_pipelines.figures.trace_text import SEALED, as_text
from geniac_pipelines.store.archive import Archive
from geniac_pipelines.store.secret import Secret

SECRET = Secret(b"k" * 32)
TEXT = "User|JobName\nyamada|学習\nsuzuki|推論"


def archive(root: Path, secret: Secret | None = SECRET) -> Archive:
    return Archive(root / "archive", secret=secret)


def put(root: Path, content: bytes, sealed: bool) -> str:
    (root / "sent").write_bytes(content)
    return archive(root).put(root / "sent", private=lambda: sealed).sha256


def found(sha256: str, sheet: str | None = None) -> Trace:
    row = {"_arrival": "a1", "_sheet": sheet, "_line": 2}
    return Trace(
        figure="f",
        label="数",
        value="1",
        unit=None,
        report="monthly",
        generation=1,
        sql="select 1",
        parameters={},
        levels=[Level("landing.t", [row], 1)],
        origins=[Origin("a1", "a/x.csv", "a", "2026-08-03", sha256)],
    )


def last_line(text: str) -> str:
    return text.splitlines()[-1].strip()


def test_a_line_of_a_plain_original_is_shown_to_everybody(tmp_path: Path) -> None:
    trace = found(put(tmp_path, TEXT.encode(), sealed=False))
    expected = "a/x.csv 2行目: yamada|学習"
    assert last_line(as_text(trace, archive(tmp_path, None))) == expected


def test_a_line_of_a_sealed_one_only_to_somebody_who_said_why(tmp_path: Path) -> None:
    trace = found(put(tmp_path, TEXT.encode(), sealed=True))
    shown = as_text(trace, archive(tmp_path), reveal=True)
    assert last_line(shown) == "a/x.csv 2行目: yamada|学習"
    hidden = as_text(trace, archive(tmp_path, None))
    assert last_line(hidden) == f"a/x.csv 2行目: {SEALED}"
    assert "yamada" not in hidden


def test_an_erased_original_is_named_as_such(tmp_path: Path) -> None:
    for sealed, sheet, where in (
        (True, None, "2行目"),
        (False, "実績", "シート「実績」 2行目"),
    ):
        name = put(tmp_path, TEXT.encode() + (sheet or "").encode(), sealed)
        archive(tmp_path).erase(name, at=datetime(2027, 9, 8, tzinfo=UTC), why="期限")
        for reveal in (False, True):
            text = as_text(found(name, sheet), archive(tmp_path), reveal=reveal)
            assert last_line(text) == f"a/x.csv {where}: 原本は削除済み（期限）"


def test_a_rotten_or_missing_original_does_not_stop_a_trace(tmp_path: Path) -> None:
    name = put(tmp_path, TEXT.encode(), sealed=False)
    archive(tmp_path).path(name).write_bytes(b"rot")
    for sha256 in (name, "ab" * 32):
        assert "原本を読めません" in last_line(as_text(found(sha256), archive(tmp_path)))


def test_lines_are_counted_from_one_whatever_their_ends(tmp_path: Path) -> None:
    name = put(tmp_path, b"a\r\nb\n\nd", sealed=True)
    held = archive(tmp_path)
    assert [original_line(held, name, n) for n in range(1, 6)] == ["a", "b", "", "d", None]
    assert original_line(held, put(tmp_path, b"PK\0\1\nx", sealed=False), 2) is None
