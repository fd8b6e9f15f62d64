"""nbval does see a changed number: without this, a green notebook stage would prove nothing."""

from __future__ import annotations

import re
import subprocess
import sys

import nbformat

from labkit import lessons

NBVAL = ["-p", "no:python", "-p", "no:cacheprovider", "-p", "no:xdist", "--nbval", "--nbval-current-env"]


def run_nbval(path):
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(path.parent), *NBVAL, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def shortened(lesson):
    """The lesson up to its first strictly compared cell that prints a number, and that cell."""
    notebook = nbformat.read(lesson.notebook("en"), as_version=4)
    for index, cell in enumerate(notebook.cells):
        strict = cell.cell_type == "code" and "nbval-ignore-output" not in cell.metadata.get("tags", [])
        if strict and any(re.search(r"\d", output.get("text", "")) for output in cell.outputs):
            notebook.cells = notebook.cells[: index + 1]
            return notebook, cell
    raise AssertionError(f"{lesson.name} prints no number that nbval compares")


def test_a_changed_number_fails(tmp_path):
    notebook, cell = shortened(lessons.find_lessons(["02"])[0])
    nbformat.write(notebook, tmp_path / "true.ipynb")
    output = next(output for output in cell.outputs if re.search(r"\d", output.get("text", "")))
    digit = re.search(r"\d", output.text)
    other = str((int(digit.group()) + 1) % 10)
    output.text = output.text[: digit.start()] + other + output.text[digit.end() :]
    nbformat.write(notebook, tmp_path / "changed.ipynb")

    kept = run_nbval(tmp_path / "true.ipynb")
    assert kept.returncode == 0, kept.stdout[-2000:]
    changed = run_nbval(tmp_path / "changed.ipynb")
    assert changed.returncode == 1, changed.stdout[-2000:]
    assert "1 failed" in changed.stdout


def test_a_cell_without_execution_count_would_slip_through(tmp_path):
    """Why test_rules demands execution counts: a cell that was never run is compared with nothing."""
    notebook, cell = shortened(lessons.find_lessons(["02"])[0])
    cell.execution_count = None
    cell.outputs = []
    nbformat.write(notebook, tmp_path / "bare.ipynb")
    assert run_nbval(tmp_path / "bare.ipynb").returncode == 0
