"""Word vectors: against PMI, which they converge to; pairs, neighbours, analogies, refusals."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from labkit.text.word_vectors import (
    SkipGramConfig,
    WordVectors,
    analogy_accuracy,
    negative_sampling_loss,
    neighbour_precision,
    skip_gram_pairs,
    train_word_vectors,
)


def naive_pairs(sentences, window):
    return sorted(
        (s[i], s[j])
        for s in sentences
        for i, j in itertools.product(range(len(s)), repeat=2)
        if 0 < abs(i - j) <= window
    )


@pytest.mark.parametrize("window", [1, 2, 5])
def test_pairs_are_those_of_the_plain_definition(window):
    rng = np.random.default_rng(window)
    sentences = [rng.integers(0, 9, size=n) for n in (1, 4, 0, 7, 2)]
    centres, contexts = skip_gram_pairs(sentences, window)
    found = sorted(zip(centres.tolist(), contexts.tolist(), strict=True))
    assert found == naive_pairs([s.tolist() for s in sentences], window)


def test_a_drawn_radius_keeps_near_pairs_and_thins_far_ones():
    sentence = [np.arange(20_000)]
    centres, contexts = skip_gram_pairs(sentence, 4, np.random.default_rng(0))
    distance = np.abs(centres - contexts)
    shares = [(distance == d).mean() for d in (1, 2, 3, 4)]
    assert shares == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=0.01)  # 4 : 3 : 2 : 1


def test_no_sentences_give_no_pairs():
    assert [len(part) for part in skip_gram_pairs([], 3)] == [0, 0]


def test_the_loss_is_the_formula():
    torch.manual_seed(0)
    centre, context, negatives = torch.randn(3, 4), torch.randn(3, 4), torch.randn(3, 2, 4)

    def log_sigmoid(x):
        return -math.log1p(math.exp(-x))

    losses = [
        -log_sigmoid(float(u @ v)) - sum(log_sigmoid(-float(u @ n)) for n in others)
        for u, v, others in zip(centre, context, negatives, strict=True)
    ]
    assert negative_sampling_loss(centre, context, negatives).item() == pytest.approx(
        np.mean(losses), rel=1e-5
    )


def test_products_converge_to_pmi_minus_log_k():
    """Levy and Goldberg (2014): with enough dimensions the optimum of u_w · v_c is PMI(w, c) - log K."""
    rng = np.random.default_rng(0)
    likes = np.array([[6, 2, 1, 1], [1, 6, 2, 1], [2, 1, 5, 2], [1, 1, 2, 6]]) / 10
    first = rng.integers(0, 4, 12_000)
    second = np.array([rng.choice(4, p=likes[w]) for w in first])
    sentences = [[f"w{a}", f"c{b}"] for a, b in zip(first, second, strict=True)]
    config = SkipGramConfig(
        size=8, window=1, negatives=2, epochs=12, min_count=1, subsample=0, power=1.0, learning_rate=0.02
    )
    trained = train_word_vectors(sentences, config, seed=1)

    joint = np.zeros((4, 4))
    np.add.at(joint, (first, second), 1)
    joint /= joint.sum()
    # Every word is centre half of the time; as negatives w and c words share the noise, hence the factor 2.
    pmi = np.log(joint / (joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True))) + math.log(2)
    rows = [trained.index[f"w{i}"] for i in range(4)]
    columns = [trained.index[f"c{i}"] for i in range(4)]
    products = (trained.vectors @ trained.contexts.T)[np.ix_(rows, columns)]
    assert products == pytest.approx(pmi - math.log(2), abs=0.15)
    assert abs(products - pmi).mean() > 0.5, "the -log K belongs to it"


def test_words_in_the_same_places_become_neighbours_and_random_vectors_do_not():
    rng = np.random.default_rng(3)
    animals, tools = ["cat", "dog", "cow", "hen"], ["saw", "axe", "file", "drill"]
    sentences = []
    for _ in range(1500):
        kind, verbs = (animals, ["eats", "sleeps"]) if rng.random() < 0.5 else (tools, ["cuts", "breaks"])
        sentences.append(["the", str(rng.choice(kind)), str(rng.choice(verbs)), "now"])
    config = SkipGramConfig(size=16, epochs=5, subsample=0, batch_size=256)
    trained = train_word_vectors(sentences, config, seed=0)
    untrained = WordVectors.random(trained.words, 16, seed=0)
    assert neighbour_precision(trained, [animals, tools], count=3) == 1.0
    assert neighbour_precision(untrained, [animals, tools], count=3) < 0.6


def test_the_same_seed_gives_the_same_vectors():
    sentences = [["a", "b", "c"], ["b", "c", "a"]] * 20
    config = SkipGramConfig(size=4, epochs=1, subsample=0)
    one, same, other = (train_word_vectors(sentences, config, seed=s) for s in (5, 5, 6))
    assert np.array_equal(one.vectors, same.vectors)
    assert not np.array_equal(one.vectors, other.vectors)


def test_training_reports_a_falling_loss():
    losses = []
    sentences = [["a", "b"], ["c", "d"]] * 200
    config = SkipGramConfig(size=4, epochs=4, subsample=0, batch_size=32)
    train_word_vectors(sentences, config, on_epoch=lambda _epoch, loss: losses.append(loss))
    assert len(losses) == 4
    assert losses[-1] < losses[0] < 6 * math.log(2) + 0.01  # zeros pay log 2 for each of the 1 + 5 words


SQUARE = WordVectors(
    ["man", "woman", "king", "queen", "far"],
    [[1.0, 0, 0.1], [1.0, 0.5, 0.1], [1.0, 0, 1.1], [1.0, 0.5, 1.1], [-1.0, 0.2, 0]],
)


def test_neighbours_are_sorted_by_cosine_without_the_word():
    near = SQUARE.neighbours("man", 9)
    assert [word for word, _ in near] == ["woman", "king", "queen", "far"]
    cosine = 1.01 / math.sqrt(1.01 * 1.26)
    assert near[0][1] == pytest.approx(cosine, rel=1e-5) == SQUARE.similarity("man", "woman")


def test_an_analogy_leaves_the_question_out():
    assert SQUARE.analogy("man", "woman", "king")[0][0] == "queen"
    assert len(SQUARE.analogy("man", "woman", "king", count=9)) == 2


def test_unknown_words_count_as_wrong_answers():
    questions = [("man", "woman", "king", "queen"), ("man", "woman", "king", "prince")]
    assert analogy_accuracy(SQUARE, questions) == 0.5
    with pytest.raises(ValueError, match="no questions"):
        analogy_accuracy(SQUARE, [])


def test_precision_counts_only_what_a_group_can_give():
    assert neighbour_precision(SQUARE, [["man", "woman"], ["unknown", "far"]]) == 1.0
    with pytest.raises(ValueError, match="no group"):
        neighbour_precision(SQUARE, [["far"]])


def test_rare_words_are_left_out_and_too_little_text_is_refused():
    trained = train_word_vectors(
        [["a", "b", "rare"], *[["a", "b"]] * 9], SkipGramConfig(epochs=1, min_count=5, subsample=0)
    )
    assert trained.words == ("a", "b")
    assert "rare" not in trained
    with pytest.raises(KeyError, match="rare"):
        trained["rare"]
    with pytest.raises(ValueError, match="min_count"):
        train_word_vectors([["a", "b"]], SkipGramConfig(min_count=5))
    with pytest.raises(ValueError, match="no two words"):
        train_word_vectors([["a"], ["b"]], SkipGramConfig(min_count=1, subsample=0))


@pytest.mark.parametrize(
    ("name", "value"), [("size", 0), ("window", 1.5), ("negatives", True), ("learning_rate", 0.0)]
)
def test_a_wrong_setting_is_refused_by_its_name(name, value):
    with pytest.raises(ValueError, match=name):
        SkipGramConfig(**{name: value})


def test_wrong_vectors_are_refused():
    with pytest.raises(ValueError, match="2 words"):
        WordVectors(["a", "b"], np.zeros((3, 2)))
    with pytest.raises(ValueError, match="different"):
        WordVectors(["a", "a"], np.zeros((2, 2)))
