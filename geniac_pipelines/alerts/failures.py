"""What engineers are told when a run fails or a check finds a broken invariant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from geniac_pipelines.alerts.channels import Channels
from geniac_pipelines.alerts.message import SECRETARIAT, Message
from geniac_pipelines.alerts.outbox import enqueue
from geniac_pipelines.settings import Clock
from geniac_pipelines.store import generations
from geniac_pipelines.store.ledger import Ledger

_MODULE = re.compile(r"^(?:\w+\.)+(?=\w+: )")


def report(
    ledger: Ledger, ways: Channels, *, kind: str, about: str, title: str, lines: Sequence[str]
) -> None:
    """Put one message a recipient and day into the outbox; the same again on that day is one.

    `kind` is "run-failure" or "failed-checks", `about` the job, `lines` what happened.
    """
    clock = Clock()
    last = generations.latest(ledger)
    for channel, recipient in ways.to:
        message = Message(
            kind=kind,
            about=about,
            period=str(clock.today()),
            channel=channel,
            recipient=recipient,
            audience=SECRETARIAT,
            subject=f"[GENIAC基盤] {title}",
            body="\n".join([*_standing(last.as_of if last else None), "", *lines]),
        )
        with ledger.transaction() as connection:
            enqueue(connection, last.generation if last else 0, message, clock.now())


def cause(error: Any) -> str:
    """In one line, the own words of the error that Dagster's own errors are about.

    `error` is what an event of Dagster's says went wrong (`cls_name`, `message`, `cause`).
    """
    # without the module of its class, which says nothing to whoever reads it
    return _MODULE.sub("", " ".join(str(root(error).message).split()))


def root(error: Any) -> Any:
    """The first error that is not Dagster's own, on the way down the causes."""
    while error.cause and str(error.cls_name).startswith("Dagster"):
        error = error.cause
    return error


def _standing(as_of: date | None) -> list[str]:
    if as_of is None:
        return ["公開中の世代はまだありません。"]
    return [f"前の世代（{as_of} 時点）が公開されたままです。報告書と表はそのまま使えます。"]
