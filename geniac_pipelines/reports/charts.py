"""Vega-Lite charts as SVG, drawn without a browser, a network or system fonts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import vl_convert

from geniac_pipelines.figures.model import Scalar
from geniac_pipelines.reports.document import Chart
from geniac_pipelines.reports.theme import BLUES, FONT_FAMILY, FONT_FOLDERS, GRID, INK, QUIET

WIDTH = 620
"""Pixels of the plot with its axes."""

_AXIS = {
    "labelFontSize": 12,
    "titleFontSize": 12,
    "titleFontWeight": "normal",
    "labelColor": INK,
    "titleColor": QUIET,
    "gridColor": GRID,
    "domainColor": "#949494",
    "tickColor": "#949494",
    "labelLimit": 260,
}

CONFIG: dict[str, Any] = {
    "font": FONT_FAMILY,
    "background": "white",
    "view": {"stroke": None},
    "axis": _AXIS,
    "axisY": {"labelPadding": 6},
    "legend": {"orient": "bottom", "labelFontSize": 12, "titleFontSize": 12, "labelColor": INK},
    # Neighbours in the list differ in lightness, so that series stay apart without colour.
    "range": {"category": [BLUES[2], BLUES[0], BLUES[3], BLUES[1]], "ramp": list(BLUES[::-1])},
    "bar": {"color": BLUES[1]},
    "line": {"color": BLUES[0], "strokeWidth": 2},
    "point": {"color": BLUES[0], "filled": True},
}


def svg(chart: Chart) -> str:
    """The chart as one SVG element; the same chart always gives the same text."""
    specification = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 4,
        **chart.spec,
        "data": {"name": "table", "values": [_values(r) for r in chart.table.rows]},
    }
    return _drawn(json.dumps(specification, ensure_ascii=False))


@lru_cache(maxsize=64)
def _drawn(specification: str) -> str:
    """PDF and HTML show the same drawing, so it is made once."""
    _register_fonts()
    drawn: str = vl_convert.vegalite_to_svg(specification, config=CONFIG, allowed_base_urls=[])
    return drawn


@cache
def _register_fonts() -> None:
    for folder in FONT_FOLDERS:
        vl_convert.register_font_directory(str(folder))


def _values(row: Mapping[str, Scalar]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Scalar) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
