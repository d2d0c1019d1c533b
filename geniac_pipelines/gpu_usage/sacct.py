"""Slurm's accounting as sacct prints it: the two formats, text and JSON.

Here: the formats by name. How each is read stands in `sacct_text` and `sacct_json`.
"""

from __future__ import annotations

from typing import Final

from geniac_pipelines.gpu_usage import sacct_json, sacct_text
from geniac_pipelines.gpu_usage.contracts import SACCT_JOBS
from geniac_pipelines.intake.reading import Format

SACCT_TEXT: Final = Format(
    name="sacct-text",
    area="gpu_usage",
    ja="Slurmの会計記録（sacct -P の出力）",
    contracts=(SACCT_JOBS,),
    recognise=sacct_text.recognise,
    read=sacct_text.read,
)
SACCT_JSON: Final = Format(
    name="sacct-json",
    area="gpu_usage",
    ja="Slurmの会計記録（sacct --json の出力）",
    contracts=(SACCT_JOBS,),
    recognise=sacct_json.recognise,
    read=sacct_json.read,
)

FORMATS: Final[tuple[Format, ...]] = (SACCT_TEXT, SACCT_JSON)
