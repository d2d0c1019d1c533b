"""Real output of Slurm 22.05 and of XDMoD's test sites, trap by trap.

The Slurm files come from one small cluster whose jobs were made to hit every trap: the same jobs
as epoch text with steps, as local text of allocations only, as JSON, and as sreport's own sums.
"""

import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from tests.realdata import realdata
from tests.unit.sacct_files import at, read_file
from tests.unit.sacct_files import read as read_bytes

pytestmark = pytest.mark.realdata

EPOCH = "slurm_22.05_sacct_parsable2_epoch.txt"
LOCAL = "slurm_22.05_sacct_parsable2_local_allocations.txt"
HOUR = "slurm_22.05_sacct_matching_sreport_hour_delim1f.txt"
MIXED = "slurm_22.05_sacct_mig_mixed_delim1f.txt"
JSON = "slurm_22.05_sacct.json"
SREPORT = "slurm_22.05_sreport_account_utilization.txt"


def gpu_usage(name):
    return realdata(f"gpu_usage/{name}")


def outcome(name, zone="UTC"):
    return read_file(gpu_usage(name), zone)


def by_id(rows):
    return {row["job_id"]: row for row in rows}


def text_lines(name):
    return gpu_usage(name).read_text().splitlines()


def test_epoch_text_gives_one_row_for_each_allocation_and_none_for_steps():
    # rows whose first field has no dot; "line2|…" is the rest of a name
    allocations = [
        line
        for line in text_lines(EPOCH)[1:]
        if re.match(r"[0-9_+]+\|", line) and "." not in line.split("|")[0]
    ]
    found = outcome(EPOCH)
    assert len(allocations) == 26
    assert [row["job_id"] for row in found.values] == [a.split("|")[1] for a in allocations]
    assert found.codes == ["sacct.mended"]


def test_steps_that_repeat_the_allocation_are_not_counted_again():
    whole = by_id(outcome(EPOCH).values)["1"]
    steps = [line for line in text_lines(EPOCH) if line.startswith(("1.batch|", "1.0|"))]
    assert [re.findall(r"gres/gpu=(\d+)", step) for step in steps] == [["8"], ["16"]]
    assert (whole["gres_allocated"], whole["gpu_count"]) == ("h100=16", 16)


def test_a_pipe_in_a_job_name_is_mended_since_one_reading_alone_fits():
    row = by_id(outcome(EPOCH).values)["3"]
    assert row["job_name_pseudonym"] == "job_name<????|v2>"
    assert (row["account"], row["gres_allocated"]) == ("company_b", "h100=4")
    assert row["started_at"] == at(1795444400)


def test_a_line_feed_in_a_job_name_is_mended():
    row = by_id(outcome(EPOCH).values)["4"]
    assert row["job_name_pseudonym"] == "job_name<line1\nline2>"
    assert (row["ended_at"], row["gpu_count"]) == (at(1795444412), 1)


def test_both_broken_rows_are_reported_in_one_note():
    note = outcome(EPOCH).refusal("sacct.mended")
    assert (note.params["count"], note.place.row) == (2, 8)


def test_a_requeued_job_keeps_both_runs():
    runs = [row for row in outcome(EPOCH).values if row["job_id"] == "21"]
    assert [(r["state"], r["elapsed_seconds"], r["run_key"]) for r in runs] == [
        ("PREEMPTED", 3, at(1795444460)),
        ("COMPLETED", 40, at(1795444465)),
    ]


def test_states_lose_their_tails_and_all_kinds_come_through():
    states = Counter(row["state"] for row in outcome(EPOCH).values)
    assert states == {
        "COMPLETED": 18,
        "CANCELLED": 2,
        "FAILED": 2,
        "TIMEOUT": 1,
        "NODE_FAIL": 1,
        "PREEMPTED": 1,
        "PENDING": 1,
    }


def test_pending_and_cancelled_before_start_hold_nothing():
    rows = by_id(outcome(EPOCH).values)
    for job_id, ended in (("11", None), ("15", at(1795444425))):
        row = rows[job_id]
        assert (row["started_at"], row["ended_at"], row["node_list"]) == (None, ended, None)
        assert (row["gres_allocated"], row["gpu_count"]) == ("", 0)
        assert row["gres_requested"] == "gpu=16"


def test_untyped_request_and_typed_allocation_are_told_apart():
    row = by_id(outcome(EPOCH).values)["2"]
    assert (row["gres_requested"], row["gres_allocated"]) == ("gpu=2", "h100=2")


def test_a_job_without_gpu_has_none():
    row = by_id(outcome(EPOCH).values)["9"]
    assert (row["gres_allocated"], row["gpu_count"], row["elapsed_seconds"]) == ("", 0, 5)


def test_array_and_heterogeneous_jobs_are_kept_by_raw_id():
    ids = {row["job_id"] for row in outcome(EPOCH).values}
    assert {"8", "16", "17", "18", "19", "20", "12", "13"} <= ids
    assert not any(set("_+.") & set(job_id) for job_id in ids)


def test_local_stamps_in_the_right_zone_are_the_epoch_stamps():
    local, epoch = outcome(LOCAL, "UTC"), outcome(EPOCH)
    assert local.values == epoch.values
    assert local.codes == ["sacct.local-time", "sacct.mended"]


def test_the_same_local_stamps_of_a_sender_in_japan_are_nine_hours_earlier():
    first = outcome(LOCAL, "Asia/Tokyo").values[0]
    assert first["started_at"] == datetime(2026, 11, 23, 5, 32, 55, tzinfo=UTC)
    assert outcome(EPOCH).values[0]["started_at"] - first["started_at"] == timedelta(hours=9)


def test_json_gives_the_rows_that_the_text_gives():
    text = {(r["job_id"], r["run_key"]): r for r in outcome(EPOCH).values}
    found = outcome(JSON)
    assert len(found.rows) == len(json.loads(gpu_usage(JSON).read_text())["jobs"]) == 14
    assert found.refusals == []
    for row in found.values:
        assert row == text[row["job_id"], row["run_key"]]


def test_mig_slices_count_as_gres_entries_and_keep_their_profile():
    rows = by_id(outcome(MIXED).values)
    assert {k: (r["gres_allocated"], r["gpu_count"]) for k, r in rows.items()} == {
        "43": ("1g.10gb=1", 1),
        "45": ("1g.10gb=2,h100=1", 3),
    }
    assert rows["45"]["gres_requested"] == "1g.10gb=2,h100=1"
    assert outcome(MIXED).refusals == []


def test_the_mixed_allocation_whose_first_entry_is_not_its_total_counts_five():
    # AllocTRES: gres/gpu:1g.10gb=3,gres/gpu:h100=2,gres/gpu=5
    row = by_id(outcome(HOUR).values)["42"]
    assert (row["gres_allocated"], row["gpu_count"]) == ("1g.10gb=3,h100=2", 5)


def test_few_fields_are_enough_and_what_they_lack_is_said_once():
    found = outcome(HOUR)
    assert found.codes == ["sacct.no-state", "sacct.no-submit", "sacct.no-run-key"]
    assert {row["state"] for row in found.values} == {"UNKNOWN"}
    assert all(row["run_key"] == row["started_at"] for row in found.values)
    assert len(found.rows) == len(text_lines(HOUR)) - 2


def test_the_only_row_left_out_of_the_hour_never_ran():
    refusal = outcome(HOUR).refusal("sacct.no-run-key")
    line = text_lines(HOUR)[refusal.place.row - 1]
    assert line.split("\x1f") == ["38", "robot_c", "None", "1795445519", "0", ""]


HOUR_START = datetime(2026, 11, 23, 14, tzinfo=UTC)
HOUR_END = datetime(2026, 11, 23, 15, tzinfo=UTC)


def seconds_within_the_hour(row):
    start, end = max(row["started_at"], HOUR_START), min(row["ended_at"], HOUR_END)
    return max(0, int((end - start).total_seconds()))


def sreport(tres):
    """Seconds by account, out of the rows of sreport that name an account and no user."""
    rows = [line.split("|") for line in text_lines(SREPORT) if line.startswith("geniac|")]
    return {r[1]: int(r[5]) for r in rows if r[1] != "root" and not r[2] and r[4] == tres}


def test_gpu_seconds_of_the_hour_equal_what_sreport_says_of_every_account():
    ours = defaultdict(int)
    for row in outcome(HOUR).values:
        ours[row["account"]] += row["gpu_count"] * seconds_within_the_hour(row)
    assert ours == sreport("gres/gpu")
    assert ours == {"company_a": 1306, "company_b": 2438, "prize_d": 303, "robot_c": 547}


@pytest.mark.parametrize("kind", ["h100", "1g.10gb"])
def test_gpu_seconds_by_type_equal_what_sreport_says(kind):
    ours = dict.fromkeys(sreport("gres/gpu"), 0)
    for row in outcome(HOUR).values:
        counts = dict(e.split("=") for e in row["gres_allocated"].split(",") if e)
        ours[row["account"]] += int(counts.get(kind, 0)) * seconds_within_the_hour(row)
    assert ours == sreport(f"gres/gpu:{kind}")


@pytest.mark.parametrize(
    "name",
    [
        "xdmod_phillips_sacct_slice.log",
        "xdmod_sacct_job_arrays.log",
        "xdmod_sacct_utf8_jobname.log",
    ],
)
def test_dumps_without_header_are_refused_with_the_remedy(name):
    found = outcome(name)
    assert found.format == "sacct-text"
    assert found.rows == []
    (refusal,) = found.refusals
    assert (refusal.complaint.code, refusal.complaint.costs) == ("sacct.no-header", "file")
    assert "見出し" in refusal.ja
    assert "--noheader" in refusal.ja_remedy
    assert "--noheader" in refusal.en_remedy


def test_a_dump_with_its_header_given_back_is_read():
    # the order of these fields is XDMoD's own; its first two rows hold two GPUs each
    names = (
        "JobID JobIDRaw Cluster Partition QOS Account Group GID User UID Submit Eligible Start "
        "End Elapsed ExitCode State NNodes NCPUS ReqCPUS ReqMem ReqTRES AllocTRES Timelimit "
        "NodeList JobName"
    )
    body = gpu_usage("xdmod_phillips_sacct_slice.log").read_bytes()
    with_header = names.replace(" ", "|").encode() + b"\n" + body
    found = read_bytes(with_header, "America/New_York")
    assert len(found.rows) == 1502 == body.count(b"\n")
    assert [row["gpu_count"] for row in found.values[:3]] == [2, 2, 0]
    assert found.values[0]["gres_allocated"] == "gpu=2"
    assert found.values[0]["elapsed_seconds"] == ((10 * 24 + 13) * 60 + 27) * 60 + 6
    assert found.values[0]["started_at"] == datetime(2016, 12, 22, 12, 15, 13, tzinfo=UTC)


def test_nothing_else_among_the_real_files_is_taken_for_sacct():
    claimed = {
        path.name
        for path in realdata("gpu_usage").parent.rglob("*")
        if path.is_file() and read_file(path).format is not None
    }
    assert claimed == {
        EPOCH,
        LOCAL,
        HOUR,
        MIXED,
        JSON,
        "xdmod_phillips_sacct_slice.log",
        "xdmod_sacct_job_arrays.log",
        "xdmod_sacct_utf8_jobname.log",
    }
