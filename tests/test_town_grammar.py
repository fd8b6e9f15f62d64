"""The town's pattern engine, its values, its two grammars and the judge."""

from __future__ import annotations

import re
import time
from random import Random

import pytest

from labkit.common import LabkitError
from labkit.text import town
from labkit.text.town.constructions import CONDITIONS, Construction, Grammar, grammar
from labkit.text.town.facts import KINDS, Value, types_of
from labkit.text.town.grammar import Pattern, trie_regex
from labkit.text.town.values import key, small_number, small_number_zh, types, with_article

LANGUAGES = ("en", "zh")
# Enough of each use that a text does not show its template; the numbers found are above these.
LEAST = {"sentence": 450, "title": 60, "question": 90, "answer": 150, "colour": 60}
LEAST_ZH = {"sentence": 300, "title": 60, "question": 60, "answer": 100, "colour": 40}


def surface(role: str, form: str) -> str:
    return {"person": "Anna", "place": "the park"}[role]


def test_a_pattern_writes_exactly_what_it_reads():
    pattern = Pattern("{person} [went|<ran>] to {place:the}[ at noon|].", {"ran": "ran [fast|slowly]"})
    expression, slots = pattern.compile(lambda role, form: surface(role, form))
    written = {pattern.write(Random(seed), surface) for seed in range(200)}
    assert len(written) == pattern.count() == 6
    assert all(expression.fullmatch(sentence) for sentence in written)
    assert [slot.role for slot in slots] == ["person", "place"]
    assert not expression.fullmatch("Anna swam to the park.")
    assert pattern.roles == {"person", "place"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a ] b", "outside of a choice"),
        ("a [b|c", "not closed"),
        ("a <none> b", "no macro <none>"),
        ("a {Person} b", "cannot be read"),
        ("<loop>", "contain each other"),
    ],
)
def test_a_wrong_pattern_is_refused_by_what_is_wrong(source, message):
    with pytest.raises(LabkitError, match=message):
        _ = Pattern(source, {"loop": "<loop>"}).nodes


def test_trie_matches_its_words_and_nothing_else():
    words = ["bank", "bakery", "ban", "park", "a.b"]
    expression = re.compile(trie_regex(words))
    assert all(expression.fullmatch(word) for word in words)
    assert not any(expression.fullmatch(word) for word in ("ba", "bakeryx", "axb", ""))


def test_numbers_in_words():
    assert [small_number(n) for n in (0, 13, 21, 100, 305, 4_700)] == [
        "zero", "thirteen", "twenty-one", "one hundred", "three hundred and five", "four thousand seven hundred",
    ]  # fmt: skip
    assert [small_number_zh(n) for n in (10, 12, 20, 105, 4_700)] == [
        "十",
        "十二",
        "二十",
        "一百零五",
        "四千七百",
    ]
    assert (with_article("umbrella"), with_article("wallet")) == ("an umbrella", "a wallet")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_surface_of_every_value_is_read_back(language):
    for one in types().values():
        for form, surfaces in one.forms[language].items():
            expression = re.compile(one.pattern(language, form))
            assert set(surfaces) == set(one.values()), (one.name, form)
            for value, texts in surfaces.items():
                for text in texts:
                    assert expression.fullmatch(text), (one.name, form, text)
                    assert value in one.read(text, language, form)


def test_plain_surfaces_mean_one_value_each():
    for language in LANGUAGES:
        for one in types().values():
            for surface_, values in one._meanings(language, "").items():
                assert len(values) == 1, (language, one.name, surface_, values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_grammar_is_complete_and_large(language):
    words = grammar(language)
    counts: dict[str, int] = {}
    for (use, _), constructions in words.constructions.items():
        counts[use] = counts.get(use, 0) + len(constructions)
    least = LEAST if language == "en" else LEAST_ZH
    assert all(counts[use] >= number for use, number in least.items()), counts
    for kind in KINDS:
        assert len(words.of("sentence", kind)) >= 4, kind
        assert len(words.of("note", kind)) == 1, kind
        assert words.module.QUESTIONS[kind], kind


@pytest.mark.parametrize("language", LANGUAGES)
def test_single_fact_sentences_are_free_of_slips_of_the_pen(language):
    """No doubled or missing blanks, no stray signs, whichever way the choices fall."""
    rng = Random(5)
    values = {name: one.values() for name, one in types().items()}
    for (use, name), constructions in grammar(language).constructions.items():
        for construction in constructions:
            for _ in range(4):
                roles = {role: rng.choice(values[kind]) for role, kind in construction.types.items()}
                text = construction.write(
                    rng, lambda r, f, c=construction, of=roles: c.value_type(r).write(of[r], language, f)
                )
                assert text == text.strip(), (use, name, text)
                assert "  " not in text, (use, name, text)
                assert not re.search(r" [,.;:!?，。；：！？]|,,|\.\.|，，|。。|，。|[<>{}\[\]|]", text), (
                    use,
                    name,
                    text,
                )
                if language == "en":
                    assert not re.search(r"\b[Aa] [aeiou]|\b[Aa]n (?!hour)[^aeiou\W]", text), text
                    assert not re.search(r"\b(\w+) \1\b", text), text
                    assert not text[0].islower(), text
                    if use in ("sentence", "colour"):
                        assert re.search(r'[.!?]"?$', text), text
                if use in ("sentence", "colour"):
                    assert len(town.split_sentences(text, language)) == 1, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_roles_that_a_sentence_needs_are_said_whichever_way_the_choices_fall(language):
    """Every role of a kind of fact is in the sentence's pattern or, with two kinds, in one they share."""
    for (use, name), constructions in grammar(language).constructions.items():
        if use == "note":
            for construction in constructions:
                assert construction.pattern.roles == set(types_of((name,))), name


def test_conditions_are_tied_to_kinds_and_are_kept():
    assert {kind for kind, _ in CONDITIONS.values()} <= set(KINDS)
    fact = town.Fact.of("price_change", goods="kite", place="toy_shop", old_price=500, price=600)
    text = "The price of the kite at the toy shop rose from 5.00 crowns to 6.00 crowns."
    assert town.check_text(text, [fact], "en").consistent == 1
    wrong = text.replace("rose", "fell")
    assert town.check_text(wrong, [fact], "en").verdicts[0].consistent is False


def told(construction: Construction, rng: Random) -> tuple[dict[str, Value], list[town.Fact]]:
    """Random values for the roles of a construction, such that its condition holds, and the facts they make."""
    while True:
        roles = {role: rng.choice(types()[kind].values()) for role, kind in construction.types.items()}
        facts = facts_of(construction, roles)
        people = [roles[role] for role, kind in construction.types.items() if kind == "person"]
        if all(construction.allows(fact) for fact in facts) and len(set(people)) == len(people):
            return roles, facts


def facts_of(construction: Construction, roles: dict[str, Value]) -> list[town.Fact]:
    return [town.Fact.of(kind, **{role: roles[role] for role in KINDS[kind]}) for kind in construction.kinds]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_construction_is_true_of_its_facts_and_false_of_any_other(language):
    """For each sentence and each role that it names: with another value in the facts it is not true any more."""
    rng = Random(8)
    changed = 0
    for (use, name), constructions in grammar(language).constructions.items():
        if use != "sentence":
            continue
        for construction in constructions:
            roles, facts = told(construction, rng)
            text = construction.write(
                rng, lambda r, f, c=construction, of=roles: c.value_type(r).write(of[r], language, f)
            )
            (verdict,) = town.check_text(text, facts, language).verdicts
            assert verdict.consistent is True, (name, text, facts)
            reading = construction.read(text)
            for role in construction.pattern.roles:
                if len(reading.bound.get(role, ())) != 1:
                    continue  # not named, or by a word that fits several (a weekday)
                other = rng.choice(
                    [one for one in construction.value_type(role).values() if one != roles[role]]
                )
                others = facts_of(construction, roles | {role: other})
                (verdict,) = town.check_text(text, others, language).verdicts
                assert verdict.consistent is not True, (name, role, text, others)
                changed += 1
    assert changed > 1_000


def test_unknown_languages_are_refused():
    with pytest.raises(LabkitError, match="not 'fr'"):
        Grammar("fr")
    with pytest.raises(LabkitError, match="not 'fr'"):
        town.split_sentences("Bonjour.", "fr")


def test_direct_speech_is_one_sentence():
    text = '"Is this your hat?" asked Anna Bell, and Tom Reed got it back. It was late. "Yes," she said.'
    assert len(town.split_sentences(text, "en")) == 3


def lost_hat() -> list[town.Fact]:
    return [
        town.Fact.of("lost", person="anna_bell", object="hat", place="station"),
        town.Fact.of("found", other="tom_reed", object="hat", place="station"),
    ]


@pytest.mark.parametrize(
    ("sentence", "grammatical", "consistent"),
    [
        ("Anna Bell lost her hat at the station.", True, True),
        ("She lost a hat at the station.", True, True),
        ("He lost a hat at the station.", True, False),
        ("Anna Bell lost his hat at the station.", False, None),
        ("Anna Bell lost her ring at the station.", True, False),
        ("Anna Bell lost her hat at the park.", True, False),
        ("Nora Fox lost her hat at the station.", True, False),
        ("Anna Bell lost her hat the station.", False, None),
        ("Tom Reed found the hat at the station.", True, True),
        ("Anna Bell found the hat at the station.", True, False),
        ("anna Bell lost her hat at the station.", False, None),
        ("Colourless green ideas sleep furiously.", False, None),
    ],
)
def test_the_judge_by_hand(sentence, grammatical, consistent):
    (verdict,) = town.check_text(sentence, lost_hat(), "en").verdicts
    assert (verdict.grammatical, verdict.consistent) == (grammatical, consistent)


def test_standing_facts_hold_where_the_given_ones_are_silent():
    world = town.World()
    (job,) = world.about("job", "anna_bell")
    place = types()["place"].write(job["place"], "en", "the")
    other = next(one for one in world.places if one != job["place"])
    work = types()["job"].write(job["job"], "en", "a")
    assert town.check_text(f"Anna Bell works as {work} at {place}.", [], "en").consistent == 1
    wrong = f"Anna Bell works as {work} at the {types()['place'].write(other, 'en')}."
    assert town.check_text(wrong, [], "en").consistent == 0


def test_an_answer_is_judged_by_its_question():
    facts = lost_hat()
    right = town.check_text("Q: Who found the hat?\nA: Tom Reed.", facts, "en")
    wrong = town.check_text("Q: Who found the hat?\nA: Anna Bell.", facts, "en")
    assert [one.consistent for one in right.verdicts] == [None, True]
    assert [one.consistent for one in wrong.verdicts] == [None, False]
    assert town.check_text("Tom Reed.", facts, "en").verdicts[0].grammatical


def test_notes_are_read_back_and_a_wrong_line_is_named():
    text = "Facts\nLost: Anna Bell, a hat, the station\nFound: Tom Reed, the hat, the station\nStory"
    assert town.parse_notes(text, "en") == lost_hat()
    with pytest.raises(LabkitError, match="Line 2"):
        town.parse_notes("Facts\nLost: Anna Bell a hat", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_patterns_compile_in_seconds(language):
    """Seconds, as a multiple of what ``re`` takes for a plain pattern: about 25 here, and machines differ by four."""
    unit = min(_seconds_of_a_plain_pattern() for _ in range(3))
    words = Grammar(language)
    start = time.process_time()
    for constructions in words.constructions.values():
        for construction in constructions:
            construction.read("".join(construction.pattern.anchors))
            construction.pattern.compile(
                lambda role, form, c=construction: c.value_type(role).pattern(c.language, form)
            )
    assert time.process_time() - start < 60 * unit


def _seconds_of_a_plain_pattern() -> float:
    """Of compiling 11,520 words, a quarter of a second."""
    words = [f"{a}{b}{n} {b}{a}" for a in "abcdefgh" for b in "ijklmnop" for n in range(90)]
    re.purge()
    start = time.process_time()
    re.compile(f"(?:{'|'.join(words)})\\b(?:{'|'.join(reversed(words))})")
    return time.process_time() - start


def test_keys_are_from_english_names():
    assert key("tailor's shop") == "tailor_s_shop"
