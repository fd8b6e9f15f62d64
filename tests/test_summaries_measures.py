"""ROUGE, fragments, claims and faithfulness against values worked out by hand, and against rouge-score where it is."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score import rouge_scorer

from labkit.common import LabkitError
from labkit.summaries.claims import claims, read_hanzi
from labkit.summaries.faithfulness import support, town_names
from labkit.summaries.fragments import compression, provenance
from labkit.summaries.gold import gold
from labkit.summaries.rouge import (
    KINDS,
    longest_common_subsequence,
    mean_f1,
    rouge,
    rouge_l,
    rouge_n,
    tokenize,
)

WORDS = st.lists(st.sampled_from("abc"), max_size=5)


# --- ROUGE -----------------------------------------------------------------------------------------------------


def test_rouge_of_an_example_worked_by_hand():
    """Shared: the, cat, the, mat (4 of 6 and 6); bigrams: the cat, the mat (2 of 5 and 5); LCS: the cat the mat."""
    scores = rouge("The cat lay by the mat.", "the cat sat on the mat")
    assert scores["rouge1"] == pytest.approx((4 / 6, 4 / 6, 4 / 6))
    assert scores["rouge2"] == pytest.approx((2 / 5, 2 / 5, 2 / 5))
    assert scores["rougeL"] == pytest.approx((4 / 6, 4 / 6, 4 / 6))


def test_a_repeated_word_counts_as_often_as_both_have_it():
    score = rouge_n(["the"] * 4, ["the", "cat"], 1)
    assert score == pytest.approx((1 / 4, 1 / 2, 1 / 3))


def test_order_matters_to_rouge_l_alone():
    ours, theirs = ["police", "killed", "the", "gunman"], ["the", "gunman", "police", "killed"]
    assert rouge_n(ours, theirs, 1).f1 == 1
    assert rouge_l(ours, theirs).f1 == pytest.approx(2 / 4)


def test_chinese_is_scored_by_hanzi():
    """An ASCII tokenizer finds no token here and would say 0. Shared: 市, 政, 厅, 明, 开; LCS the same five."""
    assert tokenize("市政厅3月开门。") == ["市", "政", "厅", "3", "月", "开", "门"]
    score = rouge("市政厅明天开会", "市政厅开放至明年")["rouge1"]
    assert score == pytest.approx((5 / 7, 5 / 8, 2 * 5 / (7 + 8)))
    assert rouge("市政厅明天开会", "市政厅开放至明年")["rougeL"].precision == pytest.approx(4 / 7)


def test_equal_to_the_package_rouge_score():
    theirs = rouge_scorer.RougeScorer(list(KINDS), use_stemmer=False)
    reports = gold("en")
    pairs = [(a.summary, b.article) for a in reports[:4] for b in reports[:4]]
    pairs += [("", "a b"), ("a", ""), ("...", "!"), ("It's 3.50, isn't it?", "its 3 50")]
    for summary, reference in pairs:
        expected = theirs.score(reference, summary)
        for kind, score in rouge(summary, reference).items():
            assert score == pytest.approx(tuple(expected[kind]), abs=1e-12), (kind, summary)


def recursive_lcs(one: tuple, other: tuple) -> int:
    """Straight from the definition."""
    if not one or not other:
        return 0
    if one[0] == other[0]:
        return 1 + recursive_lcs(one[1:], other[1:])
    return max(recursive_lcs(one[1:], other), recursive_lcs(one, other[1:]))


@given(WORDS, WORDS)
@settings(max_examples=60, deadline=None)
def test_rouge_by_its_algebra(one, other):
    assert longest_common_subsequence(one, other) == recursive_lcs(tuple(one), tuple(other))
    for score, back in (
        (rouge_n(one, other, 1), rouge_n(other, one, 1)),
        (rouge_n(one, other, 2), rouge_n(other, one, 2)),
        (rouge_l(one, other), rouge_l(other, one)),
    ):
        assert all(0 <= value <= 1 for value in score)
        assert (score.precision, score.recall) == (back.recall, back.precision)
        assert score.f1 == pytest.approx(back.f1)
    assert rouge_l(one, other).f1 <= rouge_n(one, other, 1).f1 + 1e-12
    if one:
        assert rouge_n(one, one, 1).f1 == rouge_l(one, one).f1 == 1


def test_wrong_use_is_said_plainly():
    with pytest.raises(LabkitError, match="two texts"):
        rouge(None, "a")
    with pytest.raises(LabkitError, match="n is 0"):
        rouge_n("a", "b", 0)
    with pytest.raises(LabkitError, match="no scores"):
        mean_f1([])
    assert mean_f1([rouge("a", "a"), rouge("a", "b")])["rouge1"] == pytest.approx(0.5)


# --- Fragments -------------------------------------------------------------------------------------------------


def test_fragments_of_an_example_worked_by_hand():
    """Tokens: "the council" (2) and "48,000 crowns", of 48, 000 and crowns (3); "pays" is new: 5 of 6 are covered."""
    article = "On Tuesday the council agreed. It costs 48,000 crowns in all."
    summary = "The council pays 48,000 crowns."
    found = provenance(summary, article)
    assert [(summary[slice(*f.summary)], article[slice(*f.article)]) for f in found.fragments] == [
        ("The council", "the council"),
        ("48,000 crowns", "48,000 crowns"),
    ]
    assert found.coverage == pytest.approx(5 / 6)
    assert found.density == pytest.approx((2**2 + 3**2) / 6)
    assert found.compression == pytest.approx(12 / 6) == compression(summary, article)


def test_the_longest_fragment_is_taken_and_not_the_first():
    found = provenance("a b c", "a b x a b c")
    assert [fragment.tokens for fragment in found.fragments] == [3]
    assert found.fragments[0].article == (8 - 2, 11)


@given(
    st.text(st.sampled_from("ab 天气。."), max_size=12), st.text(st.sampled_from("ab 天气。."), max_size=20)
)
@settings(max_examples=60, deadline=None)
def test_fragments_are_equal_words_in_order(summary, article):
    if not tokenize(summary) or not tokenize(article):
        with pytest.raises(LabkitError, match="no words"):
            provenance(summary, article)
        return
    found = provenance(summary, article)
    assert 0 <= found.coverage <= 1
    assert found.coverage <= found.density + 1e-12
    ends = [f.summary for f in found.fragments]
    assert ends == sorted(ends)
    for fragment in found.fragments:
        ours, theirs = summary[slice(*fragment.summary)], article[slice(*fragment.article)]
        assert tokenize(ours) == tokenize(theirs)
        assert len(tokenize(ours)) == fragment.tokens


# --- Claims ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("for 48,000 crowns", "number", 48000.0),
        ("5.4 million", "number", 5.4e6),
        ("two hundred and twelve doors", "number", 212.0),
        ("twenty-two years", "number", 22.0),
        ("three thousand and five", "number", 3005.0),
        ("its fortieth birthday", "number", 40.0),
        ("the 27th attempt", "number", 27.0),
        ("on 3 June", "date", (6, 3)),
        ("on June 3rd", "date", (6, 3)),
        ("last October", "date", (10, 0)),
        ("on Tuesday", "date", "tuesday"),
        ("at 18:30", "time", 390),
        ("at half past six", "time", 390),
        ("at a quarter to seven", "time", 405),
        ("at ten o'clock", "time", 600),
    ],
)
def test_english_claims(text, kind, value):
    assert [(claim.kind, claim.value) for claim in claims(text, "en")] == [(kind, value)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("拨款8.6万克朗", "number", 86000.0),
        ("二十七册", "number", 27.0),
        ("一千四百零五人", "number", 1405.0),
        ("五万八千张", "number", 58000.0),
        ("一九二三年", "number", 1923.0),
        ("两家", "number", 2.0),
        ("12月1日起", "date", (12, 1)),
        ("十二月一日", "date", (12, 1)),
        ("3月底", "date", (3, 0)),
        ("每周五", "date", 4),
        ("星期天", "date", 6),
        ("晚上六点半", "time", 390),
        ("四点十分", "time", 250),
        ("下午18:30", "time", 390),
        ("《河边夜话》", "name", "河边夜话"),
        ("安娜·贝尔说", "name", "安娜·贝尔说"[:5]),
    ],
)
def test_chinese_claims(text, kind, value):
    found = [(claim.kind, claim.value) for claim in claims(text, "zh", ("安娜·贝尔",))]
    assert found == [(kind, value)]


@pytest.mark.parametrize("text", ["one of them", "at first", "I was there", "The lift stood still."])
def test_english_words_that_claim_nothing(text):
    assert claims(text, "en") == []


@pytest.mark.parametrize("text", ["有一点冷", "等一下", "十分高兴", "万一下雨", "百姓"])
def test_chinese_words_that_claim_nothing(text):
    assert claims(text, "zh") == []


@given(st.integers(0, 99_999_999))
@settings(max_examples=80, deadline=None)
def test_hanzi_numerals_are_read_back(number):
    """Written here by another rule: digit by digit, with a 零 for each run of zeros."""
    digits = "零一二三四五六七八九"

    def below_ten_thousand(value: int) -> str:
        text, gap = "", False
        for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
            digit = value // unit % 10
            if digit:
                text += ("零" if gap and text else "") + digits[digit] + name
            gap = digit == 0
        return text

    high, low = divmod(number, 10_000)
    text = below_ten_thousand(high) + "万" if high else ""
    text += ("零" if high and 0 < low < 1000 else "") + below_ten_thousand(low)
    if text not in ("", "一"):
        assert read_hanzi(text) == number


def test_names_of_english():
    text = "Mr Reed met Clara Stone's aunt in North Street. Then Wu Guoqiang sang."
    assert [claim.text for claim in claims(text, "en") if claim.kind == "name"] == [
        "Reed", "Clara Stone's", "North Street", "Wu Guoqiang",
    ]  # fmt: skip


# --- Faithfulness ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_summary_by_hand_is_supported(language):
    wrong = [(report.id, support(report.summary, report.article).unsupported) for report in gold(language)]
    assert not [one for one in wrong if one[1]]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_summary_of_another_report_is_not_supported(language):
    """What finds nothing to object to in wrong summaries measures nothing."""
    reports = gold(language)
    pairs = list(zip(reports, reports[1:] + reports[:1], strict=True))
    found = [support(one.summary, other.article) for one, other in pairs]
    shares = [one.share for one in found if one.claims]
    assert sum(shares) / len(shares) < 0.35
    assert sum(len(one.claims) for one in found) > 2.5 * len(found)


@pytest.mark.parametrize(
    ("summary", "missing"),
    [
        ("Tom Reed won on 3 June.", []),
        ("Reed won in June.", []),
        ("Tom Hart won on 3 June.", ["Tom Hart"]),
        ("Tom Reed won on 4 June.", ["4 June"]),
        ("Tom Reed won 13 crowns.", ["13"]),
        ("Tom Reed won thirty crowns at half past six.", []),
        ("Lucy Hart won 3,000 crowns on Monday.", ["3,000", "Monday"]),
        ("Tom Reed won at 6:30 at the harbour.", ["harbour"]),
    ],
)
def test_what_an_english_article_does_not_say_is_found(summary, missing):
    article = "On 3 June at 18:30 Tom Reed beat Lucy Hart at the stadium. He got 30 crowns."
    assert [claim.text for claim in support(summary, article).unsupported] == missing


@pytest.mark.parametrize(
    ("summary", "missing"),
    [
        ("林晓雨6月3日获30克朗。", []),
        ("晓雨获三十克朗。", []),
        ("林晓雨6月4日获胜。", ["6月4日"]),
        ("王建国获13克朗。", ["王建国", "13"]),
        ("汤姆·里德在医院获胜。", ["汤姆·里德", "医院"]),
    ],
)
def test_what_a_chinese_article_does_not_say_is_found(summary, missing):
    article = "6月3日晚上六点半，林晓雨在体育场夺冠，奖金30克朗。"
    assert [claim.text for claim in support(summary, article).unsupported] == missing


def test_names_of_the_town_are_known_and_others_can_be_given():
    assert {"Anna Bell", "Anna", "Market Square", "library"} <= set(town_names("en"))
    assert support("苏沐夺冠。", "叶青青夺冠。").claims == ()
    assert support("苏沐夺冠。", "叶青青夺冠。", names=("苏沐", "叶青青")).share == 0


def test_changed_figures_are_found():
    """Each digit of each summary replaced by another one: nearly all such numbers are not in the article."""
    rng = random.Random(0)
    numbers = changed = 0
    for report in gold("en"):
        for claim in claims(report.summary, "en"):
            if claim.kind == "number" and claim.text[0].isdigit():
                wrong = report.summary.replace(claim.text, str(rng.randrange(10_000, 99_999)), 1)
                numbers += 1
                changed += bool(support(wrong, report.article).unsupported)
    assert numbers > 40
    assert changed >= 0.97 * numbers
