"""Scores, and how sure to be of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[Any]


# ---------------------------------------------------------------------------------------------------------------
# Classification


def accuracy(logits_or_labels: Any, targets: Any) -> float:
    """Share of the predictions that are right, in [0, 1].

    Predictions are labels (B,), or logits or probabilities (B, K) of which the largest counts. ``targets`` are
    class indices (B,). Arrays, lists or tensors.
    """
    labels, targets = _labels(logits_or_labels, targets)
    return float((labels == targets).mean())


def confusion_matrix(logits_or_labels: Any, targets: Any, num_classes: int | None = None) -> Array:
    """Counts (K, K): row the true class, column the predicted one. The diagonal holds what is right.

    ``num_classes`` is one more than the largest label unless given.
    """
    labels, targets = _labels(logits_or_labels, targets)
    if not all(np.issubdtype(side.dtype, np.integer) for side in (labels, targets)):
        raise TypeError("targets and labels must be class indices of an integer type")
    labels, targets = labels.astype(np.int64), targets.astype(np.int64)  # uint8 would overflow below
    smallest, largest = min(labels.min(), targets.min()), max(labels.max(), targets.max())
    if smallest < 0:
        raise ValueError(f"targets and labels must not be negative, got {smallest}")
    size = largest + 1 if num_classes is None else num_classes
    if largest >= size:
        raise ValueError(f"num_classes is {num_classes}, but there is a label {largest}")
    return np.bincount(targets * size + labels, minlength=size * size).reshape(size, size)


@dataclass(frozen=True)
class ReliabilityBins:
    """Predictions grouped by confidence, for a reliability diagram.

    ``edges`` has one entry more than the others. In an empty bin ``confidence`` and ``accuracy`` are NaN.
    """

    edges: Array
    confidence: Array
    accuracy: Array
    count: Array

    @property
    def expected_calibration_error(self) -> float:
        """Σ_b (n_b / n) |accuracy_b - confidence_b|."""
        filled = self.count > 0
        gaps = np.abs(self.accuracy[filled] - self.confidence[filled])
        return float((self.count[filled] * gaps).sum() / self.count.sum())


def reliability_bins(probabilities: Any, targets: Any, bins: int = 15) -> ReliabilityBins:
    """Group predictions by their confidence into ``bins`` of equal width, (low, high].

    ``probabilities`` (B, K); the confidence is the largest of a row. Guo et al. 2017, section 2.
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    probabilities = _array(probabilities)
    if probabilities.ndim != 2:
        raise ValueError(f"probabilities must be of shape (B, K), got {probabilities.shape}")
    if not ((probabilities >= 0) & (probabilities <= 1 + 1e-6)).all():  # room for rounding alone
        raise ValueError("probabilities must lie in [0, 1]: are they logits?")
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):
        raise ValueError("probabilities must sum to 1 over the last axis")
    labels, targets = _labels(probabilities, targets)
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = (labels == targets).astype(np.float64)

    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    mean = [
        np.divide(np.bincount(place, weights, bins), count, out=np.full(bins, np.nan), where=count > 0)
        for weights in (confidence, right)
    ]
    return ReliabilityBins(edges=edges, confidence=mean[0], accuracy=mean[1], count=count)


def expected_calibration_error(probabilities: Any, targets: Any, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy, in [0, 1]; 0 is calibrated. Naeini et al. 2015; Guo et al. 2017, (3).

    It depends on the bins, and is biased upwards on few predictions: compare at equal size and bins only.
    """
    return reliability_bins(probabilities, targets, bins).expected_calibration_error


# ---------------------------------------------------------------------------------------------------------------
# Intervals and comparisons


def mean_interval(values: Any, confidence: float = 0.95) -> tuple[float, float, float]:
    """(mean, low, high): the mean of a few independent runs, with Student's t interval (Student 1908).

    mean ± t · s / √n, with t of n - 1 degrees of freedom. At least two values.
    """
    values = _sample(values, "values", at_least=2)
    _check_confidence(confidence)
    half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    mean = float(values.mean())
    return mean, mean - float(half), mean + float(half)


def bootstrap_interval(
    values: Any,
    statistic: Callable[..., Any] = np.mean,
    samples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[float, float, float]:
    """(statistic, low, high) by the percentile bootstrap (Efron 1979): no formula for the statistic is needed.

    ``values`` are drawn anew with replacement ``samples`` times; the interval holds the middle ``confidence`` of
    the statistics. It is too narrow below about 20 values.
    """
    values = _sample(values, "values", at_least=2)
    _check_confidence(confidence)
    _check_samples(samples)
    result = stats.bootstrap(
        (values,),
        statistic,
        n_resamples=samples,
        batch=max(1, 1_000_000 // len(values)),  # at most 8 MB at a time
        confidence_level=confidence,
        method="percentile",
        random_state=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return float(statistic(values)), float(low), float(high)


def paired_bootstrap(
    a: Any, b: Any, samples: int = 10_000, seed: int = 0, confidence: float = 0.95
) -> tuple[float, float, float, float]:
    """(mean of a - b, low, high, p): do two systems differ on the same examples? Koehn 2004.

    ``a[i]`` and ``b[i]`` are the scores of both on example i, e.g. 1 for right and 0 for wrong. p is two-sided: the
    share of resampled means at least as far from the observed mean as that is from 0, counting the observed one
    (Efron & Tibshirani 1993, chapter 16), so it is at least 1 / (samples + 1).
    """
    a, b = _sample(a, "a", at_least=2), _sample(b, "b", at_least=2)
    if a.shape != b.shape:
        raise ValueError(f"b must have as many values as a, {len(a)}, got {len(b)}")
    _check_confidence(confidence)
    _check_samples(samples)
    differences = a - b
    rng = np.random.default_rng(seed)
    batch = max(1, 1_000_000 // len(differences))  # at most 8 MB at a time
    means = np.concatenate(
        [
            rng.choice(differences, (min(batch, samples - done), len(differences))).mean(axis=1)
            for done in range(0, samples, batch)
        ]
    )
    mean = differences.mean()
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    # Rounding must not decide whether a resampled mean counts as equally far.
    further = np.abs(means - mean) >= abs(mean) - 1e-12 * np.abs(differences).max(initial=0)
    p = (further.sum() + 1) / (samples + 1)
    return float(mean), float(low), float(high), float(p)


# ---------------------------------------------------------------------------------------------------------------
# Inputs: arrays, lists and tensors


def _array(values: Any) -> Array:
    if hasattr(values, "detach"):  # a tensor, maybe with a gradient or on a GPU
        values = values.detach().cpu()
        if str(values.dtype) == "torch.bfloat16":  # NumPy has none
            values = values.float()
    return np.asarray(values)


def _labels(logits_or_labels: Any, targets: Any) -> tuple[Array, Array]:
    labels, targets = _array(logits_or_labels), _array(targets)
    if targets.ndim != 1 or targets.size == 0:
        raise ValueError(f"targets must be of shape (B,) with B of at least 1, got {targets.shape}")
    if labels.ndim not in (1, 2) or len(labels) != len(targets):
        raise ValueError(
            f"logits or labels must be of shape ({len(targets)}, K) or ({len(targets)},) for {len(targets)} targets, "
            f"got {labels.shape}"
        )
    if np.issubdtype(targets.dtype, np.floating):
        raise TypeError(f"targets must be class labels, got {targets.dtype}")
    if labels.ndim == 2:
        if labels.shape[1] < 2:
            raise ValueError(f"logits must have a column for each class, at least 2, got {labels.shape}")
        if np.isnan(labels).any():
            raise ValueError("logits hold NaN")
        labels = labels.argmax(axis=1)
    elif np.issubdtype(labels.dtype, np.floating):
        raise TypeError(
            f"labels must be classes, got {labels.dtype}: for the probabilities p of class 1, write p > 0.5"
        )
    return labels, targets


def _sample(values: Any, name: str, at_least: int) -> NDArray[np.float64]:
    values = _array(values).astype(np.float64)
    if values.ndim != 1 or len(values) < at_least:
        raise ValueError(f"{name} must be a list of at least {at_least} numbers, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite")
    return values


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")


def _check_samples(samples: int) -> None:
    if samples < 1:
        raise ValueError(f"samples must be at least 1, got {samples}")
