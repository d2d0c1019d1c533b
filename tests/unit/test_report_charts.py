"""Charts: drawn alike everywhere, and never so that they mislead."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from geniac_pipelines.figures.model import FigureColumn
from geniac_pipelines.reports.charts import CONFIG, MisleadingChart, refuse_misleading, svg
from geniac_pipelines.reports.theme import FONT_FAMILY, TONES
from tests.unit.report_documents import bars, figure_table

SERIES = {"field": "series", "type": "nominal"}
TWO = figure_table([{"name": "甲社", "hours": Decimal("10.5")}, {"name": "<乙>&社", "hours": None}])


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def words(drawing: str) -> list[str]:
    return [str(t) for t in etree.fromstring(drawing.encode()).xpath("//*[name()='text']/text()")]


def test_names_are_drawn_as_text_in_the_house_face() -> None:
    drawing = svg(bars(TWO))
    assert {"甲社", "<乙>&社", "GPU時間"} <= set(words(drawing))
    faces = set(re.findall(r'font-family="([^"]+)"', drawing))
    assert faces == {FONT_FAMILY}


def test_a_missing_value_keeps_its_place_and_draws_no_bar() -> None:
    drawing = etree.fromstring(svg(bars(TWO)).encode())
    bars_drawn = drawing.xpath("//*[contains(@class, 'mark-rect')]/*[name()='path']")
    assert len(bars_drawn) == 1
    assert "<乙>&社" in words(svg(bars(TWO)))


def test_bars_start_at_zero() -> None:
    far = figure_table([{"name": "甲社", "hours": Decimal(1000)}, {"name": "乙社", "hours": 1010}])
    assert "0" in words(svg(bars(far)))
    cut = {"x": {"field": "hours", "type": "quantitative", "scale": {"zero": False}}}
    with pytest.raises(MisleadingChart, match="hours: a bar must start at zero"):
        svg(bars(far, encoding=cut))


@pytest.mark.parametrize(
    "spec",
    [
        {"mark": "line", "encoding": {"color": SERIES}},
        {"encoding": {"color": SERIES}, "layer": [{"mark": {"type": "line"}}]},
        {"facet": {"field": "x"}, "spec": {"mark": "point", "encoding": {"fill": SERIES}}},
    ],
)
def test_series_told_apart_by_colour_alone_are_refused(spec: dict[str, object]) -> None:
    with pytest.raises(MisleadingChart, match="series is told by colour alone"):
        refuse_misleading(spec, "x")


@pytest.mark.parametrize("channel", ["shape", "strokeDash", "yOffset", "row", "text"])
def test_colour_may_repeat_what_another_sign_says(channel: str) -> None:
    told = {"color": SERIES, channel: SERIES}
    refuse_misleading({"mark": "line", "encoding": told}, "x")
    # the same without the second sign is refused, so it is the sign that lets it pass
    with pytest.raises(MisleadingChart, match="colour alone"):
        refuse_misleading({"mark": "line", "encoding": {"color": SERIES}}, "x")


def test_data_come_from_the_figure_table_alone() -> None:
    with pytest.raises(MisleadingChart, match="figure table alone"):
        svg(bars(TWO, data={"url": "https://example.com/other.csv"}))


def test_two_drawings_on_one_page_share_no_id() -> None:
    clipped = {"mark": {"type": "bar", "clip": True}}
    first, second = bars(TWO, **clipped), bars(TWO, **clipped)
    object.__setattr__(second, "id", "second chart")
    one, other = (set(re.findall(r'id="([^"]+)"', svg(c))) for c in (first, second))
    assert one
    assert not one & other
    used = set(re.findall(r"url\(#([^)]+)\)", svg(second)))
    assert used <= other


def test_months_are_drawn_in_japanese_and_alike_in_every_time_zone() -> None:
    code = """
from geniac_pipelines.reports.charts import svg
from tests.unit.test_report_charts import monthly
print(svg(monthly()))
"""
    drawn = {
        zone: subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "TZ": zone},
            cwd=Path(__file__).resolve().parents[2],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for zone in ("Asia/Tokyo", "America/Los_Angeles")
    }
    assert drawn["Asia/Tokyo"] == drawn["America/Los_Angeles"]
    assert {"9月", "10月", "11月", "12月"} <= set(words(drawn["Asia/Tokyo"]))


def monthly():
    """Four months on a time axis; clocks change within them in America."""
    rows = [{"month": date(2026, 9 + n, 1), "hours": n} for n in range(4)]
    columns = (FigureColumn("month", "月", "month"), FigureColumn("hours", "量", "number"))
    encoding = {
        "x": {"field": "month", "type": "temporal", "axis": {"tickCount": "month"}},
        "y": {"field": "hours", "type": "quantitative"},
    }
    return bars(figure_table(rows, columns), mark="line", encoding=encoding)


def test_month_names_for_axes_of_categories() -> None:
    encoding = {
        "y": {"field": "month_ja", "type": "nominal"},
        "x": {"field": "hours", "type": "quantitative"},
    }
    chart = monthly()
    drawing = svg(bars(chart.table, encoding=encoding))
    assert {"2026年9月", "2026年10月", "2026年11月"} <= set(words(drawing))


def test_colours_keep_their_contrast() -> None:
    # WCAG 2.2: text 4.5:1 (1.4.3), parts of graphics 3:1 (1.4.11)
    for tone in TONES.values():
        assert contrast(tone.ink, tone.paper) >= 4.5
    assert contrast(CONFIG["axis"]["labelColor"], "#FFFFFF") >= 4.5
    assert contrast(CONFIG["axis"]["titleColor"], "#FFFFFF") >= 4.5
    assert contrast(CONFIG["bar"]["stroke"], "#FFFFFF") >= 3
