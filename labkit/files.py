"""Files that are whole or not there: atomic writes and checksums."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

REPLACE_TRIES = 8  # Windows refuses to replace a file that a virus scanner or a reader holds open


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """A temporary path beside ``path``; what is written there becomes ``path`` when the block ends well.

    The new content is flushed to the disk before one ``os.replace`` makes it visible, so that a reader, or
    the next run after a kill or a power cut, finds the old content or the new one and nothing between.
    When the block fails, ``path`` stays as it was. Missing parent folders are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        _flush(temporary)
        replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def atomic_write_bytes(path: Path | str, content: bytes) -> None:
    """Write ``content`` to ``path`` in one step; an OSError (disk full, not writable) leaves the old file."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def atomic_write_text(path: Path | str, text: str) -> None:
    """Write ``text`` to ``path`` in UTF-8, with ``\\n`` line ends on every system, in one step."""
    atomic_write_bytes(path, text.encode("utf-8"))


def replace(source: Path, target: Path) -> None:
    """``os.replace``, tried again for a second where Windows finds the target open; then made durable."""
    for attempt in range(REPLACE_TRIES):
        try:
            source.replace(target)
            break
        except PermissionError:
            if os.name != "nt" or attempt == REPLACE_TRIES - 1:
                raise
            time.sleep(0.01 * 2**attempt)
    if os.name == "posix":  # the new name is durable only when its folder is flushed too
        with suppress(OSError):  # some network file systems refuse to flush a folder
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def remove_leftovers(path: Path | str) -> int:
    """Delete the temporary files that killed writers of ``path`` left behind; returns how many.

    Call it only where no other process may be writing ``path``.
    """
    path = Path(path)
    prefix, removed = f".{path.name}.", 0
    if not path.parent.is_dir():
        return 0
    for leftover in path.parent.iterdir():
        if leftover.name.startswith(prefix) and leftover.name.endswith(".tmp"):
            with suppress(OSError):
                leftover.unlink()
                removed += 1
    return removed


def sha256_of(path: Path | str) -> str:
    """The SHA-256 of a file's content, in lower-case hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _flush(path: Path) -> None:
    with path.open("rb+") as stream:  # Windows flushes only what is open for writing
        os.fsync(stream.fileno())
