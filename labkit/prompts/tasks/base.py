"""What a task is: its case in parts, the judge that decides an answer by the facts, and how requests are worded."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from types import ModuleType

from labkit.prompts.styles import words_in
from labkit.prompts.telling import sentences_of
from labkit.prompts.templates import Example
from labkit.text.town.grammar import Pattern
from labkit.text.town.values import small_number, small_number_zh

HELD_OUT = 5  # one in five combinations of style, length and format is kept for the test split
WORD_LIMITS = {
    "en": (8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80),
    "zh": (10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150),
}
FORMATS = ("bare", "tags", "stars", "brackets", "prefix")

Check = Callable[[str], str]  # the answer -> what is wrong with it, "" for nothing


@dataclass(frozen=True)
class Outcome:
    """What a judge decided: ``checks`` by name, and a reason for each that the answer does not meet."""

    success: bool
    reasons: tuple[str, ...]
    checks: dict[str, bool]


@dataclass(frozen=True)
class Judge:
    """Decides an answer: it is taken out of its format, and then meets every check or says why not."""

    checks: tuple[tuple[str, Check], ...]
    wrapper: tuple[str, str, str] = ("bare", "", "")  # format, opening, closing

    def __call__(self, answer: str) -> Outcome:
        inner, wrong = unwrapped(answer.strip(), self.wrapper)
        found = {"format": wrong}
        for name, check in self.checks:
            found[name] = check(inner) if inner else "the answer is empty"
        reasons = tuple(f"{name}: {reason}" for name, reason in found.items() if reason)
        return Outcome(not reasons, reasons, {name: not reason for name, reason in found.items()})


@dataclass(frozen=True)
class Case:
    """One task in worded parts; a part that a case has no use for is "" (``example``: None).

    ``vague`` is a vague twin of task, style and parameters together. ``judge(answer)`` decides by the facts.
    """

    kind: str
    language: str
    task: str
    context: str
    style: str
    parameters: str
    example: Example | None
    vague: str
    judge: Callable[[str], Outcome]


@dataclass(frozen=True)
class Draft:
    """A case with a right answer, and what its split is decided by beside its facts.

    ``another()`` makes one more example that shows what the answer must be like; None: no example helps.
    """

    case: Case
    answer: str
    combination: tuple[str, ...]
    another: Callable[[], Example] | None = None


def is_held_out_combination(combination: Sequence[str]) -> bool:
    return zlib.crc32("|".join(combination).encode()) % HELD_OUT == 0


# --- Wording ---------------------------------------------------------------------------------------------------


def phrases(language: str) -> ModuleType:
    """The tables of wordings of a language."""
    from labkit.prompts import phrases_en, phrases_zh

    return phrases_en if language == "en" else phrases_zh


@cache
def _pattern(source: str) -> Pattern:
    return Pattern(source)


def worded(sources: Sequence[str], rng: Random, **fields: str) -> str:
    """One of the patterns, written out."""
    return _pattern(rng.choice(sources)).write(rng, lambda name, form: fields[name])


def worded_count(sources: Sequence[str], count: int, language: str, rng: Random) -> str:
    """A wording with a number in it, in figures or in words, and in English with the right plural."""
    text = worded(sources, rng, count=str(count))
    if language == "zh":
        return (
            text.replace(str(count), "两" if count == 2 else small_number_zh(count))
            if rng.random() < 0.4
            else text
        )
    if count == 1:
        text = re.sub(r"\b1 (sentence|line|question|item)s\b", r"1 \1", text)
    return re.sub(rf"\b{count}\b", small_number(count), text) if count <= 12 and rng.random() < 0.5 else text


def capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- Lengths ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Length:
    """How long an answer must be: exactly ``count`` units, or at most ``count`` words (characters in Chinese)."""

    unit: str  # sentences, lines, pairs, items or words
    count: int

    def worded(self, language: str, rng: Random) -> str:
        return worded_count(phrases(language).LENGTHS[self.unit], self.count, language, rng)

    @property
    def name(self) -> str:
        return f"{self.unit} {self.count}"


def word_limit(text: str, language: str, rng: Random) -> Length | None:
    """A limit that the text keeps, the tightest mostly; None where it is longer than all."""
    size = words_in(text, language)
    fitting = [limit for limit in WORD_LIMITS[language] if limit >= size]
    if not fitting:
        return None
    return Length("words", fitting[0] if len(fitting) == 1 or rng.random() < 0.7 else fitting[1])


def check_length(length: Length | None, language: str, units: Callable[[str], int]) -> Check:
    """At most so many words, or exactly so many units as ``units(answer)`` counts."""

    def check(answer: str) -> str:
        if length is None:
            return ""
        if length.unit == "words":
            size = words_in(answer, language)
            return "" if size <= length.count else f"{size} words, more than {length.count}"
        size = units(answer)
        return "" if size == length.count else f"{size} {length.unit}, not {length.count}"

    return check


def count_sentences(language: str) -> Callable[[str], int]:
    return lambda answer: len(sentences_of(answer, language))


# --- Formats ---------------------------------------------------------------------------------------------------


def wrapper(form: str, language: str) -> tuple[str, str, str]:
    """Format, opening and closing."""
    return (form, *phrases(language).FRAME_NAMES.get(form, ("", "")))


def wrapped(answer: str, frame: tuple[str, str, str]) -> str:
    _, opening, closing = frame
    space = " " if opening.endswith(":") else ""
    return f"{opening}{space}{answer}{closing}"


def unwrapped(answer: str, frame: tuple[str, str, str]) -> tuple[str, str]:
    """(what is inside the format, what is wrong with the format)."""
    form, opening, closing = frame
    if form == "bare":
        frames = [one for language in ("en", "zh") for one in phrases(language).FRAME_NAMES.values()]
        marks = [first for first, _ in frames if answer.startswith(first)]
        return answer, f"it begins with {marks[0]!r}" if marks else ""
    if not answer.startswith(opening) or not answer.endswith(closing) or len(answer) < len(opening + closing):
        return answer, f"it is not of the form {opening}...{closing}"
    return answer[len(opening) : len(answer) - len(closing)].strip(), ""


def format_worded(frame: tuple[str, str, str], language: str, rng: Random) -> str:
    form, opening, closing = frame
    name = "bare" if form == "bare" else "prefixed" if form == "prefix" else "wrapped"
    return worded(phrases(language).FORMATS[name], rng, open=opening, close=closing)


def joined_parts(*parts: str) -> str:
    """The parts that are not empty, a line each, as a template joins them."""
    return "\n".join(part for part in parts if part)


def vague_words(kind: str, language: str, rng: Random, **fields: str) -> str:
    return capitalized(worded(phrases(language).VAGUE[kind], rng, **fields))
