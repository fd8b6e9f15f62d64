"""Judges of pictures, independent of every generator: what a scene shows, which digit it is, or that it is neither.

A judge is trained on real pictures alone (``judge_training``), and no generator imports it. It is a measuring
instrument, so the judge of scenes was shown every combination of attributes, also those that generators never see.
A picture that it takes for no clean drawing (mush, a ghost, two things run together) counts as showing nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from labkit import weights
from labkit.common import LabkitError
from labkit.image.scenes import (
    COLOURS,
    PICTURE_SIZE,
    PLACE_CENTRES,
    PLACES,
    SHAPES,
    SIZES,
    Scene,
    Thing,
)

NAMES = ("scene-judge", "digit-judge")
FEATURES = 64  # numbers that a judge hands to the distances of ``measures``
CELLS = 7  # the judge of scenes looks from 7x7 places
CELL_SIZE = PICTURE_SIZE // CELLS  # pixels
SAME_THING = 5.0  # pixels: the middles of two things are 7.4 or more apart
DIAGONAL = 0.7  # of the line between two things against an axis: 35 degrees, real ones are within 20
GROUPS = (
    1,
    2,
    len(SHAPES),
    len(COLOURS),
    len(SIZES),
)  # outputs of a cell: is one there, where, shape, colour, size
LAYOUTS = len(PLACES) + 2  # the place of one thing; two side by side; two one above the other
NO_DIGIT = 10  # the class of pictures that show no digit
BATCH_SIZE = 512


@dataclass(frozen=True)
class Verdict:
    """What a judge sees in a picture of a scene.

    ``scene`` holds one thing with its place, or two with their relation (None where they lie on a diagonal), in
    canonical form. It is None where ``count``, the number of things seen, is neither 1 nor 2, or ``confidence``, the
    smallest of the judge's probabilities (that the drawing is clean, that the things are there, and of each
    attribute), is below a half.
    """

    scene: Scene | None
    count: int
    confidence: float


class DigitVerdicts(NamedTuple):
    """What a judge sees in pictures of digits: int64 (N,) with -1 for no digit, and its probability (N,)."""

    digits: np.ndarray
    confidence: np.ndarray


class SceneJudge(nn.Module):
    """Looks from 7x7 places of a picture (N, 3, 28, 28) for the middle of a thing, and says what it is.

    A place answers alone, so that the order and the combination of things make no difference. A second output
    looks at the whole: is this a clean drawing, and how is it laid out?
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),  # each 2x2 pixels to 12 channels: half of the time, and nothing is lost
            *_convolution(12, 32),  # (N, 32, 14, 14)
            *_convolution(32, 32),
            *_convolution(32, 64, stride=2),  # (N, 64, 7, 7)
            *_convolution(64, 64),
        )
        self.cells = nn.Conv2d(64, sum(GROUPS), 1)
        self.narrow = nn.Conv2d(64, 8, 1)
        self.summary = nn.Sequential(nn.Flatten(), nn.Linear(8 * CELLS**2, FEATURES), nn.ReLU())
        self.whole = nn.Linear(FEATURES, 1 + LAYOUTS)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the cells (N, 17, 7, 7), in the order of ``GROUPS``, and of the whole (N, 12)."""
        seen = self.body(pictures)  # (N, 64, 7, 7)
        return self.cells(seen), self.whole(self.summary(self.narrow(seen)))

    def features(self, pictures: Tensor) -> Tensor:
        """(N, 64): what the answer about the whole is made of."""
        return self.summary(self.narrow(self.body(pictures)))


class DigitJudge(nn.Module):
    """Tells the ten digits, and that a picture (N, 1 or 3, 28, 28) shows none; colours are averaged away."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            *_convolution(4, 32),
            *_convolution(32, 48, stride=2),
            *_convolution(48, 32),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(32 * CELLS**2, FEATURES),
            nn.ReLU(),
        )
        self.classes = nn.Linear(FEATURES, NO_DIGIT + 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (N, 11): the digits 0 to 9, and none."""
        return self.classes(self.features(pictures))

    def features(self, pictures: Tensor) -> Tensor:
        """(N, 64): the last layer before the classes."""
        return self.body(pictures.mean(dim=1, keepdim=True))


Judge = SceneJudge | DigitJudge


def judge_scenes(pictures: Tensor, judge: SceneJudge | None = None) -> list[Verdict]:
    """What each picture, float (N, 3, 28, 28) in [-1, 1], shows; by the shipped judge when none is given."""
    judge = judge or load_scene_judge()
    cells, whole = _in_batches(judge, check_pictures(pictures))
    clean = torch.sigmoid(whole[:, 0])
    there, place, *kinds = cells.permute(0, 2, 3, 1).flatten(1, 2).split(GROUPS, dim=-1)  # each (N, 49, ...)
    there = torch.sigmoid(there[..., 0])
    kinds = [group.softmax(dim=-1).max(dim=-1) for group in kinds]
    sureness = torch.stack([there, *(group.values for group in kinds)]).amin(dim=0)  # (N, 49)
    choices = torch.stack([group.indices for group in kinds], dim=-1)  # (N, 49, 3)
    middles = cell_centres() + CELL_SIZE * place  # (N, 49, 2) as x, y, in pixels
    columns = (column.numpy() for column in (there, sureness, choices, middles, clean))
    return [_verdict(*row) for row in zip(*columns, strict=True)]


def judge_digits(pictures: Tensor, judge: DigitJudge | None = None) -> DigitVerdicts:
    """Which digit each picture, float (N, 1 or 3, 28, 28) in [-1, 1], shows; by the shipped judge when none is given."""
    judge = judge or load_digit_judge()
    (logits,) = _in_batches(judge, check_pictures(pictures))
    best = logits.softmax(dim=1).max(dim=1)
    digits = np.where(best.indices == NO_DIGIT, -1, best.indices)
    return DigitVerdicts(digits, best.values.numpy())


def features(pictures: Tensor, judge: Judge) -> np.ndarray:
    """The judge's view of each picture: float64 (N, 64), for the distances of ``measures``."""
    (found,) = _in_batches(judge, check_pictures(pictures), judge.features)
    return found.double().numpy()


def check_pictures(pictures: Tensor) -> Tensor:
    """The pictures as float32 on the CPU; raises LabkitError where they are not (N, 1 or 3, 28, 28) and finite."""
    if not isinstance(pictures, Tensor) or not pictures.is_floating_point():
        kind = pictures.dtype if hasattr(pictures, "dtype") else type(pictures).__name__
        raise LabkitError(
            f"pictures is {kind}. Give a float tensor (N, 3, 28, 28) in [-1, 1]; to_tensor makes one."
        )
    size = (PICTURE_SIZE, PICTURE_SIZE)
    if pictures.ndim != 4 or pictures.shape[1] not in (1, 3) or tuple(pictures.shape[2:]) != size:
        raise LabkitError(f"pictures has the shape {tuple(pictures.shape)}, not (N, 3, 28, 28).")
    pictures = pictures.detach().cpu().float()
    if not pictures.isfinite().all():
        raise LabkitError("pictures holds NaN or infinity: the generator that made them has diverged.")
    return pictures


def cell_centres() -> Tensor:
    """The middles of the cells in pixels: (49, 2) as x, y, row by row."""
    axis = (torch.arange(CELLS) + 0.5) * CELL_SIZE
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y], dim=-1).flatten(0, 1)


# In and out


def load_scene_judge() -> SceneJudge:
    """The shipped judge of scenes, in evaluation mode."""
    return _load("scene-judge", SceneJudge())


def load_digit_judge() -> DigitJudge:
    """The shipped judge of digits, in evaluation mode."""
    return _load("digit-judge", DigitJudge())


def rounded(judge: Judge) -> dict[str, Tensor]:
    """The tensors of a judge as they are shipped: float16, without the counters of batch normalization."""
    return {name: t.half().contiguous() for name, t in judge.state_dict().items() if t.is_floating_point()}


def restore(judge: Judge, tensors: dict[str, Tensor]) -> Judge:
    """The judge with these tensors, in evaluation mode, its parameters frozen."""
    known = judge.state_dict()
    names = [name for name in known if not name.endswith("num_batches_tracked")]
    different = set(names) ^ set(tensors)
    different |= {name for name in names if name in tensors and tensors[name].shape != known[name].shape}
    if different:
        raise LabkitError(
            f"These are not the weights of a {type(judge).__name__}: {min(different)} differs. Train it again."
        )
    judge.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=False)
    return judge.eval().requires_grad_(False)


def _load(name: str, judge: Judge) -> Judge:
    return restore(judge, weights.load(weights.find_shipped(name))[0])


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


@torch.no_grad()
def _in_batches(judge: Judge, pictures: Tensor, call=None) -> list[Tensor]:
    """The outputs of ``judge``, or of one of its methods, for all pictures."""
    if len(pictures) == 0:
        raise LabkitError("There are no pictures to judge.")
    if isinstance(judge, SceneJudge) and pictures.shape[1] == 1:
        pictures = pictures.expand(-1, 3, -1, -1)
    was_training = judge.training
    judge.eval()
    parts = [(call or judge)(part) for part in pictures.split(BATCH_SIZE)]
    judge.train(was_training)
    parts = [part if isinstance(part, tuple) else (part,) for part in parts]
    return [torch.cat(outputs) for outputs in zip(*parts, strict=True)]


# From cells to facts


def _verdict(
    there: np.ndarray, sureness: np.ndarray, choices: np.ndarray, middles: np.ndarray, clean: float
) -> Verdict:
    """From what the 49 cells of a picture say, and the whole."""
    kept = _separate(there, middles)
    confidence = float(min([clean, *sureness[kept]]))
    if not 1 <= len(kept) <= 2 or confidence < 0.5:
        return Verdict(None, len(kept), confidence)
    things = [
        Thing(SHAPES[shape], COLOURS[colour], SIZES[size]) for shape, colour, size in choices[kept].tolist()
    ]
    return Verdict(_arrange(things, middles[kept]), len(kept), confidence)


def _separate(there: np.ndarray, middles: np.ndarray) -> list[int]:
    """The surest cell of each thing: neighbouring cells see the same one."""
    kept: list[int] = []
    for cell in np.argsort(-there):
        if there[cell] < 0.5:
            break
        if all(np.hypot(*(middles[cell] - middles[other])) > SAME_THING for other in kept):
            kept.append(int(cell))
    return kept


def _arrange(things: Sequence[Thing], middles: np.ndarray) -> Scene:
    """The scene with the place of one thing, or the relation of two."""
    if len(things) == 1:
        column, row = np.abs(PLACE_CENTRES - middles[0][:, None]).argmin(axis=1)
        [thing] = things
        return Scene((Thing(*thing.kind, PLACES[3 * row + column]),))
    right, down = middles[1] - middles[0]
    relation = None
    if min(abs(right), abs(down)) <= DIAGONAL * max(abs(right), abs(down)):
        if abs(right) > abs(down):
            relation = "left of" if right > 0 else "right of"
        else:
            relation = "above" if down > 0 else "below"
    return Scene(tuple(things), relation).canonical()
