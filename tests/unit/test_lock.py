"""One writer at a time on a data folder; death frees the lock."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from geniac_pipelines.store.lock import Busy, exclusive

HOLD = (
    "import sys, time; from pathlib import Path; "
    "from geniac_pipelines.store.lock import exclusive\n"
    "with exclusive(Path(sys.argv[1]), 'nightly run-7'):\n"
    "    print('held', flush=True); time.sleep(600)"
)


def hold(folder: Path) -> subprocess.Popen[str]:
    """A process that holds the folder's lock until it is killed."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_night_is_refused_at_once_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    holder = hold(tmp_path)
    try:
        started = time.monotonic()
        with (
            pytest.raises(Busy, match=rf"process {holder.pid} \(nightly run-7\)"),
            exclusive(tmp_path, "mine"),
        ):
            pass
        assert time.monotonic() - started < 1
    finally:
        holder.kill()
        holder.wait()


def test_the_lock_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    holder = hold(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with exclusive(tmp_path, "after the kill"):
        assert "after the kill" in (tmp_path / "lock").read_text()


def test_two_holders_in_one_process_exclude_each_other(tmp_path: Path) -> None:
    with exclusive(tmp_path, "first"):
        with pytest.raises(Busy, match="first"), exclusive(tmp_path, "second"):
            pass
    with exclusive(tmp_path, "third"):
        pass
    assert (tmp_path / "lock").read_text() == ""


def test_the_lock_is_free_after_an_exception(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), exclusive(tmp_path, "failing"):
        raise RuntimeError
    with exclusive(tmp_path, "next"):
        assert (tmp_path / "lock").read_text().endswith("(next)\n")


def test_a_child_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    """dbt runs as a child and may outlive a killed night."""
    with exclusive(tmp_path, "night"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        with exclusive(tmp_path, "next night"):
            assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def test_other_folders_are_free(tmp_path: Path) -> None:
    with exclusive(tmp_path / "a", "one"), exclusive(tmp_path / "b", "two"):
        assert (tmp_path / "a" / "lock").exists()
