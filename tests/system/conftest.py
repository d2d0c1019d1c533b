"""One real night that several modules go on from; where everything must run, no test is skipped."""

import os
from pathlib import Path

import pytest

from geniac_pipelines.sample.write import write_sample
from tests.system.nights import SENDER, TINY, TO, geniac, killed


@pytest.fixture(scope="session")
def committed(tmp_path_factory) -> Path:
    """What a night left that was killed between its commit and all that follows it: a folder with
    `data` and `inbox`. Two mails and a webhook's post wait in its outbox. Copy it before use."""
    folder = tmp_path_factory.mktemp("committed")
    write_sample(folder / "sample", **TINY)
    (folder / "sample" / "inbox").rename(folder / "inbox")
    configured = {
        "GENIAC_SMTP_HOST": "127.0.0.1",
        "GENIAC_MAIL_FROM": SENDER,
        "GENIAC_MAIL_TO": ",".join(TO),
        "GENIAC_WEBHOOK_URL": "http://127.0.0.1/hook",
    }
    killed(geniac("nightly", folder / "data", configured, "night-after-commit"))
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where CI is set, a system test that is skipped is one that failed."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {call.excinfo.value if call.excinfo else ''}"
    return report
