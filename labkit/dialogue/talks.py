"""Dialogues: what they are, those written by hand, and a learner's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labkit.common import LANGUAGES, LabkitError, data_dir

FIELDS = ("id", "language", "topic", "exchanges")
EXCHANGE_FIELDS = ("after", "said", "reply")
Values = tuple[tuple[str, str | int], ...]  # (type of the town, value)


@dataclass(frozen=True)
class Exchange:
    """One turn of the person and the reply to it.

    ``expected`` are the values that a right reply names (none in small talk); ``known`` is False where the right reply
    is that nothing is known.
    """

    said: str
    reply: str
    expected: Values = ()
    known: bool = True


@dataclass(frozen=True)
class Dialogue:
    """Exchanges in their order. Topic ``town`` is about the generated world, others are small talk."""

    exchanges: tuple[Exchange, ...]
    language: str
    topic: str = ""
    id: str = ""


@dataclass(frozen=True)
class Talk:
    """A hand-written tree of exchanges: ``after[i]`` is the exchange that exchange i follows (None: the first).

    ``said[i]`` are several wordings of the same turn.
    """

    id: str
    language: str
    topic: str
    after: tuple[int | None, ...]
    said: tuple[tuple[str, ...], ...]
    replies: tuple[str, ...]

    def paths(self) -> list[tuple[int, ...]]:
        """Each way from the first exchange to one that none follows."""
        ends = set(range(len(self.replies))) - set(self.after)
        return [self._way_to(end) for end in sorted(ends)]

    def _way_to(self, place: int | None) -> tuple[int, ...]:
        way: list[int] = []
        while place is not None:
            way.append(place)
            place = self.after[place]
        return tuple(reversed(way))

    def dialogues(self) -> Iterator[Dialogue]:
        """Every path, once with the first wording of each turn, once with the second, as long as there are any."""
        for number, path in enumerate(self.paths()):
            for wording in range(max(len(self.said[place]) for place in path)):
                exchanges = tuple(
                    Exchange(self.said[place][wording % len(self.said[place])], self.replies[place])
                    for place in path
                )
                yield Dialogue(exchanges, self.language, self.topic, f"{self.id}-{number}-{wording}")


def talks_path(language: str) -> Path:
    """The file of one language, ``data/dialogue/en.jsonl`` or ``zh.jsonl``."""
    if language not in LANGUAGES:
        raise LabkitError(f"language is {language!r}. It must be one of {', '.join(LANGUAGES)}.")
    return data_dir() / "dialogue" / f"{language}.jsonl"


def talks(language: str) -> list[Talk]:
    """All hand-written talks of a language in the order of the file.

    Raises:
        LabkitError: the language is unknown, the file is missing, or a line of it is not valid (with its number).
    """
    path = talks_path(language)
    if not path.is_file():
        raise LabkitError(f"{path} is missing. It belongs to the course: fetch the course files again.")
    found: list[Talk] = []
    for where, record in _records(path):
        talk = read_talk(record, where)
        if talk.language != language:
            raise LabkitError(f"{where}: a talk in {talk.language!r} stands in the file of {language!r}.")
        if talk.id in {one.id for one in found}:
            raise LabkitError(f"{where}: the id {talk.id!r} is there twice.")
        found.append(talk)
    return found


def read_talk(record: object, where: str = "This record") -> Talk:
    """One record of the file; what is wrong with it is said by field name."""
    if not isinstance(record, Mapping) or set(record) != set(FIELDS):
        raise LabkitError(f"{where} must have exactly the fields {', '.join(FIELDS)}.")
    exchanges = record["exchanges"]
    if not isinstance(exchanges, list) or not exchanges:
        raise LabkitError(f"{where}: exchanges must be a list of at least one.")
    for place, exchange in enumerate(exchanges):
        _check_exchange(exchange, place, f"{where}, exchange {place}")
    return Talk(
        id=str(record["id"]),
        language=str(record["language"]),
        topic=str(record["topic"]),
        after=tuple(exchange["after"] for exchange in exchanges),
        said=tuple(tuple(exchange["said"]) for exchange in exchanges),
        replies=tuple(exchange["reply"] for exchange in exchanges),
    )


def _check_exchange(exchange: object, place: int, where: str) -> None:
    if not isinstance(exchange, Mapping) or set(exchange) != set(EXCHANGE_FIELDS):
        raise LabkitError(f"{where} must have exactly the fields {', '.join(EXCHANGE_FIELDS)}.")
    after, said, reply = (exchange[field] for field in EXCHANGE_FIELDS)
    follows = isinstance(after, int) and not isinstance(after, bool) and 0 <= after < place
    if not (follows if place else after is None):
        raise LabkitError(
            f"{where}: after is {after!r}; it must be null for the first, else the number of an earlier one."
        )
    if (
        not isinstance(said, list)
        or not said
        or not all(isinstance(one, str) and one.strip() for one in said)
    ):
        raise LabkitError(f"{where}: said must be a list of at least one text.")
    if not isinstance(reply, str) or not reply.strip():
        raise LabkitError(f"{where}: reply is empty or no text.")


# --- A learner's own -------------------------------------------------------------------------------------------


def load_dialogues(path: Path | str, language: str) -> list[Dialogue]:
    """A learner's JSONL: in each line ``turns``, a list of texts in which person and bot take turns, the person first.

    A last turn without a reply is refused, since there is nothing to learn from it. Other fields are ignored.

    Raises:
        LabkitError: no such file, not UTF-8, no line, or a line that is not valid (with its number).
    """
    path = Path(path)
    if not path.is_file():
        raise LabkitError(f"There is no file {path}. Give the path of a JSONL file with your dialogues.")
    dialogues = []
    for where, record in _records(path):
        turns = record.get("turns") if isinstance(record, Mapping) else None
        if not isinstance(turns, list) or not all(isinstance(turn, str) and turn.strip() for turn in turns):
            raise LabkitError(f'{where}: turns must be a list of texts, as {{"turns": ["Hello", "Hi!"]}}.')
        if not turns or len(turns) % 2:
            raise LabkitError(
                f"{where}: turns holds {len(turns)} texts. Person and bot take turns, so it must be an even number."
            )
        pairs = tuple(Exchange(*pair) for pair in zip(turns[::2], turns[1::2], strict=True))
        dialogues.append(Dialogue(pairs, language, "own", where))
    if not dialogues:
        raise LabkitError(f"{path.name} is empty. Write one dialogue a line.")
    return dialogues


def _records(path: Path) -> Iterator[tuple[str, object]]:
    """(where, record) of each line that is not empty."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise LabkitError(f"{path.name} is not UTF-8: save it again in that encoding ({error}).") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield f"{path.name}, line {number}", json.loads(line)
            except ValueError as error:
                raise LabkitError(f"{path.name}, line {number}: this is not JSON ({error}).") from error


def turns_of(dialogues: Sequence[Dialogue]) -> Iterator[tuple[Dialogue, int]]:
    """(dialogue, number of the exchange) of every exchange."""
    for dialogue in dialogues:
        for place in range(len(dialogue.exchanges)):
            yield dialogue, place
