"""Dates and periods as people write them in Japan.

Expected days come from the calendar and from the edicts that began each era (平成 1989-01-08, 令和
2019-05-01). The 46 cases of IMI's date normalisation are read where the real files are present.
"""

import csv
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geniac_pipelines.japanese import (
    NoValue,
    Precision,
    UnreadableDate,
    UnreadableText,
    from_excel_serial,
    parse_date,
    parse_period,
)
from tests.realdata import realdata

AS_OF = date(2026, 11, 24)


def day(text):
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-30",
        "2026/9/30",
        "2026/09/30",
        "2026.9.30",
        "20260930",
        "2026年9月30日",
        "2026年 9月30日",
        "２０２６年９月３０日",
        "２０２６／９／３０",
        "2026−09−30",
        "2026年09月30",
        "西暦2026年9月30日",
        "二〇二六年九月三十日",
        "二○二六年九月三〇日",
        "令和8年9月30日",
        "令和８年９月３０日",
        "令和八年九月三十日",
        "令和 8 年 9 月 30 日",
        "㋿8年9月30日",
        "令8.9.30",
        "R8.9.30",
        "r08/09/30",
        "R8-9-30",
        "Ｒ８．９．３０",
        "R.8.9.30",
        "令和8ねん9がつ30にち",
        "令和8年(2026年)9月30日",
        "2026年（令和8年）9月30日",
        "2026年9月30日（水）",
        "2026/9/30(水曜日)",
        "2026年9月30日現在",
        "2026/9/30 0:00",
        "2026-09-30 00:00:00",
        "2026年9月末日",
        "令和８年９月末現在",
        "２０２６年㋈３０日",
        "\u200b2026-09-30\u200e",
    ],
)
def test_one_day_in_many_spellings(text):
    period = parse_period(text)
    assert (period.earliest, period.latest) == (date(2026, 9, 30), date(2026, 9, 30))
    assert period.precision is Precision.DAY
    assert period.text == text
    assert period.warnings == ()
    assert parse_date(text) == date(2026, 9, 30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("令和元年5月1日", "2019-05-01"),
        ("令和元年五月一日", "2019-05-01"),
        ("R1.5.1", "2019-05-01"),
        ("平成31年4月30日", "2019-04-30"),
        ("平成三十一年四月三十日", "2019-04-30"),
        ("H1.1.8", "1989-01-08"),
        ("昭和64年1月7日", "1989-01-07"),
        ("S64.1.7", "1989-01-07"),
        ("大正15年12月25日", "1926-12-25"),
        ("昭和元年12月25日", "1926-12-25"),
        ("M45.7.30", "1912-07-30"),
        ("㍻30年12月1日", "2018-12-01"),
        ("令和10年2月29日", "2028-02-29"),
    ],
)
def test_days_within_their_era(text, expected):
    period = parse_period(text)
    assert (period.earliest, period.warnings) == (day(expected), ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("令和元年1月1日", "2019-01-01"),
        ("令和元年4月30日", "2019-04-30"),
        ("平成31年5月1日", "2019-05-01"),
        ("平成40年1月1日", "2028-01-01"),
        ("昭和64年1月8日", "1989-01-08"),
    ],
)
def test_a_day_outside_its_era_is_taken_with_a_warning(text, expected):
    period = parse_period(text)
    assert period.earliest == period.latest == day(expected)
    assert len(period.warnings) == 1
    assert text[:2] in period.warnings[0]


@pytest.mark.parametrize(
    ("text", "earliest", "latest", "precision"),
    [
        ("2026年9月", "2026-09-01", "2026-09-30", "month"),
        ("2026-09", "2026-09-01", "2026-09-30", "month"),
        ("2026/9", "2026-09-01", "2026-09-30", "month"),
        ("R8.9", "2026-09-01", "2026-09-30", "month"),
        ("令和八年九月", "2026-09-01", "2026-09-30", "month"),
        ("2028年2月", "2028-02-01", "2028-02-29", "month"),
        ("2026年9月上旬", "2026-09-01", "2026-09-10", "part_of_month"),
        ("2026年9月初旬", "2026-09-01", "2026-09-10", "part_of_month"),
        ("2026年9月中旬", "2026-09-11", "2026-09-20", "part_of_month"),
        ("2026年9月下旬", "2026-09-21", "2026-09-30", "part_of_month"),
        ("2026年2月下旬", "2026-02-21", "2026-02-28", "part_of_month"),
        ("2026/9上旬", "2026-09-01", "2026-09-10", "part_of_month"),
        ("2026年9月前半", "2026-09-01", "2026-09-15", "part_of_month"),
        ("2026年10月後半", "2026-10-16", "2026-10-31", "part_of_month"),
        ("2026年2月末", "2026-02-28", "2026-02-28", "day"),
        ("2026年", "2026-01-01", "2026-12-31", "year"),
        ("2026", "2026-01-01", "2026-12-31", "year"),
        ("令和8年", "2026-01-01", "2026-12-31", "year"),
        ("2026年末", "2026-12-31", "2026-12-31", "day"),
        ("2026年度", "2026-04-01", "2027-03-31", "fiscal_year"),
        ("令和8年度", "2026-04-01", "2027-03-31", "fiscal_year"),
        ("令和８年度（２０２６年度）", "2026-04-01", "2027-03-31", "fiscal_year"),
        ("令和元年度", "2019-04-01", "2020-03-31", "fiscal_year"),
        ("平成31年度", "2019-04-01", "2020-03-31", "fiscal_year"),
        ("FY2026", "2026-04-01", "2027-03-31", "fiscal_year"),
        ("2026年度末", "2027-03-31", "2027-03-31", "day"),
        ("2026年度第1四半期", "2026-04-01", "2026-06-30", "quarter"),
        ("2026年度第2四半期", "2026-07-01", "2026-09-30", "quarter"),
        ("2026年度第二四半期", "2026-07-01", "2026-09-30", "quarter"),
        ("令和８年度第３四半期", "2026-10-01", "2026-12-31", "quarter"),
        ("2026年度4Q", "2027-01-01", "2027-03-31", "quarter"),
        ("FY2026 Q2", "2026-07-01", "2026-09-30", "quarter"),
        ("FY2026-Q4", "2027-01-01", "2027-03-31", "quarter"),
        ("2026年度第2四半期末", "2026-09-30", "2026-09-30", "day"),
        ("2026年度上期", "2026-04-01", "2026-09-30", "half"),
        ("令和8年度下半期", "2026-10-01", "2027-03-31", "half"),
        ("FY2026 H2", "2026-10-01", "2027-03-31", "half"),
        ("2026年度9月", "2026-09-01", "2026-09-30", "month"),
        ("2026年度3月", "2027-03-01", "2027-03-31", "month"),
    ],
)
def test_periods(text, earliest, latest, precision):
    period = parse_period(text)
    assert (period.earliest, period.latest) == (day(earliest), day(latest))
    assert period.precision == precision
    assert period.text == text
    assert period.warnings == ()


@pytest.mark.parametrize("sign", "~〜～∼-‐‑–—―−ー－─")
@pytest.mark.parametrize(
    ("left", "right", "earliest", "latest"),
    [
        ("2026/2/3", "2/14", "2026-02-03", "2026-02-14"),
        ("2026年2月3日", "2月14日", "2026-02-03", "2026-02-14"),
        ("2026年9月1日", "5日", "2026-09-01", "2026-09-05"),
        ("2026年9月1", "5日", "2026-09-01", "2026-09-05"),
        ("2026-04-01", "2026-09-30", "2026-04-01", "2026-09-30"),
        ("2026年4", "6月", "2026-04-01", "2026-06-30"),
        ("2026年12月28日", "1月5日", "2026-12-28", "2027-01-05"),
        ("2026年9月上旬", "中旬", "2026-09-01", "2026-09-20"),
        ("令和8年4月", "令和9年3月", "2026-04-01", "2027-03-31"),
        ("2026", "2028年度", "2026-04-01", "2029-03-31"),
        ("2026年度第1", "第2四半期", "2026-04-01", "2026-09-30"),
        ("2026年度4月", "3月", "2026-04-01", "2027-03-31"),
        ("2026年9月30日(水)", "10月2日(金)", "2026-09-30", "2026-10-02"),
    ],
)
def test_ranges_with_every_dash_and_tilde(sign, left, right, earliest, latest):
    for text in (f"{left}{sign}{right}", f"{left} {sign} {right}"):
        period = parse_period(text)
        assert (period.earliest, period.latest) == (day(earliest), day(latest))
        assert period.precision is Precision.RANGE
        assert period.text == text
        assert period.warnings == ()


@pytest.mark.parametrize(
    "text", ["2026年2月3日から2月14日", "2026年2月3日から2月14日まで", "2026/2/3～2/14まで"]
)
def test_a_range_in_words(text):
    period = parse_period(text)
    assert (period.earliest, period.latest) == (date(2026, 2, 3), date(2026, 2, 14))
    assert period.warnings == ()


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2月15日", "2026-02-15", "2026-02-15"),
        ("2/15", "2026-02-15", "2026-02-15"),
        ("二月十五日", "2026-02-15", "2026-02-15"),
        ("9月上旬", "2026-09-01", "2026-09-10"),
        ("9月末", "2026-09-30", "2026-09-30"),
        ("4～6月", "2026-04-01", "2026-06-30"),
        ("2/3～2/14", "2026-02-03", "2026-02-14"),
        ("12/28～1/5", "2026-12-28", "2027-01-05"),
        ("第2四半期", "2026-07-01", "2026-09-30"),
        ("下期", "2026-10-01", "2027-03-31"),
    ],
)
def test_an_unwritten_year_is_that_of_the_as_of_day_and_is_told(text, earliest, latest):
    period = parse_period(text, as_of=AS_OF)
    assert (period.earliest, period.latest) == (day(earliest), day(latest))
    assert len(period.warnings) == 1
    assert "2026" in period.warnings[0]
    with pytest.raises(UnreadableDate, match="年"):
        parse_period(text)


def test_the_fiscal_year_of_the_as_of_day_decides_a_quarter():
    period = parse_period("第4四半期", as_of=date(2027, 2, 1))
    assert (period.earliest, period.latest) == (date(2027, 1, 1), date(2027, 3, 31))


@pytest.mark.parametrize(
    "text", ["未定", "調整中", "検討中", "－", "-", "―", "ー", "TBD", "（未定）"]
)
def test_an_undecided_date_has_no_days(text):
    period = parse_period(text)
    assert (period.earliest, period.latest) == (None, None)
    assert period.precision is Precision.UNDECIDED
    with pytest.raises(NoValue, match="未定"):
        parse_date(text)


@pytest.mark.parametrize("text", ["", "　", "\n", "なし", "N/A", "不明", "…", None])
def test_a_blank_is_no_date_and_not_undecided(text):
    with pytest.raises(NoValue):
        parse_period(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "2026年2月29日",
        "令和8年13月",
        "2026/0/1",
        "2026年9月31日",
        "令和0年1月1日",
        "20261301",
        "2026年9月10日～5日",
        "2026-09-30～2026-09-01",
    ],
)
def test_days_that_do_not_exist(text):
    with pytest.raises(UnreadableDate):
        parse_period(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026年第2四半期",  # of the calendar or the fiscal year?
        "2026Q2",
        "2026年上半期",
        "202609",
        "26/9/30",
        "46295",
        "9-30",
        "①2月3日",  # would otherwise be 12月3日
        "1㋀",
        "2026年1十月",
        "令和8年(2025年)9月",
        "2026年10月～",
        "～2026年10月",
        "2026年10月～未定",
        "2026年10月以降",
        "2027年3月期",
        "来月",
        "随時",
        "15日",
        "中旬",
        "2026-09-30T00:00:00Z",
        "1234年5月6日",
        "9" * 5000 + "年",
    ],
)
def test_what_is_unclear_is_refused(text):
    with pytest.raises(UnreadableDate) as refused:
        parse_period(text, as_of=AS_OF)
    assert refused.value.text == text
    assert "日付・期間として読めません" in str(refused.value)
    assert "cannot be read as a date or period" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026年9月30日（木）", "水"),
        ("2026年9月末まで", "まで"),
        ("2026年9月30日頃", "頃"),
        ("2026年9月30日（予定）", "予定"),
        ("2026/9/30 17:30", "17:30"),
        ("2026年9月30日 17時", "17時"),
        ("令和8年9月30日午前9時現在", "午前9時"),
        ("2026年9月30日午後5時30分", "午後5時30分"),
    ],
)
def test_what_is_dropped_is_told(text, told):
    period = parse_period(text)
    assert period.latest == date(2026, 9, 30)
    assert len(period.warnings) == 1
    assert told in period.warnings[0]


def test_a_two_digit_fiscal_year_is_told():
    period = parse_period("FY26")
    assert (period.earliest, len(period.warnings)) == (date(2026, 4, 1), 1)


def test_a_month_is_not_a_day():
    with pytest.raises(UnreadableDate, match=r"2026-09-01～2026-09-30"):
        parse_date("2026年9月")


def test_date_cells_are_taken_as_they_are():
    assert parse_date(date(2026, 9, 30)) == date(2026, 9, 30)
    assert parse_period(date(2026, 9, 30)).text == "2026-09-30"
    midnight = parse_period(datetime(2026, 9, 30))  # noqa: DTZ001 - as spreadsheets hold it
    assert (midnight.earliest, midnight.warnings) == (date(2026, 9, 30), ())
    clock = parse_period(datetime(2026, 9, 30, 17, 30))  # noqa: DTZ001
    assert (clock.earliest, len(clock.warnings)) == (date(2026, 9, 30), 1)
    assert parse_date(datetime(2026, 9, 30, 15, tzinfo=UTC)) == date(2026, 10, 1)


def test_a_number_is_not_a_date():
    with pytest.raises(TypeError, match="from_excel_serial"):
        parse_period(46295.0)


@pytest.mark.parametrize(
    ("serial", "expected"),
    [
        # ECMA-376 part 1, 18.17.4.1 to 18.17.4.3
        (1.0, "1900-01-01"),
        (59.0, "1900-02-28"),
        (61.0, "1900-03-01"),
        (2958465.0, "9999-12-31"),
        (43466.0, "2019-01-01"),
        (43466.75, "2019-01-01"),
    ],
)
def test_excel_serials(serial, expected):
    assert from_excel_serial(serial) == day(expected)


def test_excel_serials_of_the_1904_system():
    assert from_excel_serial(0.0, epoch_1904=True) == date(1904, 1, 1)
    assert from_excel_serial(2957003.0, epoch_1904=True) == date(9999, 12, 31)


@pytest.mark.parametrize("serial", [0.0, 60.0, -1.0, 2958466.0, float("nan"), float("inf")])
def test_what_is_no_excel_serial(serial):
    with pytest.raises(UnreadableDate):
        from_excel_serial(serial)


KANJI = "〇一二三四五六七八九"
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def positional(number):
    return "".join(KANJI[int(digit)] for digit in str(number))


def counted(number):
    """A number below 100 as it is read aloud: 31 is 三十一."""
    tens, ones = divmod(number, 10)
    ten = ("" if tens == 1 else KANJI[tens]) + "十" if tens else ""
    return ten + (KANJI[ones] if ones or not tens else "")


def reiwa(d):
    return d.year - 2018


STYLES = {
    "iso": lambda d: d.isoformat(),
    "slash": lambda d: f"{d.year}/{d.month}/{d.day}",
    "dot": lambda d: f"{d.year}.{d.month}.{d.day}",
    "compact": lambda d: f"{d:%Y%m%d}",
    "kanji units": lambda d: f"{d.year}年{d.month}月{d.day}日",
    "full width": lambda d: f"{d.year}年{d.month}月{d.day}日".translate(FULL_WIDTH),
    "kanji": lambda d: f"{positional(d.year)}年{counted(d.month)}月{counted(d.day)}日",
    "era": lambda d: f"令和{reiwa(d)}年{d.month}月{d.day}日",
    "era kanji": lambda d: f"令和{counted(reiwa(d))}年{counted(d.month)}月{counted(d.day)}日",
    "era letter": lambda d: f"R{reiwa(d)}.{d.month}.{d.day}",
    "era ligature": lambda d: f"㋿{reiwa(d)}年{d.month:02}月{d.day:02}日",
    "weekday": lambda d: f"{d.year}年{d.month}月{d.day}日({'月火水木金土日'[d.weekday()]})",
    "both years": lambda d: f"令和{reiwa(d)}年({d.year}年){d.month}月{d.day}日",
}


@given(st.sampled_from(sorted(STYLES)), st.dates(date(2019, 5, 1), date(2117, 12, 31)))
def test_every_day_comes_back_in_every_style(style, written):
    period = parse_period(STYLES[style](written))
    assert (period.earliest, period.latest, period.warnings) == (written, written, ())


@given(
    st.sampled_from(sorted(STYLES)),
    st.sampled_from(sorted(STYLES)),
    st.sampled_from("~〜～-–—−ー－"),
    st.dates(date(2019, 5, 1), date(2100, 12, 31)),
    st.integers(0, 4000),
)
def test_every_range_comes_back(one, other, sign, start, length):
    end = start + timedelta(days=length)
    period = parse_period(f"{STYLES[one](start)}{sign}{STYLES[other](end)}")
    assert (period.earliest, period.latest) == (start, end)
    assert period.precision is Precision.RANGE


DATE_SIGNS = (
    "0123456789０１①⑴㋿㋀㏠〇一十百千元年月日度上中下旬末第四半期～-－ー/.()水QHRＲFY' \n未定"
)


@given(st.one_of(st.text(), st.text(DATE_SIGNS, max_size=20)), st.none() | st.dates())
@example("令和" + "9" * 4, None)
@example("R999.1.1", None)
@example("2199年12月～3月", None)
@example("2/29~1/1", date(2028, 1, 1))
def test_any_text_gives_a_period_or_a_declared_error(text, as_of):
    try:
        period = parse_period(text, as_of=as_of)
    except UnreadableText as error:
        refused = error
    else:
        assert period.text == text
        undecided = period.precision is Precision.UNDECIDED
        assert (period.earliest is None, period.latest is None) == (undecided, undecided)
        assert undecided or period.earliest <= period.latest
        return
    assert refused.text == text


@pytest.mark.realdata
def test_the_public_cases_of_imi():
    path = realdata("data_utilization/japanese_dates/imi_002-normalize.json")
    cases = json.loads(path.read_text(encoding="utf-8"))
    assert len(cases) == 46
    for case in cases:
        written = case["input"]["表記"]
        assert parse_date(written).isoformat() == case["output"]["標準型日付"], written


@pytest.mark.realdata
def test_the_stamp_and_the_year_less_days_of_a_real_table():
    path = realdata("data_utilization/snapshots_reiwa_csv/kensa0319.csv")
    rows = [*csv.reader(path.read_text(encoding="utf-8-sig").splitlines())]
    as_of = parse_date(next(cell for row in rows for cell in row if cell.endswith("現在")))
    assert as_of == date(2020, 3, 18)
    first, *days = [row[0] for row in rows if row[0][:1].isdecimal()]
    period = parse_period(first, as_of=as_of)
    assert (period.earliest, period.latest) == (date(2020, 2, 3), date(2020, 2, 14))
    # One row a day follows, through 2020's 29 February, up to the day of the stamp.
    expected = [date(2020, 2, 15) + timedelta(days=n) for n in range(33)]
    assert [parse_date(text, as_of=as_of) for text in days] == expected
