"""News reports written by hand with their summaries: what is measured on them is not the generator's own wording."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from labkit.common import LabkitError, data_dir
from labkit.summaries.texts import Report, check_language
from labkit.text.town import TOPICS

FIELDS = ("id", "language", "topic", "lead_is_summary", "article", "summary", "facts")


def gold_path(language: str) -> Path:
    """The file of one language, ``data/summaries/en.jsonl`` or ``zh.jsonl``."""
    return data_dir() / "summaries" / f"{check_language(language)}.jsonl"


def gold(language: str) -> list[Report]:
    """All hand-written reports of a language in the order of the file; for measuring only.

    Raises:
        LabkitError: the language is unknown, the file is missing, or a line of it is not valid (with its number).
    """
    path = gold_path(language)
    if not path.is_file():
        raise LabkitError(f"{path} is missing. It belongs to the course: fetch the course files again.")
    reports: list[Report] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        where = f"{path.name}, line {number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            raise LabkitError(f"{where}: this is not JSON ({error}).") from error
        report = read_record(record, where)
        if report.language != language:
            raise LabkitError(f"{where}: a report in {report.language!r} stands in the file of {language!r}.")
        if report.id in seen:
            raise LabkitError(f"{where}: the id {report.id!r} is that of line {seen[report.id]} too.")
        seen[report.id] = number
        reports.append(report)
    return reports


def read_record(record: object, where: str = "This record") -> Report:
    """One record of the file as a report; what is wrong with it is said by field name."""
    if not isinstance(record, Mapping) or set(record) != set(FIELDS):
        raise LabkitError(f"{where} must have exactly the fields {', '.join(FIELDS)}.")
    for field in ("id", "article", "summary"):
        if not isinstance(record[field], str) or not record[field].strip():
            raise LabkitError(f"{where}: {field} is empty or no text.")
    if record["topic"] not in TOPICS:
        raise LabkitError(f"{where}: topic is {record['topic']!r}; it must be one of {', '.join(TOPICS)}.")
    if not isinstance(record["lead_is_summary"], bool):
        raise LabkitError(f"{where}: lead_is_summary is {record['lead_is_summary']!r}; write true or false.")
    facts = record["facts"]
    if not isinstance(facts, list) or not facts or not all(isinstance(one, str) and one for one in facts):
        raise LabkitError(f"{where}: facts must be a list of at least one text.")
    absent = [fact for fact in facts if fact not in record["article"]]
    if absent:
        raise LabkitError(f"{where}: the article does not say {absent[0]!r}, which stands among its facts.")
    try:
        language = check_language(record["language"])
    except LabkitError as error:
        raise LabkitError(f"{where}: {error}") from error
    return Report(
        article=record["article"],
        summary=record["summary"],
        language=language,
        id=record["id"],
        topic=record["topic"],
        facts=tuple(facts),
        lead_is_summary=record["lead_is_summary"],
    )
