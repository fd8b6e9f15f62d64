"""The town GPT in a conversation: the turns so far as questions and answers, and it goes on with the next answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labkit.common import LabkitError
from labkit.dialogue.pairs import history_of
from labkit.dialogue.talks import Dialogue, turns_of
from labkit.text.decoding import complete_in_batches
from labkit.text.gpt import GPT
from labkit.text.rows import Rows, train_on_rows
from labkit.text.tokenizer import BPETokenizer
from labkit.text.town.constructions import grammar
from labkit.training import History

MAX_REPLY = 80  # tokens


class GPTChat:
    """A GPT that answers in a conversation; ``reply_all`` is that of ``Chatbot`` and of the baselines."""

    def __init__(self, model: GPT, tokenizer: BPETokenizer, language: str, memory: int) -> None:
        self.model, self.tokenizer, self.language, self.memory = model, tokenizer, language, memory

    def reply_all(self, histories: Sequence[Sequence[str]]) -> list[str]:
        """One reply for each list of turns, of which the last is to be answered."""
        room = self.model.config.max_positions - MAX_REPLY
        prompts = [
            fitting(turns[-2 * self.memory - 1 :], self.language, self.tokenizer, room) for turns in histories
        ]
        options = {"max_new_tokens": MAX_REPLY, "stop": "\n"}
        texts = complete_in_batches(self.model, self.tokenizer, prompts, **options)
        return [text.strip() for text in texts]


def prompt_of(turns: Sequence[str], language: str) -> str:
    """Turns by the marks of the town's questions and answers, a line each, up to the mark of the next answer."""
    marks = grammar(language).module.HEADERS
    names = (marks["question"], marks["answer"])
    lines = [f"{names[place % 2]}{' '.join(turn.split())}" for place, turn in enumerate(turns)]
    return "\n".join([*lines, names[1].rstrip() if language == "en" else names[1]])


def fitting(turns: Sequence[str], language: str, tokenizer: BPETokenizer, room: int) -> str:
    """The prompt of as many of the last turns as there is room for; a single turn that is too long loses its start."""
    while len(turns) > 1 and len(tokenizer.encode(prompt_of(turns, language))) > room:
        turns = turns[2:]
    ids = tokenizer.encode(turns[0])
    if len(turns) == 1 and len(ids) > room - 20:
        turns = [tokenizer.decode(ids[-(room - 20) :]).lstrip("\ufffd")]
    return prompt_of(turns, language)


def finetune_gpt(
    model: GPT,
    tokenizer: BPETokenizer,
    dialogues: Sequence[Dialogue],
    *,
    memory: int = 1,
    steps: int = 300,
    **training: Any,
) -> tuple[GPTChat, History]:
    """Teach a GPT in place to give the replies of these dialogues, of one language; ``training`` goes to ``train_on_rows``."""
    languages = {dialogue.language for dialogue in dialogues}
    if len(languages) != 1:
        raise LabkitError(f"Dialogues of one language are needed, and there are {len(languages)}.")
    language = languages.pop()
    end = tokenizer.eos_id
    room = model.config.max_positions - MAX_REPLY
    space = " " if language == "en" else ""
    rows = Rows.join(
        (
            [end, *tokenizer.encode(fitting(history_of(dialogue, place, memory), language, tokenizer, room))],
            [*tokenizer.encode(space + dialogue.exchanges[place].reply)[: MAX_REPLY - 1], end],
        )
        for dialogue, place in turns_of(dialogues)
    )
    history = train_on_rows(model, rows, steps, **training)
    return GPTChat(model, tokenizer, language, memory), history
