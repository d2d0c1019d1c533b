"""The secretariat's own registers as workbooks."""

from __future__ import annotations

from typing import Final

from geniac_pipelines.intake.workbook import WorkbookTemplate, formats_of
from geniac_pipelines.programme.contracts import CLUSTER_ACCOUNTS, ORGANISATIONS

TEMPLATES: Final = (
    WorkbookTemplate(
        name="register",
        ja="参加組織台帳",
        meaning="参加組織と、計算資源アカウントの対応。事務局が記入し、_secretariat に置きます。",
        area="programme",
        contracts=(ORGANISATIONS, CLUSTER_ACCOUNTS),
    ),
)
FORMATS: Final = formats_of(TEMPLATES)
