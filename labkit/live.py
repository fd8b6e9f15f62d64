"""What a batch is doing now: live lines in a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from typing import TextIO

from labkit.report import Record

PLAIN_EVERY_SECONDS = 15.0  # in a log, a cell is only worth a line when it takes its time
BAR_WIDTH = 20


class Display:
    """Listens to ``batch.run``; threads may call it."""

    def __init__(self, total: int | None = None, stream: TextIO | None = None):
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.total, self.done = total, 0
        self._running: dict[str, tuple[Record, float, float]] = {}  # record, when it began, when last told
        self._cells: dict[str, tuple[int, int]] = {}
        self._lines = 0
        self._lock = threading.Lock()
        if self.live and os.name == "nt":
            os.system("")  # makes the Windows console understand the cursor codes below

    def __call__(self, event: str, record: Record | None, more: dict) -> None:
        with self._lock:
            if event == "plan":
                self.total = more["total"]
            elif event == "start":
                now = time.monotonic()
                self._running[record.key] = (record, now, now)
                if not self.live:
                    self._print(f"{record.label}: started")
            elif event == "cell":
                self._cells[record.key] = (more["cell"], more["cells"])
            elif event in ("end", "skip"):
                self._running.pop(record.key, None)
                self.done += 1
                self._print(self._cleared() + self._result(event, record))
            self._draw()

    def _result(self, event: str, record: Record) -> str:
        count = f"[{self.done}/{self.total}] " if self.total else ""
        if event == "skip":
            return f"{count}{record.label}: finished before, skipped"
        text = f"{count}{record.label}: {record.status}"
        if record.seconds:
            text += f" in {record.seconds:.1f} s"
        return f"{text}: {record.error['message']}" if record.error else text

    def _draw(self) -> None:
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            lines = [self._line(record, began)[:width] for record, began, _ in self._running.values()]
            # One write for clearing and drawing: in two, the lines would flicker.
            self.stream.write(self._cleared() + "".join(line + "\n" for line in lines))
            self._lines = len(lines)
            self.stream.flush()
            return
        now = time.monotonic()
        for key, (record, began, told) in self._running.items():
            if now - told >= PLAIN_EVERY_SECONDS:
                self._running[key] = (record, began, now)
                self._print(self._line(record, began, bar=False))

    def _line(self, record: Record, began: float, bar: bool = True) -> str:
        cell, cells = self._cells.get(record.key, (0, 0))
        seconds = f"{time.monotonic() - began:.0f} s"
        if not cells:
            return f"{record.label}: starting the kernel, {seconds}"
        filled = BAR_WIDTH * (cell - 1) // cells
        drawn = f" [{'#' * filled}{'.' * (BAR_WIDTH - filled)}]" if bar else ""
        return f"{record.label}:{drawn} cell {cell}/{cells}, {seconds}"

    def _cleared(self) -> str:
        """Moves up to the first live line, and clears from there."""
        lines, self._lines = self._lines, 0
        return f"\x1b[{lines}F\x1b[J" if lines else ""

    def _print(self, line: str) -> None:
        self.stream.write(line + "\n")
        self.stream.flush()
