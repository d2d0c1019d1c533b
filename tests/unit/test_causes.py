"""Why a restated figure changed: the files under its rows that came after the report was issued."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from geniac_pipelines.figures.model import Figure, Origin
from geniac_pipelines.reports.causes import NO_FILE, causes_in
from geniac_pipelines.store.warehouse import connect

ISSUED = date(2026, 9, 7)


@pytest.fixture
def view() -> Iterator[Any]:
    """aoi's July rests on a file that came after the issue, its August on one that came before."""
    with connect() as connection:
        connection.execute(
            """
            create table fct_programme__deliveries as from (values
                ('late', 'aoi/2026-07/sacct.txt', date '2026-09-08', ['gpu_usage__sacct_jobs']),
                ('early', 'aoi/2026-08/sacct.txt', date '2026-09-01', ['gpu_usage__sacct_jobs']))
                t(arrival_id, file_name, received_on, contracts);
            create table fct_months as from (values
                ('aoi', date '2026-07-01', ['late']), ('aoi', date '2026-08-01', ['early']),
                ('beni', date '2026-08-01', ['late'])) t(company_id, month, _arrivals);
            create table fct_bare as select 'aoi' as company_id;
            """
        )
        yield connection


def figure(mart: str = "fct_months", *, cumulative: bool = False) -> Figure:
    origin = Origin(
        sql="select 1",
        relation=f"marts.{mart}",
        match={"company_id": "id"},
        parameters={"month": date(2026, 8, 1)},
        cumulative=cumulative,
    )
    return Figure("t/aoi/n", "数", 1, None, 0, "3-1-a", "meti_nedo", origin, {"id": "aoi"})


def test_a_months_figure_changed_by_no_file_that_came_before_the_issue(view: Any) -> None:
    cause = causes_in(view)(figure(), ISSUED)
    assert (cause.reason, cause.files) == (NO_FILE, None)


def test_a_cumulative_figure_is_changed_by_a_late_file_of_an_earlier_month(view: Any) -> None:
    causes = causes_in(view)
    assert causes(figure(), ISSUED).files is None
    cause = causes(figure(cumulative=True), ISSUED)
    assert cause.reason == "ジョブ実行記録の追加・訂正"
    assert cause.files == "sacct.txt（9月8日受付）"


def test_a_mart_that_knows_no_files_names_none(view: Any) -> None:
    assert causes_in(view)(figure("fct_bare"), ISSUED).reason == NO_FILE
