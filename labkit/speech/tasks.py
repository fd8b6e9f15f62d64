"""Training of the parts: batches of utterances of like length, and the task of the acoustic model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from labkit.common import LabkitError
from labkit.speech.acoustic import PADDING, AcousticModel, Inventory
from labkit.speech.corpus import Utterance
from labkit.speech.mel import BANDS


class UtteranceBatches:
    """Batches of about ``frames`` frames, of utterances of like length, padded; ``batches(step)`` for ``fit``.

    ``rows[i]`` is a tuple of tensors; every tensor of a batch is padded at the end of its first axis with zeros. A
    batch depends on ``seed`` and ``step`` alone. Where the length tells what is said, as with single words, batches of
    like length are one-sided: ``spread`` mixes neighbours, as if each logarithm of a length had so large an error.
    """

    def __init__(
        self,
        rows: Sequence[tuple[Tensor, ...]],
        lengths: Sequence[int],
        frames: int,
        seed: int = 0,
        spread: float = 0.0,
    ):
        if not rows:
            raise LabkitError("There are no utterances to train on.")
        self.rows, self.seed = rows, seed
        noise = np.random.default_rng(seed).standard_normal(len(rows))
        self.groups, group, longest = [], [], 0
        for row in np.argsort(np.asarray(lengths) * np.exp(spread * noise), kind="stable"):
            longest = max(longest, lengths[row])
            if group and (len(group) + 1) * longest > frames:
                self.groups.append(group)
                group, longest = [], lengths[row]
            group.append(int(row))
        self.groups.append(group)
        self._epoch = -1

    def __call__(self, step: int) -> tuple[Tensor, ...]:
        epoch, place = divmod(step, len(self.groups))
        if epoch != self._epoch:
            self._order = np.random.default_rng((self.seed, epoch)).permutation(len(self.groups))
            self._epoch = epoch
        group = self.groups[self._order[place]]
        return tuple(_together(parts) for parts in zip(*(self.rows[row] for row in group), strict=True))


def _together(parts: Sequence[Tensor]) -> Tensor:
    """Numbers in one row, longer tensors padded at their ends."""
    return nn.utils.rnn.pad_sequence(parts, batch_first=True) if parts[0].ndim else torch.stack(parts)


class AcousticTask:
    """Trains an acoustic model: L1 of the normalized bands, and of ln(1 + frames), with averaged weights.

    The mean of the weights, w <- d w + (1 - d) new with d = min(decay, (1 + n) / (10 + n)), is ``averaged``: the model
    to use. At a learning rate that hardly falls it is nearer to the optimum than the last weights are.
    """

    def __init__(
        self,
        model: AcousticModel,
        optimizer: torch.optim.Optimizer,
        schedule: Any = None,
        decay: float = 0.998,
        clip_norm: float = 1.0,
    ):
        self.model, self.optimizer, self.schedule, self.clip_norm = model, optimizer, schedule, clip_norm
        self.averaged = averaged_copy(model, decay)

    def step(self, batch: tuple[Tensor, Tensor, Tensor]) -> dict[str, float]:
        phones, durations, mel = batch
        self.model.train()
        self.optimizer.zero_grad()
        bands, log_durations = self.model(phones, durations)
        frames = torch.arange(bands.shape[1]) < durations.sum(1, keepdim=True)  # (B, T)
        target = (mel - self.model.band_mean) / self.model.band_deviation
        mel_loss = (bands - target).abs()[frames].mean()
        known = phones[..., 0] != PADDING
        duration_loss = (log_durations - durations.float().log1p()).abs()[known].mean()
        (mel_loss + duration_loss).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        self.averaged.update_parameters(self.model)
        return {"mel": mel_loss.item(), "duration": duration_loss.item()}

    def state_dict(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])


def averaged_copy(model: nn.Module, decay: float) -> AveragedModel:
    """The running mean of a model's weights, that soon forgets the first ones."""
    if not 0 < decay < 1:
        raise LabkitError(f"decay is {decay!r}. Give a number between 0 and 1.")

    @torch.no_grad()
    def update(means: list[Tensor], news: list[Tensor], count: Tensor) -> None:
        n = int(count)
        torch._foreach_lerp_(means, news, 1 - min(decay, (1 + n) / (10 + n)))

    return AveragedModel(model, multi_avg_fn=update).requires_grad_(False).eval()


def acoustic_rows(
    utterances: Sequence[Utterance], inventory: Inventory
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Phones (P, 2), durations (P,) and log-mel (T, 80) of each utterance."""
    return [
        (inventory.ids(one.phones), torch.tensor(one.durations, dtype=torch.int64), one.mel())
        for one in utterances
    ]


def set_band_statistics(model: AcousticModel, mels: Sequence[Tensor]) -> None:
    """Give the model the mean and the standard deviation of each band over all frames."""
    count = sum(len(mel) for mel in mels)
    mean = sum(mel.double().sum(0) for mel in mels) / count
    variance = sum(((mel.double() - mean) ** 2).sum(0) for mel in mels) / count
    assert mean.shape == (BANDS,)
    model.band_mean.copy_(mean)
    model.band_deviation.copy_(variance.sqrt().clamp(min=1e-2))
