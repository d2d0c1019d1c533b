"""Slurm's accounting as sacct prints it: the two formats, text and JSON.

Here: the formats by name. How each is read stands in `from_text` and `from_json`.
"""

from __future__ import annotations

from typing import Final

from geniac_pipelines.gpu_usage.contracts import SACCT_JOBS
from geniac_pipelines.gpu_usage.sacct import from_json, from_text
from geniac_pipelines.intake.reading import Format

PURPOSE: Final = "計算資源の利用状況の確認（仕様書3-1、3-3）"
"""Why accounting with users' and jobs' names is collected."""

SACCT_TEXT: Final = Format(
    name="sacct-text",
    area="gpu_usage",
    ja="Slurmの会計記録（sacct -P の出力）",
    contracts=(SACCT_JOBS,),
    recognise=from_text.recognise,
    read=from_text.read,
    personal=True,
    purpose=PURPOSE,
)
SACCT_JSON: Final = Format(
    name="sacct-json",
    area="gpu_usage",
    ja="Slurmの会計記録（sacct --json の出力）",
    contracts=(SACCT_JOBS,),
    recognise=from_json.recognise,
    read=from_json.read,
    personal=True,
    purpose=PURPOSE,
)

FORMATS: Final[tuple[Format, ...]] = (SACCT_TEXT, SACCT_JSON)
