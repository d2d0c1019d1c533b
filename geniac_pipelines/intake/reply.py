"""修正依頼票: what is told to whoever handed a file in, in Japanese and English.

Here: gathering complaints, masking, wording. The same as a workbook stands in `reply_workbook`.
Not here: looking at a file to be answered (`check`), sending it (`geniac_pipelines.alerts`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from geniac_pipelines.calendar import JST
from geniac_pipelines.contracts import Contract
from geniac_pipelines.intake.reading import COSTS, MASK, Place, Refusal
from geniac_pipelines.store.arrivals import LOSSES, RefusalRecord

SHOWN_PLACES: Final = 5
"""Places named for complaints of one kind; the workbook lists the others."""
SHOWN_CELL: Final = 60

PHRASES: Final[Mapping[str, Mapping[str, str]]] = {
    "accepted": {
        "ja": "【受領確認】\nファイルを受け取りました。修正の必要はありません。",
        "en": "[Receipt]\nThe file was received. Nothing needs correction.",
    },
    "doubtful": {
        "ja": "【受領確認】\nファイルを受け取りました。下記の点が正しいかご確認ください。"
        "正しければ対応は不要です。",
        "en": "[Receipt]\nThe file was received. Please check whether what follows is right; "
        "if it is, nothing is to be done.",
    },
    "partial": {
        "ja": "【修正依頼票】\nファイルの一部を受け取れませんでした。下記を修正し、"
        "訂正した行だけでなくファイル全体を再提出してください。",
        "en": "[Request for correction]\nPart of the file could not be taken. Please correct what "
        "follows and send the whole file again, not single rows.",
    },
    "refused": {
        "ja": "【修正依頼票】\nファイルを受け取れませんでした。下記を修正して再提出してください。",
        "en": "[Request for correction]\nThe file could not be taken. Please correct what follows "
        "and send it again.",
    },
    "about": {
        "ja": "ファイル：{file}\n提出者：{sender}\n受付日時：{received}（日本時間）\n"
        "SHA-256：{sha256}",
        "en": "File: {file}\nSender: {sender}\nReceived: {received} (Japan time)\n"
        "SHA-256: {sha256}",
    },
    "unknown": {"ja": "不明", "en": "unknown"},
    "rows": {"ja": "受け取った行数：", "en": "Rows taken:"},
    "no-rows": {"ja": "受け取った行数：0行", "en": "Rows taken: 0"},
    "table": {"ja": "　{name}：{count:,}行", "en": "  {name}: {count:,}"},
    "heading": {"ja": "■ {cost}", "en": "* {cost}"},
    "file": {
        "ja": "ファイルまたはシート全体を受け取れませんでした",
        "en": "whole file or sheet not taken",
    },
    "row": {"ja": "行を受け取れませんでした", "en": "rows not taken"},
    "cell": {"ja": "セルを空欄として受け取りました", "en": "cells taken as empty"},
    "doubt": {"ja": "受け取りました（正しいかご確認ください）", "en": "taken, please check"},
    "nothing": {"ja": "すべて受け取りました（お知らせ）", "en": "taken, for your information"},
    "one": {"ja": "{number}. {problem}", "en": "{number}. {problem}"},
    "many": {
        "ja": "{number}. {problem}（{count:,}件）",
        "en": "{number}. {problem} ({count:,} times)",
    },
    "place": {"ja": "   場所：{place}", "en": "   at: {place}"},
    "place-cell": {"ja": "   場所：{place}：「{cell}」", "en": "   at: {place}: {cell!r}"},
    "more": {"ja": "   ほか{count:,}件", "en": "   and {count:,} more"},
    "left-out": {
        "ja": "このほかに{count:,}件あります（多いため、はじめのものだけを示しました）。",
        "en": "There are {count:,} more; as there are so many, only the first ones are shown.",
    },
    "remedy": {"ja": "   直し方：{remedy}", "en": "   what to do: {remedy}"},
}
"""Every phrase of a reply in both languages; those of costs and outcomes bear their names."""


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
    left_out: int = 0
    """Complaints beyond those in `refusals`."""

    @property
    def outcome(self) -> str:
        """accepted or doubtful: nothing lost; partial: something lost; refused: nothing taken."""
        costs = {r.costs for r in self.refusals}
        if not costs & set(LOSSES):
            return "doubtful" if "doubt" in costs else "accepted"
        return "partial" if any(self.rows_taken.values()) else "refused"

    @property
    def must_correct(self) -> bool:
        """Whether anything was lost, so that the sender has to act."""
        return self.outcome in ("partial", "refused")

    @property
    def groups(self) -> list[Group]:
        """Complaints gathered by kind, sheet and column; what cost most comes first."""
        gathered: dict[tuple[str | None, ...], list[RefusalRecord]] = {}
        for r in self.refusals:
            # where something is wrong with the whole file, each complaint says something else
            own = r.ja if r.costs == "file" else ""
            gathered.setdefault((r.costs, r.code, r.sheet, r.column, own), []).append(r)
        groups = [Group(rs[0].costs, len(rs), tuple(rs[:SHOWN_PLACES])) for rs in gathered.values()]
        return sorted(groups, key=lambda g: COSTS.index(g.costs))

    @property
    def ja(self) -> str:
        """The reply in Japanese, for mail or a terminal."""
        return self._text("ja")

    @property
    def en(self) -> str:
        """The reply in English."""
        return self._text("en")

    def _text(self, language: str) -> str:
        lines = [
            say(self.outcome, language),
            "",
            say(
                "about",
                language,
                file=self.file_name,
                sender=self.sender or say("unknown", language),
                received=f"{self.received_at.astimezone(JST):%Y-%m-%d %H:%M}",
                sha256=self.sha256,
            ),
            say("rows" if self.rows_taken else "no-rows", language),
            *(say("table", language, name=n, count=c) for n, c in self.rows_taken.items()),
        ]
        heading = None
        for number, group in enumerate(self.groups, start=1):
            if group.costs != heading:
                heading = group.costs
                lines += ["", say("heading", language, cost=say(heading, language))]
            lines += _group(number, group, language)
        if self.left_out:
            lines += ["", say("left-out", language, count=self.left_out)]
        return "\n".join(lines) + "\n"


def say(phrase: str, language: str, **values: object) -> str:
    """One phrase in one language. Raises KeyError for an unknown phrase or a missing value."""
    return PHRASES[phrase][language].format_map(values)


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
    left_out: int = 0,
) -> Reply:
    """The answer to a file. Raises ValueError for a receipt without zone.

    `refusals` may come from a reader, from `Judge` or from the ledger. Cells are masked all
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
        left_out,
    )


def _record(
    refusal: Refusal | RefusalRecord, personal: bool, columns: Collection[str]
) -> RefusalRecord:
    if isinstance(refusal, Refusal):
        hide = personal or refusal.place.column in columns
        return (refusal.masked if hide else refusal).record
    cell = refusal.cell
    if cell is None or cell == MASK or not (personal or refusal.column in columns):
        return refusal
    return replace(
        refusal,
        cell=MASK,
        ja=refusal.ja.replace(cell, MASK),
        en=refusal.en.replace(cell, MASK),
    )


def _short(cell: str) -> str:
    line = " ".join(cell.split())
    return line if len(line) <= SHOWN_CELL else line[:SHOWN_CELL] + "…"


def _group(number: int, group: Group, language: str) -> list[str]:
    ja = language == "ja"
    first = group.first[0]
    lines = [
        say(
            "many" if group.count > 1 else "one",
            language,
            number=number,
            problem=first.ja if ja else first.en,
            count=group.count,
        )
    ]
    for record in group.first:
        place = Place(record.sheet, record.line, record.column)
        where = place.ja if ja else place.en
        if record.cell is None:
            lines.append(say("place", language, place=where))
        else:
            lines.append(say("place-cell", language, place=where, cell=_short(record.cell)))
    if group.count > len(group.first):
        lines.append(say("more", language, count=group.count - len(group.first)))
    return [*lines, say("remedy", language, remedy=first.ja_remedy if ja else first.en_remedy)]
