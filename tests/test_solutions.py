"""The solution edition of every lesson runs to its end, and there every check passes."""

from __future__ import annotations

import re

import pytest

from labkit import lessons
from labkit.common import notebooks_dir


@pytest.mark.parametrize("lesson", lessons.find_lessons(), ids=lambda lesson: lesson.name)
@pytest.mark.timeout(300)
def test_every_check_passes_in_the_solution_edition(lesson):
    notebook = lessons.edition(lesson, "en", solutions=True)
    parameters = next(cell for cell in notebook.cells if cell.metadata.get("tags") == ["parameters"])
    parameters.source = parameters.source.replace('"class"', '"smoke"')
    lessons.execute(notebook, notebooks_dir())
    checked = 0
    for cell in notebook.cells:
        for number in re.findall(r'^check\("(\d\d\.\d+)"', cell.source, flags=re.MULTILINE):
            texts = [output.data["text/plain"] for output in cell.outputs if "data" in output]
            assert texts == [f"✔ {number} passed"], texts
            checked += 1
    assert checked >= 4
