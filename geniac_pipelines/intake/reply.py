"""The reply to whoever handed a file in: what was taken, what must be corrected and how.

One text for the terminal and for mail (修正依頼票, or 受領確認 where nothing is wrong). The same
complaint in many rows is one entry with its count and first places.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from geniac_pipelines.intake.reading import (
    Context,
    Format,
    Item,
    Place,
    Refusal,
    Row,
    Source,
)
from geniac_pipelines.intake.recognise import recognise
from geniac_pipelines.intake.sweep import UNKNOWN

SHOWN_PLACES: Final = 5
LOST: Final = {
    "file": "受領できません",
    "row": "行を除外",
    "cell": "セルを空欄に",
    "nothing": "注意",
}


@dataclass(frozen=True)
class Reply:
    """What is said about one file. `rows` counts taken rows by the table's Japanese name."""

    file: str
    format_ja: str | None
    rows: Mapping[str, int]
    refusals: tuple[Refusal, ...]

    @property
    def must_correct(self) -> bool:
        """Whether anything was lost, so that the sender has to act."""
        return any(r.complaint.costs != "nothing" for r in self.refusals)

    @property
    def ja(self) -> str:
        """The reply in Japanese, ready to be sent."""
        title = "修正依頼票" if self.must_correct else "受領確認"
        lines = [f"【{title}】{self.file}", f"形式: {self.format_ja or '判別できません'}"]
        for name, count in self.rows.items():
            lines.append(f"受領できる行: {name} {count:,}行")
        if not self.refusals:
            lines.append("修正の必要はありません。")
        for number, (first, places) in enumerate(_grouped(self.refusals), start=1):
            shown = "、".join(p.ja for p in places[:SHOWN_PLACES])
            more = f" ほか{len(places) - SHOWN_PLACES}か所" if len(places) > SHOWN_PLACES else ""
            lines += [
                f"{number}. [{LOST[first.complaint.costs]}] {first.ja}",
                f"   場所: {shown}{more}",
                f"   対応: {first.ja_remedy}",
            ]
        return "\n".join(lines)


def check(path: Path, formats: Iterable[Format], context: Context) -> Reply:
    """Read a file as intake would, keep nothing, and say what the sender would be told."""
    source = Source(path.name, path)
    known = recognise(source, tuple(formats))
    if known is None:
        return Reply(path.name, None, {}, (UNKNOWN.at(Place()),))
    rows: dict[str, int] = {}
    refusals: list[Refusal] = []
    for item in known.read(source, context):
        if isinstance(item, Refusal):
            refusals.append(item)
        else:
            rows[item.contract.ja] = rows.get(item.contract.ja, 0) + _count(item)
    return Reply(path.name, known.ja, rows, tuple(refusals))


def _count(item: Item) -> int:
    if isinstance(item, Row):
        return 1
    assert not isinstance(item, Refusal)
    return item.rows.num_rows


def _grouped(refusals: Iterable[Refusal]) -> list[tuple[Refusal, list[Place]]]:
    """Refusals that say the same, with all their places; those that cost most come first."""
    found: dict[tuple[str, str], tuple[Refusal, list[Place]]] = {}
    for refusal in refusals:
        entry = found.setdefault((refusal.complaint.code, refusal.ja), (refusal, []))
        entry[1].append(refusal.place)
    order = list(LOST)
    return sorted(found.values(), key=lambda e: order.index(e[0].complaint.costs))
