"""Numbers as people write them into cells in Japan; expected values are worked out by hand."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geniac_pipelines.japanese import NoValue, UnreadableNumber, UnreadableText, parse_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234", "1234"),
        ("1,234", "1234"),
        ("1,234,567.89", "1234567.89"),
        ("１，２３４", "1234"),
        ("1、234", "1234"),
        (" 1234 ", "1234"),
        ("0", "0"),
        ("０", "0"),
        ("-0", "0"),
        ("+5", "5"),
        (".5", "0.5"),
        ("0.10", "0.1"),
        ("1億2,300万", "123000000"),
        ("１億２，３００万", "123000000"),
        ("1億 2,300万", "123000000"),
        ("12.5万", "125000"),
        ("3千", "3000"),
        ("2千3百45", "2345"),
        ("1億5千万", "150000000"),
        ("1.5千万", "15000000"),
        ("12,000万", "120000000"),
        ("1兆2億3万4", "1000200030004"),
        ("一二三", "123"),
        ("二〇二六", "2026"),
        ("二千二十六", "2026"),
        ("一億二千三百万", "123000000"),
        ("壱万弐千", "12000"),
        ("百", "100"),
        ("零", "0"),
    ],
)
def test_values(text, value):
    number = parse_number(text)
    assert number.value == Decimal(value)
    assert (number.text, number.unit, number.warnings) == (text, None, ())


@pytest.mark.parametrize(
    "text",
    ["△1,234", "▲1,234", "(1,234)", "（１，２３４）", "−1,234", "－１，２３４", "-1,234", "‐1234",
     "–1234", "△ 1,234", "- 1,234"],
)  # fmt: skip
def test_minus_signs(text):
    number = parse_number(text)
    assert (number.value, number.warnings) == (Decimal(-1234), ())


@pytest.mark.parametrize("text", ["ー1,234", "―1234", "—1234"])
def test_a_long_dash_is_a_minus_sign_with_a_warning(text):
    number = parse_number(text)
    assert (number.value, len(number.warnings)) == (Decimal(-1234), 1)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1億2,300万円", "123000000", "円"),
        ("3千円", "3000", "円"),
        ("5百万円", "5000000", "円"),
        ("1,234百万円", "1234000000", "円"),
        ("¥1,234", "1234", "円"),
        ("￥１，２３４", "1234", "円"),
        ("\\1,234", "1234", "円"),  # the yen sign of a CP932 file
        ("-¥1,234", "-1234", "円"),
        ("¥-1,234", "-1234", "円"),
        ("(1,234)円", "-1234", "円"),
        ("(1,234円)", "-1234", "円"),
        ("12％", "12", "%"),
        ("12.5%", "12.5", "%"),
        ("△5.0％", "-5", "%"),
        ("120時間", "120", "時間"),
        ("120h", "120", "時間"),
        ("120 hours", "120", "時間"),
        ("960GPU時間", "960", "GPU時間"),
        ("960 GPU-h", "960", "GPU時間"),
        ("８枚", "8", "枚"),
        ("3人", "3", "人"),
        ("3名", "3", "人"),
    ],
)
def test_units_are_read_and_told(text, value, unit):
    number = parse_number(text)
    assert (number.value, number.unit) == (Decimal(value), unit)
    assert parse_number(text, unit=unit).value == Decimal(value)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("1,234", "千円", "1234"),
        ("1,234千円", "千円", "1234"),
        ("1,234,000円", "千円", "1234"),
        ("1,234,500円", "千円", "1234.5"),
        ("3億円", "百万円", "300"),
        ("5", "円", "5"),
        ("12", "%", "12"),
        ("1,000トークン", "トークン", "1000"),
        ("4基", "枚", "4"),
    ],
)
def test_the_value_is_in_the_expected_unit(text, unit, value):
    number = parse_number(text, unit=unit)
    assert (number.value, number.unit, number.text) == (Decimal(value), unit, text)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("12%", "円"),
        ("120時間", "GPU時間"),
        ("960GPU時間", "時間"),
        ("5枚", "時間"),
        ("12.5万", "千円"),  # 万 of yen, or of thousands of yen?
        ("5トークン", None),
        ("¥5枚", None),
    ],
)
def test_another_unit_is_refused(text, unit):
    with pytest.raises(UnreadableNumber):
        parse_number(text, unit=unit)


@pytest.mark.parametrize(
    "text",
    ["", " ", "　", "－", "-", "―", "ー", "--", "なし", "無し", "未定", "調整中", "N/A", "n/a",
     "…", "***", "X", "不明", None, float("nan"), Decimal("NaN")],
)  # fmt: skip
def test_a_missing_value_is_never_zero(text):
    with pytest.raises(NoValue, match="0と書いて"):
        parse_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "1,23",
        "1,2345",
        "1.234.567",
        "1 234",
        "5.",
        "約100",
        "100以上",
        "10～20",
        "--5",
        "△-5",
        "△(5)",
        "(-5)",
        "5-",
        "±5",
        "①",
        "⑴",  # would otherwise be minus one
        "10²",
        "½",
        "Ⅳ",
        "〇",
        "○",
        "1二",
        "万",
        "千円",
        "百万円",
        "1億23000万",
        "1万2億",
        "1.5億2000万",
        "2026-09-30",
        "0x10",
        "inf",
        "٣",
        "9" * 5000,
        True,
        float("inf"),
    ],
)
def test_everything_else_is_refused(text):
    with pytest.raises(UnreadableNumber) as refused:
        parse_number(text)
    assert "数値として読めません" in str(refused.value)
    assert "cannot be read as a number" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.2E+11", 120000000000), ("一", 1)],
)
def test_doubtful_numbers_are_read_with_a_warning(text, value):
    number = parse_number(text)
    assert (number.value, len(number.warnings)) == (Decimal(value), 1)


@pytest.mark.parametrize(
    ("cell", "value", "text"),
    [
        (5, "5", "5"),
        (0.1, "0.1", "0.1"),
        (1e22, "1e22", "1e+22"),
        (Decimal("1.10"), "1.10", "1.10"),
        (-3.5, "-3.5", "-3.5"),
    ],
)
def test_number_cells(cell, value, text):
    number = parse_number(cell, unit="円")
    assert (number.value, number.text, number.unit) == (Decimal(value), text, "円")


KANJI = "〇一二三四五六七八九"
FULL_WIDTH = str.maketrans("0123456789,", "０１２３４５６７８９，")


def read_aloud(number):
    """An integer with every magnitude in kanji, as it is read aloud."""
    if number == 0:
        return "零"
    groups = []
    for large in ("", "万", "億", "兆"):
        number, group = divmod(number, 10_000)
        if group:
            groups.append(_four_digits(group) + large)
    return "".join(reversed(groups))


def _four_digits(group):
    parts = []
    for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, group = divmod(group, size)
        if digit:
            parts.append(("" if digit == 1 and unit else KANJI[digit]) + unit)
    return "".join(parts)


def by_ten_thousands(number):
    groups = []
    for large in ("", "万", "億", "兆"):
        number, group = divmod(number, 10_000)
        if group:
            groups.append(f"{group:,}{large}")
    return "".join(reversed(groups)) or "0"


STYLES = {
    "plain": str,
    "grouped": "{:,}".format,
    "full width": lambda n: f"{n:,}".translate(FULL_WIDTH),
    "ideographic comma": lambda n: f"{n:,}".replace(",", "、"),
    "by 万": by_ten_thousands,
    "read aloud": read_aloud,
    "positional kanji": lambda n: "".join(KANJI[int(d)] for d in str(n)) if n else "零",
    "yen": "¥{:,}".format,
    "円": "{:,}円".format,
}
NEGATIVE = ["△{}", "▲{}", "({})", "（{}）", "-{}", "−{}", "－{}"]


@given(st.sampled_from(sorted(STYLES)), st.integers(0, 10**16 - 1))
@example("read aloud", 10**16 - 1)
@example("read aloud", 1000_0000)
def test_every_integer_comes_back_in_every_style(style, number):
    assert parse_number(STYLES[style](number)).value == number


@given(st.sampled_from(sorted(STYLES)), st.sampled_from(NEGATIVE), st.integers(1, 10**16 - 1))
def test_every_negative_integer_comes_back(style, sign, number):
    assert parse_number(sign.format(STYLES[style](number))).value == -number


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, max_value=10**12, min_value=0))
def test_every_decimal_comes_back_exactly(value):
    assert parse_number(f"{value:,f}").value == value
    assert parse_number(value).value == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_cell_is_its_shortest_decimal(value):
    assert float(parse_number(value).value) == value


NUMBER_SIGNS = "0123456789０①⑴²,，、.．〇一二十百千万億兆円%時間GPUh¥\\△▲()（）-－ー+ E\n"


@given(
    st.one_of(st.text(), st.text(NUMBER_SIGNS, max_size=15)),
    st.sampled_from([None, "円", "千円", "百万円", "GPU時間", "%", ""]),
)
@example("9" * 100, "千円")
@example("9" * 90 + ".5兆", None)
@example("9E99", None)
def test_any_text_gives_a_number_or_a_declared_error(text, unit):
    try:
        number = parse_number(text, unit=unit)
    except UnreadableText as error:
        refused = error
    else:
        assert number.text == text
        assert number.value.is_finite()
        assert any(map(str.isnumeric, text))
        return
    assert refused.text == text
