"""Words with the blank before them: text into tokens that are copied and put together again without loss."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.common import LabkitError
from labkit.summaries.rouge import UNBROKEN

PAD, BOS, EOS, UNKNOWN = range(4)
NUM_SPECIAL = 4
COPYABLE = 0.99  # share of the summaries with a word whose articles have it too, from which it can be copied
COMMON = 0.5  # share of the articles from which a word tells nothing: it may stand anywhere
_WORD = re.compile(rf" ?[{UNBROKEN}]| ?(?:(?![{UNBROKEN}])[^\W_])+| ?[^\w\s]|_")


def split_words(text: str) -> list[str]:
    """Hanzi, words and signs with the blank before them; a first word has one too, as any other, a first hanzi none.

    ``"".join(split_words(text)).strip()`` is the text with single blanks.

    >>> split_words("It's 3.50.")
    [' It', "'", 's', ' 3', '.', '50', '.']
    """
    text = " ".join(text.split())
    return _WORD.findall(text if re.match(rf"[{UNBROKEN}]", text) else f" {text}")


@dataclass(frozen=True)
class Vocabulary:
    """Words that are written by their number, and ``buckets`` by which all others are only read.

    Ids: 0 padding, 1 begin, 2 end, 3 unknown, the ``words``, then the buckets. A word that is not among ``words`` can
    be read by its bucket (a hash, so that equal words look equal), but only be written by copying it.
    """

    words: tuple[str, ...]
    buckets: int = 1024

    def __post_init__(self) -> None:
        if len(set(self.words)) != len(self.words):
            raise LabkitError("words must differ from one another.")
        if self.buckets < 1:
            raise LabkitError(f"buckets is {self.buckets!r}. Give a whole number from 1.")
        object.__setattr__(self, "_ids", {word: NUM_SPECIAL + i for i, word in enumerate(self.words)})

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]], size: int, buckets: int = 1024) -> Vocabulary:
        """The ``size`` most frequent words of the summaries in pairs (article, summary), but for those that need not be
        written since they can be copied; of equally frequent ones those that sort first.

        A word can be copied if nearly every article has it whose summary does, and few others: names and figures. With
        them among its words a network learns to write the names that it knows, instead of the one that stands there.
        """
        counts: Counter[str] = Counter()  # in summaries, each time
        articles, summaries, both = Counter(), Counter(), Counter()
        for article, summary in pairs:
            written, there = split_words(summary), set(split_words(article))
            counts.update(written)
            articles.update(there)
            summaries.update(set(written))
            both.update(there.intersection(written))
        needed = [
            word
            for word in counts
            if both[word] < COPYABLE * summaries[word] or articles[word] > COMMON * len(pairs)
        ]
        ranked = sorted(needed, key=lambda word: (-counts[word], word))
        return cls(tuple(sorted(ranked[:size])), buckets)

    @property
    def output_size(self) -> int:
        """Ids that can be written."""
        return NUM_SPECIAL + len(self.words)

    @property
    def input_size(self) -> int:
        """Ids that can be read."""
        return self.output_size + self.buckets

    def read_ids(self, words: Sequence[str]) -> list[int]:
        known: dict[str, int] = self._ids  # type: ignore[attr-defined]
        return [
            known.get(word, self.output_size + zlib.crc32(word.strip().lower().encode()) % self.buckets)
            for word in words
        ]

    def write_ids(self, words: Sequence[str], copied: Sequence[str]) -> list[int]:
        """Ids of a summary's words, where a word that is not known is the place of its kind in ``copied``.

        ``copied`` are the different unknown words of the article: the k-th has the id output_size + k (See et al.
        2017, section 2.2). A word in neither is UNKNOWN.
        """
        known: dict[str, int] = self._ids  # type: ignore[attr-defined]
        places = {word: self.output_size + place for place, word in enumerate(copied)}
        return [known.get(word, places.get(word, UNKNOWN)) for word in words]

    def unknown(self, words: Sequence[str]) -> list[str]:
        """The different words that are not known, in their order."""
        known: dict[str, int] = self._ids  # type: ignore[attr-defined]
        return list(dict.fromkeys(word for word in words if word not in known))

    def join(self, ids: Sequence[int], copied: Sequence[str]) -> str:
        """The text of written ids."""
        parts = []
        for one in ids:
            if one >= self.output_size:
                parts.append(copied[one - self.output_size])
            elif one >= NUM_SPECIAL:
                parts.append(self.words[one - NUM_SPECIAL])
        return "".join(parts).strip()
