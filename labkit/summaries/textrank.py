"""TextRank by hand: sentences vote for those that resemble them (Mihalcea & Tarau 2004, aclanthology.org/W04-3252)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labkit.common import LabkitError
from labkit.summaries.rouge import tokenize
from labkit.summaries.texts import Summary, check_article, check_count, extract, language_of, sentences_of

DAMPING = 0.85
TOLERANCE = 1e-9
MAX_STEPS = 200
MAX_SENTENCES = 1_500  # all pairs are compared: what is longer takes minutes, and no report is


def similarities(sentences: Sequence[str]) -> NDArray[np.float64]:
    """(S, S): tokens in common / (ln of both lengths added), 0 on the diagonal (ibid., section 4.1).

    Two sentences of one token each would divide by ln 1 + ln 1 = 0; they count as not alike.
    """
    bags = [Counter(tokenize(sentence)) for sentence in sentences]
    lengths = [bag.total() for bag in bags]
    matrix = np.zeros((len(bags), len(bags)))
    for i, bag in enumerate(bags):
        for j in range(i):
            shared = len(bag.keys() & bags[j].keys())
            if shared and lengths[i] * lengths[j] > 1:
                matrix[i, j] = matrix[j, i] = shared / (math.log(lengths[i]) + math.log(lengths[j]))
    return matrix


def rank(weights: NDArray[np.float64], damping: float = DAMPING) -> NDArray[np.float64]:
    """The importance (S,) of the nodes of a weighted graph, adding up to 1.

    Power iteration of p = (1 - d) / S + d Wᵀ p with each row of W brought to the sum 1 (Brin & Page 1998, with
    weights as in Mihalcea & Tarau 2004, equation 2); a node without edges gives its vote to all.
    """
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or not len(weights):
        raise LabkitError(f"weights must be a square matrix, and is of shape {weights.shape}.")
    if (weights < 0).any() or not np.isfinite(weights).all():
        raise LabkitError("weights must be finite and not negative.")
    if not 0 <= damping < 1:
        raise LabkitError(f"damping is {damping!r}. It must be at least 0 and less than 1.")
    size = len(weights)
    totals = weights.sum(axis=1, keepdims=True)
    votes = np.divide(weights, totals, out=np.full_like(weights, 1 / size), where=totals > 0)
    scores = np.full(size, 1 / size)
    for _ in range(MAX_STEPS):
        following = (1 - damping) / size + damping * votes.T @ scores
        change = np.abs(following - scores).sum()
        scores = following
        if change < TOLERANCE:
            break
    return scores


def textrank(article: str, sentences: int = 3, damping: float = DAMPING) -> Summary:
    """The ``sentences`` of the highest rank in the order of the article; of equals the earlier one."""
    found = sentences_of(check_article(article))
    if len(found) > MAX_SENTENCES:
        raise LabkitError(
            f"The article has {len(found):,} sentences, and TextRank compares at most {MAX_SENTENCES:,} with each "
            "other. Give one report at a time."
        )
    scores = rank(similarities(found), damping)
    chosen = np.argsort(-scores, kind="stable")[: check_count(sentences)]
    return extract(found, [int(place) for place in chosen], language_of(article))
