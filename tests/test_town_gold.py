"""The hand-written texts about the town: complete, balanced, true to the world, and not the generator's own."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from itertools import combinations

import pytest

from labkit.common import LabkitError
from labkit.text import town
from labkit.text.town.facts import KINDS, STATIC
from labkit.text.town.gold import gold_path, read_record
from labkit.text.town.values import DAYS_IN_MONTHS, LANGUAGES, MONTHS, WEEKDAYS, WEEKDAYS_ZH, types

NAMED = {
    "person", "place", "street", "object", "goods", "event", "contest", "team", "vehicle", "animal", "pet_name", "food",
    "prize", "job", "relation",
}  # fmt: skip
NUMBERS = {"price", "amount", "years", "count", "goals", "degrees", "minutes", "year", "time"}
GENERATED = 1500
COPY = 0.45  # share of 5-grams in common from which on two texts count as one


def grams(text: str) -> set[str]:
    return {text[index : index + 5] for index in range(len(text) - 4)}


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request):
    return request.param


@pytest.fixture(scope="module")
def documents(language):
    return town.gold(language)


@pytest.fixture(scope="module")
def records(language):
    return [json.loads(line) for line in gold_path(language).read_text(encoding="utf-8").splitlines()]


def month_and_day(date: int) -> tuple[int, int]:
    month = 0
    while date >= DAYS_IN_MONTHS[month]:
        date -= DAYS_IN_MONTHS[month]
        month += 1
    return month, date + 1


def test_there_are_enough_and_ids_are_unique(documents, records, language):
    assert len(documents) == len(records) >= 200
    assert len({record["id"] for record in records}) == len(records)
    assert all(record["id"].startswith(f"town-gold-{language}-") for record in records)
    assert all(one.language == language and one.notes == "" and one.full == one.text for one in documents)


def test_kinds_topics_and_sentiments_are_balanced(documents):
    total = len(documents)
    kinds = Counter(one.kind for one in documents)
    for kind, share in {"story": 0.40, "report": 0.35, "description": 0.15, "qa": 0.10}.items():
        assert abs(kinds[kind] / total - share) < 0.03, kinds
    topics = Counter(one.topic for one in documents)
    assert set(topics) == set(town.TOPICS)
    assert max(topics.values()) <= 1.25 * min(topics.values()), topics
    sentiments = Counter(one.sentiment for one in documents)
    assert set(sentiments) == set(town.SENTIMENTS)
    assert max(sentiments.values()) <= 1.15 * min(sentiments.values()), sentiments
    # Topic must not give sentiment away: every pair is there.
    pairs = Counter((one.topic, one.sentiment) for one in documents)
    assert len(pairs) == len(topics) * len(sentiments), pairs
    assert min(pairs.values()) >= 4, pairs


def test_every_kind_of_fact_is_used(documents):
    assert {fact.kind for one in documents for fact in one.facts} == set(KINDS)


def test_standing_facts_hold_and_no_fact_is_stated_twice(documents):
    standing = town.World().all_static
    for one in documents:
        assert len(set(one.facts)) == len(one.facts), one.text
        for fact in one.facts:
            assert fact.kind not in STATIC or fact in standing, fact


def test_facts_can_be_found_in_the_text(documents, language):
    for one in documents:
        text = one.text.lower()
        for fact in one.facts:
            for role, value in fact.arguments:
                kind = KINDS[fact.kind][role]
                if kind in NAMED:
                    assert types()[kind].write(value, language).lower() in text, (fact, one.text)
                elif kind == "date":
                    month, day = month_and_day(value)
                    date = f"{day} {MONTHS[month]}" if language == "en" else f"{month + 1}月{day}日"
                    assert re.search(rf"(?<!\d){date}", one.text), (fact, one.text)
                elif kind in NUMBERS:
                    ways = {
                        re.sub(r" crowns|克朗", "", way).lower()
                        for table in types()[kind].forms[language].values()
                        for way in table[value]
                    }
                    assert any(re.search(rf"(?<!\d){re.escape(way)}(?!\d)", text) for way in ways), (
                        fact,
                        one.text,
                    )


def test_weekdays_fit_the_dates(documents, language):
    first = [sum(DAYS_IN_MONTHS[:month]) for month in range(12)]
    for one in documents:
        if language == "en":
            for weekday, day, month in re.findall(
                rf"({'|'.join(WEEKDAYS)}),? (\d+) ({'|'.join(MONTHS)})", one.text
            ):
                assert WEEKDAYS[(first[MONTHS.index(month)] + int(day) - 1) % 7] == weekday, one.text
        for month, day, weekday in re.findall(
            r"(\d+)月(\d+)日[，（]?(?:星期|周)([一二三四五六日])", one.text
        ):
            assert WEEKDAYS_ZH[(first[int(month) - 1] + int(day) - 1) % 7] == weekday, one.text


def test_lengths_and_form(documents, language):
    ends = r"[.!?]" if language == "en" else r"[。！？]"
    for one in documents:
        low, high = (60, 700) if language == "en" else (30, 260)
        assert low <= len(one.text) <= high, one.text
        assert one.text == one.text.strip()
        assert "  " not in one.text
        assert re.search(ends + '["”]?$', one.text), one.text
        if one.kind == "qa":
            lines = one.text.split("\n")
            question, answer = ("Q: ", "A: ") if language == "en" else ("问：", "答：")
            assert len(lines) == 4, one.text
            assert all(line.startswith((question, answer)[index % 2]) for index, line in enumerate(lines)), (
                one.text
            )
        else:
            assert "\n" not in one.text
            assert 2 <= len(town.split_sentences(one.text, language)) <= 6, one.text


def test_punctuation_is_that_of_the_language(documents, language):
    for one in documents:
        if language == "zh":  # a colon or point between figures is a time or a price
            assert not re.search(r"""[,;?!()"'…]|(?<!\d)[:.]|[:.](?!\d)""", one.text), one.text
            assert not re.search("[，。！？：；]{2}", one.text), one.text
            assert one.text.count("“") == one.text.count("”"), one.text
        else:
            assert one.text.isascii() or not re.search("[^\x00-\x7fé]", one.text), one.text
            assert one.text.count('"') % 2 == 0, one.text


def test_no_text_is_there_twice_or_nearly(documents):
    known = [(one.text, grams(one.text)) for one in documents]
    for (text, some), (other, more) in combinations(known, 2):
        assert len(some & more) < COPY * min(len(some), len(more)), f"{text}\n{other}"


def test_the_grammar_does_not_write_these_sentences(documents, language):
    """What the grammar can parse it could have written: next to no sentence may be of that kind, and no whole text."""
    parsed = total = 0
    for one in documents:
        found = [
            bool(town.parse(sentence, language)) for sentence in town.split_sentences(one.text, language)
        ]
        assert not all(found), one.text
        parsed += sum(found)
        total += len(found)
    assert parsed <= 0.01 * total


def test_no_text_is_the_generators(documents, language):
    """No text, and no sentence that a reader would take for the same one."""
    generated = list(town.documents(language, count=GENERATED, seed=77, notes_share=0.0))
    sentences = {s for one in generated for s in town.split_sentences(one.text, language)}
    for one in documents:
        own = set(town.split_sentences(one.text, language))
        assert not own & sentences, own & sentences
    # Long stretches: no generated text shares half of its 5-grams with a gold text.
    gold_grams = [grams(one.text) for one in documents]
    for text in {one.text for one in generated}:
        some = grams(text)
        if len(some) >= 40:
            assert max(len(some & more) / len(some) for more in gold_grams) < 0.6, text


def test_wrong_records_are_refused_by_field(records):
    good = records[0]
    assert read_record(good).text == good["text"]
    fact = {"kind": "job", "person": "anna_bell", "job": "nurse", "place": "moon_base"}
    for change, message in (
        ({"topic": "space"}, "topic is 'space'"),
        ({"sentiment": "angry"}, "sentiment is 'angry'"),
        ({"text": " "}, "text is empty"),
        ({"facts": []}, "1 to 4 facts"),
        ({"facts": [{"kind": "flew"}]}, "no kind of fact 'flew'"),
        ({"facts": [fact]}, "no such place"),
        ({"facts": ["job"]}, "needs a kind"),
        ({"extra": 1}, "exactly the fields"),
    ):
        with pytest.raises(LabkitError, match=message):
            read_record(good | change)
    with pytest.raises(LabkitError, match="not 'fr'"):
        town.gold("fr")


def test_broken_files_are_refused_with_the_line(tmp_path, monkeypatch, records):
    # town.gold is the function: it hides the module of the same name from an import path.
    monkeypatch.setattr(sys.modules["labkit.text.town.gold"], "data_dir", lambda: tmp_path)
    language = records[0]["language"]
    with pytest.raises(LabkitError, match="missing"):
        town.gold(language)
    path = tmp_path / "town_gold" / f"{language}.jsonl"
    path.parent.mkdir()
    path.write_text(json.dumps(records[0]) + "\n{broken\n", encoding="utf-8")
    with pytest.raises(LabkitError, match="line 2: this is not JSON"):
        town.gold(language)
    path.write_text((json.dumps(records[0]) + "\n") * 2, encoding="utf-8")
    with pytest.raises(LabkitError, match="line 2: the id"):
        town.gold(language)
    other = "zh" if language == "en" else "en"
    path.write_text(json.dumps(records[0] | {"language": other}) + "\n", encoding="utf-8")
    with pytest.raises(LabkitError, match="stands in the file of"):
        town.gold(language)
