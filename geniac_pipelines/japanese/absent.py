"""Words and signs that stand where a value is missing.

Here: what people write for "nothing to report" and for "not decided yet". What a parser makes of
them is its own: a missing value is never zero and never a date.
"""

from __future__ import annotations

import re
from typing import Final

from geniac_pipelines.japanese.folding import LONG_DASHES, MINUS_SIGNS, fold

# The signs … and X for "unknown" and "withheld" are those of the government's statistical tables.
NO_VALUE_WORDS: Final = frozenset(
    {"なし", "無し", "無", "該当なし", "該当無し", "回答なし", "不明", "未記入", "未入力", "未集計"}
    | {"未回答", "非公開", "非公表", "秘匿", "n/a", "#n/a", "na", "n.a.", "null", "none", "nan"}
    | {"nil", "x", "...", "***"}
)
UNDECIDED_WORDS: Final = frozenset(
    {"未定", "調整中", "検討中", "未確定", "時期未定", "日程未定", "期日未定", "日程調整中"}
    | {"時期調整中", "tbd", "tbc"}
)

_ONLY_DASHES = re.compile(f"[{re.escape(MINUS_SIGNS + LONG_DASHES)}]+")


def is_dash(text: str) -> bool:
    """Whether the text is nothing but dashes of any kind."""
    return _ONLY_DASHES.fullmatch("".join(text.split())) is not None


def is_no_value(text: str) -> bool:
    """Whether the text is blank or says that there is no value."""
    folded = fold(text)
    return not folded or folded in NO_VALUE_WORDS


def is_undecided(text: str) -> bool:
    """Whether the text says that the value is not decided yet."""
    folded = fold(text)
    if folded.startswith("(") and folded.endswith(")"):
        folded = folded[1:-1]
    return folded in UNDECIDED_WORDS
