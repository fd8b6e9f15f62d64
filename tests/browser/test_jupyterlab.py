"""Lessons 02 and 03 in a real JupyterLab in a real browser: run from the top, drag a slider, read the number."""

from __future__ import annotations

import os

import pytest

from labkit.lessons import find_lessons
from tests.browser.jupyter import CHROMIUM_FLAGS, Notebook, find_chromium, jupyterlab
from tests.pins import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]
SHOTS = ROOT / "reports" / "browser"

if find_chromium() is None and not os.environ.get("LABKIT_REQUIRE_BROWSER"):
    pytest.skip("no Chromium found: install chromium or set LABKIT_CHROMIUM", allow_module_level=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with jupyterlab(tmp_path_factory.mktemp("jupyterlab")) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    yield page
    page.close()


def open_lesson(page, server, number, folder=""):
    (lesson,) = find_lessons([number])
    return Notebook(page, *server, f"{folder}{lesson.name}.ipynb")


@pytest.mark.parametrize(
    ("number", "control", "pixels", "shown"),
    [("02", "x", -80, "value = 0.8808"), ("03", "prediction", -120, "loss = 0.1054")],
)
def test_run_from_the_top_and_drag_a_slider(page, server, number, control, pixels, shown):
    notebook = open_lesson(page, server, number)
    notebook.screenshot(SHOTS / f"{number}_opened.png")
    notebook.run_all()
    assert notebook.errors() == []
    before = notebook.readout()
    assert shown in before
    notebook.screenshot(SHOTS / f"{number}_panel.png")
    picture = notebook.panel().locator("img").get_attribute("src")
    notebook.drag(control, pixels)
    page.wait_for_function(
        "before => document.querySelector('.labkit-readout').innerText !== before", arg=before, timeout=10_000
    )
    after = notebook.readout()
    assert shown not in after
    assert notebook.panel().locator("img").get_attribute("src") != picture, "the figure follows"
    notebook.screenshot(SHOTS / f"{number}_dragged.png")


def test_a_chinese_learner_gets_chinese_answers(page, server):
    """The kernel of a notebook in zh/ speaks Chinese, and a wrong answer is named."""
    notebook = open_lesson(page, server, "02", folder="zh/")
    code = "from labkit.checks import hint\nhint('02.1')"
    page.locator(".jp-Notebook .jp-CodeCell").first.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")
    output = page.locator(".jp-Notebook .jp-CodeCell").first.locator(".jp-OutputArea-output")
    output.first.wait_for(timeout=60_000)
    text = output.first.inner_text()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in text), text
    notebook.screenshot(SHOTS / "02_zh.png")
