"""What a report is, before it is a page: blocks that every renderer knows.

Text is a sequence of words and figures; a bare number in it is a programming error and refused.
Digits inside words are for names and dates only (令和8年9月, 3-1-a), never for quantities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from geniac_pipelines.figures.model import Figure, FigureTable

Inline = str | Figure


@dataclass(frozen=True)
class Text:
    """A run of words and figures."""

    parts: tuple[Inline, ...]

    def __post_init__(self) -> None:
        for part in self.parts:
            if not isinstance(part, str | Figure):
                raise TypeError(
                    f"a report prints numbers only as Figure, got {type(part).__name__}: {part!r}"
                )

    @property
    def plain(self) -> str:
        return "".join(p if isinstance(p, str) else p.ja for p in self.parts)


def text(*parts: Inline) -> Text:
    return Text(parts)


@dataclass(frozen=True)
class Heading:
    level: int
    title: str


@dataclass(frozen=True)
class Paragraph:
    text: Text


@dataclass(frozen=True)
class Bullets:
    items: tuple[Text, ...]


@dataclass(frozen=True)
class Callout:
    """A box that must not be overlooked. `tone`: "info", "caution" or "alert" (also in words)."""

    tone: str
    title: str
    text: Text


@dataclass(frozen=True)
class Table:
    """A figure table as printed. `tone_column` names a text column whose values carry a tone."""

    table: FigureTable
    tones: Mapping[str, str] = field(default_factory=dict)
    tone_column: str | None = None
    empty: str = "該当する行はありません。"


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite chart over a figure table.

    `spec` is a Vega-Lite specification without data; renderers add the table's rows under the
    name "table" and the house theme; a day in column `month` is there in words as `month_ja`.
    `alt` says in words what the chart shows: PDF/UA needs it.
    """

    id: str
    title: str
    subtitle: str
    spec: Mapping[str, Any]
    table: FigureTable
    alt: str
    source: str


Block = Heading | Paragraph | Bullets | Callout | Table | Chart


@dataclass(frozen=True)
class Chapter:
    id: str
    title: str
    clause: str
    blocks: tuple[Block, ...]

    def tables(self) -> Sequence[FigureTable]:
        """Each figure table once, in order of appearance."""
        found: dict[str, FigureTable] = {}
        for block in self.blocks:
            if isinstance(block, Table | Chart):
                found.setdefault(block.table.id, block.table)
        return list(found.values())


@dataclass(frozen=True)
class Document:
    """A whole report for one audience.

    `draft` prints 暫定 on every page, `unreleased` 公開前の案: the copy that the secretariat reads
    before it decides whether the other goes out. `as_of` is the day (Asia/Tokyo) up to which
    arrivals count; it is also the only date that goes into file metadata, so the same input gives
    the same bytes. `generation` names the committed data that it was made from.
    """

    id: str
    title: str
    subtitle: str
    audience: str
    audience_ja: str
    period_ja: str
    as_of: date
    generation: str
    author: str
    chapters: tuple[Chapter, ...]
    summary: tuple[Block, ...] = ()
    draft: bool = False
    unreleased: bool = False

    def tables(self) -> Sequence[FigureTable]:
        found: dict[str, FigureTable] = {}
        for chapter in self.chapters:
            for table in chapter.tables():
                found.setdefault(table.id, table)
        for block in self.summary:
            if isinstance(block, Table | Chart):
                found.setdefault(block.table.id, block.table)
        return list(found.values())

    def figures(self) -> Sequence[Figure]:
        """Every figure that the document prints, once, in order of appearance."""
        found: dict[str, Figure] = {}
        every = [*self.summary, *(b for c in self.chapters for b in c.blocks)]
        for block in every:
            for figure in _figures(block):
                found.setdefault(figure.id, figure)
        return list(found.values())


def _figures(block: Block) -> Sequence[Figure]:
    match block:
        case Paragraph(text=t) | Callout(text=t):
            return [p for p in t.parts if isinstance(p, Figure)]
        case Bullets(items=items):
            return [p for t in items for p in t.parts if isinstance(p, Figure)]
        case Table(table=t) | Chart(table=t):
            return t.figures()
        case _:
            return []
