"""Kneser-Ney: by hand, against a second implementation in exact fractions, and as a distribution."""

import math
import time
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.text import ngram
from labkit.text.ngram import FALLBACK_DISCOUNTS, NGram

START = -1  # what stands before the first token


class Slow:
    """Interpolated modified Kneser-Ney as in Chen and Goodman 1998, n-gram by n-gram, in fractions."""

    def __init__(self, order, vocab_size, tokens):
        self.order, self.vocab_size = order, vocab_size
        padded = [START] * (order - 1) + list(tokens)
        self.counts = [defaultdict(int) for _ in range(order + 1)]
        for end in range(order - 1, len(padded)):
            self.counts[order][tuple(padded[end - order + 1 : end + 1])] += 1
        for n in range(order - 1, 0, -1):
            for gram in self.counts[n + 1]:
                self.counts[n][gram[1:]] += 1
        self.discounts = [None] + [self.estimate(self.counts[n].values()) for n in range(1, order + 1)]

    def estimate(self, counts):
        n1, n2, n3, n4 = (sum(count == k for count in counts) for k in (1, 2, 3, 4))
        if 0 in (n1, n2, n3, n4):
            return [0, *map(Fraction, FALLBACK_DISCOUNTS)]
        y = Fraction(n1, n1 + 2 * n2)
        ds = [1 - 2 * y * Fraction(n2, n1), 2 - 3 * y * Fraction(n3, n2), 3 - 4 * y * Fraction(n4, n3)]
        if not all(0 < d <= k for k, d in enumerate(ds, 1)):
            return [0, *map(Fraction, FALLBACK_DISCOUNTS)]
        return [0, *ds]

    def probability(self, word, context):
        context = (
            tuple(context[len(context) - self.order + 1 :]) if len(context) >= self.order else tuple(context)
        )
        n = len(context) + 1
        lower = self.probability(word, context[1:]) if context else Fraction(1, self.vocab_size)
        after = {gram[-1]: count for gram, count in self.counts[n].items() if gram[:-1] == context}
        if not after:
            return lower
        removed = self.discounts[n]
        total = sum(after.values())
        count = after.get(word, 0)
        gamma = Fraction(sum(removed[min(c, 3)] for c in after.values())) / total
        return Fraction(count - removed[min(count, 3)]) / total + gamma * lower


def stream(seed, size, vocab_size):
    """Tokens with structure, and with counts of every size."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, vocab_size + 1)
    tokens = rng.choice(vocab_size, size, p=weights / weights.sum())
    for _ in range(size // 12):  # phrases that come again
        length = int(rng.integers(2, 6))
        source, target = rng.integers(0, size - length, 2)
        tokens[target : target + length] = tokens[source : source + length]
    return tokens


def test_by_hand():
    # Tokens a b a c, order 2, vocabulary a b c d = 0 1 2 3. Counts of counts are too few: D = (0.5, 1, 1.5).
    model = NGram(2, vocab_size=4).fit([0, 1, 0, 2])
    # Bigrams: (start) a, a b, b a, a c. Different tokens before: a 2 (start, b), b 1, c 1; in all 4.
    # Unigrams over the uniform 1/4: removed are 1 + 0.5 + 0.5 = 2 of 4.
    p_a, p_b, p_c, p_d = (2 - 1) / 4 + 2 / 4 / 4, 0.5 / 4 + 2 / 4 / 4, 0.5 / 4 + 2 / 4 / 4, 2 / 4 / 4
    np.testing.assert_allclose(model.next_probabilities([]), [p_a, p_b, p_c, p_d], rtol=1e-15)
    # After a: b once, c once: half of each is removed, so 0.5 + 0.5 of 2 goes to the unigrams.
    after_a = [0.5 * p_a, 0.5 / 2 + 0.5 * p_b, 0.5 / 2 + 0.5 * p_c, 0.5 * p_d]
    np.testing.assert_allclose(model.next_probabilities([0]), after_a, rtol=1e-15)
    np.testing.assert_allclose(model.next_probabilities([3]), [p_a, p_b, p_c, p_d], rtol=1e-15)  # unseen
    # In numbers: p(b | a) = 0.375.
    np.testing.assert_allclose(math.exp(model.log_probabilities([0, 1])[1]), 0.375, rtol=1e-15)
    assert model.num_ngrams == [3, 4]
    assert model.discounts == [FALLBACK_DISCOUNTS] * 2


def test_san_francisco():
    # What Kneser-Ney is for: a word that is frequent after one other word only is improbable elsewhere.
    san, francisco, cat, dog, bird, sees = range(6)
    text = [san, francisco] * 8 + [sees, cat, sees, dog, bird, cat, dog, sees, bird, dog, cat] * 2
    model = NGram(2).fit(text)
    assert text.count(francisco) > text.count(cat)
    assert model.next_probabilities([])[francisco] < model.next_probabilities([])[cat]
    assert model.next_probabilities([san])[francisco] > 0.8


def test_discounts_are_those_of_the_formula():
    counts = np.repeat([1, 2, 3, 4, 5], [100, 40, 20, 12, 30])
    y = 100 / 180
    expected = (1 - 2 * y * 0.4, 2 - 3 * y * 0.5, 3 - 4 * y * 0.6)
    assert ngram._discounts(counts) == pytest.approx(expected, rel=1e-15)
    # More twos than the formula can use: D2 would be negative.
    assert ngram._discounts(np.repeat([1, 2, 3, 4], [100, 5, 60, 9])) == FALLBACK_DISCOUNTS


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_the_slow_implementation(order, seed):
    vocab_size = 11
    tokens = stream(seed, 400, vocab_size - 1)  # the last id is never seen
    fast, slow = NGram(order, vocab_size).fit(tokens), Slow(order, vocab_size, tokens.tolist())
    if order > 1:
        assert fast.discounts[-1] != FALLBACK_DISCOUNTS  # the formula itself is at work
    rng = np.random.default_rng(seed)
    contexts = [tokens[i : i + order].tolist() for i in (0, 7, 390)]
    contexts += [rng.integers(0, vocab_size, length).tolist() for length in (0, 1, 2, 3, 6)]
    for context in contexts:
        expected = [float(slow.probability(word, context)) for word in range(vocab_size)]
        np.testing.assert_allclose(fast.next_probabilities(context), expected, rtol=1e-12)
    text = np.concatenate([tokens[100:120], rng.integers(0, vocab_size, 20)])
    expected = [math.log(slow.probability(int(w), text[:i].tolist())) for i, w in enumerate(text)]
    np.testing.assert_allclose(fast.log_probabilities(text), expected, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    tokens=st.lists(st.integers(0, 6), min_size=1, max_size=60),
    context=st.lists(st.integers(0, 8), max_size=6),
    order=st.integers(1, 5),
)
def test_probabilities_add_up_to_one_and_none_is_zero(tokens, context, order):
    model = NGram(order, vocab_size=9).fit(tokens)
    probabilities = model.next_probabilities(context)
    assert probabilities.shape == (9,)
    assert abs(probabilities.sum() - 1) < 1e-14
    assert probabilities.min() > 0
    # and scoring a text is the same as asking for each next token
    text = [*context, tokens[0]]
    expected = [np.log(model.next_probabilities(text[:place])[word]) for place, word in enumerate(text)]
    np.testing.assert_allclose(model.log_probabilities(text), expected, rtol=1e-12)


def test_chunks_do_not_change_scores(monkeypatch):
    tokens = stream(3, 2000, 40)
    model = NGram(4).fit(tokens[:1500])
    whole = model.log_probabilities(tokens)
    monkeypatch.setattr(ngram, "SCORE_CHUNK", 7)
    np.testing.assert_array_equal(model.log_probabilities(tokens), whole)


def test_longer_contexts_help_on_text_with_structure():
    tokens = np.tile(stream(4, 100, 8), 30)
    scores = [
        NGram(order).fit(tokens[:2500]).log_probabilities(tokens[2500:]).mean() for order in (1, 2, 3, 4)
    ]
    assert scores == sorted(scores)


def test_unigram_is_the_discounted_count():
    model = NGram(1, vocab_size=3).fit([0] * 6 + [1] * 2)
    np.testing.assert_allclose(
        model.next_probabilities([2, 2]), [4.5 / 8 + 2.5 / 24, 1 / 8 + 2.5 / 24, 2.5 / 24], rtol=1e-15
    )


def test_generation_follows_the_probabilities():
    tokens = stream(5, 3000, 5)
    model = NGram(3).fit(tokens)
    drawn = np.bincount([model.generate([0, 1], 1, seed=seed)[0] for seed in range(4000)], minlength=5)
    expected = model.next_probabilities([0, 1]) * 4000
    assert (((drawn - expected) ** 2) / expected).sum() < 18.5  # chi square, 4 degrees: p = 0.001
    assert model.generate([0], 20, seed=3) == model.generate([0], 20, seed=3)
    assert model.generate([0], 20, seed=3) != model.generate([0], 20, seed=4)
    greedy = model.generate([0], 5, temperature=0)
    assert greedy[0] == model.next_probabilities([0]).argmax()
    ended = model.generate([], 500, stop_ids=[4])
    assert ended.index(4) == len(ended) - 1
    sharp = [model.generate([0, 1], 1, temperature=0.25, seed=seed)[0] for seed in range(200)]
    best = model.next_probabilities([0, 1]).argmax()
    assert sharp.count(best) / 200 > drawn[best] / 4000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NGram(0), "order is 0"),
        (lambda: NGram(2.0), "order is 2.0"),
        (lambda: NGram(2, 0), "vocab_size is 0"),
        (lambda: NGram(2).fit([]), "no tokens"),
        (lambda: NGram(2).fit([0.5]), "integers"),
        (lambda: NGram(2).fit([[1, 2]]), "one row"),
        (lambda: NGram(2, 3).fit([1, 3]), "token 3 is not in the vocabulary of 3"),
        (lambda: NGram(2).fit([0, -1]), "token -1"),
        (lambda: NGram(2).fit([0, 1]).log_probabilities([0, 7]), "token 7 .* vocab_size=tokenizer"),
        (lambda: NGram(2).log_probabilities([0]), "Call fit"),
        (lambda: NGram(2).next_probabilities([0]), "Call fit"),
        (lambda: NGram(2).fit([0, 1]).generate([0], 1, temperature=-1), "temperature is -1"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(LabkitError, match=message):
        call()


def test_no_tokens_have_no_scores():
    assert NGram(3).fit([0, 1]).log_probabilities([]).shape == (0,)


def test_memory_mapped_tokens_of_two_bytes(tmp_path):
    tokens = stream(6, 1000, 300)
    tokens.astype("<u2").tofile(tmp_path / "tokens.bin")
    mapped = np.memmap(tmp_path / "tokens.bin", dtype="<u2", mode="r")
    one, other = NGram(3, 300).fit(mapped), NGram(3, 300).fit(tokens)
    np.testing.assert_array_equal(one.log_probabilities(mapped), other.log_probabilities(tokens))


def test_a_quarter_million_tokens_take_no_time_to_speak_of():
    tokens = stream(7, 250_000, 2000)
    started = time.perf_counter()
    model = NGram(5).fit(tokens)
    model.log_probabilities(tokens[:50_000])
    assert time.perf_counter() - started < 5  # about 0.15 s; the bound is for a busy machine
    assert model.num_bytes < 250_000 * 4 * 40


def test_keys_of_many_contexts_do_not_overflow():
    """600,000 contexts times a vocabulary of 60,000 is more than 32 bits hold; what is counted lower must still add up."""
    tokens = np.random.default_rng(0).integers(0, 60_000, 600_000)
    model = NGram(4, vocab_size=60_000).fit(tokens)
    assert model.num_ngrams[1:] == [len(np.unique(windows(tokens, n), axis=0)) for n in (2, 3, 4)]


def windows(tokens: np.ndarray, n: int) -> np.ndarray:
    """All n-grams (N, n); those at the beginning hold 60,000 for what is missing."""
    padded = np.concatenate([np.full(n - 1, 60_000), tokens])
    return np.lib.stride_tricks.sliding_window_view(padded, n)
