"""`sacct -P` and `-p`: which rows come out, which are refused, and what the sender is told.

1795444375 is 2026-11-23T14:32:55 UTC; a real Slurm printed both for one job.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geniac_pipelines.gpu_usage.sacct import FORMATS, SACCT_TEXT
from geniac_pipelines.gpu_usage.sacct.fields import FIELD_NAMES, FREE_TEXT
from geniac_pipelines.intake.land import land
from geniac_pipelines.intake.reading import Source
from tests.unit.sacct_files import at, context, read

T0 = 1795444375
TRES = "billing=16,cpu=16,gres/gpu:h100=16,gres/gpu=16,mem=128G,node=2"
JOB = {
    "Cluster": "geniac",
    "JobID": "8_5",
    "JobIDRaw": "8",
    "JobName": "pretrain-13b",
    "Account": "company_a",
    "User": "genuser1",
    "Partition": "gpu",
    "QOS": "normal",
    "Submit": str(T0),
    "Eligible": str(T0 + 1),
    "Start": str(T0 + 25),
    "End": str(T0 + 46),
    "ElapsedRaw": "21",
    "TimelimitRaw": "5",
    "State": "CANCELLED by 1001",
    "ExitCode": "0:15",
    "Reason": "JobArrayTaskLimit",
    "NNodes": "2",
    "ReqTRES": "billing=16,cpu=16,gres/gpu=16,mem=128G,node=2",
    "AllocTRES": TRES,
    "NodeList": "gpu[01-02]",
    "ConsumedEnergyRaw": "7200",
}
ROW = {
    "cluster": "geniac",
    "job_id": "8",
    "run_key": at(T0),
    "account": "company_a",
    "user_pseudonym": "user<genuser1>",
    "job_name_pseudonym": "job_name<pretrain-13b>",
    "partition": "gpu",
    "qos": "normal",
    "state": "CANCELLED",
    "exit_code": "0:15",
    "reason": "JobArrayTaskLimit",
    "submitted_at": at(T0),
    "eligible_at": at(T0 + 1),
    "started_at": at(T0 + 25),
    "ended_at": at(T0 + 46),
    "elapsed_seconds": 21,
    "time_limit_seconds": 300,
    "node_count": 2,
    "node_list": "gpu[01-02]",
    "gres_allocated": "h100=16",
    "gpu_count": 16,
    "gres_requested": "gpu=16",
    "energy_joules": 7200,
}
STEP = JOB | {"JobID": "8_5.batch", "JobIDRaw": "8.batch", "JobName": "batch", "User": ""}


def table(*jobs, names=None, delimiter="|", trailing=False):
    """sacct's output for these jobs, in the order of `names`."""
    names = names or list(jobs[0])
    end = delimiter if trailing else ""
    rows = [names, *([job.get(name, "") for name in names] for job in jobs)]
    return "".join(delimiter.join(row) + end + "\n" for row in rows)


def without(*names):
    return {name: cell for name, cell in JOB.items() if name not in names}


def one(**cells):
    """The only row of a file with one job, and the outcome."""
    outcome = read(table(JOB | cells))
    (row,) = outcome.values
    return row, outcome


# --- what is read


def test_a_row_with_every_field():
    outcome = read(table(JOB))
    assert outcome.values == [ROW]
    assert outcome.refusals == []
    assert outcome.rows[0].place.row == 2


@given(
    names=st.permutations(list(JOB)),
    delimiter=st.sampled_from(["|", "\x1f", ";", "\t", "^", "@@", "~~~"]),
    trailing=st.booleans(),
)
def test_any_order_of_fields_and_any_delimiter_give_the_same_rows(names, delimiter, trailing):
    other = JOB | {"JobIDRaw": "9", "State": "RUNNING", "End": "Unknown", "JobName": "学習"}
    text = table(JOB, STEP, other, STEP, names=names, delimiter=delimiter, trailing=trailing)
    outcome = read(text)
    assert [row["job_id"] for row in outcome.values] == ["8", "9"]
    assert outcome.values[0] == ROW
    assert outcome.values[1]["ended_at"] is None
    assert outcome.values[1]["job_name_pseudonym"] == "job_name<学習>"
    assert outcome.refusals == []


def test_steps_are_dropped_and_counted_nowhere():
    with_steps = read(table(JOB, STEP, STEP | {"JobIDRaw": "8.0", "JobID": "8_5.0"}))
    assert with_steps.values == [ROW]
    assert with_steps.refusals == []


def test_a_step_is_known_by_either_id():
    outcome = read(table(without("JobIDRaw"), STEP, names=list(without("JobIDRaw"))))
    assert [row["job_id"] for row in outcome.values] == ["8_5"]


def test_requeued_runs_of_one_job_stay_apart_by_their_submit_time():
    first = JOB | {"State": "PREEMPTED"}
    second = JOB | {"Submit": str(T0 + 50), "Start": str(T0 + 60), "End": str(T0 + 81)}
    keys = [(row["job_id"], row["run_key"]) for row in read(table(first, second)).values]
    assert keys == [("8", at(T0)), ("8", at(T0 + 50))]


def test_without_submit_runs_are_told_by_start_and_the_file_gets_one_note():
    first = without("Submit", "Eligible")
    second = first | {"JobIDRaw": "9", "Start": str(T0 + 60), "End": str(T0 + 81)}
    outcome = read(table(first, second))
    assert [row["run_key"] for row in outcome.values] == [at(T0 + 25), at(T0 + 60)]
    assert outcome.codes == ["sacct.no-submit"]


def test_without_state_every_state_is_unknown_and_the_file_gets_one_note():
    outcome = read(table(without("State"), without("State") | {"JobIDRaw": "9"}))
    assert [row["state"] for row in outcome.values] == ["UNKNOWN", "UNKNOWN"]
    assert outcome.codes == ["sacct.no-state"]


@pytest.mark.parametrize(
    ("cell", "state"),
    [
        ("COMPLETED", "COMPLETED"),
        ("CANCELLED by 0", "CANCELLED"),
        ("CANCELLED+", "CANCELLED"),
        ("OUT_OF_MEMORY", "OUT_OF_MEMORY"),
        ("NODE_FAIL", "NODE_FAIL"),
    ],
)
def test_states_lose_their_tails(cell, state):
    assert one(State=cell)[0]["state"] == state


@pytest.mark.parametrize(
    "cells",
    [
        {"Submit": "2026-11-23T23:32:55"},
        {"Submit": "2026-11-23 23:32:55"},
        {"Submit": "2026-11-23T14:32:55+0000"},
        {"Submit": "2026-11-23T23:32:55+09:00"},
        {"Submit": "2026-11-23T14:32:55Z"},
    ],
)
def test_stamps_local_to_the_sender_or_with_offset(cells):
    outcome = read(table(JOB | cells), zone="Asia/Tokyo")
    assert outcome.values == [ROW]


def test_local_stamps_are_reported_with_the_zone_they_were_read_in():
    outcome = read(table(JOB | {"End": "2026-11-23T23:33:41"}), zone="Asia/Tokyo")
    assert outcome.values == [ROW]
    assert "Asia/Tokyo" in outcome.refusal("sacct.local-time").ja


@pytest.mark.parametrize("cell", ["Unknown", "None", "N/A", "", "0"])
def test_a_job_that_never_started(cell):
    row, outcome = one(
        Start=cell,
        End="Unknown",
        ElapsedRaw="0",
        State="PENDING",
        AllocTRES="",
        NodeList="None assigned",
        Reason="None",
    )
    assert row["started_at"] is None
    assert row["ended_at"] is None
    assert row["run_key"] == at(T0)
    assert (row["gres_allocated"], row["gpu_count"]) == ("", 0)
    assert row["gres_requested"] == "gpu=16"
    assert row["node_list"] is None
    assert row["reason"] is None
    assert outcome.refusals == []


def test_elapsed_and_timelimit_in_their_printed_form():
    # 10 days 13:27:06 = 10 × 86400 + 13 × 3600 + 27 × 60 + 6 = 912426 s
    job = without("ElapsedRaw", "TimelimitRaw") | {
        "Elapsed": "10-13:27:06",
        "Timelimit": "37-14:00:00",
        "End": str(T0 + 25 + 912426),
    }
    (row,) = read(table(job)).values
    assert row["elapsed_seconds"] == 912426
    assert row["time_limit_seconds"] == 37 * 86400 + 14 * 3600


@pytest.mark.parametrize("cell", ["UNLIMITED", "Partition_Limit", "", "INVALID"])
def test_no_time_limit_is_empty_and_not_zero(cell):
    assert one(TimelimitRaw=cell)[0]["time_limit_seconds"] is None
    printed = without("TimelimitRaw") | {"Timelimit": cell}
    assert read(table(printed)).values[0]["time_limit_seconds"] is None


def test_energy_zero_means_not_measured():
    assert one(ConsumedEnergyRaw="0")[0]["energy_joules"] is None
    assert one(ConsumedEnergyRaw="18446744073709551614")[0]["energy_joules"] is None


def test_old_field_names_stand_in_where_tres_is_absent():
    job = without("AllocTRES", "ReqTRES") | {"AllocGRES": "gpu:tesla:2", "ReqGRES": "gpu:2"}
    outcome = read(table(job))
    (row,) = outcome.values
    assert (row["gres_allocated"], row["gpu_count"]) == ("tesla=2", 2)
    assert row["gres_requested"] == "gpu=2"
    assert outcome.refusals == []


def test_tres_is_preferred_to_the_old_fields():
    assert one(AllocGRES="gpu:99")[0]["gpu_count"] == 16


def test_without_raw_id_array_jobs_are_known_by_their_id_and_the_file_gets_one_note():
    outcome = read(table(without("JobIDRaw"), without("JobIDRaw") | {"JobID": "8_6"}))
    assert [row["job_id"] for row in outcome.values] == ["8_5", "8_6"]
    assert outcome.codes == ["sacct.no-raw-id"]
    plain = read(table(without("JobIDRaw") | {"JobID": "7"}))
    assert plain.codes == []


def test_people_and_names_leave_only_as_pseudonyms_and_free_text_not_at_all():
    private = {"WorkDir": "/home/yamada", "Comment": "secret", "SubmitLine": "sbatch x.sh"}
    outcome = read(table(JOB | private))
    assert outcome.values == [ROW]


def test_crlf_utf8_bom_and_utf16_files_read_alike():
    text = table(JOB)
    for data in (
        text.replace("\n", "\r\n").encode(),
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        b"\n\n" + text.encode(),
    ):
        assert read(data).values == [ROW]


def test_names_in_several_encodings_within_one_file():
    lines = table(JOB, JOB | {"JobIDRaw": "9"}).splitlines(keepends=True)
    data = b"".join(
        line.replace("pretrain-13b", "学習").encode(encoding)
        for line, encoding in zip(lines, ("ascii", "utf-8", "cp932"), strict=True)
    )
    names = [row["job_name_pseudonym"] for row in read(data).values]
    assert names == ["job_name<学習>"] * 2


def test_a_line_in_no_encoding_costs_that_row_alone():
    first, second, third = table(JOB, JOB | {"JobIDRaw": "9"}).encode().splitlines(keepends=True)
    outcome = read(first + second.replace(b"pretrain", b"\xff\xff") + third)
    assert [row["job_id"] for row in outcome.values] == ["9"]
    assert outcome.refusal("sacct.undecodable").place.row == 2


def test_files_put_together_may_repeat_the_header():
    outcome = read(table(JOB) + table(JOB | {"JobIDRaw": "9"}))
    assert [row["job_id"] for row in outcome.values] == ["8", "9"]
    assert outcome.refusals == []


def test_reading_ends_at_another_header():
    swapped = ["JobIDRaw", "End", "Start", *without("JobIDRaw", "Start", "End")]
    outcome = read(table(JOB) + table(JOB, names=swapped))
    assert outcome.values == [ROW]
    assert outcome.refusal("sacct.other-header").place.row == 3


# --- names that break rows

NAMED = ["JobIDRaw", "JobName", *without("JobIDRaw", "JobName")]
LAST = [*without("JobName"), "JobName"]


@pytest.mark.parametrize("names", [NAMED, LAST, list(JOB)])
@pytest.mark.parametrize(
    "name", ["a|b", "a|b|c|d", "|", "x|8|gpu", "line1\nline2", "a\n\nb|c", "\nb", "a|\nb\nc"]
)
def test_a_name_with_delimiters_or_line_feeds_is_put_together_again(names, name):
    broken = JOB | {"JobName": name}
    after = JOB | {"JobIDRaw": "9"}
    outcome = read(table(JOB | {"JobIDRaw": "7"}, broken, after, names=names))
    assert [row["job_id"] for row in outcome.values] == ["7", "8", "9"]
    assert outcome.values[1] == ROW | {"job_name_pseudonym": f"job_name<{name}>"}
    note = outcome.refusal("sacct.mended")
    assert (note.complaint.costs, note.place.row, note.params["count"]) == ("nothing", 3, 1)
    assert outcome.codes == ["sacct.mended"]


def test_names_with_line_feeds_in_neighbouring_rows():
    jobs = [JOB | {"JobIDRaw": str(k), "JobName": "a\nb"} for k in range(1, 4)]
    outcome = read(table(*jobs, names=NAMED))
    assert [row["job_id"] for row in outcome.values] == ["1", "2", "3"]
    assert outcome.refusal("sacct.mended").params["count"] == 3


def test_a_cut_row_never_takes_over_the_row_after_it():
    lines = table(JOB | {"JobIDRaw": "7"}, JOB, names=NAMED).splitlines(keepends=True)
    outcome = read(lines[0] + lines[1][:9] + "\n" + lines[2])
    assert outcome.values == [ROW]
    assert outcome.refusal("sacct.field-count").place.row == 2


def test_a_line_that_belongs_to_no_row_costs_nothing_else():
    header, row = table(JOB).splitlines(keepends=True)
    outcome = read(header + row + "slurm_load_jobs error: timeout\n" + row)
    assert len(outcome.rows) == 2
    assert outcome.refusal("sacct.field-count").place.row == 3


def test_free_text_before_the_id_is_not_put_together_over_lines():
    names = ["JobName", *without("JobName")]
    outcome = read(table(JOB | {"JobName": "a\nb"}, names=names))
    assert [r.place.row for r in outcome.refusals if r.complaint.costs == "row"] == [2]


def test_two_free_texts_side_by_side_leave_the_row_ambiguous():
    names = ["JobIDRaw", "Account", "Start", "End", "AllocTRES", "State", "WorkDir", "JobName"]
    outcome = read(table(JOB | {"WorkDir": "/tmp", "JobName": "a|b"}, JOB, names=names))
    assert [row["job_name_pseudonym"] for row in outcome.values] == ["job_name<pretrain-13b>"]
    refusal = outcome.refusal("sacct.field-count")
    assert (refusal.place.row, refusal.params["expected"], refusal.params["found"]) == (2, 8, 9)
    for text in (refusal.ja_remedy, refusal.en_remedy):
        assert "JobName" in text
        assert "0x1F" in text
        assert "--delimiter" in text


def test_free_texts_that_are_not_kept_may_share_a_surplus():
    names = [*LAST[:-1], "Comment", "WorkDir"]
    outcome = read(table(JOB | {"Comment": "a|b", "WorkDir": "/tmp"}, names=names))
    assert outcome.values == [ROW | {"job_name_pseudonym": None}]


def test_a_surplus_that_no_free_text_explains_is_refused():
    text = table(without("JobName")).replace("company_a", "company|a")
    outcome = read(text)
    assert outcome.rows == []
    assert outcome.codes == ["sacct.field-count"]


def test_broken_steps_cost_nothing():
    broken = STEP | {"JobName": "a\nb"}
    outcome = read(table(broken, JOB, names=NAMED))
    assert outcome.values == [ROW]
    assert outcome.refusals == []


@given(st.lists(st.tuples(st.text("ab| \n漢", max_size=12), st.booleans()), min_size=1, max_size=5))
def test_whatever_the_names_no_row_is_lost_or_mixed_up(names):
    jobs = [
        JOB | {"JobIDRaw": str(k), "JobName": name, "Account": f"acct{k}"}
        for k, (name, _) in enumerate(names)
    ]
    rows = []
    for job, (_, with_step) in zip(jobs, names, strict=True):
        rows += [job, STEP] if with_step else [job]
    outcome = read(table(*rows, names=NAMED))
    assert [row["job_id"] for row in outcome.values] == [job["JobIDRaw"] for job in jobs]
    for row, job in zip(outcome.values, jobs, strict=True):
        assert row["account"] == job["Account"]
        assert row["gpu_count"] == 16
        expected = f"job_name<{job['JobName']}>" if job["JobName"] else None
        assert row["job_name_pseudonym"] == expected


# --- what is refused


@pytest.mark.parametrize(
    ("absent", "named"),
    [
        (["Start"], "Start"),
        (["AllocTRES"], "AllocTRES"),
        (["JobID", "JobIDRaw", "End"], "JobIDRaw, End"),
    ],
)
def test_a_file_without_required_fields_is_refused_by_their_names(absent, named):
    outcome = read(table(without(*absent)))
    assert outcome.rows == []
    (refusal,) = outcome.refusals
    assert refusal.complaint.costs == "file"
    assert refusal.ja.endswith(f"：{named}")
    assert refusal.en.endswith(f": {named}")
    for field in ("JobIDRaw", "Submit", "Start", "End", "State", "AllocTRES"):
        assert field in refusal.ja_remedy
    assert "SLURM_TIME_FORMAT=%s sacct" in refusal.en_remedy


def test_the_default_fields_of_sacct_are_recognised_and_refused():
    text = "JobID|JobName|Partition|Account|AllocCPUS|State|ExitCode\n1|a|gpu|x|2|FAILED|1:0\n"
    assert read(text).codes == ["sacct.fields-missing"]


@pytest.mark.parametrize("delimiter", [",", " ", ":", "=", ", "])
def test_a_delimiter_that_values_hold_too_is_refused(delimiter):
    # cut at commas, "cpu=16,gres/gpu=16,name" would pass for a job name and GPUs for none
    names = [*without("JobName", "AllocTRES"), "AllocTRES", "JobName"]
    outcome = read(table(JOB, names=names, delimiter=delimiter))
    assert outcome.rows == []
    assert outcome.codes == ["sacct.delimiter"]
    assert r"--delimiter=$'\x1f'" in outcome.refusals[0].ja_remedy


def test_a_file_without_header_is_refused_with_the_remedy():
    text = "".join(table(JOB, STEP).splitlines(keepends=True)[1:])
    outcome = read(text)
    assert outcome.codes == ["sacct.no-header"]
    assert "-n" in outcome.refusals[0].en_remedy


def test_the_table_for_the_eye_is_refused_with_the_remedy():
    text = (
        "JobID           JobName  Partition    Account  AllocCPUS      State ExitCode \n"
        "------------ ---------- ---------- ---------- ---------- ---------- -------- \n"
        "1            pretrain-+        gpu  company_a         16  COMPLETED      0:0 \n"
    )
    outcome = read(text)
    assert outcome.codes == ["sacct.fixed-width"]
    assert "-P" in outcome.refusals[0].ja_remedy


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "Cluster|Account|Login|Proper Name|TRES Name|Used\n",
        "JOBID|PARTITION|NAME|USER|ST|TIME|NODES|NODELIST(REASON)\n",
        "NodeName=gpu01 Arch=x86_64 State=IDLE\n",
        "日付,組織,GPU時間\n2026-09-01,A社,10\n",
        "State|Start|End\nTokyo|1|2\n",
    ],
)
def test_other_files_are_not_claimed(text):
    assert read(text).format is None


def test_the_cut_last_row_is_refused_since_a_number_may_be_cut_too():
    names = [*without("AllocTRES"), "AllocTRES"]
    job = JOB | {"AllocTRES": "cpu=16,gres/gpu=16"}
    text = table(job, job, names=names)
    outcome = read(text[: -len("6\n")])  # … gres/gpu=1
    assert [row["gpu_count"] for row in outcome.values] == [16]
    assert outcome.refusal("sacct.cut").place.row == 3


@pytest.mark.parametrize("kept", [3, 40, 90, 150])
def test_a_file_cut_anywhere_in_its_last_row(kept):
    text = table(JOB, JOB | {"JobIDRaw": "9"})
    start = text.rindex("\n", 0, -1) + 1
    outcome = read(text[: start + kept])
    assert outcome.values == [ROW]
    assert outcome.codes == ["sacct.cut"]


def test_a_row_cut_inside_a_typed_field_does_not_cost_the_row_before_it():
    names = [*without("JobName"), "JobName"]
    text = table(JOB, JOB | {"JobIDRaw": "9"}, JOB | {"JobIDRaw": "10"}, names=names)
    within = text.rindex("gres/gpu=16,mem=128G,node=2|")  # the last row's ReqTRES
    outcome = read(text[: within + len("gres/g")])
    assert [row["job_id"] for row in outcome.values] == ["8", "9"]
    assert outcome.refusal("sacct.cut").place.row == 4


def test_a_last_row_closed_by_its_delimiter_is_whole():
    assert read(table(JOB, trailing=True).removesuffix("\n")).values == [ROW]


def test_rows_outside_a_truncated_window_are_left_out_with_a_note():
    outside = JOB | {"Start": str(T0 + 100), "End": str(T0 + 46), "ElapsedRaw": "0"}
    outcome = read(table(outside, JOB | {"JobIDRaw": "9"}))
    assert [row["job_id"] for row in outcome.values] == ["9"]
    note = outcome.refusal("sacct.outside-window")
    assert (note.complaint.costs, note.place.row) == ("nothing", 2)
    assert "-T" in note.ja_remedy


def test_a_run_that_ends_before_it_starts_is_refused():
    outcome = read(table(JOB | {"End": str(T0)}))
    assert outcome.rows == []
    assert outcome.codes == ["sacct.ends-before-start"]


@pytest.mark.parametrize(
    ("cells", "noted"),
    [
        ({"ElapsedRaw": "20"}, False),
        ({"ElapsedRaw": "22"}, False),
        ({"ElapsedRaw": "23"}, True),
        ({"ElapsedRaw": "11"}, True),
        ({"ElapsedRaw": "11", "Suspended": "00:00:10"}, False),
        ({"ElapsedRaw": "21", "Suspended": "00:00:10"}, True),
        ({"ElapsedRaw": "5", "End": "Unknown"}, False),
    ],
)
def test_elapsed_that_contradicts_the_stamps_is_noted_and_kept(cells, noted):
    row, outcome = one(**cells)
    assert row["elapsed_seconds"] == int(cells["ElapsedRaw"])
    assert outcome.codes == (["sacct.elapsed-differs"] if noted else [])


def test_a_job_that_ran_without_allocation_is_refused_since_that_is_not_zero_gpus():
    outcome = read(table(JOB | {"AllocTRES": ""}))
    assert outcome.rows == []
    assert outcome.codes == ["sacct.allocation-missing"]


def test_time_elapsed_without_a_start_is_refused():
    assert read(table(JOB | {"Start": "Unknown"})).codes == ["sacct.start-missing"]


def test_a_run_with_neither_submit_nor_start_has_no_key():
    pending = without("Submit") | {"Start": "Unknown", "ElapsedRaw": "0", "AllocTRES": ""}
    assert read(table(pending)).codes == ["sacct.no-submit", "sacct.no-run-key"]


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ("Start", "yesterday"),
        ("End", "2026-13-01T00:00:00"),
        ("Submit", "14:32:55"),
        ("State", "running?"),
        ("AllocTRES", "gres/gpu=two"),
        ("JobIDRaw", "eight"),
    ],
)
def test_an_unreadable_required_cell_costs_its_row_alone(field, cell):
    outcome = read(table(JOB | {field: cell}, JOB))
    assert outcome.values == [ROW]
    refusal = outcome.refusal("sacct.required-cell")
    assert (refusal.place.row, refusal.place.column, refusal.cell) == (2, field, cell)


@pytest.mark.parametrize(
    ("field", "cell", "column"),
    [
        ("NNodes", "two", "node_count"),
        ("ElapsedRaw", "-1", "elapsed_seconds"),
        ("TimelimitRaw", "5m", "time_limit_seconds"),
        ("ReqTRES", "gres/gpu=?", "gres_requested"),
        ("ExitCode", "zero", "exit_code"),
        ("Eligible", "soon", "eligible_at"),
        ("ConsumedEnergyRaw", "7.2K", "energy_joules"),
    ],
)
def test_an_unreadable_optional_cell_is_left_empty(field, cell, column):
    row, outcome = one(**{field: cell})
    assert row == ROW | {column: None}
    refusal = outcome.refusal("sacct.cell")
    assert (refusal.place.column, refusal.cell) == (field, cell)


def test_typed_gpus_beyond_the_total_are_noted():
    row, outcome = one(AllocTRES="gres/gpu:h100=16,gres/gpu=8")
    assert (row["gres_allocated"], row["gpu_count"]) == ("gpu=8", 8)
    assert outcome.codes == ["sacct.typed-exceed-total"]


def test_an_empty_state_is_unknown_and_said():
    row, outcome = one(State="")
    assert row["state"] == "UNKNOWN"
    assert outcome.codes == ["sacct.state-empty"]


def test_a_file_without_jobs_is_not_silent():
    outcome = read(table(STEP))
    assert outcome.rows == []
    assert outcome.refusal("sacct.no-jobs").params["steps"] == 1


def test_a_file_in_which_nobody_holds_a_gpu_asks_whether_that_is_so():
    cpu = JOB | {"AllocTRES": "billing=4,cpu=4,mem=4G,node=1"}
    outcome = read(table(cpu, cpu | {"JobIDRaw": "9"}))
    assert [row["gpu_count"] for row in outcome.values] == [0, 0]
    assert outcome.refusal("sacct.no-gpu").params["ran"] == 2
    assert "AccountingStorageTRES" in outcome.refusal("sacct.no-gpu").en_remedy


# --- clocks that go back: in New York 01:30 came twice on 2026-11-01, at 05:30 and 06:30 UTC


def new_york(**cells):
    local = {"Submit": "2026-11-01T00:10:00", "Eligible": "2026-11-01T00:10:00"}
    return read(table(JOB | local | cells), zone="America/New_York")


@pytest.mark.parametrize(
    ("end", "elapsed", "utc_hour"),
    [("2026-11-01T03:00:00", 3600 * 2 + 1800, 5), ("2026-11-01T03:00:00", 3600 + 1800, 6)],
)
def test_a_time_that_comes_twice_is_settled_by_the_elapsed_seconds(end, elapsed, utc_hour):
    # 03:00 EST is 08:00 UTC
    outcome = new_york(Start="2026-11-01T01:30:00", End=end, ElapsedRaw=str(elapsed))
    (row,) = outcome.values
    assert row["started_at"] == datetime(2026, 11, 1, utc_hour, 30, tzinfo=UTC)
    assert row["ended_at"] - row["started_at"] == timedelta(seconds=elapsed)
    assert outcome.codes == ["sacct.local-time"]


def test_a_time_that_comes_twice_is_settled_by_the_order_of_events():
    # the job was submitted at 06:45 UTC, so that it did not start at 05:50
    outcome = new_york(
        Submit="1793515500",
        Eligible="1793515500",
        Start="2026-11-01T01:50:00",
        End="Unknown",
        ElapsedRaw="60",
    )
    assert outcome.values[0]["started_at"] == datetime(2026, 11, 1, 6, 50, tzinfo=UTC)


def test_a_time_that_stays_ambiguous_costs_the_row():
    outcome = new_york(Start="2026-11-01T01:30:00", End="Unknown", ElapsedRaw="60")
    assert outcome.rows == []
    assert "sacct.ambiguous-time" in outcome.codes
    assert "SLURM_TIME_FORMAT" in outcome.refusal("sacct.ambiguous-time").en_remedy


def test_a_time_that_the_clocks_jump_over_is_refused():
    outcome = read(table(JOB | {"Start": "2026-03-08T02:30:00"}), zone="America/New_York")
    assert "sacct.required-cell" in outcome.codes


# --- the whole file


def test_rows_stream_and_only_what_is_asked_for_is_read(tmp_path):
    path = tmp_path / "big"
    path.write_text(table(*([JOB] * 200)))
    source = Source("big", path)
    items = SACCT_TEXT.read(source, context())
    assert next(items).values == ROW
    assert "decoded" not in vars(source)


def test_rows_fit_their_landing_table(tmp_path):
    path = tmp_path / "sacct"
    path.write_text(table(JOB, JOB | {"End": "Unknown", "JobIDRaw": "9"}))
    landed = land(
        SACCT_TEXT.read(Source("sacct", path), context()),
        arrival_id="a1",
        context=context(),
        path_of=lambda contract: tmp_path / f"{contract.name}.parquet",
    )
    assert landed.rows == {"gpu_usage__sacct_jobs": 2}
    assert landed.outcome == "landed"


def test_free_text_names_are_field_names():
    assert FREE_TEXT < FIELD_NAMES


HEADERS = st.sampled_from(
    [table(JOB)[: table(JOB).index("\n") + 1].encode(), table(JOB).encode(), b"", b"\xff\xfe"]
)


@given(head=HEADERS, tail=st.binary(max_size=300))
def test_arbitrary_bytes_come_out_as_refusals_and_never_raise(head, tail):
    outcome = read(head + tail)
    assert outcome.format is None or outcome.rows or outcome.refusals
    for refusal in outcome.refusals:
        assert refusal.ja
        assert refusal.ja_remedy
        assert refusal.en
        assert refusal.en_remedy


@given(
    data=st.data(),
    edits=st.lists(st.tuples(st.integers(0, 600), st.binary(max_size=3)), max_size=8),
)
def test_a_damaged_file_never_raises_and_never_gives_more_rows_than_lines(data, edits):
    names = data.draw(st.permutations([*JOB, "WorkDir", "Comment"]))
    raw = bytearray(table(JOB, STEP, JOB, names=names).encode())
    for place, put in edits:
        raw[place % len(raw) : place % len(raw) + 1] = put
    outcome = read(bytes(raw))
    assert len(outcome.rows) <= raw.count(b"\n")
    assert all(row["gpu_count"] >= 0 for row in outcome.values)


def test_format_names_are_unique():
    assert [f.name for f in FORMATS] == ["sacct-text", "sacct-json"]
