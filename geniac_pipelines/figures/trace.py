"""From a printed number down to the file, sheet and line it came from, one level a step.

The first step is the figure's own query and the mart rows it stands for; each further step
follows the `drill` that the dbt YAML of a relation declares, until rows of a landing table are
reached: those know their arrival, sheet and line, and the archive still holds the bytes.

Here: which report and generation are followed, and the files that come out. The way through the
warehouse is `trace_rows`, the words are `trace_text`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from geniac_pipelines.audiences import COMPANY
from geniac_pipelines.contracts import Contract
from geniac_pipelines.figures.trace_rows import Level, Rows, Start, Step
from geniac_pipelines.store.archive import Archive
from geniac_pipelines.store.generations import shown, version_of
from geniac_pipelines.store.ledger import Ledger, arrivals, figures, generations, reports
from geniac_pipelines.store.warehouse import connect

LISTED = 10
"""Reports that an error names."""

LOOKED_UP_AT_ONCE = 500
"""Arrivals in one statement: databases bound the number of its parameters."""


class UnknownFigure(LookupError):
    """No report on record printed a figure of that id."""


class DataGone(LookupError):
    """The warehouse of a generation is not in the data folder; the message says what to do."""


class NoManifest(LookupError):
    """dbt's manifest, which holds the declared ways down, was not made yet."""


@dataclass(frozen=True)
class Printed:
    """A figure as one generation's report printed it.

    `is_out` says whether it is this generation's report that the audience is shown now, `has_data`
    whether the generation's warehouse is there.
    """

    report: str
    generation: int
    version: str
    as_of: date
    status: str
    audience: str
    is_out: bool
    has_data: bool
    warehouse: Path
    label: str
    value: str | None
    unit: str | None
    origin: Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """A file that rows came from."""

    arrival_id: str
    name: str
    sender: str | None
    received_at: str
    sha256: str


@dataclass(frozen=True)
class Trace:
    """The way from a figure down; levels from the mart to landing, then every file.

    `others` are the other reports that printed a figure of this id, other generations of the same
    report first.
    """

    figure: str
    printed: Printed
    levels: Sequence[Level]
    origins: Sequence[Origin]
    others: Sequence[Printed] = ()


def drills(manifest: Path) -> dict[str, list[Step]]:
    """The declared ways down, by relation (`schema.name`), from dbt's manifest.

    Raises NoManifest.
    """
    if not manifest.exists():
        raise NoManifest(
            f"{manifest} がありません。`python -m geniac_pipelines.manifest` で作ってください / "
            "dbt's manifest is missing: make it with `python -m geniac_pipelines.manifest`"
        )
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    return {
        f"{n['schema']}.{n['name']}": [_step(s) for s in n["config"].get("meta", {})["drill"]]
        for n in nodes
        if n["resource_type"] == "model" and "drill" in n["config"].get("meta", {})
    }


def _step(declared: Mapping[str, Any]) -> Step:
    match = declared["match"]
    pairs = match if isinstance(match, dict) else {name: name for name in match}
    return Step(declared["relation"], pairs, declared.get("month_of"), declared.get("day_of"))


def trace(
    ledger: Ledger,
    data: Path,
    ways: Mapping[str, Sequence[Step]],
    contracts: Sequence[Contract],
    figure: str,
    *,
    report: str | None = None,
    generation: str | None = None,
    depth: int = 9,
) -> Trace:
    """Follow a figure `depth` levels down, over all rows of each.

    `generation` is a generation's number, or the データの版 that the report bears. Of several that
    are left, the newest is followed whose data are there. Raises UnknownFigure and DataGone.
    """
    printed = printings(ledger, data, figure)
    chosen = _chosen(printed, figure, report, generation)
    origin = chosen.origin
    with connect(chosen.warehouse, read_only=True) as connection:
        start = Start(
            origin["relation"],
            origin["match"],
            origin["parameters"].get("month"),
            chosen.audience,
            origin.get("cumulative", False),
        )
        levels = Rows(connection, data, contracts).follow(ways, start, depth)
    named = frozenset().union(*(level.arrivals for level in levels))
    others = [p for p in printed if p is not chosen]
    others.sort(key=lambda p: p.report != chosen.report)
    return Trace(figure, chosen, tuple(levels), tuple(_origins(ledger, named)), tuple(others))


def printings(ledger: Ledger, data: Path, figure: str) -> list[Printed]:
    """Every report on record that printed the figure: newest generation first, and of one that of
    METI/NEDO before the companies' extracts.

    Drafts are on record as long as their generation is kept, what was issued for ever.
    """
    statement = (
        sa.select(figures, reports.c.status, reports.c.audience, generations)
        .join(
            reports,
            sa.and_(
                reports.c.report == figures.c.report,
                reports.c.generation == figures.c.generation,
            ),
        )
        .join(generations, generations.c.generation == figures.c.generation)
        .where(figures.c.figure == figure)
        .order_by(
            figures.c.generation.desc(), reports.c.audience.startswith(COMPANY), figures.c.report
        )
    )
    with ledger.reading() as connection:
        out = shown(connection)
        return [
            Printed(
                report=r.report,
                generation=r.generation,
                version=version_of(r.inputs),
                as_of=r.as_of,
                status=r.status,
                audience=r.audience,
                is_out=out.get(r.report) == r.generation,
                has_data=(data / r.warehouse).exists(),
                warehouse=data / r.warehouse,
                label=r.label,
                value=r.value,
                unit=r.unit,
                origin=r.origin,
            )
            for r in connection.execute(statement)
        ]


def _chosen(
    printed: Sequence[Printed], figure: str, report: str | None, generation: str | None
) -> Printed:
    if not printed:
        raise UnknownFigure(
            f"{figure!r} を載せた報告書の記録がありません。番号はHTML版の「数値の出所」にあります。"
            "暫定版の記録は、新しい世代ができると順に消えます / no report on record printed it: "
            "see the end of the HTML report for the ids; old drafts leave the record"
        )
    wanted = [
        p
        for p in printed
        if report in (None, p.report) and generation in (None, str(p.generation), p.version)
    ]
    if not wanted:
        asked = "、".join(
            x for x in (report, f"世代（データの版）{generation}" if generation else None) if x
        )
        raise UnknownFigure(
            f"{figure!r} は {asked} の記録にありません。あるのは次のものです / "
            f"it is not on record there, but here:\n{_list(printed)}"
        )
    found = next((p for p in wanted if p.has_data), None)
    if found is None:
        raise DataGone(_gone(wanted[0], [p for p in printed if p.has_data]))
    return found


def _gone(lost: Printed, left: Sequence[Printed]) -> str:
    said = (
        f"{lost.report} の世代 {lost.generation} のデータがないため、たどれません。"
        f"バックアップから {lost.warehouse.parent} を戻してください / "
        f"the data of generation {lost.generation} are gone: restore that folder from a backup"
    )
    if not left:
        return said
    return f"{said}\n同じ番号は、次の報告書ならたどれます / it can be traced here:\n{_list(left)}"


def _list(printed: Sequence[Printed]) -> str:
    lines = [
        f"  --report {p.report} --generation {p.generation}　データの版 {p.version}　"
        f"{'―' if p.value is None else p.value}"
        for p in printed[:LISTED]
    ]
    if len(printed) > LISTED:
        lines.append(f"  ほか {len(printed) - LISTED} 件")
    return "\n".join(lines)


def original_line(archive: Archive, sha256: str, line: int) -> str | None:
    """The text of a line of an archived text file; None where the file is no text.

    No plain copy is made. Raises as `Archive.chunks` does.
    """
    found: bytes | None = None
    for number, raw in enumerate(_lines(archive.chunks(sha256)), start=1):
        if number <= line and b"\0" in raw:
            return None
        if number == line:
            found = raw  # read on: only the end tells whether the bytes are the right ones
    return None if found is None else found.decode("utf-8", "replace").rstrip("\r")


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _origins(ledger: Ledger, named: frozenset[str]) -> list[Origin]:
    """The files of some arrivals, oldest receipt first."""
    wanted = sorted(named)
    found: list[Any] = []
    with ledger.reading() as connection:
        for n in range(0, len(wanted), LOOKED_UP_AT_ONCE):
            some = wanted[n : n + LOOKED_UP_AT_ONCE]
            found += connection.execute(
                sa.select(arrivals).where(arrivals.c.arrival_id.in_(some))
            ).all()
    found.sort(key=lambda r: (r.received_at, r.arrival_id))
    return [
        Origin(r.arrival_id, r.name, r.sender, r.received_at.isoformat(), r.sha256) for r in found
    ]
