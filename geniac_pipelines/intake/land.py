"""Rows into Parquet: one file for each arrival and landing table, whole or not at all.

The last net: whatever a reader lets through, a row that its contract can't hold (a missing
required value, a number too great for its type) costs that row alone and is refused like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from geniac_pipelines.contracts import LINEAGE, Column, Contract, Type
from geniac_pipelines.intake.reading import Batch, Complaint, Context, Item, Refusal, Row
from geniac_pipelines.store.arrivals import LOSSES
from geniac_pipelines.store.files import whole

FLUSH_ROWS = 65_536
MAX_REFUSALS = 10_000
"""More complaints about one file than this are counted, not kept."""

UNSTORABLE = Complaint(
    "row.unstorable",
    "row",
    ja="「{column}」の値「{cell}」は、この項目の型（{type}）に入りません",
    ja_remedy="値を確認し、訂正した行を含むファイルを再提出してください",
    en="the value {cell!r} of {column!r} does not fit its type ({type})",
    en_remedy="check the value and send the file again with the row corrected",
)
MISSING = Complaint(
    "row.missing",
    "row",
    ja="必須項目「{column}」が空欄です",
    ja_remedy="値を記入し、訂正した行を含むファイルを再提出してください",
    en="the required value of {column!r} is missing",
    en_remedy="fill it in and send the file again with the row corrected",
)
_UNFIT = (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, OverflowError, UnicodeError)
_PYTHON: dict[Type, tuple[type, ...]] = {
    Type.TEXT: (str,),
    Type.INTEGER: (int,),
    Type.DECIMAL: (Decimal, int),
    Type.FLOAT: (float, int),
    Type.BOOLEAN: (bool,),
    Type.DATE: (date,),
    Type.MONTH: (date,),
    Type.INSTANT: (datetime,),
}
"""What values of a type are in Python; Arrow alone would cut 1.5 to 1 and a moment to a day."""


@dataclass
class Landed:
    """What reading one arrival gave: rows by contract, files written, refusals.

    `complaints` counts them all, `lost` holds what they cost (see `Complaint`); `refusals` holds
    the first MAX_REFUSALS.
    """

    rows: dict[str, int] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    complaints: int = 0
    lost: set[str] = field(default_factory=set)

    @property
    def outcome(self) -> str:
        """landed: all of it; partial: something of it; refused: nothing of it."""
        if not any(self.rows.values()) and self.lost & {"file", "row"}:
            return "refused"
        return "partial" if self.lost & set(LOSSES) else "landed"

    def refuse(self, refusal: Refusal) -> None:
        self.complaints += 1
        self.lost.add(refusal.complaint.costs)
        if len(self.refusals) < MAX_REFUSALS:
            self.refusals.append(refusal)


class _Writer:
    """Buffers rows of one contract and writes them in row groups; refuses those that don't fit."""

    def __init__(
        self,
        contract: Contract,
        path: Path,
        lineage: Mapping[str, Any],
        refuse: Callable[[Refusal], None],
    ) -> None:
        self.contract = contract
        self.rows = 0
        self._refuse = refuse
        self._lineage = lineage
        self._names = [c.name for c in contract.columns]
        self._buffer: list[Row] = []
        self._parquet = pq.ParquetWriter(
            path, contract.schema, compression="zstd", write_statistics=True
        )

    def add(self, row: Row) -> None:
        self._buffer.append(row)
        if len(self._buffer) >= FLUSH_ROWS:
            self.flush()

    def add_batch(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        self._parquet.write_batch(batch.cast(self.contract.schema))

    def flush(self) -> None:
        if not self._buffer:
            return
        rows, self._buffer = self._buffer, []
        unknown = {n for r in rows for n in r.values} - set(self._names)
        if unknown:
            raise KeyError(f"{self.contract.name} has no column {sorted(unknown)}")
        try:
            table = self._table(rows)
        except _UNFIT:
            table = None
        if table is None or any(table[c.name].null_count for c in self._required):
            rows = [r for r in rows if self._fits(r)]
            table = self._table(rows)
        self.rows += len(rows)
        self._parquet.write_table(table)

    @property
    def _places(self) -> tuple[Column, ...]:
        return () if self.contract.bulk else LINEAGE

    @property
    def _required(self) -> list[Column]:
        return [c for c in self.contract.columns if c.required]

    def _table(self, rows: Sequence[Row]) -> pa.Table:
        columns: list[list[Any]] = [[r.values.get(n) for r in rows] for n in self._names]
        places: dict[str, list[Any]] = {
            "_sheet": [r.place.sheet for r in rows],
            "_line": [r.place.row for r in rows],
        }
        columns += [
            places[c.name] if c.name in places else [self._lineage[c.name]] * len(rows)
            for c in self._places
        ]
        arrays = [
            _array(values, column)
            for values, column in zip(columns, (*self.contract.columns, *self._places), strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=self.contract.schema)

    def _fits(self, row: Row) -> bool:
        """Whether the contract can hold a row; refuses it where it can't."""
        for column in self.contract.columns:
            value = row.values.get(column.name)
            place = replace(row.place, column=column.ja)
            if value is None:
                if column.required:
                    self._refuse(MISSING.at(place, column=column.ja))
                    return False
                continue
            try:
                _array([value], column)
            except _UNFIT:
                shown = str(value)[:200].encode("utf-8", "backslashreplace").decode()
                self._refuse(UNSTORABLE.at(place, shown, column=column.ja, type=column.type.value))
                return False
        return True

    def close(self) -> None:
        self.flush()
        self.release()

    def release(self) -> None:
        """Close the file, also after a failure; may be repeated."""
        self._parquet.close()


def _array(values: list[Any], column: Column) -> pa.Array[Any]:
    """The values as an Arrow array; raises one of _UNFIT.

    A moment without zone is a fault of the reader, which alone knows the zone: ValueError.
    """
    allowed = _PYTHON[column.type]
    for kind in set(map(type, values)) - {type(None)}:
        odd = (kind is bool and bool not in allowed) or (
            issubclass(kind, datetime) and datetime not in allowed
        )
        if odd or not issubclass(kind, allowed):
            raise TypeError(f"{column.name}: {kind.__name__} is no value of {column.type.value}")
    if column.type is Type.INSTANT and any(v is not None and v.tzinfo is None for v in values):
        raise ValueError(f"{column.name}: a moment without zone")
    return pa.array(values, type=column.type.arrow)


def land(
    items: Iterable[Item],
    *,
    arrival_id: str,
    context: Context,
    path_of: Callable[[Contract], Path],
) -> Landed:
    """Write an arrival's rows to `path_of(contract)` and collect its refusals.

    Files appear only when the whole arrival has been read; a reader that raises leaves nothing.
    A table without rows gets no file.
    """
    landed = Landed()
    lineage = {
        "_arrival": arrival_id,
        "_sender": context.sender,
        "_received_at": context.received_at,
    }
    with ExitStack() as stack:
        writers: dict[str, _Writer] = {}

        def writer(contract: Contract) -> _Writer:
            if contract.name not in writers:
                landed.files[contract.name] = path_of(contract)
                temporary = stack.enter_context(whole(landed.files[contract.name]))
                writers[contract.name] = _Writer(contract, temporary, lineage, landed.refuse)
                stack.callback(writers[contract.name].release)
            return writers[contract.name]

        for item in items:
            match item:
                case Row():
                    writer(item.contract).add(item)
                case Batch():
                    writer(item.contract).add_batch(item.rows)
                case Refusal():
                    landed.refuse(item)
        for each in writers.values():
            each.close()
            landed.rows[each.contract.name] = each.rows
    for name in [name for name, rows in landed.rows.items() if not rows]:
        del landed.rows[name]
        landed.files.pop(name).unlink()
    return landed
