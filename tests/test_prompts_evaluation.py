"""Evaluation: rates and costs of a scripted backend, intervals over cases, and the paired test by hand."""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit import plots
from labkit.common import LabkitError
from labkit.metrics import bootstrap_interval
from labkit.prompts.evaluation import Results, Trial, Variant, compare, evaluate
from labkit.prompts.messages import Message, Reply, Settings
from labkit.prompts.schemas import Key, Schema
from labkit.prompts.templates import Template, final_answer


@dataclass(frozen=True)
class Outcome:
    success: bool
    reasons: tuple[str, ...]
    checks: dict[str, bool]


@dataclass(frozen=True)
class Sum:
    """A small case: add two numbers; the answer is right as digits, and ``format`` wants digits alone."""

    a: int
    b: int
    kind: str = "sum"

    def judge(self, answer):
        checks = {"faithful": str(self.a + self.b) in answer, "format": answer.strip().isdigit()}
        if self.kind == "odd":
            checks["odd"] = True
        reasons = tuple(name for name, passed in checks.items() if not passed)
        return Outcome(not reasons, reasons, checks)


@dataclass
class Calculator:
    """A backend that adds the numbers of the last line, and does as its prompt lets it: ``answer(a, b, text, seed)``."""

    answer: object = None
    name: str = "calculator"
    calls: list = field(default_factory=list)

    def complete(self, conversations, settings=None):
        self.calls.append((len(conversations), settings))
        replies = []
        for conversation in conversations:
            text = conversation[-1].content
            a, b = (int(word) for word in text.split() if word.isdigit())
            answer = (self.answer or plain_or_chatty)(a, b, text, settings.seed)
            replies.append(Reply(answer, len(text.split()), len(answer.split()), "stop"))
        return replies


def plain_or_chatty(a, b, text, seed):
    """Chatty unless told to write digits; wrong above 10 unless told to be careful."""
    total = a + b if a + b <= 10 or "careful" in text else a + b + 1
    return str(total) if "digits" in text else f"It is {total}."


def variant(name, words, **options):
    template = Template("{a} + {b}", parameters=words)
    return Variant(name, lambda case: template.render(a=case.a, b=case.b), **options)


CASES = [Sum(a, b) for a in range(1, 6) for b in range(6, 10)]  # 20, of which 10 add up to more than 10
VAGUE, DIGITS, BEST = variant("vague", ""), variant("digits", "digits"), variant("best", "careful digits")


# ---------------------------------------------------------------------------------------------------------------
# Running and counting


def test_rates_lengths_and_costs():
    results = evaluate([VAGUE, DIGITS, BEST], CASES, Calculator())
    small = sum(case.a + case.b <= 10 for case in CASES) / len(CASES)
    assert [results.success(name).mean for name in results.variants] == [0, small, 1]
    assert results.checks == ("faithful", "format")
    assert results.check("vague", "faithful").mean == small
    assert results.check("vague", "format").mean == 0
    assert results.check("digits", "format")[:] == (1, 1, 1, 20)
    assert results.prompt_tokens("vague").mean == 3
    assert results.prompt_tokens("best").mean == 5
    assert results.reply_tokens("vague").mean == 3
    assert results.characters("vague").mean == np.mean(
        [len(t.answer) for t in results.trials if t.variant == "vague"]
    )
    assert [trial.case for trial in results.failures("digits")] == [
        number for number, case in enumerate(CASES) if case.a + case.b > 10
    ]
    assert results.failures("digits")[0].reasons == ("faithful",)


def test_a_variant_is_asked_for_all_cases_at_once():
    backend = Calculator()
    evaluate([VAGUE, DIGITS], CASES, backend)
    assert backend.calls == [(20, Settings()), (20, Settings())]


def test_every_seed_runs_unless_the_answer_cannot_depend_on_it():
    backend = Calculator()
    own = variant("warm", "digits", settings=Settings(temperature=0.7, max_tokens=5))
    results = evaluate([VAGUE, own], CASES, backend, seeds=(3, 4))
    assert [call for _, call in backend.calls] == [
        Settings(seed=3),
        Settings(temperature=0.7, max_tokens=5, seed=3),
        Settings(temperature=0.7, max_tokens=5, seed=4),
    ]
    assert len(results.trials) == 60
    assert results.success("warm").cases == 20


def test_a_case_counts_once_whatever_the_seeds():
    """Its value is the mean over seeds, and more seeds do not make other cases: the interval stays as wide."""
    warm = Settings(temperature=1.0)
    once = evaluate([DIGITS], CASES, Calculator(), warm, seeds=(0,))
    often = evaluate([DIGITS], CASES, Calculator(), warm, seeds=range(8))
    assert once.success("digits") == often.success("digits")

    def lucky(a, b, text, seed):
        return str(a + b) if seed < 3 else "?"

    results = evaluate([DIGITS], CASES, Calculator(lucky), warm, seeds=range(4))
    np.testing.assert_allclose(results.scores("digits"), 0.75)


def test_the_interval_is_the_bootstrap_over_cases():
    results = evaluate([DIGITS], CASES, Calculator())
    estimate = results.success("digits")
    values = [float(case.a + case.b <= 10) for case in CASES]
    assert estimate[:3] == bootstrap_interval(values)
    spread = 1.96 * math.sqrt(np.var(values) / len(values))  # of the normal approximation
    assert estimate.high - estimate.low == pytest.approx(2 * spread, rel=0.1)


def test_one_case_has_no_interval():
    results = evaluate([BEST], CASES[:1], Calculator())
    assert results.success("best").mean == 1
    assert math.isnan(results.success("best").low)
    assert results.table().rows[0][:4] == ["best", "1", "1.00", "-"]


def test_the_answer_is_taken_out_before_it_is_judged():
    def aloud(a, b, text, seed):
        return f"First {a}, then {b}.\nAnswer: {a + b}"

    plain, taken = VAGUE, variant("taken", "", extract=final_answer)
    results = evaluate([plain, taken], CASES, Calculator(aloud))
    assert results.success("vague").mean == 0
    assert results.success("taken").mean == 1
    assert results.characters("taken").mean < 3


def test_a_schema_sends_an_answer_back_and_both_replies_are_paid():
    schema = Schema((Key("sum", "int"),))

    class Careless(Calculator):
        def complete(self, conversations, settings=None):
            self.calls.append((len(conversations), settings))
            again = ["cannot be used" in conversation[-1].content for conversation in conversations]
            return [Reply('{"sum": 1}' if second else "one", 10, 2, "stop") for second in again]

    backend = Careless()
    mended = Variant("mended", VAGUE.build, schema=lambda case: schema)
    results = evaluate([VAGUE, mended], CASES, backend)
    assert [count for count, _ in backend.calls] == [20, 20, 20]
    assert {trial.answer for trial in results.trials if trial.variant == "mended"} == {'{"sum": 1}'}
    assert {trial.attempts for trial in results.trials if trial.variant == "mended"} == {2}
    assert results.prompt_tokens("mended").mean == 20
    assert results.reply_tokens("vague").mean == 2


def test_groups_of_cases():
    cases = [Sum(a, 3, "odd" if a % 2 else "even") for a in range(1, 9)]
    results = evaluate([DIGITS, BEST], cases, Calculator())
    parts = results.by(lambda case: case.kind)
    assert list(parts) == ["odd", "even"]
    assert [len(part.cases) for part in parts.values()] == [4, 4]
    assert parts["odd"].success("digits").mean == 1
    assert parts["even"].success("digits").mean == 0.75  # 8 + 3 is more than 10
    assert [trial.case for trial in parts["even"].failures("digits")] == [3]
    assert results.check("best", "odd") == (1, 1, 1, 4)


# ---------------------------------------------------------------------------------------------------------------
# What is refused


class Lazy(Calculator):
    def complete(self, conversations, settings=None):
        return super().complete(conversations, settings)[:-1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([], CASES, Calculator()), "at least one Variant"),
        (([VAGUE.build], CASES, Calculator()), "at least one Variant"),
        (([VAGUE], [], Calculator()), "There are no cases"),
        (([VAGUE, BEST, VAGUE], CASES, Calculator()), "The variant 'vague' is there twice"),
        (([VAGUE], CASES, Calculator(), Settings(), ()), "seeds is empty"),
        (([VAGUE], CASES, Calculator(), Settings(), (1, 1)), "The seed 1 is there twice"),
        (([VAGUE], CASES, Calculator(), Settings(), (-1,)), "seed must be"),
        (([VAGUE], CASES, Lazy()), "'calculator' gave 19 replies to 20"),
        (
            ([Variant("text", lambda case: "Hi")], CASES, Calculator()),
            "The variant 'text', at case 0: A conv",
        ),
        (([Variant("none", lambda case: [])], CASES, Calculator()), "The variant 'none', at case 0: A conv"),
        (
            ([Variant("field", lambda case: Template("{a} {c}").render(a=1))], CASES, Calculator()),
            "The variant 'field', at case 0: The template needs the field 'c'",
        ),
        (([variant("loose", "", schema=lambda case: None)], CASES, Calculator()), "must return a Schema"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(arguments, says):
    with pytest.raises(LabkitError, match=says):
        evaluate(*arguments)


def test_nothing_is_asked_before_the_plan_is_known_to_work():
    backend = Calculator()
    with pytest.raises(LabkitError):
        evaluate([VAGUE, Variant("none", lambda case: [])], CASES, backend)
    assert backend.calls == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": ""}, "name of a variant"),
        ({"build": "Hi"}, "build of the variant 'a'"),
        ({"build": None}, "build of the variant 'a'"),
        ({"schema": Schema((Key("a"),))}, "schema of the variant 'a'"),
        ({"extract": "x"}, "extract of the variant 'a'"),
    ],
)
def test_wrong_variants_are_refused(wrong, says):
    with pytest.raises(LabkitError, match=says):
        Variant(**{"name": "a", "build": VAGUE.build} | wrong)


def test_unknown_names_are_refused():
    results = evaluate([VAGUE], CASES, Calculator())
    with pytest.raises(LabkitError, match="no variant 'best'. There are: vague."):
        results.compare("vague", "best")
    with pytest.raises(LabkitError, match="check 'color'. There are: faithful, format."):
        results.check("vague", "color")


# ---------------------------------------------------------------------------------------------------------------
# Is this luck?


def sign_test(wins, losses):
    """Two-sided, by counting: twice the smaller tail of a fair coin, at most 1."""
    n, least = wins + losses, min(wins, losses)
    return min(1, 2 * sum(math.comb(n, k) for k in range(least + 1)) / 2**n)


def pair(wins, losses, both, neither):
    ours = [1] * wins + [0] * losses + [1] * both + [0] * neither
    theirs = [0] * wins + [1] * losses + [1] * both + [0] * neither
    return ours, theirs


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((12, 1, 20, 7), "better"),
        ((1, 12, 20, 7), "worse"),
        ((4, 4, 5, 5), "unclear"),
        ((6, 1, 20, 3), "unclear"),  # the interval is clear of zero, and the test says 0.125
        ((5, 0, 0, 0), "unclear"),  # five of five is no proof: 0.0625
        ((6, 0, 0, 0), "better"),
        ((0, 0, 10, 10), "unclear"),
    ],
)
def test_mcnemar_by_hand(counts, verdict):
    found = compare(*pair(*counts))
    assert (found.wins, found.losses, found.ties) == (counts[0], counts[1], counts[2] + counts[3])
    assert found.p == pytest.approx(sign_test(*counts[:2]), abs=1e-12)
    assert found.difference == pytest.approx((counts[0] - counts[1]) / sum(counts))
    assert found.low <= found.difference <= found.high
    assert found.verdict == verdict


def test_the_interval_of_the_difference_is_that_of_pairs():
    """Two variants that fail on the same hard cases: apart their intervals overlap, paired the difference is clear."""
    ours, theirs = pair(8, 0, 12, 20)
    found = compare(ours, theirs)
    values = np.subtract(ours, theirs)
    spread = 1.96 * math.sqrt(values.var() / len(values))
    assert found.high - found.low == pytest.approx(2 * spread, rel=0.1)
    assert found.low > 0
    assert bootstrap_interval(ours)[1] < bootstrap_interval(theirs)[2]


def test_many_small_wins_do_not_outweigh_a_loss_of_the_mean():
    """The sign test alone would say better where the mean is lower."""
    ours, theirs = [0.6] * 9 + [0.0] * 4, [0.5] * 9 + [1.0] * 4
    assert compare(ours, theirs).difference < 0
    assert compare(ours, theirs).verdict == "unclear"
    small, large = [0.55] * 12 + [0.0] * 2, [0.5] * 12 + [1.0] * 2
    assert compare(small, large).p < 0.05
    assert compare(small, large).verdict == "unclear"


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from([0, 0.5, 1]), st.sampled_from([0, 0.5, 1])), min_size=2, max_size=30)
)
def test_the_other_way_round(pairs):
    ours, theirs = zip(*pairs, strict=True)
    there, back = compare(ours, theirs), compare(theirs, ours)
    assert (there.wins, there.losses, there.p) == (back.losses, back.wins, back.p)
    assert there.difference == -back.difference
    assert {"better": "worse", "worse": "better", "unclear": "unclear"}[there.verdict] == back.verdict
    assert there.p == pytest.approx(sign_test(there.wins, there.losses), abs=1e-12)


@pytest.mark.parametrize("wrong", [([1], [0]), ([1, 0], [1]), ([[1, 0]], [[0, 1]]), ([], [])])
def test_what_cannot_be_compared_is_refused(wrong):
    with pytest.raises(LabkitError, match="two lists of scores on the same cases"):
        compare(*wrong)


def test_the_verdict_in_words(monkeypatch):
    results = evaluate([DIGITS, BEST], CASES, Calculator())
    monkeypatch.setenv("LABKIT_LANG", "en")
    assert results.compare("best", "digits").explain() == (
        "Of 20 cases, best gets 100% right and digits 50%: +50 points (95 % interval +30 to +70). best does better "
        "on 10 cases and worse on 0. If both were equally good, the probability of a split this uneven would be "
        "0.002. best is better, and that is hardly luck."
    )
    assert "less than 0.001" in compare(*pair(30, 0, 0, 0)).explain()
    monkeypatch.setenv("LABKIT_LANG", "zh")
    text = compare(*pair(2, 1, 5, 5), "甲", "乙").explain()
    assert text.startswith("共 13 道题，“甲”答对 54%，“乙”答对 46%，相差 +8 个百分点")
    assert text.endswith("这可能只是运气：要有更多题目，或者更大的差距，才能下结论。")


# ---------------------------------------------------------------------------------------------------------------
# Table and figure


def test_the_table_has_a_row_for_each_variant():
    table = evaluate([VAGUE, DIGITS], CASES, Calculator()).table()
    assert table.columns == [
        "variant", "cases", "success", "95 % interval", "faithful", "format", "characters", "prompt tokens", "reply tokens",
    ]  # fmt: skip
    assert table.rows == [
        ["vague", "20", "0.00", "0.00 to 0.00", "0.50", "0.00", "8.7", "3.0", "3.0"],
        ["digits", "20", "0.50", "0.30 to 0.70", "0.50", "1.00", "1.7", "4.0", "1.0"],
    ]
    assert repr(table).splitlines()[0].startswith("variant  cases")
    assert "<td>digits</td>" in table._repr_html_()


def test_a_table_without_some_checks():
    results = evaluate([VAGUE], CASES, Calculator())
    assert results.table(checks=["format"]).columns[3:6] == ["95 % interval", "format", "characters"]
    assert len(results.table(checks=()).rows[0]) == 7


def test_a_check_that_a_variant_never_met_has_no_share():
    trials = (
        Trial("a", 0, 0, "x", True, (), {"format": True}, 1, 1, 1),
        Trial("b", 0, 0, "x", True, (), {}, 1, 1, 1),
    )
    results = Results((None,), ("a", "b"), trials)
    assert [row[4] for row in results.table().rows] == ["1.00", "-"]
    assert results.check("b", "format").cases == 0


def test_the_figure_shows_rates_and_intervals():
    results = evaluate([VAGUE, DIGITS], CASES, Calculator())
    ax = results.figure("Sums")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["vague", "digits"]
    assert [bar.get_height() for bar in ax.patches] == [0, 0.5]
    (errors,) = [c for c in ax.containers if hasattr(c, "has_yerr")]
    low, high = errors.lines[2][0].get_segments()[1][:, 1]
    assert (low, high) == pytest.approx(results.success("digits")[1:3])
    assert plots.to_png(ax)


@pytest.mark.parametrize("font", ["DejaVu Sans", None])
def test_chinese_names_need_a_font(monkeypatch, font):
    monkeypatch.setattr(plots, "chinese_font", lambda: font)
    trials = [
        Trial(name, case, 0, "", True, (), {}, 1, 1, 1) for name in ("清楚", "vague") for case in range(2)
    ]
    ax = Results((None, None), ("清楚", "vague"), tuple(trials)).figure()
    labels = ax.get_xticklabels()
    assert [label.get_text() for label in labels] == ["清楚" if font else "#1", "vague"]
    assert font is None or labels[0].get_fontfamily() == [font, "DejaVu Sans"]
    if font is None:
        assert plots.to_png(ax)  # no warning of characters that are not there


def test_messages_reach_the_backend_as_they_were_built():
    seen = []

    class Listening(Calculator):
        def complete(self, conversations, settings=None):
            seen.extend(conversations)
            return super().complete(conversations, settings)

    evaluate([Variant("tuple", lambda case: (Message("user", f"{case.a} {case.b}"),))], CASES, Listening())
    assert seen == [[Message("user", f"{case.a} {case.b}")] for case in CASES]
