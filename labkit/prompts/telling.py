"""Facts into sentences that leave nothing of them out, and sentences back into the facts that they tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from labkit.text.town.constructions import Construction, Reading, grammar
from labkit.text.town.facts import KINDS, Fact, Value
from labkit.text.town.grammar import Choice, Node, Slot
from labkit.text.town.judge import answered, answers, parse_notes, split_sentences
from labkit.text.town.values import types
from labkit.text.town.world import Episode
from labkit.text.town.writer import Teller, is_held_out, world

LANGUAGES = ("en", "zh")
# Forms that do not say which value is meant: "she", "on Friday".
PARTIAL_FORMS = frozenset({"he", "him", "his", "himself", "first", "title", "weekday", "month"})


def other_language(language: str) -> str:
    return "zh" if language == "en" else "en"


def draw_episode(rng: Random, split: str, max_facts: int = 4, min_facts: int = 1) -> Episode:
    """An episode of the split with ``min_facts`` to ``max_facts`` facts, the main one among them, in order."""
    while True:
        episode = world().episode(rng, "qa")  # questions are asked about every kind of episode
        if (split == "test") != is_held_out(episode.main):
            continue
        facts = list(dict.fromkeys(episode.facts))
        if episode.main not in facts or len(facts) < min_facts:
            continue
        others = [fact for fact in facts if fact != episode.main]
        size = rng.randrange(min_facts, min(max_facts, len(facts)) + 1)
        kept = {episode.main, *rng.sample(others, size - 1)}
        return replace(episode, facts=tuple(fact for fact in facts if fact in kept))


def surface(fact: Fact, role: str, language: str, form: str = "") -> str:
    """How the value of a role is written; ``form`` where the type has it, else the plain form."""
    value_type = types()[KINDS[fact.kind][role]]
    return value_type.write(fact[role], language, form if form in value_type.forms[language] else "")


@cache
def tells_all(language: str, name: str) -> tuple[Construction, ...]:
    """Constructions of ``name`` (one kind, or two joined by +) from which every role can be read back."""
    roles = {role for kind in name.split("+") for role in KINDS[kind]}
    return tuple(
        one for one in grammar(language).of("sentence", name) if roles <= _certain(one.pattern.nodes)
    )


def _certain(nodes: Sequence[Node]) -> frozenset[str]:
    """Roles that are named in full on every way through a pattern."""
    found: frozenset[str] = frozenset()
    for node in nodes:
        if isinstance(node, Slot) and node.form not in PARTIAL_FORMS:
            found |= {node.role}
        elif isinstance(node, Choice):
            found |= frozenset.intersection(*(_certain(option) for option in node.options))
    return found


class FullTeller(Teller):
    """A teller whose sentences name every role of their facts."""

    def __init__(self, language: str, rng: Random):
        super().__init__(grammar(language), rng)
        self.language = language

    def sentences(self, facts: Sequence[Fact], count: int | None = None) -> list[str]:
        """All facts in order, or as many as ``count`` sentences hold."""
        left, told = list(facts), []
        while left and (count is None or len(told) < count):
            told.append(self._tell_next(left))
        return told

    def text(self, facts: Sequence[Fact], count: int | None = None) -> str:
        return joined(self.sentences(facts, count), self.language)

    def title(self, main: Fact) -> str:
        """A headline about the fact; "" where the grammar has none."""
        return "".join(self._title(Episode("", "", main, (main,))))

    def note(self, fact: Fact) -> str:
        construction = self.words.of("note", fact.kind)[0]
        return construction.write(self.rng, lambda role, form: self._plain(fact, role, form))

    def ending(self, episode: Episode, sentiment: str) -> str:
        """A sentence that tells no fact but the mood in which a text ends."""
        return "".join(self._colour(episode, (sentiment,)))

    def question(self, fact: Fact, role: str) -> str:
        constructions = self.words.of("question", f"{fact.kind}.{role}")
        return self._choose(constructions).write(self.rng, lambda r, form: self._plain(fact, r, form))

    def pair(self, fact: Fact) -> str:
        """A question about the fact and its answer, as two lines."""
        marks = self.words.module.HEADERS
        role = self.rng.choice([entry[0] for entry in self.words.module.QUESTIONS[fact.kind]])
        answer = self._choose(self.words.of("answer", f"{fact.kind}.{role}"))
        said = answer.write(self.rng, lambda r, form: self._plain(fact, r, form))
        return f"{marks['question']}{self.question(fact, role)}\n{marks['answer']}{said}"

    def _plain(self, fact: Fact, role: str, form: str) -> str:
        # Questions and answers stand alone here: no pronoun could be understood.
        return super()._plain(fact, role, "" if form in ("ref", "obj") else "s" if form == "refs" else form)

    def _sentences(self, facts: list[Fact]) -> list[Construction]:
        found = tells_all(self.language, "+".join(fact.kind for fact in facts))
        return [one for one in found if not one.condition or all(one.allows(fact) for fact in facts)]


def joined(sentences: Iterable[str], language: str) -> str:
    return (" " if language == "en" else "").join(sentences)


def notes_of(facts: Sequence[Fact], language: str) -> str:
    """A block of notes under its header."""
    teller = FullTeller(language, Random(0))
    return "\n".join([teller.words.module.HEADERS["notes"], *(teller.note(fact) for fact in facts)])


def askable(fact: Fact, language: str) -> list[str]:
    """Roles that there are questions for."""
    return [entry[0] for entry in grammar(language).module.QUESTIONS.get(fact.kind, [])]


# --- Reading ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What a sentence tells: the given facts that it states truly; ``whole`` those of which it names every role."""

    facts: frozenset[Fact]
    whole: frozenset[Fact]


def told(
    sentence: str, facts: Sequence[Fact], language: str, uses: tuple[str, ...] = ("sentence",)
) -> Told | None:
    """The facts that a sentence states, or None where it states none of these truly (or is no sentence)."""
    kinds = {fact.kind for fact in facts}
    best: Told | None = None
    for (use, name), constructions in grammar(language).constructions.items():
        if use not in uses or not kinds.issuperset(name.split("+")):
            continue
        for construction in constructions:
            reading = construction.read(sentence)
            found = _matched(reading, facts) if reading is not None else None
            if found is not None and (best is None or len(found.whole) > len(best.whole)):
                best = found
    return best


def told_in_notes(line: str, facts: Sequence[Fact], language: str) -> Told | None:
    reading = next(grammar(language).readings(line, ("note",)), None)
    return _matched(reading, facts) if reading is not None else None


def told_in_pair(question: str, answer: str, facts: Sequence[Fact], language: str) -> Told | None:
    """What a question and its answer state together."""
    words = grammar(language)
    asked = list(words.readings(question, ("question",)))
    for reply in words.readings(answer, ("answer",)):
        for one in asked:
            if answers(one, reply):
                found = _matched(answered(one, reply), facts)
                if found is not None:
                    return found
    return None


def mood_of_ending(sentence: str, language: str) -> str:
    """The sentiment of a sentence that tells no fact: positive, negative, neutral, or "" where it is none of these."""
    for sentiment in ("positive", "negative", "neutral"):
        if any(one.read(sentence) is not None for one in grammar(language).of("colour", sentiment)):
            return sentiment
    return ""


def sentences_of(text: str, language: str) -> list[str]:
    return split_sentences(text, language)


def note_facts(text: str, language: str) -> list[Fact]:
    return parse_notes(text, language)


def _matched(reading: Reading, facts: Sequence[Fact]) -> Told | None:
    """The facts that agree with all that a reading says, one at least of each kind that it states."""
    cast = {value for fact in facts for role, value in fact.arguments if KINDS[fact.kind][role] == "person"}
    agreeing: set[Fact] = set()
    whole: set[Fact] = set()
    for kind in reading.construction.kinds:
        bound = {role: _possible(reading, role, cast) for role in reading.bound if role in KINDS[kind]}
        found = [
            fact
            for fact in facts
            if fact.kind == kind
            and all(fact[role] in values for role, values in bound.items())
            and reading.construction.allows(fact)
        ]
        if not found:
            return None
        agreeing.update(found)
        if set(bound) == set(KINDS[kind]):
            whole.update(found)
    return Told(frozenset(agreeing), frozenset(whole))


def _possible(reading: Reading, role: str, cast: set[Value]) -> set[Value]:
    values = set(reading.bound[role])
    return values & cast if role in reading.pronouns else values
