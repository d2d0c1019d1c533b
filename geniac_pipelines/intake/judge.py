"""Judging typed rows of handed-in files across rows and for plausibility, by Great Expectations.

Here: how declared expectations are put to the library, how what fails is named to the sender, and
which rows are withheld. `geniac check` and the night both judge with `Judge.through`. What is
expected stands beside the contracts (`<area>/expectations.py`). Great Expectations takes seconds
to load, so it is imported only when there are rows to judge.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from geniac_pipelines.contracts import Contract, Type
from geniac_pipelines.intake.reading import MASK, Complaint, Item, Place, Refusal, Row

if TYPE_CHECKING:
    import pandas as pd

_ROW: Final = "_judged_row"


@dataclass(frozen=True)
class Expectation:
    """One thing that rows of a contract are expected to be.

    `build` gets the module `great_expectations.expectations` and gives a map expectation (one that
    names its failing rows) over the contract's columns and those of `derived`, which are computed
    from the rows beforehand; a missing derived value is not judged. In the rows, decimals are
    floats, days and months are dates. `column` is where the remark is placed.

    The complaint's cost says what a failing row means: "doubt" for what may be right all the same
    (the row stays, the sender is asked), "row" for a broken invariant (the row is withheld).
    """

    contract: Contract
    column: str
    complaint: Complaint
    build: Callable[[Any], Any]
    derived: Mapping[str, Callable[[pd.DataFrame], pd.Series[Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.contract.column(self.column)
        if self.complaint.costs not in ("doubt", "row"):
            raise ValueError(f"{self.complaint.code}: an expectation costs a doubt or the row")


class Judge:
    """Judges the rows of files, one file at a time, and counts what it did.

    `rows` are rows judged by contract, `remarks` those of them that drew one, by contract and
    code. `faults`, by contract, kept rows from being judged: nobody's fault but ours.
    """

    def __init__(self, expectations: Sequence[Expectation]) -> None:
        self.expectations = tuple(expectations)
        self.rows: Counter[str] = Counter()
        self.remarks: Counter[tuple[str, str]] = Counter()
        self.faults: list[tuple[str, str]] = []
        self._contracts = {e.contract.name for e in expectations}

    def through(
        self, items: Iterable[Item], on_fault: Callable[[Exception], None] | None = None
    ) -> Iterator[Item]:
        """The items of one file, with the remarks on its rows at the end.

        Rows that are judged come last, less those that break an invariant. Where they can't be
        judged, all of them come, and `on_fault` is told; without it the exception is raised.
        """
        held: dict[str, list[Row]] = {}
        for item in items:
            if isinstance(item, Row) and item.contract.name in self._contracts:
                held.setdefault(item.contract.name, []).append(item)
            else:
                yield item
        for rows in held.values():
            yield from self._judge(rows, on_fault)

    def _judge(
        self, rows: Sequence[Row], on_fault: Callable[[Exception], None] | None
    ) -> Iterator[Item]:
        contract = rows[0].contract
        try:
            found = _remarks(contract, frame(rows), self.expectations)
        except OSError:
            raise  # a full disk is held against no file
        except Exception as error:
            self.faults.append((contract.name, f"{type(error).__name__}: {error}"))
            if on_fault is None:
                raise
            on_fault(error)
            found = []
        withheld = {position for position, r in found if r.complaint.costs == "row"}
        self.rows[contract.name] += len(rows)
        self.remarks.update((contract.name, r.complaint.code) for _, r in found)
        yield from (row for position, row in enumerate(rows) if position not in withheld)
        yield from (remark for _, remark in found)


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Rows of one contract as a table with their `_sheet` and `_line`, as landing has them."""
    import pandas as pd  # noqa: PLC0415 - as heavy as needless where nothing is judged

    records = [{**r.values, "_sheet": r.place.sheet, "_line": r.place.row} for r in rows]
    return pd.DataFrame(records)


def judge(
    contract: Contract, rows: pd.DataFrame, expectations: Sequence[Expectation]
) -> list[Refusal]:
    """Remarks on the rows of one file, in the order of rows and of expectations.

    `rows` has the contract's columns and, where the place of a row is known, `_sheet` and `_line`;
    a landing file read by pandas will do. Expectations of other contracts are left out. Raises
    RuntimeError where an expectation can't be evaluated, which is a fault of its declaration.
    """
    return [remark for _, remark in _remarks(contract, rows, expectations)]


def _remarks(
    contract: Contract, rows: pd.DataFrame, expectations: Sequence[Expectation]
) -> list[tuple[int, Refusal]]:
    """Remarks with the position of their row."""
    own = [e for e in expectations if e.contract.name == contract.name]
    if not own or rows.empty:
        return []
    table = _judged(contract, rows)
    for expectation in own:
        for name, compute in expectation.derived.items():
            table[name] = compute(table)
    found = sorted(
        (index, position)
        for position, failing in enumerate(_failing_rows(table, own))
        for index in failing
    )
    return [(index, _remark(contract, own[position], rows, index)) for index, position in found]


def _judged(contract: Contract, rows: pd.DataFrame) -> pd.DataFrame:
    table = rows.reset_index(drop=True)
    for column in contract.columns:
        if column.name not in table:
            table[column.name] = None
        if column.type in (Type.DECIMAL, Type.FLOAT, Type.INTEGER):
            table[column.name] = table[column.name].astype("float64")
    table[_ROW] = range(len(table))
    return table


def _failing_rows(table: pd.DataFrame, expectations: Sequence[Expectation]) -> list[list[int]]:
    """Positions of the rows that fail each expectation."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read once, when the library is imported
    import great_expectations as gx  # noqa: PLC0415 - takes seconds
    from great_expectations.data_context.types.base import (  # noqa: PLC0415
        ProgressBarsConfig,
    )

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas("handed_in")
        .add_dataframe_asset("rows")
        .add_batch_definition_whole_dataframe("all")
        .get_batch({"dataframe": table})
    )
    suite = gx.ExpectationSuite(name="judge")
    for number, expectation in enumerate(expectations):
        built = expectation.build(gx.expectations)
        built.meta = {"number": number}
        suite.add_expectation(built)
    outcome = batch.validate(
        suite,
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [_ROW],
            "return_unexpected_index_query": False,
        },
    )
    failing: list[list[int]] = [[] for _ in expectations]
    for result in outcome.results:
        number = _number(result)
        found = result.result.get("unexpected_index_list")
        if result.exception_info.get("raised_exception") or (not result.success and not found):
            code = expectations[number].complaint.code
            raise RuntimeError(f"{code} can't be evaluated: {result.exception_info}")
        failing[number] = [int(entry[_ROW]) for entry in found or ()]
    return failing


def _number(result: Any) -> int:
    number: int = result.expectation_config.meta["number"]
    return number


def _remark(
    contract: Contract, expectation: Expectation, rows: pd.DataFrame, index: int
) -> Refusal:
    row = rows.iloc[index]
    column = contract.column(expectation.column)
    # pandas may hold a missing text or number as NaN
    sheet, line, value = (
        None if v is None or v != v else v  # noqa: PLR0124 - only NaN differs from itself
        for v in (row.get("_sheet"), row.get("_line"), row.get(column.name))
    )
    place = Place(sheet, None if line is None else int(line), column.ja)
    hidden = column.personal or contract.personal
    shown = f"{value:%Y-%m}" if value is not None and column.type is Type.MONTH else f"{value}"
    cell = None if value is None else MASK if hidden else shown
    return expectation.complaint.at(place, cell, column=column.ja)
