"""What each part of a prompt is worth: success of a GPT on held-out cases with parts present and absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labkit.common import LabkitError
from labkit.prompts.instructions import encode_request, turn_end
from labkit.prompts.messages import Message
from labkit.prompts.tasks import KINDS, Case, attacks, cases, reasoning_cases
from labkit.prompts.telling import LANGUAGES
from labkit.prompts.templates import Template, literal
from labkit.text.decoding import generate
from labkit.text.gpt import GPT
from labkit.text.tokenizer import BPETokenizer

PARTS = ("context", "style", "parameters", "example")
# Prompts by name: the parts that each has beside the task; "vague" has vague words in place of task, style, parameters.
PROMPTS: dict[str, tuple[str, ...]] = {
    "task": (),
    "+context": ("context",),
    "+style": ("context", "style"),
    "+parameters": ("context", "style", "parameters"),
    "all": PARTS,
    "vague": ("context",),
    **{f"all but {part}": tuple(one for one in PARTS if one != part) for part in PARTS},
}
MAX_NEW_TOKENS = 130
BATCH_SIZE = 128


@dataclass(frozen=True)
class PartScores:
    """``success[prompt]`` is True for each case that the answer to this prompt solved; the cases are the same for all."""

    cases: tuple[Case, ...]
    success: dict[str, np.ndarray]
    answers: dict[str, list[str]]

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(case.kind for case in self.cases))

    def chosen(self, kind: str = "", language: str = "", part: str = "") -> np.ndarray:
        """Which cases are of this kind and language and have this part."""
        return np.array(
            [
                (not kind or case.kind == kind)
                and (not language or case.language == language)
                and (not part or bool(getattr(case, part)))
                for case in self.cases
            ]
        )

    def rate(self, prompt: str, *, kind: str = "", language: str = "", part: str = "") -> float:
        """Share of the chosen cases that were solved."""
        found = self.success[prompt][self.chosen(kind, language, part)]
        if not len(found):
            raise LabkitError(f"No case is of kind {kind!r} in {language!r} with the part {part!r}.")
        return float(found.mean())


def part_messages(case: Case, prompt: str) -> list[Message]:
    """The case as a prompt with the parts of this name."""
    if prompt not in PROMPTS:
        raise LabkitError(f"prompt is {prompt!r}. Use one of: {', '.join(PROMPTS)}.")
    kept = {part: getattr(case, part) for part in PROMPTS[prompt]}
    example = kept.pop("example", None)
    template = Template(
        literal(case.vague if prompt == "vague" else case.task),
        examples=(example,) if example else (),
        language=case.language,
        **{part: literal(text) for part, text in kept.items()},
    )
    return template.render()


def answer_all(
    model: GPT,
    tokenizer: BPETokenizer,
    conversations: Sequence[Sequence[Message]],
    max_new_tokens: int = MAX_NEW_TOKENS,
) -> list[str]:
    """Greedy answers, in batches of conversations of about the same length."""
    prompts = [encode_request(messages, tokenizer) for messages in conversations]
    order = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
    stops = (turn_end(tokenizer), tokenizer.eos_id)
    answers = [""] * len(prompts)
    for first in range(0, len(order), BATCH_SIZE):
        numbers = order[first : first + BATCH_SIZE]
        rows = generate(
            model, [prompts[number] for number in numbers], max_new_tokens=max_new_tokens, stop_ids=stops
        )
        for number, row in zip(numbers, rows, strict=True):
            answers[number] = tokenizer.decode(row, skip_special=True)
    return answers


def score_parts(
    model: GPT,
    tokenizer: BPETokenizer,
    count: int = 25,
    *,
    kinds: Sequence[str] = KINDS,
    languages: Sequence[str] = LANGUAGES,
    prompts: Sequence[str] = tuple(PROMPTS),
    seed: int = 0,
) -> PartScores:
    """``count`` held-out cases of each kind and language, answered under each prompt and judged by their facts."""
    drawn = tuple(
        case for kind in kinds for language in languages for case in cases(kind, language, count, seed)
    )
    answers = {
        prompt: answer_all(model, tokenizer, [part_messages(case, prompt) for case in drawn])
        for prompt in prompts
    }
    success = {
        prompt: np.array([case.judge(answer).success for case, answer in zip(drawn, given, strict=True)])
        for prompt, given in answers.items()
    }
    return PartScores(drawn, success, answers)


def score_reasoning(
    model: GPT, tokenizer: BPETokenizer, count: int = 50, seed: int = 0
) -> dict[str, np.ndarray]:
    """Success of questions in several steps, answered at once and after written steps: the same questions."""
    found: dict[str, list[bool]] = {"at once": [], "step by step": []}
    for language in LANGUAGES:
        drawn = reasoning_cases(language, count, seed)
        for name, thinks in (("at once", False), ("step by step", True)):
            messages = [
                Template(
                    literal(case.task),
                    context=literal(case.context),
                    chain_of_thought=thinks,
                    language=language,
                ).render()
                for case in drawn
            ]
            answers = answer_all(model, tokenizer, messages)
            found[name] += [case.judge(answer).success for case, answer in zip(drawn, answers, strict=True)]
    return {name: np.array(values) for name, values in found.items()}


def score_attacks(
    model: GPT, tokenizer: BPETokenizer, count: int = 50, seed: int = 0
) -> dict[str, dict[str, np.ndarray]]:
    """By defence (none, marks, rule, both): whether the planted line was obeyed, and whether the task was solved."""
    drawn = [attack for language in LANGUAGES for attack in attacks(language, count, seed)]
    found = {}
    for name, marks, rule in (
        ("none", False, False),
        ("marks", True, False),
        ("rule", False, True),
        ("both", True, True),
    ):
        messages = []
        for attack in drawn:
            case = attack.case
            parts = [attack.marked if marks else case.context, attack.warning if marks else ""]
            request = "\n".join(part for part in [*parts, case.task, case.style, case.parameters] if part)
            system = [Message("system", attack.rule)] if rule else []
            messages.append([*system, Message("user", request)])
        answers = answer_all(model, tokenizer, messages)
        pairs = list(zip(drawn, answers, strict=True))
        found[name] = {
            "obeyed": np.array([attack.fell_for_it(answer) for attack, answer in pairs]),
            "solved": np.array([attack.judge(answer).success for attack, answer in pairs]),
        }
    return found
