"""A warehouse from rows by contract: the ledger filled, `prepare`d, dbt run once, analyses written.

Here: laying rows where a night would find them. Not here: what the rows are (each test's own).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from geniac_pipelines import areas
from geniac_pipelines.contracts import Contract
from geniac_pipelines.gpu_usage.forecast import write_analyses
from geniac_pipelines.gpu_usage.rollup import DAY_FACTS
from geniac_pipelines.settings import DBT_PROJECT, WAREHOUSE_VARIABLE
from geniac_pipelines.store import ledger as tables
from geniac_pipelines.store import snapshot, warehouse
from geniac_pipelines.store.calendar_table import calendar_table
from geniac_pipelines.store.decisions import decide
from geniac_pipelines.store.lake import empty
from geniac_pipelines.store.ledger import Ledger

CONTRACTS = tuple(c for c in areas.CONTRACTS if not c.bulk)


@dataclass
class Arrived:
    """A file that came: who sent it when (UTC), and the rows that were read from it.

    `telemetry_days` are the JST days that its telemetry touches; those rows are facts already.
    """

    arrival_id: str
    sender: str | None
    received_at: datetime
    rows: Mapping[Contract, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    telemetry_days: Sequence[date] = ()
    outcome: str = "landed"
    format: str | None = "test"
    name: str = ""


@dataclass(frozen=True)
class Decided:
    """A decision of a person, about a verdict unless it says otherwise."""

    subject: str
    act: str
    details: Mapping[str, Any] = field(default_factory=dict)
    person: str = "山田（事務局）"
    reason: str = "資料を確認した"
    kind: str = "verdict"


def build(
    root: Path,
    arrived: Sequence[Arrived],
    *,
    gpu_days: Sequence[Mapping[str, Any]] = (),
    decided: Sequence[Decided] = (),
    as_of: date,
    unit_tests: bool = False,
) -> Path:
    """The warehouse of a night as of the end of `as_of` in Japan. Fails with dbt's words."""
    until = datetime(as_of.year, as_of.month, as_of.day, 14, 59, 59, tzinfo=UTC)
    ledger = Ledger(f"sqlite:///{root / 'ledger.sqlite'}")
    ledger.prepare()
    files: dict[Contract, list[Path]] = {c: [empty(root, c.name, c.schema)] for c in CONTRACTS}
    for one in arrived:
        _register(ledger, root, one, files)
    for one in decided:
        decide(
            ledger, one.kind, one.subject, one.act,
            reason=one.reason, person=one.person, at=until, details=one.details,
        )  # fmt: skip
    path = root / "warehouse.duckdb"
    night = {"as_of": [as_of], "visible_until": pa.array([until], pa.timestamp("us", tz="UTC"))}
    warehouse.prepare(
        path,
        landings=files,
        facts={"gpu_usage__gpu_days": _facts(root, gpu_days)},
        snapshot={
            **snapshot.take(ledger, until),
            "calendar": calendar_table(),
            "night": pa.table(night),
        },
        visible_until=until,
    )
    ledger.engine.dispose()
    run_dbt(root, path, *(() if unit_tests else ("--exclude-resource-type", "unit_test")))
    write_analyses(path)
    return path


def run_dbt(root: Path, path: Path, *options: str) -> None:
    """`dbt build` into `path`, as a child process with its own target folder."""
    parsed = DBT_PROJECT / "target" / "partial_parse.msgpack"
    if parsed.exists():
        (root / "target").mkdir(exist_ok=True)
        shutil.copy(parsed, root / "target")
    outcome = subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"), "build",
            "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), *options,
        ],
        env={
            **os.environ,
            WAREHOUSE_VARIABLE: str(path),
            "DBT_TARGET_PATH": str(root / "target"),
            "DBT_LOG_PATH": str(root / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stdout[-6000:]


def _register(ledger: Ledger, root: Path, one: Arrived, files: dict[Contract, list[Path]]) -> None:
    with ledger.transaction() as connection:
        connection.execute(
            sa.insert(tables.arrivals).values(
                arrival_id=one.arrival_id,
                sha256=one.arrival_id.ljust(64, "0"),
                bytes=1,
                name=one.name or f"{one.sender}/{one.arrival_id}.txt",
                sender=one.sender,
                channel="test",
                received_at=one.received_at,
                zone="Asia/Tokyo",
                registered_at=one.received_at,
            )
        )
        connection.execute(
            sa.insert(tables.readings).values(
                arrival_id=one.arrival_id,
                format=one.format,
                format_version=1,
                outcome=one.outcome,
                rows=sum(map(len, one.rows.values())),
                complaints=0,
            )
        )
        for contract, rows in one.rows.items():
            file = _landed(root, one, contract, rows)
            files[contract].append(file)
            connection.execute(
                sa.insert(tables.landings).values(
                    arrival_id=one.arrival_id,
                    contract=contract.name,
                    path=file.relative_to(root).as_posix(),
                    rows=len(rows),
                )
            )
        for day in one.telemetry_days:
            connection.execute(
                sa.insert(tables.landing_days).values(
                    arrival_id=one.arrival_id, contract="gpu_usage__telemetry", day=day
                )
            )


def _landed(
    root: Path, one: Arrived, contract: Contract, rows: Sequence[Mapping[str, Any]]
) -> Path:
    lineage = {
        "_arrival": one.arrival_id,
        "_sender": one.sender,
        "_received_at": one.received_at,
        "_sheet": None,
    }
    table = pa.Table.from_pylist(
        [{**row, **lineage, "_line": n} for n, row in enumerate(rows, start=2)],
        schema=contract.schema,
    )
    required = [c.name for c in contract.columns if c.required]
    assert not any(table[c].null_count for c in required), f"{contract.name}: {required}"
    path = root / "landing" / contract.name / f"{one.arrival_id}.parquet"
    pq.write_table(table, path)
    return path


def _facts(root: Path, gpu_days: Sequence[Mapping[str, Any]]) -> list[Path]:
    none, some = root / "facts-none.parquet", root / "facts-some.parquet"
    pq.write_table(DAY_FACTS.empty_table(), none)
    pq.write_table(pa.Table.from_pylist(list(gpu_days), schema=DAY_FACTS), some)
    return [none, some]
