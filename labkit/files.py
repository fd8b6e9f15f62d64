"""Files that are whole or not there: atomic writes, checksums, tensors with their metadata."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

REPLACE_TRIES = 8  # Windows refuses to replace a file that a virus scanner or a reader holds open


@contextmanager
def atomic_path(path: Path | str, durable: bool = True) -> Iterator[Path]:
    """A temporary path beside ``path``; what is written there becomes ``path`` when the block ends well.

    The new content is flushed to the disk before one ``os.replace`` makes it visible, so that a reader, or
    the next run after a kill or a power cut, finds the old content or the new one and nothing between.
    When the block fails, ``path`` stays as it was. Missing parent folders are made. Without ``durable`` nothing is
    flushed: for what is written many times a minute and need not outlive a power cut.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        if durable:
            flush(temporary)
            replace(temporary, path)
        else:
            replace(temporary, path, durable=False)
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


def flush(path: Path) -> None:
    """Make sure that a file's content is on the disk."""
    with path.open("rb+") as stream:  # Windows flushes only what is open for writing
        os.fsync(stream.fileno())


def replace(source: Path, target: Path, durable: bool = True) -> None:
    """``os.replace``, tried again for a second where Windows finds the target open; then made durable."""
    for attempt in range(REPLACE_TRIES):
        try:
            source.replace(target)
            break
        except PermissionError:
            if os.name != "nt" or attempt == REPLACE_TRIES - 1:
                raise
            time.sleep(0.01 * 2**attempt)
    if durable and os.name == "posix":  # the new name is durable only when its folder is flushed too
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


def save_tensors(path: Path | str, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write named tensors and a JSON object into one safetensors file, in one step.

    ``metadata`` lies in the file's header with a SHA-256 over itself and every tensor, so tensors and
    metadata cannot come apart and a flipped bit is noticed. Equal content gives equal files, byte for byte.
    """
    from safetensors.torch import save

    owned = _own_memory(tensors)
    text = json.dumps(metadata, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    header = {"labkit": json.dumps({"sha256": _digest(owned, text), "metadata": text})}
    # Not save_file: it writes through a temporary file of its own, which a kill would leave behind.
    atomic_write_bytes(path, save(owned, metadata=header))


def load_tensors(path: Path | str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors (on the CPU) and metadata that ``save_tensors`` wrote; nothing in the file is executed.

    The file is read at once and not mapped into memory: Windows refuses to replace a mapped file.
    Raises FileNotFoundError, and ValueError when the file is cut off, changed or not written by labkit.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    content = Path(path).read_bytes()
    try:
        # Cloned: the tensors then own aligned memory, and the file's buffer can go.
        tensors = {name: tensor.clone() for name, tensor in load(content).items()}
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    except (SafetensorError, ValueError, KeyError) as error:
        raise ValueError(f"not a whole safetensors file ({error})") from None
    if "labkit" not in header:
        raise ValueError("a safetensors file that labkit did not write")
    try:
        stored = json.loads(header["labkit"])
        expected, text = stored["sha256"], stored["metadata"]
    except (ValueError, KeyError, TypeError):
        raise ValueError("its header is damaged") from None
    if _digest(tensors, text) != expected:
        raise ValueError("its content does not match its checksum")
    return tensors, json.loads(text)


def _own_memory(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous CPU tensors that share no memory: safetensors refuses tied weights and views."""
    owned, seen = {}, set()
    for name, tensor in tensors.items():
        copy = tensor.detach().cpu().contiguous()
        storage = copy.untyped_storage()
        if storage.data_ptr() in seen or storage.nbytes() != copy.numel() * copy.element_size():
            copy = copy.clone()
        seen.add(copy.untyped_storage().data_ptr())
        owned[name] = copy
    return owned


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    import torch

    digest = hashlib.sha256(text.encode("utf-8"))
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
