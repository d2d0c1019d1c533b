"""The one list of areas: what each brings to the shared machinery.

Only this module, the two roofs (definitions, cli) and the glue on top of them see all areas.
Adding an area, or a format to one, is a line here.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from geniac_pipelines.contracts import Contract
from geniac_pipelines.gpu_usage import dcgm, prometheus, prometheus_hours, rollup, sacct
from geniac_pipelines.gpu_usage import expectations as gpu_expectations
from geniac_pipelines.gpu_usage import workbooks as gpu_workbooks
from geniac_pipelines.gpu_usage.telemetry_contracts import TELEMETRY
from geniac_pipelines.intake.judge import Expectation
from geniac_pipelines.intake.reading import Format
from geniac_pipelines.intake.workbook import WorkbookTemplate, formats_of, other_workbooks
from geniac_pipelines.programme import workbooks as programme_workbooks

TEMPLATES: Final[tuple[WorkbookTemplate, ...]] = (
    *gpu_workbooks.TEMPLATES,
    *programme_workbooks.TEMPLATES,
)

_KNOWN: Final[tuple[Format, ...]] = (
    *sacct.FORMATS,
    *prometheus.FORMATS,
    *prometheus_hours.FORMATS,
    *dcgm.FORMATS,
    *formats_of(TEMPLATES),
)

FORMATS: Final[tuple[Format, ...]] = (*_KNOWN, other_workbooks(_KNOWN, TEMPLATES))

CONTRACTS: Final[tuple[Contract, ...]] = tuple(
    dict.fromkeys(contract for known in _KNOWN for contract in known.contracts)
)
"""Every landing table that a format fills, each once."""

EXPECTATIONS: Final[tuple[Expectation, ...]] = (*gpu_expectations.EXPECTATIONS,)


def days_of(contract: Contract, file: Path) -> set[date]:
    """The days (Asia/Tokyo) whose facts depend on a bulk landing file."""
    if contract is not TELEMETRY:
        raise ValueError(f"no facts are made of {contract.name}")
    return rollup.touched_days([file])
