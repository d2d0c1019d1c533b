"""The ledger as a night sees it, and the digest that tells whether anything has changed."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from geniac_pipelines.store import ledger as tables
from geniac_pipelines.store import snapshot
from geniac_pipelines.store.generations import FactFile
from geniac_pipelines.store.ledger import Ledger
from tests.ledgers import VARIABLE, postgres_schema
from tests.small_night import FORMATS, JOBS_FORMAT, Desktop, jobs, plans, utc
from tests.unit.test_generations import fact, night

ONE, TWO = "2026-08-01T00:00:00", "2026-08-02T00:00:00"
LATER = utc("2099-01-01T00:00:00")


@pytest.fixture
def desktop(tmp_path: Path, ledger: Ledger) -> Desktop:
    desktop = Desktop(tmp_path, ledger)
    desktop.drop("a/1.csv", jobs((1, "1"), (2, "bad")), received_at=ONE)
    desktop.outcomes()
    return desktop


def digest(desktop: Desktop, *more: object, until: datetime = LATER) -> str:
    return snapshot.digest(snapshot.take(desktop.ledger, until), *more)


def decide(ledger: Ledger, at: datetime, reason: str = "因") -> None:
    with ledger.transaction() as connection:
        connection.execute(
            sa.insert(tables.decisions).values(
                subject_kind="finding",
                subject="late/aoi-ai",
                act="override",
                reason=reason,
                person="secretariat",
                decided_at=at,
                details={"b": [1, 2.5, None], "a": "あ"},
            )
        )


def test_the_types_are_those_of_the_columns(desktop: Desktop) -> None:
    arrivals = snapshot.take(desktop.ledger, LATER)["arrivals"]
    assert arrivals.schema.field("received_at").type == pa.timestamp("us", tz="UTC")
    assert arrivals.schema.field("bytes").type == pa.int64()
    assert arrivals["received_at"].to_pylist() == [utc(ONE)]


def test_all_tables_are_there_also_before_anything_happened(ledger: Ledger) -> None:
    empty = snapshot.take(ledger, LATER)
    assert set(empty) >= {
        "arrivals",
        "readings",
        "landings",
        "landing_days",
        "refusals",
        "decisions",
        "generations",
        "reports",
        "figures",
    }
    assert {t.num_rows for t in empty.values()} == {0}


def test_what_comes_later_is_left_out_with_all_that_hangs_on_it(desktop: Desktop) -> None:
    desktop.drop("a/2.csv", jobs((3, "bad"), (4, "1")), received_at=TWO)
    desktop.outcomes()
    decide(desktop.ledger, utc(TWO))
    counts = {
        until: {name: t.num_rows for name, t in snapshot.take(desktop.ledger, utc(until)).items()}
        for until in ("2026-07-31", ONE, TWO)
    }
    assert counts["2026-07-31"]["arrivals"] == 0
    for until, number in ((ONE, 1), (TWO, 2)):
        for name in ("arrivals", "readings", "landings", "refusals"):
            assert counts[until][name] == number
    assert (counts[ONE]["decisions"], counts[TWO]["decisions"]) == (0, 1)


def test_a_superseded_arrival_is_left_out_with_all_that_hangs_on_it(desktop: Desktop) -> None:
    desktop.state("a/1.csv", "b", ONE)
    desktop.outcomes()
    taken = snapshot.take(desktop.ledger, LATER)
    assert taken["arrivals"]["sender"].to_pylist() == ["b"]
    assert [taken[n].num_rows for n in ("readings", "landings", "refusals")] == [1, 1, 1]


def test_figures_and_reports_are_those_that_were_issued(ledger: Ledger) -> None:
    night(ledger, "r1", status="issued")
    night(ledger, "r2", status="draft")
    taken = snapshot.take(ledger, LATER)
    assert taken["reports"]["generation"].to_pylist() == [1]
    assert taken["figures"]["generation"].to_pylist() == [1]
    assert taken["generations"].num_rows == 2


def test_the_digest_changes_when_anything_that_decides_the_result_changes(
    desktop: Desktop,
) -> None:
    seen = [digest(desktop, "nightly", date(2026, 8, 3), "program")]

    def changed() -> str:
        return digest(desktop, "nightly", date(2026, 8, 3), "program")

    desktop.drop("a/2.txt", plans("x"), received_at=TWO)
    desktop.take()
    seen.append(changed())  # an arrival
    desktop.read()
    seen.append(changed())  # its reading
    desktop.state("a/2.txt", "b", TWO)
    desktop.outcomes()
    seen.append(changed())  # its sender
    decide(desktop.ledger, utc(TWO))
    seen.append(changed())  # a decision
    night(desktop.ledger, "r1", status="issued")
    seen.append(changed())  # an issued report, which the next one restates
    desktop.formats = (replace(JOBS_FORMAT, version=2), *FORMATS[1:])
    desktop.read()
    seen.append(changed())  # a reader
    seen.append(digest(desktop, "nightly", date(2026, 8, 4), "program"))  # the day
    seen.append(digest(desktop, "closing", date(2026, 8, 3), "program"))  # the kind of run
    seen.append(digest(desktop, "nightly", date(2026, 8, 3), "program 2"))  # the program
    assert len(set(seen)) == len(seen)


def test_the_digest_stays_when_only_the_night_itself_left_traces(desktop: Desktop) -> None:
    before = digest(desktop)
    night(desktop.ledger, "r1", fact("one"), status="draft")
    with desktop.ledger.transaction() as connection:
        connection.execute(
            sa.update(tables.landings).values(path="landing/test__jobs/merged.parquet")
        )
        connection.execute(
            sa.update(tables.arrivals).values(registered_at=datetime(2026, 8, 9, tzinfo=UTC))
        )
    assert digest(desktop) == before


def test_the_digest_stays_when_a_failed_file_fails_again(tmp_path: Path, ledger: Ledger) -> None:
    """The traceback may name another copy of the file, another address of an object."""
    desktop = Desktop(tmp_path, ledger)
    desktop.drop("a/1.csv", jobs((1, "1")) + b"!raise\n", received_at=ONE)
    assert desktop.outcomes() == {"a/1.csv": "failed"}
    before = digest(desktop)
    with ledger.transaction() as connection:
        connection.execute(sa.update(tables.readings).values(error="at 0x7f00"))
    assert digest(desktop) == before
    assert desktop.outcomes() == {"a/1.csv": "failed"}
    assert digest(desktop) == before


def test_the_digest_depends_on_the_instant_only_through_what_is_visible(desktop: Desktop) -> None:
    assert digest(desktop, until=utc(ONE)) == digest(desktop, until=utc(TWO))
    assert digest(desktop, until=utc("2026-07-31")) != digest(desktop)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[list[Desktop]]:
    if not os.environ.get(VARIABLE):
        pytest.skip(f"{VARIABLE} is not set")
    with ExitStack() as stack:
        url = stack.enter_context(postgres_schema(os.environ[VARIABLE]))
        ledgers = [Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}"), Ledger(url)]
        for ledger in ledgers:
            ledger.prepare()
            stack.callback(ledger.engine.dispose)
        yield [Desktop(tmp_path / str(n), ledger) for n, ledger in enumerate(ledgers)]


def test_both_databases_give_the_same_digest(both: list[Desktop]) -> None:
    """Also for text that the database's locale would sort otherwise."""
    digests = set()
    for desktop in both:
        for name in ("ab", "aB", "a_c", "ア", "あ", "a-b", "亜"):
            desktop.drop(f"{name}/1.csv", jobs((1, "1"), (2, "bad")), received_at=ONE)
        desktop.outcomes()
        decide(desktop.ledger, utc("2026-08-01T00:00:00.000001"))
        night(desktop.ledger, "r1", FactFile("p", "t", "a", "0" * 64, 1), status="issued")
        with desktop.ledger.transaction() as connection:
            row = connection.execute(sa.select(tables.figures)).mappings().one()
            for figure in ("ab", "aB", "a_c", "a-b", "ア", "あ", "亜", "é"):
                connection.execute(
                    sa.insert(tables.figures).values(
                        **{**row, "figure": figure, "origin": {"z": 1, "a": {"y": None, "b": 0.1}}}
                    )
                )
        digests.add(digest(desktop))
    assert len(digests) == 1
