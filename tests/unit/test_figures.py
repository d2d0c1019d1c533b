"""Figures: one number with unit and origin; missing is never zero; what changed since is listed."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geniac_pipelines.figures.model import (
    NO_VALUE,
    Figure,
    FigureColumn,
    FigureTable,
    Origin,
    format_number,
)
from geniac_pipelines.figures.query import UnorderedQuery, figure_table, single
from geniac_pipelines.figures.restated import Printed, restatements
from geniac_pipelines.store.warehouse import connect

ORIGIN = Origin("select 1 order by 1", "marts.fct")
COLUMNS = (
    FigureColumn("company", "事業者"),
    FigureColumn("hours", "利用量", "number", "GPU時間", 1),
    FigureColumn("rate", "利用率", "number", "%", 2),
)


def table(*rows: dict[str, Any], key: tuple[str, ...] = ("company",)) -> FigureTable:
    return FigureTable(
        id="gpu_usage.months.2026-08",
        title="月次利用量",
        clause="3-1-a",
        audience="meti_nedo",
        columns=COLUMNS,
        key=key,
        rows=rows,
        origin=ORIGIN,
    )


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (None, 1, NO_VALUE),
        (0, 0, "0"),
        (0, 2, "0.00"),
        (1234567, 0, "1,234,567"),
        (Decimal("1234567.54"), 1, "1,234,567.5"),
        # JIS Z 8401 rule A, examples of its text: a five at the end goes to the even digit
        (Decimal("12.25"), 1, "12.2"),
        (Decimal("12.35"), 1, "12.4"),
        (Decimal("0.5"), 0, "0"),
        (Decimal("1.5"), 0, "2"),
        (Decimal("2.5"), 0, "2"),
        (Decimal("-2.5"), 0, "-2"),
        (Decimal("-0.04"), 1, "0.0"),
        (Decimal("-1234.5"), 0, "-1,234"),
        (Decimal("9" * 29 + "." + "9" * 9), 9, ",".join(["99"] + ["999"] * 9) + "." + "9" * 9),
    ],
)
def test_numbers_are_printed_in_thousands_and_rounded_half_to_even(
    value: Decimal | int | None, decimals: int, text: str
) -> None:
    assert format_number(value, decimals) == text


@given(
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.integers(0, 9),
)
def test_every_number_of_the_database_can_be_printed_within_half_a_step(
    unscaled: int, decimals: int
) -> None:
    value = Decimal(f"{unscaled}E-9")
    printed = format_number(value, decimals)
    # in integers of 10^-9, so that no decimal context rounds the check itself
    whole, _, fraction = printed.replace(",", "").lstrip("-").partition(".")
    nano = int(whole) * 10**9 + int(fraction.ljust(9, "0"))
    nano = -nano if printed.startswith("-") else nano
    assert abs(nano - unscaled) * 2 <= 10 ** (9 - decimals)
    assert len(fraction) == decimals


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (Decimal("1234.5"), "GPU時間", "1,234.5 GPU時間"),
        (Decimal("98.7"), "%", "98.7%"),
        (Decimal("3"), "円", "3.0円"),
        (Decimal("3"), None, "3.0"),
        (None, "GPU時間", NO_VALUE),
    ],
)
def test_running_text_adds_the_unit_where_there_is_a_value(
    value: Decimal | None, unit: str | None, text: str
) -> None:
    figure = Figure("f", "f", value, unit, 1, "3-1-a", "meti_nedo", ORIGIN)
    assert figure.ja == text


def test_every_numeric_cell_is_a_figure_with_a_lasting_name() -> None:
    made = table(
        {"company": "aoi-ai", "hours": Decimal("2.5"), "rate": None},
        {"company": "beni", "hours": 3, "rate": Decimal("0.125")},
    )
    assert [(f.id, f.value, f.unit, f.text) for f in made.figures()] == [
        ("gpu_usage.months.2026-08/aoi-ai/hours", Decimal("2.5"), "GPU時間", "2.5"),
        ("gpu_usage.months.2026-08/aoi-ai/rate", None, "%", NO_VALUE),
        ("gpu_usage.months.2026-08/beni/hours", 3, "GPU時間", "3.0"),
        ("gpu_usage.months.2026-08/beni/rate", Decimal("0.125"), "%", "0.12"),
    ]
    figure = made.cell(made.rows[0], "hours")
    assert figure.label == "月次利用量／aoi-ai／利用量（GPU時間）"
    assert (figure.clause, figure.audience, figure.origin) == ("3-1-a", "meti_nedo", ORIGIN)
    assert figure.row == made.rows[0]


@pytest.mark.parametrize("value", [0.1, True, "12"])
def test_what_is_no_exact_number_is_no_figure(value: object) -> None:
    made = table({"company": "a", "hours": value, "rate": None})
    with pytest.raises(ValueError, match=r"hours is not a number"):
        made.cell(made.rows[0], "hours")


def test_a_column_that_is_made_from_another_mart_says_so() -> None:
    counted = FigureColumn("hours", "利用量", "number", "GPU時間", 1, relation="marts.other")
    made = table({"company": "a", "hours": 1, "rate": 2})
    assert made.cell(made.rows[0], counted).origin == replace(ORIGIN, relation="marts.other")
    assert made.cell(made.rows[0], "rate").origin == ORIGIN


def test_a_text_column_holds_no_figure() -> None:
    made = table({"company": "a", "hours": 1, "rate": None})
    with pytest.raises(ValueError, match=r"company is not a number"):
        made.cell(made.rows[0], "company")


def test_a_key_that_does_not_identify_rows_is_refused() -> None:
    row = {"company": "a", "hours": 1, "rate": 1}
    with pytest.raises(ValueError, match="does not identify"):
        table(row, {**row, "hours": 2})


def test_a_query_that_lacks_a_declared_column_is_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        table({"company": "a", "hours": 1})


def test_an_unknown_kind_of_column_is_refused() -> None:
    with pytest.raises(ValueError, match="amount"):
        FigureColumn("x", "x", "amount")


@pytest.fixture
def connection() -> Iterator[Any]:
    with connect() as opened:
        opened.execute(
            "create table fct as "
            "from (values ('a', 1.5::decimal(38, 9)), ('b', null)) t(company, n)"
        )
        yield opened


def queried(connection: Any, sql: str, **parameters: Any) -> FigureTable:
    return figure_table(
        connection,
        id="t",
        title="t",
        clause="3-1-a",
        audience="meti_nedo",
        columns=(FigureColumn("company", "事業者"), FigureColumn("n", "数", "number")),
        key=("company",),
        sql=sql,
        relation="marts.fct",
        match={"company": "company"},
        parameters=parameters,
    )


def test_a_query_gives_a_table_that_knows_where_it_came_from(connection: Any) -> None:
    sql = "select company, n from fct where company <> $without order by company"
    made = queried(connection, sql, without="a")
    assert [f.value for f in made.figures()] == [None]
    assert made.origin == Origin(sql, "marts.fct", {"company": "company"}, {"without": "a"})


@pytest.mark.parametrize(
    "sql",
    [
        "select company, n from fct",
        "select company, sum(n) over (order by company) as n from fct",
        "select company, n from (select * from fct order by company)",
        "select company, n from fct -- order by company",
        "select company || ' order by ' as company, n from fct",
    ],
)
def test_a_query_without_an_order_of_its_own_is_refused(connection: Any, sql: str) -> None:
    with pytest.raises(UnorderedQuery, match="t:"):
        queried(connection, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select company, n from fct ORDER\n BY company",
        "with x as (select * from fct order by n) select company, n from x order by company",
        "select company, '(' as p, n from fct order by company",
    ],
)
def test_an_order_of_its_own_is_found(connection: Any, sql: str) -> None:
    assert len(queried(connection, sql).rows) == 2


def test_a_single_figure_comes_from_exactly_one_row(connection: Any) -> None:
    one = queried(connection, "select company, n from fct where n is not null order by company")
    assert single(one, "n").value == Decimal("1.5")
    for condition, count in (("true", 2), ("false", 0)):
        many = queried(connection, f"select company, n from fct where {condition} order by company")
        with pytest.raises(ValueError, match=f"has {count} rows"):
            single(many, "n")


def figure(name: str, value: str | None, decimals: int = 1) -> Figure:
    exact = None if value is None else Decimal(value)
    return Figure(name, f"数 {name}", exact, None, decimals, "3-1-a", "meti_nedo", ORIGIN)


def restated(before: list[Figure], now: list[Figure]) -> FigureTable:
    issued = {f.id: Printed.of(f) for f in before}
    return restatements(issued, now, table_id="r", clause="3-1-a", audience="meti_nedo")


def test_what_would_be_printed_otherwise_today_is_listed() -> None:
    before = [
        figure("same", "1.0"),
        figure("below what is printed", "1.04"),
        figure("corrected", "10.5"),
        figure("gone", "3"),
        figure("now known", None),
        figure("no longer known", "4"),
        figure("never known", None),
    ]
    now = [
        figure("same", "1.00"),
        figure("below what is printed", "1.01"),
        figure("corrected", "12.0"),
        figure("now known", "0"),
        figure("no longer known", None),
        figure("never known", None),
        figure("new", "7"),
    ]
    rows = {
        r["figure"]: (r["before"], r["after"], r["difference"]) for r in restated(before, now).rows
    }
    assert rows == {
        "corrected": (Decimal("10.5"), Decimal("12.0"), Decimal("1.5")),
        "gone": (Decimal(3), None, None),
        "now known": (None, Decimal(0), None),
        "no longer known": (Decimal(4), None, None),
        "new": (None, Decimal(7), None),
    }


def test_restatements_show_as_many_digits_as_the_figures_did() -> None:
    """At one digit 12.04 and 12.01 would both read 12.0, and nobody would see what changed."""
    made = restated([figure("rate", "12.04", 2)], [figure("rate", "12.01", 2)])
    assert [f.text for f in made.figures()] == ["12.04", "12.01", "-0.03"]


def test_nothing_changed_is_an_empty_table() -> None:
    assert restated([figure("a", "1")], [figure("a", "1")]).rows == ()
