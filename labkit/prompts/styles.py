"""Styles that a program can tell apart: how facts are written in each, and how a text is read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from labkit.prompts.telling import (
    FullTeller,
    Told,
    joined,
    sentences_of,
    told,
    told_in_notes,
    told_in_pair,
)
from labkit.text.town.constructions import grammar
from labkit.text.town.facts import Fact

STYLES = ("plain", "news", "notes", "questions", "diary", "letter", "announcement")

# style -> (first line, possible last lines)
FRAMES: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "en": {
        "diary": ("Dear diary,", ("What a day!", "I will not forget it!", "I had to write this down!")),
        "letter": ("Dear friend,", ("Best wishes!", "Write back soon!", "Yours, as ever!")),
        "announcement": ("Attention, please!", ("Thank you for listening!", "Please pass it on!")),
    },
    "zh": {
        "diary": ("亲爱的日记：", ("真是难忘的一天！", "今天的事我要记下来！", "这一天过得真快！")),
        "letter": ("亲爱的朋友：", ("祝你一切都好！", "盼望你的回信！", "祝你天天开心！")),
        "announcement": ("各位居民请注意！", ("感谢收听！", "请互相转告！")),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """One unit of a body (a sentence, a note or a question with its answer): what it says, and what it tells."""

    text: str
    told: Told | None


@dataclass(frozen=True)
class ReadText:
    """A text taken apart: its style, "" where it has none of these; the headline; and the units of its body."""

    style: str
    headline: str
    units: tuple[Unit, ...]


def write_in(
    style: str, facts: Sequence[Fact], main: Fact, language: str, rng: Random, count: int | None = None
) -> tuple[str, int]:
    """The facts in order as a text of ``style``, of ``count`` units at most, and how many units it has."""
    teller = FullTeller(language, rng)
    if style in ("notes", "questions"):
        unit = teller.note if style == "notes" else teller.pair
        return "\n".join(map(unit, facts[:count])), len(facts[:count])
    sentences = teller.sentences(facts, count)
    body = joined(sentences, language)
    if style == "news":
        # A teller of its own: who is named in the headline is named again in full.
        body = f"{FullTeller(language, rng).title(main)}\n{body}"
    elif style != "plain":
        first, last = FRAMES[language][style]
        body = f"{first}\n{body}\n{rng.choice(last)}"
    return body, len(sentences)


def has_headline(main: Fact, language: str) -> bool:
    return any(one.allows(main) for one in grammar(language).of("title", main.kind))


def read_text(text: str, facts: Sequence[Fact], language: str) -> ReadText:
    """Take a text apart; the facts are those that it may tell."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    marks = grammar(language).module.HEADERS
    question, answer = marks["question"].strip(), marks["answer"].strip()
    for style, (first, last) in FRAMES[language].items():
        if len(lines) >= 2 and lines[0] == first and lines[-1] in last:
            return ReadText(style, "", _sentences(lines[1:-1], facts, language))
    if (
        lines
        and len(lines) % 2 == 0
        and all(
            line.startswith(mark)
            for line, mark in zip(lines, [question, answer] * (len(lines) // 2), strict=True)
        )
    ):
        bare = [line.removeprefix(question).removeprefix(answer).strip() for line in lines]
        pairs = zip(bare[::2], bare[1::2], strict=True)
        return ReadText(
            "questions", "", tuple(Unit(f"{q} {a}", told_in_pair(q, a, facts, language)) for q, a in pairs)
        )
    noted = [told_in_notes(line, facts, language) for line in lines]
    if (lines and any(noted)) or all(_is_note(line, language) for line in lines):
        units = tuple(Unit(line, one) for line, one in zip(lines, noted, strict=True))
        return ReadText("notes" if all(_is_note(line, language) for line in lines) else "", "", units)
    if len(lines) >= 2 and is_title(lines[0], facts, language):
        return ReadText("news", lines[0], _sentences(lines[1:], facts, language))
    units = _sentences(lines, facts, language)
    return ReadText("plain" if len(lines) == 1 else "", "", units)


def is_title(line: str, facts: Sequence[Fact], language: str) -> bool:
    """Whether the line is a headline about one of the facts."""
    return line[-1:] not in ".。" and told(line, facts, language, ("title",)) is not None


def _is_note(line: str, language: str) -> bool:
    return next(grammar(language).readings(line, ("note",)), None) is not None


def _sentences(lines: Sequence[str], facts: Sequence[Fact], language: str) -> tuple[Unit, ...]:
    text = joined(lines, language)
    return tuple(Unit(one, told(one, facts, language)) for one in sentences_of(text, language))


def words_in(text: str, language: str) -> int:
    """Length of a text: words in English, characters other than marks and spaces in Chinese."""
    if language == "en":
        return len(text.split())
    return sum(character.isalnum() for character in text)
