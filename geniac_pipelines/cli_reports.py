"""Reports on the command line: which there are, and a named person's release of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from geniac_pipelines.cli_folders import with_settings
from geniac_pipelines.settings import Settings

if TYPE_CHECKING:
    from geniac_pipelines.reports.release import Listed

STATUS = {"issued": "発行済み", "draft": "暫定"}


@click.group()
def reports() -> None:
    """報告書の一覧と公開 / the reports, and a person's release of them."""


@reports.command("list")
@with_settings
def list_reports(settings: Settings) -> None:
    """報告書と公開の状況 / the reports and whether they are out."""
    from geniac_pipelines.night import open_ledger
    from geniac_pipelines.reports.release import listing

    found = listing(open_ledger(settings), settings.data)
    for each in found:
        click.echo(_line(each))
    waiting = sum(not each.is_out for each in found)
    click.echo(f"報告書 {len(found)}件　うち公開前 {waiting}件")


@reports.command("release")
@click.option("--month", required=True, help="month of the report, 2026-08")
@click.option("--to", required=True, help="meti_nedo, company:<id>, or companies (all of them)")
@click.option("--person", required=True, help="who decides, by name")
@click.option("--reason", help="why, or what was looked at")
@click.option("--mark", help="版: only if it is still the content that you have read")
@with_settings
def release_reports(
    month: str,
    to: str,
    person: str,
    reason: str | None,
    mark: str | None,
    settings: Settings,
) -> None:
    """報告書を公開する / let a month's report go to its audience, as a person's decision."""
    from geniac_pipelines.store.lock import Busy

    try:
        done = release_now(settings, month=month, to=to, person=person, reason=reason, mark=mark)
    except (ValueError, Busy) as error:
        raise click.ClickException(str(error)) from error
    for each in done:
        click.echo(_line(each))
    click.echo(f"公開しました / released: {len(done)} in {settings.data / 'reports' / month}")


def release_now(
    settings: Settings,
    *,
    month: str,
    to: str,
    person: str,
    reason: str | None = None,
    mark: str | None = None,
) -> tuple[Listed, ...]:
    """Release and show at once. Raises Busy while a night works on the data folder, and what
    `release` raises."""
    from geniac_pipelines.calendar import Month
    from geniac_pipelines.night import open_ledger
    from geniac_pipelines.reports.edition import publish
    from geniac_pipelines.reports.release import DEFAULT_REASON, release
    from geniac_pipelines.settings import Clock
    from geniac_pipelines.store.lock import exclusive

    with exclusive(settings.data, "release of reports"):
        ledger = open_ledger(settings)
        done = release(
            ledger,
            settings.data,
            month=Month.parse(month),
            to=to,
            person=person,
            reason=reason or DEFAULT_REASON,
            at=Clock(settings.as_of).now(),
            mark=mark,
        )
        publish(ledger, settings.data)
    return done


def _line(each: Listed) -> str:
    made = each.made
    said = f"{made.month}　{made.audience}　{STATUS[made.status]}　版 {each.mark}　{each.ja}"
    return said if each.release is None else f"{said}（{each.release.person}）"
