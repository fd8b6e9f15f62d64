"""What each part of a prompt is worth to the shipped model that follows instructions, on held-out cases."""

from __future__ import annotations

import numpy as np

from labkit.common import set_threads
from labkit.metrics import paired_bootstrap
from labkit.prompts.instruct import load_town_instruct
from labkit.prompts.part_scores import PARTS, PartScores, score_attacks, score_parts, score_reasoning

CASES = 100  # of each kind in each language: 200 of each kind
ALONE = 100  # reasoning questions and planted instructions, of each language
PROMPTS = ("all", "vague", *(f"all but {part}" for part in PARTS))


def run() -> dict[str, float]:
    """Success in percent by kind with all parts; and gains in points with the low end of their 95 % interval.

    ``gain_PART`` and ``low_PART``: all parts against all but this one, on the cases that have it; ``gain_clear``: clear
    words against vague ones, on the cases without an example; ``gain_steps``: reasoning written out; ``gain_marks``,
    ``gain_rule``: how much less often a planted instruction is obeyed.
    """
    set_threads()
    model, tokenizer = load_town_instruct()
    scores = score_parts(model, tokenizer, CASES, prompts=PROMPTS)
    found = {f"success_{kind}": 100 * scores.rate("all", kind=kind) for kind in scores.kinds}
    for part in PARTS:
        found |= gain(part, *paired(scores, f"all but {part}", scores.chosen(part=part)))
    found |= gain("clear", *paired(scores, "vague", ~scores.chosen(part="example")))
    reasoning = score_reasoning(model, tokenizer, ALONE)
    found |= gain("steps", reasoning["step by step"], reasoning["at once"])
    attacks = score_attacks(model, tokenizer, ALONE)
    for defence in ("marks", "rule"):
        found |= gain(defence, attacks["none"]["obeyed"], attacks[defence]["obeyed"])
    return found


def paired(scores: PartScores, other: str, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Success of the chosen cases with all parts, and under another prompt."""
    return scores.success["all"][chosen], scores.success[other][chosen]


def gain(name: str, ours: np.ndarray, other: np.ndarray) -> dict[str, float]:
    mean, low, _, _ = paired_bootstrap(ours.astype(float), other.astype(float))
    return {f"gain_{name}": 100 * mean, f"low_{name}": 100 * low}
