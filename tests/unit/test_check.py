"""What a file would be told before it is handed in: as the night would judge it, nothing kept."""

import gzip
import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from geniac_pipelines.areas import FORMATS as ALL_FORMATS
from geniac_pipelines.cli import main
from geniac_pipelines.gpu_usage.contracts import MONTHLY_NOTES, MONTHLY_USAGE
from geniac_pipelines.gpu_usage.expectations import EXPECTATIONS
from geniac_pipelines.gpu_usage.workbooks import FORMATS, MONTHLY_WORKBOOK
from geniac_pipelines.intake import land
from geniac_pipelines.intake.check import check
from geniac_pipelines.intake.workbook import write_template
from tests.unit.handed_in import CONTEXT
from tests.unit.telemetry_files import reply, series

GOOD = {"month": "2026-09", "gpu_type": "H100", "reported_gpu_hours": 10, "reported_jpy": 9000}
NOTE = {"month": "2026-09", "note_number": 1, "kind": "進捗", "body": "順調"}


def monthly(file: Path, *usage: dict[str, object]) -> Path:
    write_template(
        MONTHLY_WORKBOOK, file, {MONTHLY_USAGE.name: list(usage), MONTHLY_NOTES.name: [NOTE]}
    )
    return file


def zipped(file: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def test_a_file_is_checked_and_judged_before_it_is_handed_in(tmp_path) -> None:
    file = tmp_path / "月次.xlsx"
    usage = [
        {"month": "令和8年9月", "gpu_type": "H100", "reported_gpu_hours": 10, "reported_jpy": 5},
        {"month": "2026年13月", "gpu_type": "H100", "reported_gpu_hours": 10},
    ]
    note = {"month": "2026-09", "note_number": 1, "kind": "進捗", "body": "順調"}
    rows = {MONTHLY_USAGE.name: usage, MONTHLY_NOTES.name: [note]}
    write_template(MONTHLY_WORKBOOK, file, rows)
    [said] = check(file, FORMATS, CONTEXT, EXPECTATIONS)
    assert said.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (said.sender, said.received_at, said.outcome) == (
        "aoi-ai",
        CONTEXT.received_at,
        "partial",
    )
    assert said.rows_taken == {MONTHLY_USAGE.ja: 1, MONTHLY_NOTES.ja: 1}
    assert [(r.code, r.line) for r in said.refusals] == [
        ("cell.month", 3),
        ("gpu-usage.price-implausible", 2),
    ]


def test_an_unknown_file_is_answered_too(tmp_path) -> None:
    file = tmp_path / "letter.pdf"
    file.write_bytes(b"%PDF-1.7")
    [said] = check(file, FORMATS, CONTEXT)
    assert (said.outcome, said.must_correct) == ("refused", True)
    assert said.refusals[0].code == "format.unknown"


def test_each_file_of_a_zip_is_answered_as_if_it_had_come_alone(tmp_path) -> None:
    good = monthly(tmp_path / "good.xlsx", GOOD).read_bytes()
    bad = monthly(tmp_path / "bad.xlsx", GOOD | {"month": "2026年13月"}).read_bytes()
    sent = zipped(tmp_path / "提出.zip", **{"9月/良.xlsx": good, "9月/否.xlsx": bad})
    first, second = check(sent, FORMATS, CONTEXT, EXPECTATIONS)
    assert (first.file_name, first.outcome) == ("提出.zip!9月/良.xlsx", "accepted")
    assert first.sha256 == hashlib.sha256(good).hexdigest()
    assert (second.file_name, second.outcome) == ("提出.zip!9月/否.xlsx", "partial")
    assert [r.code for r in second.refusals] == ["cell.month"]


def test_a_gzipped_reply_of_prometheus_is_read_like_the_plain_one(tmp_path) -> None:
    values = [(1_790_607_600 + 60 * n, "40") for n in range(5)]
    text = reply(series("DCGM_FI_DEV_GPU_UTIL", values, uuid="GPU-1"))
    plain, packed = tmp_path / "one.json", tmp_path / "one.json.gz"
    plain.write_text(text, encoding="utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    [said] = check(packed, ALL_FORMATS, CONTEXT)
    [alone] = check(plain, ALL_FORMATS, CONTEXT)
    assert said.file_name == "one.json.gz!one.json"
    assert said.rows_taken == alone.rows_taken == {"GPUテレメトリ": 5}


def test_of_a_zip_that_the_night_refuses_nothing_is_said_to_be_taken(tmp_path) -> None:
    good = monthly(tmp_path / "good.xlsx", GOOD).read_bytes()
    inner = zipped(tmp_path / "inner.zip", **{"a.txt": b"a"}).read_bytes()
    sent = zipped(tmp_path / "sent.zip", **{"1.xlsx": good, "2.zip": inner})
    [said] = check(sent, FORMATS, CONTEXT)
    assert (said.file_name, said.outcome) == ("sent.zip", "refused")
    assert [r.code for r in said.refusals] == ["archive.nested"]
    assert said.rows_taken == {}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (gzip.compress(b"x" * 100)[:-9], "archive.damaged"),
        (b"PK\x05\x06" + bytes(18), "archive.empty"),
    ],
)
def test_a_damaged_or_empty_archive_is_told_as_such_in_japanese(tmp_path, content, code) -> None:
    sent = tmp_path / "sent.bin"
    sent.write_bytes(content)
    [said] = check(sent, FORMATS, CONTEXT)
    assert [r.code for r in said.refusals] == [code]
    words = said.refusals[0].ja + said.refusals[0].ja_remedy
    assert words.isascii() is False
    assert not any(c.isascii() and c.isalpha() for c in words)


def test_so_many_complaints_as_a_night_keeps_are_shown_and_the_others_counted(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(land, "MAX_REFUSALS", 2)
    bad = [GOOD | {"month": f"2026年{13 + n}月"} for n in range(5)]
    [said] = check(monthly(tmp_path / "bad.xlsx", *bad), FORMATS, CONTEXT)
    assert (len(said.refusals), said.left_out) == (2, 3)
    assert "このほかに3件あります" in said.ja
    assert "There are 3 more" in said.en


def test_text_that_no_encoding_fits_is_answered_not_raised(tmp_path) -> None:
    file = tmp_path / "sacct.txt"
    head = b"JobIDRaw|Account|User|Submit|Start|End|ElapsedRaw|State|AllocTRES\n"
    file.write_bytes(head + b"1|a|\xff\xfe\x81|1|2|3|1|COMPLETED|gres/gpu=1\n")
    [said] = check(file, ALL_FORMATS, CONTEXT)
    assert said.refusals
    assert said.must_correct


def test_only_files_are_looked_at() -> None:
    run = CliRunner().invoke(main, ["check", "/dev/zero"])
    assert run.exit_code != 0
    assert "not a file" in run.output


def test_values_that_no_number_can_hold_are_told(tmp_path) -> None:
    found = series("DCGM_FI_DEV_GPU_UTIL", [(1_790_607_600, "1e400")], uuid="GPU-1")
    file = tmp_path / "inf.json"
    file.write_text(reply(found), encoding="utf-8")
    [said] = check(file, ALL_FORMATS, CONTEXT)
    assert said.rows_taken == {}
    assert said.refusals, json.loads(file.read_text())
