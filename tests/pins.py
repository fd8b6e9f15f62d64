"""The pins of binder/environment.yml, written from requirements.lock: python -m tests.pins"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
BINDER_PYTHON = "3.11"
HEAD = f"""\
# What Binder installs first; binder/postBuild then brings every other package to the pin of requirements.lock.
# Written by `python -m tests.pins` from pyproject.toml and requirements.lock.
name: llm-course
channels:
  - conda-forge
dependencies:
  - python={BINDER_PYTHON}
  - pip
  - pip:
      - --extra-index-url https://download.pytorch.org/whl/cpu
"""


def normal(name: str) -> str:
    """A distribution's name as the index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(python: str = BINDER_PYTHON) -> dict[str, str]:
    """name -> version that requirements.lock gives for a Python on Linux."""
    environment = {"python_version": python, "python_full_version": f"{python}.9", "sys_platform": "linux"}
    environment |= {"platform_machine": "x86_64", "platform_system": "Linux", "os_name": "posix"}
    pins = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            pins[normal(requirement.name)] = str(requirement.specifier).removeprefix("==")
    return pins


def course_requirements() -> list[Requirement]:
    """What pyproject.toml asks for: the package and the course, without the developer's tools."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [
        Requirement(line) for line in project["dependencies"] + project["optional-dependencies"]["course"]
    ]


def binder_environment() -> str:
    """The text of binder/environment.yml. torch stands first, for its index."""
    pins = locked()
    names = sorted({normal(requirement.name) for requirement in course_requirements()} - {"torch"})
    return HEAD + "".join(f"      - {name}=={pins[name]}\n" for name in ["torch", *names])


if __name__ == "__main__":
    (ROOT / "binder" / "environment.yml").write_text(binder_environment(), encoding="utf-8")
