"""Captions in English and Chinese: facts to varied words and back, digits by name, and a vocabulary of words.

``write`` may leave attributes out, and says which facts it told. ``parse`` is tolerant: it reads what ``write``
writes and what a learner would type ("big red circle over a blue square"), and passes over words that state no fact
("a nice picture of"); which words a model never saw is the vocabulary's business (``Vocabulary.unknown_words``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from labkit.common import LANGUAGES, LabkitError
from labkit.image.scenes import CONVERSE, RELATIONS, Scene, Thing

if TYPE_CHECKING:
    from torch import Tensor

PAD, UNKNOWN = 0, 1  # ids that stand for no word
NUM_SPECIAL = 2

# What a caption may call each value, the usual word first. The empty shape is a thing whose shape is not said.
NAMES = {
    "en": {
        "shape": {
            "circle": ("circle", "disc"),
            "square": ("square",),
            "triangle": ("triangle",),
            "cross": ("cross", "plus sign"),
            "ring": ("ring",),
            "": ("shape", "figure"),
        },
        "colour": {name: (name,) for name in ("red", "orange", "yellow", "green", "blue", "purple", "black")},
        "size": {"small": ("small", "little"), "large": ("large", "big")},
        "place": {
            "top left": ("at the top left", "in the top left corner", "in the upper left corner"),
            "top": ("at the top", "at the top in the middle"),
            "top right": ("at the top right", "in the top right corner", "in the upper right corner"),
            "left": ("on the left", "on the left side"),
            "centre": ("in the middle", "in the centre", "in the center"),
            "right": ("on the right", "on the right side"),
            "bottom left": ("at the bottom left", "in the bottom left corner", "in the lower left corner"),
            "bottom": ("at the bottom", "at the bottom in the middle"),
            "bottom right": (
                "at the bottom right",
                "in the bottom right corner",
                "in the lower right corner",
            ),
        },
        "relation": {
            "left of": ("left of", "to the left of", "on the left of"),
            "right of": ("right of", "to the right of", "on the right of"),
            "above": ("above", "over"),
            "below": ("below", "under"),
        },
        "its": {  # of the second thing, seen from the first
            "left of": ("to its left", "on its left"),
            "right of": ("to its right", "on its right"),
            "above": ("above it", "over it"),
            "below": ("below it", "under it"),
        },
    },
    "zh": {
        "shape": {
            "circle": ("圆", "圆形"),
            "square": ("方块", "正方形"),
            "triangle": ("三角形",),
            "cross": ("十字", "十字形"),
            "ring": ("圆环",),
            "": ("图形",),
        },
        "colour": {
            "red": ("红色",),
            "orange": ("橙色",),
            "yellow": ("黄色",),
            "green": ("绿色",),
            "blue": ("蓝色",),
            "purple": ("紫色",),
            "black": ("黑色",),
        },
        "size": {"small": ("小",), "large": ("大",)},
        "place": {
            "top left": ("左上角", "左上方"),
            "top": ("上方", "上边"),
            "top right": ("右上角", "右上方"),
            "left": ("左边", "左侧"),
            "centre": ("中间", "正中间", "中央"),
            "right": ("右边", "右侧"),
            "bottom left": ("左下角", "左下方"),
            "bottom": ("下方", "下边"),
            "bottom right": ("右下角", "右下方"),
        },
        "relation": {
            "left of": ("左边", "左侧", "左面"),
            "right of": ("右边", "右侧", "右面"),
            "above": ("上方", "上面", "上边"),
            "below": ("下方", "下面", "下边"),
        },
        "its": {},
    },
}

# What a learner may write too; ``write`` does not.
ALSO_READ = {
    "en": {
        "shape": {"circle": ("disk", "ball", "dot"), "cross": ("plus",), "": ("thing", "object", "one")},
        "colour": {},
        "size": {"small": ("tiny",), "large": ("huge",)},
        "place": {
            "top left": ("top left", "upper left"),
            "top right": ("top right", "upper right"),
            "bottom left": ("bottom left", "lower left"),
            "bottom right": ("bottom right", "lower right"),
            "top": ("on top",),
            "centre": ("middle", "centre", "center"),
        },
        "relation": {"above": ("on top of",), "below": ("beneath", "underneath")},
        "its": {"below": ("beneath it", "underneath it")},
    },
    "zh": {
        "shape": {
            "circle": ("圆圈", "圆点"),
            "square": ("方形", "方框"),
            "triangle": ("三角",),
            "cross": ("十字架", "加号"),
            "ring": ("环形", "环"),
            "": ("东西", "物体"),
        },
        "colour": {
            "red": ("红",),
            "orange": ("橙", "橘色", "橘黄色"),
            "yellow": ("黄",),
            "green": ("绿",),
            "blue": ("蓝",),
            "purple": ("紫",),
            "black": ("黑",),
        },
        "size": {},
        "place": {
            "left": ("左面", "左"),
            "right": ("右面", "右"),
            "top": ("上面", "顶部", "上"),
            "bottom": ("下面", "底部", "下"),
            "centre": ("中心", "正中"),
        },
        "relation": {},
        "its": {},
    },
}

# N, M: things with their articles; P: a place; R: N's relation to M; C: M's relation to N; I: that with "its".
# S, T: the sides on which N and M are. The first of each list is the usual one.
PATTERNS = {
    "en": {
        "one": ("N", "a picture of N", "there is N", "draw N"),
        "one with place": (
            "N P",
            "there is N P",
            "P there is N",
            "a picture of N P",
            "N P of the picture",
            "draw N P",
        ),
        "two": ("N and M", "N next to M", "a picture of N and M", "there is N, and there is M"),
        "two with relation": (
            "N R M",
            "N is R M",
            "there is N R M",
            "M with N CI",
            "M, and N CI",
            "N with M I",
            "N, and I M",
            "N S and M T",
            "S N, T M",
            "a picture of N R M",
            "draw N R M",
        ),
    },
    "zh": {
        "one": ("N", "画N", "图中有N", "这是N"),
        "one with place": ("N在P", "P有N", "P是N", "画面P有N", "在画面P画N", "N位于画面的P", "图的P有N"),
        "two": ("N和M", "N与M", "图中有N和M", "有N，还有M"),
        "two with relation": (
            "N在M的R",
            "N位于M的R",
            "M的R是N",
            "M的R有N",
            "在M的R有N",
            "S是N，T是M",
            "S有N，T有M",
            "N在S，M在T",
            "画N，在M的R",
            "图中N在M的R",
        ),
    },
}
SIDES = {  # relation of the first thing -> what is said of the first and of the second
    "en": {
        "left of": (("on the left", "on the right"),),
        "right of": (("on the right", "on the left"),),
        "above": (("at the top", "at the bottom"),),
        "below": (("at the bottom", "at the top"),),
    },
    "zh": {
        "left of": (("左边", "右边"), ("左侧", "右侧")),
        "right of": (("右边", "左边"), ("右侧", "左侧")),
        "above": (("上面", "下面"), ("上方", "下方")),
        "below": (("下面", "上面"), ("下方", "上方")),
    },
}
# How the kinds of groups in a caption of two things are read (N: a thing, P: a place, R: a relation, I: "its", @: 在).
# "first": what is said is of the first thing, seen from the second; "second": the other way round.
READINGS = {
    "en": {
        "NRN": "first",
        "RNN": "second",
        "NNR": "second",
        "NIN": "second",
        "NNI": "second",
        "NPN": "first",
    },
    "zh": {
        "N@NP": "first",  # 圆在方块的左边
        "N@PN": "first",  # 圆在左边，还有方块
        "NPN": "second",  # 方块的左边是圆
        "@NPN": "second",  # 在方块的左边有圆
        "NIPN": "second",  # 方块，它的左边是圆
        "NN@IP": "second",  # 方块，圆在它的左边
    },
}
BOTH_SIDES = ("NPNP", "PNPN", "N@PN@P", "@PN@PN")  # each thing with its side
USUAL_SHARE = 0.5  # of the captions that use the usual word, and the usual pattern

DIGIT_NAMES = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "zh": ("零", "一", "二", "三", "四", "五", "六", "七", "八", "九"),
}
DIGIT_PATTERNS = {  # D: the name, F: the figure
    "en": (
        "a handwritten D",
        "a handwritten F",
        "the digit D",
        "the number D, written by hand",
        "a D written by hand",
        "D",
        "the figure F in handwriting",
    ),
    "zh": ("手写的数字D", "手写的F", "数字D", "手写数字F", "手写体数字D", "一个手写的数字D", "D"),
}

CLOTHES_NAMES = {  # of Fashion-MNIST, in the order of its labels
    "en": (
        "a T-shirt",
        "a pair of trousers",
        "a pullover",
        "a dress",
        "a coat",
        "a sandal",
        "a shirt",
        "a sneaker",
        "a bag",
        "an ankle boot",
    ),
    "zh": (
        "一件T恤",
        "一条裤子",
        "一件套头衫",
        "一条连衣裙",
        "一件外套",
        "一只凉鞋",
        "一件衬衫",
        "一只运动鞋",
        "一个包",
        "一只短靴",
    ),
}
CLOTHES_PATTERNS = {"en": ("D", "a picture of D", "a photo of D"), "zh": ("D", "D的图片", "D的照片")}


class Caption(NamedTuple):
    """A caption and the facts that it states (a scene in canonical form, None where nothing is said)."""

    text: str
    said: Scene


# Facts to words


def write(scene: Scene, language: str, rng: np.random.Generator, missing: float = 0.0) -> Caption:
    """A caption of ``scene`` in words chosen by ``rng``.

    Each attribute, and the relation, is left out with probability ``missing``, but for one at least: a caption that
    says "a shape" says nothing. Places and relations are said from either side ("left of", or the converse).
    """
    _check_language(language)
    if not 0 <= missing <= 1:
        raise LabkitError(f"missing is {missing!r}. Set it to a probability from 0 to 1.")
    said = _leave_out(scene, missing, rng).canonical() if missing else scene.canonical()
    told = said
    if len(said.objects) == 2 and rng.random() < 0.5:  # from the other side
        told = Scene(said.objects[::-1], said.relation and CONVERSE[said.relation])
    return Caption(_fill(_pattern(told, language, rng), told, language, rng), said)


def write_all(
    scenes: Sequence[Scene], language: str, rng: np.random.Generator, missing: float = 0.0
) -> tuple[list[str], list[Scene]]:
    """Captions of scenes and what they say. With ``language="both"`` each is in English or Chinese by chance."""
    if language == "both":
        languages = [LANGUAGES[choice] for choice in rng.integers(len(LANGUAGES), size=len(scenes))]
    else:
        languages = [language] * len(scenes)
    captions = [write(scene, of, rng, missing) for scene, of in zip(scenes, languages, strict=True)]
    return [caption.text for caption in captions], [caption.said for caption in captions]


def write_digit(digit: int, language: str, rng: np.random.Generator) -> str:
    """A caption of a handwritten digit from 0 to 9."""
    _check_language(language)
    if digit not in range(10):
        raise LabkitError(f"digit is {digit!r}. Give one from 0 to 9.")
    pattern = _choose(DIGIT_PATTERNS[language], rng)
    text = pattern.replace("D", DIGIT_NAMES[language][digit]).replace("F", str(digit))
    return text.replace("a eight", "an eight").replace("a 8", "an 8")


def write_clothes(label: int, language: str, rng: np.random.Generator) -> str:
    """A caption of one of the ten classes of Fashion-MNIST."""
    _check_language(language)
    if label not in range(10):
        raise LabkitError(f"label is {label!r}. Give one from 0 to 9.")
    return _choose(CLOTHES_PATTERNS[language], rng).replace("D", CLOTHES_NAMES[language][label])


def _leave_out(scene: Scene, missing: float, rng: np.random.Generator) -> Scene:
    """The scene without some of its facts, never without all."""
    facts = [(i, name) for i in range(len(scene.objects)) for name in ("shape", "colour", "size", "place")]
    facts = [(i, name) for i, name in facts if getattr(scene.objects[i], name) is not None]
    gone = rng.random(len(facts) + 1) < missing
    if gone[:-1].all() and facts:
        gone[rng.integers(len(facts))] = False
    things = list(scene.objects)
    for (i, name), is_gone in zip(facts, gone, strict=False):
        if is_gone:
            things[i] = replace(things[i], **{name: None})
    return Scene(tuple(things), None if gone[-1] else scene.relation)


def _pattern(scene: Scene, language: str, rng: np.random.Generator) -> str:
    patterns = PATTERNS[language]
    if len(scene.objects) == 1:
        return _choose(patterns["one with place" if scene.objects[0].place else "one"], rng)
    return _choose(patterns["two with relation" if scene.relation else "two"], rng)


def _fill(pattern: str, scene: Scene, language: str, rng: np.random.Generator) -> str:
    """The pattern with words for its letters."""
    names = NAMES[language]
    first, second = scene.objects[0], scene.objects[-1]
    words = {"N": _noun_phrase(first, language, rng)}
    if first.place:
        words["P"] = _choose(names["place"][first.place], rng)
    if len(scene.objects) == 2:
        words["M"] = _noun_phrase(second, language, rng)
        if "M的R" in pattern and rng.random() < 0.5:  # 在蓝色小方块的左边, as well as 在一个蓝色小方块的左边
            words["M"] = words["M"].removeprefix("一个")
    if scene.relation:
        words["R"] = _choose(names["relation"][scene.relation], rng)
        words["S"], words["T"] = _choose(SIDES[language][scene.relation], rng)
        if names["its"]:
            words["CI"] = _choose(names["its"][scene.relation], rng)  # N seen from M
            words["I"] = _choose(names["its"][CONVERSE[scene.relation]], rng)  # M seen from N
    return re.sub(r"CI|[NMPRSTI]", lambda letter: words[letter[0]], pattern)


def _noun_phrase(thing: Thing, language: str, rng: np.random.Generator) -> str:
    names = NAMES[language]
    shape = _choose(names["shape"][thing.shape or ""], rng)
    size = _choose(names["size"][thing.size], rng) if thing.size else ""
    colour = _choose(names["colour"][thing.colour], rng) if thing.colour else ""
    if language == "zh":
        return "一个" + _chinese_order(size, colour, shape, rng)
    phrase = " ".join(word for word in (size, colour, shape) if word)
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase


def _chinese_order(size: str, colour: str, shape: str, rng: np.random.Generator) -> str:
    """红色的大圆, 大的红色圆形: 的 follows an attribute, and an attribute right before the noun needs none."""
    if size and colour:
        forms = (f"{colour}的{size}{shape}", f"{colour}{size}{shape}", f"{size}的{colour}{shape}")
    elif colour:
        forms = (f"{colour}的{shape}", f"{colour}{shape}")
    else:
        forms = (f"{size}{shape}", f"{size}的{shape}") if size else (shape,)
    return _choose(forms, rng)


def _choose(options: Sequence, rng: np.random.Generator):
    """The usual option in about half of the cases, otherwise any other."""
    if len(options) == 1 or rng.random() < USUAL_SHARE:
        return options[0]
    return options[1 + int(rng.random() * (len(options) - 1))]


def _check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise LabkitError(f"language is {language!r}. Set it to one of: {', '.join(LANGUAGES)}.")


# Words to facts


class _Word(NamedTuple):
    """A piece of a caption that means something: a size, colour, shape, place, relation, or "its" relation."""

    kind: str
    value: str


class _Group(NamedTuple):
    """A thing, or what is said between things."""

    kind: str  # "thing", "place", "relation", "its", "at"
    value: Thing | str


def parse(caption: str, language: str | None = None) -> Scene:
    """The facts that a caption states, in canonical form; what it does not say is None.

    ``language`` is found out from the characters when it is not given. Raises LabkitError for a caption that names
    no thing, more than two, or says what cannot be (two shapes in one place, "left" of both).
    """
    if language is None:
        language = language_of(caption)
    _check_language(language)
    groups = _group(_words(caption, language))
    things = [group.value for group in groups if group.kind == "thing"]
    if not things:
        raise LabkitError(f"{caption!r} names nothing that can be drawn. {_known(language)}")
    if len(things) > 2:
        raise LabkitError(f"{caption!r} names {len(things)} things. A scene has one or two.")
    if len(things) == 1:
        return Scene((replace(things[0], place=_place(groups, caption)),))
    second_to_first = _relation(groups, caption, language)
    return Scene((things[1], things[0]), second_to_first).canonical()


def language_of(caption: str) -> str:
    """zh when there is a Chinese character, else en."""
    return "zh" if re.search(r"[\u4e00-\u9fff]", caption) else "en"


def parse_digit(caption: str, language: str | None = None) -> int:
    """The digit that a caption names, by figure or word. Raises LabkitError when it names none, or several."""
    language = language or language_of(caption)
    _check_language(language)
    text = caption.lower()
    if language == "zh":
        text = re.sub(r"一[个张幅]", "", text)  # "one" as an article
        found = re.findall(f"[{''.join(DIGIT_NAMES['zh'])}0-9]", text)
    else:
        found = re.findall(rf"\b(?:{'|'.join(DIGIT_NAMES['en'])}|[0-9])\b", text)
    names = DIGIT_NAMES[language]
    digits = {int(word) if word.isascii() and word.isdigit() else names.index(word) for word in found}
    if len(digits) != 1:
        count = "no digit" if not digits else f"the digits {sorted(digits)}"
        raise LabkitError(f"{caption!r} names {count}. Name one from 0 to 9.")
    return digits.pop()


@lru_cache
def _lexicon(language: str) -> tuple[re.Pattern, dict[str, _Word]]:
    """A pattern of every known phrase, longest first, and what each means."""
    meaning: dict[str, _Word] = {}
    for tables in (ALSO_READ[language], NAMES[language]):
        # In Chinese the same word is a place or a relation, so the place alone is listed: _relation knows.
        kinds = ("shape", "colour", "size", "relation", "its", "place")
        for kind in kinds if language == "en" else ("shape", "colour", "size", "place"):
            for value, phrases in tables[kind].items():
                meaning.update({phrase: _Word(kind, value) for phrase in phrases})
    if language == "zh":
        meaning |= {
            "在": _Word("at", ""),
            "位于": _Word("at", ""),
            "它": _Word("its", ""),
            "其": _Word("its", ""),
        }
        meaning["大小"] = _Word("skip", "")
    phrases = "|".join(re.escape(phrase) for phrase in sorted(meaning, key=len, reverse=True))
    return re.compile(rf"\b(?:{phrases})\b" if language == "en" else phrases), meaning


def _words(caption: str, language: str) -> list[_Word]:
    pattern, meaning = _lexicon(language)
    text = caption
    if language == "en":
        text = " ".join(re.findall(r"[\w']+", caption.lower()))
        text = re.sub(
            r" of (?:the|this|a|an) (?:picture|image|canvas)\b", "", text
        )  # a place, not a relation
    return [meaning[phrase] for phrase in pattern.findall(text)]


def _group(words: Sequence[_Word]) -> list[_Group]:
    """Things with the attributes before their shape; attributes that no shape follows belong to the thing before."""
    groups: list[_Group] = []
    waiting: list[_Word] = []

    def attach(thing: Thing) -> Thing:
        for word in waiting:
            if getattr(thing, word.kind) not in (None, word.value):
                raise LabkitError(
                    f"One thing cannot be {getattr(thing, word.kind)} and {word.value}. Say one of them."
                )
            thing = replace(thing, **{word.kind: word.value})
        waiting.clear()
        return thing

    for word in words:
        if word.kind in ("size", "colour"):
            waiting.append(word)
        elif word.kind == "shape":
            groups.append(_Group("thing", attach(Thing(shape=word.value or None))))
        elif word.kind != "skip":
            groups.append(_Group(word.kind, word.value))
    if waiting:
        last = next((i for i in reversed(range(len(groups))) if groups[i].kind == "thing"), None)
        if last is None:
            groups.append(_Group("thing", attach(Thing())))
        else:
            groups[last] = _Group("thing", attach(groups[last].value))
    return groups


def _place(groups: Sequence[_Group], caption: str) -> str | None:
    places = {group.value for group in groups if group.kind == "place"}
    if len(places) > 1:
        raise LabkitError(f"{caption!r} puts one thing in {len(places)} places: {', '.join(sorted(places))}.")
    return places.pop() if places else None


def _relation(groups: Sequence[_Group], caption: str, language: str) -> str | None:
    """What the second of two things is to the first ("left of": it lies left of the first)."""
    letters = {"thing": "N", "place": "P", "relation": "R", "its": "I", "at": "@"}
    order = "".join(letters[group.kind] for group in groups)
    sides = [
        _side(group.value, caption) for group in groups if group.kind not in ("thing", "at") and group.value
    ]
    if not sides:
        return None
    if order in BOTH_SIDES and sides[0] == CONVERSE[sides[1]]:
        return sides[1]
    reading = READINGS[language].get(order)
    if reading is None or len(sides) > 1:
        raise LabkitError(f"{caption!r} does not say clearly where its two things are. {_example(language)}")
    return sides[0] if reading == "second" else CONVERSE[sides[0]]


def _side(value: str, caption: str) -> str:
    sides = {"left": "left of", "right": "right of", "top": "above", "bottom": "below"}
    if value in RELATIONS:
        return value
    if value not in sides:
        raise LabkitError(f"{caption!r}: two things are left, right, above or below each other, not {value}.")
    return sides[value]


def _known(language: str) -> str:
    shapes = ", ".join(words[0] for shape, words in NAMES[language]["shape"].items() if shape)
    return f"Known shapes: {shapes}."


def _example(language: str) -> str:
    example = "一个红色的大圆在一个蓝色小方块的左边" if language == "zh" else "a circle left of a square"
    return f"Write it as in: {example}."


# Vocabulary


def split_words(caption: str) -> list[str]:
    """English words and numbers in lower case, Chinese characters one by one; punctuation is left out."""
    return re.findall(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:'[^\W_\u3400-\u9fff]+)?", caption.lower())


@dataclass(frozen=True)
class Vocabulary:
    """Words and their ids: 0 pads, 1 is a word that is not known, ``words[i]`` has the id ``i + 2``."""

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.words)) != len(self.words):
            raise LabkitError("Vocabulary.words has a word twice. Give each once.")

    @classmethod
    def from_captions(cls, captions: Iterable[str]) -> Vocabulary:
        """The words of some captions, sorted."""
        return cls(tuple(sorted({word for caption in captions for word in split_words(caption)})))

    @classmethod
    def standard(cls) -> Vocabulary:
        """Every word that ``write`` and ``write_digit`` use in both languages: that of the shipped weights."""
        return _standard()

    def __len__(self) -> int:
        return len(self.words) + NUM_SPECIAL

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: i + NUM_SPECIAL for i, word in enumerate(self.words)}

    def encode(self, captions: Sequence[str], length: int | None = None) -> Tensor:
        """Ids int64 (N, T), padded with 0 to the longest caption, or padded and cut to ``length`` words.

        An empty caption is a row of zeros. T is at least 1.
        """
        import torch

        if isinstance(captions, str):
            raise LabkitError("encode takes a list of captions. Put the caption in brackets: [caption].")
        rows = [[self._ids.get(word, UNKNOWN) for word in split_words(caption)] for caption in captions]
        width = length if length is not None else max([1, *map(len, rows)])
        padded = np.full((len(rows), width), PAD, dtype=np.int64)
        for i, row in enumerate(rows):
            padded[i, : len(row)] = row[:width]
        return torch.from_numpy(padded)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The words of one row of ids, without padding; "<unk>" for the unknown."""
        return ["<unk>" if i == UNKNOWN else self.words[i - NUM_SPECIAL] for i in map(int, ids) if i != PAD]

    def unknown_words(self, caption: str) -> tuple[str, ...]:
        """The words (in Chinese: characters) of a caption that are not in the vocabulary, each once, in order."""
        return tuple(word for word in dict.fromkeys(split_words(caption)) if word not in self._ids)


@lru_cache
def _standard() -> Vocabulary:
    texts: list[str] = ["a an", "一个的"]
    for language in LANGUAGES:
        for table in NAMES[language].values():
            texts += [phrase for phrases in table.values() for phrase in phrases]
        for table in SIDES[language].values():
            texts += [phrase for pair in table for phrase in pair]
        for patterns in (*PATTERNS[language].values(), DIGIT_PATTERNS[language]):
            texts += [re.sub(r"CI|[NMPRSTIDF]", " ", pattern) for pattern in patterns]
        texts += DIGIT_NAMES[language]
    texts.append(" ".join("0123456789"))
    return Vocabulary.from_captions(texts)
