"""A document becomes the files that are handed over. Only whole files are ever visible."""

from __future__ import annotations

from pathlib import Path

from geniac_pipelines.reports.document import Document
from geniac_pipelines.reports.html import html
from geniac_pipelines.reports.machine_tables import machine_csvs, machine_workbook
from geniac_pipelines.reports.pdf import pdf
from geniac_pipelines.reports.workbook import browse_workbook
from geniac_pipelines.store.files import write_bytes


def render(document: Document, folder: Path) -> list[Path]:
    """Write the document in every form below `folder`; the paths, in a fixed order.

    The same document gives the same bytes, on any day and any machine.
    """
    files = {
        "monthly_report.pdf": pdf(document),
        "monthly_report.html": html(document),
        "tables_for_reading.xlsx": browse_workbook(document),
        "tables_for_machines.xlsx": machine_workbook(document),
        **{f"csv/{name}": content for name, content in machine_csvs(document).items()},
    }
    for name, content in files.items():
        write_bytes(folder / name, content)
    return [folder / name for name in files]
