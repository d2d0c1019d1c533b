"""Where the real files are that some tests read: `realdata("gpu_usage/…")`.

The files are not part of the repository. `GENIAC_REALDATA` names their folder; without it the
folder `shared/realdata` beside the checkout is used. Where there is none a test is skipped, but
under continuous integration (`CI` set) it fails, since there the folder is promised.
"""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def realdata(relative: str) -> Path:
    """Path of a real file or folder; skips the calling test where it is absent, fails it in CI."""
    configured = os.environ.get("GENIAC_REALDATA")
    root = Path(configured) if configured else REPOSITORY.parent / "shared" / "realdata"
    path = root / relative
    if path.exists():
        return path
    message = f"real file {relative!r} is not in {root} (set GENIAC_REALDATA to its folder)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
