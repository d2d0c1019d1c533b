"""Workbooks to hand in: the formats that read them back.

A file is told by the template's mark, else by its headings; a CSV or a sheet of one's own making
is taken as well, as long as its headings fit exactly one contract best. What a template is
and how it is written stands in `template`, sheets and rows in `sheets` and `tables`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from geniac_pipelines.contracts import Contract
from geniac_pipelines.intake.headings import Header, find_header
from geniac_pipelines.intake.reading import (
    Complaint,
    Context,
    Format,
    Item,
    Place,
    Refusal,
    Row,
    Source,
)
from geniac_pipelines.intake.sheets import (
    Book,
    Sheet,
    SheetsRefused,
    book,
    head_rows,
    is_workbook,
)
from geniac_pipelines.intake.tables import columns_missing, read_table, without_repeats
from geniac_pipelines.intake.template import (
    GUIDE,
    MARK_PREFIX,
    WorkbookTemplate,
    sheet_name,
    write_template,
)
from geniac_pipelines.japanese import fold

__all__ = [
    "WorkbookTemplate",
    "format_of",
    "formats_of",
    "other_workbooks",
    "sheet_name",
    "write_template",
]

READER_VERSION: Final = 2
"""Raise it when the same workbook would give other rows or remarks: all are then read again."""

AMBIGUOUS: Final = Complaint(
    "workbook.ambiguous",
    "file",
    ja="見出しが複数の様式（{names}）に同じだけ当てはまるため、どの様式か決められません",
    ja_remedy="該当する様式をダウンロードし、その様式に記入して再提出してください",
    en="the headings fit several templates equally well ({names}); which is meant can't be told",
    en_remedy="fill in the template that is meant and send that",
)
SHEET_IGNORED: Final = Complaint(
    "workbook.sheet-ignored",
    "nothing",
    ja="シート「{name}」は様式にないため読み取りませんでした",
    ja_remedy="必要な内容であれば事務局にご連絡ください",
    en="sheet {name!r} is not part of the template and was not read",
    en_remedy="tell the secretariat if it matters",
)
SHEET_HIDDEN: Final = Complaint(
    "workbook.sheet-hidden",
    "nothing",
    ja="シート「{name}」は非表示ですが、様式のシートなので読み取りました",
    ja_remedy="提出するつもりのない内容であれば、シートを削除して再提出してください",
    en="sheet {name!r} is hidden, but belongs to the template and was read",
    en_remedy="if it was not meant to be sent, delete it and send the file again",
)
SHEET_MISSING: Final = Complaint(
    "workbook.sheet-missing",
    "nothing",
    ja="様式のシート「{name}」がありません",
    ja_remedy="報告する内容がなければ対応は不要です。ある場合はシートを含めて再提出してください",
    en="the template's sheet {name!r} is not there",
    en_remedy="nothing to do if there is nothing to report; else send the file with the sheet",
)
SHEET_EMPTY: Final = Complaint(
    "workbook.sheet-empty",
    "nothing",
    ja="シート「{name}」には記入がありません",
    ja_remedy="報告する内容がなければ対応は不要です。ある場合は記入して再提出してください",
    en="nothing is filled in on sheet {name!r}",
    en_remedy="nothing to do if there is nothing to report; else fill it in and send it again",
)
NO_ROWS: Final = Complaint(
    "workbook.no-rows",
    "file",
    ja="ファイルに記入された行がありません",
    ja_remedy="様式に記入して再提出してください",
    en="no row of the file is filled in",
    en_remedy="fill in the template and send it again",
)
OTHER_VERSION: Final = Complaint(
    "workbook.other-version",
    "nothing",
    ja="様式の版が違います（提出：第{found}版、現行：第{current}版）。見出しによって読み取りました",
    ja_remedy="次回から現行の様式をお使いください",
    en="made from version {found} of the template, while {current} is current; read by headings",
    en_remedy="use the current template next time",
)
NO_TEMPLATE: Final = Complaint(
    "workbook.no-template",
    "file",
    ja="どの様式にも当てはまらないファイルです（シート：{found}）",
    ja_remedy="様式（{names}）のいずれかに記入して再提出してください",
    en="the workbook fits no template (sheets: {found})",
    en_remedy="fill in one of the templates ({names}) and send that",
)


@dataclass(frozen=True, order=True)
class _Fit:
    """How well a sheet fits a contract; compared by `grade`, then by what was found.

    `grade` 3: every required column is there. 2: the sheet bears the contract's name. 1: most of
    the required columns are there, so that what is missing can be said. 0: no fit.
    """

    grade: int = 0
    found: int = 0
    strength: int = 0


def formats_of(templates: Sequence[WorkbookTemplate]) -> tuple[Format, ...]:
    """One format for each template; each knows the others, so that none takes another's file."""
    return tuple(format_of(template, templates) for template in templates)


def format_of(template: WorkbookTemplate, templates: Sequence[WorkbookTemplate] = ()) -> Format:
    """The format that reads a template back, as a workbook or as CSV of one of its sheets.

    Where a file fits several of `templates` equally well, the first of them claims it and refuses
    it as ambiguous.
    """
    rivals = tuple(templates) or (template,)
    asked = ("workbook", *(t.name for t in rivals))

    def recognise(source: Source) -> bool:
        best = source.once(asked, lambda: _best(_glance(source), rivals))
        return bool(best) and best[0] is template

    def read(source: Source, context: Context) -> Iterator[Item]:
        try:
            opened = book(source)
        except SheetsRefused as refused:
            yield refused.refusal
            return
        best = _best(opened, rivals)
        if len(best) > 1:
            yield AMBIGUOUS.at(Place(), names=_quoted(best))
            return
        yield from _read(opened, template, context)

    return Format(
        name=f"workbook-{template.name}",
        area=template.area,
        ja=template.ja,
        contracts=template.contracts,
        recognise=recognise,
        read=read,
        version=READER_VERSION * 1_000 + template.version,
        personal=template.personal or any(c.personal for c in template.contracts),
    )


def other_workbooks(formats: Sequence[Format], templates: Sequence[WorkbookTemplate]) -> Format:
    """The format of workbooks that no other format claims, read only to say what is wrong.

    Without it a locked or foreign workbook would be an unknown file, or be opened as an archive.
    """

    def recognise(source: Source) -> bool:
        return is_workbook(source) and not any(f.recognise(source) for f in formats)

    def read(source: Source, _context: Context) -> Iterator[Item]:
        try:
            opened = book(source)
        except SheetsRefused as refused:
            yield refused.refusal
            return
        # names of sheets only: nobody knows what of people the cells of a foreign file hold
        found = "".join(f"「{sheet.name}」" for sheet in opened.sheets[:10]) or "なし"
        yield NO_TEMPLATE.at(Place(), found=found, names=_quoted(templates))

    return Format(
        "workbook-other", "intake", "様式でない表計算ファイル", (), recognise, read, personal=True
    )


def _quoted(templates: Sequence[WorkbookTemplate]) -> str:
    return "".join(f"「{t.ja}」" for t in templates)


def _glance(source: Source) -> Book | None:
    """The workbook, or the first rows of a text table; None where the file is neither."""
    if is_workbook(source):
        try:
            return book(source)
        except SheetsRefused:
            return None
    # JSON, XML and binary files are most of what is not a table
    marked = source.head.startswith((b"\xff\xfe", b"\xfe\xff"))
    start = source.head[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not marked and (b"\0" in start or start[:1] in b"{[<"):
        return None
    rows = head_rows(source.head, whole=source.size <= len(source.head))
    return Book((Sheet(None, rows),)) if rows else None


def _best(opened: Book | None, templates: Sequence[WorkbookTemplate]) -> list[WorkbookTemplate]:
    """The templates that a file fits best: none, one, or several alike."""
    if opened is None:
        return []
    if mark := _mark(opened):
        return [t for t in templates if t.name == mark.partition("/")[0]]
    fits = {t.name: _template_fit(opened, t) for t in templates}
    top = max(fits.values(), default=_Fit())
    return [t for t in templates if top.grade and fits[t.name] == top]


def _template_fit(opened: Book, template: WorkbookTemplate) -> _Fit:
    return max(
        (
            _fit(sheet, contract, find_header(sheet, contract))
            for sheet in opened.sheets
            for contract in template.contracts
            if not _is_guide(sheet)
        ),
        default=_Fit(),
    )


def _mark(opened: Book) -> str | None:
    """Name and version of the template that the file says it was made from."""
    if opened.mark:
        return opened.mark
    for sheet in filter(_is_guide, opened.sheets):
        for row in sheet.rows[:10]:
            for cell in row:
                if isinstance(cell, str) and cell.startswith(MARK_PREFIX):
                    return cell.removeprefix(MARK_PREFIX).strip()
    return None


def _is_guide(sheet: Sheet) -> bool:
    return sheet.name is not None and fold(sheet.name) == fold(GUIDE)


def _is_named(sheet: Sheet, contract: Contract) -> bool:
    return sheet.name is not None and fold(sheet.name) == fold(sheet_name(contract))


def _fit(sheet: Sheet, contract: Contract, header: Header | None) -> _Fit:
    named = _is_named(sheet, contract)
    if header is None:
        return _Fit(2 if named else 0)
    found = len(header.fields)
    required = sum(c.required for c in contract.columns)
    missing = len(header.missing(contract))
    if missing == 0:
        return _Fit(3, found, header.strength + named)
    if named:
        return _Fit(2, found, header.strength)
    partial = missing <= max(1, required // 3) and found >= 3
    return _Fit(1, found, header.strength) if partial else _Fit()


def _read(opened: Book, template: WorkbookTemplate, context: Context) -> Iterator[Item]:
    mark = _mark(opened)
    version = mark.partition("/")[2] if mark else ""
    if version and version != str(template.version):
        yield OTHER_VERSION.at(Place(), found=version, current=template.version)
    rows: dict[str, list[Row]] = {c.name: [] for c in template.contracts}
    seen: set[str] = set()
    lost = False
    for sheet in opened.sheets:
        if _is_guide(sheet):
            continue
        for item in _read_sheet(sheet, template, context, seen):
            if isinstance(item, Row):
                rows[item.contract.name].append(item)
            else:
                lost = lost or item.complaint.costs in ("file", "row")
                yield item
    for contract in template.contracts:
        if contract.name not in seen and mark:
            yield SHEET_MISSING.at(Place(), name=sheet_name(contract))
        yield from without_repeats(rows[contract.name])
    if not lost and not any(rows.values()):
        yield NO_ROWS.at(Place())


def _read_sheet(
    sheet: Sheet, template: WorkbookTemplate, context: Context, seen: set[str]
) -> Iterator[Row | Refusal]:
    """Rows and refusals of a sheet; adds to `seen` the contract that it was read for."""
    named = [c for c in template.contracts if _is_named(sheet, c)]
    if not any(cell is not None for row in sheet.rows for cell in row):
        for contract in named:
            seen.add(contract.name)
            yield SHEET_EMPTY.at(Place(sheet.name), name=sheet.name)
        return
    candidates = named or template.contracts
    headers = {c.name: find_header(sheet, c) for c in candidates}
    fits = {c.name: _fit(sheet, c, headers[c.name]) for c in candidates}
    top = max(fits.values())
    best = [c for c in candidates if top.grade and fits[c.name] == top]
    if not best:
        yield SHEET_IGNORED.at(Place(sheet.name), name=sheet.name or "")
        return
    if len(best) > 1:
        names = "".join(f"「{c.ja}」" for c in best)
        yield AMBIGUOUS.at(Place(sheet.name), names=names)
        return
    contract = best[0]
    seen.add(contract.name)
    if sheet.hidden:
        yield SHEET_HIDDEN.at(Place(sheet.name), name=sheet.name)
    header = headers[contract.name]
    if header is None:
        yield columns_missing(sheet, contract, None)
        return
    items = list(read_table(sheet, contract, header, context))
    if not items and len(template.contracts) > 1:
        yield SHEET_EMPTY.at(Place(sheet.name), name=sheet.name or contract.ja)
    yield from items
