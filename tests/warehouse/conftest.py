"""The warehouse that the tests of this folder share: one dbt run serves them all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from geniac_pipelines.store.warehouse import connect
from tests.warehouse import programme
from tests.warehouse.build import build


@pytest.fixture(scope="session")
def small_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(
        tmp_path_factory.mktemp("warehouse"),
        programme.arrivals(),
        gpu_days=programme.gpu_days(),
        decided=programme.decisions(),
        as_of=programme.AS_OF,
        unit_tests=True,
    )


@pytest.fixture
def small(small_warehouse: Path) -> Iterator[Any]:
    """A read-only connection to it."""
    with connect(small_warehouse, read_only=True) as connection:
        yield connection
