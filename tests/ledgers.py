"""Ledgers for tests: SQLite always, PostgreSQL where GENIAC_TEST_POSTGRES holds its URL.

A test that asks for `ledger` runs once on each; on PostgreSQL in a schema of its own.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from geniac_pipelines.store.ledger import Ledger

VARIABLE = "GENIAC_TEST_POSTGRES"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty ledger."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.sqlite'}"
        return
    configured = os.environ.get(VARIABLE)
    if not configured:
        pytest.skip(f"{VARIABLE} is not set")
    with postgres_schema(configured) as url:
        yield url


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """An empty ledger, its tables made."""
    made = Ledger(ledger_url)
    made.prepare()
    yield made
    made.engine.dispose()


@contextmanager
def postgres_schema(url: str) -> Iterator[str]:
    """A fresh schema of the database at `url`, dropped at the end; gives the URL leading there."""
    base = sa.make_url(url).set(drivername="postgresql+psycopg2")
    name = f"test_{secrets.token_hex(8)}"
    engine = sa.create_engine(base)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"create schema {name}")
    try:
        there = base.update_query_dict({"options": f"-csearch_path={name}"})
        yield there.render_as_string(hide_password=False)
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"drop schema {name} cascade")
        engine.dispose()
