"""ROUGE-1, -2 and -L for English and Chinese (Lin 2004, https://aclanthology.org/W04-1013)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from labkit.common import LabkitError

# A hanzi or kana is a token, since no blanks stand between Chinese words; other letters and digits make words. For
# text in ASCII these are the tokens of the package rouge-score (without its stemmer), so scores agree with it.
UNBROKEN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
TOKEN = re.compile(rf"[{UNBROKEN}]|(?:(?![{UNBROKEN}])[^\W_])+")
KINDS = ("rouge1", "rouge2", "rougeL")


class Score(NamedTuple):
    """Shares in [0, 1]: of the summary that is in the reference, of the reference that is in the summary, and F1."""

    precision: float
    recall: float
    f1: float


def tokenize(text: str) -> list[str]:
    """Lower-cased words and single hanzi; punctuation is left out.

    >>> tokenize("Anna's 3 apples: 三个苹果。")
    ['anna', 's', '3', 'apples', '三', '个', '苹', '果']
    """
    return TOKEN.findall(text.lower())


def rouge(summary: str, reference: str) -> dict[str, Score]:
    """ROUGE-1, ROUGE-2 and ROUGE-L of one summary against one reference."""
    if not isinstance(summary, str) or not isinstance(reference, str):
        raise LabkitError("rouge compares two texts: the summary, and the reference.")
    ours, theirs = tokenize(summary), tokenize(reference)
    return {
        "rouge1": rouge_n(ours, theirs, 1),
        "rouge2": rouge_n(ours, theirs, 2),
        "rougeL": rouge_l(ours, theirs),
    }


def rouge_n(summary: Sequence[Hashable], reference: Sequence[Hashable], n: int) -> Score:
    """Shared n-grams of two lists of tokens, each counted as often as it is in both (Lin 2004, section 2)."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise LabkitError(f"n is {n!r}. Give the length of the n-grams, from 1.")
    ours, theirs = _ngrams(summary, n), _ngrams(reference, n)
    return _score((ours & theirs).total(), ours.total(), theirs.total())


def rouge_l(summary: Sequence[Hashable], reference: Sequence[Hashable]) -> Score:
    """The longest common subsequence of two lists of tokens (Lin 2004, section 3.1, with beta = 1)."""
    return _score(longest_common_subsequence(summary, reference), len(summary), len(reference))


def longest_common_subsequence(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Its length, in O(len(one) x len(other)) steps and O(len(other)) memory."""
    lengths = [0] * (len(other) + 1)
    for token in one:
        diagonal = 0
        for place, candidate in enumerate(other, start=1):
            above = lengths[place]
            lengths[place] = diagonal + 1 if token == candidate else max(above, lengths[place - 1])
            diagonal = above
    return lengths[-1]


def mean_f1(scores: Sequence[Mapping[str, Score]]) -> dict[str, float]:
    """Mean F1 of each kind over many summaries."""
    if not scores:
        raise LabkitError("There are no scores to take the mean of.")
    return {kind: sum(score[kind].f1 for score in scores) / len(scores) for kind in KINDS}


def _ngrams(tokens: Sequence[Hashable], n: int) -> Counter:
    return Counter(zip(*(tokens[start:] for start in range(n)), strict=False))


def _score(shared: int, ours: int, theirs: int) -> Score:
    precision = shared / ours if ours else 0.0
    recall = shared / theirs if theirs else 0.0
    f1 = 2 * precision * recall / (precision + recall) if shared else 0.0
    return Score(precision, recall, f1)
