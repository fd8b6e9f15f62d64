"""Tasks of the prompt lesson: right answers pass their judge, and each kind of wrong one fails by name."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.prompts import tasks
from labkit.prompts.styles import STYLES, has_headline, read_text, words_in, write_in
from labkit.prompts.tasks import DRAWERS, KINDS, Draft, draw
from labkit.prompts.tasks.base import Length, is_held_out_combination, unwrapped, word_limit, wrapped, wrapper
from labkit.prompts.telling import LANGUAGES, draw_episode, notes_of, tells_all, told
from labkit.text.town import KINDS as FACT_KINDS
from labkit.text.town import Fact, is_held_out


def find(kind: str, language: str, wanted) -> Draft:
    """The first draft that has what a test needs, whatever its combination."""
    rng = Random(f"{kind} {language}")
    return next(d for _ in range(2000) if wanted(d := DRAWERS[kind](rng, language, "train")))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(DRAWERS))
def test_right_answers_pass(kind: str, language: str):
    rng = Random(7)
    for _ in range(4):
        draft = draw(kind, language, rng, "train")
        outcome = draft.case.judge(draft.answer)
        assert outcome.success, (outcome.reasons, draft.answer)
        assert all(outcome.checks.values())
        assert not outcome.reasons


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(DRAWERS))
def test_the_answer_to_another_case_and_no_answer_fail(kind: str, language: str):
    rng = Random(11)
    drafts = [draw(kind, language, rng, "train") for _ in range(4)]
    passed = sum(one.case.judge(two.answer).success for one in drafts for two in drafts if one is not two)
    # A label or a number may be that of another case by chance.
    assert passed <= (6 if kind in ("classify", "reason") else 1)
    for draft in drafts:
        outcome = draft.case.judge("")
        assert not outcome.success
        assert outcome.reasons


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wrong_number_fails(language: str):
    fact = Fact.of("bought", person="anna_bell", goods="kite", place="toy_shop", price=745)
    wrong = Fact.of("bought", person="anna_bell", goods="kite", place="toy_shop", price=750)
    text = write_in("plain", [fact], fact, language, Random(0))[0]
    assert told(text, [fact], language).whole == {fact}
    assert told(text, [wrong], language) is None


def test_an_invented_name_fails():
    fact = Fact.of("met", person="anna_bell", other="tom_reed", place="bank")
    assert told("Anna Bell met Tom Reed at the bank.", [fact], "en") is not None
    assert told("Anna Bell met Nora Fox at the bank.", [fact], "en") is None
    assert told("Anna Bell met Bob Smith at the bank.", [fact], "en") is None
    assert told("贝尔在银行。", [fact], "zh") is None


@pytest.mark.parametrize("kind", ["write", "rewrite", "summarize", "translate"])
def test_the_wrong_language_fails(kind: str):
    english = find(kind, "en", lambda d: d.answer.isascii() is not True if kind == "translate" else True)
    chinese = find(kind, "zh", lambda d: not d.answer.isascii())
    assert not chinese.case.judge(english.answer).success
    assert not english.case.judge(chinese.answer).success


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["write", "rewrite"])
def test_the_wrong_style_and_an_answer_that_is_too_long_fail_by_name(kind: str, language: str):
    draft = find(
        kind, language, lambda d: d.combination[1] == "diary" and d.combination[2].startswith("words")
    )
    first, *body, last = draft.answer.splitlines()
    plain = "\n".join(body)
    assert not draft.case.judge(plain).checks["style"]
    twice = "\n".join([first, *(body * 8), last])
    outcome = draft.case.judge(twice)
    assert not outcome.checks["length"]
    assert outcome.checks["style"]


def test_a_sentence_too_many_fails():
    draft = find("write", "en", lambda d: d.combination[1] == "plain" and "sent" in d.combination[2])
    outcome = draft.case.judge(f"{draft.answer} {draft.answer}")
    assert outcome.checks["facts"]
    assert not outcome.checks["length"]


def test_a_false_sentence_is_quoted():
    draft = find("write", "en", lambda d: d.combination[1] == "plain")
    outcome = draft.case.judge(draft.answer + " The sea was made of cheese.")
    assert not outcome.checks["facts"]
    assert any("The sea was made of cheese." in reason for reason in outcome.reasons)


def test_what_a_rewriting_leaves_out_is_named():
    draft = find("rewrite", "en", lambda d: d.combination[1] == "notes" and d.answer.count("\n"))
    outcome = draft.case.judge(draft.answer.splitlines()[0])
    assert outcome.checks["facts"]
    assert not outcome.checks["nothing left out"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_json_must_be_json_with_the_keys_and_values(language: str):
    draft = find("extract", language, lambda d: d.answer.count(":") >= 2)
    record = json.loads(draft.answer)
    key = next(iter(record))
    renamed = {name if name != key else "x": value for name, value in record.items()}
    for wrong in (
        draft.answer[:-1],
        f"[{draft.answer}]",
        json.dumps(renamed),
        json.dumps({name: value for name, value in record.items() if name != key}),
        json.dumps(record | {key: "nobody"}),
        f"Here you are: {draft.answer}",
    ):
        assert not draft.case.judge(wrong).success, wrong
    assert draft.case.judge(json.dumps(record, indent=1)).success  # JSON has many layouts


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unanswerable_question_wants_to_hear_so(language: str):
    unknown = {"en": "I do not know.", "zh": "我不知道。"}[language]
    asked = find("answer", language, lambda d: unknown in d.answer and d.combination[2] == "bare")
    known = find("answer", language, lambda d: unknown not in d.answer and d.combination[2] == "bare")
    assert asked.case.judge(unknown).success
    assert not asked.case.judge(known.answer).success
    assert not known.case.judge(unknown).success


def test_short_and_full_answers_are_told_apart():
    full = find("answer", "en", lambda d: d.combination[1:] == ("full", "bare") and "know" not in d.answer)
    short = find("answer", "en", lambda d: d.combination[1:] == ("short", "bare") and "know" not in d.answer)
    assert not full.case.judge(short.answer).success
    assert not short.case.judge(full.answer).success
    assert len(short.answer.split()) < len(full.answer.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_lists_are_judged_by_count_form_and_items(language: str):
    draft = find("list", language, lambda d: d.combination[2:] == ("dashes", "3"))
    lines = draft.answer.splitlines()
    assert draft.case.judge("\n".join(reversed(lines))).success
    for wrong in (
        lines[:2],
        [*lines[:2], lines[0]],
        [*lines[:2], "- Bob Smith"],
        [line[2:] for line in lines],
    ):
        assert not draft.case.judge("\n".join(wrong)).success, wrong


def test_labels_and_results_are_exact():
    draft = find("classify", "en", lambda d: d.combination[1:] == ("topic", "words", "bare"))
    assert not draft.case.judge(draft.answer.upper()).success
    total = find("reason", "en", lambda d: d.combination[1] == "total" and "Answer:" in d.answer)
    result = total.answer.rpartition("Answer: ")[2]
    assert total.case.judge(result).success  # the steps are not judged, the result is
    assert not total.case.judge(str(int(result) + 1)).success
    assert sum(map(int, total.answer.split("=")[0].split(" + "))) == int(
        total.answer.split("= ")[1].split(".")[0]
    )


@given(
    st.sampled_from(("bare", "tags", "stars", "brackets", "prefix")),
    st.sampled_from(LANGUAGES),
    st.integers(0, 99),
)
def test_a_format_is_put_on_and_taken_off(form: str, language: str, number: int):
    frame = wrapper(form, language)
    assert unwrapped(wrapped(f"{number} boats", frame), frame) == (f"{number} boats", "")
    if form != "bare":
        assert unwrapped("boats", frame)[1]
        assert unwrapped(wrapped("boats", frame), wrapper("bare", language))[1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_read_back_as_itself(style: str, language: str):
    rng = Random(3)
    read = 0
    while read < 3:
        episode = draw_episode(rng, "train", 3)
        if style == "news" and not has_headline(episode.main, language):
            continue
        text, units = write_in(style, episode.facts, episode.main, language, rng)
        found = read_text(text, episode.facts, language)
        assert (found.style, len(found.units)) == (style, units), text
        assert all(unit.told is not None for unit in found.units)
        read += 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_fact_has_sentences_that_leave_nothing_out(language: str):
    assert [kind for kind in FACT_KINDS if len(tells_all(language, kind)) < 3] == []


def test_words_are_counted_as_each_language_does():
    assert words_in("Anna Bell paid 7.45 crowns.", "en") == 5
    assert words_in("安娜·贝尔花了7.45克朗。", "zh") == 11  # marks do not count


@given(st.integers(1, 60))
def test_a_word_limit_is_kept(size: int):
    limit = word_limit(" ".join(["word"] * size), "en", Random(size))
    assert limit.unit == "words"
    assert limit.count >= size


def test_counts_are_worded_with_the_right_plural():
    texts = {Length("sentences", 1).worded("en", Random(seed)) for seed in range(60)}
    assert not any("1 sentences" in text or "one sentences" in text for text in texts)
    assert any(
        "2" in text or "两" in text for text in (Length("lines", 2).worded("zh", Random(s)) for s in range(9))
    )


@pytest.mark.parametrize("kind", KINDS)
def test_test_cases_have_facts_and_combinations_that_training_has_not(kind: str):
    rng = Random(5)
    train = {draw(kind, "en", rng, "train").combination for _ in range(40)}
    test = {draw(kind, "en", rng, "test").combination for _ in range(8)}
    assert not train & test
    assert all(is_held_out_combination(one) for one in test)
    assert all(is_held_out(draw_episode(rng, "test").main) for _ in range(5))
    assert not any(is_held_out(draw_episode(rng, "train").main) for _ in range(20))


def test_cases_are_the_same_for_the_same_seed_and_word_their_parts():
    one, two = (tasks.cases("answer", "zh", 4, seed=3) for _ in range(2))
    assert [(c.task, c.context, c.style, c.parameters, c.vague) for c in one] == [
        (c.task, c.context, c.style, c.parameters, c.vague) for c in two
    ]
    assert one[0].task != tasks.cases("answer", "zh", 4, seed=4)[0].task
    assert all(case.task and case.context and case.vague for case in one)


def test_vague_twins_name_no_style_no_length_and_no_format():
    rng = Random(2)
    for _ in range(20):
        case = draw("summarize", "en", rng, "train").case
        assert not any(word in case.vague.lower() for word in ("headline", "note", "summar", "words"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_planted_line_stands_in_the_context_and_failing_for_it_is_seen(language: str):
    for attack in tasks.attacks(language, 6):
        assert attack.word in attack.case.context
        assert attack.case.context in attack.marked
        assert attack.fell_for_it(attack.word)
        assert not attack.judge(attack.word).success
        assert attack.rule
        assert attack.warning


def test_notes_hold_every_fact():
    episode = draw_episode(Random(1), "train", 4, 2)
    assert len(notes_of(episode.facts, "en").splitlines()) == len(episode.facts) + 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(("sing", "en", 1), "kind"), (("write", "fr", 1), "language"), (("write", "en", -1), "count")],
)
def test_wrong_arguments_are_named(arguments: tuple, named: str):
    with pytest.raises(LabkitError, match=named):
        tasks.cases(*arguments)
