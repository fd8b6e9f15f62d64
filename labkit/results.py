"""What a lesson measured: shown as a table beside its baseline, and kept for the batch report."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS_VARIABLE = "LABKIT_RESULTS"


@dataclass(frozen=True)
class Measure:
    """One measured figure beside its baseline.

    ``interval`` is a 95 % interval of ``ours`` over ``seeds`` runs, in the unit of ``ours``.
    """

    metric: str
    ours: float
    baseline: float | None = None
    baseline_name: str = ""
    higher_is_better: bool = True
    seeds: int = 1
    interval: tuple[float, float] | None = None
    unit: str = ""
    digits: int = 3

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` than the baseline; ``-`` without one.

        ``unclear`` where the baseline lies inside the interval, ``equal`` where the printed digits agree.
        """
        if self.baseline is None:
            return "-"
        if self.interval is not None and self.interval[0] <= self.baseline <= self.interval[1]:
            return "unclear"
        gain = round(self.ours, self.digits) - round(self.baseline, self.digits)
        if gain == 0:
            return "equal"
        return "better" if (gain > 0) == self.higher_is_better else "worse"

    def cells(self) -> list[str]:
        """The row as it is shown."""

        def number(value: float) -> str:
            return f"{value:.{self.digits}f}{self.unit and ' ' + self.unit}"

        baseline = "-" if self.baseline is None else number(self.baseline)
        if self.baseline_name:
            baseline += f" ({self.baseline_name})"
        spread = "-"
        if self.interval is not None:
            spread = f"{self.interval[0]:.{self.digits}f} to {self.interval[1]:.{self.digits}f}"
        return [self.metric, baseline, number(self.ours), self.verdict, str(self.seeds), spread]


class Table:
    """The lesson's measures; a notebook shows them as a table."""

    columns = ("metric", "baseline", "ours", "verdict", "seeds", "95 % interval")

    def __init__(self, measures: Sequence[Measure]):
        self.rows = [measure.cells() for measure in measures]

    def __repr__(self) -> str:
        rows = [list(self.columns), *self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.columns))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        ]
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        def row(cells: Sequence[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(row(cells, "td") for cells in self.rows)
        return f"<table><thead>{row(self.columns, 'th')}</thead><tbody>{body}</tbody></table>"


def report(*measures: Measure) -> Table:
    """Keep the measures for the batch report, and return them as a table. The first is the main metric."""
    for measure in measures:
        _append({"kind": "measure", **asdict(measure), "verdict": measure.verdict})
    return Table(measures)


def record_exercise(exercise: str, status: str) -> None:
    """Keep an exercise's outcome for the batch report: ``passed``, ``failed`` or ``not attempted``."""
    _append({"kind": "exercise", "exercise": exercise, "status": status})


def read(path: Path) -> list[dict]:
    """The entries that a lesson left; an unfinished last line (a killed kernel) is dropped."""
    entries = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError:
                continue
    return entries


def _append(entry: dict) -> None:
    path = os.environ.get(RESULTS_VARIABLE)
    if path:  # set by labkit.batch; a notebook opened by hand keeps nothing
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry, ensure_ascii=False) + "\n")
