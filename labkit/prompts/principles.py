"""Four principles of prompt design, computed: clarity and precision of a prompt, diversity of a set, flexibility."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labkit.common import LabkitError
from labkit.prompts.clarity import clarity
from labkit.prompts.diversity import coverage, diversity
from labkit.prompts.findings import Finding, Review, scores
from labkit.prompts.flexibility import ALLOWED_SPREAD, Flexibility, fields_of, flexibility_of
from labkit.prompts.precision import precision
from labkit.prompts.reading import read
from labkit.prompts.wording import Wording, detect, wording

__all__ = ["Finding", "Flexibility", "Review", "flexibility", "review", "review_fields", "review_set"]


def review(prompt: str, language: str | None = None, words: Wording | None = None) -> Review:
    """Clarity and precision of one prompt: what is weak, where, why, and how to mend it.

    Args:
        language: "en" or "zh"; found from the prompt unless given. Messages are in this language.
        words: word lists to use instead of the language's own.
    """
    _check(prompt)
    words = words or wording(language or detect(prompt))
    reading = read(prompt, words)
    found = (*clarity(reading, words), *precision(reading, words))
    return Review(words.language, found, scores(found, ("clarity", "precision")))


def review_set(prompts: Sequence[str], language: str | None = None) -> Review:
    """Diversity of a set of at least two prompts: near copies, and coverage of tasks, subjects, lengths and forms.

    The places of its findings are those of the prompts in the set. ``diversity.coverage`` gives the parts of the score.
    """
    words = wording(language or detect(" ".join(prompts)))
    measured = coverage(prompts, words)
    return Review(
        words.language, tuple(diversity(prompts, words, measured)), {"diversity": round(measured.score, 6)}
    )


def review_fields(prompt: str, language: str | None = None) -> Review:
    """Flexibility of a prompt that is to be used again: which of its changing parts are fields, and which hard-wired."""
    _check(prompt)
    words = wording(language or detect(prompt))
    share, found = fields_of(prompt, words)
    return Review(words.language, tuple(found), {"flexibility": round(share, 6)})


def flexibility(
    successes: Mapping[str, Sequence[Any]],
    language: str = "en",
    allowed_spread: float = ALLOWED_SPREAD,
    seed: int = 0,
) -> Flexibility:
    """Whether success holds under paraphrase: spread and worst of the success rates of several wordings.

    Args:
        successes: for each wording of one request, success on the same cases in the same order.
        allowed_spread: by how much the worst rate may lie below the best.
        seed: for the permutation test behind ``p``.
    """
    return flexibility_of(successes, wording(language), allowed_spread, seed)


def _check(prompt: str) -> None:
    if not isinstance(prompt, str) or not prompt.strip():
        raise LabkitError("prompt is empty. Give the text of a prompt.")
