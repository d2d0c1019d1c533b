"""修正依頼票: what is told to whoever handed a file in, in Japanese and English.

Here: gathering complaints, masking, wording. The same as a workbook stands in `reply_workbook`.
Not here: sending it (`geniac_pipelines.alerts`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from geniac_pipelines.calendar import JST
from geniac_pipelines.intake.cells import MASK
from geniac_pipelines.intake.contracts import Contract
from geniac_pipelines.intake.judge import Expectation, frame, judge
from geniac_pipelines.intake.reading import (
    Context,
    Format,
    Place,
    Refusal,
    Row,
    Source,
)
from geniac_pipelines.intake.recognise import recognise
from geniac_pipelines.intake.sweep import UNKNOWN
from geniac_pipelines.store.arrivals import RefusalRecord

SHOWN_PLACES: Final = 5
"""Places named for complaints of one kind; the workbook lists the others."""
SHOWN_CELL: Final = 60

COSTS: Final = {
    "file": ("ファイルまたはシート全体を受け取れませんでした", "whole file or sheet not taken"),
    "row": ("行を受け取れませんでした", "rows not taken"),
    "cell": ("セルを空欄として受け取りました", "cells taken as empty"),
    "nothing": ("すべて受け取りました（ご確認ください）", "taken, please check"),
}
"""What a complaint costs, worst first, in Japanese and English."""


@dataclass(frozen=True)
class Group:
    """Complaints of one kind about one column of a sheet; `first` are the first few of `count`."""

    costs: str
    count: int
    first: tuple[RefusalRecord, ...]


@dataclass(frozen=True)
class Reply:
    """An answer to one handed-in file; cells that nobody is to see are masked already.

    `rows_taken` are counts by the contract's Japanese name. `received_at` is an aware instant,
    shown in Japan time.
    """

    file_name: str
    sha256: str
    sender: str | None
    received_at: datetime
    rows_taken: Mapping[str, int]
    refusals: tuple[RefusalRecord, ...]

    @property
    def outcome(self) -> str:
        """accepted: nothing lost; partial: something lost; refused: nothing of it was taken."""
        if not any(r.costs != "nothing" for r in self.refusals):
            return "accepted"
        return "partial" if any(self.rows_taken.values()) else "refused"

    @property
    def must_correct(self) -> bool:
        """Whether anything was lost, so that the sender has to act."""
        return self.outcome != "accepted"

    @property
    def groups(self) -> list[Group]:
        """Complaints gathered by kind, sheet and column; what cost most comes first."""
        gathered: dict[tuple[str | None, ...], list[RefusalRecord]] = {}
        for r in self.refusals:
            # where something is wrong with the whole file, each complaint says something else
            own = r.ja if r.costs == "file" else ""
            gathered.setdefault((r.costs, r.code, r.sheet, r.column, own), []).append(r)
        order = list(COSTS)
        groups = [Group(rs[0].costs, len(rs), tuple(rs[:SHOWN_PLACES])) for rs in gathered.values()]
        return sorted(groups, key=lambda g: order.index(g.costs))

    @property
    def ja(self) -> str:
        """The reply in Japanese, for mail or a terminal."""
        title, lead = {
            "accepted": ("受領確認", "ファイルを受け取りました。修正の必要はありません。"),
            "partial": ("修正依頼票", "ファイルの一部を受け取れませんでした。下記を修正し、"
                        "訂正した行だけでなくファイル全体を再提出してください。"),
            "refused": ("修正依頼票", "ファイルを受け取れませんでした。下記を修正して"
                        "再提出してください。"),
        }[self.outcome]  # fmt: skip
        taken = [f"　{name}：{count:,}行" for name, count in self.rows_taken.items()]
        lines = [
            f"【{title}】",
            lead,
            "",
            f"ファイル：{self.file_name}",
            f"提出者：{self.sender or '不明'}",
            f"受付日時：{self.received_at.astimezone(JST):%Y-%m-%d %H:%M}（日本時間）",
            f"SHA-256：{self.sha256}",
            "受け取った行数：" if taken else "受け取った行数：0行",
            *taken,
        ]
        heading = None
        for number, group in enumerate(self.groups, start=1):
            if group.costs != heading:
                heading = group.costs
                lines += ["", f"■ {COSTS[heading][0]}"]
            lines += _group_ja(number, group)
        return "\n".join(lines) + "\n"

    @property
    def en(self) -> str:
        """The reply in English."""
        title, lead = {
            "accepted": ("Receipt", "The file was received. Nothing needs correction."),
            "partial": ("Request for correction", "Part of the file could not be taken. Please "
                        "correct what follows and send the whole file again, not single rows."),
            "refused": ("Request for correction", "The file could not be taken. Please correct "
                        "what follows and send it again."),
        }[self.outcome]  # fmt: skip
        taken = [f"  {name}: {count:,}" for name, count in self.rows_taken.items()]
        lines = [
            f"[{title}]",
            lead,
            "",
            f"File: {self.file_name}",
            f"Sender: {self.sender or 'unknown'}",
            f"Received: {self.received_at.astimezone(JST):%Y-%m-%d %H:%M} (Japan time)",
            f"SHA-256: {self.sha256}",
            "Rows taken:" if taken else "Rows taken: 0",
            *taken,
        ]
        heading = None
        for number, group in enumerate(self.groups, start=1):
            if group.costs != heading:
                heading = group.costs
                lines += ["", f"* {COSTS[heading][1]}"]
            lines += _group_en(number, group)
        return "\n".join(lines) + "\n"


def reply(
    file_name: str,
    sha256: str,
    *,
    sender: str | None,
    received_at: datetime,
    rows_taken: Mapping[str, int],
    refusals: Sequence[Refusal | RefusalRecord],
    contracts: Collection[Contract] = (),
    personal: bool = False,
) -> Reply:
    """The answer to a file. Raises ValueError for a receipt without zone.

    `refusals` may come from a reader, from `judge` or from the ledger. Cells are masked all
    (`personal`, for personal formats), or in personal columns and tables among `contracts`.
    """
    if received_at.tzinfo is None:
        raise ValueError(f"a receipt without zone: {received_at}")
    personal = personal or any(c.personal for c in contracts)
    columns = {column.ja for c in contracts for column in c.columns if column.personal}
    return Reply(
        file_name,
        sha256,
        sender,
        received_at,
        dict(rows_taken),
        tuple(_record(r, personal, columns) for r in refusals),
    )


def check(
    path: Path,
    formats: Sequence[Format],
    context: Context,
    expectations: Sequence[Expectation] = (),
) -> Reply:
    """Read a file as intake would, keep nothing, and say what the sender would be told.

    Rows of `expectations`' contracts are judged as well; the remarks are part of the reply.
    """
    source = Source(path.name, path)
    known = recognise(source, formats)
    rows: dict[str, list[Row]] = {}
    taken: dict[str, int] = {}
    refusals: list[Refusal] = [] if known else [UNKNOWN.at(Place())]
    for item in known.read(source, context) if known else ():
        if isinstance(item, Refusal):
            refusals.append(item)
            continue
        count = 1 if isinstance(item, Row) else item.rows.num_rows
        taken[item.contract.ja] = taken.get(item.contract.ja, 0) + count
        if isinstance(item, Row) and expectations:
            rows.setdefault(item.contract.name, []).append(item)
    for found in rows.values():
        refusals += judge(found[0].contract, frame(found), expectations)
    with path.open("rb") as f:
        sha256 = hashlib.file_digest(f, "sha256").hexdigest()
    return reply(
        path.name,
        sha256,
        sender=context.sender,
        received_at=context.received_at,
        rows_taken=taken,
        refusals=refusals,
        contracts=known.contracts if known else (),
        personal=known.personal if known else False,
    )


def _record(
    refusal: Refusal | RefusalRecord, personal: bool, columns: Collection[str]
) -> RefusalRecord:
    column = refusal.place.column if isinstance(refusal, Refusal) else refusal.column
    hide = refusal.cell is not None and refusal.cell != MASK and (personal or column in columns)
    if isinstance(refusal, RefusalRecord):
        if not hide or refusal.cell is None:
            return refusal
        return replace(
            refusal,
            cell=MASK,
            ja=refusal.ja.replace(refusal.cell, MASK),
            en=refusal.en.replace(refusal.cell, MASK),
        )
    shown = replace(refusal, cell=MASK) if hide else refusal
    return RefusalRecord(
        shown.complaint.code,
        shown.complaint.costs,
        shown.place.sheet,
        shown.place.row,
        shown.place.column,
        shown.cell,
        shown.ja,
        shown.ja_remedy,
        shown.en,
        shown.en_remedy,
    )


def _short(cell: str) -> str:
    line = " ".join(cell.split())
    return line if len(line) <= SHOWN_CELL else line[:SHOWN_CELL] + "…"


def _place(record: RefusalRecord) -> Place:
    return Place(record.sheet, record.line, record.column)


def _group_ja(number: int, group: Group) -> list[str]:
    first = group.first[0]
    count = f"（{group.count:,}件）" if group.count > 1 else ""
    lines = [f"{number}. {first.ja}{count}"]
    for record in group.first:
        cell = f"：「{_short(record.cell)}」" if record.cell is not None else ""
        lines.append(f"   場所：{_place(record).ja}{cell}")
    if group.count > len(group.first):
        lines.append(f"   ほか{group.count - len(group.first):,}件")
    return [*lines, f"   直し方：{first.ja_remedy}"]


def _group_en(number: int, group: Group) -> list[str]:
    first = group.first[0]
    count = f" ({group.count:,} times)" if group.count > 1 else ""
    lines = [f"{number}. {first.en}{count}"]
    for record in group.first:
        cell = f": {_short(record.cell)!r}" if record.cell is not None else ""
        lines.append(f"   at: {_place(record).en}{cell}")
    if group.count > len(group.first):
        lines.append(f"   and {group.count - len(group.first):,} more")
    return [*lines, f"   what to do: {first.en_remedy}"]
