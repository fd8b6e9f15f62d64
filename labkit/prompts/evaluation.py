"""Which prompt is better, and is that luck: variants x cases x seeds -> rates with intervals, and a paired test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from labkit import plots
from labkit.common import LabkitError, say
from labkit.metrics import bootstrap_interval, paired_bootstrap
from labkit.progress import progress_bar
from labkit.prompts.messages import GREEDY, Backend, Message, Reply, Settings, check_conversation
from labkit.prompts.schemas import Schema, ask_all, replies_of
from labkit.results import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIGNIFICANCE = 0.05  # the level that goes with a 95 % interval


class Outcome(Protocol):
    """What a judge found: whether the answer is right, why not, and each single check by name."""

    success: bool
    reasons: tuple[str, ...]
    checks: Mapping[str, bool]


class Case(Protocol):
    """A task with a judge that knows the facts behind it."""

    def judge(self, answer: str) -> Outcome: ...


@dataclass(frozen=True)
class Variant:
    """One way to prompt: ``build`` words a case as messages.

    What belongs to a prompt beside its words: ``settings`` of its own (by default those of the evaluation); a
    ``schema`` for a case, by which an answer that does not fit is sent back once; ``extract``, which takes the
    answer out of the reply before it is judged, as ``templates.final_answer`` does after thinking aloud.
    """

    name: str
    build: Callable[[Any], Sequence[Message]]
    settings: Settings | None = None
    schema: Callable[[Any], Schema] | None = None
    extract: Callable[[str], str] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise LabkitError(f"name of a variant must be a text that is not empty, and is {self.name!r}.")
        for field in ("build", "schema", "extract"):
            value = getattr(self, field)
            if not callable(value) and not (value is None and field != "build"):
                raise LabkitError(
                    f"{field} of the variant {self.name!r} must be a function, and is {value!r}."
                )


@dataclass(frozen=True)
class Trial:
    """One answer of one variant to one case (its number), and what was found. Tokens include a repair's."""

    variant: str
    case: int
    seed: int
    answer: str
    success: bool
    reasons: tuple[str, ...]
    checks: Mapping[str, bool]
    prompt_tokens: int
    reply_tokens: int
    attempts: int


class Estimate(NamedTuple):
    """A mean over cases with its 95 % interval (nan from a single case)."""

    mean: float
    low: float
    high: float
    cases: int


# ---------------------------------------------------------------------------------------------------------------
# Running


def evaluate(
    variants: Sequence[Variant],
    cases: Sequence[Case],
    backend: Backend,
    settings: Settings = GREEDY,
    seeds: Sequence[int] = (0,),
) -> Results:
    """Let every variant answer every case, once for each seed, and judge the answers.

    The backend gets one call for each variant and seed. With temperature 0 the seed changes nothing, so such a
    variant runs with the first seed alone. Raises LabkitError for no variants or cases, a name or a seed that
    is there twice, messages that are no conversation, and a backend that answers too few.
    """
    variants, cases, seeds = list(variants), list(cases), list(seeds)
    _check_plan(variants, cases, seeds)
    plan = []
    for variant in variants:
        own = variant.settings or settings
        plan += [(variant, replace(own, seed=seed)) for seed in (seeds if own.temperature > 0 else seeds[:1])]
    trials: list[Trial] = []
    conversations = {variant.name: _conversations(variant, cases) for variant in variants}
    with progress_bar(len(plan) * len(cases), "evaluate", unit="answer") as bar:
        for variant, own in plan:
            answers = _answers(variant, cases, conversations[variant.name], backend, own)
            trials += [
                _judged(variant, number, case, replies, own.seed)
                for number, (case, replies) in enumerate(zip(cases, answers, strict=True))
            ]
            bar.update(len(cases))
    return Results(tuple(cases), tuple(variant.name for variant in variants), tuple(trials))


def _check_plan(variants: list[Variant], cases: list[Case], seeds: list[int]) -> None:
    if not variants or not all(isinstance(variant, Variant) for variant in variants):
        raise LabkitError("variants must be a list of at least one Variant, as in [Variant('plain', build)].")
    if not cases:
        raise LabkitError("There are no cases. Give at least one task with its judge.")
    if not seeds:
        raise LabkitError("seeds is empty. Give at least one, as in seeds=(0,).")
    for what, values in (("variant", [variant.name for variant in variants]), ("seed", seeds)):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise LabkitError(f"The {what} {twice!r} is there twice. Give each {what} once.")


def _conversations(variant: Variant, cases: list[Case]) -> list[list[Message]]:
    conversations = []
    for number, case in enumerate(cases):
        try:
            messages = variant.build(case)
            check_conversation(messages)
        except LabkitError as error:
            raise LabkitError(f"The variant {variant.name!r}, at case {number}: {error}") from error
        conversations.append(list(messages))
    return conversations


def _answers(
    variant: Variant,
    cases: list[Case],
    conversations: list[list[Message]],
    backend: Backend,
    settings: Settings,
) -> list[tuple[Reply, ...]]:
    """The replies to each case: one, or two where the first did not fit the schema."""
    if variant.schema is None:
        return [(reply,) for reply in replies_of(backend, conversations, settings)]
    schemas = [variant.schema(case) for case in cases]
    if not all(isinstance(schema, Schema) for schema in schemas):
        raise LabkitError(f"schema of the variant {variant.name!r} must return a Schema for every case.")
    parsed = ask_all(backend, conversations, schemas, settings)
    return [answer.replies for answer in parsed]


def _judged(variant: Variant, number: int, case: Case, replies: tuple[Reply, ...], seed: int) -> Trial:
    text = replies[-1].text
    answer = text if variant.extract is None else variant.extract(text)
    outcome = case.judge(answer)
    return Trial(
        variant=variant.name,
        case=number,
        seed=seed,
        answer=answer,
        success=bool(outcome.success),
        reasons=tuple(outcome.reasons),
        checks=dict(outcome.checks),
        prompt_tokens=sum(reply.prompt_tokens for reply in replies),
        reply_tokens=sum(reply.reply_tokens for reply in replies),
        attempts=len(replies),
    )


# ---------------------------------------------------------------------------------------------------------------
# Results


@dataclass(frozen=True)
class Results:
    """What an evaluation found. A case counts once: its value is the mean over the seeds.

    Intervals hold the middle 95 % of means over cases drawn anew (percentile bootstrap): they say how far the
    rate would move with other cases of the same kind. One of only successes has no width, and from fewer than
    20 cases they are too narrow; the test in ``compare`` is exact.
    """

    cases: tuple[Case, ...]
    variants: tuple[str, ...]
    trials: tuple[Trial, ...]

    def success(self, variant: str) -> Estimate:
        """The share of successes."""
        return self._estimate(variant, lambda trial: trial.success)

    def check(self, variant: str, name: str) -> Estimate:
        """The share of answers that pass a check, such as format or faithfulness, among cases that have it."""
        if name not in self.checks:
            raise LabkitError(
                f"No case has the check {name!r}. There are: {', '.join(self.checks) or 'none'}."
            )
        return self._estimate(variant, lambda trial: trial.checks.get(name))

    def characters(self, variant: str) -> Estimate:
        """The length of an answer in characters."""
        return self._estimate(variant, lambda trial: len(trial.answer))

    def prompt_tokens(self, variant: str) -> Estimate:
        """The cost of an answer in tokens read, by the backend's count, with those of a repair."""
        return self._estimate(variant, lambda trial: trial.prompt_tokens)

    def reply_tokens(self, variant: str) -> Estimate:
        """The cost of an answer in tokens written, with those of a repair."""
        return self._estimate(variant, lambda trial: trial.reply_tokens)

    @property
    def checks(self) -> tuple[str, ...]:
        """The names of the checks that any case has."""
        return tuple(dict.fromkeys(name for trial in self.trials for name in trial.checks))

    def scores(self, variant: str) -> np.ndarray:
        """The success of each case (cases,), in [0, 1]."""
        return self._by_case(variant, lambda trial: trial.success)

    def failures(self, variant: str) -> list[Trial]:
        """The answers that failed, to read why."""
        return [trial for trial in self._of(variant) if not trial.success]

    def compare(self, variant: str, baseline: str) -> Comparison:
        """Is ``variant`` better than ``baseline`` on the same cases, or is that luck?"""
        return compare(self.scores(variant), self.scores(baseline), variant, baseline)

    def by(self, key: Callable[[Any], str]) -> dict[str, Results]:
        """The results apart for each group of cases: ``results.by(lambda case: case.kind)``."""
        groups: dict[str, list[int]] = {}
        for number, case in enumerate(self.cases):
            groups.setdefault(key(case), []).append(number)
        parts = {}
        for name, numbers in groups.items():
            place = {number: index for index, number in enumerate(numbers)}
            trials = [replace(t, case=place[t.case]) for t in self.trials if t.case in place]
            parts[name] = Results(tuple(self.cases[n] for n in numbers), self.variants, tuple(trials))
        return parts

    def table(self, checks: Sequence[str] | None = None, digits: int = 2) -> ResultTable:
        """A row for each variant; a notebook shows it as a table. ``checks``: by default all."""
        checks = self.checks if checks is None else checks
        columns = ["variant", "cases", "success", "95 % interval", *checks]
        columns += ["characters", "prompt tokens", "reply tokens"]
        rows = []
        for name in self.variants:
            success = self.success(name)
            interval = f"{success.low:.{digits}f} to {success.high:.{digits}f}" if success.cases > 1 else "-"
            shares = [
                self._by_case(name, lambda trial, check=check: trial.checks.get(check)) for check in checks
            ]
            sizes = [
                self._by_case(name, lambda trial: len(trial.answer)),
                self._by_case(name, lambda trial: trial.prompt_tokens),
                self._by_case(name, lambda trial: trial.reply_tokens),
            ]
            rows.append(
                [name, str(success.cases), f"{success.mean:.{digits}f}", interval]
                + [f"{share.mean():.{digits}f}" if len(share) else "-" for share in shares]
                + [f"{size.mean():.1f}" for size in sizes]
            )
        return ResultTable(columns, rows)

    def figure(self, title: str = "", ax: Axes | None = None) -> Axes:
        """The success rate of each variant, with its interval."""
        estimates = {name: self.success(name) for name in self.variants}
        ax = plots.bars(
            {name: estimate.mean for name, estimate in estimates.items()},
            ylabel="success rate",
            title=title,
            intervals={name: (estimate.low, estimate.high) for name, estimate in estimates.items()},
            ax=ax,
        )
        ax.set_ylim(0, 1.15)
        if not all(name.isascii() for name in self.variants):
            _write_chinese(ax, self.variants)
        return ax

    def _of(self, variant: str) -> list[Trial]:
        if variant not in self.variants:
            raise LabkitError(f"There is no variant {variant!r}. There are: {', '.join(self.variants)}.")
        return [trial for trial in self.trials if trial.variant == variant]

    def _by_case(self, variant: str, value: Callable[[Trial], float | None]) -> np.ndarray:
        """The mean of ``value`` over the seeds of each case (cases,), without the cases where it is None."""
        values: dict[int, list[float]] = {}
        for trial in self._of(variant):
            found = value(trial)
            if found is not None:
                values.setdefault(trial.case, []).append(float(found))
        return np.array([np.mean(values[case]) for case in sorted(values)])

    def _estimate(self, variant: str, value: Callable[[Trial], float | None]) -> Estimate:
        values = self._by_case(variant, value)
        if len(values) < 2:
            return Estimate(float(values[0]) if len(values) else np.nan, np.nan, np.nan, len(values))
        return Estimate(*bootstrap_interval(values), len(values))


class ResultTable(Table):
    """Rows of an evaluation; ``columns`` and ``rows`` are lists of texts."""

    def __init__(self, columns: list[str], rows: list[list[str]]):
        self.columns = columns
        self.rows = rows


def _write_chinese(ax: Axes, names: Sequence[str]) -> None:
    """Names of variants in a font that has their characters; where there is none, their number stands instead."""
    font = plots.chinese_font()
    if font is not None:
        ax.set_xticks(range(len(names)), names, fontfamily=[font, "DejaVu Sans"])
    else:
        shown = [name if name.isascii() else f"#{number}" for number, name in enumerate(names, 1)]
        ax.set_xticks(range(len(names)), shown)


# ---------------------------------------------------------------------------------------------------------------
# Is this luck?


@dataclass(frozen=True)
class Comparison:
    """A variant beside a baseline on the same cases.

    ``difference`` of the success rates, with ``low`` and ``high`` of its 95 % interval (paired bootstrap over
    cases). The variant does better on ``wins`` cases and worse on ``losses``; ``p`` is the probability of a
    split at least as uneven if both were equally good.
    """

    variant: str
    baseline: str
    rates: tuple[float, float]
    difference: float
    low: float
    high: float
    p: float
    wins: int
    losses: int
    ties: int

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` than the baseline, or ``unclear``.

        Clear is what both say, interval and test: with few cases the interval is too narrow, and the test,
        which counts cases and not by how much, may see what the mean does not.
        """
        if self.p < SIGNIFICANCE and self.low > 0:
            return "better"
        if self.p < SIGNIFICANCE and self.high < 0:
            return "worse"
        return "unclear"

    def explain(self) -> str:
        """The comparison in words, with the answer to "is this luck?", in the language of the notebook."""
        cases = self.wins + self.losses + self.ties
        ours, theirs = (f"{rate:.0%}" for rate in self.rates)
        points, low, high = (f"{round(100 * value):+d}" for value in (self.difference, self.low, self.high))
        p = f"{self.p:.3f}" if self.p >= 0.001 else say("less than 0.001", "不到 0.001")
        luck = {
            "better": say(
                f"{self.variant} is better, and that is hardly luck.", f"“{self.variant}”更好，很难说是运气。"
            ),
            "worse": say(
                f"{self.variant} is worse, and that is hardly luck.", f"“{self.variant}”更差，很难说是运气。"
            ),
            "unclear": say(
                "That may be luck: it takes more cases, or a larger difference, to tell.",
                "这可能只是运气：要有更多题目，或者更大的差距，才能下结论。",
            ),
        }[self.verdict]
        return say(
            f"Of {cases} cases, {self.variant} gets {ours} right and {self.baseline} {theirs}: {points} points "
            f"(95 % interval {low} to {high}). {self.variant} does better on {self.wins} cases and worse on "
            f"{self.losses}. If both were equally good, the probability of a split this uneven would be {p}. {luck}",
            f"共 {cases} 道题，“{self.variant}”答对 {ours}，“{self.baseline}”答对 {theirs}，相差 {points} 个百分点"
            f"（95% 置信区间 {low} 到 {high}）。“{self.variant}”在 {self.wins} 道题上更好，在 {self.losses} 道题上更差。"
            f"假如两者其实一样好，出现这么悬殊（或更悬殊）的胜负之比的概率是 {p}。{luck}",
        )


def compare(
    scores: Sequence[float] | np.ndarray,
    baseline_scores: Sequence[float] | np.ndarray,
    variant: str = "A",
    baseline: str = "B",
) -> Comparison:
    """Compare two variants by their scores on the same cases, in the same order.

    p is that of the exact sign test, two-sided: of the cases that differ, how many each variant wins is binomial
    with 1/2 if both are equally good. For scores of 0 and 1 this is McNemar's exact test (McNemar 1947).
    """
    from scipy import stats

    ours, theirs = np.asarray(scores, dtype=float), np.asarray(baseline_scores, dtype=float)
    if ours.shape != theirs.shape or ours.ndim != 1 or len(ours) < 2:
        raise LabkitError(
            f"To compare, give two lists of scores on the same cases, at least 2; got {ours.shape} and {theirs.shape}."
        )
    wins, losses = int((ours > theirs).sum()), int((ours < theirs).sum())
    p = float(stats.binomtest(wins, wins + losses, 0.5).pvalue) if wins + losses else 1.0
    difference, low, high, _ = paired_bootstrap(ours, theirs)
    rates = (float(ours.mean()), float(theirs.mean()))
    ties = len(ours) - wins - losses
    return Comparison(variant, baseline, rates, difference, low, high, p, wins, losses, ties)
