"""What has changed since a report was issued: the same figures, computed again.

Why a figure changed is the caller's to say (`Cause`): here nothing knows of files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from geniac_pipelines.figures.model import (
    Figure,
    FigureColumn,
    FigureTable,
    Origin,
    Scalar,
    format_number,
)

WHOLE = "全体"
GONE = "もとになる記録がなくなった"


@dataclass(frozen=True)
class Printed:
    """A figure as a report printed it; `issued_on` is that report's day (Asia/Tokyo)."""

    label: str
    value: Decimal | None
    decimals: int
    issued_on: date | None = None

    @staticmethod
    def of(figure: Figure) -> Printed:
        value = None if figure.value is None else Decimal(figure.value)
        return Printed(figure.label, value, figure.decimals)

    @property
    def text(self) -> str:
        return format_number(self.value, self.decimals)


@dataclass(frozen=True)
class Cause:
    """Why a figure changed, and the files that were received after the report was issued."""

    reason: str
    files: str | None = None


Causes = Callable[[Figure, date], Cause]


def restatements(
    issued: Mapping[str, Printed],
    now: Sequence[Figure],
    *,
    table_id: str,
    clause: str,
    audience: str,
    causes: Causes | None = None,
) -> FigureTable:
    """Figures of an issued report whose printed value would be another today.

    A figure that is gone, or that is new, is listed too: both change what was said. `causes` is
    asked about each figure that is still there and the day of the report that printed it.
    """
    today = {f.id: f for f in now}
    days = {p.issued_on for p in issued.values() if p.issued_on}
    rows: list[Mapping[str, Scalar]] = []
    for name in sorted({*issued, *today}):
        before, figure = issued.get(name), today.get(name)
        after = Printed.of(figure) if figure else None
        if before and after and before.text == after.text:
            continue
        printed = before or after
        if printed is None:
            continue
        day = before.issued_on if before else max(days, default=None)
        cause = Cause(GONE)
        if figure:
            cause = causes(figure, day) if causes and day else Cause("")
        old, new = before.value if before else None, after.value if after else None
        rows.append(
            {
                "figure": name,
                **_words(printed),
                "before": old,
                "after": new,
                "difference": None if old is None or new is None else new - old,
                "decimals": max(p.decimals for p in (before, after) if p),
                "reason": cause.reason or None,
                "files": cause.files,
            }
        )
    rows.sort(key=lambda r: (str(r["subject"]) != WHOLE, str(r["figure"])))
    decimals = max((p.decimals for p in (*issued.values(), *map(Printed.of, now))), default=0)
    return FigureTable(
        id=table_id,
        title="発行後に変わった数値",
        clause=clause,
        audience=audience,
        columns=(
            FigureColumn("subject", "対象"),
            FigureColumn("what", "数値"),
            FigureColumn("before", "発行時", "number", None, decimals, "decimals"),
            FigureColumn("after", "現在", "number", None, decimals, "decimals"),
            FigureColumn("difference", "差", "number", None, decimals, "decimals"),
            FigureColumn("reason", "理由"),
            FigureColumn("files", "受け付けたファイル"),
            FigureColumn("printed_in", "載っている表"),
        ),
        key=("figure",),
        rows=tuple(rows),
        origin=Origin(
            sql="select figure, value from ledger.figures order by figure",
            relation="ledger.figures",
            match={"figure": "figure"},
        ),
        note=(
            "発行時の値と、いま同じ計算をした値。「―」は、その時点で値がなかったことを示す。"
            "受け付けたファイルは、報告書の発行より後に届き、この数値のもとになったもの。"
        ),
    )


def _words(printed: Printed) -> dict[str, Scalar]:
    """A figure's label taken apart: whose it is, which number (with its unit), in which table."""
    *before, what = printed.label.split("／")
    table, subject = before[0] if before else None, before[1:]
    return {"subject": "／".join(subject) or WHOLE, "what": what, "printed_in": table}
