"""Editions from one source: built, refused, kept in step."""

from __future__ import annotations

import json

import nbformat
import pytest

from labkit import lessons
from labkit.common import LabkitError

HEADER = """\
# ---
# jupyter:
#   labkit:
#     number: "{number}"
#     title_en: Demo {number}
#     title_zh: 示例 {number}
#     minutes: 10
# ---
"""
TEXT = """
# %% [markdown] lang="en"
# # {number} Demo
#
# Text.

# %% [markdown] lang="zh"
# # {number} 示例
#
# 正文。
"""
CODE = """
# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
print(6 * 7)

# %% exercise="{number}.1"
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %%
2 + 2
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of two small lessons."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    for number in ("02", "03"):
        write(tmp_path, number, (HEADER + TEXT + CODE).format(number=number))
    return tmp_path


def write(course, number, text):
    (course / "notebooks" / "src" / f"{number}_demo.py").write_text(text, encoding="utf-8")


def sources(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


def test_patterns_choose_lessons(course):
    assert [lesson.number for lesson in lessons.find_lessons()] == ["02", "03"]
    assert [lesson.number for lesson in lessons.find_lessons(["0[3]*"])] == ["03"]
    assert [lesson.number for lesson in lessons.find_lessons(["03_demo.ipynb", "02"])] == ["02", "03"]
    with pytest.raises(LabkitError, match=r"No lesson matches '03_dmo'\. Did you mean 03_demo"):
        lessons.find_lessons(["03_dmo"])


def test_editions_share_code_and_differ_in_text(course):
    english, chinese = (lessons.edition(lessons.find_lessons(["02"])[0], lang) for lang in ("en", "zh"))
    code = [[cell.source for cell in nb.cells if cell.cell_type == "code"] for nb in (english, chinese)]
    assert code[0] == code[1]
    assert english.cells[0].source.startswith("# 02 Demo")
    assert chinese.cells[0].source.startswith("# 02 示例")
    assert "03 Demo 03 →" in english.cells[-1].source
    assert "(zh/02_demo.ipynb)" in english.cells[-1].source
    assert "03 示例 03 →" in chinese.cells[-1].source
    nbformat.validate(english)
    nbformat.validate(chinese)


def test_the_learner_gets_no_solution_and_the_teacher_does(course):
    lesson = lessons.find_lessons(["02"])[0]
    learner = "\n".join(cell.source for cell in lessons.edition(lesson, "en").cells)
    teacher = "\n".join(cell.source for cell in lessons.edition(lesson, "en", solutions=True).cells)
    assert "return 2 * x" not in learner
    assert "    raise NotImplementedError" in learner
    assert "return 2 * x" in teacher
    assert lessons.solution_source("02.1") == "def double(x):\n    return 2 * x"


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("### BEGIN SOLUTION\nx = 1", "does not end"),
        ("### END SOLUTION", "has not begun"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", "inside a solution"),
    ],
)
def test_broken_solution_regions_are_refused(code, fault):
    with pytest.raises(LabkitError, match=fault):
        lessons.empty_solutions(code)


def test_a_solution_keeps_the_indentation_of_its_place():
    code = "def f():\n    if True:\n        ### BEGIN SOLUTION\n        a\n        ### END SOLUTION\n    b"
    assert lessons.empty_solutions(code) == "def f():\n    if True:\n        raise NotImplementedError\n    b"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda s: s.replace('lang="zh"', 'lang="en"'), 'expected a text cell with lang="zh"'),
        (lambda s: s.replace(' lang="en"', ""), "expected a text cell"),
        (lambda s: s.replace("# # 02 示例", "# ## 02 示例"), "headings differ"),
        (lambda s: s.replace("#     minutes: 10\n", ""), "header lacks jupyter: labkit: minutes"),
        (lambda s: s.replace('number: "02"', 'number: "05"'), "the file name does not"),
        (lambda s: s + '\n# %% [markdown] lang="en"\n# More.\n', "no Chinese counterpart"),
    ],
)
def test_a_faulty_source_is_refused_by_name(course, change, fault):
    write(course, "02", change((HEADER + TEXT + CODE).format(number="02")))
    with pytest.raises(LabkitError, match="02_demo.py") as caught:
        lessons.edition(lessons.find_lessons(["02"])[0], "en")
    assert fault in str(caught.value)


def test_build_executes_once_keeps_outputs_for_new_text_and_sees_stale_notebooks(course):
    english, chinese = course / "notebooks" / "02_demo.ipynb", course / "notebooks" / "zh" / "02_demo.ipynb"
    assert lessons.build(["02"]) == [english, chinese]
    lessons.build(["02"], check=True)
    assert lessons.build(["02"]) == [], "nothing changed, nothing is written"
    outputs = [cell.get("outputs") for cell in nbformat.read(english, as_version=4).cells]
    assert outputs[2][0].text == "42\n"
    same = [cell.get("outputs") for cell in nbformat.read(chinese, as_version=4).cells]
    assert same == outputs

    # New text: the stored outputs stay (the count of a second execution would be the same, so mark them).
    marked = json.loads(english.read_text(encoding="utf-8"))
    marked["cells"][2]["outputs"][0]["text"] = ["stored\n"]
    english.write_text(json.dumps(marked), encoding="utf-8")
    text = (HEADER + TEXT + CODE).format(number="02").replace("# Text.", "# Better text.")
    write(course, "02", text)
    with pytest.raises(
        LabkitError, match=r"02_demo.ipynb differs from the source in cell 1[\s\S]*labkit build"
    ):
        lessons.build(["02"], check=True)
    assert lessons.build(["02"]) == [english, chinese]
    assert "Better text." in sources(english)[0]
    assert nbformat.read(english, as_version=4).cells[2].outputs[0].text == "stored\n"

    # New code: executed anew.
    write(course, "02", text.replace("6 * 7", "6 * 8"))
    lessons.build(["02"])
    assert nbformat.read(english, as_version=4).cells[2].outputs[0].text == "48\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 / 0", "Cell 3 failed:[\\s\\S]*ZeroDivisionError"),
        ("while True: pass", "Cell 3 took longer than 2 s"),
    ],
)
def test_a_cell_that_fails_or_hangs_is_named_and_nothing_is_written(course, monkeypatch, code, message):
    monkeypatch.setattr(lessons, "CELL_TIMEOUT_SECONDS", 2)
    write(course, "02", (HEADER + TEXT + CODE).format(number="02").replace("print(6 * 7)", code))
    with pytest.raises(LabkitError, match=message):
        lessons.build(["02"])
    assert not (course / "notebooks" / "02_demo.ipynb").exists()


def test_check_demands_execution_counts(course):
    lessons.build(["03"])
    path = course / "notebooks" / "03_demo.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].execution_count = None
    nbformat.write(notebook, path)
    with pytest.raises(LabkitError, match="was not executed"):
        lessons.build(["03"], check=True)


def test_a_broken_built_notebook_is_named(course):
    path = course / "notebooks" / "02_demo.ipynb"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(LabkitError, match="02_demo.ipynb is not a notebook"):
        lessons.build(["02"], check=True)


def test_solution_editions_go_where_they_are_told(course):
    with pytest.raises(LabkitError, match="--out FOLDER"):
        lessons.build(["02"], solutions=True)
    (written,) = lessons.build(["02"], solutions=True, execute=False, out=course / "teacher")
    assert "return 2 * x" in "\n".join(sources(written))
    assert not (course / "notebooks" / "02_demo.ipynb").exists()


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("第一行，\n第二行。\n第三行", "第一行，第二行。第三行"),
        ("- 列表\n  接着写\n- 下一项", "- 列表接着写\n- 下一项"),
        ("> 引文\n> 接着", "> 引文接着"),
        ("# 标题\n正文", "# 标题\n正文"),
        ("段落\n\n段落", "段落\n\n段落"),
        ("用 `x`\n表示 $y$\n的值", "用 `x`\n表示 $y$\n的值"),
        ("```text\n甲\n乙\n```", "```text\n甲\n乙\n```"),
        ("| 甲 |\n| 乙 |", "| 甲 |\n| 乙 |"),
    ],
)
def test_chinese_paragraphs_have_no_spaces_from_line_breaks(text, joined):
    assert lessons.join_chinese_lines(text) == joined
