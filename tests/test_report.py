"""The report: figures, tables and page from records, with hostile content among them."""

from __future__ import annotations

import base64
import io
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from scipy import stats

from labkit import report
from labkit.report import About, Record
from labkit.runner import Outcome

ABOUT = About(mode="class", language="en", seconds=12.3, exit_code=0)
EVIL = '"><script>alert(1)</script>'


def measure(metric: str, ours: float, **more) -> dict:
    return {"kind": "measure", "metric": metric, "ours": ours, **more}


def finished(key: str, *entries: dict, **facts) -> Record:
    record = Record(key=key, name=facts.pop("name", key), **facts)
    record.take(Outcome("ok", seconds=3.21, peak_bytes=300_000_000, cell=9, cells=9, entries=list(entries)))
    return record


def sweep_of(values: list[float], **facts) -> list[Record]:
    return [
        finished(f"a-{seed}", measure("accuracy", value, digits=2), name="a", swept={"SEED": seed}, **facts)
        for seed, value in enumerate(values)
    ]


class Tree(HTMLParser):
    """Checks that elements are closed in order; keeps their attributes and text."""

    EMPTY = ("meta", "img", "br", "link")

    def __init__(self, page: str):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


# --- Records ---------------------------------------------------------------------------------------------


def test_a_record_survives_its_file():
    record = finished("a", measure("accuracy", 0.9, baseline=0.8), swept={"SEED": 1}, title="激活函数")
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


@pytest.mark.parametrize("data", [None, [], {}, {"labkit_run": 2}, {"labkit_run": 1, "key": "a"}])
def test_what_is_no_record_is_refused(data):
    with pytest.raises((ValueError, KeyError)):
        Record.from_json(data)


def test_measures_are_checked_since_anybody_can_write_them():
    record = finished(
        "a",
        measure("good", 0.5, baseline=0.4, verdict="a lie"),
        measure("text", "0.5"),
        measure("no interval", 0.5, interval=[1]),
        measure("digits", 0.5, digits="many"),
        {"kind": "measure", "metric": "nothing"},
        {"kind": "else"},
    )
    assert [(m["metric"], m["verdict"]) for m in record.measures] == [("good", "better")]


def test_a_line_for_each_run_and_for_each_fault():
    good = finished("02_a", measure("accuracy", 0.912, baseline=0.85), title="A")
    good.exercises = {"02.1": "passed", "02.2": "failed", "02.3": "not attempted"}
    bad = Record(
        key="b", name="03_b", title="B", status="failed", error={"message": "ValueError in cell [2]: no"}
    )
    lines = report.summary_table([good, bad]).splitlines()
    assert lines[0].split() == ["lesson", "status", "seconds", "memory", "exercises", "main", "metric"]
    assert re.split(r"  +", lines[2]) == [
        "02_a",
        "ok",
        "3.2 s",
        "300 MB",
        "1/3",
        "accuracy 0.912 (baseline 0.850: better)",
    ]
    assert lines[-1] == "03_b: ValueError in cell [2]: no"


def test_chinese_is_two_columns_wide():
    lines = report.text_table(("a", "b"), [("激活", "x"), ("abcd", "y")]).splitlines()
    assert lines[2:] == ["激活  x", "abcd  y"]
    assert lines[0] == "a     b"


# --- Sweeps ----------------------------------------------------------------------------------------------


def test_means_over_seeds_have_students_interval():
    values = [0.91, 0.94, 0.90, 0.97]
    (table,) = report.sweeps(sweep_of(values))
    spread = table["means"][0]["metrics"]["accuracy"]
    low, high = stats.t.interval(0.95, 3, loc=sum(values) / 4, scale=stats.sem(values))
    assert (spread["low"], spread["high"]) == pytest.approx((low, high), rel=1e-12)
    assert spread["mean"] == pytest.approx(0.93)
    assert spread["runs"] == 4


def test_means_are_kept_apart_by_the_other_parameters():
    records = [
        finished(
            f"{rate}{seed}", measure("loss", rate * 10 + seed), name="a", swept={"SEED": seed, "RATE": rate}
        )
        for seed in (0, 1)
        for rate in (0.1, 0.2)
    ]
    (table,) = report.sweeps(records)
    assert [(m["values"], m["metrics"]["loss"]["mean"]) for m in table["means"]] == [
        ({"RATE": 0.1}, 1.5),
        ({"RATE": 0.2}, 2.5),
    ]


def test_a_failed_run_is_in_the_sweep_but_not_in_its_mean():
    records = sweep_of([0.9, 0.92, 0.1])
    records[2].status = "failed"
    (table,) = report.sweeps(records)
    assert len(table["rows"]) == 3
    assert table["means"][0]["metrics"]["accuracy"]["mean"] == pytest.approx(0.91)


def test_a_sweep_over_something_else_has_no_mean():
    records = [
        finished(f"a{rate}", measure("loss", rate), name="a", swept={"RATE": rate}) for rate in (0.1, 0.2)
    ]
    assert report.sweeps(records)[0]["means"] == []


def test_equal_and_missing_values_in_a_sweep():
    spread = report.sweeps(sweep_of([0.5, 0.5]))[0]["means"][0]["metrics"]["accuracy"]
    assert (spread["low"], spread["high"]) == (0.5, 0.5)
    spread = report.sweeps(sweep_of([0.5, math.nan]))[0]["means"][0]["metrics"]["accuracy"]
    assert math.isnan(spread["mean"])


def test_a_sweep_prints_with_the_digits_of_its_metric():
    lines = report.sweep_tables(sweep_of([0.912, 0.934])).splitlines()
    assert lines[0] == "a"
    assert re.split(r"  +", lines[3]) == ["0", "ok", "3.2", "0.91"]
    assert lines[-1].startswith("mean (95 %)")
    assert lines[-1].endswith("0.92 (0.78 to 1.06)")


# --- Files -----------------------------------------------------------------------------------------------


def test_results_are_json_that_every_reader_takes(tmp_path):
    record = finished("a", measure("loss", math.nan), measure("ratio", math.inf))
    report.write(tmp_path, [record], ABOUT)

    def refuse(constant):
        raise AssertionError(constant)

    kept = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert [m["ours"] for m in kept["runs"][0]["measures"]] == [None, None]
    assert (kept["mode"], kept["seconds"], kept["exit_code"]) == ("class", 12.3, 0)


def test_what_we_wrote_is_ours_and_nothing_else_is(tmp_path):
    report.write(tmp_path, [finished("a", submission=True)], ABOUT)
    for name in report.FILES:
        assert report.is_ours(tmp_path / name), name
        (tmp_path / name).write_text("something else", encoding="utf-8")
        assert not report.is_ours(tmp_path / name)


def test_grades_are_harmless_in_a_spreadsheet():
    record = finished("a", name="=cmd|' /C calc'!A0.ipynb", submission=True)
    record.exercises = {"@SUM(1)": "+1"}
    text = report.grades([record])
    assert text.startswith("\ufeff")
    assert text.splitlines()[1] == "'=cmd|' /C calc'!A0.ipynb,'@SUM(1),'+1"


def test_only_what_was_handed_in_is_graded(tmp_path):
    report.write(tmp_path, [finished("02_a")], ABOUT)
    assert not (tmp_path / "grades.csv").exists()


# --- The page --------------------------------------------------------------------------------------------


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
    (large, large_image), (_, small_image) = images(report.page(tmp_path, [record], ABOUT))
    assert large_image.size == (report.THUMBNAIL_WIDTH, report.THUMBNAIL_WIDTH // 2)
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
    assert len(images(report.page(tmp_path, [record], ABOUT))) == 1


def test_nothing_a_notebook_says_becomes_markup(tmp_path):
    record = finished(
        "a", measure(EVIL, 0.5, baseline=0.4, baseline_name=EVIL, unit=EVIL), name=EVIL, submission=True
    )
    record.exercises, record.parameters, record.swept = {EVIL: EVIL}, {EVIL: EVIL}, {EVIL: EVIL}
    record.status = "failed"
    record.error = {"message": EVIL, "source": EVIL, "traceback": EVIL}
    write_executed(tmp_path, record, picture(10, 10, EVIL))
    tree = Tree(report.page(tmp_path, [record], ABOUT))
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
    page = report.page(tmp_path, records, About(mode="smoke", language=language, seconds=5.0))
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
    text = Tree(report.page(tmp_path, records, ABOUT)).text
    for shown in ("✓ ok", "✗ failed", "✗ timed out", "– interrupted"):
        assert shown in text


def test_who_passed_what(tmp_path):
    ann = finished("ann", submission=True)
    ann.exercises = {"02.1": "passed", "02.2": "failed"}
    bob = finished("bob", submission=True)
    bob.exercises = {"02.1": "not attempted"}
    page = report.page(tmp_path, [ann, bob], ABOUT)
    matrix = page[page.index('<table class="matrix">') :]
    rows = [re.findall(r'<td class="mark [^>]*>(.)</td>', row) for row in matrix.split("<tr>")[2:4]]
    assert rows == [["✓", "✗"], ["–", "·"]]


def test_the_page_of_a_notebook_leads_back():
    page = report.notebook_page(executed("<b>bold</b>"), finished("02_a b"))
    assert 'href="../../index.html#02_a%20b"' in page
    assert report.notebook_page(b"{", finished("a")) is None


def test_the_page_of_a_notebook_keeps_the_text_alternatives():
    for submission in (False, True):
        page = report.notebook_page(executed("x", alt='rises, "steep"'), finished("a", submission=submission))
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


def test_our_own_lessons_keep_their_scripts_which_widgets_need():
    page = report.notebook_page(executed("<script>alert(2)</script>"), finished("a"))
    assert "<script>alert(2)" in page
    assert "Content-Security-Policy" not in page


def test_what_students_wrote_keeps_its_form_and_loses_its_scripts():
    shown = '<table><thead><tr><th>a</th></tr></thead></table><b onclick="alert(3)">bold</b><iframe src="x"></iframe>'
    notebook = executed(f'{shown}<a href="javascript:alert(4)">link</a>{EVIL}', alt=EVIL, width=EVIL)
    page = report.notebook_page(notebook, finished("a", name=EVIL, submission=True))
    assert "<script>alert" not in page
    assert not re.search(r"<[^>]*(onclick|javascript:)", page)
    assert "<iframe" not in page
    for kept in ("<th>a</th>", "<b>bold</b>", "<em>word</em>", '<h1 id="Title">Title'):
        assert kept in page
    assert "&lt;h1" not in page, "markup that is not allowed is taken out, not shown"
    policy = page.index('http-equiv="Content-Security-Policy"')
    assert policy < page.index("<script"), "it holds for scripts that come after it"
