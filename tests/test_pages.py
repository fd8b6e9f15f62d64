"""The pages: whole, self-contained, and with hostile content among what they show."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from labkit import pages
from labkit.report import About, Record
from tests.test_report import ABOUT, finished, measure, sweep_of

EVIL = '"><script>alert(1)</script>'


class Tree(HTMLParser):
    """Checks that elements are closed in order; keeps their attributes and text."""

    EMPTY = ("meta", "img", "br", "link")

    def __init__(self, page: str, whole: bool = True):
        super().__init__()
        self.open, self.tags, self.text, self.whole = [], [], "", whole
        self.feed(page)
        assert self.open == [] or not whole

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert not self.whole or self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def write_executed(out: Path, record: Record, *outputs) -> None:
    """An executed notebook with these outputs in one cell."""
    record.notebook = f"runs/{record.key}/a.ipynb"
    path = out / record.notebook
    path.parent.mkdir(parents=True)
    cell = new_code_cell("1", outputs=list(outputs), execution_count=1, id="abc123")
    path.write_text(nbformat.writes(new_notebook(cells=[cell])), encoding="utf-8")


def picture(width: int, height: int, alt: str = "") -> dict:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(stream, "PNG")
    metadata = {"image/png": {"alt": alt}} if alt else {}
    data = {"image/png": base64.b64encode(stream.getvalue()).decode()}
    return new_output("display_data", data, metadata=metadata)


def images(page: str) -> list[tuple[dict, Image.Image]]:
    found = []
    for tag, attributes in Tree(page).tags:
        if tag == "img":
            kind, content = attributes["src"].split(",")
            assert kind == "data:image/png;base64"
            found.append((attributes, Image.open(io.BytesIO(base64.b64decode(content)))))
    return found


def test_figures_are_small_and_keep_their_text(tmp_path):
    record = finished("a")
    write_executed(tmp_path, record, picture(2000, 1000, 'tanh, "steep"'), picture(300, 100))
    (large, large_image), (_, small_image) = images(pages.page(tmp_path, [record], ABOUT))
    assert large_image.size == (pages.THUMBNAIL_WIDTH, pages.THUMBNAIL_WIDTH // 2)
    assert large["alt"] == 'tanh, "steep"'
    assert small_image.size == (300, 100)


def test_broken_figures_are_left_out(tmp_path):
    record = finished("a")
    bad = [
        new_output("display_data", {"image/png": text})
        for text in ("????", base64.b64encode(b"GIF89a").decode(), EVIL)
    ]
    huge = bytearray(base64.b64decode(picture(4, 4)["data"]["image/png"]))
    huge[16:24] = (10**6).to_bytes(4, "big") * 2  # claims to have 10^12 pixels
    bad.append(new_output("display_data", {"image/png": base64.b64encode(huge).decode()}))
    write_executed(tmp_path, record, *bad, picture(30, 10))
    assert len(images(pages.page(tmp_path, [record], ABOUT))) == 1


def test_nothing_a_notebook_says_becomes_markup(tmp_path):
    record = finished(
        "a", measure(EVIL, 0.5, baseline=0.4, baseline_name=EVIL, unit=EVIL), name=EVIL, submission=True
    )
    record.exercises, record.parameters, record.swept = {EVIL: EVIL}, {EVIL: EVIL}, {EVIL: EVIL}
    record.status = "failed"
    record.error = {"message": EVIL, "source": EVIL, "traceback": EVIL}
    write_executed(tmp_path, record, picture(10, 10, EVIL))
    tree = Tree(pages.page(tmp_path, [record], ABOUT))
    assert "script" not in {tag for tag, _ in tree.tags}
    assert tree.text.count(EVIL) > 8


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_whole_and_asks_for_nothing(tmp_path, language):
    records = [
        *sweep_of([0.9, 0.92], title="Activation", number="02"),
        finished("b", measure("loss", 0.2, baseline=0.3, higher_is_better=False, interval=[0.1, 0.3])),
        Record(key="c", name="c", status="timed out", error={"message": "TimeLimit"}),
        Record(key="d", name="d"),
    ]
    records[2].exercises = {"02.1": "passed", "02.2": "not reached"}
    page = pages.page(tmp_path, records, About(mode="smoke", language=language, seconds=5.0))
    tree = Tree(page)
    assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//|@import|url\(", page)
    assert [attributes for tag, attributes in tree.tags if tag == "html"] == [
        {"lang": {"en": "en", "zh": "zh-CN"}[language]}
    ]
    anchors = {attributes["id"] for tag, attributes in tree.tags if tag == "section"}
    links = [a["href"] for tag, a in tree.tags if tag == "a" and a["href"].startswith("#")]
    assert {link[1:] for link in links} == anchors == {"a-0", "a-1", "b", "c", "d"}
    assert "prefers-color-scheme:dark" in page
    if language == "zh":
        visible = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
        assert not re.search(r">[^<]*\b(ok|passed|timed out|seconds|baseline|notebook|mean)\b[^<]*<", visible)


def test_a_status_is_told_without_colour(tmp_path):
    records = [Record(key=s, name=s, status=s) for s in ("ok", "failed", "timed out", "interrupted")]
    text = Tree(pages.page(tmp_path, records, ABOUT)).text
    for shown in ("✓ ok", "✗ failed", "✗ timed out", "– interrupted"):
        assert shown in text


def test_who_passed_what(tmp_path):
    ann = finished("ann", submission=True)
    ann.exercises = {"02.1": "passed", "02.2": "failed"}
    bob = finished("bob", submission=True)
    bob.exercises = {"02.1": "not attempted"}
    page = pages.page(tmp_path, [ann, bob], ABOUT)
    matrix = page[page.index('<table class="matrix">') :]
    rows = [re.findall(r'<td class="mark [^>]*>(.)</td>', row) for row in matrix.split("<tr>")[2:4]]
    assert rows == [["✓", "✗"], ["–", "·"]]


def test_the_page_of_a_notebook_leads_back():
    page = pages.notebook_page(executed("<b>bold</b>"), finished("02_a b"))
    assert 'href="../../index.html#02_a%20b"' in page
    assert pages.notebook_page(b"{", finished("a")) is None


def test_the_page_of_a_notebook_keeps_the_text_alternatives():
    for submission in (False, True):
        page = pages.notebook_page(executed("x", alt='rises, "steep"'), finished("a", submission=submission))
        assert "rises, &quot;steep&quot;" in page or "alt='rises, \"steep\"'" in page
        assert "No description" not in page
        assert "In [1]" in page.replace("\xa0", " ")


def executed(page: str, **metadata) -> bytes:
    """A notebook whose only cell shows a page and a picture."""
    shown = new_output("display_data", {"text/html": page})
    pixel = picture(1, 1)
    pixel["metadata"] = {"image/png": metadata}
    cell = new_code_cell("1", outputs=[shown, pixel], execution_count=1, metadata={"tags": [EVIL]})
    return nbformat.writes(new_notebook(cells=[cell, new_markdown_cell(f"# Title\n{EVIL} *word*")])).encode()


def test_our_own_lessons_keep_the_scripts_of_their_outputs():
    page = pages.notebook_page(executed("<script>alert(2)</script>"), finished("a"))
    assert "<script>alert(2)" in page
    assert "Content-Security-Policy" not in page


def test_what_students_wrote_keeps_its_form_and_loses_its_scripts():
    shown = '<table><thead><tr><th>a</th></tr></thead></table><b onclick="alert(3)">bold</b><iframe src="x"></iframe>'
    notebook = executed(f'{shown}<a href="javascript:alert(4)">link</a>{EVIL}', alt=EVIL, width=EVIL)
    page = pages.notebook_page(notebook, finished("a", name=EVIL, submission=True))
    assert "<script>alert" not in page
    assert not re.search(r"<[^>]*(onclick|javascript:)", page)
    assert "<iframe" not in page
    for kept in ("<th>a</th>", "<b>bold</b>", "<em>word</em>", '<h1 id="Title">Title'):
        assert kept in page
    assert "&lt;h1" not in page, "markup that is not allowed is taken out, not shown"
    assert page.index('http-equiv="Content-Security-Policy"') < page.index("<title>"), (
        "it holds from there on"
    )


@pytest.mark.parametrize("submission", [False, True])
def test_the_page_of_a_notebook_draws_formulas_and_loads_nothing(submission):
    text = r"# The slope $\sigma'$" "\n\n" r"$x^2$ in a line, `$5` in code, and" "\n\n" r"$$\frac{1}{2}$$"
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "m", "version_major": 2}}
    panel = new_output("display_data", {**view, "text/plain": "Interactive panel: run this cell to use it."})
    latex = new_output("display_data", {"text/latex": r"$\displaystyle \pi$", "text/plain": "pi"})
    cells = [new_markdown_cell(text), new_code_cell("1", outputs=[panel, latex], execution_count=1)]
    state = {
        "m": {"model_name": "FloatSliderModel", "model_module": "@jupyter-widgets/controls", "state": {}}
    }
    widgets = {"application/vnd.jupyter.widget-state+json": {"version_major": 2, "state": state}}
    notebook = nbformat.writes(new_notebook(cells=cells, metadata={"widgets": widgets}))
    page = pages.notebook_page(notebook.encode(), finished("a", submission=submission))
    assert page.count("<math ") == page.count("</math>") == 4
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in page
    assert "<mfrac>" in page
    assert "<code>$5</code>" in page
    assert 'href="#The-slope' in page
    assert "Interactive panel: run this cell" in page
    assert "formula-" not in page.replace("labkit-formula", ""), "no mark is left"
    assert loaded(page) == []


def loaded(page: str) -> list[str]:
    """What a page would load from elsewhere; links are not loaded."""
    found = re.findall(r"@import[^;]*|url\((?![\"']?data:)[^)]*", page)
    for tag, attributes in Tree(page, whole=False).tags:
        address = attributes.get("src") or (attributes.get("href") if tag == "link" else None)
        if address and not address.startswith("data:"):
            found.append(address)
        if tag == "script":
            found.append("script")
    return found


def test_a_page_that_loads_something_is_found():
    assert loaded('<script src="https://a/b.js"></script>') == ["https://a/b.js", "script"]
    assert loaded('<link href="//a/b.css"><style>a{b:url(http://c)}</style>') == ["url(http://c", "//a/b.css"]
