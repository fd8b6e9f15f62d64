"""Finding the passage that answers a question: BM25 over words, or pairs of characters in Chinese.

Robertson and Zaragoza 2009, "The probabilistic relevance framework: BM25 and beyond", equation 3.15. With f(t) the
number of times that term t stands in a passage of length l, L the mean length, N passages of which n(t) hold t:

    score = Σ_t ln(1 + (N - n(t) + 0.5) / (n(t) + 0.5)) · f(t) (k + 1) / (f(t) + k (1 - b + b l / L)).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.common import LabkitError
from labkit.service.text import CHINESE, close_to, terms

ENDINGS = (("ies", "y"), ("ings", ""), ("ing", ""), ("ied", "y"), ("ed", ""), ("es", "e"), ("s", ""))
STOP_WORDS = frozenset(
    "a an and are as at be but by can could d did do does for from get got had has have how i if in is it its ll m me "  # noqa: SIM905
    "my no not of on or our please re s shall should so some t that the their them then there they this to up us ve "
    "was we were what when where which who why will with would you your i'm it's don't i'd i've "
    "的 了 吗 呢 啊 吧 么 我 你 您 是 在 有 也 就 都 和 与 请问 怎么 什么 可以 一下 这个 那个 多少 我的 你们 我们 可不 不可 能不 不能 会不 不会 有没 没有 是不 不是 哪些 哪里 在哪 么办 怎样".split()
)


@dataclass(frozen=True)
class Hit:
    """A passage that was found: its place in the list, its score, and the terms that it shares with the question."""

    index: int
    score: float
    shared: tuple[str, ...]
    covered: float  # how much of the passage they are, by rarity, in [0, 1]


def stem(word: str) -> str:
    """An English word without its commonest endings, and without the e before them: returned, returns -> return."""
    for ending, instead in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: len(word) - len(ending)] + instead
            if word[-1] == word[-2:-1] and word[-1] not in "lseo":  # wrapping -> wrap
                word = word[:-1]
            break
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def search_terms(text: str) -> list[str]:
    """What is counted of a text: terms without stop words, English ones without endings.

    A Chinese question of the form A-not-A (支不支持) counts as its plain form (支持).
    """
    text = re.sub(rf"([{CHINESE}])[不没]\1", r"\1", text)
    return [
        term if re.match(rf"[{CHINESE}]", term) else stem(term)
        for term in terms(text)
        if term not in STOP_WORDS
    ]


class BM25:
    """An index over passages.

    >>> BM25(["the parcel is late", "pay by card"]).search("my card")[0].index
    1
    """

    def __init__(self, passages: Sequence[str], k: float = 1.2, b: float = 0.75):
        if not passages:
            raise LabkitError("There are no passages to search.")
        if k < 0 or not 0 <= b <= 1:
            raise LabkitError(f"k is {k!r} and b is {b!r}. Give k from 0, and b from 0 to 1.")
        counts = [Counter(search_terms(passage)) for passage in passages]
        lengths = [sum(count.values()) for count in counts]
        mean = sum(lengths) / len(lengths) or 1.0
        holds = Counter(term for count in counts for term in count)
        self._weights: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._rarity = {t: math.log(1 + (len(passages) - n + 0.5) / (n + 0.5)) for t, n in holds.items()}
        self._totals = [sum(self._rarity[term] for term in count) or 1.0 for count in counts]
        for index, (count, length) in enumerate(zip(counts, lengths, strict=True)):
            for term, times in count.items():
                weight = self._rarity[term] * times * (k + 1) / (times + k * (1 - b + b * length / mean))
                self._weights[term].append((index, weight))

    def search(self, question: str, count: int = 5) -> list[Hit]:
        """The best passages, best first; none that shares no term. A word that no passage holds is taken for the
        one that a typing error would turn it into."""
        found: dict[int, float] = defaultdict(float)
        shared: dict[int, list[str]] = defaultdict(list)
        for term in dict.fromkeys(self._known(term) for term in search_terms(question)):
            for index, weight in self._weights.get(term, ()):
                found[index] += weight
                shared[index].append(term)
        best = sorted(found, key=lambda index: (-found[index], index))[:count]
        return [
            Hit(
                index,
                found[index],
                tuple(shared[index]),
                sum(self._rarity[t] for t in shared[index]) / self._totals[index],
            )
            for index in best
        ]

    def _known(self, term: str) -> str:
        if term in self._weights or len(term) < 5 or re.match(rf"[{CHINESE}]", term):
            return term
        return next((known for known in self._weights if known[0] == term[0] and close_to(term, known)), term)


def nearest_question(question: str, passages: Sequence[str]) -> int:
    """The baseline: the passage that shares the largest part of its words with the question (Jaccard 1901)."""
    asked = set(terms(question))

    def overlap(index: int) -> float:
        there = set(terms(passages[index]))
        return len(asked & there) / max(len(asked | there), 1)

    return max(range(len(passages)), key=overlap)
