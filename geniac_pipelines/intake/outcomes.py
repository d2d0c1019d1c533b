"""What became of all that came in, by sender: for whoever looks after the intake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from geniac_pipelines.store.arrivals import LOSSES

OUTCOMES = {
    "landed": "受領",
    "partial": "一部受領",
    "refused": "受領できず",
    "unknown": "形式不明",
    "failed": "読み取り障害",
}
"""The outcomes of reading in words."""

HEADINGS = {
    "sender": "提出元",
    "files": "ファイル",
    **OUTCOMES,
    "unread": "読み取り対象外",
    "rows": "行数",
    "refusals": "修正依頼",
}
"""The keys of `Outcomes.as_row` in words."""

UNKNOWN_SENDER = "（提出元不明）"


@dataclass(frozen=True)
class Outcomes:
    """A sender's arrivals (None: unknown sender) by outcome of reading.

    `unread` are files without a reading, such as envelopes whose members count for themselves.
    `refusals` are complaints that cost something.
    """

    sender: str | None
    files: int
    by_outcome: Mapping[str, int]
    rows: int
    refusals: int

    @property
    def unread(self) -> int:
        return self.files - sum(self.by_outcome.values())

    @property
    def as_row(self) -> dict[str, str | int]:
        """One flat row, for a table with HEADINGS."""
        return {
            "sender": self.sender or UNKNOWN_SENDER,
            "files": self.files,
            **self.by_outcome,
            "unread": self.unread,
            "rows": self.rows,
            "refusals": self.refusals,
        }


def by_sender(snapshot: Mapping[str, pa.Table]) -> list[Outcomes]:
    """Outcomes of each sender, by name, the unknown sender last. `snapshot` is a night's ledger."""
    sender = {r["arrival_id"]: r["sender"] for r in snapshot["arrivals"].to_pylist()}
    files = Counter(sender.values())
    outcomes: Counter[tuple[str | None, str]] = Counter()
    rows: Counter[str | None] = Counter()
    refusals: Counter[str | None] = Counter()
    for reading in snapshot["readings"].to_pylist():
        who = sender[reading["arrival_id"]]
        outcomes[who, reading["outcome"]] += 1
        rows[who] += reading["rows"]
    for refusal in snapshot["refusals"].to_pylist():
        if refusal["costs"] in LOSSES:
            refusals[sender[refusal["arrival_id"]]] += 1
    return [
        Outcomes(
            sender=who,
            files=files[who],
            by_outcome={o: outcomes[who, o] for o in OUTCOMES},
            rows=rows[who],
            refusals=refusals[who],
        )
        for who in sorted(files, key=lambda s: (s is None, s or ""))
    ]


def by_folder(paths: Sequence[str]) -> list[dict[str, str | int]]:
    """How many of these paths within the inbox lie below each first folder, in order of name."""
    folders = Counter(path.split("/")[0] if "/" in path else "" for path in paths)
    return [{"folder": f or "（直下）", "files": n} for f, n in sorted(folders.items())]
