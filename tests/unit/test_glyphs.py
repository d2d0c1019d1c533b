"""What a page can't show is stood in for, and everything else stays as it was written."""

from hypothesis import given
from hypothesis import strategies as st

from geniac_pipelines.reports.glyphs import MISSING, all_showable, known, showable


def test_what_japanese_offices_write_stays() -> None:
    words = "髙﨑德永（株）①㈱Ⅳ〒℡㎡～－ｱｲｳ　ﾊﾟ 令和８年９月 ▲1,234.5％ 葛城 吉田 αβ Ж é ―…→○●※"
    assert showable(words) == words


def test_a_sign_stands_for_each_character_without_a_glyph() -> None:
    assert showable("📊a\x1bb\x00\ue000") == f"{MISSING}a{MISSING}b{MISSING}{MISSING}"


def test_what_is_never_seen_leaves_nothing() -> None:
    assert showable("a\u200b\u202e\u2066b\ufe0f葛\U000e0100") == "ab葛"


def test_lists_and_dicts_are_gone_through_and_keys_stay() -> None:
    assert all_showable({"📊": ["📊", 1, None, {"x": "é"}]}) == {
        "📊": [MISSING, 1, None, {"x": "é"}]
    }


@given(st.text())
def test_any_text_becomes_one_that_the_face_can_show(text: str) -> None:
    assert {ord(c) for c in showable(text)} <= known()
    assert showable(showable(text)) == showable(text)
