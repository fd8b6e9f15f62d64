"""Four principles of prompt design, computed: clarity and precision of a prompt, diversity of a set, flexibility."""

from __future__ import annotations

from labkit.common import LabkitError
from labkit.prompts.clarity import clarity
from labkit.prompts.findings import Finding, Review, scores
from labkit.prompts.precision import precision
from labkit.prompts.reading import read
from labkit.prompts.wording import Wording, detect, wording

__all__ = ["Finding", "Review", "review"]


def review(prompt: str, language: str | None = None, words: Wording | None = None) -> Review:
    """Clarity and precision of one prompt: what is weak, where, why, and how to mend it.

    Args:
        language: "en" or "zh"; found from the prompt unless given. Messages are in this language.
        words: word lists to use instead of the language's own.
    """
    if not isinstance(prompt, str) or not prompt.strip():
        raise LabkitError("prompt is empty. Give the text of a prompt.")
    words = words or wording(language or detect(prompt))
    reading = read(prompt, words)
    found = (*clarity(reading, words), *precision(reading, words))
    return Review(words.language, found, scores(found, ("clarity", "precision")))
