"""What a batch came to, as records, tables, results.json and grades.csv."""

from __future__ import annotations

import csv
import io
import json
import math
import platform
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from labkit import __version__
from labkit.files import atomic_write_text
from labkit.results import Measure
from labkit.runner import INTERRUPTED, OK, Outcome

FORMAT = 1
FILES = ("index.html", "results.json", "grades.csv")
GRADES_HEADER = ("file", "exercise", "status")
MAKER = '<meta name="generator" content="labkit'  # marks the pages that are ours to replace
MEAN = "mean (95 %)"  # of the runs over several seeds, with Student's t interval


@dataclass
class Record:
    """One notebook with one set of parameters, and what became of it."""

    key: str  # the name of its folder
    name: str  # 02_activation_functions, or a file's name
    title: str = ""
    number: str = ""
    submission: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    swept: dict[str, Any] = field(default_factory=dict)  # those of the parameters that have several values
    language: str = "en"
    fingerprint: str = ""
    status: str = ""
    error: dict[str, Any] | None = None
    seconds: float = 0.0
    peak_bytes: int = 0
    cell: int = 0
    cells: int = 0
    exercises: dict[str, str] = field(default_factory=dict)
    measures: list[dict[str, Any]] = field(default_factory=list)
    notebook: str = ""  # relative to the report
    html: str = ""
    finished: str = ""
    resumed: bool = False

    def take(self, outcome: Outcome) -> None:
        """Fill in what a run came to. Of an exercise that was checked several times the last answer counts."""
        self.status, self.error, self.seconds = outcome.status, outcome.error, round(outcome.seconds, 2)
        self.peak_bytes, self.cell, self.cells = outcome.peak_bytes, outcome.cell, outcome.cells
        self.finished = datetime.now().astimezone().isoformat(timespec="seconds")
        for entry in outcome.entries:
            if entry.get("kind") == "exercise":
                self.exercises[str(entry.get("exercise"))] = str(entry.get("status"))
            elif entry.get("kind") == "measure" and (measure := _measure(entry)):
                self.measures.append(measure)
        if self.submission and self.status == OK:  # it was reached, and its check could not even be called
            self.exercises = {k: "failed" if v == "not reached" else v for k, v in self.exercises.items()}

    def to_json(self) -> dict[str, Any]:
        """As it is kept in a file."""
        return {"labkit_run": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """Raises ValueError for what is not a record of this format."""
        if not isinstance(data, dict) or data.get("labkit_run") != FORMAT:
            raise ValueError("not a labkit run of this format")
        return cls(**{entry.name: data[entry.name] for entry in fields(cls)})

    @property
    def label(self) -> str:
        """Name, and the values that tell it from its siblings in a sweep."""
        return " ".join([self.name, *(f"{name}={value}" for name, value in self.swept.items())])

    @property
    def passed(self) -> str:
        """``3/5`` exercises passed, or ``-`` where there are none."""
        if not self.exercises:
            return "-"
        return f"{sum(status == 'passed' for status in self.exercises.values())}/{len(self.exercises)}"

    @property
    def main_metric(self) -> str:
        """The first measure that the notebook reported, beside its baseline."""
        return measure_text(self.measures[0]) if self.measures else "-"

    @property
    def memory(self) -> str:
        """The kernel's peak in MB."""
        return f"{self.peak_bytes / 1e6:.0f} MB" if self.peak_bytes else "-"

    @property
    def time(self) -> str:
        """Wall-clock seconds."""
        return f"{self.seconds:.1f} s" if self.seconds else "-"


@dataclass(frozen=True)
class About:
    """What the batch as a whole was."""

    mode: str
    language: str
    seconds: float
    solutions: bool = False
    exit_code: int | None = None  # None while it runs


def _measure(entry: dict[str, Any]) -> dict[str, Any] | None:
    """A reported measure with its verdict; None for one that only looks so (anybody can write into that file)."""
    try:
        measure = Measure(**{f.name: entry[f.name] for f in fields(Measure) if f.name in entry})
        measure.cells()
        return asdict(measure) | {"metric": str(measure.metric), "verdict": measure.verdict}
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _finite(value: Any) -> Any:
    """The same with null for NaN and infinities, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def measure_text(measure: dict[str, Any]) -> str:
    """``accuracy 0.972 (baseline 0.912: better)``."""
    text = f"{measure.get('metric', '')} {number_text(measure['ours'], measure)}"
    if measure.get("baseline") is not None:
        text += f" (baseline {number_text(measure['baseline'], measure)}: {measure.get('verdict', '')})"
    return text


def number_text(value: float, measure: dict[str, Any]) -> str:
    unit = measure.get("unit") or ""
    return f"{value:.{int(measure.get('digits', 3))}f}{unit and ' ' + unit}"


# --- Tables ----------------------------------------------------------------------------------------------


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned in a terminal, where a Chinese character is two wide."""
    widths = [max(_width(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def summary_table(records: Sequence[Record]) -> str:
    """One line a run, and under it one line for each that did not end well."""
    first = "lesson" if any(record.title for record in records) else "file"
    header = (first, "status", "seconds", "memory", "exercises", "main metric")
    rows = [
        (
            record.label,
            record.status + (" (before)" if record.resumed else ""),
            record.time,
            record.memory,
            record.passed,
            record.main_metric,
        )
        for record in records
    ]
    problems = [
        f"{record.label}: {record.error['message']}"
        for record in records
        if record.error and record.status not in (OK, INTERRUPTED)
    ]
    return "\n".join([text_table(header, rows), *([""] if problems else []), *problems])


def sweeps(records: Sequence[Record]) -> list[dict[str, Any]]:
    """For each notebook that ran with several values: the metric of each run, and means over the seeds.

    Each is ``{"name", "parameters", "metrics", "rows", "means"}``; a row has ``values`` of the swept parameters, ``status``
    and ``metrics``; a mean (only where SEED was swept and at least two runs are ok) has ``values`` of the other
    parameters and for each metric ``mean``, ``low`` and ``high`` (95 %, Student's t) and ``runs``.
    """
    tables = []
    names = dict.fromkeys(record.name for record in records if record.swept)
    for name in names:
        runs = [record for record in records if record.name == name and record.swept]
        parameters = list(runs[0].swept)
        metrics = list(dict.fromkeys(m["metric"] for record in runs for m in record.measures))
        rows = [
            {
                "values": record.swept,
                "key": record.key,
                "status": record.status,
                "seconds": record.seconds,
                "metrics": {m["metric"]: m["ours"] for m in record.measures},
            }
            for record in runs
        ]
        means = _means_over_seeds(runs, metrics) if "SEED" in parameters else []
        tables.append(
            {"name": name, "parameters": parameters, "metrics": metrics, "rows": rows, "means": means}
        )
    return tables


def _means_over_seeds(runs: Sequence[Record], metrics: Sequence[str]) -> list[dict[str, Any]]:
    groups: dict[str, list[Record]] = {}
    for record in runs:
        others = {name: value for name, value in record.swept.items() if name != "SEED"}
        if record.status == OK:
            groups.setdefault(json.dumps(others), []).append(record)
    means = []
    for others, members in groups.items():
        spread = {}
        for metric in metrics:
            values = [m["ours"] for r in members for m in r.measures if m["metric"] == metric]
            if len(values) >= 2:
                spread[metric] = _interval(values) | {"runs": len(values)}
        if spread:
            means.append({"values": json.loads(others), "metrics": spread})
    return means


def _interval(values: Sequence[float]) -> dict[str, float]:
    from labkit.metrics import mean_interval

    if not all(math.isfinite(value) for value in values):
        return dict.fromkeys(("mean", "low", "high"), math.nan)
    if min(values) == max(values):  # no spread: the interval is the value
        return dict.fromkeys(("mean", "low", "high"), values[0])
    mean, low, high = mean_interval(values)
    return {"mean": mean, "low": low, "high": high}


def sweep_lines(table: dict[str, Any], digits: Callable[[str], int]) -> tuple[list[str], list[list[str]]]:
    """A sweep as header and rows of text, for the terminal and the page."""

    def mean_text(mean: dict[str, Any], metric: str) -> str:
        if metric not in mean["metrics"]:
            return "-"
        spread, places = mean["metrics"][metric], digits(metric)
        return f"{spread['mean']:.{places}f} ({spread['low']:.{places}f} to {spread['high']:.{places}f})"

    header = [*table["parameters"], "status", "seconds", *table["metrics"]]
    rows = []
    for row in table["rows"]:
        figures = [
            f"{row['metrics'][metric]:.{digits(metric)}f}" if metric in row["metrics"] else "-"
            for metric in table["metrics"]
        ]
        values = [str(row["values"][name]) for name in table["parameters"]]
        rows.append([*values, row["status"], f"{row['seconds']:.1f}", *figures])
    for mean in table["means"]:
        values = [str(mean["values"].get(name, MEAN)) for name in table["parameters"]]
        rows.append([*values, "", "", *(mean_text(mean, metric) for metric in table["metrics"])])
    return header, rows


def metric_digits(records: Sequence[Record]) -> Callable[[str], int]:
    """How many digits the notebooks print of a metric."""
    known = {m["metric"]: int(m.get("digits", 3)) for record in records for m in record.measures}
    return lambda metric: known.get(metric, 3)


def sweep_tables(records: Sequence[Record]) -> str:
    """All sweeps, for the terminal."""
    digits = metric_digits(records)
    blocks = [f"{t['name']}\n{text_table(*sweep_lines(t, digits))}" for t in sweeps(records)]
    return "\n\n".join(blocks)


# --- Files -----------------------------------------------------------------------------------------------


def is_ours(path: Path) -> bool:
    """Whether labkit wrote this index.html, results.json or grades.csv."""
    try:
        start = path.read_text(encoding="utf-8-sig", errors="replace")[:2000]
    except OSError:
        return False
    if path.suffix == ".html":
        return MAKER in start
    return (
        '"labkit_results"' in start if path.suffix == ".json" else start.startswith(",".join(GRADES_HEADER))
    )


def write(out: Path, records: Sequence[Record], about: About) -> None:
    """Write results.json and, where files were handed in, grades.csv, each whole. Raises OSError."""
    content = {
        "labkit_results": FORMAT,
        "labkit": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "written": datetime.now().astimezone().isoformat(timespec="seconds"),
        **asdict(about),
        "runs": [{k: v for k, v in record.to_json().items() if k != "labkit_run"} for record in records],
        "sweeps": sweeps(records),
    }
    atomic_write_text(out / "results.json", json.dumps(_finite(content), ensure_ascii=False, indent=1) + "\n")
    if any(record.submission for record in records):
        atomic_write_text(out / "grades.csv", grades(records))


def grades(records: Sequence[Record]) -> str:
    """One line for each file and exercise; a file that could not be run has one line with its status.

    Begins with a byte-order mark, without which Excel garbles names that are not English.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(GRADES_HEADER)
    for record in records:
        if record.submission:
            rows = sorted(record.exercises.items()) or [("", record.status)]
            writer.writerows([_harmless(record.label), _harmless(a), _harmless(b)] for a, b in rows)
    return "\ufeff" + stream.getvalue()


def _harmless(text: str) -> str:
    """A spreadsheet takes text that begins so for a formula, and a student chose this text."""
    return "'" + text if text[:1] in tuple("=+-@\t\r") else text
