"""The forecast of a daily series: expected values by hand, refusals, determinism."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geniac_pipelines.calendar import Month, is_business_day
from geniac_pipelines.gpu_usage.forecast import (
    NONE,
    OVER,
    PARTS_PER_HOUR,
    UNDER,
    WITHIN,
    Day,
    PlanMonth,
    plan_forecasts,
)
from geniac_pipelines.stats.forecast import MINIMUM, WINDOW, NoForecast, forecast

MONDAY = date(2026, 6, 1)
"""A Monday; June has no national holiday, so business days are Mondays to Fridays."""


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]


def test_business_days_and_days_off_have_their_own_mean() -> None:
    # four weeks: 10 on each business day, 4 on each day off
    series = {d: 10.0 if is_business_day(d) else 4.0 for d in days(MONDAY, 28)}
    # the next 10 days, 29 June to 8 July, are 8 business days and one weekend: 8 × 10 + 2 × 4 = 88
    found = forecast(series, date(2026, 6, 29), date(2026, 7, 8))
    assert (found.business_mean, found.off_mean, found.total) == (10.0, 4.0, 88.0)
    assert found.observed_days == 28
    # no day differs from the mean of its kind, so nothing is uncertain
    assert (found.low, found.high) == (88.0, 88.0)


def test_the_interval_holds_the_forecast_and_widens_with_the_spread() -> None:
    calm = {d: 10.0 + (d.day % 2) for d in days(MONDAY, 28)}
    wild = {d: 10.0 + 10 * (d.day % 2) for d in days(MONDAY, 28)}
    first, last = date(2026, 6, 29), date(2026, 7, 26)
    narrow, wide = forecast(calm, first, last), forecast(wild, first, last)
    assert narrow.low <= narrow.total <= narrow.high
    assert wide.low <= wide.total <= wide.high
    assert wide.high - wide.low > narrow.high - narrow.low > 0


def test_only_the_newest_four_weeks_count() -> None:
    old = dict.fromkeys(days(MONDAY, 14), 1_000.0)
    new = dict.fromkeys(days(MONDAY + timedelta(days=14), WINDOW), 5.0)
    first = MONDAY + timedelta(days=14 + WINDOW)
    assert forecast({**old, **new}, first, first).total == 5.0


def test_missing_days_are_not_zero() -> None:
    # every second day is missing; the mean is that of the days that were observed
    series = dict.fromkeys(days(MONDAY, 28)[::2], 6.0)
    assert forecast(series, date(2026, 6, 29), date(2026, 6, 30)).total == 12.0


def test_a_recorded_zero_is_a_zero() -> None:
    series = {d: 8.0 if is_business_day(d) else 0.0 for d in days(MONDAY, 28)}
    # 27 and 28 June 2026 are a weekend; the 29th is a Monday
    del series[date(2026, 6, 27)], series[date(2026, 6, 28)]
    assert forecast(series, date(2026, 6, 27), date(2026, 6, 29)).total == 8.0


def test_days_from_the_first_forecast_day_on_are_ignored() -> None:
    series = dict.fromkeys(days(MONDAY, 28), 3.0)
    first = date(2026, 6, 22)
    assert forecast({**series, date(2026, 6, 25): 900.0}, first, first).total == 3.0


def test_too_few_observed_days_are_refused() -> None:
    series = dict.fromkeys(days(MONDAY, MINIMUM - 1), 1.0)
    with pytest.raises(NoForecast) as refusal:
        forecast(series, date(2026, 6, 14), date(2026, 6, 30))
    assert "13日" in refusal.value.reason_ja
    assert "14日に足りません" in refusal.value.reason_ja
    series[date(2026, 6, 14)] = 1.0
    assert forecast(series, date(2026, 6, 15), date(2026, 6, 16)).total == 2.0


def test_old_records_say_nothing_about_tomorrow() -> None:
    series = dict.fromkeys(days(MONDAY, 28), 1.0)
    with pytest.raises(NoForecast):
        forecast(series, date(2026, 10, 1), date(2026, 10, 31))


def test_no_day_is_left() -> None:
    with pytest.raises(NoForecast):
        forecast(dict.fromkeys(days(MONDAY, 28), 1.0), date(2026, 7, 2), date(2026, 7, 1))


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_what_is_no_amount_is_refused(value: float) -> None:
    series = {**dict.fromkeys(days(MONDAY, 28), 1.0), date(2026, 6, 20): value}
    with pytest.raises(ValueError, match="2026-06-20"):
        forecast(series, date(2026, 6, 29), date(2026, 6, 30))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=28, max_size=28), st.integers(0, 2**32), st.randoms())
def test_order_changes_nothing_and_bounds_hold(values, seed, random) -> None:  # type: ignore[no-untyped-def]
    items = list(zip(days(MONDAY, 28), values, strict=True))
    first, last = date(2026, 6, 29), date(2026, 8, 31)
    found = forecast(dict(items), first, last, seed=seed)
    random.shuffle(items)
    assert forecast(dict(items), first, last, seed=seed) == found
    assert 0 <= found.low <= found.total <= found.high


def _plan(*months: tuple[str, int], recorded: bool = True) -> list[PlanMonth]:
    return [PlanMonth(Month.parse(m), 1, Decimal(hours), recorded) for m, hours in months]


def _use(first: date, count: int, hours: int) -> list[Day]:
    return [Day(d, hours * PARTS_PER_HOUR, ("a1",)) for d in days(first, count)]


@pytest.mark.parametrize(("july", "verdict"), [(309, OVER), (311, UNDER), (310, WITHIN)])
def test_use_is_carried_to_the_end_of_the_plan(july: int, verdict: str) -> None:
    # 10 GPU-hours a day, 1 June to 1 July; the as-of day is not over and does not count,
    # so 30 days = 300 are known and 31 days of July × 10 = 310 are to come: 610 in all.
    # Nothing varies, so the interval is that one point
    table = plan_forecasts(
        {"aoi": _plan(("2026-06", 300), ("2026-07", july))},
        {"aoi": _use(MONDAY, 31, 10)},
        date(2026, 7, 1),
    )
    june, running = table.to_pylist()
    assert june["month"] == date(2026, 6, 1)
    assert june["observed_until"] == date(2026, 6, 30)
    assert june["actual_gpu_hours"] == Decimal("300.0")
    assert june["planned_gpu_hours_to_date"] == Decimal("300.0")
    assert june["forecast_gpu_hours"] == running["forecast_gpu_hours"] == Decimal("610.0")
    assert june["verdict"] == verdict
    assert june["_arrivals"] == ["a1"]


def test_a_plan_within_the_interval_is_neither_over_nor_under() -> None:
    use = [Day(d, (5 + 10 * (d.day % 2)) * PARTS_PER_HOUR) for d in days(MONDAY, 29)]
    # 5 and 15 by turns: 10 a day, 610 to the end of July, and so much is planned
    table = plan_forecasts(
        {"aoi": _plan(("2026-06", 300), ("2026-07", 310))}, {"aoi": use}, date(2026, 6, 30)
    )
    row = table.to_pylist()[0]
    assert row["low_gpu_hours"] < Decimal(610) < row["high_gpu_hours"]
    assert row["verdict"] == WITHIN


def test_a_closed_month_keeps_its_forecast_when_more_comes_later() -> None:
    plan = _plan(("2026-06", 300), ("2026-07", 310), ("2026-08", 310))
    then = plan_forecasts({"aoi": plan}, {"aoi": _use(MONDAY, 45, 10)}, date(2026, 7, 20))
    later = plan_forecasts(
        {"aoi": plan}, {"aoi": _use(MONDAY, 45, 10) + _use(date(2026, 7, 16), 20, 99)},
        date(2026, 8, 10),
    )  # fmt: skip
    assert later.to_pylist()[0] == then.to_pylist()[0]


def test_a_plan_without_records_has_no_forecast_but_a_reason() -> None:
    table = plan_forecasts({"aoi": _plan(("2026-06", 300), recorded=False)}, {}, date(2026, 6, 20))
    (row,) = table.to_pylist()
    assert row["verdict"] == NONE
    assert row["forecast_gpu_hours"] is None
    assert row["actual_gpu_hours"] is None
    assert "2026年6月のジョブ実行記録がなく" in row["reason"]


def test_after_the_plan_only_what_was_used_counts() -> None:
    table = plan_forecasts(
        {"aoi": _plan(("2026-06", 250))}, {"aoi": _use(MONDAY, 60, 10)}, date(2026, 8, 1)
    )
    (row,) = table.to_pylist()
    # 30 days of June × 10; July is no part of the plan
    assert row["forecast_gpu_hours"] == row["low_gpu_hours"] == Decimal("300.0")
    assert (row["verdict"], row["observed_days"]) == (OVER, 0)


def test_no_plan_gives_an_empty_table() -> None:
    assert plan_forecasts({}, {}, date(2026, 6, 1)).num_rows == 0
