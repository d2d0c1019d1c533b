"""The digits of a number with Japanese magnitudes: 1億2,300万, 3千, 二千二十六.

Here: unsigned digits to an exact decimal. Not here: signs, units of measure, missing values.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Final

from geniac_pipelines.japanese.kanji import NUMERAL, SMALL_UNITS, kanji_integer

# Wider than any text that is read, so that no digit is ever rounded.
EXACT: Final = Context(prec=400)

LARGE_UNITS: Final = {"兆": 12, "億": 8, "万": 4, "萬": 4}
BODY: Final = f"[0-9.,{NUMERAL}{''.join(LARGE_UNITS)}]+"

_GROUP = re.compile(f"(?P<digits>[^{''.join(LARGE_UNITS)}]*)(?P<unit>[{''.join(LARGE_UNITS)}]?)")
_KANJI = re.compile(f"[{NUMERAL}]+")
_TERM = re.compile("(?P<digits>[0-9.,]+)(?P<unit>[十百千]?)")
_ARABIC = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+")


def has_magnitude(body: str) -> bool:
    """Whether the digits name a magnitude (12.5万), and so an amount of the base unit."""
    return any(unit in body for unit in (*LARGE_UNITS, *SMALL_UNITS))


def read_magnitudes(body: str) -> Decimal | None:
    """The value of unsigned digits with magnitudes, or None where they are not well formed.

    Thousands are grouped by three or not at all. Magnitudes fall from left to right, each part
    stays below the magnitude before it (1億23000万 is none), and only the last may have decimals.
    """
    parts: list[tuple[Decimal, int]] = []
    for group in _GROUP.finditer(body):
        if not group[0]:
            continue
        exponent = LARGE_UNITS.get(group["unit"], 0)
        terms = _terms(group["digits"])
        if terms is None:
            return None
        *leading, (last, small) = terms
        parts += [(value.scaleb(exponent, EXACT), unit + exponent) for value, unit in leading]
        # 5千万 is 5 of 千万, so what follows 万 must stay below 万 and not below 千万.
        parts.append((last.scaleb(exponent, EXACT), exponent or small))
    return _sum(parts)


def _terms(digits: str) -> list[tuple[Decimal, int]] | None:
    """The terms before one large unit: each a value and the exponent of its small unit."""
    if _KANJI.fullmatch(digits):
        number = kanji_integer(digits)
        return None if number is None else [(Decimal(number), 0)]
    terms, position = [], 0
    while position < len(digits):
        found = _TERM.match(digits, position)
        if found is None or _ARABIC.fullmatch(found["digits"]) is None:
            return None
        exponent = len(str(SMALL_UNITS[found["unit"]])) - 1 if found["unit"] else 0
        value = Decimal(found["digits"].replace(",", "")).scaleb(exponent, EXACT)
        terms.append((value, exponent))
        position = found.end()
    return terms or None


def _sum(parts: list[tuple[Decimal, int]]) -> Decimal | None:
    if not parts:
        return None
    total, below, written_as_fraction = Decimal(0), None, False
    for value, exponent in parts:
        if written_as_fraction or (below is not None and value >= below):
            return None
        total = EXACT.add(total, value)
        below = Decimal(1).scaleb(exponent)
        written_as_fraction = EXACT.remainder(value.scaleb(-exponent, EXACT), Decimal(1)) != 0
    return total
