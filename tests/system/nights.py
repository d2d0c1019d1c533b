"""The smallest programme and its nights, each in a process of its own that a test may kill."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from geniac_pipelines.sample.write import AS_OF

TINY = {"companies": 2, "gpus_per_company": 4, "months": 1, "telemetry_days": 1}
KEY = "k" * 32
GENIAC = (sys.executable, "-c", "from geniac_pipelines.cli import main; main()")
LONGEST_S = 600

SENDER = "GENIAC事務局 <geniac@example.jp>"
TO = ("shunin@example.jp", "tantou@example.jp")


def geniac(
    command: str, data: Path, environment: Mapping[str, str], failpoint: str = ""
) -> subprocess.Popen[str]:
    """Start a command on `data` and the inbox beside it, as of the programme's day."""
    folders = ("--data", str(data), "--inbox", str(data.parent / "inbox"))
    own = {"GENIAC_PSEUDONYM_KEY": KEY, "GENIAC_FAILPOINT": failpoint}
    return subprocess.Popen(
        [*GENIAC, command, *folders, "--as-of", AS_OF.isoformat()],
        env=os.environ | environment | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def done(process: subprocess.Popen[str]) -> str:
    """What a process said that must end well."""
    said, _ = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0, said[-4000:]
    return said


def killed(process: subprocess.Popen[str]) -> None:
    """Wait for a process that dies at its failpoint."""
    said, _ = process.communicate(timeout=LONGEST_S)
    assert process.returncode == -signal.SIGKILL, said[-4000:]
