"""The doctor: each question answered good, warning or wrong on a machine that is made so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import namedtuple
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from labkit import doctor
from labkit.doctor import GOOD, WARNING, WRONG, Finding, Report

VersionInfo = namedtuple("VersionInfo", "major minor micro releaselevel serial")


@pytest.fixture
def course(tmp_path, monkeypatch) -> Path:
    """A course folder without lessons."""
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


def test_every_question_is_answered():
    findings = doctor.examine()
    assert [f.name for f in findings] == [
        "Python",
        "packages",
        "course folder",
        "cores",
        "memory",
        "disk",
        "device",
        "Chinese font",
        "sound",
        "kernel",
        "text encoding",
    ]
    assert {f.status for f in findings} <= {GOOD, WARNING, WRONG}
    assert all(f.detail for f in findings)
    assert all(f.advice for f in findings if f.status != GOOD), "what is not good says what to do"
    assert not any("could not be examined" in f.detail for f in findings)


def test_it_is_quick_because_it_imports_little():
    code = (
        "import sys; from labkit import doctor; doctor.examine(); "
        "print(*{'transformers', 'librosa', 'sklearn', 'scipy', 'pandas', 'papermill'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_question_that_breaks_hides_no_other(monkeypatch):
    def broken():
        raise OSError("no such file")

    monkeypatch.setattr(doctor, "_disk", broken)
    findings = {f.name: f for f in doctor.examine()}
    assert findings["disk"].status == WARNING
    assert "OSError: no such file" in findings["disk"].detail
    assert findings["Python"].status == GOOD


@pytest.mark.parametrize(
    ("version", "status"), [((3, 10), WRONG), ((3, 11), GOOD), ((3, 13), GOOD), ((3, 14), WARNING)]
)
def test_python_versions(monkeypatch, version, status):
    monkeypatch.setattr(doctor.sys, "version_info", VersionInfo(*version, 0, "final", 0))
    assert doctor._python()[0] == status


def test_the_supported_versions_are_those_of_the_package():
    requires = metadata.metadata("labkit")["Requires-Python"]
    from packaging.specifiers import SpecifierSet

    supported = [f"3.{minor}" for minor in range(8, 20) if f"3.{minor}" in SpecifierSet(requires)]
    assert (supported[0], supported[-1]) == tuple(".".join(map(str, v)) for v in doctor.PYTHONS)


# --- Versions against the lock ---------------------------------------------------------------------------


def test_the_lock_is_read_with_its_markers():
    text = (
        "# a comment\n--index-url https://example.org\n\n"
        "numpy==2.1.0\npywin32==311 ; sys_platform == 'nowhere'\nidna==3.20 ; python_version >= '3' # why\n"
    )
    assert list(doctor.locked(text)) == [("numpy", "2.1.0"), ("idna", "3.20")]


def write_lock(course: Path, *lines: str) -> None:
    (course / "requirements.lock").write_text("\n".join(lines), encoding="utf-8")


def pin(name: str) -> str:
    return f"{name}=={metadata.version(name)}"


def test_versions_as_locked_are_good(course):
    write_lock(course, pin("numpy"), f"torch=={metadata.version('torch').partition('+')[0]}")
    assert doctor._packages() == (GOOD, "2 packages, each as in requirements.lock", "")


def test_each_other_version_is_named_with_the_command_that_mends_it(course):
    write_lock(course, pin("numpy"), "psutil==0.1", "idna==0.2")
    status, detail, advice = doctor._packages()
    assert status == WARNING
    assert f"psutil {metadata.version('psutil')} (lock: 0.1)" in detail
    assert "idna" in detail
    assert "numpy" not in detail
    assert advice.endswith("-m pip install psutil==0.1 idna==0.2")


def test_a_missing_package_is_wrong_only_if_labkit_needs_it(course, monkeypatch):
    version = metadata.version

    def without_papermill(name):
        if name in ("papermill", "nowhere-to-be-found"):
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor.metadata, "version", without_papermill)
    write_lock(course, "nowhere-to-be-found==1.0")
    assert doctor._packages()[0] == WARNING
    write_lock(course, "papermill==2.7.0", "nowhere-to-be-found==1.0")
    status, detail, _ = doctor._packages()
    assert status == WRONG
    assert detail == "missing: papermill 2.7.0, nowhere-to-be-found 1.0"


def test_many_other_versions_are_counted_and_mended_from_the_lock(course):
    names = ["numpy", "psutil", "idna", "nbformat", "packaging", "pillow", "tqdm", "scipy"]
    write_lock(course, *(f"{name}==0.0.1" for name in names))
    _, detail, advice = doctor._packages()
    assert detail.endswith("and 2 more")
    assert advice.endswith(f'-m pip install -r "{course / "requirements.lock"}"')


def test_a_course_without_lock_or_folder(course, monkeypatch, tmp_path):
    assert doctor._packages()[0] == WARNING
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "nowhere"))
    assert doctor._course()[0] == WRONG


def test_lessons_that_are_not_built_are_counted(course):
    (course / "notebooks" / "src" / "02_a.py").write_text("", encoding="utf-8")
    assert doctor._course()[::2] == (WARNING, "Run: labkit build")
    (course / "notebooks" / "02_a.ipynb").write_text("", encoding="utf-8")
    assert doctor._course()[0] == GOOD


# --- The machine -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("free", "status"), [(0.5e9, WRONG), (1.0e9, WARNING), (4e9, GOOD)])
def test_free_memory(monkeypatch, free, status):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=free, total=8e9))
    monkeypatch.setattr(doctor, "_container_limit", lambda: None)
    assert doctor._memory()[0] == status


def test_the_containers_memory_counts_and_not_the_machines(monkeypatch):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=60e9, total=64e9))
    monkeypatch.setattr(doctor, "_container_limit", lambda: (1.2e9, 2.0e9))
    assert doctor._memory()[:2] == (WARNING, "1.2 GB free of 2.0 GB")


@pytest.mark.parametrize(("free", "status"), [(0.1e9, WRONG), (0.5e9, WARNING), (9e9, GOOD)])
def test_free_disk(course, monkeypatch, free, status):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    monkeypatch.setenv("LABKIT_CACHE", str(course / "not" / "yet" / "there"))
    assert doctor._disk()[0] == status


def test_one_core_is_a_warning(monkeypatch):
    monkeypatch.setattr(doctor.os, "sched_getaffinity", lambda pid: {0}, raising=False)
    assert doctor._cores()[0] == WARNING
    monkeypatch.setattr(doctor.os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    assert doctor._cores() == (GOOD, "2 cores", "")


def test_a_device_that_is_asked_for_and_not_there(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.delenv("LABKIT_DEVICE", raising=False)
    assert doctor._device()[0] == GOOD
    monkeypatch.setenv("LABKIT_DEVICE", "cuda:0")
    assert doctor._device()[0] == WRONG
    monkeypatch.setenv("LABKIT_DEVICE", "cpu")
    assert doctor._device()[0] == GOOD


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows"])
def test_without_a_chinese_font_each_system_has_its_own_advice(monkeypatch, system):
    from matplotlib import font_manager

    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    monkeypatch.setattr(doctor.platform, "system", lambda: system)
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [SimpleNamespace(name="DejaVu Sans")])
    status, _, advice = doctor._font()
    assert (status, advice) == (WARNING, doctor.FONT_ADVICE[system])
    fonts = [SimpleNamespace(name=name) for name in ("DejaVu Sans", "Noto Sans CJK SC")]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", fonts)
    assert doctor._font() == (GOOD, "Noto Sans CJK SC", "")


def test_sound_without_its_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    status, detail, advice = doctor._sound()
    assert (status, detail) == (WARNING, "soundfile is not installed")
    assert "pip install" in advice


@pytest.mark.parametrize(
    ("encoding", "status"),
    [("UTF-8", GOOD), ("utf8", GOOD), ("cp1252", WARNING), ("ANSI_X3.4-1968", WARNING)],
)
def test_text_encoding(monkeypatch, encoding, status):
    monkeypatch.setattr(doctor.locale, "getpreferredencoding", lambda do_setlocale: encoding)
    assert doctor._encoding()[0] == status


# --- The kernel ------------------------------------------------------------------------------------------


def install_kernel(folder: Path, *argv: str) -> None:
    place = folder / "kernels" / "python3"
    place.mkdir(parents=True)
    kernel = {"argv": [*argv, "-f", "{connection_file}"], "display_name": "Python 3", "language": "python"}
    (place / "kernel.json").write_text(json.dumps(kernel), encoding="utf-8")


def test_the_kernel_of_this_python_is_good(tmp_path, monkeypatch):
    install_kernel(tmp_path, sys.executable, "-m", "ipykernel_launcher")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert doctor._kernel()[0] == GOOD


def test_a_kernel_whose_interpreter_is_gone_is_wrong(tmp_path, monkeypatch):
    install_kernel(tmp_path, str(tmp_path / "gone" / "python"), "-m", "ipykernel_launcher")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    status, detail, advice = doctor._kernel()
    assert (status, "does not run" in detail) == (WRONG, True)
    assert "ipykernel install --sys-prefix" in advice


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for an interpreter is a shell script")
@pytest.mark.parametrize(("has_labkit", "status"), [("False", WRONG), ("True", WARNING)])
def test_a_kernel_of_another_python(tmp_path, monkeypatch, has_labkit, status):
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\necho /opt/other\necho {has_labkit}\n", encoding="utf-8")
    other.chmod(0o755)
    install_kernel(tmp_path, str(other), "-m", "ipykernel_launcher")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert doctor._kernel()[0] == status


# --- What is shown ---------------------------------------------------------------------------------------

MIXED = [
    Finding("Python", GOOD, "3.12.1", "not shown"),
    Finding("Chinese font", WARNING, "none", "install <one>"),
    Finding("memory", WRONG, "0.1 GB free", "close something"),
]


def test_lines_for_a_terminal():
    lines = repr(Report(MIXED)).splitlines()
    assert lines[0].split() == ["good", "Python", "3.12.1"]
    assert lines[2].strip() == "-> install <one>"
    assert lines[-1] == "1 thing wrong: to be mended first."
    assert repr(Report(MIXED[:2])).endswith("The course runs here; 1 thing could be better.")
    assert repr(Report(MIXED[:1])).endswith("Everything is in place.")


def test_a_table_for_a_notebook(monkeypatch):
    page = Report(MIXED)._repr_html_()
    assert page.count("<tr>") == 4
    assert "install &lt;one&gt;" in page
    assert "not shown" not in page
    monkeypatch.setenv("LABKIT_LANG", "zh")
    assert "怎么办" in Report(MIXED)._repr_html_()
