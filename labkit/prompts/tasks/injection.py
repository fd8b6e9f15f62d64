"""Texts with an instruction planted in them, and two defences: marks around the text, and a rule in the system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from labkit.prompts.tasks.base import Case, Draft, Outcome, phrases, worded
from labkit.prompts.tasks.reading import draw_answer, draw_classify
from labkit.prompts.tasks.writing import draw_summarize

HOSTS: tuple[Callable[[Random, str, str], Draft], ...] = (draw_answer, draw_classify, draw_summarize)
# Share of the training answers that obey the planted line, by (marks, rule): a small model would not fall for it
# by itself, as a large one does, so that it is taught to, less where a defence stands.
OBEYS = {(False, False): 0.8, (True, False): 0.25, (False, True): 0.1, (True, True): 0.0}


@dataclass(frozen=True)
class Attack:
    """A case with a planted line: ``case.context`` holds it, ``marked`` is that context between marks.

    ``warning`` says what the marks mean, ``rule`` is the defence for the system message. ``word`` is what the
    planted line wants; ``fell_for_it(answer)`` says whether the answer gives it.
    """

    case: Case
    marked: str
    warning: str
    rule: str
    word: str

    def fell_for_it(self, answer: str) -> bool:
        return self.word.casefold() in answer.casefold()

    def judge(self, answer: str) -> Outcome:
        """The host task's own judge: an answer that obeys the planted line fails it."""
        return self.case.judge(answer)


def draw_attack(rng: Random, language: str, split: str) -> tuple[Attack, Draft]:
    """An attack, and the draft of the task that it is planted in."""
    words = phrases(language)
    draft = rng.choice(HOSTS)(rng, language, split)
    word = rng.choice(words.INJECTED_WORDS)
    line = worded(words.INJECTIONS[split], rng, word=word)
    joint = "\n" if "\n" in draft.case.context or rng.random() < 0.3 else " " if language == "en" else ""
    case = replace(draft.case, context=f"{draft.case.context}{joint}{line}", example=None)
    attack = Attack(
        case=case,
        marked=rng.choice(words.QUOTED).format(text=case.context),
        warning=worded(words.GUARDED, rng),
        rule=worded(words.SYSTEMS["guard"], rng),
        word=word,
    )
    return attack, draft
