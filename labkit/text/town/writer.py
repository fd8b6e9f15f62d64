"""Documents of the town: an episode told in words, with its facts beside it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from labkit.common import LabkitError
from labkit.text.town.constructions import Construction, Grammar, grammar
from labkit.text.town.facts import KINDS, Fact, Value
from labkit.text.town.grammar import Write
from labkit.text.town.values import gender, types
from labkit.text.town.world import WORLD_SEED, Episode, World

DOCUMENT_KINDS = ("story", "report", "description", "qa")
KIND_WEIGHTS = (4, 4, 2, 2)
SPLITS = ("train", "test")
HELD_OUT = 10  # one in ten main facts is kept for the test split
NOTES_SHARE = 0.5  # of the documents that open with their facts
COLOUR_SHARE = 0.2  # of the sentences after which one without facts follows
OUTCOME_SHARE = (
    0.35  # of the texts whose mood is told as a fact that end with a sentence about the outcome as well
)
PARAGRAPH = 5  # sentences from which on a text may have two paragraphs
MERGE_SHARE = 0.5  # of the pairs of facts told in one sentence, where the grammar can


@dataclass(frozen=True)
class Document:
    """One text of the town. ``notes`` are its facts in lines as a reporter would note them ("" for none)."""

    kind: str
    language: str
    notes: str
    text: str
    facts: tuple[Fact, ...]
    topic: str
    sentiment: str

    @property
    def full(self) -> str:
        """Notes and text, as a language model is trained on them."""
        return f"{self.notes}\n{self.text}" if self.notes else self.text


@cache
def world(seed: int = WORLD_SEED) -> World:
    return World(seed)


def documents(
    language: str,
    *,
    split: str = "train",
    seed: int = 0,
    count: int | None = None,
    size_bytes: int | None = None,
    kinds: Sequence[str] = DOCUMENT_KINDS,
    notes_share: float = NOTES_SHARE,
) -> Iterator[Document]:
    """Documents of one language until there are ``count``, or ``size_bytes`` of UTF-8.

    The splits differ in what they tell: the main fact of a test document is the main fact of no training document,
    whatever the seeds.
    """
    if split not in SPLITS:
        raise LabkitError(f"The splits are {' and '.join(SPLITS)}, not {split!r}.")
    if count is None and size_bytes is None:
        raise LabkitError("Say how much: count=1000 documents, or size_bytes=5_000_000.")
    unknown = set(kinds) - set(DOCUMENT_KINDS)
    if unknown or not kinds:
        raise LabkitError(
            f"Kinds of documents are {', '.join(DOCUMENT_KINDS)}, not {', '.join(sorted(unknown)) or 'none'}."
        )
    weights = [KIND_WEIGHTS[DOCUMENT_KINDS.index(kind)] for kind in kinds]
    rng = Random(f"documents {language} {split} {seed}")
    made = size = 0
    while (count is None or made < count) and (size_bytes is None or size < size_bytes):
        kind = rng.choices(kinds, weights)[0]
        episode = world().episode(rng, kind)
        if (split == "test") != is_held_out(episode.main):
            continue
        document = tell(episode, kind, language, rng, with_notes=rng.random() < notes_share)
        made += 1
        size += len(document.full.encode()) + 1
        yield document


def is_held_out(main: Fact) -> bool:
    """Whether documents about this fact belong to the test split."""
    return zlib.crc32(repr(main).encode()) % HELD_OUT == 0


def tell(episode: Episode, kind: str, language: str, rng: Random, with_notes: bool = True) -> Document:
    """Put an episode into words as a document of ``kind``."""
    teller = Teller(grammar(language), rng)
    body = teller.questions(episode) if kind == "qa" else teller.prose(episode, kind)
    notes = teller.notes(episode, kind) if with_notes else ""
    return Document(kind, language, notes, body, episode.facts, episode.topic, episode.sentiment)


class Teller:
    """Chooses constructions and names for one document: remembers who was named, and what was used."""

    def __init__(self, words: Grammar, rng: Random):
        self.words = words
        self.rng = rng
        self.known: set[Value] = set()  # people named so far
        self.recent: dict[str, Value] = {}  # gender -> person named last
        self.used: set[int] = set()

    def notes(self, episode: Episode, kind: str) -> str:
        headers = self.words.module.HEADERS
        lines = [headers["notes"]]
        for fact in episode.facts:
            construction = self.words.of("note", fact.kind)[0]
            lines.append(construction.write(self.rng, lambda role, form, f=fact: self._plain(f, role, form)))
        return "\n".join([*lines, headers[kind]])

    def prose(self, episode: Episode, kind: str) -> str:
        """Title and sentences, in paragraphs of a few."""
        title = self._title(episode)
        sentences = []
        if kind == "report" and episode.facts[0] != episode.main and self.rng.random() < 0.7:
            facts = [episode.main, *(fact for fact in episode.facts if fact != episode.main)]
        else:
            facts = list(episode.facts)
        while facts:
            sentences.append(self._tell_next(facts))
            if facts and self.rng.random() < COLOUR_SHARE:
                sentences.extend(self._colour(episode, ("any", episode.topic)))
        told = any(fact.kind == "mood" for fact in episode.facts) or episode.sentiment == "neutral"
        portrait = kind == "description" and episode.sentiment == "neutral"
        if not told or (not portrait and self.rng.random() < OUTCOME_SHARE):
            # The outcome last: "everyone was glad" must not follow on the loss.
            sentences.extend(self._colour(episode, (episode.sentiment,)))
        joint = " " if self.words.language == "en" else ""
        if len(sentences) >= PARAGRAPH and self.rng.random() < 0.4:
            middle = self.rng.randrange(2, len(sentences) - 1)
            return "\n".join([*title, joint.join(sentences[:middle]), joint.join(sentences[middle:])])
        return "\n".join([*title, joint.join(sentences)])

    def questions(self, episode: Episode) -> str:
        """Two to five questions about the facts, each with its answer."""
        q, a = self.words.module.HEADERS["question"], self.words.module.HEADERS["answer"]
        facts = [fact for fact in episode.facts if fact.kind in self.words.module.QUESTIONS]
        asked = self.rng.sample(facts, min(len(facts), self.rng.randrange(2, 6)))
        lines = []
        for fact in asked:
            role = self.rng.choice([entry[0] for entry in self.words.module.QUESTIONS[fact.kind]])
            name = f"{fact.kind}.{role}"
            question = self._choose(self.words.of("question", name))
            lines.append(q + question.write(self.rng, lambda r, form, f=fact: self._plain(f, r, form)))
            people = [fact[one] for one in KINDS[fact.kind] if KINDS[fact.kind][one] == "person"]
            self._name_people(one for one in reversed(people) if f"{{{role}" not in question.pattern.source)
            lines.append(a + self._say(self._choose(self.words.of("answer", name)), [fact]))
        return "\n".join(lines)

    def _title(self, episode: Episode) -> list[str]:
        titles = [one for one in self.words.of("title", episode.main.kind) if one.allows(episode.main)]
        if not titles:
            return []
        construction = self._choose(titles)
        return [construction.write(self.rng, lambda role, form: self._plain(episode.main, role, form))]

    def _tell_next(self, facts: list[Fact]) -> str:
        """One sentence for the first fact, or the first two when the grammar has a construction for both."""
        if len(facts) > 1 and self.rng.random() < MERGE_SHARE:
            both = self._sentences(facts[:2])
            first, second = facts[0].roles, facts[1].roles
            if both and all(first[role] == second[role] for role in first.keys() & second.keys()):
                pair, facts[:2] = facts[:2], []
                return self._say(self._choose(both), pair)
        fact = facts.pop(0)
        constructions = self._sentences([fact])
        if not constructions:
            raise LabkitError(
                f"The {self.words.language} grammar has no sentence for facts of kind {fact.kind!r}."
            )
        return self._say(self._choose(constructions), [fact])

    def _sentences(self, facts: list[Fact]) -> list[Construction]:
        found = self.words.of("sentence", "+".join(fact.kind for fact in facts))
        return [one for one in found if not one.condition or all(one.allows(fact) for fact in facts)]

    def _colour(self, episode: Episode, names: tuple[str, ...]) -> list[str]:
        """One sentence that states nothing, about the first person or place of the episode if about any."""
        values: dict[str, list[Value]] = {"person": [], "other": [], "place": []}
        for fact in episode.facts:
            for role, value in fact.arguments:
                kind = KINDS[fact.kind][role]
                if kind == "person" and value not in values["person"]:
                    values["person"].append(value)
                elif kind == "place":
                    values["place"].append(value)
        values["other"] = values["person"][1:]
        fitting = [
            one
            for name in names
            for one in self.words.of("colour", name)
            if id(one) not in self.used and all(values[role] for role in one.pattern.roles)
        ]
        if not fitting:
            return []
        construction = self._choose(fitting)
        roles = {role: found[0] for role, found in values.items() if found}
        text = construction.write(self.rng, self._surfaces(roles, construction))
        self.recent.clear()  # "a girl ran past": after her, "she" would be unclear
        self._name_people(roles[role] for role in ("other", "person") if role in construction.pattern.roles)
        return [text]

    def _choose(self, constructions: list[Construction]) -> Construction:
        """One at random, those not yet used in this document first."""
        fresh = [one for one in constructions if id(one) not in self.used] or constructions
        chosen = self.rng.choice(fresh)
        self.used.add(id(chosen))
        return chosen

    def _say(self, construction: Construction, facts: list[Fact]) -> str:
        roles = {role: value for fact in facts for role, value in fact.arguments}
        text = construction.write(self.rng, self._surfaces(roles, construction))
        people = dict.fromkeys(
            role for fact in facts for role in KINDS[fact.kind] if KINDS[fact.kind][role] == "person"
        )
        self._name_people(roles[role] for role in reversed(people))  # the first is what the sentence is about
        return text

    def _name_people(self, people: Iterable[Value]) -> None:
        for person in people:
            self.known.add(person)
            self.recent[gender(str(person))] = person

    def _plain(self, fact: Fact, role: str, form: str) -> str:
        """A surface without regard to what was said before: people by their full names."""
        value_type = types()[KINDS[fact.kind][role]]
        return value_type.write(fact[role], self.words.language, form)

    def _surfaces(self, roles: dict[str, Value], construction: Construction) -> Write:
        """How each slot is written; a pronoun only where no other person of the sentence could be meant."""
        cast = [
            gender(str(value)) for role, value in roles.items() if construction.types.get(role) == "person"
        ]

        def surface(role: str, form: str) -> str:
            value = roles[role]
            value_type = construction.value_type(role)
            if form not in ("ref", "obj", "refs"):
                return value_type.write(value, self.words.language, form)
            full, first, pronoun, title = value_type.forms[self.words.language][form][value]
            if value not in self.known:
                return full
            draw = self.rng.random()
            sex = gender(str(value))
            if draw < 0.55 and self.recent.get(sex) == value and cast.count(sex) == 1:
                return pronoun
            return first if draw < 0.8 else title if draw < 0.9 else full

        return surface
