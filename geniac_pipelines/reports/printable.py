"""A document as plain data (strings, lists, dicts) for the page templates.

Everything that PDF and HTML must say alike is decided here: how values are written, which cells
carry a tone, how headings nest, and which origin each figure points to. No markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from geniac_pipelines.calendar import JST
from geniac_pipelines.figures.model import (
    NO_VALUE,
    Figure,
    FigureColumn,
    FigureTable,
    Origin,
    Scalar,
)
from geniac_pipelines.reports.document import (
    Block,
    Bullets,
    Callout,
    Chart,
    Document,
    Heading,
    Paragraph,
    Table,
    Text,
)
from geniac_pipelines.reports.theme import tone

DRAFT = "暫定"
SUMMARY = "要約"

Plain = dict[str, Any]


def printable(document: Document) -> Plain:
    """The document with `chapters` (the summary first when there is one) and `origins`."""
    build = _Builder()
    chapters = [("summary", SUMMARY, "", document.summary)] if document.summary else []
    chapters += [(c.id, c.title, c.clause, c.blocks) for c in document.chapters]
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "audience": document.audience_ja,
        "period": document.period_ja,
        "as_of": written(document.as_of, "date"),
        "as_of_iso": document.as_of.isoformat(),
        "version": document.generation,
        "author": document.author,
        "draft": DRAFT if document.draft else "",
        "chapters": [
            {
                "id": name,
                "title": title,
                "clause": clause,
                "summary": name == "summary",
                "blocks": build.blocks(blocks),
            }
            for name, title, clause, blocks in chapters
        ],
        "origins": build.origins,
    }


def written(value: Scalar, kind: str = "text") -> str:
    """A value that is not a figure, for human eyes. Instants in Japan time; missing is NO_VALUE."""
    if value is None:
        return NO_VALUE
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    if isinstance(value, datetime):
        local = value.astimezone(JST) if value.tzinfo else value
        return f"{written(local.date(), 'date')} {local:%H:%M}"
    if isinstance(value, date):
        days = "" if kind == "month" else f"{value.day}日"
        return f"{value.year}年{value.month}月{days}"
    return str(value)


class _Builder:
    """Carries the nesting of headings and the list of origins through a document."""

    def __init__(self) -> None:
        self.origins: list[Plain] = []
        self._numbers: dict[str, int] = {}
        self._seen: set[str] = set()
        self._level = 1

    def blocks(self, blocks: Sequence[Block]) -> list[Plain]:
        self._level = 1
        return [self._block(b) for b in blocks]

    def _block(self, block: Block) -> Plain:
        match block:
            case Heading(level=level, title=title):
                # Chapters are level 1; a level must not be skipped, or readers of headings get lost
                self._level = min(max(level, 2), self._level + 1)
                return {"type": "heading", "level": self._level, "title": title}
            case Paragraph(text=text):
                return {"type": "paragraph", "parts": self._text(text)}
            case Bullets(items=items):
                return {"type": "bullets", "items": [self._text(t) for t in items]}
            case Callout(tone=name, title=title, text=text):
                return {
                    "type": "callout",
                    **_tone(name),
                    "title": title,
                    "parts": self._text(text),
                }
            case Table():
                return self._table(block)
            case Chart():
                return {
                    "type": "chart",
                    "id": block.id,
                    "title": block.title,
                    "subtitle": block.subtitle,
                    "alt": block.alt,
                    "source": block.source,
                    "origin": self._origin(block.table.origin, block.table.id),
                    "chart": block,
                }

    def _text(self, text: Text) -> list[Plain]:
        return [{"text": p} if isinstance(p, str) else self._figure(p, p.ja) for p in text.parts]

    def _figure(self, figure: Figure, text: str) -> Plain:
        first = figure.id not in self._seen
        self._seen.add(figure.id)
        table = figure.id.partition("/")[0]
        return {
            "text": text,
            "figure": figure.id,
            "label": figure.label,
            "first": first,
            "origin": self._origin(figure.origin, table),
        }

    def _origin(self, origin: Origin, table: str) -> int:
        """Its number, from 1 in order of appearance."""
        content = {
            "sql": origin.sql.strip(),
            "relation": origin.relation,
            "match": dict(origin.match),
            "parameters": {k: _iso(v) for k, v in origin.parameters.items()},
        }
        key = json.dumps([table, content], ensure_ascii=False, sort_keys=True)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers) + 1
            self.origins.append({"number": self._numbers[key], "table": table, **content})
        return self._numbers[key]

    def _table(self, block: Table) -> Plain:
        table = block.table
        return {
            "type": "table",
            "id": table.id,
            "title": table.title,
            "note": table.note,
            "empty": block.empty,
            "wide": len(table.columns) > 7,
            "columns": [
                {"label": c.ja, "unit": c.unit or "", "kind": c.kind, "weight": _weight(table, c)}
                for c in table.columns
            ],
            "rows": [[self._cell(block, row, c) for c in table.columns] for row in table.rows],
        }

    def _cell(self, block: Table, row: Mapping[str, Scalar], column: FigureColumn) -> Plain:
        if column.kind == "number":
            figure = block.table.cell(row, column)
            return self._figure(figure, figure.text)
        value = row[column.name]
        cell: Plain = {"text": written(value, column.kind)}
        if column.name == block.tone_column and str(value) in block.tones:
            cell |= _tone(block.tones[str(value)])
        return cell


def _tone(name: str) -> Plain:
    chosen = tone(name)
    return {
        "tone": name,
        "word": chosen.word,
        "symbol": chosen.symbol,
        "ink": chosen.ink,
        "paper": chosen.paper,
    }


def _iso(value: Scalar) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def display_width(text: str) -> int:
    """Columns that a text takes where a full-width character takes two."""
    return sum(1 if ord(c) < 0x2000 else 2 for c in text)


def _weight(table: FigureTable, column: FigureColumn) -> int:
    """How wide a column wants to be, in half-width characters of its longest cell, 6 to 40."""
    if column.kind == "number":
        texts = [table.cell(r, column).text for r in table.rows]
    else:
        texts = [written(r[column.name], column.kind) for r in table.rows]
    head = display_width(column.ja) // (1 if column.kind == "number" else 2)
    return min(max([6, head, *(display_width(t) for t in texts)]), 40)
