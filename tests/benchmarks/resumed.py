"""Measurements that take hours: each is a line of a file, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from labkit.common import cache_dir


def ledger(name: str) -> Path:
    """The file of the measurements of this name. Delete it to measure anew."""
    folder = cache_dir() / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.jsonl"


def measure_once(
    file: Path, key: Mapping[str, Any], measure: Callable[[], Mapping[str, float]]
) -> dict[str, float]:
    """What the file holds for ``key``; where it holds nothing, what ``measure`` gives, which is added to it.

    The key says all that the numbers depend on, so that those of other settings are never taken for these.
    """
    wanted = json.loads(json.dumps(key))
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["key"] == wanted:
                return row["found"]
    found = dict(measure())
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"key": wanted, "found": found}) + "\n")
    return found
