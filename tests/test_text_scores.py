"""Scores of text: values by hand, slow second implementations, and what they refuse."""

import lzma
import math
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.text import scores
from labkit.text.scores import (
    Copy,
    bits_per_character_from,
    compression_ratio,
    copied_share,
    distinct_n,
    find_longest_copy,
    longest_copy,
    repeated_sentences,
    repetition,
    split_sentences,
    units,
)

IDS = st.lists(st.integers(0, 3), min_size=1, max_size=30)


def windows(tokens, n):
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def test_units():
    assert units("Anna's 3 apples, 三个苹果。") == [
        "Anna's",
        "3",
        "apples",
        ",",
        "三",
        "个",
        "苹",
        "果",
        "。",
    ]
    assert units("re-read") == ["re", "-", "read"]
    assert units("我用Python写code") == ["我", "用", "Python", "写", "code"]
    assert units("パン!") == ["パ", "ン", "!"]
    assert units("Привет, мир") == ["Привет", ",", "мир"]
    assert units("a b", by="characters") == ["a", " ", "b"]
    assert units([3, 1]) == units(np.array([3, 1])) == units(torch.tensor([3, 1])) == [3, 1]
    with pytest.raises(ValueError, match="by is 'words'"):
        units("a", by="words")


@given(st.text())
def test_units_leave_out_nothing_but_blanks(text):
    joined = "".join(units(text))
    assert joined == "".join(character for character in text if not character.isspace())


def test_distinct_by_hand():
    # a b a b: bigrams ab, ba, ab
    assert distinct_n("a b a b", 2) == pytest.approx(2 / 3)
    assert distinct_n("a b a b", 1) == 0.5
    # over all texts together, and never over the end of one
    assert distinct_n(["a b", "b a", "a b"], 2) == pytest.approx(2 / 3)
    assert distinct_n([[1, 2], [2, 1], [1, 2]], 2) == pytest.approx(2 / 3)
    assert distinct_n("我们我们", 1) == 0.5  # characters in Chinese
    assert distinct_n([1, 2, 3], 1) == distinct_n(np.array([1, 2, 3]), 1) == 1.0


def test_repetition_by_hand():
    # a b a b a: bigrams ab ba ab ba, of which 2 came before; the other text repeats nothing
    assert repetition("a b a b a", 2) == 0.5
    assert repetition(["a b a b a", "a b c d e"], 2) == 0.25
    assert repetition(["a b c", "a b c"], 2) == 0.0  # between texts is no repetition inside of one
    assert repetition(["a b a b a", "short"], 2) == 0.5  # no bigram in it, so it does not count
    assert repetition([7] * 100, 4) == pytest.approx(96 / 97)


@settings(max_examples=100)
@given(texts=st.lists(IDS, min_size=1, max_size=4), n=st.integers(1, 4))
def test_distinct_and_repetition_against_slow_ones(texts, n):
    grams = [gram for text in texts for gram in windows(text, n)]
    if not grams:
        for score in (distinct_n, repetition):
            with pytest.raises(ValueError, match=f"texts hold no {n}-gram"):
                score(texts, n)
        return
    assert distinct_n(texts, n) == len(set(grams)) / len(grams)
    shares = [1 - len(set(windows(t, n))) / len(windows(t, n)) for t in texts if len(t) >= n]
    assert repetition(texts, n) == pytest.approx(sum(shares) / len(shares))


def test_copies_by_hand():
    training = "the cat sat on the mat . the dog ran"
    assert copied_share("a cat sat on a mat", training, 2) == pytest.approx(2 / 5)
    assert copied_share("cat sat on the", training, 4) == 1.0
    assert longest_copy("a cat sat on a mat", training) == 3
    assert find_longest_copy(["unseen words", "a cat sat on a mat"], training) == Copy(3, 1, 1, 1)
    assert longest_copy("x y z", training) == 0
    assert find_longest_copy("x y z", training) == (0, 0, 0, 0)
    # nothing is found over the end of a training text, nor over that of a generated one
    assert longest_copy("cat dog", ["a cat", "dog b"]) == 1
    assert longest_copy(["a cat", "dog b"], "cat dog") == 1
    assert copied_share(["a cat", "dog b"], ["cat dog", "a cat"], 2) == 0.5
    assert longest_copy("猫坐在垫子上", "那只猫坐在桌上") == 3
    assert longest_copy("the catalog", "a category", by="characters") == len(" cat")
    assert longest_copy("x the category", "the cat", by="characters") == len("the cat")


@settings(max_examples=200, deadline=None)
@given(
    texts=st.lists(IDS, min_size=1, max_size=3),
    training=st.lists(IDS, min_size=1, max_size=3),
    n=st.integers(1, 6),
    collide=st.booleans(),
)
def test_copies_against_slow_ones(texts, training, n, collide):
    original = scores._window_hashes
    if collide:  # hashes of which most are equal: the tokens must still decide
        scores._window_hashes = lambda tokens, n: original(tokens, n) & np.uint64(1)
    try:
        seen = {window for text in training for window in windows(text, n)}
        mine = [window for text in texts for window in windows(text, n)]
        if mine:
            expected = sum(window in seen for window in mine) / len(mine)
            assert copied_share(texts, training, n) == expected
        longest = max(
            (
                k
                for k in range(1, 31)
                for t in texts
                for w in windows(t, k)
                for s in training
                if w in windows(s, k)
            ),
            default=0,
        )
        copy = find_longest_copy(texts, training)
        assert copy.length == longest_copy(texts, training) == longest
        joined = [token for text in training for token in [*text, None]]
        assert (
            texts[copy.text][copy.start : copy.start + longest]
            == joined[copy.training_start : copy.training_start + longest]
        )
        array = np.array(training[0], dtype=np.uint16)  # a token file's ids, without being turned into a list
        assert longest_copy(texts, array) == longest_copy(texts, [training[0]])
    finally:
        scores._window_hashes = original


@given(tokens=st.lists(st.integers(0, 2), min_size=1, max_size=40), n=st.integers(1, 40))
def test_hashes_are_equal_for_equal_windows_alone(tokens, n):
    if n > len(tokens):
        return
    hashes = scores._window_hashes(np.array(tokens, dtype=np.uint64), n)
    assert len(hashes) == len(tokens) - n + 1
    by_hash = dict(zip(hashes.tolist(), windows(tokens, n), strict=True))
    assert len(by_hash) == len(set(windows(tokens, n)))
    assert all(by_hash[h] == w for h, w in zip(hashes.tolist(), windows(tokens, n), strict=True))


def test_a_whole_copy_of_a_large_text_is_found():
    rng = np.random.default_rng(0)
    training = rng.integers(0, 50, 200_000)
    copied = training[70_000:75_000]
    text = np.concatenate([rng.integers(0, 50, 1000), copied, rng.integers(0, 50, 1000)])
    found = find_longest_copy(text, training)
    assert abs(found.length - 5000) < 8  # a token or so more by chance
    assert abs(found.start - 1000) < 8
    assert copied_share(text, training, 20) == pytest.approx(4981 / 6981, abs=0.002)


def test_compression_ratio():
    text = "面包师在市场上卖面包。" * 40
    size = len(text.encode())
    assert compression_ratio(text) == size / len(zlib.compress(text.encode(), 9))
    assert compression_ratio(text, "lzma") == size / len(lzma.compress(text.encode()))
    varied = "".join(map(chr, np.random.default_rng(0).integers(33, 126, 2000)))
    assert compression_ratio(varied) < 1.3 < compression_ratio(["same text"] * 50)
    # zlib looks back 32 KiB only
    far = varied + "x" * 40_000 + varied
    assert compression_ratio(far, "lzma") > 1.4 * compression_ratio(far)
    with pytest.raises(ValueError, match="method is 'gzip'"):
        compression_ratio(text, "gzip")
    with pytest.raises(TypeError, match=r"texts\[0\] must be a string"):
        compression_ratio([1, 2, 3])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ('He said "Go." Then he left.', ['He said "Go."', "Then he left."]),
        ("It costs 3.50 today.", ["It costs 3.50 today."]),
        ("A title\nA line.\n\nMore", ["A title", "A line.", "More"]),
        (
            "今天很热。他说：“走吧！”然后走了。真的？",
            ["今天很热。", "他说：“走吧！”", "然后走了。", "真的？"],
        ),
        ("Wait... what?!", ["Wait...", "what?!"]),
        ("真的？！好", ["真的？！", "好"]),
        ("  \n ", []),
    ],
)
def test_sentences(text, expected):
    assert split_sentences(text) == expected


@given(st.text())
def test_sentences_lose_nothing_but_blanks(text):
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


def test_repeated_sentences():
    assert repeated_sentences("It rains. It is cold. It  RAINS. It rains.") == 0.5
    assert repeated_sentences(["今天下雨。", "今天下雨。很冷。"]) == pytest.approx(1 / 3)
    assert repeated_sentences("All different. Each one.") == 0.0


def test_bits_per_character():
    # Four tokens of probability 1/8 that stand for six characters: 12 bits.
    logs = np.full(4, math.log(1 / 8))
    assert bits_per_character_from(logs, 6) == pytest.approx(2.0, rel=1e-15)
    assert bits_per_character_from(torch.tensor(logs), "sechs!") == pytest.approx(2.0, rel=1e-15)
    assert bits_per_character_from([0.0], 1) == 0.0
    assert bits_per_character_from([-math.inf], 1) == math.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distinct_n([]), "texts is empty"),
        (lambda: distinct_n(""), r"texts\[0\] is empty"),
        (lambda: distinct_n(["a b", " "]), r"texts\[1\] is empty"),
        (lambda: distinct_n("a b", 0), "n is 0"),
        (lambda: distinct_n("a", 2), "texts hold no 2-gram"),
        (lambda: repetition([[]]), r"texts\[0\] is empty"),
        (lambda: repetition("a b", 4), "texts hold no 4-gram"),
        (lambda: copied_share("a b", [], 2), "training is empty"),
        (lambda: copied_share("a b", "", 2), r"training\[0\] is empty"),
        (lambda: copied_share([], "a b", 2), "texts is empty"),
        (lambda: copied_share("a", "a b", 2), "no window of 2 tokens"),
        (lambda: copied_share("a b", "a b", 1.5), "n is 1.5"),
        (lambda: longest_copy([1, 2], np.array([], dtype=int)), "training is empty"),
        (lambda: longest_copy(np.array([], dtype=int), np.array([1])), r"texts\[0\] is empty"),
        (lambda: compression_ratio([]), "texts is empty"),
        (lambda: compression_ratio(["a", "\n"]), r"texts\[1\] is empty"),
        (lambda: repeated_sentences(""), r"texts\[0\] is empty"),
        (lambda: bits_per_character_from([], 3), "log_probabilities must be one row"),
        (lambda: bits_per_character_from([0.5], 3), "not above 0"),
        (lambda: bits_per_character_from([math.nan], 3), "not NaN"),
        (lambda: bits_per_character_from([-1.0], ""), "characters is 0"),
    ],
)
def test_refuses_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_strings_and_ids_are_not_compared():
    with pytest.raises(TypeError, match="both be strings"):
        copied_share("a b", [[1, 2]], 1)
    with pytest.raises(TypeError, match=r"texts\[0\] must hold ids"):
        copied_share("a b", np.array([1, 2]), 1)
