"""What a night found, in a few lines: files, rows, refusals, reports, seconds."""

from __future__ import annotations

import sqlalchemy as sa

from geniac_pipelines.night import open_ledger
from geniac_pipelines.settings import Settings
from geniac_pipelines.store import generations
from geniac_pipelines.store.ledger import arrivals, landings, readings, refusals, reports


def summarise(settings: Settings, run_id: str, success: bool, seconds: float) -> str:
    """The lines that end a night on the command line, in Japanese and English."""
    ledger = open_ledger(settings)
    with ledger.reading() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(arrivals)).scalar_one()
        by_outcome = sa.select(readings.c.outcome, sa.func.count()).group_by(readings.c.outcome)
        outcomes = {r[0]: r[1] for r in connection.execute(by_outcome)}
        rows = connection.execute(sa.select(sa.func.sum(landings.c.rows))).scalar() or 0
        refused = connection.execute(
            sa.select(sa.func.count()).select_from(refusals).where(refusals.c.costs != "nothing")
        ).scalar_one()
        latest = generations.latest(ledger)
        made = (
            sa.select(reports.c.month, sa.func.count(), reports.c.status)
            .where(reports.c.generation == sa.literal(latest.generation if latest else 0))
            .group_by(reports.c.month, reports.c.status)
        )
        folders = connection.execute(made).all()
    published = bool(latest and latest.run_id == run_id)
    lines = [
        f"受付 / arrivals: {count:,}   " + "  ".join(f"{k} {v:,}" for k, v in outcomes.items()),
        f"行 / rows landed: {int(rows):,}   修正依頼 / refusals: {refused:,}",
    ]
    if not success:
        lines.append("失敗 / FAILED: 前の世代が公開されたままです (the last generation stands)")
    elif latest and published:
        lines.append(f"世代 / generation: {latest.generation} (as of {latest.as_of})")
    elif latest:
        lines.append(
            f"新しい到着はありません / nothing new arrived: generation {latest.generation} "
            f"(as of {latest.as_of}) stands, its reports are unchanged"
        )
    for month, number, status in folders:
        where = settings.data / "reports" / f"{month:%Y-%m}"
        lines.append(f"報告書 / reports ({status}): {number} in {where}")
    lines.append(f"{seconds:.1f} s")
    return "\n".join(lines)
