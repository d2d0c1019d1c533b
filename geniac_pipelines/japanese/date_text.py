"""The text of a written date before and after its grammar.

Here: bringing the text to one set of signs, and the words, weekdays and clock times that stand
behind a date. Not here: the grammar of the date (`date_points`) or ranges (`dates`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from geniac_pipelines.japanese.date_points import Point, Surroundings, read_point
from geniac_pipelines.japanese.folding import (
    LONG_DASHES,
    MINUS_SIGNS,
    TILDES,
    holds_disguised_digit,
    nfkc,
    visible,
)
from geniac_pipelines.japanese.kanji import NUMERAL, kanji_integer
from geniac_pipelines.japanese.periods import Precision
from geniac_pipelines.japanese.years import YEAR, NotAPoint, western_year

_LONGEST = 80

_SIGNS = str.maketrans(
    dict.fromkeys(MINUS_SIGNS + LONG_DASHES, "-") | dict.fromkeys(TILDES, "~") | {"’": "'"}
)
_WORDS: Final = (
    ("四半期", "Q"),  # before kanji numerals: 第二四半期 is not 第24半期
    ("ねん", "年"),
    ("がつ", "月"),
    ("にち", "日"),
    ("から", "~"),
)
_LIGATURE = re.compile("[㋀-㋋㏠-㏾]")  # ㋈ (9月), ㏾ (31日)
_KANJI_NUMERAL = re.compile(f"[{NUMERAL}]+")
_MIXED_NUMERAL = re.compile(f"[0-9][{NUMERAL}]|[{NUMERAL}][0-9]")
_SPACE_TO_DROP = re.compile(r"(?<![0-9])\s+|\s+(?![0-9])")

_STAMP = re.compile(r"(?:現在|時点|付け?)$")
_LOOSE = re.compile(r"\(?(予定|見込み?|頃|ごろ|目途|目処|めど|目標|まで|迄)\)?$")
_WEEKDAY = re.compile(
    r"(?:\(([月火水木金土日])(?:曜日?)?(?:[・,]?祝日?)?\)|([月火水木金土日])曜日?)$"
)
_CLOCK = re.compile(
    r"(?:[ T]|(?<=[日)]))"
    r"((?:午[前後])?[0-9]{1,2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?|時(?:[0-9]{1,2}分|半)?))$"
)
_ANY_YEAR = re.sub(r"\?P<\w+>", "?:", YEAR)
_TWO_YEARS = re.compile(
    rf"(?P<outer>{_ANY_YEAR})(?P<unit>年度?)?\((?P<inner>{_ANY_YEAR})(?:年度?)?\)(?P<late>年度?)?",
    re.IGNORECASE,
)

_WEEKDAYS = "月火水木金土日"


def normalised(text: str) -> str:
    """Half-width text with arabic digits, `-` for every dash, `~` for every tilde, no spaces."""
    shown = visible(text)
    if len(shown) > _LONGEST:
        raise NotAPoint("日付としては長すぎます。", "too long for a date")
    # A space keeps a ligature's digits apart from a neighbour: 1㋀ is not 11月.
    shown = _LIGATURE.sub(lambda found: f" {nfkc(found[0])}", shown)
    if any(map(holds_disguised_digit, shown)):
        raise NotAPoint("①や²のような記号は使えません。", "signs such as ① or ² are not digits")
    shown = nfkc(shown.translate(_SIGNS))
    for word, sign in _WORDS:
        shown = shown.replace(word, sign)
    if _MIXED_NUMERAL.search(shown):
        raise NotAPoint("算用数字と漢数字が混ざっています。", "arabic and kanji digits are mixed")
    shown = _KANJI_NUMERAL.sub(lambda found: _arabic(found[0]), shown)
    return _SPACE_TO_DROP.sub("", shown.strip())


def _arabic(run: str) -> str:
    number = kanji_integer(run)
    if number is None:
        raise NotAPoint(f"「{run}」は数として読めません。", f"{run!r} is not a number")
    return str(number)


def clock_dropped(clock: str) -> str:
    """The warning that a time of day was not taken."""
    return f"時刻 {clock} は読み捨てました / the time of day {clock} was dropped"


def read_with_words(text: str, around: Surroundings) -> Point:
    """Read one point with the words that may stand behind it, and with a second year."""
    bare, warnings = _without_loose_word(_STAMP.sub("", text))
    bare, clock = _without(_CLOCK, bare)
    bare, weekday = _without(_WEEKDAY, bare)
    point = read_point(_with_one_year(bare), around)
    if clock is not None and re.search("[1-9]", clock):
        warnings += (clock_dropped(clock),)
    if weekday is not None:
        warnings += _weekday_warning(point, weekday)
    return replace(point, warnings=point.warnings + warnings)


def _without_loose_word(text: str) -> tuple[str, tuple[str, ...]]:
    bare, word = _without(_LOOSE, text)
    if word is None:
        return bare, ()
    return bare, (f"「{word}」は読み捨てました / the word {word} was dropped",)


def _without(pattern: re.Pattern[str], text: str) -> tuple[str, str | None]:
    found = pattern.search(text)
    if found is None:
        return text, None
    return text[: found.start()], next(part for part in found.groups() if part)


def _weekday_warning(point: Point, written: str) -> tuple[str, ...]:
    actual = _WEEKDAYS[point.earliest.weekday()]
    if point.precision is Precision.DAY and actual == written:
        return ()
    return (
        f"曜日（{written}）が{point.earliest}（{actual}）と合いません / "
        f"the weekday {written} is not that of {point.earliest} ({actual})",
    )


def _with_one_year(text: str) -> str:
    """令和8年(2026年)9月 → 令和8年9月, once both years are found to be the same."""
    found = _TWO_YEARS.match(text)
    if found is None:
        return text
    outer, inner = _plain_year(found["outer"]), _plain_year(found["inner"])
    if outer != inner:
        raise NotAPoint(
            f"{found['outer']}と{found['inner']}は同じ年ではありません。",
            f"{found['outer']} and {found['inner']} are not the same year",
        )
    return found["outer"] + (found["unit"] or found["late"] or "年") + text[found.end() :]


def _plain_year(written: str) -> int:
    found = re.fullmatch(YEAR, written, re.IGNORECASE)
    if found is None:
        raise NotAPoint(f"「{written}」は年ではありません。", f"{written!r} is not a year")
    if found["era"]:
        return western_year(found["era"], found["era_year"])[0]
    return int(found["ad"])
