"""The command-line roof: `geniac …`. Commands that need no dagster load none."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import click

from geniac_pipelines.settings import Settings

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="geniac-pipelines")
def main() -> None:
    """GENIAC事務局のデータ基盤 / data platform of the GENIAC secretariat."""


def _settings(data: Path | None, inbox: Path | None, as_of: datetime | None) -> Settings:
    settings = Settings.from_environment()
    if data:
        settings = replace(settings, data=data.resolve())
        if not inbox and "GENIAC_INBOX" not in os.environ:
            settings = replace(settings, inbox=settings.data / "inbox")
    if inbox:
        settings = replace(settings, inbox=inbox.resolve())
    if as_of:
        settings = replace(settings, as_of=as_of.date())
    return settings


def with_folders(command: click.decorators.FC) -> click.decorators.FC:
    """Options that every command on a data folder takes."""
    for option in (
        click.option("--data", type=FOLDER, help="data folder (GENIAC_DATA)"),
        click.option("--inbox", type=FOLDER, help="inbox folder (GENIAC_INBOX)"),
        click.option("--as-of", type=DAY, help="day in Asia/Tokyo; default: today"),
    ):
        command = option(command)
    return command


@main.command()
@with_folders
def nightly(data: Path | None, inbox: Path | None, as_of: datetime | None) -> None:
    """夜間処理を1回行う / run one night: intake, tables, checks, findings, reports."""
    _run("nightly", _settings(data, inbox, as_of), month=None)


@main.command()
@click.argument("month")
@with_folders
def close(month: str, data: Path | None, inbox: Path | None, as_of: datetime | None) -> None:
    """月を締め、報告書を発行する / close MONTH (2026-08) and issue its reports."""
    _run("close_month", _settings(data, inbox, as_of), month=month)


@main.command()
@click.option("--out", type=FOLDER, required=True, help="folder to write to")
@click.option("--companies", default=24, show_default=True)
@click.option("--gpus-per-company", default=64, show_default=True)
@click.option("--months", default=6, show_default=True)
@click.option("--seed", default=1, show_default=True)
def sample(out: Path, companies: int, gpus_per_company: int, months: int, seed: int) -> None:
    """見本の事業データを作る / write a made-up programme in the real formats."""
    from geniac_pipelines.sample.write import write_sample  # noqa: PLC0415

    started = time.monotonic()
    summary = write_sample(
        out, companies=companies, gpus_per_company=gpus_per_company, months=months, seed=seed
    )
    click.echo(f"{summary}\n{time.monotonic() - started:.1f} s")


def _run(job: str, settings: Settings, month: str | None) -> None:
    """Run a job in this process and say what came of it; exit 1 if it failed."""
    from geniac_pipelines.launch import launch  # noqa: PLC0415

    result = launch(job, settings, month, progress=_say)
    click.echo(result.summary)
    sys.exit(0 if result.success else 1)


def _say(line: str) -> None:
    click.echo(line, err=True)
