"""Making the facts of chosen days again in their place: damaged or lost files are whole after it.

Facts follow from the arrivals alone and their files are named by them, so a day that is made again
gives the same bytes under the same name. Nothing changes in the ledger, and no report changes.
Not here: days that new arrivals touch (`facts.outstanding`, the night's work).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from geniac_pipelines.gpu_usage.facts import DAYS, HOURS, company_of, day_of, remake, standing
from geniac_pipelines.store.files import sha256_of
from geniac_pipelines.store.generations import FactFile


class Found(StrEnum):
    """What lay in a file's place before it was made again."""

    SAME = "same"
    OTHER = "other"
    MISSING = "missing"

    @property
    def ja(self) -> str:
        return {"same": "同じ内容", "other": "内容が異なる", "missing": "ファイルなし"}[self.value]


@dataclass(frozen=True)
class Restored:
    """A file of facts that was made again. `part` is company and day, or company and month."""

    file: FactFile
    found: Found

    @property
    def company(self) -> str:
        return company_of(self.file.part)

    @property
    def day(self) -> date | None:
        """The day (Asia/Tokyo) of hour facts; None for a month's day facts."""
        return day_of(self.file.part) if self.file.table == HOURS else None


class NotTheSame(Exception):
    """The program of today names a file otherwise: its facts are the next night's to make."""


def restore(
    data: Path,
    snapshot: Mapping[str, pa.Table],
    hours: Mapping[str, FactFile],
    days: Mapping[str, FactFile],
    chosen: Collection[date],
) -> list[Restored]:
    """Make the hour facts of the chosen days again, and the day facts of their months.

    Only under the night's lock. `hours` and `days` are the current files. The day facts of a month
    come from all its hours, so hour files of these months that are lost or can't be opened are made
    again as well, chosen or not. Raises NotTheSame if a file has another name than the current
    one; what was written then is swept by the next night.
    """
    wanted = {w.month for w in standing(snapshot, hours, chosen)}
    work = [
        w
        for w in standing(snapshot, hours, {day_of(part) for part in hours})
        if w.day in chosen or (w.month in wanted and _is_broken(data / hours[w.part].path))
    ]
    current = {(HOURS, w.part): hours[w.part] for w in work}
    current |= {(DAYS, month): days[month] for month in wanted}
    before = {f.path: _digest(data / f.path) for f in current.values()}
    restored = []
    for file in remake(data, work, hours, {}):
        if file.path != current[file.table, file.part].path:
            raise NotTheSame(f"{file.part}: {file.path} is not what is current")
        then = before[file.path]
        same = Found.SAME if then == _digest(data / file.path) else Found.OTHER
        restored.append(Restored(file, same if then else Found.MISSING))
    return restored


def by_day(made: Collection[Restored], chosen: Collection[date]) -> dict[date, list[Restored]]:
    """The hour facts made again of each chosen day, in order.

    A day without any has no telemetry, or only such as came since: that is the next night's.
    """
    days: dict[date, list[Restored]] = {day: [] for day in sorted(chosen)}
    for each in made:
        if each.day in days:
            days[each.day].append(each)
    return days


def _is_broken(path: Path) -> bool:
    try:
        pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid):
        return True
    return False


def _digest(path: Path) -> str | None:
    return sha256_of(path) if path.exists() else None
