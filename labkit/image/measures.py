"""What is measured of generated pictures, each beside what real ones reach: facts that are right, distances of sets.

Distances take ``judges.features``, or any other (N, D) numbers. None of them can be compared with figures elsewhere
that rest on other features, as the FID does on Inception's.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from labkit.common import LabkitError
from labkit.image.judges import (
    DigitJudge,
    SceneJudge,
    check_pictures,
    judge_digits,
    judge_scenes,
)
from labkit.image.scenes import CONVERSE, Scene, Thing

FACTS = ("count", "shape", "colour", "size", "place", "relation")
CHUNK = 256  # pictures whose distances to all training pictures are held at a time


class BesideReal(NamedTuple):
    """A figure of generated pictures, and the same figure of as many real ones, measured in the same way."""

    generated: float
    real: float

    @property
    def ratio(self) -> float:
        """generated / real; where both are 0 it is 1."""
        if self.generated == self.real:
            return 1.0
        return self.generated / self.real if self.real else float("inf")


# Right or wrong


def attribute_scores(
    pictures: Tensor, asked: Sequence[Scene], judge: SceneJudge | None = None
) -> dict[str, float]:
    """The share of right answers for each kind of fact that the captions state, and for ``all`` facts of a picture.

    ``asked`` are the facts that the captions state (``PictureSet.said``): what a caption leaves out is not judged,
    and a kind of fact that no caption states is not in the answer. ``count``, one thing or two, is always stated.
    Of two things those are compared that fit best, so that the order in a caption makes no difference. In a picture
    that the judge refuses, every fact is wrong.
    """
    if len(pictures) != len(asked):
        raise LabkitError(f"There are {len(pictures)} pictures and {len(asked)} scenes. Give one for each.")
    verdicts = judge_scenes(pictures, judge)
    return summarize_facts(compare(v.scene, scene) for v, scene in zip(verdicts, asked, strict=True))


def digit_score(pictures: Tensor, digits: Sequence[int], judge: DigitJudge | None = None) -> float:
    """The share of pictures that show the digit that was asked for; no digit is wrong."""
    if len(pictures) != len(digits):
        raise LabkitError(f"There are {len(pictures)} pictures and {len(digits)} digits. Give one for each.")
    return float((judge_digits(pictures, judge).digits == np.asarray(digits)).mean())


Outcome = list[tuple[str, bool]]  # of each stated fact: its kind, and whether it is right


def compare(seen: Scene | None, asked: Scene) -> Outcome:
    """Which of the stated facts are right in what was seen (None: nothing that can be told)."""
    return max((_outcome(reading, asked) for reading in _readings(seen)), key=_number_right)


def summarize_facts(outcomes: Iterable[Outcome]) -> dict[str, float]:
    """The share of right facts of each kind over all pictures, and of pictures in which all are right."""
    found: dict[str, list[bool]] = {name: [] for name in (*FACTS, "all")}
    for outcome in outcomes:
        for name, right in outcome:
            found[name].append(right)
        found["all"].append(all(right for _, right in outcome))
    return {name: float(np.mean(rights)) for name, rights in found.items() if rights}


def _readings(seen: Scene | None) -> list[Scene | None]:
    """The ways of saying what was seen: "a left of b" is also "b right of a"."""
    if seen is None or len(seen.objects) == 1:
        return [seen]
    first, second = seen.objects
    return [seen, Scene((second, first), seen.relation and CONVERSE[seen.relation])]


def _outcome(seen: Scene | None, asked: Scene) -> Outcome:
    """With the things in the order in which they stand. Where only one is seen, it is compared with the one that it
    fits better."""
    things = () if seen is None else seen.objects
    outcome = [("count", len(things) == len(asked.objects))]
    if len(things) == 1 and len(asked.objects) == 2:
        pairings = [(things[0], None), (None, things[0])]
    else:
        pairings = [(*things, None, None)[: len(asked.objects)]]
    outcome += max((_things_right(pairing, asked.objects) for pairing in pairings), key=_number_right)
    if asked.relation is not None:
        outcome.append(("relation", seen is not None and seen.relation == asked.relation))
    return outcome


def _things_right(seen: Sequence[Thing | None], asked: Sequence[Thing]) -> Outcome:
    return [
        (name, one is not None and getattr(one, name) == getattr(other, name))
        for one, other in zip(seen, asked, strict=True)
        for name in ("shape", "colour", "size", "place")
        if getattr(other, name) is not None
    ]


def _number_right(outcome: Outcome) -> int:
    return sum(right for _, right in outcome)


# Distances of sets


def frechet_between_gaussians(
    mean: np.ndarray, covariance: np.ndarray, other_mean: np.ndarray, other_covariance: np.ndarray
) -> float:
    """The squared Fréchet (2-Wasserstein) distance of two normal distributions,

    |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2))    (Dowson and Landau 1982, https://doi.org/10.1016/0047-259X(82)90077-X).

    The trace of the root is the sum of the roots of the eigenvalues of C^(1/2) C' C^(1/2), which is symmetric: no
    complex root arises, and covariances without full rank do no harm.
    """
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    shared = np.sqrt(np.linalg.eigvalsh(root @ other_covariance @ root).clip(min=0)).sum()
    apart = np.square(mean - other_mean).sum()
    return float(max(apart + np.trace(covariance) + np.trace(other_covariance) - 2 * shared, 0.0))


def frechet_distance(features: np.ndarray, others: np.ndarray) -> float:
    """The Fréchet distance of two sets of features (N, D), each taken for normally distributed: with a judge's
    features it is the "Fréchet distance on the judge's features" (Heusel et al. 2017, arXiv:1706.08500, eq. 6, who
    took Inception's). It grows as N shrinks, so compare only sets of one size, and see ``frechet_beside_floor``.
    """
    left, right = _features("features", features), _features("others", others)
    if left.shape[1] != right.shape[1]:
        raise LabkitError(f"The features have {left.shape[1]} and {right.shape[1]} columns: of two judges?")
    covariances = [np.atleast_2d(np.cov(side.T)) for side in (left, right)]  # one column gives a number
    return frechet_between_gaussians(left.mean(axis=0), covariances[0], right.mean(axis=0), covariances[1])


def frechet_beside_floor(
    generated: np.ndarray,
    real: np.ndarray,
    seed: int = 0,
    repeats: int = 5,
    groups: tuple[Sequence[Hashable], Sequence[Hashable]] | None = None,
) -> BesideReal:
    """The Fréchet distance of generated from real features, and its floor: of other real ones from the same.

    The real features are cut into halves at random, and all three parts to one size n, which is
    min(len(generated), len(real) // 2). Means over ``repeats`` cuts. A perfect generator reaches the floor, which is
    not 0, since n is finite: it goes about as 1 / n.

    Where the pictures were asked for by groups (digits), give the ``groups`` of generated and of real ones: each part
    then holds its groups in proportion. Else the parts also differ by how often each group fell into them by chance,
    and with digits the floor comes out half as high again as fresh real digits in proportion reach.
    """
    generated, real = _features("generated", generated), _features("real", real)
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise LabkitError(f"repeats is {repeats!r}. Give a whole number from 1.")
    for features, labels in zip((generated, real), groups or (), strict=False):
        if len(features) != len(labels):
            raise LabkitError(
                f"There are {len(features)} features and {len(labels)} groups. Give one for each."
            )
    rng = np.random.default_rng(seed)
    n = min(len(generated), len(real) // 2)
    pairs = []
    for _ in range(repeats):
        order, drawn = rng.permutation(len(real)), rng.permutation(len(generated))
        if groups is not None:
            drawn, order = (_in_proportion(*side) for side in zip((drawn, order), groups, strict=True))
        reference, others = real[order[:n]], real[order[n : 2 * n]]
        chosen = generated[drawn[:n]]
        pairs.append((frechet_distance(chosen, reference), frechet_distance(others, reference)))
    return BesideReal(*np.mean(pairs, axis=0).tolist())


def _in_proportion(order: np.ndarray, groups: Sequence[Hashable]) -> np.ndarray:
    """The rows of ``order`` dealt out so that every stretch of them holds each group in proportion."""
    rows: dict[Hashable, list[int]] = {}
    for row in order.tolist():
        rows.setdefault(groups[row], []).append(row)
    places = [((i + 0.5) / len(members), row) for members in rows.values() for i, row in enumerate(members)]
    return np.array([row for _, row in sorted(places)])


def diversity(
    generated: np.ndarray,
    generated_groups: Sequence[Hashable],
    real: np.ndarray,
    real_groups: Sequence[Hashable],
) -> BesideReal:
    """The mean distance between the features of two pictures of one group (a caption, a digit), over all pairs and
    then over groups, beside that of real pictures of the same groups.

    A ratio near 1 is as varied as real; near 0, the same picture comes again and again (mode collapse). Groups with
    fewer than two pictures on either side are left out.
    """
    sides = [_by_group(generated, generated_groups), _by_group(real, real_groups)]
    shared = [group for group in sides[0] if group in sides[1]]
    shared = [group for group in shared if all(len(side[group]) > 1 for side in sides)]
    if not shared:
        raise LabkitError("No group has two pictures or more on both sides. Draw several for each caption.")
    return BesideReal(*(float(np.mean([mean_pair_distance(side[g]) for g in shared])) for side in sides))


def mean_pair_distance(features: np.ndarray) -> float:
    """The mean Euclidean distance over all pairs of different rows (N, D)."""
    from scipy.spatial.distance import pdist

    return float(pdist(_features("features", features)).mean())


class Nearest(NamedTuple):
    """Of each picture the distance to its nearest training picture, and that one's number: both (N,)."""

    distances: np.ndarray
    indices: np.ndarray


def nearest_training(pictures: Tensor, training: Tensor) -> Nearest:
    """The nearest training picture of each: the distance is the root of the mean squared difference of pixels, where
    black and white are 2 apart."""
    pictures, training = check_pictures(pictures).flatten(1), check_pictures(training).flatten(1)
    if pictures.shape[1] != training.shape[1]:
        raise LabkitError("pictures and training have not the same number of channels.")
    if not len(pictures) or not len(training):
        raise LabkitError("There are no pictures to compare. Give at least one on each side.")
    exact = "donot_use_mm_for_euclid_dist"  # the quick way finds copies at 0.02 rather than at 0
    found = [torch.cdist(part, training, compute_mode=exact).min(dim=1) for part in pictures.split(CHUNK)]
    distances = torch.cat([part.values for part in found]) / pictures.shape[1] ** 0.5
    return Nearest(distances.numpy(), torch.cat([part.indices for part in found]).numpy())


def distance_to_training(generated: Tensor, test: Tensor, training: Tensor) -> BesideReal:
    """The mean distance to the nearest training picture, beside that of real pictures that were not trained on.

    A ratio far below 1 means copies; blurred pictures are nearer too, so look at them beside their nearest ones.
    """
    sides = (nearest_training(pictures, training).distances for pictures in (generated, test))
    return BesideReal(*(float(side.mean()) for side in sides))


def _features(name: str, values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or len(values) < 2:
        raise LabkitError(f"{name} has the shape {values.shape}. Give (N, D) with at least two rows.")
    if not np.isfinite(values).all():
        raise LabkitError(f"{name} holds NaN or infinity.")
    return values


def _by_group(features: np.ndarray, groups: Sequence[Hashable]) -> dict[Hashable, np.ndarray]:
    if len(features) != len(groups):
        raise LabkitError(f"There are {len(features)} features and {len(groups)} groups. Give one for each.")
    rows: dict[Hashable, list[int]] = {}
    for row, group in enumerate(groups):
        rows.setdefault(group, []).append(row)
    return {group: np.asarray(features)[chosen] for group, chosen in rows.items()}
