"""A night without Dagster: the same core calls in the same order, dbt as a child process."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

from geniac_pipelines.alerts.channels import channels
from geniac_pipelines.alerts.morning import Morning, record_morning
from geniac_pipelines.alerts.night import corrections, register, submissions
from geniac_pipelines.areas import CONTRACTS, EXPECTATIONS, FORMATS, days_of
from geniac_pipelines.findings.model import examination
from geniac_pipelines.findings.read import examined_rows
from geniac_pipelines.gpu_usage import facts
from geniac_pipelines.gpu_usage.forecast import write_analyses
from geniac_pipelines.gpu_usage.rollup import DAY_FACTS
from geniac_pipelines.intake.desk import Desk, read_arrivals, to_read
from geniac_pipelines.intake.judge import Judge
from geniac_pipelines.intake.sweep import take_in
from geniac_pipelines.night import open_night
from geniac_pipelines.reports import edition
from geniac_pipelines.settings import DBT_PROJECT, WAREHOUSE_VARIABLE, Settings
from geniac_pipelines.store.generations import current_files, version_of
from geniac_pipelines.store.lake import empty, landing_files, plan_merges, write_merge
from geniac_pipelines.store.warehouse import connect, prepare

BUILD = ["build", "--exclude-resource-type", "unit_test"]


def main(inbox: Path, data: Path, as_of: date) -> None:
    settings = Settings(data=data, inbox=inbox, as_of=as_of)
    with open_night(settings, "bare") as night:
        take_in(inbox, night.archive, night.ledger, FORMATS, night.clock)
        desk = Desk(
            data,
            night.archive,
            night.ledger,
            FORMATS,
            night.pseudonyms,
            days_of,
            night.secret,
            night.settings.personal_days,
            Judge(EXPECTATIONS),
        )
        for _ in read_arrivals(desk, to_read(desk)):
            pass
        hours = current_files(night.ledger, facts.HOURS)
        days = current_files(night.ledger, facts.DAYS)
        work = facts.outstanding(night.snapshot, hours)
        night.made += facts.remake(data, work, hours, days)
        days |= {f.part: f for f in night.made if f.table == facts.DAYS}
        day_files = [empty(data, facts.DAYS, DAY_FACTS), *facts.current_day_files(data, days)]
        prepare(
            night.warehouse,
            landings=landing_files(night.ledger, data, CONTRACTS),
            facts={facts.DAYS: day_files},
            snapshot=night.tables(),
            visible_until=night.visible_until,
        )
        folders = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
        subprocess.run(
            [str(Path(sys.executable).parent / "dbt"), *BUILD, *folders],
            check=True,
            env={**os.environ, WAREHOUSE_VARIABLE: str(night.warehouse)},
        )
        write_analyses(night.warehouse)
        ways = channels(settings)
        with connect(night.warehouse, read_only=True) as warehouse:
            morning = Morning(
                as_of=night.as_of,
                now=night.visible_until,
                examination=examination(examined_rows(warehouse)),
                register=register(warehouse),
                submissions=submissions(warehouse, night.as_of),
                corrections=corrections(warehouse),
                to=ways.to,
            )
        night.stage(lambda connection, number: record_morning(connection, number, morning))
        month = edition.running_month(night.snapshot, night.as_of)
        made = list(
            edition.make(
                night.warehouse,
                night.folder / "reports",
                month=month,
                as_of=night.as_of,
                version=version_of(night.inputs),
                issued=False,
                snapshot=night.snapshot,
            )
        )
        night.stage(lambda c, g: edition.put_on_record(c, g, made, data))
        for merge in plan_merges(night.ledger, CONTRACTS):
            contract = next(c for c in CONTRACTS if c.name == merge.contract)
            write_merge(data, merge, contract.schema)
            night.stage_merge(merge.sources, merge.path)
        night.commit()
        edition.publish(night.ledger, data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), date.fromisoformat(sys.argv[3]))
