"""A whole night in small: three tiny formats, one mart, one fact file, one report, no dagster, dbt.

Tests drive the engine with it, in this process or as `python -m tests.small_night …`, which may be
killed at a failpoint.
"""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from geniac_pipelines import night as night_module
from geniac_pipelines.contracts import Column, Contract, Mode, Type
from geniac_pipelines.intake.deliveries import MANIFEST
from geniac_pipelines.intake.desk import Desk, read_arrivals, to_read
from geniac_pipelines.intake.reading import Complaint, Context, Format, Item, Place, Row, Source
from geniac_pipelines.intake.sweep import Taken, take_in
from geniac_pipelines.night import Night, open_night
from geniac_pipelines.settings import Clock, Settings
from geniac_pipelines.store import lake, ledger, snapshot, warehouse
from geniac_pipelines.store.archive import Archive
from geniac_pipelines.store.arrivals import Arrival, Reading
from geniac_pipelines.store.files import whole, write_bytes
from geniac_pipelines.store.generations import FactFile
from geniac_pipelines.store.ledger import Ledger
from geniac_pipelines.store.secret import Secret

KEY = "k" * 32
SECRET = Secret(KEY.encode())
KEEP_DAYS = 400

JOBS = Contract(
    name="test__jobs",
    area="test",
    ja="ジョブ",
    meaning="後の到着が前の到着に優先する表",
    key=("cluster", "job_id"),
    clauses=("3-1-a",),
    columns=(
        Column("cluster", Type.TEXT, "クラスタ", "クラスタ名", required=True),
        Column("job_id", Type.INTEGER, "ジョブ番号", "番号", required=True),
        Column("gpu_hours", Type.DECIMAL, "GPU時間", "使用量", unit="GPU時間"),
        Column("user", Type.TEXT, "利用者", "仮名"),
    ),
)
PLANS = Contract(
    name="test__plans",
    area="test",
    ja="計画",
    meaning="提出者の計画全体を置き換える表",
    key=("_sender", "item"),
    clauses=("3-1-a",),
    mode=Mode.REPLACE,
    scope=("_sender",),
    columns=(
        Column("item", Type.TEXT, "項目", "項目名", required=True),
        Column("order", Type.INTEGER, "順番", "予約語と同じ名前の列"),
    ),
)
NOTES = Contract(
    name="test__notes",
    area="test",
    ja="記録",
    meaning="すべて残る表",
    key=(),
    clauses=("3-1-a",),
    mode=Mode.APPEND,
    columns=(Column("words", Type.TEXT, "文", "文章", personal=True),),
)
CONTRACTS = (JOBS, PLANS, NOTES)

BAD_NUMBER = Complaint(
    "test.number",
    "row",
    ja="「{cell}」は数ではありません",
    ja_remedy="数を記入してください",
    en="{cell!r} is no number",
    en_remedy="write a number",
)


def _read_jobs(source: Source, context: Context) -> Iterator[Item]:
    for number, line in source.lines():
        if number == 1:
            continue
        if line == "!raise":
            raise RuntimeError(f"the reader of {source.path} fell over")
        cluster, job, hours, user = line.split(",")
        place = Place(None, number)
        try:
            used = Decimal(hours) if hours else None
        except InvalidOperation:
            yield BAD_NUMBER.at(replace(place, column="GPU時間"), hours)
            continue
        values = {
            "cluster": cluster,
            "job_id": int(job),
            "gpu_hours": used,
            "user": context.pseudonym("user", user),
        }
        yield Row(JOBS, values, place)


def _read_plans(source: Source, context: Context) -> Iterator[Item]:
    for number, line in source.lines():
        if number > 1:
            yield Row(PLANS, {"item": line, "order": number}, Place(None, number))


def _read_notes(source: Source, context: Context) -> Iterator[Item]:
    for number, line in source.lines():
        if number > 1 and line.startswith("?"):
            yield BAD_NUMBER.at(Place("回答", number), line)
        elif number > 1:
            yield Row(NOTES, {"words": line}, Place("回答", number))


def _begins(mark: bytes) -> Any:
    return lambda source: source.head.startswith(mark)


JOBS_FORMAT = Format("jobs", "test", "ジョブ", (JOBS,), _begins(b"#jobs\n"), _read_jobs)
PLANS_FORMAT = Format("plans", "test", "計画", (PLANS,), _begins(b"#plans\n"), _read_plans)
NOTES_FORMAT = Format(
    "notes", "test", "記録", (NOTES,), _begins(b"#notes\n"), _read_notes, personal=True
)
FORMATS = (JOBS_FORMAT, PLANS_FORMAT, NOTES_FORMAT)


def jobs(*rows: tuple[int, str], cluster: str = "c1") -> bytes:
    """A file of jobs: (job number, GPU hours)."""
    lines = [f"{cluster},{job},{hours},taro" for job, hours in rows]
    return "\n".join(["#jobs", *lines, ""]).encode()


def plans(*items: str) -> bytes:
    return "\n".join(["#plans", *items, ""]).encode()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Desktop:
    """An inbox, a data folder and a ledger; arrivals come with the receipts that a test states."""

    root: Path
    ledger: Ledger
    formats: Sequence[Format] = FORMATS
    manifest: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def archive(self) -> Archive:
        return Archive(self.data / "archive", work=self.data / "work", secret=SECRET)

    def drop(self, path: str, content: bytes, *, received_at: str | None = None) -> Path:
        """Put a file into the inbox; with `received_at` (UTC) also a line into the manifest.

        The sender is the first folder.
        """
        file = self.inbox / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        if received_at:
            self.state(path, path.split("/", maxsplit=1)[0], received_at)
        return file

    def state(self, path: str, sender: str, received_at: str, zone: str = "Asia/Tokyo") -> None:
        """Say in the manifest who sent a file and when (UTC)."""
        stamp = utc(received_at).isoformat() if received_at else ""
        self.manifest[path] = (sender, stamp, zone)
        lines = [f"{p},{s},mail,{t},{z}" for p, (s, t, z) in self.manifest.items()]
        text = "\n".join(["path,sender,channel,received_at,zone", *lines, ""])
        self.inbox.mkdir(parents=True, exist_ok=True)
        (self.inbox / MANIFEST).write_text(text, encoding="utf-8")

    def take(self, clock: Clock | None = None, settle_seconds: float = 0.0) -> Taken:
        return take_in(
            self.inbox,
            self.archive,
            self.ledger,
            self.formats,
            clock or Clock(),
            settle_seconds=settle_seconds,
        )

    def desk(self) -> Desk:
        return Desk(
            data=self.data,
            archive=self.archive,
            ledger=self.ledger,
            formats=self.formats,
            pseudonym=lambda kind, value: f"{kind}-{value}",
            days_of=lambda contract, file: set(),
            secret=SECRET,
            keep_days=KEEP_DAYS,
        )

    def read(self) -> list[tuple[Arrival, Reading]]:
        desk = self.desk()
        return list(read_arrivals(desk, to_read(desk)))

    def outcomes(self) -> dict[str, str]:
        """Take in and read; outcome of each reading by name."""
        self.take()
        return {arrival.name: reading.outcome for arrival, reading in self.read()}

    def table(self, name: str) -> list[dict[str, Any]]:
        """Rows of a ledger table, in the order of its key."""
        table = ledger.metadata.tables[name]
        with self.ledger.reading() as connection:
            found = connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            return [dict(row) for row in found.mappings()]

    def current(self, contract: Contract, until: str = "2099-01-01") -> list[tuple[Any, ...]]:
        """What holds of a table for a night at `until` (UTC): its own columns, sorted."""
        file = self.root / "look.duckdb"
        file.unlink(missing_ok=True)
        warehouse.prepare(
            file,
            landings=lake.landing_files(self.ledger, self.data, (contract,)),
            facts={},
            snapshot=snapshot.take(self.ledger, utc(until)),
            visible_until=utc(until),
        )
        names = ", ".join(warehouse.identifier(c.name) for c in contract.columns)
        with warehouse.connect(file, read_only=True) as connection:
            found = warehouse.rows(
                connection, f"select {names} from landing.{contract.name} order by all"
            )
        return [tuple(row.values()) for row in found]


def run_night(settings: Settings, run_id: str) -> int | None:
    """One night; the generation's number, or None if there was nothing to do."""
    with open_night(settings, run_id) as night:
        take_in(
            settings.inbox,
            night.archive,
            night.ledger,
            FORMATS,
            night.clock,
            settle_seconds=0.0,
        )
        desk = Desk(
            data=night.data,
            archive=night.archive,
            ledger=night.ledger,
            formats=FORMATS,
            pseudonym=night.pseudonyms,
            days_of=lambda contract, file: set(),
            secret=night.secret,
            keep_days=KEEP_DAYS,
        )
        list(read_arrivals(desk, to_read(desk)))
        if night.nothing_to_do():
            return None
        warehouse.prepare(
            night.warehouse,
            landings=lake.landing_files(night.ledger, night.data, CONTRACTS),
            facts={},
            snapshot=night.tables(),
            visible_until=night.visible_until,
        )
        _mart(night)
        _facts(night)
        _report(night)
        for merge in lake.plan_merges(night.ledger, CONTRACTS):
            contract = next(c for c in CONTRACTS if c.name == merge.contract)
            lake.write_merge(night.data, merge, contract.schema)
            night.stage_merge(merge.sources, merge.path)
        return night.commit()


def _mart(night: Night) -> None:
    with warehouse.connect(night.warehouse) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.fct_jobs as select _sender as company_id, "
            "sum(gpu_hours) as gpu_hours, count(*) as jobs from landing.test__jobs "
            "group by 1 order by 1"
        )


def _totals(file: Path) -> list[dict[str, Any]]:
    with warehouse.connect(file, read_only=True) as connection:
        return warehouse.rows(connection, "select * from marts.fct_jobs order by company_id")


def _facts(night: Night) -> None:
    for total in _totals(night.warehouse):
        inputs = hashlib.sha256(repr(total).encode()).hexdigest()
        path = f"facts/test__totals/{total['company_id']}-{inputs[:12]}.parquet"
        with whole(night.data / path) as temporary:
            pq.write_table(pa.table({"gpu_hours": [total["gpu_hours"]]}), temporary)
        night.made.append(FactFile(path, "test__totals", total["company_id"], inputs, 1))


def _report(night: Night) -> None:
    folder = night.folder / "reports"
    total = sum((t["gpu_hours"] or Decimal(0) for t in _totals(night.warehouse)), Decimal(0))
    write_bytes(folder / "report.txt", f"{night.as_of} {total}".encode())

    def record(connection: sa.Connection, generation: int) -> None:
        connection.execute(
            sa.insert(ledger.reports).values(
                report="monthly",
                generation=generation,
                status="issued" if night.kind == "closing" else "draft",
                month=night.as_of.replace(day=1),
                audience="meti_nedo",
                folder=folder.relative_to(night.data).as_posix(),
            )
        )
        connection.execute(
            sa.insert(ledger.figures).values(
                report="monthly",
                generation=generation,
                figure="total//gpu_hours",
                label="合計",
                value=str(total),
                unit="GPU時間",
                decimals=1,
                clause="3-1-a",
                origin={"sql": "select 1", "match": {}},
            )
        )

    night.stage(record)


def settings_of(root: Path, as_of: date, ledger_url: str | None = None) -> Settings:
    return Settings(
        data=root / "data",
        inbox=root / "inbox",
        as_of=as_of,
        ledger_url=ledger_url,
        pseudonym_key=KEY,
    )


def small(patch: pytest.MonkeyPatch) -> None:
    """Few files to a merge, so that a handful of arrivals passes through merging too, and one
    program for all runs, also while somebody edits it."""
    patch.setattr(lake, "FAN_IN", 2)
    patch.setattr(night_module, "program_version", lambda: "small")


if __name__ == "__main__":
    small(pytest.MonkeyPatch())
    root, day, run = sys.argv[1:4]
    url = sys.argv[4] if len(sys.argv) > 4 else None
    print(run_night(settings_of(Path(root), date.fromisoformat(day), url), run))
