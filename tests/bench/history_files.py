"""Inboxes with a long and a short history of the same companies, and one new day.

    python -m tests.bench.history_files FOLDER

writes FOLDER/long/inbox, FOLDER/short/inbox (what came up to 2026-09-30, each with its own
length of history) and FOLDER/new (what comes the day after, the same for both). Workbooks (the
register, contracts, plans, reports) are the same in both; what grows are sacct's daily files and
telemetry.
"""

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from geniac_pipelines.sample.feeds import pools_by_owner, sacct_files
from geniac_pipelines.sample.inbox import Inbox
from geniac_pipelines.sample.jobs import runs_of
from geniac_pipelines.sample.model import LAST_MONTH, Trait, epoch
from geniac_pipelines.sample.organisations import companies_of, first_month
from geniac_pipelines.sample.papers import papers
from geniac_pipelines.sample.sacct import write_sacct
from geniac_pipelines.sample.telemetry import Meters, write_day
from geniac_pipelines.sample.workbooks import write_workbook

COMPANIES, GPUS, MONTHS, SEED, INTERVAL_S = 8, 8, 6, 1, 300
MEASURED = 2
"""Companies with telemetry: the seeding night makes facts of 180 days of each."""
LONG_DAYS, SHORT_DAYS = 180, 2
NEW_DAY = LAST_MONTH.last
MIDNIGHT = epoch(NEW_DAY + timedelta(days=1))
"""What is received before it belongs to the history."""


def write(folder: Path) -> None:
    everything = Inbox(folder / "all")
    first = first_month(MONTHS)
    companies = [
        # everybody hands in every day, nobody breaks off or mends
        replace(c, traits=frozenset({Trait.DAILY}))
        for c in companies_of(COMPANIES, GPUS, MONTHS, SEED)
        if not c.traits & {Trait.SHARED_CLUSTER, Trait.MIG}
    ]
    runs = runs_of(companies, MONTHS, SEED)
    for paper in papers(companies, runs, first, SEED):
        file = everything.place(paper.folder, paper.name, paper.channel, paper.received_at)
        write_workbook(file, paper.sheets)
    daily: dict[str, int] = {}
    pools = pools_by_owner(companies)
    for sacct in sacct_files(companies, runs, first.first, SEED):
        file = everything.place(sacct.sender, sacct.name, sacct.channel, sacct.received_at)
        write_sacct(sacct, pools, file)
        daily[everything.relative(file)] = sacct.received_at
    for company in companies[:MEASURED]:
        meters = Meters()
        own = [run for run in runs if run.company == company.organisation_id]
        for back in range(LONG_DAYS, -1, -1):
            day = NEW_DAY - timedelta(days=back)
            at = epoch(day + timedelta(days=1), 4, 10)
            name = f"dcgm_{day}.json"
            file = everything.place(company.organisation_id, name, "collector", at)
            write_day(
                company, own, day, file,
                interval=INTERVAL_S, seed=SEED, meters=meters, received_at=at,
            )  # fmt: skip
            daily[everything.relative(file)] = at
    everything.close()
    for name, days in (("long", LONG_DAYS), ("short", SHORT_DAYS)):
        begins = MIDNIGHT - days * 86_400

        def old(path: str, at: int, begins: int = begins) -> bool:
            return at < MIDNIGHT and (path not in daily or at >= begins)

        _part(everything, folder / name / "inbox", old)
    _part(everything, folder / "new", lambda path, at: path in daily and at >= MIDNIGHT)


def _part(everything: Inbox, root: Path, chosen: Callable[[str, int], bool]) -> None:
    """An inbox with the chosen deliveries; its manifest names all, as the later ones come too."""
    part = Inbox(root, list(everything.delivered))
    root.mkdir(parents=True)
    for delivered in everything.delivered:
        if chosen(delivered.path, delivered.received_at):
            file = root / delivered.path
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(everything.root / delivered.path, file)
    part.close()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
