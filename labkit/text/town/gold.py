"""Texts about the town written by hand: what is measured on them is not measured on the generator's own sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from labkit.common import LabkitError, data_dir
from labkit.text.town.facts import KINDS, Fact
from labkit.text.town.values import LANGUAGES, types
from labkit.text.town.world import SENTIMENTS, TOPICS
from labkit.text.town.writer import DOCUMENT_KINDS, Document

FIELDS = ("id", "language", "kind", "topic", "sentiment", "text", "facts")
CHOICES = {"language": LANGUAGES, "kind": DOCUMENT_KINDS, "topic": TOPICS, "sentiment": SENTIMENTS}
MAX_FACTS = 4


def gold_path(language: str) -> Path:
    """The file of one language, ``data/town_gold/en.jsonl`` or ``zh.jsonl``."""
    if language not in LANGUAGES:
        raise LabkitError(f"The town speaks {' and '.join(LANGUAGES)}, not {language!r}.")
    return data_dir() / "town_gold" / f"{language}.jsonl"


def gold(language: str) -> list[Document]:
    """All hand-written texts of a language, in the order of the file; ``notes`` are empty.

    They are for measuring only. Facts are those that the text states, one to four each; their values are entity keys
    and numbers as in ``facts.Fact``.

    Raises:
        LabkitError: the language is unknown, the file is missing, or a line of it is not valid (with its number).
    """
    path = gold_path(language)
    if not path.is_file():
        raise LabkitError(f"{path} is missing. It belongs to the course: fetch the course files again.")
    documents: list[Document] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        where = f"{path.name}, line {number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            raise LabkitError(f"{where}: this is not JSON ({error}).") from error
        document = read_record(record, where)
        if document.language != language:
            raise LabkitError(f"{where}: a text in {document.language!r} stands in the file of {language!r}.")
        if record["id"] in seen:
            raise LabkitError(f"{where}: the id {record['id']!r} is that of line {seen[record['id']]} too.")
        seen[record["id"]] = number
        documents.append(document)
    return documents


def read_record(record: object, where: str = "This record") -> Document:
    """One record of the file as a document; what is wrong with it is said by field name."""
    if not isinstance(record, Mapping) or set(record) != set(FIELDS):
        raise LabkitError(f"{where} must have exactly the fields {', '.join(FIELDS)}.")
    for field, allowed in CHOICES.items():
        if record[field] not in allowed:
            raise LabkitError(
                f"{where}: {field} is {record[field]!r}; it must be one of {', '.join(allowed)}."
            )
    for field in ("id", "text"):
        if not isinstance(record[field], str) or not record[field].strip():
            raise LabkitError(f"{where}: {field} is empty or no text.")
    if not isinstance(record["facts"], list) or not 1 <= len(record["facts"]) <= MAX_FACTS:
        raise LabkitError(f"{where}: facts must be a list of 1 to {MAX_FACTS} facts.")
    facts = tuple(_read_fact(fact, where) for fact in record["facts"])
    return Document(
        record["kind"], record["language"], "", record["text"], facts, record["topic"], record["sentiment"]
    )


def _read_fact(record: object, where: str) -> Fact:
    """A fact whose kind, roles and values the town knows."""
    if not isinstance(record, Mapping) or "kind" not in record:
        raise LabkitError(f"{where}: {record!r} is no fact; it needs a kind.")
    try:
        fact = Fact.from_json(record)
    except LabkitError as error:
        raise LabkitError(f"{where}: {error}") from error
    for role, value in fact.arguments:
        name = KINDS[fact.kind][role]
        if value not in types()[name].forms["en"][""]:
            raise LabkitError(f"{where}: {fact.kind}.{role} is {value!r}; the town has no such {name}.")
    return fact
