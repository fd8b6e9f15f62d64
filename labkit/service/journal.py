"""The log of a conversation: each turn with what was understood, decided and said, and why. JSON lines."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labkit.service.slots import hide

_CONTACT = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|\+?\d[\d\s()-]{7,}\d")


@dataclass
class Entry:
    """One turn. ``steps`` are the decisions in their order, each as what was decided and why."""

    turn: int
    user: str
    intent: str = ""
    score: float = 0.0
    threshold: float = 0.0
    evidence: tuple[str, ...] = ()
    slots: dict[str, str] = field(default_factory=dict)
    steps: list[tuple[str, str]] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)  # names of the replies
    sources: list[str] = field(default_factory=list)
    wording: str = ""
    reply: str = ""
    ticket: str | None = None
    milliseconds: float = 0.0

    def decide(self, what: str, why: str) -> None:
        """Add a decision."""
        self.steps.append((what, why))


class Journal:
    """Keeps the entries of a conversation, and appends them to a file where one is named. Contacts are masked."""

    def __init__(self, path: Path | str | None = None, conversation: str = "1"):
        self.path = None if path is None else Path(path)
        self.conversation = conversation
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Keep a finished turn."""
        entry.user = _CONTACT.sub(lambda match: hide(match.group()) or "", entry.user)
        self.entries.append(entry)
        if self.path is not None:
            row: dict[str, Any] = {"conversation": self.conversation, **asdict(entry)}
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def read(path: Path | str) -> list[dict[str, Any]]:
    """The entries of a file."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
