"""Loading the definitions against importing the libraries that they stand on."""

from collections.abc import Iterator

from tests.bench.measure import Bench, Pairs, compare

GOAL = 1.5


def measure(bench: Bench) -> Iterator[Pairs]:
    yield compare(
        "definitions",
        "definitions load / import dagster, dagster_dbt",
        lambda: bench.python("-c", "import geniac_pipelines.definitions"),
        lambda: bench.python("-c", "import dagster, dagster_dbt"),
        runs=bench.runs,
        goal=GOAL,
        workload={"bytecode": "cached"},
    )
