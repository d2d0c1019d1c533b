"""Folding of text for comparison, and the shared first step of the parsers.

Here: which characters count as the same. Folded text is for comparing only; whoever folds keeps
the original beside it. Not here: what a date, number or company name is.

Two popular normalisers are not used on purpose: one deletes ～, the other turns － before a digit
into the long-vowel mark ー, and both would lose ranges and minus signs.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Typed for a dash or minus by people and by input methods. ー and ｰ (long vowel) and ─ (ruled line)
# are what the same key gives in Japanese mode.
MINUS_SIGNS: Final = "-‐‑‒–−﹣－"
LONG_DASHES: Final = "—―─━ーｰ"
TILDES: Final = "~〜～∼∽〰"

_DASH_TABLE = str.maketrans(dict.fromkeys(MINUS_SIGNS + "—―─━", "-") | dict.fromkeys(TILDES, "~"))
# Zero-width and direction marks, and the variation selectors that pick a glyph of a name.
_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)


def visible(text: str) -> str:
    """The text without zero-width characters, direction marks and variation selectors."""
    return _INVISIBLE.sub("", text)


def fold(text: str) -> str:
    """The form in which two headers or names are compared; folding twice changes nothing.

    NFKC (㈱ → (株), full-width to half-width, ｶﾞ → ガ), case folded, every space and line break
    dropped, dashes and tildes each brought to one character. The long-vowel mark ー stays.
    """
    # Dropping a space can bring a letter to a combining mark, and case folding can leave NFKC.
    while (folded := _fold_once(text)) != text:
        text = folded
    return folded


def _fold_once(text: str) -> str:
    folded = nfkc(visible(text)).casefold()
    return "".join(visible(folded).translate(_DASH_TABLE).split())


def holds_disguised_digit(character: str) -> bool:
    """Whether NFKC would turn a sign such as ① ⑴ ² ½ into digits of the neighbouring number."""
    if character.isdecimal():
        return False
    return any(map(str.isdecimal, unicodedata.normalize("NFKC", character)))


def nfkc(text: str) -> str:
    """Unicode compatibility composition."""
    return unicodedata.normalize("NFKC", text)
