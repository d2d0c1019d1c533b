"""The command-line roof: `geniac …`. Commands that need no dagster load none."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from geniac_pipelines.cli_desk import drafts, findings, outbox
from geniac_pipelines.cli_folders import with_settings
from geniac_pipelines.cli_people import archive_for, people
from geniac_pipelines.cli_reports import reports
from geniac_pipelines.cli_run import close_month, run_job
from geniac_pipelines.cli_sample import demo, sample
from geniac_pipelines.settings import ROOT, Settings


class _File(click.Path):
    """A file that is there: no folder, and no device or pipe, which has no end."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.is_file():
            self.fail(f"{path} is not a file", param, ctx)
        return path


FILE = _File(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="geniac-pipelines")
def main() -> None:
    """GENIAC事務局のデータ基盤 / data platform of the GENIAC secretariat."""


for _command in (findings, drafts, outbox, reports, people, sample, demo):
    main.add_command(_command)


@main.command()
@with_settings
def nightly(settings: Settings) -> None:
    """夜間処理を1回行う / run one night: intake, tables, checks, findings, reports."""
    run_job("nightly", settings, month=None)


@main.command()
@click.argument("month")
@with_settings
def close(month: str, settings: Settings) -> None:
    """月を締め、報告書を発行する / close MONTH (2026-08) and issue its reports."""
    close_month(settings, month)


@main.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--sender", help="organisation id of whoever sent the files")
@click.option("--zone", default="Asia/Tokyo", show_default=True, help="zone of local stamps")
@click.option("--xlsx", type=OUT, help="write 修正依頼票 to this workbook as well")
def check(files: tuple[Path, ...], sender: str | None, zone: str, xlsx: Path | None) -> None:
    """受付前の点検 / say what the sender would be told; keeps nothing. Exit 1 if he must act."""
    from geniac_pipelines.areas import EXPECTATIONS, FORMATS
    from geniac_pipelines.intake.check import check as look
    from geniac_pipelines.intake.reading import Context
    from geniac_pipelines.intake.reply_workbook import write_reply_workbook
    from geniac_pipelines.settings import Clock

    if xlsx and xlsx.resolve() in {file.resolve() for file in files}:
        raise click.ClickException(f"{xlsx} is one of the files to check; it stays as it is")
    context = Context(
        received_at=Clock().now(), pseudonym=lambda _kind, _value: "-", sender=sender, zone=zone
    )
    replies = [r for file in files for r in look(file, FORMATS, context, EXPECTATIONS)]
    click.echo("\n\n".join(reply.ja for reply in replies))
    if xlsx:
        write_reply_workbook(replies, xlsx)
        click.echo(f"written {xlsx}", err=True)
    if any(reply.must_correct for reply in replies):
        sys.exit(1)


@main.command()
@click.argument("name", required=False)
@click.option("--out", type=OUT, help="file to write")
def template(name: str | None, out: Path | None) -> None:
    """提出用の様式を作る / write the workbook NAME to hand in; without NAME, list them."""
    from geniac_pipelines.areas import TEMPLATES
    from geniac_pipelines.intake.workbook import write_template

    if name is None:
        for each in TEMPLATES:
            click.echo(f"{each.name:<14}{each.ja}")
        return
    chosen = next((t for t in TEMPLATES if t.name == name), None)
    if chosen is None:
        known = ", ".join(t.name for t in TEMPLATES)
        raise click.ClickException(f"no template {name!r}; there are {known}")
    target = out or Path(f"{chosen.ja}.xlsx")
    write_template(chosen, target)
    click.echo(f"written {target}")


@main.command()
@click.option("--check", "only_check", is_flag=True, help="fail if a file is not current")
def contracts(only_check: bool) -> None:
    """契約からdbtの定義とデータ辞書を書く / write what follows from the contracts."""
    from geniac_pipelines.areas import CONTRACTS
    from geniac_pipelines.dictionary import dictionary
    from geniac_pipelines.intake.dbt_sources import files
    from geniac_pipelines.settings import DBT_PROJECT

    wanted = files(CONTRACTS, DBT_PROJECT)
    wanted[ROOT / "docs" / "data-dictionary.ja.md"] = dictionary(CONTRACTS, DBT_PROJECT)
    stale = [f for f, content in wanted.items() if not f.exists() or f.read_text() != content]
    if only_check and stale:
        names = ", ".join(str(f.relative_to(ROOT)) for f in stale)
        raise click.ClickException(f"not current: {names}; run `geniac contracts`")
    for file in stale:
        file.write_text(wanted[file])
        click.echo(f"written {file.relative_to(ROOT)}")


@main.command()
@click.argument("figure")
@click.option("--report", help="report that printed it, e.g. monthly/2026-08/meti_nedo")
@click.option("--generation", help="its generation, or the データの版 that the report bears")
@click.option("--depth", default=9, show_default=True, help="levels to go down")
@click.option("--all", "every_file", is_flag=True, help="name every file, however many")
@click.option(
    "--person", help="who looks at lines of originals with personal data (goes on record)"
)
@click.option("--purpose", help="and why")
@with_settings
def trace(
    figure: str,
    report: str | None,
    generation: str | None,
    depth: int,
    every_file: bool,
    person: str | None,
    purpose: str | None,
    settings: Settings,
) -> None:
    """数値の出所をたどる / follow a printed number down to file, sheet and line."""
    from geniac_pipelines.areas import CONTRACTS
    from geniac_pipelines.figures.trace import DataGone, NoManifest, UnknownFigure, drills
    from geniac_pipelines.figures.trace import trace as follow
    from geniac_pipelines.figures.trace_text import as_text
    from geniac_pipelines.night import open_ledger
    from geniac_pipelines.settings import DBT_PROJECT

    ledger = open_ledger(settings)
    try:
        found = follow(
            ledger,
            settings.data,
            drills(DBT_PROJECT / "target" / "manifest.json"),
            CONTRACTS,
            figure,
            report=report,
            generation=generation,
            depth=depth,
        )
    except (UnknownFigure, DataGone, NoManifest) as error:
        raise click.ClickException(str(error)) from error
    archive = archive_for(ledger, settings, "figure", figure, person=person, purpose=purpose)
    shown = as_text(found, archive, reveal=archive.secret is not None, every_file=every_file)
    click.echo(shown)


@main.command()
@click.option("--port", default=3000, show_default=True)
@with_settings
def ui(port: int, settings: Settings) -> None:
    """Dagsterの画面を開く / Dagster's pages on loopback, with the daemon."""
    from geniac_pipelines.launch import prepare_home

    environment = {
        **os.environ,
        **settings.environment(),
        "DAGSTER_HOME": str(prepare_home(settings.data)),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    dagster = Path(sys.executable).parent / "dagster"
    arguments = ["dev", "-w", str(ROOT / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    os.execve(dagster, [str(dagster), *arguments], environment)
