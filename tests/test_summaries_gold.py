"""The hand-written reports: their counts, their lengths, and that a summary says nothing that its article does not."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from labkit.common import LabkitError
from labkit.summaries import gold as gold_module
from labkit.summaries.gold import FIELDS, gold, gold_path, read_record
from labkit.summaries.texts import sentences_of
from labkit.text.scores import units
from labkit.text.town import TOPICS, parse
from labkit.text.town.values import types

LANGUAGES = ("en", "zh")
LENGTHS = {"en": (80, 250), "zh": (120, 400)}
# Written out here, apart from what the package does: digits with their separators, and hanzi numerals of two and more.
NUMBER = {"en": r"\d+(?:[.,:]\d+)*", "zh": r"\d+(?:[.,:]\d+)*|[零一二三四五六七八九十百千万亿两]{2,}"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_at_least_sixty_of_every_kind(language):
    reports = gold(language)
    assert len(reports) >= 60
    assert len({report.id for report in reports}) == len(reports)
    topics = Counter(report.topic for report in reports)
    assert set(topics) == set(TOPICS)
    assert min(topics.values()) >= 6
    assert 0.4 <= sum(report.lead_is_summary for report in reports) / len(reports) <= 0.6


@pytest.mark.parametrize("language", LANGUAGES)
def test_articles_are_as_long_as_promised_and_summaries_much_shorter(language):
    low, high = LENGTHS[language]
    for report in gold(language):
        length = len(report.article) if language == "zh" else len(report.article.split())
        assert low <= length <= high, report.id
        assert len(sentences_of(report.article)) >= 4, report.id
        assert len(report.summary) < 0.45 * len(report.article), report.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_and_names_of_a_summary_stand_in_its_article(language):
    people = types()["person"].forms[language][""]
    for report in gold(language):
        for number in re.findall(NUMBER[language], report.summary):
            assert number in report.article, (report.id, number)
        for person, *_ in people.values():
            assert person not in report.summary or person in report.article, (report.id, person)
        assert all(fact in report.article for fact in report.facts), report.id
        assert any(fact in report.summary for fact in report.facts), report.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_report_is_a_near_copy_of_another(language):
    def trigrams(text: str) -> set[tuple]:
        tokens = units(text)
        return set(zip(tokens, tokens[1:], tokens[2:], strict=False))

    grams = [trigrams(report.article) for report in gold(language)]
    shares = [len(a & b) / min(len(a), len(b)) for i, a in enumerate(grams) for b in grams[:i]]
    assert max(shares) < 0.12


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_the_lead_is_the_summary_it_shares_more_with_it(language):
    """The label is a judgement; over all reports it must show in the words."""

    def shared(report) -> float:
        lead, summary = set(units(sentences_of(report.article)[0])), set(units(report.summary))
        return len(lead & summary) / len(summary)

    reports = gold(language)
    told = [shared(report) for report in reports if report.lead_is_summary]
    later = [shared(report) for report in reports if not report.lead_is_summary]
    assert sum(told) / len(told) > 0.15 + sum(later) / len(later)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_generator_did_not_write_them(language):
    sentences = [sentence for report in gold(language)[::15] for sentence in sentences_of(report.article)]
    parsed = sum(bool(parse(sentence, language)) for sentence in sentences)
    assert parsed <= 0.02 * len(sentences)


def a_record(**changes) -> dict:
    record = json.loads(gold_path("en").read_text(encoding="utf-8").splitlines()[0])
    return record | changes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"article": " "}, "article is empty"),
        ({"topic": "politics"}, "topic is 'politics'"),
        ({"lead_is_summary": 1}, "write true or false"),
        ({"facts": []}, "at least one text"),
        ({"facts": ["Nobody"]}, "does not say 'Nobody'"),
        ({"language": "de"}, "language is 'de'"),
        ({"extra": 1}, "exactly the fields"),
    ],
)
def test_a_wrong_record_is_refused_by_its_field(changes, said):
    with pytest.raises(LabkitError, match=said):
        read_record(a_record(**changes), "line 1")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["{"], "line 1: this is not JSON"),
        ([a_record(), a_record()], "line 2: the id 'news-gold-en-001' is that of line 1"),
        ([a_record(language="zh")], "stands in the file of 'en'"),
    ],
)
def test_a_wrong_file_is_refused_with_the_line(tmp_path, monkeypatch, lines, said):
    path = tmp_path / "en.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines), encoding="utf-8")
    monkeypatch.setattr(gold_module, "gold_path", lambda language: path)
    with pytest.raises(LabkitError, match=said):
        gold("en")


def test_a_missing_file_and_an_unknown_language_are_said_plainly(tmp_path, monkeypatch):
    with pytest.raises(LabkitError, match="language is 'fr'"):
        gold("fr")
    monkeypatch.setattr(gold_module, "data_dir", lambda: tmp_path)
    with pytest.raises(LabkitError, match="is missing"):
        gold("en")


def test_every_field_is_read():
    report = gold("en")[0]
    assert set(FIELDS) == set(vars(report))
