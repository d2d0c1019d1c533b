"""What rows of the companies' workbooks are expected to be, beyond their types.

Here: plausibility within one file, put to the sender as questions, and what no row may break.
Not here: comparison with other files, with what was contracted or really used (dbt and findings do
that). After a change raise `READER_VERSION` in `intake.workbook`, so that what was handed in
earlier is judged anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from geniac_pipelines.contracts import Contract
from geniac_pipelines.gpu_usage.contracts import (
    COMPUTE_CONTRACTS,
    MONTHLY_NOTES,
    MONTHLY_USAGE,
    PLANS,
)
from geniac_pipelines.intake.judge import Expectation
from geniac_pipelines.intake.reading import Complaint

if TYPE_CHECKING:
    import pandas as pd

LEAST_JPY_PER_GPU_HOUR: Final = 50
MOST_JPY_PER_GPU_HOUR: Final = 5_000
"""Outside these a price of any GPU on offer is more likely a slip of unit (千円, ドル)."""
FIRST_SUPPORTED: Final = date(2024, 12, 1)
LAST_SUPPORTED: Final = date(2027, 3, 31)
"""From the earliest call whose projects are supported to the end of all support."""

_CHECK_JA = "正しければ対応は不要です。違う場合は訂正して再提出してください"
_CHECK_EN = "nothing to do if it is right; else correct it and send the file again"

MONTH_OUTSIDE: Final = Complaint(
    "gpu-usage.month-outside-support",
    "doubt",
    ja=f"「{{column}}」{{cell}}が支援期間（{FIRST_SUPPORTED}～{LAST_SUPPORTED}）の外です",
    ja_remedy=_CHECK_JA,
    en=f"{{column!r}} {{cell}} is outside the time of support ({FIRST_SUPPORTED} to "
    f"{LAST_SUPPORTED})",
    en_remedy=_CHECK_EN,
)
PRICE_ODD: Final = Complaint(
    "gpu-usage.price-implausible",
    "doubt",
    ja=(
        f"1GPU時間あたりの金額が{LEAST_JPY_PER_GPU_HOUR}～{MOST_JPY_PER_GPU_HOUR:,}円の範囲に"
        "ありません。金額か時間の単位が違う可能性があります"
    ),
    ja_remedy=_CHECK_JA,
    en=f"the price of a GPU-hour is not within {LEAST_JPY_PER_GPU_HOUR} to "
    f"{MOST_JPY_PER_GPU_HOUR:,} yen; the unit of money or hours may be another",
    en_remedy=_CHECK_EN,
)
ENDS_EARLY: Final = Complaint(
    "gpu-usage.contract-ends-before-start",
    "row",
    ja="契約終了日が契約開始日より前です",
    ja_remedy="日付を確認し、訂正して再提出してください",
    en="the contract ends before it starts",
    en_remedy="check the days, correct them and send the file again",
)
MONTHS_GAP: Final = Complaint(
    "gpu-usage.plan-months-not-consecutive",
    "doubt",
    ja="同じ版・GPU種別の計画で、{cell}の前の月が抜けています",
    ja_remedy="使う予定がない月は0と記入して再提出してください。意図したものであれば対応は不要です",
    en="within its version and GPU type the month before {cell} is left out of the plan",
    en_remedy="write 0 for months without use and send the file again, unless it is meant so",
)
MONTHS_MIXED: Final = Complaint(
    "gpu-usage.report-months-differ",
    "doubt",
    ja="月次報告の中で、この行の対象月（{cell}）だけがほかの行と違います",
    ja_remedy=_CHECK_JA,
    en="the month of this row ({cell}) differs from that of most rows of the monthly report",
    en_remedy=_CHECK_EN,
)


def _price(jpy: str, gpu_hours: str) -> Callable[[pd.DataFrame], pd.Series[Any]]:
    def compute(rows: pd.DataFrame) -> pd.Series[Any]:
        hours = rows[gpu_hours]
        price: pd.Series[Any] = rows[jpy].div(hours.where(hours > 0))
        return price

    return compute


def _months_since_previous(rows: pd.DataFrame) -> pd.Series[Any]:
    """Months from the previous month of the same version and GPU type; missing for the first."""
    numbers = rows["month"].map(lambda m: m.year * 12 + m.month)
    ordered = rows.assign(number=numbers).sort_values("number", kind="stable")
    steps: pd.Series[Any] = ordered.groupby(["plan_version", "gpu_type"])["number"].diff()
    return steps.reindex(rows.index)


def _from_the_usual_month(rows: pd.DataFrame) -> pd.Series[Any]:
    """0 in the month that most rows of the file are of (the earliest among equals), else 1."""
    other: pd.Series[Any] = (rows["month"] != rows["month"].mode().iloc[0]).astype("float64")
    return other


def _in_support(contract: Contract) -> Expectation:
    return Expectation(
        contract,
        "month",
        MONTH_OUTSIDE,
        lambda gxe: gxe.ExpectColumnValuesToBeBetween(
            column="month", min_value=FIRST_SUPPORTED, max_value=LAST_SUPPORTED
        ),
    )


def _one_month(contract: Contract) -> Expectation:
    return Expectation(
        contract,
        "month",
        MONTHS_MIXED,
        lambda gxe: gxe.ExpectColumnValuesToBeInSet(column="other_month", value_set=[0.0]),
        {"other_month": _from_the_usual_month},
    )


def _plausible_price(contract: Contract, jpy: str, gpu_hours: str | None) -> Expectation:
    name = jpy if gpu_hours is None else "jpy_per_gpu_hour"
    return Expectation(
        contract,
        jpy,
        PRICE_ODD,
        lambda gxe: gxe.ExpectColumnValuesToBeBetween(
            column=name, min_value=LEAST_JPY_PER_GPU_HOUR, max_value=MOST_JPY_PER_GPU_HOUR
        ),
        {} if gpu_hours is None else {name: _price(jpy, gpu_hours)},
    )


EXPECTATIONS: Final[tuple[Expectation, ...]] = (
    _in_support(PLANS),
    Expectation(
        PLANS,
        "month",
        MONTHS_GAP,
        lambda gxe: gxe.ExpectColumnValuesToBeInSet(column="month_step", value_set=[1.0]),
        {"month_step": _months_since_previous},
    ),
    _plausible_price(PLANS, "planned_jpy", "planned_gpu_hours"),
    _plausible_price(COMPUTE_CONTRACTS, "unit_price_jpy", None),
    Expectation(
        COMPUTE_CONTRACTS,
        "ends_on",
        ENDS_EARLY,
        lambda gxe: gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="ends_on",
            column_B="starts_on",
            or_equal=True,
            ignore_row_if="either_value_is_missing",
        ),
    ),
    _in_support(MONTHLY_USAGE),
    _one_month(MONTHLY_USAGE),
    _plausible_price(MONTHLY_USAGE, "reported_jpy", "reported_gpu_hours"),
    _in_support(MONTHLY_NOTES),
    _one_month(MONTHLY_NOTES),
)
