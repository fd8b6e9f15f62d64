"""What goes to a model and comes back: messages, decoding settings, replies, and the protocol of every backend."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from labkit.common import MAX_SEED, LabkitError

ROLES = ("system", "user", "assistant")
FINISHES = ("stop", "length")
TURN_START, TURN_END = "<|im_start|>", "<|im_end|>"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True)
class Message:
    """One turn of a conversation; ``role`` is ``system``, ``user`` or ``assistant``."""

    role: str
    content: str

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise LabkitError(f"role is {self.role!r}. Use one of: {', '.join(ROLES)}.")
        if not isinstance(self.content, str):
            raise LabkitError(f"content must be a text, and is {self.content!r}.")


@dataclass(frozen=True)
class Settings:
    """How a reply is decoded: the parameters of a prompt that are not words.

    ``temperature`` 0 is greedy: the likeliest token each time, whatever ``seed`` is. ``top_p`` in (0, 1] as in
    ``labkit.text.decoding.Sampling``. A reply ends before the first of the ``stop`` texts, or after
    ``max_tokens`` tokens. Raises LabkitError that names the field.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 160
    stop: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if not _is_number(self.temperature) or not 0 <= self.temperature < math.inf:
            raise LabkitError(
                f"temperature must be 0 (the likeliest token) or more, and is {self.temperature!r}."
            )
        if not _is_number(self.top_p) or not 0 < self.top_p <= 1:
            raise LabkitError(f"top_p must be in (0, 1], and is {self.top_p!r}.")
        if not _is_integer(self.max_tokens) or self.max_tokens < 1:
            raise LabkitError(f"max_tokens must be an integer from 1, and is {self.max_tokens!r}.")
        if not isinstance(self.stop, tuple) or not all(isinstance(text, str) and text for text in self.stop):
            raise LabkitError(
                f'stop must be a tuple of texts that are not empty, as in ("###",), and is {self.stop!r}.'
            )
        if not _is_integer(self.seed) or not 0 <= self.seed <= MAX_SEED:
            raise LabkitError(f"seed must be an integer from 0 to {MAX_SEED}, and is {self.seed!r}.")


GREEDY = Settings()


@dataclass(frozen=True)
class Reply:
    """What a model answered, and what it cost.

    ``finish`` is ``stop`` where the model ended by itself or at a stop text, ``length`` where ``max_tokens`` cut
    it off. ``prompt_tokens`` and ``reply_tokens`` count in the tokens of the model that answered; a ``cached``
    reply keeps the counts of the call that paid for them. ``seconds`` is wall time, 0 for a cached reply.
    """

    text: str
    prompt_tokens: int
    reply_tokens: int
    finish: str
    seconds: float = 0.0
    cached: bool = False

    def __post_init__(self) -> None:
        if self.finish not in FINISHES:
            raise LabkitError(f"finish is {self.finish!r}. Use one of: {', '.join(FINISHES)}.")


class Backend(Protocol):
    """A model that answers conversations. ``name`` says which, for tables and caches."""

    name: str

    def complete(
        self, conversations: Sequence[Sequence[Message]], settings: Settings = GREEDY
    ) -> list[Reply]:
        """One reply for each conversation, in their order."""
        ...

    def stream(self, conversation: Sequence[Message], settings: Settings = GREEDY) -> Iterator[str]:
        """The text of the reply piece by piece; joined, it is the text that ``complete`` gives."""
        ...


def check_conversation(messages: Sequence[Message], answer_follows: bool = True) -> None:
    """Raise LabkitError unless a model can answer ``messages``: the system first if at all, the user last.

    Without ``answer_follows`` the last message may be the assistant's, as in a conversation to learn from.
    """
    if isinstance(messages, Message) or not all(isinstance(message, Message) for message in messages):
        raise LabkitError(
            f'A conversation is a list of messages, as in [Message("user", "Hello")], and is {messages!r}.'
        )
    if not messages:
        raise LabkitError("A conversation needs at least one message.")
    roles = [message.role for message in messages]
    if "system" in roles[1:]:
        raise LabkitError("The system message comes first, and once.")
    if answer_follows and roles[-1] != "user":
        raise LabkitError(f"The last message is the {roles[-1]}'s. To get an answer, end with the user's.")


def chat_pieces(messages: Sequence[Message], answer_follows: bool = True) -> list[tuple[str, bool]]:
    """``chat_text`` in pieces (text, special): encode each with ``allow_special=special``.

    So "<|im_end|>" typed by a user stays the user's text: encoded as one text it would end the user's turn.
    """
    check_conversation(messages, answer_follows)
    pieces = []
    for message in messages:
        pieces += [(TURN_START, True), (f"{message.role}\n{message.content}", False)]
        pieces += [(TURN_END, True), ("\n", False)]
    if answer_follows:
        pieces += [(TURN_START, True), ("assistant\n", False)]
    return pieces


def chat_text(messages: Sequence[Message], answer_follows: bool = True) -> str:
    """The conversation as one text in the form of Qwen3 (ChatML), up to where the answer begins.

    >>> chat_text([Message("user", "Hello")])
    '<|im_start|>user\\nHello<|im_end|>\\n<|im_start|>assistant\\n'

    To show; to encode, use ``chat_pieces``.
    """
    return "".join(text for text, _ in chat_pieces(messages, answer_follows))
