"""What has changed since a report was issued: the same figures, computed again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from geniac_pipelines.figures.model import (
    Figure,
    FigureColumn,
    FigureTable,
    Origin,
    Scalar,
    format_number,
)


@dataclass(frozen=True)
class Printed:
    """A figure as a report printed it."""

    label: str
    value: Decimal | None
    decimals: int

    @staticmethod
    def of(figure: Figure) -> Printed:
        value = None if figure.value is None else Decimal(figure.value)
        return Printed(figure.label, value, figure.decimals)

    @property
    def text(self) -> str:
        return format_number(self.value, self.decimals)


def restatements(
    issued: Mapping[str, Printed],
    now: Sequence[Figure],
    *,
    table_id: str,
    clause: str,
    audience: str,
) -> FigureTable:
    """Figures of an issued report whose printed value would be another today.

    A figure that is gone, or that is new, is listed too: both change what was said.
    """
    printed = {f.id: Printed.of(f) for f in now}
    rows: list[Mapping[str, Scalar]] = []
    decimals = 0
    for figure in sorted({*issued, *printed}):
        before, after = issued.get(figure), printed.get(figure)
        if before and after and before.text == after.text:
            continue
        known = before or after
        decimals = max(decimals, *(f.decimals for f in (before, after) if f), 0)
        old, new = before.value if before else None, after.value if after else None
        rows.append(
            {
                "figure": figure,
                "label": known.label if known else figure,
                "before": old,
                "after": new,
                "difference": None if old is None or new is None else new - old,
            }
        )
    return FigureTable(
        id=table_id,
        title="発行後に変わった数値",
        clause=clause,
        audience=audience,
        columns=(
            FigureColumn("label", "数値"),
            FigureColumn("before", "発行時", "number", None, decimals),
            FigureColumn("after", "現在", "number", None, decimals),
            FigureColumn("difference", "差", "number", None, decimals),
        ),
        key=("figure",),
        rows=tuple(rows),
        origin=Origin(
            sql="select figure, value from ledger.figures order by figure",
            relation="ledger.figures",
            match={"figure": "figure"},
        ),
        note="遅れて届いた記録や訂正による。「―」はその時点で値がなかったことを示す。",
    )
