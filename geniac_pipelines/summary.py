"""What a night found, in a few lines: files, rows, refusals, reports, seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from geniac_pipelines.audiences import SECRETARIAT
from geniac_pipelines.intake.outcomes import OUTCOMES
from geniac_pipelines.night import open_ledger
from geniac_pipelines.reports.release import Listed, listing
from geniac_pipelines.settings import Settings
from geniac_pipelines.store import generations
from geniac_pipelines.store.arrivals import LOSSES
from geniac_pipelines.store.ledger import arrivals, landings, readings, refusals


def summarise(
    settings: Settings, run_id: str, success: bool, seconds: float, causes: Sequence[str] = ()
) -> str:
    """The lines that end a night on the command line, in Japanese and English.

    `causes` says in one line each what failed.
    """
    ledger = open_ledger(settings)
    with ledger.reading() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(arrivals)).scalar_one()
        by_outcome = sa.select(readings.c.outcome, sa.func.count()).group_by(readings.c.outcome)
        outcomes = {r[0]: r[1] for r in connection.execute(by_outcome)}
        rows = connection.execute(sa.select(sa.func.sum(landings.c.rows))).scalar() or 0
        refused = connection.execute(
            sa.select(sa.func.count()).select_from(refusals).where(refusals.c.costs.in_(LOSSES))
        ).scalar_one()
        latest = generations.latest(ledger)
    published = bool(latest and latest.run_id == run_id)
    lines = [
        f"受付 / arrivals: {count:,}   "
        + "  ".join(f"{ja} / {k} {outcomes[k]:,}" for k, ja in OUTCOMES.items() if k in outcomes),
        f"行 / rows landed: {int(rows):,}   修正依頼 / refusals: {refused:,}",
    ]
    if not success:
        stands = (
            "前の世代が公開されたままです (the last generation stands)"
            if latest
            else "公開中の世代はまだありません (there is no generation yet)"
        )
        lines.append(f"失敗 / FAILED: {stands}")
        lines += [f"原因 / cause: {cause}" for cause in causes]
        lines.append("対処 / what to do: docs/operations.md “A night failed”")
    elif latest and published:
        lines.append(f"世代 / generation: {latest.generation} (as of {latest.as_of})")
    elif latest:
        lines.append(
            f"新しい到着はありません / nothing new arrived: generation {latest.generation} "
            f"(as of {latest.as_of}) stands, its reports are unchanged"
        )
    lines += _reports(listing(ledger, settings.data), settings.data / "reports")
    lines.append(f"{seconds:.1f} s")
    return "\n".join(lines)


def _reports(listed: Sequence[Listed], folder: Path) -> list[str]:
    """Where the newest released reports lie, and all that wait for a person's release."""
    out = [each.made.month for each in listed if each.is_out]
    waiting = Counter(each.made.month for each in listed if not each.is_out)
    lines = []
    if out:
        place = folder / str(max(out))
        lines.append(f"公開した報告書 / released: {out.count(max(out))} in {place}")
    for month in sorted(waiting):
        place = folder / str(month) / SECRETARIAT
        lines.append(f"公開前の案 / waiting for release: {waiting[month]} in {place}")
    if waiting:
        lines.append("公開 / to release: geniac reports list, geniac reports release")
    return lines
