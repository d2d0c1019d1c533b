"""A document becomes the files that are handed over. Only whole files are ever visible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from geniac_pipelines.reports.document import Document
from geniac_pipelines.reports.html import html
from geniac_pipelines.reports.machine_tables import machine_csvs, machine_workbook
from geniac_pipelines.reports.pdf import pdf
from geniac_pipelines.reports.workbook import browse_workbook
from geniac_pipelines.store.files import write_bytes


def render(document: Document, folder: Path, unreleased: Path | None = None) -> list[Path]:
    """Write the document in every form below `folder`; the paths, in a fixed order.

    Below `unreleased` lies the same, marked on what people read as not released; what machines
    read bears no mark, and is made once. The same document gives the same bytes, on any day and
    any machine.
    """
    machines = _for_machines(document)
    files = _for_people(document) | machines
    _write(files, folder)
    if unreleased:
        _write(_for_people(replace(document, unreleased=True)) | machines, unreleased)
    return [folder / name for name in files]


def _for_people(document: Document) -> dict[str, bytes]:
    return {
        "monthly_report.pdf": pdf(document),
        "monthly_report.html": html(document),
        "tables_for_reading.xlsx": browse_workbook(document),
    }


def _for_machines(document: Document) -> dict[str, bytes]:
    return {
        "tables_for_machines.xlsx": machine_workbook(document),
        **{f"csv/{name}": content for name, content in machine_csvs(document).items()},
    }


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        write_bytes(folder / name, content)
