"""One notebook through papermill, in a process of its own, under a wall-clock limit.

``execute`` is the parent's side and the only thing that other modules call. It takes bytes and returns bytes,
so that it runs alike in a thread here and on a Dask worker that shares no disk with us. The child's side is
``python -m labkit.runner FOLDER``, which tells its parent on standard output, one JSON object a line, which cell
runs, and ends when its parent is gone.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from labkit import results
from labkit.common import without_iri_grammar
from labkit.files import atomic_path

POLL_SECONDS = 0.1
STOP_CHECK_SECONDS = 0.5
KERNEL_START_SECONDS = 60
KILL_SECONDS = 5
IOPUB_SECONDS = 60  # nbclient gives up on late output after 4 s, which two busy cores exceed
LAST_LOG_LINES = 3
# A finished run says what became of it. OK is the only good one.
OK, FAILED, TIMED_OUT, KERNEL_DIED = "ok", "failed", "timed out", "kernel died"
REFUSED, INTERRUPTED, NOT_RUN = "refused", "interrupted", "not run"

Message = dict[str, Any]
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Job:
    """A notebook to execute, whole: no path in it has to exist where it runs."""

    key: str
    notebook: bytes
    parameters: dict[str, Any]
    language: str = "en"
    timeout: float = 120.0
    folder: str = ""  # where the notebook lies: its working folder, as in JupyterLab, if it exists
    labkit: str = ""  # source_hash() of the labkit that asks; another one elsewhere is refused


@dataclass
class Outcome:
    """What became of a job."""

    status: str
    seconds: float = 0.0
    peak_bytes: int = 0
    cell: int = 0  # the code cell that ran last, counted from 1 as in ``In [1]``
    cells: int = 0
    error: Message | None = None  # message, name, cell, source, traceback
    notebook: bytes = b""
    entries: list[dict] = field(default_factory=list)  # what labkit.results kept
    log: str = ""


@cache
def source_hash() -> str:
    """SHA-256 over the Python files of this labkit, by name: two that agree run the same code."""
    package = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def execute(
    job: Job,
    tell: Callable[[Message], None] = lambda message: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Execute a job in a subprocess; never raises for what the notebook does.

    ``tell`` receives ``{"key", "cell", "cells"}`` as cells start. ``stopped`` is asked about twice a second;
    when it answers true, the kernel is killed and the outcome is ``interrupted``. The wall-clock limit
    ``job.timeout`` covers the whole notebook with its kernel's start.
    """
    if job.labkit and job.labkit != source_hash():
        message = "The labkit there is not the one here: install the same version on every worker."
        return Outcome(REFUSED, error={"message": message})
    outcome = _execute_once(job, tell, stopped)
    if outcome.status == KERNEL_DIED and outcome.cell == 0:
        # Kernels that start at the same moment can draw the same port; the second try draws another.
        outcome = _execute_once(job, tell, stopped)
    return outcome


def _execute_once(job: Job, tell: Callable[[Message], None], stopped: Callable[[], bool]) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="labkit-run-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        outcome = Outcome(FAILED)
        start = time.monotonic()
        try:
            (folder / "input.ipynb").write_bytes(job.notebook)
            (folder / "job.json").write_text(
                json.dumps({"parameters": job.parameters, "folder": job.folder}), encoding="utf-8"
            )
            child = _Child(job, folder, tell)
        except OSError as error:
            return Outcome(FAILED, error={"message": f"Cannot start the run: {error}."})
        outcome.status = _wait(child, job.timeout, stopped)
        outcome.seconds = time.monotonic() - start
        outcome.peak_bytes, outcome.cell, outcome.cells = child.peak_bytes, child.cell, child.cells
        outcome.log = child.log()
        if outcome.status == "":
            outcome.status, outcome.error = child.verdict()
        elif outcome.status == TIMED_OUT:
            outcome.error = child.about_cell(
                "TimeLimit", f"the notebook's limit of {job.timeout:g} s was over (--timeout raises it)"
            )
        elif outcome.status == INTERRUPTED:
            outcome.error = child.about_cell("Interrupted", "stopped by Ctrl-C")
        outcome.entries = results.read(folder / "results.jsonl")
        outcome.notebook = _executed(folder / "output.ipynb", job.notebook, outcome)
        return outcome


class _Child:
    """The runner's process as its parent sees it."""

    def __init__(self, job: Job, folder: Path, tell: Callable[[Message], None]):
        self.key, self._tell, self._log_path = job.key, tell, folder / "log.txt"
        self.peak_bytes, self.cell, self.cells, self.source = 0, 0, 0, ""
        self.kernel_pid: int | None = None
        self.end: Message | None = None
        environment = os.environ | {
            results.RESULTS_VARIABLE: str(folder / "results.jsonl"),
            "LABKIT_LANG": job.language,
            "LABKIT_PROGRESS": "0",
            "PYTHONHASHSEED": "0",
            "JUPYTER_PREFER_ENV_PATH": "1",  # a user's own "python3" kernel may be another interpreter
        }
        environment.pop("MPLBACKEND", None)  # set by whoever calls us, it would hide the figures
        # Its own group, so that Ctrl-C reaches us alone and we end the kernels in order.
        apart: dict[str, Any] = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
            if os.name == "nt"
            else {"start_new_session": True}
        )
        with self._log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "labkit.runner", str(folder)],
                stdin=subprocess.PIPE,  # never written: its end tells the child that we are gone
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                cwd=folder,
                **apart,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if "kernel" in message:
                self.kernel_pid = message["kernel"]
            if "peak_bytes" in message:
                self.peak_bytes = max(self.peak_bytes, message["peak_bytes"])
            if "cell" in message:
                self.cell, self.cells, self.source = message["cell"], message["cells"], message["source"]
                self._tell({"key": self.key, "cell": self.cell, "cells": self.cells})
            if "end" in message:
                self.end = message["end"]

    def running(self) -> bool:
        """Also takes the kernel's memory, as a look in passing."""
        if self.kernel_pid is not None:
            self.peak_bytes = max(self.peak_bytes, peak_memory(self.kernel_pid))
        return self.process.poll() is None

    def kill(self) -> None:
        """The child, its kernel, and whatever the kernel started."""
        kill_tree(self.process.pid)

    def close(self) -> None:
        self.process.wait()
        self._reader.join(timeout=5)
        self.process.stdin.close()
        self.process.stdout.close()

    def log(self) -> str:
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    def about_cell(self, name: str, text: str) -> Message:
        where = f"in cell [{self.cell}] of {self.cells}" if self.cell else "before the first cell"
        return {
            "message": f"{name} {where}: {text}",
            "name": name,
            "cell": self.cell,
            "source": self.source,
            "traceback": "",
        }

    def verdict(self) -> tuple[str, Message | None]:
        """Status and error of a child that ended by itself: the exit code decides, not the notebook."""
        if self.process.returncode == 0 and self.end == {}:
            return OK, None
        if not self.end:  # it said nothing, or that all was well and then failed
            tail = " / ".join(self.log().strip().splitlines()[-LAST_LOG_LINES:])
            return FAILED, self.about_cell(
                "RunnerError", f"the runner ended with code {self.process.returncode}: {tail}"
            )
        if self.end.get("kernel_died"):
            return KERNEL_DIED, self.about_cell("DeadKernel", self.end["message"])
        return FAILED, self.end


def _wait(child: _Child, timeout: float, stopped: Callable[[], bool]) -> str:
    """Wait for the child: '' when it ended by itself, else why it was killed."""
    deadline = time.monotonic() + timeout
    next_look = time.monotonic()
    status = ""
    try:
        while child.running():
            now = time.monotonic()
            if now > deadline:
                status = TIMED_OUT
                break
            if now > next_look:
                next_look = now + STOP_CHECK_SECONDS
                if stopped():
                    status = INTERRUPTED
                    break
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(timeout=POLL_SECONDS)
    finally:  # also when this thread is broken off: no kernel outlives its run
        if child.process.poll() is None:
            child.kill()
        child.close()
    return status


def kill_tree(pid: int) -> None:
    """Kill a process and all that it started, and wait until they are gone."""
    import psutil

    try:
        parent = psutil.Process(pid)
        family = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + KILL_SECONDS
    while any(_alive(process) for process in family) and time.monotonic() < deadline:
        time.sleep(0.02)


def _alive(process: Any) -> bool:
    """A zombie is dead: only its parent, which may be a slow init, has not looked yet."""
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def peak_memory(pid: int) -> int:
    """The most memory that a process has held, in bytes, as far as the system tells; 0 once it is gone.

    Linux keeps the peak itself (``VmHWM``), Windows too (``peak_wset``); elsewhere it is the present amount.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024
    except (OSError, AttributeError):
        pass
    import psutil

    try:
        memory = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return getattr(memory, "peak_wset", memory.rss)


def _executed(path: Path, source: bytes, outcome: Outcome) -> bytes:
    """The notebook as it was executed; where papermill was cut off, the last cell says why."""
    try:
        notebook = json.loads(path.read_bytes())
        cells = notebook["cells"]
    except (OSError, ValueError, KeyError):  # not begun, or killed while papermill was writing
        return source
    if outcome.status in (TIMED_OUT, KERNEL_DIED, INTERRUPTED):
        # papermill marks these cells "completed": set that right, for whoever opens the notebook.
        for cell in [cell for cell in cells if cell["cell_type"] == "code" and cell["source"]]:
            state = cell.get("metadata", {}).get("papermill", {})
            if state.get("status") == "running" or (state.get("start_time") and not state.get("end_time")):
                state.update(status="failed", exception=True)
                name, text = outcome.error["name"], outcome.error["message"]
                cell["outputs"].append(
                    {"output_type": "error", "ename": name, "evalue": text, "traceback": [text]}
                )
    return json.dumps(notebook, ensure_ascii=False, indent=1).encode()


# --- The child's side ------------------------------------------------------------------------------------


def _engine(tell: Callable[[Message], None], output: Path) -> type:
    """papermill's own engine, telling which cell runs and how much memory its kernel took.

    It saves the notebook to ``output`` before and after each cell, as papermill does. papermill's way, with a check
    and a new layout of the whole each time, takes a tenth of the time of a lesson; it writes what remains, at the end.
    """
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine

    class Client(PapermillNotebookClient):
        number = 0

        def papermill_execute_cells(self) -> None:
            self.total = sum(_runs(cell) for cell in self.nb.cells)
            tell({"kernel": self.km.provisioner.pid})
            super().papermill_execute_cells()

        def execute_cell(self, cell: Any, index: int, **options: Any) -> Any:
            if _runs(cell):
                self.number += 1
                tell({"cell": self.number, "cells": self.total, "source": cell.source})
            try:
                return super().execute_cell(cell, index, **options)
            finally:
                tell({"peak_bytes": peak_memory(self.km.provisioner.pid or 0)})

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, manager: Any, kernel_name: str, **options: Any) -> Any:
            def save(**_: Any) -> None:
                content = json.dumps(manager.nb, ensure_ascii=False)  # a valid notebook, on one line
                with atomic_path(output, durable=False) as part:
                    part.write_text(content, encoding="utf-8")
                manager.last_save_time = manager.now()

            manager.save = save
            return Client(
                manager,
                kernel_name=kernel_name,
                timeout=None,
                startup_timeout=KERNEL_START_SECONDS,
                iopub_timeout=IOPUB_SECONDS,
            ).execute()

    return Engine


def _runs(cell: Any) -> bool:
    """Whether a cell takes an execution count: code that is not empty."""
    return cell.cell_type == "code" and bool(cell.source.strip())


def _run_here(folder: Path, tell: Callable[[Message], None]) -> Message:
    """Execute ``input.ipynb`` into ``output.ipynb``; {} when it went well, else what happened."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError

    papermill_engines.register("labkit", _engine(tell, folder.resolve() / "output.ipynb"))
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    working_folder = job["folder"] if job["folder"] and Path(job["folder"]).is_dir() else str(folder)
    try:
        papermill.execute_notebook(
            "input.ipynb",
            "output.ipynb",
            parameters=job["parameters"],
            engine_name="labkit",
            kernel_name="python3",
            language="python",
            progress_bar=False,
            cwd=working_folder,
        )
    except PapermillExecutionError as error:
        if _error_was_meant(folder / "output.ipynb", error.cell_index):
            return {}
        return {
            "message": f"{error.ename} in cell [{error.exec_count}]: {_first_line(error.evalue)}",
            "name": error.ename,
            "cell": error.exec_count,
            "source": error.source,
            "traceback": _COLOURS.sub("", "\n".join(error.traceback)),
        }
    except DeadKernelError:
        return {
            "kernel_died": True,
            "message": "its process ended by itself, or was killed for lack of memory",
        }
    except RuntimeError as error:
        if "Kernel died" in str(error):
            return {"kernel_died": True, "message": "it did not start"}
        raise
    return {}


def _error_was_meant(path: Path, index: int) -> bool:
    """Whether the cell is tagged ``raises-exception``; then papermill's error marks are taken out again.

    The kernel stops at the first error that was not meant, so the last error of the notebook decides; and
    that is the one papermill raises.
    """
    import nbformat
    from papermill.execute import ERROR_MARKER_TAG

    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [c for c in notebook.cells if ERROR_MARKER_TAG not in c.metadata.get("tags", [])]
    if "raises-exception" not in notebook.cells[index].metadata.get("tags", []):
        return False
    nbformat.write(notebook, path)
    return True


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0]


def _end_with_parent() -> None:
    """Wait for the end of standard input, which comes when the parent closes it or dies."""
    with suppress(OSError):  # not through sys.stdin, whose lock would be held when the interpreter ends
        while os.read(0, 1):
            pass
    import psutil

    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.kill()
    os._exit(1)


def _main(folder: Path) -> int:
    without_iri_grammar()
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a stray print must not end up among the messages
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell(message: Message) -> None:
        channel.write(json.dumps(message) + "\n")

    try:
        end = _run_here(folder, tell)
    except Exception as error:
        import traceback

        with suppress(OSError):  # the log lies on the same disk
            traceback.print_exc()
        text = f"{type(error).__name__}: {_first_line(str(error))}"
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            text = f"the disk of the temporary folder {folder.parent} is full (TMPDIR names another)"
        end = {"message": text, "name": type(error).__name__, "cell": 0, "source": "", "traceback": ""}
    tell({"end": end})
    return 1 if end else 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
