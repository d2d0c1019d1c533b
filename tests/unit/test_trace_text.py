"""What a trace says: how much there is of what it shows, and originals' lines or why they lack."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from geniac_pipelines.figures.trace import Origin, Printed, Trace, original_line
from geniac_pipelines.figures.trace_rows import NO_WAY, Level
from geniac_pipelines.figures.trace_text import SEALED, SHOWN_ARRIVALS, as_text
from geniac_pipelines.store.archive import Archive
from geniac_pipelines.store.secret import Secret

SECRET = Secret(b"k" * 32)
TEXT = "User|JobName\nyamada|学習\nsuzuki|推論"


def archive(root: Path, secret: Secret | None = SECRET) -> Archive:
    return Archive(root / "archive", secret=secret)


def put(root: Path, content: bytes, sealed: bool) -> str:
    (root / "sent").write_bytes(content)
    return archive(root).put(root / "sent", private=lambda: sealed).sha256


PRINTED = Printed(
    report="monthly/2026-08/meti_nedo",
    generation=1,
    version="0123456789ab",
    as_of=date(2026, 9, 7),
    status="issued",
    audience="meti_nedo",
    is_out=True,
    has_data=True,
    warehouse=Path("warehouse.duckdb"),
    label="数",
    value="1",
    unit="件",
    origin={"sql": "select 1", "parameters": {}},
)


def found(sha256: str, sheet: str | None = None) -> Trace:
    row = {"_arrival": "a1", "_sheet": sheet, "_line": 2}
    return Trace(
        figure="f",
        printed=PRINTED,
        levels=[Level("landing.t", [row], 1, frozenset(["a1"]))],
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


def many(files: int) -> Trace:
    origins = [Origin(f"a{n}", f"a/{n}.csv", "a", "2026-08-03", "ab" * 32) for n in range(files)]
    level = Level("landing.t", [{"n": n} for n in range(20)], 12_345)
    return replace(found("ab" * 32), levels=[level], origins=origins)


def test_each_level_says_how_many_rows_there_are_and_how_many_are_shown(tmp_path: Path) -> None:
    assert "landing.t　全 12,345 行（うち 20 行を表示）" in as_text(many(1), archive(tmp_path))


def test_all_files_are_counted_and_all_can_be_named(tmp_path: Path) -> None:
    some = as_text(many(1_234), archive(tmp_path)).splitlines()
    assert "もとのファイル　全 1,234 件" in some
    assert sum("/" in line and ".csv" in line for line in some) == SHOWN_ARRIVALS
    assert some[-1] == "    ほか 1,224 件（すべて見るには --all）"
    every = as_text(many(1_234), archive(tmp_path), every_file=True)
    assert sum(".csv" in line for line in every.splitlines()) == 1_234
    assert "--all" not in every


def test_where_the_way_ends_early_the_files_are_those_that_are_known(tmp_path: Path) -> None:
    ends = Level("ledger.figures", [{"figure": "f"}], 1, stop=NO_WAY)
    text = as_text(replace(many(0), levels=[ends]), archive(tmp_path))
    assert f"※ {NO_WAY}" in text
    assert "もとのファイル　分かった限り 全 0 件" in text


def test_other_reports_with_the_number_are_named_with_what_they_printed(tmp_path: Path) -> None:
    newer = replace(PRINTED, generation=2, status="draft", is_out=False, value=None)
    lost = replace(PRINTED, generation=3, has_data=False)
    lines = as_text(replace(many(1), others=[lost, newer]), archive(tmp_path)).splitlines()
    assert lines[2:6] == [
        "値      1 件",
        "報告書  monthly/2026-08/meti_nedo（世代 1、データの版 0123456789ab、発行済み、公開中）",
        "ほかに  monthly/2026-08/meti_nedo（世代 3、データの版 0123456789ab、発行済み、公開中、"
        "データなし）　値 1 件",
        "ほかに  monthly/2026-08/meti_nedo（世代 2、データの版 0123456789ab、暫定）　値 ―",
    ]
