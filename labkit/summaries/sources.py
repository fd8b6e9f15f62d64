"""Reports from elsewhere: a learner's JSONL file, and CNN/DailyMail by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from labkit.common import LabkitError
from labkit.summaries.texts import Report, language_of

CNN_DAILYMAIL = "abisee/cnn_dailymail"
CNN_VERSION = "3.0.0"  # with names, as See et al. 2017 use it
CNN_SPLITS = ("train", "validation", "test")


def load_reports(path: Path | str) -> list[Report]:
    """Reports from a JSONL file with ``article`` and ``summary`` in each line; other fields are ignored.

    The language is that of the article. Empty lines are skipped.

    Raises:
        LabkitError: no such file, not UTF-8, no line, or a line that is not valid (with its number).
    """
    path = Path(path)
    if not path.is_file():
        raise LabkitError(f"There is no file {path}. Give the path of a JSONL file with your reports.")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise LabkitError(f"{path.name} is not UTF-8: save it again in that encoding ({error}).") from error
    reports = [
        _read_line(line, f"{path.name}, line {number}")
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not reports:
        raise LabkitError(f"{path.name} is empty. Write one object with article and summary a line.")
    return reports


def _read_line(line: str, where: str) -> Report:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise LabkitError(f"{where}: this is not JSON ({error}).") from error
    if not isinstance(record, Mapping):
        raise LabkitError(f'{where}: this must be an object, as {{"article": "...", "summary": "..."}}.')
    for field in ("article", "summary"):
        if not isinstance(record.get(field), str) or not record[field].strip():
            raise LabkitError(f"{where}: {field} is missing, empty or no text.")
    name = str(record.get("id", ""))
    return Report(record["article"], record["summary"], language_of(record["article"]), id=name)


def cnn_dailymail(split: str = "test", count: int = 1000) -> list[Report]:
    """The first ``count`` reports of CNN/DailyMail (Hermann et al. 2015, See et al. 2017), fetched by ``datasets``.

    Raises:
        LabkitError: the library ``datasets`` is not installed, or the data cannot be reached.
    """
    if split not in CNN_SPLITS:
        raise LabkitError(f"split is {split!r}. CNN/DailyMail has {', '.join(CNN_SPLITS)}.")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise LabkitError(f"count is {count!r}. Give the number of reports, from 1.")
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise LabkitError(
            "CNN/DailyMail is fetched by the library datasets, which is not installed. Install it with "
            "pip install datasets, or use labkit's own reports: labkit.summaries.gold.gold('en')."
        ) from error
    try:
        rows = load_dataset(CNN_DAILYMAIL, CNN_VERSION, split=f"{split}[:{count}]")
    except Exception as error:  # the library raises errors of many kinds for one cause
        raise LabkitError(
            f"CNN/DailyMail could not be fetched ({type(error).__name__}). It takes a network connection the "
            "first time; without one, use labkit's own reports: labkit.summaries.gold.gold('en')."
        ) from error
    return [Report(row["article"], row["highlights"], "en", id=str(row["id"])) for row in rows]
