"""Questions that take several steps: add up, count, compare dates; with and without the steps written out."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from labkit.prompts.tasks.base import (
    Case,
    Draft,
    Judge,
    phrases,
    vague_words,
    worded,
)
from labkit.prompts.telling import FullTeller, draw_episode, notes_of, surface
from labkit.prompts.templates import final_answer
from labkit.text.town.facts import KINDS, Fact
from labkit.text.town.values import types
from labkit.text.town.writer import is_held_out

QUESTIONS = ("total", "people", "first")
MARK = {"en": "Answer: ", "zh": "答案："}
STEPS_SHARE = 0.5  # of the cases that ask for the steps
SAID_SHARE = 0.8  # of the training requests that say whether they want steps


def draw_reasoning(rng: Random, language: str, split: str) -> Draft:
    """A case whose parameters ask for steps (then the answer has them) or for the answer at once."""
    asked = rng.choice(QUESTIONS)
    facts = _facts(asked, rng, split)
    steps, result = _solution(asked, facts, language)
    thinks = rng.random() < STEPS_SHARE
    words = phrases(language)
    case = Case(
        kind="reason",
        language=language,
        task=worded(words.REASONING[asked], rng),
        context=notes_of(facts, language) if rng.random() < 0.7 else FullTeller(language, rng).text(facts),
        style="",
        parameters=worded(words.THINK if thinks else words.STRAIGHT, rng),
        example=None,
        vague=vague_words("list", language, rng),
        judge=Judge((("result", _check_result(result, MARK[language])),)),
    )
    return Draft(
        case, f"{steps}\n{MARK[language]}{result}" if thinks else result, ("reason", asked, str(len(facts)))
    )


def _facts(asked: str, rng: Random, split: str) -> list[Fact]:
    if asked == "people":
        while True:
            facts = [fact for _ in range(rng.randrange(2, 4)) for fact in draw_episode(rng, split, 2).facts]
            if 2 <= len(_people(facts)) <= 7:
                return facts
    kind, role = ("class", "activity") if asked == "total" else ("event", "event")
    found: dict[object, Fact] = {}
    wanted = rng.randrange(2, 4)
    while len(found) < wanted:
        fact = _random_fact(kind, rng, split)
        if asked == "first" and fact["date"] in {one["date"] for one in found.values()}:
            continue
        found.setdefault(fact[role], fact)
    return list(found.values())


def _random_fact(kind: str, rng: Random, split: str) -> Fact:
    """A fact with values drawn at random; counts are those of a class."""
    while True:
        values = {role: rng.choice(types()[type_name].values()) for role, type_name in KINDS[kind].items()}
        if "count" in values:
            values["count"] = rng.randrange(4, 40)
        fact = Fact.of(kind, **values)
        if (split == "test") == is_held_out(fact):
            return fact


def _people(facts: Sequence[Fact]) -> list[str]:
    return list(
        dict.fromkeys(
            str(value)
            for fact in facts
            for role, value in fact.arguments
            if KINDS[fact.kind][role] == "person"
        )
    )


def _solution(asked: str, facts: Sequence[Fact], language: str) -> tuple[str, str]:
    """The steps and the result."""
    joint, stop = (" ", ".") if language == "en" else ("", "。")
    if asked == "total":
        sums, total = [], int(facts[0]["count"])
        for fact in facts[1:]:
            sums.append(f"{total} + {fact['count']} = {total + int(fact['count'])}{stop}")
            total += int(fact["count"])
        return joint.join(sums), str(total)
    if asked == "people":
        names = [types()["person"].write(person, language) for person in _people(facts)]
        return "\n".join(f"{number}. {name}" for number, name in enumerate(names, 1)), str(len(names))
    colon = ": " if language == "en" else "："
    steps = [
        f"{surface(fact, 'event', language)}{colon}{surface(fact, 'date', language)}{stop}" for fact in facts
    ]
    first = min(facts, key=lambda fact: int(fact["date"]))
    ordered = " < ".join(
        surface(fact, "date", language) for fact in sorted(facts, key=lambda fact: int(fact["date"]))
    )
    return joint.join([*steps, ordered + stop]), surface(first, "event", language)


def _check_result(result: str, mark: str):
    def check(answer: str) -> str:
        said = final_answer(answer).rstrip(".。")
        return "" if said == result else f"the result is {said!r}, not {result!r}"

    return check
