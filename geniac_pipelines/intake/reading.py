"""The words between a format's reader and the engine: sources, rows, refusals, formats.

A reader is a pure generator: `read(source, context)` yields `Row`s and `Refusal`s. It opens
nothing but the source it was given, writes nothing, and never lets one bad row cost a good one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TypeVar

import pyarrow as pa

from geniac_pipelines.contracts import Contract
from geniac_pipelines.japanese import Decoded, decode
from geniac_pipelines.store.arrivals import LOSSES, RefusalRecord, storable

T = TypeVar("T")

HEAD_BYTES = 65_536
COSTS = (*LOSSES, "doubt", "nothing")
"""What a complaint may cost, worst first."""
MASK = "＊＊＊"
"""What stands for a cell that nobody is to see."""


@dataclass(frozen=True)
class Source:
    """The bytes of one arrival (or one member of its archive), under the name they came with."""

    name: str
    path: Path

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB, for recognition."""
        with self.path.open("rb") as f:
            return f.read(HEAD_BYTES)

    def open(self) -> IO[bytes]:
        return self.path.open("rb")

    @cached_property
    def _found(self) -> dict[object, Any]:
        return {}

    def once(self, key: object, find: Callable[[], T]) -> T:
        """What `find` found out about the file, found out once however many formats ask."""
        if key not in self._found:
            self._found[key] = find()
        found: T = self._found[key]
        return found

    @cached_property
    def size(self) -> int:
        return self.path.stat().st_size

    @cached_property
    def decoded(self) -> Decoded:
        """The whole text; raises UndecodableText. For formats that fit in memory."""
        return decode(self.path.read_bytes())

    def lines(self) -> Iterator[tuple[int, str]]:
        """Physical lines with their numbers from 1, without line ends (\\n or \\r\\n only)."""
        text = self.decoded.text
        start, number = 0, 0
        while start < len(text):
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
            number += 1
            yield number, text[start:end].rstrip("\r")
            start = end + 1


@dataclass(frozen=True)
class Place:
    """Where in a file: sheet (None where there are none), row from 1, column by its header."""

    sheet: str | None = None
    row: int | None = None
    column: str | None = None

    @property
    def ja(self) -> str:
        parts = [
            f"シート「{self.sheet}」" if self.sheet else "",
            f"{self.row}行目" if self.row is not None else "",
            f"「{self.column}」列" if self.column else "",
        ]
        return " ".join(p for p in parts if p) or "ファイル全体"

    @property
    def en(self) -> str:
        parts = [
            f"sheet {self.sheet!r}" if self.sheet else "",
            f"row {self.row}" if self.row is not None else "",
            f"column {self.column!r}" if self.column else "",
        ]
        return ", ".join(p for p in parts if p) or "whole file"


@dataclass(frozen=True)
class Complaint:
    """A kind of refusal, declared once beside the code that makes it.

    `costs` says what was lost: "file", "row", "cell" (the row stays, the cell is empty), or nothing
    of the data: "doubt" (the sender is asked whether it is right), "nothing" (he is only told).
    Texts may hold `{cell}` and named parameters.
    """

    code: str
    costs: str
    ja: str
    ja_remedy: str
    en: str
    en_remedy: str

    def __post_init__(self) -> None:
        if self.costs not in COSTS:
            raise ValueError(f"{self.code}: costs must be one of {', '.join(COSTS)}")

    def at(self, place: Place, cell: object = None, **params: object) -> Refusal:
        return Refusal(self, place, None if cell is None else str(cell), params)


@dataclass(frozen=True)
class Refusal:
    """One thing that could not be taken: where, what came, what was expected, what to do."""

    complaint: Complaint
    place: Place
    cell: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)

    def _fill(self, text: str) -> str:
        return text.format_map({"cell": self.cell if self.cell is not None else "", **self.params})

    @property
    def ja(self) -> str:
        return self._fill(self.complaint.ja)

    @property
    def ja_remedy(self) -> str:
        return self._fill(self.complaint.ja_remedy)

    @property
    def en(self) -> str:
        return self._fill(self.complaint.en)

    @property
    def en_remedy(self) -> str:
        return self._fill(self.complaint.en_remedy)

    @property
    def masked(self) -> Refusal:
        """The same with the cell hidden, if there is one."""
        return self if self.cell is None else replace(self, cell=MASK)

    @property
    def record(self) -> RefusalRecord:
        """The refusal as the ledger keeps it and replies show it."""
        return RefusalRecord(
            code=self.complaint.code,
            costs=self.complaint.costs,
            sheet=storable(self.place.sheet),
            line=self.place.row,
            column=storable(self.place.column),
            cell=storable(self.cell),
            ja=storable(self.ja),
            ja_remedy=storable(self.ja_remedy),
            en=storable(self.en),
            en_remedy=storable(self.en_remedy),
        )


@dataclass(frozen=True)
class Row:
    """One typed row for a landing table; values by column name, absent columns are missing."""

    contract: Contract
    values: Mapping[str, Any]
    place: Place


@dataclass(frozen=True)
class Batch:
    """Many typed rows at once, for bulk formats; columns as in the contract, without lineage.

    `first_row` is the number of the batch's first row within the file, counted from 1.
    """

    contract: Contract
    rows: pa.RecordBatch
    first_row: int


@dataclass(frozen=True)
class Context:
    """What a reader may know beside the bytes.

    `sender` is the organisation that handed the file in (None: unknown). `zone` is the IANA zone
    in which local stamps of that sender are to be read. `pseudonym(kind, value)` turns a person's
    or job's name into its keyed pseudonym; readers pass every such value through it.
    """

    received_at: datetime
    pseudonym: Callable[[str, str], str]
    sender: str | None = None
    zone: str = "Asia/Tokyo"


Item = Row | Batch | Refusal


@dataclass(frozen=True)
class Format:
    """One format that the platform reads.

    `recognise(source)` looks at content first (head, then more if it must) and says whether the
    file is of this format; two formats that both say yes is a programming error, reported as such.
    Raise `version` when the reader's output changes: its files are then read again.
    `personal` files are archived encrypted, for `purpose`, until their deletion date.
    """

    name: str
    area: str
    ja: str
    contracts: tuple[Contract, ...]
    recognise: Callable[[Source], bool]
    read: Callable[[Source, Context], Iterator[Item]]
    version: int = 1
    personal: bool = False
    purpose: str = "提出データの読取り、点検、訂正の確認"


def edition(formats: Sequence[Format]) -> str:
    """12 hex digits that change with the list of formats or a format's version."""
    words = "\0".join(sorted(f"{f.name}/{f.version}" for f in formats))
    return hashlib.sha256(words.encode()).hexdigest()[:12]
