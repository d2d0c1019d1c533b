"""Vega-Lite charts as PNG for pages that show no SVG, in the house theme of `charts`.

For people who run the platform. What a report shows is drawn by `charts`, from figure tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import vl_convert
from PIL import Image

from geniac_pipelines.reports.charts import CONFIG, register_fonts
from geniac_pipelines.reports.glyphs import all_showable


def png(spec: Mapping[str, Any], values: Sequence[Mapping[str, Any]]) -> bytes:
    """The chart over `values`; the same input always gives the same bytes."""
    register_fonts()
    specification = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "padding": 8,
        **spec,
        "data": {"values": list(values)},
    }
    drawn = vl_convert.vegalite_to_png(
        json.dumps(all_showable(specification), ensure_ascii=False),
        scale=1.0,
        config=CONFIG,
        allowed_base_urls=[],
        time_format_locale="ja-JP",
    )
    packed = BytesIO()
    # the converter hardly compresses, and a picture is stored with the events of every night
    Image.open(BytesIO(drawn)).convert("RGB").save(packed, "PNG", optimize=True)
    return packed.getvalue()
