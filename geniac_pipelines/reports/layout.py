"""Where things go on A4 paper: column widths, type size, upright or sideways page.

Here: arithmetic on a printable document, so that the page template only draws. Widths are
estimates from character classes; the faces themselves are measured by the typesetter. Not here:
words and values (`printable`) and form (`templates/report.typ`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

Plain = dict[str, Any]

UPRIGHT, SIDEWAYS = 481.8, 728.5
"""Points of A4 between margins of 20 mm: 170 mm and 257 mm."""

DRAWING_HEIGHT = 600.0
"""Points left for a drawing beside its title and source on an upright page."""

CELL_MARGINS = 8.0
"""Points left and right of a cell's words together."""

_SIZES = ((False, 8.0), (False, 7.5), (True, 8.0), (True, 7.5), (True, 7.0))
_MANY_COLUMNS = 9
_WORDS_AT_LEAST = 7.0
_WORDS_AT_MOST = 60.0
_UNIT_SIZE = 0.88
_TALL = 25
_MANY_LINES = 3
_STRETCH = 1.5

_LONG_WORD = re.compile(r"[A-Za-z0-9_.\-]{16,}")
_BREAK_HERE = "\u200b"


def fit(table: Plain) -> Plain:
    """`landscape`, `size` (points) and `widths` (points, margins included) of a printable table.

    The largest type and the upright page win; more than nine columns always lie sideways, and so
    does a table most of whose rows would be of many lines. Where even the smallest size is too
    wide, the type shrinks until the widest numbers fit.
    """
    needs = [_need(table, n) for n in range(len(table["columns"]))]
    least = sum(low for low, _ in needs)
    margins = CELL_MARGINS * len(needs)
    for landscape, size in _SIZES:
        if len(needs) > _MANY_COLUMNS and not landscape:
            continue
        room = (SIDEWAYS if landscape else UPRIGHT) - margins
        if least * size <= room and (landscape or not _crowded(table, needs, room / size)):
            break
    else:
        size = room / least
    widths = [w * size + CELL_MARGINS for w in _share(needs, room / size)]
    return {"landscape": landscape, "size": round(size, 2), "widths": [round(w, 1) for w in widths]}


def mark_tall(table: Plain, fitted: Plain) -> None:
    """Set `tall` on cells of so many lines that their row has to break over pages."""
    for row in table["rows"]:
        for cell, width in zip(row, fitted["widths"], strict=True):
            room = (width - CELL_MARGINS) / fitted["size"]
            if ems(cell["text"]) > room * _TALL:
                cell["tall"] = True


def sections(blocks: Sequence[Plain]) -> list[Plain]:
    """Runs of blocks that share a page direction; headings go with what follows them."""
    directions: list[bool] = []
    for block in reversed(blocks):
        follows = directions[-1] if directions else False
        lies = block["landscape"] if block["type"] == "table" else False
        directions.append(follows if block["type"] == "heading" else lies)
    pairs = zip(reversed(directions), blocks, strict=True)
    return [
        {"landscape": lies, "blocks": [block for _, block in run]}
        for lies, run in groupby(pairs, key=lambda pair: pair[0])
    ]


def drawing_width(svg: str) -> float:
    """Points that a drawing may be wide, so that it fits one page: full measure unless tall."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if size is None:
        raise ValueError("the drawing does not state its size")
    width, height = (float(n) for n in size.groups())
    return round(min(UPRIGHT, DRAWING_HEIGHT * width / height), 1)


def breakable(text: str) -> str:
    """The text with places to break inside words that no line could hold (hashes, names)."""

    def broken(word: re.Match[str]) -> str:
        letters = word.group()
        return _BREAK_HERE.join(letters[n : n + 8] for n in range(0, len(letters), 8))

    return _LONG_WORD.sub(broken, text)


def ems(text: str) -> float:
    """Estimated width: a full-width character is 1, any other 0.58 (a wide half-width digit)."""
    return sum(1.0 if ord(c) >= 0x2000 else 0.58 for c in text)


def _need(table: Plain, n: int) -> tuple[float, float]:
    """Least and natural width of a column in ems. Only words may be broken into lines."""
    column = table["columns"][n]
    symbols = [1.6 if "tone" in row[n] else 0.0 for row in table["rows"]]
    cells = [ems(row[n]["text"]) for row in table["rows"]]
    widest = max((c + s for c, s in zip(cells, symbols, strict=True)), default=0.0)
    head = ems(column["label"]) + 0.3
    unit = ems(f"（{column['unit']}）") * _UNIT_SIZE if column["unit"] else 0.0
    head_least = head if head <= 6 else max(4.0, head / 2 + 0.6)
    if column["kind"] == "text":
        natural = min(max(widest, head), _WORDS_AT_MOST)
        return min(natural, max(_WORDS_AT_LEAST, head_least)), natural
    return max(widest + 0.2, head_least, unit), max(widest + 0.2, head, unit)


def _crowded(table: Plain, needs: Sequence[tuple[float, float]], room: float) -> bool:
    """Whether more than half of the rows would be of many lines in `room` (ems)."""
    widths = list(_share(needs, room))
    high = [
        any(ems(c["text"]) > w * _MANY_LINES for c, w in zip(row, widths, strict=True))
        for row in table["rows"]
    ]
    return sum(high) > len(high) / 2


def _share(needs: Sequence[tuple[float, float]], room: float) -> Iterator[float]:
    """Least widths, then what is left by how much each column lacks, then a little air."""
    least = sum(low for low, _ in needs)
    lacking = sum(natural - low for low, natural in needs)
    part = min(1.0, (room - least) / lacking) if lacking else 0.0
    widths = [low + (natural - low) * part for low, natural in needs]
    stretch = min(_STRETCH, room / sum(widths)) if part == 1.0 or not lacking else 1.0
    return (w * stretch for w in widths)
