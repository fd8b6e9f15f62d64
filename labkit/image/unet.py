"""A small U-Net over 28x28 pictures that looks at the words of a caption and is told the time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.common import LabkitError
from labkit.image.text_encoder import Encoded, check_whole

SIDE = 28  # pixels of a picture's side
FOLD = 2  # pixels of a square that becomes one place with four times the channels
MAX_TIME_PERIOD = 1000.0


def check_channels(config: Any) -> None:
    """Refuse ``channels`` and ``deep_channels`` that neither groups of 8 nor ``num_heads`` divide, by their name."""
    for name in ("channels", "deep_channels"):
        size = getattr(config, name)
        if size % 8 or size % config.num_heads:
            raise LabkitError(
                f"{name} is {size}. Give a multiple of 8 and of num_heads ({config.num_heads})."
            )


@dataclass(frozen=True)
class UNetConfig:
    """Shape of a ``UNet``.

    It works on two grids: 14x14 places with ``channels``, each a square of 2x2 pixels, and 7x7 places with
    ``deep_channels``, where it also looks at the words and from each place at every other. ``num_blocks``
    is the number of residual blocks on 7x7; ``text_size`` that of the caption's vectors.
    """

    picture_channels: int = 3
    channels: int = 48
    deep_channels: int = 96
    num_blocks: int = 2
    num_heads: int = 4
    text_size: int = 96

    def __post_init__(self) -> None:
        for name in ("picture_channels", "channels", "deep_channels", "num_blocks", "num_heads", "text_size"):
            check_whole(name, getattr(self, name))
        check_channels(self)


class UNet(nn.Module):
    """A picture-sized answer for a picture, a time in [0, 1], a guidance and a caption's vectors.

    After Ronneberger et al. 2015 (arXiv:1505.04597): down to a coarse grid, up again, and the fine grid's own
    features beside what comes up. Every residual block is scaled and shifted by time, guidance and sentence
    (Perez et al. 2018, arXiv:1709.07871); words come in by attention, so that each place takes what it needs.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        fine, deep, text = config.channels, config.deep_channels, config.text_size
        folded = config.picture_channels * FOLD**2
        self.signals = Signals(deep, text)
        self.enter = nn.Conv2d(folded, fine, 3, padding=1)
        self.places = nn.Parameter(0.02 * torch.randn(1, fine, SIDE // FOLD, SIDE // FOLD))
        self.first = ResidualBlock(fine, fine, deep)
        self.down = nn.Conv2d(fine, deep, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(deep, deep, deep) for _ in range(config.num_blocks))
        self.looks = nn.ModuleList(Look(deep, text, config.num_heads) for _ in range(config.num_blocks))
        self.up = nn.Conv2d(deep, 4 * fine, 1)
        self.last = ResidualBlock(2 * fine, fine, deep)
        self.leave = nn.Sequential(nn.GroupNorm(8, fine), nn.SiLU(), nn.Conv2d(fine, folded, 3, padding=1))
        nn.init.zeros_(self.leave[2].weight)
        nn.init.zeros_(self.leave[2].bias)

    def forward(self, pictures: Tensor, time: Tensor, guidance: Tensor, text: Encoded) -> Tensor:
        """``pictures`` (B, C, 28, 28), ``time`` and ``guidance`` (B,); returns (B, C, 28, 28)."""
        signal = self.signals(time, guidance, text.sentence)  # (B, D)
        folded = F.pixel_unshuffle(pictures, FOLD)  # (B, 4 C, 14, 14)
        fine = self.first(self.enter(folded) + self.places, signal)  # (B, F, 14, 14)
        deep = self.down(fine)  # (B, D, 7, 7)
        for block, look in zip(self.blocks, self.looks, strict=True):
            deep = look(block(deep, signal), text)
        up = F.pixel_shuffle(self.up(deep), 2)  # (B, F, 14, 14)
        fine = self.last(torch.cat([up, fine], 1), signal)
        return F.pixel_shuffle(self.leave(fine), FOLD)


class Signals(nn.Module):
    """Time, guidance and sentence as one vector for the residual blocks."""

    def __init__(self, size: int, text_size: int, waves: int = 32) -> None:
        super().__init__()
        self.waves = waves
        self.time = nn.Linear(2 * waves, size)
        self.guidance = nn.Linear(2 * waves, size, bias=False)
        self.sentence = nn.Linear(text_size, size)
        self.out = nn.Linear(size, size)
        nn.init.zeros_(self.guidance.weight)  # until it is trained, guidance changes nothing

    def forward(self, time: Tensor, guidance: Tensor, sentence: Tensor) -> Tensor:
        steps = self.time(waves_of(time, self.waves)) + self.guidance(
            waves_of((guidance - 1) / 8, self.waves)
        )
        return F.silu(self.out(F.silu(steps + self.sentence(sentence))))


def waves_of(value: Tensor, count: int) -> Tensor:
    """(B,) in about [0, 1] as sines and cosines of ``count`` periods (B, 2 count).

    The position encoding of Vaswani et al. 2017 (arXiv:1706.03762, section 3.5), on a value 1,000 times as large.
    """
    places = torch.arange(count, device=value.device, dtype=torch.float32) / count
    rates = torch.exp(-math.log(MAX_TIME_PERIOD) * places)
    angles = MAX_TIME_PERIOD * value.float()[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)


class ResidualBlock(nn.Module):
    """x + conv(silu((1 + scale) norm(conv(silu(norm(x)))) + shift)), scale and shift from the signal."""

    def __init__(self, channels: int, out_channels: int, signal_size: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels, out_channels, 3, padding=1)
        self.change = nn.Linear(signal_size, 2 * out_channels)
        self.norm2 = nn.GroupNorm(8, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.past = nn.Identity() if channels == out_channels else nn.Conv2d(channels, out_channels, 1)
        nn.init.zeros_(self.conv2.weight)  # a fresh block changes nothing
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: Tensor, signal: Tensor) -> Tensor:
        hidden = self.norm2(self.conv1(F.silu(self.norm1(x))))
        scale, shift = self.change(signal)[:, :, None, None].chunk(2, 1)
        return self.past(x) + self.conv2(F.silu(torch.addcmul(hidden + shift, hidden, scale)))


class Look(nn.Module):
    """Each place looks at all places, then at the words."""

    def __init__(self, channels: int, text_size: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm = nn.GroupNorm(8, channels)
        self.project = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.words = WordAttention(channels, text_size, num_heads)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, text: Encoded) -> Tensor:
        parts = self.project(sequence(self.norm(x))).chunk(3, 2)
        query, key, value = (heads(part, self.num_heads) for part in parts)
        seen = together(F.scaled_dot_product_attention(query, key, value))  # (B, P, C)
        return self.words(x + grid(self.out(seen), x), text)


class WordAttention(nn.Module):
    """x + what each place takes from the words: softmax(Q K^T / sqrt(d)) V, Q from places, K and V from words.

    Vaswani et al. 2017 (arXiv:1706.03762, eq. 1), across picture and text as in Rombach et al. 2022
    (arXiv:2112.10752, section 3.3).
    """

    def __init__(self, channels: int, text_size: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm = nn.GroupNorm(8, channels)
        self.query = nn.Linear(channels, channels, bias=False)
        self.key_value = nn.Linear(text_size, 2 * channels)
        self.out = nn.Linear(channels, channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, text: Encoded) -> Tensor:
        query = heads(self.query(sequence(self.norm(x))), self.num_heads)
        key, value = (heads(part, self.num_heads) for part in self.key_value(text.words).chunk(2, 2))
        visible = text.visible[:, None, None, :]  # (B, 1, 1, 1 + T)
        return x + grid(
            self.out(together(F.scaled_dot_product_attention(query, key, value, attn_mask=visible))), x
        )

    @torch.no_grad()
    def weights(self, x: Tensor, text: Encoded) -> Tensor:
        """How much each place takes from each word: (B, heads, places, 1 + T), rows that sum to 1."""
        query = heads(self.query(sequence(self.norm(x))), self.num_heads)
        key = heads(self.key_value(text.words).chunk(2, 2)[0], self.num_heads)
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
        return scores.masked_fill(~text.visible[:, None, None, :], -math.inf).softmax(-1)


def sequence(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H W, C)."""
    return x.flatten(2).transpose(1, 2)


def grid(x: Tensor, like: Tensor) -> Tensor:
    """(B, H W, C) -> (B, C, H, W), with the height and width of ``like``."""
    return x.transpose(1, 2).unflatten(2, like.shape[2:])


def heads(x: Tensor, count: int) -> Tensor:
    """(B, L, C) -> (B, count, L, C / count)."""
    return x.unflatten(2, (count, -1)).transpose(1, 2)


def together(x: Tensor) -> Tensor:
    """(B, heads, L, d) -> (B, L, heads d): undoes ``heads``."""
    return x.transpose(1, 2).flatten(2)
