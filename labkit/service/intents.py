"""What a user wants: a linear classifier over words and characters that also knows when it does not know.

Features are TF-IDF values of words, pairs of neighbours, pairs of words further apart (in any order), and strings
of characters, which forgive typing errors. Each intent has a one-against-all linear support vector machine
(Fan et al. 2008, LIBLINEAR), and so has "none of them", learned from the few out-of-scope examples. With z the
values of the intents and z_o that of out of scope, a text is taken as in scope when

    z_best - ln Σ_k exp(z_k) - z_o / 2  >=  threshold,

and the threshold comes from validation data alone. That a classifier must also refuse is Larson et al. 2019,
https://arxiv.org/abs/1909.02027.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labkit.common import LabkitError
from labkit.service.text import fold, tokens

OUT_OF_SCOPE = "out_of_scope"


@dataclass(frozen=True)
class IntentConfig:
    """What the classifier looks at, and how strictly it fits."""

    pair_window: int = 5  # words apart, at most
    shortest: int = 2  # characters in a string
    longest: int = 6
    min_count: int = 2  # texts that hold a feature
    penalty: float = 1.0  # C of the support vector machine: larger fits the training texts closer
    scope_weight: float = 0.5  # of z_o in the score

    def __post_init__(self) -> None:
        for name in ("pair_window", "shortest", "longest", "min_count"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise LabkitError(f"{name} is {value!r}. Give a whole number from 1.")
        if self.longest < self.shortest:
            raise LabkitError(f"longest is {self.longest}, less than shortest, {self.shortest}.")
        if not self.penalty > 0:
            raise LabkitError(f"penalty is {self.penalty!r}. Give a positive number.")


@dataclass(frozen=True)
class Prediction:
    """What the classifier makes of a text. ``intent`` is ``out_of_scope`` where the score is under the threshold."""

    intent: str
    score: float
    threshold: float
    best: str  # the likeliest intent, whatever the score
    second: str
    margin: float  # z of the best less z of the second
    evidence: tuple[str, ...]  # the features that speak most for the best against the second


@dataclass(frozen=True)
class ScopeScores:
    """Shares on held-out texts: in-scope texts given their right intent and not refused; out-of-scope texts refused."""

    in_scope_accuracy: float
    out_of_scope_recall: float


def word_features(text: str, window: int) -> list[str]:
    """Words, pairs of neighbours, and pairs further apart in alphabetical order.

    >>> word_features("where is it", window=3)
    ['where', 'is', 'it', 'where is', 'is it', 'it&where']
    """
    words = tokens(text)
    near = [f"{a} {b}" for a, b in itertools.pairwise(words)]
    far = [
        "&".join(sorted((words[i], words[j])))
        for i in range(len(words))
        for j in range(i + 2, min(i + window + 1, len(words)))
    ]
    return words + near + far


class IntentModel:
    """Learns intents from texts, and refuses what is none of them."""

    def __init__(self, config: IntentConfig | None = None):
        self.config = IntentConfig() if config is None else config
        self.threshold = -np.inf
        self.intents: list[str] = []

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> IntentModel:
        """Learn from texts and their labels; out-of-scope examples are labelled ``out_of_scope``."""
        from scipy.sparse import hstack
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.svm import LinearSVC

        if len(texts) != len(labels) or not texts:
            raise LabkitError(
                f"There are {len(texts)} texts and {len(labels)} labels. Give one label a text."
            )
        names = sorted(set(labels) - {OUT_OF_SCOPE})
        if len(names) < 2:
            raise LabkitError("There are fewer than two intents. Give examples of at least two.")
        config = self.config
        common = {"sublinear_tf": True, "min_df": config.min_count, "dtype": np.float64}
        span = (config.shortest, config.longest)
        self._vectorizers = [
            TfidfVectorizer(analyzer=lambda text: word_features(text, config.pair_window), **common),
            TfidfVectorizer(analyzer="char_wb", ngram_range=span, preprocessor=fold, **common),
        ]
        values = hstack([vectorizer.fit_transform(texts) for vectorizer in self._vectorizers]).tocsr()
        machine = LinearSVC(C=config.penalty, random_state=0, tol=1e-3).fit(values, labels)
        coefficients, intercepts = machine.coef_, machine.intercept_
        if len(machine.classes_) == 2:  # one machine for two classes: the other is its negative
            coefficients, intercepts = (
                np.vstack([-coefficients, coefficients]),
                np.r_[-intercepts, intercepts],
            )
        order = [list(machine.classes_).index(name) for name in names]
        self.weights, self.bias = coefficients[order], intercepts[order]
        self._scope = None
        if OUT_OF_SCOPE in machine.classes_:
            place = list(machine.classes_).index(OUT_OF_SCOPE)
            self._scope = (coefficients[place], intercepts[place])
        self.intents = names
        self._names = np.concatenate([v.get_feature_names_out() for v in self._vectorizers])
        return self

    @property
    def num_parameters(self) -> int:
        """Weights and biases of all machines."""
        self._check_fitted()
        extra = 0 if self._scope is None else len(self._scope[0]) + 1
        return self.weights.size + self.bias.size + extra

    def scores(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """(values of the intents (N, K), score for being in scope (N,)); see the formula above."""
        return self._score(self._values(texts))

    def tune(self, texts: Sequence[str], labels: Sequence[str], min_recall: float = 0.7) -> float:
        """Set the threshold on validation data: the lowest that refuses ``min_recall`` of the out-of-scope texts."""
        if not 0 <= min_recall <= 1:
            raise LabkitError(f"min_recall is {min_recall!r}. Give a share from 0 to 1.")
        _, score = self.scores(texts)
        outside = np.sort(score[np.array([label == OUT_OF_SCOPE for label in labels])])
        if not len(outside):
            raise LabkitError(
                "There is no out-of-scope text among the validation texts to choose a threshold by."
            )
        count = int(np.ceil(min_recall * len(outside)))
        self.threshold = float(np.nextafter(outside[count - 1], np.inf)) if count else -np.inf
        return self.threshold

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The intent of each text, ``out_of_scope`` where the score is under the threshold."""
        values, score = self.scores(texts)
        best = values.argmax(axis=1)
        return [
            self.intents[index] if inside else OUT_OF_SCOPE
            for index, inside in zip(best, score >= self.threshold, strict=True)
        ]

    def explain(self, text: str, features: int = 5) -> Prediction:
        """The prediction for one text, with the features that decided."""
        row = self._values([text])
        values, score = self._score(row)
        second, best = np.argsort(values[0])[-2:]
        gains = (self.weights[best] - self.weights[second])[row.indices] * row.data
        order = np.argsort(-gains)[:features]
        return Prediction(
            intent=self.intents[best] if score[0] >= self.threshold else OUT_OF_SCOPE,
            score=float(score[0]),
            threshold=float(self.threshold),
            best=self.intents[best],
            second=self.intents[second],
            margin=float(values[0, best] - values[0, second]),
            evidence=tuple(str(self._names[row.indices[i]]) for i in order if gains[i] > 0),
        )

    def evaluate(self, texts: Sequence[str], labels: Sequence[str]) -> ScopeScores:
        """Both shares at the threshold that is set."""
        return scope_scores(self.predict(texts), labels)

    def _values(self, texts: Sequence[str]) -> Any:
        from scipy.sparse import hstack

        self._check_fitted()
        return hstack([vectorizer.transform(texts) for vectorizer in self._vectorizers]).tocsr()

    def _score(self, rows: Any) -> tuple[np.ndarray, np.ndarray]:
        values = np.asarray(rows @ self.weights.T) + self.bias  # (N, K)
        top = values.max(axis=1)
        score = -np.log(np.exp(values - top[:, None]).sum(axis=1))
        if self._scope is not None:
            score = score - self.config.scope_weight * (rows @ self._scope[0] + self._scope[1])
        return values, score

    def _check_fitted(self) -> None:
        if not self.intents:
            raise LabkitError("The intent model has learned nothing yet. Call fit first.")


def scope_scores(predicted: Sequence[str], labels: Sequence[str]) -> ScopeScores:
    """Of in-scope texts the share with their right intent, of out-of-scope texts the share that was refused."""
    inside = [p == t for p, t in zip(predicted, labels, strict=True) if t != OUT_OF_SCOPE]
    outside = [p == t for p, t in zip(predicted, labels, strict=True) if t == OUT_OF_SCOPE]
    if not inside or not outside:
        raise LabkitError("The texts must hold both in-scope and out-of-scope ones.")
    return ScopeScores(float(np.mean(inside)), float(np.mean(outside)))


def clinc_parts(intents: Any) -> Mapping[str, tuple[list[str], list[str]]]:
    """The parts of ``labkit.data.load("clinc150")`` as texts and labels: train, validation, test."""
    parts = {}
    for name, inside, outside in (
        ("train", intents.train, intents.oos_train),
        ("validation", intents.validation, intents.oos_validation),
        ("test", intents.test, intents.oos_test),
    ):
        texts = [text for text, _ in [*inside, *outside]]
        parts[name] = (texts, [label for _, label in inside] + [OUT_OF_SCOPE] * len(outside))
    return parts
