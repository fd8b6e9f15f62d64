"""The set-up: pins in agreement, Binder's configuration, import times, the Makefile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tests.pins import ROOT, binder_environment, course_requirements, locked, normal


def pip_lines(path: Path) -> list[str]:
    """The pip section of a conda environment."""
    dependencies = yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]
    return next(entry["pip"] for entry in dependencies if isinstance(entry, dict))


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_satisfies_what_pyproject_asks(python):
    pins = locked(python)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = course_requirements() + [Requirement(line) for line in extras["dev"] + extras["dask"]]
    for requirement in asked:
        version = pins.get(normal(requirement.name))
        assert version, f"requirements.lock lacks {requirement.name}. Run: make lock"
        assert requirement.specifier.contains(version), (
            f"{requirement} is locked to {version}. Run: make lock"
        )


def test_every_line_of_the_lock_is_an_exact_pin():
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        specifier = str(Requirement(line).specifier)
        assert re.fullmatch(r"==[\w.+!]+", specifier), line


def test_the_lock_brings_no_cuda_to_a_machine_without_gpu():
    names = {normal(Requirement(line).name) for line in (ROOT / "requirements.lock").read_text().splitlines()}
    assert not [name for name in names if name.startswith(("nvidia-", "cuda-")) or name == "triton"]


def test_conda_takes_the_same_pins():
    lines = pip_lines(ROOT / "environment.yml")
    assert f"torch=={locked()['torch']}" in lines
    assert "-r requirements.lock" in lines
    assert lines.index("--extra-index-url https://download.pytorch.org/whl/cpu") == 0
    assert lines[-1] == "-e ."


def test_binder_takes_the_same_pins():
    committed = (ROOT / "binder" / "environment.yml").read_text(encoding="utf-8")
    assert committed == binder_environment(), "Run: python -m tests.pins"
    pins = locked()
    for line in pip_lines(ROOT / "binder" / "environment.yml")[1:]:
        name, _, version = line.partition("==")
        assert pins[name] == version


def test_binder_builds_what_we_mean():
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    dockerfile = run.stdout + run.stderr
    assert run.returncode == 0, dockerfile[-2000:]
    assert '--file "binder/environment.yml"' in dockerfile
    assert "apt-get install --yes --no-install-recommends fonts-noto-cjk" in dockerfile
    assert "RUN ./binder/postBuild" in dockerfile
    assert 'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in dockerfile
    script = (ROOT / "binder" / "postBuild").read_text(encoding="utf-8")
    assert script.startswith("#!/bin/bash\n")
    assert "set -e" in script
    assert "-r requirements.lock" in script
    assert "-e ." in script


@pytest.mark.skipif(os.name == "nt", reason="file modes")
def test_scripts_can_be_executed():
    for name in ("binder/postBuild", "binder/start", ".ci/run"):
        assert os.access(ROOT / name, os.X_OK), name


def best_seconds(code: str, repeats: int = 5) -> float:
    """The shortest of several runs of a fresh interpreter less an empty one, by its own clock."""
    program = f"import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        for _ in range(repeats)
    ]
    return min(float(run.stdout.splitlines()[-1]) for run in runs)


def test_import_labkit_is_quick_and_loads_no_torch():
    assert best_seconds("import labkit") < 0.1
    heavy = "import sys, labkit, labkit.cli, labkit.common, labkit.lessons, labkit.batch, labkit.plots"
    program = f"{heavy}; print(sorted({{'torch', 'sklearn', 'matplotlib', 'papermill'}} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_makefile_says_what_it_does_and_starts_at_once():
    make = shutil.which("make")
    ready = ROOT / ".venv" / ".ready"
    sources = [ROOT / "requirements.lock", ROOT / "pyproject.toml"]
    if make is None or not ready.exists() or any(f.stat().st_mtime > ready.stat().st_mtime for f in sources):
        pytest.skip("not run through make")
    targets = ("run", "test", "lab", "bench", "build", "lint", "clean")
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in targets:
        assert re.search(rf"^{target}:", text, flags=re.MULTILINE), target
    # A dry run lists what would be done: nothing of the set-up, which is there already.
    plan = subprocess.run([make, "-n", "run"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "pip install" not in plan
    assert "labkit run" in plan


def test_an_old_python_is_refused_with_what_to_do(tmp_path):
    make = shutil.which("make")
    if make is None or os.name == "nt":
        pytest.skip("needs make")
    old = tmp_path / "python3.9"
    old.write_text(
        "#!/bin/sh\n"
        f'exec "{sys.executable}" -c "import sys; sys.version_info = (3, 9, 0); exec(sys.argv[1])" "$2"\n',
        encoding="utf-8",
    )
    old.chmod(0o755)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    run = subprocess.run(
        [make, f"PYTHON={old}", ".venv/.ready"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode != 0
    assert "needs Python 3.11, 3.12 or 3.13" in run.stderr
    assert not (tmp_path / ".venv").exists()


def test_nothing_in_the_tree_names_one_machine_or_a_package_registry():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    places = "|".join(re.escape(f"{folder.as_posix()}/") for folder in (ROOT.parent, Path.home()))
    named = re.compile(rf"{places}|https?://[^\s/]+/simple\b|\bfile:///")
    for name in tracked.splitlines():
        path = ROOT / name
        if (
            path.suffix in {".py", ".md", ".yml", ".toml", ".ipynb", ".json", ".lock", ".txt"}
            and path.exists()
        ):
            found = named.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{name}: {found.group(0)}"
