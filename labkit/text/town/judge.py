"""Judges texts about the town: is each sentence grammatical, and does it agree with the facts?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labkit.common import LabkitError
from labkit.text.town.constructions import Reading, grammar
from labkit.text.town.facts import KINDS, Fact, Value
from labkit.text.town.world import World
from labkit.text.town.writer import world as default_world

# A sentence ends at . ! or ?, with a closing quotation mark perhaps, where the next begins with a capital or a quotation:
# '"Is this yours?" asked Anna. She smiled.' are two.
ENDS = {
    "en": re.compile(r"""(?:(?<=[.!?])|(?<=[.!?]["”]))\s+(?=["“]?[A-Z0-9])"""),
    "zh": re.compile(r"(?<=[。！？])(?![”」])"),
}


@dataclass(frozen=True)
class Verdict:
    """One sentence: ``grammatical`` by the town's grammar; ``consistent`` is None when it states no fact."""

    sentence: str
    grammatical: bool
    consistent: bool | None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class TownCheck:
    """What ``check_text`` found, sentence by sentence."""

    verdicts: tuple[Verdict, ...]

    @property
    def sentences(self) -> int:
        return len(self.verdicts)

    @property
    def grammatical(self) -> int:
        return sum(one.grammatical for one in self.verdicts)

    @property
    def stating(self) -> int:
        """Sentences that state facts."""
        return sum(one.consistent is not None for one in self.verdicts)

    @property
    def consistent(self) -> int:
        """Sentences that state facts, all of them true."""
        return sum(one.consistent is True for one in self.verdicts)


def split_sentences(text: str, language: str) -> list[str]:
    """Sentences, titles and lines of a dialogue, without the marks of question and answer."""
    if language not in ENDS:
        raise LabkitError(f"The town speaks {' and '.join(ENDS)}, not {language!r}.")
    marks = grammar(language).module.HEADERS
    sentences = []
    for line in text.splitlines():
        for mark in (marks["question"], marks["answer"]):
            line = line.removeprefix(mark)
        sentences.extend(part.strip() for part in ENDS[language].split(line) if part.strip())
    return sentences


def parse(sentence: str, language: str) -> list[Reading]:
    """All readings of one sentence by the town's grammar; an empty list: not grammatical."""
    return list(grammar(language).readings(sentence))


def parse_notes(notes: str, language: str) -> list[Fact]:
    """The facts of a notes block. A line that is no note of the town is refused by number."""
    words = grammar(language)
    headers = set(words.module.HEADERS.values())
    facts = []
    for number, line in enumerate(notes.splitlines(), start=1):
        if line.strip() in headers or not line.strip():
            continue
        reading = next(words.readings(line.strip(), ("note",)), None)
        if reading is None:
            raise LabkitError(f"Line {number} of the notes is none that the town knows: {line!r}.")
        facts.append(
            Fact.of(
                reading.construction.kinds[0], **{role: next(iter(v)) for role, v in reading.bound.items()}
            )
        )
    return facts


def check_text(text: str, facts: Iterable[Fact], language: str, world: World | None = None) -> TownCheck:
    """Judge every sentence of ``text`` against ``facts`` and, where they are silent, the standing facts of the world.

    A sentence that names a person by a pronoun means somebody of that gender whom the text or the facts name. A
    sentence with several readings counts as consistent when one of them is.
    """
    given = tuple(facts)
    standing = (world or default_world()).all_static
    cast = {value for fact in given for role, value in fact.arguments if KINDS[fact.kind][role] == "person"}
    kinds_given = {fact.kind for fact in given}
    verdicts = []
    questions: list[Reading] = []
    for sentence in split_sentences(text, language):
        readings = parse(sentence, language)
        for reading in readings:
            cast |= {
                v
                for role, vs in reading.bound.items()
                if reading.construction.types[role] == "person" and len(vs) == 1
                for v in vs
            }
        stated = [
            one
            for one in readings
            if one.construction.use in ("sentence", "title") and one.construction.kinds
        ]
        for answer in readings:
            stated += [answered(question, answer) for question in questions if answers(question, answer)]
        questions = [reading for reading in readings if reading.construction.use == "question"]
        # Of several readings those count whose kinds of fact are among the given: "A visit to the bank" may be about
        # shopping or an address, and in a text about shopping it is about shopping.
        stated = [one for one in stated if kinds_given.issuperset(one.construction.kinds)] or stated
        consistent = any(_holds(reading, given, standing, cast) for reading in stated) if stated else None
        kinds = stated[0].construction.kinds if stated else ()
        verdicts.append(Verdict(sentence, bool(readings), consistent, kinds))
    return TownCheck(tuple(verdicts))


def answers(question: Reading, answer: Reading) -> bool:
    """Whether this is an answer to that question: of the same kind of fact, and to what was asked."""
    one, other = question.construction, answer.construction
    return other.use == "answer" and (one.kinds, one.asked) == (other.kinds, other.asked)


def answered(question: Reading, answer: Reading) -> Reading:
    """An answer says what the question left open: "Where?" "At the station." """
    bound = {role: values for role, values in question.bound.items() if role != question.construction.asked}
    for role, values in answer.bound.items():
        bound[role] = bound.get(role, values) & values
    return Reading(answer.sentence, answer.construction, bound, answer.pronouns - set(question.bound))


def _holds(reading: Reading, given: Sequence[Fact], standing: frozenset[Fact], cast: set[Value]) -> bool:
    """Whether for each kind that the sentence states a fact agrees with everything that the sentence says of it."""
    for kind in reading.construction.kinds:
        roles = {role: values for role, values in reading.bound.items() if role in KINDS[kind]}
        for role in reading.pronouns & roles.keys():
            roles[role] = roles[role] & cast
        candidates = [fact for fact in given if fact.kind == kind] or [
            fact for fact in standing if fact.kind == kind
        ]
        if not any(
            all(fact[role] in values for role, values in roles.items()) and reading.construction.allows(fact)
            for fact in candidates
        ):
            return False
    return True
