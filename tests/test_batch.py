"""Batches: real kernels where kernels matter, a stand-in for them where only the book-keeping does."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labkit import batch, live, pages, report, runner
from labkit.batch import Options, UsageError
from labkit.common import LabkitError
from labkit.runner import Job, Outcome

PARAMETERS = 'MODE = "class"\nSEED = 0\nNOTE = ""'
TIME_LIMIT = 15.0  # for the notebook that never ends: longer than a kernel takes to start on a busy machine
PATIENCE = 60.0

GOOD_CELLS = (
    "import json, os\n"
    "from labkit.results import Measure, record_exercise, report\n"
    "print(json.dumps({'mode': MODE, 'seed': SEED, 'note': NOTE, 'cwd': os.getcwd(),\n"
    "                  'environment': {k: os.environ.get(k) for k in ('LABKIT_LANG', 'LABKIT_PROGRESS',\n"
    "                   'PYTHONHASHSEED', 'MPLBACKEND')}}))",
    "block = bytearray(os.urandom(1000)) * 200_000  # 200 MB, written to\ndel block",
    "record_exercise('02.1', 'failed')\nrecord_exercise('02.1', 'passed')\nrecord_exercise('02.2', 'not attempted')",
    "report(Measure('accuracy', 0.9 + SEED / 100, baseline=0.8), Measure('loss', 0.3))",
    "import io\nfrom PIL import Image\nfrom IPython.display import display\n"
    "stream = io.BytesIO()\nImage.new('RGB', (1200, 800), 'teal').save(stream, 'PNG')\n"
    "display({'image/png': stream.getvalue(), 'text/plain': 'x'}, raw=True,\n"
    "        metadata={'image/png': {'alt': 'a plain teal rectangle'}})",
)


def write_notebook(path: Path, *cells: object, parameters: str = PARAMETERS, tag: bool = True) -> Path:
    """A notebook with a parameters cell, then the cells (code as text)."""
    first = new_code_cell(parameters, metadata={"tags": ["parameters"] if tag else []})
    rest = [new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = new_notebook(cells=[new_markdown_cell("# A lesson"), first, *rest])
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path


def by_name(done: batch.Batch) -> dict[str, report.Record]:
    return {record.name.removesuffix(".ipynb"): record for record in done.records}


def outputs(out: Path, record: report.Record) -> str:
    """All that the executed notebook printed."""
    notebook = nbformat.read(out / record.notebook, as_version=4)
    return "".join(o.get("text", "") for cell in notebook.cells for o in cell.get("outputs", []))


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


# --- One batch with everything that can go wrong ---------------------------------------------------------


@pytest.fixture(scope="module")
def mixed(tmp_path_factory) -> tuple[batch.Batch, Path, list]:
    """A folder of notebooks, good and bad, run for real; the batch, the folder, and what the watcher heard."""
    folder = tmp_path_factory.mktemp("handed_in")
    tell_pid = "import os\nopen('{}.pid', 'w').write(str(os.getpid()))"
    write_notebook(
        folder / "endless.ipynb", tell_pid.format("endless"), "import time\nwhile True: time.sleep(1)"
    )
    write_notebook(folder / "good.ipynb", *GOOD_CELLS)
    write_notebook(folder / "fails.ipynb", "x = 1", "raise ValueError('<script>alert(1)</script>')", "x = 2")
    write_notebook(folder / "killed.ipynb", "import os, signal, sys", "os.kill(os.getpid(), signal.SIGTERM)")
    write_notebook(folder / "leaves.ipynb", "import os\nos._exit(0)")
    meant = new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]})
    write_notebook(folder / "meant.ipynb", meant, "print('went on')")
    write_notebook(folder / "untagged.ipynb", tag=False)
    write_notebook(folder / "lacks.ipynb", parameters='MODE = "class"\nSEED = 0')
    (folder / "broken.ipynb").write_text('{"cells": [', encoding="utf-8")
    (folder / "latin.ipynb").write_bytes(b"\xff\xfe\x00caf\xe9")
    (folder / "list.ipynb").write_text("[1, 2]", encoding="utf-8")
    heard = []
    before = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = "agg"  # as pytest and servers set it; notebooks must not inherit it
    try:
        options = Options(
            patterns=[str(folder)],
            out=tmp_path_factory.mktemp("report"),
            parameters=[("SEED", "7"), ("NOTE", "a\\,b")],
            timeout=TIME_LIMIT,
            language="zh",
        )
        done = batch.run(
            options, lambda event, record, more: heard.append((event, record and record.key, more))
        )
    finally:
        os.environ.pop("MPLBACKEND")
        if before is not None:
            os.environ["MPLBACKEND"] = before
    return done, folder, heard


def test_each_notebook_ends_with_its_own_status(mixed):
    done, _, _ = mixed
    assert {name: record.status for name, record in by_name(done).items()} == {
        "endless": "timed out",
        "good": "ok",
        "fails": "failed",
        "killed": "kernel died",
        "leaves": "kernel died",
        "meant": "ok",
        "untagged": "refused",
        "lacks": "refused",
        "broken": "refused",
        "latin": "refused",
        "list": "refused",
    }
    assert done.exit_code == 1


def test_every_fault_is_one_clear_line(mixed):
    messages = {name: record.error["message"] for name, record in by_name(mixed[0]).items() if record.error}
    assert all("\n" not in message for message in messages.values())
    assert messages["fails"] == "ValueError in cell [4]: <script>alert(1)</script>"
    assert messages["endless"].startswith("TimeLimit in cell [4] of 4: the notebook's limit of 15 s was over")
    assert messages["killed"].startswith("DeadKernel in cell [4] of 4")
    assert messages["leaves"].startswith("DeadKernel in cell [3] of 3")
    assert messages["untagged"] == 'no cell is tagged "parameters", so MODE and SEED cannot be set'
    assert messages["lacks"] == "no parameter NOTE; it has MODE, SEED"
    assert messages["broken"] == "not a notebook: not JSON"
    assert messages["latin"] == "not a notebook: the file is not UTF-8 text"
    assert messages["list"].startswith("not a notebook: ")


def test_a_failed_notebook_shows_its_cell_and_stops_there(mixed):
    done, _, _ = mixed
    record = by_name(done)["fails"]
    assert (record.error["cell"], record.cells) == (4, 5)
    assert record.error["source"].startswith("raise ValueError")
    assert "\x1b" not in record.error["traceback"]
    assert "ValueError" in record.error["traceback"]
    cells = nbformat.read(done.out / record.notebook, as_version=4).cells
    assert [c.execution_count for c in cells if c.cell_type == "code"] == [1, 2, 3, 4, None]


def test_a_notebook_that_never_ends_is_killed_in_time_with_its_kernel(mixed):
    done, folder, _ = mixed
    record = by_name(done)["endless"]
    assert TIME_LIMIT <= record.seconds < TIME_LIMIT + 5
    assert not alive(int((folder / "endless.pid").read_text()))
    # papermill marks such a cell "completed"; what we keep says what happened.
    cell = nbformat.read(done.out / record.notebook, as_version=4).cells[-1]
    assert cell.metadata.papermill.status == "failed"
    assert "limit of 15 s" in cell.outputs[-1].evalue


def test_a_notebook_runs_as_in_jupyterlab(mixed):
    done, folder, _ = mixed
    seen = json.loads(outputs(done.out, by_name(done)["good"]))
    assert (seen["mode"], seen["seed"], seen["note"]) == ("class", 7, "a,b")
    assert Path(seen["cwd"]).resolve() == folder.resolve()
    environment = seen["environment"]
    assert environment["LABKIT_LANG"] == "zh"
    assert (environment["LABKIT_PROGRESS"], environment["PYTHONHASHSEED"]) == ("0", "0")
    assert environment["MPLBACKEND"] != "agg"


def test_an_error_that_is_meant_does_not_fail_a_notebook(mixed):
    done, _, _ = mixed
    record = by_name(done)["meant"]
    assert "went on" in outputs(done.out, record)
    assert "papermill-error-cell" not in (done.out / record.notebook).read_text(encoding="utf-8")


def test_memory_is_the_kernels_peak(mixed):
    records = by_name(mixed[0])
    assert 220e6 < records["good"].peak_bytes < 500e6  # 200 MB for a moment, and the interpreter
    assert 20e6 < records["meant"].peak_bytes < 150e6


def test_results_hold_exercises_and_measures(mixed):
    done, _, _ = mixed
    record = by_name(done)["good"]
    assert record.exercises == {"02.1": "passed", "02.2": "not attempted"}  # the last answer counts
    assert [(m["metric"], m["ours"], m["verdict"]) for m in record.measures] == [
        ("accuracy", 0.97, "better"),
        ("loss", 0.3, "-"),
    ]
    kept = json.loads((done.out / "results.json").read_text(encoding="utf-8"))
    assert kept["exit_code"] == 1
    assert [run["name"] for run in kept["runs"]] == [r.name for r in done.records]


def test_grades_have_a_line_for_each_file_and_exercise(mixed):
    done, _, _ = mixed
    rows = list(csv.reader((done.out / "grades.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == ["file", "exercise", "status"]
    assert ["good.ipynb", "02.1", "passed"] in rows
    assert ["good.ipynb", "02.2", "not attempted"] in rows
    assert ["broken.ipynb", "", "refused"] in rows
    assert len({row[0] for row in rows[1:]}) == len(done.records)


def test_the_page_needs_nothing_else_and_its_links_lead_somewhere(mixed):
    done, _, _ = mixed
    page = (done.out / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    for link in re.findall(r'href="([^"#]+)', page):
        assert (done.out / link).is_file(), link
    for anchor in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{anchor}"' in page
    assert page.count('alt="a plain teal rectangle"') == 1


def test_a_thumbnail_leads_to_its_cell(mixed):
    done, _, _ = mixed
    page = (done.out / "index.html").read_text(encoding="utf-8")
    target, anchor = re.search(r'href="([^"]+)#([^"]+)"><img', page).groups()
    assert f'id="{anchor}"' in (done.out / target).read_text(encoding="utf-8")


def test_what_students_wrote_runs_no_script_in_the_teachers_browser(mixed):
    done, _, _ = mixed
    page = (done.out / by_name(done)["fails"].html).read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page


def test_the_watcher_hears_every_cell(mixed):
    _, _, heard = mixed
    assert heard[0][0] == "plan"
    cells = [more["cell"] for event, key, more in heard if event == "cell" and key == "good"]
    assert cells == list(range(1, 8))
    order = [event for event, key, _ in heard if key == "good" and event != "cell"]
    assert order == ["start", "end"]


# --- Ctrl-C, kill, resume: in processes of their own ------------------------------------------------------


def start_command(*arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "labkit.cli", "run", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


WAITS_FOR_FILE = (
    "import os, pathlib, time\n"
    "pathlib.Path('waiting.tmp').write_text(str(os.getpid()))\n"
    "os.replace('waiting.tmp', 'waiting.pid')\n"
    "while not pathlib.Path('go_on').exists(): time.sleep(0.1)"
)


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to another process on Windows")
def test_ctrl_c_keeps_what_finished_and_resume_goes_on(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    write_notebook(folder / "a_quick.ipynb", "open('count', 'a').write('x')")
    write_notebook(folder / "b_waits.ipynb", WAITS_FOR_FILE)
    write_notebook(folder / "c_never.ipynb", "x = 1")
    command = start_command(str(folder), "--out", str(out), "--workers", "1")
    wait_for((folder / "waiting.pid").exists)
    kernel = int((folder / "waiting.pid").read_text())
    assert alive(kernel)
    command.send_signal(signal.SIGINT)
    _, errors = command.communicate(timeout=20)

    assert command.returncode == 130, errors
    assert "Traceback" not in errors
    assert not alive(kernel)
    kept = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert [run["status"] for run in kept["runs"]] == ["ok", "interrupted", "not run"]
    assert (out / "index.html").exists()

    (folder / "go_on").touch()
    command = start_command(str(folder), "--out", str(out), "--resume")
    printed, errors = command.communicate(timeout=PATIENCE)
    assert command.returncode == 0, errors
    assert "a_quick.ipynb: finished before, skipped" in errors
    assert printed.count("ok") >= 3
    assert (folder / "count").read_text() == "x"


@pytest.mark.skipif(os.name == "nt", reason="the signal is POSIX")
def test_no_kernel_outlives_a_batch_that_was_killed(tmp_path):
    write_notebook(tmp_path / "in" / "waits.ipynb", WAITS_FOR_FILE)
    command = start_command(str(tmp_path / "in"), "--out", str(tmp_path / "out"))
    wait_for((tmp_path / "in" / "waiting.pid").exists)
    kernel = int((tmp_path / "in" / "waiting.pid").read_text())
    command.kill()
    command.communicate()
    wait_for(lambda: not alive(kernel), seconds=10)


# --- Dask ------------------------------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two worker processes on this machine, in folders of their own; yields (address, workers)."""
    pytest.importorskip("distributed")
    contact = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = os.environ | {"DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    common = ["--scheduler-file", str(contact)]

    def start(kind: str, name: str, *more: str) -> subprocess.Popen:
        place = tmp_path / name
        place.mkdir()
        command = [sys.executable, "-m", "dask", kind, *common, *more]
        return subprocess.Popen(command, cwd=place, env=environment, **quiet)

    processes = [start("scheduler", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
    workers = [
        "--nthreads",
        "1",
        "--no-nanny",
        "--no-dashboard",
        "--host",
        "127.0.0.1",
        "--memory-limit",
        "0",
    ]
    try:
        wait_for(contact.exists)
        processes += [start("worker", name, *workers) for name in ("worker1", "worker2")]
        address = json.loads(contact.read_text(encoding="utf-8"))["address"]
        import distributed

        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
        yield address, processes[1:]
    finally:
        for process in processes:
            runner.kill_tree(process.pid)
            process.wait()


def test_the_same_runs_on_a_dask_cluster(cluster, tmp_path):
    address, _ = cluster
    tell_parent = "import os, psutil\nprint(psutil.Process(os.getppid()).ppid())"
    measure = "from labkit.results import Measure, report\nreport(Measure('accuracy', 0.9 + SEED / 100))"
    write_notebook(tmp_path / "in" / "one.ipynb", tell_parent, measure)
    write_notebook(tmp_path / "in" / "two.ipynb", "assert SEED == 0, 'a seed'")
    heard = []
    options = Options(
        patterns=[str(tmp_path / "in")], out=tmp_path / "out", parameters=[("SEED", "0,1")], dask=address
    )
    done = batch.run(options, lambda event, record, more: heard.append((event, record and record.key)))
    assert [(r.key, r.status) for r in done.records] == [
        ("one--SEED=0", "ok"),
        ("one--SEED=1", "ok"),
        ("two--SEED=0", "ok"),
        ("two--SEED=1", "failed"),
    ]
    assert done.exit_code == 1
    workers = {outputs(done.out, record).strip() for record in done.records[:2]}
    assert str(os.getpid()) not in workers  # a worker ran it, not we
    assert ("cell", "one--SEED=1") in heard
    (sweep,) = report.sweeps(done.records[:2])
    assert [row["metrics"]["accuracy"] for row in sweep["rows"]] == [0.9, 0.91]
    assert sum(record.peak_bytes > 20e6 for record in done.records) == 4


def test_a_dask_worker_that_dies_does_not_lose_the_run(cluster, tmp_path):
    address, workers = cluster
    write_notebook(tmp_path / "in" / "waits.ipynb", WAITS_FOR_FILE)
    killed = []

    def watch(event, record, more):
        marker = tmp_path / "in" / "waiting.pid"
        if event == "tick" and marker.exists() and not killed:
            kernel = psutil.Process(int(marker.read_text()))
            (mine,) = [w for w in workers if w.pid in {parent.pid for parent in kernel.parents()}]
            (tmp_path / "in" / "go_on").touch()
            mine.kill()
            killed.append(mine)

    done = batch.run(Options(patterns=[str(tmp_path / "in")], out=tmp_path / "out", dask=address), watch)
    assert killed
    assert [record.status for record in done.records] == ["ok"]


def test_dask_errors_are_one_line(tmp_path, monkeypatch):
    write_notebook(tmp_path / "in" / "a.ipynb")
    options = Options(patterns=[str(tmp_path / "in")], out=tmp_path / "out", dask="tcp://127.0.0.1:1")
    monkeypatch.setattr(batch, "DASK_CONNECT_SECONDS", 1)
    with pytest.raises(LabkitError, match=r"No Dask scheduler answers at tcp://127.0.0.1:1\. Start one"):
        batch.run(options)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(LabkitError, match="pip install distributed"):
        batch.run(options)


def test_a_worker_with_another_labkit_is_refused():
    outcome = runner.execute(Job("a", b"", {}, labkit="0" * 64))
    assert (outcome.status, "same version" in outcome.error["message"]) == ("refused", True)


# --- Book-keeping, with a stand-in for the kernel ---------------------------------------------------------


@pytest.fixture
def fake(monkeypatch):
    """Replaces the execution of notebooks; returns the list of jobs that were executed."""
    executed: list[Job] = []

    def execute(job: Job, tell, stopped) -> Outcome:
        executed.append(job)
        tell({"key": job.key, "cell": 1, "cells": 1})
        outcome = Outcome("ok", seconds=1.0, cell=1, cells=1, notebook=job.notebook)
        if job.parameters.get("SEED") == 13:
            outcome.status, outcome.error = "failed", {"message": "bad luck"}
        return outcome

    monkeypatch.setattr(runner, "execute", execute)
    monkeypatch.setattr(pages, "notebook_page", lambda notebook, record: "<p>page</p>")
    return executed


def run(folder: Path, out: Path, **options) -> batch.Batch:
    return batch.run(Options(patterns=[str(folder)], out=out, **options))


def test_resume_skips_only_what_is_the_same(fake, tmp_path, monkeypatch):
    path = write_notebook(tmp_path / "in" / "a.ipynb", "x = 1")

    def again(**options) -> int:
        fake.clear()
        assert run(tmp_path / "in", tmp_path / "out", resume=True, **options).exit_code == 0
        return len(fake)

    assert again() == 1
    assert again() == 0
    os.utime(path, (1, 1))
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].execution_count = 5
    nbformat.write(notebook, path)
    assert again() == 0, "time stamps and outputs are not what it depends on"
    assert again(mode="smoke") == 1
    assert again(mode="smoke", language="zh") == 1
    assert again(parameters=[("SEED", "1")]) == 1
    assert again(parameters=[("SEED", "1.0")]) == 1, "1.0 is another parameter than 1"
    assert again() == 1
    notebook.cells[-1].source = "x = 2"
    nbformat.write(notebook, path)
    assert again() == 1
    assert again() == 0
    monkeypatch.setattr(runner, "source_hash", lambda: "another labkit")
    assert again() == 1
    assert again() == 0
    (tmp_path / "out" / "runs" / "a" / "a.ipynb").unlink()
    assert again() == 1, "the executed notebook is gone"
    (tmp_path / "out" / "runs" / "a" / "run.json").write_text('{"labkit_run": 1, "st', encoding="utf-8")
    assert again() == 1, "the state is damaged"


def test_resume_runs_again_what_failed(fake, tmp_path):
    write_notebook(tmp_path / "in" / "a.ipynb")
    for _ in range(2):
        done = run(tmp_path / "in", tmp_path / "out", parameters=[("SEED", "1,13")], resume=True)
        assert [record.status for record in done.records] == ["ok", "failed"]
    assert [job.parameters["SEED"] for job in fake] == [1, 13, 13]


def test_a_resumed_record_is_the_old_one(fake, tmp_path):
    write_notebook(tmp_path / "in" / "a.ipynb")
    before = run(tmp_path / "in", tmp_path / "out").records[0]
    after = run(tmp_path / "in", tmp_path / "out", resume=True).records[0]
    assert after.resumed
    assert after.to_json() | {"resumed": False} == before.to_json()


def test_the_hash_of_labkit_changes_with_any_of_its_files(tmp_path, monkeypatch):
    package = tmp_path / "labkit"
    (package / "checks").mkdir(parents=True)
    for name in ("runner.py", "checks/lesson02.py"):
        (package / name).write_text("x = 1\n", encoding="utf-8")
    monkeypatch.setattr(runner, "__file__", str(package / "runner.py"))
    hashes = [runner.source_hash.__wrapped__()]
    (package / "checks" / "lesson02.py").write_text("x = 2\n", encoding="utf-8")
    hashes.append(runner.source_hash.__wrapped__())
    (package / "checks" / "lesson02.py").rename(package / "checks" / "lesson03.py")
    hashes.append(runner.source_hash.__wrapped__())
    assert len(set(hashes)) == 3


def test_a_new_batch_takes_away_what_the_last_one_made_and_nothing_else(fake, tmp_path):
    out = tmp_path / "out"
    write_notebook(tmp_path / "in" / "a.ipynb")
    write_notebook(tmp_path / "in" / "b.ipynb")
    run(tmp_path / "in", out)
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    (out / "runs" / "a" / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "in" / "a.ipynb").unlink()
    (tmp_path / "in" / "b.ipynb").rename(tmp_path / "in" / "c.ipynb")
    run(tmp_path / "in", out)
    left = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert left == {
        "index.html",
        "results.json",
        "grades.csv",
        "notes.txt",
        "runs/a/mine.txt",
        *(f"runs/c/{name}" for name in ("c.ipynb", "c.html", "run.json")),
    }


def test_a_state_file_cannot_point_elsewhere(fake, tmp_path):
    """A run.json that was tampered with must not make us delete a file outside its folder."""
    out = tmp_path / "out"
    write_notebook(tmp_path / "in" / "a.ipynb")
    run(tmp_path / "in", out)
    precious = tmp_path / "precious.txt"
    precious.write_text("mine", encoding="utf-8")
    state = out / "runs" / "a" / "run.json"
    record = json.loads(state.read_text(encoding="utf-8")) | {"notebook": "../precious.txt"}
    state.write_text(json.dumps(record), encoding="utf-8")
    run(tmp_path / "in", out)
    assert precious.exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [("index.html", "<html>my home page</html>"), ("results.json", "{}"), ("grades.csv", "a,b\n")],
)
def test_files_of_others_are_not_written_over(fake, tmp_path, name, text):
    write_notebook(tmp_path / "in" / "a.ipynb")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text(text, encoding="utf-8")
    for resume in (False, True):
        with pytest.raises(LabkitError, match=rf"{name} is not from labkit\. Choose another folder"):
            run(tmp_path / "in", tmp_path / "out", resume=resume)
    assert (tmp_path / "out" / name).read_text(encoding="utf-8") == text
    assert not fake


def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs(fake, tmp_path):
    write_notebook(tmp_path / "in" / "a.ipynb")
    (tmp_path / "file").write_text("", encoding="utf-8")
    places = [tmp_path / "file", tmp_path / "file" / "deeper"]
    if sys.platform == "linux":
        places.append(Path("/proc/labkit-report"))
    for place in places:
        with pytest.raises(LabkitError, match=r"^Cannot write to .*Choose another folder with --out\.$"):
            run(tmp_path / "in", place)
    assert not fake


@pytest.fixture
def tiny_disk(tmp_path, monkeypatch):
    """A folder on a disk of 1 MB: a real one where we may mount it, else writes that fail when it would be full."""
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        whole = batch.atomic_write_bytes

        def write(path: Path, content: bytes) -> None:
            if place in path.parents and len(content) > 500_000:
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
            whole(path, content)

        monkeypatch.setattr(batch, "atomic_write_bytes", write)
    yield place
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_one_line_and_loses_nothing(fake, tiny_disk, tmp_path):
    write_notebook(tmp_path / "in" / "a.ipynb", "x = 1")
    write_notebook(tmp_path / "in" / "b.ipynb", "x = '" + "0123456789" * 150_000 + "'")
    write_notebook(tmp_path / "in" / "c.ipynb", "x = 3")
    out = tiny_disk / "out"
    done = run(tmp_path / "in", out, workers=1)
    assert (
        done.problem
        == f"The disk is full: cannot write to {out}. Free some space, then run again with --resume."
    )
    assert done.exit_code == 1
    assert [record.status for record in done.records] == ["ok", "ok", "not run"]
    assert not (out / "runs" / "b" / "run.json").exists()
    assert not list(out.rglob("*.tmp"))
    nbformat.read(out / "runs" / "a" / "a.ipynb", as_version=4)
    assert json.loads((out / "results.json").read_text(encoding="utf-8"))["runs"][0]["status"] == "ok"

    (tmp_path / "in" / "b.ipynb").unlink()  # and now there is room
    fake.clear()
    assert run(tmp_path / "in", out, resume=True).exit_code == 0
    assert [job.key for job in fake] == ["c"]


def test_a_full_temporary_folder_is_one_line(tiny_disk, monkeypatch, tmp_path):
    if not os.path.ismount(tiny_disk):
        pytest.skip("needs the right to mount a small disk")
    monkeypatch.setattr("tempfile.tempdir", str(tiny_disk))
    path = write_notebook(tmp_path / "a.ipynb", "print('0123456789' * 200_000)")
    outcome = runner.execute(Job("a", path.read_bytes(), {"MODE": "smoke"}))
    assert outcome.status == "failed"
    assert outcome.error["message"].startswith(f"the disk of the temporary folder {tiny_disk} is full")
    assert not list(tiny_disk.iterdir())


def test_at_most_so_many_notebooks_at_a_time(tmp_path, monkeypatch):
    import threading

    for name in "abcdef":
        write_notebook(tmp_path / "in" / f"{name}.ipynb")
    now, most, lock = 0, 0, threading.Lock()

    def execute(job, tell, stopped):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.1)
        with lock:
            now -= 1
        return Outcome("ok")

    monkeypatch.setattr(runner, "execute", execute)
    run(tmp_path / "in", tmp_path / "out")
    assert most == 2
    most = 0
    run(tmp_path / "in", tmp_path / "out", workers=3)
    assert most == 3


# --- Parameters ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0", [0]),
        ("0,1,2", [0, 1, 2]),
        ("0.1, 1e-3,-2", [0.1, 0.001, -2]),
        ("True,false,None,null", [True, False, None, None]),
        ("relu,gelu", ["relu", "gelu"]),
        (r"a\,b", ["a,b"]),
        ('"a,b",c', ["a,b", "c"]),
        ("'a,b'", ["a,b"]),
        ("[1,2],[3]", [[1, 2], [3]]),
        ('{"a": [1, 2]}', [{"a": [1, 2]}]),
        ("it's, here", ["it's", "here"]),
        (r"C:\data", [r"C:\data"]),
        ("007", [7]),  # as papermill reads it
        ("'7'", ["7"]),
        ("", [""]),
        ("os.getcwd()", ["os.getcwd()"]),  # never run
    ],
)
def test_values(text, values):
    found = [batch.parse_value(part) for part in batch.split_values(text)]
    assert [(type(value), value) for value in found] == [(type(value), value) for value in values]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(json_values, min_size=1, max_size=4))
def test_any_json_values_come_back(values):
    text = ",".join(json.dumps(value) for value in values)
    assert [batch.parse_value(part) for part in batch.split_values(text)] == values


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("SEED", "0"), ("SEED", "1")], "SEED is given twice"),
        ([("SEED", "1,1")], "a value stands there twice"),
        ([("MODE", "full")], "--mode smoke, class or full"),
        ([("SEED=1", "x")], "not a parameter's name"),
    ],
)
def test_parameters_that_make_no_sense(pairs, message):
    with pytest.raises(UsageError, match=message):
        batch.parse_parameters(pairs)


def test_several_sweeps_make_a_run_for_each_combination(fake, tmp_path):
    write_notebook(tmp_path / "in" / "a.ipynb")
    done = run(tmp_path / "in", tmp_path / "out", parameters=[("SEED", "0,1,2"), ("NOTE", "x,y")])
    assert [(job.parameters["SEED"], job.parameters["NOTE"]) for job in fake] == [
        (seed, note) for seed in range(3) for note in "xy"
    ]
    assert len({record.notebook for record in done.records}) == 6
    assert all((done.out / record.notebook).exists() for record in done.records)


def test_an_unknown_parameter_is_refused_before_anything_runs(fake, tmp_path):
    write_notebook(tmp_path / "in" / "a.ipynb")
    with pytest.raises(UsageError, match=r"no parameter SEDE\. Did you mean SEED\? There are: NOTE, SEED\."):
        run(tmp_path / "in", tmp_path / "out", parameters=[("SEDE", "1")])
    assert not fake
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "value"), [("mode", "ful"), ("workers", 0), ("timeout", 0.0), ("timeout", float("nan"))]
)
def test_options_are_refused_by_name(option, value):
    with pytest.raises(UsageError, match=f"--{option} is"):
        Options(**{option: value})


def test_limits_by_mode():
    assert Options().seconds == 120
    assert Options(mode="full").seconds >= 3600
    assert Options(mode="full", timeout=5).seconds == 5


# --- What is selected ------------------------------------------------------------------------------------


LESSON = """# ---
# jupyter:
#   labkit:
#     number: "{number}"
#     title_en: Title {number}
#     title_zh: 标题 {number}
#     minutes: 40
# ---

# %% [markdown] lang="en"
# # Title

# %% [markdown] lang="zh"
# # 标题

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %% exercise="{number}.1"
### BEGIN SOLUTION
answer = 4
### END SOLUTION
"""


@pytest.fixture
def course(tmp_path, monkeypatch) -> Path:
    """A course of three lessons; the third is not built."""
    from labkit import lessons

    home = tmp_path / "course"
    (home / "notebooks" / "src").mkdir(parents=True)
    for number, name in (("02", "activation"), ("03", "loss"), ("04", "networks")):
        text = LESSON.format(number=number)
        (home / "notebooks" / "src" / f"{number}_{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setenv("LABKIT_HOME", str(home))
    lessons.build(["02", "03"], execute=False)
    return home


def test_lessons_by_pattern(course, fake, tmp_path):
    done = batch.run(Options(patterns=["0[23]"], out=tmp_path / "out", language="zh"))
    assert [(r.name, r.title, r.status) for r in done.records] == [
        ("02_activation", "标题 02", "ok"),
        ("03_loss", "标题 03", "ok"),
    ]
    assert all("标题" in job.notebook.decode() for job in fake)
    assert all(Path(job.folder) == course / "notebooks" / "zh" for job in fake)
    assert done.records[0].exercises == {"02.1": "not reached"}
    assert not (done.out / "grades.csv").exists()


def test_a_lesson_that_is_not_built_does_not_stop_the_others(course, fake, tmp_path):
    done = batch.run(Options(out=tmp_path / "out"))
    assert [r.status for r in done.records] == ["ok", "ok", "refused"]
    assert done.records[2].error["message"] == "not built yet; run: labkit build 04"
    assert done.exit_code == 1


def test_the_solution_edition(course, fake, tmp_path):
    done = batch.run(Options(patterns=["04"], out=tmp_path / "out", solutions=True))
    assert done.exit_code == 0
    assert "answer = 4" in fake[0].notebook.decode()
    fake.clear()
    batch.run(Options(patterns=["02"], out=tmp_path / "out"))
    assert "answer = 4" not in fake[0].notebook.decode()
    assert "NotImplementedError" in fake[0].notebook.decode()


def test_what_is_not_there_is_refused_with_what_was_meant(course, fake, tmp_path):
    write_notebook(tmp_path / "in" / "homework.ipynb")
    (tmp_path / "empty").mkdir()
    cases = {
        "activaton": "Did you mean .*activation",
        str(tmp_path / "in" / "homewrok.ipynb"): r"Did you mean homework\.ipynb\?",
        str(tmp_path / "empty"): "No notebook .* lies in",
        str(tmp_path / "nowhere" / "x.ipynb"): "No notebook",
    }
    for pattern, message in cases.items():
        with pytest.raises(UsageError, match=message):
            batch.run(Options(patterns=[pattern], out=tmp_path / "out"))
    assert not fake


def test_folders_are_searched_and_files_told_apart(fake, tmp_path):
    for name in ("ann/homework.ipynb", "bob/homework.ipynb", "ann/.ipynb_checkpoints/homework.ipynb"):
        write_notebook(tmp_path / "in" / name)
    done = run(tmp_path / "in", tmp_path / "in" / "report")
    assert [record.name for record in done.records] == ["ann/homework.ipynb", "bob/homework.ipynb"]
    again = run(tmp_path / "in", tmp_path / "in" / "report")
    assert len(again.records) == 2, "the report inside the folder is not handed in"


def test_wildcards_that_no_shell_resolved(fake, tmp_path):
    for name in ("a1.ipynb", "a2.ipynb", "b.ipynb"):
        write_notebook(tmp_path / "in" / name)
    done = run(tmp_path / "in" / "a*.ipynb", tmp_path / "out")
    assert [record.name for record in done.records] == ["a1.ipynb", "a2.ipynb"]


def test_names_that_file_systems_cannot_hold(fake, tmp_path):
    for name in ("a b.ipynb", "a_b.ipynb", "A_B.ipynb", "x" * 200 + ".ipynb", "作业 {1}.ipynb"):
        write_notebook(tmp_path / "in" / name)
    done = run(tmp_path / "in", tmp_path / "out", parameters=[("NOTE", "/etc/../x,\\,:*?")])
    keys = [record.key for record in done.records]
    assert len({key.casefold() for key in keys}) == len(keys) == 10
    assert all(len(key) < 100 and not re.search(r'[\\/:*?"<>|\s]', key) for key in keys)
    assert done.exit_code == 0
    assert [record.key for record in run(tmp_path / "in", tmp_path / "out").records] == [
        record.key for record in run(tmp_path / "in", tmp_path / "out").records
    ]


# --- What is shown while it runs --------------------------------------------------------------------------


class Terminal:
    """Keeps what a terminal would show, cursor movements applied."""

    def __init__(self, tty: bool):
        self.tty, self.lines, self.everything = tty, [], ""

    def isatty(self) -> bool:
        return self.tty

    def flush(self) -> None:
        pass

    def write(self, text: str) -> None:
        self.everything += text
        if up := re.match(r"\x1b\[(\d+)F\x1b\[J", text):
            del self.lines[-int(up.group(1)) :]
            text = text[up.end() :]
        self.lines += text.splitlines()


def test_live_lines_in_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal(tty=True)
    display = live.Display(stream=terminal)
    one, two = report.Record(key="a", name="02_a"), report.Record(key="b", name="03_b")
    display("plan", None, {"total": 2})
    display("start", one, {})
    display("start", two, {})
    display("cell", one, {"cell": 3, "cells": 4})
    assert terminal.lines == ["02_a: [##########..........] cell 3/4, 0 s", "03_b: starting the kernel, 0 s"]
    one.status, one.seconds = "ok", 3.2
    display("end", one, {})
    display("tick", None, {})
    assert terminal.lines == ["[1/2] 02_a: ok in 3.2 s", "03_b: starting the kernel, 0 s"]
    two.status, two.error = "failed", {"message": "ValueError in cell [2]: no"}
    display("end", two, {})
    assert terminal.lines[-1] == "[2/2] 03_b: failed: ValueError in cell [2]: no"


def test_plain_lines_in_a_log(monkeypatch):
    log = Terminal(tty=False)
    display = live.Display(total=1, stream=log)
    record = report.Record(key="a", name="02_a")
    display("start", record, {})
    display("cell", record, {"cell": 3, "cells": 4})
    for _ in range(5):
        display("tick", None, {})
    assert log.lines == ["02_a: started"], "a log is not filled with cells"
    monkeypatch.setattr(live, "PLAIN_EVERY_SECONDS", 0.0)
    display("tick", None, {})
    assert log.lines[1] == "02_a: cell 3/4, 0 s"
    assert "\x1b" not in log.everything


def test_an_answer_that_does_not_compile_leaves_the_others_checked(tmp_path):
    """What students hand in: the first exercise is no Python, the second one is right, the third is wrong."""
    from labkit import lessons

    exercises = {
        "03.1": "def squared_errors(:",
        "03.2": lessons.solution_source("03.2"),
        "03.3": "def wrong(*arguments):\n    return None",
    }
    checks = ['check("03.1", squared_errors)', "", 'check("03.3", wrong)']
    name = re.search(r"^def (\w+)", exercises["03.2"], flags=re.MULTILINE).group(1)
    checks[1] = f'check("03.2", {name})'
    cells = ["import math\nimport torch\nfrom labkit.checks import check"]
    for (number, code), check in zip(exercises.items(), checks, strict=True):
        cells += [new_code_cell(code, metadata={"exercise": number}), check]
    handed_in = tmp_path / "handed_in"
    handed_in.mkdir()
    write_notebook(handed_in / "carol.ipynb", *cells)
    original = (handed_in / "carol.ipynb").read_bytes()
    done = batch.run(Options(patterns=[str(handed_in)], out=tmp_path / "report", timeout=100))
    (record,) = done.records
    assert record.status == "ok", record.error
    assert record.exercises == {"03.1": "failed", "03.2": "passed", "03.3": "failed"}
    assert (handed_in / "carol.ipynb").read_bytes() == original
