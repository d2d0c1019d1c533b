"""What a person at the command line is told when the place is at fault, not the program."""

import errno
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.exc import OperationalError

from geniac_pipelines.cli import main
from geniac_pipelines.known_faults import words_of
from geniac_pipelines.store.lock import Busy, exclusive


def geniac(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, [*arguments], env=environment)


def told(result: Result) -> str:
    """The words; what is neither an exit nor a word would be a stack trace."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    return result.output


def test_a_damaged_ledger_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"garbage" * 1000)
    said = told(geniac("findings", "list", "--data", str(tmp_path)))
    assert "データベース（台帳またはDagsterの記録）を読み書きできません" in said
    assert "file is not a database" in said
    assert "operations.md" in said


def test_a_ledger_that_is_gone_is_told_in_both_languages(tmp_path: Path) -> None:
    assert geniac("reports", "list", "--data", str(tmp_path)).exit_code == 0
    (tmp_path / "ledger.sqlite").unlink()
    said = told(geniac("reports", "list", "--data", str(tmp_path)))
    assert "台帳とデータフォルダの組合せが違います" in said
    assert "has been worked in, but the ledger" in said


@pytest.mark.parametrize(
    ("environment", "data"),
    [({"GENIAC_SMTP_HOST": "x", "GENIAC_SMTP_PORT": "abc"}, "a"), ({}, "q?b")],
)
def test_settings_that_cannot_be_read_stop_every_command(tmp_path, environment, data) -> None:
    said = told(geniac("outbox", "--data", str(tmp_path / data), **environment))
    assert "設定を読めません" in said
    assert list(tmp_path.iterdir()) == []


def test_who_holds_the_folder_is_told(tmp_path: Path) -> None:
    with exclusive(tmp_path, "nightly 1"), pytest.raises(Busy) as busy, exclusive(tmp_path, "x"):
        pass
    words = words_of(busy.value)
    assert words is not None
    assert "ほかの処理" in words
    assert "nightly 1" in words


def test_a_full_disk_is_told_wherever_it_shows() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/data/x")
    assert "空き容量" in (words_of(full) or "")
    assert "disk I/O error" in (
        words_of(OperationalError("", {}, Exception("disk I/O error"))) or ""
    )


def test_a_fault_of_the_program_keeps_its_stack_trace() -> None:
    assert words_of(KeyError("x")) is None
    assert words_of(OSError(errno.EISDIR, "Is a directory")) is None
