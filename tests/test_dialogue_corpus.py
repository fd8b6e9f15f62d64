"""Dialogues: the hand-written talks, a learner's own, and those that are generated with their facts."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice, pairwise

import pytest

from labkit.common import LabkitError
from labkit.dialogue import talks as talks_module
from labkit.dialogue.corpus import TOPICS, mixed_corpus, small_talk, town_dialogues, value_surface
from labkit.dialogue.talks import FIELDS, load_dialogues, read_talk, talks, talks_path, turns_of
from labkit.text.town.values import gender, types
from labkit.text.town.writer import world

LANGUAGES = ("en", "zh")
WANTED = {
    "greetings", "goodbye", "thanks", "what_are_you", "help", "food", "hobbies", "music", "weather", "small_talk",
    "jokes", "family", "books_and_films", "unknown",
}  # fmt: skip


# --- Written by hand -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_at_least_three_hundred_exchanges_of_all_topics(language):
    found = talks(language)
    assert sum(len(talk.replies) for talk in found) >= 300
    topics = Counter(talk.topic for talk in found)
    assert set(topics) == WANTED
    wordings = [said for talk in found for said in talk.said]
    assert sum(len(said) > 1 for said in wordings) > 0.9 * len(wordings)
    assert sum(after is not None for talk in found for after in talk.after) >= 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_stands_there_twice(language):
    found = talks(language)
    replies = [reply for talk in found for reply in talk.replies]
    first = [wording.casefold() for talk in found for wording in talk.said[0]]
    assert not [text for text, count in Counter(replies).items() if count > 1]
    assert not [text for text, count in Counter(first).items() if count > 1]
    assert all(len(set(said)) == len(said) for talk in found for said in talk.said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_in_their_language_and_end_as_sentences_do(language):
    for talk in talks(language):
        for reply in talk.replies:
            assert reply[-1] in ('.!?"' if language == "en" else "。！？”"), reply
            assert any("\u4e00" <= character <= "\u9fff" for character in reply) == (language == "zh"), reply


def test_every_path_of_a_tree_is_a_dialogue():
    talk = read_talk(
        {
            "id": "x", "language": "en", "topic": "food",
            "exchanges": [
                {"after": None, "said": ["a", "A"], "reply": "hot or cold?"},
                {"after": 0, "said": ["hot"], "reply": "soup"},
                {"after": 0, "said": ["cold", "Cold"], "reply": "ice"},
                {"after": 2, "said": ["more"], "reply": "no"},
            ],
        }
    )  # fmt: skip
    assert talk.paths() == [(0, 1), (0, 2, 3)]
    said = [[one.said for one in dialogue.exchanges] for dialogue in talk.dialogues()]
    assert said == [["a", "hot"], ["A", "hot"], ["a", "cold", "more"], ["A", "Cold", "more"]]


def a_record(**changes) -> dict:
    record = json.loads(talks_path("en").read_text(encoding="utf-8").splitlines()[0])
    return record | changes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"exchanges": []}, "at least one"),
        ({"exchanges": [{"after": 0, "said": ["a"], "reply": "b"}]}, "must be null for the first"),
        ({"exchanges": [{"after": None, "said": [], "reply": "b"}]}, "said must be a list"),
        ({"exchanges": [{"after": None, "said": ["a"], "reply": " "}]}, "reply is empty"),
        ({"more": 1}, "exactly the fields"),
    ],
)
def test_a_wrong_record_is_refused_by_its_field(changes, said):
    assert set(a_record()) == set(FIELDS)
    with pytest.raises(LabkitError, match=said):
        read_talk(a_record(**changes), "line 1")


def test_a_wrong_file_is_refused_with_the_line(tmp_path, monkeypatch):
    path = tmp_path / "en.jsonl"
    monkeypatch.setattr(talks_module, "talks_path", lambda language: path)
    with pytest.raises(LabkitError, match="is missing"):
        talks("en")
    path.write_text(json.dumps(a_record()) + "\n{", encoding="utf-8")
    with pytest.raises(LabkitError, match="line 2: this is not JSON"):
        talks("en")
    path.write_text("\n".join([json.dumps(a_record())] * 2), encoding="utf-8")
    with pytest.raises(LabkitError, match="is there twice"):
        talks("en")
    with pytest.raises(LabkitError, match="language is 'de'"):
        talks_path_of_nowhere()


def talks_path_of_nowhere():
    return talks_path("de")


@pytest.mark.parametrize("language", LANGUAGES)
def test_small_talk_of_the_test_split_opens_with_words_that_training_lacks(language):
    train, test = small_talk(language), small_talk(language, "test")
    assert len(test) >= 60
    assert not {one.exchanges[0].said for one in test} & {one.exchanges[0].said for one in train}
    assert {one.exchanges[0].reply for one in test} <= {one.exchanges[0].reply for one in train}


# --- A learner's own -------------------------------------------------------------------------------------------


def test_a_learners_dialogues_are_read(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text(
        '{"turns": ["Hi", "Hello!", "Bye", "See you!"]}\n\n{"turns": ["你好", "你好！"]}\n', "utf-8"
    )
    first, second = load_dialogues(path, "en")
    assert [(one.said, one.reply) for one in first.exchanges] == [("Hi", "Hello!"), ("Bye", "See you!")]
    assert second.exchanges[0].reply == "你好！"
    assert len(list(turns_of([first, second]))) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b'{"turns": ["a"]}', "even number"),
        (b'{"turns": "a"}', "list of texts"),
        (b"[1]", "list of texts"),
        (b"{", "line 1: this is not JSON"),
        (b"\xff\xfe\xfa", "not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_learners_file_is_said(tmp_path, content, said):
    path = tmp_path / "mine.jsonl"
    path.write_bytes(content)
    with pytest.raises(LabkitError, match=said):
        load_dialogues(path, "en")
    with pytest.raises(LabkitError, match="no file"):
        load_dialogues(tmp_path / "other.jsonl", "en")


# --- Generated -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reply_names_what_is_asked_and_the_facts_are_those_of_the_town(language):
    people = {surface[0]: key for key, surface in types()["person"].forms[language][""].items()}
    kinds = Counter()
    for dialogue in town_dialogues(language, count=300):
        subject = None
        for exchange in dialogue.exchanges:
            for value_type, value in exchange.expected:
                assert value_surface(value_type, value, language).lower() in exchange.reply.lower(), exchange
                kinds[value_type] += 1
            named = [key for name, key in people.items() if name in exchange.said]
            subject = named[0] if named else subject
            if subject and dict(exchange.expected).get("years"):
                assert world().about("age", subject)[0]["years"] == dict(exchange.expected)["years"]
            by_name = any(name in exchange.reply for name in people)  # He Shufen is a name
            if language == "en" and not by_name and exchange.reply.startswith(("He ", "She ")):
                assert exchange.reply.startswith("She " if gender(subject) == "f" else "He ")
    assert min(kinds[name] for name in ("job", "street", "years", "food", "time", "year", "feature")) > 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_dialogues_have_several_turns_and_depend_on_those_before(language):
    found = list(town_dialogues(language, count=400))
    lengths = Counter(len(dialogue.exchanges) for dialogue in found)
    assert len(lengths) >= 5
    people = [surface[0] for surface in types()["person"].forms[language][""].values()]
    places = [surface[0] for surface in types()["place"].forms[language][""].values()]
    asked = [one for dialogue in found for one in dialogue.exchanges if one.expected]
    nameless = [one for one in asked if not any(name in one.said for name in (*people, *places))]
    assert len(nameless) > 0.2 * len(asked)
    unknown = [one for dialogue in found for one in dialogue.exchanges if not one.known]
    assert len(unknown) >= 10
    assert all(not one.expected for one in unknown)
    # Strangers come up anywhere in a dialogue; what is asked next names its subject, as "she" could be the stranger.
    places_in = {min(d.exchanges.index(one), 2) for d in found for one in d.exchanges if not one.known}
    assert places_in == {0, 1, 2}
    later = [b for d in found for a, b in pairwise(d.exchanges) if not a.known and b.expected]
    assert len(later) >= 5
    assert all(any(name in one.said for name in (*people, *places)) for one in later)


def test_the_splits_share_no_sequence_of_questions():
    def sequences(split):
        return {
            tuple(one.said for one in dialogue.exchanges)
            for dialogue in town_dialogues("en", split=split, count=300)
        }

    assert not sequences("train") & sequences("test")


def test_the_same_seed_gives_the_same_dialogues_and_another_seed_others():
    def some(seed):
        return list(islice(town_dialogues("zh", seed=seed, count=20), 20))

    assert some(1) == some(1)
    assert some(1) != some(2)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_mixed_corpus_holds_both(split):
    found = mixed_corpus("en", split=split, count=150)
    assert len(found) == 150
    town = sum(dialogue.topic == "town" for dialogue in found)
    assert 60 <= town <= 110


def test_some_conversations_change_between_small_talk_and_the_town():
    """In both orders; what is asked of the town is not answered by small talk, and the other way round."""
    joined = [one for one in mixed_corpus("zh", count=400) if one.topic == "mixed"]
    assert 30 <= len(joined) <= 60
    assert {one.id.startswith("town-talk") for one in joined} == {True, False}
    for one in joined:
        talk = [exchange for exchange in one.exchanges if not exchange.expected and exchange.known]
        assert talk
        assert len(talk) < len(one.exchanges)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"language": "de", "count": 1}, "language is 'de'"),
        ({"language": "en", "count": 0}, "count is 0"),
        ({"language": "en", "count": 1, "split": "dev"}, "The splits are"),
    ],
)
def test_wrong_arguments_are_refused(arguments, said):
    with pytest.raises(LabkitError, match=said):
        list(town_dialogues(**arguments))


def test_every_topic_has_wordings_in_both_languages():
    from labkit.dialogue import wording_en, wording_zh

    for words in (wording_en, wording_zh):
        assert set(words.QUESTIONS) == set(words.FURTHER) == set(TOPICS)
        assert set(words.ANSWERS) == {*TOPICS, "no pet"}
