"""The secretariat's own registers as workbooks, and the formats that read them."""

from __future__ import annotations

from typing import Final

from geniac_pipelines.intake.workbook import WorkbookTemplate, formats_of
from geniac_pipelines.programme.contracts import CLUSTER_ACCOUNTS, ORGANISATIONS

ORGANISATIONS_WORKBOOK: Final = WorkbookTemplate(
    name="register",
    ja="参加組織台帳",
    meaning="参加組織と、計算資源アカウントの対応の台帳です。事務局が記入します。",
    area="programme",
    contracts=(ORGANISATIONS, CLUSTER_ACCOUNTS),
)

TEMPLATES: Final = (ORGANISATIONS_WORKBOOK,)
FORMATS: Final = formats_of(TEMPLATES)
