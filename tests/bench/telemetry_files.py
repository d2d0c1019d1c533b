"""Files of the telemetry comparison, made in a child process.

python -m tests.bench.telemetry_files day FOLDER        day.json, and its landing file
python -m tests.bench.telemetry_files large FOLDER N    N companies' landing files
python -m tests.bench.telemetry_files same DATA HOURS DAYS   fails unless both are equal
"""

import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geniac_pipelines.sample.jobs import runs_of
from geniac_pipelines.sample.model import LAST_MONTH, epoch
from geniac_pipelines.sample.organisations import companies_of
from geniac_pipelines.sample.telemetry import Meters, write_day

GPUS = 64
INTERVAL_S = 15
DAY = LAST_MONTH.last


def write(folder: Path) -> None:
    """A day of a company with 64 GPUs, six metrics every 15 seconds: 2.2 million samples."""
    from tests.bench.our_telemetry import landed

    folder.mkdir(parents=True, exist_ok=True)
    companies = companies_of(1, GPUS, 1, 1)
    runs = runs_of(companies, 1, 1)
    file = folder / "day.json"
    write_day(
        companies[0], runs, DAY, file,
        interval=INTERVAL_S, seed=1, meters=Meters(), received_at=epoch(DAY + timedelta(days=1)),
    )  # fmt: skip
    landed(file, folder)


def multiply(folder: Path, companies: int) -> None:
    """The day's landing file with other UUIDs `companies` times, in one file."""
    table = pq.read_table(folder / "landing.parquet")
    column = table.schema.get_field_index("gpu_uuid")
    with pq.ParquetWriter(folder / "large.parquet", table.schema, compression="zstd") as writer:
        for number in range(companies):
            uuids = pc.replace_substring(
                table["gpu_uuid"], "GPU-", f"GPU-{number:03}", max_replacements=1
            )
            writer.write_table(table.set_column(column, "gpu_uuid", uuids), row_group_size=65_536)


def same(data: Path, hours: Path, days: Path) -> None:
    """Compare facts by value, in every column that the yardstick gives."""
    for table, theirs, at in (("hours", hours, "hour_start"), ("days", days, "day")):
        files = [
            str(f) for f in sorted((data / "facts" / f"gpu_usage__gpu_{table}").rglob("*.pa*"))
        ]
        names = [
            row[0]
            for row in duckdb.execute("describe from read_parquet($1)", [str(theirs)]).fetchall()
            if row[0] not in ("gpu", "mig", "hour")
        ]
        shown = ", ".join(names)
        key = "epoch_us(hour_start) // 1000000, " if table == "hours" else ""
        own = "hour, " if table == "hours" else ""
        found = duckdb.execute(
            f"with ours as (select gpu_uuid, mig_id, {key}{shown} from read_parquet($ours)), "
            f"theirs as (select gpu, mig, {own}{shown} from read_parquet($theirs)) "
            "select (select count(*) from ours), (select count(*) from theirs), "
            "(select count(*) from (from ours except all from theirs)), "
            "(select count(*) from (from theirs except all from ours))",
            {"ours": files, "theirs": str(theirs)},
        ).fetchone()
        assert found is not None
        if found[0] == 0 or found[0] != found[1] or found[2] or found[3]:
            raise SystemExit(f"{table} ({at}) differ: ours, theirs, only ours, only theirs {found}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["day", folder]:
            write(Path(folder))
        case ["large", folder, companies]:
            multiply(Path(folder), int(companies))
        case ["same", data, hours, days]:
            same(Path(data), Path(hours), Path(days))
