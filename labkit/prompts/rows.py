"""Rows of conversations on disk, and batches of rows of about the same length with the loss on the answers."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor

from labkit.common import LabkitError
from labkit.prompts.instructions import draw_conversation, encode_conversation
from labkit.text.shipped import load_town_tokenizer
from labkit.text.training import IGNORE

CHUNK = 2_000  # conversations that a worker makes at a time, from a seed of their own
WIDTH_STEP = 32  # rows are padded to a multiple of it
MAX_TOKENS = 416  # longer conversations are left out
PAD = 1


@dataclass(frozen=True)
class Rows:
    """Token ids of many rows end to end: row i is ``ids[offsets[i]:offsets[i + 1]]``, learned from ``starts[i]`` on."""

    ids: np.ndarray
    offsets: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)


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


class RowBatches:
    """Batches of about ``tokens`` tokens, of rows of about the same length, each row once an epoch.

    ``batches(step)`` is ``(inputs, targets)``, int64 (B, T): ``targets[b, t]`` follows ``inputs[b, t]``, and is -100
    in the request and in the padding. It depends on ``seed`` and ``step`` alone.
    """

    def __init__(self, rows: Rows, tokens: int, seed: int = 0):
        if tokens < MAX_TOKENS:
            raise LabkitError(f"tokens is {tokens!r}. A batch must hold a row of {MAX_TOKENS} tokens.")
        self.rows, self.tokens, self.seed = rows, tokens, seed
        self.lengths = np.diff(rows.offsets)
        self.widths = -(-(self.lengths - 1) // WIDTH_STEP) * WIDTH_STEP
        self.steps_per_epoch = sum(
            -(-int(np.sum(self.widths == width)) // (tokens // int(width)))
            for width in np.unique(self.widths)
        )
        self._epoch, self._plan = -1, []

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._plan = epoch, self._cut(epoch)
        chosen = self._plan[place]
        width = int(self.widths[chosen[0]])
        window = np.full((len(chosen), width + 1), PAD, dtype=np.int64)
        targets = np.full((len(chosen), width), IGNORE, dtype=np.int64)
        for number, row in enumerate(chosen):
            length, start = self.lengths[row], self.rows.starts[row]
            window[number, :length] = self.rows.ids[self.rows.offsets[row] : self.rows.offsets[row + 1]]
            targets[number, start - 1 : length - 1] = window[number, start:length]
        return torch.from_numpy(np.ascontiguousarray(window[:, :-1])), torch.from_numpy(targets)

    def _cut(self, epoch: int) -> list[np.ndarray]:
        """The rows of each batch of an epoch, in the order of that epoch."""
        draw = np.random.default_rng((self.seed, epoch))
        plan = []
        for width in np.unique(self.widths):
            order = draw.permutation(np.flatnonzero(self.widths == width))
            size = self.tokens // int(width)
            plan += [order[first : first + size] for first in range(0, len(order), size)]
        return [plan[place] for place in draw.permutation(len(plan))]
