"""What a landing table is: columns, types, units, natural key, mode, meaning in Japanese.

One contract feeds the Parquet schema, the refusals, the workbook templates, dbt's sources,
Dagster's column metadata and the data dictionary. What marts promise stands in dbt's YAML instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import pyarrow as pa


class Type(Enum):
    """Types of landing columns, each with one Arrow type.

    INSTANT is stored in UTC with zone; DATE and MONTH are Asia/Tokyo (MONTH as its first day);
    DECIMAL is exact (38 digits, 9 after the point) since additive measures must sum to the same
    bytes in any order; FLOAT is for measurements that are never summed before they are scaled.
    """

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    MONTH = "month"
    INSTANT = "instant"

    @property
    def arrow(self) -> pa.DataType:
        return _ARROW[self]

    @property
    def duckdb(self) -> str:
        return _DUCKDB[self]


_ARROW: dict[Type, pa.DataType] = {
    Type.TEXT: pa.string(),
    Type.INTEGER: pa.int64(),
    Type.DECIMAL: pa.decimal128(38, 9),
    Type.FLOAT: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.DATE: pa.date32(),
    Type.MONTH: pa.date32(),
    Type.INSTANT: pa.timestamp("us", tz="UTC"),
}
_DUCKDB: dict[Type, str] = {
    Type.TEXT: "varchar",
    Type.INTEGER: "bigint",
    Type.DECIMAL: "decimal(38, 9)",
    Type.FLOAT: "double",
    Type.BOOLEAN: "boolean",
    Type.DATE: "date",
    Type.MONTH: "date",
    Type.INSTANT: "timestamp with time zone",
}


class Mode(Enum):
    """What a later row with the same key means.

    APPEND: both stay. LATEST: the row of the later arrival holds (the default). REPLACE: an
    arrival replaces everything earlier within its scope (sender, cluster, period), so that a row
    left out of a correction is gone from the current view. Nothing is ever deleted from landing.
    """

    APPEND = "append"
    LATEST = "latest"
    REPLACE = "replace"


@dataclass(frozen=True)
class Column:
    """One column of a landing table.

    `ja` is the header that templates print and readers accept; `headers` are other headings met
    in the field. `unit` is printed beside values (枚, GPU時間, 円). `choices` bound the values.
    `minimum` is the smallest value that can be true (0 for counts); it is a typing rule, while
    plausibility across rows is judged by Great Expectations.
    """

    name: str
    type: Type
    ja: str
    meaning: str
    unit: str | None = None
    required: bool = False
    headers: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    example: str | int | float | None = None
    personal: bool = False


ARRIVAL = Column("_arrival", Type.TEXT, "受付番号", "この行が入っていたファイルの受付番号")
SENDER = Column("_sender", Type.TEXT, "提出者", "ファイルを提出した組織の識別子。不明は空欄")
RECEIVED_AT = Column("_received_at", Type.INSTANT, "受付日時", "ファイルを受け付けた日時(UTC)")
SHEET = Column("_sheet", Type.TEXT, "シート", "行があったシート名。シートのない形式では空欄")
LINE = Column("_line", Type.INTEGER, "行番号", "ファイル(シート)内の行番号。先頭行が1")
LINEAGE: tuple[Column, ...] = (ARRIVAL, SENDER, RECEIVED_AT, SHEET, LINE)


@dataclass(frozen=True)
class Contract:
    """A landing table. `name` is `<area>__<entity>`.

    `changes_ja` says in a report what a later file of it does to figures that were issued.

    Its files also carry the LINEAGE columns, unless it is `bulk` (telemetry, millions of rows a
    day): there a row's origin is the Parquet file, which belongs to one arrival, and its number.
    """

    name: str
    area: str
    ja: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    clauses: tuple[str, ...]
    changes_ja: str = ""
    mode: Mode = Mode.LATEST
    scope: tuple[str, ...] = ()
    personal: bool = False
    bulk: bool = False

    def __post_init__(self) -> None:
        names = [c.name for c in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: a column is declared twice")
        known = {*names, *(c.name for c in LINEAGE)}
        unknown = [n for n in (*self.key, *self.scope) if n not in known]
        if unknown:
            raise ValueError(f"{self.name}: key or scope names columns it lacks: {unknown}")
        if (self.mode is Mode.REPLACE) != bool(self.scope):
            raise ValueError(f"{self.name}: a scope belongs to mode REPLACE, and only to it")
        if self.mode is not Mode.APPEND and not self.key:
            raise ValueError(f"{self.name}: mode {self.mode.value} needs a key")

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if the contract has none."""
        for column in (*self.columns, *LINEAGE):
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of the landing files: the contract's columns, then the lineage."""
        lineage = () if self.bulk else LINEAGE
        return pa.schema([pa.field(c.name, c.type.arrow) for c in (*self.columns, *lineage)])
