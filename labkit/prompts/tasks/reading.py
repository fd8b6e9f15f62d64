"""Tasks that read a text: answer a question, extract as JSON, classify, list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from labkit.prompts.schemas import Key, Schema
from labkit.prompts.styles import words_in
from labkit.prompts.tasks.base import (
    FORMATS,
    Case,
    Check,
    Draft,
    Judge,
    Length,
    capitalized,
    format_worded,
    joined_parts,
    phrases,
    vague_words,
    worded,
    wrapped,
    wrapper,
)
from labkit.prompts.tasks.writing import colourful, reveal, style_words, topic_of
from labkit.prompts.telling import (
    FullTeller,
    askable,
    draw_episode,
    notes_of,
    sentences_of,
    surface,
    told,
    told_in_pair,
)
from labkit.prompts.templates import Example
from labkit.text.town.facts import KINDS, Fact, Value
from labkit.text.town.values import types
from labkit.text.town.world import SENTIMENTS, TOPICS, Episode

SHORT = {"en": 7, "zh": 14}  # words (characters) of a short answer at most
NOTES_SHARE = 0.4  # of the contexts that are notes, the others are texts
UNKNOWN_SHARE = 0.15  # of the questions that the context does not answer
NUMBERS = frozenset(
    {"years", "count", "goals", "degrees", "minutes", "year"}
)  # types written as numbers in JSON
KEY_STYLES = ("words", "questions", "roles")
LIST_FORMATS = ("dashes", "numbers", "commas")
ITEM_TYPES = {"people": "person", "places": "place", "dates": "date", "goods": "goods"}
TOPIC_LABELS = ("words", "capitals", "tags")


def told_context(facts: Sequence[Fact], language: str, rng: Random) -> str:
    return notes_of(facts, language) if rng.random() < NOTES_SHARE else FullTeller(language, rng).text(facts)


# --- Answer ------------------------------------------------------------------------------------------------------


def draw_answer(rng: Random, language: str, split: str) -> Draft:
    episode = draw_episode(rng, split)
    known = rng.random() >= UNKNOWN_SHARE
    fact = rng.choice(episode.facts) if known else _absent_fact(episode, split, rng)
    role = rng.choice(askable(fact, language))
    teller = FullTeller(language, rng)
    question = capitalized(teller.question(fact, role))
    style, frame = rng.choice(("short", "full")), wrapper(rng.choice(FORMATS), language)
    inner = say(teller, fact, role, style) if known else phrases(language).UNKNOWN
    shown = reveal(rng, split)
    rule = worded(phrases(language).UNKNOWN_RULES, rng) if rng.random() < 0.3 else ""
    subject = next((surface(fact, one, language, "the") for one, _ in fact.arguments if one != role), "")

    def another() -> Example:
        return _answer_example(style, frame, language, rng)

    case = Case(
        kind="answer",
        language=language,
        task=worded(phrases(language).TASKS["answer"], rng, question=question),
        context=told_context(episode.facts, language, rng),
        style=style_words(style, language, rng),
        parameters=joined_parts(rule, format_worded(frame, language, rng) if shown != "example" else ""),
        example=another() if shown != "words" else None,
        vague=vague_words("answer", language, rng, subject=subject or topic_of(episode.main, language)),
        judge=Judge((_answer_check(question, fact, style, known, language),), frame),
    )
    return Draft(case, wrapped(inner, frame), ("answer", style, frame[0]), another)


def say(teller: FullTeller, fact: Fact, role: str, style: str) -> str:
    """The answer to a question for ``role``: what is asked alone, or a sentence with the whole fact."""
    if style == "full":
        return teller.text([fact])
    found = teller.words.of("answer", f"{fact.kind}.{role}")
    alone = [one for one in found if one.pattern.roles == {role}] or found
    texts = [one.write(teller.rng, lambda r, form: teller._plain(fact, r, form)) for one in alone]
    return min(texts, key=len)


def _absent_fact(episode: Episode, split: str, rng: Random) -> Fact:
    """A fact of a kind that the episode has none of."""
    kinds = {fact.kind for fact in episode.facts}
    while True:
        other = draw_episode(rng, split, 2).facts[0]
        if other.kind not in kinds:
            return other


def _answer_example(style: str, frame: tuple[str, str, str], language: str, rng: Random) -> Example:
    fact = draw_episode(rng, "train", 1).main
    teller = FullTeller(language, rng)
    role = rng.choice(askable(fact, language))
    question = capitalized(teller.question(fact, role))
    task = worded(phrases(language).TASKS["answer"], rng, question=question)
    return Example(
        joined_parts(told_context([fact], language, rng), task),
        wrapped(say(teller, fact, role, style), frame),
    )


def _answer_check(question: str, fact: Fact, style: str, known: bool, language: str) -> tuple[str, Check]:
    unknown = phrases(language).UNKNOWN

    def check_unknown(answer: str) -> str:
        return "" if answer == unknown else f"the context does not say, and it is not {unknown!r}"

    def check_short(answer: str) -> str:
        if answer == unknown:
            return "the context does answer the question"
        if told_in_pair(question, answer, [fact], language) is None:
            return "it is not the answer by the facts"
        size = words_in(answer, language)
        return "" if size <= SHORT[language] else f"it has {size} words and should be short"

    def check_full(answer: str) -> str:
        if len(sentences_of(answer, language)) != 1:
            return "it is not one sentence"
        found = told(answer, [fact], language)
        return (
            "" if found and fact in found.whole else "it is no full sentence with the fact that was asked for"
        )

    return (
        ("unknown", check_unknown)
        if not known
        else ("answer", check_short if style == "short" else check_full)
    )


# --- Extract -----------------------------------------------------------------------------------------------------


def draw_extract(rng: Random, language: str, split: str) -> Draft:
    while True:
        episode = draw_episode(rng, split, 3)
        if episode.main.kind in phrases(language).EVENTS:
            break
    style = rng.choice(KEY_STYLES)
    shown = reveal(rng, split)
    names = keys_of(episode.main.kind, style, language)
    answer = as_json(episode.main, names, language)

    def another() -> Example:
        return _extract_example(style, language, rng)

    case = Case(
        kind="extract",
        language=language,
        task=worded(
            phrases(language).TASKS["extract"], rng, event=phrases(language).EVENTS[episode.main.kind]
        ),
        context=told_context(episode.facts, language, rng),
        style="",
        parameters=keys_worded(episode.main.kind, names, language, rng) if shown != "example" else "",
        example=another() if shown != "words" else None,
        vague=vague_words("extract", language, rng),
        judge=Judge((("json", _check_json(episode.main, names, language)),)),
    )
    return Draft(case, answer, ("extract", episode.main.kind, style), another)


def keys_of(kind: str, style: str, language: str) -> dict[str, str]:
    """Role -> key. Of two styles the keys are words of the language; ``roles`` are capital English letters."""
    if style == "roles":
        return {role: role.upper() for role in KINDS[kind]}
    return {role: phrases(language).KEYS[role][KEY_STYLES.index(style)] for role in KINDS[kind]}


def keys_worded(kind: str, names: dict[str, str], language: str, rng: Random) -> str:
    if rng.random() < 0.3:
        types_of_keys = ["int" if KINDS[kind][role] in NUMBERS else "str" for role in names]
        return Schema(tuple(map(Key, names.values(), types_of_keys)), language=language).words()
    quoted = [f'"{name}"' for name in names.values()]
    return worded(
        phrases(language).FORMATS["keys"], rng, keys=(", " if language == "en" else "、").join(quoted)
    )


def as_json(fact: Fact, names: dict[str, str], language: str) -> str:
    values = {names[role]: _json_value(fact, role, language) for role in names}
    return json.dumps(values, ensure_ascii=False)


def _json_value(fact: Fact, role: str, language: str) -> Value:
    return fact[role] if KINDS[fact.kind][role] in NUMBERS else surface(fact, role, language)


def _extract_example(style: str, language: str, rng: Random) -> Example:
    while True:
        fact = draw_episode(rng, "train", 1).main
        if fact.kind in phrases(language).EVENTS:
            break
    task = worded(phrases(language).TASKS["extract"], rng, event=phrases(language).EVENTS[fact.kind])
    names = keys_of(fact.kind, style, language)
    return Example(joined_parts(told_context([fact], language, rng), task), as_json(fact, names, language))


def _check_json(fact: Fact, names: dict[str, str], language: str) -> Check:
    def check(answer: str) -> str:
        try:
            record = json.loads(answer)
        except ValueError:
            return "it is not JSON"
        if not isinstance(record, dict):
            return "it is no JSON object"
        missing, unknown = set(names.values()) - set(record), set(record) - set(names.values())
        if missing or unknown:
            return f"missing keys: {sorted(missing)}; unknown keys: {sorted(unknown)}"
        for role, name in names.items():
            if not _same_value(record[name], fact, role, language):
                return f"the value of {name!r} is wrong: {record[name]!r}"
        return ""

    return check


def _same_value(given: Any, fact: Fact, role: str, language: str) -> bool:
    """Whether a JSON value is one of the ways to write the fact's."""
    value_type = types()[KINDS[fact.kind][role]]
    if value_type.name in NUMBERS and str(given) == str(fact[role]):
        return True
    forms = [form for form in ("", "a", "the", "words", "full") if form in value_type.forms[language]]
    return isinstance(given, str) and any(
        given in value_type.forms[language][form][fact[role]] for form in forms
    )


# --- Classify ----------------------------------------------------------------------------------------------------


def draw_classify(rng: Random, language: str, split: str) -> Draft:
    episode = draw_episode(rng, split, 3)
    by = rng.choice(("topic", "sentiment"))
    style = rng.choice(TOPIC_LABELS if by == "topic" else tuple(phrases(language).SENTIMENTS))
    frame = wrapper(rng.choice(FORMATS), language)
    shown = reveal(rng, split)
    labels = labels_of(by, style, language)
    label = labels[episode.topic if by == "topic" else episode.sentiment]

    def another() -> Example:
        return _classify_example(by, style, frame, language, rng)

    case = Case(
        kind="classify",
        language=language,
        task=worded(phrases(language).TASKS[f"classify.{by}"], rng),
        context=_felt(episode, language, rng),
        style="",
        parameters="" if shown == "example" else _labels_worded(labels, frame, language, rng),
        example=another() if shown != "words" else None,
        vague=vague_words(f"classify.{by}", language, rng),
        judge=Judge(
            (("label", lambda answer: "" if answer == label else f"it is {answer!r}, not {label!r}"),), frame
        ),
    )
    return Draft(case, wrapped(label, frame), ("classify", by, style, frame[0]), another)


def labels_of(by: str, style: str, language: str) -> dict[str, str]:
    """Topic or sentiment -> how it is called in this style of labels."""
    words = phrases(language)
    if by == "sentiment":
        return dict(zip(SENTIMENTS, words.SENTIMENTS[style], strict=True))
    shapes = {"words": "{}", "tags": "#{}", "capitals": "{}" if language == "en" else "{}类"}
    names = {topic: shapes[style].format(words.TOPICS[topic]) for topic in TOPICS}
    return {topic: name.upper() for topic, name in names.items()} if style == "capitals" else names


def _felt(episode: Episode, language: str, rng: Random) -> str:
    """The episode as a text from which its sentiment can be told."""
    has_mood = any(fact.kind == "mood" for fact in episode.facts)
    ends = rng.random() < 0.3 if has_mood or episode.sentiment == "neutral" else True
    return colourful(FullTeller(language, rng), episode, rng, episode.sentiment if ends else "")


def _labels_worded(labels: dict[str, str], frame: tuple[str, str, str], language: str, rng: Random) -> str:
    names = list(labels.values())
    rng.shuffle(names)
    listed = (", " if language == "en" else "、").join(names)
    choice = worded(phrases(language).FORMATS["labels"], rng, labels=listed)
    return joined_parts(choice, format_worded(frame, language, rng))


def _classify_example(
    by: str, style: str, frame: tuple[str, str, str], language: str, rng: Random
) -> Example:
    episode = draw_episode(rng, "train", 2)
    label = labels_of(by, style, language)[episode.topic if by == "topic" else episode.sentiment]
    task = worded(phrases(language).TASKS[f"classify.{by}"], rng)
    return Example(joined_parts(_felt(episode, language, rng), task), wrapped(label, frame))


# --- List --------------------------------------------------------------------------------------------------------


def draw_list(rng: Random, language: str, split: str) -> Draft:
    facts, wanted, items = _items(rng, split)
    shape = rng.choice(LIST_FORMATS)
    count = len(items) if rng.random() < 0.4 else rng.randrange(1, len(items) + 1)
    length = Length("items", count)
    shown = reveal(rng, split)
    names = [types()[ITEM_TYPES[wanted]].write(item, language) for item in items]

    def another() -> Example:
        return _list_example(shape, language, rng)

    case = Case(
        kind="list",
        language=language,
        task=_list_task(wanted, language, rng),
        context=told_context(facts, language, rng),
        style="",
        parameters=joined_parts(
            length.worded(language, rng),
            worded(phrases(language).FORMATS[shape], rng) if shown != "example" else "",
        ),
        example=another() if shown != "words" else None,
        vague=vague_words("list", language, rng),
        judge=Judge((("list", _check_list(items, ITEM_TYPES[wanted], shape, count, language)),)),
    )
    return Draft(case, as_list(names[:count], shape, language), ("list", wanted, shape, str(count)), another)


def _items(rng: Random, split: str) -> tuple[list[Fact], str, list[Value]]:
    """Facts of a few episodes, a type of which they name two values at least, and these values in order."""
    while True:
        facts = [fact for _ in range(rng.randrange(1, 4)) for fact in draw_episode(rng, split, 2).facts]
        found = {
            wanted: list(
                dict.fromkeys(
                    value
                    for fact in facts
                    for role, value in fact.arguments
                    if KINDS[fact.kind][role] == type_name
                )
            )
            for wanted, type_name in ITEM_TYPES.items()
        }
        fitting = [wanted for wanted, values in found.items() if 2 <= len(values) <= 5]
        if fitting:
            wanted = rng.choice(fitting)
            return facts, wanted, found[wanted]


def _list_task(wanted: str, language: str, rng: Random) -> str:
    items = worded([phrases(language).ITEMS[wanted]], rng)
    return worded(phrases(language).TASKS["list"], rng, items=items)


def _list_example(shape: str, language: str, rng: Random) -> Example:
    facts, wanted, items = _items(rng, "train")
    names = [types()[ITEM_TYPES[wanted]].write(item, language) for item in items]
    request = joined_parts(told_context(facts, language, rng), _list_task(wanted, language, rng))
    return Example(request, as_list(names, shape, language))


def as_list(names: Sequence[str], shape: str, language: str) -> str:
    if shape == "commas":
        return (", " if language == "en" else "、").join(names)
    marks = [f"{number}. " if shape == "numbers" else "- " for number in range(1, len(names) + 1)]
    return "\n".join(mark + name for mark, name in zip(marks, names, strict=True))


def read_list(answer: str, shape: str, language: str) -> list[str] | None:
    """The items of a list, None where it is not of this shape."""
    lines = answer.strip().splitlines()
    if shape == "commas":
        mark = "," if language == "en" else "、"
        plain = len(lines) == 1 and not answer.startswith(("- ", "1."))
        return [item.strip() for item in answer.split(mark)] if plain else None
    marks = [f"{number}. " if shape == "numbers" else "- " for number in range(1, len(lines) + 1)]
    if not all(line.startswith(mark) for line, mark in zip(lines, marks, strict=True)):
        return None
    return [line.removeprefix(mark).strip() for line, mark in zip(lines, marks, strict=True)]


def _check_list(items: Sequence[Value], type_name: str, shape: str, count: int, language: str) -> Check:
    value_type = types()[type_name]
    forms = [form for form in ("", "a", "the", "full") if form in value_type.forms[language]]
    allowed = {
        name: item for item in items for form in forms for name in value_type.forms[language][form][item]
    }

    def check(answer: str) -> str:
        found = read_list(answer, shape, language)
        if found is None:
            return f"it is no list of the form {shape}"
        wrong = [name for name in found if name not in allowed]
        if wrong:
            return f"not in the context: {wrong[0]!r}"
        if len({allowed[name] for name in found}) != len(found):
            return "an item comes twice"
        return "" if len(found) == count else f"{len(found)} items, not {count}"

    return check
