"""Small documents made by hand for the tests of the renderers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from geniac_pipelines.figures.model import FigureColumn, FigureTable, Origin, Scalar
from geniac_pipelines.reports.document import Block, Chapter, Chart, Document

ORIGIN = Origin(
    sql="select id, name, hours from usage where month = $month",
    relation="marts.usage",
    match={"company_id": "id"},
    parameters={"month": date(2026, 9, 1)},
)
NAME = FigureColumn("name", "組織")
HOURS = FigureColumn("hours", "割当量", "number", "GPU時間", 1)


def figure_table(
    rows: Sequence[Mapping[str, Scalar]],
    columns: tuple[FigureColumn, ...] = (NAME, HOURS),
    *,
    identity: str = "usage.companies",
    key: tuple[str, ...] = ("id",),
    **changes: Any,
) -> FigureTable:
    """A table whose rows are numbered by `id` where they have none."""
    numbered = tuple({"id": f"c{n}"} | dict(row) for n, row in enumerate(rows, start=1))
    return FigureTable(
        id=identity,
        title=changes.pop("title", "組織ごとの割当量"),
        clause="3-1-a",
        audience="meti_nedo",
        columns=columns,
        key=key,
        rows=numbered,
        origin=ORIGIN,
        **changes,
    )


def bars(table: FigureTable, **spec: Any) -> Chart:
    """Horizontal bars of `hours` by `name`; `spec` replaces parts of the specification."""
    return Chart(
        id="hours",
        title="割当量は組織により異なる",
        subtitle="組織ごと、GPU時間",
        spec={
            "mark": "bar",
            "encoding": {
                "y": {"field": "name", "type": "nominal", "title": None},
                "x": {"field": "hours", "type": "quantitative", "title": "GPU時間"},
            },
        }
        | spec,
        table=table,
        alt="組織ごとの割当量の横棒グラフ",
        source="ジョブ実行記録",
    )


def report(*blocks: Block, **changes: Any) -> Document:
    """A report of one chapter; its words hold no digits."""
    settings: dict[str, Any] = {
        "id": "monthly/2026-09/meti_nedo",
        "title": "月次報告書",
        "subtitle": "計算資源の利用状況",
        "audience": "meti_nedo",
        "audience_ja": "経済産業省・NEDO",
        "period_ja": "令和八年九月",
        "as_of": date(2026, 10, 15),
        "generation": "g-0042",
        "author": "GENIAC事務局",
        "chapters": (Chapter("usage", "利用状況", "3-1-a", tuple(blocks)),),
    }
    return Document(**(settings | changes))
