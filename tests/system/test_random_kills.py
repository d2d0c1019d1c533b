"""Whole nights killed at random moments: whatever the moment, the end state is the undisturbed one.

A moment is a phase of the night and a share of its usual length, so that short phases are hit as
well as long ones. The successor of a killed night is killed as well, some times over; then one may
end, and what it leaves is compared: the bytes of every report that people see, the contents of
every mart, findings, figures, readings, refusals and messages. Left out, since they name the run
and not its result: run ids (generations, folders), commit times of generations, times of
registration, how far the sending of a message has come, the mark of the installation, and Dagster's
own records.

GENIAC_KILLS is the number of kills, GENIAC_KILLS_SEED repeats the moments of an earlier run.
"""

import hashlib
import itertools
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from geniac_pipelines.sample.write import write_sample
from geniac_pipelines.store import generations
from geniac_pipelines.store.ledger import Ledger, metadata
from geniac_pipelines.store.warehouse import connect, rows
from tests.system.forked_nights import AFTER, ForkedNight, Phase
from tests.system.nights import TINY

pytestmark = pytest.mark.system

KILLS = int(os.environ.get("GENIAC_KILLS") or (50 if os.environ.get("CI") else 10))
SEED = os.environ.get("GENIAC_KILLS_SEED") or secrets.token_hex(4)
KILLS_A_SEQUENCE = 13
AT_ONCE = 2
KILLED_ALONE = 0.3
"""Share of nights that are killed without their children: an orphaned dbt goes on."""
AFTER_COMMIT = 3
"""Kills on a data folder whose nights find everything done."""
TRIES = 6
"""Nights for each kill: one that finds little to do ends before a late moment comes."""
WEIGHTS = {
    "dbt": 10, "analyses__gpu_usage__plan_forecasts": 1, "findings": 1, "monthly_reports": 2,
    "generation": 4, AFTER: 2,
}  # fmt: skip
USUAL_WEIGHT = 6
"""How often a phase is chosen: the child at work most of all; what comes late in a night costs a
whole one, and is chosen as often as fifty kills in some minutes allow."""
LEFT_OUT = {
    "generations": {"run_id", "warehouse", "committed_at"},
    "arrivals": {"registered_at"},
    "reports": {"folder"},
    # a drain that was killed keeps its messages for the five minutes of its lease
    "messages": {
        "state", "sent_at", "sent_by", "attempts", "claimed_by", "claimed_until", "next_attempt_at",
        "last_error",
    },
    "installation": {"id"},
    # encrypted under a fresh nonce each time; since when a key is in use is the real clock's
    "people": {"sealed"},
    "secret_keys": {"since"},
}  # fmt: skip


@dataclass(frozen=True)
class Usual:
    """The phases of an undisturbed night, and of one that finds everything done."""

    whole: Sequence[Phase]
    idle: Sequence[Phase]
    expected: dict[str, object]


@dataclass
class Record:
    """What was killed: where it was meant to be hit, where it was, how long it had lived."""

    lines: list[str] = field(default_factory=list)
    hits: Counter[str] = field(default_factory=Counter)
    nights: list[ForkedNight] = field(default_factory=list)

    def add(
        self, number: int, phase: Phase, share: float, night: ForkedNight, *, alone: bool
    ) -> None:
        lived = time.monotonic() - night.started
        self.nights.append(night)
        self.hits[night.phase] += 1
        self.lines.append(
            f"  sequence {number:2}: {share:4.0%} into {phase.name}; hit {night.phase}, "
            f"{lived:5.1f} s old, {'alone' if alone else 'with its children'}"
        )

    def bury(self) -> None:
        """End children that outlived their night."""
        for night in self.nights:
            night.bury()

    def text(self, usual: Usual) -> str:
        usually = ", ".join(f"{p.name} {p.seconds:.1f} s" for p in usual.whole)
        most = max(self.hits.values(), default=1)
        order = [phase.name for phase in usual.whole]
        bars = [
            f"  {name:36} {self.hits[name]:3} {'#' * round(40 * self.hits[name] / most)}"
            for name in order
        ]
        head = [f"\n{sum(self.hits.values())} kills, GENIAC_KILLS_SEED={SEED}", f"  {usually}"]
        return "\n".join([*head, *sorted(self.lines), *bars])


def state(data: Path) -> dict[str, object]:
    """What must be the same, by name."""
    found: dict[str, object] = {
        p.relative_to(data).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted((data / "reports").rglob("*"))
        if p.is_file()
    }
    ledger = Ledger(f"sqlite:///{data / 'ledger.sqlite'}")
    with ledger.reading() as connection:
        for table in metadata.sorted_tables:
            columns = [c for c in table.columns if c.name not in LEFT_OUT.get(table.name, ())]
            if not columns:
                continue
            content = [tuple(r) for r in connection.execute(sa.select(*columns))]
            # the digest names the data folder where it writes mails as files
            words = [repr(row).replace(str(data), "DATA") for row in content]
            found[f"ledger.{table.name}"] = sorted(words)
    last = generations.latest(ledger)
    assert last is not None
    with connect(data / last.warehouse, read_only=True) as connection:
        marts = rows(
            connection,
            "select table_schema || '.' || table_name as name from information_schema.tables "
            "where table_schema in ('marts', 'findings') order by 1",
        )
        for mart in marts:
            content = rows(connection, f"select * from {mart['name']} order by all")
            found[mart["name"]] = repr(content)
    ledger.engine.dispose()
    return found


def committed(data: Path) -> bool:
    """Whether any night came through its commit."""
    file = data / "ledger.sqlite"
    if not file.exists():
        return False
    engine = sa.create_engine(f"sqlite:///{file}")
    try:
        with engine.connect() as connection:
            tables = sa.inspect(connection).get_table_names()
            return "generations" in tables and bool(
                connection.execute(sa.text("select count(*) from generations")).scalar()
            )
    finally:
        engine.dispose()


def kill_once(number: int, data: Path, usual: Usual, chance: random.Random, record: Record) -> bool:
    """Start a night and kill it; False if it ended before its moment came."""
    phases = usual.idle if committed(data) else usual.whole
    (phase,) = chance.choices(phases, [WEIGHTS.get(p.name, USUAL_WEIGHT) for p in phases])
    share, alone = chance.random(), chance.random() < KILLED_ALONE
    night = ForkedNight(data)
    there = phase is phases[0] or night.reaches(phase.name)
    if not there or not night.lives(share * phase.seconds):
        assert night.ends(), f"a night failed by itself: {data}.log"
        return False
    night.kill(alone=alone)
    record.add(number, phase, share, night, alone=alone)
    return True


def kill_some(
    number: int, data: Path, most: int, usual: Usual, chance: random.Random, record: Record
) -> int:
    """Kill nights on one data folder, so many at most, few once one came through its commit."""
    killed = idle = 0
    for _ in range(TRIES * most):
        if killed == most or idle == AFTER_COMMIT:
            break
        through = committed(data)
        hit = kill_once(number, data, usual, chance, record)
        killed += hit
        idle += hit and through
    assert killed, "no night was still alive when its time came"
    return killed


def run_sequence(number: int, kills: int, folder: Path, usual: Usual, record: Record) -> list[str]:
    """So many kills; what differs by name when a night at last ran to its end on their folders."""
    chance = random.Random(f"{SEED}/{number}")
    differences: list[str] = []
    parts = itertools.count()
    while kills:
        data = folder / f"data-{number}-{next(parts)}"
        kills -= kill_some(number, data, kills, usual, chance, record)
        assert ForkedNight(data).ends(), f"the night after the kills failed: {data}.log"
        found = state(data)
        names = sorted(found.keys() | usual.expected.keys())
        differences += [f"{data.name}: {n}" for n in names if found.get(n) != usual.expected.get(n)]
    return differences


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("kills")
    write_sample(made / "sample", **TINY)
    (made / "sample" / "inbox").rename(made / "inbox")
    return made


@pytest.fixture(scope="module")
def usual(folder) -> Usual:
    data = folder / "undisturbed"
    whole = ForkedNight(data)
    assert whole.ends(), f"{data}.log"
    idle = ForkedNight(data)
    assert idle.ends(), f"{data}.log"
    # the first night waited until all modules were loaded
    before, *_ = idle.phases()
    return Usual([before, *whole.phases()[1:]], idle.phases(), state(data))


def test_killed_nights_end_as_an_undisturbed_one(folder, usual, capsys):
    record = Record()
    sequences = max(AT_ONCE, -(-KILLS // KILLS_A_SEQUENCE))
    sizes = [len(range(number, KILLS, sequences)) for number in range(sequences)]
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            runs = [
                pool.submit(run_sequence, number, kills, folder, usual, record)
                for number, kills in enumerate(sizes)
            ]
        differences = {number: run.result() for number, run in enumerate(runs)}
    finally:
        record.bury()
        with capsys.disabled():
            print(record.text(usual))
    assert {number: names for number, names in differences.items() if names} == {}
    assert sum(record.hits.values()) == KILLS
