"""Pseudonyms, and the vault: the one way back, guarded by the key and by a record of who looked."""

import base64
import hashlib
import hmac
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from geniac_pipelines.store import people
from geniac_pipelines.store.arrivals import Arrival, register
from geniac_pipelines.store.decisions import Act, NotADecision, decisions_about
from geniac_pipelines.store.ledger import Ledger
from geniac_pipelines.store.people import (
    Encounters,
    Pseudonyms,
    UnknownPseudonym,
    look_up,
)
from geniac_pipelines.store.sealed import NotGenuine
from geniac_pipelines.store.secret import Secret
from geniac_pipelines.store.snapshot import take

KEY = "0123456789abcdef" * 2
SECRET = Secret(KEY.encode())
NOON = datetime(2026, 8, 3, 3, tzinfo=UTC)
DAY = date(2027, 8, 3)


def met(*names: str, kind: str = "user") -> Encounters:
    encounters = Encounters(Pseudonyms(SECRET.key))
    for name in names:
        encounters(kind, name)
    return encounters


def keep(
    ledger: Ledger,
    encounters: Encounters,
    arrival: str = "1" * 20,
    until: date = DAY,
    purpose: str = "利用状況の確認",
) -> None:
    came = Arrival(arrival, "0" * 64, 1, "a/x.csv", "a", "mail", NOON, "Asia/Tokyo")
    with ledger.transaction() as connection:
        register(connection, came, NOON)
        people.keep(
            connection, SECRET, encounters, arrival=arrival, purpose=purpose, delete_on=until
        )


def ask(ledger: Ledger, pseudonym: str, secret: Secret = SECRET) -> people.Person:
    return look_up(ledger, secret, pseudonym, by="佐藤", purpose="企業からの照会", at=NOON)


def test_a_pseudonym_is_hmac_sha256_shortened_to_80_bits_in_base32() -> None:
    """RFC 2104 with SHA-256, RFC 4648 base32; computed here from the standard library alone."""
    mac = hmac.new(KEY.encode(), "user\0山田 太郎".encode(), hashlib.sha256).digest()
    expected = base64.b32encode(mac[:10]).decode().lower()
    assert Pseudonyms(KEY.encode())("user", "山田 太郎") == expected
    assert len(expected) == 16


def test_the_same_person_has_one_pseudonym_for_each_kind_and_key() -> None:
    names = Pseudonyms(KEY.encode())
    assert names("user", "taro") == names("user", "taro")
    different = {
        names("user", "taro"),
        names("user", "hanako"),
        names("reviewer", "taro"),
        Pseudonyms(KEY[::-1].encode())("user", "taro"),
    }
    assert len(different) == 4


def test_neither_the_key_nor_a_name_is_shown(ledger: Ledger) -> None:
    keep(ledger, met("yamada"))
    shown = ask(ledger, met("yamada").met["user", "yamada"])
    for thing in (Pseudonyms(KEY.encode()), SECRET, met("yamada"), shown):
        assert KEY not in repr(thing)
        assert "yamada" not in repr(thing)


def test_a_pseudonym_leads_back_to_the_person_and_the_look_is_on_record(ledger: Ledger) -> None:
    keep(ledger, met("山田 太郎", "suzuki"))
    pseudonym = Pseudonyms(SECRET.key)("user", "山田 太郎")

    found = ask(ledger, pseudonym)

    assert (found.identifier, found.kind) == ("山田 太郎", "user")
    assert (found.purpose, found.first_arrival) == ("利用状況の確認", "1" * 20)
    assert (found.first_seen, found.delete_on) == (NOON, DAY)
    (decision,) = decisions_about(ledger, people.SUBJECT_KIND, pseudonym)
    assert (decision.act, decision.person, decision.reason) == (
        Act.ACCESS,
        "佐藤",
        "企業からの照会",
    )
    assert "山田" not in repr(decision)


def test_a_look_in_vain_is_on_record_too(ledger: Ledger) -> None:
    with pytest.raises(UnknownPseudonym, match="abcdefghijklmnop"):
        ask(ledger, "abcdefghijklmnop")
    (decision,) = decisions_about(ledger, people.SUBJECT_KIND)
    assert decision.details == {"found": False}


@pytest.mark.parametrize(("by", "purpose"), [("", "why"), ("佐藤", " "), ("machine", "why")])
def test_nobody_looks_without_a_name_and_a_purpose(ledger: Ledger, by: str, purpose: str) -> None:
    keep(ledger, met("taro"))
    with pytest.raises(NotADecision):
        look_up(ledger, SECRET, met("taro").met["user", "taro"], by=by, purpose=purpose, at=NOON)


def test_another_key_opens_nothing(ledger: Ledger) -> None:
    keep(ledger, met("taro"))
    with pytest.raises(NotGenuine):
        ask(ledger, met("taro").met["user", "taro"], Secret(b"x" * 32))


def test_a_row_moved_to_another_pseudonym_does_not_open(ledger: Ledger) -> None:
    keep(ledger, met("taro", "hanako"))
    taro, hanako = (met("taro", "hanako").met["user", n] for n in ("taro", "hanako"))
    with ledger.transaction() as connection:
        connection.execute(people.people.delete().where(people.people.c.pseudonym == hanako))
        connection.execute(
            people.people.update().where(people.people.c.pseudonym == taro).values(pseudonym=hanako)
        )
    with pytest.raises(NotGenuine):
        ask(ledger, hanako)


def test_names_of_jobs_are_not_kept(ledger: Ledger) -> None:
    keep(ledger, met("pretrain-13b", kind="job_name"))
    with pytest.raises(UnknownPseudonym):
        ask(ledger, Pseudonyms(SECRET.key)("job_name", "pretrain-13b"))


def test_a_person_met_again_stays_under_the_first_arrival_until_the_later_day(
    ledger: Ledger,
) -> None:
    """Whatever the order in which files are read, and read again."""
    pseudonym = met("taro").met["user", "taro"]
    keep(ledger, met("taro"), "1" * 20, DAY, "はじめ")
    keep(ledger, met("taro"), "2" * 20, date(2027, 9, 1), "あと")
    keep(ledger, met("taro"), "3" * 20, date(2026, 1, 1), "古い")
    found = ask(ledger, pseudonym)
    assert (found.first_arrival, found.delete_on) == ("1" * 20, date(2027, 9, 1))
    assert found.purpose == "あと"


def test_a_person_is_deleted_after_the_day_and_not_on_it(ledger: Ledger) -> None:
    keep(ledger, met("taro"))
    for today, gone in ((DAY, 0), (date(2027, 8, 4), 1), (date(2027, 8, 5), 0)):
        with ledger.transaction() as connection:
            assert people.delete_due(connection, today) == gone
    with pytest.raises(UnknownPseudonym):
        ask(ledger, met("taro").met["user", "taro"])


def test_no_name_lies_in_the_ledgers_file_or_the_snapshot(tmp_path: Path) -> None:
    """Looked for in the bytes on disk, where a mistake anywhere would show."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    ledger.prepare()
    keep(ledger, met("yamada-taro"))
    ask(ledger, met("yamada-taro").met["user", "yamada-taro"])
    ledger.engine.dispose()
    with sqlite3.connect(tmp_path / "ledger.sqlite") as plain:
        plain.execute("pragma wal_checkpoint(truncate)")
    for file in tmp_path.iterdir():
        assert b"yamada" not in file.read_bytes()
    taken = take(ledger, NOON)
    assert not {"people", "secret_keys", "personal_objects"} & set(taken)
    assert taken["decisions"].num_rows == 0
    ledger.engine.dispose()
