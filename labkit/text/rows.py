"""Rows of tokens of which only the end is learned, batches of rows of about the same length, and training on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from labkit.common import LabkitError
from labkit.text.gpt import GPT
from labkit.text.training import IGNORE, AnswerTask, WarmupDecay, make_optimizers, make_schedules
from labkit.training import History, fit

WIDTH_STEP = 32  # rows are padded to a multiple of it
PAD = 0  # any id will do: what stands there is neither seen by what comes before nor scored


@dataclass(frozen=True)
class Rows:
    """Token ids of many rows end to end: row i is ``ids[offsets[i]:offsets[i + 1]]``, learned from ``starts[i]`` on.

    What stands before ``starts[i]``, such as a request or notes, is read and not learned: its tokens are no
    targets. ``starts`` are at least 1, since nothing stands before a row's first token.
    """

    ids: np.ndarray
    offsets: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    @staticmethod
    def join(parts: Iterable[tuple[list[int], list[int]]]) -> Rows:
        """The rows of (tokens that are only read, tokens that are learned); the first are at least one."""
        ids: list[int] = []
        offsets, starts = [0], []
        for read, learned in parts:
            if not read or not learned:
                raise LabkitError("A row needs at least one token to read and one to learn.")
            ids += read
            ids += learned
            offsets.append(len(ids))
            starts.append(len(read))
        return Rows(np.array(ids, dtype=np.int32), np.array(offsets), np.array(starts, dtype=np.int32))


class RowBatches:
    """Batches of about ``tokens`` tokens, of rows of about the same length, each row once an epoch.

    ``batches(step)`` is ``(inputs, targets)``, int64 (B, T): ``targets[b, t]`` follows ``inputs[b, t]``, and is -100
    in what is only read and in the padding on the right. It depends on ``seed`` and ``step`` alone.
    """

    def __init__(self, rows: Rows, tokens: int, seed: int = 0):
        if not len(rows):
            raise LabkitError("There is no row to learn from.")
        self.rows, self.tokens, self.seed = rows, tokens, seed
        self.lengths = np.diff(rows.offsets)
        self.widths = -(-(self.lengths - 1) // WIDTH_STEP) * WIDTH_STEP
        if tokens < self.widths.max():
            raise LabkitError(f"tokens is {tokens!r}. A batch must hold a row of {self.widths.max()} tokens.")
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

    def state_dict(self) -> dict[str, Any]:
        return {"seed": self.seed, "tokens": self.tokens, "num_rows": len(self.rows)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to set, since a batch depends on its step alone; refuses other rows or settings."""
        current = self.state_dict()
        different = [
            f"{name} was {state.get(name)!r} and is {value!r}"
            for name, value in current.items()
            if state.get(name) != value
        ]
        if different:
            raise LabkitError("; ".join(different) + ".")


def train_on_rows(
    model: GPT,
    rows: Rows,
    steps: int,
    *,
    learning_rate: float = 1e-3,
    matrix_learning_rate: float = 6e-3,
    warmup: int = 50,
    batch_tokens: int = 4_096,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = True,
) -> History:
    """Train a GPT in place on the ends of rows; the rates rise in ``warmup`` steps (a tenth at most) and fall from half on.

    The rates are about a third of those that the town GPT was trained with from scratch: it is to keep what it can.
    """
    optimizers = make_optimizers(model.to(device), learning_rate, matrix_learning_rate)
    factor = WarmupDecay(steps, min(warmup, steps // 10), steps // 2, "linear")
    task = AnswerTask(model, optimizers, make_schedules(optimizers, factor), precision="auto", device=device)
    return fit(task, RowBatches(rows, batch_tokens, seed), steps, progress=progress)
