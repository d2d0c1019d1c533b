"""A printed number followed to the line of the file it came from."""

import pytest
import sqlalchemy as sa

from geniac_pipelines.areas import CONTRACTS
from geniac_pipelines.figures.trace import UnknownFigure, drills, original_line, trace
from geniac_pipelines.figures.trace_text import SEALED, as_text
from geniac_pipelines.settings import DBT_PROJECT
from geniac_pipelines.store.archive import Archive
from geniac_pipelines.store.ledger import figures
from geniac_pipelines.store.secret import open_secret


def test_allocated_hours_lead_to_the_lines_of_the_sacct_file(programme):
    with programme.ledger.reading() as connection:
        printed = connection.execute(
            sa.select(figures.c.figure)
            .where(figures.c.figure.like("gpu_usage.companies.2026-09/%/allocated_gpu_hours"))
            .where(figures.c.value.is_not(None))
            .order_by(figures.c.figure)
        ).scalars()
        figure = next(iter(printed))
    ways = drills(DBT_PROJECT / "target" / "manifest.json")
    found = trace(programme.ledger, programme.data, ways, CONTRACTS, figure)
    relations = [level.relation for level in found.levels]
    assert relations[0] == "marts.fct_gpu_usage__plan_months"
    jobs = next(
        level for level in found.levels if level.relation == "landing.gpu_usage__sacct_jobs"
    )
    row = jobs.rows[0]
    origin = next(o for o in found.origins if o.arrival_id == row["_arrival"])
    secret = open_secret(programme.ledger, None, programme.data / "keys", make=False)
    archive = Archive(programme.data / "archive", secret=secret)
    line = original_line(archive, origin.sha256, row["_line"])
    assert line is not None
    assert row["job_id"] in line
    # the line names users and jobs, so it is shown only to somebody who said why
    assert line in as_text(found, archive, reveal=True)
    for shown in (as_text(found, archive), as_text(found, Archive(archive.root))):
        assert SEALED in shown
        assert line not in shown


def test_a_released_report_is_traced_in_the_data_that_it_was_made_from(programme):
    """The running month's report waits, the closed month's is out: both lead to files."""
    ways = drills(DBT_PROJECT / "target" / "manifest.json")
    for month, generation in (("2026-08", 1), ("2026-09", 2)):
        report = f"monthly/{month}/meti_nedo"
        with programme.ledger.reading() as connection:
            figure = connection.execute(
                sa.select(sa.func.min(figures.c.figure)).where(
                    figures.c.report == report,
                    figures.c.figure.like("gpu_usage.companies.%/allocated_gpu_hours"),
                    figures.c.value.is_not(None),
                )
            ).scalar_one()
        found = trace(programme.ledger, programme.data, ways, CONTRACTS, figure, report=report)
        assert (found.printed.report, found.printed.generation) == (report, generation)
        assert found.origins


def test_an_unknown_figure_is_refused(programme):
    with pytest.raises(UnknownFigure, match="nothing/of/the/kind"):
        trace(programme.ledger, programme.data, {}, CONTRACTS, "nothing/of/the/kind")
