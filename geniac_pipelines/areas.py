"""The one list of areas: what each brings to the shared machinery.

Only this module and the two roofs (definitions, cli) see all areas. Adding an area, or a format
to one, is a line here and nothing elsewhere.
"""

from __future__ import annotations

from geniac_pipelines.gpu_usage import contracts as gpu_contracts
from geniac_pipelines.gpu_usage import sacct
from geniac_pipelines.gpu_usage import workbooks as gpu_workbooks
from geniac_pipelines.intake.contracts import Contract
from geniac_pipelines.intake.reading import Format
from geniac_pipelines.intake.workbook import WorkbookTemplate
from geniac_pipelines.programme import contracts as programme_contracts
from geniac_pipelines.programme import workbooks as programme_workbooks

FORMATS: tuple[Format, ...] = (
    *sacct.FORMATS,
    *gpu_workbooks.FORMATS,
    *programme_workbooks.FORMATS,
)

CONTRACTS: tuple[Contract, ...] = (
    programme_contracts.ORGANISATIONS,
    programme_contracts.CLUSTER_ACCOUNTS,
    gpu_contracts.SACCT_JOBS,
    gpu_contracts.PLANS,
    gpu_contracts.CONTRACTS,
    gpu_contracts.MONTHLY_USAGE,
    gpu_contracts.MONTHLY_NOTES,
)

TEMPLATES: tuple[WorkbookTemplate, ...] = (
    *gpu_workbooks.TEMPLATES,
    *programme_workbooks.TEMPLATES,
)
