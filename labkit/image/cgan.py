"""A conditional GAN: a generator of pictures for captions, and a discriminator that reads the caption too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from labkit.common import LabkitError
from labkit.image.tasks import as_pictures, averaged_copy, refuse_other_settings
from labkit.image.text_encoder import Encoded, TextConfig, TextEncoder, check_whole
from labkit.image.unet import FOLD, SIDE, Look, ResidualBlock, check_channels

LOSSES = ("minimax", "non-saturating", "hinge")
SLOPE = 0.2  # of the discriminator's leaky ReLU below zero


@dataclass(frozen=True)
class GANConfig:
    """Shape of a generator and its discriminator.

    Both work on grids of 14x14 places with ``channels`` and 7x7 places with ``deep_channels``. With
    ``attention`` both look at the words one by one; without it at one vector for all. ``features`` are what the
    discriminator sums a picture up in. ``picture_channels`` is 1 for grey.
    """

    text: TextConfig
    picture_channels: int = 3
    noise_size: int = 64
    channels: int = 32
    deep_channels: int = 96
    features: int = 64
    num_heads: int = 4
    attention: bool = True
    spectral_norm: bool = True

    def __post_init__(self) -> None:
        for name in ("picture_channels", "noise_size", "channels", "deep_channels", "features", "num_heads"):
            check_whole(name, getattr(self, name))
        check_channels(self)


class Generator(nn.Module):
    """Noise and a caption become a picture in one pass.

    Noise and sentence make the first 7x7 grid, and scale and shift every residual block after it; with
    ``attention`` each place of that grid also takes what it needs from the words.
    """

    def __init__(self, config: GANConfig) -> None:
        super().__init__()
        self.config = config
        fine, deep, text = config.channels, config.deep_channels, config.text.hidden_size
        self.text = TextEncoder(config.text)
        self.signal = nn.Sequential(nn.Linear(config.noise_size + text, deep), nn.SiLU())
        self.start = nn.Linear(deep, deep * (SIDE // 4) ** 2)
        self.block = ResidualBlock(deep, deep, deep)
        self.look = Look(deep, text, config.num_heads) if config.attention else None
        self.up = nn.Conv2d(deep, 4 * fine, 1)
        self.last = ResidualBlock(fine, fine, deep)
        self.leave = nn.Sequential(
            nn.GroupNorm(8, fine), nn.SiLU(), nn.Conv2d(fine, config.picture_channels * FOLD**2, 3, padding=1)
        )

    def forward(self, noise: Tensor, text: Encoded) -> Tensor:
        """Pictures (B, C, 28, 28) in (-1, 1) from ``noise`` (B, noise_size) and the caption's vectors."""
        signal = self.signal(torch.cat([noise, _summary(text)], 1))  # (B, D)
        deep = self.block(self.start(signal).unflatten(1, (-1, SIDE // 4, SIDE // 4)), signal)  # (B, D, 7, 7)
        if self.look is not None:
            deep = self.look(deep, text)
        fine = F.pixel_shuffle(self.up(deep), 2)  # (B, F, 14, 14)
        return torch.tanh(F.pixel_shuffle(self.leave(self.last(fine, signal)), FOLD))


class Discriminator(nn.Module):
    """One logit for a picture and a caption: real and fitting, or not.

    logit = w . h + <A s, h> + mean over words of <B e, c(e)> with h the picture's features, s the caption's vector, e a
    word and c(e) the features of the places to which that word attends. The second term is the projection of Miyato
    and Koyama 2018 (arXiv:1802.05637, eq. 4), the third the match of words and places of Xu et al. 2018
    (arXiv:1711.10485, eq. 7-9). Every place has weights of its own in h, and a vector of its own for the words: a
    sum over places would not know where things are. Weights have spectral norm 1 (Miyato et al. 2018, arXiv:1802.05957),
    so that the logit cannot change faster than the picture does by more than a constant.
    """

    def __init__(self, config: GANConfig) -> None:
        super().__init__()
        self.config = config
        norm = spectral_norm if config.spectral_norm else nn.Identity()
        fine, deep, text = config.channels, config.deep_channels, config.text.hidden_size
        self.text = TextEncoder(config.text)
        self.layers = nn.Sequential(
            norm(nn.Conv2d(config.picture_channels * FOLD**2, fine, 3, padding=1)),
            nn.LeakyReLU(SLOPE),
            norm(nn.Conv2d(fine, deep, 4, stride=2, padding=1)),
            nn.LeakyReLU(SLOPE),
            norm(nn.Conv2d(deep, deep, 3, padding=1)),
            nn.LeakyReLU(SLOPE),
        )
        self.sum_up = norm(nn.Linear(deep * (SIDE // 4) ** 2, config.features))
        self.real = norm(nn.Linear(config.features, 1))
        self.fits = norm(nn.Linear(text, config.features, bias=False))
        self.places = nn.Parameter(torch.zeros(deep, (SIDE // 4) ** 2)) if config.attention else None
        self.query = norm(nn.Linear(text, deep)) if config.attention else None
        self.value = norm(nn.Linear(text, deep)) if config.attention else None

    def forward(self, pictures: Tensor, text: Encoded) -> Tensor:
        """Logits (B,) of ``pictures`` (B, C, 28, 28) with the captions' vectors."""
        return self.compare(*self.see(pictures), text)

    def see(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """What there is to see in ``pictures`` (B, C, 28, 28), whatever their captions: places (B, D, 49) and features
        (B, F)."""
        places = self.layers(F.pixel_unshuffle(pictures, FOLD)).flatten(2)
        return places, F.leaky_relu(self.sum_up(places.flatten(1)), SLOPE)

    def compare(self, places: Tensor, features: Tensor, text: Encoded) -> Tensor:
        """Logits (B,) of what ``see`` gave, with the captions' vectors."""
        logits = self.real(features)[:, 0] + (self.fits(_summary(text)) * features).sum(1)
        if self.query is None:
            return logits
        places = places + self.places
        words = text.words[:, 1:]  # (B, T, H)
        attention = (self.query(words) @ places).softmax(2)  # (B, T, 49)
        seen = attention @ places.transpose(1, 2)  # (B, T, D)
        match = (SIDE // 4) * (self.value(words) * seen).sum(2)  # (B, T)
        visible = text.visible[:, 1:]
        return logits + (match * visible).sum(1) / visible.sum(1).clamp(min=1)


def _summary(text: Encoded) -> Tensor:
    """One vector (B, H) for each caption: the sentence's and the mean of the words', brought to mean 0 and variance 1.

    So it is as large as the noise, which would else drown it at the start, and no word has to wait until the
    recurrent network has learned to carry it to the end.
    """
    visible = text.visible[:, 1:, None]
    words = (text.words[:, 1:] * visible).sum(1) / visible.sum(1).clamp(min=1)
    return F.layer_norm(text.sentence + words, words.shape[-1:])


# --- The game --------------------------------------------------------------------------------------------


def discriminator_loss(real: Tensor, fake: Tensor, kind: str = "non-saturating") -> Tensor:
    """What the discriminator minimizes, from its logits for real and for generated pictures.

    ``minimax`` and ``non-saturating``: mean of -log s(real) - log(1 - s(fake)) = softplus(-real) + softplus(fake),
    s the sigmoid (Goodfellow et al. 2014, arXiv:1406.2661, eq. 1). ``hinge``: mean of max(0, 1 - real) +
    max(0, 1 + fake) (Lim and Ye 2017, arXiv:1705.02894, eq. 4-5; Miyato et al. 2018, eq. 16).
    """
    _check_loss(kind)
    if kind == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(fake: Tensor, kind: str = "non-saturating") -> Tensor:
    """What the generator minimizes, from the discriminator's logits for its pictures.

    ``minimax``: mean of log(1 - s(fake)) = -softplus(fake), whose slope -s(fake) vanishes where the discriminator
    is sure, which is at the start. ``non-saturating``: mean of -log s(fake) = softplus(-fake), whose slope
    s(fake) - 1 is largest there (Goodfellow et al. 2014, section 3). ``hinge``: mean of -fake (Miyato et al. 2018,
    eq. 17).
    """
    _check_loss(kind)
    if kind == "hinge":
        return -fake.mean()
    return F.softplus(-fake).mean() if kind == "non-saturating" else -F.softplus(fake).mean()


def _check_loss(kind: str) -> None:
    if kind not in LOSSES:
        raise LabkitError(f"loss is {kind!r}. Choose one of: {', '.join(LOSSES)}.")


def shifted(pictures: Tensor, most: int) -> Tensor:
    """Each picture moved by up to ``most`` pixels in each direction; what comes in from outside repeats the edge.

    Done to real and generated pictures alike before the discriminator sees them, which makes few pictures go further
    without the generator learning to shift (Zhao et al. 2020, arXiv:2006.10738, algorithm 1).
    """
    if most == 0:
        return pictures
    count, _, height, width = pictures.shape
    moves = torch.randint(-most, most + 1, (2, count, 1), device=pictures.device)
    rows = (torch.arange(height, device=pictures.device) + moves[0]).clamp(0, height - 1)  # (B, H)
    columns = (torch.arange(width, device=pictures.device) + moves[1]).clamp(0, width - 1)  # (B, W)
    which = torch.arange(count, device=pictures.device)[:, None, None]
    moved = pictures.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]]  # (B, H, W, C)
    return moved.permute(0, 3, 1, 2)


def twice(count: int) -> Tensor:
    """Rows 0, 1, ... of a batch, each two times: those of ``sameness``."""
    return torch.arange(count) % ((count + 1) // 2)


def sameness(noise: Tensor, pictures: Tensor) -> Tensor:
    """mean |z - z'| / mean |G(z) - G(z')| for two pictures of each caption, laid out as by ``twice``.

    It grows without bound when the generator draws one picture whatever the noise (mode collapse). Mao et al. 2019
    (arXiv:1903.05628, eq. 4), as the inverse that their code minimizes.
    """
    half = (len(noise) + 1) // 2
    pairs = len(noise) - half
    apart = [(part[:pairs] - part[half:]).abs().mean() for part in (noise, pictures)]
    return apart[0] / (apart[1] + 1e-3) if pairs else pictures.sum() * 0


class GANTask:
    """Training of a generator against its discriminator for labkit.training.fit. A batch is (pictures, tokens).

    Pictures are float in [-1, 1] or bytes, (B, C, 28, 28). A step is one of the discriminator, then one of the
    generator, which meets the discriminator as it has become with the same generated pictures; each has its own
    optimizer. The discriminator learns to tell real pictures with their captions from generated ones, and, with
    weight ``mismatch``, from real pictures with the caption of another picture (Reed et al. 2016, arXiv:1605.05396,
    algorithm 1): else it could forget about the text. With a weight ``spread``, captions are drawn twice and the
    generator's loss holds ``sameness``. ``shift``: see ``shifted``.

    ``averaged`` holds the generator's mean weights. Figures of a step: the losses ``discriminator`` and
    ``generator``, and the mean logits ``real``, ``fake`` and ``wrong`` (another's caption).
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        generator_optimizer: Optimizer,
        discriminator_optimizer: Optimizer,
        *,
        loss: str = "non-saturating",
        mismatch: float = 0.5,
        spread: float = 0.0,
        shift: int = 0,
        average: float = 0.999,
        schedules: Sequence[LRScheduler] = (),
        device: str | torch.device = "cpu",
    ) -> None:
        _check_loss(loss)
        for name, weight in (("mismatch", mismatch), ("spread", spread)):
            if not (isinstance(weight, int | float) and 0 <= weight < math.inf):
                raise LabkitError(f"{name} is {weight!r}. Give a weight from 0.")
        check_whole("shift", shift, least=0)
        self.generator, self.discriminator = generator.to(device), discriminator.to(device)
        self.generator_optimizer, self.discriminator_optimizer = generator_optimizer, discriminator_optimizer
        self.loss, self.mismatch, self.spread, self.shift = loss, mismatch, spread, shift
        self.schedules, self.device = list(schedules), torch.device(device)
        self.averaged = averaged_copy(self.generator, average)
        self._settings = {
            "loss": loss,
            "mismatch": mismatch,
            "spread": spread,
            "shift": shift,
            "average": average,
        }

    def step(self, batch: tuple[Tensor, Tensor]) -> dict[str, float]:
        pictures, tokens = (part.to(self.device, non_blocking=True) for part in batch)
        self.generator.train()
        self.discriminator.train()
        rows = twice(len(tokens)) if self.spread else torch.arange(len(tokens))
        noise = torch.randn(len(tokens), self.generator.config.noise_size, device=self.device)
        generated = self.generator(noise, self.generator.text(tokens[rows]))
        figures = self._step_discriminator(as_pictures(pictures), generated.detach(), tokens, rows)
        figures["generator"] = self._step_generator(generated, tokens[rows], noise)
        for schedule in self.schedules:
            schedule.step()
        self.averaged.update_parameters(self.generator)
        return figures

    def _step_discriminator(
        self, pictures: Tensor, generated: Tensor, tokens: Tensor, rows: Tensor
    ) -> dict[str, float]:
        """``rows`` are the captions of the generated pictures."""
        self.discriminator_optimizer.zero_grad()
        text = self.discriminator.text(tokens)
        others = text[torch.arange(len(tokens)).roll(1)]  # the caption of the picture before
        both = torch.cat([shifted(pictures, self.shift), shifted(generated, self.shift)])
        count = len(pictures)
        seen = self.discriminator.see(both)
        if self.mismatch:  # the real pictures once more: what is in them need not be seen again
            seen = [torch.cat([part, part[:count]]) for part in seen]
            text = Encoded.cat([text, text[rows], others])
        else:
            text = Encoded.cat([text, text[rows]])
        real, fake, *wrong = self.discriminator.compare(*seen, text).split(count)
        loss = discriminator_loss(real, fake, self.loss)
        figures = {"real": real.mean().item(), "fake": fake.mean().item()}
        if wrong:
            # The part of the loss that a generated picture has, with the logits of the wrong captions.
            zero = torch.full_like(real, math.inf)
            loss = loss + self.mismatch * discriminator_loss(zero, wrong[0], self.loss)
            figures["wrong"] = wrong[0].mean().item()
        loss.backward()
        self.discriminator_optimizer.step()
        return {"discriminator": loss.item(), **figures}

    def _step_generator(self, generated: Tensor, tokens: Tensor, noise: Tensor) -> float:
        self.generator_optimizer.zero_grad()
        self.discriminator.requires_grad_(False)
        with torch.no_grad():
            text = self.discriminator.text(tokens)
        logits = self.discriminator(shifted(generated, self.shift), text)
        loss = generator_loss(logits, self.loss)
        if self.spread:
            loss = loss + self.spread * sameness(noise, generated)
        loss.backward()
        self.discriminator.requires_grad_(True)
        self.generator_optimizer.step()
        return loss.item()

    def state_dict(self) -> dict[str, Any]:
        parts = {name: getattr(self, name).state_dict() for name in self._parts}
        schedules = [schedule.state_dict() for schedule in self.schedules]
        return {"settings": self._settings, "schedules": schedules, **parts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        refuse_other_settings(state["settings"], self._settings)
        for name in self._parts:
            getattr(self, name).load_state_dict(state[name])
        for schedule, saved in zip(self.schedules, state["schedules"], strict=True):
            schedule.load_state_dict(saved)

    _parts = ("generator", "discriminator", "generator_optimizer", "discriminator_optimizer", "averaged")
