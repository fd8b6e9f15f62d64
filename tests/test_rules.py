"""The rules that every lesson keeps: form, both languages, outputs, links, the README's table."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import nbformat
import pytest

from labkit import lessons
from labkit.common import LabkitError
from tests.pins import ROOT
from tests.readme import printed_measures, rendered

LESSONS = lessons.find_lessons()
BUILT = [(lesson, language) for lesson in LESSONS for language in ("en", "zh")]
IGNORED_SHARE = 0.25
CODE_LINES = 22  # STYLE.md says about fifteen; an exercise with its docstring needs a few more
NOTEBOOK_BYTES = 1_500_000

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
each_built = pytest.mark.parametrize(
    ("lesson", "language"), BUILT, ids=[f"{lesson.name}-{language}" for lesson, language in BUILT]
)


def built(lesson, language="en"):
    return nbformat.read(lesson.notebook(language), as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_lessons_are_in_order_and_numbered_by_their_file():
    """Numbers are those of the course's plan; one that is not written yet leaves a gap, none is there twice."""
    numbers = [lesson.number for lesson in LESSONS]
    assert numbers[0] == "00"
    assert numbers == sorted(set(numbers))
    assert all(lesson.name.startswith(f"{lesson.number}_") for lesson in LESSONS)


def test_built_notebooks_belong_to_their_sources():
    lessons.build(check=True)


def test_every_notebook_has_a_source():
    names = {
        path.stem for folder in ("notebooks", "notebooks/zh") for path in (ROOT / folder).glob("*.ipynb")
    }
    assert names == {lesson.name for lesson in LESSONS}


@each_built
def test_executed_from_the_top_without_errors(lesson, language):
    cells = [cell for cell in code_cells(built(lesson, language)) if cell.source.strip()]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert not [o.text for cell in cells for o in cell.outputs if o.get("name") == "stderr"], "warnings"


@each_lesson
def test_few_cells_are_ignored_by_nbval(lesson):
    cells = code_cells(built(lesson))
    tags = [tag for cell in cells for tag in cell.metadata.get("tags", [])]
    assert set(tags) <= {"parameters", "nbval-ignore-output"}
    assert tags.count("nbval-ignore-output") <= IGNORED_SHARE * len(cells)


@each_lesson
def test_both_languages_have_the_same_code_and_outputs(lesson):
    english, chinese = (code_cells(built(lesson, language)) for language in ("en", "zh"))
    assert [cell.source for cell in english] == [cell.source for cell in chinese]
    assert [cell.outputs for cell in english] == [cell.outputs for cell in chinese]


@each_lesson
def test_the_chinese_text_is_chinese_and_complete(lesson):
    for english, chinese in zip(
        lessons.edition(lesson, "en").cells, lessons.edition(lesson, "zh").cells, strict=True
    ):
        if english.cell_type == "markdown" and len(prose(english.source)) > 200:
            letters = sum("\u4e00" <= letter <= "\u9fff" for letter in chinese.source)
            # A Chinese sentence has about a quarter as many characters as its English twin.
            assert letters > 0.12 * len(prose(english.source)), chinese.source[:80]
        half_width = re.findall(r"[\u4e00-\u9fff][,;:?!][\u4e00-\u9fff]", prose(chinese.source))
        assert not half_width, f"half-width punctuation between Chinese characters: {half_width[:5]}"


def prose(text):
    """The text without code, formulas, the targets of links, and lines that are a table or a list of sources."""
    text = re.sub(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)", "", text, flags=re.DOTALL)
    return "\n".join(
        line for line in text.splitlines() if not re.search(r"arXiv|doi|^\||\b(19|20)\d\d\b", line)
    )


@each_built
def test_headings_are_in_order(lesson, language):
    text = re.sub(r"```.*?```", "", text_of(built(lesson, language)), flags=re.DOTALL)
    headings = re.findall(r"^(#+) +(.*)$", text, flags=re.MULTILINE)
    levels = [len(marks) for marks, _ in headings]
    assert levels[0] == 1, "one title, at the top"
    assert levels.count(1) == 1, "one title, at the top"
    assert headings[0][1].startswith(lesson.number)
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), headings
    numbers = [int(m.group(1)) for _, title in headings if (m := re.match(r"(\d+)[.．] ?", title))]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 4


@each_lesson
def test_parameters_come_first(lesson):
    first = code_cells(built(lesson))[0]
    assert first.metadata.get("tags") == ["parameters"]
    assert first.source.strip().splitlines() == ['MODE = "class"', "SEED = 0"]


@each_lesson
def test_cells_are_short_and_import_by_name(lesson):
    for cell in code_cells(built(lesson)):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert len(lines) <= CODE_LINES, f"{len(lines)} lines:\n{cell.source}"
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.ImportFrom):
                assert all(alias.name != "*" for alias in node.names), cell.source


@each_lesson
def test_figures_have_a_text_alternative_and_a_number_near(lesson):
    cells = built(lesson).cells
    figures = 0
    for index, cell in enumerate(cells):
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                figures += 1
                alt = output.metadata.get("image/png", {}).get("alt", "")
                assert len(alt.split()) >= 4, (
                    f"cell {index + 1} shows a figure without plots.show(..., alt=...)"
                )
                near = [c for c in cells[index : index + 4] if c.cell_type == "code"]
                numbers = [o for c in near for o in c.outputs if re.search(r"\d", str(printed(o)))]
                assert numbers, f"cell {index + 1}: no printed number beside the figure"
    assert figures >= 2


def printed(output):
    """What is written, without the figure's alternative text."""
    data = output.get("data", {})
    return (
        output.get("text", "")
        if "image/png" in data
        else output.get("text", "") or data.get("text/plain", "")
    )


@each_lesson
def test_printed_floats_are_rounded(lesson):
    for index, cell in enumerate(built(lesson).cells):
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            continue
        for output in cell.get("outputs", []):
            long = re.findall(r"\d\.\d{9,}", str(printed(output)))
            assert not long, f"cell {index + 1} prints {long[0]}: round it"


@each_lesson
def test_a_lesson_is_whole(lesson):
    code = "\n".join(cell.source for cell in code_cells(built(lesson)))
    assert len(re.findall(r'check\("\d\d\.\d+"', code)) >= 4, "four or more exercises"
    assert re.search(r"\b(widgets\.explorer|console)\(", code), "a widget"
    english = text_of(built(lesson)).lower()
    for part in ("break it", "summary", "further reading", "minutes"):
        assert part in english, part


@each_lesson
def test_nothing_after_an_exercise_depends_on_it(lesson):
    """Names that an exercise defines are used by its check alone."""
    cells = code_cells(lessons.edition(lesson, "en"))
    for cell in cells:
        if "exercise" not in cell.metadata:
            continue
        names = {node.name for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)}
        assert names, f"{cell.metadata['exercise']} defines no function"
        assert "raise NotImplementedError" in cell.source, cell.metadata["exercise"]
        for other in cells:
            used = {node.id for node in ast.walk(ast.parse(other.source)) if isinstance(node, ast.Name)}
            if other is not cell and used & names:
                assert "check(" in other.source, (
                    f"{used & names} of {cell.metadata['exercise']} is used elsewhere"
                )


@each_built
def test_relative_links_lead_somewhere(lesson, language):
    path = lesson.notebook(language)
    assert not dead_links(text_of(built(lesson, language)), path.parent), path


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "data/README.md"])
def test_links_in_documents_lead_somewhere(name):
    assert not dead_links((ROOT / name).read_text(encoding="utf-8"), (ROOT / name).parent)


def dead_links(text: str, folder: Path) -> list[str]:
    outside_code = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", outside_code) + re.findall(
        r'(?:src|href)="([^"]+)"', outside_code
    )
    local = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:", target)]
    return [target for target in local if target and not (folder / target).exists()]


@each_built
def test_notebooks_are_small(lesson, language):
    assert lesson.notebook(language).stat().st_size < NOTEBOOK_BYTES


def test_the_readme_repeats_the_lessons_their_tables_and_the_benchmarks():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert rendered(text) == text, "Run: python -m tests.readme"
    assert all(lesson.title_zh in text for lesson in LESSONS)
    assert len(printed_measures(LESSONS[3])) >= 2


def test_the_readme_tree_is_true():
    """Every file of labkit stands in the README's tree with its phrase, those of a modality under it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    whole = text.partition("```text")[2].partition("```")[0]
    folders = {ROOT / "labkit": whole}
    for modality in ("text", "prompts", "image", "dialogue", "summaries", "service", "speech"):
        part = re.search(rf"^  {modality}/.*\n((?:    .*\n)+)", whole, re.MULTILINE)
        assert part, modality
        folders[ROOT / "labkit" / modality] = part.group(1)
    for folder, tree in folders.items():
        indent = 2 if folder.name == "labkit" else 4
        for path in sorted(folder.glob("[!_]*.py")):
            assert re.search(rf"^ {{{indent}}}(\S.* )?{re.escape(path.name)}\b", tree, re.MULTILINE), (
                path.name
            )
        named = re.findall(rf"^ {{{indent}}}(\w+\.py) ", tree, flags=re.MULTILINE)
        assert named
        assert not [name for name in named if not (folder / name).exists()]


def test_a_faulty_lesson_would_be_seen():
    """The helpers above can fail."""
    assert dead_links("[a](nowhere.ipynb) [b](README.md) [c](https://x.y)", ROOT) == ["nowhere.ipynb"]
    assert printed({"data": {"image/png": "", "text/plain": "3 lines"}}) == ""
    with pytest.raises(LabkitError):
        lessons.find_lessons(["nothing"])
