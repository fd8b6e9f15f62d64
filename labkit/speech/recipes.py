"""How the parts are trained: acoustic model, vocoder and judge, on speech that the engine makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from labkit.common import LabkitError, set_seed, set_threads
from labkit.speech.acoustic import FORMS, AcousticConfig, AcousticModel, Inventory
from labkit.speech.corpus import Utterance
from labkit.speech.recognizer import Recognizer, RecognizerConfig, RecognizerTask, recognizer_rows
from labkit.speech.tasks import AcousticTask, UtteranceBatches, acoustic_rows, set_band_statistics
from labkit.speech.vocoder import SegmentBatches, SpectrumNetwork, VocoderConfig, spectrum_loss
from labkit.training import History, SupervisedTask, fit

WARM_UP = 50  # steps
WORD_SPREAD = 0.3  # of the logarithms of words' lengths
LAST = 0.02  # of the learning rate, at the last step


@dataclass(frozen=True)
class Recipe:
    """A training: how many steps, of how many frames, at which learning rate, of which the last share falls."""

    steps: int
    frames: int = 1_000
    learning_rate: float = 3e-3
    falling: float = 0.5
    average: float = 0.99

    def __post_init__(self) -> None:
        for name in ("steps", "frames"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise LabkitError(f"Recipe.{name} is {value!r}. Give a whole number from 1.")
        if not self.learning_rate > 0:
            raise LabkitError(f"Recipe.learning_rate is {self.learning_rate!r}. Give a positive number.")
        if not 0 < self.falling <= 1:
            raise LabkitError(f"Recipe.falling is {self.falling!r}. Give a share above 0, at most 1.")


MINUTE = Recipe(steps=1_200, learning_rate=5e-3)  # of an acoustic model: about 60 s of one core
JUDGE = Recipe(steps=900, frames=3_000)
VOCODER = Recipe(steps=1_500)


def make_acoustic(
    utterances: Sequence[Utterance],
    recipe: Recipe = MINUTE,
    form: str = "convolutional",
    seed: int = 0,
    **shape,
) -> tuple[AcousticTask, UtteranceBatches]:
    """The task and the batches of an acoustic model for these utterances; ``shape`` goes to ``AcousticConfig``."""
    set_threads()
    set_seed(seed)
    if form not in FORMS:
        raise LabkitError(f"form is {form!r}. Set it to one of: {', '.join(FORMS)}.")
    inventory = Inventory.of(one.phones for one in utterances)
    model = AcousticModel(AcousticConfig(inventory, form=form, **shape))
    rows = acoustic_rows(utterances, inventory)
    set_band_statistics(model, [mel for _, _, mel in rows])
    optimizer = make_optimizer(model, recipe)
    task = AcousticTask(model, optimizer, schedule(optimizer, recipe), decay=recipe.average)
    return task, UtteranceBatches(rows, [len(mel) for _, _, mel in rows], recipe.frames, seed)


def train_acoustic(
    utterances: Sequence[Utterance],
    recipe: Recipe = MINUTE,
    form: str = "convolutional",
    seed: int = 0,
    progress: bool = True,
    **shape,
) -> tuple[AcousticModel, History]:
    """An acoustic model trained from scratch, with averaged weights."""
    task, batches = make_acoustic(utterances, recipe, form, seed, **shape)
    history = fit(task, batches, recipe.steps, progress=progress)
    return task.averaged.module.eval(), history


def train_recognizer(
    mels: Sequence[Tensor],
    sounds: Sequence[Sequence[str]],
    recipe: Recipe = JUDGE,
    seed: int = 0,
    progress: bool = True,
    words: bool = False,
    **shape,
) -> tuple[Recognizer, History]:
    """A judge that hears ``sounds[i]`` in the log-mel ``mels[i]``; ``shape`` goes to ``RecognizerConfig``.

    ``words`` is for recordings of one word each: they are not worn, and batches mix their lengths.
    """
    set_threads()
    set_seed(seed)
    known = tuple(sorted({sound for said in sounds for sound in said}))
    model = Recognizer(RecognizerConfig(known, **shape))
    rows = recognizer_rows(model, mels, sounds)
    spread = WORD_SPREAD if words else 0.0
    batches = UtteranceBatches(rows, [len(mel) for mel in mels], recipe.frames, seed, spread)
    optimizer = make_optimizer(model, recipe)
    task = RecognizerTask(model, optimizer, schedule(optimizer, recipe), worn=not words)
    history = fit(task, batches, recipe.steps, progress=progress)
    return model.eval(), history


def train_vocoder(
    utterances: Sequence[Utterance], recipe: Recipe = VOCODER, seed: int = 0, progress: bool = True, **shape
) -> tuple[SpectrumNetwork, History]:
    """The network of a neural vocoder for the voices in these utterances."""
    set_threads()
    set_seed(seed)
    model = SpectrumNetwork(VocoderConfig(**shape))
    optimizer = make_optimizer(model, recipe)
    task = SupervisedTask(model, spectrum_loss, optimizer, schedule(optimizer, recipe), clip_norm=1.0)
    batches = SegmentBatches([one.samples for one in utterances], seed=seed)
    history = fit(task, batches, recipe.steps, progress=progress)
    return model.eval(), history


def make_optimizer(model: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with a shorter memory of squares than usual: a training of a minute has few steps."""
    return torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )


def schedule(optimizer: torch.optim.Optimizer, recipe: Recipe) -> LambdaLR:
    """The learning rate rises, stays, and falls in a straight line over the last share of the steps."""

    def factor(step: int) -> float:
        left = (recipe.steps - step) / (recipe.falling * recipe.steps)
        return min((step + 1) / WARM_UP, 1.0, max(left, 0.0) + LAST)

    return LambdaLR(optimizer, factor)
