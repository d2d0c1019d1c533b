"""Bytes to text: the fixed order of encodings, and what is refused rather than garbled.

Expected bytes come from the codecs of the standard library.
"""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geniac_pipelines.japanese import Decoded, UndecodableText, decode
from tests.realdata import realdata

SENTENCE = "令和８年９月末現在、①㈱髙島屋のＧＰＵ使用量（△5％）～"
NOT_CONTROL = st.characters(exclude_categories=("Cs", "Cc"))


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (SENTENCE.encode(), "utf-8-sig"),
        (SENTENCE.encode("utf-8-sig"), "utf-8-sig"),
        (SENTENCE.encode("cp932"), "cp932"),
        (SENTENCE.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + SENTENCE.encode("utf-16-be"), "utf-16"),
    ],
)
def test_one_sentence_in_every_encoding(data, encoding):
    assert decode(data) == Decoded(SENTENCE, encoding)


@pytest.mark.parametrize(
    "text",
    ["計算資源の利用状況（2026年9月）", "提出日,会社\n2026-09-30,東京", "システム", "あいう"],
)
def test_euc_jp_is_not_read_as_half_width_katakana(text):
    decoded = decode(text.encode("euc_jp"))
    assert (decoded.text, decoded.encoding) == (text, "euc_jp")


@pytest.mark.parametrize("text", ["ｱｲｳｴｵ,1", "･ﾃｽﾄ ﾒｲ", "ﾃｽﾄ､ﾃﾞｰﾀ", "会社名,ｶﾌﾞｼｷｶﾞｲｼｬ", "ｶﾅ,テスト"])
def test_half_width_katakana_stays_cp932(text):
    decoded = decode(text.encode("cp932"))
    assert (decoded.text, decoded.encoding) == (text, "cp932")


def test_another_encoding_that_fits_is_told():
    # 0xB1 0xB2 is ｱｲ in CP932 and one kanji in EUC-JP.
    decoded = decode(b"\xb1\xb2")
    assert decoded == Decoded("ｱｲ", "cp932", also_fits=("euc_jp",))


def test_an_ascii_heavy_file_with_one_japanese_row():
    text = "node,hours\n" + "gpu-001,12\n" * 500 + "備考,停止\n"
    assert decode(text.encode("cp932")) == Decoded(text, "cp932")


def test_line_ends_and_an_empty_file_are_kept():
    assert decode(b"").text == ""
    assert decode(b"a\r\nb\rc\n").text == "a\r\nb\rc\n"


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        # あい in UTF-8 is six bytes; the seventh begins a character that never ends.
        ("あい".encode() + b"\xe3\x81", 6),
        ("あい".encode() + b"\xff" + "うえ".encode(), 6),
        (b"\xef\xbb\xbfabc\xff", 6),
        (b"abc\x81", 3),
        (b"abc\x00\x01", 3),
        (b"\xef\xbb\xbfabc\x00", 6),
        (b"\xff\xfea", 2),
    ],
)
def test_damaged_text_is_refused_with_the_offset(data, offset):
    with pytest.raises(UndecodableText) as refused:
        decode(data)
    assert refused.value.offset == offset
    assert f"{offset}バイト目" in str(refused.value)


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04\x14\x00\x06\x00",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR",
        "日本".encode("iso2022_jp"),
        "日本,1".encode("utf-16-le"),
        codecs.BOM_UTF32_LE + "日本".encode("utf-32-le"),
    ],
    ids=["xlsx", "png", "iso-2022-jp", "utf-16 without BOM", "utf-32"],
)
def test_what_is_no_text_of_ours_is_refused(data):
    with pytest.raises(UndecodableText):
        decode(data)


@given(st.text(NOT_CONTROL))
def test_utf8_always_comes_back(text):
    assert decode(text.encode("utf-8-sig")).text == text


@given(st.text(st.sampled_from("漢字かなカナ、。①㈱髙－～ABC123,\n"), min_size=1))
def test_cp932_with_wide_kana_always_comes_back(text):
    text += "です"
    assert decode(text.encode("cp932")) == Decoded(text, "cp932")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    try:
        decoded = decode(data)
    except UndecodableText as error:
        refused = error
    else:
        assert decoded.text == data.decode(decoded.encoding)
        assert "\x00" not in decoded.text
        return
    assert 0 <= refused.offset <= len(data)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("path", "encoding", "expected"),
    [
        ("cp932_csv/nagano_call_center.csv", "cp932", "受付_年月日"),
        ("cp932_csv/nagano_kensa_reencoded_cp932.csv", "cp932", "信大医学部"),
        ("municipal_csv/yaizu_222127_tourism_meals.csv", "utf-8-sig", "焼津さかなセンター"),
        ("rs_system/rs2024_table_columns.csv", "utf-8-sig", "事業年度"),
        ("snapshots_reiwa_csv/kensa0319.csv", "utf-8-sig", "新型コロナウイルス感染症"),
    ],
)
def test_real_files(path, encoding, expected):
    decoded = decode(realdata(f"data_utilization/{path}").read_bytes())
    assert decoded.encoding == encoding
    assert expected in decoded.text
    assert not decoded.text.startswith("\ufeff")
