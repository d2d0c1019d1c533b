"""The ledger: all or nothing, one truth for both databases, and never the wrong one."""

import threading
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, StatementError

from geniac_pipelines.store.arrivals import (
    Arrival,
    LastTaken,
    Reading,
    RefusalRecord,
    arrival_id,
    forget,
    last_taken,
    newest_receipt,
    record,
    register,
    saw,
    seen,
    supersede,
    taken_with,
    unread,
)
from geniac_pipelines.store.identity import WrongLedger, belong_together
from geniac_pipelines.store.ledger import (
    SCHEMA_VERSION,
    Ledger,
    LedgerMismatch,
    arrivals,
    landing_days,
    landings,
    readings,
    refusals,
    schema_versions,
)
from geniac_pipelines.store.lock import Busy

NOON = datetime(2026, 8, 3, 3, tzinfo=UTC)


def arrival(name: str = "a/x.csv", received_at: datetime = NOON, sender: str = "a") -> Arrival:
    statement = {
        "sender": sender,
        "channel": "mail",
        "received_at": received_at,
        "zone": "Asia/Tokyo",
    }
    return Arrival(
        arrival_id=arrival_id("0" * 64, name, **statement),
        sha256="0" * 64,
        bytes=1,
        name=name,
        **statement,
    )


def put(ledger: Ledger, *items: Arrival | Reading) -> None:
    with ledger.transaction() as connection:
        for item in items:
            if isinstance(item, Arrival):
                register(connection, item, NOON)
            else:
                record(connection, item)


def count(ledger: Ledger, table: sa.Table) -> int:
    with ledger.reading() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_preparing_again_changes_nothing(ledger: Ledger) -> None:
    put(ledger, arrival())
    ledger.prepare()
    assert count(ledger, arrivals) == 1
    assert count(ledger, schema_versions) == 1


def test_another_schema_version_is_refused_by_name_and_without_the_password(
    ledger: Ledger,
) -> None:
    with ledger.transaction() as connection:
        connection.execute(sa.update(schema_versions).values(version=SCHEMA_VERSION + 1))
    with pytest.raises(LedgerMismatch, match=f"schema version {SCHEMA_VERSION + 1}"):
        ledger.prepare()
    assert "secret" not in Ledger("postgresql://user:secret@host/db").name


def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.transaction() as connection:
            register(connection, arrival(), NOON)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert count(ledger, arrivals) == 0


def test_instants_come_back_in_utc_and_naive_ones_are_refused(ledger: Ledger) -> None:
    jst = datetime(2026, 8, 3, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    put(ledger, arrival(received_at=jst))
    (found,) = unread(ledger)
    assert found.received_at == jst
    assert found.received_at.utcoffset() == timedelta(0)
    assert found.received_at.microsecond == 123456
    with pytest.raises((StatementError, ValueError), match="without zone"):
        put(ledger, arrival(received_at=datetime(2026, 8, 3)))  # noqa: DTZ001


def test_the_same_moment_gives_the_same_arrival_whatever_its_offset() -> None:
    jst = NOON.astimezone(timezone(timedelta(hours=9)))
    assert arrival(received_at=jst).arrival_id == arrival().arrival_id


def test_an_arrival_is_told_apart_by_everything_that_is_said_of_it() -> None:
    def of(**changed: object) -> str:
        base = {"sender": "a", "channel": "mail", "received_at": NOON, "zone": "UTC"}
        return arrival_id("0" * 64, "x", **{**base, **changed})

    later = NOON + timedelta(microseconds=1)
    ids = {
        of(),
        of(sender="b"),
        of(channel="inbox"),
        of(received_at=later),
        of(zone="Asia/Tokyo"),
        arrival_id("1" * 64, "x", sender="a", channel="mail", received_at=NOON, zone="UTC"),
    }
    assert len(ids) == 6
    assert all(len(i) == 20 for i in ids)


def test_the_same_arrival_twice_is_one(ledger: Ledger) -> None:
    put(ledger, arrival(), arrival())
    put(ledger, arrival())
    assert count(ledger, arrivals) == 1


def test_a_reading_refers_to_an_arrival(ledger: Ledger) -> None:
    with pytest.raises(IntegrityError):
        put(ledger, Reading("0" * 20, "jobs", 1, "landed"))


def test_a_new_reading_replaces_the_old_one_whole(ledger: Ledger) -> None:
    one = arrival()
    complaint = RefusalRecord("c", "row", None, 2, None, "x", "ja", "ja", "en", "en")
    put(
        ledger,
        one,
        Reading(
            one.arrival_id,
            "jobs",
            1,
            "partial",
            complaints=2,
            tables=(("t1", "p1", 3), ("t2", "p2", 4)),
            refusals=(complaint, complaint),
        ),
        Reading(one.arrival_id, "jobs", 2, "landed", tables=(("t1", "p3", 5),)),
    )
    assert (count(ledger, readings), count(ledger, landings), count(ledger, refusals)) == (1, 1, 0)
    with ledger.reading() as connection:
        reading = connection.execute(sa.select(readings)).one()
    assert (reading.rows, reading.format_version, reading.outcome) == (5, 2, "landed")


def test_what_is_unread_comes_in_the_order_of_receipt(ledger: Ledger) -> None:
    names = ["c", "a", "b"]
    made = [arrival(n, NOON + timedelta(hours=h)) for n, h in zip(names, (2, 0, 1), strict=True)]
    put(ledger, *made, Reading(made[2].arrival_id, None, None, "unknown"))
    assert [a.name for a in unread(ledger)] == ["a", "c"]


def test_a_reading_is_out_of_date_when_failed_or_its_format_moved_on(ledger: Ledger) -> None:
    names = ("failed", "old", "current", "unknown then", "unknown now", "envelope")
    made = {n: arrival(n) for n in names}
    put(
        ledger,
        *made.values(),
        Reading(made["failed"].arrival_id, "jobs", 2, "failed", readers="now"),
        Reading(made["old"].arrival_id, "jobs", 1, "landed", readers="then"),
        Reading(made["current"].arrival_id, "jobs", 2, "landed", readers="then"),
        Reading(made["unknown then"].arrival_id, None, None, "unknown", readers="then"),
        Reading(made["unknown now"].arrival_id, None, None, "unknown", readers="now"),
        Reading(made["envelope"].arrival_id, "envelope", 1, "landed"),
    )
    found = {a.name for a in unread(ledger, {"jobs": 2, "plans": 1}, "now")}
    assert found == {"failed", "old", "unknown then"}
    assert unread(ledger) == []


def test_sightings_remember_the_last_taken_file_of_a_path(ledger: Ledger) -> None:
    first, second = arrival(), arrival(received_at=NOON + timedelta(days=1))
    put(ledger, first, second)
    for size, each in ((1, first), (2, second)):
        with ledger.transaction() as connection:
            saw(
                connection,
                "a/x.csv",
                size=size,
                mtime_ns=2**62,
                delivery="w",
                arrival=each.arrival_id,
            )
    assert seen(ledger) == {"a/x.csv": (2, 2**62, "w")}
    found = last_taken(ledger, ["a/x.csv", "a/y.csv"])
    assert found == {"a/x.csv": LastTaken("a/x.csv", 2**62, "w", second)}
    assert taken_with(ledger, {second.sha256}) == list(found.values())
    assert taken_with(ledger, {"1" * 64}) == []


def test_a_path_that_is_forgotten_was_never_seen(ledger: Ledger) -> None:
    came = arrival()
    put(ledger, came)
    with ledger.transaction() as connection:
        saw(connection, "a/x.csv", size=1, mtime_ns=1, delivery="", arrival=came.arrival_id)
    with ledger.transaction() as connection:
        forget(connection, "a/x.csv")
    assert seen(ledger) == {}


def test_readings_are_recorded_together_and_replace_earlier_ones(ledger: Ledger) -> None:
    first, second = arrival("a/1.csv"), arrival("a/2.csv")
    put(ledger, first, second)
    refusal = RefusalRecord("c", "row", None, 3, None, None, "あ", "い", "a", "b")
    for rows in (5, 7):
        with ledger.transaction() as connection:
            record(
                connection,
                *(
                    Reading(
                        each.arrival_id,
                        "f",
                        1,
                        "partial",
                        tables=(("t__a", f"{each.name}/{rows}", rows), ("t__b", each.name, 1)),
                        days=(("t__a", date(2026, 8, rows)),),
                        refusals=(refusal,) * rows,
                    )
                    for each in (first, second)
                ),
            )
    with ledger.reading() as connection:
        kept = {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            for table in (readings, landings, landing_days, refusals)
        }
        sums = set(connection.execute(sa.select(readings.c.rows)).scalars())
    assert kept == {"readings": 2, "landings": 4, "landing_days": 2, "refusals": 14}
    assert sums == {8}


def test_a_corrected_statement_supersedes_an_envelope_with_its_members(ledger: Ledger) -> None:
    old, new = arrival("a/x_1%.zip"), arrival("a/x_1%.zip", sender="b")
    member = arrival("a/x_1%.zip!1.csv")
    others = [
        arrival("a/x_1%.zip!1.csv", NOON + timedelta(days=1)),  # an earlier version's member
        arrival("a/x21%.zip!1.csv"),  # what LIKE would take for it
        arrival("a/x_1%.zip.csv"),
    ]
    put(ledger, old, new, member, *others)
    with ledger.transaction() as connection:
        supersede(connection, old, new.arrival_id)
        gone = sa.select(arrivals.c.arrival_id).where(arrivals.c.superseded_by.is_not(None))
        assert set(connection.execute(gone).scalars()) == {old.arrival_id, member.arrival_id}
    put(ledger, old)  # the statement is taken back: the first arrival holds again
    with ledger.reading() as connection:
        assert set(connection.execute(gone).scalars()) == {member.arrival_id}


def test_the_newest_receipt_between_two_instants(ledger: Ledger) -> None:
    put(ledger, *(arrival(received_at=NOON + timedelta(hours=h)) for h in (0, 1, 5)))
    assert newest_receipt(ledger, NOON, NOON + timedelta(hours=2)) == NOON + timedelta(hours=1)
    assert newest_receipt(ledger, NOON + timedelta(days=1), NOON + timedelta(days=2)) is None


def test_a_reader_sees_one_state_while_somebody_writes(ledger: Ledger) -> None:
    put(ledger, arrival("a"))
    rows = sa.select(sa.func.count()).select_from(arrivals)
    with ledger.reading() as connection:
        assert connection.execute(rows).scalar_one() == 1
        writer = threading.Thread(target=put, args=(ledger, arrival("b")))
        writer.start()
        writer.join(10)
        assert connection.execute(rows).scalar_one() == 1
    assert count(ledger, arrivals) == 2


def test_two_writers_wait_for_each_other_and_lose_nothing(ledger: Ledger) -> None:
    def write(name: str) -> None:
        for n in range(10):
            put(ledger, arrival(f"{name}{n}"))

    writers = [threading.Thread(target=write, args=(n,)) for n in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert count(ledger, arrivals) == 30


def test_the_ledger_of_several_machines_has_a_lock_of_its_own(ledger_url: str) -> None:
    one, two = Ledger(ledger_url), Ledger(ledger_url)
    if one.engine.dialect.name == "sqlite":
        with one.exclusive(), two.exclusive():  # the data folder's lock decides
            assert one.url == two.url
        return
    with one.exclusive(), pytest.raises(Busy), two.exclusive():
        pass
    with two.exclusive(), pytest.raises(Busy), one.exclusive():
        pass
    one.engine.dispose()
    two.engine.dispose()


def test_a_ledger_and_its_data_folder_stay_together(ledger: Ledger, tmp_path: Path) -> None:
    data = tmp_path / "data"
    belong_together(ledger, data)
    put(ledger, arrival())
    belong_together(ledger, data)
    with pytest.raises(WrongLedger, match="another data folder"):
        belong_together(ledger, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere" / "ledger-id").exists()


@pytest.mark.parametrize("sign", ["archive", "landing", "facts", "generations"])
def test_a_new_ledger_is_refused_for_a_folder_that_was_worked_in(
    ledger: Ledger, tmp_path: Path, sign: str
) -> None:
    (tmp_path / "data" / sign).mkdir(parents=True)
    with pytest.raises(WrongLedger, match="is new"):
        belong_together(ledger, tmp_path / "data")


def test_another_ledger_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    belong_together(ledger, tmp_path / "data")
    (tmp_path / "data" / "ledger-id").write_text("f" * 32)
    with pytest.raises(WrongLedger, match="does not belong"):
        belong_together(ledger, tmp_path / "data")


def test_a_kill_between_the_two_marks_is_mended(ledger: Ledger, tmp_path: Path) -> None:
    belong_together(ledger, tmp_path / "data")
    (tmp_path / "data" / "ledger-id").unlink()
    belong_together(ledger, tmp_path / "data")
    assert len((tmp_path / "data" / "ledger-id").read_text()) == 32
