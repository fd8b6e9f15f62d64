"""Measures a summarizer on reports: ROUGE, faithfulness and compression with intervals, and two of them compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from labkit.common import LabkitError
from labkit.metrics import bootstrap_interval, paired_bootstrap
from labkit.summaries.faithfulness import support
from labkit.summaries.fragments import provenance
from labkit.summaries.rouge import KINDS, rouge, tokenize
from labkit.summaries.texts import Report, Summary

MEASURES = (*KINDS, "faithful", "coverage", "compression")
Summarizer = Callable[[str], Summary]


class Estimate(NamedTuple):
    """A mean over reports with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


class Difference(NamedTuple):
    """Of two systems on the same reports: mean of the first less the second, its interval, and p (two-sided)."""

    mean: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Scores:
    """What one system reached on each report. ``values[name]`` (N,): F1 of ROUGE, share of supported claims
    (``faithful``), share of words that stand in the article (``coverage``), article over summary in length
    (``compression``). ``claims`` and ``supported`` are counted over all reports.
    """

    name: str
    summaries: tuple[str, ...]
    values: dict[str, np.ndarray]
    claims: int
    supported: int

    def estimate(self, measure: str) -> Estimate:
        """The mean of a measure over the reports."""
        return Estimate(*bootstrap_interval(self._of(measure)))

    @property
    def supported_share(self) -> float:
        """Of all names, numbers, dates and times in all summaries, the share that the articles support."""
        return self.supported / self.claims if self.claims else 1.0

    def compare(self, baseline: Scores, measure: str = "rougeL") -> Difference:
        """Is this system better than another on the same reports, or is that luck?"""
        return Difference(*paired_bootstrap(self._of(measure), baseline._of(measure)))

    def _of(self, measure: str) -> np.ndarray:
        if measure not in self.values:
            raise LabkitError(f"There is no measure {measure!r}. There are: {', '.join(self.values)}.")
        return self.values[measure]


def evaluate(name: str, summarize: Summarizer, reports: Sequence[Report]) -> Scores:
    """Let a system summarize all reports and measure what it wrote. An empty summary scores 0, and claims nothing."""
    return score(name, [summarize(report.article).text for report in reports], reports)


def score(name: str, summaries: Sequence[str], reports: Sequence[Report]) -> Scores:
    """Measure summaries that are there already."""
    if len(reports) < 2 or len(summaries) != len(reports):
        raise LabkitError(
            f"Give a summary for each of at least 2 reports: there are {len(summaries)} and {len(reports)}."
        )
    rows = []
    claimed = supported = 0
    for summary, report in zip(summaries, reports, strict=True):
        found = support(summary, report.article, report.language)
        claimed += len(found.claims)
        supported += len(found.claims) - len(found.unsupported)
        f1 = [one.f1 for one in rouge(summary, report.summary).values()]
        rows.append([*f1, found.share, *_lengths(summary, report.article)])
    columns = np.array(rows).T
    return Scores(name, tuple(summaries), dict(zip(MEASURES, columns, strict=True)), claimed, supported)


def _lengths(summary: str, article: str) -> tuple[float, float]:
    if not tokenize(summary):
        return 0.0, float(len(tokenize(article)))
    found = provenance(summary, article)
    return found.coverage, found.compression
