"""PDF/A-3a and PDF/UA-1 from a document, set by Typst.

The document goes to the template as data beside it, never as markup, so nothing that somebody
wrote into a cell can become a command. The only fonts are those of `theme`. Each figure table is
attached as a CSV file, the same that `machine_tables.machine_csvs` gives.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import typst

from geniac_pipelines.reports import charts, layout
from geniac_pipelines.reports.document import Document
from geniac_pipelines.reports.glyphs import all_showable, showable
from geniac_pipelines.reports.machine_tables import machine_csvs
from geniac_pipelines.reports.printable import printable
from geniac_pipelines.reports.theme import BLUES, FONT_FAMILY, FONT_FOLDERS, GRID, INK, QUIET

STANDARDS = ["a-3a", "ua-1"]
TEMPLATE = Path(__file__).parent / "templates" / "report.typ"


class _Press:
    """One compiler for the life of the process: its fonts and compiled parts are kept."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._folder = TemporaryDirectory(prefix="geniac-pdf-")
        self._root = Path(self._folder.name)
        shutil.copyfile(TEMPLATE, self._root / TEMPLATE.name)
        self._compiler: Any = typst.Compiler(
            root=str(self._root),
            font_paths=[str(f) for f in FONT_FOLDERS],
            ignore_system_fonts=True,
        )

    def run(self, files: dict[str, bytes], timestamp: int) -> bytes:
        with self._lock:
            try:
                for name, content in files.items():
                    (self._root / name).write_bytes(content)
                made: bytes = self._compiler.compile(
                    input=str(self._root / TEMPLATE.name),
                    format="pdf",
                    pdf_standards=STANDARDS,
                    timestamp=timestamp,
                )
            finally:
                for name in files:
                    (self._root / name).unlink(missing_ok=True)
            return made


_presses: list[_Press] = []


def pdf(document: Document) -> bytes:
    """The report as PDF bytes; the same document always gives the same bytes.

    Dates in the file are the document's `as_of` (00:00 UTC), not the time of printing.
    """
    if not _presses:
        _presses.append(_Press())
    data = printable(document)
    del data["origins"]
    files: dict[str, bytes] = {}
    for block in (b for c in data["chapters"] for b in c["blocks"]):
        if block["type"] == "chart":
            del block["data"]
            chart = block.pop("chart")
            if not block["drawn"]:
                continue
            drawing = charts.svg(chart)
            block["file"] = f"{block['number']}.svg"
            block["width"] = layout.drawing_width(drawing)
            files[block["file"]] = drawing.encode()
        elif block["type"] == "table":
            block.update(layout.fit(block))
            layout.mark_tall(block, block)
    for chapter in data["chapters"]:
        chapter["sections"] = layout.sections(chapter.pop("blocks"))
    data = _breakable(all_showable(data))
    data["attachments"] = _attachments(document, files)
    data["theme"] = {
        "font": FONT_FAMILY,
        "blues": list(BLUES),
        "grid": GRID,
        "ink": INK,
        "quiet": QUIET,
    }
    day = document.as_of
    data["day"] = [day.year, day.month, day.day]
    files["document.json"] = json.dumps(data, ensure_ascii=False).encode()
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return _presses[0].run(files, int(moment.timestamp()))


def _attachments(document: Document, files: dict[str, bytes]) -> list[dict[str, str]]:
    """Put each table's CSV beside the template; what the template says of it."""
    listed = []
    csvs = machine_csvs(document)
    for (name, content), table in zip(csvs.items(), document.tables(), strict=True):
        files[name] = content
        listed.append(
            {"name": name, "title": showable(table.title), "relation": table.origin.relation}
        )
    return listed


_WORDS = frozenset({"text", "title", "label", "note", "source", "subtitle", "empty"})


def _breakable(data: Any, *, words: bool = False) -> Any:
    """The data with places to break in overlong words of what is printed."""
    if isinstance(data, dict):
        return {k: _breakable(v, words=k in _WORDS) for k, v in data.items()}
    if isinstance(data, list):
        return [_breakable(v) for v in data]
    return layout.breakable(data) if words and isinstance(data, str) else data
