"""A night: excluded, repeatable, published at once or not at all, whatever kills it and where."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from geniac_pipelines import night as module
from geniac_pipelines.calendar import Month
from geniac_pipelines.night import AlreadyIssued, NothingStaged, open_ledger, open_night
from geniac_pipelines.settings import ROOT, Clock, Settings
from geniac_pipelines.store import generations, ledger, warehouse
from geniac_pipelines.store.archive import Archive
from geniac_pipelines.store.identity import WrongLedger
from geniac_pipelines.store.lock import Busy
from tests.small_night import SECRET, jobs, plans, run_night, settings_of, small

DAY = date(2026, 10, 5)
PROGRAM_VERSION = module.program_version
FILES = {
    "a/1.csv": jobs((1, "2.5"), (2, "bad"), (3, "0.5")),
    "a/2.csv": jobs((3, "1.5"), (4, "1")),
    "a/3.txt": plans("x", "y"),
    "b/1.csv": jobs((5, "4"), cluster="c2"),
    "b/broken.csv": jobs((6, "1")) + b"!raise\n",
    "b/unknown.bin": b"\x01\x02",
    "b/4.csv": jobs((7, "1"), cluster="c2"),
    "b/notes.txt": "#notes\n山田さんは元気\n".encode(),
}
LATER_FILES = {
    "a/1.csv": jobs((1, "3")),
    "a/5.csv": jobs((8, "1")),
    "b/notes.txt": "#notes\n鈴木さんも元気\n".encode(),
}


def fill(root: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (root / "inbox" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "inbox" / path).write_bytes(content)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    fill(tmp_path, FILES)
    return settings_of(tmp_path, DAY)


def process(
    root: Path, run_id: str, day: date = DAY, failpoint: str | None = None
) -> subprocess.CompletedProcess[str]:
    """A night in a process of its own, which may be killed at a failpoint."""
    env = {k: v for k, v in os.environ.items() if k != "GENIAC_FAILPOINT"}
    if failpoint:
        env["GENIAC_FAILPOINT"] = failpoint
    return subprocess.run(
        [sys.executable, "-m", "tests.small_night", str(root), day.isoformat(), run_id],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


# What two runs of the same work may differ in: the name of the run (and the folder that bears it),
# the mark of the installation, when this machine registered an arrival, times of change of files
# in two inboxes, the addresses in a traceback, when the key came, and how a name was encrypted.
NEVER_THE_SAME: dict[str, set[str]] = {
    "installation": {"id"},
    "arrivals": {"registered_at"},
    "sightings": {"mtime_ns"},
    "readings": {"error"},
    "generations": {"run_id", "warehouse"},
    "reports": {"folder"},
    "secret_keys": {"since"},
    "people": {"sealed"},
}


def ledger_contents(settings: Settings) -> dict[str, list[str]]:
    """Every table of the ledger, less NEVER_THE_SAME, in the order of its key."""
    opened = open_ledger(settings)
    contents = {}
    with opened.reading() as connection:
        for table in ledger.metadata.sorted_tables:
            columns = [c for c in table.columns if c.name not in NEVER_THE_SAME.get(table.name, ())]
            found = connection.execute(sa.select(*columns).order_by(*columns)) if columns else []
            contents[table.name] = [repr(tuple(row)) for row in found]
    opened.engine.dispose()
    return contents


def file_contents(settings: Settings) -> dict[str, str]:
    """SHA-256 of every file of the data folder, or the rows of the marts for a warehouse; of a
    sealed object the plain bytes, since it is encrypted differently each time.

    Not compared: the ledger (its contents are), its mark, the lock.
    """
    data = settings.data
    runs = {r: f"<run {n}>" for n, r in generations.kept(open_ledger(settings), 99).items()}
    contents = {}
    for file in sorted(p for p in data.rglob("*") if p.is_file()):
        path = file.relative_to(data).as_posix()
        if path.startswith(("ledger", "lock")):
            continue
        for run, number in runs.items():
            path = path.replace(f"generations/{run}/", f"generations/{number}/")
        if file.suffix == ".duckdb":
            with warehouse.connect(file, read_only=True) as connection:
                rows = warehouse.rows(connection, "from marts.fct_jobs order by all")
            contents[path] = repr(rows)
        elif file.suffix == ".sealed":
            sealed = Archive(data / "archive", secret=SECRET)
            contents[path] = repr(b"".join(sealed.chunks(file.stem)))
        else:
            contents[path] = hashlib.sha256(file.read_bytes()).hexdigest()
    return contents


def two_nights(root: Path, failpoint: str | None, second: bool) -> tuple[Any, Any]:
    """A night, then another with new files; killed once, in the first or the second of them.

    After each, one more night that finds nothing to do but to sweep.
    """
    settings = settings_of(root, DAY)
    for number, files in enumerate((FILES, LATER_FILES), start=1):
        fill(root, files)
        if failpoint and second == (number == 2):
            killed = process(root, f"killed-{number}", failpoint=failpoint)
            assert killed.returncode == -signal.SIGKILL, f"never reached: {killed.stderr}"
        for attempt in ("run", "sweep"):
            run_night(settings, f"{attempt}-{number}")
    return ledger_contents(settings), file_contents(settings)


@pytest.fixture(autouse=True, scope="module")
def small_merges() -> Iterator[None]:
    """Here too what is small in the nights that run in processes of their own."""
    with pytest.MonkeyPatch.context() as patch:
        small(patch)
        yield


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    return two_nights(tmp_path_factory.mktemp("undisturbed"), None, False)


@pytest.mark.failpoints
@pytest.mark.parametrize(
    ("failpoint", "second"),
    [
        ("object-stored", False),
        ("object-stored:2", True),
        ("object-sealed", False),
        ("object-sealed", True),
        ("file-before-rename", False),
        ("file-before-rename", True),
        ("file-before-rename:3", True),
        ("ledger-before-commit:2", False),
        ("ledger-before-commit", True),
        ("ledger-after-commit", False),
        ("ledger-after-commit:2", True),
        ("night-before-commit", False),
        ("night-before-commit", True),
        ("night-after-commit", False),
        ("night-after-commit", True),
    ],
)
def test_a_killed_night_run_again_gives_what_an_undisturbed_one_gives(
    tmp_path: Path, undisturbed: tuple[Any, Any], failpoint: str, second: bool
) -> None:
    contents, files = two_nights(tmp_path, failpoint, second)
    assert contents == undisturbed[0]
    assert files == undisturbed[1]


@pytest.mark.failpoints
def test_a_kill_in_the_committing_transaction_publishes_nothing(tmp_path: Path) -> None:
    """Each transaction of the night is killed in turn; the last one is the commit."""
    fill(tmp_path, {"a/1.csv": FILES["a/1.csv"]})
    for passage in range(1, 50):
        killed = process(tmp_path, f"killed-{passage}", failpoint=f"ledger-before-commit:{passage}")
        if killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert generations.latest(open_ledger(settings_of(tmp_path, DAY))) is None
    else:
        pytest.fail("never ended")
    latest = generations.latest(open_ledger(settings_of(tmp_path, DAY)))
    assert latest is not None
    assert latest.generation == 1


def test_a_second_night_is_refused_at_once(settings: Settings) -> None:
    with open_night(settings, "first"):
        refused = process(settings.data.parent, "second")
    assert refused.returncode == 1
    assert "Busy" in refused.stderr
    assert "nightly first" in refused.stderr
    assert run_night(settings, "third") == 1


def test_two_processes_that_start_together_take_each_file_once(settings: Settings) -> None:
    command = [sys.executable, "-m", "tests.small_night", str(settings.data.parent), str(DAY)]
    both = [
        subprocess.Popen([*command, run], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for run in ("one", "two")
    ]
    ends = [(p.communicate(timeout=120)[1], p.returncode) for p in both]
    assert 0 in {code for _, code in ends}
    for stderr, code in ends:
        assert code == 0 or "Busy" in stderr
    contents = ledger_contents(settings)
    assert len(contents["arrivals"]) == len(FILES)
    assert len(contents["generations"]) == 1


def test_a_night_without_news_has_nothing_to_do(settings: Settings) -> None:
    assert run_night(settings, "r1") == 1
    assert run_night(settings, "r2") is None
    assert run_night(replace(settings, as_of=DAY + timedelta(days=1)), "r3") == 2
    assert not (settings.data / "generations" / "r2").exists()


def test_a_warehouse_that_somebody_removed_is_made_again(settings: Settings) -> None:
    run_night(settings, "r1")
    (settings.data / "generations" / "r1" / "warehouse.duckdb").unlink()
    assert run_night(settings, "r2") == 2


def test_a_new_program_makes_the_night_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_night(settings, "r1")
    monkeypatch.setattr(module, "program_version", lambda: "another")
    assert run_night(settings, "r2") == 2


def test_the_version_of_the_program_covers_code_sql_and_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("geniac_pipelines/a.py", "dbt_project/m.sql", "dbt_project/target/m.sql"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("1")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    version = PROGRAM_VERSION.__wrapped__
    versions = [version()]
    (tmp_path / "dbt_project/target/m.sql").write_text("2")
    assert version() == versions[0]
    for path in ("geniac_pipelines/a.py", "dbt_project/m.sql"):
        (tmp_path / path).write_text("2")
        versions.append(version())
    assert len(set(versions)) == 3


def test_what_dead_nights_left_is_swept_and_what_was_published_never(settings: Settings) -> None:
    run_night(settings, "r1")
    published = file_contents(settings)
    data = settings.data
    for left in (
        "generations/dead/warehouse.duckdb",
        "landing/test__jobs/dead.parquet",
        "landing/test__jobs/.dead.parquet.0000.part",
        "facts/test__totals/dead.parquet",
        "archive/.incoming-0000.part",
        "work/geniac-object-x/object",
        ".ledger-id.0000.part",
        "keys/.pseudonym.key.0000.part",
    ):
        (data / left).parent.mkdir(parents=True, exist_ok=True)
        (data / left).write_bytes(b"half")
    with open_night(settings, "r2"):
        pass
    assert file_contents(settings) == published


def test_what_a_published_warehouse_reads_stays_as_long_as_it_does(settings: Settings) -> None:
    """Views on landing files: each night merges, and its sources are another night's."""
    for n in range(1, 6):
        fill(settings.data.parent, {f"a/more-{n}.csv": jobs((100 + n, "1"))})
        run_night(replace(settings, as_of=DAY + timedelta(days=n)), f"r{n}")
    with open_night(settings, "look"):
        pass
    for n in (3, 4, 5):
        file = settings.data / "generations" / f"r{n}" / "warehouse.duckdb"
        with warehouse.connect(file, read_only=True) as connection:
            found = warehouse.rows(
                connection, "select job_id from landing.test__jobs where job_id > 100 order by 1"
            )
        assert [r["job_id"] for r in found] == [100 + m for m in range(1, n + 1)]


def test_a_file_among_the_generations_does_no_harm(settings: Settings) -> None:
    run_night(settings, "r1")
    (settings.data / "generations" / ".DS_Store").write_bytes(b"x")
    assert run_night(settings, "r2") is None


def test_old_generations_go_and_those_with_an_issued_report_stay(settings: Settings) -> None:
    for n in range(1, 7):
        fill(settings.data.parent, {"a/9.csv": jobs((9, str(n)))})
        day = replace(settings, as_of=DAY + timedelta(days=n))
        run_night(day, f"r{n}")
        if n == 2:
            with open_ledger(settings).transaction() as connection:
                connection.execute(
                    sa.update(ledger.reports)
                    .where(ledger.reports.c.generation == 2)
                    .values(status="issued")
                )
    with open_night(settings, "look"):
        pass
    data = settings.data
    assert sorted(p.name for p in (data / "generations").iterdir()) == ["r2", "r4", "r5", "r6"]
    # one fact file of "a" for each of these generations, one of "b" for all of them
    assert len(list((data / "facts").rglob("a-*.parquet"))) == 4
    assert len(list((data / "facts").rglob("b-*.parquet"))) == 1
    with open_ledger(settings).reading() as connection:
        assert sorted(connection.execute(sa.select(ledger.figures.c.generation)).scalars()) == [
            2,
            4,
            5,
            6,
        ]
    for run in ("r2", "r4", "r5", "r6"):
        with warehouse.connect(
            data / "generations" / run / "warehouse.duckdb", read_only=True
        ) as c:
            assert warehouse.rows(c, "select count(*) as n from marts.fct_jobs") == [{"n": 2}]


def test_the_wrong_ledger_sweeps_nothing(settings: Settings, tmp_path: Path) -> None:
    """A mistyped GENIAC_LEDGER_URL must not cost the landed files and issued reports."""
    run_night(settings, "r1")
    before = file_contents(settings)
    wrong = replace(settings, ledger_url=f"sqlite:///{tmp_path / 'typo.sqlite'}")
    with pytest.raises(WrongLedger), open_night(wrong, "r2"):
        pass
    assert file_contents(settings) == before
    assert run_night(replace(settings, as_of=DAY + timedelta(days=1)), "r3") == 2


def test_a_commit_that_fails_leaves_the_last_generation(settings: Settings) -> None:
    run_night(settings, "r1")
    before = ledger_contents(settings)

    def fail(connection: object, generation: int) -> None:
        raise RuntimeError("staged work failed")

    def attempt() -> None:
        with open_night(settings, "r2") as night:
            night.folder.mkdir(parents=True)
            night.warehouse.touch()
            night.stage(fail)
            night.after_commit(lambda: pytest.fail("nothing was committed"))
            night.commit()

    with pytest.raises(RuntimeError, match="staged work failed"):
        attempt()
    assert ledger_contents(settings) == before


def test_what_follows_the_commit_is_done_after_it(settings: Settings) -> None:
    told: list[object] = []
    with open_night(settings, "r1") as night:
        night.folder.mkdir(parents=True)
        night.warehouse.touch()
        night.stage(lambda connection, generation: told.append(generation))
        night.after_commit(lambda: told.append(night.latest()))
        assert night.commit() == 1
    assert told[0] == 1
    assert isinstance(told[1], generations.Generation)


def test_a_commit_without_work_is_refused(settings: Settings) -> None:
    with open_night(settings, "r1") as night, pytest.raises(NothingStaged):
        night.commit()


def test_an_unknown_kind_of_run_is_refused(settings: Settings) -> None:
    with pytest.raises(ValueError, match="weekly"), open_night(settings, "r1", "weekly"):
        pass


def test_the_lock_is_free_after_a_night_that_failed(settings: Settings) -> None:
    with pytest.raises(RuntimeError), open_night(settings, "r1"):
        raise RuntimeError
    with pytest.raises(Busy), open_night(settings, "r2"), open_night(settings, "r3"):
        pass
    assert run_night(settings, "r4") == 1


def test_the_instants_of_a_night_are_fixed_when_first_asked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_night(replace(settings, as_of=None), "r1") as night:
        first = (night.as_of, night.visible_until)
        monkeypatch.setattr(Clock, "now", lambda self: datetime.max)
        assert (night.as_of, night.visible_until) == first


def test_a_clock_set_back_hides_for_a_while_and_loses_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = replace(settings, as_of=None)
    run_night(live, "r1")
    arrived = ledger_contents(settings)["arrivals"]
    right = Clock.now

    with monkeypatch.context() as patch:
        patch.setattr(Clock, "now", lambda self: right(self) - timedelta(days=400))
        patch.setattr(Clock, "receipt", lambda self: right(self) - timedelta(days=400))
        assert run_night(live, "r2") == 2
    with warehouse.connect(
        settings.data / "generations" / "r2" / "warehouse.duckdb", read_only=True
    ) as connection:
        assert warehouse.rows(connection, "from marts.fct_jobs") == []
    assert run_night(live, "r3") == 3
    assert ledger_contents(settings)["arrivals"] == arrived
    with warehouse.connect(
        settings.data / "generations" / "r3" / "warehouse.duckdb", read_only=True
    ) as connection:
        assert len(warehouse.rows(connection, "from marts.fct_jobs")) == 2


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own; skips where we may not mount one."""
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_said_and_room_mends_it(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "24m") as disk:
        inbox = tmp_path / "inbox"
        settings = replace(settings_of(tmp_path, DAY), data=disk)
        fill(tmp_path, FILES)
        assert run_night(settings, "r1") == 1
        before = ledger_contents(settings)
        # bytes that do not compress, more than the disk has room for
        fill(tmp_path, {"a/big.bin": os.urandom(30 << 20), "a/new.csv": jobs((8, "1"))})
        with pytest.raises(OSError, match="No space left"):
            run_night(settings, "r2")
        assert generations.latest(open_ledger(settings)) is not None
        assert ledger_contents(settings)["generations"] == before["generations"]
        assert not list((disk / "archive").glob(".incoming*"))
        (inbox / "a" / "big.bin").unlink()
        assert run_night(settings, "r3") == 2
        assert len(ledger_contents(settings)["arrivals"]) == len(FILES) + 1


def test_a_disk_that_fills_up_anywhere_in_the_night_costs_the_night_alone(tmp_path: Path) -> None:
    """Ballast leaves less and less room, so that each step in turn meets the full disk."""
    with small_disk(tmp_path / "disk", "24m") as disk:
        settings = replace(settings_of(tmp_path, DAY), data=disk)
        fill(tmp_path, FILES)
        run_night(settings, "r0")
        failed = 0
        for n, room in enumerate((40, 100, 300, 700, 1500)):
            fill(tmp_path, {f"a/more-{n}.csv": jobs(*((j, "1") for j in range(2_000)))})
            free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            (disk / "ballast").write_bytes(bytes(max(free - room * 1024, 0)))
            try:
                run_night(settings, f"full-{n}")
            except Exception as error:  # noqa: BLE001 - DuckDB, SQLite and the system each have theirs
                assert any(
                    words in str(error).lower() for words in ("no space left", "full", "disk i/o")
                ), error
                failed += 1
            (disk / "ballast").unlink()
            run_night(settings, f"after-{n}")
            readings = ledger_contents(settings)["readings"]
            assert sum("failed" in r for r in readings) == 1  # broken.csv, and no other
        assert failed >= 2


def test_a_read_only_folder_is_said(settings: Settings, tmp_path: Path) -> None:
    run_night(settings, "r1")
    if os.geteuid() == 0:
        with small_disk(tmp_path / "disk", "24m") as disk:
            moved = replace(settings, data=disk)
            # as a mount of its own, since open files keep the disk itself from becoming read-only
            subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
            subprocess.run(["mount", "-o", "remount,bind,ro", str(disk)], check=True)
            with pytest.raises(OSError, match="Read-only file system: .*lock"):
                run_night(moved, "r1")
            subprocess.run(["umount", str(disk)], check=True)
            assert run_night(moved, "r2") == 1
        return
    (settings.data / "lock").chmod(0o444)
    with pytest.raises(PermissionError, match="lock"):
        run_night(settings, "r2")
    (settings.data / "lock").chmod(0o644)
    assert run_night(settings, "r3") is None


def test_a_month_whose_reports_were_issued_is_never_closed_again(settings):
    with open_ledger(settings).transaction() as connection:
        connection.execute(
            sa.insert(ledger.reports).values(
                report="monthly/2026-08/meti_nedo",
                generation=1,
                status="issued",
                month=date(2026, 8, 1),
                audience="meti_nedo",
                folder="generations/first/reports/meti_nedo",
            )
        )
    with (
        pytest.raises(AlreadyIssued, match="2026-08 は締め済み"),
        open_night(settings, "again", "closing", Month(2026, 8)),
    ):
        pass
    with open_night(settings, "next", "closing", Month(2026, 9)) as night:
        assert night.month_to_close == Month(2026, 9)
