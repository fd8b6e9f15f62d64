"""labkit.image.captions: words and facts, both ways; captions that people wrote; vocabularies."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.common import LANGUAGES, LabkitError
from labkit.image import captions, scenes
from labkit.image.captions import Vocabulary
from labkit.image.scenes import COLOURS, PLACES, RELATIONS, SHAPES, SIZES, Scene, Thing


def things(place: bool) -> st.SearchStrategy[Thing]:
    """Things of which anything may be unknown."""
    values = {"shape": SHAPES, "colour": COLOURS, "size": SIZES}
    attributes = {name: st.none() | st.sampled_from(options) for name, options in values.items()}
    return st.builds(Thing, **attributes, place=st.none() | st.sampled_from(PLACES) if place else st.none())


SCENES = st.builds(Scene, st.tuples(things(place=True))) | st.builds(
    Scene, st.tuples(things(place=False), things(place=False)), st.none() | st.sampled_from(RELATIONS)
)
SEEDS = st.integers(0, 2**32 - 1)
PROPERTY = settings(max_examples=100, deadline=None, derandomize=True, database=None)


@PROPERTY
@given(
    scene=SCENES, language=st.sampled_from(LANGUAGES), seed=SEEDS, missing=st.sampled_from((0.0, 0.3, 1.0))
)
def test_what_is_written_is_read_again(scene: Scene, language: str, seed: int, missing: float) -> None:
    caption = captions.write(scene, language, np.random.default_rng(seed), missing)
    assert captions.parse(caption.text, language) == caption.said
    assert captions.parse(caption.text) == caption.said  # the language is found out
    assert Vocabulary.standard().unknown_words(caption.text) == ()
    if not missing:
        assert caption.said == scene.canonical()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_wording_is_read_again(language: str) -> None:
    """Each pattern, word and side, which random scenes alone would meet too seldom."""
    rng = np.random.default_rng(0)
    seen = set()
    for scene in scenes.sample_scenes(4000, 0):
        caption = captions.write(scene, language, rng, missing=0.1)
        assert captions.parse(caption.text) == caption.said, caption.text
        seen.update(captions.split_words(caption.text))
    words = {word for word in Vocabulary.standard().words if captions.language_of(word) == language}
    digits_only = set("手写体数字零一二三四五六七八九用") | {
        *captions.DIGIT_NAMES["en"],
        "handwritten",
        "hand",
        "digit",
    }
    digits_only |= {"written", "by", "handwriting", "number", *"0123456789"}
    assert words - seen <= digits_only


def facts_of(scene: Scene) -> int:
    things = [value for thing in scene.objects for value in vars(thing).values() if value]
    return len(things) + (scene.relation is not None)


@PROPERTY
@given(seed=SEEDS, language=st.sampled_from(LANGUAGES))
def test_what_is_left_out_is_left_out_of_what_was_said(seed: int, language: str) -> None:
    rng = np.random.default_rng(seed)
    for scene in scenes.sample_scenes(5, seed):
        caption = captions.write(scene, language, rng, missing=1.0)
        assert facts_of(caption.said) == 1  # something is always said
        said = captions.write(scene, language, rng, missing=0.4).said
        kept = (
            (said, Scene(said.objects[::-1])) if said.relation is None and len(said.objects) == 2 else (said,)
        )
        assert any(
            all(
                value in (None, getattr(thing, name))
                for thing, told in zip(scene.objects, order.objects, strict=True)
                for name, value in vars(told).items()
            )
            for order in kept
        )
        assert said.relation in (None, scene.relation)


def test_how_often_facts_are_left_out() -> None:
    many = scenes.sample_scenes(2000, 0, objects=2)
    _, said = captions.write_all(many, "both", np.random.default_rng(0), missing=0.25)
    share = sum(map(facts_of, said)) / sum(map(facts_of, many))
    assert share == pytest.approx(0.75, abs=0.02)


LARGE_RED_CIRCLE, SMALL_BLUE_SQUARE = Thing("circle", "red", "large"), Thing("square", "blue", "small")
BOTH = Scene((LARGE_RED_CIRCLE, SMALL_BLUE_SQUARE), "left of")
CIRCLE, SQUARE = Thing("circle"), Thing("square")


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a large red circle left of a small blue square", BOTH),
        ("一个红色的大圆在蓝色小方块的左边", BOTH),
        ("A big red disc, and to its right a little blue square.", BOTH),
        ("the small blue square is right of the large red circle", BOTH),
        ("to the left of the small blue square there is a large red circle", BOTH),
        ("on the left a big red circle, on the right a small blue square", BOTH),
        ("左边是一个大红圆，右边是一个小蓝方块", BOTH),
        ("蓝色小方块左边有一个红色大圆", BOTH),
        ("一个红色的大圆，它的右边是一个蓝色的小正方形。", BOTH),
        ("红色的大圆在左，蓝色的小方块在右", BOTH),
        ("circle above square", Scene((CIRCLE, SQUARE), "above")),
        ("a circle and a square below", Scene((CIRCLE, SQUARE), "above")),
        ("a square with a circle on top of it", Scene((CIRCLE, SQUARE), "above")),
        ("a square underneath a circle", Scene((CIRCLE, SQUARE), "above")),
        ("圆的下面有一个方块", Scene((CIRCLE, SQUARE), "above")),
        ("在圆的下面画一个方块", Scene((CIRCLE, SQUARE), "above")),
        ("一个方块，一个圆在它的上面", Scene((CIRCLE, SQUARE), "above")),
        ("a square and a circle", Scene((CIRCLE, SQUARE))),
        ("画一个圆和一个方块", Scene((CIRCLE, SQUARE))),
        ("a red circle, red", Scene((Thing("circle", "red"),))),
        ("a circle on the left, large and red", Scene((Thing("circle", "red", "large", "left"),))),
        ("red", Scene((Thing(colour="red"),))),
        ("something small in the upper left corner", Scene((Thing(size="small", place="top left"),))),
        ("a ring in the middle of the picture", Scene((Thing("ring", place="centre"),))),
        ("ring, bottom right", Scene((Thing("ring", place="bottom right"),))),
        ("右上角有个绿色的小十字", Scene((Thing("cross", "green", "small", "top right"),))),
        ("黑三角在正中间", Scene((Thing("triangle", "black", place="centre"),))),
        ("一个紫色圆环", Scene((Thing("ring", "purple"),))),
        ("一只可爱的小猫在玩耍。", Scene((Thing(size="small"),))),  # all that is known of it
        ("两个大小不同的圆", Scene((CIRCLE,))),  # 大小 is no size
        ("an ORANGE Cross!", Scene((Thing("cross", "orange"),))),
    ],
)
def test_captions_that_people_write(caption: str, expected: Scene) -> None:
    assert captions.parse(caption) == expected.canonical()


@pytest.mark.parametrize(
    ("caption", "message"),
    [
        ("a cat that plays", "names nothing that can be drawn.*circle, square"),
        ("", "names nothing"),
        ("a circle, a square and a ring", "names 3 things"),
        ("a circle on the left and a square on the left", "does not say clearly"),
        ("一个圆和一个方块在左边", "does not say clearly.*一个红色的大圆"),
        ("a circle at the top left and a square at the bottom right", "left, right, above or below"),
        ("a ring at the top in the middle at the bottom", "puts one thing in 2 places"),
        ("a red blue circle", "cannot be red and blue"),
    ],
)
def test_captions_that_cannot_be_are_refused(caption: str, message: str) -> None:
    with pytest.raises(LabkitError, match=message):
        captions.parse(caption)


@PROPERTY
@given(text=st.text(max_size=40) | st.lists(st.sampled_from(Vocabulary.standard().words)).map(" ".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    for language in (None, *LANGUAGES):
        try:
            scene = captions.parse(text, language)
        except LabkitError:
            continue
        assert scene == scene.canonical()


def test_wordings_are_many_and_the_usual_one_is_frequent() -> None:
    rng = np.random.default_rng(0)
    for language in LANGUAGES:
        written = [captions.write(BOTH, language, rng).text for _ in range(3000)]
        assert len(set(written)) > 300
        one = [captions.write(Scene((LARGE_RED_CIRCLE,)), language, rng).text for _ in range(300)]
        assert len(set(one)) >= 12
        usual = "a large red circle" if language == "en" else "一个红色的大圆"
        assert 20 < one.count(usual) < 150


def test_english_articles_and_the_order_of_adjectives() -> None:
    rng = np.random.default_rng(0)
    many = scenes.sample_scenes(500, 1)
    for text in captions.write_all(many, "en", rng, missing=0.3)[0]:
        for article, word in re.findall(r"\b(an?) (\w+)", text):
            assert (article == "an") == (word[0] in "aeiou"), text
        colours = "|".join(COLOURS)
        assert not re.search(rf"\b({colours}) (large|big|small|little)\b", text)
    assert all("一个" in text for text in captions.write_all(many, "zh", rng)[0])


def test_both_languages_in_equal_parts() -> None:
    many = scenes.sample_scenes(1000, 1)
    texts, _ = captions.write_all(many, "both", np.random.default_rng(0))
    chinese = [captions.language_of(text) == "zh" for text in texts]
    assert 440 < sum(chinese) < 560
    assert captions.write_all(many, "both", np.random.default_rng(0))[0] == texts


def test_wrong_arguments_are_named() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(LabkitError, match="language is 'fr'"):
        captions.write(BOTH, "fr", rng)
    with pytest.raises(LabkitError, match="missing is 2"):
        captions.write(BOTH, "en", rng, missing=2)
    with pytest.raises(LabkitError, match="language is 'fr'"):
        captions.parse("a circle", "fr")


# Digits and clothes


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("digit", range(10))
def test_digits_are_written_and_read(digit: int, language: str) -> None:
    rng = np.random.default_rng(digit)
    written = {captions.write_digit(digit, language, rng) for _ in range(200)}
    assert len(written) == 7
    for text in written:
        assert captions.parse_digit(text) == digit
        assert Vocabulary.standard().unknown_words(text) == ()
    usual = "a handwritten seven" if language == "en" else "手写的数字七"
    assert (usual in written) == (digit == 7)


def test_digits_that_cannot_be_are_refused() -> None:
    assert captions.parse_digit("一张手写的8") == 8
    assert captions.parse_digit("An eight, please") == 8
    for text, message in (("a cat", "no digit"), ("two or three", r"digits \[2, 3\]"), ("数字", "no digit")):
        with pytest.raises(LabkitError, match=message):
            captions.parse_digit(text)
    with pytest.raises(LabkitError, match="digit is 10"):
        captions.write_digit(10, "en", np.random.default_rng(0))
    assert not any("a eight" in captions.write_digit(8, "en", np.random.default_rng(i)) for i in range(60))


def test_clothes_are_named_in_the_order_of_their_labels() -> None:
    rng = np.random.default_rng(0)
    assert "ankle boot" in captions.write_clothes(9, "en", rng)
    assert "裤子" in captions.write_clothes(1, "zh", rng)
    with pytest.raises(LabkitError, match="label is -1"):
        captions.write_clothes(-1, "en", rng)


# Vocabulary


def test_words_are_split_at_blanks_and_punctuation_and_chinese_by_character() -> None:
    assert captions.split_words("A Cat's red-hot T-shirt, 28 px!") == [
        "a", "cat's", "red", "hot", "t", "shirt", "28", "px",
    ]  # fmt: skip
    assert captions.split_words("一个T恤，hello。") == ["一", "个", "t", "恤", "hello"]
    assert captions.split_words("_ ' —") == []


def test_ids_are_padded_with_0_and_unknown_words_are_1() -> None:
    vocabulary = Vocabulary.from_captions(["a red circle", "红圆"])
    assert vocabulary.words == ("a", "circle", "red", "圆", "红")
    ids = vocabulary.encode(["a blue circle", "", "红圆"])
    assert torch.equal(ids, torch.tensor([[2, 1, 3], [0, 0, 0], [6, 5, 0]]))
    assert ids.dtype == torch.int64
    assert len(vocabulary) == 7
    assert vocabulary.encode(["a red circle"], length=2).tolist() == [[2, 4]]
    assert vocabulary.encode(["a"], length=3).tolist() == [[2, 0, 0]]
    assert vocabulary.encode([""]).tolist() == [[0]]
    assert vocabulary.decode(ids[0]) == ["a", "<unk>", "circle"]
    assert vocabulary == Vocabulary(vocabulary.words)


def test_the_words_of_the_cat_that_no_model_saw() -> None:
    vocabulary = Vocabulary.standard()
    assert vocabulary.unknown_words("一只可爱的小猫在玩耍。") == ("只", "可", "爱", "猫", "玩", "耍")
    assert vocabulary.unknown_words("A cute cat, a red cat") == ("cute", "cat")
    assert vocabulary.unknown_words("a large red circle left of a small blue square") == ()


def test_vocabularies_that_cannot_be_are_refused() -> None:
    with pytest.raises(LabkitError, match="twice"):
        Vocabulary(("a", "a"))
    with pytest.raises(LabkitError, match="brackets"):
        Vocabulary(("a",)).encode("a caption")
    assert Vocabulary.standard() is Vocabulary.standard()
