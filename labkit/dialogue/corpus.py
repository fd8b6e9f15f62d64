"""Generated dialogues about the town: questions, further questions and answers over several turns, with their facts."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from random import Random

from labkit.common import LANGUAGES, LabkitError
from labkit.dialogue import wording_en, wording_zh
from labkit.dialogue.talks import Dialogue, Exchange, Values, talks
from labkit.text.town.facts import KINDS, Fact, Value
from labkit.text.town.grammar import Pattern
from labkit.text.town.values import types
from labkit.text.town.writer import world

SPLITS = ("train", "test")
HELD_OUT = 10  # one in ten sequences of questions is kept for the test split
TURNS = (1, 5)  # questions of a dialogue
OPENING_SHARE = 0.15
CLOSING_SHARE = 0.15
UNKNOWN_SHARE = 0.12  # of the dialogues that ask, anywhere, about who or what is not there
ANOTHER_SHARE = 0.3  # of the further questions that go on to another person or place
RENAMED_SHARE = 0.25  # of the further questions that name the person or place again
TALK_SHARE = 0.5  # small talk in ``mixed_corpus``
JOINED_SHARE = 0.3  # of that small talk: comes before or after a dialogue about the town

# What is asked -> kind of fact, and the roles that a right answer names.
PERSON_TOPICS = {
    "job": ("job", ("job",)),
    "work": ("job", ("place",)),
    "home": ("home", ("street",)),
    "age": ("age", ("years",)),
    "likes": ("likes", ("activity",)),
    "favourite": ("favourite", ("food",)),
    "pet": ("pet", ("animal", "name")),
    "family": ("family", ("other", "relation")),
}
PLACE_TOPICS = {
    "street": ("where", ("street",)),
    "opened": ("opened", ("year",)),
    "hours": ("hours", ("opening", "closing")),
    "feature": ("feature", ("feature",)),
    "staff": ("job", ("person",)),
}
TOPICS = PERSON_TOPICS | PLACE_TOPICS
# How the answers write a type: times as people say them in Chinese.
FORMS = {("en", "activity"): "ing", ("zh", "time"): "words"}


def town_dialogues(language: str, *, split: str = "train", seed: int = 0, count: int) -> Iterator[Dialogue]:
    """``count`` dialogues about the town. No sequence of questions of the test split is one of the training split.

    The single facts are the same in both: they are what a model has to know.
    """
    _check(language, split, count)
    rng = Random(f"dialogues {language} {split} {seed}")
    made = 0
    while made < count:
        plan = _draw_plan(rng)
        if (split == "test") != _is_held_out(plan):
            continue
        dialogue_id = f"town-talk-{language}-{split}-{seed}-{made}"
        yield Dialogue(_told(plan, language, rng), language, "town", dialogue_id)
        made += 1


def small_talk(language: str, split: str = "train") -> list[Dialogue]:
    """Hand-written talks as dialogues. Of every third talk the last wording of its first turn is for the test split."""
    _check(language, split, 1)
    found = []
    for number, talk in enumerate(talks(language)):
        opening = talk.said[0][-1] if number % 3 == 0 and len(talk.said[0]) > 1 else None
        found += [one for one in talk.dialogues() if (one.exchanges[0].said == opening) == (split == "test")]
    return found


def mixed_corpus(language: str, *, split: str = "train", seed: int = 0, count: int) -> list[Dialogue]:
    """Dialogues about the town and small talk, ``TALK_SHARE`` of them, in a random order.

    Some of them (``JOINED_SHARE``) change from one to the other on the way, as people do.
    """
    _check(language, split, count)
    rng = Random(f"mixed {language} {split} {seed}")
    talk = small_talk(language, split)
    share = round(TALK_SHARE * count)
    if split == "test":
        share = min(share, len(talk))
    chosen = [*talk * (share // len(talk)), *rng.sample(talk, share % len(talk))]
    rng.shuffle(chosen)
    if count > share:
        town = list(town_dialogues(language, split=split, seed=seed, count=count - share))
        joined = min(round(JOINED_SHARE * share), len(town))
        chosen[:joined] = [
            _joined(*rng.sample(pair, 2))
            for pair in zip(chosen[:joined], rng.sample(town, joined), strict=True)
        ]
        chosen += town
    rng.shuffle(chosen)
    return chosen


def _joined(first: Dialogue, second: Dialogue) -> Dialogue:
    """One dialogue after the other, as one."""
    exchanges = first.exchanges + second.exchanges
    return Dialogue(exchanges, first.language, "mixed", f"{first.id}+{second.id}")


# --- What is asked ---------------------------------------------------------------------------------------------

Question = tuple[str, Value]  # topic, and the person or place


def _draw_plan(rng: Random) -> list[Question]:
    """Questions about one person or place after the other; a subject that is a text with a blank is not there."""
    topics = rng.choice((PERSON_TOPICS, PERSON_TOPICS, PLACE_TOPICS))
    subjects = world().people if topics is PERSON_TOPICS else world().places
    plan: list[Question] = [(rng.choice(list(topics)), rng.choice(subjects))]
    for _ in range(rng.randint(*TURNS) - 1):
        topic, subject = plan[-1]
        if rng.random() < ANOTHER_SHARE:
            plan.append((topic, rng.choice([one for one in subjects if one != subject])))
        else:
            plan.append((rng.choice([one for one in topics if one != topic]), subject))
    if rng.random() < UNKNOWN_SHARE:
        stranger = (rng.choice(list(topics)), f"unknown {rng.randrange(10_000)}")
        plan.insert(rng.randint(0, len(plan)), stranger)
    return plan


def _is_held_out(plan: Sequence[Question]) -> bool:
    return zlib.crc32(repr(plan).encode()) % HELD_OUT == 0


def _told(plan: Sequence[Question], language: str, rng: Random) -> tuple[Exchange, ...]:
    words = {"en": wording_en, "zh": wording_zh}[language]
    exchanges = []
    if rng.random() < OPENING_SHARE:
        exchanges.append(Exchange(*rng.choice(words.OPENINGS)))
    before: Question | None = None
    for question in plan:
        if str(question[1]).startswith("unknown "):
            exchanges.append(_unknown(question, words, language, rng))
            before = None  # a pronoun could mean the stranger, so the next question names its subject
        else:
            exchanges.append(_exchange(question, before, words, language, rng))
            before = question
    if rng.random() < CLOSING_SHARE:
        exchanges.append(Exchange(*rng.choice(words.CLOSINGS)))
    return tuple(exchanges)


def _exchange(question: Question, before: Question | None, words, language: str, rng: Random) -> Exchange:
    topic, subject = question
    fact, staff = _fact(topic, subject)
    named, sources = True, words.QUESTIONS[topic]
    if before is not None and before[0] == topic:
        sources = words.ANOTHER["person" if topic in PERSON_TOPICS else "place"]
    elif before is not None and rng.random() >= RENAMED_SHARE:
        named, sources = False, words.FURTHER[topic]
    if fact is None:
        sources = [source for source in sources if "{relation}" not in source]
    said = _write(rng.choice(sources), topic, subject, fact, language, named=True)
    answer = words.ANSWERS["no pet" if fact is None else topic]
    if topic == "staff":
        answer = answer.replace("{staff}", _list(staff, words, language))
    reply = _write(answer, topic, subject, fact, language, named)
    expected = _expected(topic, fact, staff)
    return Exchange(_capital(said, language), _capital(reply, language), expected)


def _fact(topic: str, subject: Value) -> tuple[Fact | None, list[Value]]:
    """(the fact that is asked for, the people that work there); None for a person without a pet."""
    kind = TOPICS[topic][0]
    if topic == "staff":
        workers = [
            person
            for person in world().people
            for fact in world().about("job", person)
            if fact["place"] == subject
        ]
        return world().about("where", subject)[0], workers
    found = world().about(kind, subject)
    return (found[0] if found else None), []


def _expected(topic: str, fact: Fact | None, staff: Sequence[Value]) -> Values:
    if topic == "staff":
        return tuple(("person", person) for person in staff)
    if fact is None:
        return ()
    return tuple((KINDS[fact.kind][role], fact[role]) for role in TOPICS[topic][1])


def _unknown(question: Question, words, language: str, rng: Random) -> Exchange:
    """A question about somebody who does not live here, or a place that is not here."""
    topic, subject = question
    is_person = topic in PERSON_TOPICS
    source = rng.choice([one for one in words.QUESTIONS[topic] if "{relation}" not in one])
    if is_person:
        name = _stranger(int(str(subject).split()[1]), words, language)
        s = "'s" if language == "en" else "的"
        said = source.replace("{person:s}", name + s).replace("{person}", name)
        reply = words.UNKNOWN_PERSON.replace("{name}", name)
    else:
        name = words.UNKNOWN_PLACES[int(str(subject).split()[1]) % len(words.UNKNOWN_PLACES)]
        a = "an" if name[0] in "aeiou" and name != "university" else "a"
        said = source.replace("{place:the}", f"the {name}").replace("{place:a}", f"{a} {name}")
        said = said.replace("{place}", name)
        reply = words.UNKNOWN_PLACE.replace("{name}", name)
    return Exchange(_capital(said, language), reply, known=False)


def _stranger(number: int, words, language: str) -> str:
    """A name of the list, or a first and a last name of two different people of the town."""
    if number % 2 or language == "zh":
        return words.STRANGE_NAMES[number // 2 % len(words.STRANGE_NAMES)]
    names = [types()["person"].write(person, language).split() for person in world().people[:28]]
    first, last = names[number % 28][0], names[(number // 28 + number + 1) % 28][1]
    full = f"{first} {last}"
    known = {" ".join(name) for name in names}
    return full if full not in known else words.STRANGE_NAMES[0]


def _write(source: str, topic: str, subject: Value, fact: Fact | None, language: str, named: bool) -> str:
    """A wording filled in; ``named`` says the subject by its name, else by a pronoun."""
    subject_type = "person" if topic in PERSON_TOPICS else "place"

    def surface(role: str, form: str) -> str:
        if role in ("he", "him", "his"):
            return types()["person"].write(subject, language, role)
        if role == subject_type and form in ("ref", "refs"):
            pronoun = {"ref": "he", "refs": "his"}[form]
            full = {"ref": "", "refs": "s"}[form]
            text = types()["person"].write(subject, language, full if named else pronoun)
            return text + ("的" if language == "zh" and not named and form == "refs" else "")
        if role == subject_type:
            value_type, value = subject_type, subject
        else:
            assert fact is not None
            value_type, value = KINDS[fact.kind][role], fact[role]
        return value_surface(value_type, value, language, form)

    return Pattern(source).write(Random(0), surface)


def value_surface(value_type: str, value: Value, language: str, form: str = "") -> str:
    """How dialogues write a value."""
    return types()[value_type].write(value, language, form or FORMS.get((language, value_type), ""))


def _list(people: Sequence[Value], words, language: str) -> str:
    names = [value_surface("person", person, language) for person in people]
    verb = words.WORKS[len(names) > 1]
    return words.AND.join(names) + (f" {verb}" if verb else "")


def _capital(text: str, language: str) -> str:
    return text[0].upper() + text[1:] if language == "en" else text


def _check(language: str, split: str, count: int) -> None:
    if language not in LANGUAGES:
        raise LabkitError(f"language is {language!r}. It must be one of {', '.join(LANGUAGES)}.")
    if split not in SPLITS:
        raise LabkitError(f"The splits are {' and '.join(SPLITS)}, not {split!r}.")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise LabkitError(f"count is {count!r}. Give the number of dialogues, from 1.")
