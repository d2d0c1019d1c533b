"""The workbooks of compute use that companies hand in, and the formats that read them."""

from __future__ import annotations

from typing import Final

from geniac_pipelines.gpu_usage.contracts import (
    COMPUTE_CONTRACTS,
    MONTHLY_NOTES,
    MONTHLY_USAGE,
    PLANS,
)
from geniac_pipelines.intake.workbook import WorkbookTemplate, formats_of

PLAN_WORKBOOK: Final = WorkbookTemplate(
    name="gpu-plan",
    ja="利用実施計画",
    meaning="計算リソースの利用実施計画です。対象月とGPU種別ごとに1行を記入してください。",
    area="gpu_usage",
    contracts=(PLANS,),
)
CONTRACT_WORKBOOK: Final = WorkbookTemplate(
    name="gpu-contract",
    ja="計算資源契約",
    meaning="計算資源の契約の一覧です。契約とGPU種別ごとに1行を記入してください。",
    area="gpu_usage",
    contracts=(COMPUTE_CONTRACTS,),
)
MONTHLY_WORKBOOK: Final = WorkbookTemplate(
    name="gpu-monthly",
    ja="月次利用報告",
    meaning=(
        "月ごとの利用量と、進捗・課題・改善案の報告です。翌月の第5営業日までに提出してください。"
    ),
    area="gpu_usage",
    contracts=(MONTHLY_USAGE, MONTHLY_NOTES),
)

TEMPLATES: Final = (PLAN_WORKBOOK, CONTRACT_WORKBOOK, MONTHLY_WORKBOOK)
FORMATS: Final = formats_of(TEMPLATES)
