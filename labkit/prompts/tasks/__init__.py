"""Tasks for a model that follows instructions: cases in parts, each with a judge that decides by the facts."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from labkit.common import LabkitError
from labkit.prompts.tasks.base import Case, Draft, Outcome, is_held_out_combination
from labkit.prompts.tasks.injection import Attack, draw_attack
from labkit.prompts.tasks.reading import draw_answer, draw_classify, draw_extract, draw_list
from labkit.prompts.tasks.reasoning import draw_reasoning
from labkit.prompts.tasks.translating import draw_translate
from labkit.prompts.tasks.writing import draw_continue, draw_rewrite, draw_summarize, draw_write
from labkit.prompts.telling import LANGUAGES
from labkit.text.town.writer import SPLITS

DRAWERS: dict[str, Callable[[Random, str, str], Draft]] = {
    "write": draw_write, "continue": draw_continue, "summarize": draw_summarize, "answer": draw_answer,
    "extract": draw_extract, "classify": draw_classify, "translate": draw_translate, "rewrite": draw_rewrite,
    "list": draw_list, "reason": draw_reasoning,
}  # fmt: skip
KINDS = tuple(kind for kind in DRAWERS if kind != "reason")

__all__ = [
    "KINDS", "Attack", "Case", "Draft", "Outcome", "attacks", "cases", "draw", "reasoning_cases",
]  # fmt: skip


def draw(kind: str, language: str, rng: Random, split: str) -> Draft:
    """A case of the split with a right answer: its main facts and its combination are those of no other split."""
    while True:
        draft = DRAWERS[kind](rng, language, split)
        if (split == "test") == is_held_out_combination(draft.combination):
            return draft


def cases(kind: str, language: str, count: int, seed: int = 0, split: str = "test") -> list[Case]:
    """``count`` cases of one of ``KINDS``; the same seed gives the same cases."""
    if kind not in KINDS:
        raise LabkitError(f"kind is {kind!r}. Use one of: {', '.join(KINDS)}.")
    return [one.case for one in _drafts(kind, language, count, seed, split)]


def reasoning_cases(language: str, count: int, seed: int = 0, split: str = "test") -> list[Case]:
    """Cases that take several steps; ``parameters`` asks for the steps, or for the answer at once."""
    return [one.case for one in _drafts("reason", language, count, seed, split)]


def attacks(language: str, count: int, seed: int = 0, split: str = "test") -> list[Attack]:
    """Cases with a planted instruction; the wordings of it differ between the splits."""
    rng = _source("injection", language, count, seed, split)
    return [draw_attack(rng, language, split)[0] for _ in range(count)]


def _drafts(kind: str, language: str, count: int, seed: int, split: str) -> list[Draft]:
    rng = _source(kind, language, count, seed, split)
    return [draw(kind, language, rng, split) for _ in range(count)]


def _source(kind: str, language: str, count: int, seed: int, split: str) -> Random:
    if language not in LANGUAGES:
        raise LabkitError(f"language is {language!r}. Use one of: {', '.join(LANGUAGES)}.")
    if split not in SPLITS:
        raise LabkitError(f"split is {split!r}. Use one of: {', '.join(SPLITS)}.")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise LabkitError(f"count is {count!r}. Give a whole number from 0.")
    return Random(f"prompts {kind} {language} {split} {seed}")
