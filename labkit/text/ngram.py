"""The n-gram baseline: interpolated modified Kneser-Ney over token ids.

Chen and Goodman 1998, "An Empirical Study of Smoothing Techniques for Language Modeling" (TR-10-98, Harvard),
sections 2.7 and 3. Of order n, with h the n - 1 tokens before w and h' those without the oldest:

    p(w | h) = max(c(h w) - D(c(h w)), 0) / c(h .) + g(h) p(w | h'),
    g(h)     = (D1 N1(h .) + D2 N2(h .) + D3+ N3+(h .)) / c(h .).

c is a count at the highest order, and below it the number of different tokens seen before ``h w``
(continuation count). c(h .) is its sum over w, and Nk(h .) the number of w with count k. From the n-grams of an
order that were seen once, twice, ... (n1, n2, n3, n4 of them):

    Y = n1 / (n1 + 2 n2),  D1 = 1 - 2 Y n2 / n1,  D2 = 2 - 3 Y n3 / n2,  D3+ = 3 - 4 Y n4 / n3.

Below the unigrams lies the uniform distribution over the vocabulary, so the probabilities add up to one and
none is zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labkit.common import LabkitError

# Where counts of counts are zero the formula has no value (tiny or artificial texts): these are KenLM's
# (Heafield et al. 2013, option --discount_fallback).
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
SCORE_CHUNK = 1 << 18


@dataclass(frozen=True)
class _Order:
    """The n-grams of one order: contexts of n - 1 tokens, sorted, and the words after each, sorted too.

    A context is known by a number: its place among the contexts of its length, in the order of ``context_keys``.
    The key of a context joins its oldest token and the number of the rest, which is the context of the order
    below: backing off needs no look-up.
    """

    context_keys: np.ndarray  # (C,) oldest token + (V + 1) x number of the context without it
    gram_keys: np.ndarray  # (G,) word + V x number of the context
    shares: np.ndarray  # (G,) discounted count / c(h .)
    gammas: np.ndarray  # (C,)
    discounts: tuple[float, float, float]


class NGram:
    """A language model that knows the last ``order - 1`` tokens.

    >>> model = NGram(3).fit([0, 1, 2, 0, 1, 2, 0, 1])
    >>> model.next_probabilities([0, 1]).argmax()
    np.int64(2)
    """

    def __init__(self, order: int, vocab_size: int | None = None):
        """``vocab_size``: by default one more than the largest id that ``fit`` sees."""
        if isinstance(order, bool) or not isinstance(order, int) or order < 1:
            raise LabkitError(f"order is {order!r}. Give a whole number from 1 (5 suits most texts).")
        if vocab_size is not None and (
            isinstance(vocab_size, bool) or not isinstance(vocab_size, int) or vocab_size < 1
        ):
            raise LabkitError(f"vocab_size is {vocab_size!r}. Give the tokenizer's, a whole number from 1.")
        self.order = order
        self.vocab_size = vocab_size
        self._orders: list[_Order] = []

    def fit(self, tokens: Sequence[int] | np.ndarray) -> NGram:
        """Count a stream of token ids (N,), and return the model. Called again, it starts anew.

        The first tokens of the stream have fewer tokens before them; what is missing counts as one token of
        its own, which no word equals.
        """
        tokens = _as_ids(tokens)
        if not len(tokens):
            raise LabkitError("NGram.fit got no tokens. Give it a text.")
        if self.vocab_size is None:
            self.vocab_size = int(tokens.max()) + 1
        self._check_range(tokens)
        base = self.vocab_size + 1  # the ids, and the token before the beginning
        context_keys, parents, contexts = self._number_contexts(tokens, base)
        keys, counts = np.unique(contexts * self.vocab_size + tokens, return_counts=True)
        del contexts
        orders = []
        for length in range(self.order - 1, -1, -1):
            orders.append(_estimate(context_keys[length], keys, counts, self.vocab_size))
            if (
                length
            ):  # the grams without their oldest token; how many grams become one is its continuation count
                old = keys
                context, word = np.divmod(old, self.vocab_size)
                keys, counts = np.unique(
                    parents[length][context].astype(np.int64) * self.vocab_size + word, return_counts=True
                )
        self._orders = orders[::-1]
        return self

    def log_probabilities(self, tokens: Sequence[int] | np.ndarray) -> np.ndarray:
        """ln p of each token (N,) given those before it in ``tokens``; float64, natural logarithm.

        The first tokens are scored by what stands before them, with a lower order: text before is not known.
        """
        self._check_fitted()
        tokens = _as_ids(tokens)
        self._check_range(tokens)
        scores = np.empty(len(tokens))
        for start in range(0, len(tokens), SCORE_CHUNK):  # bounds the memory
            stop = min(start + SCORE_CHUNK, len(tokens))
            scores[start:stop] = np.log(self._score(tokens, start, stop))
        return scores

    def next_probabilities(self, context: Sequence[int] | np.ndarray) -> np.ndarray:
        """p(w | context) of every token w: (V,), adding up to one. Only the last order - 1 tokens count."""
        self._check_fitted()
        context = _as_ids(context)
        self._check_range(context)
        vocab_size = self.vocab_size
        probabilities = np.full(vocab_size, 1 / vocab_size)
        number = 0
        for length, order in enumerate(self._orders):
            if length > len(context):
                break
            if length:
                key = number * (vocab_size + 1) + int(context[-length])
                number = int(np.searchsorted(order.context_keys, key))
                if number == len(order.context_keys) or order.context_keys[number] != key:
                    break  # unseen, and so is every longer one
            first, last = np.searchsorted(order.gram_keys, (number * vocab_size, (number + 1) * vocab_size))
            probabilities *= order.gammas[number]
            probabilities[order.gram_keys[first:last] - number * vocab_size] += order.shares[first:last]
        return probabilities

    def generate(
        self,
        context: Sequence[int],
        max_new_tokens: int,
        *,
        temperature: float = 1.0,
        stop_ids: Sequence[int] = (),
        seed: int = 0,
    ) -> list[int]:
        """New tokens after ``context``, drawn one after another; the first of ``stop_ids`` ends it (and is kept).

        ``temperature`` T draws from p^(1/T), normalized; 0 takes the most probable token.
        """
        if not temperature >= 0:
            raise LabkitError(f"temperature is {temperature!r}. Give a number from 0.")
        draw = np.random.default_rng(seed)
        tokens = list(context)
        stop = set(stop_ids)
        for _ in range(max_new_tokens):
            probabilities = self.next_probabilities(tokens[max(len(tokens) - self.order + 1, 0) :])
            if temperature == 0:
                token = int(probabilities.argmax())
            else:
                weights = np.exp(np.log(probabilities / probabilities.max()) / temperature)
                cumulative = weights.cumsum()
                token = int(np.searchsorted(cumulative, draw.random() * cumulative[-1], side="right"))
            tokens.append(token)
            if token in stop:
                break
        return tokens[len(context) :]

    @property
    def discounts(self) -> list[tuple[float, float, float]]:
        """(D1, D2, D3+) of the orders 1, 2, ..., n."""
        return [order.discounts for order in self._orders]

    @property
    def num_ngrams(self) -> list[int]:
        """How many different n-grams of the orders 1, 2, ..., n were seen."""
        return [len(order.gram_keys) for order in self._orders]

    @property
    def num_bytes(self) -> int:
        """Memory that the tables take."""
        return sum(a.nbytes for o in self._orders for a in (o.context_keys, o.gram_keys, o.shares, o.gammas))

    def _number_contexts(
        self, tokens: np.ndarray, base: int
    ) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
        """For every length 0 .. n - 1 the sorted keys of the contexts seen and their parents' numbers, and the
        number of the longest context at each position."""
        count = len(tokens)
        padded = np.concatenate([np.full(self.order - 1, self.vocab_size, dtype=np.int64), tokens])
        numbers = np.zeros(count, dtype=np.int64)
        context_keys, parents = [np.zeros(1, dtype=np.int64)], [np.zeros(1, dtype=np.int64)]
        for length in range(1, self.order):
            oldest = padded[self.order - 1 - length :][:count]  # the token ``length`` places before
            keys, numbers = np.unique(numbers * base + oldest, return_inverse=True)
            context_keys.append(keys)
            parents.append((keys // base).astype(np.int32))
        return context_keys, parents, numbers

    def _score(self, tokens: np.ndarray, start: int, stop: int) -> np.ndarray:
        """p of tokens[start:stop], from the lowest order up; a position leaves when its context is unseen."""
        vocab_size = self.vocab_size
        words = tokens[start:stop]
        probabilities = np.full(stop - start, 1 / vocab_size)
        places = np.arange(stop - start)  # positions whose context was seen so far
        numbers = np.zeros(stop - start, dtype=np.int64)
        for length, order in enumerate(self._orders):
            if length:
                inside = places + start >= length
                places, numbers = places[inside], numbers[inside]
                keys = numbers * (vocab_size + 1) + tokens[places + (start - length)]
                numbers, seen = _find(order.context_keys, keys)
                places, numbers = places[seen], numbers[seen]
            found, seen = _find(order.gram_keys, numbers * vocab_size + words[places])
            probabilities[places] *= order.gammas[numbers]
            probabilities[places[seen]] += order.shares[found[seen]]
        return probabilities

    def _check_fitted(self) -> None:
        if not self._orders:
            raise LabkitError("This NGram has not seen a text yet. Call fit(tokens) first.")

    def _check_range(self, tokens: np.ndarray) -> None:
        if len(tokens) and not (tokens.min() >= 0 and tokens.max() < self.vocab_size):
            wrong = tokens[(tokens < 0) | (tokens >= self.vocab_size)][0]
            raise LabkitError(
                f"The token {wrong} is not in the vocabulary of {self.vocab_size}. Give the tokenizer's "
                "vocab_size: NGram(order, vocab_size=tokenizer.vocab_size)."
            )

    def __repr__(self) -> str:
        return f"NGram(order={self.order}, n-grams {self.num_ngrams})"


def _estimate(context_keys: np.ndarray, keys: np.ndarray, counts: np.ndarray, vocab_size: int) -> _Order:
    """Discounted shares and back-off weights of one order."""
    discounts = _discounts(counts)
    context = keys // vocab_size  # (G,), ascending: the grams of a context lie together
    removed = np.array([0.0, *discounts])[np.minimum(counts, 3)]
    num_contexts = len(context_keys)
    totals = np.bincount(context, weights=counts, minlength=num_contexts)
    gammas = np.bincount(context, weights=removed, minlength=num_contexts) / totals
    shares = (counts - removed) / totals[context]
    return _Order(context_keys, keys, shares, gammas, discounts)


def _discounts(counts: np.ndarray) -> tuple[float, float, float]:
    """D1, D2, D3+ from the counts of counts, or the fall-back where they have no value in (0, count]."""
    once, twice, thrice, four = (int((counts == k).sum()) for k in (1, 2, 3, 4))
    if min(once, twice, thrice, four) == 0:
        return FALLBACK_DISCOUNTS
    share = once / (once + 2 * twice)
    discounts = (
        1 - 2 * share * twice / once,
        2 - 3 * share * thrice / twice,
        3 - 4 * share * four / thrice,
    )
    if not all(0 < discount <= count for count, discount in enumerate(discounts, 1)):
        return FALLBACK_DISCOUNTS
    return discounts


def _find(keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where in the sorted ``keys`` each wanted key is, and whether it is there."""
    # Looked up in sorted order, since a search that jumps about a large table waits for memory each time.
    order = np.argsort(wanted)
    places = np.empty(len(wanted), dtype=np.int64)
    places[order] = np.searchsorted(keys, wanted[order])
    np.minimum(places, len(keys) - 1, out=places)
    return places, keys[places] == wanted


def _as_ids(tokens: Sequence[int] | np.ndarray) -> np.ndarray:
    ids = np.asarray(tokens)
    if ids.ndim != 1 or (len(ids) and not np.issubdtype(ids.dtype, np.integer)):
        raise LabkitError(f"tokens must be one row of integers, not {ids.dtype} of shape {ids.shape}.")
    return ids.astype(np.int64)
