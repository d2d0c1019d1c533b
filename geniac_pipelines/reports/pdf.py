"""PDF/A-3a and PDF/UA-1 from a document, set by Typst.

The document goes to the template as data beside it, never as markup, so nothing that somebody
wrote into a cell can become a command. The only fonts are those of `theme`.
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

from geniac_pipelines.reports import charts
from geniac_pipelines.reports.document import Document
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

    def run(self, files: dict[str, str], timestamp: int) -> bytes:
        with self._lock:
            for name, content in files.items():
                (self._root / name).write_text(content, encoding="utf-8")
            made: bytes = self._compiler.compile(
                input=str(self._root / TEMPLATE.name),
                format="pdf",
                pdf_standards=STANDARDS,
                timestamp=timestamp,
            )
            for name in files:
                (self._root / name).unlink()
            return made


_presses: list[_Press] = []


def pdf(document: Document) -> bytes:
    """The report as PDF bytes; the same document always gives the same bytes.

    Dates in the file are the document's `as_of` (00:00 UTC), not the time of printing.
    """
    if not _presses:
        _presses.append(_Press())
    data = printable(document)
    files = {}
    for number, block in enumerate(
        b for c in data["chapters"] for b in c["blocks"] if b["type"] == "chart"
    ):
        block["file"] = f"chart-{number}.svg"
        files[block["file"]] = charts.svg(block.pop("chart"))
    data["theme"] = {
        "font": FONT_FAMILY,
        "blues": list(BLUES),
        "grid": GRID,
        "ink": INK,
        "quiet": QUIET,
    }
    day = document.as_of
    data["day"] = [day.year, day.month, day.day]
    files["document.json"] = json.dumps(data, ensure_ascii=False)
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return _presses[0].run(files, int(moment.timestamp()))
