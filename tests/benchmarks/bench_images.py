"""Text to image: digits from scratch in a minute, seed by seed; what the shipped generator of scenes draws, and how fast."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from functools import cache

from labkit.common import set_threads
from labkit.image import measures, recipes, shipped
from labkit.image.classification_score import classification_score
from labkit.image.datasets import PictureSet, digit_pictures, scene_pictures
from labkit.image.generation import TextToImage
from labkit.image.recipes import RECIPES
from labkit.training import ArrayBatches

SEEDS = range(3)
# Seconds of one core for a training from scratch, by the clock of its process: other work does not count.
BUDGET = 60.0
SHARE = 0.95  # of the budget that is planned for, since no step takes quite as long as the one before
DRAWN = 1_440  # digits: as many as there are to train on, and three more, so that each comes equally often
SCENES = 1_000  # of each kind
FINE_STEPS = 20  # of flow matching: what fewer steps are compared with
TIMED = 512  # pictures


def digit_figures() -> dict[str, float]:
    """The worst seed of the digits by both kinds of models."""
    set_threads()
    figures = {}
    for name in ("digits-flow", "digits-gan"):
        rows = [digits(name, seed) for seed in SEEDS]
        figures |= {
            f"{name}_right": min(row["right"] for row in rows),
            f"{name}_gap": max(row["gap"] for row in rows),
            f"{name}_gap_mean": statistics.mean(row["gap"] for row in rows),
            f"{name}_speed": statistics.median(row["speed"] for row in rows),
        }
    return figures


def digits(name: str, seed: int) -> dict[str, float]:
    """A recipe trained from scratch: percent of right digits, the points of accuracy that a classifier loses that
    learns from as many of its digits as there are real ones, and pictures a second."""
    model = train(name, seed)
    captions, asked = shipped.digit_captions(DRAWN, seed)
    start = time.process_time()
    drawn = model.generate(captions, seed=seed)
    speed = DRAWN / (time.process_time() - start)
    real, test = digit_pictures("train"), digit_pictures("test")
    score = classification_score(
        (drawn[:, :1], asked), (real.tensor(1), real.labels), (test.tensor(1), test.labels)
    )
    row = {"right": 100 * measures.digit_score(drawn, asked), "gap": 100 * score.gap, "speed": speed}
    print(
        "  ",
        {"recipe": name, "seed": seed} | {name: round(value, 2) for name, value in row.items()},
        flush=True,
    )
    return row


def train(name: str, seed: int) -> TextToImage:
    """The recipe with as many steps as the budget buys, which is measured first."""
    recipe, pictures = RECIPES[name], recipes.training_pictures(name, seed)
    seconds = seconds_of_a_step(recipe, pictures)
    recipe = replace(recipe, steps=int(SHARE * BUDGET / seconds))
    start = time.process_time()
    model, _ = recipes.train(recipe, pictures, seed=seed, progress=False)
    print(f"   {recipe.steps} steps in {time.process_time() - start:.0f} s of one core", flush=True)
    return model


def seconds_of_a_step(recipe: recipes.Recipe, pictures: PictureSet, steps: int = 20) -> float:
    vocabulary = recipes.vocabulary_of(pictures.captions)
    values, tokens = recipes.arrays(recipe, pictures, vocabulary)
    batches = ArrayBatches(values, tokens, batch_size=recipe.batch_size)
    task = recipes.make_task(recipes.with_vocabulary(recipe, vocabulary), values)
    for step in range(3):  # warms up
        task.step(batches(step))
    start = time.process_time()
    for step in range(steps):
        task.step(batches(step))
    return (time.process_time() - start) / steps


def scene_figures() -> dict[str, float]:
    """The shipped flow: percent of scenes with every fact right, by split and number of things, by the recipe's few
    steps and by many; pictures a second by the few."""
    set_threads()
    model = shipped.load_scenes_flow()
    figures = {"speed": speed(model)}
    for split in ("test", "held_out"):
        for objects in (1, 2):
            place = f"{split}_{objects}"
            figures[place] = right(model, split, objects)
            figures[f"{place}_fine"] = right(model, split, objects, steps=FINE_STEPS)
    print("  ", {name: round(value, 1) for name, value in figures.items()}, flush=True)
    return figures


def right(model: TextToImage, split: str, objects: int, **options) -> float:
    return 100 * shipped.right_scenes(model, split, objects, SCENES, seed=1, **options)


def speed(model: TextToImage) -> float:
    """Pictures a second of one core, captions read included; the best of three, by the clock of the process."""
    captions = timed_captions()
    model.generate(captions[:64])
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        model.generate(captions)
        best = min(best, time.process_time() - start)
    return TIMED / best


@cache
def timed_captions() -> tuple[str, ...]:
    return tuple(scene_pictures(TIMED, 4, "test").captions)


if __name__ == "__main__":
    print(digit_figures() | scene_figures())
