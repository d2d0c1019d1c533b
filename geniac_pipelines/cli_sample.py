"""The sample programme on the command line: written in any size, and played as a demonstration."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import click

from geniac_pipelines.cli_folders import FOLDER
from geniac_pipelines.cli_reports import release_now
from geniac_pipelines.cli_run import close_month, run_job, say
from geniac_pipelines.settings import Settings

_PLAYED = 24, 64, 6, 1
"""The demonstration's companies, GPUs of each, months and seed."""


@click.command()
@click.option("--out", type=FOLDER, required=True, help="書き込む先 / folder to write to")
@click.option("--companies", default=24, show_default=True, help="企業の数 / how many companies")
@click.option("--gpus-per-company", default=64, show_default=True, help="1社のGPU数 / GPUs of each")
@click.option("--months", default=6, show_default=True, help="2026-09までの月数 / up to 2026-09")
@click.option("--seed", default=1, show_default=True, help="乱数の種 / another one, other jobs")
@click.option(
    "--telemetry-step", "telemetry_interval_s", metavar="SECONDS", default=300, show_default=True,
    type=int, help="生の標本の間隔（秒、300まで） / seconds between samples, at most 300",
)  # fmt: skip
@click.option(
    "--telemetry-days", metavar="DAYS", default=2, show_default=True, type=int,
    help="生の標本を書く末尾の日数 / how many of the last days come as every sample",
)  # fmt: skip
@click.option(
    "--telemetry-months", metavar="MONTHS", default=2, show_default=True, type=int,
    help="1時間集計を書く末尾の月数 / how many of the last months come as hourly aggregates",
)  # fmt: skip
@click.option(
    "--telemetry-of-all", is_flag=True,
    help="生の標本を7社でなく全社に書く（収集の壊れた企業を除く） / every sample of all companies "
    "whose collectors work, not of seven",
)  # fmt: skip
def sample(
    out: Path,
    companies: int,
    gpus_per_company: int,
    months: int,
    seed: int,
    telemetry_interval_s: int,
    telemetry_days: int,
    telemetry_months: int,
    telemetry_of_all: bool,
) -> None:
    """見本の事業データを作る / write a made-up programme in the real formats.

    生の標本は、512基を60秒おきに1日で87 MB（圧縮して23 MB）になります / a day of 512 GPUs
    every 60 s takes 87 MB, compressed 23 MB.
    """
    from geniac_pipelines.sample.write import write_sample

    started = time.monotonic()
    try:
        summary = write_sample(
            out,
            companies=companies,
            gpus_per_company=gpus_per_company,
            months=months,
            seed=seed,
            telemetry_interval_s=telemetry_interval_s,
            telemetry_days=telemetry_days,
            telemetry_months=telemetry_months,
            telemetry_of_all=telemetry_of_all,
        )
    except (ValueError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{summary}\n{time.monotonic() - started:.1f} s")


@click.command()
@click.option("--data", type=FOLDER, required=True, help="data folder of the demonstration")
def demo(data: Path) -> None:
    """見本の事業で、確認、月締め、公開、夜間処理を行う / the sample programme: decide on findings,
    close a month, release its reports, run a night."""
    from geniac_pipelines.reports.release import COMPANIES, AlreadyOut
    from geniac_pipelines.sample.organisations import SECRETARIAT_PERSON
    from geniac_pipelines.sample.write import AS_OF, CLOSING, CLOSING_AS_OF, write_sample

    sample_folder = data / "sample"
    if not (sample_folder / "inbox" / "deliveries.csv").exists():
        say("== 見本データを作成 / writing the sample programme")
        companies, gpus, months, seed = _PLAYED
        write_sample(
            sample_folder, companies=companies, gpus_per_company=gpus, months=months, seed=seed
        )
    base = Settings.from_environment()
    base = replace(base, data=data.resolve(), inbox=(sample_folder / "inbox").resolve())
    closing = replace(base, as_of=CLOSING_AS_OF)
    _examine_and_decide(closing, CLOSING)
    say(f"== {CLOSING} の月締め / closing {CLOSING}, as of {CLOSING_AS_OF}")
    close_month(closing, CLOSING)
    say(f"== {CLOSING} の報告書の公開 / {SECRETARIAT_PERSON} releases its reports")
    for audience in ("meti_nedo", COMPANIES):
        try:
            release_now(closing, month=CLOSING, to=audience, person=SECRETARIAT_PERSON)
        except AlreadyOut as error:
            say(str(error))
    say(f"== 夜間処理 / the night as of {AS_OF}")
    run_job("nightly", replace(base, as_of=AS_OF), month=None)


def _examine_and_decide(settings: Settings, month: str) -> None:
    """A night that finds what there is to decide, and people's decisions on it.

    A month that is closed is past deciding: its issued reports stand.
    """
    from geniac_pipelines.calendar import Month
    from geniac_pipelines.findings.desk import card
    from geniac_pipelines.night import is_issued, open_ledger
    from geniac_pipelines.sample.desk import decide
    from geniac_pipelines.sample.organisations import SECRETARIAT_PERSON, companies_of
    from geniac_pipelines.settings import Clock

    if is_issued(open_ledger(settings), Month.parse(month)):
        return
    say(f"== 月締め前の夜間処理 / the night before the closing, as of {settings.as_of}")
    run_job("nightly", settings, month=None)
    say(f"== 指摘の確認 / {SECRETARIAT_PERSON} decides on findings")
    ledger = open_ledger(settings)
    at = Clock(settings.as_of).now()
    decided = decide(ledger, companies_of(*_PLAYED), Month.parse(month), at)
    for finding in dict.fromkeys(finding.id for finding in decided):
        say(f"{card(ledger, finding).standing.ja}　{finding}")
