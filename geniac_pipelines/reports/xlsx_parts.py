"""What an .xlsx file holds beside the values of cells: objects, hidden rows, formulas.

Here: reading the parts of the package (ECMA-376 Part 1, SpreadsheetML) that a reader of values
passes over. Not here: whether that is a breach of a rule (`machine_readable`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from zipfile import ZipFile

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_TARGETS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"

_OBJECTS = {
    "drawing": "図形・画像・グラフ",
    "legacyDrawing": "コメントまたはフォーム部品",
    "picture": "背景画像",
    "oleObjects": "埋め込みオブジェクト",
    "controls": "フォーム部品",
}


@dataclass(frozen=True)
class Part:
    """Something beside values. `kind`: "object", "hidden" or "formula"; `place` in A1 style."""

    kind: str
    sheet: str
    place: str
    what: str


def parts(path: Path) -> Iterator[Part]:
    """Every such thing in the workbook, by sheet. Raises zipfile.BadZipFile for other files."""
    with ZipFile(path) as package:
        targets = _relationships(package, "xl/workbook.xml")
        book = ElementTree.fromstring(package.read("xl/workbook.xml"))
        for sheet in book.iter(f"{_MAIN}sheet"):
            name = sheet.attrib["name"]
            if sheet.get("state", "visible") != "visible":
                yield Part("hidden", name, "", "シート")
            target = targets[sheet.attrib[_LINK]]
            with package.open(target) as part:
                yield from _sheet(name, part)


def _relationships(package: ZipFile, part: str) -> dict[str, str]:
    """Relationship id -> name of the part within the package."""
    folder, file = posixpath.split(part)
    links = ElementTree.fromstring(package.read(f"{folder}/_rels/{file}.rels"))
    inside = [link for link in links.iter(_TARGETS) if link.get("TargetMode") != "External"]
    return {
        link.attrib["Id"]: posixpath.join("/", folder, link.attrib["Target"]).lstrip("/")
        for link in inside
    }


def _sheet(name: str, part: IO[bytes]) -> Iterator[Part]:
    for _, element in ElementTree.iterparse(part):
        tag = element.tag.removeprefix(_MAIN)
        if tag in _OBJECTS:
            yield Part("object", name, "", _OBJECTS[tag])
        elif tag == "col" and _is_set(element, "hidden"):
            place = f"{element.get('min')}〜{element.get('max')}列目"
            yield Part("hidden", name, place, "列")
        elif tag == "row":
            if _is_set(element, "hidden"):
                yield Part("hidden", name, f"{element.get('r')}行目", "行")
            element.clear()
        elif tag == "c" and element.find(f"{_MAIN}f") is not None:
            yield Part("formula", name, element.get("r", ""), "数式")


def _is_set(element: ElementTree.Element, attribute: str) -> bool:
    return element.get(attribute) in ("1", "true")
