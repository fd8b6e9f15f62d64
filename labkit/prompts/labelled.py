"""Prompts and sets of prompts that were labelled by hand, and how far a review agrees with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.common import LANGUAGES, LabkitError, data_dir
from labkit.prompts.wording import CLARITY, WEAKNESSES

SPLITS = ("rules", "test", "fresh")
USES = ("teaching", "office", "coding", "service", "image", "speech", "everyday", "writing", "data", "system")


@dataclass(frozen=True)
class LabelledPrompt:
    """A prompt, whether it is clear and precise, and which weaknesses it has (names of ``wording.WEAKNESSES``)."""

    id: str
    language: str
    use: str
    prompt: str
    clear: bool
    precise: bool
    weaknesses: tuple[str, ...]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.weaknesses) - set(WEAKNESSES))
        if unknown:
            raise LabkitError(
                f"{self.id}: weaknesses holds {', '.join(unknown)}. Known: {', '.join(WEAKNESSES)}."
            )
        if self.use not in USES:
            raise LabkitError(f"{self.id}: use is {self.use!r}; it must be one of {', '.join(USES)}.")
        if self.clear == bool(set(self.weaknesses) & set(CLARITY)):
            raise LabkitError(f"{self.id}: clear is {self.clear}, which its weaknesses contradict.")
        if self.precise == bool(set(self.weaknesses) - set(CLARITY)):
            raise LabkitError(f"{self.id}: precise is {self.precise}, which its weaknesses contradict.")


@dataclass(frozen=True)
class LabelledSet:
    """A set of prompts, and whether it covers much (wide) or says nearly the same again and again."""

    id: str
    language: str
    split: str
    wide: bool
    prompts: tuple[str, ...]


@dataclass(frozen=True)
class Agreement:
    """Of verdicts with labels: the share that agree, that of the most common label alone, and Cohen's kappa."""

    share: float
    baseline: float
    kappa: float
    count: int


def labelled_prompts(language: str, split: str) -> list[LabelledPrompt]:
    """The prompts of a language: "rules", on which the review was made; "test" and "fresh", which it never saw.

    "test" was written before the review, "fresh" after it.
    """
    _check(language, split)
    return [
        LabelledPrompt(**{**record, "weaknesses": tuple(record["weaknesses"])})
        for record in _records(f"{language}_{split}.jsonl")
    ]


def labelled_sets(language: str, split: str) -> list[LabelledSet]:
    """The sets of a language and split."""
    _check(language, split)
    sets = [
        LabelledSet(**{**record, "prompts": tuple(record["prompts"])}) for record in _records("sets.jsonl")
    ]
    return [labelled for labelled in sets if (labelled.language, labelled.split) == (language, split)]


def agreement(verdicts: Sequence[bool], labels: Sequence[bool]) -> Agreement:
    """Compare verdicts with labels. Kappa is agreement beyond chance (Cohen 1960): 0 chance, 1 complete."""
    if len(verdicts) != len(labels) or not labels:
        raise LabkitError("verdicts and labels must be lists of one length, at least 1.")
    count = len(labels)
    share = sum(v == label for v, label in zip(verdicts, labels, strict=True)) / count
    said, true = sum(verdicts) / count, sum(labels) / count
    chance = said * true + (1 - said) * (1 - true)
    kappa = 1.0 if chance == 1 else (share - chance) / (1 - chance)
    return Agreement(share, max(true, 1 - true), kappa, count)


def _check(language: str, split: str) -> None:
    for field, value, known in (("language", language, LANGUAGES), ("split", split, SPLITS)):
        if value not in known:
            raise LabkitError(f"{field} is {value!r}. Set it to one of: {', '.join(known)}.")


def _records(name: str) -> list[dict]:
    path = data_dir() / "prompt_reviews" / name
    if not path.is_file():
        raise LabkitError(f"{path} is missing. It belongs to the course: fetch the course files again.")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
