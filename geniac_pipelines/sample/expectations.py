"""Writes the truth beside the sample: tables as of two days, and what is planted in which file.

Here: files under `truth/`. Not here: how sums are made (`truth`), or the faults themselves
(`mischief`, `papers`, `feeds`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from geniac_pipelines.calendar import Month
from geniac_pipelines.sample.mischief import Stray, planted
from geniac_pipelines.sample.model import LAST_MONTH, epoch, jst_time
from geniac_pipelines.sample.papers import Paper
from geniac_pipelines.sample.telemetry import DayCount
from geniac_pipelines.sample.truth import Everything, Table, tables

CLOSING: Final = "2026-08"
"""The month whose closing comes before the last arrivals, which then restate it."""
CLOSING_AS_OF: Final = date(2026, 9, 7)
AS_OF: Final = date(2026, 10, 5)
"""The day by whose end everything of a sample has come."""


def write_truth(
    folder: Path,
    everything: Everything,
    strays: Sequence[tuple[str, Stray]],
    meters: Sequence[DayCount],
) -> None:
    """Write every table as of both days, the telemetry's counts and `truth.json` into `folder`."""
    totals: dict[str, Any] = {}
    for as_of in (CLOSING_AS_OF, AS_OF):
        into = folder / str(as_of)
        into.mkdir()
        cutoff = epoch(as_of + timedelta(days=1))
        arrived = sum(1 for row in everything.inbox.delivered if row.received_at < cutoff)
        totals[str(as_of)] = {"deliveries": arrived}
        for table in tables(everything, as_of):
            _write_table(into, table)
            if table.name == "usage_months":
                totals[str(as_of)]["gpu_part_seconds"] = _by_month(table)
    names = tuple(DayCount.__dataclass_fields__)
    rows = tuple(tuple(getattr(count, name) for name in names) for count in meters)
    _write_table(folder, Table("telemetry", names, rows))
    facts = {
        "first_day": str(everything.first.first),
        "last_day": str(LAST_MONTH.last),
        "closing": CLOSING,
        "closing_as_of": str(CLOSING_AS_OF),
        "as_of": str(AS_OF),
        "totals": totals,
        "refusals": _refusals(everything, strays),
        "peculiar_files": _peculiar(everything),
        "findings": [asdict(p) for p in planted(everything.companies, everything.first)],
    }
    text = json.dumps(facts, ensure_ascii=False, indent=1) + "\n"
    (folder / "truth.json").write_text(text, encoding="utf-8")


def _write_table(folder: Path, table: Table) -> None:
    with (folder / f"{table.name}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(table.header)
        writer.writerows(table.rows)


def _by_month(table: Table) -> dict[str, int]:
    sums: dict[str, int] = {}
    for _, month, _, _, parts, _ in table.rows:
        sums[str(month)] = sums.get(str(month), 0) + int(str(parts))
    return dict(sorted(sums.items()))


def _refusals(
    everything: Everything, strays: Sequence[tuple[str, Stray]]
) -> list[dict[str, object]]:
    """Everything that should cost a file, a row or a cell; rows count from 1 with the header."""
    found: list[dict[str, object]] = []

    def note(path: str, kind: str, costs: str, **place: object) -> None:
        found.append({"path": path, "kind": kind, "costs": costs, **place})

    for path, paper in everything.papers:
        for f in paper.faults:
            note(path, f.kind, f.costs, sheet=f.sheet, row=f.row, column=f.column, cell=f.cell)
    for path, sacct in everything.sacct:
        if sacct.whole_rows is not None:
            note(path, "cut", "row", row=sacct.whole_rows + 2)
    for path, _ in strays:
        note(path, "unknown-format", "file")
    return sorted(found, key=lambda each: (str(each["path"]), str(each.get("sheet", ""))))


def _peculiar(everything: Everything) -> list[dict[str, str]]:
    """Files that are out of the ordinary but should be taken, and what is special about them."""
    found = []
    for path, sacct in everything.sacct:
        if sacct.style.encoding != "utf-8":
            found.append({"path": path, "kind": sacct.style.encoding})
        if sacct.sender.startswith("_"):
            found.append({"path": path, "kind": "unknown-sender"})
        if "訂正" in sacct.name:
            found.append({"path": path, "kind": "late-correction"})
    for path, paper in everything.papers:
        if "訂正" in paper.name:
            found.append({"path": path, "kind": "late-correction"})
        elif paper.report is not None and _days_late(paper, paper.report.month) > 0:
            found.append({"path": path, "kind": "late"})
    return sorted(found, key=lambda each: each["path"])


def _days_late(paper: Paper, month: Month) -> int:
    """Days after the tenth of the following month, by which every punctual report is there."""
    following = month.next().first + timedelta(days=9)
    return (jst_time(paper.received_at).date() - following).days
