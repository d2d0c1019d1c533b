"""Options that every command on a data folder takes, and the settings that follow from them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from geniac_pipelines.settings import Settings

FOLDER = click.Path(file_okay=False, path_type=Path)
DAY = click.DateTime(formats=["%Y-%m-%d"])


def settings_of(data: Path | None, inbox: Path | None, as_of: datetime | None) -> Settings:
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


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Options that every command on a data folder takes; the command gets them as `settings`."""

    @wraps(command)
    def run(
        *arguments: Any,
        data: Path | None,
        inbox: Path | None,
        as_of: datetime | None,
        **options: Any,
    ) -> None:
        try:
            settings = settings_of(data, inbox, as_of)
        except ValueError as error:
            raise click.ClickException(f"設定を読めません / settings: {error}") from error
        try:
            command(*arguments, settings=settings, **options)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            # only now: it imports much of the program
            from geniac_pipelines.known_faults import words_of

            if (words := words_of(error)) is None:
                raise
            raise click.ClickException(words) from error

    decorated: Callable[..., None] = run
    for option in (
        click.option("--data", type=FOLDER, help="data folder (GENIAC_DATA)"),
        click.option("--inbox", type=FOLDER, help="inbox folder (GENIAC_INBOX)"),
        click.option("--as-of", type=DAY, help="day in Asia/Tokyo; default: today"),
    ):
        decorated = option(decorated)
    return decorated
