"""Scores of generated text: how varied, how repetitive, how much of it copied, how well predicted.

A text is a string or a list (or array) of tokens. A string is taken apart by ``units``: words and signs, and
single characters in scripts that put no blanks between words (Chinese, Japanese); ``by="characters"`` takes
every character. A list of strings is a list of texts, so tokens that are strings come as a list of lists.
Numbers compare only between texts that were taken apart alike, and are about as long.
Empty input raises ValueError with the argument's name: a score of nothing is not 0.
"""

from __future__ import annotations

import lzma
import math
import re
import zlib
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

Text = str | Sequence[Hashable] | np.ndarray

_UNBROKEN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"  # kana, hanzi
_UNITS = re.compile(
    rf"[{_UNBROKEN}]|(?:(?![{_UNBROKEN}])\w)+(?:['’](?:(?![{_UNBROKEN}])\w)+)*|[^\w\s]", re.UNICODE
)
# A sentence ends at a full stop with what closes it, before a blank or the end; at a Chinese one anywhere; and
# at a line end.
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*(?=\s|$)|(?<=[。！？])(?![。！？])[”’」』）]*|\n+")

COMPARED_TOKENS = 1 << 20  # at a time: bounds the memory
TABLE_BITS = 22
MODES = ("auto", "characters")
COMPRESSORS = {
    "zlib": lambda content: zlib.compress(content, 9),
    "lzma": lambda content: lzma.compress(content, preset=6),
}
# Between two texts, and between two training texts: no token has these numbers, and they differ.
_TEXT_END, _TRAINING_END = np.iinfo(np.uint64).max - 1, np.iinfo(np.uint64).max
_PRIME = np.uint64(0x9E3779B97F4A7C15)  # odd: multiplying by it loses nothing modulo 2^64


class Copy(NamedTuple):
    """The longest run of tokens that a text shares with the training data."""

    length: int
    text: int  # which text, from 0
    start: int  # where in that text
    training_start: int  # where in the training data


def units(text: Text, by: str = "auto") -> list[Hashable]:
    """The tokens of a text: words, signs and hanzi of a string (case kept), its characters, or a list as it is.

    >>> units("Anna's 3 apples, 三个苹果。")
    ["Anna's", '3', 'apples', ',', '三', '个', '苹', '果', '。']
    """
    if by not in MODES:
        raise ValueError(f"by is {by!r}; give one of {', '.join(MODES)}")
    if isinstance(text, str):
        return list(text) if by == "characters" else _UNITS.findall(text)
    return text.tolist() if hasattr(text, "tolist") else list(text)


def distinct_n(texts: Text | Iterable[Text], n: int = 2, *, by: str = "auto") -> float:
    """Share of the n-grams of all texts together that are different from one another, in (0, 1]; more is more varied.

    It falls with the amount of text, so compare equal amounts. (The paper divides by the number of words, which
    for n > 1 is a little more than the number of n-grams.) Source: Li et al. 2016, "A Diversity-Promoting
    Objective Function for Neural Conversation Models", https://arxiv.org/abs/1510.03055.
    """
    grams = [gram for tokens in _token_lists(texts, by) for gram in _ngrams(tokens, n)]
    if not grams:
        raise ValueError(f"texts hold no {n}-gram: every one is shorter than {n} tokens")
    return len(set(grams)) / len(grams)


def repetition(texts: Text | Iterable[Text], n: int = 4, *, by: str = "auto") -> float:
    """Share of the n-grams of a text that occurred before in the same text, in [0, 1): the mean over the texts.

    This is seq-rep-n = 1 - (different n-grams) / (n-grams) of Welleck et al. 2020, "Neural Text Generation with
    Unlikelihood Training", https://arxiv.org/abs/1908.04319. A text shorter than n tokens has no
    n-gram and does not count.
    """
    shares = []
    for tokens in _token_lists(texts, by):
        grams = _ngrams(tokens, n)
        if grams:
            shares.append(1 - len(set(grams)) / len(grams))
    if not shares:
        raise ValueError(f"texts hold no {n}-gram: every one is shorter than {n} tokens")
    return float(np.mean(shares))


def copied_share(
    texts: Text | Iterable[Text], training: Text | Iterable[Text], n: int = 8, *, by: str = "auto"
) -> float:
    """Share of the windows of n tokens in the texts that are found, token by token, in the training data.

    In [0, 1]; windows do not reach over the end of a text. Exact: hashes find the candidates, and the tokens
    decide. In the manner of the n-gram novelty of McCoy et al. 2023, "How Much Do Language Models Copy From
    Their Training Data?", https://arxiv.org/abs/2111.09509. Look at human text held out from the same source
    beside it, since common phrases are found there too.
    """
    _check_n(n)
    queries, stream = _as_streams(texts, training, by)
    total = sum(max(len(query) - n + 1, 0) for query in queries)
    if not total:
        raise ValueError(f"texts hold no window of {n} tokens: every one is shorter")
    return int((_find_windows(_join(queries, _TEXT_END), stream, n) >= 0).sum()) / total


def longest_copy(texts: Text | Iterable[Text], training: Text | Iterable[Text], *, by: str = "auto") -> int:
    """Number of tokens in the longest run that any of the texts shares with the training data; 0 for none."""
    return find_longest_copy(texts, training, by=by).length


def find_longest_copy(
    texts: Text | Iterable[Text], training: Text | Iterable[Text], *, by: str = "auto"
) -> Copy:
    """``longest_copy`` with the place where it is found. (0, 0, 0, 0) where nothing is shared."""
    queries, stream = _as_streams(texts, training, by)
    query = _join(queries, _TEXT_END)
    best, place, training_start = 0, 0, 0
    # A run of n tokens holds runs of all smaller lengths, so bisection finds the longest.
    low, high = 0, min(max(map(len, queries)), len(stream))
    while low < high:
        length = min(2 * low + 1, (low + high + 1) // 2)  # copies are short: do not begin in the middle
        places = _find_windows(query, stream, length, first_only=True)
        hits = np.flatnonzero(places >= 0)
        if len(hits):
            best, place, training_start = length, int(hits[0]), int(places[hits[0]])
            low = length
        else:
            high = length - 1
    if not best:
        return Copy(0, 0, 0, 0)
    starts = np.cumsum([0, *(len(q) + 1 for q in queries)])
    text = int(np.searchsorted(starts, place, side="right")) - 1
    return Copy(best, text, place - int(starts[text]), training_start)


def compression_ratio(texts: str | Iterable[str], method: str = "zlib") -> float:
    """Bytes of the texts (UTF-8, joined by line ends) over their bytes when compressed; more is more repetitive.

    ``method``: "zlib" (sees repetition within 32 KiB) or "lzma" (within the whole). It grows with the amount of
    text, so compare equal amounts. Source: Shaib et al. 2024, "Standardizing the Measurement of Text
    Diversity", https://arxiv.org/abs/2403.00553.
    """
    if method not in COMPRESSORS:
        raise ValueError(f"method is {method!r}; give one of {', '.join(COMPRESSORS)}")
    content = "\n".join(_strings(texts)).encode()
    return len(content) / len(COMPRESSORS[method](content))


def split_sentences(text: str) -> list[str]:
    """The sentences of an English or Chinese text, without blanks around them.

    A rule, not a parser: it cuts at a line end, after 。！？ and after . ! ? before a blank, so also after "Mr.".
    """
    pieces, start = [], 0
    for end in _SENTENCE_END.finditer(text):
        pieces.append(text[start : end.end()])
        start = end.end()
    pieces.append(text[start:])
    return [piece.strip() for piece in pieces if piece.strip()]


def repeated_sentences(texts: str | Iterable[str]) -> float:
    """Share of the sentences of all texts together that occurred before, in [0, 1).

    Sentences are compared without regard to case and the number of blanks.
    """
    sentences = [
        " ".join(sentence.split()).casefold()
        for text in _strings(texts)
        for sentence in split_sentences(text)
    ]
    if not sentences:
        raise ValueError("texts hold no sentence")
    return 1 - len(set(sentences)) / len(sentences)


def bits_per_character_from(log_probabilities: Any, characters: int | str) -> float:
    """- sum of ln p over all tokens / (characters x ln 2): what coding a character costs, whatever the tokens.

    ``log_probabilities`` (N,) are natural logarithms of the tokens' probabilities; ``characters`` is the number
    of characters that they stand for, or the text.
    """
    values = np.asarray(log_probabilities, dtype=np.float64)
    count = len(characters) if isinstance(characters, str) else characters
    if values.ndim != 1 or not values.size:
        raise ValueError(f"log_probabilities must be one row with at least one number, not {values.shape}")
    if np.isnan(values).any() or values.max() > 1e-6:
        raise ValueError("log_probabilities must be logarithms of probabilities: not NaN, not above 0")
    if not count >= 1:
        raise ValueError(f"characters is {count}; give the number of characters, from 1")
    return float(-values.sum() / (count * math.log(2)))


# ---------------------------------------------------------------------------------------------------------------
# Helpers


def _check_n(n: int) -> None:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n is {n!r}; give a whole number from 1")


def _several(texts: Any, name: str) -> list[Text]:
    """One text, or several, as a list of texts. A flat list of tokens is one text."""
    if isinstance(texts, str) or (hasattr(texts, "ndim") and texts.ndim == 1):
        texts = [texts]
    else:
        texts = list(texts)
        if texts and not isinstance(texts[0], str | Sequence) and not getattr(texts[0], "ndim", 0):
            texts = [texts]  # a list of ids
    if not texts:
        raise ValueError(f"{name} is empty")
    return texts


def _token_lists(texts: Any, by: str, name: str = "texts") -> list[list[Hashable]]:
    lists = [units(text, by) for text in _several(texts, name)]
    for number, tokens in enumerate(lists):
        if not tokens:
            raise ValueError(f"{name}[{number}] is empty")
    return lists


def _strings(texts: str | Iterable[str]) -> list[str]:
    strings = _several(texts, "texts")
    for number, text in enumerate(strings):
        if not isinstance(text, str):
            raise TypeError(f"texts[{number}] must be a string; decode the tokens first")
        if not text.strip():
            raise ValueError(f"texts[{number}] is empty")
    return strings


def _ngrams(tokens: Sequence[Hashable], n: int) -> list[tuple[Hashable, ...]]:
    _check_n(n)
    return list(zip(*(tokens[start:] for start in range(n)), strict=False))


def _as_streams(texts: Any, training: Any, by: str) -> tuple[list[np.ndarray], np.ndarray]:
    """The texts, and the training data joined, as ids of one numbering: uint64, equal where tokens are equal."""
    if isinstance(training, np.ndarray) and training.ndim == 1 and np.issubdtype(training.dtype, np.integer):
        queries = [np.asarray(units(text)) for text in _several(texts, "texts")]  # ids: nothing to number
        for number, query in enumerate(queries):
            if not query.size:
                raise ValueError(f"texts[{number}] is empty")
            if not np.issubdtype(query.dtype, np.integer):
                raise TypeError(f"texts[{number}] must hold ids, as training does")
        if not len(training):
            raise ValueError("training is empty")
        return [query.astype(np.uint64) for query in queries], training.astype(np.uint64)
    numbers: dict[Hashable, int] = {}

    def numbered(tokens: list[Hashable]) -> np.ndarray:
        return np.array([numbers.setdefault(token, len(numbers)) for token in tokens], dtype=np.uint64)

    queries = [numbered(tokens) for tokens in _token_lists(texts, by)]
    stream = _join([numbered(tokens) for tokens in _token_lists(training, by, "training")], _TRAINING_END)
    kinds = {isinstance(token, str) for token in numbers}
    if len(kinds) > 1:
        raise TypeError("texts and training must both be strings (or lists of strings), or both be ids")
    return queries, stream


def _join(parts: list[np.ndarray], between: int) -> np.ndarray:
    """The parts, one after the other, with a number between."""
    joined = [parts[0]]
    for part in parts[1:]:
        joined += [np.array([between], dtype=np.uint64), part]
    return np.concatenate(joined)


def _find_windows(query: np.ndarray, stream: np.ndarray, n: int, first_only: bool = False) -> np.ndarray:
    """Where each window of n tokens of ``query`` begins in ``stream``, or -1: exact. With ``first_only`` all
    but the first that is found are -1."""
    places = np.full(max(len(query) - n + 1, 0), -1, dtype=np.int64)
    if len(stream) < n or len(query) < n:
        return places
    wanted, inverse = np.unique(_window_hashes(query, n), return_inverse=True)
    hashes = _window_hashes(stream, n)
    # A table over the highest bits turns nearly all of the stream away before the slow search.
    table = np.zeros(1 << TABLE_BITS, dtype=bool)
    shift = np.uint64(64 - TABLE_BITS)
    table[wanted >> shift] = True
    candidates = np.flatnonzero(table[hashes >> shift])
    nearest = np.minimum(np.searchsorted(wanted, hashes[candidates]), len(wanted) - 1)
    same_hash = wanted[nearest] == hashes[candidates]
    candidates, nearest = candidates[same_hash], nearest[same_hash]
    # One candidate for each hash decides, unless two different windows share it: then all are compared.
    first = np.full(len(wanted), -1, dtype=np.int64)
    first[nearest[::-1]] = candidates[::-1]
    guess = first[inverse]
    windows = np.lib.stride_tricks.sliding_window_view
    ours, theirs = windows(query, n), windows(stream, n)
    there = np.flatnonzero(guess >= 0)
    size = 1 if first_only else max(1, COMPARED_TOKENS // n)
    for start in range(0, len(there), size):
        part = there[start : start + size]
        equal = (ours[part] == theirs[guess[part]]).all(axis=1)
        places[part[equal]] = guess[part[equal]]
        for place in part[~equal]:
            same = candidates[nearest == inverse[place]]
            hits = (int(other) for other in same if (theirs[other] == ours[place]).all())
            places[place] = next(hits, -1)
        if first_only and places[part[0]] >= 0:
            break
    return places


def _window_hashes(tokens: np.ndarray, n: int) -> np.ndarray:
    """A number (N - n + 1,) for each window, equal for equal windows: polynomials modulo 2^64 by doubling."""
    mixed = tokens * _PRIME
    mixed ^= mixed >> np.uint64(31)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(29)
    power, size = mixed, 1  # hashes of windows of ``size``, a power of two
    result, done = None, 0
    while True:
        if n & size:
            if result is None:
                result = power
            else:
                count = len(tokens) - done - size + 1
                result = result[:count] * _power(size) + power[done : done + count]
            done += size
        if done == n:
            return result
        power = power[: len(power) - size] * _power(size) + power[size:]
        size *= 2


def _power(exponent: int) -> np.uint64:
    return np.uint64(pow(int(_PRIME), exponent, 1 << 64))
