"""Generations: published in one transaction, kept as long as somebody needs them, then gone."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from geniac_pipelines.store import generations
from geniac_pipelines.store.generations import FactFile
from geniac_pipelines.store.ledger import Ledger, figures, reports

NOON = datetime(2026, 8, 3, 3, tzinfo=UTC)


def fact(path: str, part: str = "a/2026-08-01") -> FactFile:
    return FactFile(f"facts/t/{path}", "t", part, "0" * 64, 1)


def night(
    ledger: Ledger, run_id: str, *made: FactFile, status: str | None = None, fail: bool = False
) -> int:
    """Commit a generation with these fact files and, if a status is given, a report."""
    with ledger.transaction() as connection:
        number = generations.insert(
            connection,
            run_id=run_id,
            kind="nightly",
            as_of=date(2026, 8, 3),
            inputs="0" * 64,
            warehouse=f"generations/{run_id}/warehouse.duckdb",
            provisional=False,
            committed_at=NOON,
        )
        generations.replace_files(connection, number, made)
        if status:
            connection.execute(
                sa.insert(reports).values(
                    report="monthly/2026-07/meti_nedo",
                    generation=number,
                    status=status,
                    month=date(2026, 7, 1),
                    audience="meti_nedo",
                    folder=f"generations/{run_id}/reports",
                )
            )
            connection.execute(
                sa.insert(figures).values(
                    report="monthly/2026-07/meti_nedo",
                    generation=number,
                    figure="f",
                    label="f",
                    decimals=0,
                    clause="3-1-a",
                    origin={},
                )
            )
        if fail:
            raise RuntimeError
    return number


def facts_left(ledger: Ledger, keep: int = 3) -> set[str]:
    kept = generations.kept(ledger, keep)
    return {Path(p).name for p in generations.referenced(ledger, kept)["facts"]}


def current(ledger: Ledger) -> dict[str, str]:
    return {
        part: Path(file.path).name for part, file in generations.current_files(ledger, "t").items()
    }


def test_before_the_first_night_there_is_none(ledger: Ledger) -> None:
    assert generations.latest(ledger) is None
    assert generations.kept(ledger, 3) == {}
    assert generations.referenced(ledger, {}) == {"landing": set(), "facts": set()}


def test_the_latest_generation_is_the_one_that_readers_follow(ledger: Ledger) -> None:
    night(ledger, "r1")
    second = night(ledger, "r2")
    latest = generations.latest(ledger)
    assert latest is not None
    assert (latest.generation, latest.run_id) == (second, "r2")
    assert latest.committed_at == NOON


def test_a_night_that_fails_in_its_commit_changes_nothing(ledger: Ledger) -> None:
    night(ledger, "r1", fact("one"))
    with pytest.raises(RuntimeError):
        night(ledger, "r2", fact("two"), fail=True)
    latest = generations.latest(ledger)
    assert latest is not None
    assert latest.run_id == "r1"
    assert current(ledger) == {"a/2026-08-01": "one"}


def test_numbers_rise_and_a_run_publishes_once(ledger: Ledger) -> None:
    assert night(ledger, "r1") < night(ledger, "r2")
    with pytest.raises(IntegrityError):
        night(ledger, "r1")


def test_a_new_file_ends_the_old_one_of_its_part_alone(ledger: Ledger) -> None:
    night(ledger, "r1", fact("a1", "a"), fact("b1", "b"))
    night(ledger, "r2", fact("a2", "a"))
    assert current(ledger) == {"a": "a2", "b": "b1"}


def test_a_correction_that_is_taken_back_brings_the_old_file_back(ledger: Ledger) -> None:
    """Same inputs, same path; the file is part of generations 1 and 3 and not of 2."""
    for run, path in (("r1", "one"), ("r2", "two"), ("r3", "one")):
        night(ledger, run, fact(path))
    assert current(ledger) == {"a/2026-08-01": "one"}
    night(ledger, "r4", fact("three"))
    assert current(ledger) == {"a/2026-08-01": "three"}
    assert facts_left(ledger, keep=1) == {"three"}
    assert facts_left(ledger, keep=2) == {"three", "one"}
    assert facts_left(ledger, keep=3) == {"three", "one", "two"}


def test_superseded_facts_go_with_the_last_generation_that_had_them(ledger: Ledger) -> None:
    for n in range(1, 11):
        night(ledger, f"r{n}", fact(f"v{n}"))
    assert facts_left(ledger) == {"v8", "v9", "v10"}


def test_what_an_issued_report_was_made_from_stays_for_ever(ledger: Ledger) -> None:
    night(ledger, "r1", fact("v1"), status="issued")
    night(ledger, "r2", fact("v2"), status="draft")
    night(ledger, "r3", fact("v1"))  # taken back
    for n in range(4, 11):
        night(ledger, f"r{n}", fact(f"v{n}"))
    kept = generations.kept(ledger, 3)
    assert sorted(kept.values()) == ["r1", "r10", "r8", "r9"]
    assert facts_left(ledger) == {"v1", "v8", "v9", "v10"}


def test_a_merged_landing_file_stays_for_the_generations_that_read_it(ledger: Ledger) -> None:
    def landing_left(keep: int) -> set[str]:
        return generations.referenced(ledger, generations.kept(ledger, keep))["landing"]

    night(ledger, "r1", status="issued")
    second = night(ledger, "r2")
    with ledger.transaction() as connection:
        generations.retire(connection, second, ["landing/t/a.parquet"])
    for n in range(3, 6):
        night(ledger, f"r{n}")
    assert landing_left(3) == {"landing/t/a.parquet"}  # for the issued report of r1
    with ledger.transaction() as connection:
        connection.execute(sa.update(reports).values(status="draft"))
    assert landing_left(4) == {"landing/t/a.parquet"}  # r2 is among the newest four
    assert landing_left(3) == set()
    with ledger.transaction() as connection:  # read again, merged again
        generations.retire(connection, 5, ["landing/t/a.parquet"])
    assert landing_left(1) == {"landing/t/a.parquet"}


def test_drafts_are_forgotten_with_their_generation_and_issued_figures_never(
    ledger: Ledger,
) -> None:
    for n, status in enumerate(("issued", "draft", "draft", "draft", "draft"), start=1):
        night(ledger, f"r{n}", status=status)
    generations.forget_drafts(ledger, generations.kept(ledger, 2))
    with ledger.reading() as connection:
        for table in (reports, figures):
            left = connection.execute(sa.select(table.c.generation)).scalars()
            assert sorted(left) == [1, 4, 5]
        assert (
            connection.execute(
                sa.select(sa.func.count(generations.generations.c.run_id))
            ).scalar_one()
            == 5
        )


def test_the_folder_of_a_night_bears_its_runs_name(tmp_path: Path) -> None:
    assert generations.folder(tmp_path, "r1") == tmp_path / "generations" / "r1"
