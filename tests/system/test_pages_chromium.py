"""The reports of a real night as a browser and a PDF checker see them."""

import base64
import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pikepdf
import pytest
from lxml import html as lxml_html

from geniac_pipelines.reports.edition import publish
from geniac_pipelines.store.ledger import Ledger
from tests.system.chromium import Page, browsing

pytestmark = pytest.mark.system

DESK, PHONE = (1280, 900), (390, 844)


def program(name: str, package: str) -> str:
    """Path of a program; without it the test is skipped, or fails where everything must run."""
    found = shutil.which(name)
    if found is None:
        message = f"the Debian package {package} is needed: apt-get install {package}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def shown(committed, tmp_path_factory) -> Path:
    """The folder in which the secretariat finds METI's and NEDO's report."""
    data = tmp_path_factory.mktemp("shown") / "data"
    shutil.copytree(committed / "data", data)
    ledger = Ledger(f"sqlite:///{data / 'ledger.sqlite'}")
    publish(ledger, data)
    ledger.engine.dispose()
    (folder,) = data.glob("reports/*/secretariat/meti_nedo")
    return folder


@pytest.fixture(scope="module")
def report(shown) -> Path:
    return shown / "monthly_report.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Page]:
    binary = program("chromium", "chromium")
    with browsing(binary, tmp_path_factory.mktemp("chromium") / "profile") as page:
        yield page


@pytest.fixture
def page(browser, report) -> Page:
    """The report at a desk."""
    _see(browser, DESK)
    browser.open(report)
    return browser


def _see(page: Page, size: tuple[int, int]) -> None:
    width, height = size
    page.call(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=height, deviceScaleFactor=1, mobile=size == PHONE,
    )  # fmt: skip


# ---- the page


def test_the_page_loads_without_a_complaint_and_without_a_request(page, report):
    asked = [e["request"]["url"] for e in page.told("Network.requestWillBeSent")]
    assert asked == [report.as_uri()]
    complaints = [
        *page.told("Runtime.exceptionThrown"),
        *page.told("Runtime.consoleAPICalled"),
        *page.told("Log.entryAdded"),
        *page.told("Audits.issueAdded"),
    ]
    assert complaints == []


def test_the_page_may_neither_run_scripts_nor_reach_anything(page):
    # what somebody might smuggle into a report: the page's own policy stops it
    page.evaluate("""{
        const image = document.createElement('img');
        image.src = 'https://example.com/pixel.png';
        const script = document.createElement('script');
        script.textContent = 'window.smuggled = true';
        document.body.append(image, script);
    }""")
    blocked = {
        e["issue"]["details"]["contentSecurityPolicyIssueDetails"]["violatedDirective"]
        for e in page.told("Audits.issueAdded")
        if e["issue"]["code"] == "ContentSecurityPolicyIssue"
    }
    assert blocked == {"img-src", "script-src-elem"}
    assert page.evaluate("window.smuggled === undefined")


def test_headings_contents_and_links_fit_together(page):
    headings = page.evaluate("[...document.querySelectorAll('h2')].map(h => h.textContent)")
    contents = page.evaluate("[...document.querySelectorAll('nav a')].map(a => a.textContent)")
    assert len(headings) >= 3
    assert contents == [h for h in headings if h in contents]
    assert headings[-1] == contents[-1] == "数値の出所"
    assert any("計算資源" in h or "利用" in h for h in headings)
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => Number(h.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    # by id, as a click does it
    lost = page.evaluate("""[...document.querySelectorAll('a[href]')]
        .map(a => a.getAttribute('href'))
        .filter(h => !h.startsWith('#') || !document.getElementById(decodeURIComponent(h.slice(1)))
                     && !document.getElementById(h.slice(1)))""")
    assert lost == []
    twice = page.evaluate("""{
        const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
        ids.filter((id, n) => ids.indexOf(id) !== n)
    }""")
    assert twice == []


def test_a_click_on_a_number_shows_where_it_comes_from(page):
    where = """{
        const link = document.querySelector('main td a.figure');
        link.scrollIntoView({block: 'center'});
        const box = link.getBoundingClientRect();
        [box.x + box.width / 2, box.y + box.height / 2, link.dataset.figure]
    }"""
    assert page.evaluate("document.querySelectorAll('details[open]').length") == 0
    x, y, figure = page.evaluate(where)
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    hit = page.evaluate("""new Promise(done => requestAnimationFrame(() => setTimeout(() => {
        const row = document.querySelector(':target');
        const box = row.getBoundingClientRect();
        const sees = box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
        done([row.textContent, row.closest('details').open, sees]);
    }, 500)))""")
    text, opened, sees = hit
    assert figure in text
    assert (opened, sees) == (True, True)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_is_cut_or_pushes_the_page_wide(page, report, size, tmp_path):
    _see(page, size)
    page.open(report)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    width = page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= size[0]
    # whatever is wider than its place can be scrolled there
    cut = page.evaluate("""[...document.querySelectorAll('main *, header *, nav *')]
        .filter(e => !e.closest('svg') && !e.closest('.scroll') && e.tagName !== 'PRE')
        .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
        .map(e => e.tagName + ' ' + e.textContent.slice(0, 40))""")
    assert cut == []
    picture = page.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
    png = base64.b64decode(picture["data"])
    (tmp_path / "page.png").write_bytes(png)  # kept by pytest, for eyes
    assert len(png) > 50_000


def test_on_a_phone_a_chart_keeps_readable_words_and_scrolls_in_its_own_box(page, report):
    _see(page, PHONE)
    page.open(report)
    charts = page.evaluate("""[...document.querySelectorAll('figure svg')].map(drawing => {
        const scale = drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width;
        const sizes = [...drawing.querySelectorAll('text')]
            .map(t => parseFloat(getComputedStyle(t).fontSize) * scale);
        const box = drawing.parentElement;
        return [Math.min(...sizes), box.scrollWidth > box.clientWidth];
    })""")
    assert charts
    assert [c for c in charts if c[0] < 11 or not c[1]] == []


def test_on_a_phone_the_names_and_the_title_stay_while_a_table_moves(page, report):
    _see(page, PHONE)
    page.open(report)
    moved = page.evaluate("""[...document.querySelectorAll('main > section .scroll')]
        .filter(box => box.scrollWidth > box.clientWidth && box.querySelector('tbody th'))
        .map(box => {
            const seen = () => [...box.querySelectorAll('tbody th, caption span')]
                .map(e => e.getBoundingClientRect().x);
            const before = seen();
            box.scrollLeft = 1000;
            return [box.scrollLeft > 0, seen().every((x, n) => Math.abs(x - before[n]) < 1)];
        })""")
    assert moved
    assert [m for m in moved if m != [True, True]] == []


def test_the_page_prints_on_a4(page):
    printed = page.call(
        "Page.printToPDF", preferCSSPageSize=True, printBackground=True, generateTaggedPDF=True
    )
    with pikepdf.open(io.BytesIO(base64.b64decode(printed["data"]))) as file:
        sizes = {tuple(round(float(n)) for n in p.mediabox[2:]) for p in file.pages}
        assert sizes == {(595, 842)}
        assert 2 <= len(file.pages) <= 60


# ---- the PDF


@pytest.fixture(scope="module")
def pdf(shown) -> Path:
    return shown / "monthly_report.pdf"


def test_qpdf_finds_nothing_wrong(pdf):
    done = subprocess.run(
        [program("qpdf", "qpdf"), "--check", pdf], capture_output=True, text=True, check=False
    )
    # 3 would be warnings
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not encrypted" in done.stdout
    assert "not linearized" in done.stdout


def test_the_pdf_says_that_it_is_for_archives_and_for_everybody(pdf):
    with pikepdf.open(pdf) as file:
        with file.open_metadata() as said:
            assert (said["pdfaid:part"], said["pdfaid:conformance"]) == ("3", "A")
            assert said["pdfuaid:part"] == "1"
            assert said["dc:title"]
        assert bool(file.Root.MarkInfo.Marked)
        assert str(file.Root.Lang).startswith("ja")
        assert bool(file.Root.ViewerPreferences.DisplayDocTitle)
        assert not file.is_encrypted
        (intent,) = file.Root.OutputIntents
        assert str(intent.S) == "/GTS_PDFA1"


def test_the_pdf_has_a_tree_of_headings_tables_and_described_pictures(pdf, report):
    with pikepdf.open(pdf) as file:
        kinds: dict[str, int] = {}
        bare: list[str] = []
        for element in _elements(file.Root.StructTreeRoot):
            kind = str(element.S)
            kinds[kind] = kinds.get(kind, 0) + 1
            if kind == "/Figure" and not str(element.get("/Alt", "")).strip():
                bare.append(kind)
    tree = lxml_html.fromstring(report.read_bytes())
    chapters = [h for h in tree.iter("h2") if h.get("id") != "origins"]
    assert kinds["/H1"] >= len(chapters)
    assert kinds["/Table"] >= 1
    assert kinds["/TH"] >= kinds["/Table"]
    assert kinds["/TD"] > kinds["/TH"]
    assert kinds["/Figure"] >= 1
    assert bare == []


def _elements(root: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """All structure elements below a node."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if "/S" in node:
            yield node
        children = node.get("/K", [])
        children = children if isinstance(children, pikepdf.Array) else [children]
        waiting.extend(c for c in children if isinstance(c, pikepdf.Dictionary))


def test_every_font_of_the_pdf_travels_with_it(pdf):
    with pikepdf.open(pdf) as file:
        fonts = [o for o in file.objects if _is(o, "/FontDescriptor")]
        assert fonts
        files = ("/FontFile", "/FontFile2", "/FontFile3")
        assert [str(f.FontName) for f in fonts if not any(name in f for name in files)] == []
        pages = len(file.pages)
    assert pages >= 3


def _is(what: object, kind: str) -> bool:
    return isinstance(what, pikepdf.Dictionary) and what.get("/Type") == kind
