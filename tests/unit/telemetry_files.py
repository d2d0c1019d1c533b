"""Telemetry for tests: replies, landed Parquet files and what readers and rollups make of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from geniac_pipelines.gpu_usage.rollup import rollup_hours
from geniac_pipelines.gpu_usage.telemetry_contracts import TELEMETRY
from geniac_pipelines.intake.reading import Batch, Context, Format, Refusal, Source
from geniac_pipelines.store.warehouse import connect

RECEIVED = datetime(2026, 9, 30, 16, 0, tzinfo=UTC)
CONTEXT = Context(received_at=RECEIVED, pseudonym=lambda kind, value: f"{kind}:{value}")

Rows = list[dict[str, Any]]


def labels(metric: str, uuid: str = "GPU-a", **more: str) -> dict[str, str]:
    return {
        "__name__": metric, "UUID": uuid, "gpu": "0", "Hostname": "node1",
        "modelName": "NVIDIA H100 80GB HBM3", **more,
    }  # fmt: skip


def series(
    metric: str, values: Sequence[tuple[float, str]], uuid: str = "GPU-a", **more: str
) -> dict[str, Any]:
    return {"metric": labels(metric, uuid, **more), "values": [[t, v] for t, v in values]}


def reply(*result: Mapping[str, Any], kind: str = "matrix", **more: Any) -> str:
    """A successful reply, compact as servers send it."""
    data = {"resultType": kind, "result": result}
    return json.dumps({"status": "success", **more, "data": data}, separators=(",", ":"))


def read_path(fmt: Format, path: Path) -> tuple[Rows, list[Refusal]]:
    """Rows and refusals of a file; checks that batches are numbered and typed as promised."""
    source = Source(path.name, path)
    assert fmt.recognise(source)
    rows: Rows = []
    refusals: list[Refusal] = []
    for item in fmt.read(source, CONTEXT):
        if isinstance(item, Batch):
            assert item.contract is TELEMETRY
            assert item.rows.schema == TELEMETRY.schema
            assert item.first_row == len(rows) + 1
            rows += item.rows.to_pylist()
        else:
            assert isinstance(item, Refusal)
            assert item.ja
            assert item.ja_remedy
            assert item.en
            assert item.en_remedy
            refusals.append(item)
    return rows, refusals


def read_text(fmt: Format, folder: Path, text: str | bytes) -> tuple[Rows, list[Refusal]]:
    path = folder / "file"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_path(fmt, path)


def known(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says, without what is missing."""
    return {name: value for name, value in row.items() if value is not None}


def codes(refusals: Sequence[Refusal]) -> list[str]:
    return [r.complaint.code for r in refusals]


def sample(at: datetime, uuid: str = "GPU-a", **more: Any) -> dict[str, Any]:
    """A landed raw sample every 15 seconds, unless said otherwise."""
    base = {"sampled_at": at, "gpu_uuid": uuid, "interval_seconds": 15.0}
    return {**base, "evaluated": False, "samples": 1, **more}


def samples(first: datetime, count: int, step: float = 15.0, **more: Any) -> Rows:
    """Equal samples that follow each other; a callable gets the number."""
    return [
        sample(
            first + timedelta(seconds=step * n),
            **{k: v(n) if callable(v) else v for k, v in more.items()},
        )
        for n in range(count)
    ]


def landed(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """A landing file of these rows."""
    names = TELEMETRY.schema.names
    unknown = {n for row in rows for n in row} - set(names)
    assert not unknown, unknown
    table = pa.Table.from_pylist([{n: row.get(n) for n in names} for row in rows], TELEMETRY.schema)
    pq.write_table(table, path)
    return path


def hours_of(files: Sequence[Path], day: date, out: Path) -> Rows:
    """The hour facts of a day."""
    with connect() as con:
        count = rollup_hours(con, files, "company-a", day, out)
    rows: Rows = pq.read_table(out).to_pylist()
    assert len(rows) == count
    return rows
