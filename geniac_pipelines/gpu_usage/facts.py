"""Which facts of telemetry must be made anew tonight, and making them.

A company's day is remade when the arrivals that touch it are others than those its facts were
made from, or none any more; a month's file of day facts is put together from its days. Cost
follows what came in.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geniac_pipelines.calendar import Month
from geniac_pipelines.gpu_usage.rollup import DAY_FACTS, rollup_days, rollup_hours_of_days
from geniac_pipelines.gpu_usage.telemetry_contracts import TELEMETRY
from geniac_pipelines.store.files import whole
from geniac_pipelines.store.generations import FactFile
from geniac_pipelines.store.warehouse import connect

HOURS: Final = "gpu_usage__gpu_hours"
DAYS: Final = "gpu_usage__gpu_days"
ORDER: Final = ("day", "gpu_uuid", "mig_id")
MOST_TOGETHER: Final = 31
"""Days made by one query, whose rows are held at once."""
ROLLUP_VERSION: Final = 1
"""Raise when the rollup gives other facts from the same samples: all days are then remade."""


@dataclass(frozen=True)
class DayWork:
    """A company's day to be remade from landing files (paths relative to the data folder).

    Without files its facts become an empty table: what they were made from counts elsewhere now.
    """

    company: str
    day: date
    files: tuple[str, ...]
    inputs: str

    @property
    def part(self) -> str:
        return f"{self.company}/{self.day}"

    @property
    def month(self) -> str:
        return f"{self.company}/{Month.of(self.day)}"


def outstanding(snapshot: Mapping[str, pa.Table], hours: Mapping[str, FactFile]) -> list[DayWork]:
    """The days whose arrivals differ from those of their current facts, in order.

    `snapshot` is the night's ledger: landing_days, landings and arrivals. A delivery of unknown
    sender belongs to no company and makes no facts.
    """
    return [w for w in _every_day(snapshot, hours) if not _is_current(w, hours)]


def standing(
    snapshot: Mapping[str, pa.Table], hours: Mapping[str, FactFile], chosen: Collection[date]
) -> list[DayWork]:
    """Of the chosen days those whose facts are made from the arrivals that touch them, in order.

    Made again they give the files that are current already. Days with other arrivals since are
    left out: they are the next night's work.
    """
    return [w for w in _every_day(snapshot, hours) if w.day in chosen and _is_current(w, hours)]


def _is_current(work: DayWork, hours: Mapping[str, FactFile]) -> bool:
    current = hours.get(work.part)
    return current is not None and current.inputs == work.inputs


def _every_day(
    snapshot: Mapping[str, pa.Table], hours: Mapping[str, FactFile]
) -> Iterator[DayWork]:
    """All days with telemetry or with facts of it, in order of company and day."""
    senders = {r["arrival_id"]: r["sender"] for r in snapshot["arrivals"].to_pylist()}
    paths = {
        r["arrival_id"]: r["path"]
        for r in snapshot["landings"].to_pylist()
        if r["contract"] == TELEMETRY.name
    }
    touching: dict[tuple[str, date], list[str]] = {
        (company_of(part), day_of(part)): [] for part in hours
    }
    for row in snapshot["landing_days"].to_pylist():
        sender = senders.get(row["arrival_id"])
        if sender and row["contract"] == TELEMETRY.name:
            touching.setdefault((sender, row["day"]), []).append(row["arrival_id"])
    for (company, day), arrivals in sorted(touching.items()):
        words = "\0".join([str(ROLLUP_VERSION), company, str(day), *sorted(arrivals)])
        inputs = hashlib.sha256(words.encode()).hexdigest()
        yield DayWork(company, day, tuple(sorted(paths[a] for a in arrivals)), inputs)


def remake(
    data: Path,
    work: Sequence[DayWork],
    hours: Mapping[str, FactFile],
    days: Mapping[str, FactFile],
) -> Iterator[FactFile]:
    """Write the hour facts of each day, then the day facts of each touched month.

    Yields the files made, not yet current: the night's commit makes them so. Files have names
    made from their inputs, so a repeated night writes the same files. A month that is not in
    `days` is put together from all its hours, the others from their earlier file and the day.
    """
    made = dict(hours)
    months: defaultdict[str, dict[date, Path]] = defaultdict(dict)
    with connect() as connection:
        for together in _alike(work):
            paths = {w.day: f"facts/{HOURS}/{w.part}-{w.inputs[:12]}.parquet" for w in together}
            counts = rollup_hours_of_days(
                connection,
                [data / f for f in together[0].files],
                together[0].company,
                {day: data / path for day, path in paths.items()},
            )
            for each in together:
                path = paths[each.day]
                made[each.part] = FactFile(path, HOURS, each.part, each.inputs, counts[each.day])
                months[each.month][each.day] = data / path
                yield made[each.part]
        for month, touched in sorted(months.items()):
            parts = {p: f.inputs for p, f in sorted(made.items()) if p.startswith(f"{month}-")}
            inputs = hashlib.sha256(repr(parts).encode()).hexdigest()
            path = f"facts/{DAYS}/{month}-{inputs[:12]}.parquet"
            if earlier := days.get(month):
                kept, fresh = pq.read_table(data / earlier.path), touched
            else:
                kept = DAY_FACTS.empty_table()
                fresh = {day_of(p): data / made[p].path for p in parts}
            table = _month(connection, company_of(month), kept, fresh)
            with whole(data / path) as temporary:
                pq.write_table(table, temporary, compression="zstd")
            yield FactFile(path, DAYS, month, inputs, table.num_rows)


def _alike(work: Sequence[DayWork]) -> Iterator[list[DayWork]]:
    """Days that follow each other and are made from the same files, as of a month's delivery."""
    together: list[DayWork] = []
    for each in work:
        if together and (
            each.company != together[-1].company
            or each.files != together[-1].files
            or each.day != together[-1].day + timedelta(days=1)
            or len(together) == MOST_TOGETHER
        ):
            yield together
            together = []
        together.append(each)
    if together:
        yield together


def company_of(part: str) -> str:
    """The company of a part of facts, which is company/day or company/month."""
    return part.rsplit("/", maxsplit=1)[0]


def day_of(part: str) -> date:
    """The day (Asia/Tokyo) of a part of hour facts, which is company/day."""
    return date.fromisoformat(part.rsplit("/", maxsplit=1)[1])


def _month(
    connection: object, company: str, kept: pa.Table, fresh: Mapping[date, Path]
) -> pa.Table:
    """The month's day facts: days not touched as they were, the others from their hours."""
    untouched = kept.filter(
        pc.invert(pc.is_in(kept["day"], value_set=pa.array(sorted(fresh), pa.date32())))
    )
    tables = [untouched]
    with TemporaryDirectory(prefix="geniac-days-") as folder:
        out = Path(folder) / "days.parquet"
        files = [file for _, file in sorted(fresh.items())]
        rollup_days(connection, files, company, min(fresh), out, last=max(fresh))
        tables.append(pq.read_table(out, schema=DAY_FACTS))
    return pa.concat_tables(tables).sort_by([(name, "ascending") for name in ORDER])


def current_day_files(data: Path, days: Mapping[str, FactFile]) -> list[Path]:
    """The current files of day facts, in order of company and month."""
    return [data / f.path for _, f in sorted(days.items())]
