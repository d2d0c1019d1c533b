"""The reply to a sender as a workbook: one row a complaint, to be worked off.

Here: the .xlsx. What it says stands in `reply`.
"""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from geniac_pipelines.intake.reply import COSTS, Reply
from geniac_pipelines.intake.template import LONGEST_CELL, row_height

HEADS: Final = (
    ("シート", 30),
    ("行", 8),
    ("列", 20),
    ("元の値", 30),
    ("問題", 60),
    ("直し方", 60),
    ("影響", 10),
)
LOST: Final = {"file": "ファイル", "row": "行", "cell": "セル", "nothing": "なし"}


def write_reply_workbook(answer: Reply, path: Path) -> None:
    """Write 修正依頼票 with the complaints, what cost most first, and 概要 with the reply's text.

    The same reply gives the same bytes. What the sender wrote stands there as text, never as a
    formula or a link.
    """
    book = xlsxwriter.Workbook(
        str(path), {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    try:
        created = answer.received_at.astimezone(UTC).replace(tzinfo=None)
        book.set_properties({"title": "修正依頼票", "author": "GENIAC事務局", "created": created})
        head = book.add_format({"bold": True, "bg_color": "#C5D7FB", "border": 1})
        body = book.add_format({"text_wrap": True, "valign": "top", "border": 1})
        _write_complaints(book.add_worksheet("修正依頼票"), answer, head, body)
        about = book.add_worksheet("概要")
        about.set_column(0, 0, 120)
        for number, line in enumerate(answer.ja.splitlines()):
            about.write_string(number, 0, line)
    finally:
        book.close()


def _write_complaints(sheet: Any, answer: Reply, head: Any, body: Any) -> None:
    for position, (text, width) in enumerate(HEADS):
        sheet.write_string(0, position, text, head)
        sheet.set_column(position, position, width)
    order = list(COSTS)
    ranked = sorted(answer.refusals, key=lambda r: order.index(r.costs))
    for number, record in enumerate(ranked, start=1):
        sheet.write_string(number, 0, record.sheet or "", body)
        if record.line is None:
            sheet.write_blank(number, 1, None, body)
        else:
            sheet.write_number(number, 1, record.line, body)
        texts = (record.column, record.cell, record.ja, record.ja_remedy, LOST[record.costs])
        for position, value in enumerate(texts, start=2):
            sheet.write_string(number, position, (value or "")[:LONGEST_CELL], body)
        shown = (record.sheet or "", "", *(value or "" for value in texts))
        sheet.set_row(number, row_height(shown, [width for _, width in HEADS]))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(ranked)), len(HEADS) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
