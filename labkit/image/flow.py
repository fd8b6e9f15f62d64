"""Flow matching: a velocity learned along straight lines from noise to pictures, guidance, and sampling in few steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from labkit.common import LabkitError
from labkit.image.dense import DenseConfig, DenseNetwork
from labkit.image.tasks import as_pictures, averaged_copy, refuse_other_settings
from labkit.image.text_encoder import Encoded, TextConfig, TextEncoder, check_whole
from labkit.image.unet import SIDE, UNet, UNetConfig

SOLVERS = ("euler", "midpoint", "heun")
PRECISIONS = ("float32", "bfloat16")
LEAST_TIME_LEFT = 0.05  # what a picture that the network said is reached in, at least
PICTURE_SCALE = 0.8  # root mean square of pictures in [-1, 1]: of scenes 0.79, of digits 0.83


@dataclass(frozen=True)
class FlowConfig:
    """Shape of a ``Flow``.

    ``network`` says how much the velocity differs from a linear guess (U-Net), or the clean picture (dense).
    ``max_guidance``: the network was told what guidance, up to this, it should answer with, and one pass
    answers; None: guidance takes two passes.
    """

    text: TextConfig
    network: UNetConfig | DenseConfig
    max_guidance: float | None = None

    def __post_init__(self) -> None:
        if self.network.text_size != self.text.hidden_size:
            raise LabkitError(
                f"network.text_size is {self.network.text_size} and text.hidden_size {self.text.hidden_size}. "
                "Make them equal."
            )
        if self.max_guidance is not None and not self.max_guidance > 1:
            raise LabkitError(f"max_guidance is {self.max_guidance!r}. Give a number above 1, or None.")


class Flow(nn.Module):
    """The velocity with which a noisy picture should move, given the time and a caption.

    Noise x0 ~ N(0, 1) and a picture x1 are joined by a straight line, x_t = (1 - t) x0 + t x1, along which the
    velocity is x1 - x0 everywhere (Lipman et al. 2023, arXiv:2210.02747, eq. 22 with sigma_min = 0; Liu et al.
    2023, arXiv:2209.03003, eq. 1). What is learned is its mean over all pairs that pass through x_t.

    With pictures of root mean square s, x_t has r(t)^2 = (1 - t)^2 + (t s)^2, and the best linear guess of the
    velocity is k(t) x_t with k = (t s^2 - (1 - t)) / r^2. The U-Net U says the rest, which has variance (s / r)^2:
    v = k x_t + (s / r) U(x_t / r, t, caption). So it need not carry the noise through from its input to its output,
    and starts from the linear guess (Karras et al. 2022, arXiv:2206.00364, section 5, in these coordinates).

    A dense network D looks along fewer directions than a picture has pixels, and cannot carry the noise through. It
    says the clean picture, of which there is less to say, and the way there is the velocity: v = (D - x_t) / (1 - t), with
    1 - t of at least 0.05 (Li and He 2025, arXiv:2511.13720, table 1). So the last step ends on a clean picture.
    """

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.text = TextEncoder(config.text)
        dense = isinstance(config.network, DenseConfig)
        self.network = DenseNetwork(config.network) if dense else UNet(config.network)

    def forward(self, noisy: Tensor, time: Tensor, guidance: Tensor, text: Encoded) -> Tensor:
        """Velocity (B, C, 28, 28) at ``noisy`` (B, C, 28, 28) and ``time`` (B,).

        ``guidance`` (B,) is 1 for the plain velocity; others mean something to a network with ``max_guidance``.
        """
        t = time.view(-1, 1, 1, 1)
        size = ((1 - t).square() + (PICTURE_SCALE * t).square()).sqrt()
        answer = self.network(noisy / size, time, guidance, text)
        if isinstance(self.network, DenseNetwork):
            return (answer - noisy) / (1 - t).clamp(min=LEAST_TIME_LEFT)
        guess = (PICTURE_SCALE**2 * t - (1 - t)) / size.square() * noisy
        return guess + PICTURE_SCALE / size * answer

    def without_caption(self, text: Encoded) -> Encoded:
        """What the encoder gives for as many pictures without a caption."""
        visible = torch.zeros_like(text.visible)
        visible[:, 0] = True
        return Encoded(self.text.no_sentence.expand_as(text.sentence), text.words, visible)


def on_the_line(noise: Tensor, pictures: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
    """x_t = (1 - t) x0 + t x1 and the velocity x1 - x0, for ``time`` (B,)."""
    t = time.view(-1, 1, 1, 1)
    return torch.lerp(noise, pictures, t), pictures - noise


def guided(plain: Tensor, without: Tensor, guidance: float | Tensor) -> Tensor:
    """v_without + guidance (v_plain - v_without): classifier-free guidance.

    Ho and Salimans 2022 (arXiv:2207.12598, eq. 6, where their w is ``guidance`` - 1), for velocities as in Zheng
    et al. 2023 (arXiv:2311.13443). At 1 it is the plain velocity; above 1 pictures keep closer to the caption
    and vary less.
    """
    return torch.lerp(without, plain, guidance)


# --- Sampling --------------------------------------------------------------------------------------------


def picture_noise(count: int, seed: int, shape: tuple[int, ...] = (3, SIDE, SIDE), first: int = 0) -> Tensor:
    """Standard normal noise (count, *shape) for the pictures ``first``, ``first`` + 1, ... of a seed.

    Picture i has the same noise however many are drawn beside it.
    """
    rows = []
    for i in range(first, first + count):
        generator = np.random.default_rng([seed, i])
        rows.append(generator.standard_normal(shape, dtype=np.float32))
    return torch.from_numpy(np.stack(rows))


def times(steps: int, shift: float = 1.0) -> Tensor:
    """``steps`` + 1 times from 0 to 1. A ``shift`` above 1 spends more of the steps near the noise.

    t = u / (u + shift (1 - u)) for equally spaced u (Esser et al. 2024, arXiv:2403.03206, eq. 23, seen from the
    other end of time).
    """
    u = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    return (u / (u + shift * (1 - u))).float()


@torch.no_grad()
def sample(
    model: Flow,
    text: Encoded,
    noise: Tensor,
    steps: int = 8,
    guidance: float = 1.0,
    *,
    solver: str = "euler",
    shift: float = 1.0,
    watch: Callable[[int, float, Tensor], None] | None = None,
) -> Tensor:
    """Pictures (B, C, 28, 28) in [-1, 1]: dx/dt = v(x, t) followed from the noise at t = 0 to t = 1.

    ``euler`` asks the network once a step; ``midpoint`` and ``heun`` twice, with an error that falls with the
    square of the step (Karras et al. 2022, arXiv:2206.00364, algorithm 1, for heun). ``watch(step, t, x)`` sees
    every picture on its way, the noise first. Where the network was not trained to be told the guidance
    (``max_guidance``), each question takes two passes, with and without the caption.
    """
    velocity = _velocity_of(model, text, steps, guidance, solver)
    x, grid = noise, times(steps, shift).tolist()
    if watch:
        watch(0, 0.0, x)
    for step, (start, end) in enumerate(pairwise(grid), start=1):
        length = end - start
        v = velocity(x, start)
        if solver == "midpoint":
            v = velocity(x + length / 2 * v, start + length / 2)
        elif solver == "heun" and step < steps:  # at the end there is nothing to look ahead to
            v = (v + velocity(x + length * v, end)) / 2
        x = x + length * v
        if watch:
            watch(step, end, x)
    return x.clamp(-1, 1)


def _velocity_of(
    model: Flow, text: Encoded, steps: int, guidance: float, solver: str
) -> Callable[[Tensor, float], Tensor]:
    """v(x, t) with guidance, after a look at the arguments."""
    check_whole("steps", steps)
    if solver not in SOLVERS:
        raise LabkitError(f"solver is {solver!r}. Choose one of: {', '.join(SOLVERS)}.")
    if not (isinstance(guidance, int | float) and 0 <= guidance < math.inf):
        raise LabkitError(f"guidance is {guidance!r}. Give a number from 0; 1 is none.")
    most = model.config.max_guidance
    if most is not None and not 1 <= guidance <= most:
        raise LabkitError(f"guidance is {guidance}. These weights were trained for 1 to {most:g}.")
    one = torch.ones(len(text), device=text.sentence.device)
    if guidance == 1 or most is not None:
        return lambda x, t: model(x, one * t, one * guidance, text)
    both = Encoded.cat([text, model.without_caption(text)])
    twice = torch.cat([one, one])

    def two_passes(x: Tensor, t: float) -> Tensor:
        plain, without = model(torch.cat([x, x]), twice * t, twice, both).chunk(2)
        return guided(plain, without, guidance)

    return two_passes


# --- Training --------------------------------------------------------------------------------------------


class FlowTask:
    """Training of a ``Flow`` for labkit.training.fit. A batch is (pictures, tokens).

    Pictures are float in [-1, 1] or bytes, (B, C, 28, 28). The loss is the mean of |v(x_t, t, caption) - (x1 - x0)|^2,
    x0 ~ N(0, 1) and t = sigmoid(N(m, s^2)) (Esser et al. 2024, arXiv:2403.03206, section 3.1) with m, s = ``times``:
    where the things of a small picture lie is settled early, at t below 0.2, and only there the caption is needed to
    tell; an m below 0 asks for it more often.
    A caption is dropped with probability ``drop``, so that the network also learns the velocity without one.

    With the model's ``max_guidance``, from step ``fold_from`` on half of the rows are told a guidance w, uniform
    in [1, max_guidance], and learn x1 - x0 + (w - 1)(v_plain - v_without) of the averaged weights, whose mean is
    the guided velocity: two passes become one (Meng et al. 2023, arXiv:2210.03142; Tang et al. 2025,
    arXiv:2502.12154).

    ``averaged`` holds the mean weights (see ``averaged_copy``). Figures of a step: ``loss``.
    """

    def __init__(
        self,
        model: Flow,
        optimizer: Optimizer,
        schedule: LRScheduler | None = None,
        *,
        drop: float = 0.1,
        times: tuple[float, float] = (-0.6, 1.2),
        average: float = 0.999,
        fold_from: int = 0,
        clip_norm: float = 1.0,
        precision: str = "float32",
        device: str | torch.device = "cpu",
    ) -> None:
        if not 0 <= drop < 1:
            raise LabkitError(f"drop is {drop!r}. Give the share of captions to leave out, 0 to below 1.")
        if precision not in PRECISIONS:
            raise LabkitError(f"precision is {precision!r}. Choose one of: {', '.join(PRECISIONS)}.")
        check_whole("fold_from", fold_from, least=0)
        self.model = model.to(device)
        self.optimizer, self.schedule = optimizer, schedule
        self.drop, self.times, self.fold_from, self.clip_norm = drop, times, fold_from, clip_norm
        self.precision, self.device = precision, torch.device(device)
        self.averaged = averaged_copy(self.model, average)
        self.steps = 0
        self._settings = {
            "drop": drop,
            "times": list(times),
            "average": average,
            "fold_from": fold_from,
            "clip_norm": clip_norm,
        }

    def step(self, batch: tuple[Tensor, Tensor]) -> dict[str, float]:
        pictures, tokens = (part.to(self.device, non_blocking=True) for part in batch)
        self.model.train()
        self.optimizer.zero_grad()
        with self._lower_precision():
            loss = self.loss(as_pictures(pictures), tokens)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        self.averaged.update_parameters(self.model)
        self.steps += 1
        return {"loss": loss.item()}

    def loss(self, pictures: Tensor, tokens: Tensor) -> Tensor:
        """The loss of one batch, with fresh noise, times, dropped captions and guidance."""
        count = len(pictures)
        noise = torch.randn_like(pictures)
        time = (self.times[0] + self.times[1] * torch.randn(count, device=self.device)).sigmoid()
        noisy, velocity = on_the_line(noise, pictures, time)
        dropped = torch.rand(count, device=self.device) < self.drop
        guidance = torch.ones(count, device=self.device)
        if self.model.config.max_guidance is not None and self.steps >= self.fold_from:
            told = torch.nonzero(~dropped & (torch.rand(count, device=self.device) < 0.5))[:, 0]
            drawn = torch.rand(len(told), device=self.device)
            guidance[told] = 1 + (self.model.config.max_guidance - 1) * drawn
            velocity[told] += self._push(noisy[told], time[told], tokens[told], guidance[told])
        answer = self.model(noisy, time, guidance, self.model.text(tokens, dropped))
        return (answer.float() - velocity).square().mean()

    @torch.no_grad()
    def _push(self, noisy: Tensor, time: Tensor, tokens: Tensor, guidance: Tensor) -> Tensor:
        """(guidance - 1)(v_plain - v_without) of the averaged weights."""
        if not len(noisy):
            return torch.zeros_like(noisy)
        teacher = self.averaged.module
        text = teacher.text(tokens)
        both = Encoded.cat([text, teacher.without_caption(text)])
        one = torch.ones_like(time)
        twice = [torch.cat([part, part]) for part in (noisy, time, one)]
        plain, without = teacher(*twice, both).float().chunk(2)
        return (guidance - 1).view(-1, 1, 1, 1) * (plain - without)

    def _lower_precision(self) -> Any:
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def state_dict(self) -> dict[str, Any]:
        return {
            "settings": self._settings,
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "steps": self.steps,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        refuse_other_settings(state["settings"], self._settings)
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        self.steps = state["steps"]
