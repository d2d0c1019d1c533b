"""A number followed to all the files that it rests on, in the data that its report was made from.

The little programme: companies aoi and beni, one file a company and day with one line each; the
mart sums hours by company and month, between lie days. So the files of a sum are known beforehand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from geniac_pipelines.contracts import Column, Contract, Type
from geniac_pipelines.figures.trace import DataGone, NoManifest, Trace, UnknownFigure, drills, trace
from geniac_pipelines.figures.trace_rows import (
    AS_PRINTED,
    FILES_GONE,
    NO_COLUMN,
    NO_WAY,
    NOT_BUILT,
    Step,
)
from geniac_pipelines.store import generations
from geniac_pipelines.store.decisions import REPORT, Act, decide
from geniac_pipelines.store.ledger import Ledger, arrivals, figures, reports
from geniac_pipelines.store.warehouse import connect

NOON = datetime(2026, 9, 30, 3, tzinfo=UTC)
JOBS = Contract(
    "area__jobs",
    "area",
    "ジョブ",
    "一行が一日の利用",
    (
        Column("day", Type.DATE, "日", "使った日"),
        Column("hours", Type.INTEGER, "時間", "使った時間"),
    ),
    key=("_sender", "day"),
    clauses=("3-1-a",),
)
SAMPLES = Contract(
    "area__samples",
    "area",
    "測定",
    "一行が一回の測定",
    (
        Column("device", Type.TEXT, "機器", "機器の名"),
        Column("at", Type.INSTANT, "時刻", "測った時刻"),
    ),
    key=("device", "at"),
    clauses=("3-1-a",),
    bulk=True,
)
CONTRACTS = (JOBS, SAMPLES)
MONTHS, DAYS, LANDED = "marts.fct_months", "intermediate.int_days", "landing.area__jobs"
WAYS = {
    MONTHS: [Step(DAYS, {"company_id": "company_id"}, month_of="day")],
    DAYS: [Step(LANDED, {"_arrival": "_arrival", "day": "day"})],
}
COMPANIES = ("aoi", "beni")
REPORT_ID = "monthly/2026-08/meti_nedo"
FIGURE = "hours.2026-08/all/hours"


@dataclass
class Programme:
    """A data folder with a ledger, in which nights leave warehouses and landing files."""

    data: Path
    ledger: Ledger

    def deliver(self, company: str, day: date, hours: int, received: datetime = NOON) -> str:
        """A file with one line; returns its arrival."""
        arrival = f"{company}-{day}-{received:%d%H}"
        with self.ledger.transaction() as connection:
            connection.execute(
                sa.insert(arrivals).values(
                    arrival_id=arrival,
                    sha256="ab" * 32,
                    bytes=1,
                    name=f"{company}/{day}.csv",
                    sender=company,
                    channel="inbox",
                    received_at=received,
                    zone="Asia/Tokyo",
                    registered_at=received,
                )
            )
        line = {"day": day, "hours": hours, "_arrival": arrival, "_sender": company}
        row = {**line, "_received_at": received, "_sheet": None, "_line": 2}
        file = self.data / "landing" / JOBS.name / f"{arrival}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist([row], schema=JOBS.schema), file)
        return arrival

    def night(
        self,
        *,
        audience: str = "meti_nedo",
        status: str = "draft",
        value: str = "1",
        origin: Mapping[str, Any] | None = None,
    ) -> int:
        """Builds a warehouse of all that was delivered and prints the figure."""
        run = f"run-{len(generations.every(self.ledger)) + 1}"
        file = generations.folder(self.data, run) / "warehouse.duckdb"
        file.parent.mkdir(parents=True)
        self.build(file)
        with self.ledger.transaction() as connection:
            number = generations.insert(
                connection,
                run_id=run,
                kind="nightly",
                as_of=date(2026, 9, 30),
                inputs=f"{run}-".ljust(64, "0"),
                warehouse=file.relative_to(self.data).as_posix(),
                provisional=False,
                committed_at=NOON,
            )
        self.prints(number, audience, status, value, origin)
        return number

    def prints(
        self,
        generation: int,
        audience: str = "meti_nedo",
        status: str = "draft",
        value: str = "1",
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        name = f"monthly/2026-08/{audience}"
        said = {
            "sql": "select sum(hours) from fct_months where month = $month",
            "relation": MONTHS,
            "match": {},
            "parameters": {"month": "2026-08-01"},
            **(origin or {}),
        }
        with self.ledger.transaction() as connection:
            connection.execute(
                sa.insert(reports).values(
                    report=name,
                    generation=generation,
                    status=status,
                    month=date(2026, 8, 1),
                    audience=audience,
                    folder=f"generations/{generation}",
                )
            )
            connection.execute(
                sa.insert(figures).values(
                    report=name,
                    generation=generation,
                    figure=FIGURE,
                    label="時間",
                    value=value,
                    decimals=0,
                    clause="3-1-a",
                    origin=said,
                )
            )

    def build(self, file: Path) -> None:
        placed = [
            {"contract": f.parent.name, "arrival_id": f.stem, "path": str(f.relative_to(self.data))}
            for f in sorted((self.data / "landing").rglob("*.parquet"))
            if not f.name.startswith("empty-")
        ]
        with connect(file) as connection:
            connection.register("given", pa.Table.from_pylist(placed))
            connection.execute(
                f"""
                create schema ledger; create schema marts; create schema intermediate;
                create schema audience;
                create table ledger.landings as from given;
                create table ledger.landing_days as
                    select contract, arrival_id, date '2026-08-01' as day from given;
                create table ledger.night as
                    select timestamptz '{NOON + timedelta(days=1)}' as visible_until;
                create table ledger.figures as select '{FIGURE}' as figure;
                create table audience.marts as
                    select 'fct_months' as mart, unnest(['meti_nedo', 'company']) as audience,
                        null::varchar as rows_leave;
                create table intermediate.int_days as
                    select _sender as company_id, day, hours, _arrival
                    from read_parquet('{self.data}/landing/{JOBS.name}/*.parquet')
                    qualify row_number() over
                        (partition by _sender, day order by _received_at desc) = 1;
                create table marts.fct_months as
                    select company_id, cast(date_trunc('month', day) as date) as month,
                        sum(hours) as hours
                    from intermediate.int_days group by all;
                """
            )

    def release(self, generation: int) -> None:
        decide(
            self.ledger,
            REPORT,
            REPORT_ID,
            Act.RELEASE,
            reason="確認",
            person="事務局 花子（架空）",
            at=NOON,
            details={"generation": generation},
        )

    def trace(self, ways: Mapping[str, Sequence[Step]] = WAYS, **options: Any) -> Trace:
        return trace(self.ledger, self.data, ways, CONTRACTS, FIGURE, **options)


@pytest.fixture
def programme(tmp_path: Path) -> Programme:
    data = tmp_path / "data"
    ledger = Ledger(f"sqlite:///{data / 'ledger.sqlite'}")
    ledger.prepare()
    return Programme(data, ledger)


def months(programme: Programme, first: date, days: int) -> dict[str, set[str]]:
    """A file a company and day; returns the arrivals by company."""
    given: dict[str, set[str]] = {company: set() for company in COMPANIES}
    for company in COMPANIES:
        for n in range(days):
            given[company].add(programme.deliver(company, first + timedelta(days=n), 1))
    return given


def files(found: Trace) -> set[str]:
    return {origin.arrival_id for origin in found.origins}


def test_all_rows_are_followed_and_counted_however_few_are_shown(programme: Programme) -> None:
    given = months(programme, date(2026, 8, 1), 31)
    months(programme, date(2026, 9, 1), 30)
    programme.night()
    found = programme.trace()
    assert [(v.relation, v.total, len(v.rows)) for v in found.levels] == [
        (MONTHS, 2, 2),
        (DAYS, 62, 20),
        (LANDED, 62, 20),
    ]
    assert files(found) == given["aoi"] | given["beni"]
    assert len(found.origins) == 62


def test_a_figure_over_hundreds_of_rows_names_the_file_of_every_one(programme: Programme) -> None:
    given = months(programme, date(2026, 4, 1), 155)
    programme.night(origin={"relation": DAYS, "parameters": {}})
    found = programme.trace()
    assert [(v.total, len(v.rows)) for v in found.levels] == [(310, 20), (310, 20)]
    assert files(found) == given["aoi"] | given["beni"]


def test_a_company_is_led_to_its_own_files_alone(programme: Programme) -> None:
    """Its report's query has no condition on the company: its view held no other rows."""
    given = months(programme, date(2026, 8, 1), 31)
    programme.night(audience="company:beni")
    found = programme.trace()
    assert [v.total for v in found.levels] == [1, 31, 31]
    assert files(found) == given["beni"]


def test_rows_that_do_not_leave_are_not_under_a_figure_that_left(programme: Programme) -> None:
    given = months(programme, date(2026, 8, 1), 2)
    number = programme.night()
    with connect(programme.data / "generations" / f"run-{number}" / "warehouse.duckdb") as c:
        c.execute("alter table marts.fct_months add column may_leave boolean")
        c.execute("update marts.fct_months set may_leave = company_id = 'aoi'")
        c.execute("update audience.marts set rows_leave = 'may_leave'")
    assert files(programme.trace()) == given["aoi"]


def test_a_row_is_found_by_what_the_figure_says_of_it(programme: Programme) -> None:
    given = months(programme, date(2026, 8, 1), 3)
    programme.night(origin={"match": {"company_id": "aoi"}})
    assert files(programme.trace()) == given["aoi"]


def test_a_cumulative_figure_rests_on_the_months_before_as_well(programme: Programme) -> None:
    before = months(programme, date(2026, 7, 30), 2)
    within = months(programme, date(2026, 8, 1), 2)
    months(programme, date(2026, 9, 1), 2)
    programme.night(origin={"match": {"company_id": "aoi"}, "cumulative": True})
    assert files(programme.trace()) == before["aoi"] | within["aoi"]


def test_a_landing_row_that_a_correction_replaced_is_no_source(programme: Programme) -> None:
    day = date(2026, 8, 1)
    programme.deliver("aoi", day, 1, NOON - timedelta(days=1))
    correction = programme.deliver("aoi", day, 2)
    programme.night()
    by_day = {MONTHS: [Step(LANDED, {"_sender": "company_id"}, month_of="day")]}
    assert files(programme.trace(by_day)) == {correction}


def test_what_came_after_the_generation_is_not_under_its_figures(programme: Programme) -> None:
    day = date(2026, 8, 1)
    first = programme.deliver("aoi", day, 1)
    programme.night()
    programme.deliver("aoi", day, 2, NOON + timedelta(hours=1))
    by_day = {MONTHS: [Step(LANDED, {"_sender": "company_id"}, month_of="day")]}
    assert files(programme.trace(by_day)) == {first}


def test_a_relation_with_two_ways_to_it_stands_there_once(programme: Programme) -> None:
    given = months(programme, date(2026, 8, 1), 3)
    programme.night()
    ways = {
        MONTHS: [
            Step(LANDED, {"_sender": "company_id"}, month_of="day"),
            Step(DAYS, {"company_id": "company_id"}, month_of="day"),
        ],
        DAYS: WAYS[DAYS],
    }
    found = programme.trace(ways)
    assert [(v.relation, v.total) for v in found.levels] == [(MONTHS, 2), (DAYS, 6), (LANDED, 6)]
    assert files(found) == given["aoi"] | given["beni"]


def test_text_that_is_empty_in_a_mart_finds_the_missing_one(programme: Programme) -> None:
    programme.deliver("aoi", date(2026, 8, 1), 1)
    number = programme.night(origin={"match": {"company_id": ""}})
    with connect(programme.data / "generations" / f"run-{number}" / "warehouse.duckdb") as c:
        c.execute("update marts.fct_months set company_id = ''")
        c.execute("update intermediate.int_days set company_id = null")
    assert [v.total for v in programme.trace().levels] == [1, 1, 1]


def test_bulk_rows_are_found_by_device_and_day_in_japan_and_know_their_file(
    programme: Programme,
) -> None:
    """15:00 UTC on 31 July is midnight of 1 August in Japan; one second earlier is 31 July."""
    midnight = datetime(2026, 7, 31, 15, tzinfo=UTC)
    folder = programme.data / "landing" / SAMPLES.name
    folder.mkdir(parents=True)
    programme.deliver("aoi", date(2026, 8, 1), 1)
    for name, device, count in (("s1", "gpu-1", 30), ("s2", "gpu-1", 5), ("s3", "gpu-2", 7)):
        at = [midnight + timedelta(seconds=n - 1) for n in range(count)]
        rows = [{"device": device, "at": a} for a in at]
        pq.write_table(
            pa.Table.from_pylist(rows, schema=SAMPLES.schema), folder / f"{name}.parquet"
        )
    number = programme.night()
    with connect(programme.data / "generations" / f"run-{number}" / "warehouse.duckdb") as c:
        c.execute("alter table marts.fct_months add column device varchar")
        c.execute("alter table marts.fct_months add column usage_date date")
        c.execute("update marts.fct_months set device = 'gpu-1', usage_date = '2026-08-01'")
    ways = {MONTHS: [Step(f"landing.{SAMPLES.name}", {"device": "device"}, day_of="at")]}
    *_, samples = programme.trace(ways).levels
    assert (samples.total, len(samples.rows)) == (29 + 4, 20)
    assert samples.arrivals == {"s1", "s2"}
    assert samples.rows[0] == {"device": "gpu-1", "at": midnight, "_arrival": "s1"}


def test_where_a_way_ends_it_is_said(programme: Programme) -> None:
    months(programme, date(2026, 8, 1), 1)
    programme.night()
    assert [v.stop for v in programme.trace({}).levels] == [NO_WAY]
    (_, gone) = programme.trace({MONTHS: [Step("intermediate.new", {"a": "month"})]}).levels
    assert (gone.relation, gone.stop) == ("intermediate.new", NOT_BUILT)
    (_, lacks) = programme.trace({MONTHS: [Step(DAYS, {"gpu_type": "month"})]}).levels
    assert (lacks.relation, lacks.stop) == (DAYS, NO_COLUMN)


def test_of_a_restated_figure_the_printed_one_is_named(programme: Programme) -> None:
    months(programme, date(2026, 8, 1), 1)
    said = {"relation": "ledger.figures", "match": {"figure": FIGURE}, "parameters": {}}
    programme.night(origin=said)
    (level,) = programme.trace().levels
    assert (level.total, level.stop) == (1, AS_PRINTED)


def test_the_depth_bounds_the_levels(programme: Programme) -> None:
    months(programme, date(2026, 8, 1), 1)
    programme.night()
    assert [v.relation for v in programme.trace(depth=2).levels] == [MONTHS, DAYS]


def test_the_draft_that_an_audience_was_shown_is_traced_in_its_own_data(
    programme: Programme,
) -> None:
    """The night after added a day. The older draft is out; its number rests on fewer files."""
    first = months(programme, date(2026, 8, 1), 1)
    older = programme.night(value="2")
    programme.release(older)
    second = months(programme, date(2026, 8, 2), 1)
    newer = programme.night(value="4")
    now = programme.trace()
    assert (now.printed.generation, now.printed.value, now.printed.is_out) == (newer, "4", False)
    assert files(now) == set().union(*first.values(), *second.values())
    for told in (str(older), "run-1-000000"):
        then = programme.trace(report=REPORT_ID, generation=told)
        assert (then.printed.value, then.printed.is_out) == ("2", True)
        assert files(then) == set().union(*first.values())
        assert [(o.generation, o.value) for o in then.others] == [(newer, "4")]


def test_a_data_folder_that_was_moved_is_traced_as_before(programme: Programme) -> None:
    given = months(programme, date(2026, 8, 1), 2)
    programme.night()
    programme.ledger.engine.dispose()
    elsewhere = programme.data.rename(programme.data.with_name("restored"))
    moved = replace(
        programme, data=elsewhere, ledger=Ledger(f"sqlite:///{elsewhere / 'ledger.sqlite'}")
    )
    assert files(moved.trace()) == given["aoi"] | given["beni"]


def test_data_that_are_gone_are_named_with_what_to_do(programme: Programme) -> None:
    months(programme, date(2026, 8, 1), 1)
    first = programme.night(status="issued", value="1")
    programme.prints(first, "company:beni")
    second = programme.night(value="2")
    lost = programme.data / "generations" / "run-1" / "warehouse.duckdb"
    lost.unlink()
    # the newest that is there is followed, and the other is said to be without data
    found = programme.trace(report=REPORT_ID)
    assert found.printed.generation == second
    assert [o.has_data for o in found.others if o.report == REPORT_ID] == [False]
    with pytest.raises(DataGone) as error:
        programme.trace(report=REPORT_ID, generation=str(first))
    said = str(error.value)
    assert f"バックアップから {lost.parent} を戻してください" in said
    assert f"--report {REPORT_ID} --generation {second}" in said
    with pytest.raises(DataGone, match="restore that folder"):
        programme.trace(report="monthly/2026-08/company:beni")


def test_a_landing_file_that_is_gone_is_said_and_the_rest_is_followed(
    programme: Programme,
) -> None:
    given = months(programme, date(2026, 8, 1), 2)
    programme.night()
    lost = min(given["aoi"])
    (programme.data / "landing" / JOBS.name / f"{lost}.parquet").unlink()
    found = programme.trace()
    assert [(v.total, v.stop) for v in found.levels] == [(2, None), (4, None), (3, FILES_GONE)]
    # the rows between know their arrivals too
    assert files(found) == given["aoi"] | given["beni"]


def test_a_number_that_no_report_printed_is_refused_with_where_to_look(
    programme: Programme,
) -> None:
    with pytest.raises(UnknownFigure, match="数値の出所"):
        programme.trace()
    months(programme, date(2026, 8, 1), 1)
    number = programme.night()
    for asked in ({"report": "monthly/2026-07/meti_nedo"}, {"generation": "99"}):
        with pytest.raises(UnknownFigure, match=f"--report {REPORT_ID} --generation {number}"):
            programme.trace(**asked)


def test_without_dbts_manifest_it_is_said_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(NoManifest, match=r"python -m geniac_pipelines\.manifest"):
        drills(tmp_path / "manifest.json")
