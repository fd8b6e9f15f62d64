"""Word vectors: skip-gram with negative sampling, neighbours, analogies, and how good they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class SkipGramConfig:
    """How vectors are trained; the names follow Mikolov et al. (2013), the optimizer is Adam.

    ``subsample`` is the share of the text above which a word is dropped at random (0: never), ``power`` flattens the
    distribution that negatives are drawn from, and a window's radius is drawn from 1..``window`` for each centre.
    """

    size: int = 64
    window: int = 4
    negatives: int = 5
    epochs: int = 3
    min_count: int = 5
    subsample: float = 1e-3
    power: float = 0.75
    batch_size: int = 1024
    learning_rate: float = 0.01

    def __post_init__(self) -> None:
        for name in ("size", "window", "negatives", "epochs", "min_count", "batch_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate!r}")
        if self.subsample < 0 or self.power < 0:
            raise ValueError("subsample and power must not be negative")


class WordVectors:
    """A vocabulary and one vector for each word, float32 (V, D).

    ``contexts`` (V, D) are the vectors that the words have as neighbours, where training left them; PMI is in the
    products ``vectors @ contexts.T``.
    """

    def __init__(
        self, words: Sequence[str], vectors: NDArray[Any], contexts: NDArray[Any] | None = None
    ) -> None:
        self.words = tuple(words)
        self.index = {word: i for i, word in enumerate(self.words)}
        self.vectors = np.asarray(vectors, dtype=np.float32)
        self.contexts = None if contexts is None else np.asarray(contexts, dtype=np.float32)
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.words):
            raise ValueError(f"{len(self.words)} words need vectors (V, D), got {self.vectors.shape}")
        if len(self.index) != len(self.words):
            raise ValueError("words must be different from each other")
        lengths = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        self.unit = self.vectors / np.maximum(lengths, 1e-12)  # (V, D), each of length 1

    @classmethod
    def random(cls, words: Sequence[str], size: int, seed: int = 0) -> WordVectors:
        """Vectors that know nothing, from a normal distribution: the baseline."""
        return cls(words, np.random.default_rng(seed).standard_normal((len(words), size)))

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.index

    def __getitem__(self, word: str) -> NDArray[np.float32]:
        return self.vectors[self._at(word)]

    def similarity(self, a: str, b: str) -> float:
        """Cosine of the angle between two words, in [-1, 1]."""
        return float(self.unit[self._at(a)] @ self.unit[self._at(b)])

    def neighbours(self, word: str, count: int = 5) -> list[tuple[str, float]]:
        """The ``count`` words of the highest cosine with ``word``, best first, without the word itself."""
        return self._best(self.unit[self._at(word)], count, without=[word])

    def analogy(self, a: str, b: str, c: str, count: int = 1) -> list[tuple[str, float]]:
        """What is to ``c`` as ``b`` is to ``a``: the best cosines with b - a + c, of unit vectors.

        The three words of the question are left out, as is usual (Mikolov et al. 2013; "3CosAdd" in Levy and
        Goldberg 2014). Linzen (2016) says what this hides: compare with ``neighbours(c)`` too.
        """
        target = self.unit[self._at(b)] - self.unit[self._at(a)] + self.unit[self._at(c)]
        return self._best(target, count, without=[a, b, c])

    def _at(self, word: str) -> int:
        if word not in self.index:
            raise KeyError(f"{word!r} is not among the {len(self)} words of the vocabulary")
        return self.index[word]

    def _best(self, target: NDArray[Any], count: int, without: Sequence[str]) -> list[tuple[str, float]]:
        scores = self.unit @ (target / max(float(np.linalg.norm(target)), 1e-12))  # (V,)
        scores[[self.index[word] for word in without]] = -np.inf
        best = np.argsort(-scores, kind="stable")[: min(count, len(self) - len(set(without)))]
        return [(self.words[i], float(scores[i])) for i in best]


def analogy_accuracy(vectors: WordVectors, questions: Sequence[tuple[str, str, str, str]]) -> float:
    """Share of questions (a, b, c, d) whose best answer to "a is to b as c is to ?" is d.

    Questions with a word outside the vocabulary count as wrong.
    """
    if not questions:
        raise ValueError("there are no questions")
    right = 0
    for a, b, c, d in questions:
        if all(word in vectors for word in (a, b, c, d)):
            right += vectors.analogy(a, b, c)[0][0] == d
    return right / len(questions)


def neighbour_precision(vectors: WordVectors, groups: Iterable[Sequence[str]], count: int = 5) -> float:
    """Mean share of a word's ``count`` nearest words that belong to its group (precision at ``count``).

    Each group is a set of words of one kind (fruits, weekdays). Where a group has fewer than ``count`` other words,
    only so many neighbours are looked at. Words outside the vocabulary are left out.
    """
    shares = []
    for group in groups:
        known = [word for word in dict.fromkeys(group) if word in vectors]
        for word in known:
            others = set(known) - {word}
            if others:
                near = [name for name, _ in vectors.neighbours(word, min(count, len(others)))]
                shares.append(sum(name in others for name in near) / len(near))
    if not shares:
        raise ValueError("no group has two words of the vocabulary")
    return float(np.mean(shares))


def skip_gram_pairs(
    sentences: Sequence[Integers], window: int, rng: np.random.Generator | None = None
) -> tuple[Integers, Integers]:
    """All pairs (centre, context) at most ``window`` apart inside a sentence, as two arrays (N,).

    With ``rng`` each centre draws its own radius from 1..window, so that near words count more.
    """
    if not sentences:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    ids = np.concatenate([np.asarray(s, dtype=np.int64) for s in sentences])
    sentence = np.repeat(np.arange(len(sentences)), [len(s) for s in sentences])
    radius = np.full(len(ids), window) if rng is None else rng.integers(1, window + 1, len(ids))
    centres, contexts = [], []
    for distance in range(1, window + 1):
        left, right = np.arange(len(ids) - distance), np.arange(distance, len(ids))
        inside = sentence[left] == sentence[right]
        for centre, context in ((left, right), (right, left)):
            kept = inside & (radius[centre] >= distance)
            centres.append(ids[centre[kept]])
            contexts.append(ids[context[kept]])
    return np.concatenate(centres), np.concatenate(contexts)


def train_word_vectors(
    sentences: Iterable[Sequence[str]],
    config: SkipGramConfig | None = None,
    *,
    seed: int = 0,
    on_epoch: Callable[[int, float], None] | None = None,
) -> WordVectors:
    """Vectors of all words that occur at least ``min_count`` times, most frequent first.

    For a pair (w, c) and K negatives n_k drawn with probability ~ count^power, the loss is
    -log σ(u_w · v_c) - Σ_k log σ(-u_w · v_{n_k})  (Mikolov et al. 2013, arXiv:1310.4546, equation 4).
    The learning rate falls linearly to 0. ``on_epoch(epoch, mean loss)`` is called after each epoch.
    """
    config = SkipGramConfig() if config is None else config
    sentences = [list(sentence) for sentence in sentences]
    words, counts = _vocabulary(sentences, config.min_count)
    index = {word: i for i, word in enumerate(words)}
    ids = [np.array([index[w] for w in s if w in index], dtype=np.int64) for s in sentences]
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    noise = torch.from_numpy(counts**config.power)
    keep = _keep_probability(counts, config.subsample)

    vectors = (torch.rand(len(words), config.size, generator=generator) - 0.5) / config.size
    vectors.requires_grad_()
    contexts = torch.zeros(len(words), config.size, requires_grad=True)
    optimizer = torch.optim.Adam([vectors, contexts], lr=config.learning_rate, fused=True)
    for epoch in range(config.epochs):
        kept = ids if keep is None else [s[rng.random(len(s)) < keep[s]] for s in ids]
        pairs = torch.from_numpy(np.stack(skip_gram_pairs(kept, config.window, rng)))  # (2, N)
        if pairs.shape[1] == 0:
            raise ValueError("no two words are left beside each other: give more text, or set subsample to 0")
        pairs = pairs[:, torch.from_numpy(rng.permutation(pairs.shape[1]))]
        batches = pairs.split(config.batch_size, dim=1)
        total = 0.0
        for number, (centre, context) in enumerate(batches):
            done = (epoch + number / len(batches)) / config.epochs
            optimizer.param_groups[0]["lr"] = config.learning_rate * (1 - done)
            negatives = torch.multinomial(
                noise, len(centre) * config.negatives, replacement=True, generator=generator
            ).view(len(centre), config.negatives)  # (B, K)
            # F.embedding and not vectors[centre]: its backward pass is quicker
            loss = negative_sampling_loss(
                F.embedding(centre, vectors), F.embedding(context, contexts), F.embedding(negatives, contexts)
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(centre)
        if on_epoch is not None:
            on_epoch(epoch, total / pairs.shape[1])
    return WordVectors(words, vectors.detach().numpy(), contexts.detach().numpy())


def negative_sampling_loss(
    centre: torch.Tensor, context: torch.Tensor, negatives: torch.Tensor
) -> torch.Tensor:
    """-log σ(u · v) - Σ_k log σ(-u · n_k), mean over the batch: (B, D), (B, D), (B, K, D) -> ()."""
    positive = (centre * context).sum(dim=1)  # (B,)
    negative = (negatives @ centre[:, :, None])[:, :, 0]  # (B, K)
    return -(F.logsigmoid(positive) + F.logsigmoid(-negative).sum(dim=1)).mean()


def _vocabulary(sentences: Sequence[Sequence[str]], min_count: int) -> tuple[list[str], NDArray[np.float64]]:
    counted = Counter(word for sentence in sentences for word in sentence)
    kept = sorted(
        ((w, n) for w, n in counted.items() if n >= min_count), key=lambda pair: (-pair[1], pair[0])
    )
    if len(kept) < 2:
        raise ValueError(f"fewer than two words occur {min_count} times: give more text or lower min_count")
    return [word for word, _ in kept], np.array([n for _, n in kept], dtype=np.float64)


def _keep_probability(counts: NDArray[np.float64], subsample: float) -> NDArray[np.float64] | None:
    """min(1, sqrt(t/f) + t/f) of word2vec's code: the paper prints the square root alone."""
    if subsample == 0:
        return None
    ratio = subsample / (counts / counts.sum())
    return np.minimum(1.0, np.sqrt(ratio) + ratio)
