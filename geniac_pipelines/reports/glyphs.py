"""Characters for which the house face has no glyph, and the sign that stands in for them.

People hand in whatever they like: an emoji in a file's name, a control character, a letter of a
private set. PDF/UA allows no page with a character that can't be shown, so the report would fail.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

from fontTools.ttLib import TTFont

from geniac_pipelines.reports.theme import FONT_FOLDERS

MISSING = "〓"
"""The geta mark (下駄), which Japanese printers set where they have no type."""


@cache
def known() -> frozenset[int]:
    """Code points that every weight of the face can show, and the white space of texts."""
    maps = []
    for folder in FONT_FOLDERS:
        for file in sorted(folder.glob("*.otf")):
            with TTFont(file, lazy=True) as font:
                maps.append(frozenset(font.getBestCmap()))
    return frozenset.intersection(*maps) | {ord(c) for c in "\n\t"}


def showable(text: str) -> str:
    """The text with MISSING for what can't be shown; what is never seen (joiners, selectors of
    variants, marks of direction) is left out."""
    if text.isascii() and text.isprintable():
        return text
    glyphs = known()
    return "".join(c if ord(c) in glyphs else _stand_in(c) for c in text)


def all_showable(data: Any) -> Any:
    """`showable` for every string in lists and dicts; keys stay."""
    if isinstance(data, dict):
        return {k: all_showable(v) for k, v in data.items()}
    if isinstance(data, list):
        return [all_showable(v) for v in data]
    return showable(data) if isinstance(data, str) else data


def _stand_in(character: str) -> str:
    code = ord(character)
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    return "" if selector or unicodedata.category(character) == "Cf" else MISSING
