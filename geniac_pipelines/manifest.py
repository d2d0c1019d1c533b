"""The build step that prepares dbt's manifest, only when the dbt project has changed.

Definitions then load without parsing; `dagster definitions validate` works on a clean checkout.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from geniac_pipelines.settings import DBT_PROJECT

PARTS = ("*.sql", "*.yml", "*.csv")


def main() -> None:
    """Parse the dbt project if its files differ from those the manifest was made from."""
    target = DBT_PROJECT / "target"
    stamp = target / "manifest.sha256"
    wanted = _digest()
    current = stamp.read_text() if stamp.exists() else ""
    if current == wanted and (target / "manifest.json").exists():
        return
    sys.stderr.write("== preparing dbt's manifest\n")
    dbt = Path(sys.executable).parent / "dbt"
    folders = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    outcome = subprocess.run(
        [str(dbt), "--quiet", "parse", *folders],
        check=False,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )
    if outcome.returncode:
        sys.exit("dbt could not parse its project; see the messages above")
    stamp.write_text(wanted)


def _digest() -> str:
    sha = hashlib.sha256()
    files = {f for p in PARTS for f in DBT_PROJECT.rglob(p) if "target" not in f.parts}
    for file in sorted(files):
        sha.update(str(file.relative_to(DBT_PROJECT)).encode() + file.read_bytes())
    return sha.hexdigest()


if __name__ == "__main__":
    main()
