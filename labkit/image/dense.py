"""A network without convolutions that says the clean picture behind a noisy one: cheap where pictures are few and centred."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.image.text_encoder import Encoded, check_whole
from labkit.image.unet import SIDE, Signals


@dataclass(frozen=True)
class DenseConfig:
    """Shape of a ``DenseNetwork``: ``num_blocks`` residual blocks of ``width`` numbers for a whole picture, scaled and
    shifted by a signal of ``signal_size``; ``text_size`` is the size of the caption's vector."""

    picture_channels: int = 1
    width: int = 384
    num_blocks: int = 2
    signal_size: int = 48
    text_size: int = 32

    def __post_init__(self) -> None:
        for name in ("picture_channels", "width", "num_blocks", "signal_size", "text_size"):
            check_whole(name, getattr(self, name))


class DenseNetwork(nn.Module):
    """A picture for a noisy picture, a time in [0, 1], a guidance and a caption's vectors, of which it reads the
    sentence's.

    A matrix product does on one core several times as many operations a second as a convolution with few channels,
    and digits that stand in the middle have no use for a convolution's being the same everywhere.
    """

    def __init__(self, config: DenseConfig) -> None:
        super().__init__()
        self.config = config
        pixels = config.picture_channels * SIDE**2
        self.signals = Signals(config.signal_size, config.text_size)
        self.enter = nn.Linear(pixels, config.width)
        self.blocks = nn.ModuleList(
            DenseBlock(config.width, config.signal_size) for _ in range(config.num_blocks)
        )
        self.leave = nn.Linear(config.width, pixels)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, pictures: Tensor, time: Tensor, guidance: Tensor, text: Encoded) -> Tensor:
        """``pictures`` (B, C, 28, 28), ``time`` and ``guidance`` (B,); returns (B, C, 28, 28)."""
        signal = self.signals(time, guidance, text.sentence)  # (B, S)
        hidden = self.enter(pictures.flatten(1))  # (B, W)
        for block in self.blocks:
            hidden = block(hidden, signal)
        return self.leave(F.silu(hidden)).view_as(pictures)


class DenseBlock(nn.Module):
    """x + B silu(A ((1 + scale) norm(x) + shift)), scale and shift from the signal."""

    def __init__(self, width: int, signal_size: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.change = nn.Linear(signal_size, 2 * width)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)
        nn.init.zeros_(self.outer.weight)  # a fresh block changes nothing
        nn.init.zeros_(self.outer.bias)

    def forward(self, x: Tensor, signal: Tensor) -> Tensor:
        scale, shift = self.change(signal).chunk(2, 1)
        normed = self.norm(x)
        return x + self.outer(F.silu(self.inner(torch.addcmul(normed + shift, normed, scale))))
