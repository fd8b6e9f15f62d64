"""Classification accuracy score: how good a classifier gets that learns from generated pictures and meets real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from labkit.common import LabkitError
from labkit.image.judges import check_pictures
from labkit.training import ArrayBatches, SupervisedTask, fit


@dataclass(frozen=True)
class ClassifierBudget:
    """How the classifier is trained, the same on both sides."""

    steps: int = 250
    batch_size: int = 64
    learning_rate: float = 4e-3

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "learning_rate"):
            if isinstance(getattr(self, name), bool) or not getattr(self, name) > 0:
                raise LabkitError(
                    f"ClassifierBudget.{name} is {getattr(self, name)!r}. Give a positive number."
                )


class ClassificationScore(NamedTuple):
    """Accuracy on real test pictures after training on generated ones, and on as many real ones: one value a seed."""

    generated: np.ndarray
    real: np.ndarray

    @property
    def gap(self) -> float:
        """How many points of accuracy (of 1) the generated pictures lose on average."""
        return float(self.real.mean() - self.generated.mean())


Labelled = tuple[Tensor, Tensor | np.ndarray]


def classification_score(
    generated: Labelled,
    real: Labelled,
    test: Labelled,
    seeds: int = 3,
    budget: ClassifierBudget | None = None,
) -> ClassificationScore:
    """Train on generated pictures, test on real ones; beside it, train on real ones (Ravuri and Vinyals 2019,
    arXiv:1905.10887).

    Each argument is pictures, float (N, C, 28, 28), and class numbers (N,). Both sides get the same number of
    pictures, drawn anew for each seed, the same network, first weights and steps. What a generator leaves out,
    blurs or labels wrongly, its classifier does not learn.
    """
    generated, real = _checked("generated", *generated), _checked("real", *real)
    size = min(len(generated[1]), len(real[1]))
    return ClassificationScore(
        *(taught_accuracy(side, test, seeds, budget, size=size) for side in (generated, real))
    )


def taught_accuracy(
    pictures: Labelled,
    test: Labelled,
    seeds: int = 3,
    budget: ClassifierBudget | None = None,
    *,
    size: int | None = None,
) -> np.ndarray:
    """One side of the score: accuracy on ``test`` after training on ``size`` of the pictures (None: all), one a seed.

    Where several sets of pictures are compared with the same real ones, those are trained on once.
    """
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise LabkitError(f"seeds is {seeds!r}. Give a whole number from 1.")
    pictures, test = _checked("pictures", *pictures), _checked("test", *test)
    classes = 1 + max(int(side[1].max()) for side in (pictures, test))
    accuracies = []
    for seed in range(seeds):
        rows = torch.from_numpy(np.random.default_rng(seed).permutation(len(pictures[1]))[:size])
        side = pictures[0][rows], pictures[1][rows]
        accuracies.append(_accuracy(*side, test, classes, seed, budget or ClassifierBudget()))
    return np.array(accuracies)


def _accuracy(
    pictures: Tensor, labels: Tensor, test: Labelled, classes: int, seed: int, budget: ClassifierBudget
) -> float:
    """On ``test``, of a classifier trained on these pictures."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network(pictures.shape[1], classes)
        optimizer = torch.optim.AdamW(network.parameters(), lr=budget.learning_rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, budget.learning_rate, budget.steps)
        task = SupervisedTask(network, nn.functional.cross_entropy, optimizer, schedule)
        batches = ArrayBatches(pictures, labels, batch_size=min(budget.batch_size, len(labels)), seed=seed)
        fit(task, batches, budget.steps, progress=False)
    return float((task.predict(test[0]).argmax(dim=1) == test[1]).float().mean())


def _network(channels: int, classes: int) -> nn.Sequential:
    """Two convolutions and two linear layers: small enough to be trained many times."""
    return nn.Sequential(
        nn.PixelUnshuffle(2),  # (N, 4 * channels, 14, 14)
        nn.Conv2d(4 * channels, 24, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(24, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(32 * 7 * 7, 64),
        nn.ReLU(),
        nn.Linear(64, classes),
    )


def _checked(name: str, pictures: Tensor, labels: Tensor | np.ndarray) -> Labelled:
    pictures, labels = check_pictures(pictures), torch.as_tensor(labels).long()
    if not len(labels) or len(pictures) != len(labels) or int(labels.min()) < 0:
        raise LabkitError(
            f"{name} has {len(pictures)} pictures and {len(labels)} labels. Give a class number from 0 for each."
        )
    return pictures, labels
