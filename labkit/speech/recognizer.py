"""Mel to sounds: a small recognizer trained with CTC. It is the judge of synthesized speech, and never its teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labkit.common import LabkitError
from labkit.speech.acoustic import ConvolutionBlock, run_packed
from labkit.speech.mel import BANDS, SILENCE

BLANK = 0


@dataclass(frozen=True)
class RecognizerConfig:
    """Shape of a recognizer: it hears ``frames_per_step`` frames at once, and writes at most one sound a step."""

    sounds: tuple[str, ...]
    hidden_size: int = 128
    layers: int = 2
    kernel_size: int = 5
    frames_per_step: int = 2

    def __post_init__(self) -> None:
        for name in ("hidden_size", "layers", "kernel_size", "frames_per_step"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise LabkitError(f"RecognizerConfig.{name} is {value!r}. Give a whole number from 1.")
        if not self.sounds or len(set(self.sounds)) != len(self.sounds):
            raise LabkitError("RecognizerConfig.sounds must name at least one sound, and none twice.")
        if self.hidden_size % 2 or self.kernel_size % 2 == 0:
            raise LabkitError("RecognizerConfig needs an even hidden_size and an odd kernel_size.")


class Recognizer(nn.Module):
    """Log-mel to the logits of blank and sounds: convolutions, then a GRU in both directions."""

    def __init__(self, config: RecognizerConfig) -> None:
        super().__init__()
        self.config = config
        size = config.hidden_size
        self.first = nn.Linear(BANDS * config.frames_per_step, size)
        self.blocks = nn.ModuleList(ConvolutionBlock(size, config.kernel_size) for _ in range(config.layers))
        self.gru = nn.GRU(size, size // 2, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(size)
        self.last = nn.Linear(size, len(config.sounds) + 1)

    def forward(self, mels: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities (B, S, 1 + sounds) and the steps (B,) of log-mels (B, T, 80) of ``lengths`` (B,) frames."""
        together = self.config.frames_per_step
        B, T, _ = mels.shape
        known = (torch.arange(T) < lengths[:, None]).float()[..., None]
        # 0 is silence, and padding is silence.
        x = F.pad((mels - SILENCE) / 4 * known, (0, 0, 0, -T % together))
        steps = (lengths + together - 1) // together
        x = F.relu(self.first(x.reshape(B, -1, BANDS * together)))  # (B, S, H)
        visible = (torch.arange(x.shape[1]) < steps[:, None]).float()[..., None]
        for block in self.blocks:
            x = block(x, visible)
        x = x + run_packed(self.gru, x, visible)
        return self.last(self.norm(x)).log_softmax(-1), steps

    def ids(self, sounds: Sequence[str]) -> Tensor:
        """int64 (S,) from 1; sounds that the recognizer does not know are refused."""
        numbers = {sound: number for number, sound in enumerate(self.config.sounds, start=1)}
        unknown = sorted(set(sounds) - set(numbers))
        if unknown:
            raise LabkitError(
                f"The recognizer has no sounds {', '.join(unknown)}. Train it on speech that has them."
            )
        return torch.tensor([numbers[sound] for sound in sounds], dtype=torch.int64)

    @torch.no_grad()
    def transcribe(self, mel: Tensor | np.ndarray) -> list[str]:
        """The sounds that it hears in a log-mel (T, 80): the best of each step, repeats merged, blanks dropped.

        Graves et al. 2006, Connectionist temporal classification, section 3.2 (best path decoding).
        """
        mel = torch.as_tensor(mel, dtype=torch.float32)
        if mel.ndim != 2 or mel.shape[1] != BANDS or not len(mel):
            raise LabkitError(f"The log-mel has the shape {tuple(mel.shape)}. Give (frames, {BANDS}).")
        self.eval()
        best = self(mel[None], torch.tensor([len(mel)]))[0][0].argmax(1)
        merged = best[torch.cat([torch.tensor([True]), best[1:] != best[:-1]])]
        return [self.config.sounds[number - 1] for number in merged.tolist() if number != BLANK]


class RecognizerTask:
    """Trains a recognizer by the CTC loss on worn log-mels, for ``fit``. Batches: (mels, lengths, ids, counts).

    Bands and stretches of time are blanked (Park et al. 2019, arXiv:1904.08779, without time warping), noise is added
    and loudness shifted, so that the judge listens to the whole of a sound and forgives a vocoder's grain. ``worn=False``
    leaves that out: for single words, which have little to spare.
    """

    def __init__(
        self,
        model: Recognizer,
        optimizer: torch.optim.Optimizer,
        schedule: Any = None,
        clip_norm: float = 1.0,
        worn: bool = True,
    ) -> None:
        self.model, self.optimizer, self.schedule, self.clip_norm = model, optimizer, schedule, clip_norm
        self.worn = worn

    def step(self, batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> dict[str, float]:
        mels, lengths, ids, counts = batch
        self.model.train()
        self.optimizer.zero_grad()
        log_probabilities, steps = self.model(wear(mels) if self.worn else mels, lengths)
        loss = F.ctc_loss(
            log_probabilities.transpose(0, 1), ids, steps, counts, blank=BLANK, zero_infinity=True
        )
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        return {"loss": loss.item()}

    def state_dict(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])


def wear(mels: Tensor) -> Tensor:
    """Log-mels (B, T, 80) with noise, another loudness, and some bands and frames at the mean."""
    B, T, _ = mels.shape
    noise = 0.3 * torch.rand(B, 1, 1) * torch.randn(mels.shape)
    louder = 0.4 * torch.randn(B, 1, 1)
    worn = (mels + noise + louder).clamp(min=SILENCE)
    for axis, size, widest in ((2, BANDS, 12), (1, T, 8)):
        start = torch.rand(B, 1, 1) * size
        width = torch.rand(B, 1, 1) * widest
        place = torch.arange(size).reshape((1, 1, -1) if axis == 2 else (1, -1, 1))
        worn = torch.where((place >= start) & (place < start + width), worn.mean(), worn)
    return worn


def recognizer_rows(
    recognizer: Recognizer, mels: Sequence[Tensor], sounds: Sequence[Sequence[str]]
) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Mel, its frames, the ids of its sounds, and their number, for ``UtteranceBatches``."""
    rows = []
    for mel, said in zip(mels, sounds, strict=True):
        ids = recognizer.ids(said)
        rows.append((mel, torch.tensor(len(mel)), ids, torch.tensor(len(ids))))
    return rows
