"""Units of measure as people write them behind numbers.

Here: which spellings are one unit, and column units with a magnitude (千円). Not here: digits.
"""

from __future__ import annotations

from typing import Final

from geniac_pipelines.japanese.folding import fold

# GPU時間 and 時間 are never taken for each other: eight GPUs for an hour are 1 時間 and 8 GPU時間.
_SPELLINGS: Final[dict[str, str]] = {
    fold(spelling): unit
    for unit, spellings in {
        "円": "円 JPY yen",
        "%": "% パーセント",
        "GPU時間": "GPU時間 GPUh GPU-h GPU・h GPUhour GPUhours GPU-hour GPU-hours gpu_hours",
        "時間": "時間 h hr hrs hour hours",
        "枚": "枚 基",
        "人": "人 名",
        "件": "件",
        "社": "社",
        "回": "回",
        "日": "日",
        "kWh": "kWh",
    }.items()
    for spelling in spellings.split()
}

_SCALES: Final = {"十億": 9, "百万": 6, "千万": 7, "千": 3, "万": 4, "億": 8, "兆": 12}


def known_unit(written: str) -> str | None:
    """The unit that a spelling stands for, or None where it is not a known one."""
    return _SPELLINGS.get(fold(written))


def same_unit(written: str, expected: str) -> bool:
    """Whether two spellings are one unit, known or not."""
    one, other = fold(written), fold(expected)
    return _SPELLINGS.get(one, one) == _SPELLINGS.get(other, other)


def split_scale(unit: str) -> tuple[int, str]:
    """A column's unit as a power of ten and a base unit: 百万円 is (6, 円), 円 is (0, 円)."""
    for scale, exponent in _SCALES.items():
        if unit.startswith(scale) and len(unit) > len(scale):
            return exponent, unit[len(scale) :]
    return 0, unit
