"""The desk of the secretariat on the command line: findings, drafts, the outbox."""

from __future__ import annotations

from pathlib import Path

import click

from geniac_pipelines.cli_folders import FOLDER, with_settings
from geniac_pipelines.settings import Settings


@click.group()
def findings() -> None:
    """指摘を見る、判断を記録する / what somebody must act on, and people's decisions on it."""


@findings.command("list")
@click.option("--company", help="only this organisation's")
@click.option("--unconfirmed", is_flag=True, help="only what nobody has confirmed")
@with_settings
def list_findings(
    company: str | None,
    unconfirmed: bool,
    settings: Settings,
) -> None:
    """一覧 / list, most severe first."""
    from geniac_pipelines.findings.desk import listing
    from geniac_pipelines.findings.desk_text import table
    from geniac_pipelines.night import open_ledger

    ledger = open_ledger(settings)
    click.echo(table(listing(ledger, company=company, unconfirmed=unconfirmed)))


@findings.command("show")
@click.argument("finding")
@with_settings
def show_finding(finding: str, settings: Settings) -> None:
    """一件の内容と経過 / one finding with its history."""
    from geniac_pipelines.findings.desk import UnknownFinding, card
    from geniac_pipelines.findings.desk_text import card_text
    from geniac_pipelines.night import open_ledger

    try:
        click.echo(card_text(card(open_ledger(settings), finding)))
    except UnknownFinding as error:
        raise click.ClickException(str(error)) from error


def _decision_command(name: str, act: str, help_text: str) -> None:
    """A command that records one kind of decision on a finding."""

    @findings.command(name, help=help_text)
    @click.argument("finding")
    @click.option("--person", required=True, help="who decides")
    @click.option("--reason", required=True, help="why, or what the company explained")
    @with_settings
    def decide(
        finding: str,
        person: str,
        reason: str,
        settings: Settings,
    ) -> None:
        from geniac_pipelines.findings import desk
        from geniac_pipelines.findings.desk_text import card_text
        from geniac_pipelines.night import open_ledger
        from geniac_pipelines.settings import Clock

        ledger = open_ledger(settings)
        record = getattr(desk, act)
        try:
            record(ledger, finding, person=person, reason=reason, at=Clock(settings.as_of).now())
            click.echo(card_text(desk.card(ledger, finding)))
        except (desk.UnknownFinding, desk.NotPossible, ValueError) as error:
            raise click.ClickException(str(error)) from error


for _name, _act, _help in (
    ("confirm", "confirm", "確認する / make the machine's judgement a person's"),
    ("ack", "acknowledge", "対応中にする / say that somebody deals with it"),
    ("resolve", "resolve", "終了する / close it"),
    ("explain", "explain", "企業の説明を記録する / put the company's explanation on record"),
    ("dispute", "dispute", "異議を記録する / put an objection on record"),
):
    _decision_command(_name, _act, _help)


@click.group()
def drafts() -> None:
    """送信を待つ下書き / messages to companies that wait for a person's release."""


@drafts.command("list")
@click.option("--save", type=FOLDER, help="write the attachments to this folder, to be read")
@with_settings
def list_drafts(save: Path | None, settings: Settings) -> None:
    """下書きの一覧と文面、添付 / the drafts with their wording and attachments."""
    from geniac_pipelines.alerts.drafts import waiting
    from geniac_pipelines.alerts.message import COMPANY
    from geniac_pipelines.night import open_ledger
    from geniac_pipelines.store.files import write_bytes

    with open_ledger(settings).reading() as connection:
        found = waiting(connection)
    for draft in found:
        to = draft.recipient or "未登録（送るときに --to で指定するか、組織台帳に記入）"
        click.echo(f"番号 {draft.key}　版 {draft.mark}")
        click.echo(f"組織 {draft.audience.removeprefix(COMPANY)}　宛先 {to}")
        if attachment := draft.attachment:
            where = ""
            if save:
                file = save / f"{draft.key}_{attachment.name}"
                write_bytes(file, attachment.content)
                where = f"　→ {file}"
            click.echo(f"添付 {attachment.name}（{len(attachment.content):,}バイト）{where}")
        click.echo(f"件名 {draft.subject}\n\n{draft.body}\n{'―' * 40}")
    missing = sum(draft.recipient is None for draft in found)
    click.echo(f"下書き {len(found)}件" + (f"（うち宛先未登録 {missing}件）" if missing else ""))
    if not save and any(draft.attachment for draft in found):
        click.echo("添付を読むには: geniac drafts list --save フォルダ")
    if found:
        click.echo(
            "送るには: geniac drafts release 番号 --mark 版 --person 氏名 --reason 理由 [--to 宛先]"
        )


@drafts.command("release")
@click.argument("key")
@click.option("--mark", required=True, help="版: the wording and attachment that you have read")
@click.option("--to", help="address of the company; default: the register's")
@click.option("--person", required=True, help="who decides")
@click.option("--reason", required=True, help="why it goes out")
@with_settings
def release_draft(
    key: str,
    mark: str,
    to: str | None,
    person: str,
    reason: str,
    settings: Settings,
) -> None:
    """下書きを送信に回す / send a draft on its way, as a person's decision."""
    from geniac_pipelines.alerts.drafts import release
    from geniac_pipelines.night import open_ledger
    from geniac_pipelines.settings import Clock

    try:
        release(
            open_ledger(settings),
            key,
            mark=mark,
            person=person,
            reason=reason,
            at=Clock(settings.as_of).now(),
            to=to,
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo("送信箱に入れました / it is in the outbox")


@click.command()
@click.option("--retry", "retried", help="key of a message to be tried again")
@with_settings
def outbox(retried: str | None, settings: Settings) -> None:
    """送信箱の状態、送信 / send what waits in the outbox and say how it stands."""
    from geniac_pipelines.alerts import outbox as box
    from geniac_pipelines.alerts.channels import channels
    from geniac_pipelines.night import open_ledger

    ledger = open_ledger(settings)
    if retried and not box.retry(ledger, retried):
        raise click.ClickException(f"{retried} is not a message that was given up")
    ways = channels(settings)
    done = box.drain(ledger, ways.by_name)
    for note in ways.notes:
        click.echo(note)
    for failure in done.failed:
        click.echo(f"{failure.key} {failure.recipient}: {failure.problem}")
    click.echo(f"送信 {len(done.sent)}件　失敗 {len(done.failed)}件　待ち {done.waiting}件")
    with ledger.reading() as connection:
        stuck = box.given_up(connection)
    if stuck:
        click.echo(
            f"止まっている通知 {len(stuck)}件（もう一度送るには: geniac outbox --retry 番号）"
        )
        for each in stuck:
            click.echo(f"　{each.key} {each.recipient}: {each.problem}")
