"""Running a job from the command line: what it says while it goes, and how it exits."""

from __future__ import annotations

import sys

import click

from geniac_pipelines.settings import Settings


def close_month(settings: Settings, month: str) -> None:
    """Close a month, unless its reports were issued: what was issued stays as it is."""
    from geniac_pipelines.calendar import Month
    from geniac_pipelines.night import AlreadyIssued, is_issued, open_ledger

    try:
        closing = Month.parse(month)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if is_issued(open_ledger(settings), closing):
        click.echo(AlreadyIssued(closing))
        return
    run_job("close_month", settings, month=month)


def run_job(job: str, settings: Settings, month: str | None) -> None:
    """Run a job in this process and say what came of it; exit 1 if it failed."""
    from geniac_pipelines.launch import launch

    result = launch(job, settings, month, progress=say)
    click.echo(result.summary)
    if not result.success:
        sys.exit(1)


def say(line: str) -> None:
    """Progress goes to standard error, results to standard output."""
    click.echo(line, err=True)
