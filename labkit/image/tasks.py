"""What the training of both kinds of generators needs: pictures as floats, averaged weights, states that fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from labkit.common import LabkitError


def as_pictures(pictures: Tensor) -> Tensor:
    """Float pictures in [-1, 1], (B, C, 28, 28): bytes are brought there, floats pass."""
    if pictures.dtype == torch.uint8:
        return pictures.float() / 127.5 - 1
    return pictures


def averaged_copy(model: nn.Module, decay: float) -> AveragedModel:
    """The running mean of the model's weights, w <- d w + (1 - d) new, with d = min(decay, (1 + n) / (10 + n)).

    n counts the updates, so that the mean soon forgets the first weights. A generator that is trained circles
    about a point, and the mean lies nearer to it (Yazici et al. 2019, arXiv:1806.04498).
    """
    if not 0 < decay < 1:
        raise LabkitError(f"average is {decay!r}. Give a number between 0 and 1.")

    @torch.no_grad()
    def update(means: list[Tensor], news: list[Tensor], count: Tensor) -> None:
        n = int(count)
        torch._foreach_lerp_(means, news, 1 - min(decay, (1 + n) / (10 + n)))

    return AveragedModel(model, multi_avg_fn=update).requires_grad_(False).eval()


def refuse_other_settings(saved: Mapping[str, Any], current: Mapping[str, Any]) -> None:
    """A run goes on with the settings that it began with, or not at all."""
    for name, value in current.items():
        if saved.get(name) != value:
            raise LabkitError(f"{name} was {saved.get(name)!r} and is {value!r}.")
