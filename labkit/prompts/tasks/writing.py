"""Tasks that end in a text: write about, continue, summarize, rewrite."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from labkit.prompts.styles import STYLES, has_headline, is_title, read_text, write_in
from labkit.prompts.tasks.base import (
    Case,
    Check,
    Draft,
    Judge,
    Length,
    check_length,
    count_sentences,
    joined_parts,
    phrases,
    vague_words,
    word_limit,
    worded,
)
from labkit.prompts.telling import (
    FullTeller,
    draw_episode,
    joined,
    mood_of_ending,
    notes_of,
    sentences_of,
    surface,
    told,
)
from labkit.prompts.templates import Example
from labkit.text.town.facts import Fact
from labkit.text.town.world import Episode

UNITS = {"notes": "lines", "questions": "pairs"}
SUMMARY_STYLES = ("sentences", "headline", "notes")
MOODS = ("positive", "negative", "none")
COLOUR_SHARE = 0.3  # of the sentences of a text to summarize that one without facts follows
WORDS_SHARE = 0.4  # of the lengths that are a limit of words


def reveal(rng: Random, split: str) -> str:
    """How a case says what the wording leaves open: in words, by an example, or (in training) by both."""
    return rng.choices(("words", "example", "both"), (60, 25, 15 if split == "train" else 0))[0]


def style_words(style: str, language: str, rng: Random) -> str:
    return worded(phrases(language).STYLES[style], rng)


def topic_of(main: Fact, language: str) -> str:
    return surface(main, main.arguments[0][0], language, "the")


def arranged(episode: Episode, count: int) -> list[Fact]:
    """The facts in order, the main one first where it would not be among ``count``."""
    facts = list(episode.facts)
    if facts.index(episode.main) >= count:
        facts.remove(episode.main)
        facts.insert(0, episode.main)
    return facts


# --- Write about -------------------------------------------------------------------------------------------------


def draw_write(rng: Random, language: str, split: str, answer_language: str = "") -> Draft:
    """With ``answer_language`` the request is worded in ``language`` and answered in the other."""
    episode = draw_episode(rng, split)
    written = answer_language or language
    style = _style_for(episode.main, written, rng)
    text, length = _styled(episode, style, written, rng)
    shown = reveal(rng, split)

    def another() -> Example:
        return _styled_example("write", style, language, rng, written)

    topic = topic_of(episode.main, language)
    task = worded(phrases(language).TASKS["write"], rng, topic=topic)
    case = Case(
        kind="write",
        language=language,
        task=task,
        context=notes_of(episode.facts, language),
        style=style_words(style, language, rng) if shown != "example" else "",
        parameters=length.worded(language, rng),
        example=another() if shown != "words" else None,
        vague=vague_words("write", language, rng, topic=topic),
        judge=Judge(
            (
                ("style", check_style(style, episode.facts, written)),
                ("facts", check_facts(episode.facts, written)),
                ("main fact", check_told([episode.main], episode.facts, written)),
                ("length", check_length(length, written, count_units(style, episode.facts, written))),
            )
        ),
    )
    return Draft(case, text, ("write", style, length.name), another)


def _style_for(main: Fact, language: str, rng: Random, without: str = "") -> str:
    styles = [one for one in STYLES if one != without and (one != "news" or has_headline(main, language))]
    return rng.choice(styles)


def _styled(episode: Episode, style: str, language: str, rng: Random) -> tuple[str, Length]:
    """A text in a style, of a length that it keeps."""
    count = rng.randrange(1, len(episode.facts) + 1)
    text, units = write_in(style, arranged(episode, count), episode.main, language, rng, count)
    limit = word_limit(text, language, rng) if rng.random() < WORDS_SHARE else None
    return text, limit or Length(UNITS.get(style, "sentences"), units)


def _styled_example(kind: str, style: str, language: str, rng: Random, written: str = "") -> Example:
    """Another request of the kind, from facts of the training split, answered in the style."""
    written = written or language
    while True:
        episode = draw_episode(rng, "train", 2)
        if style != "news" or has_headline(episode.main, written):
            break
    answer, _ = write_in(style, episode.facts, episode.main, written, rng)
    if kind == "write":
        context = notes_of(episode.facts, language)
        task = worded(phrases(language).TASKS[kind], rng, topic=topic_of(episode.main, language))
    else:
        context = FullTeller(language, rng).text(episode.facts)
        task = worded(phrases(language).TASKS[kind], rng)
    return Example(joined_parts(context, task), answer)


# --- Rewrite -----------------------------------------------------------------------------------------------------


def draw_rewrite(rng: Random, language: str, split: str) -> Draft:
    episode = draw_episode(rng, split, 3)
    source = "plain" if rng.random() < 0.7 else _style_for(episode.main, language, rng)
    style = _style_for(episode.main, language, rng, without=source)
    text, _ = write_in(source, episode.facts, episode.main, language, rng)
    answer, _ = write_in(style, episode.facts, episode.main, language, rng)
    length = word_limit(answer, language, rng) if rng.random() < 0.6 else None
    shown = reveal(rng, split)

    def another() -> Example:
        return _styled_example("rewrite", style, language, rng)

    case = Case(
        kind="rewrite",
        language=language,
        task=worded(phrases(language).TASKS["rewrite"], rng),
        context=text,
        style=style_words(style, language, rng) if shown != "example" else "",
        parameters=length.worded(language, rng) if length else "",
        example=another() if shown != "words" else None,
        vague=vague_words("rewrite", language, rng),
        judge=Judge(
            (
                ("style", check_style(style, episode.facts, language)),
                ("facts", check_facts(episode.facts, language)),
                ("nothing left out", check_told(episode.facts, episode.facts, language)),
                ("length", check_length(length, language, count_units(style, episode.facts, language))),
            )
        ),
    )
    return Draft(case, answer, ("rewrite", style, length.name if length else ""), another)


# --- Continue ----------------------------------------------------------------------------------------------------


def draw_continue(rng: Random, language: str, split: str) -> Draft:
    while True:
        episode = draw_episode(rng, split, 4, min_facts=2)
        teller = FullTeller(language, rng)
        begun = rng.randrange(1, len(episode.facts))
        start = teller.text(episode.facts[:begun])
        rest = episode.facts[begun:]
        sentences = teller.sentences(rest, rng.randrange(1, len(rest) + 1))
        mood = rng.choice(MOODS)
        ending = teller.ending(episode, mood) if mood != "none" else ""
        if ending or mood == "none":
            break
    if ending:
        sentences.append(ending)
    answer = joined(sentences, language)
    limit = word_limit(answer, language, rng) if rng.random() < WORDS_SHARE else None
    length = limit or Length("sentences", len(sentences_of(answer, language)))
    case = Case(
        kind="continue",
        language=language,
        task=worded(phrases(language).TASKS["continue"], rng, start=start),
        context=notes_of(episode.facts, language),
        style=style_words(mood, language, rng),
        parameters=length.worded(language, rng),
        example=None,
        vague=vague_words("continue", language, rng, start=start),
        judge=Judge(
            (
                ("ending", _check_mood(mood, language)),
                ("facts", _check_continuation(episode.facts, episode.facts[:begun], mood, language)),
                ("length", check_length(length, language, count_sentences(language))),
            )
        ),
    )
    return Draft(case, answer, ("continue", mood, length.name))


def _check_mood(mood: str, language: str) -> Check:
    def check(answer: str) -> str:
        found = mood_of_ending(sentences_of(answer, language)[-1], language) or "none"
        return "" if found == mood else f"the ending is {found}, not {mood}"

    return check


def _check_continuation(facts: Sequence[Fact], before: Sequence[Fact], mood: str, language: str) -> Check:
    def check(answer: str) -> str:
        sentences = sentences_of(answer, language)
        telling = sentences if mood == "none" else sentences[:-1]
        if not telling:
            return "it tells nothing"
        for sentence in telling:
            found = told(sentence, facts, language)
            if found is None:
                return f"not from the facts: {sentence!r}"
            if found.facts <= set(before):
                return f"said before: {sentence!r}"
        return ""

    return check


# --- Summarize ---------------------------------------------------------------------------------------------------


def draw_summarize(rng: Random, language: str, split: str) -> Draft:
    episode = draw_episode(rng, split, 5, min_facts=2)
    style = rng.choice([s for s in SUMMARY_STYLES if s != "headline" or has_headline(episode.main, language)])
    teller = FullTeller(language, rng)
    count = 1 if style == "headline" else rng.choice((1, 1, 2))
    others = [fact for fact in episode.facts if fact != episode.main]
    kept = [episode.main, *others[: count - 1]]
    answer, units = _summary(style, kept, language, rng)
    limit = word_limit(answer, language, rng) if style == "headline" or rng.random() < WORDS_SHARE else None
    length = limit or Length(UNITS.get(style, "sentences"), units)
    shown = reveal(rng, split)

    def another() -> Example:
        return _summary_example(style, language, rng)

    case = Case(
        kind="summarize",
        language=language,
        task=worded(phrases(language).TASKS["summarize"], rng),
        context=colourful(teller, episode, rng),
        style=style_words(style, language, rng) if shown != "example" else "",
        parameters=length.worded(language, rng),
        example=another() if shown != "words" else None,
        vague=vague_words("summarize", language, rng),
        judge=Judge(
            (
                ("style", _check_summary_style(style, episode.facts, language)),
                ("facts", _check_summary_facts(style, episode, language)),
                ("length", check_length(length, language, count_units(style, episode.facts, language))),
            )
        ),
    )
    return Draft(case, answer, ("summarize", style, length.name), another)


def colourful(teller: FullTeller, episode: Episode, rng: Random, ending: str = "") -> str:
    """All facts with sentences between them that tell none, and perhaps an ending of a mood."""
    sentences = []
    for fact in episode.facts:
        sentences += teller.sentences([fact])
        if rng.random() < COLOUR_SHARE:
            sentences += teller._colour(episode, ("any", episode.topic))
    if ending:
        sentences.append(teller.ending(episode, ending))
    return joined([one for one in sentences if one], teller.language)


def _summary(style: str, kept: Sequence[Fact], language: str, rng: Random) -> tuple[str, int]:
    """A summary of these facts, and how many sentences or lines it has."""
    if style == "headline":
        return FullTeller(language, rng).title(kept[0]), 1
    return write_in("notes" if style == "notes" else "plain", kept, kept[0], language, rng)


def _summary_example(style: str, language: str, rng: Random) -> Example:
    while True:
        episode = draw_episode(rng, "train", 2, min_facts=2)
        if style != "headline" or has_headline(episode.main, language):
            break
    text = colourful(FullTeller(language, rng), episode, rng)
    task = worded(phrases(language).TASKS["summarize"], rng)
    return Example(joined_parts(text, task), _summary(style, [episode.main], language, rng)[0])


def _check_summary_style(style: str, facts: Sequence[Fact], language: str) -> Check:
    def check(answer: str) -> str:
        if style == "headline":
            return "" if "\n" not in answer and is_title(answer, facts, language) else "it is no headline"
        found = read_text(answer, facts, language).style
        return "" if found == {"sentences": "plain"}.get(style, style) else f"it is not in {style}"

    return check


def _check_summary_facts(style: str, episode: Episode, language: str) -> Check:
    def check(answer: str) -> str:
        if style == "headline":
            found = told(answer, [episode.main], language, ("title",))
            return "" if found else "it is not about the main fact"
        false = check_facts(episode.facts, language)(answer)
        if false:
            return false
        if len(read_text(answer, episode.facts, language).units) > 2:
            return "it tells more than two things"
        return check_told([episode.main], episode.facts, language)(answer)

    return check


# --- Checks that several share -----------------------------------------------------------------------------------


def check_style(style: str, facts: Sequence[Fact], language: str) -> Check:
    def check(answer: str) -> str:
        found = read_text(answer, facts, language).style
        return "" if found == style else f"it is {found or 'of no style'}, not {style}"

    return check


def check_facts(facts: Sequence[Fact], language: str) -> Check:
    """Every unit tells given facts, truly."""

    def check(answer: str) -> str:
        units = read_text(answer, facts, language).units
        if not units:
            return "it tells nothing"
        wrong = [unit.text for unit in units if unit.told is None]
        return f"not from the facts: {wrong[0]!r}" if wrong else ""

    return check


def check_told(wanted: Sequence[Fact], facts: Sequence[Fact], language: str) -> Check:
    """Each wanted fact is told, with all that belongs to it (a question with its answer may name less)."""

    def check(answer: str) -> str:
        read = read_text(answer, facts, language)
        whole = {
            fact
            for unit in read.units
            if unit.told is not None
            for fact in (unit.told.facts if read.style == "questions" else unit.told.whole)
        }
        missing = [fact for fact in wanted if fact not in whole]
        return f"not told: {missing[0].kind}" if missing else ""

    return check


def count_units(style: str, facts: Sequence[Fact], language: str):
    """Sentences of the body, lines of notes, or pairs of question and answer."""
    if style in ("headline", "sentences"):
        return count_sentences(language)
    return lambda answer: len(read_text(answer, facts, language).units)
