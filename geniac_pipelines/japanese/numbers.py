"""Numbers as people write them into cells, to exact decimals.

Here: signs, what counts as missing, and bringing a number to the unit that is expected. Digits
with 億 and 万 are in `magnitudes`, spellings of units in `units`. Not here: which column has which
unit, or whether a value is plausible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from geniac_pipelines.japanese.absent import is_dash, is_no_value, is_undecided
from geniac_pipelines.japanese.errors import NoValue, UnreadableNumber
from geniac_pipelines.japanese.folding import (
    LONG_DASHES,
    MINUS_SIGNS,
    holds_disguised_digit,
    nfkc,
    visible,
)
from geniac_pipelines.japanese.magnitudes import BODY, EXACT, has_magnitude, read_magnitudes
from geniac_pipelines.japanese.units import known_unit, same_unit, split_scale

_LONGEST = 100

_SIGNS = str.maketrans(
    dict.fromkeys(MINUS_SIGNS, "-") | dict.fromkeys("△▲", "-") | {"、": ",", "､": ",", "\\": "¥"}
)
_SPACE_TO_DROP = re.compile(r"(?<![0-9])\s+|\s+(?![0-9])")
_BRACKETED = re.compile(r"\(([^()]+)\)([^()0-9]*)")
_WRITTEN = re.compile(
    r"(?P<sign>[-+]?)(?P<yen>¥?)"
    rf"(?:(?P<scientific>[0-9]+(?:\.[0-9]+)?E[-+]?[0-9]{{1,2}})|(?P<body>{BODY}))"
    r"(?P<unit>[^0-9]*)",
    re.IGNORECASE,
)
_ONLY_MAGNITUDES = re.compile("[十百千]+[万億兆]?")  # 千円 and 百万円 stand under table heads
_ONLY_CIRCLES = re.compile("[〇○◯]+")


@dataclass(frozen=True, slots=True)
class Number:
    """An exact value in `unit`, with the text as it came.

    `unit` is the expected one where the caller named it, else the one written, else None. A
    percentage keeps its written value: 12％ is 12 with the unit "%".
    """

    value: Decimal
    text: str
    unit: str | None = None
    warnings: tuple[str, ...] = ()


def parse_number(cell: str | int | float | Decimal | None, *, unit: str | None = None) -> Number:
    """Read a number as people in Japan write it, or as a spreadsheet holds it.

    Read are: full-width digits, grouping by three with , ， or 、, kanji numerals, 兆・億・万・千
    compounds (1億2,300万円, 12.5万, 3千円), and △ ▲ － − - or brackets as the minus sign.
    `unit` is what the value is to be in. It may stand behind the number in any known spelling and
    may carry a magnitude: in 千円, "1,234" and "1,234,000円" are both 1234. Another unit is
    refused. Without `unit`, a known unit is read and told in the result.

    Raises NoValue for a blank, a dash, なし, 未定, N/A and the like, since missing is never zero;
    UnreadableNumber for everything else. A lone 〇 is refused too: it mostly means yes.
    """
    if cell is None:
        raise _no_value("")
    if not isinstance(cell, str):
        return _from_cell(cell, unit)
    if is_no_value(cell) or is_undecided(cell) or is_dash(cell):
        raise _no_value(cell)
    written, negative, warnings = _split(cell)
    body = written["body"]
    if body is None:
        value = _plain(Decimal(written["scientific"]))
        warnings += (
            "指数表記のため下位の桁が失われている可能性があります / "
            "in scientific notation, lower digits may be lost",
        )
    else:
        if written["unit"] and _ONLY_MAGNITUDES.fullmatch(body):
            raise UnreadableNumber(
                cell, "単位だけで数字がありません。", "it is a unit without a number"
            )
        value = _read_body(cell, body)
        warnings += _body_warnings(body)
    value = EXACT.minus(value) if negative else value
    found = Number(value, cell, _written_unit(cell, written) or None, warnings)
    return _in_known_unit(found) if unit is None else _in_unit(found, body or "", unit)


def _no_value(text: str) -> NoValue:
    return NoValue(
        text,
        "値が入っていません。0の場合は0と書いてください。",
        "no value is given; write 0 if it is zero",
    )


def _from_cell(cell: float | Decimal, unit: str | None) -> Number:
    if isinstance(cell, bool):
        raise UnreadableNumber(str(cell), "真偽値です。", "it is a truth value")
    # repr gives the shortest decimal that is this float: 0.1 stays 0.1.
    text = repr(float(cell)) if isinstance(cell, float) else str(cell)
    value = Decimal(text)
    if value.is_nan():
        raise _no_value(text)
    if value.is_infinite():
        raise UnreadableNumber(text, "無限大です。", "it is infinite")
    return Number(value, text, unit)


def _split(text: str) -> tuple[re.Match[str], bool, tuple[str, ...]]:
    """Sign, digits and unit of the text, whether it is negative, and what was assumed."""
    shown = visible(text).strip()
    if len(shown) > _LONGEST:
        raise UnreadableNumber(text, "数値としては長すぎます。", "too long for a number")
    if any(map(holds_disguised_digit, shown)):
        raise UnreadableNumber(
            text, "①や²のような記号は使えません。", "signs such as ① or ² are not digits"
        )
    warnings: tuple[str, ...] = ()
    if shown[0] in LONG_DASHES:
        warnings = (f"「{shown[0]}」を負号と読みました / {shown[0]!r} was taken for a minus sign",)
        shown = "-" + shown[1:]
    shown = _SPACE_TO_DROP.sub("", nfkc(shown.translate(_SIGNS)))
    shown = re.sub("^¥([-+])", r"\1¥", shown)
    bracketed = _BRACKETED.fullmatch(shown)
    if bracketed is not None:
        shown = bracketed[1] + bracketed[2]
    written = _WRITTEN.fullmatch(shown)
    if written is None or (bracketed is not None and written["sign"]):
        raise _not_a_number(text)
    return written, bracketed is not None or written["sign"] == "-", warnings


def _not_a_number(text: str) -> UnreadableNumber:
    return UnreadableNumber(
        text,
        "例：1234、1,234、△5、1億2,300万円",
        "write for example 1234, 1,234, -5, 1億2,300万円",
    )


def _read_body(text: str, body: str) -> Decimal:
    if _ONLY_CIRCLES.fullmatch(body):
        raise UnreadableNumber(
            text, "丸印か0か分かりません。0は算用数字で書いてください。", "a circle mark, or zero?"
        )
    value = read_magnitudes(body)
    if value is None:
        raise _not_a_number(text)
    return value


def _body_warnings(body: str) -> tuple[str, ...]:
    if body == "一":
        return ("「一」を1と読みました / the kanji 一, which looks like a dash, was read as 1",)
    return ()


def _written_unit(text: str, written: re.Match[str]) -> str:
    if not written["yen"]:
        return written["unit"]
    if written["unit"] and not same_unit(written["unit"], "円"):
        raise _not_a_number(text)
    return "円"


def _in_known_unit(found: Number) -> Number:
    if found.unit is None:
        return found
    known = known_unit(found.unit)
    if known is None:
        raise UnreadableNumber(
            found.text,
            f"単位「{found.unit}」を知りません。",
            f"the unit {found.unit!r} is not known",
        )
    return replace(found, unit=known)


def _in_unit(found: Number, body: str, expected: str) -> Number:
    """Bring a value in its written unit to the expected one."""
    exponent, base = split_scale(expected)
    if found.unit is None and not (exponent and has_magnitude(body)):
        return replace(found, unit=expected)
    if found.unit is None or not same_unit(found.unit, base):
        raise UnreadableNumber(
            found.text,
            f"単位は「{expected}」です。数字だけを書いてください。",
            f"the unit is {expected}; write the number alone",
        )
    return replace(found, value=_plain(found.value.scaleb(-exponent, EXACT)), unit=expected)


def _plain(value: Decimal) -> Decimal:
    """The same value without an exponent or empty decimals, so that it prints as people write."""
    return Decimal(int(value)) if value == int(value) else value
