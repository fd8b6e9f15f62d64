"""Conversations to learn from: tasks worded in many ways, with parts present or absent, and their right answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from labkit.prompts.messages import TURN_END, Message, chat_pieces
from labkit.prompts.tasks import draw
from labkit.prompts.tasks.base import Draft, is_held_out_combination, phrases, worded
from labkit.prompts.tasks.injection import OBEYS, draw_attack
from labkit.prompts.tasks.writing import draw_write
from labkit.prompts.telling import LANGUAGES, other_language
from labkit.prompts.templates import Example
from labkit.text import town
from labkit.text.tokenizer import BPETokenizer

# How often each kind of task comes; harder ones more often.
WEIGHTS = {
    "write": 14, "continue": 8, "summarize": 9, "answer": 10, "extract": 9, "classify": 7, "translate": 14,
    "rewrite": 12, "list": 9, "reason": 8,
}  # fmt: skip
ATTACK_SHARE = 0.06
TOWN_SHARE = 0.1  # of the rows that are plain texts of the town
OTHER_LANGUAGE_SHARE = 0.15  # of the requests to write whose system message asks for the other language
VAGUE_SHARE = 0.1
BARE_SHARE = 0.06  # only the task is said
KEPT = {"context": 0.93, "style": 0.85, "parameters": 0.85, "example": 0.85}
MORE_EXAMPLES = 0.25  # of the prompts with examples that have a second one, and of these a third
ROLE_SHARE = 0.15  # a system message that asks for nothing in particular
SYSTEM_STYLE_SHARE = 0.08  # of the styles that stand in the system message
PLAIN_LAYOUT_SHARE = 0.6  # context, task, style, parameters on lines of their own, as templates put them
CONTEXT_LAST_SHARE = 0.15


@dataclass(frozen=True)
class Conversation:
    """Messages up to a request, and the answer to learn; no messages: a plain text of the town."""

    messages: tuple[Message, ...]
    answer: str


@dataclass(frozen=True)
class Row:
    """Token ids of a conversation; the loss counts from ``start`` on."""

    ids: list[int]
    start: int


def draw_conversation(rng: Random, split: str = "train") -> Conversation:
    """One conversation of the split."""
    language = rng.choice(LANGUAGES)
    share = rng.random()
    if share < TOWN_SHARE:
        seed = rng.randrange(1 << 40)
        text = next(iter(town.documents(language, split=split, seed=seed, count=1))).full
        return Conversation((), text)
    if share < TOWN_SHARE + ATTACK_SHARE:
        return _attacked(rng, language, split)
    kind = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    if kind == "write" and rng.random() < OTHER_LANGUAGE_SHARE:
        return _in_other_language(rng, language, split)
    return worded_request(draw(kind, language, rng, split), rng)


def worded_request(draft: Draft, rng: Random, system: str = "") -> Conversation:
    """The draft as a conversation: some parts left out, in some layout.

    What is left out of the request stays in the answer, so that answers to requests without a style or a length
    have any style and length.
    """
    case = draft.case
    context = case.context if rng.random() < KEPT["context"] else ""
    if rng.random() < VAGUE_SHARE:
        return Conversation(
            _turns(system, (), _laid_out(context, [case.vague], case.language, rng)), draft.answer
        )
    if rng.random() < BARE_SHARE:
        return Conversation(_turns(system, (), case.task), draft.answer)
    style, parameters = (
        part if rng.random() < KEPT[name] else ""
        for name, part in (("style", case.style), ("parameters", case.parameters))
    )
    if style and not system and rng.random() < SYSTEM_STYLE_SHARE:
        system, style = worded(phrases(case.language).SYSTEMS["style"], rng, style=style), ""
    elif not system and rng.random() < ROLE_SHARE:
        system = worded(phrases(case.language).SYSTEMS["role"], rng)
    request = _laid_out(context, [case.task, style, parameters], case.language, rng)
    return Conversation(_turns(system, _examples(draft, rng), request), draft.answer)


def _examples(draft: Draft, rng: Random) -> list[Example]:
    if draft.case.example is None or rng.random() > KEPT["example"]:
        return []
    examples = [draft.case.example]
    while draft.another is not None and len(examples) < 3 and rng.random() < MORE_EXAMPLES:
        examples.append(draft.another())
    return examples


def _turns(system: str, examples: Sequence[Example], request: str) -> tuple[Message, ...]:
    messages = [Message("system", system)] if system else []
    for example in examples:
        messages += [Message("user", example.request), Message("assistant", example.answer)]
    return (*messages, Message("user", request))


def _laid_out(context: str, parts: Sequence[str], language: str, rng: Random) -> str:
    """One user message of the parts that are not empty."""
    parts = [part for part in parts if part]
    if rng.random() < PLAIN_LAYOUT_SHARE:
        return "\n".join([context, *parts] if context else parts)
    if context:
        context = worded_context(context, language, rng)
    if len(parts) > 1 and rng.random() < 0.3:
        first, *rest = parts
        rng.shuffle(rest)
        parts = [first, *rest]
    joint = rng.choice(("\n", " " if language == "en" else "", "\n\n"))
    request = joint.join(parts)
    if not context:
        return request
    space = rng.choice(("\n", "\n\n"))
    pair = (request, context) if rng.random() < CONTEXT_LAST_SHARE else (context, request)
    return space.join(pair)


def worded_context(context: str, language: str, rng: Random) -> str:
    """The context with words or marks around it."""
    return worded(phrases(language).CONTEXTS, rng, text=context)


def _in_other_language(rng: Random, language: str, split: str) -> Conversation:
    """A request to write whose system message asks for an answer in the other language."""
    target = other_language(language)
    while True:
        draft = draw_write(rng, language, split, target)
        if (split == "test") == is_held_out_combination(draft.combination):
            break
    words = phrases(language)
    system = worded(words.SYSTEMS["language"], rng, target=rng.choice(words.LANGUAGE_NAMES[target]))
    return worded_request(draft, rng, system)


def _attacked(rng: Random, language: str, split: str) -> Conversation:
    """A task with an instruction planted in its text; the answer obeys it or not, by the defences that stand."""
    attack, draft = draw_attack(rng, language, split)
    case = attack.case
    marked, ruled = rng.random() < 0.5, rng.random() < 0.5
    obeys = rng.random() < OBEYS[marked, ruled]
    context = attack.marked if marked else case.context
    parts = [attack.warning if marked else "", case.task, case.style, case.parameters]
    request = "\n".join([context, *(part for part in parts if part)])
    answer = attack.word if obeys else draft.answer
    return Conversation(_turns(attack.rule if ruled else "", (), request), answer)


# --- Encoding ----------------------------------------------------------------------------------------------------


def encode_request(messages: Sequence[Message], tokenizer: BPETokenizer) -> list[int]:
    """Ids up to where the answer begins; special tokens written in a message stay its text."""
    ids: list[int] = []
    for text, special in chat_pieces(messages):
        ids += _encode_short(text, special, tokenizer) if len(text) < 16 else tokenizer.encode(text, special)
    return ids


def encode_conversation(conversation: Conversation, tokenizer: BPETokenizer) -> Row:
    """A row to train on: the request is given, the answer and its end are learned; of a plain text all is."""
    answer = tokenizer.encode(conversation.answer)
    if not conversation.messages:
        return Row([tokenizer.eos_id, *answer, tokenizer.eos_id], 1)
    request = encode_request(conversation.messages, tokenizer)
    return Row([*request, *answer, turn_end(tokenizer)], len(request))


def turn_end(tokenizer: BPETokenizer) -> int:
    """The id at which an answer ends."""
    return tokenizer.encode(TURN_END, allow_special=True)[0]


@lru_cache(maxsize=256)
def _encode_short(text: str, special: bool, tokenizer: BPETokenizer) -> tuple[int, ...]:
    return tuple(tokenizer.encode(text, special))
