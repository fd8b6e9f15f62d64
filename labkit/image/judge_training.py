"""Training of the judges, kept apart from the generators.

Scenes are drawn with random numbers of the judge's own, from every combination of attributes, also the held-out ones:
a judge must know what it is asked about. Of the digits the judge has the 360 of the test part, which no generator is
trained on; it is tried on the 1,437 others, which it never sees.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from labkit import weights
from labkit.common import LabkitError, set_seed, set_threads
from labkit.image import scenes as drawing
from labkit.image.datasets import PictureSet, digit_pictures, scene_pictures, to_tensor
from labkit.image.judges import (
    CELL_SIZE,
    GROUPS,
    NO_DIGIT,
    DigitJudge,
    Judge,
    SceneJudge,
    cell_centres,
    judge_digits,
    judge_scenes,
    restore,
    rounded,
)
from labkit.image.scenes import COLOURS, PLACES, SHAPES, SIZES, Scene
from labkit.image.wear import ghost, melt, mush, spoil, wear
from labkit.training import SupervisedTask, fit

PURPOSE = "judge"  # of the random numbers: no generator draws with them
HELD_OUT_SHARE = 0.35  # of the judge's scenes
NEAR, FAR = 3.0, 4.5  # pixels from the middle of a thing: nearer cells see it, farther ones must not
SPOILT_SHARE = 0.3  # of a batch
NO_DIGITS = (ghost, ghost, mush, melt)  # faults that leave nothing to read; a pale digit is a digit
TRIED_SCENES = 2_000  # for each figure on the card
TRIED_SEED = 77


@dataclass(frozen=True)
class Budget:
    """How long a judge is trained, and on how many pictures."""

    pictures: int
    steps: int
    batch_size: int = 64
    learning_rate: float = 4e-3

    def __post_init__(self) -> None:
        for name in ("pictures", "steps", "batch_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise LabkitError(f"Budget.{name} is {value!r}. Give a whole number from 1.")


SCENE_BUDGET = Budget(pictures=12_000, steps=1_400)
DIGIT_BUDGET = Budget(pictures=360, steps=900)


def train_judges(seed: int = 0) -> list[Path]:
    """Train both judges and write them with their cards; three minutes on one core."""
    return [ship_scene_judge(seed, SCENE_BUDGET), ship_digit_judge(seed, DIGIT_BUDGET)]


def ship_scene_judge(seed: int = 0, budget: Budget = SCENE_BUDGET) -> Path:
    """Train the judge of scenes and write it with its card."""
    set_threads()
    start = time.perf_counter()
    judge = train_scene_judge(seed, budget)
    seconds = time.perf_counter() - start
    tried = {
        f"all_right_{split}_{objects}": _all_right(
            judge, scene_pictures(TRIED_SCENES, TRIED_SEED, split, "en", objects)
        )
        for split in ("test", "held_out")
        for objects in (1, 2)
    }
    data = f"{budget.pictures:,} scenes of all combinations of attributes, drawn for the judge alone"
    return _ship("scene-judge", judge, seed, data, seconds, tried)


def ship_digit_judge(seed: int = 0, budget: Budget = DIGIT_BUDGET) -> Path:
    """Train the judge of digits and write it with its card."""
    set_threads()
    start = time.perf_counter()
    judge = train_digit_judge(seed, budget)
    seconds = time.perf_counter() - start
    others = digit_pictures("train", language="en")
    right = judge_digits(others.tensor(), judge).digits == others.labels
    data = "scikit-learn's digits at 28x28, the 360 of the test part; tried on the 1,437 of the train part"
    return _ship("digit-judge", judge, seed, data, seconds, {"right": float(right.mean())})


def train_scene_judge(seed: int = 0, budget: Budget = SCENE_BUDGET) -> SceneJudge:
    """A judge of scenes, rounded as it would be shipped."""
    material = scene_material(budget.pictures, seed)
    set_seed(seed)
    judge = SceneJudge()
    _train(judge, scene_loss, _SceneBatches(material, budget.batch_size, seed), budget)
    return restore(SceneJudge(), rounded(judge))


def train_digit_judge(seed: int = 0, budget: Budget = DIGIT_BUDGET) -> DigitJudge:
    """A judge of digits, rounded as it would be shipped."""
    digits = digit_pictures("test", language="en")[: budget.pictures]
    set_seed(seed)
    judge = DigitJudge()
    batches = _DigitBatches(digits.tensor(channels=1), torch.from_numpy(digits.labels), budget, seed)
    _train(judge, nn.functional.cross_entropy, batches, budget)
    return restore(DigitJudge(), rounded(judge))


def _train(judge: Judge, loss: Callable, batches: Callable, budget: Budget) -> None:
    judge.to(memory_format=torch.channels_last)  # a fifth faster on a processor
    optimizer = torch.optim.AdamW(judge.parameters(), lr=budget.learning_rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, budget.learning_rate, budget.steps)
    fit(SupervisedTask(judge, loss, optimizer, schedule, clip_norm=5.0), batches, budget.steps)


def _ship(name: str, judge: Judge, seed: int, data: str, seconds: float, tried: dict[str, float]) -> Path:
    path = weights.shipped_path(name)
    card = weights.Card(
        command=weights.train_command(name),
        seed=seed,
        data=data,
        seconds=round(seconds, 1),
        metrics={metric: round(value, 4) for metric, value in tried.items()},
        notes="float16; the figures are those after rounding. A measuring instrument: never train a generator with it",
    )
    weights.save(path, rounded(judge), card)
    return path


def _all_right(judge: SceneJudge, pictures: PictureSet) -> float:
    verdicts = judge_scenes(pictures.tensor(), judge)
    return float(np.mean([v.scene == f for v, f in zip(verdicts, pictures.facts, strict=True)]))


# Scenes


@dataclass(frozen=True, eq=False)
class SceneMaterial:
    """Real drawings, and what is to be said of them.

    ``cells`` is int64 (N, 49, 4): is the middle of a thing there (1 yes, 0 no, -1 so-so), and its shape, colour and
    size. ``offsets`` is (N, 49, 2): from the middle of the cell to that of its thing, in cells. ``layouts`` is int64
    (N,): the place of one thing, or how two lie.
    """

    pictures: np.ndarray  # uint8 (N, 28, 28, 3)
    cells: Tensor
    offsets: Tensor
    layouts: Tensor


def scene_material(count: int, seed: int) -> SceneMaterial:
    """``count`` drawings of every combination of attributes, by random numbers of the judge's own."""
    rng = drawing.split_generator(seed, "train", PURPOSE)
    held_out = round(count * HELD_OUT_SHARE)
    known, new = rng.integers(2**32, size=2).tolist()
    facts = drawing.sample_scenes(count - held_out, known, "train")
    facts += drawing.sample_scenes(held_out, new, "held_out")
    pictures, middles = draw_with_middles(facts, rng)
    away = torch.from_numpy(middles)[:, None] - cell_centres()[:, None]  # (N, 49, 2 things, 2)
    distance, nearest = away.norm(dim=-1).min(dim=-1)  # (N, 49)
    there = torch.where(distance <= NEAR, 1, torch.where(distance > FAR, 0, -1))
    rows = torch.arange(count)[:, None]
    kinds = _kinds(facts)[rows, nearest]  # (N, 49, 3)
    offsets = away.gather(2, nearest[..., None, None].expand(-1, -1, 1, 2))[:, :, 0] / CELL_SIZE
    layouts = torch.tensor([_layout(scene) for scene in facts])
    return SceneMaterial(pictures, torch.cat([there[..., None], kinds], dim=-1), offsets.float(), layouts)


def draw_with_middles(
    facts: Sequence[Scene], rng: np.random.Generator, chunk: int = 1_000
) -> tuple[np.ndarray, np.ndarray]:
    """Drawings, uint8 (N, 28, 28, 3), and the middles of the boxes around their things, float32 (N, 2, 2) as x, y in
    pixels; far outside where there is no second thing.

    Each scene is drawn twice with the same random numbers, the second time with its first thing in another colour:
    the pixels that differ are that thing.
    """
    pictures, middles = [], []
    for start in range(0, len(facts), chunk):
        part = facts[start : start + chunk]
        seed = int(rng.integers(2**63))
        drawn = drawing.render_scenes(part, np.random.default_rng(seed))
        other = drawing.render_scenes([_recoloured(s) for s in part], np.random.default_rng(seed))
        first = _covered(drawn, other)
        ground = np.median(drawn.reshape(len(drawn), -1, 3), axis=1)[:, None, None]
        second = _covered(drawn, np.broadcast_to(ground, drawn.shape)) & ~_grown(first)
        paired = np.array([len(scene.objects) == 2 for scene in part])
        box = np.stack([_middle_of_box(first), _middle_of_box(second)], axis=1)
        box[~paired, 1] = 1e3
        pictures.append(drawn)
        middles.append(box)
    return np.concatenate(pictures), np.concatenate(middles).astype(np.float32)


def _recoloured(scene: Scene) -> Scene:
    first, *rest = scene.canonical().objects
    first = replace(first, colour="yellow" if first.colour in ("black", "blue", "purple") else "black")
    return Scene((first, *rest), scene.canonical().relation)


def _covered(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Where pictures differ by more than half of their largest difference: bool (N, 28, 28)."""
    difference = np.abs(left.astype(np.float32) - right).max(axis=-1)
    return difference > difference.max(axis=(1, 2), keepdims=True) / 2


def _grown(mask: np.ndarray) -> np.ndarray:
    """The mask and the pixels beside it, which its soft edge covers in part."""
    padded = np.pad(mask, ((0, 0), (1, 1), (1, 1)))
    return mask | padded[:, :-2, 1:-1] | padded[:, 2:, 1:-1] | padded[:, 1:-1, :-2] | padded[:, 1:-1, 2:]


def _middle_of_box(mask: np.ndarray) -> np.ndarray:
    """(N, 2) as x, y of the middle of the box around each mask (N, 28, 28)."""
    middles = []
    for axis in (1, 2):  # over rows: which columns are covered, and the other way round
        line = mask.any(axis=axis)
        first, last = line.argmax(axis=1), line.shape[1] - line[:, ::-1].argmax(axis=1)
        middles.append((first + last) / 2)
    return np.stack(middles, axis=1)


def _kinds(facts: Sequence[Scene]) -> Tensor:
    """Shape, colour and size of both things as numbers: int64 (N, 2, 3)."""
    rows = []
    for scene in facts:
        kinds = [(SHAPES.index(t.shape), COLOURS.index(t.colour), SIZES.index(t.size)) for t in scene.objects]
        rows.append((kinds * 2)[:2])
    return torch.tensor(rows)


def _layout(scene: Scene) -> int:
    if len(scene.objects) == 1:
        return PLACES.index(scene.objects[0].place)
    return len(PLACES) + int(scene.canonical().relation == "above")


class _SceneBatches:
    """Worn and spoilt pictures with their targets; batch ``step`` depends on ``seed`` and ``step`` alone."""

    def __init__(self, material: SceneMaterial, batch_size: int, seed: int) -> None:
        self.material, self.batch_size, self.seed = material, batch_size, seed

    def __call__(self, step: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        draw = _generator(self.seed, step)
        rows = torch.randint(len(self.material.layouts), (self.batch_size,), generator=draw)
        pictures = to_tensor(self.material.pictures[rows.numpy()])
        clean = torch.ones(len(rows))
        clean[: round(SPOILT_SHARE * len(rows))] = 0
        pictures[clean == 0] = spoil(pictures, draw)[clean == 0]
        pictures = wear(pictures, draw)
        material = self.material
        return pictures, (material.cells[rows], material.offsets[rows], material.layouts[rows], clean)


def scene_loss(outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, ...]) -> Tensor:
    """Is a thing there, where, and what is it, from clean pictures; the layout too; clean or not, from all."""
    cells, whole = outputs
    asked, offsets, layouts, clean = targets
    whole_is_clean = F.binary_cross_entropy_with_logits(whole[:, 0], clean)
    kept = clean == 1
    there, place, *kinds = cells[kept].permute(0, 2, 3, 1).flatten(1, 2).split(GROUPS, dim=-1)
    asked, offsets = asked[kept], offsets[kept]
    judged, seen = asked[..., 0] >= 0, asked[..., 0] == 1
    loss = F.binary_cross_entropy_with_logits(there[judged][:, 0], asked[judged][:, 0].float())
    loss = loss + F.smooth_l1_loss(place[seen], offsets[seen])
    for number, group in enumerate(kinds, start=1):
        loss = loss + F.cross_entropy(group[seen], asked[seen][:, number])
    return loss + whole_is_clean + 0.3 * F.cross_entropy(whole[kept][:, 1:], layouts[kept])


# Digits


class _DigitBatches:
    """Digits turned, scaled, slanted and moved a little, worn, and some spoilt: those show no digit."""

    def __init__(self, pictures: Tensor, labels: Tensor, budget: Budget, seed: int) -> None:
        self.pictures, self.labels = pictures, labels
        self.batch_size, self.seed = budget.batch_size, seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        draw = _generator(self.seed, step)
        rows = torch.randint(len(self.labels), (self.batch_size,), generator=draw)
        pictures, labels = _moved(self.pictures[rows], draw), self.labels[rows]
        spoilt = round(SPOILT_SHARE * len(rows))
        labels[:spoilt] = NO_DIGIT
        pictures[:spoilt] = spoil(pictures, draw, NO_DIGITS)[:spoilt]
        return wear(pictures, draw), labels


def _moved(pictures: Tensor, draw: Generator) -> Tensor:
    """By up to 12 degrees, 15 % in size, 0.15 in slant and 2 pixels."""
    angle, slant, *rest = (torch.rand(6, len(pictures), generator=draw) * 2 - 1).unbind()
    angle, slant, right, down = 0.21 * angle, 0.15 * slant, 0.14 * rest[0], 0.14 * rest[1]
    wide, high = (0.15 * rest[2]).exp(), (0.15 * rest[3]).exp()
    first = torch.stack([angle.cos() * wide, slant - angle.sin() * wide, right], dim=1)
    second = torch.stack([angle.sin() * high, angle.cos() * high, down], dim=1)
    grid = F.affine_grid(torch.stack([first, second], dim=1), pictures.shape, align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _generator(seed: int, step: int) -> Generator:
    return Generator().manual_seed(int(np.random.SeedSequence([seed, step]).generate_state(1)[0]))
