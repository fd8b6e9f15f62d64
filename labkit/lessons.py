"""Build the editions of the lessons from their one source."""

from __future__ import annotations

import copy
import difflib
import fnmatch
import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.common import LANGUAGES, LabkitError, course_dir, notebooks_dir

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
NOT_DONE = "raise NotImplementedError"
PANEL_TEXT = "Interactive panel: run this cell to use it."
CELL_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Lesson:
    """One lesson: what its header says, and where its files are."""

    number: str
    name: str
    title_en: str
    title_zh: str
    minutes: int
    source: Path

    def title(self, language: str) -> str:
        """The title in a language."""
        return self.title_zh if language == "zh" else self.title_en

    def notebook(self, language: str = "en") -> Path:
        """The built notebook of an edition."""
        folder = notebooks_dir() / "zh" if language == "zh" else notebooks_dir()
        return folder / f"{self.name}.ipynb"


def find_lessons(patterns: Sequence[str] = ()) -> list[Lesson]:
    """The lessons that match any pattern (``02``, ``0[34]*``, ``*loss*``); all without a pattern.

    A pattern that matches none is refused, with what was perhaps meant.
    """
    lessons = [read_header(path) for path in sorted((notebooks_dir() / "src").glob("[0-9][0-9]_*.py"))]
    if not patterns:
        return lessons
    chosen = []
    for pattern in patterns:
        plain = pattern.removesuffix(".ipynb").removesuffix(".py")
        found = [lesson for lesson in lessons if _matches(lesson, plain)]
        if not found:
            names = [lesson.name for lesson in lessons]
            near = difflib.get_close_matches(
                plain, names + [lesson.number for lesson in lessons], n=3, cutoff=0.4
            )
            hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(names)}."
            raise LabkitError(f"No lesson matches {pattern!r}. {hint}")
        chosen += found
    return [lesson for lesson in lessons if lesson in chosen]


def read_header(path: Path) -> Lesson:
    """The lesson that a source file describes in its header."""
    header = _read_source(path).metadata.get("labkit", {})
    missing = [key for key in ("number", "title_en", "title_zh", "minutes") if key not in header]
    if missing:
        raise LabkitError(f"{path.name}: the header lacks jupyter: labkit: {', '.join(missing)}.")
    number = str(header["number"])
    if not path.stem.startswith(f"{number}_"):
        raise LabkitError(f"{path.name}: the header says number {number!r}, the file name does not.")
    return Lesson(
        number=number,
        name=path.stem,
        title_en=header["title_en"],
        title_zh=header["title_zh"],
        minutes=int(header["minutes"]),
        source=path,
    )


def edition(lesson: Lesson, language: str, solutions: bool = False) -> Any:
    """The notebook of one edition, not executed.

    Text cells of the other language are left out, and solution regions are emptied unless ``solutions``.
    """
    if language not in LANGUAGES:
        raise LabkitError(f"Language {language!r} is unknown. Choose one of: {', '.join(LANGUAGES)}.")
    source = _read_source(lesson.source)
    _check_pairs(lesson, source.cells)
    cells = []
    for cell in source.cells:
        cell = copy.deepcopy(cell)
        if cell.cell_type == "markdown":
            if cell.metadata.pop("lang") != language:
                continue
            if language == "zh":
                cell.source = join_chinese_lines(cell.source)
        elif not solutions:
            cell.source = empty_solutions(cell.source, lesson.source.name)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells.append(cell)
    cells.append(_navigation(lesson, language))
    for index, cell in enumerate(cells):
        # An id that stays while the cell's place and kind stay keeps the history of a rebuilt notebook small.
        kind = cell.cell_type
        cell.id = hashlib.sha256(f"{lesson.name}/{index}/{kind}".encode()).hexdigest()[:12]
    source.cells = cells
    source.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
        "language_info": {"name": "python"},
        "labkit": {"lesson": lesson.name, "language": language},
    }
    source.nbformat, source.nbformat_minor = 4, 5
    return source


def empty_solutions(code: str, where: str = "cell") -> str:
    """The code with each solution region replaced by ``raise NotImplementedError``."""
    lines, inside = [], False
    for line in code.splitlines():
        mark = line.strip()
        if mark == BEGIN:
            if inside:
                raise LabkitError(f"{where}: a solution begins inside a solution.")
            inside = True
            lines.append(line[: len(line) - len(line.lstrip())] + NOT_DONE)
        elif mark == END:
            if not inside:
                raise LabkitError(f"{where}: a solution ends that has not begun.")
            inside = False
        elif not inside:
            lines.append(line)
    if inside:
        raise LabkitError(f"{where}: a solution does not end. Add {END}.")
    return "\n".join(lines)


def join_chinese_lines(text: str) -> str:
    """The text with the line breaks inside a Chinese paragraph taken out.

    A browser shows a line break as a space, which has no place between two Chinese characters. Headings, lists,
    tables, blank lines and code blocks keep theirs: there the next line does not begin with such a character.
    """
    chinese = "\u3001-\u303f\u4e00-\u9fff\uff01-\uff5e\u2018-\u201d"
    parts = re.split(r"(```.*?```)", text, flags=re.DOTALL)
    for index in range(0, len(parts), 2):
        lines = rf"^(?!#)(.*[{chinese}])\n(?:> ?| *)(?=[{chinese}])"
        while (joined := re.sub(lines, r"\1", parts[index], flags=re.MULTILINE)) != parts[index]:
            parts[index] = joined
    return "".join(parts)


def solution_source(exercise: str) -> str:
    """The code of an exercise's cell with its solution, as it stands in the lesson's source."""
    for lesson in find_lessons([exercise.partition(".")[0]]):
        for cell in _read_source(lesson.source).cells:
            if cell.metadata.get("exercise") == exercise:
                kept = [line for line in cell.source.splitlines() if line.strip() not in (BEGIN, END)]
                return "\n".join(kept)
    raise LabkitError(f"No lesson holds the exercise {exercise!r}.")


def execute(notebook: Any, folder: Path) -> None:
    """Run a notebook in place as JupyterLab would, in its folder; stops at the first error, which it reports."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    quiet = {"LABKIT_PROGRESS": "0", "PYTHONHASHSEED": "0", "LABKIT_LANG": "en"}
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        coalesce_streams=True,  # what one cell prints may arrive in pieces
        store_widget_state=False,  # the state holds every picture a second time
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # it warns about a connection to 127.0.0.1
        resources={"metadata": {"path": str(folder)}},
    )
    metadata = copy.deepcopy(notebook.metadata)
    try:
        client.execute(env={**os.environ, **quiet})
    except CellTimeoutError as error:
        raise LabkitError(
            f"{_running_cell(notebook)} took longer than {CELL_TIMEOUT_SECONDS} s. Make its work smaller, or run the "
            "build again when the computer has less to do."
        ) from error
    except CellExecutionError as error:
        raise LabkitError(f"{_running_cell(notebook)} failed:\n{error}") from error
    notebook.metadata = metadata  # the kernel adds its exact Python version
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                output["data"]["text/plain"] = PANEL_TEXT


def _running_cell(notebook: Any) -> str:
    """Which cell an execution stopped in: the last that was begun."""
    begun = [number for number, cell in enumerate(notebook.cells, start=1) if cell.get("execution_count")]
    return f"Cell {begun[-1]}" if begun else "The first cell"


def build(
    patterns: Sequence[str] = (),
    *,
    execute: bool = True,
    check: bool = False,
    force: bool = False,
    solutions: bool = False,
    out: Path | None = None,
    announce: Callable[[str], None] = lambda _text: None,
) -> list[Path]:
    """Build the editions of the lessons that changed; returns the files written.

    ``announce`` is told which lesson is executed, since that can take a minute.

    A lesson is executed only when its code changed (or with ``force``); new text keeps the stored outputs.
    With ``check`` nothing is written: a built notebook that differs from its source raises LabkitError.
    With ``solutions`` the solution editions are written to ``out``.
    """
    lessons = find_lessons(patterns)
    if check:
        _refuse_stale(lessons)
        return []
    written = []
    for lesson in lessons:
        if solutions:
            written += _build_solutions(lesson, execute, out, announce)
        else:
            written += _build_learners(lesson, execute, force, out, announce)
    return written


def stale_reason(lesson: Lesson, language: str) -> str | None:
    """Why a built notebook does not belong to its source, or None when it does."""
    path = lesson.notebook(language)
    if not path.exists():
        return "is not built"
    built = _read_notebook(path)
    wanted = edition(lesson, language)
    if len(built.cells) != len(wanted.cells):
        return f"has {len(built.cells)} cells, the source gives {len(wanted.cells)}"
    for number, (old, new) in enumerate(zip(built.cells, wanted.cells, strict=True), start=1):
        if (old.cell_type, old.source, old.metadata) != (new.cell_type, new.source, new.metadata):
            return f"differs from the source in cell {number}"
        if old.cell_type == "code" and old.source.strip() and old.execution_count is None:
            return f"was not executed (cell {number})"
    return None


def _build_learners(
    lesson: Lesson, run: bool, force: bool, out: Path | None, announce: Callable[[str], None]
) -> list[Path]:
    english = edition(lesson, "en")
    path = (out / "notebooks" / f"{lesson.name}.ipynb") if out else lesson.notebook("en")
    stored = _stored_outputs(path, english)
    if run and (force or stored is None):
        announce(f"executing {lesson.name}")
        execute(english, notebooks_dir())
    elif stored is not None:
        _give_outputs(english, stored)
    written = []
    for language in LANGUAGES:
        notebook = english if language == "en" else edition(lesson, language)
        _give_outputs(notebook, [cell for cell in english.cells if cell.cell_type == "code"])
        target = path if language == "en" else path.parent / "zh" / path.name
        if _write_notebook(notebook, target):
            written.append(target)
    return written


def _build_solutions(
    lesson: Lesson, run: bool, out: Path | None, announce: Callable[[str], None]
) -> list[Path]:
    if out is None:
        raise LabkitError("Solution editions are not kept with the course. Say where they go: --out FOLDER.")
    notebook = edition(lesson, "en", solutions=True)
    if run:
        announce(f"executing the solutions of {lesson.name}")
        execute(notebook, notebooks_dir())
    target = Path(out) / f"{lesson.name}.ipynb"
    _write_notebook(notebook, target)
    return [target]


def _stored_outputs(path: Path, wanted: Any) -> list[Any] | None:
    """The executed code cells of an earlier build, if its code is that of ``wanted``."""
    if not path.exists():
        return None
    old = [cell for cell in _read_notebook(path).cells if cell.cell_type == "code"]
    new = [cell for cell in wanted.cells if cell.cell_type == "code"]
    same = [(cell.source, cell.metadata) for cell in old] == [(cell.source, cell.metadata) for cell in new]
    return old if same and all(cell.execution_count for cell in old if cell.source.strip()) else None


def _give_outputs(notebook: Any, executed: Sequence[Any]) -> None:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell, source in zip(code, executed, strict=True):
        cell.outputs, cell.execution_count = source.outputs, source.execution_count


def _refuse_stale(lessons: Sequence[Lesson]) -> None:
    reasons = [
        f"{lesson.notebook(language).relative_to(course_dir())} {reason}"
        for lesson in lessons
        for language in LANGUAGES
        if (reason := stale_reason(lesson, language))
    ]
    if reasons:
        raise LabkitError("\n".join([*reasons, "Run: labkit build"]))


def _check_pairs(lesson: Lesson, cells: Sequence[Any]) -> None:
    """Each English text cell is followed by its Chinese counterpart, with as many headings."""
    expected = "en"
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type not in ("markdown", "code"):
            raise LabkitError(
                f"{lesson.source.name}, cell {number}: {cell.cell_type} cells have no place here."
            )
        language = cell.metadata.get("lang") if cell.cell_type == "markdown" else "code"
        wrong = language not in ("code", *LANGUAGES) or (language == "code" and expected == "zh")
        if wrong or (language != "code" and language != expected):
            raise LabkitError(
                f"{lesson.source.name}, cell {number}: expected a text cell with "
                f'lang="{expected}"{"" if expected == "zh" else " or code"}, found {language!r}: '
                f"{cell.source[:60]!r}"
            )
        if language == "zh" and _heading_levels(cell.source) != _heading_levels(cells[number - 2].source):
            raise LabkitError(
                f"{lesson.source.name}, cell {number}: its headings differ from the English ones."
            )
        if language != "code":
            expected = "zh" if language == "en" else "en"
    if expected == "zh":
        raise LabkitError(f"{lesson.source.name}: the last English text cell has no Chinese counterpart.")


def _heading_levels(text: str) -> list[int]:
    outside_code = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", outside_code, flags=re.MULTILINE)]


def _navigation(lesson: Lesson, language: str) -> Any:
    """The last cell: to the lesson before, the lesson after, and the other language."""
    from nbformat.v4 import new_markdown_cell

    lessons = find_lessons()
    place = [other.name for other in lessons].index(lesson.name)
    links = []
    if place > 0:
        before = lessons[place - 1]
        links.append(f"[← {before.number} {before.title(language)}]({before.name}.ipynb)")
    if language == "en":
        links.append(f"[中文版](zh/{lesson.name}.ipynb)")
    else:
        links.append(f"[English](../{lesson.name}.ipynb)")
    if place + 1 < len(lessons):
        after = lessons[place + 1]
        links.append(f"[{after.number} {after.title(language)} →]({after.name}.ipynb)")
    return new_markdown_cell("---\n" + " · ".join(links))


def _matches(lesson: Lesson, pattern: str) -> bool:
    names = (lesson.number, lesson.name, lesson.name.partition("_")[2])
    return any(fnmatch.fnmatchcase(name, pattern) for name in names)


def _read_source(path: Path) -> Any:
    import jupytext

    try:
        source = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    except (UnicodeDecodeError, ValueError) as error:
        raise LabkitError(f"{path.name} cannot be read as a lesson: {error}") from error
    for cell in source.cells:
        cell.metadata.pop("lines_to_next_cell", None)  # jupytext's note on blank lines
    return source


def _read_notebook(path: Path) -> Any:
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises several kinds, none of them meant for a reader
        raise LabkitError(
            f"{path} is not a notebook ({type(error).__name__}). Run: labkit build --force"
        ) from error


def _write_notebook(notebook: Any, path: Path) -> bool:
    """Write the notebook if that changes the file; True if it did."""
    import nbformat

    from labkit.files import atomic_write_text

    text = nbformat.writes(notebook) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_text(path, text)
    return True
