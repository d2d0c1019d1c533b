"""Rows into Parquet: whole or not at all, and one bad row never costs a good one."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Context as DecimalContext
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geniac_pipelines.contracts import Column, Contract, Mode, Type
from geniac_pipelines.intake import land as module
from geniac_pipelines.intake.land import Landed, land
from geniac_pipelines.intake.reading import Batch, Complaint, Context, Item, Place, Refusal, Row

NOON = datetime(2026, 8, 3, 3, tzinfo=UTC)
CONTEXT = Context(NOON, lambda kind, value: value, sender="aoi-ai")
ALL_TYPES = Contract(
    name="test__all",
    area="test",
    ja="全",
    meaning="すべての型",
    key=(),
    clauses=(),
    mode=Mode.APPEND,
    columns=tuple(Column(t.value, t, t.value, "") for t in Type),
)
NAMED = Contract(
    name="test__named",
    area="test",
    ja="名",
    meaning="必須の列がある表",
    key=("name",),
    clauses=(),
    columns=(
        Column("name", Type.TEXT, "名前", "", required=True),
        Column("number", Type.INTEGER, "数", ""),
        Column("amount", Type.DECIMAL, "額", ""),
        Column("at", Type.INSTANT, "時刻", ""),
        Column("on", Type.DATE, "日", ""),
    ),
)
BULK = Contract(
    name="test__bulk",
    area="test",
    ja="大量",
    meaning="系譜のない表",
    key=(),
    clauses=(),
    mode=Mode.APPEND,
    bulk=True,
    columns=(Column("n", Type.INTEGER, "数", ""),),
)


def complaint(costs: str) -> Refusal:
    return Complaint(f"test.{costs}", costs, "だめ", "直す", "bad", "mend").at(Place())


def landing(folder: Path, *items: Item) -> Landed:
    return land(
        iter(items),
        arrival_id="0123456789",
        context=CONTEXT,
        path_of=lambda c: folder / c.name / "0123456789.parquet",
    )


def named(line: int, /, **values: Any) -> Row:
    return Row(NAMED, values, Place("表", line))


def files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


WIDE = DecimalContext(prec=60)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = {
    Type.TEXT: TEXT,
    Type.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Type.DECIMAL: st.integers(-(10**38) + 1, 10**38 - 1).map(
        lambda n: Decimal(n).scaleb(-9, context=WIDE)
    ),
    Type.FLOAT: st.floats(allow_nan=False),
    Type.BOOLEAN: st.booleans(),
    Type.DATE: st.dates(),
    Type.MONTH: st.dates().map(lambda d: d.replace(day=1)),
    # in UTC for the comparison: Python calls no two zones' moments equal that a clock skips
    Type.INSTANT: st.datetimes(
        datetime.min.replace(year=1900),
        datetime.min.replace(year=2200),
        timezones=st.timezones(),
    ).map(lambda moment: moment.astimezone(UTC)),
}
ROWS = st.lists(
    st.fixed_dictionaries({}, optional={t.value: st.none() | VALUES[t] for t in Type}), max_size=20
)


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, flush=st.integers(1, 7))
def test_what_was_landed_is_what_is_read_whatever_the_rows(
    rows: list[dict[str, Any]], flush: int
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FLUSH_ROWS", flush)
        landed = landing(
            Path(folder),
            *(Row(ALL_TYPES, r, Place(None, n)) for n, r in enumerate(rows, start=1)),
        )
        assert landed.complaints == 0
        if not rows:
            assert landed.rows == {}
            return
        table = pq.read_table(landed.files["test__all"])
        assert table.schema.equals(ALL_TYPES.schema)
        expected = [
            {
                **{t.value: r.get(t.value) for t in Type},
                "_arrival": "0123456789",
                "_sender": "aoi-ai",
                "_received_at": NOON,
                "_sheet": None,
                "_line": n,
            }
            for n, r in enumerate(rows, start=1)
        ]
        assert table.to_pylist() == expected
        assert landed.rows == {"test__all": len(rows)}


def test_rows_of_several_tables_go_to_a_file_each(tmp_path: Path) -> None:
    batch = pa.RecordBatch.from_pydict({"n": [1, 2]})
    landed = landing(tmp_path, named(1, name="a"), Batch(BULK, batch, 1), named(2, name="b"))
    assert landed.rows == {"test__named": 2, "test__bulk": 2}
    assert pq.read_table(landed.files["test__bulk"]).to_pylist() == [{"n": 1}, {"n": 2}]
    assert landed.outcome == "landed"


def test_every_row_knows_its_sheet_and_line(tmp_path: Path) -> None:
    landed = landing(tmp_path, named(7, name="a"), named(9, name="b"))
    table = pq.read_table(landed.files["test__named"])
    assert table["_sheet"].to_pylist() == ["表", "表"]
    assert table["_line"].to_pylist() == [7, 9]


def test_a_reader_that_raises_leaves_no_file(tmp_path: Path) -> None:
    def reader() -> Iterator[Item]:
        for n in range(100_000):
            yield named(n, name="a")
        raise RuntimeError("the reader fell over")

    with pytest.raises(RuntimeError, match="fell over"):
        landing(tmp_path, *reader())
    with pytest.raises(RuntimeError, match="fell over"):
        land(
            reader(),
            arrival_id="0",
            context=CONTEXT,
            path_of=lambda c: tmp_path / f"{c.name}.parquet",
        )
    assert files(tmp_path) == []


def test_a_second_reading_that_raises_keeps_the_first_file(tmp_path: Path) -> None:
    landing(tmp_path, named(1, name="first"))

    def reader() -> Iterator[Item]:
        yield named(1, name="second")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        land(
            reader(),
            arrival_id="0123456789",
            context=CONTEXT,
            path_of=lambda c: tmp_path / c.name / "0123456789.parquet",
        )
    kept = pq.read_table(tmp_path / "test__named" / "0123456789.parquet")
    assert kept["name"].to_pylist() == ["first"]


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("number", 2**63, "9223372036854775808"),
        ("number", 1.5, "1.5"),
        ("number", True, "True"),
        ("number", "12", "12"),
        ("amount", Decimal(10) ** 29, "1.0000"),
        ("amount", Decimal("0.0000000001"), "1E-10"),
        ("amount", 0.1, "0.1"),
        ("amount", Decimal("NaN"), "NaN"),
        ("name", "half \ud83d", "half \\ud83d"),
        ("on", NOON, "2026-08-03 03:00:00+00:00"),
        ("at", date(2026, 8, 3), "2026-08-03"),
    ],
)
def test_a_value_that_does_not_fit_costs_its_own_row(
    tmp_path: Path, column: str, value: Any, shown: str
) -> None:
    bad = {"name": "bad", column: value}
    landed = landing(tmp_path, named(1, name="good"), named(2, **bad), named(3, name="fine"))
    table = pq.read_table(landed.files["test__named"])
    assert table["name"].to_pylist() == ["good", "fine"]
    assert landed.rows == {"test__named": 2}
    assert landed.outcome == "partial"
    (refusal,) = landed.refusals
    assert refusal.complaint.code == "row.unstorable"
    assert (refusal.place.sheet, refusal.place.row) == ("表", 2)
    assert refusal.place.column == NAMED.column(column).ja
    assert refusal.cell is not None
    assert refusal.cell.startswith(shown)
    assert refusal.ja
    assert refusal.en


def test_a_missing_required_value_costs_its_own_row(tmp_path: Path) -> None:
    landed = landing(tmp_path, named(1, name="good"), named(2, number=5))
    assert landed.rows == {"test__named": 1}
    (refusal,) = landed.refusals
    assert (refusal.complaint.code, refusal.place.row) == ("row.missing", 2)
    assert "名前" in refusal.ja


def test_a_moment_without_zone_is_the_readers_fault_and_stops_the_file(tmp_path: Path) -> None:
    """Taken for UTC it would be nine hours off in silence."""
    with pytest.raises(ValueError, match="without zone"):
        landing(tmp_path, named(1, name="a", at=datetime(2026, 8, 3)))  # noqa: DTZ001
    assert files(tmp_path) == []


def test_an_undeclared_column_is_the_readers_fault(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="nmae"):
        landing(tmp_path, named(1, name="a", nmae="b"))
    assert files(tmp_path) == []


def test_a_table_of_which_no_row_is_left_gets_no_file(tmp_path: Path) -> None:
    landed = landing(tmp_path, named(1, number=1))
    assert (landed.rows, landed.files, landed.outcome) == ({}, {}, "refused")
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("items", "outcome"),
    [
        ((named(1, name="a"),), "landed"),
        ((), "landed"),
        ((named(1, name="a"), complaint("nothing")), "landed"),
        ((named(1, name="a"), complaint("cell")), "partial"),
        ((named(1, name="a"), complaint("row")), "partial"),
        ((named(1, name="a"), complaint("file")), "partial"),
        ((complaint("file"),), "refused"),
        ((complaint("row"),), "refused"),
        ((complaint("nothing"),), "landed"),
    ],
)
def test_the_outcome_says_how_much_was_taken(
    tmp_path: Path, items: tuple[Item, ...], outcome: str
) -> None:
    assert landing(tmp_path, *items).outcome == outcome


def test_complaints_beyond_the_cap_are_counted_and_still_decide_the_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_REFUSALS", 3)
    notes = [complaint("nothing")] * 5
    landed = landing(tmp_path, named(1, name="a"), *notes, complaint("row"))
    assert (len(landed.refusals), landed.complaints) == (3, 6)
    assert landed.outcome == "partial"


def test_the_cap_is_ten_thousand(tmp_path: Path) -> None:
    landed = landing(tmp_path, *[complaint("row")] * 10_001)
    assert (len(landed.refusals), landed.complaints) == (10_000, 10_001)
