"""Cells come out of workbooks and CSV as they went in; what could exhaust the machine does not."""

import io
import zipfile
from datetime import date, datetime

import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from geniac_pipelines.intake.sheets import Sheet, SheetsRefused, is_workbook, sheets
from tests.realdata import realdata
from tests.unit.handed_in import ods, rezipped, source, with_sheet_xml, xlsx

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504


def refused(tmp_path, content: bytes, name: str = "sent.xlsx") -> str:
    with pytest.raises(SheetsRefused) as caught:
        sheets(source(tmp_path, content, name))
    refusal = caught.value.refusal
    assert refusal.complaint.costs == "file"
    assert refusal.ja
    assert refusal.ja_remedy
    return refusal.complaint.code


def only(tmp_path, content: bytes, name: str = "sent.xlsx") -> Sheet:
    [sheet] = sheets(source(tmp_path, content, name))
    return sheet


def test_cells_keep_their_types_and_addresses(tmp_path) -> None:
    rows = [[], [None, "題"], [2026, 35120.5, date(2026, 9, 1), True]]
    sheet = only(tmp_path, xlsx({"表": rows}))
    assert (sheet.name, sheet.first_row, sheet.hidden) == ("表", 1, False)
    assert sheet.rows == (
        (None, None, None, None),
        (None, "題", None, None),
        (2026, 35120.5, date(2026, 9, 1), True),
    )


def test_a_moment_keeps_its_time_and_has_no_zone(tmp_path) -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    shown = book.add_format({"num_format": "yyyy/mm/dd hh:mm"})
    book.add_worksheet().write_datetime(0, 0, datetime(2026, 9, 1, 10, 5), shown)  # noqa: DTZ001
    book.close()
    assert only(tmp_path, buffer.getvalue()).rows == ((datetime(2026, 9, 1, 10, 5),),)  # noqa: DTZ001


def test_dates_of_the_1904_calendar_are_the_same_days(tmp_path) -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "date_1904": True})
    shown = book.add_format({"num_format": "yyyy/mm/dd"})
    book.add_worksheet().write_datetime(0, 0, date(2026, 9, 1), shown)
    book.close()
    sheet = only(tmp_path, buffer.getvalue())
    assert sheet.rows == ((date(2026, 9, 1),),)
    assert sheet.epoch_1904 is True


def test_an_error_of_a_formula_is_kept_as_it_is_shown(tmp_path) -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet("表")
    sheet.write_string(0, 0, "a")
    sheet.write_formula(1, 1, "=A1/0", None, "#DIV/0!")
    book.close()
    assert only(tmp_path, buffer.getvalue()).rows == (("a", None), (None, "#DIV/0!"))


def test_hidden_sheets_come_too_and_are_marked(tmp_path) -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.add_worksheet("見える").write(0, 0, 1)
    hidden = book.add_worksheet("隠れた")
    hidden.write(0, 0, 2)
    hidden.hide()
    book.close()
    found = sheets(source(tmp_path, buffer.getvalue()))
    assert [(s.name, s.hidden, s.rows) for s in found] == [
        ("見える", False, ((1,),)),
        ("隠れた", True, ((2,),)),
    ]


def test_merged_cells_are_told_and_filled_only_where_headers_are_looked_for(tmp_path) -> None:
    content = xlsx({"表": [["計画", None], ["額", "時間"]]}, merged=[(0, 0, 0, 1)])
    sheet = only(tmp_path, content)
    assert sheet.merged == ((0, 0, 0, 1),)
    assert sheet.rows == (("計画", None), ("額", "時間"))
    assert sheet.head_texts == [["計画", "計画"], ["額", "時間"]]


def test_opendocument_is_read_with_its_repeated_cells(tmp_path) -> None:
    row = (
        '<table:table-row><table:table-cell office:value-type="string"><text:p>月</text:p>'
        "</table:table-cell>"
        '<table:table-cell table:number-columns-repeated="2" office:value-type="float" '
        'office:value="7"><text:p>7</text:p></table:table-cell>'
        '<table:table-cell table:number-columns-repeated="16381"/></table:table-row>'
        '<table:table-row table:number-rows-repeated="1048575"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
    )
    sheet = only(tmp_path, ods(row), "sent.ods")
    assert (sheet.name, sheet.rows) == ("表", (("月", 7, 7),))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("月,GPU\n2026-09,H100\n", "utf-8"),
        ("月,GPU\r\n2026-09,H100\r\n", "utf-8-sig"),
        ("月;GPU\n2026-09;H100\n", "cp932"),
        ("月\tGPU\n2026-09\tH100\n", "utf-16"),
    ],
)
def test_text_tables_of_every_delimiter_and_encoding(tmp_path, text, encoding) -> None:
    sheet = only(tmp_path, text.encode(encoding), "sent.csv")
    assert (sheet.name, sheet.rows) == (None, (("月", "GPU"), ("2026-09", "H100")))


def test_quoted_values_hold_delimiters_quotes_and_line_breaks(tmp_path) -> None:
    text = '月,内容,額\n9月,"一行目\n""二"",行目","1,234"\n\n10月,,5\n'
    sheet = only(tmp_path, text.encode(), "sent.csv")
    assert sheet.rows == (
        ("月", "内容", "額"),
        ("9月", '一行目\n"二",行目', "1,234"),
        (),
        ("10月", None, "5"),
    )


def test_amounts_with_commas_do_not_pass_for_delimiters(tmp_path) -> None:
    text = "月\t額\n9月\t1,234,567\n10月\t12,345\n"
    assert only(tmp_path, text.encode(), "a.tsv").rows[1] == ("9月", "1,234,567")


def test_a_stray_quote_is_refused_before_it_swallows_rows(tmp_path) -> None:
    text = 'a,b\n1,"open\n2,x\n3,y\n'
    assert refused(tmp_path, text.encode(), "sent.csv") == "sheet.quotes"


def test_bytes_in_no_encoding_are_refused(tmp_path) -> None:
    assert refused(tmp_path, b"a,b\n\x81\xff\xfe\xfd,1\n", "sent.csv") == "sheet.not-text"


def test_200_000_columns_are_refused(tmp_path) -> None:
    assert refused(tmp_path, b"," * 200_000 + b"\n", "sent.csv") == "sheet.too-large"


@pytest.mark.parametrize(
    "rows",
    [
        # a rectangle of 17 thousand million cells in 1 KB
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        '<row r="1000000000"><c><v>1</v></c><c><v>1</v></c></row>',
        '<row r="1"><c r="ZZZ1"><v>1</v></c></row>',
    ],
)
def test_sheets_that_would_fill_the_memory_are_refused_before_they_are_opened(
    tmp_path, rows
) -> None:
    assert refused(tmp_path, with_sheet_xml(rows)) == "sheet.too-large"


def test_formats_on_empty_cells_make_no_sheet_too_large(tmp_path) -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576" s="1"/></row>'
    assert only(tmp_path, with_sheet_xml(rows)).rows == ((1,),)


@pytest.mark.parametrize(("rows", "columns"), [("1000000000", "1"), ("1000000", "1000")])
def test_opendocument_repetitions_are_bounded(tmp_path, rows, columns) -> None:
    content = ods(
        f'<table:table-row table:number-rows-repeated="{rows}"><table:table-cell '
        f'table:number-columns-repeated="{columns}" office:value-type="float" office:value="1"/>'
        "</table:table-row>"
    )
    assert refused(tmp_path, content, "sent.ods") == "sheet.too-large"


def test_a_zip_bomb_is_refused_by_its_declared_size(tmp_path) -> None:
    bomb = rezipped(xlsx({"a": [[1]]}), {"xl/media/image1.bin": b"\0" * (64 << 20)})
    assert len(bomb) < 100_000
    assert refused(tmp_path, bomb) == "sheet.unsafe"


def test_a_document_type_is_refused(tmp_path) -> None:
    entities = b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet><sheetData/></worksheet>'
    content = rezipped(xlsx({"a": [[1]]}), {"xl/worksheets/sheet1.xml": entities})
    assert refused(tmp_path, content) == "sheet.unsafe"


def test_a_member_longer_than_it_says_is_refused(tmp_path) -> None:
    content = bytearray(xlsx({"a": [[1]]}))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    entry = content.rindex(b"xl/worksheets/sheet1.xml") - 46
    assert content[entry : entry + 4] == b"PK\x01\x02"
    assert int.from_bytes(content[entry + 24 : entry + 28], "little") == size
    content[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    assert refused(tmp_path, bytes(content)) == "sheet.damaged"


def test_encrypted_workbooks_ask_for_the_password_to_be_removed(tmp_path) -> None:
    new = OLE + "EncryptedPackage".encode("utf-16-le") + b"\0" * 512
    assert refused(tmp_path, new) == "sheet.locked"
    manifest = (
        b'<manifest:manifest xmlns:manifest="x"><manifest:encryption-data/></manifest:manifest>'
    )
    opendocument = rezipped(ods(""), {"META-INF/manifest.xml": manifest})
    assert refused(tmp_path, opendocument, "sent.ods") == "sheet.locked"
    with pytest.raises(SheetsRefused) as caught:
        sheets(source(tmp_path, new))
    assert "パスワードを外して" in caught.value.refusal.ja_remedy


def test_damaged_and_binary_workbooks_are_refused(tmp_path) -> None:
    whole = xlsx({"a": [["x"] * 50] * 50})
    assert refused(tmp_path, whole[: len(whole) // 2]) == "sheet.damaged"
    assert refused(tmp_path, rezipped(whole, {"xl/workbook.bin": b""})) == "sheet.binary-workbook"
    assert refused(tmp_path, OLE + "Workbook".encode("utf-16-le")) == "sheet.damaged"


def test_other_archives_and_documents_are_no_workbooks(tmp_path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    assert not is_workbook(source(tmp_path, buffer.getvalue(), "letter.docx"))
    assert not is_workbook(source(tmp_path, OLE + "WordDocument".encode("utf-16-le"), "a.doc"))
    assert is_workbook(source(tmp_path, xlsx({"a": []})))


def outcome(tmp_path, content: bytes) -> str:
    """ "read", or what the refusal costs; anything else that is raised fails the test."""
    try:
        found = sheets(source(tmp_path, content))
    except SheetsRefused as refused:
        return refused.refusal.complaint.costs
    return "read" if all(isinstance(sheet, Sheet) for sheet in found) else "no sheets"


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=400) | st.binary(max_size=300).map(lambda b: OLE + b))
@example(content=b"PK\x03\x04xl/workbook.xml")
@example(content=b"")
def test_any_bytes_are_read_or_refused(tmp_path, content) -> None:
    assert outcome(tmp_path, content) in ("read", "file")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_workbook_with_any_byte_changed_is_read_or_refused(tmp_path, data) -> None:
    content = bytearray(xlsx({"表": [["月", 1.5, date(2026, 9, 1)]]}))
    for _ in range(data.draw(st.integers(1, 5))):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] = data.draw(st.integers(0, 255))
    assert outcome(tmp_path, bytes(content)) in ("read", "file")


def test_old_and_large_workbooks_of_a_ministry(tmp_path) -> None:
    folder = realdata("data_utilization/soumu_excel")
    [old] = [
        s
        for s in sheets(
            source(tmp_path, (folder / "FY2015-population_dynamics_municipal.xls").read_bytes())
        )
        if s.name == "人口、世帯数、人口動態（市区町村別）【総計】"
    ]
    assert old.rows[1][:4] == ("団体コード", "都道府県名", "市区町村名", "平成27年")
    assert (1, 3, 1, 6) in old.merged or any(top == 1 and left == 3 for top, left, *_ in old.merged)
    cards = sheets(source(tmp_path, (folder / "FY2015-settlementcard.xlsx").read_bytes()))
    assert len(cards) == 48
    assert cards[1].name == "北海道"
