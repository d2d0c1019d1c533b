"""Bytes of a handed-in file to text, by a fixed order of strict readings.

Here: which encodings we accept and how a doubtful file is told. Not here: delimiters, headers or
any meaning of the text. No statistical detector is used: on an ASCII-heavy file with one Japanese
row they guess wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from geniac_pipelines.japanese.errors import UndecodableText

# cp932, not shift_jis: ①, ㈱ and 髙 are in files from Windows.
ENCODINGS: Final = ("utf-8-sig", "cp932", "euc_jp")

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")

# Controls that no text file holds: NUL tells a binary file, ESC the seven-bit ISO-2022-JP.
# U+0080 and U+F8F0–F8F3 are what Python's cp932 makes of bytes that CP932 leaves undefined.
_NOT_TEXT = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f\x7f\x80\uf8f0-\uf8f3]")
_WIDE_KANA = re.compile("[\u3041-\u30fa]")
_EUC_KANA = re.compile("[\u3041-\u3096]|[\u30a1-\u30fa]{2}")
_JAPANESE = re.compile("[\u3041-\u30fa\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text and the encoding that gave it; line ends are as they came, a BOM is gone.

    `also_fits` names an encoding under which the bytes would be other, equally valid text.
    """

    text: str
    encoding: str
    also_fits: tuple[str, ...] = ()


def decode(data: bytes) -> Decoded:
    """Read bytes as UTF-16 (with BOM), UTF-8 (with or without), CP932 or EUC-JP, in that order.

    A BOM is believed: such a file is read in its own encoding or not at all. Two exceptions keep
    mojibake out: a file that is UTF-8 Japanese up to a damaged place is refused rather than read
    as CP932, and one that would be only half-width signs in CP932 but plain kana in EUC-JP is
    EUC-JP. Raises UndecodableText with the byte offset.
    """
    if data.startswith(_UTF16_BOMS):
        return _decode_marked(data, "utf-16")
    if data.startswith(_UTF8_BOM):
        return _decode_marked(data, "utf-8-sig")

    readings: dict[str, str] = {}
    failures: dict[str, int] = {}
    for encoding in ENCODINGS:
        text, stopped = _read(data, encoding)
        if text is None:
            failures[encoding] = stopped
            if encoding == "utf-8-sig" and _is_damaged_utf8(data, stopped):
                raise UndecodableText(
                    failures,
                    "UTF-8の途中でデータが壊れています。元のファイルから作り直してください。",
                    "UTF-8 text is damaged here; export the file again",
                )
            continue
        readings[encoding] = text
        if encoding == "utf-8-sig":
            return Decoded(text, encoding)

    if not readings:
        raise UndecodableText(
            failures,
            "UTF-8またはShift_JIS(CP932)のテキストとして保存し直してください。",
            "save it as UTF-8 or CP932 text",
        )
    chosen = _between(readings)
    text = readings[chosen]
    return Decoded(text, chosen, tuple(e for e, other in readings.items() if other != text))


def _read(data: bytes, encoding: str) -> tuple[str | None, int]:
    """The text, or None and the byte offset at which the reading stopped."""
    # The codec utf-8-sig counts its offsets from behind a BOM, so the BOM is cut off here.
    mark = len(_UTF8_BOM) if encoding == "utf-8-sig" and data.startswith(_UTF8_BOM) else 0
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    try:
        text = data[mark:].decode(codec)
    except UnicodeDecodeError as error:
        return None, mark + error.start
    odd = _NOT_TEXT.search(text)
    if odd is None:
        return text, len(data)
    return None, mark + len(text[: odd.start()].encode(codec))


def _decode_marked(data: bytes, encoding: str) -> Decoded:
    text, stopped = _read(data, encoding)
    if text is None:
        raise UndecodableText(
            {encoding: stopped},
            f"先頭の印(BOM)は{encoding}ですが、その文字コードでは読めません。",
            f"the byte order mark says {encoding}, but the bytes do not follow it",
        )
    return Decoded(text, encoding)


def _is_damaged_utf8(data: bytes, stopped: int) -> bool:
    """Whether at least two Japanese characters of valid UTF-8 stand before the place.

    One can be chance in a CP932 file (a rare kanji of its second level), two hardly.
    """
    try:
        before = data[:stopped].decode()
    except UnicodeDecodeError:
        return False
    return len(_JAPANESE.findall(before)) >= 2


def _between(readings: dict[str, str]) -> str:
    """CP932 where it fits, but EUC-JP kana would pass there as half-width signs and letters."""
    first, *others = readings
    if "euc_jp" not in others or _WIDE_KANA.search(readings[first]):
        return first
    return "euc_jp" if _EUC_KANA.search(readings["euc_jp"]) else first
