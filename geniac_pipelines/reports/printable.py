"""A document as plain data (strings, lists, dicts) for the page templates.

Everything that PDF and HTML must say alike is decided here: how values are written, which cells
carry a tone, how headings nest, and which origin each figure points to. No markup.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from geniac_pipelines.calendar import JST
from geniac_pipelines.figures.model import (
    NO_VALUE,
    Figure,
    FigureColumn,
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
UNRELEASED = "公開前の案"
SUMMARY = "要約"

Plain = dict[str, Any]


def printable(document: Document) -> Plain:
    """The document with `chapters` (the summary first when there is one) and `origins`.

    Each origin lists the rows that figures of the document came from, with the values that find
    a row in the mart; a figure names its origin and row by number.
    """
    build = _Builder(document)
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
        "mark": mark(document),
        "status": status(document),
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


def mark(document: Document) -> str:
    """What every page says about the document's standing; empty when there is nothing to say."""
    said = [UNRELEASED] * document.unreleased + [DRAFT] * document.draft
    return "・".join(said)


def status(document: Document) -> str:
    """The mark in full sentences, for the cover."""
    said = []
    if document.unreleased:
        said.append(f"{UNRELEASED}（事務局の担当者が公開するまで、事務局の外に出せません）")
    if document.draft:
        said.append(f"{DRAFT}（発行前のため、数値が変わることがあります）")
    return "、".join(said)


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

    def __init__(self, document: Document) -> None:
        self.origins: list[Plain] = []
        self._rows: dict[tuple[int, str], int] = {}
        every = [*document.summary, *(b for c in document.chapters for b in c.blocks)]
        shown = [b.table.id for b in every if isinstance(b, Table)]
        self._tables = {name: f"表{n}" for n, name in reversed([*enumerate(shown, start=1)])}
        self._numbers: dict[str, int] = {}
        self._seen: set[str] = set()
        self._level = 1
        self._counts: Counter[str] = Counter()

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
                return self._table(block, self._next("表"))
            case Chart():
                return self._chart(block)

    def _next(self, kind: str) -> str:
        """表1, 表2, … and 図1, 図2, … through the whole document."""
        self._counts[kind] += 1
        return f"{kind}{self._counts[kind]}"

    def _text(self, text: Text) -> list[Plain]:
        return [{"text": p} if isinstance(p, str) else self._figure(p, p.ja) for p in text.parts]

    def _figure(self, figure: Figure, text: str) -> Plain:
        first = figure.id not in self._seen
        self._seen.add(figure.id)
        table = figure.id.partition("/")[0]
        origin = self._origin(figure.origin, table)
        return {
            "text": text,
            "figure": figure.id,
            "label": figure.label,
            "first": first,
            "origin": origin,
            "row": self._row(figure, origin),
        }

    def _row(self, figure: Figure, origin: int) -> int:
        """The number of the figure's row within its origin, from 1; lists the figure there."""
        key = figure.id.partition("/")[2].rpartition("/")[0]
        rows: list[Plain] = self.origins[origin - 1]["rows"]
        if (origin, key) not in self._rows:
            match = {m: _iso(figure.row.get(c)) for m, c in figure.origin.match.items()}
            rows.append({"number": len(rows) + 1, "key": key, "match": match, "figures": []})
            self._rows[origin, key] = len(rows)
        number = self._rows[origin, key]
        if figure.id not in rows[number - 1]["figures"]:
            rows[number - 1]["figures"].append(figure.id)
        return number

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
            numbered = {"number": self._numbers[key], "table": table, "rows": []}
            self.origins.append(numbered | content)
        return self._numbers[key]

    def _chart(self, block: Chart) -> Plain:
        """`shown_in` names the table that prints the chart's numbers; without one, `data` does.

        A chart of no rows is not drawn: axes around nothing look like a result.
        """
        shown_in = self._tables.get(block.table.id, "")
        return {
            "type": "chart",
            "id": block.id,
            "number": self._next("図"),
            "title": block.title,
            "subtitle": block.subtitle,
            "alt": block.alt,
            "source": block.source,
            "drawn": bool(block.table.rows),
            "shown_in": shown_in,
            "data": None if shown_in else self._table(Table(block.table), number=""),
            "chart": block,
        }

    def _table(self, block: Table, number: str) -> Plain:
        table = block.table
        return {
            "type": "table",
            "id": table.id,
            "title": table.title,
            "note": table.note,
            "empty": block.empty,
            "number": number,
            "columns": [
                {"label": c.ja, "unit": c.unit or "", "kind": c.kind} for c in table.columns
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
    if value is None:
        return NO_VALUE
    return value.isoformat() if isinstance(value, date) else str(value)


def display_width(text: str) -> int:
    """Columns that a text takes where a full-width character takes two."""
    return sum(1 if ord(c) < 0x2000 else 2 for c in text)
