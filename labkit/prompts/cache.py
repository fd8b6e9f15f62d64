"""Replies kept on disk, so that a question that was paid for is not asked again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from labkit import files
from labkit.common import LabkitError, cache_dir
from labkit.prompts.messages import Reply

MAX_BYTES = 20_000_000
SUFFIX = ".reply.json"
KEPT_SHARE = 0.8  # of ``max_bytes`` after old replies went, so that they do not go one by one


def cache_key(request: Mapping[str, Any]) -> str:
    """SHA-256 over everything that determines an answer; equal content in any order gives an equal key."""
    content = json.dumps(request, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


class ReplyCache:
    """A folder with one small file for each reply, written in one step.

    A file that is cut off, changed or not this class's own counts as not there. Files hold replies alone: what
    was asked is only in their names, as a digest. Several processes may share a folder. ``folder`` None is
    ``prompts`` in labkit's cache folder. With more than ``max_bytes`` the replies that were not read for the
    longest time go.
    """

    def __init__(self, folder: Path | str | None = None, max_bytes: int = MAX_BYTES) -> None:
        if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes < 1:
            raise LabkitError(f"max_bytes must be an integer from 1, and is {max_bytes!r}.")
        self.folder = cache_dir() / "prompts" if folder is None else Path(folder).expanduser()
        self.max_bytes = max_bytes
        self._size: int | None = None  # bytes on disk, counted at the first writing
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LabkitError(
                f"Replies cannot be kept in {self.folder} ({error.strerror or error}). Choose another folder, "
                "or set LABKIT_CACHE."
            ) from None

    def get(self, key: str) -> Reply | None:
        """The reply to the request with this ``cache_key``, marked as cached; None where there is none."""
        path = self._path(key)
        try:
            reply = _read(path.read_text(encoding="utf-8"), key)
        except (OSError, ValueError, TypeError, KeyError, RecursionError, LabkitError):
            return None
        with suppress(OSError):  # read now: the last to go
            path.touch()
        return reply

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply. Where the disk is full or not writable nothing is kept: the caller has its reply."""
        content = _written(reply, key)
        with suppress(OSError):
            path = self._path(key)
            if self._size is None:
                self._size = self.size()
            before = path.stat().st_size if path.is_file() else 0
            files.atomic_write_text(path, content)
            self._size += len(content.encode()) - before
            if self._size > self.max_bytes:
                self._shrink()

    def clear(self) -> int:
        """Delete every reply; returns how many there were. Other files in the folder stay."""
        removed = sum(_unlink(path) for path in self._paths())
        for leftover in self.folder.glob(f".*{SUFFIX}.*.tmp"):  # of killed writers
            _unlink(leftover)
        self._size = None
        return removed

    def size(self) -> int:
        """Bytes that the replies take."""
        return sum(size for _, size, _ in self._ages())

    def __len__(self) -> int:
        return len(self._paths())

    def __repr__(self) -> str:
        return f"ReplyCache({len(self)} replies, {self.size() / 1e6:.1f} of {self.max_bytes / 1e6:.1f} MB)"

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    def _paths(self) -> list[Path]:
        return [path for path in self.folder.glob(f"*{SUFFIX}") if not path.name.startswith(".")]

    def _ages(self) -> list[tuple[float, int, Path]]:
        """Time of the last reading, size and path of each reply, the oldest first."""
        found = []
        for path in self._paths():
            with suppress(OSError):  # another process may have removed it
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        return sorted(found)

    def _shrink(self) -> None:
        ages = self._ages()
        self._size = sum(size for _, size, _ in ages)
        for _, size, path in ages:
            if self._size <= KEPT_SHARE * self.max_bytes:
                break
            self._size -= size if _unlink(path) else 0


def _written(reply: Reply, key: str) -> str:
    content = [reply.text, reply.prompt_tokens, reply.reply_tokens, reply.finish]
    return json.dumps({"reply": content, "sha256": _digest(content, key)}) + "\n"


def _read(text: str, key: str) -> Reply:
    """Raises ValueError, TypeError, KeyError or LabkitError for what ``_written`` did not write under ``key``."""
    entry = json.loads(text)
    content = entry["reply"]
    if entry["sha256"] != _digest(content, key):
        raise ValueError("changed since it was written")
    return replace(Reply(*content), cached=True)


def _digest(content: list[Any], key: str) -> str:
    # Over the key too: an entry that was renamed answers another question.
    return hashlib.sha256(json.dumps([key, content]).encode()).hexdigest()


def _unlink(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
