"""Release of reports: nothing goes out but what a named person released, byte for byte."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from geniac_pipelines.audiences import UnknownAudience
from geniac_pipelines.calendar import Month
from geniac_pipelines.cli import main
from geniac_pipelines.night import open_ledger
from geniac_pipelines.reports.edition import ContentChanged, publish, unreleased
from geniac_pipelines.reports.release import (
    COMPANIES,
    AlreadyOut,
    Listed,
    NotReleasable,
    content_digest,
    listing,
    release,
)
from geniac_pipelines.settings import Settings
from geniac_pipelines.store import generations, snapshot
from geniac_pipelines.store.decisions import NotADecision, decisions_about
from geniac_pipelines.store.ledger import reports
from geniac_pipelines.store.lock import exclusive

AUGUST, SEPTEMBER = Month(2026, 8), Month(2026, 9)
NOW = datetime(2026, 9, 7, 3, tzinfo=UTC)
PERSON = "事務局 見本 太郎（架空）"
AUDIENCES = ("meti_nedo", "company:aoi-ai", "company:beni")


class Office:
    """A data folder whose nights make reports of a few bytes."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.ledger = open_ledger(Settings(data=data, inbox=data / "inbox"))

    def night(self, month: Month, status: str, words: str) -> int:
        """A generation with a report for each audience; returns its number. Publishes."""
        run = f"r-{words}"
        with self.ledger.transaction() as connection:
            number = generations.insert(
                connection,
                run_id=run,
                kind="nightly",
                as_of=date(2026, 9, 7),
                inputs=words,
                warehouse=f"generations/{run}/warehouse.duckdb",
                provisional=False,
                committed_at=NOW,
            )
            for audience in AUDIENCES:
                folder = Path("generations") / run / "reports" / audience.replace(":", "_")
                for place, text in ((folder, words), (unreleased(folder), f"案 {words}")):
                    (self.data / place / "csv").mkdir(parents=True)
                    (self.data / place / "page.txt").write_text(f"{audience} {text}")
                    (self.data / place / "csv" / "a.csv").write_text("a\n1\n")
                connection.execute(
                    sa.insert(reports).values(
                        report=f"monthly/{month}/{audience}",
                        generation=number,
                        status=status,
                        month=month.first,
                        audience=audience,
                        folder=folder.as_posix(),
                    )
                )
        publish(self.ledger, self.data)
        return number

    def release(self, month: Month, to: str, **options: str) -> tuple[Listed, ...]:
        done = release(
            self.ledger, self.data, month=month, to=to, at=NOW, **{"person": PERSON, **options}
        )
        publish(self.ledger, self.data)
        return done

    def page(self, month: Month, *folders: str) -> str | None:
        file = self.data.joinpath("reports", str(month), *folders, "page.txt")
        return file.read_text() if file.exists() else None

    def shown(self) -> dict[str, str]:
        folder = self.data / "reports"
        return {
            f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest()
            for f in sorted(folder.rglob("*"))
            if f.is_file()
        }


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_a_new_report_lies_with_the_secretariat_alone_marked_as_a_draft(office: Office) -> None:
    office.night(AUGUST, "issued", "八月")
    assert office.page(AUGUST, "secretariat", "meti_nedo") == "meti_nedo 案 八月"
    assert [p.name for p in (office.data / "reports" / "2026-08").iterdir()] == ["secretariat"]


def test_a_release_shows_the_very_bytes_that_the_night_made(office: Office) -> None:
    office.night(AUGUST, "issued", "八月")
    made = office.data / "generations" / "r-八月" / "reports" / "meti_nedo"
    before = content_digest(made)
    (done,) = office.release(AUGUST, "meti_nedo")
    assert content_digest(made) == before == done.digest
    assert content_digest(office.data / "reports" / "2026-08" / "meti_nedo") == before
    assert office.page(AUGUST, "meti_nedo") == "meti_nedo 八月"
    # what is out waits no longer; the companies' extracts still do
    waiting = office.data / "reports" / "2026-08" / "secretariat"
    assert {p.name for p in waiting.iterdir()} == {"company_aoi-ai", "company_beni"}


def test_the_record_names_person_content_and_audience(office: Office) -> None:
    number = office.night(AUGUST, "issued", "八月")
    (done,) = office.release(AUGUST, "meti_nedo", reason="全数値を照合した")
    (decision,) = decisions_about(office.ledger, "report")
    assert (decision.act, decision.subject) == ("release", "monthly/2026-08/meti_nedo")
    assert (decision.person, decision.reason) == (PERSON, "全数値を照合した")
    assert decision.details == {
        "audience": "meti_nedo",
        "generation": number,
        "digest": done.digest,
        "status": "issued",
    }


def test_companies_go_together_or_one_by_one(office: Office) -> None:
    office.night(AUGUST, "issued", "八月")
    office.release(AUGUST, "company:beni")
    assert office.page(AUGUST, "company_beni") == "company:beni 八月"
    assert office.page(AUGUST, "company_aoi-ai") is None
    done = office.release(AUGUST, COMPANIES)
    # beni's is out already
    assert [d.made.audience for d in done] == ["company:aoi-ai"]
    assert office.page(AUGUST, "company_aoi-ai") == "company:aoi-ai 八月"
    assert office.page(AUGUST, "meti_nedo") is None


def test_a_newer_draft_waits_while_the_released_one_stays(office: Office) -> None:
    office.night(SEPTEMBER, "draft", "初稿")
    office.release(SEPTEMBER, "meti_nedo")
    office.night(SEPTEMBER, "draft", "二稿")
    assert office.page(SEPTEMBER, "meti_nedo") == "meti_nedo 初稿"
    assert office.page(SEPTEMBER, "secretariat", "meti_nedo") == "meti_nedo 案 二稿"
    (meti, *_) = listing(office.ledger, office.data)
    assert (meti.is_out, meti.ja) == (False, "公開前（前の版を公開中）")
    office.release(SEPTEMBER, "meti_nedo")
    assert office.page(SEPTEMBER, "meti_nedo") == "meti_nedo 二稿"
    assert office.page(SEPTEMBER, "secretariat", "meti_nedo") is None


def test_the_generation_of_a_released_draft_is_kept(office: Office) -> None:
    first = office.night(SEPTEMBER, "draft", "初稿")
    office.release(SEPTEMBER, "meti_nedo")
    last = [office.night(SEPTEMBER, "draft", f"{n}稿") for n in range(2, 7)][-1]
    kept = generations.kept(office.ledger, 1)
    assert set(kept) == {first, last}
    generations.forget_drafts(office.ledger, kept)
    publish(office.ledger, office.data)
    assert office.page(SEPTEMBER, "meti_nedo") == "meti_nedo 初稿"


def test_publishing_again_changes_nothing(office: Office) -> None:
    office.night(AUGUST, "issued", "八月")
    office.release(AUGUST, "meti_nedo")
    office.night(SEPTEMBER, "draft", "九月")
    before = office.shown()
    publish(office.ledger, office.data)
    assert before
    assert office.shown() == before


def test_a_release_killed_before_it_was_shown_is_shown_by_the_next_run(office: Office) -> None:
    office.night(AUGUST, "issued", "八月")
    release(office.ledger, office.data, month=AUGUST, to="meti_nedo", person=PERSON, at=NOW)
    assert office.page(AUGUST, "meti_nedo") is None
    publish(office.ledger, office.data)
    assert office.page(AUGUST, "meti_nedo") == "meti_nedo 八月"


def test_only_the_content_that_was_read_is_released(office: Office) -> None:
    office.night(SEPTEMBER, "draft", "初稿")
    read = listing(office.ledger, office.data)[0].mark
    office.night(SEPTEMBER, "draft", "二稿")
    with pytest.raises(NotReleasable, match="not the one you read"):
        office.release(SEPTEMBER, "meti_nedo", mark=read)
    assert decisions_about(office.ledger, "report") == ()
    office.release(SEPTEMBER, "meti_nedo", mark=listing(office.ledger, office.data)[0].mark)
    assert office.page(SEPTEMBER, "meti_nedo") == "meti_nedo 二稿"


def test_what_can_not_be_released_says_why(office: Office) -> None:
    office.night(AUGUST, "issued", "八月")
    with pytest.raises(NotADecision, match="name a person"):
        office.release(AUGUST, "meti_nedo", person="machine")
    with pytest.raises(NotADecision, match="needs a person"):
        office.release(AUGUST, "meti_nedo", person=" ")
    with pytest.raises(NotReleasable, match="no report of 2026-09"):
        office.release(SEPTEMBER, "meti_nedo")
    with pytest.raises(NotReleasable, match="no report of 2026-08 for company:nobody"):
        office.release(AUGUST, "company:nobody")
    with pytest.raises(UnknownAudience):
        office.release(AUGUST, "everybody")
    office.release(AUGUST, "meti_nedo")
    with pytest.raises(AlreadyOut):
        office.release(AUGUST, "meti_nedo")


def test_files_that_are_not_those_released_are_not_shown(office: Office) -> None:
    office.night(AUGUST, "issued", "八月")
    office.release(AUGUST, "meti_nedo")
    file = office.data / "generations" / "r-八月" / "reports" / "meti_nedo" / "page.txt"
    file.write_text("差し替え")
    with pytest.raises(ContentChanged, match="monthly/2026-08/meti_nedo"):
        publish(office.ledger, office.data)
    assert office.page(AUGUST, "meti_nedo") == "meti_nedo 八月"


def test_what_lies_in_an_audiences_folder_without_release_is_removed(office: Office) -> None:
    office.night(AUGUST, "issued", "八月")
    stray = office.data / "reports" / "2026-08" / "meti_nedo" / "page.txt"
    stray.parent.mkdir()
    stray.write_text("紛れ込んだもの")
    publish(office.ledger, office.data)
    assert not stray.exists()


def test_a_release_makes_no_new_work_for_the_next_night(office: Office) -> None:
    """It decides who reads what a night made, not what it makes; other decisions do."""
    office.night(AUGUST, "issued", "八月")
    later = NOW + timedelta(days=1)
    before = snapshot.digest(snapshot.take(office.ledger, later))
    office.release(AUGUST, "meti_nedo")
    assert snapshot.digest(snapshot.take(office.ledger, later)) == before


def test_the_command_line_lists_and_releases(office: Office) -> None:
    office.night(AUGUST, "issued", "八月")
    folder = ["--data", str(office.data), "--as-of", "2026-09-08"]
    run = CliRunner().invoke
    listed = run(main, ["reports", "list", *folder])
    assert "2026-08　meti_nedo　発行済み　版" in listed.output
    assert "報告書 3件　うち公開前 3件" in listed.output
    wanted = ["reports", "release", "--month", "2026-08", "--to", "meti_nedo", *folder]
    assert run(main, wanted).exit_code == 2
    done = run(main, [*wanted, "--person", PERSON])
    assert (done.exit_code, office.page(AUGUST, "meti_nedo")) == (0, "meti_nedo 八月")
    assert f"公開済み（{PERSON}）" in run(main, ["reports", "list", *folder]).output
    again = run(main, [*wanted, "--person", PERSON])
    assert again.exit_code == 1
    assert "公開済みです" in again.output
    (decision,) = decisions_about(office.ledger, "report")
    # the end of that day in Japan
    assert decision.decided_at.isoformat(timespec="seconds") == "2026-09-08T14:59:59+00:00"


def test_nothing_is_released_while_a_night_works(office: Office) -> None:
    office.night(AUGUST, "issued", "八月")
    command = ["reports", "release", "--month", "2026-08", "--to", "meti_nedo", "--person", PERSON]
    with exclusive(office.data, "nightly r2"):
        refused = CliRunner().invoke(main, [*command, "--data", str(office.data)])
    assert refused.exit_code == 1
    assert "nightly r2" in refused.output
    assert office.page(AUGUST, "meti_nedo") is None


def test_a_month_that_was_issued_is_not_closed_again(office: Office) -> None:
    office.night(AUGUST, "issued", "八月")
    before = office.shown()
    closed = CliRunner().invoke(main, ["close", "2026-08", "--data", str(office.data)])
    assert closed.exit_code == 0
    assert "2026-08 は締め済みです" in closed.output
    assert office.shown() == before
