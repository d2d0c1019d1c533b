"""修正依頼票 that goes with a letter: the letter's places as a workbook, to be worked off.

Made of what the refusals on record say, so that what is masked there stays masked. Not here: how
the workbook looks (`intake.reply_workbook`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import groupby

import python_calamine

from geniac_pipelines.alerts.message import LARGEST_ATTACHMENT, Attachment
from geniac_pipelines.alerts.rows import Correction, Delivered
from geniac_pipelines.intake.reply import Reply
from geniac_pipelines.intake.reply_workbook import reply_workbook

NAME = "修正依頼票.xlsx"
MOST_PLACES = 10_000
"""As many as intake keeps of one file; a workbook of them is made within a second, which a night's
commit can wait."""


def ticket(corrections: Sequence[Correction]) -> Attachment | None:
    """The workbook of these places, which are in the letter's order, file by file.

    The same places give the same bytes. None where they are too many to go with a mail.
    """
    if len(corrections) > MOST_PLACES:
        return None
    files = groupby(corrections, key=lambda c: c.delivered)
    content = reply_workbook([_reply(delivered, places) for delivered, places in files])
    return Attachment(NAME, content) if len(content) <= LARGEST_ATTACHMENT else None


def words(attachment: Attachment) -> str:
    """Every text that a reader of the workbook sees."""
    book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(attachment.content))
    sheets = (book.get_sheet_by_name(name) for name in book.sheet_names)
    return "\n".join(str(cell) for sheet in sheets for row in sheet.to_python() for cell in row)


def _reply(delivered: Delivered, corrections: Iterable[Correction]) -> Reply:
    places = tuple(corrections)
    return Reply(
        file_name=delivered.file,
        sha256=delivered.sha256,
        sender=places[0].company_id,
        received_at=delivered.received_at,
        rows_taken={"合計 / total": delivered.rows} if delivered.rows else {},
        refusals=tuple(c.refusal for c in places),
    )
