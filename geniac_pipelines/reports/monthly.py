"""The monthly report (月次報告書): which chapters, for whom, of which month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from geniac_pipelines.calendar import Month
from geniac_pipelines.figures.audience import open_view
from geniac_pipelines.figures.model import FigureTable
from geniac_pipelines.figures.restated import Printed, restatements
from geniac_pipelines.reports.causes import causes_in
from geniac_pipelines.reports.chapters import gpu_usage, sources
from geniac_pipelines.reports.document import Block, Callout, Document, text
from geniac_pipelines.store.warehouse import rows

AUTHOR = "GENIAC事務局"
MACHINE_JUDGEMENT = (
    "判定は、届いた記録を規則に当てはめた機械判定です。「未確認」は機械判定（未確認）の意味で、"
    "事務局の担当者が確認したものだけが確定した判定です。"
)


def report_id(month: Month, audience: str) -> str:
    return f"monthly/{month}/{audience}"


def audiences(warehouse: Path) -> list[tuple[str, str]]:
    """(audience, its name in Japanese): METI/NEDO, then each organisation that uses compute."""
    with open_view(warehouse, "secretariat") as view:
        found = rows(
            view,
            "select organisation_id, name_ja from dim_programme__organisations "
            "where segment != 'データ利活用' order by organisation_id",
        )
    return [
        ("meti_nedo", "経済産業省・NEDO"),
        *((f"company:{r['organisation_id']}", str(r["name_ja"])) for r in found),
    ]


def build(
    warehouse: Path,
    *,
    month: Month,
    audience: str,
    audience_ja: str,
    as_of: date,
    version: str,
    issued: bool,
    earlier: Mapping[Month, Mapping[str, Printed]],
) -> Document:
    """The document for one audience.

    `earlier` holds the figures of issued reports for this audience, by month; the report lists
    which of them would be printed otherwise today. `version` names the data it rests on.
    """
    with open_view(warehouse, audience) as view:
        restated = _restated(view, audience, earlier)
        opening = gpu_usage.opening(view, month, audience)
        chapters = (
            gpu_usage.chapter(view, month, audience),
            sources.chapter(view, month, audience, restated),
        )
    return Document(
        id=report_id(month, audience),
        title="GENIAC 月次報告書",
        subtitle="計算資源の利用状況",
        audience=audience,
        audience_ja=audience_ja,
        period_ja=month.ja,
        as_of=as_of,
        generation=version,
        author=AUTHOR,
        summary=_summary(opening, restated),
        chapters=chapters,
        draft=not issued,
    )


def _summary(opening: Sequence[Block], restated: FigureTable | None) -> tuple[Block, ...]:
    blocks: list[Block] = [
        *opening,
        Callout("info", "判定について", text(MACHINE_JUDGEMENT)),
    ]
    if restated is not None and restated.rows:
        blocks.append(
            Callout(
                "caution",
                "発行済みの報告書に訂正があります",
                text("遅れて届いた記録などにより変わった数値を「データの出所と訂正」に示します。"),
            )
        )
    return tuple(blocks)


def _restated(
    view: Any, audience: str, earlier: Mapping[Month, Mapping[str, Printed]]
) -> FigureTable | None:
    """All restatements of all issued months as one table; None when nothing was issued yet."""
    if not earlier:
        return None
    issued: dict[str, Printed] = {}
    now = []
    for month, printed in sorted(earlier.items()):
        issued.update({k: v for k, v in printed.items() if _is_monthly(k, month)})
        tables = gpu_usage.chapter(view, month, audience).tables()
        again = [
            gpu_usage.overview(view, month, audience),
            gpu_usage.situation_table(view, month, audience),
            *tables,
        ]
        now += [f for table in again for f in table.figures()]
    return restatements(
        issued,
        now,
        table_id="sources.restated",
        clause="3-1-a",
        audience=audience,
        causes=causes_in(view),
    )


def _is_monthly(figure: str, month: Month) -> bool:
    """Figures of a chapter on a month; those on the whole history grow and restate nothing."""
    table = figure.partition("/")[0]
    return table.startswith("gpu_usage.") and table.endswith(f".{month}")
