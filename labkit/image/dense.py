"""A network without convolutions that says the clean picture behind a noisy one, in principal components: cheap where
pictures are few and centred."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.common import LabkitError
from labkit.image.tasks import as_pictures
from labkit.image.text_encoder import Encoded, check_whole
from labkit.image.unet import SIDE, Signals


@dataclass(frozen=True)
class DenseConfig:
    """Shape of a ``DenseNetwork``: ``num_blocks`` residual blocks of ``width`` numbers for a whole picture, scaled and
    shifted by a signal of ``signal_size``. It sees and says pictures in ``components`` principal components;
    ``text_size`` is the size of the caption's vector."""

    picture_channels: int = 1
    components: int = 64
    width: int = 384
    num_blocks: int = 2
    signal_size: int = 48
    text_size: int = 32

    def __post_init__(self) -> None:
        for name in ("picture_channels", "components", "width", "num_blocks", "signal_size", "text_size"):
            check_whole(name, getattr(self, name))
        if self.components > self.pixels:
            raise LabkitError(
                f"components is {self.components}. A picture has {self.pixels} numbers: give at most so many."
            )

    @property
    def pixels(self) -> int:
        """Numbers of a picture."""
        return self.picture_channels * SIDE**2


class DenseNetwork(nn.Module):
    """A picture for a noisy picture, a time in [0, 1], a guidance and a caption's vectors, of which it reads the
    sentence's.

    Of 784 pixels few are free: 64 principal components hold 99.8 % of how real digits differ. Only along these does
    the network look at a picture, and what it says is the mean picture and so much of each: a linear, and so the
    smallest, kind of the hidden pictures that Rombach et al. 2022 (arXiv:2112.10752, section 3.1) draw in. Noise in the
    other directions cannot reach the answer, nor has it to be learned to be nothing. ``take_components`` fits mean and
    directions to the pictures of the training, once, before it.

    A matrix product does on one core several times as many operations a second as a convolution with few channels,
    and digits that stand in the middle have no use for a convolution's being the same everywhere.
    """

    def __init__(self, config: DenseConfig) -> None:
        super().__init__()
        self.config = config
        self.signals = Signals(config.signal_size, config.text_size)
        self.register_buffer("mean", torch.zeros(config.pixels))
        self.register_buffer("directions", torch.zeros(config.components, config.pixels))
        self.enter = nn.Linear(config.components, config.width)
        self.blocks = nn.ModuleList(
            DenseBlock(config.width, config.signal_size) for _ in range(config.num_blocks)
        )
        self.leave = nn.Linear(config.width, config.components)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    @torch.no_grad()
    def take_components(self, pictures: Tensor) -> None:
        """Mean and principal directions of pictures (N, C, 28, 28): orthonormal rows, the most varied first; with fewer
        than ``components`` pictures the last rows stay 0."""
        rows = as_pictures(pictures).flatten(1).double()
        self.mean.copy_(rows.mean(0))
        covariance = torch.cov(rows.T, correction=0)
        directions = torch.linalg.eigh(covariance).eigenvectors.T.flip(0)  # eigh gives the least varied first
        count = min(self.config.components, len(rows) - 1)
        self.directions.zero_()
        self.directions[:count].copy_(directions[:count])

    def forward(self, pictures: Tensor, time: Tensor, guidance: Tensor, text: Encoded) -> Tensor:
        """``pictures`` (B, C, 28, 28), ``time`` and ``guidance`` (B,); returns (B, C, 28, 28)."""
        signal = self.signals(time, guidance, text.sentence)  # (B, S)
        hidden = self.enter(pictures.flatten(1) @ self.directions.T)  # (B, W)
        for block in self.blocks:
            hidden = block(hidden, signal)
        said = self.mean + self.leave(F.silu(hidden)) @ self.directions  # (B, C 28 28)
        return said.view_as(pictures)


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
