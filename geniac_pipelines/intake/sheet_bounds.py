"""What is checked of a workbook before it is opened, so that no file can exhaust the machine.

The reader of workbooks lays out every sheet as one rectangle up to its last cell, and a file of
2 KB may name a last cell that needs terabytes. So sizes, extents, passwords and errors of cells
are read here first, by a streaming parser.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from geniac_pipelines.intake.reading import Complaint, Place, Refusal, Source

MAX_COLUMNS: Final = 1_000
MAX_CELLS: Final = 5_000_000
MAX_FILE_BYTES: Final = 128 << 20
MAX_UNPACKED: Final = 512 << 20
MAX_MEMBERS: Final = 5_000
MAX_RATIO: Final = 250
RATIO_FLOOR: Final = 20 << 20
"""Workbooks below this unpacked size are harmless whatever their ratio."""
MAX_ERRORS: Final = 10_000
MARK_PROPERTY: Final = "geniac_template"
"""The document property by which a workbook says which template it was made from."""

TOO_LARGE: Final = Complaint(
    "sheet.too-large",
    "file",
    ja="表が大きすぎます（{reason}）",
    ja_remedy="不要な行・列・シートを除くか、ファイルを分けて提出してください",
    en="the table is too large ({reason})",
    en_remedy="remove what is not needed, or split the file",
)
UNSAFE: Final = Complaint(
    "sheet.unsafe",
    "file",
    ja="ファイルを安全に開けません（{reason_ja}）",
    ja_remedy="表計算ソフトで開いて新しいファイルに保存し直し、再提出してください",
    en="the file can't be opened safely ({reason_en})",
    en_remedy="open it in a spreadsheet program, save it as a new file and send it again",
)
LOCKED: Final = Complaint(
    "sheet.locked",
    "file",
    ja="ファイルにパスワードが設定されています",
    ja_remedy="パスワードを外して再提出してください",
    en="the file is protected by a password",
    en_remedy="send it without password",
)
DAMAGED: Final = Complaint(
    "sheet.damaged",
    "file",
    ja="ファイルが壊れていて開けません",
    ja_remedy="元のファイルを開いて保存し直し、再提出してください",
    en="the file is damaged and can't be opened ({reason})",
    en_remedy="open the original, save it anew and send it again",
)
BINARY: Final = Complaint(
    "sheet.binary-workbook",
    "file",
    ja="Excelバイナリ形式（.xlsb）は受け付けていません",
    ja_remedy="「名前を付けて保存」でExcelブック（.xlsx）にして再提出してください",
    en="binary workbooks (.xlsb) are not taken",
    en_remedy="save it as .xlsx and send it again",
)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLE_BOOKS = tuple(name.encode("utf-16-le") for name in ("Workbook", "EncryptedPackage", "Book"))
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError,
    ValueError,
)  # fmt: skip
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")


class SheetsRefused(Exception):
    """The file's cells can't be had; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.en)
        self.refusal = refusal


@dataclass(frozen=True)
class Precheck:
    """What a workbook says of itself; `errors` are cells such as #REF!, by sheet, from (0, 0)."""

    mark: str | None = None
    epoch_1904: bool | None = None
    errors: Mapping[str, Mapping[tuple[int, int], str]] = field(default_factory=dict)


def is_workbook(source: Source) -> bool:
    """Whether the bytes are Excel's (.xlsx, .xlsb, .xls, encrypted too) or OpenDocument's."""
    head = source.head
    if head.startswith(_OLE):
        if source.size > MAX_FILE_BYTES:
            return False
        data = source.path.read_bytes()
        return any(name in data for name in _OLE_BOOKS)
    if not head.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(source.path) as archive:
            names = archive.namelist()
            if "mimetype" in names and archive.getinfo("mimetype").file_size <= len(_ODS):
                return archive.read("mimetype") == _ODS
            return any(name.startswith("xl/workbook.") for name in names)
    except _UNREADABLE:
        # cut or damaged, but surely meant as a workbook
        return b"xl/work" in head or _ODS in head[:200]


def check_workbook(data: bytes) -> Precheck:
    """Check a workbook within bounds before anything opens it. Raises SheetsRefused."""
    if len(data) > MAX_FILE_BYTES:
        raise SheetsRefused(TOO_LARGE.at(Place(), reason=f"{len(data):,} bytes"))
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise SheetsRefused(LOCKED.at(Place()))
        return Precheck()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _check_archive(archive, len(data))
    except SheetsRefused:
        raise
    except _UNREADABLE as error:
        raise SheetsRefused(DAMAGED.at(Place(), reason=error)) from error


def _unsafe(reason_ja: str, reason_en: str) -> SheetsRefused:
    return SheetsRefused(UNSAFE.at(Place(), reason_ja=reason_ja, reason_en=reason_en))


def _check_archive(archive: zipfile.ZipFile, size: int) -> Precheck:
    infos = archive.infolist()
    unpacked = sum(info.file_size for info in infos)
    if len(infos) > MAX_MEMBERS or len({info.filename for info in infos}) != len(infos):
        raise _unsafe(f"中の部品が{len(infos):,}個", f"{len(infos):,} members")
    if unpacked > min(MAX_UNPACKED, max(RATIO_FLOOR, size * MAX_RATIO)):
        raise _unsafe(f"展開すると{unpacked:,}バイト", f"{unpacked:,} bytes unpacked")
    if any(info.flag_bits & 1 for info in infos):
        raise SheetsRefused(LOCKED.at(Place()))
    names = {info.filename for info in infos}
    if "xl/workbook.bin" in names:
        raise SheetsRefused(BINARY.at(Place()))
    if "META-INF/manifest.xml" in names and b":encryption-data" in archive.read(
        "META-INF/manifest.xml"
    ):
        raise SheetsRefused(LOCKED.at(Place()))
    errors: dict[str, dict[tuple[int, int], str]] = {}
    for info in infos:
        # read whole, so that a member that is longer than it says, or damaged, is found here
        content = archive.read(info)
        if b"sheetData" in content:
            errors[info.filename] = _check_extent(content, _ExcelExtent())
        elif info.filename == "content.xml":
            _check_extent(content, _OpenDocumentExtent())
    if "xl/workbook.xml" not in names:
        return Precheck(epoch_1904=False)
    return _excel_precheck(archive, errors)


def _excel_precheck(
    archive: zipfile.ZipFile, errors: Mapping[str, Mapping[tuple[int, int], str]]
) -> Precheck:
    targets: dict[str, str] = {}
    by_sheet: dict[str, Mapping[tuple[int, int], str]] = {}
    epochs: list[bool] = []
    marks: list[str] = []

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            target = attributes.get("Target", "")
            path = target[1:] if target.startswith("/") else posixpath.join("xl", target)
            targets[attributes.get("Id", "")] = posixpath.normpath(path)

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            relation_id = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            found = errors.get(targets.get(relation_id, ""), {})
            by_sheet[attributes.get("name", "")] = found
        elif name == "workbookPr":
            epochs.append(attributes.get("date1904", "0") in ("1", "true"))

    names = set(archive.namelist())
    if "xl/_rels/workbook.xml.rels" in names:
        _parse(archive.read("xl/_rels/workbook.xml.rels"), relation)
    _parse(archive.read("xl/workbook.xml"), sheet)
    if "docProps/custom.xml" in names:
        custom = archive.read("docProps/custom.xml").decode("utf-8", "replace")
        pattern = rf'name="{MARK_PROPERTY}"[^>]*>\s*<[^>]*lpwstr>([^<]{{1,100}})<'
        marks = re.findall(pattern, custom)
    return Precheck(marks[0] if marks else None, any(epochs), by_sheet)


def _parse(
    content: bytes,
    start: Callable[[str, dict[str, str]], None],
    text: Callable[[str], None] | None = None,
) -> None:
    """Call `start` with the local name and attributes of each element, `text` with what follows.

    Raises SheetsRefused where the content is not well formed, or declares a document type.
    """
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise _unsafe("DOCTYPE宣言", "DOCTYPE")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    parser.CharacterDataHandler = text
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise SheetsRefused(DAMAGED.at(Place(), reason=error)) from error


class _Extent(ABC):
    """The rectangle that a sheet would fill, refused as soon as it is too large."""

    def __init__(self) -> None:
        self.errors: dict[tuple[int, int], str] = {}
        self._last_row = self._last_column = 0

    text: Callable[[str], None] | None = None
    """Takes character data, where it matters."""

    @abstractmethod
    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element, by its local name."""

    def reach(self, row: int, column: int) -> None:
        """Take a cell that holds something, counted from 1."""
        self._last_row = max(self._last_row, row)
        self._last_column = max(self._last_column, column)
        if self._last_column > MAX_COLUMNS or self._last_row * self._last_column > MAX_CELLS:
            size = f"{self._last_row:,} × {self._last_column:,}"
            raise SheetsRefused(TOO_LARGE.at(Place(), reason=size))

    def begin_sheet(self) -> None:
        self._last_row = self._last_column = 0


class _ExcelExtent(_Extent):
    """ECMA-376 part 1, 18.3.1: `row` and `c` with references, or one after the other without."""

    def __init__(self) -> None:
        super().__init__()
        self._row = self._column = 0
        self._error = self._value = False
        self.text = self.keep_error

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._row = (
                int(attributes["r"]) if attributes.get("r", "").isdecimal() else (self._row + 1)
            )
            self._column = 0
        elif name == "c":
            found = _REFERENCE.fullmatch(attributes.get("r", ""))
            if found:
                self._column = _column_number(found[1])
                self._row = int(found[2])
            else:
                self._column += 1
            self._error = attributes.get("t") == "e"
        elif name in ("v", "is", "f"):
            self.reach(self._row, self._column)
        self._error = self._error and name in ("c", "f", "v")
        self._value = name == "v"

    def keep_error(self, data: str) -> None:
        """The reader of workbooks gives nothing for an error, so it is kept from here."""
        if self._error and self._value and len(self.errors) < MAX_ERRORS:
            place = (self._row - 1, self._column - 1)
            self.errors[place] = (self.errors.get(place, "") + data)[:20]


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


class _OpenDocumentExtent(_Extent):
    """OpenDocument 1.3 part 3, 9.1: rows and cells that repeat; empty ones at the end count not."""

    _LIMITS: Final = {"rows": 1 << 20, "columns": 1 << 14}

    def __init__(self) -> None:
        super().__init__()
        self._row = self._rows = self._column = self._columns = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table":
            self.begin_sheet()
            self._row = self._rows = 0
        elif name == "table-row":
            self._row += self._rows
            self._rows = self._repeated(attributes, "rows")
            self._column = self._columns = 0
        elif name in ("table-cell", "covered-table-cell"):
            self._column += self._columns
            self._columns = self._repeated(attributes, "columns")
            if any(key.startswith(("office:", "table:formula")) for key in attributes):
                self.reach(self._row + self._rows, self._column + self._columns)
        elif name == "p":
            self.reach(self._row + self._rows, self._column + self._columns)

    def _repeated(self, attributes: dict[str, str], what: str) -> int:
        text = attributes.get(f"table:number-{what}-repeated", "1")
        if not text.isdecimal() or len(text) > 9 or int(text) > self._LIMITS[what]:
            raise SheetsRefused(TOO_LARGE.at(Place(), reason=f"{what} × {text[:20]}"))
        return int(text)


def _check_extent(content: bytes, extent: _Extent) -> dict[tuple[int, int], str]:
    _parse(content, extent.start, extent.text)
    return extent.errors
