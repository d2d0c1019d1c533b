"""年度, months, days and business days in Japan.

Holidays are those that the Cabinet Office lists (内閣府「国民の祝日について」) for 2026 and 2027,
copied by hand; counts are hand counts on a wall calendar.
"""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geniac_pipelines.calendar import (
    JST,
    Month,
    add_business_days,
    business_days_between,
    day_bounds,
    era_year,
    fiscal_year,
    is_business_day,
    jst_date,
    months_between,
    roll_to_business_day,
)

DAYS = st.dates(date(1994, 1, 1), date(2098, 12, 31))
PROGRAMME_DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))
MONTHS = st.builds(Month, st.integers(2, 9998), st.integers(1, 12))

HOLIDAYS = """
2026-01-01 2026-01-12 2026-02-11 2026-02-23 2026-03-20 2026-04-29 2026-05-03 2026-05-04 2026-05-05
2026-05-06 2026-07-20 2026-08-11 2026-09-21 2026-09-22 2026-09-23 2026-10-12 2026-11-03 2026-11-23
2027-01-01 2027-01-11 2027-02-11 2027-02-23 2027-03-21 2027-03-22 2027-04-29 2027-05-03 2027-05-04
2027-05-05 2027-07-19 2027-08-11 2027-09-20 2027-09-23 2027-10-11 2027-11-03 2027-11-23
"""
CLOSURE = """
2026-01-02 2026-01-03 2026-12-29 2026-12-30 2026-12-31
2027-01-02 2027-01-03 2027-12-29 2027-12-30 2027-12-31
"""


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2026, 3, 31), 2025),
        (date(2026, 4, 1), 2026),
        (date(2026, 12, 31), 2026),
        (date(2027, 1, 1), 2026),
        (date(2027, 3, 31), 2026),
    ],
)
def test_a_fiscal_year_runs_from_april_to_march(day, year):
    assert fiscal_year(day) == year
    assert Month.of(day).fiscal_year == year


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (date(2026, 9, 30), "令和8年"),
        (date(2019, 12, 31), "令和元年"),
        (date(2019, 5, 1), "令和元年"),
        (date(2019, 4, 30), "平成31年"),
        (date(1989, 1, 8), "平成元年"),
        (date(1989, 1, 7), "昭和64年"),
        (date(1926, 12, 25), "昭和元年"),
        (date(1926, 12, 24), "大正15年"),
        (date(1912, 7, 30), "大正元年"),
        (date(1912, 7, 29), "明治45年"),
        (date(1873, 1, 1), "明治6年"),
    ],
)
def test_era_year(day, written):
    assert era_year(day) == written


def test_there_is_no_era_year_before_the_gregorian_calendar():
    with pytest.raises(ValueError, match="1873"):
        era_year(date(1872, 12, 31))


def test_a_month_is_parsed_and_written_alike():
    month = Month.parse("2026-09")
    assert month == Month(2026, 9)
    assert str(month) == "2026-09"
    assert month.ja == "2026年9月"
    assert (month.first, month.last) == (date(2026, 9, 1), date(2026, 9, 30))


@pytest.mark.parametrize(
    "text", ["2026-9", "2026-13", "2026-00", "2026/09", "２０２６-09", " 2026-09"]
)
def test_only_one_spelling_of_a_month_is_parsed(text):
    with pytest.raises(ValueError, match="month"):
        Month.parse(text)


@pytest.mark.parametrize(
    ("month", "last"),
    [("2026-02", 28), ("2028-02", 29), ("2100-02", 28), ("2026-12", 31), ("2026-04", 30)],
)
def test_last_day_of_a_month(month, last):
    assert Month.parse(month).last.day == last


def test_a_month_in_japan_starts_nine_hours_before_utc():
    september = Month(2026, 9)
    assert september.starts_at == datetime(2026, 8, 31, 15, tzinfo=UTC)
    assert september.ends_at == datetime(2026, 9, 30, 15, tzinfo=UTC)
    assert september.starts_at.tzinfo is UTC


def test_months_go_over_the_new_year():
    assert Month(2026, 12).next() == Month(2027, 1)
    assert Month(2027, 1).previous() == Month(2026, 12)
    assert [*map(str, months_between(Month(2026, 11), Month(2027, 2)))] == [
        "2026-11",
        "2026-12",
        "2027-01",
        "2027-02",
    ]
    assert [*months_between(Month(2026, 9), Month(2026, 9))] == [Month(2026, 9)]
    assert [*months_between(Month(2026, 9), Month(2026, 8))] == []


@given(MONTHS)
def test_months_meet_without_gap(month):
    assert month.ends_at == month.next().starts_at
    assert month.next().previous() == month
    assert month < month.next()
    assert Month.parse(str(month)) == month
    assert month.last + timedelta(days=1) == month.next().first


@given(DAYS)
def test_a_day_and_its_month_hold_each_other(day):
    month = Month.of(day)
    start, end = day_bounds(day)
    assert month.starts_at <= start < end <= month.ends_at
    assert end - start == timedelta(hours=24)  # Japan has had no summer time since 1951
    assert jst_date(start) == day
    assert jst_date(end - timedelta(microseconds=1)) == day


def test_the_day_of_an_instant_is_that_of_japan():
    assert jst_date(datetime(2026, 9, 30, 14, 59, 59, tzinfo=UTC)) == date(2026, 9, 30)
    assert jst_date(datetime(2026, 9, 30, 15, 0, 0, tzinfo=UTC)) == date(2026, 10, 1)
    assert jst_date(datetime(2026, 9, 30, 0, 0, tzinfo=JST)) == date(2026, 9, 30)


def test_a_naive_instant_has_no_day():
    with pytest.raises(ValueError, match="no time zone"):
        jst_date(datetime(2026, 9, 30, 12))  # noqa: DTZ001 - naive on purpose


@pytest.mark.parametrize("function", [fiscal_year, era_year, Month.of, day_bounds, is_business_day])
def test_an_instant_is_not_taken_for_a_day(function):
    # 16:00 UTC on the 31st is already April in Japan.
    with pytest.raises(TypeError, match="jst_date"):
        function(datetime(2026, 3, 31, 16, tzinfo=UTC))


def test_every_day_of_two_years_is_as_the_cabinet_office_lists_it():
    off = {date.fromisoformat(day) for day in (HOLIDAYS + CLOSURE).split()}
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(730)]
    expected = [day for day in days if day.weekday() < 5 and day not in off]
    assert [day for day in days if is_business_day(day)] == expected


def test_holidays_moved_for_the_games_of_2021():
    assert not is_business_day(date(2021, 7, 22))
    assert not is_business_day(date(2021, 7, 23))
    assert not is_business_day(date(2021, 8, 9))
    assert is_business_day(date(2021, 10, 11))


@pytest.mark.parametrize("day", [date(1992, 12, 31), date(2100, 1, 1)])
def test_business_days_are_not_guessed_outside_the_known_years(day):
    with pytest.raises(ValueError, match="1993 to 2099"):
        is_business_day(day)


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        # September 2026 has 22 weekdays, of which the 21st to 23rd are holidays.
        (date(2026, 8, 31), date(2026, 9, 30), 19),
        (date(2026, 9, 18), date(2026, 9, 24), 1),
        (date(2026, 12, 28), date(2027, 1, 4), 1),
        (date(2026, 9, 25), date(2026, 9, 28), 1),
        (date(2026, 9, 25), date(2026, 9, 26), 0),
        (date(2026, 9, 28), date(2026, 9, 25), -1),
        (date(2026, 9, 30), date(2026, 9, 30), 0),
    ],
)
def test_business_days_between(start, end, count):
    assert business_days_between(start, end) == count


@pytest.mark.parametrize(
    ("day", "count", "result"),
    [
        (date(2026, 9, 18), 1, date(2026, 9, 24)),
        (date(2026, 9, 24), -1, date(2026, 9, 18)),
        (date(2026, 12, 28), 1, date(2027, 1, 4)),
        (date(2027, 1, 4), -2, date(2026, 12, 25)),
        (date(2026, 9, 26), 1, date(2026, 9, 28)),
        (date(2026, 9, 26), -1, date(2026, 9, 25)),
        (date(2026, 9, 26), 0, date(2026, 9, 26)),
        (date(2026, 9, 30), 10, date(2026, 10, 15)),
    ],
)
def test_add_business_days(day, count, result):
    assert add_business_days(day, count) == result


@pytest.mark.parametrize(
    ("deadline", "moved"),
    [
        (date(2026, 9, 19), date(2026, 9, 24)),
        (date(2026, 12, 31), date(2027, 1, 4)),
        (date(2026, 9, 30), date(2026, 9, 30)),
    ],
)
def test_a_deadline_on_a_day_off_moves_to_the_next_business_day(deadline, moved):
    assert roll_to_business_day(deadline) == moved


@given(PROGRAMME_DAYS, st.integers(-60, 60).filter(bool))
def test_adding_and_counting_agree(day, count):
    start = roll_to_business_day(day)
    moved = add_business_days(start, count)
    assert is_business_day(moved)
    assert business_days_between(start, moved) == count
    assert add_business_days(moved, -count) == start


@given(PROGRAMME_DAYS, PROGRAMME_DAYS, PROGRAMME_DAYS)
def test_slips_add_up(one, two, three):
    whole = business_days_between(one, three)
    assert business_days_between(one, two) + business_days_between(two, three) == whole
    assert business_days_between(three, one) == -whole
