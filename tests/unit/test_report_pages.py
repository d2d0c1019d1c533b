"""PDF and HTML pages: everything traceable, nothing from elsewhere, long things fit."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from urllib.parse import urlparse

import pikepdf
import pytest
from lxml import html as lxml_html

from geniac_pipelines.figures.model import FigureColumn
from geniac_pipelines.reports.document import (
    Bullets,
    Callout,
    Chapter,
    Document,
    Heading,
    Paragraph,
    Table,
    text,
)
from geniac_pipelines.reports.html import html
from geniac_pipelines.reports.pdf import pdf
from geniac_pipelines.reports.printable import printable
from tests.unit.report_documents import NAME, bars, figure_table, report

SHOWN = figure_table(
    [
        {"name": "甲社", "hours": Decimal("1234.25")},
        {"name": "乙社", "hours": None},
        {"name": "丙社", "hours": Decimal(0)},
    ]
)


def whole() -> Document:
    """Each kind of block once; quantities come as figures only."""
    used = SHOWN.cell(SHOWN.rows[0], "hours")
    return report(
        Paragraph(text("割当量は", used, "でした。")),
        Bullets((text("甲社は", used, "。"), text("乙社は", SHOWN.cell(SHOWN.rows[1], "hours")))),
        Callout("caution", "届いていません", text("甲社の", used, "だけです。")),
        Table(SHOWN),
        bars(SHOWN),
        summary=(Paragraph(text("全体で", used)),),
    )


def opened(document: Document) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf(document)))


def page(document: Document) -> lxml_html.HtmlElement:
    return lxml_html.fromstring(html(document).decode())


def outline(file: pikepdf.Pdf) -> list[str]:
    with file.open_outline() as tree:
        return [item.title for item in tree.root]


def test_each_table_travels_in_the_pdf_as_csv() -> None:
    other = figure_table([{"name": "丁社", "hours": Decimal("0.1")}], identity="usage/companies")
    same_name = replace(other, id="usage_companies")
    with opened(report(Table(SHOWN), Table(other), Table(same_name))) as file:
        names = sorted(file.attachments)
        assert names == ["usage.companies.csv", "usage_companies.csv", "usage_companies_2.csv"]
        content = file.attachments["usage.companies.csv"].get_file().read_bytes().decode()
        spec = file.attachments["usage.companies.csv"].obj
        assert str(spec.AFRelationship) == "/Data"
        assert str(spec.EF.F.Subtype) in ("/text/csv", "/text#2Fcsv")
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    hours = [(r["行の名称"], r["値"], r["欠測"]) for r in rows if r["項目"] == "割当量"]
    assert hours == [("甲社", "1234.25", "0"), ("乙社", "", "1"), ("丙社", "0", "0")]


def test_pdf_has_bookmarks_language_and_author() -> None:
    with opened(whole()) as file:
        assert outline(file) == ["要約", "1. 利用状況", "添付データ"]
        assert str(file.Root.Lang).lower().startswith("ja")
        assert str(file.docinfo.Author) == "GENIAC事務局"
        assert "/ViewerPreferences" in file.Root
        assert file.Root.ViewerPreferences.DisplayDocTitle


def test_pdf_table_headers_are_tagged_as_headers() -> None:
    with opened(report(Table(SHOWN))) as file:
        kinds = [
            str(o.S)
            for o in file.objects
            if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/StructElem"
        ]
    assert kinds.count("/TH") >= 2
    assert kinds.count("/TD") >= 6


def test_a_wide_table_lies_sideways_and_the_rest_stands() -> None:
    names = [f"m{n}" for n in range(12)]
    wide = figure_table(
        [{"name": "つくばマテリアルズ株式会社", **dict.fromkeys(names, Decimal("98765.4"))}] * 3,
        (NAME, *(FigureColumn(n, "割当量", "number", "GPU時間", 1) for n in names)),
        identity="usage.months",
    )
    document = report(Paragraph(text("前")), Heading(2, "月ごと"), Table(wide))
    with opened(document) as file:
        sideways = [float(p.MediaBox[2]) > float(p.MediaBox[3]) for p in file.pages]
    assert sideways == [False, False, True, False]


def test_five_hundred_rows_with_long_words_run_over_pages() -> None:
    rows = [
        {"name": f"第{n}研究所 {'0123456789abcdef' * 4}", "hours": Decimal(n)} for n in range(500)
    ]
    with opened(report(Table(figure_table(rows)))) as file:
        assert 8 <= len(file.pages) <= 30


def test_one_cell_longer_than_a_page_breaks_over_pages() -> None:
    long = figure_table([{"name": "長い説明。" * 2000, "hours": Decimal(1)}])
    with opened(report(Table(long))) as file:
        assert len(file.pages) >= 4


def test_every_number_in_html_text_is_a_link_to_its_row() -> None:
    tree = page(whole())
    for element in tree.xpath("//main//section[not(@aria-labelledby='origins')]"):
        for part in element.xpath(".//*[self::p or self::li or self::td]//text()"):
            holder = part.getparent()
            inside = part.is_text and holder.get("class") == "figure"
            numbered = re.fullmatch(r"要件番号：3-1-a|表\d+|図\d+.*", part.strip())
            assert inside or numbered or not re.search(r"\d", part), part
    for link in tree.xpath("//a[@class='figure']"):
        (row,) = tree.xpath(f"//*[@id='{link.get('href')[1:]}']")
        assert link.get("data-figure") in row.text_content()
    (first,) = tree.xpath("//tr[@id='origin-1-1']")
    assert "company_id = c1" in first.text_content()


def test_html_needs_nothing_from_elsewhere() -> None:
    tree = page(whole())
    assert not tree.xpath("//script|//link|//img|//iframe|//@onclick")
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'")
    for reference in tree.xpath("//@href|//@src"):
        assert not urlparse(reference).netloc
    assert "url(http" not in html(whole()).decode()


def test_html_is_built_for_screen_readers_and_keyboards() -> None:
    tree = page(whole())
    assert tree.get("lang") == "ja"
    (skip,) = tree.xpath("//body/a[1]")
    assert tree.xpath(f"//main[@id='{skip.get('href')[1:]}']")
    levels = [int(h.tag[1]) for h in tree.xpath("//h1|//h2|//h3|//h4|//h5|//h6")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for table in tree.xpath("//table"):
        assert table.xpath("string(caption)").strip()
        assert table.xpath("thead//th[@scope='col']")
        assert not table.xpath("thead//th[not(@scope)]")
    for region in tree.xpath("//*[@tabindex='0']"):
        assert region.get("role") == "region"
        assert region.get("aria-label")


def test_whatever_may_be_wider_than_a_phone_scrolls_in_a_region_with_a_name() -> None:
    tree = page(whole())
    regions = tree.xpath("//*[contains(@class, 'scroll')]")
    assert all(r.get("tabindex") == "0" and r.get("aria-label") for r in regions)
    (drawn,) = tree.xpath("//figure//*[name()='svg']/..")
    assert drawn in regions
    assert drawn.get("aria-label") == "図1　割当量は組織により異なる"
    assert {t.getparent() for t in tree.xpath("//table")} <= set(regions)


def test_tones_are_said_in_words_and_signs() -> None:
    judged = figure_table(
        [{"name": "要指示（案）", "hours": Decimal(1)}, {"name": "適切", "hours": Decimal(2)}]
    )
    table = Table(judged, tones={"要指示（案）": "alert"}, tone_column="name")
    callouts = [Callout(t, "題", text("文")) for t in ("info", "caution", "alert")]
    said = page(report(table, *callouts)).text_content()
    for word in ("■ 要指示（案）", "● お知らせ", "▲ 注意", "■ 要対応"):
        assert word in said
    with pytest.raises(ValueError, match="unknown tone 'red'"):
        printable(report(Callout("red", "題", text("文"))))


def test_a_chart_of_no_rows_is_not_drawn_but_said() -> None:
    nothing = report(bars(figure_table([])))
    tree = page(nothing)
    assert not tree.xpath("//figure//*[name()='svg']")
    assert "この図のもとになる記録はありません。" in tree.text_content()
    with opened(nothing) as file:
        assert len(file.pages) == 2


def test_numbers_of_a_chart_can_be_read_where_no_table_prints_them() -> None:
    alone = page(report(bars(SHOWN)))
    (data,) = alone.xpath("//figure/details")
    assert [a.text for a in data.xpath(".//a[@class='figure']")] == ["1,234.2", "―", "0.0"]
    both = page(report(bars(SHOWN), Table(SHOWN)))
    assert not both.xpath("//figure/details")
    assert both.xpath("//figure//a[@href='#表1']")
    assert both.xpath("//table[@id='表1']")


def test_headings_skip_no_level_and_empty_reports_have_pages() -> None:
    skipping = report(Heading(4, "深い見出し"), Heading(1, "浅い見出し"), Heading(3, "次"))
    levels = [b["level"] for b in printable(skipping)["chapters"][0]["blocks"]]
    assert levels == [2, 2, 3]
    with opened(skipping) as file:
        assert outline(file) == ["1. 利用状況"]
    empty = report(chapters=(Chapter("none", "何もない章", "6", ()),))
    with opened(empty) as file:
        assert outline(file) == ["1. 何もない章"]


def test_hostile_words_in_every_place_stay_words() -> None:
    hostile = '#panic("x") $1$ `raw` [link](x) \\ "]} {{ 7 }} {% raw %} <b>&amp;</b>'
    table = figure_table(
        [{"name": hostile, "hours": Decimal(1)}],
        (NAME, FigureColumn("hours", hostile, "number", hostile)),
        title=hostile,
        note=hostile,
    )
    chart = replace(bars(table), title=hostile, subtitle=hostile, alt=hostile, source=hostile)
    document = report(
        Heading(2, hostile),
        Paragraph(text(hostile)),
        Bullets((text(hostile),)),
        Callout("info", hostile, text(hostile)),
        Table(table),
        Table(figure_table([], identity="none"), empty=hostile),
        chart,
        title=hostile,
        subtitle=hostile,
        audience_ja=hostile,
        generation=hostile,
        author=hostile,
    )
    with opened(document) as file, file.open_metadata() as metadata:
        assert metadata["dc:title"].startswith(hostile)
    assert page(document).text_content().count(hostile) >= 12
    assert not page(document).xpath("//main//b")
