"""Which rows hold now: the three modes, corrections, resubmissions, and what is not yet visible."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from geniac_pipelines.contracts import Column, Mode, Type
from geniac_pipelines.store import lake, snapshot, warehouse
from geniac_pipelines.store.ledger import Ledger, landings
from tests.small_night import (
    CONTRACTS,
    FORMATS,
    JOBS,
    JOBS_FORMAT,
    NOTES,
    PLANS,
    Desktop,
    jobs,
    plans,
    utc,
)

ONE, TWO, THREE = (f"2026-08-0{n}T00:00:00" for n in (1, 2, 3))


@pytest.fixture
def desktop(tmp_path: Path, ledger: Ledger) -> Desktop:
    return Desktop(tmp_path, ledger)


def send(desktop: Desktop, path: str, content: bytes, received_at: str) -> None:
    desktop.drop(path, content, received_at=received_at)
    desktop.outcomes()


def hours(desktop: Desktop, until: str = "2099-01-01") -> dict[int, str]:
    return {r[1]: f"{r[2]:f}".rstrip("0").rstrip(".") for r in desktop.current(JOBS, until)}


def items(desktop: Desktop, until: str = "2099-01-01") -> list[str]:
    return [r[0] for r in desktop.current(PLANS, until)]


def test_append_keeps_every_row_also_the_same_one_twice(desktop: Desktop) -> None:
    send(desktop, "a/1.txt", b"#notes\nhello\nhello\n", ONE)
    send(desktop, "a/2.txt", b"#notes\nhello\n", TWO)
    assert desktop.current(NOTES) == [("hello",)] * 3


def test_latest_takes_the_later_arrival_key_by_key(desktop: Desktop) -> None:
    send(desktop, "a/1.csv", jobs((1, "1"), (2, "1")), ONE)
    send(desktop, "b/2.csv", jobs((2, "5"), (3, "5")), TWO)
    assert hours(desktop) == {1: "1", 2: "5", 3: "5"}


def test_latest_goes_by_receipt_and_not_by_the_order_of_taking_in(desktop: Desktop) -> None:
    send(desktop, "a/correction.csv", jobs((1, "5")), TWO)
    send(desktop, "a/original.csv", jobs((1, "1")), ONE)
    assert hours(desktop) == {1: "5"}


def test_latest_takes_the_last_line_of_one_file(desktop: Desktop) -> None:
    send(desktop, "a/1.csv", jobs((1, "1"), (1, "2"), (1, "3")), ONE)
    assert hours(desktop) == {1: "3"}


def test_a_correction_that_leaves_a_row_out_removes_it_only_where_the_table_is_replaced(
    desktop: Desktop,
) -> None:
    send(desktop, "a/1.txt", plans("x", "y"), ONE)
    send(desktop, "a/1.csv", jobs((1, "1"), (2, "1")), ONE)
    send(desktop, "a/1.txt", plans("x"), TWO)
    send(desktop, "a/1.csv", jobs((1, "1")), TWO)
    assert items(desktop) == ["x"]
    assert hours(desktop) == {1: "1", 2: "1"}


def test_replace_leaves_other_scopes_alone(desktop: Desktop) -> None:
    send(desktop, "a/1.txt", plans("x", "y"), ONE)
    send(desktop, "b/1.txt", plans("z"), TWO)
    assert items(desktop) == ["x", "y", "z"]


def test_replace_takes_the_scope_whole_from_one_arrival(desktop: Desktop) -> None:
    """Two files of one sender in one second: one of them holds, never a mixture."""
    send(desktop, "a/1.txt", plans("x", "y"), ONE)
    send(desktop, "a/2.txt", plans("y", "z"), ONE)
    assert items(desktop) in (["x", "y"], ["y", "z"])


def test_old_bytes_hold_again_when_they_are_sent_again(desktop: Desktop) -> None:
    for content, at in ((("x", "y"), ONE), (("z",), TWO), (("x", "y"), THREE)):
        send(desktop, "a/1.txt", plans(*content), at)
    assert items(desktop) == ["x", "y"]
    assert items(desktop, "2026-08-02T12:00:00") == ["z"]
    assert items(desktop, "2026-08-01T12:00:00") == ["x", "y"]


def test_the_same_bytes_twice_count_once_where_rows_have_a_key(desktop: Desktop) -> None:
    send(desktop, "a/1.csv", jobs((1, "1")), ONE)
    send(desktop, "a/again.csv", jobs((1, "1")), TWO)
    assert hours(desktop) == {1: "1"}


def test_arrivals_after_the_nights_instant_do_not_exist(desktop: Desktop) -> None:
    send(desktop, "a/1.csv", jobs((1, "1")), ONE)
    send(desktop, "a/2.csv", jobs((1, "5"), (2, "5")), TWO)
    assert hours(desktop, "2026-07-31T23:59:59") == {}
    assert hours(desktop, "2026-08-01T23:59:59") == {1: "1"}
    assert hours(desktop, TWO) == {1: "5", 2: "5"}


def test_visibility_does_not_depend_on_merging(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "FAN_IN", 2)
    send(desktop, "a/1.csv", jobs((1, "1")), ONE)
    send(desktop, "a/2.csv", jobs((1, "5")), TWO)
    (merge,) = lake.plan_merges(desktop.ledger, (JOBS,))
    lake.write_merge(desktop.data, merge, JOBS.schema)
    with desktop.ledger.transaction() as connection:
        connection.execute(sa.update(landings).values(path=merge.path))
    assert hours(desktop, "2026-08-01T12:00:00") == {1: "1"}
    assert hours(desktop) == {1: "5"}


def test_a_superseded_arrivals_rows_are_gone(desktop: Desktop) -> None:
    send(desktop, "wrong/1.txt", plans("x"), ONE)
    desktop.state("wrong/1.txt", "right", ONE)
    desktop.outcomes()
    assert items(desktop) == ["x"]


def test_rows_in_a_file_that_the_ledger_places_elsewhere_do_not_count(desktop: Desktop) -> None:
    """After a new reading the merged file still holds the old rows of that arrival."""
    send(desktop, "a/1.csv", jobs((1, "1")), ONE)
    (file,) = [
        p
        for p in lake.landing_files(desktop.ledger, desktop.data, (JOBS,))[JOBS]
        if "empty" not in p.name
    ]
    stale = file.with_name("merged-of-old.parquet")
    pq.write_table(pq.read_table(file), stale)
    look = desktop.root / "w.duckdb"
    warehouse.prepare(
        look,
        landings={JOBS: [file, stale]},
        facts={},
        snapshot=snapshot.take(desktop.ledger, utc("2099-01-01")),
        visible_until=utc("2099-01-01"),
    )
    with warehouse.connect(look, read_only=True) as connection:
        assert warehouse.rows(connection, f"select count(*) as n from history.{JOBS.name}") == [
            {"n": 1}
        ]


def test_files_from_before_a_column_was_added_lack_it_and_nothing_else(desktop: Desktop) -> None:
    send(desktop, "a/1.csv", jobs((1, "1")), ONE)
    wider = replace(JOBS, columns=(Column("new", Type.TEXT, "新", ""), *JOBS.columns))
    assert desktop.current(wider) == [(None, "c1", 1, Decimal(1), "user-taro")]


def test_files_from_before_a_column_was_dropped_show_it_no_more(desktop: Desktop) -> None:
    send(desktop, "a/1.csv", jobs((1, "1")), ONE)
    narrower = replace(JOBS, columns=JOBS.columns[:3])
    assert desktop.current(narrower) == [("c1", 1, Decimal(1))]


def test_columns_may_be_named_like_words_of_sql(desktop: Desktop) -> None:
    odd = replace(PLANS, columns=PLANS.columns, key=("order",), scope=("order",), mode=Mode.REPLACE)
    send(desktop, "a/1.txt", plans("x", "y"), ONE)
    assert desktop.current(odd) == [("x", 2), ("y", 3)]


@pytest.mark.parametrize("name", ["a'b", "a[1]", "a*b", "key=value", "日本 語"])
def test_the_data_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    ledger.prepare()
    desktop = Desktop(root, ledger)
    send(desktop, "a/1.csv", jobs((1, "1")), ONE)
    assert hours(desktop) == {1: "1"}


def test_a_table_that_nobody_sent_is_empty_and_there(desktop: Desktop) -> None:
    assert [desktop.current(c) for c in CONTRACTS] == [[], [], []]


def test_the_ledger_stands_in_the_warehouse(desktop: Desktop) -> None:
    send(desktop, "a/1.csv", jobs((1, "1")), ONE)
    desktop.current(JOBS)
    with warehouse.connect(desktop.root / "look.duckdb", read_only=True) as connection:
        found = warehouse.rows(
            connection, "select name, sender, received_at, registered_at from ledger.arrivals"
        )
    assert (found[0]["name"], found[0]["sender"]) == ("a/1.csv", "a")
    assert found[0]["received_at"] == utc(ONE)


def test_a_reader_cannot_write_and_fetches_no_extension(desktop: Desktop) -> None:
    desktop.current(JOBS)
    with warehouse.connect(desktop.root / "look.duckdb", read_only=True) as connection:
        with pytest.raises(duckdb.Error):
            connection.execute("create table t (n integer)")
        asked = (
            "select current_setting('autoinstall_known_extensions') as auto, "
            "current_setting('TimeZone') as zone"
        )
        assert warehouse.rows(connection, asked) == [{"auto": False, "zone": "UTC"}]


def test_facts_are_read_from_their_list_alone(tmp_path: Path) -> None:
    for name in ("listed", "unlisted"):
        pq.write_table(pa.table({"n": [name]}), tmp_path / f"{name}.parquet")
    warehouse.prepare(
        tmp_path / "w.duckdb",
        landings={},
        facts={"totals": [tmp_path / "listed.parquet"]},
        snapshot={},
        visible_until=datetime(2026, 8, 1, tzinfo=UTC),
    )
    with warehouse.connect(tmp_path / "w.duckdb", read_only=True) as connection:
        assert warehouse.rows(connection, "from facts.totals") == [{"n": "listed"}]


def test_what_could_not_be_built_is_carried_over(tmp_path: Path) -> None:
    for name, number in (("old", 1), ("new", 2)):
        with warehouse.connect(tmp_path / f"{name}.duckdb") as connection:
            connection.execute(
                f"create schema marts; create table marts.built as select {number} n"
            )
            if name == "old":
                connection.execute("create table marts.broken as select 7 n")
    carried = warehouse.carry(
        tmp_path / "new.duckdb", tmp_path / "old.duckdb", ["marts.broken", "marts.never"]
    )
    assert carried == ["marts.broken"]
    with warehouse.connect(tmp_path / "new.duckdb", read_only=True) as connection:
        assert warehouse.rows(connection, "from marts.broken") == [{"n": 7}]
        assert warehouse.rows(connection, "from marts.built") == [{"n": 2}]


def test_a_new_reading_replaces_the_rows_of_the_old_one(desktop: Desktop) -> None:
    send(desktop, "a/1.csv", jobs((1, "1"), (2, "2")), ONE)
    only_first = replace(
        JOBS_FORMAT, version=2, read=lambda s, c: iter(list(JOBS_FORMAT.read(s, c))[:1])
    )
    desktop.formats = (only_first, *FORMATS[1:])
    desktop.read()
    assert hours(desktop) == {1: "1"}
