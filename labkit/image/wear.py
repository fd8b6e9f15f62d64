"""Wear that a judge must bear (softness, noise, shade, slight bends), and faults for which it must refuse a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

Fault = Callable[[Tensor, Tensor, Generator], Tensor]

# Pictures are float (N, C, 28, 28) in [-1, 1]. Every function draws from the generator that it is given.


def wear(pictures: Tensor, draw: Generator) -> Tensor:
    """The same things, as a good generator may draw them: a blur of up to a pixel, noise of up to 6 % of the range,
    edges bent by up to about half a pixel, and channels up to 3 % too light or too dark."""
    pictures = bend(pictures, 0.3 * _rand(pictures, draw), draw)
    pictures = pictures + _rand(pictures, draw) * (blur(pictures, 2) - pictures)
    shade = 0.06 * (2 * torch.rand(*pictures.shape[:2], 1, 1, generator=draw) - 1)
    noise = 0.12 * _rand(pictures, draw) * torch.randn(pictures.shape, generator=draw)
    return (pictures + shade + noise).clamp(-1, 1)


def spoil(pictures: Tensor, draw: Generator, faults: Sequence[Fault] | None = None) -> Tensor:
    """Each picture with one of the ``faults`` of generators (all of this module, where none are named), by chance."""
    faults = faults or (ghost, smear, bite, mush, haze, storm, fade, tint, melt)
    chosen = torch.randint(len(faults), (len(pictures),), generator=draw)
    spoilt = pictures.clone()
    for number, fault in enumerate(faults):
        rows = (chosen == number).nonzero()[:, 0]
        if len(rows):
            spoilt[rows] = fault(pictures, rows, draw)
    return spoilt.clamp(-1, 1)


def ghost(pictures: Tensor, rows: Tensor, draw: Generator) -> Tensor:
    """Two pictures at once, neither of them faint."""
    others = torch.randint(1, len(pictures), (len(rows),), generator=draw)
    share = 0.3 + 0.4 * _rand(rows, draw)
    return torch.lerp(pictures[rows], pictures[(rows + others) % len(pictures)], share)


def smear(pictures: Tensor, rows: Tensor, draw: Generator) -> Tensor:
    """A soft spot of another colour somewhere."""
    spot, colour = _spot(rows, draw, 1.2, 3.0), _colour(pictures, rows, draw)
    return torch.lerp(pictures[rows], colour, spot * (0.6 + 0.4 * _rand(rows, draw)))


def bite(pictures: Tensor, rows: Tensor, draw: Generator) -> Tensor:
    """A piece of what is drawn is missing: its place has the colour of the background."""
    chosen = pictures[rows]
    ground = (
        chosen.flatten(2).median(dim=2).values[:, :, None, None]
    )  # things cover less than half of a picture
    ink = (chosen - ground).abs().amax(dim=1)
    edge = (_shifted(ink, 1) - ink).abs() + (_shifted(ink, 2) - ink).abs()
    place = torch.multinomial(edge.flatten(1).clamp(min=1e-6) ** 2, 1, generator=draw)[:, 0]
    y, x = place // ink.shape[1], place % ink.shape[2]
    spot = _disc(x, y, 2.0 + 1.5 * _rand(rows, draw)[:, :, 0, 0], ink.shape[1])
    return torch.lerp(chosen, ground.expand_as(chosen), spot)


def mush(pictures: Tensor, rows: Tensor, draw: Generator) -> Tensor:
    """Smooth random colours, from patches to one flat shade, as an untrained generator makes them."""
    grid = int(torch.randint(1, 9, (), generator=draw))
    coarse = torch.rand(len(rows), pictures.shape[1], grid, grid, generator=draw)
    return F.interpolate(coarse, pictures.shape[-2:], mode="bilinear", align_corners=False) * 2 - 1


def haze(pictures: Tensor, rows: Tensor, draw: Generator) -> Tensor:
    """Blurred by two pixels or more."""
    return blur(pictures[rows], int(torch.randint(9, 16, (), generator=draw)))


def storm(pictures: Tensor, rows: Tensor, draw: Generator) -> Tensor:
    """Noise of a fifth of the range or more."""
    noise = torch.randn(pictures[rows].shape, generator=draw)
    return pictures[rows] + (0.4 + 0.6 * _rand(rows, draw)) * noise


def fade(pictures: Tensor, rows: Tensor, draw: Generator) -> Tensor:
    """What is drawn has half of its strength, or less."""
    chosen = pictures[rows]
    ground = chosen.flatten(2).median(dim=2).values[:, :, None, None]
    return torch.lerp(ground.expand_as(chosen), chosen, 0.1 + 0.4 * _rand(rows, draw))


def tint(pictures: Tensor, rows: Tensor, draw: Generator) -> Tensor:
    """All of the picture in another light."""
    strength = 0.4 + 0.6 * _rand(rows, draw)
    return torch.lerp(pictures[rows], _colour(pictures, rows, draw), strength * 0.7)


def melt(pictures: Tensor, rows: Tensor, draw: Generator) -> Tensor:
    """Bent out of shape, by two to four pixels."""
    return bend(pictures[rows], 2.0 + 2.0 * _rand(rows, draw), draw)


def blur(pictures: Tensor, times: int) -> Tensor:
    """A binomial blur (1, 2, 1) / 4 both ways, ``times`` times: its standard deviation is sqrt(times / 2) pixels."""
    for _ in range(times):
        rows = F.pad(pictures, (1, 1, 0, 0), mode="replicate")
        pictures = (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]) / 4
        columns = F.pad(pictures, (0, 0, 1, 1), mode="replicate")
        pictures = (columns[..., :-2, :] + 2 * columns[..., 1:-1, :] + columns[..., 2:, :]) / 4
    return pictures


def bend(pictures: Tensor, strength: Tensor, draw: Generator) -> Tensor:
    """Moved by smooth random shifts with a standard deviation of ``strength`` (N, 1, 1, 1) pixels."""
    count, _, height, width = pictures.shape
    coarse = torch.randn(count, 2, 6, 6, generator=draw) * strength
    shift = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)
    grid = F.affine_grid(torch.eye(2, 3).expand(count, 2, 3), pictures.shape, align_corners=False)
    grid = grid + shift.permute(0, 2, 3, 1) * (2 / width)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _rand(like: Tensor, draw: Generator) -> Tensor:
    """One number in [0, 1) for each picture: (N, 1, 1, 1)."""
    return torch.rand(len(like), 1, 1, 1, generator=draw)


def _colour(pictures: Tensor, rows: Tensor, draw: Generator) -> Tensor:
    return 2 * torch.rand(len(rows), pictures.shape[1], 1, 1, generator=draw) - 1


def _spot(rows: Tensor, draw: Generator, smallest: float, largest: float) -> Tensor:
    """Soft spots (N, 1, 28, 28) with a standard deviation between these, in pixels."""
    x, y, size = torch.rand(3, len(rows), 1, 1, generator=draw)
    axis = torch.arange(28) + 0.5
    squared = (axis - 3 - 22 * x) ** 2 + (axis[:, None] - 3 - 22 * y) ** 2
    return torch.exp(-squared / (2 * (smallest + (largest - smallest) * size) ** 2))[:, None]


def _disc(x: Tensor, y: Tensor, radius: Tensor, side: int) -> Tensor:
    """Discs (N, 1, side, side) around pixels x, y (N,), with a radius (N, 1)."""
    axis = torch.arange(side)
    distance = torch.hypot(
        (axis - x[:, None]).float()[:, None, :].expand(-1, side, -1),
        (axis - y[:, None]).float()[:, :, None].expand(-1, -1, side),
    )
    return (radius[:, :, None] + 0.5 - distance).clamp(0, 1)[:, None]


def _shifted(ink: Tensor, dim: int) -> Tensor:
    return torch.roll(ink, 1, dims=dim)
