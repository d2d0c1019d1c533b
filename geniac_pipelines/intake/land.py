"""Rows into Parquet: one file for each arrival and landing table, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from geniac_pipelines.intake.contracts import LINEAGE, Contract
from geniac_pipelines.intake.reading import Batch, Context, Item, Refusal, Row
from geniac_pipelines.store.files import whole

FLUSH_ROWS = 65_536
MAX_REFUSALS = 10_000
"""More complaints about one file than this are counted, not kept."""


@dataclass
class Landed:
    """What reading one arrival gave: rows by contract, refusals, how many were dropped."""

    rows: dict[str, int] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    complaints: int = 0

    @property
    def outcome(self) -> str:
        lost = {r.complaint.costs for r in self.refusals} & {"file", "row", "cell"}
        if not any(self.rows.values()) and "file" in lost:
            return "refused"
        return "partial" if lost else "landed"


class _Writer:
    """Buffers rows of one contract and writes them in row groups."""

    def __init__(self, contract: Contract, path: Path, lineage: Mapping[str, Any]) -> None:
        self.contract = contract
        self.rows = 0
        self._lineage = lineage
        self._names = [c.name for c in contract.columns]
        self._buffer: list[Row] = []
        self._parquet = pq.ParquetWriter(
            path, contract.schema, compression="zstd", write_statistics=True
        )

    def add(self, row: Row) -> None:
        self._buffer.append(row)
        self.rows += 1
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
        columns: list[list[Any]] = [[r.values.get(n) for r in rows] for n in self._names]
        if not self.contract.bulk:
            places: dict[str, list[Any]] = {
                "_sheet": [r.place.sheet for r in rows],
                "_line": [r.place.row for r in rows],
            }
            columns += [places.get(c.name) or [self._lineage[c.name]] * len(rows) for c in LINEAGE]
        arrays = [
            pa.array(values, type=spec.type)
            for values, spec in zip(columns, self.contract.schema, strict=True)
        ]
        self._parquet.write_table(pa.Table.from_arrays(arrays, schema=self.contract.schema))

    def close(self) -> None:
        self.flush()
        self._parquet.close()


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
                writers[contract.name] = _Writer(contract, temporary, lineage)
            return writers[contract.name]

        for item in items:
            match item:
                case Row():
                    writer(item.contract).add(item)
                case Batch():
                    writer(item.contract).add_batch(item.rows)
                case Refusal():
                    landed.complaints += 1
                    if len(landed.refusals) < MAX_REFUSALS:
                        landed.refusals.append(item)
        for each in writers.values():
            each.close()
            landed.rows[each.contract.name] = each.rows
    return landed
