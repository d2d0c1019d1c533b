"""Personal data on the command line: who is behind a pseudonym, always with a name and a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from geniac_pipelines.cli_folders import with_settings
from geniac_pipelines.settings import Settings

if TYPE_CHECKING:
    from geniac_pipelines.store.archive import Archive
    from geniac_pipelines.store.ledger import Ledger


@click.group()
def people() -> None:
    """仮名から人へ（閲覧は記録される） / from a pseudonym to a person; each look is on record."""


@people.command("show")
@click.argument("pseudonym")
@click.option("--person", required=True, help="who looks")
@click.option("--purpose", required=True, help="why; goes on record with the name")
@with_settings
def show(
    pseudonym: str,
    person: str,
    purpose: str,
    settings: Settings,
) -> None:
    """仮名の本人を見る / the person behind PSEUDONYM."""
    from geniac_pipelines.calendar import JST
    from geniac_pipelines.night import open_ledger
    from geniac_pipelines.store.decisions import NotADecision
    from geniac_pipelines.store.people import UnknownPseudonym, look_up
    from geniac_pipelines.store.sealed import NotGenuine
    from geniac_pipelines.store.secret import WeakKey, WrongKey, open_secret

    ledger = open_ledger(settings)
    try:
        keys = settings.data / "keys"
        secret = open_secret(ledger, settings.pseudonym_key, keys, make=False)
        found = look_up(ledger, secret, pseudonym, by=person, purpose=purpose, at=datetime.now(UTC))
    except (WeakKey, WrongKey, NotADecision, UnknownPseudonym, NotGenuine) as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"仮名      {found.pseudonym}\n"
        f"種類      {found.kind}\n"
        f"識別子    {found.identifier}\n"
        f"目的      {found.purpose}\n"
        f"初回受付  {found.first_seen.astimezone(JST):%Y-%m-%d %H:%M}（{found.first_arrival}）\n"
        f"保管期限  {found.delete_on}"
    )


@people.command("rotate")
@click.option("--person", required=True, help="who decides")
@click.option("--reason", required=True, help="why the key is changed")
@with_settings
def rotate_key(person: str, reason: str, settings: Settings) -> None:
    """仮名の鍵を取り替える / change the secret key; the next night reads personal files again."""
    from geniac_pipelines.areas import FORMATS
    from geniac_pipelines.night import open_ledger
    from geniac_pipelines.store.decisions import NotADecision
    from geniac_pipelines.store.lock import Busy, exclusive
    from geniac_pipelines.store.rotation import NEXT_VARIABLE, rotate
    from geniac_pipelines.store.secret import VARIABLE, WeakKey, WrongKey

    try:
        with exclusive(settings.data, "rotate"):
            ledger = open_ledger(settings)
            with ledger.exclusive():
                done = rotate(
                    ledger,
                    settings.data / "archive",
                    settings.data / "keys",
                    [f.name for f in FORMATS if f.personal],
                    configured=settings.pseudonym_key,
                    following=settings.pseudonym_key_next,
                    by=person,
                    reason=reason,
                )
    except (Busy, NotADecision, WeakKey, WrongKey) as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"鍵を取り替えました（照合値 {done.check}）　原本 {done.objects}件　人 {done.people}件\n"
        "次の夜間処理で、保管中の原本を新しい仮名で読み直します / the next night reads them again"
    )
    for sha256 in done.damaged:
        click.echo(f"壊れていて読めない原本 {sha256} / a damaged original, left as it is")
    if done.configured:
        click.echo(f"{VARIABLE} を {NEXT_VARIABLE} の値にしてください / set {VARIABLE} to it now")


def archive_for(
    ledger: Ledger,
    settings: Settings,
    subject_kind: str,
    subject: str,
    *,
    person: str | None,
    purpose: str | None,
) -> Archive:
    """The archive; with the key for somebody who says who and why, which goes on record."""
    from geniac_pipelines.store.archive import Archive
    from geniac_pipelines.store.decisions import Act, NotADecision, decide
    from geniac_pipelines.store.secret import WeakKey, WrongKey, open_secret

    root = settings.data / "archive"
    if person is None and purpose is None:
        return Archive(root)
    if person is None or purpose is None:
        raise click.UsageError(
            "--person と --purpose は両方必要です / give both --person and --purpose"
        )
    try:
        keys = settings.data / "keys"
        secret = open_secret(ledger, settings.pseudonym_key, keys, make=False)
        decide(
            ledger,
            subject_kind,
            subject,
            Act.ACCESS,
            reason=purpose,
            person=person,
            at=datetime.now(UTC),
        )
    except (WeakKey, WrongKey, NotADecision) as error:
        raise click.ClickException(str(error)) from error
    return Archive(root, secret=secret)
