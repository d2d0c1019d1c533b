"""Matching of company names and checking of corporate numbers.

Here: the form in which two spellings of one company meet, and the check digit of 法人番号. Not
here: whose a file or an account is (`geniac_pipelines.intake`).
"""

from __future__ import annotations

import re
from typing import Final

from geniac_pipelines.japanese.folding import fold, nfkc

# Forms of 会社法 and of the other laws under which our partners exist, longest first.
_LEGAL_FORMS: Final = (
    "大学共同利用機関法人",
    "特定非営利活動法人",
    "国立研究開発法人",
    "国立大学法人",
    "公立大学法人",
    "独立行政法人",
    "一般社団法人",
    "一般財団法人",
    "公益社団法人",
    "公益財団法人",
    "学校法人",
    "株式会社",
    "有限会社",
    "合同会社",
    "合資会社",
    "合名会社",
)
_SHORT_FORMS: Final = (
    "国研",
    "一社",
    "一財",
    "公社",
    "公財",
    "株",
    "有",
    "同",
    "資",
    "名",
    "独",
    "学",
)
_WESTERN_FORMS: Final = (
    r"k\.k",
    r"g\.k",
    r"l\.l\.c",
    "incorporated",
    "corporation",
    "limited",
    "corp",
    "inc",
    "ltd",
    "llc",
    "plc",
    "kk",
    "gk",
    r"co(?=[.,]|$)",
)

_JAPANESE_FORM = re.compile("|".join(_LEGAL_FORMS) + "|" + rf"\((?:{'|'.join(_SHORT_FORMS)})\)")
# A western form is a word of its own, so that "inc" stays in Princeton; spaces still stand here.
_WESTERN_FORM = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(_WESTERN_FORMS)})(?![a-z0-9])\.?")
_PUNCTUATION = re.compile(r"[\s,.、。・'’\"”“\-]")

# 康熙字典体 shown in brackets in 常用漢字表 (平成22年内閣告示第2号), and the variants of names that
# have no compatibility mapping in Unicode: the ladder 髙, the standing 﨑, 𠮷 and the like.
_VARIANTS: Final = str.maketrans(
    "髙﨑嵜𠮷濵邊邉澤濱廣國學櫻眞榮會藝圓惠縣鐵澁瀧齊齋德龍壽實寶嶋嶌冨淵靜假兒亞與萬條豐",
    "高崎崎吉浜辺辺沢浜広国学桜真栄会芸円恵県鉄渋滝斉斎徳竜寿実宝島島富渕静仮児亜与万条豊",
)

_CORPORATE_NUMBER = re.compile(r"[1-9][0-9]{12}")


def fold_company(name: str) -> str:
    """The form in which spellings of one company compare equal; never for showing.

    Legal forms (株式会社, ㈱, 合同会社, Inc., Co., Ltd., K.K. …) are taken out wherever they stand,
    then NFKC, case folding, old character forms to the present ones, and no spaces or punctuation.
    A name that is nothing but a legal form keeps it, so that no name folds to the empty string
    unless it is blank. Two bodies may share one folded name: 法人番号 decides.
    """
    spaced = " ".join(nfkc(name).casefold().split())
    core = _bare(_WESTERN_FORM.sub(" ", _without_japanese_form(spaced)))
    return core or _bare(spaced) or fold(name)


def _without_japanese_form(name: str) -> str:
    # Padded names have spaces inside the form itself: 株 式 会 社.
    found = _JAPANESE_FORM.sub(" ", name)
    if found != name:
        return found
    closed = name.replace(" ", "")
    return name if _JAPANESE_FORM.search(closed) is None else _JAPANESE_FORM.sub(" ", closed)


def _bare(name: str) -> str:
    return _PUNCTUATION.sub("", fold(name).translate(_VARIANTS))


def check_corporate_number(text: str) -> bool:
    """Whether the text is a 法人番号: 13 digits, full-width or not, with a right check digit.

    Article 2 of 法人番号の指定等に関する省令 (平成26年財務省令第70号): the first digit is
    9 - (sum(P_n * Q_n) mod 9), where P_n is the n-th digit of the other twelve counted from the
    right and Q_n is 1 for odd n, 2 for even n. Since 0 and 9 weigh the same modulo 9, taking one
    for the other is not seen.
    """
    number = nfkc(text.strip()) if all(map(str.isdecimal, text.strip())) else ""
    if _CORPORATE_NUMBER.fullmatch(number) is None:
        return False
    weighted = sum(int(p) * (2 - n % 2) for n, p in enumerate(reversed(number[1:]), start=1))
    return int(number[0]) == 9 - weighted % 9
