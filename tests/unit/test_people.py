"""Pseudonyms: keyed, stable, and useless to whoever lacks the key."""

import base64
import hashlib
import hmac
import stat
from pathlib import Path

import pytest

from geniac_pipelines.store.people import Pseudonyms, WeakKey, load_pseudonyms

KEY = "0123456789abcdef" * 2


def test_a_pseudonym_is_hmac_sha256_shortened_to_80_bits_in_base32() -> None:
    """RFC 2104 with SHA-256, RFC 4648 base32; computed here from the standard library alone."""
    mac = hmac.new(KEY.encode(), "user\0山田 太郎".encode(), hashlib.sha256).digest()
    expected = base64.b32encode(mac[:10]).decode().lower()
    assert load_pseudonyms(KEY, Path("unused"))("user", "山田 太郎") == expected
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


def test_without_a_configured_key_one_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = load_pseudonyms(None, tmp_path / "keys")
    file = tmp_path / "keys" / "pseudonym.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_pseudonyms(None, tmp_path / "keys").key == first.key
    assert len(first.key) == 64
    assert load_pseudonyms(None, tmp_path / "others").key != first.key


def test_a_short_key_is_refused_wherever_it_comes_from(tmp_path: Path) -> None:
    with pytest.raises(WeakKey, match="GENIAC_PSEUDONYM_KEY"):
        load_pseudonyms("short", tmp_path)
    (tmp_path / "pseudonym.key").write_bytes(b"")
    with pytest.raises(WeakKey, match=r"pseudonym\.key"):
        load_pseudonyms(None, tmp_path)


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(Pseudonyms(KEY.encode()))
