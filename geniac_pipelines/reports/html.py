"""One self-contained HTML page per document; every figure links to its origin at the end."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from geniac_pipelines.reports import charts
from geniac_pipelines.reports.document import Chart, Document
from geniac_pipelines.reports.printable import printable
from geniac_pipelines.reports.theme import BLUES, FONT_FAMILY, GRID, INK, QUIET


def html(document: Document) -> bytes:
    """The report as a UTF-8 page without scripts or anything to load from elsewhere."""
    page = _template().render(doc=printable(document))
    return page.encode()


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("geniac_pipelines.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["theme"] = {
        "blues": BLUES,
        "grid": GRID,
        "ink": INK,
        "quiet": QUIET,
        "font": FONT_FAMILY,
    }
    environment.filters["anchor"] = anchor
    environment.filters["drawing"] = drawing
    return environment.get_template("report.html.j2")


def anchor(figure: str) -> str:
    """A figure's id as an element id: no spaces, and readable where it is ASCII."""
    return f"f-{quote(figure, safe='/.,:-_')}"


def drawing(chart: Chart) -> Any:
    """The chart inline, named for screen readers by its title and its words."""
    opening, rest = charts.svg(chart).split(">", 1)
    name = f"chart-{chart.id}"
    start = Markup('{} role="img" aria-labelledby="{}-t {}-d">').format(
        Markup(opening),
        name,
        name,
    )
    title = Markup('<title id="{}-t">{}</title>').format(name, chart.title)
    words = Markup('<desc id="{}-d">{}</desc>').format(name, escape(chart.alt))
    return start + title + words + Markup(rest)
