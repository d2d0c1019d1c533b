"""The workbooks of compute use that companies hand in."""

from __future__ import annotations

from typing import Final

from geniac_pipelines.gpu_usage.contracts import (
    CONTRACTS,
    MONTHLY_NOTES,
    MONTHLY_USAGE,
    PLANS,
)
from geniac_pipelines.intake.workbook import WorkbookTemplate, formats_of

TEMPLATES: Final = (
    WorkbookTemplate(
        name="gpu-plan",
        ja="利用実施計画",
        meaning="計算リソースの利用実施計画。月とGPU種別ごとに1行を記入してください。",
        area="gpu_usage",
        contracts=(PLANS,),
    ),
    WorkbookTemplate(
        name="gpu-contract",
        ja="計算資源契約",
        meaning="計算資源の契約。契約とGPU種別ごとに1行を記入してください。",
        area="gpu_usage",
        contracts=(CONTRACTS,),
    ),
    WorkbookTemplate(
        name="gpu-monthly",
        ja="月次利用報告",
        meaning="月ごとの利用量と、進捗・課題・改善案。翌月の第5営業日までに提出してください。",
        area="gpu_usage",
        contracts=(MONTHLY_USAGE, MONTHLY_NOTES),
    ),
)
FORMATS: Final = formats_of(TEMPLATES)
