"""Checks of 行政データにおける機械可読性に関するルール that a program can make.

Rule numbers are those of the published list: L1-01, 02, 05 … 08, 10, 12 … 15; L2-01, 03, 06;
L3-01, 05. What needs a reader's judgement (meaning of names, code tables, definitions) is not
here. Checks err on the side of silence where a rule leaves room; what they report is a breach.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import groupby
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from geniac_pipelines.reports.xlsx_parts import parts

Cell = Any
"""str, int, float, bool, date or None, as the reader of the file gives it."""

_LAYOUT = re.compile(r"^\s|\s$|[ \t　]{2,}|[\r\n\v\f]")
_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?([eE][+-]?\d+)?")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_ITEM = rf"{_NUMBER.pattern}"
_SEVERAL = re.compile(rf"{_ITEM}(\s*[、，／/;；・]\s*{_ITEM})+|{_ITEM}\s*[(（]\s*{_ITEM}\s*[)）]")
_SEVERAL_NAMED = re.compile(
    rf"[^\d、，／/;；]{{1,12}}{_ITEM}\D{{0,4}}([、，／/;；]\s*[^\d、，／/;；]{{1,12}}{_ITEM}\D{{0,4}})+"
)
_DAY_WITH_SLASHES = re.compile(r"\d{4}/\d{1,2}(/\d{1,2})?|\d{1,2}/\d{1,2}")
_ERA_ONLY = re.compile(
    r"(明治|大正|昭和|平成|令和)\s*(元|\d{1,2})\s*年度?(\s*\d{1,2}\s*月(\s*\d{1,2}\s*日)?)?"
    r"|[MTSHR]\s*(元|\d{1,2})([./-]\d{1,2}){1,2}|[MTSHR]\s*(元|\d{1,2})\s*年度?"
)
_WESTERN = {
    "2026-09-01": re.compile(r"\d{4}-\d{1,2}(-\d{1,2})?"),
    "2026/9/1": re.compile(r"\d{4}/\d{1,2}(/\d{1,2})?"),
    "2026.9.1": re.compile(r"\d{4}\.\d{1,2}\.\d{1,2}"),
    "2026年9月1日": re.compile(r"\d{4}年\d{1,2}月(\d{1,2}日)?"),
}
_UNITS = "円|千円|万円|百万円|億円|人|名|社|件|枚|台|個|回|日|時間|か月|%|％|GPU時間|GB|TB|kWh"
_NUMBER_WITH_WORDS = re.compile(rf"[¥￥$△▲]?\s*{_NUMBER.pattern}\s*({_UNITS})?")


@dataclass(frozen=True)
class Violation:
    """One breach: rule number, sheet (file name for CSV), place (A1 style or a row) and why."""

    rule: str
    sheet: str
    place: str
    message: str


def violations(path: Path) -> list[Violation]:
    """All breaches in an .xlsx or .csv file, by sheet and rule.

    CSV may be UTF-8 (with or without BOM) or CP932. Raises UnicodeDecodeError for others.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return list(_csv(path))
    if suffix in (".xlsx", ".xlsm", ".xls", ".ods"):
        return list(_workbook(path))
    return [Violation("L1-01", path.name, "", f"{suffix or '拡張子なし'} は表計算の形式ではない")]


def machine_dependent(character: str) -> bool:
    """Whether JIS X 0208 lacks the sign and vendors placed it on their own (L1-08).

    True for the CP932 extensions (NEC row 13: ① ㈱ ㍻ Ⅰ; IBM: ⅰ), characters for private use,
    enclosed and squared forms, and half-width katakana. Kanji of the IBM extension such as 髙 or 﨑
    are names of people and places and stay allowed.
    """
    code = ord(character)
    if 0xE000 <= code <= 0xF8FF or 0xFF61 <= code <= 0xFF9F:
        return True
    if 0x2460 <= code <= 0x24FF or 0x3200 <= code <= 0x33FF or 0x2150 <= code <= 0x218F:
        return True
    return character in "№℡〝〟"


def _workbook(path: Path) -> Iterator[Violation]:
    book = CalamineWorkbook.from_path(path)
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        for start, end in sheet.merged_cell_ranges or []:
            yield Violation("L1-12", name, f"{_a1(*start)}:{_a1(*end)}", "セルが結合されている")
        yield from _grid(name, sheet.to_python(skip_empty_area=False))
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        for part in parts(path):
            rule, reason = _BESIDE_VALUES[part.kind]
            yield Violation(rule, part.sheet, part.place, f"{part.what}{reason}")


_BESIDE_VALUES = {
    "object": ("L1-10", "がある"),
    "hidden": ("L1-13", "が非表示になっている"),
    "formula": ("L2-06", "が残っている"),
}


def _csv(path: Path) -> Iterator[Violation]:
    raw = path.read_bytes()
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        content = raw.decode("cp932")
    reader = csv.reader(StringIO(content, newline=""))
    rows: list[list[str]] = []
    line = 0
    for record in reader:
        if reader.line_num - line > 1:
            reason = "１件のデータが複数の行に分かれている"
            yield Violation("L1-14", path.name, f"{line + 1}行目", reason)
        line = reader.line_num
        rows.append(record)
    width = len(rows[0]) if rows else 0
    for number, row in enumerate(_until_blank(rows), start=1):
        if len(row) > width:
            reason = (
                f"項目が {len(row)} 個あり、項目名の {width} 個より多い（囲まれていないカンマ）"
            )
            yield Violation("L1-15", path.name, f"{number}行目", reason)
        elif len(row) < width:
            reason = f"項目が {len(row)} 個しかなく、項目名は {width} 個ある"
            yield Violation("L1-14", path.name, f"{number}行目", reason)
    yield from _grid(path.name, rows)


def _until_blank(rows: Sequence[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    """Rows of the first table; what follows a blank row is another one (L1-02)."""
    for row in rows:
        if _blank_row(row):
            return
        yield row


def _grid(sheet: str, rows: Sequence[Sequence[Cell]]) -> Iterator[Violation]:
    rows = list(rows)
    while rows and _blank_row(rows[-1]):
        rows.pop()
    if not rows:
        return
    yield from _tables(sheet, rows)
    yield from _header(sheet, rows)
    yield from _texts(sheet, rows)
    yield from _numbers(sheet, rows)
    yield from _times(sheet, rows)


def _tables(sheet: str, rows: Sequence[Sequence[Cell]]) -> Iterator[Violation]:
    """L1-02: a blank row or a blank column with data on both sides parts two tables."""
    runs = [blank for blank, _ in groupby(rows, _blank_row)]
    for _ in range(runs.count(False) - 1):
        yield Violation("L1-02", sheet, "", "空白行で区切られた複数の表がある")
    width = max(len(r) for r in rows)
    used = [any(not _blank(r[c]) for r in rows if c < len(r)) for c in range(width)]
    columns = [some for some, _ in groupby(used)]
    for _ in range(columns.count(True) - 1):
        yield Violation("L1-02", sheet, "", "空白列で区切られた複数の表がある")


def _header(sheet: str, rows: Sequence[Sequence[Cell]]) -> Iterator[Violation]:
    """L1-05, L2-03 and L3-01: row 1 names every column once, and data follow in row 2."""
    body = [r for r in rows[1:] if not _blank_row(r)]
    head = list(rows[0])
    filled = [c for c in head if not _blank(c)]
    widest = max((sum(not _blank(c) for c in r) for r in body), default=0)
    if not filled:
        yield Violation("L3-01", sheet, "1行目", "１行目が空白で、項目名行ではない")
        return
    if len(filled) == 1 and widest > 1:
        yield Violation("L3-01", sheet, "1行目", "１行目が表題などで、項目名行ではない")
        return
    if all(_is_number(c) for c in filled):
        yield Violation("L3-01", sheet, "1行目", "１行目がデータで、項目名行がない")
        return
    if len(rows) > 1 and _blank_row(rows[1]):
        yield Violation("L3-01", sheet, "2行目", "項目名行の次の行からデータが始まっていない")
    for c, name in enumerate(head):
        used = any(c < len(r) and not _blank(r[c]) for r in body)
        if _blank(name) and used:
            yield Violation("L1-05", sheet, _a1(0, c), "項目名がない列にデータがある")
        elif not _blank(name) and _is_number(name):
            yield Violation("L1-05", sheet, _a1(0, c), f"項目名 {name} から意味が推測できない")
    for name, times in Counter(str(c) for c in filled).items():
        if times > 1:
            yield Violation("L2-03", sheet, "1行目", f"項目名 {name} が {times} 列にある")


def _texts(sheet: str, rows: Sequence[Sequence[Cell]]) -> Iterator[Violation]:
    """L1-06, L1-07 and L1-08, cell by cell."""
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if not isinstance(cell, str):
                continue
            if cell.strip() and _LAYOUT.search(cell):
                reason = f"スペースや改行で体裁を整えている：{cell!r}"
                yield Violation("L1-06", sheet, _a1(r, c), reason)
            if _several(cell.strip()):
                yield Violation("L1-07", sheet, _a1(r, c), f"１セルに複数のデータがある：{cell}")
            if bad := [x for x in cell if machine_dependent(x)]:
                names = "、".join(f"{x}（{unicodedata.name(x, f'U+{ord(x):04X}')}）" for x in bad)
                yield Violation("L1-08", sheet, _a1(r, c), f"機種依存文字がある：{names}")


def _numbers(sheet: str, rows: Sequence[Sequence[Cell]]) -> Iterator[Violation]:
    """L2-01: no separators or units in numbers, no words in a column that is mostly numbers."""
    body = list(_until_blank(rows[1:]))
    for c in range(len(rows[0])):
        cells = [(r, row[c]) for r, row in enumerate(body, start=1) if c < len(row)]
        cells = [(r, cell) for r, cell in cells if not _blank(cell)]
        mostly = sum(_is_number(cell) for _, cell in cells) * 2 > len(cells)
        for r, cell in cells:
            if not isinstance(cell, str) or _PLAIN_NUMBER.fullmatch(cell.strip()):
                continue
            if _NUMBER_WITH_WORDS.fullmatch(cell.strip()):
                reason = f"数値に桁区切り・単位などの文字がある：{cell}"
                yield Violation("L2-01", sheet, _a1(r, c), reason)
            elif mostly:
                yield Violation("L2-01", sheet, _a1(r, c), f"数値の列に文字がある：{cell}")


def _several(text: str) -> bool:
    """Several numbers in one cell, bare or each with a name. Lists of words may be one datum."""
    if _NUMBER.fullmatch(text) or _DAY_WITH_SLASHES.fullmatch(text):
        return False
    return bool(_SEVERAL.fullmatch(text) or _SEVERAL_NAMED.fullmatch(text))


def _times(sheet: str, rows: Sequence[Sequence[Cell]]) -> Iterator[Violation]:
    """L3-05: no Japanese era without the western year, one way of writing days in a column."""
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if isinstance(cell, str) and _ERA_ONLY.fullmatch(cell.strip()):
                yield Violation("L3-05", sheet, _a1(r, c), f"和暦だけで西暦がない：{cell}")
    body = list(_until_blank(rows[1:]))
    for c in range(len(rows[0])):
        texts = [row[c].strip() for row in body if c < len(row) and isinstance(row[c], str)]
        ways = [way for way, form in _WESTERN.items() if any(map(form.fullmatch, texts))]
        if len(ways) > 1:
            reason = f"日付の書き方が {'、'.join(ways)} のように混じっている"
            yield Violation("L3-05", sheet, f"{c + 1}列目", reason)


def _is_number(cell: Cell) -> bool:
    if isinstance(cell, str):
        return _PLAIN_NUMBER.fullmatch(cell.strip()) is not None
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _blank_row(row: Sequence[Cell]) -> bool:
    return all(_blank(c) for c in row)


def _a1(row: int, column: int) -> str:
    """(0, 0) -> A1."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row + 1}"
