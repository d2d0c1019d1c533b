"""Columns fit their numbers and the page; headings stay with what they head."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geniac_pipelines.figures.model import FigureColumn
from geniac_pipelines.reports import layout
from geniac_pipelines.reports.document import Heading, Paragraph, Table, text
from geniac_pipelines.reports.printable import printable
from tests.unit.report_documents import NAME, figure_table, report


def table_of(columns: int, value: str = "123456.7", name: str = "第一研究所") -> layout.Plain:
    numbers = [f"v{n}" for n in range(columns - 1)]
    shown = figure_table(
        [{"name": name, **dict.fromkeys(numbers, Decimal(value))}],
        (NAME, *(FigureColumn(n, "割当量", "number", "GPU時間", 1) for n in numbers)),
    )
    return printable(report(Table(shown)))["chapters"][0]["blocks"][0]


def test_few_columns_stand_upright_in_the_largest_type() -> None:
    fitted = layout.fit(table_of(5))
    assert (fitted["landscape"], fitted["size"]) == (False, 8.0)


def test_more_than_nine_columns_lie_sideways() -> None:
    assert not layout.fit(table_of(9))["landscape"]
    assert layout.fit(table_of(10))["landscape"]


@given(
    columns=st.integers(2, 40),
    value=st.decimals(0, 10**20, places=1).map(str),
    name=st.text("あ漢aZ 0", max_size=200),
)
def test_every_table_fits_its_page_and_no_number_is_squeezed(
    columns: int, value: str, name: str
) -> None:
    table = table_of(columns, value, name)
    fitted = layout.fit(table)
    room = layout.SIDEWAYS if fitted["landscape"] else layout.UPRIGHT
    # widths are rounded to a tenth of a point
    assert sum(fitted["widths"]) <= room + 0.05 * columns + 0.01
    for cell, width in list(zip(table["rows"][0], fitted["widths"], strict=True))[1:]:
        # a digit of the face is 0.555 em, a comma or point narrower
        needed = 0.555 * len(cell["text"]) * (fitted["size"] - 0.01)
        assert needed <= width - layout.CELL_MARGINS + 0.1


def test_a_cell_of_very_many_lines_may_break_over_pages() -> None:
    table = table_of(2, name="あ" * 3000)
    layout.mark_tall(table, layout.fit(table))
    assert ["tall" in cell for cell in table["rows"][0]] == [True, False]


def test_headings_go_with_a_sideways_table_and_words_stay_upright() -> None:
    wide = figure_table(
        [{"name": "甲社", **{f"v{n}": Decimal(1) for n in range(12)}}],
        (NAME, *(FigureColumn(f"v{n}", "量", "number") for n in range(12))),
    )
    blocks = printable(
        report(
            Paragraph(text("前")),
            Heading(2, "表の節"),
            Heading(3, "表の項"),
            Table(wide),
            Paragraph(text("後")),
        )
    )["chapters"][0]["blocks"]
    for block in blocks:
        if block["type"] == "table":
            block.update(layout.fit(block))
    found = [(s["landscape"], [b["type"] for b in s["blocks"]]) for s in layout.sections(blocks)]
    assert found == [
        (False, ["paragraph"]),
        (True, ["heading", "heading", "table"]),
        (False, ["paragraph"]),
    ]


def test_a_tall_drawing_is_made_narrower_until_it_fits_a_page() -> None:
    flat, tall = ('<svg viewBox="0 0 620 310">', '<svg viewBox="0 0 600 1200">')
    assert layout.drawing_width(flat) == layout.UPRIGHT
    assert layout.drawing_width(tall) == layout.DRAWING_HEIGHT / 2
    with pytest.raises(ValueError, match="size"):
        layout.drawing_width("<svg>")


def test_only_words_longer_than_fifteen_letters_get_places_to_break() -> None:
    digest = "0123456789abcdef" * 2
    assert layout.breakable(digest).replace("\u200b", "") == digest
    assert layout.breakable(digest).split("\u200b") == ["01234567", "89abcdef"] * 2
    assert layout.breakable("fifteen_letters") == "fifteen_letters"
    assert layout.breakable("日本語だけの長い文字列はどこでも折り返せる") == (
        "日本語だけの長い文字列はどこでも折り返せる"
    )
