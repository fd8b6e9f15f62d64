"""The generators that come with the course: the training that makes them, what is measured on it, and how to load them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from labkit import weights
from labkit.common import LabkitError, set_threads
from labkit.image.captions import Vocabulary, write_digit
from labkit.image.datasets import scene_pictures
from labkit.image.generation import TextToImage
from labkit.image.measures import attribute_scores, digit_score
from labkit.image.recipes import (
    RECIPES,
    Recipe,
    blank,
    find_recipe,
    train,
    training_pictures,
    with_vocabulary,
    wrapped,
)

NAMES = ("scenes-flow", "digits-gan", "digits-flow")
WORDS = "vocabulary"  # beside the weights: the words in the order of their ids
TRIED = 500  # pictures for each figure on the card
TRIED_SEED = 5
DIGITS = 10


def load_scenes_flow() -> TextToImage:
    """The shipped flow matching model of scenes, for captions in English and Chinese."""
    return load("scenes-flow")


def load_digits_gan() -> TextToImage:
    """The shipped GAN of handwritten digits."""
    return load("digits-gan")


def load_digits_flow() -> TextToImage:
    """The shipped flow matching model of handwritten digits."""
    return load("digits-flow")


def load(name: str) -> TextToImage:
    """The shipped model of this name, ready to generate."""
    if name not in NAMES:
        raise LabkitError(f"No model {name!r} comes with the course. There are: {', '.join(NAMES)}.")
    path = weights.find_shipped(name)
    return restore(find_recipe(name), weights.load(path)[0])


def train_scenes_flow(seed: int = 0, device: str = "cpu") -> Path:
    """Train the flow matching model of scenes and write it with its card; about 50 minutes on one core."""
    return _train("scenes-flow", seed, device)


def train_digits_gan(seed: int = 0, device: str = "cpu") -> Path:
    """Train the GAN of digits and write it with its card; about a minute on one core."""
    return _train("digits-gan", seed, device)


def train_digits_flow(seed: int = 0, device: str = "cpu") -> Path:
    """Train the flow matching model of digits and write it with its card; about a minute on one core."""
    return _train("digits-flow", seed, device)


def right_scenes(
    model: TextToImage, split: str, objects: int, count: int = TRIED, seed: int = TRIED_SEED, **options
) -> float:
    """The share of pictures in which the judge finds every fact of their captions, half of them Chinese.

    ``options`` are those of ``TextToImage.generate``.
    """
    asked = scene_pictures(count, seed, split, objects=objects)
    return attribute_scores(model.generate(asked.captions, seed=seed, **options), asked.said)["all"]


def right_digits(model: TextToImage, count: int = TRIED, seed: int = TRIED_SEED, **options) -> float:
    """The share of pictures that the judge takes for the digit of their captions, half of them Chinese."""
    captions, digits = digit_captions(count, seed)
    return digit_score(model.generate(captions, seed=seed, **options), digits)


def digit_captions(count: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Captions that ask for each digit equally often, by turns in English and Chinese, and the digits (N,)."""
    rng = np.random.default_rng(seed)
    digits = np.arange(count) // 2 % DIGITS
    captions = [write_digit(int(digit), ("en", "zh")[i % 2], rng) for i, digit in enumerate(digits)]
    return captions, digits


def ship(name: str, model: TextToImage, seed: int, seconds: float, device: str = "cpu") -> Path:
    """Write a model that was trained by the recipe ``name``, in float16, with a card of what it then can do."""
    recipe = find_recipe(name)
    tensors = rounded(model)
    path = weights.shipped_path(name)
    card = weights.Card(
        command=weights.train_command(name, device),
        seed=seed,
        data="scenes of both languages, train split" if name.startswith("scenes") else "digits, train split",
        seconds=round(seconds, 1),
        metrics={key: round(value, 4) for key, value in _figures(name, restore(recipe, tensors)).items()},
        notes="float16; the figures are shares of pictures that are right, after rounding, by the judge that no "
        "generator meets",
    )
    weights.save(path, tensors, card)
    return path


def rounded(model: TextToImage) -> dict[str, Tensor]:
    """The tensors of a model as they are shipped: float16, and the words."""
    tensors = {name: tensor.half().contiguous() for name, tensor in model.model.state_dict().items()}
    words = "\n".join(model.vocabulary.words).encode()
    return tensors | {WORDS: torch.tensor(list(words), dtype=torch.uint8)}


def restore(recipe: Recipe, tensors: Mapping[str, Tensor]) -> TextToImage:
    """The model of a recipe with these tensors, which ``rounded`` made."""
    if WORDS not in tensors:
        raise LabkitError(f"These weights have no {WORDS}: they are not those of a model of pictures.")
    vocabulary = Vocabulary(tuple(bytes(tensors[WORDS].tolist()).decode().split("\n")))
    recipe = with_vocabulary(recipe, vocabulary)
    model = blank(recipe)
    known = {name: tensor.shape for name, tensor in model.state_dict().items()}
    given = {name: tensor.shape for name, tensor in tensors.items() if name != WORDS}
    if known != given:
        different = min(name for name in {**known, **given} if known.get(name) != given.get(name))
        raise LabkitError(f"These weights are of another shape than the recipe's: {different} differs.")
    model.load_state_dict({name: tensors[name].float() for name in known})
    return wrapped(recipe, model, vocabulary)


def _figures(name: str, model: TextToImage) -> dict[str, float]:
    if not name.startswith("scenes"):
        return {"right": right_digits(model)}
    return {
        f"all_right_{split}_{objects}": right_scenes(model, split, objects)
        for split in ("test", "held_out")
        for objects in (1, 2)
    }


def _train(name: str, seed: int, device: str) -> Path:
    set_threads()
    start = time.perf_counter()
    model, _ = train(RECIPES[name], training_pictures(name, seed), seed=seed, device=device)
    return ship(name, model, seed, time.perf_counter() - start, device)
