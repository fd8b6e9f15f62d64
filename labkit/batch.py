"""Batch runs: plan them, execute them in parallel, keep what finished, and hand all of it to the report."""

from __future__ import annotations

import ast
import copy
import difflib
import errno
import glob
import hashlib
import itertools
import json
import os
import re
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labkit import lessons, pages, report, runner
from labkit.common import MODES, LabkitError
from labkit.files import atomic_write_bytes, atomic_write_text
from labkit.report import Record
from labkit.runner import INTERRUPTED, NOT_RUN, OK, REFUSED, Job, Outcome

DEFAULT_WORKERS = 2
TIMEOUTS = {"smoke": 120.0, "class": 120.0, "full": 4 * 3600.0}  # seconds for a whole notebook
TICK_SECONDS = 0.2
REPORT_EVERY_SECONDS = 2.0
DASK_CONNECT_SECONDS = 10
MAX_KEY = 80
CHECK_CALL = re.compile(r"^check\(", re.MULTILINE)
STATE = "run.json"  # beside each executed notebook: what finished, and with which fingerprint


class UsageError(LabkitError):
    """The command was asked for something that is not there; nothing was run."""


@dataclass(frozen=True)
class Options:
    """What ``labkit run`` was asked for."""

    patterns: Sequence[str] = ()
    out: Path = Path("reports/latest")
    mode: str = "class"
    workers: int | None = None  # two here; on a Dask cluster as many as it has threads
    parameters: Sequence[tuple[str, str]] = ()
    resume: bool = False
    language: str = "en"
    timeout: float | None = None
    dask: str | None = None
    solutions: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"--mode is {self.mode!r}. Choose one of: {', '.join(MODES)}.")
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"--workers is {self.workers}. Set it to 1 or more.")
        if self.timeout is not None and not 0 < self.timeout < float("inf"):
            raise UsageError(f"--timeout is {self.timeout:g}. Set it to a number of seconds above 0.")

    @property
    def seconds(self) -> float:
        """The wall-clock limit of one notebook."""
        return self.timeout if self.timeout is not None else TIMEOUTS[self.mode]


@dataclass
class Batch:
    """What a batch came to."""

    records: list[Record]
    out: Path
    interrupted: bool = False
    problem: str = ""  # what kept results from being written

    @property
    def exit_code(self) -> int:
        """0 when every run is ok, 130 after Ctrl-C, else 1."""
        if self.interrupted:
            return 130
        return 0 if not self.problem and all(record.status == OK for record in self.records) else 1


def run(
    options: Options, watch: Callable[[str, Record, dict], None] = lambda event, record, more: None
) -> Batch:
    """Execute what was asked for and write the report into ``options.out``.

    ``watch(event, record, more)`` hears of the ``plan``, of every ``start``, ``cell``, ``end`` and ``skip``, and of ``tick`` (without
    a record) in between. Raises UsageError for a lesson or parameter that does not exist, LabkitError for a folder
    that cannot be written or a cluster that does not answer, before anything runs. A notebook that
    fails does not raise: its record says so.
    """
    sweep = parse_parameters(options.parameters)
    items = select(options)
    plan = make_plan(items, sweep, options)
    out = _prepare(options.out, options.resume)
    watch("plan", None, {"total": len(plan)})
    with _interruptible() as stop, _executor(options) as executor:
        batch = Batch([record for record, _ in plan], out)
        _Loop(batch, plan, options, executor, stop, watch).go()
    return batch


# --- What is asked for -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """A notebook to run: a lesson's, or a file that somebody handed in."""

    name: str
    title: str = ""
    number: str = ""
    content: bytes = b""
    folder: str = ""
    parameters: tuple[str, ...] = ()  # the names that its parameters cell sets
    exercises: tuple[str, ...] = ()
    sources: Any = None  # what a fingerprint covers
    fault: str = ""  # why it cannot be run

    @property
    def submission(self) -> bool:
        """Whether it is a file that was named, and not a lesson of the course."""
        return not self.number


def parse_parameters(pairs: Sequence[tuple[str, str]]) -> dict[str, list[Any]]:
    """``[("SEED", "0,1,2")]`` -> ``{"SEED": [0, 1, 2]}``: the values of each parameter, in order.

    A comma separates values unless it is escaped (``\\,``), in quotes, or in brackets. A value is read as
    papermill reads it (True, None, int, float), then as JSON or a Python literal, else it is text.
    """
    parameters: dict[str, list[Any]] = {}
    for name, text in pairs:
        if not name.isidentifier():
            raise UsageError(f"-p {name}: not a parameter's name. Write: -p NAME VALUE, as in -p SEED 0,1,2.")
        if name == "MODE":
            raise UsageError("-p MODE: the mode has its own option. Write: --mode smoke, class or full.")
        if name in parameters:
            raise UsageError(f"-p {name} is given twice. Write all values at once: -p {name} 0,1,2.")
        values = [parse_value(part) for part in split_values(text)]
        # 1, 1.0 and True are equal in Python, and different parameters: compare as written.
        if len({repr(value) for value in values}) < len(values):
            raise UsageError(f"-p {name} {text}: a value stands there twice.")
        parameters[name] = values
    return parameters


def split_values(text: str) -> list[str]:
    """Split at commas outside quotes and brackets; ``\\,`` is a comma of the value."""
    parts, part, depth, quote = [], "", 0, ""
    characters = iter(text)
    for character in characters:
        if character == "\\":
            following = next(characters, "")
            part += following if following == "," else character + following
            continue
        if quote:
            quote = "" if character == quote else quote
        elif (character in "\"'" and not part.strip()) or (
            character in "\"'" and depth
        ):  # an apostrophe inside a word quotes nothing
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth = max(0, depth - 1)
        elif character == "," and depth == 0:
            parts.append(part)
            part = ""
            continue
        part += character
    return [*parts, part]


def parse_value(text: str) -> Any:
    """One value: True, False, None, int, float as papermill reads them, then JSON, a Python literal, or text."""
    text = text.strip()
    constants = {"True": True, "False": False, "None": None}
    if text in constants:
        return constants[text]
    for read in (int, float, json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            value = read(text)
            if value is None or isinstance(value, (bool, int, float, str, list, dict)):
                return value
    return text


def select(options: Options) -> list[Item]:
    """The lessons that match the patterns, and the notebooks of the paths among them."""
    patterns, paths = [], []
    for pattern in options.patterns:
        files = _paths(pattern, options.out)
        if files is None:
            patterns.append(pattern)
        else:
            paths += files
    items = []
    if patterns or not paths:
        try:
            found = lessons.find_lessons(patterns)
        except LabkitError as error:
            raise UsageError(str(error)) from error
        items = [_lesson_item(lesson, options) for lesson in found]
        if not items:
            raise UsageError("The course holds no lessons yet: notebooks/src is empty.")
    files = list(dict.fromkeys(paths))  # each once, in order
    return items + [_read_item(path, name) for path, name in zip(files, _names(files), strict=True)]


def _paths(pattern: str, out: Path) -> list[Path] | None:
    """The notebooks that a path means; None when it is a lesson's pattern."""
    path = Path(pattern).expanduser()
    has_separator = "/" in pattern or os.sep in pattern
    if path.is_dir() and (has_separator or not re.fullmatch(r"\d\d", pattern)):
        ours = out.expanduser().resolve()
        found = [
            file.resolve()
            for file in sorted(path.rglob("*.ipynb"))
            if ".ipynb_checkpoints" not in file.parts and ours not in file.resolve().parents
        ]
        if not found:
            raise UsageError(f"No notebook (.ipynb) lies in {path}.")
        return found
    if path.is_file():
        return [path.resolve()]
    if not has_separator and not (pattern.endswith(".ipynb") and glob.has_magic(pattern)):
        return None
    # A shell without wildcards (Windows) hands them on.
    found = [Path(name).resolve() for name in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207
    if found:
        return [file for file in found if file.is_file()]
    if path.suffix == "" and not path.parent.is_dir():
        raise UsageError(f"No folder {path.parent}.")
    beside = [other.name for other in path.parent.glob("*.ipynb")] if path.parent.is_dir() else []
    raise UsageError(f"No notebook {path}.{_did_you_mean(path.name, beside)}")


def _names(files: Sequence[Path]) -> list[str]:
    """File names as a teacher tells them apart: relative to the folder that holds them all."""
    if not files:
        return []
    try:
        root = Path(os.path.commonpath([file.parent for file in files]))
    except ValueError:  # two drives on Windows
        return [file.as_posix() for file in files]
    return [file.relative_to(root).as_posix() for file in files]


def _lesson_item(lesson: lessons.Lesson, options: Options) -> Item:
    path = lesson.notebook(options.language)
    facts = {"title": lesson.title(options.language), "number": lesson.number}
    if options.solutions:
        import nbformat

        notebook = lessons.edition(lesson, options.language, solutions=True)
        return _item(notebook, lesson.name, str(path.parent), nbformat.writes(notebook).encode(), **facts)
    if not path.exists():
        return Item(lesson.name, fault=f"not built yet; run: labkit build {lesson.number}", **facts)
    return _read_item(path, lesson.name, **facts)


def _read_item(path: Path, name: str, **facts: str) -> Item:
    """A notebook from its file; what keeps it from running is noted, not raised."""
    import nbformat

    try:
        content = path.read_bytes()
        notebook = nbformat.reads(content.decode("utf-8"), as_version=4)
        notebook.cells  # noqa: B018  (JSON of another kind has none)
    except OSError as error:
        return Item(name, fault=f"cannot be read: {error.strerror}", **facts)
    except UnicodeDecodeError:
        return Item(name, fault="not a notebook: the file is not UTF-8 text", **facts)
    except Exception as error:  # nbformat raises many kinds for files that are no notebooks
        reason = "not JSON" if "JSON" in type(error).__name__ else type(error).__name__
        return Item(name, fault=f"not a notebook: {reason}", **facts)
    return _item(notebook, name, str(path.parent), content, **facts)


def _let_exercises_fail(notebook: Any) -> bytes:
    """The handed-in notebook with its exercises and their checks tagged ``raises-exception``.

    One answer that does not even compile must not keep the others from being checked.
    """
    import nbformat

    tagged = copy.deepcopy(notebook)
    for cell in tagged.cells:
        if cell.cell_type == "code" and ("exercise" in cell.metadata or CHECK_CALL.search(cell.source)):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "raises-exception"]
    return nbformat.writes(tagged).encode("utf-8")


def _item(notebook: Any, name: str, folder: str, content: bytes, **facts: str) -> Item:
    import papermill

    language = notebook.metadata.get("kernelspec", {}).get("language") or notebook.metadata.get(
        "language_info", {}
    ).get("name", "python")
    if language.lower() not in ("python", "python3", "ipython"):
        return Item(name, fault=f"a notebook in {language}, not in Python", **facts)
    if not any("parameters" in cell.metadata.get("tags", []) for cell in notebook.cells):
        fault = 'no cell is tagged "parameters", so MODE and SEED cannot be set'
        return Item(name, fault=fault, **facts)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    if "number" not in facts:
        content = _let_exercises_fail(notebook)
    return Item(
        name=name,
        content=content,
        folder=folder,
        parameters=tuple(papermill.inspect_notebook(notebook)),
        exercises=tuple(c.metadata["exercise"] for c in notebook.cells if "exercise" in c.metadata),
        sources=[
            (cell.cell_type, cell.source, cell.metadata.get("tags", []), cell.metadata.get("exercise"))
            for cell in notebook.cells
        ],
        **facts,
    )


# --- The plan --------------------------------------------------------------------------------------------


def make_plan(
    items: Sequence[Item], sweep: dict[str, list[Any]], options: Options
) -> list[tuple[Record, Job | None]]:
    """One record for each notebook and each combination of swept values; with a job unless it is refused."""
    _refuse_unknown_everywhere(items, sweep)
    combinations = [dict(zip(sweep, values, strict=True)) for values in itertools.product(*sweep.values())]
    swept = [name for name, values in sweep.items() if len(values) > 1]
    plan, taken = [], set()
    for item in items:
        fault = item.fault or _unknown_parameter(item, ["MODE", *sweep])
        for combination in combinations if not fault else combinations[:1]:
            parts = [item.name.removesuffix(".ipynb"), *(f"{name}={combination[name]}" for name in swept)]
            parameters = {"MODE": options.mode, **combination}
            record = Record(
                key=_key("--".join(parts), taken),
                name=item.name,
                title=item.title,
                number=item.number,
                submission=item.submission,
                parameters=parameters,
                swept={name: combination[name] for name in swept} if not fault else {},
                language=options.language,
                exercises=dict.fromkeys(item.exercises, "not reached"),
                fingerprint="" if fault else fingerprint(item, parameters, options.language),
            )
            if fault:
                record.status, record.error = REFUSED, {"message": fault}
            job = Job(
                key=record.key,
                notebook=item.content,
                parameters=parameters,
                language=options.language,
                timeout=options.seconds,
                folder=item.folder,
                labkit=runner.source_hash(),
            )
            plan.append((record, None if fault else job))
    return plan


def fingerprint(item: Item, parameters: dict[str, Any], language: str) -> str:
    """SHA-256 of all that a finished run depends on: cells, parameters, language, labkit's source.

    Stored outputs and time stamps are left out.
    """
    depends_on = [item.sources, parameters, language, runner.source_hash()]
    text = json.dumps(depends_on, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_unknown_everywhere(items: Sequence[Item], sweep: dict[str, list[Any]]) -> None:
    known = sorted({name for item in items for name in item.parameters} - {"MODE"})
    for name in sweep:
        if name not in known and any(item.parameters for item in items):
            which = "The notebook has" if len(items) == 1 else "None of the notebooks has"
            no = " no" if len(items) == 1 else " a"
            raise UsageError(
                f"{which}{no} parameter {name}.{_did_you_mean(name, known)} There are: {', '.join(known)}."
            )


def _unknown_parameter(item: Item, names: Sequence[str]) -> str:
    for name in names:
        if name not in item.parameters:
            has = (
                f"it has {', '.join(item.parameters)}" if item.parameters else "its parameters cell sets none"
            )
            return f"no parameter {name}; {has}"
    return ""


def _did_you_mean(word: str, words: Sequence[str]) -> str:
    near = difflib.get_close_matches(word.upper(), [other.upper() for other in words], n=3, cutoff=0.5)
    near = [other for other in words if other.upper() in near]
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _key(text: str, taken: set[str]) -> str:
    """A folder name that every system accepts, unique in this batch and the same in the next."""
    key = re.sub(r"[^\w.=+-]+", "_", text).strip("._ ")[:MAX_KEY] or "notebook"
    if len(text) > MAX_KEY or key.casefold() in taken:  # file systems may not tell upper from lower case
        key = f"{key}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    taken.add(key.casefold())
    return key


# --- Executing the plan ----------------------------------------------------------------------------------


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Ctrl-C (and a polite kill) sets the event; a second one breaks off as usual."""
    stop = threading.Event()
    before: dict[int, Any] = {}

    def ask(number: int, frame: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class _Executor:
    """Where jobs run: threads that each wait for a subprocess here, or a Dask cluster."""

    pool: Executor
    function: Callable[..., Outcome]
    workers: int
    arguments: tuple = ()  # given to the function after the job
    stop: Callable[[], None] = lambda: None
    listen: Callable[[Callable[[dict], None]], None] = lambda hear: None


@contextmanager
def _executor(options: Options) -> Iterator[_Executor]:
    if options.dask is not None:
        with _dask(options) as executor:
            yield executor
        return
    workers = options.workers or DEFAULT_WORKERS
    stopped = threading.Event()
    listeners: list[Callable[[dict], None]] = []

    def tell(message: dict) -> None:
        for hear in listeners:
            hear(message)

    pool = ThreadPoolExecutor(workers, thread_name_prefix="labkit-run")
    try:
        yield _Executor(pool, runner.execute, workers, (tell, stopped.is_set), stopped.set, listeners.append)
    finally:
        stopped.set()  # whatever broke us off: no kernel outlives the batch
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _dask(options: Options) -> Iterator[_Executor]:
    """The cluster's executor: a ``concurrent.futures.Executor`` like the local one."""
    try:
        import distributed
    except ImportError as error:
        raise LabkitError(
            "--dask needs the package distributed. Install it with: pip install distributed"
        ) from error
    try:
        client = distributed.Client(options.dask, timeout=DASK_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise LabkitError(
            f"No Dask scheduler answers at {options.dask}. Start one with: dask scheduler, and workers with: "
            "dask worker ADDRESS; then give its address, as in --dask tcp://127.0.0.1:8786."
        ) from error
    try:
        threads = sum(client.nthreads().values())
        if not threads:
            raise LabkitError(
                f"The Dask scheduler at {options.dask} has no workers. Start: dask worker ADDRESS."
            )
        topic = f"labkit-{os.getpid()}-{time.time_ns()}"
        stop = distributed.Event(topic, client=client)
        stop.clear()
        yield _Executor(
            client.get_executor(pure=False),
            execute_on_worker,
            options.workers or threads,
            (topic,),
            stop.set,
            lambda hear: client.subscribe_topic(topic, lambda event: hear(event[1])),
        )
    finally:
        with suppress(Exception):  # the cluster may be gone; the results are already here
            client.close()


def execute_on_worker(job: Job, topic: str) -> Outcome:
    """``runner.execute`` on a Dask worker: cells are told, and stopping is asked for, through the scheduler."""
    import distributed

    worker = distributed.get_worker()
    stop = distributed.Event(topic, client=distributed.get_client())

    def stopped() -> bool:
        try:
            return stop.is_set()
        except Exception:  # the scheduler is gone, so nobody waits for the result
            return True

    return runner.execute(job, lambda message: worker.log_event(topic, message), stopped)


@dataclass
class _Loop:
    """Keeps ``workers`` jobs in flight and saves each as it ends."""

    batch: Batch
    plan: list[tuple[Record, Job | None]]
    options: Options
    executor: _Executor
    stop: threading.Event
    watch: Callable[[str, Record | None, dict], None]
    running: dict[Future, Record] = field(default_factory=dict)
    reported: float = 0.0

    def go(self) -> None:
        """Run all; writes the report as runs end, and at the end."""
        started = time.monotonic()
        by_key = {record.key: record for record in self.batch.records}
        self.executor.listen(lambda message: self.watch("cell", by_key[message["key"]], message))
        pending = deque((record, job) for record, job in self.plan if not self._done_before(record, job))
        while (pending or self.running) and not self.stop.is_set() and not self.batch.problem:
            while pending and len(self.running) < self.executor.workers:
                record, job = pending.popleft()
                record.status = "running"
                self.watch("start", record, {})
                future = self.executor.pool.submit(self.executor.function, job, *self.executor.arguments)
                self.running[future] = record
            done, _ = wait(self.running, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                self._end(future)
            self.watch("tick", None, {})
            self._report(started, now=False)
        self._break_off()
        self._report(started, now=True)

    def _done_before(self, record: Record, job: Job | None) -> bool:
        if job is None:
            self.watch("end", record, {})
            return True
        earlier = self.options.resume and _finished(self.batch.out, record)
        if earlier:
            vars(record).update(vars(earlier), resumed=True)
            self.watch("skip", record, {})
        return bool(earlier)

    def _end(self, future: Future) -> None:
        record = self.running.pop(future)
        try:
            outcome = future.result()
        except Exception as error:  # a worker of the cluster died, or lacks labkit
            outcome = _worker_failed(error)
        record.take(outcome)
        if record.status != INTERRUPTED:
            try:
                save(self.batch.out, record, outcome)
            except OSError as error:
                record.notebook = record.html = ""
                self.batch.problem = self.batch.problem or _why_not_written(self.batch.out, error)
        self.watch("end", record, {})

    def _break_off(self) -> None:
        """After Ctrl-C or a full disk: end the running kernels, keep what has just finished."""
        if self.running:
            self.executor.stop()
        deadline = time.monotonic() + 4 * runner.KILL_SECONDS
        while self.running and time.monotonic() < deadline:
            done, _ = wait(self.running, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                self._end(future)
        for record in self.running.values():  # a worker of the cluster that does not answer
            record.status = INTERRUPTED
        for record in self.batch.records:
            if record.status == "":
                record.status = NOT_RUN
        self.batch.interrupted = self.stop.is_set() and any(
            record.status in (INTERRUPTED, NOT_RUN) for record in self.batch.records
        )

    def _report(self, started: float, now: bool) -> None:
        if not now and time.monotonic() - self.reported < REPORT_EVERY_SECONDS:
            return
        about = report.About(
            mode=self.options.mode,
            language=self.options.language,
            seconds=time.monotonic() - started,
            solutions=self.options.solutions,
            exit_code=self.batch.exit_code if now else None,
        )
        try:
            report.write(self.batch.out, self.batch.records, about)
            pages.write_index(self.batch.out, self.batch.records, about)
        except OSError as error:
            self.batch.problem = self.batch.problem or _why_not_written(self.batch.out, error)
        self.reported = time.monotonic()


def _worker_failed(error: Exception) -> Outcome:
    text = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    if isinstance(error, ModuleNotFoundError):
        text = f"The Dask worker lacks {error.name}: install labkit there too."
    return Outcome(runner.FAILED, error={"message": text})


# --- The output folder -----------------------------------------------------------------------------------


def _prepare(out: Path, resume: bool) -> Path:
    """Make the folder, see that it can be written, and take away what an earlier batch left (and only that)."""
    out = out.expanduser().resolve()
    try:
        (out / "runs").mkdir(parents=True, exist_ok=True)
        atomic_write_text(out / "runs" / ".writable", "")
        (out / "runs" / ".writable").unlink()
    except OSError as error:
        raise LabkitError(_why_not_written(out, error)) from error
    for name in report.FILES:
        if (out / name).exists() and not report.is_ours(out / name):
            raise LabkitError(f"{out / name} is not from labkit. Choose another folder with --out.")
    if not resume:
        for path in [*(out / name for name in report.FILES), *_left_by_runs(out)]:
            path.unlink(missing_ok=True)
        for folder in (out / "runs").iterdir():
            with suppress(OSError):  # not empty: somebody keeps files there
                folder.rmdir()
    return out


def _left_by_runs(out: Path) -> Iterator[Path]:
    for state in (out / "runs").glob(f"*/{STATE}"):
        record = _read_state(state)
        if record is not None:
            for name in (record.notebook, record.html):
                if name and (out / name).resolve().parent == state.parent.resolve():
                    yield out / name
            yield state


def _finished(out: Path, record: Record) -> Record | None:
    """The same run's record from before, if it ended well and its notebook is still there."""
    earlier = _read_state(out / "runs" / record.key / STATE)
    if earlier is None or earlier.status != OK or earlier.fingerprint != record.fingerprint:
        return None
    return earlier if earlier.notebook and (out / earlier.notebook).is_file() else None


def _read_state(path: Path) -> Record | None:
    try:
        return Record.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def save(out: Path, record: Record, outcome: Outcome) -> None:
    """Write the executed notebook, its page, and last the state that says so. Raises OSError."""
    folder = out / "runs" / record.key
    if outcome.notebook:
        record.notebook = f"runs/{record.key}/{record.key}.ipynb"
        atomic_write_bytes(out / record.notebook, outcome.notebook)
        page = pages.notebook_page(outcome.notebook, record)
        if page is not None:
            record.html = f"runs/{record.key}/{record.key}.html"
            atomic_write_text(out / record.html, page)
    atomic_write_text(folder / STATE, json.dumps(record.to_json(), ensure_ascii=False, indent=1))


def _why_not_written(out: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):  # Windows has no quota error
        return f"The disk is full: cannot write to {out}. Free some space, then run again with --resume."
    reason = error.strerror or str(error)
    return f"Cannot write to {error.filename or out}: {reason}. Choose another folder with --out."
