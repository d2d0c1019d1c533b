"""Colours, face and tone words that every renderer shares.

The blues, the alert red and the grid grey come from デジタル庁 `policy-dashboard-assets`, theme
"Digital Agency Dashboard Design Template Blue" (CustomThemeBlueDefault_2026.json, PDL 1.0).
Text colours keep a contrast of 4.5:1 or more on their backgrounds (WCAG 2.2 AA).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import noto_cjk_sans_jp_bold
import noto_cjk_sans_jp_regular

BLUES = ("#0017C1", "#3460FB", "#7096F8", "#C5D7FB", "#E8F1FE")
ALERT = "#FE3939"
GRID = "#E6E6E6"
INK = "#1A1A1C"
QUIET = "#626264"

FONT_FAMILY = "Noto Sans CJK JP"
FONT_FOLDERS = tuple(
    Path(package.__file__).parent for package in (noto_cjk_sans_jp_regular, noto_cjk_sans_jp_bold)
)


@dataclass(frozen=True)
class Tone:
    """How urgent something is, in a word and a symbol; colour only repeats them."""

    word: str
    symbol: str
    ink: str
    paper: str


TONES = {
    "info": Tone("お知らせ", "●", "#0017C1", "#E8F1FE"),
    "caution": Tone("注意", "▲", "#7A4600", "#FFF4DC"),
    "alert": Tone("要対応", "■", "#B50000", "#FFECEC"),
}


def tone(name: str) -> Tone:
    """The tone of that name; ValueError for a tone that nobody would recognise."""
    if name not in TONES:
        raise ValueError(f"unknown tone {name!r}: expected one of {sorted(TONES)}")
    return TONES[name]
