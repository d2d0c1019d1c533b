"""Landing files: merged in tiers without losing or doubling a row, and swept only when unlisted."""

import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from geniac_pipelines.contracts import Column, Type
from geniac_pipelines.intake.desk import read_arrivals, to_read
from geniac_pipelines.store import lake
from geniac_pipelines.store.lake import (
    Merge,
    empty,
    landing_files,
    plan_merges,
    remove_orphans,
    write_merge,
)
from geniac_pipelines.store.ledger import Ledger, landings
from tests.small_night import FORMATS, JOBS, JOBS_FORMAT, PLANS, Desktop, jobs


def merge_once(desktop: Desktop) -> int:
    """What a night does about merging; returns how many merges there were."""
    merges = plan_merges(desktop.ledger, (JOBS, PLANS))
    for merge in merges:
        write_merge(desktop.data, merge, JOBS.schema)
        with desktop.ledger.transaction() as connection:
            connection.execute(
                sa.update(landings)
                .where(landings.c.path.in_(merge.sources))
                .values(path=merge.path)
            )
    listed = {r["path"] for r in desktop.table("landings")}
    remove_orphans(desktop.data, {"landing": listed})
    return len(merges)


def arrive(desktop: Desktop, first: int, count: int) -> None:
    for n in range(first, first + count):
        hour, minute = divmod(n, 60)
        desktop.drop(
            f"a/{n:04}.csv", jobs((n, "1")), received_at=f"2026-08-{hour + 1:02}T00:{minute:02}:00"
        )
    desktop.take()
    desktop.read()


def parquet_files(desktop: Desktop) -> list[Path]:
    return [p for p in (desktop.data / "landing").rglob("*.parquet") if "empty" not in p.name]


@pytest.fixture
def desktop(tmp_path: Path, ledger: Ledger) -> Desktop:
    return Desktop(tmp_path, ledger)


def test_merging_keeps_exactly_the_rows_and_few_files(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With k files to a merge, n arrivals lie in at most (k - 1)(log_k n + 1) files."""
    monkeypatch.setattr(lake, "FAN_IN", 3)
    arrived = 0
    for count in (1, 2, 3, 4, 9, 1, 12, 27, 5):
        arrive(desktop, arrived, count)
        arrived += count
        while merge_once(desktop):
            pass
        assert [r[1] for r in desktop.current(JOBS)] == list(range(arrived))
        total = sum(pq.read_metadata(p).num_rows for p in parquet_files(desktop))
        assert total == arrived
        assert len(parquet_files(desktop)) <= 2 * (math.log(arrived, 3) + 1)


@settings(max_examples=15, deadline=None)
@given(nights=st.lists(st.integers(0, 12), min_size=1, max_size=8), fan_in=st.integers(2, 4))
def test_nights_of_any_size_merge_without_losing_or_doubling_a_row(
    nights: list[int], fan_in: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("lake")
    ledger = Ledger(f"sqlite:///{root / 'ledger.sqlite'}")
    ledger.prepare()
    desktop = Desktop(root, ledger)
    (root / "inbox").mkdir()
    arrived = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lake, "FAN_IN", fan_in)
        for count in nights:
            arrive(desktop, arrived, count)
            arrived += count
            merge_once(desktop)
            rows = [
                n for p in parquet_files(desktop) for n in pq.read_table(p)["job_id"].to_pylist()
            ]
            assert sorted(rows) == list(range(arrived))
    ledger.engine.dispose()


def test_a_merge_follows_the_order_of_receipt(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "FAN_IN", 2)
    desktop.drop("a/late.csv", jobs((2, "1")), received_at="2026-08-02T00:00:00")
    desktop.drop("a/soon.csv", jobs((1, "1")), received_at="2026-08-01T00:00:00")
    desktop.outcomes()
    assert merge_once(desktop) == 1
    (file,) = parquet_files(desktop)
    assert pq.read_table(file)["job_id"].to_pylist() == [1, 2]


def test_fewer_files_than_a_merge_needs_are_left_alone(desktop: Desktop) -> None:
    arrive(desktop, 0, lake.FAN_IN - 1)
    assert plan_merges(desktop.ledger, (JOBS,)) == []
    arrive(desktop, lake.FAN_IN - 1, 1)
    (merge,) = plan_merges(desktop.ledger, (JOBS,))
    assert len(merge.sources) == lake.FAN_IN


def test_bulk_tables_are_never_merged(desktop: Desktop) -> None:
    arrive(desktop, 0, lake.FAN_IN)
    assert plan_merges(desktop.ledger, (replace(JOBS, bulk=True),)) == []


def test_rows_of_an_arrival_that_was_read_again_are_not_doubled_by_merging(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "FAN_IN", 2)
    arrive(desktop, 0, 4)
    while merge_once(desktop):
        pass
    assert len(parquet_files(desktop)) == 1

    def read(source: object, context: object) -> object:
        for item in JOBS_FORMAT.read(source, context):
            yield replace(item, values={**item.values, "gpu_hours": Decimal(7)})

    desktop.formats = (replace(JOBS_FORMAT, read=read, version=2), *FORMATS[1:])
    victim = desktop.table("arrivals")[0]["name"]
    desk = desktop.desk()
    list(read_arrivals(desk, [a for a in to_read(desk) if a.name == victim]))
    assert sorted(str(r[2])[:1] for r in desktop.current(JOBS)) == ["1", "1", "1", "7"]

    # the others are read again too, more arrive, and all is merged: no old row comes back
    arrive(desktop, 4, 4)
    while merge_once(desktop):
        pass
    found = desktop.current(JOBS)
    assert [r[1] for r in found] == list(range(8))
    assert {str(r[2])[:1] for r in found} == {"7"}

    merged, own = (desktop.data / f"landing/{JOBS.name}/{n}.parquet" for n in ("old", "new"))
    for file, hours in ((merged, (1, 1)), (own, (7,))):
        rows = [
            {"cluster": "c", "job_id": n, "gpu_hours": Decimal(h), "_arrival": f"arrival {n}"}
            for n, h in enumerate(hours)
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=JOBS.schema), file)
    sources = tuple(f.relative_to(desktop.data).as_posix() for f in (merged, own))
    placed = (frozenset({"arrival 1"}), frozenset({"arrival 0"}))
    write_merge(
        desktop.data, Merge(JOBS.name, "landing/both.parquet", sources, placed), JOBS.schema
    )
    both = pq.read_table(desktop.data / "landing/both.parquet")
    assert both["job_id"].to_pylist() == [1, 0]
    assert both["gpu_hours"].to_pylist() == [Decimal(1), Decimal(7)]


def test_every_table_has_a_file_without_rows(desktop: Desktop) -> None:
    found = landing_files(desktop.ledger, desktop.data, (JOBS, PLANS))
    for contract in (JOBS, PLANS):
        (file,) = found[contract]
        table = pq.read_table(file)
        assert table.num_rows == 0
        assert table.schema.equals(contract.schema)
        assert empty(desktop.data, contract.name, contract.schema) == file


def test_the_file_without_rows_follows_a_change_of_columns(desktop: Desktop) -> None:
    old = empty(desktop.data, JOBS.name, JOBS.schema)
    wider = replace(JOBS, columns=(*JOBS.columns, Column("new", Type.TEXT, "新", "")))
    new = empty(desktop.data, JOBS.name, wider.schema)
    assert new != old
    assert "new" in pq.read_schema(new).names


def test_a_merge_brings_old_files_to_the_columns_of_today(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "FAN_IN", 2)
    arrive(desktop, 0, 2)
    wider = replace(JOBS, columns=(*JOBS.columns, Column("new", Type.TEXT, "新", "")))
    (merge,) = plan_merges(desktop.ledger, (wider,))
    write_merge(desktop.data, merge, wider.schema)
    assert pq.read_table(desktop.data / merge.path)["new"].to_pylist() == [None, None]


def test_only_unlisted_files_are_removed(tmp_path: Path) -> None:
    kept = ["landing/t/a.parquet", "landing/t/empty-1.parquet", "reports/r.parquet"]
    for path in (
        *kept,
        "landing/t/b.parquet",
        "landing/t/.c.parquet.part",
        "landing/u/x/d.parquet",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert remove_orphans(tmp_path, {"landing": {"landing/t/a.parquet"}, "facts": set()}) == 3
    left = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    assert left == sorted(kept)
