"""Seconds and memory of the lessons, of a whole run, and of starting."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.pins import ROOT

REPEATS = 7
WORK_STARTS = "started"  # what the batch says of a lesson when its kernel is on its way


def start_seconds() -> dict[str, float]:
    """The shortest of several starts: of ``import labkit``, of ``labkit --help``, of make until its work starts."""
    timed_import = "import time; t = time.perf_counter(); import labkit; print(time.perf_counter() - t)"
    imports = [float(output([sys.executable, "-c", timed_import])) for _ in range(REPEATS)]
    command = str(Path(sysconfig.get_path("scripts")) / "labkit")
    helps = [timed([command, "--help"]) for _ in range(REPEATS)]
    return {"import": min(imports), "help": min(helps), "make": make_seconds()}


def make_seconds() -> float:
    """From calling ``make run`` until it says that the first lesson has started; then it is stopped."""
    make = shutil.which("make")
    if make is None:
        raise SystemExit("make is not installed: the start of a make target cannot be measured")
    subprocess.run([make, ".venv/.ready"], cwd=ROOT, check=True, capture_output=True)
    return min(one_start(make) for _ in range(3))


def one_start(make: str) -> float:
    """Seconds of one start; the run is then stopped as by Ctrl-C."""
    options = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
        "start_new_session": True,
    }
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        command = [make, "run", f"OUT={folder}", "ARGS=00 --mode smoke"]
        with subprocess.Popen(command, cwd=ROOT, **options) as run:
            lines = iter(run.stdout.readline, "")
            if not any(WORK_STARTS in line for line in lines):
                raise SystemExit("make run ended before a lesson started")
            seconds = time.perf_counter() - started
            os.killpg(run.pid, signal.SIGINT)
            run.stdout.read()
    return seconds


def run_course(workers: int, lessons: Sequence[str] = ()) -> tuple[list[tuple[str, float, int]], float]:
    """``labkit run`` in class mode: (lesson, seconds, peak bytes of its kernel) for each, and seconds in all.

    Of the lessons with these numbers; all without any.
    """
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "labkit.cli",
            "run",
            *lessons,
            "--out",
            folder,
            "--workers",
            str(workers),
        ]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
        if run.returncode != 0:
            raise SystemExit(f"labkit run failed:\n{run.stdout[-2000:]}\n{run.stderr[-2000:]}")
        runs = json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))["runs"]
    return [(one["name"], one["seconds"], one["peak_bytes"]) for one in runs], seconds


def output(command: list[str]) -> str:
    """What a command prints."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def timed(command: list[str]) -> float:
    """Seconds from start to end, the interpreter's own start included."""
    started = time.perf_counter()
    output(command)
    return time.perf_counter() - started
