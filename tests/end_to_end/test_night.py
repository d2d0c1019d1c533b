"""What a night leaves behind, and what a second one does."""

import hashlib
from pathlib import Path

import sqlalchemy as sa

from geniac_pipelines.launch import launch
from geniac_pipelines.store.ledger import figures, reports
from geniac_pipelines.store.warehouse import connect, rows


def contents(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_a_closed_month_is_issued_and_the_running_one_is_a_draft(programme):
    with programme.ledger.reading() as connection:
        found = connection.execute(
            sa.select(reports.c.month, reports.c.status).distinct().order_by(reports.c.month)
        ).all()
    assert [(f"{m:%Y-%m}", s) for m, s in found] == [("2026-08", "issued"), ("2026-09", "draft")]


def test_a_second_night_says_that_nothing_is_new_and_changes_no_byte(programme):
    before = contents(programme.data / "reports")
    again = launch("nightly", programme.settings("nightly"), None, progress=print)
    assert again.success
    assert "新しい到着はありません" in again.summary
    assert before
    assert contents(programme.data / "reports") == before


def test_a_companys_report_names_no_other_company(programme):
    with connect(programme.warehouse("nightly"), read_only=True) as connection:
        names = {
            r["organisation_id"]: r["name_ja"]
            for r in rows(connection, "from marts.dim_programme__organisations")
        }
    folders = sorted((programme.data / "reports" / "2026-09").glob("company_*"))
    assert len(folders) == len(names)
    for folder in folders:
        own = folder.name.removeprefix("company_")
        page = (folder / "monthly_report.html").read_text(encoding="utf-8")
        assert names[own] in page
        strangers = [i for i, n in names.items() if i != own and (n in page or i in page)]
        assert strangers == []


def test_every_printed_figure_is_on_record_with_its_origin(programme):
    with programme.ledger.reading() as connection:
        found = connection.execute(sa.select(figures.c.figure, figures.c.origin)).all()
    assert len(found) > 100
    assert all(origin["sql"] and origin["relation"] for _, origin in found)
