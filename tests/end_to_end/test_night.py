"""What a night leaves behind, and what a second one does."""

import hashlib
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from geniac_pipelines.cli_reports import release_now
from geniac_pipelines.figures.audience import open_view
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
    folders = sorted((programme.data / "reports" / "2026-09" / "secretariat").glob("company_*"))
    assert len(folders) == len(names)
    for folder in folders:
        own = folder.name.removeprefix("company_")
        page = (folder / "monthly_report.html").read_text(encoding="utf-8")
        assert names[own] in page
        strangers = [i for i, n in names.items() if i != own and (n in page or i in page)]
        assert strangers == []


def test_only_what_a_person_released_reaches_the_ministry(programme):
    reports_folder = programme.data / "reports"
    # the closed month was released to METI and NEDO; its extracts and the running month were not
    assert sorted(p.name for p in (reports_folder / "2026-09").iterdir()) == ["secretariat"]
    august = {p.name for p in (reports_folder / "2026-08").iterdir()}
    assert august == {"meti_nedo", "secretariat"}
    with programme.ledger.reading() as connection:
        issued = connection.execute(
            sa.select(reports.c.folder).where(
                reports.c.status == "issued", reports.c.audience == "meti_nedo"
            )
        ).scalar_one()
    assert contents(reports_folder / "2026-08" / "meti_nedo") == contents(programme.data / issued)
    page = reports_folder / "2026-08" / "meti_nedo" / "monthly_report.html"
    assert "公開前の案" not in page.read_text(encoding="utf-8")
    waiting = reports_folder / "2026-09" / "secretariat" / "meti_nedo" / "monthly_report.html"
    assert "公開前の案" in waiting.read_text(encoding="utf-8")
    assert str(reports_folder / "2026-08") in programme.night.summary
    assert str(reports_folder / "2026-09" / "secretariat") in programme.night.summary


def test_a_release_after_the_night_is_no_reason_for_another(programme):
    """It shows the draft at once, byte for byte; the next night finds nothing new."""
    settings = programme.settings("nightly")
    release_now(settings, month="2026-09", to="company:" + company(programme), person="見本 太郎")
    before = contents(programme.data / "reports")
    shown = f"2026-09/company_{company(programme)}/monthly_report.pdf"
    assert shown in before
    again = launch("nightly", settings, None, progress=print)
    assert "新しい到着はありません" in again.summary
    assert contents(programme.data / "reports") == before


def company(programme) -> str:
    with programme.ledger.reading() as connection:
        found = connection.execute(
            sa.select(reports.c.audience)
            .where(reports.c.audience.startswith("company:"), reports.c.month == date(2026, 9, 1))
            .order_by(reports.c.audience)
        ).scalars()
        return next(iter(found)).removeprefix("company:")


def test_no_report_tells_an_instruction_that_nobody_explained(programme):
    """Judged by the warehouse: what is 要指示 inside without confirmation and explanation reads
    確認中 in the ministry's table, as does 要確認 that nobody confirmed."""
    with connect(programme.warehouse("closing"), read_only=True) as connection:
        inside = rows(
            connection,
            "select company_id, verdict from marts.fct_gpu_usage__appropriateness "
            "where month = date '2026-08-01' and not may_leave",
        )
    assert inside
    with open_view(programme.warehouse("closing"), "meti_nedo") as view:
        outside = rows(
            view,
            "select company_id, verdict from fct_gpu_usage__appropriateness "
            "where month = date '2026-08-01'",
        )
    told = {r["company_id"]: r["verdict"] for r in outside}
    assert {told[r["company_id"]] for r in inside} == {"確認中"}


def test_every_printed_figure_is_on_record_with_its_origin(programme):
    with programme.ledger.reading() as connection:
        found = connection.execute(sa.select(figures.c.figure, figures.c.origin)).all()
    assert len(found) > 100
    assert all(origin["sql"] and origin["relation"] for _, origin in found)
