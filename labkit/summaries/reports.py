"""Generated town news: reports of several sentences whose lead is often not the news, with summaries from their facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from random import Random
from types import ModuleType

from labkit.common import LabkitError
from labkit.summaries import wording_en, wording_zh
from labkit.summaries.texts import Report, check_language, join_sentences
from labkit.text.town.constructions import CONDITIONS, Construction, grammar
from labkit.text.town.facts import KINDS, Fact, Value
from labkit.text.town.grammar import Pattern
from labkit.text.town.values import types
from labkit.text.town.world import Episode, World
from labkit.text.town.writer import SPLITS, Teller, is_held_out, world

BURIED_SHARE = 0.6  # of the reports that open with something else than the news
TURN_SHARE = 0.7  # of these, in which a sentence says that the news comes now
OTHER_SHARE = 0.5  # of the reports that end with a story that has nothing to do with the news
BACKGROUND = (1, 3)  # standing facts about the people and places of the news, at least and at most
COLOUR_SHARE = 0.3  # of the sentences of the news after which one without facts follows
TRIES = 200  # drawn wordings of a fact, until one leaves nothing of it out
# Their plain form must stand in the article: a summary that says "18:30" is not read off "half past six".
FIGURES = frozenset(
    {"date", "time", "price", "amount", "years", "count", "goals", "degrees", "minutes", "year"}
)
USUAL_FORMS = {
    ("zh", "time"): "words"
}  # how a language writes a type in running text, where that is not plain
MIN_SENTENCES = 5
OPENING_KINDS = ("story", "description")  # of the episodes that an opening is taken from
PERSONAL = ("job", "home", "age", "likes", "favourite", "pet")
LOCAL = ("where", "opened", "feature", "hours")
# A story of a theft or a contest would be news itself.
NO_OPENING = frozenset(
    {"theft", "recovered", "won", "runner_up", "event", "delay", "attended", "late", "price_change"}
)


def reports(language: str, *, split: str = "train", seed: int = 0, count: int) -> Iterator[Report]:
    """``count`` reports of one language. No main fact of the news of a test report occurs in the training split."""
    check_language(language)
    if split not in SPLITS:
        raise LabkitError(f"The splits are {' and '.join(SPLITS)}, not {split!r}.")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise LabkitError(f"count is {count!r}. Give the number of reports, from 1.")
    rng = Random(f"news {language} {split} {seed}")
    for number in range(count):
        yield write_report(_draw(rng, split), language, rng, f"town-news-{language}-{split}-{seed}-{number}")


def _draw(rng: Random, split: str) -> Episode:
    while True:
        episode = world().episode(rng, "report")
        if (split == "test") == is_held_out(episode.main):
            return episode


def write_report(news: Episode, language: str, rng: Random, name: str = "") -> Report:
    """An article about the news and its summary."""
    writer = NewsWriter(language, rng)
    told = summarized(news)
    buried = rng.random() < BURIED_SHARE
    sentences = writer.opening(news) if buried else []
    sentences += writer.news(news, told)
    sentences += writer.background(news, world())
    while len(sentences) < MIN_SENTENCES:
        sentences += writer.colour(news)
    if rng.random() < OTHER_SHARE:
        sentences += writer.other(news)
    article = join_sentences(sentences, language)
    return Report(
        article=article,
        summary=summary_of(told, language),
        language=language,
        id=name,
        topic=news.topic,
        facts=_stated(told, language, article),
        lead_is_summary=not buried,
    )


# --- What a summary tells --------------------------------------------------------------------------------------


def summarized(news: Episode) -> tuple[Fact, ...]:
    """The facts that the summary of an episode tells: the main one, and those that the house style adds to it."""
    names, suffixes = _names_of(news.main.kind)
    others = [fact for fact in news.facts if fact != news.main]
    beside = next((fact for fact in others if f"{news.main.kind}+{fact.kind}" in names), None)
    told = [news.main] if beside is None else [news.main, beside]
    more = next((fact for fact in others if fact not in told and fact.kind in suffixes), None)
    return (*told, more) if more else tuple(told)


@cache
def _names_of(main: str) -> tuple[frozenset[str], frozenset[str]]:
    """Names of the summary patterns of a main kind, and the kinds that have a suffix to them."""
    module = _wording("en")
    suffixes = (name.split(">") for name in module.SUFFIXES)
    return frozenset(module.SUMMARIES), frozenset(kind for first, kind in suffixes if first == main)


def summary_of(told: Sequence[Fact], language: str) -> str:
    """One sentence in the house style for the main fact and up to two more."""
    main, *others = told
    module = _wording(language)
    suffix = ""
    if others and f"{main.kind}>{others[-1].kind}" in module.SUFFIXES:
        suffix = module.SUFFIXES[f"{main.kind}>{others[-1].kind}"]
    beside = others[:-1] if suffix else others
    pattern = _pattern(module, "+".join(fact.kind for fact in (main, *beside)), main)
    values = _roles([main, *others])
    text = Pattern(pattern + suffix).write(
        Random(0), lambda role, form: _surface(*values[role], language, form)
    )
    return (text[0].upper() + text[1:] if language == "en" else text) + module.STOP


def _pattern(module: ModuleType, name: str, main: Fact) -> str:
    """The pattern of that name whose condition, if it has one, the main fact meets."""
    for key, source in module.SUMMARIES.items():
        if key.split("(")[0] != name:
            continue
        condition = re.match(r"\(([a-z]+)\)", source)
        if condition is None or CONDITIONS[condition[1]][1](main.roles):
            return source[condition.end() :] if condition else source
    raise LabkitError(f"There is no summary of {name!r} in the wording of this language.")


def _roles(facts: Sequence[Fact]) -> dict[str, tuple[str, Value]]:
    """Role -> (type, value); a role that an earlier fact has is named with the kind before it."""
    found: dict[str, tuple[str, Value]] = {}
    for fact in facts:
        for role, value in fact.arguments:
            found[f"{fact.kind}_{role}" if role in found else role] = (KINDS[fact.kind][role], value)
    return found


def _surface(value_type: str, value: Value, language: str, form: str = "") -> str:
    return types()[value_type].write(value, language, form or USUAL_FORMS.get((language, value_type), ""))


def _wording(language: str) -> ModuleType:
    return {"en": wording_en, "zh": wording_zh}[language]


def _stated(told: Sequence[Fact], language: str, article: str) -> tuple[str, ...]:
    """Names, numbers and dates of these facts in the form in which the article has them."""
    surfaces = [
        _surface(KINDS[fact.kind][role], value, language) for fact in told for role, value in fact.arguments
    ]
    return tuple(dict.fromkeys(one for one in surfaces if one in article))


# --- What an article tells -------------------------------------------------------------------------------------


class NewsWriter(Teller):
    """Writes an article in parts: an opening, the news itself, its background, and another story."""

    def __init__(self, language: str, rng: Random):
        super().__init__(grammar(language), rng)
        self.language = language

    def opening(self, news: Episode) -> list[str]:
        """Two or three sentences about somebody who has nothing to do with the news, and perhaps a turn to it."""
        story = self._apart(news)
        facts = [fact for fact in story.facts if fact.kind != "mood"][: self.rng.randrange(2, 4)]
        sentences = [self._tell_plainly(fact) for fact in facts]
        if self.rng.random() < 0.5:
            sentences += self._colour(story, ("any",))
        if self.rng.random() < TURN_SHARE:
            sentences.append(self._phrase(_wording(self.language).TURNS))
        self._forget()
        return sentences

    def news(self, news: Episode, told: Sequence[Fact]) -> list[str]:
        """The facts of the summary in full, and the other facts of the episode after them."""
        sentences = []
        left = list(told)
        while left:
            size = 2 if len(left) > 1 and self._pairs(left[:2]) and self.rng.random() < 0.4 else 1
            sentences.append(self._tell_whole(left[:size]))
            del left[:size]
            if self.rng.random() < COLOUR_SHARE:
                sentences += self.colour(news)
        rest = [fact for fact in news.facts if fact not in told]
        return sentences + [self._tell_plainly(fact) for fact in rest]

    def background(self, news: Episode, town: World) -> list[str]:
        """Standing facts about the people and places of the news that it does not tell itself."""
        known = set(news.facts)
        about = [
            fact
            for one in news.facts
            for role, value in one.arguments
            for kind in {"person": PERSONAL, "place": LOCAL}.get(KINDS[one.kind][role], ())
            for fact in town.about(kind, value)
            if fact not in known
        ]
        chosen = self.rng.sample(about, min(len(about), self.rng.randint(*BACKGROUND)))
        sentences = [self._tell_plainly(fact) for fact in dict.fromkeys(chosen)]
        if len(sentences) < BACKGROUND[0] or self.rng.random() < COLOUR_SHARE:
            sentences += self.colour(news)
        return sentences

    def colour(self, news: Episode) -> list[str]:
        """One sentence of the topic that tells no fact, or none where all have been used."""
        return self._colour(news, ("any", news.topic))

    def other(self, news: Episode) -> list[str]:
        """The main fact of another episode, announced as another story."""
        while True:
            episode = world().episode(self.rng, "report")
            if episode.main.kind != news.main.kind and not _shares_values(episode, news):
                break
        self._forget()
        return [self._phrase(_wording(self.language).OTHERS), self._tell_whole([episode.main])]

    def _apart(self, news: Episode) -> Episode:
        """A story that is no news and shares neither people nor things with the news."""
        while True:
            story = world().episode(self.rng, self.rng.choice(OPENING_KINDS))
            kinds = {fact.kind for fact in story.facts}
            if len(story.facts) > 1 and not kinds & NO_OPENING and not _shares_values(story, news):
                return story

    def _phrase(self, sources: Sequence[str]) -> str:
        text = Pattern(self.rng.choice(sources)).write(self.rng, lambda role, form: "")
        return text[0].upper() + text[1:]

    def _tell_plainly(self, fact: Fact) -> str:
        return self._say(self._choose(self._sentences([fact])), [fact])

    def _pairs(self, facts: list[Fact]) -> list[Construction]:
        """Constructions that tell both facts in one sentence; they must not want two values for one role."""
        first, second = (fact.roles for fact in facts)
        if any(first[role] != second[role] for role in first.keys() & second.keys()):
            return []
        return self._sentences(facts)

    def _tell_whole(self, facts: list[Fact]) -> str:
        """A sentence that leaves nothing of these facts out, with people by their names and figures in digits."""
        constructions = self._sentences(facts)
        for _ in range(TRIES):
            self._forget()
            text = self._say(self.rng.choice(constructions), facts)
            if all(_is_told(fact, text, self.language) for fact in facts):
                return text
        if len(facts) == 1:
            raise LabkitError(f"The {self.language} grammar never tells all of a fact {facts[0].kind!r}.")
        return join_sentences([self._tell_whole([fact]) for fact in facts], self.language)

    def _forget(self) -> None:
        """People are named in full again."""
        self.known.clear()
        self.recent.clear()


def _is_told(fact: Fact, text: str, language: str) -> bool:
    """Whether every value of the fact is written in the text; of figures only the plain form counts."""
    text = text.casefold()
    for role, value in fact.arguments:
        value_type = types()[KINDS[fact.kind][role]]
        plain_only = value_type.name in FIGURES | {"person"}
        forms = [""] if plain_only else list(value_type.forms[language])
        if not any(_surface(value_type.name, value, language, form).casefold() in text for form in forms):
            return False
    return True


def _shares_values(one: Episode, other: Episode) -> bool:
    """Whether two episodes have a person, place or thing in common."""

    def named(episode: Episode) -> set[Value]:
        return {value for fact in episode.facts for _, value in fact.arguments if isinstance(value, str)}

    return bool(named(one) & named(other))
