"""Replies to a sender as a workbook: one row a complaint, to be worked off.

Here: the .xlsx. What it says stands in `reply`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from geniac_pipelines.intake.reading import COSTS
from geniac_pipelines.intake.reply import Reply
from geniac_pipelines.intake.template import LONGEST_CELL, row_height
from geniac_pipelines.store.arrivals import RefusalRecord

HEADS: Final = (
    ("ファイル", 24),
    ("シート", 18),
    ("行", 7),
    ("列", 18),
    ("元の値", 20),
    ("問題", 44),
    ("直し方", 44),
    ("影響", 13),
)
LINE: Final = 2
"""Position of the one column that holds numbers."""
LOST: Final = {
    "file": "ファイル",
    "row": "行",
    "cell": "セル",
    "doubt": "なし（要確認）",
    "nothing": "なし",
}
"""The last column: what was not taken."""
TEXT_WIDTH: Final = 110
_STYLES: Final[dict[str, dict[str, Any]]] = {
    "head": {"bold": True, "bg_color": "#C5D7FB", "border": 1, "valign": "vcenter"},
    "body": {"text_wrap": True, "valign": "top", "border": 1},
    "line": {"align": "center", "valign": "top", "border": 1},
    "text": {"text_wrap": True, "valign": "top"},
}


def write_reply_workbook(answers: Sequence[Reply], path: Path) -> None:
    """Write 修正依頼票 to a file; see `reply_workbook`."""
    path.write_bytes(reply_workbook(answers))


def reply_workbook(answers: Sequence[Reply]) -> bytes:
    """修正依頼票 with the complaints file by file, what cost most first.

    概要 and Summary hold the replies' texts. The same replies give the same bytes. What the sender
    wrote stands there as text, never as a formula or a link. Raises ValueError without a reply.
    """
    if not answers:
        raise ValueError("there is nothing to reply to")
    memory = BytesIO()
    book = xlsxwriter.Workbook(
        memory, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    try:
        created = max(a.received_at for a in answers).astimezone(UTC).replace(tzinfo=None)
        book.set_properties({"title": "修正依頼票", "author": "GENIAC事務局", "created": created})
        styles = {name: book.add_format({"font_size": 10, **s}) for name, s in _STYLES.items()}
        _write_complaints(book.add_worksheet("修正依頼票"), answers, styles)
        _write_text(book.add_worksheet("概要"), [a.ja for a in answers], styles["text"])
        _write_text(book.add_worksheet("Summary"), [a.en for a in answers], styles["text"])
    finally:
        book.close()
    return memory.getvalue()


def _write_complaints(sheet: Any, answers: Sequence[Reply], styles: Mapping[str, Any]) -> None:
    for position, (text, width) in enumerate(HEADS):
        sheet.write_string(0, position, text, styles["head"])
        sheet.set_column(position, position, width)
    sheet.set_row(0, 20)
    ranked = [
        (answer.file_name, record)
        for answer in answers
        for record in sorted(answer.refusals, key=lambda r: COSTS.index(r.costs))
    ]
    for number, (file_name, record) in enumerate(ranked, start=1):
        texts = _texts(file_name, record)
        for position, value in enumerate(texts):
            sheet.write_string(number, position, value[:LONGEST_CELL], styles["body"])
        if record.line is not None:
            sheet.write_number(number, LINE, record.line, styles["line"])
        sheet.set_row(number, _height(texts, [width for _, width in HEADS]))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(ranked)), len(HEADS) - 1)
    _fit_to_page(sheet)
    sheet.repeat_rows(0)


def _texts(file_name: str, record: RefusalRecord) -> tuple[str, ...]:
    """What stands in the columns; the line number is written as a number."""
    return (
        file_name,
        record.sheet or "",
        "",
        record.column or "",
        record.cell or "",
        record.ja,
        record.ja_remedy,
        LOST[record.costs],
    )


def _write_text(sheet: Any, texts: Sequence[str], plain: Any) -> None:
    sheet.set_column(0, 0, TEXT_WIDTH)
    for number, line in enumerate("\n\n".join(texts).splitlines()):
        sheet.write_string(number, 0, line[:LONGEST_CELL], plain)
        sheet.set_row(number, _height([line], [TEXT_WIDTH]))
    _fit_to_page(sheet)


def _height(texts: Sequence[str], widths: Sequence[int]) -> int:
    """High enough also where a program puts a broader font in place of the one it lacks."""
    return row_height(texts, [width * 7 // 8 for width in widths])


def _fit_to_page(sheet: Any) -> None:
    """Landscape A4, as many pages long as it takes."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_footer("&C&P / &N")
