"""Spellings of company names that must meet, and the check digit of 法人番号."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geniac_pipelines.japanese import check_corporate_number, fold, fold_company


@pytest.mark.parametrize(
    "spellings",
    [
        [
            "株式会社プリファード・ネットワークス",
            "㈱プリファードネットワークス",
            "（株）プリファード　ネットワークス",
            "プリファード・ネットワークス株式会社",
            "ﾌﾟﾘﾌｧｰﾄﾞ･ﾈｯﾄﾜｰｸｽ(株)",
            "株 式 会 社　プリファードネットワークス",
        ],
        [
            "Preferred Networks, Inc.",
            "PREFERRED NETWORKS",
            "Ｐｒｅｆｅｒｒｅｄ　Ｎｅｔｗｏｒｋｓ",
            "Preferred Networks K.K.",
            "Preferred Networks Co., Ltd.",
            "Preferred Networks Co.,Ltd",
            "Preferred Networks Corporation",
            "株式会社Preferred Networks",
        ],
        ["髙島屋", "高島屋", "株式会社髙島屋"],
        ["山﨑製パン", "山崎製パン（株）"],
        ["渡邊電機合同会社", "渡辺電機", "渡邉電機有限会社"],
        ["葛󠄀城工業", "葛城工業"],
        ["国立大学法人東京大学", "東京大学"],
        ["(一社)日本計算協会", "一般社団法人 日本計算協会"],
    ],
)
def test_spellings_of_one_company_meet(spellings):
    assert len({fold_company(name) for name in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Princeton", "Preton"),  # "inc" inside a word is no legal form
        ("Incubate", "ubate"),
        ("Co-Op", "Op"),
        ("ユーザー", "ユ-ザ-"),  # the long-vowel mark is a letter
        ("斉藤商店", "斎藤商店"),
        ("A&B", "AB"),
        ("株式会社", ""),
        ("Inc.", ""),
    ],
)
def test_different_names_stay_apart(one, other):
    assert fold_company(one) != fold_company(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＧＰＵ　時間", "gpu時間"),
        ("再掲：\nその他", "再掲:その他"),
        ("利用率（％）", "利用率(%)"),
        ("2026－09", "2026−09"),
        ("４～６月", "4〜6月"),
        ("ﾃﾞｰﾀ", "データ"),
        ("会社\u200b名", "会社名"),
    ],
)
def test_headers_meet_when_folded(one, other):
    assert fold(one) == fold(other)


def test_folding_keeps_the_long_vowel_mark():
    assert fold("ユーザー") == "ユーザー"


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)
    assert not any(map(str.isspace, fold(text)))


@given(st.text())
def test_a_company_name_that_shows_something_never_vanishes(text):
    assert bool(fold_company(text)) == bool(fold(text))


def written_check_digit(base: str) -> int:
    """Ministry's rule, written out as the sum over odd and twice the sum over even places."""
    return 9 - (sum(map(int, base[-1::-2])) + 2 * sum(map(int, base[-2::-2]))) % 9


@pytest.mark.parametrize(
    "number",
    [
        "7000012050002",  # 国税庁
        "4000012090001",  # 経済産業省
        "7010705000725",  # 日本税理士会連合会
        "７００００１２０５０００２",
        " 7000012050002\n",
    ],
)
def test_published_corporate_numbers(number):
    assert check_corporate_number(number)


def test_the_check_digit_by_hand():
    # 123456789012 from the right: 2*1 + 1*2 + 0*1 + 9*2 + 8*1 + 7*2 + 6*1 + 5*2 + 4*1 + 3*2
    # + 2*1 + 1*2 = 74, and 74 = 8*9 + 2, so the check digit is 9 - 2 = 7.
    assert check_corporate_number("7123456789012")


@pytest.mark.parametrize(
    "text",
    ["", "7000012050003", "700001205000", "70000120500021", "0000012050002", "T7000012050002",
     "7-0000-1205-0002", "700001205000²", "７000012O50002"],
)  # fmt: skip
def test_what_is_no_corporate_number(text):
    assert not check_corporate_number(text)


@given(st.from_regex(r"[0-9]{12}", fullmatch=True).filter(str.isascii))
def test_exactly_one_digit_completes_a_base_number(base):
    right = [digit for digit in range(10) if check_corporate_number(f"{digit}{base}")]
    assert right == [written_check_digit(base)]


@given(st.text())
def test_any_text_is_answered(text):
    assert check_corporate_number(text) in (True, False)
