"""The grammar of one language: its constructions, and the parser that reads a sentence back into facts."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from random import Random

from labkit.common import LabkitError
from labkit.text.town import lexicon
from labkit.text.town.facts import Fact, Value, types_of
from labkit.text.town.grammar import Pattern, Slot, Write
from labkit.text.town.values import ValueType, key, rows, types

MODULES = {"en": "labkit.text.town.english", "zh": "labkit.text.town.chinese"}
COLOUR_TYPES = {"person": "person", "place": "place", "other": "person"}
ANY_CASE = re.compile(r"[a-z]")
CONDITION = re.compile(r"\(([a-z]+)\)")
MOOD_SENTIMENT = {key(name): sentiment for name, _, sentiment in rows(lexicon.MOODS)}
FINE = frozenset({"sunshine", "clouds"})
# name -> the kind of fact whose values it looks at, and the test: a pattern "(up)..." is said of rising prices only.
CONDITIONS: dict[str, tuple[str, Callable[[Mapping[str, Value]], bool]]] = {
    "win": ("match", lambda of: of["goals"] > of["rival_goals"]),  # type: ignore[operator]
    "draw": ("match", lambda of: of["goals"] == of["rival_goals"]),
    "up": ("price_change", lambda of: of["price"] > of["old_price"]),  # type: ignore[operator]
    "down": ("price_change", lambda of: of["price"] < of["old_price"]),  # type: ignore[operator]
    "fine": ("weather", lambda of: of["weather"] in FINE),
    "rough": ("weather", lambda of: of["weather"] not in FINE),
    "glad": ("mood", lambda of: MOOD_SENTIMENT[str(of["mood"])] == "positive"),
    "low": ("mood", lambda of: MOOD_SENTIMENT[str(of["mood"])] == "negative"),
}


@dataclass
class Construction:
    """A pattern with its use: ``sentence``, ``title``, ``question``, ``answer``, ``colour`` or ``note``.

    ``kinds`` are the kinds of fact that it states (none: colour); ``asked`` is the role that a question asks for.
    """

    use: str
    kinds: tuple[str, ...]
    pattern: Pattern
    language: str
    asked: str = ""
    condition: str = ""
    types: dict[str, str] = field(default_factory=dict)
    compiled: tuple[re.Pattern[str], tuple[Slot, ...]] | None = None

    def value_type(self, role: str) -> ValueType:
        return types()[self.types[role]]

    def allows(self, fact: Fact) -> bool:
        """Whether the condition of this construction, if it has one for this kind of fact, holds."""
        if not self.condition or CONDITIONS[self.condition][0] != fact.kind:
            return True
        return CONDITIONS[self.condition][1](fact.roles)

    def write(self, rng: Random, surface: Write) -> str:
        text = self.pattern.write(rng, surface)
        return text[0].upper() + text[1:] if self.language == "en" else text

    def read(self, sentence: str) -> Reading | None:
        """What the sentence says, or None when it is not of this construction."""
        if not self.pattern.may_match(sentence):
            return None
        if self.compiled is None:
            self.compiled = self.pattern.compile(
                lambda role, form: self.value_type(role).pattern(self.language, form)
            )
        expression, slots = self.compiled
        for variant in _variants(sentence, self.language):
            match = expression.fullmatch(variant)
            if match:
                return self._reading(sentence, match, slots)
        return None

    def _reading(self, sentence: str, match: re.Match[str], slots: tuple[Slot, ...]) -> Reading | None:
        bound: dict[str, frozenset[Value]] = {}
        pronouns: set[str] = set()
        named: set[str] = set()
        for slot, surface in zip(slots, match.groups(), strict=True):
            if surface is None:
                continue
            values = self.value_type(slot.role).read(surface, self.language, slot.form)
            bound[slot.role] = bound.get(slot.role, values) & values
            if not bound[slot.role]:
                return None  # "Anna ... himself": the mentions of one role do not agree
            (pronouns if self.types[slot.role] == "person" and len(values) > 1 else named).add(slot.role)
        return Reading(sentence, self, bound, frozenset(pronouns - named))


@dataclass(frozen=True)
class Reading:
    """A parsed sentence: role -> possible values; ``pronouns`` are the roles named by a pronoun alone."""

    sentence: str
    construction: Construction
    bound: dict[str, frozenset[Value]]
    pronouns: frozenset[str]


class Grammar:
    """All constructions of a language, by use and kind; ``readings`` parses."""

    def __init__(self, language: str):
        if language not in MODULES:
            raise LabkitError(f"The town speaks {' and '.join(MODULES)}, not {language!r}.")
        self.language = language
        self.module = importlib.import_module(MODULES[language])
        self.constructions: dict[tuple[str, str], list[Construction]] = {}
        for use, table in (("sentence", self.module.SENTENCES), ("title", self.module.TITLES)):
            for name, sources in table.items():
                kinds = tuple(name.split("+"))
                self._add(use, kinds, name, sources)
        for name, sources in self.module.COLOUR.items():
            self._add("colour", (), name, sources)
        for kind, source in self.module.NOTES.items():
            self._add("note", (kind,), kind, [source])
        for kind, entries in self.module.QUESTIONS.items():
            for asked, questions, answers in entries:
                self._add("question", (kind,), f"{kind}.{asked}", questions, asked)
                self._add("answer", (kind,), f"{kind}.{asked}", answers, asked)

    def _add(self, use: str, kinds: tuple[str, ...], name: str, sources: list[str], asked: str = "") -> None:
        roles = types_of(kinds) if kinds else COLOUR_TYPES
        for source in sources:
            condition = CONDITION.match(source)
            if condition and (condition[1] not in CONDITIONS or CONDITIONS[condition[1]][0] not in kinds):
                raise LabkitError(
                    f"{self.language} {use} {name}: there is no condition {condition[1]!r} here."
                )
            pattern = Pattern(source[condition.end() :] if condition else source, self.module.MACROS)
            unknown = pattern.roles - set(roles)
            if unknown:
                raise LabkitError(
                    f"{self.language} {use} {name}: {source!r} has unknown roles {sorted(unknown)}."
                )
            self.constructions.setdefault((use, name), []).append(
                Construction(
                    use, kinds, pattern, self.language, asked, condition[1] if condition else "", roles
                )
            )

    def of(self, use: str, name: str) -> list[Construction]:
        return self.constructions.get((use, name), [])

    def readings(
        self, sentence: str, uses: tuple[str, ...] = ("sentence", "title", "colour", "question", "answer")
    ) -> Iterator[Reading]:
        """Every reading of the sentence; none: it is not a sentence of the town's grammar."""
        for (use, _), constructions in self.constructions.items():
            if use in uses:
                for construction in constructions:
                    reading = construction.read(sentence)
                    if reading is not None:
                        yield reading


@cache
def grammar(language: str) -> Grammar:
    return Grammar(language)


def _variants(sentence: str, language: str) -> tuple[str, ...]:
    """The sentence as it stands and, in English, without the capital of its first letter."""
    if language == "en" and sentence[:1].isupper():
        return sentence, sentence[0].lower() + sentence[1:]
    if language == "en" and ANY_CASE.match(sentence[:1]):
        return ()  # a sentence begins with a capital
    return (sentence,)
