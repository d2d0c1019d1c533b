"""`sacct --json`: the shapes of its versions give the rows that the text would give."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geniac_pipelines.gpu_usage.sacct import from_json
from tests.unit.sacct_files import at, read

T0 = 1795444375


def number(value):
    return {"set": True, "infinite": False, "number": value}


UNSET = {"set": False, "infinite": False, "number": 0}
INFINITE = {"set": False, "infinite": True, "number": 0}

PLAIN = {
    "account": "company_a",
    "allocation_nodes": 2,
    "association": {"account": "company_a", "cluster": "geniac", "user": "genuser1"},
    "cluster": "geniac",
    "time": {
        "elapsed": 21,
        "eligible": T0 + 1,
        "end": T0 + 46,
        "start": T0 + 25,
        "submission": T0,
        "suspended": 0,
        "limit": 5,
    },
    "exit_code": {"status": "SIGNALED", "return_code": 0, "signal": {"signal_id": 15}},
    "job_id": 8,
    "name": "pretrain-13b",
    "nodes": "gpu[01-02]",
    "partition": "gpu",
    "qos": "normal",
    "state": {"current": "CANCELLED", "reason": "None"},
    "steps": [{"tres": {"allocated": [{"type": "gres", "name": "gpu", "id": 1, "count": 16}]}}],
    "tres": {
        "allocated": [
            {"type": "cpu", "name": None, "id": 1, "count": 16},
            {"type": "energy", "name": None, "id": 3, "count": None},
            {"type": "gres", "name": "gpu", "id": 1001, "count": 16},
            {"type": "gres", "name": "gpu:h100", "id": 1002, "count": 16},
        ],
        "requested": [{"type": "gres", "name": "gpu", "id": 1001, "count": 16}],
    },
    "user": "genuser1",
    "working_directory": "/home/genuser1",
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
    "reason": None,
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
    "energy_joules": None,
}
META_38 = {"plugin": {"type": "openapi/dbv0.0.38", "name": "Slurm OpenAPI DB v0.0.38"}}
META_40 = {
    "plugin": {
        "type": "openapi/slurmdbd",
        "name": "Slurm OpenAPI slurmdbd",
        "data_parser": "data_parser/v0.0.40",
        "accounting_storage": "accounting_storage/slurmdbd",
    },
    "command": [],
    "slurm": {"version": {"major": "24", "micro": "4", "minor": "05"}, "cluster": "geniac"},
}
META_CLI = {
    "plugin": {"type": "", "name": "", "data_parser": "data_parser/v0.0.43"},
    "command": ["/usr/bin/sacct", "--json"],
}


def wrapped(job):
    """The same job as newer versions write it."""
    job = copy.deepcopy(job)
    for name in ("elapsed", "submission", "start", "end", "eligible", "limit"):
        job["time"][name] = number(job["time"][name])
    job["state"]["current"] = ["CANCELLED", "COMPLETING"]
    job["exit_code"] = {
        "status": ["SIGNALED"],
        "return_code": UNSET,
        "signal": {"id": number(15), "name": "SIGTERM"},
    }
    job["allocation_nodes"] = number(2)
    job["sluid"] = "s1"
    return job


def document(*jobs, meta=META_38, first="meta", **more):
    """A document, with `meta` first as in 22.05 or the jobs first as in later versions."""
    parts = {"meta": meta, "jobs": list(jobs), "errors": [], **more}
    order = [first, *(key for key in parts if key != first)]
    return json.dumps({key: parts[key] for key in order}, indent=2).replace("/", "\\/")


def changed(path, value):
    """The plain job with one value changed (None of a path's last part: deleted)."""
    job = copy.deepcopy(PLAIN)
    *parents, last = path.split(".")
    at_ = job
    for parent in parents:
        at_ = at_[parent]
    if value is ...:
        del at_[last]
    else:
        at_[last] = value
    return job


@pytest.mark.parametrize(
    ("job", "meta", "first"),
    [
        (PLAIN, META_38, "meta"),
        (wrapped(PLAIN), META_40, "jobs"),
        (PLAIN, META_40, "jobs"),
        (wrapped(PLAIN), META_CLI, "jobs"),
    ],
)
def test_every_known_shape_gives_the_same_row(job, meta, first):
    outcome = read(document(job, meta=meta, first=first))
    assert outcome.format == "sacct-json"
    assert outcome.values == [ROW]
    assert outcome.refusals == []
    assert outcome.rows[0].place.row == 1


def test_steps_nested_in_a_job_are_not_counted():
    assert [row["gpu_count"] for row in read(document(PLAIN)).values] == [16]


def test_requeued_runs_stay_apart():
    again = changed("time.submission", T0 + 5)
    keys = [(row["job_id"], row["run_key"]) for row in read(document(PLAIN, again)).values]
    assert keys == [("8", at(T0)), ("8", at(T0 + 5))]


@pytest.mark.parametrize("limit", [UNSET, INFINITE, 4294967295, 4294967294, None])
def test_no_time_limit_is_empty(limit):
    assert read(document(changed("time.limit", limit))).values == [
        ROW | {"time_limit_seconds": None}
    ]


def test_a_pending_job():
    job = changed("tres.allocated", [])
    job["time"] |= {"start": 0, "end": 0, "elapsed": 0}
    job["state"] = {"current": ["PENDING"], "reason": "Priority"}
    job["nodes"] = "None assigned"
    (row,) = read(document(job)).values
    assert (row["started_at"], row["ended_at"], row["node_list"]) == (None, None, None)
    assert (row["gres_allocated"], row["gpu_count"], row["state"]) == ("", 0, "PENDING")


def test_unknown_fields_are_tolerated_and_an_unknown_version_is_noted():
    meta = {"plugin": {"type": "openapi/slurmdbd", "data_parser": "data_parser/v0.0.99"}}
    outcome = read(document(PLAIN | {"new": {"a": [1]}}, meta=meta, first="jobs"))
    assert outcome.values == [ROW]
    note = outcome.refusal("sacct.json-version")
    assert note.complaint.costs == "nothing"
    assert "v0.0.99" in note.en


def test_without_meta_the_shape_of_the_jobs_tells():
    outcome = read(json.dumps({"jobs": [PLAIN]}))
    assert outcome.values == [ROW]
    assert outcome.codes == ["sacct.json-version"]


@pytest.mark.parametrize("meta", [META_38, META_40])
def test_damaged_json_is_refused_with_its_position(meta):
    text = document(PLAIN, PLAIN, meta=meta, first="meta" if meta is META_38 else "jobs")
    cut = text[: text.rindex('"gres"')]
    outcome = read(cut)
    assert outcome.rows == []
    refusal = outcome.refusal("sacct.json-damaged")
    assert refusal.complaint.costs == "file"
    assert refusal.params["line"] == cut.count("\n") + 1 == refusal.place.row
    assert f"{refusal.place.row}行目" in refusal.ja


def test_a_document_without_a_list_of_jobs_is_refused():
    assert read(document(PLAIN).replace('"jobs": [', '"jobs": {}, "j": [')).codes == [
        "sacct.json-no-list"
    ]


def test_bytes_that_are_no_text_are_refused_with_their_offset():
    raw = document(PLAIN).encode().replace(b"pretrain", b"\xff\xff\xff")
    refusal = read(raw).refusal("sacct.json-undecodable")
    assert refusal.params["offset"] == raw.index(b"\xff")


def test_utf16_from_a_redirect_is_read():
    assert read(document(PLAIN).encode("utf-16")).values == [ROW]


def test_a_document_too_large_to_read_whole_is_refused(monkeypatch):
    monkeypatch.setattr(from_json, "MOST_BYTES", 100)
    outcome = read(document(PLAIN))
    assert outcome.codes == ["sacct.json-too-large"]
    assert "sacct -a -D -X -P" in outcome.refusals[0].ja_remedy


def test_errors_that_sacct_reports_are_passed_on():
    outcome = read(document(PLAIN, errors=[{"description": "connection lost"}]))
    assert outcome.values == [ROW]
    assert outcome.refusal("sacct.json-errors").params["count"] == 1


def test_no_jobs_is_not_silence():
    assert read(document()).codes == ["sacct.no-jobs"]


@pytest.mark.parametrize(
    "path",
    [
        "job_id",
        "state.current",
        "time.submission",
        "time.start",
        "time.end",
        "time.elapsed",
        "tres.allocated",
    ],
)
def test_a_required_field_that_is_missing_costs_its_job_alone(path):
    outcome = read(document(changed(path, ...), PLAIN))
    assert outcome.values == [ROW]
    refusal = outcome.refusal("sacct.json-field-missing")
    assert (refusal.place.row, refusal.place.column) == (1, path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("job_id", "eight"),
        ("job_id", None),
        ("state.current", []),
        ("state.current", 3),
        ("time.start", "2026-11-23"),
        ("time.end", -1),
        ("time.elapsed", 1.5),
        ("time.submission", True),
        ("tres.allocated", "gres/gpu=1"),
        ("tres.allocated", [{"type": "gres", "name": "gpu", "count": None}]),
    ],
)
def test_an_unreadable_required_field_costs_its_job_alone(path, value):
    outcome = read(document(changed(path, value), PLAIN))
    assert outcome.values == [ROW]
    refusal = outcome.refusal("sacct.required-cell")
    assert (refusal.place.row, refusal.place.column) == (1, path)


def test_an_unreadable_optional_field_is_left_empty():
    outcome = read(document(changed("allocation_nodes", "two")))
    assert outcome.values == [ROW | {"node_count": None}]
    assert outcome.refusal("sacct.cell").place.column == "allocation_nodes"


def test_an_entry_that_is_no_job():
    outcome = read(document(None, PLAIN))
    assert outcome.values == [ROW]
    assert outcome.refusal("sacct.json-not-a-job").place.row == 1


def test_rules_that_text_shares_hold_too():
    outside = copy.deepcopy(PLAIN)
    outside["time"] |= {"start": T0 + 99, "elapsed": 0}
    no_tres = changed("tres.allocated", [])
    suspended = copy.deepcopy(PLAIN)
    suspended["time"] |= {"elapsed": 11, "suspended": 10}
    outcome = read(document(outside, no_tres, suspended))
    assert outcome.codes == ["sacct.outside-window", "sacct.allocation-missing"]
    assert [row["elapsed_seconds"] for row in outcome.values] == [11]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"jobs": []}',
        '{"status":"success","data":{"resultType":"matrix","result":[]}}',
        # squeue's document names the accounting storage too
        json.dumps(
            {
                "jobs": [{"account": "a", "job_state": ["RUNNING"], "tres_alloc_str": "cpu=1"}],
                "meta": {
                    "plugin": {
                        "type": "openapi/slurmctld",
                        "accounting_storage": "accounting_storage/slurmdbd",
                    },
                    "command": ["squeue", "--json"],
                },
            }
        ),
    ],
)
def test_other_documents_are_not_claimed(text):
    assert read(text).format is None


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
PATHS = [
    *PLAIN,
    *(f"time.{name}" for name in PLAIN["time"]),
    "state.current",
    "tres.allocated",
    "exit_code.return_code",
    "exit_code.signal",
]


@given(path=st.sampled_from(PATHS), value=JSON)
def test_any_value_anywhere_is_read_or_refused_and_never_raises(path, value):
    outcome = read(document(changed(path, value), PLAIN))
    assert outcome.format == "sacct-json"
    assert outcome.values[-1:] == [ROW]
    assert len(outcome.rows) + len(outcome.refusals) >= 2


@given(st.binary(max_size=200), st.integers(0, 3000))
def test_arbitrary_bytes_within_a_document_never_raise(put, place):
    raw = document(PLAIN).encode()
    place %= len(raw)
    outcome = read(raw[:place] + put + raw[place + len(put) :])
    assert outcome.format is None or outcome.rows or outcome.refusals
