"""The sample programme: the same every time, within its capacity, whole, and true to itself.

Expected values are written out by hand or computed here by another way than the sample's; the
platform's readers are not used.
"""

import csv
import gzip
import json
import re
from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from python_calamine import CalamineWorkbook

from geniac_pipelines.calendar import Month
from geniac_pipelines.cli import main
from geniac_pipelines.gpu_usage.contracts import (
    COMPUTE_CONTRACTS,
    MONTHLY_NOTES,
    MONTHLY_USAGE,
    PLANS,
)
from geniac_pipelines.sample.feeds import SacctFile, Sighting, Style
from geniac_pipelines.sample.inbox import Inbox
from geniac_pipelines.sample.jobs import runs_of
from geniac_pipelines.sample.mischief import planted
from geniac_pipelines.sample.model import LAST_INSTANT, Pool, Run, Slot, Span, Trait, epoch
from geniac_pipelines.sample.organisations import (
    companies_of,
    corporate_number,
    first_month,
    physical_gpus,
)
from geniac_pipelines.sample.sacct import compressed
from geniac_pipelines.sample.truth import Everything, split_by_day, tables
from geniac_pipelines.sample.write import AS_OF, CLOSING_AS_OF, write_sample

SMALL = {"companies": 4, "gpus_per_company": 8, "months": 2}


@pytest.fixture(scope="module")
def programme(tmp_path_factory):
    """All parts of the play on few GPUs: 24 companies, two months, two days of telemetry."""
    out = tmp_path_factory.mktemp("sample")
    summary = write_sample(out, companies=24, gpus_per_company=8, months=2, telemetry_days=2)
    return Programme(out, summary)


class Programme:
    def __init__(self, out, summary):
        self.out = out
        self.inbox = out / "inbox"
        self.summary = summary
        self.companies = companies_of(24, 8, 2, 1)
        self.facts = json.loads((out / "truth" / "truth.json").read_text(encoding="utf-8"))

    def table(self, name, as_of=AS_OF):
        return rows(self.out / "truth" / str(as_of) / f"{name}.csv")

    def manifest(self):
        return rows(self.inbox / "deliveries.csv")

    def who(self, trait):
        (company,) = [c for c in self.companies if trait in c.traits]
        return company

    def only(self, pattern):
        (file,) = self.inbox.glob(pattern)
        return file

    def telemetry(self, company, day="2026-09-30"):
        file = self.only(f"{company.organisation_id}/*/dcgm_{day}.json*")
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        return json.loads(data)["data"]["result"]


def rows(file):
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def contents(folder):
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*.*")}


# --- the same for the same arguments


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    write_sample(tmp_path / "a", **SMALL, telemetry_days=1)
    write_sample(tmp_path / "b", **SMALL, telemetry_days=1)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_another_seed_gives_other_jobs(tmp_path):
    write_sample(tmp_path / "a", **SMALL, telemetry_days=0, seed=1)
    write_sample(tmp_path / "b", **SMALL, telemetry_days=0, seed=2)
    usage = "truth/2026-10-05/usage_days.csv"
    assert (tmp_path / "a" / usage).read_bytes() != (tmp_path / "b" / usage).read_bytes()


def test_an_earlier_sample_is_replaced_whole(tmp_path):
    write_sample(tmp_path / "a", **SMALL, telemetry_days=1)
    write_sample(tmp_path / "a", **{**SMALL, "companies": 2}, telemetry_days=0)
    write_sample(tmp_path / "b", **{**SMALL, "companies": 2}, telemetry_days=0)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_an_inbox_that_is_no_sample_is_never_touched(tmp_path):
    (tmp_path / "inbox" / "aoi-ai").mkdir(parents=True)
    (tmp_path / "inbox" / "aoi-ai" / "real.txt").write_text("real", encoding="utf-8")
    with pytest.raises(FileExistsError, match="inbox"):
        write_sample(tmp_path, **SMALL)
    assert (tmp_path / "inbox" / "aoi-ai" / "real.txt").read_text(encoding="utf-8") == "real"


@pytest.mark.parametrize(
    "wrong",
    [
        {"companies": 0},
        {"gpus_per_company": 0},
        {"months": 0},
        {"months": -1},
        {"telemetry_interval_s": 0},
        {"telemetry_interval_s": 301},
        # 86,400 = 12,342 × 7 + 6
        {"telemetry_interval_s": 7},
        {"telemetry_days": -1},
        {"telemetry_months": -1},
        # 512 GPUs × 86,400 instants, where 12,000,000 fit: at least 4 s
        {"gpus_per_company": 512, "telemetry_interval_s": 1},
    ],
)
def test_sizes_that_cannot_be_are_refused_before_anything_is_written(tmp_path, wrong):
    with pytest.raises(ValueError, match="must be"):
        write_sample(tmp_path / "out", **{**SMALL, **wrong})
    assert not (tmp_path / "out").exists()


# --- organisations


@pytest.mark.parametrize(
    "number",
    [
        "7000012050002",  # 国税庁
        "4000012090001",  # 経済産業省
        "8000012010038",  # デジタル庁
    ],
)
def test_the_check_digit_is_that_of_published_corporate_numbers(number):
    assert corporate_number(number[1:]) == number


def test_names_ids_numbers_and_clusters_stay_distinct_when_stems_come_round_again():
    companies = companies_of(95, 8, 1, 1)
    for name in ("organisation_id", "name_ja", "corporate_number"):
        assert len({getattr(c, name) for c in companies}) == 95
    # two companies share one cluster
    assert len({c.cluster for c in companies}) == 94


def test_months_count_back_from_september_2026():
    assert first_month(1) == Month(2026, 9)
    assert first_month(6) == Month(2026, 4)
    assert first_month(14) == Month(2025, 8)


def test_the_register_has_addresses_that_lead_nowhere_and_lacks_one(programme):
    book = CalamineWorkbook.from_path(programme.only("_secretariat/*/参加組織台帳.xlsx"))
    header, *listed = book.get_sheet_by_name("参加組織台帳").to_python()
    found = [dict(zip(header, row, strict=True)) for row in listed]
    unknown = [row["組織ID"] for row in found if not row["連絡先メール"]]
    assert unknown == [programme.who(Trait.HALF_EMPTY).organisation_id]
    told = {row["連絡先メール"] for row in found if row["連絡先メール"]}
    assert len(told) == 23
    # RFC 2606, section 2: ".example" is for documentation
    assert all(re.fullmatch(r"geniac@[a-z-]+\.example", address) for address in told)


# --- capacity


@pytest.mark.parametrize("gpus", [1, 4, 8, 24, 64])
def test_no_slot_is_ever_held_twice(gpus):
    companies = companies_of(24, gpus, 2, seed=3)
    held = defaultdict(list)
    for run in runs_of(companies, 2, seed=3):
        if run.start is not None:
            assert run.submit <= run.start < run.end
            assert run.start < LAST_INSTANT
            for span in run.spans:
                for slot in range(span.low, span.high):
                    held[run.company, span.pool, slot].append((run.start, run.end))
    sizes = {(c.organisation_id, n): len(p.slots) for c in companies for n, p in enumerate(c.pools)}
    for (company, pool, slot), times in held.items():
        assert slot < sizes.get((company, pool), 8)
        ordered = sorted(times)
        assert all(a[1] <= b[0] for a, b in pairwise(ordered))


def test_slices_stand_on_whole_gpus():
    for company in companies_of(24, 64, 1, 1):
        for gpu_type in company.gpu_types:
            parts = sum(p.parts * len(p.slots) for p in company.pools if p.gpu_type == gpu_type)
            assert parts == 28 * physical_gpus(company.pools, gpu_type)


def test_known_use_of_a_day_stays_within_the_companys_gpus(programme):
    gpus = {
        (c.organisation_id, t): physical_gpus(c.pools, t)
        for c in programme.companies
        for t in c.gpu_types
    }
    for row in programme.table("usage_days"):
        key = row["company_id"], row["gpu_type"]
        assert int(row["gpu_part_seconds"]) <= gpus[key] * 28 * 86_400, row


def test_job_ids_and_submissions_tell_runs_apart():
    companies = companies_of(24, 8, 2, 1)
    clusters = {c.organisation_id: c.cluster for c in companies}
    runs = runs_of(companies, 2, 1)
    keys = {(clusters.get(r.company, "kirigumo"), r.job_id, r.submit) for r in runs}
    assert len(keys) == len(runs)
    again = [r for r in runs if r.state in ("PREEMPTED", "NODE_FAIL")]
    assert any(
        r.job_id == o.job_id and r.company == o.company and o.submit == r.end
        for r in again
        for o in runs
    )


# --- manifest


def test_the_manifest_lists_every_file_once(programme):
    listed = [row["path"] for row in programme.manifest()]
    there = {
        f.relative_to(programme.inbox).as_posix()
        for f in programme.inbox.rglob("*")
        if f.is_file() and f.name != "deliveries.csv"
    }
    assert len(listed) == len(set(listed)) == programme.summary.deliveries
    assert set(listed) == there


def test_the_manifest_tells_sender_channel_and_receipt_in_japan_time(programme):
    for row in programme.manifest():
        folder, month, _ = row["path"].split("/")
        received = datetime.fromisoformat(row["received_at"])
        assert row["received_at"].endswith("+09:00")
        assert received.strftime("%Y-%m") == month
        assert received.date() <= AS_OF
        assert row["sender"] == ("" if folder == "_unidentified" else folder)
        assert row["channel"] in {"mail", "portal", "collector"}


def test_nobody_sends_before_the_time_that_a_file_speaks_of(programme):
    for row in programme.manifest():
        name = row["path"].split("/")[-1]
        if name.startswith("sacct_2026") and "訂正" not in name:
            last = name.removesuffix(".txt").split("_")[-1]
            assert row["received_at"][:10] > last


# --- formats


def sheets(programme, index, name):
    """Rows of every sheet of a company's first workbook of that name."""
    (folder,) = [c.organisation_id for c in programme.companies if c.index == index]
    file = min(programme.inbox.glob(f"{folder}/*/{name}*.xlsx"))
    book = CalamineWorkbook.from_path(file)
    return {n: book.get_sheet_by_name(n).to_python() for n in book.sheet_names}


def test_most_fill_in_the_template(programme):
    """Its guide bears the template's mark; data sheets have the contracts' names and headings."""
    expected = {
        "利用実施計画": ("gpu-plan/1", [PLANS]),
        "計算資源契約": ("gpu-contract/1", [COMPUTE_CONTRACTS]),
        "月次利用報告": ("gpu-monthly/1", [MONTHLY_USAGE, MONTHLY_NOTES]),
    }
    for name, (mark, contracts) in expected.items():
        found = sheets(programme, 0, name)
        guide = found.pop("記入要領")
        assert f"geniac-template:{mark}" in [row[0] for row in guide]
        assert {n: rows[0] for n, rows in found.items()} == {
            c.ja: [column.ja for column in c.columns] for c in contracts
        }
        assert all(len(rows) > 1 for rows in found.values())


def test_some_hand_in_sheets_of_their_own_under_the_templates_headings(programme):
    found = sheets(programme, 3, "月次利用報告")
    assert {n: rows[0] for n, rows in found.items()} == {
        c.ja: [column.ja for column in c.columns] for c in (MONTHLY_USAGE, MONTHLY_NOTES)
    }


def test_an_office_has_a_title_words_of_its_own_and_totals(programme):
    found = sheets(programme, 1, "利用実施計画")
    assert list(found) == ["Sheet1"]
    title, empty, headings, *rows, totals = found["Sheet1"]
    assert title == ["利用実施計画について", *[""] * 5]
    assert set(empty) == {""}
    assert headings == [
        "版", "年月", "GPU種類", "計画値（GPU時間）", "予定額（円）", "利用目的",
    ]  # fmt: skip
    assert totals[0] == "合計"
    assert totals[3:5] == [sum(row[3] for row in rows), sum(row[4] for row in rows)]


def test_sacct_text_comes_in_the_senders_own_way(programme):
    def last(trait):
        folder = programme.inbox / programme.who(trait).organisation_id
        text = max(folder.glob("2026-10/sacct_*.txt")).read_text(encoding="utf-8")
        header, *lines = text.splitlines()
        return header, lines

    header, lines = last(Trait.PIPED_NAMES)
    assert all(line.count("\x1f") == header.count("\x1f") for line in lines)
    assert all("|" in line.split("\x1f")[-1] for line in lines)
    header, lines = last(Trait.STEPS)
    assert header.split("\x1f")[:2] == ["JobID", "JobIDRaw"]
    assert any(".batch" in line for line in lines)
    _, lines = last(Trait.MIXED_JOBS)
    assert any("gres/gpu:1g.10gb=2,gres/gpu:h100=1,gres/gpu=3," in line for line in lines)
    _, lines = last(Trait.NO_TELEMETRY)
    assert all("\x1f2026-09-" in line for line in lines), "local stamps, no epoch"
    running = [line for line in lines if "\x1fRUNNING\x1f" in line]
    assert running
    assert all("\x1fUnknown\x1f" in line for line in running)


def test_names_of_nodes_fold_as_slurm_folds_them():
    assert compressed(["gpu01-002"]) == "gpu01-002"
    assert compressed(["gpu001", "gpu002", "gpu003", "gpu007"]) == "gpu[001-003,007]"
    assert compressed(["a001", "a002", "b001"]) == "a[001-002],b001"


# --- telemetry


def test_what_was_not_measured_is_not_in_the_file(programme):
    series = programme.telemetry(programme.who(Trait.PARTIAL_TELEMETRY))
    points = [len(s["values"]) for s in series]
    # 19 of 48 half-hours of 6 samples each (40 %), less what a host's own outage takes
    assert max(points) <= 19 * 6 < 0.41 * 288
    assert all(value != "" for s in series for _, value in s["values"])


def test_a_company_may_send_no_telemetry_at_all(programme):
    nobody = programme.who(Trait.NO_TELEMETRY).organisation_id
    assert list(programme.inbox.glob(f"{nobody}/*/dcgm*")) == []


def test_a_rebooted_hosts_counters_begin_anew_and_a_field_is_not_supported(programme):
    company = programme.who(Trait.METER_FAULTS)
    falls = {"2026-09-29": 0, "2026-09-30": 0}
    for day in falls:
        for series in programme.telemetry(company, day):
            if series["metric"]["__name__"] == "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION":
                values = [int(v) for _, v in series["values"]]
                falls[day] += sum(b < a for a, b in pairwise(values))
    # its one host has 8 GPUs and reboots on the last day
    assert falls == {"2026-09-29": 0, "2026-09-30": 8}
    spoiled = {v for s in programme.telemetry(company) for _, v in s["values"]}
    assert {"9223372036854776000", "NaN"} <= spoiled


def test_slices_have_no_gpu_util(programme):
    series = programme.telemetry(programme.who(Trait.MIXED_JOBS))
    sliced = {s["metric"]["__name__"] for s in series if "GPU_I_PROFILE" in s["metric"]}
    whole = {s["metric"]["__name__"] for s in series if "GPU_I_PROFILE" not in s["metric"]}
    assert "DCGM_FI_DEV_GPU_UTIL" in whole - sliced
    assert "DCGM_FI_PROF_GR_ENGINE_ACTIVE" in sliced - whole


def test_the_idle_companys_gpus_are_held_and_do_nothing(programme):
    share = {}
    for row in rows(programme.out / "truth" / "telemetry.csv"):
        held, idle = share.get(row["company_id"], (0, 0))
        share[row["company_id"]] = held + int(row["held"]), idle + int(row["held_idle"])
    idle_company = programme.who(Trait.CHRONIC_IDLE).organisation_id
    held, idle = share.pop(idle_company)
    assert idle > held // 2 > 0
    assert all(idle == 0 for _, idle in share.values())


def aggregates(programme, company, month="2026-09"):
    """Values by statistic of SM_ACTIVE, then by host, GPU and hour (start, epoch seconds)."""
    file = programme.only(f"{company.organisation_id}/*/prometheus_hours_{month}.json.gz")
    document = json.loads(gzip.decompress(file.read_bytes()))
    found = defaultdict(dict)
    for page in document["pages"]:
        if page["metric"] == "DCGM_FI_PROF_SM_ACTIVE":
            for series in page["reply"]["data"]["result"]:
                labels = series["metric"]
                for at, value in series["values"]:
                    hour = round(at * 1000) + 1 - 3_600_000
                    assert hour % 3_600_000 == 0
                    key = labels["Hostname"], int(labels["gpu"]), hour // 1000
                    found[page["statistic"]][key] = float(value)
    return found


def test_aggregates_are_busy_minutes_in_which_a_run_holds_the_gpu(programme):
    (company,) = [c for c in programme.companies if c.index == 5]
    held = defaultdict(set)
    for run in runs_of(programme.companies, 2, 1):
        if run.company == company.organisation_id and run.start is not None:
            for span in run.spans:
                for slot in company.pools[span.pool].slots[span.low : span.high]:
                    held[slot.node, slot.gpu].add((run.start, run.end))
    found = aggregates(programme, company)
    assert len(found["count"]) > 8 * 24 * 25
    assert set(found["count"].values()) == {60.0}
    for (host, gpu, hour), mean in found["mean"].items():
        minutes = range(hour, hour + 3_600, 60)
        idle = sum(not any(a <= m < b for a, b in held[host, gpu]) for m in minutes)
        assert found["zeros"].get((host, gpu, hour), 0) == idle
        assert (mean == 0) == (idle == 60)


def test_a_collector_that_fails_leaves_no_hours(programme):
    last = max(hour for _, _, hour in aggregates(programme, programme.who(Trait.TELEMETRY_STOPS))[
        "count"
    ])  # fmt: skip
    assert last == epoch(date(2026, 9, 13), 23)
    partial = aggregates(programme, programme.who(Trait.PARTIAL_TELEMETRY), "2026-08")["count"]
    # 10 of 24 hours a day (40 %), less what a host's own outage takes
    assert 0.35 * 31 * 24 * 8 < len(partial) <= 10 * 31 * 8


def test_every_sample_may_come_from_all_whose_collectors_work(tmp_path):
    size = {"companies": 22, "gpus_per_company": 4, "months": 1}
    write_sample(tmp_path, **size, telemetry_days=1, telemetry_interval_s=60, telemetry_of_all=True)
    counts = {row["company_id"]: row for row in rows(tmp_path / "truth" / "telemetry.csv")}
    broken = {Trait.NO_TELEMETRY, Trait.TELEMETRY_STOPS}
    companies = companies_of(22, 4, 1, 1)
    assert counts.keys() == {c.organisation_id for c in companies if not broken & c.traits}
    # 4 GPUs × 1,440 minutes
    assert {row["expected"] for c, row in counts.items() if "students" not in c} == {"5760"}
    assert len(list((tmp_path / "inbox").glob("*/2026-10/dcgm_2026-09-30.json*"))) == 20


def test_a_month_of_dense_days_has_no_aggregates(tmp_path):
    write_sample(tmp_path, companies=1, gpus_per_company=1, months=2, telemetry_days=31)
    assert len(list(tmp_path.glob("inbox/*/*/dcgm_*"))) == 31
    (aggregates,) = tmp_path.glob("inbox/*/*/prometheus_hours_*")
    assert aggregates.name == "prometheus_hours_2026-08.json.gz"


def test_dense_days_are_not_aggregated_too(programme):
    dense = {f.name.split("_")[1][:10] for f in programme.inbox.glob("*/*/dcgm_*")}
    assert dense == {"2026-09-29", "2026-09-30"}
    hours = aggregates(programme, programme.who(Trait.CHRONIC_IDLE))["count"]
    assert max(hour for _, _, hour in hours) < epoch(date(2026, 9, 29))


def test_known_telemetry_is_whole_and_never_more_than_the_gpus(programme):
    gpus = {
        (c.organisation_id, t): physical_gpus(c.pools, t)
        for c in programme.companies
        for t in c.gpu_types
    }
    covered = defaultdict(int)
    for row in programme.table("telemetry_days"):
        key = row["company_id"], row["gpu_type"]
        numbers = [int(row[n + "_part_seconds"]) for n in ("covered", "idle", "active")]
        assert numbers[0] == numbers[1] + numbers[2] <= gpus[key] * 28 * 86_400
        covered[row["company_id"]] += numbers[0]
    whole = {
        c.organisation_id: 61 * 28 * 86_400 * sum(physical_gpus(c.pools, t) for t in c.gpu_types)
        for c in programme.companies
    }
    short = {c for c in whole if covered[c] < 0.9 * whole[c]}
    assert short == {
        programme.who(trait).organisation_id
        for trait in (Trait.NO_TELEMETRY, Trait.PARTIAL_TELEMETRY, Trait.TELEMETRY_STOPS)
    }


def test_planted_verdicts_are_a_believable_mix(programme):
    last = [r["verdict"] for r in programme.table("verdicts") if r["month"] == "2026-09"]
    mix = {v: last.count(v) for v in set(last)}
    assert mix == {"適正": 14, "要確認": 4, "要指示": 3, "判定不能": 3}


# --- what is planted


def test_every_planted_fault_lies_where_the_truth_says(programme):
    for fault in programme.facts["refusals"]:
        assert (programme.inbox / fault["path"]).is_file()
        if fault["kind"] == "cut":
            text = (programme.inbox / fault["path"]).read_bytes()
            assert not text.endswith(b"\n")
            assert text.count(b"\n") + 1 == fault["row"]
        if "cell" in fault:
            book = CalamineWorkbook.from_path(programme.inbox / fault["path"])
            sheet = book.get_sheet_by_name(fault["sheet"]).to_python()
            column = sheet[0].index(fault["column"])
            assert sheet[fault["row"] - 1][column] == fault["cell"]
    kinds = {fault["kind"] for fault in programme.facts["refusals"]}
    assert kinds == {
        "cut", "number-unreadable", "month-unreadable", "required-empty", "unknown-format",
    }  # fmt: skip


def test_one_file_is_cp932_and_nothing_else(programme):
    (path,) = [f["path"] for f in programme.facts["peculiar_files"] if f["kind"] == "cp932"]
    data = (programme.inbox / path).read_bytes()
    with pytest.raises(UnicodeDecodeError):
        data.decode("utf-8")
    assert "評価|" in data.decode("cp932")


def test_the_default_programme_has_every_finding():
    found = {p.kind for p in planted(companies_of(24, 8, 6, 1), first_month(6))}
    assert found == {
        "over-plan", "under-plan", "chronic-idle", "use-after-period", "restatement",
        "report-contradicts-scheduler", "no-telemetry", "low-coverage", "telemetry-stops",
        "some-idle", "weak-use",
    }  # fmt: skip


def test_planted_conduct_shows_in_the_numbers(programme):
    use, planned, reported = defaultdict(float), defaultdict(float), defaultdict(float)
    for row in programme.table("usage_months"):
        use[row["company_id"], row["month"]] += int(row["gpu_part_seconds"]) / 28 / 3600
    for row in programme.table("planned"):
        planned[row["company_id"], row["month"]] += float(row["planned_gpu_hours"])
    for row in programme.table("reported"):
        reported[row["company_id"], row["month"]] += float(row["reported_gpu_hours"])

    def key(trait, month="2026-09"):
        return programme.who(trait).organisation_id, month

    over, under = key(Trait.OVER_PLAN), key(Trait.UNDER_PLAN)
    assert use[over] > 1.5 * planned[over]
    assert use[under] < 0.6 * planned[under]
    assert use[key(Trait.AFTER_PERIOD)] > 0
    assert key(Trait.AFTER_PERIOD) not in planned
    contradicts = key(Trait.CONTRADICTS)
    assert reported[contradicts] == pytest.approx(0.70 * use[contradicts], rel=1e-3)


def test_reports_that_are_missing_or_late(programme):
    def status(trait, month, as_of):
        (row,) = [
            r
            for r in programme.table("submissions", as_of)
            if r["company_id"] == programme.who(trait).organisation_id and r["month"] == month
        ]
        return row["due_on"], row["first_received_on"], row["status"]

    # fifth business days: 1, 2, 3, 4, 7 September and 1, 2, 5, 6, 7 October 2026
    assert status(Trait.LATE_REPORT, "2026-08", CLOSING_AS_OF) == ("2026-09-07", "", "not-yet-due")
    assert status(Trait.LATE_REPORT, "2026-08", AS_OF) == ("2026-09-07", "2026-09-14", "late")
    assert status(Trait.MISSING_REPORT, "2026-09", AS_OF) == ("2026-10-07", "", "not-yet-due")


# --- truth


def test_days_add_up_to_months(programme):
    for as_of in (CLOSING_AS_OF, AS_OF):
        by_month = defaultdict(lambda: [0, 0])
        for row in programme.table("usage_days", as_of):
            sums = by_month[row["company_id"], row["usage_date"][:7], row["gpu_type"]]
            sums[0] += int(row["gres_seconds"])
            sums[1] += int(row["gpu_part_seconds"])
        months = {
            (r["company_id"], r["month"], r["gpu_type"]): [
                int(r["gres_seconds"]),
                int(r["gpu_part_seconds"]),
            ]
            for r in programme.table("usage_months", as_of)
        }
        assert by_month == months


def test_states_add_up_to_the_same_use(programme):
    for as_of in (CLOSING_AS_OF, AS_OF):
        states = sum(int(r["gpu_part_seconds"]) for r in programme.table("job_states", as_of))
        months = sum(int(r["gpu_part_seconds"]) for r in programme.table("usage_months", as_of))
        assert states == months > 0


def test_only_the_correction_changes_the_closed_month(programme):
    def august(as_of):
        return {
            (r["company_id"], r["gpu_type"]): r["gpu_part_seconds"]
            for r in programme.table("usage_months", as_of)
            if r["month"] == "2026-08"
        }

    before, after = august(CLOSING_AS_OF), august(AS_OF)
    changed = {company for (company, gpu_type) in after if before[company, gpu_type] != after[
        company, gpu_type
    ]}  # fmt: skip
    assert changed == {programme.who(Trait.LATE_CORRECTION).organisation_id}


def test_contracts_count_the_days_up_to_the_as_of_day(programme):
    company = programme.companies[0]
    (contract,) = company.contracts
    september = [
        r
        for r in programme.table("contracted", CLOSING_AS_OF)
        if r["company_id"] == company.organisation_id and r["month"] == "2026-09"
    ]
    # 8 GPUs for 7 days: 8 × 7 × 24 = 1,344 GPU-hours = 4,838,400 GPU-seconds
    assert [r["contracted_gpu_seconds"] for r in september] == ["4838400"]
    assert [int(r["contract_jpy"]) for r in september] == [1_344 * contract.unit_price_jpy]


def test_a_day_in_japan_begins_at_fifteen_hours_utc():
    # 2026-08-31 14:00 to 16:30 UTC is 23:00 to 01:30 in Japan
    start = round(datetime.fromisoformat("2026-08-31T14:00:00+00:00").timestamp())
    assert list(split_by_day(start, start + 9_000)) == [
        (date(2026, 8, 31), 3_600),
        (date(2026, 9, 1), 5_400),
    ]


WHOLE = Pool("h100", "H100", 28, 8, tuple(Slot("n001", i) for i in range(8)))
SLICES = Pool("1g.10gb", "H100", 4, 56, tuple(Slot("m001", 0, i) for i in range(7)))


def a_run(job_id, start, end, *spans):
    return Run(
        company="co", account="a", user="u", uid=1, name="n", partition="p", job=job_id,
        submit=start - 10, start=start, end=end, state="COMPLETED", exit_code="0:0",
        limit_minutes=600, spans=spans, job_id=job_id,
    )  # fmt: skip


def known(as_of, *files):
    """Truth tables by name for hand-made files of one company."""
    (company,) = companies_of(1, 8, 1, 1)
    company = type(company)(**{**company.__dict__, "organisation_id": "co", "contracts": ()})
    everything = Everything([company], {"co": (WHOLE, SLICES)}, Month(2026, 9), Inbox(Path()))
    everything.sacct.extend((f"co/{n}", file) for n, file in enumerate(files))
    return {table.name: table.rows for table in tables(everything, as_of)}


def a_file(received_at, *sightings, whole_rows=None):
    return SacctFile(
        "co", "f", "mail", received_at - 60, received_at, "c", Style(), sightings, whole_rows
    )


def test_a_slice_counts_one_for_slurm_and_four_parts_of_28_physically():
    noon = epoch(date(2026, 9, 10), 12)
    run = a_run(1, noon, noon + 100, Span(0, 0, 2), Span(1, 0, 3))
    found = known(date(2026, 9, 10), a_file(noon + 3_600, Sighting(run, "COMPLETED", run.end)))
    # 100 s × (2 + 3) entries; 100 s × (2 × 28 + 3 × 4) parts
    assert found["usage_days"] == (("co", "2026-09-10", "H100", 500, 6_800, 1),)
    assert found["usage_months"] == (("co", "2026-09", "H100", 500, 6_800, 1),)
    assert found["job_states"] == (("co", "2026-09", "COMPLETED", 1, 6_800),)


def test_a_running_job_counts_up_to_the_receipt_of_the_newest_file_that_had_come():
    start = epoch(date(2026, 9, 6), 22)
    end = epoch(date(2026, 9, 9), 1)
    run = a_run(1, start, end, Span(0, 0, 1))
    first = epoch(date(2026, 9, 7), 9)
    second = epoch(date(2026, 9, 14), 9)
    files = (
        a_file(first, Sighting(run, "RUNNING", first)),
        a_file(second, Sighting(run, "COMPLETED", end)),
    )
    early = known(date(2026, 9, 7), *files)
    # 22:00 to 24:00, then to 09:00
    assert early["usage_days"] == (
        ("co", "2026-09-06", "H100", 7_200, 7_200 * 28, 1),
        ("co", "2026-09-07", "H100", 32_400, 32_400 * 28, 1),
    )
    late = known(date(2026, 9, 14), *files)
    assert [row[3] for row in late["usage_days"]] == [7_200, 86_400, 86_400, 3_600]
    assert known(date(2026, 9, 5), *files)["usage_days"] == ()


def test_rows_that_a_broken_file_lost_are_not_known():
    noon = epoch(date(2026, 9, 10), 12)
    runs = [a_run(n, noon + n * 1_000, noon + n * 1_000 + 10, Span(0, 0, 1)) for n in (1, 2, 3)]
    seen = [Sighting(run, "COMPLETED", run.end) for run in runs]
    found = known(date(2026, 9, 11), a_file(noon + 86_400, *seen, whole_rows=2))
    assert found["usage_days"] == (("co", "2026-09-10", "H100", 20, 560, 2),)


def test_the_command_line_hands_every_size_on(tmp_path):
    sizes = (
        "--companies 2 --gpus-per-company 8 --months 1 --seed 3 --telemetry-step 60 "
        "--telemetry-days 1 --telemetry-months 0 --telemetry-of-all"
    )
    said = CliRunner().invoke(main, ["sample", "--out", str(tmp_path / "a"), *sizes.split()])
    assert said.exit_code == 0
    write_sample(
        tmp_path / "b", companies=2, gpus_per_company=8, months=1, seed=3, telemetry_interval_s=60,
        telemetry_days=1, telemetry_months=0, telemetry_of_all=True,
    )  # fmt: skip
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    # 8 GPUs × 1,440 minutes × 6 fields × 2 companies, less a host's outage
    assert 130_000 < int(re.search(r"(\d+) telemetry samples", said.output)[1]) <= 138_240


def test_the_command_line_refuses_nonsense_in_both_languages(tmp_path):
    said = CliRunner().invoke(main, ["sample", "--out", str(tmp_path / "a"), "--companies", "0"])
    assert said.exit_code == 1
    assert "企業の数は1以上です（指定：0）" in said.output
    assert "companies must be at least 1, not 0" in said.output
    assert not (tmp_path / "a").exists()


def test_the_summary_says_what_was_written(programme):
    summary = programme.summary
    files = [f for f in programme.out.rglob("*") if f.is_file()]
    assert summary.bytes == sum(f.stat().st_size for f in files)
    assert (summary.first_day, summary.last_day) == (date(2026, 8, 1), date(2026, 9, 30))
    assert summary.as_of - summary.last_day == timedelta(days=5)
    assert "24 companies" in str(summary)
