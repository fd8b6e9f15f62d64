"""Translation between English and Chinese, judged by what both texts tell."""

from __future__ import annotations

from random import Random

from labkit.prompts.styles import write_in
from labkit.prompts.tasks.base import (
    FORMATS,
    Case,
    Draft,
    Judge,
    format_worded,
    joined_parts,
    phrases,
    vague_words,
    worded,
    wrapped,
    wrapper,
)
from labkit.prompts.tasks.writing import check_facts, check_style, check_told, reveal
from labkit.prompts.telling import LANGUAGES, draw_episode, other_language
from labkit.prompts.templates import Example

NOTES_SHARE = 0.2  # of the texts to translate that are notes


def draw_translate(rng: Random, language: str, split: str) -> Draft:
    episode = draw_episode(rng, split, 2)
    source = rng.choice(LANGUAGES)
    target = other_language(source)
    style = "notes" if rng.random() < NOTES_SHARE else "plain"
    frame = wrapper(rng.choice(FORMATS), language)
    shown = reveal(rng, split)
    text, answer = (write_in(style, episode.facts, episode.main, one, rng)[0] for one in (source, target))

    def another() -> Example:
        return _example(source, style, frame, language, rng)

    case = Case(
        kind="translate",
        language=language,
        task=_task(target, language, rng),
        context=text,
        style="",
        parameters=format_worded(frame, language, rng) if shown != "example" else "",
        example=another() if shown != "words" else None,
        vague=vague_words("translate", language, rng),
        judge=Judge(
            (
                ("form", check_style(style, episode.facts, target)),
                ("facts", check_facts(episode.facts, target)),
                ("nothing left out", check_told(episode.facts, episode.facts, target)),
            ),
            frame,
        ),
    )
    return Draft(case, wrapped(answer, frame), ("translate", source, style, frame[0]), another)


def _task(target: str, language: str, rng: Random) -> str:
    words = phrases(language)
    return worded(words.TASKS["translate"], rng, target=rng.choice(words.LANGUAGE_NAMES[target]))


def _example(source: str, style: str, frame: tuple[str, str, str], language: str, rng: Random) -> Example:
    episode = draw_episode(rng, "train", 1)
    target = other_language(source)
    text, answer = (write_in(style, episode.facts, episode.main, one, rng)[0] for one in (source, target))
    return Example(joined_parts(text, _task(target, language, rng)), wrapped(answer, frame))
