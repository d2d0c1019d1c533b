"""Kanji numerals to integers.

Here: one run of kanji digits, positional (二〇二六) or with 十百千 (二千二十六). The large units
万億兆 belong to `numbers`, and what the integer means to `dates` and `numbers`.
"""

from __future__ import annotations

import re
from typing import Final

# With the 大字 of contracts (壱弐参拾) and the two circles typed for 〇.
DIGITS: Final = dict(
    zip("〇○◯零一壱二弐三参四五六七八九", map(int, "0000112233456789"), strict=True)
)
SMALL_UNITS: Final = {"十": 10, "拾": 10, "百": 100, "千": 1000}

NUMERAL: Final = "".join(DIGITS) + "".join(SMALL_UNITS)

_WITH_UNITS = re.compile(
    "(?P<k>[D]?[千])?(?P<h>[D]?[百])?(?P<t>[D]?[十拾])?(?P<o>[D])?".replace(
        "D", "一壱二弐三参四五六七八九"
    )
)


def kanji_integer(run: str) -> int | None:
    """The integer of a run of kanji numerals below 万, or None where the run is not well formed."""
    if not run:
        return None
    if all(character in DIGITS for character in run):
        return int("".join(str(DIGITS[character]) for character in run))
    found = _WITH_UNITS.fullmatch(run)
    if found is None:
        return None
    total = 0
    for part in filter(None, found.groups()):
        *coefficient, last = part
        if last in SMALL_UNITS:
            total += SMALL_UNITS[last] * (DIGITS[coefficient[0]] if coefficient else 1)
        else:
            total += DIGITS[last]
    return total
