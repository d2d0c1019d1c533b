"""What the orchestrator's pages show of a night: small tables and pictures, counted by hand."""

import struct
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from geniac_pipelines.calendar import Month
from geniac_pipelines.findings.model import Evidence, Examination, Examined, Outcome, Severity
from geniac_pipelines.findings.overview import bars, by_rule
from geniac_pipelines.gpu_usage.facts import DayWork
from geniac_pipelines.gpu_usage.overview import COVERAGE_CHART, coverage, remade, verdicts
from geniac_pipelines.gpu_usage.rollup import DAY_FACTS
from geniac_pipelines.intake.outcomes import by_folder, by_sender
from geniac_pipelines.reports.pictures import png
from geniac_pipelines.store.warehouse import connect


def test_each_sender_sees_what_became_of_its_files():
    snapshot = {
        "arrivals": pa.table({"arrival_id": ["1", "2", "3", "4"], "sender": ["b", "a", "b", None]}),
        "readings": pa.table(
            {
                "arrival_id": ["1", "2", "4"],
                "outcome": ["landed", "partial", "unknown"],
                "rows": [10, 5, 0],
            }
        ),
        "refusals": pa.table({"arrival_id": ["2", "2", "2"], "costs": ["row", "cell", "nothing"]}),
    }
    rows = [o.as_row for o in by_sender(snapshot)]
    none = {"landed": 0, "partial": 0, "refused": 0, "unknown": 0, "failed": 0, "unread": 0}
    assert rows == [
        {**none, "sender": "a", "files": 1, "partial": 1, "rows": 5, "refusals": 2},
        {**none, "sender": "b", "files": 2, "landed": 1, "unread": 1, "rows": 10, "refusals": 0},
        {**none, "sender": "（提出元不明）", "files": 1, "unknown": 1, "rows": 0, "refusals": 0},
    ]


def test_new_files_are_counted_by_their_first_folder():
    assert by_folder(["b/1.csv", "a/x/2.csv", "loose.csv", "b/3.csv"]) == [
        {"folder": "（直下）", "files": 1},
        {"folder": "a", "files": 1},
        {"folder": "b", "files": 2},
    ]


def test_each_rule_shows_what_it_found_and_where_it_could_not_judge():
    def seen(rule: str, subject: str, outcome: Outcome, severity: Severity) -> Examined:
        evidence = Evidence(
            company_id="a",
            month=None,
            clause="3-1-a",
            severity=severity,
            message_ja="",
            message_en="",
            proposal_ja=None,
            relation="marts.x",
            match={},
            arrivals=(),
        )
        return Examined(rule, subject, outcome, evidence)

    examined = (
        seen("idle", "a", Outcome.FOUND, Severity.ACT),
        seen("idle", "b", Outcome.FOUND, Severity.WATCH),
        seen("idle", "c", Outcome.UNKNOWN, Severity.ACT),
        seen("idle", "d", Outcome.CLEAR, Severity.ACT),
        seen("late", "a", Outcome.CLEAR, Severity.NOTE),
    )
    rows = by_rule(Examination(examined, ()))
    assert rows == [
        {
            "rule": "idle", "examined": 4, "note": 0, "watch": 1, "act": 1, "clear": 1,
            "unknown": 1,
        },
        {
            "rule": "late", "examined": 1, "note": 0, "watch": 0, "act": 0, "clear": 1,
            "unknown": 0,
        },
    ]  # fmt: skip
    drawn = [(b["rule"], b["kind"], b["count"]) for b in bars(rows) if b["count"]]
    assert drawn == [("idle", "要指示", 1), ("idle", "要確認", 1), ("idle", "判定不能", 1)]


def day_facts(path, *rows: tuple[str, str, date, int]) -> None:
    """Day facts of (GPU, slice, day, covered seconds) of company a; all else is missing."""
    content = [
        {"company_id": "a", "gpu_uuid": gpu, "mig_id": mig, "day": day, "covered_seconds": seconds}
        for gpu, mig, day, seconds in rows
    ]
    full = [{name: row.get(name) for name in DAY_FACTS.names} for row in content]
    pq.write_table(pa.Table.from_pylist(full, DAY_FACTS), path)


def test_coverage_is_the_covered_share_of_the_devices_seen_that_day(tmp_path):
    file = tmp_path / "days.parquet"
    day_facts(
        file,
        ("g1", "", date(2026, 8, 1), 86_400),
        ("g2", "", date(2026, 8, 1), 43_200),
        # two slices of one device: it was seen for the longer of their times
        ("g1", "1", date(2026, 8, 2), 21_600),
        ("g1", "2", date(2026, 8, 2), 10_800),
        # more than two months before the last day
        ("g1", "", date(2026, 5, 1), 86_400),
    )
    assert coverage([file]) == [
        # (86,400 + 43,200) of 172,800 s
        {"company": "a", "day": "08-01", "gpus": 2, "covered_percent": 75.0},
        # 21,600 of 86,400 s
        {"company": "a", "day": "08-02", "gpus": 1, "covered_percent": 25.0},
    ]


def test_without_telemetry_there_is_no_coverage(tmp_path):
    file = tmp_path / "days.parquet"
    day_facts(file)
    assert coverage([]) == coverage([file]) == []


def test_remade_days_are_counted_by_company():
    work = [
        DayWork(company, date(2026, 8, day), (), "")
        for company, day in (("b", 3), ("a", 9), ("b", 1))
    ]
    assert remade(work) == [
        {"company": "a", "days": 1, "first": date(2026, 8, 9), "last": date(2026, 8, 9)},
        {"company": "b", "days": 2, "first": date(2026, 8, 1), "last": date(2026, 8, 3)},
    ]


def test_verdicts_are_those_of_the_month(tmp_path):
    file = tmp_path / "warehouse.duckdb"
    with connect(file) as connection:
        connection.execute("create schema marts")
        connection.execute(
            """
            create table marts.fct_gpu_usage__appropriateness as
            select 'a' as company_id, month, verdict, '機械判定（未確認）' as status,
                null::varchar as worst_rule_ja, 0 as hit_count, 2 as undecided_count,
                12.34 as telemetry_coverage_percent
            from (values (date '2026-08-01', '適正'), (date '2026-09-01', '判定不能'))
                as t (month, verdict)
            """
        )
    [row] = verdicts(file, Month(2026, 9))
    assert (row["company_id"], row["verdict"], row["undecided_count"]) == ("a", "判定不能", 2)


def test_a_picture_is_a_png_with_the_same_bytes_each_time():
    rows = [{"company": "a", "day": "08-01", "gpus": 1, "covered_percent": 75.0}]
    drawn = png(COVERAGE_CHART, rows)
    assert drawn[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", drawn[16:24])
    assert width > 20
    assert height > 20
    assert png(COVERAGE_CHART, rows) == drawn
