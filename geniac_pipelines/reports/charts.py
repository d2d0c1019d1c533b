"""Vega-Lite charts as SVG, drawn without a browser, a network or system fonts.

Here: the house theme and what a chart may not do (bars that do not start at zero, series told
apart by colour alone, data of its own). Not here: which chart shows what (chapters say that).

Where series have a colour and dashes or shapes, state their order by `scale.domain`: with `sort`,
Vega-Lite draws a second legend.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from xml.etree import ElementTree

import vl_convert

from geniac_pipelines.calendar import JST
from geniac_pipelines.figures.model import FigureTable, Scalar
from geniac_pipelines.reports.document import Chart
from geniac_pipelines.reports.glyphs import all_showable
from geniac_pipelines.reports.printable import written
from geniac_pipelines.reports.theme import (
    ALERT,
    BLUES,
    FONT_FAMILY,
    FONT_FOLDERS,
    GRID,
    INK,
    QUIET,
)

WIDTH = 620
"""Pixels of the plot with its axes."""

BAND = 30
"""Pixels for one category that holds bars side by side, so that thirty companies fit a page."""

_AXIS_INK = "#949494"
_SVG = "http://www.w3.org/2000/svg"

_AXIS = {
    "labelFontSize": 12,
    "titleFontSize": 12,
    "titleFontWeight": "normal",
    "labelColor": INK,
    "titleColor": QUIET,
    "gridColor": GRID,
    "domainColor": _AXIS_INK,
    "tickColor": _AXIS_INK,
    "labelLimit": 300,
}

CONFIG: dict[str, Any] = {
    # The drawing as a whole has a name; its parts read aloud would only be noise
    "aria": False,
    "font": FONT_FAMILY,
    "background": "white",
    "view": {"stroke": None},
    # A company without a value keeps its place on the axis; a line breaks where nothing is known
    "mark": {"invalid": "break-paths-show-domains"},
    "axis": _AXIS,
    "axisX": {"titlePadding": 8},
    "axisY": {"labelPadding": 6},
    "axisTemporal": {
        "format": {
            "year": "%Y年",
            "quarter": "%-m月",
            "month": "%-m月",
            "week": "%-m月%-d日",
            "date": "%-m月%-d日",
            "day": "%-m月%-d日",
        }
    },
    "legend": {
        "orient": "bottom",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelColor": INK,
        "labelLimit": 300,
        "symbolSize": 110,
        "columnPadding": 18,
    },
    # Neighbours in the list differ in lightness, so that series stay apart without colour.
    "range": {
        "category": [BLUES[2], BLUES[0], QUIET, BLUES[1], ALERT, BLUES[3]],
        "ramp": list(BLUES[::-1]),
    },
    # The outline keeps pale bars 3:1 apart from the paper (WCAG 1.4.11).
    "bar": {"color": BLUES[1], "stroke": BLUES[0], "strokeWidth": 0.6},
    "area": {"color": BLUES[2]},
    "line": {"color": BLUES[0], "strokeWidth": 2},
    "point": {"color": BLUES[0], "filled": True, "size": 45},
}

_FROM_ZERO = frozenset({"bar", "area"})
_SCALED = frozenset({"x", "y", "color", "fill", "stroke", "size", "opacity"})
_SEEN_WITHOUT_COLOUR = frozenset(
    {"shape", "strokeDash", "x", "y", "xOffset", "yOffset", "row", "column", "facet", "text"}
)


class MisleadingChart(ValueError):
    """A specification that the house does not draw; the message says which rule and where."""


def svg(chart: Chart) -> str:
    """The chart as one SVG element; the same chart always gives the same text.

    Raises MisleadingChart for what `refuse_misleading` refuses.
    """
    refuse_misleading(chart.spec, chart.id)
    specification = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 4,
        **_band(chart.spec),
        **_without_zone(chart.spec),
        "data": {"name": "table", "values": _values(chart.table)},
    }
    # a control character would end the converter, and the process with it
    drawable = json.dumps(all_showable(specification), ensure_ascii=False)
    return _own_ids(_drawn(drawable), chart.id)


def refuse_misleading(spec: Mapping[str, Any], where: str) -> None:
    """Raise MisleadingChart for data beside the table, a cut baseline or colour as the only sign.

    After the chart rules of the UK Government Analysis Function ("Data visualisation: charts"):
    bars and areas start at zero, and what colour says is said by place, shape or dashes as well.
    """
    _refuse(spec, {}, where)


def _refuse(spec: Mapping[str, Any], outer: Mapping[str, Any], where: str) -> None:
    if "data" in spec:
        raise MisleadingChart(f"chart {where}: data come from its figure table alone")
    encoding = {**outer, **spec.get("encoding", {})}
    mark = spec.get("mark")
    kind = mark.get("type") if isinstance(mark, Mapping) else mark
    for channel in ("x", "y"):
        scale = encoding.get(channel, {}).get("scale") or {}
        if kind in _FROM_ZERO and scale.get("zero") is False:
            raise MisleadingChart(f"chart {where}: a {kind} must start at zero ({channel})")
    coloured = {encoding.get(c, {}).get("field") for c in ("color", "fill", "stroke")} - {None}
    told = {encoding.get(c, {}).get("field") for c in _SEEN_WITHOUT_COLOUR}
    if kind is not None and coloured - told:
        fields = ", ".join(sorted(map(str, coloured - told)))
        raise MisleadingChart(f"chart {where}: {fields} is told by colour alone")
    inner = [spec["spec"]] if "spec" in spec else []
    for together in ("layer", "concat", "hconcat", "vconcat"):
        inner += spec.get(together, ())
    for part in inner:
        _refuse(part, encoding, where)


def _band(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A fixed height per category where bars stand side by side; else Vega-Lite's own."""
    if "yOffset" in spec.get("encoding", {}):
        return {"height": {"step": BAND, "for": "position"}}
    return {}


def _own_ids(drawn: str, chart: str) -> str:
    """Ids with the chart's name in them, since several drawings share one page.

    Vega names its clip paths and gradients clip0, gradient_0, … in every drawing.
    """
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(drawn)
    prefix = re.sub(r"[^A-Za-z0-9_-]", "_", chart)
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "id":
                element.set(name, f"{prefix}-{value}")
            elif value.startswith("url(#"):
                element.set(name, f"url(#{prefix}-{value[5:]}")
    return ElementTree.tostring(root, encoding="unicode")


@lru_cache(maxsize=64)
def _drawn(specification: str) -> str:
    """PDF and HTML show the same drawing, so it is made once."""
    register_fonts()
    drawn: str = vl_convert.vegalite_to_svg(
        specification, config=CONFIG, allowed_base_urls=[], time_format_locale="ja-JP"
    )
    return drawn


@cache
def register_fonts() -> None:
    """Let the converter find the house faces, once a process."""
    for folder in FONT_FOLDERS:
        vl_convert.register_font_directory(str(folder))


def _values(table: FigureTable) -> list[dict[str, Any]]:
    """The rows for Vega. Days also come in words as `<column>_ja`, for axes of categories."""
    kinds = {c.name: c.kind for c in table.columns}
    return [
        {f"{n}_ja": written(v, kinds.get(n, "date")) for n, v in row.items() if isinstance(v, date)}
        | {n: _value(v) for n, v in row.items()}
        for row in table.rows
    ]


def _value(value: Scalar) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.astimezone(JST).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def _without_zone(part: Any, channel: str = "") -> Any:
    """The specification with UTC scales and units wherever it speaks of time.

    Days come as midnight UTC and instants as Japan's clock said them. Drawn in the machine's own
    zone, both would move, and where clocks change in summer months would differ in length.
    """
    if isinstance(part, list):
        return [_without_zone(p) for p in part]
    if not isinstance(part, Mapping):
        return part
    same = {k: _without_zone(v, k) for k, v in part.items()}
    unit = same.get("timeUnit")
    if isinstance(unit, str) and not unit.startswith("utc"):
        same["timeUnit"] = f"utc{unit}"
    if same.get("type") == "temporal" and channel in _SCALED:
        same["scale"] = {"type": "utc"} | (same.get("scale") or {})
    return same
