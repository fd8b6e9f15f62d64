"""Named recipes of text-to-image models: shape and every number of the training, and the function that follows them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Adam, AdamW

from labkit.common import LabkitError
from labkit.image.captions import Vocabulary
from labkit.image.cgan import Discriminator, GANConfig, GANTask, Generator
from labkit.image.datasets import PictureSet, digit_pictures, scene_pictures
from labkit.image.dense import DenseConfig, DenseNetwork
from labkit.image.flow import Flow, FlowConfig, FlowTask
from labkit.image.generation import TextToImage
from labkit.image.text_encoder import TextConfig
from labkit.image.unet import UNetConfig
from labkit.text.training import WarmupDecay, make_schedules
from labkit.training import ArrayBatches, History, fit

PICTURES = ("scenes", "digits")


@dataclass(frozen=True)
class FlowRecipe:
    """What is trained, and how; the fields are explained in flow.py (``drop`` to ``precision``: FlowTask).

    The text's ``vocab_size`` is that of the pictures' captions, whatever is written here. ``fold_share`` is the share
    of the steps, at the end, in which guidance is folded into the network. ``generation_steps``, ``guidance`` and
    ``shift`` are what the trained model generates with when it is told nothing.
    """

    model: FlowConfig
    steps: int
    batch_size: int = 64
    learning_rate: float = 2e-3
    warmup: int = 50
    decay: float = 0.5  # the share of the steps, at the end, in which the rate falls to zero
    drop: float = 0.1
    times: tuple[float, float] = (-0.6, 1.2)
    average: float = 0.999
    fold_share: float = 0.3
    clip_norm: float = 1.0
    precision: str = "float32"
    generation_steps: int = 6
    guidance: float = 1.0
    shift: float = 1.0


@dataclass(frozen=True)
class GANRecipe:
    """What is trained, and how; the fields are explained in cgan.py (``loss`` to ``average``: GANTask)."""

    model: GANConfig
    steps: int
    batch_size: int = 64
    generator_rate: float = 1e-3
    discriminator_rate: float = 1e-3
    betas: tuple[float, float] = (0.0, 0.99)
    warmup: int = 20
    decay: float = 0.3  # the share of the steps, at the end, in which both rates fall to zero
    loss: str = "hinge"
    mismatch: float = 0.5
    spread: float = 0.0
    shift: int = 0
    average: float = 0.999


Recipe = FlowRecipe | GANRecipe
_WORDS = len(Vocabulary.standard())
_SCENE_TEXT = TextConfig(_WORDS, embedding_size=48, hidden_size=96)
_DIGIT_TEXT = TextConfig(_WORDS, embedding_size=32, hidden_size=32)

RECIPES: dict[str, Recipe] = {
    "scenes-flow": FlowRecipe(
        FlowConfig(_SCENE_TEXT, UNetConfig(channels=32, deep_channels=64, num_blocks=2), max_guidance=4.0),
        steps=16_000,
        batch_size=32,
        times=(-1.2, 1.2),
        fold_share=0.25,
        generation_steps=7,
        guidance=2.0,
        shift=2.0,
    ),
    "digits-gan": GANRecipe(
        GANConfig(_DIGIT_TEXT, 1, noise_size=32, channels=8, deep_channels=32, attention=False),
        steps=900,
        batch_size=32,
        generator_rate=1e-3,
        discriminator_rate=3e-3,
        decay=0.6,
        mismatch=0.25,
        average=0.995,
    ),
    "digits-flow": FlowRecipe(
        FlowConfig(_DIGIT_TEXT, DenseConfig(1, width=384, num_blocks=2, signal_size=48, text_size=32)),
        steps=2500,
        batch_size=96,
        average=0.995,
        generation_steps=20,
        guidance=1.5,
    ),
}


def find_recipe(recipe: Recipe | str) -> Recipe:
    """The recipe of this name, or the recipe that was given."""
    if isinstance(recipe, FlowRecipe | GANRecipe):
        return recipe
    if recipe not in RECIPES:
        raise LabkitError(f"There is no recipe {recipe!r}. Recipes by name: {', '.join(RECIPES)}.")
    return RECIPES[recipe]


def make_task(
    recipe: Recipe | str, pictures: Tensor | None = None, *, seed: int = 0, device: str = "cpu"
) -> FlowTask | GANTask:
    """Fresh models drawn by ``seed`` with their optimizers and schedules, ready for fit.

    ``pictures`` (N, C, 28, 28), those of the training, are what a dense network takes its principal components from;
    the others need none. The caller's random state is left as it is.
    """
    recipe = find_recipe(recipe)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if isinstance(recipe, GANRecipe):
            return _gan_task(recipe, device)
        return _flow_task(recipe, pictures, device)


def _flow_task(recipe: FlowRecipe, pictures: Tensor | None, device: str) -> FlowTask:
    model = Flow(recipe.model).to(device)
    if isinstance(model.network, DenseNetwork):
        if pictures is None:
            raise LabkitError("A dense network sees principal components: give make_task the pictures too.")
        model.network.take_components(pictures)
    optimizer = AdamW(
        model.parameters(), recipe.learning_rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
    )
    warmup = min(recipe.warmup, recipe.steps // 4)
    factor = WarmupDecay(recipe.steps, warmup, round(recipe.decay * recipe.steps), "linear")
    folding = recipe.model.max_guidance is not None
    return FlowTask(
        model,
        optimizer,
        make_schedules([optimizer], factor)[0],
        drop=recipe.drop,
        times=recipe.times,
        average=recipe.average,
        fold_from=round((1 - recipe.fold_share) * recipe.steps) if folding else recipe.steps,
        clip_norm=recipe.clip_norm,
        precision=recipe.precision,
        device=device,
    )


def _gan_task(recipe: GANRecipe, device: str) -> GANTask:
    generator, discriminator = Generator(recipe.model).to(device), Discriminator(recipe.model).to(device)
    optimizers = [
        Adam(model.parameters(), rate, betas=recipe.betas, fused=True)
        for model, rate in ((generator, recipe.generator_rate), (discriminator, recipe.discriminator_rate))
    ]
    warmup = min(recipe.warmup, recipe.steps // 4)
    factor = WarmupDecay(recipe.steps, warmup, round(recipe.decay * recipe.steps), "linear")
    return GANTask(
        generator,
        discriminator,
        *optimizers,
        schedules=make_schedules(optimizers, factor),
        loss=recipe.loss,
        mismatch=recipe.mismatch,
        spread=recipe.spread,
        shift=recipe.shift,
        average=recipe.average,
        device=device,
    )


def with_vocabulary(recipe: Recipe, vocabulary: Vocabulary) -> Recipe:
    """The recipe for captions of these words."""
    text = replace(recipe.model.text, vocab_size=len(vocabulary))
    return replace(recipe, model=replace(recipe.model, text=text))


def train(
    recipe: Recipe | str,
    pictures: PictureSet,
    vocabulary: Vocabulary | None = None,
    *,
    seed: int = 0,
    device: str = "cpu",
    checkpoint: Path | str | None = None,
    checkpoint_every: int = 0,
    progress: bool = True,
    **options,
) -> tuple[TextToImage, History]:
    """Train the recipe on pictures with captions; what comes back draws with the averaged weights, on the CPU.

    ``vocabulary`` is the standard one, or with other words in the captions that of the captions. ``options`` go to
    labkit.training.fit; with ``checkpoint``, a folder, a run that was stopped goes on. The caller's random state is
    left as it is.
    """
    vocabulary = vocabulary or vocabulary_of(pictures.captions)
    recipe = with_vocabulary(find_recipe(recipe), vocabulary)
    values, tokens = arrays(recipe, pictures, vocabulary, device)
    task = make_task(recipe, values, seed=seed, device=device)
    batches = ArrayBatches(values, tokens, batch_size=recipe.batch_size, seed=seed)
    devices = [torch.device(device)] if str(device).startswith("cuda") else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        history = fit(
            task,
            batches,
            recipe.steps,
            checkpoint=checkpoint,
            checkpoint_every=checkpoint_every,
            progress=progress,
            **options,
        )
    return finished(recipe, task, vocabulary), history


def vocabulary_of(captions: list[str]) -> Vocabulary:
    """The standard vocabulary where it has every word of the captions, else their own."""
    standard = Vocabulary.standard()
    if any(standard.unknown_words(caption) for caption in captions):
        return Vocabulary.from_captions(captions)
    return standard


def arrays(
    recipe: Recipe, pictures: PictureSet, vocabulary: Vocabulary, device: str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Pictures as bytes (N, C, 28, 28) and tokens (N, T), where the training is."""
    flow = isinstance(recipe, FlowRecipe)
    channels = recipe.model.network.picture_channels if flow else recipe.model.picture_channels
    values = pictures.pictures
    if channels == 1 and (values != values[..., :1]).any():
        raise LabkitError(
            "These pictures have colours, and the recipe draws grey ones: picture_channels is 1."
        )
    picked = torch.from_numpy(values[..., :channels]).permute(0, 3, 1, 2).contiguous()
    return picked.to(device), vocabulary.encode(pictures.captions).to(device)


def finished(recipe: Recipe, task: FlowTask | GANTask, vocabulary: Vocabulary) -> TextToImage:
    """What a task has learned so far, with its averaged weights, on the CPU."""
    model = blank(recipe)
    model.load_state_dict(task.averaged.module.state_dict())
    return wrapped(recipe, model, vocabulary)


def blank(recipe: Recipe) -> Generator | Flow:
    """A model whose weights are still to be loaded; no random numbers of the caller are used up."""
    with torch.random.fork_rng(devices=[]):
        return Generator(recipe.model) if isinstance(recipe, GANRecipe) else Flow(recipe.model)


def wrapped(recipe: Recipe, model: Generator | Flow, vocabulary: Vocabulary) -> TextToImage:
    """The model with its words, and with the recipe's own way to generate."""
    model = model.requires_grad_(False).eval()
    model = model.to(memory_format=torch.channels_last)  # convolutions in two thirds of the time
    if isinstance(recipe, GANRecipe):
        return TextToImage(model, vocabulary)
    return TextToImage(model, vocabulary, recipe.generation_steps, recipe.guidance, recipe.shift)


def training_pictures(name: str, seed: int = 0, count: int = 80_000) -> PictureSet:
    """What a shipped recipe is trained on: ``count`` drawn scenes, or the training digits (all of them)."""
    kind = name.split("-")[0]
    if kind not in PICTURES:
        raise LabkitError(
            f"There are no pictures for {name!r}. A recipe's name begins with: {', '.join(PICTURES)}."
        )
    if kind == "digits":
        return digit_pictures("train", seed)
    return scene_pictures(count, seed, "train", missing=MISSING)


MISSING = (
    0.04  # of the facts of a scene are left out of its caption, so that short prompts are understood too
)
