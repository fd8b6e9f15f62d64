"""What a review of prompts says: findings with their place, and scores by principle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PRINCIPLES = ("clarity", "precision", "diversity", "flexibility")
BAR = 0.5  # a principle is kept from this score on
STRONG, SLIGHT = 0.6, 0.3  # one strong weakness, or two slight ones, push a score below the bar


@dataclass(frozen=True)
class Finding:
    """One weakness. ``words`` are the prompt's own, at ``[start, end)``; for what is missing the place is the whole prompt.

    ``weight`` is what it takes off the score of its principle.
    """

    principle: str
    weakness: str
    words: str
    start: int
    end: int
    why: str
    mend: str
    weight: float = STRONG


@dataclass(frozen=True)
class Review:
    """Findings in the order of the prompt, and for each principle that was looked at a score in [0, 1]."""

    language: str
    findings: tuple[Finding, ...]
    scores: Mapping[str, float]

    @property
    def ok(self) -> dict[str, bool]:
        """By principle, whether its score reaches the bar."""
        return {principle: score >= BAR for principle, score in self.scores.items()}

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """The names of the weaknesses found, each once, in order."""
        return tuple(dict.fromkeys(finding.weakness for finding in self.findings))


def scores(findings: tuple[Finding, ...], principles: tuple[str, ...]) -> dict[str, float]:
    """1 less the weights of the findings of a principle, and at least 0."""
    return {
        principle: max(0.0, round(1 - sum(f.weight for f in findings if f.principle == principle), 6))
        for principle in principles
    }
