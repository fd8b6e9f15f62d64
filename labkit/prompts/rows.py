"""Many conversations as rows of tokens, made by several processes and kept on disk."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from random import Random

import numpy as np

from labkit.common import LabkitError
from labkit.prompts.instructions import draw_conversation, encode_conversation
from labkit.text.rows import Rows
from labkit.text.shipped import load_town_tokenizer

CHUNK = 2_000  # conversations that a worker makes at a time, from a seed of their own
MAX_TOKENS = 416  # longer conversations are left out


def make_rows(seed: int, chunk: int, count: int, split: str = "train") -> Rows:
    """``count`` conversations from the generator of (seed, chunk), less those that are too long."""
    tokenizer = load_town_tokenizer()
    rng = Random(f"conversations {split} {seed} {chunk}")
    rows = [encode_conversation(draw_conversation(rng, split), tokenizer) for _ in range(count)]
    rows = [row for row in rows if len(row.ids) <= MAX_TOKENS]
    offsets = np.cumsum([0, *(len(row.ids) for row in rows)])
    ids = np.fromiter((one for row in rows for one in row.ids), dtype=np.uint16, count=offsets[-1])
    return Rows(ids, offsets, np.array([row.start for row in rows], dtype=np.int32))


def write_rows(folder: Path, count: int, seed: int = 0, workers: int = 1, split: str = "train") -> Rows:
    """About ``count`` conversations, made by ``workers`` processes, as files in ``folder``, mapped into memory.

    What is written does not depend on the number of workers.
    """
    sizes = [CHUNK] * (count // CHUNK) + ([count % CHUNK] if count % CHUNK else [])
    if not sizes:
        raise LabkitError(f"count is {count!r}. Give at least 1.")
    lengths, starts = [], []
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "ids.bin").open("wb") as stream:
        for rows in _chunks(seed, sizes, workers, split):
            stream.write(rows.ids.tobytes())
            lengths.append(np.diff(rows.offsets))
            starts.append(rows.starts)
    offsets = np.concatenate(([0], np.cumsum(np.concatenate(lengths))))
    return Rows(np.memmap(folder / "ids.bin", dtype=np.uint16, mode="r"), offsets, np.concatenate(starts))


def _chunks(seed: int, sizes: list[int], workers: int, split: str) -> Iterator[Rows]:
    if workers == 1:
        yield from map(make_rows, repeat(seed), range(len(sizes)), sizes, repeat(split))
        return
    # Fresh processes, since a forked one may hang with PyTorch's threads in it.
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        jobs = zip(repeat(seed), range(len(sizes)), sizes, repeat(split))
        yield from pool.imap(_make, jobs)


def _make(job: tuple[int, int, int, str]) -> Rows:
    return make_rows(*job)
