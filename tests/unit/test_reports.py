"""Renderers: same input same bytes, accessible PDF, text stays text, tables that machines read."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pikepdf
import pytest
import xlsxwriter
from lxml import etree
from lxml import html as lxml_html
from python_calamine import CalamineWorkbook

from geniac_pipelines.figures.model import FigureColumn, FigureTable, Origin
from geniac_pipelines.reports.charts import svg
from geniac_pipelines.reports.document import (
    Bullets,
    Callout,
    Chapter,
    Chart,
    Document,
    Heading,
    Paragraph,
    Table,
    text,
)
from geniac_pipelines.reports.html import html
from geniac_pipelines.reports.machine_readable import machine_dependent, violations
from geniac_pipelines.reports.machine_tables import machine_csvs, plain_text
from geniac_pipelines.reports.pdf import pdf
from geniac_pipelines.reports.render import render
from geniac_pipelines.reports.workbook import browse_workbook, sheet_names
from tests.realdata import realdata
from tests.unit.report_documents import bars, figure_table, report

HOSTILE = '#import "x" *太字* $x$ <script>alert(1)</script> @ref \\ =SUM(1) {{ 7*7 }} "引用", ①㈱'

COLUMNS = (
    FigureColumn("name", "組織"),
    FigureColumn("used", "割当量", "number", "GPU時間", 1),
    FigureColumn("percent", "契約比", "number", "%", 1),
    FigureColumn("due", "期限", "date"),
    FigureColumn("status", "状況"),
)
ORIGIN = Origin(
    "select * from usage where month = $month and 1 < 2",
    "marts.usage",
    {"company_id": "id"},
    {"month": date(2026, 9, 1)},
)


def table(identity: str, rows: int, **changes: object) -> FigureTable:
    content = [
        {
            "id": f"c{n:03}",
            "name": f"株式会社 第{n}計算機研究所",
            "used": None if n % 5 == 3 else Decimal(f"{n * 1234567 % 9876543}.25"),
            "percent": Decimal(n % 101),
            "due": date(2026, 9, 1 + n % 30) if n % 4 else None,
            "status": ["受領", "修正依頼中", "未着"][n % 3],
            **changes,
        }
        for n in range(1, rows + 1)
    ]
    return FigureTable(
        id=identity,
        title=f"組織ごとの状況 {identity}",
        clause="3-1-a",
        audience="meti_nedo",
        columns=COLUMNS,
        key=("id",),
        rows=tuple(content),
        origin=ORIGIN,
        note="「―」は記録なし。",
    )


def wide_table() -> FigureTable:
    names = [f"v{n}" for n in range(9)]
    return FigureTable(
        id="usage.wide",
        title="九つの項目",
        clause="3-1-a",
        audience="meti_nedo",
        columns=(
            FigureColumn("name", "組織"),
            *(FigureColumn(n, f"項目の名称{n}", "number", "GPU時間", 1) for n in names),
        ),
        key=("name",),
        rows=tuple(
            {"name": f"第{r}研究所", **dict.fromkeys(names, Decimal("123456.7"))} for r in range(4)
        ),
        origin=ORIGIN,
    )


def chart(of: FigureTable) -> Chart:
    return Chart(
        id="used",
        title="割当量",
        subtitle="組織ごと、GPU時間",
        spec={
            "mark": "bar",
            "encoding": {
                "y": {"field": "name", "type": "nominal", "title": None, "sort": None},
                "x": {"field": "used", "type": "quantitative", "title": "GPU時間"},
            },
        },
        table=of,
        alt="組織ごとの割当量の横棒グラフ。<数値は表と同じ>",
        source="ジョブ実行記録",
    )


def document(rows: int = 6, **changes: object) -> Document:
    shown = table("usage.companies", rows)
    row = shown.rows[0]
    whole = Document(
        id="monthly/2026-09/meti_nedo",
        title="GENIAC 月次報告書",
        subtitle="計算資源の利用状況",
        audience="meti_nedo",
        audience_ja="経済産業省・NEDO",
        period_ja="令和8年9月",
        as_of=date(2026, 10, 15),
        generation="G-0042",
        author="GENIAC事務局",
        draft=True,
        summary=(
            Paragraph(text("割当量は ", shown.cell(row, "used"), " でした。")),
            Callout("info", "判定について", text("機械判定（未確認）です。")),
            Callout("alert", "未着があります", text("期限を過ぎました。")),
        ),
        chapters=(
            Chapter(
                "usage",
                "計算資源の利用状況",
                "3-1-a",
                (
                    Table(
                        shown,
                        tones={"未着": "alert", "修正依頼中": "caution", "受領": "info"},
                        tone_column="status",
                    ),
                    chart(shown),
                    Heading(2, "横に長い表"),
                    Table(wide_table()),
                    Heading(2, "届いていないもの"),
                    Table(table("usage.none", 0), empty="すべて受領しています。"),
                    Bullets((text("一つ目の点。"), text("二つ目の点。"))),
                    Callout("caution", "注意してください", text(HOSTILE)),
                ),
            ),
        ),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def pdf_text(content: bytes) -> str:
    """What the tagged PDF says, from its own character maps (no layout)."""
    said = []
    with pikepdf.open(io.BytesIO(content)) as file:
        for page in file.pages:
            maps = {}
            for name, font in page.Resources.Font.items():
                cmap = font.ToUnicode.read_bytes().decode()
                maps[name] = {
                    int(a, 16): bytes.fromhex(b).decode("utf-16-be")
                    for a, b in re.findall(r"<([0-9A-F]{4})>\s+<([0-9A-F]+)>", cmap, re.IGNORECASE)
                }
            current: dict[int, str] = {}
            for operands, operator in pikepdf.parse_content_stream(page):
                if str(operator) == "Tf":
                    current = maps[str(operands[0])]
                elif str(operator) in ("Tj", "TJ"):
                    strings = operands[0] if str(operator) == "TJ" else operands
                    for piece in strings:
                        if isinstance(piece, pikepdf.String):
                            raw = bytes(piece)
                            codes = [raw[i] << 8 | raw[i + 1] for i in range(0, len(raw), 2)]
                            said.append("".join(current.get(c, "") for c in codes))
    return "".join(said)


def test_the_same_document_gives_the_same_bytes_in_every_form(tmp_path: Path) -> None:
    first, second = (render(document(), tmp_path / n) for n in ("a", "b"))
    assert [p.relative_to(tmp_path / "a").as_posix() for p in first] == [
        "monthly_report.pdf",
        "monthly_report.html",
        "tables_for_reading.xlsx",
        "tables_for_machines.xlsx",
        "csv/usage.companies.csv",
        "csv/usage.wide.csv",
        "csv/usage.none.csv",
    ]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_pdf_declares_archive_and_accessibility_and_embeds_its_fonts() -> None:
    with pikepdf.open(io.BytesIO(pdf(document()))) as file:
        with file.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "3"
            assert metadata["pdfaid:conformance"] == "A"
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == "GENIAC 月次報告書 令和8年9月"
        assert str(file.Root.Lang).lower().startswith("ja")
        assert file.Root.MarkInfo.Marked
        assert str(file.docinfo.CreationDate).startswith("D:20261015")
        fonts = [o for o in file.objects if isinstance(o, pikepdf.Dictionary)]
        descriptors = [o for o in fonts if o.get("/Type") == "/FontDescriptor"]
        assert descriptors
        assert all("NotoSansCJKjp" in str(d.FontName) for d in descriptors)
        assert all("/FontFile2" in d or "/FontFile3" in d for d in descriptors)
        alts = [str(o.Alt) for o in fonts if "/Alt" in o]
        assert "組織ごとの割当量の横棒グラフ。<数値は表と同じ>" in alts


def test_a_draft_says_so_on_every_page_and_an_issued_report_nowhere() -> None:
    draft, issued = pdf(document(120)), pdf(document(120, draft=False))
    with pikepdf.open(io.BytesIO(draft)) as file:
        pages = len(file.pages)
    # once in each header, twice on the cover (the mark and its explanation)
    assert pdf_text(draft).count("暫定") == pages + 2
    assert "暫定" not in pdf_text(issued)
    assert "暫定" not in html(document(draft=False)).decode()


def test_what_nobody_released_says_so_on_every_page_and_in_the_workbook() -> None:
    marked = pdf(document(120, draft=False, unreleased=True))
    with pikepdf.open(io.BytesIO(marked)) as file:
        pages = len(file.pages)
    # every header, the cover's mark, and the cover's sentence
    assert pdf_text(marked).count("公開前の案") == pages + 2
    both = html(document(unreleased=True)).decode()
    assert '<strong class="draft">公開前の案・暫定</strong>' in both
    assert "公開前の案（事務局の担当者が公開するまで、事務局の外に出せません）、暫定（" in both
    book = CalamineWorkbook.from_filelike(
        io.BytesIO(browse_workbook(document(draft=False, unreleased=True)))
    )
    cover = book.get_sheet_by_name("表紙").to_python()
    assert cover[0][0].endswith("【公開前の案】")
    for other in (document(), document(draft=False)):
        assert "公開前の案" not in html(other).decode()
        assert "公開前の案" not in pdf_text(pdf(other))


def test_markup_in_data_stays_text() -> None:
    said = pdf_text(pdf(document()))
    assert '#import"x"*太字*$x$<script>alert(1)</script>@ref\\=SUM(1)' in said.replace(" ", "")
    page = html(document())
    assert b"<script>" not in page
    tree = lxml_html.fromstring(page.decode())
    assert HOSTILE in tree.text_content()


def test_every_figure_in_html_links_to_its_query() -> None:
    tree = lxml_html.fromstring(html(document()).decode())
    links = tree.xpath("//a[@class='figure']")
    assert {a.get("data-figure") for a in links} == {f.id for f in document().figures()}
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    for link in links:
        (row,) = tree.xpath(f"//details//tr[@id='{link.get('href')[1:]}']")
        assert link.get("data-figure") in row.xpath("td/code/text()")
        (origin,) = row.iterancestors("details")
        assert ORIGIN.sql in origin.text_content()
        assert "2026-09-01" in origin.text_content()
    assert tree.get("lang") == "ja"
    assert not tree.xpath("//script|//link|//img")


def test_chart_is_one_drawing_with_a_name_for_screen_readers() -> None:
    shown = chart(table("usage.companies", 6))
    assert svg(shown) == svg(shown)
    assert etree.fromstring(svg(shown).encode()).tag.endswith("svg")
    tree = lxml_html.fromstring(html(document()).decode())
    (drawing,) = tree.xpath("//figure/div/*[name()='svg']")
    assert drawing.xpath("string(*[name()='title'])") == "割当量"
    assert "<数値は表と同じ>" in drawing.xpath("string(*[name()='desc'])")


def test_missing_is_a_dash_and_an_empty_table_says_why() -> None:
    page = html(document()).decode()
    assert "すべて受領しています。" in page
    assert "すべて受領しています。" in pdf_text(pdf(document()))
    tree = lxml_html.fromstring(page)
    (missing,) = tree.xpath("//a[@data-figure='usage.companies/c003/used']")
    assert missing.text == "―"


def test_header_of_a_long_table_repeats_on_its_pages() -> None:
    content = pdf(document(300))
    with pikepdf.open(io.BytesIO(content)) as file:
        assert len(file.pages) > 6
    said = pdf_text(content)
    assert said.count("契約比") > 4
    for n in (1, 150, 300):
        assert f"第{n}計算機研究所" in said


def test_tables_for_reading_show_what_the_report_prints() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(browse_workbook(document())))
    assert book.sheet_names[0] == "表紙"
    assert len(book.sheet_names) == 4
    rows = book.get_sheet_by_index(1).to_python(skip_empty_area=False)
    assert rows[1][:3] == ["組織", "割当量", "契約比"]
    assert rows[2][:3] == ["", "（GPU時間）", "（%）"]
    # 1234567.25 at one digit, half to even, is 1234567.2 (Excel alone would show .3)
    assert rows[3][:3] == ["株式会社 第1計算機研究所", 1234567.2, 1]
    assert rows[5][1] == "―"


def test_machine_tables_keep_exact_values_and_flag_what_is_missing() -> None:
    content = machine_csvs(document())["usage.companies.csv"]
    assert not content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert len(rows) == 6 * 5
    cells = {(r["行キー"], r["項目"]): r for r in rows}
    used = cells["c001", "割当量"]
    assert (used["値"], used["単位"], used["欠測"]) == ("1234567.25", "GPU時間", "0")
    missing = cells["c003", "割当量"]
    assert (missing["値"], missing["欠測"]) == ("", "1")
    assert cells["c001", "期限"]["文字値"] == "2026-09-02"


def test_machine_tables_break_no_rule(tmp_path: Path) -> None:
    hostile = table("usage.hostile", 3, name=f" ㈱ 甲\n乙  {HOSTILE}")
    chapter = Chapter("x", "章", "3-1-a", (Table(hostile), Table(table("usage.companies", 300))))
    render(document(chapters=(chapter,)), tmp_path)
    assert violations(tmp_path / "tables_for_machines.xlsx") == []
    csvs = sorted((tmp_path / "csv").iterdir())
    assert len(csvs) == 2
    assert [v for file in csvs for v in violations(file)] == []


@pytest.mark.parametrize(
    ("file", "rule"),
    [
        ("mr_rule_02_multiple_tables_NG-01.csv", "L1-02"),
        ("mr_rule_06_space_formatting_NG-01.csv", "L1-06"),
        ("mr_rule_15_csv_quoting_NG-01.csv", "L1-15"),
    ],
)
def test_published_bad_samples_are_found(file: str, rule: str) -> None:
    assert rule in {v.rule for v in violations(realdata(f"reports/{file}"))}


@pytest.mark.parametrize(
    ("content", "rules"),
    [
        ("県,人口\r\n北海道,5250\r\n", set()),
        ("県,,人口\r\n北海道,札幌,5250\r\n", {"L1-05"}),
        ("県,人口\r\n北海道,①\r\n", {"L1-08"}),
        ('県,注\r\n北海道,"一\r\n二"\r\n', {"L1-14", "L1-06"}),
        ("県,人口\r\n北海道\r\n", {"L1-14"}),
        ('県,人口\r\n北海道,"5,250"\r\n', {"L2-01"}),
        ("県,人口\r\n北海道,5250人\r\n", {"L2-01"}),
        ("県,人口\r\n北海道,5250\r\n青森県,不明\r\n岩手県,12\r\n秋田県,9\r\n", {"L2-01"}),
        ("県,県\r\n北海道,札幌\r\n", {"L2-03"}),
        ("人口の表,\r\n県,人口\r\n北海道,5250\r\n", {"L3-01"}),
    ],
)
def test_each_rule_by_a_smallest_example(tmp_path: Path, content: str, rules: set[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode())
    assert {v.rule for v in violations(path)} == rules


def test_merged_cells_are_found(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("表")
    sheet.write_row(0, 0, ["県", "人口"])
    sheet.write_row(1, 0, ["北海道", 5250])
    sheet.merge_range(2, 0, 2, 1, "計")
    book.close()
    assert [(v.rule, v.place) for v in violations(path)] == [("L1-12", "A3:B3")]


def test_machine_dependent_signs_are_told_from_names() -> None:
    assert [c for c in "①㈱㍻Ⅳ№ｱ髙﨑株式会社ー―A1" if machine_dependent(c)] == list("①㈱㍻Ⅳ№ｱ")
    assert plain_text(" ㈱\n①  甲 ") == "(株) 1 甲"


def test_sheet_names_are_what_excel_takes() -> None:
    names = sheet_names(["a/b:c", "a_b_c", "長" * 40, "長" * 40, ""])
    assert len(set(names)) == 5
    assert all(0 < len(n) <= 31 and not set(n) & set("[]:*?/\\") for n in names)


UNSHOWABLE = "📊報告\x1b\x00\ue000 العربية 髙﨑①㈱\u202e\u200b葛\U000e0100.xlsx"
"""A name as anybody may send it: emoji, control and private characters, other scripts."""


def test_no_name_that_somebody_sends_can_stop_a_report(tmp_path) -> None:
    table = figure_table([{"name": UNSHOWABLE, "hours": Decimal("1.5")}])
    made = report(Table(table), bars(table), Paragraph(text(UNSHOWABLE)))
    render(made, tmp_path, tmp_path / "unreleased")
    words = pdf_text((tmp_path / "monthly_report.pdf").read_bytes())
    assert "〓報告〓〓〓 〓〓〓〓〓〓〓 髙﨑①㈱葛.xlsx" in words.replace("\n", "")
    assert "📊" not in words
