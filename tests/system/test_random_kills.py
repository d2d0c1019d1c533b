"""Whole nights killed at random moments: whatever the moment, the end state is the undisturbed one.

Compared are the bytes of every report that people see, the contents of every mart, findings,
figures, readings, refusals and messages. Left out, since they name the run and not its result:
run ids (generations, folders), commit times of generations, times of registration, how far the
sending of a message has come, the mark of the installation, since when a key is in use, the
vault's ciphertexts (a fresh nonce each), and Dagster's own records.
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from geniac_pipelines.sample.write import AS_OF, write_sample
from geniac_pipelines.store import generations
from geniac_pipelines.store.ledger import Ledger, metadata
from geniac_pipelines.store.warehouse import connect, rows

pytestmark = pytest.mark.system

KILLS = int(os.environ.get("GENIAC_KILLS", "10"))
KILLS_A_ROUND = 10
LONGEST_S = 40.0
TINY = {"companies": 2, "gpus_per_company": 4, "months": 1, "telemetry_days": 1}
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


def night(inbox: Path, data: Path) -> subprocess.Popen:
    command = ["nightly", "--inbox", str(inbox), "--data", str(data), "--as-of", AS_OF.isoformat()]
    code = "from geniac_pipelines.cli import main; main()"
    environment = {**os.environ, "GENIAC_PSEUDONYM_KEY": "k" * 32}
    return subprocess.Popen(
        [sys.executable, "-c", code, *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


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


def test_killed_nights_end_as_an_undisturbed_one(tmp_path):
    inbox = tmp_path / "sample" / "inbox"
    write_sample(tmp_path / "sample", **TINY)
    undisturbed = tmp_path / "undisturbed"
    assert night(inbox, undisturbed).wait() == 0
    expected = state(undisturbed)
    chance = random.Random(20261005)
    kills = 0
    for number in range(-(-KILLS // KILLS_A_ROUND)):
        data = tmp_path / f"round-{number}"
        for _ in range(min(KILLS_A_ROUND, KILLS - kills)):
            process = night(inbox, data)
            time.sleep(chance.uniform(1.0, LONGEST_S / 2))
            # the process and dbt below it, as a power cut would
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
        assert night(inbox, data).wait() == 0
        found = state(data)
        assert found.keys() == expected.keys()
        assert [name for name in expected if found[name] != expected[name]] == []
    assert kills == KILLS
