"""Models on this machine as backends: a labkit model with its tokenizer, or any causal model of transformers."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.common import LabkitError
from labkit.prompts.messages import (
    TURN_END,
    TURN_START,
    Message,
    Reply,
    Settings,
    chat_pieces,
    check_conversation,
)

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

    from labkit.text.decoding import Sampling
    from labkit.text.tokenizer import Tokenizer

GREEDY = Settings()
# How models of other families end a turn; what a model's own files name is stopped at too.
TURN_ENDS = (TURN_END, "<|eot_id|>", "<end_of_turn>", "<|end|>")
# A model without a chat template has only read texts: what is written like a transcript it may go on with.
PLAIN_FORMS = {"system": "{}", "user": "User: {}", "assistant": "Assistant: {}"}
PLAIN_ANSWER, PLAIN_STOP = "Assistant:", "\nUser:"
PRIVATE_USE = range(0xE000, 0xF900)  # code points that mean nothing, and that no template writes


class _ModelBackend:
    """What both kinds share: prompts as tokens in, replies out. A subclass says how a conversation is encoded."""

    own_stop: tuple[str, ...] = ()  # texts that end a reply beside those of the settings
    strips = False  # whether a reply loses the blanks before it

    def __init__(
        self, model: Any, tokenizer: Tokenizer, name: str, batch_size: int, stop_ids: Sequence[int]
    ) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise LabkitError(f"batch_size must be an integer from 1, and is {batch_size!r}.")
        self.model, self.tokenizer, self.name, self.batch_size = model, tokenizer, name, batch_size
        self.stop_ids = tuple(sorted(set(stop_ids)))

    def encode(self, conversation: Sequence[Message]) -> list[int]:
        """The tokens of a conversation, up to where the answer begins."""
        raise NotImplementedError

    def complete(
        self, conversations: Sequence[Sequence[Message]], settings: Settings = GREEDY
    ) -> list[Reply]:
        """One reply for each conversation, in their order.

        Conversations of similar length are worked through together; a reply does not depend on the others, and
        a drawn one only on its conversation and the settings. ``seconds`` is the reply's share of its batch's time.
        Raises LabkitError, before any work, for a conversation that with the reply exceeds the model's positions.
        """
        prompts = [self._prompt(number, one, settings) for number, one in enumerate(conversations)]
        by_length = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
        replies: dict[int, Reply] = {}
        for start in range(0, len(by_length), self.batch_size):
            rows = by_length[start : start + self.batch_size]
            seeds = [_seed(conversations[row], settings) for row in rows]
            replies |= zip(rows, self._batch([prompts[row] for row in rows], seeds, settings), strict=True)
        return [replies[number] for number in range(len(prompts))]

    def stream(self, conversation: Sequence[Message], settings: Settings = GREEDY) -> Iterator[str]:
        """The text of ``complete`` in pieces as it comes: whole characters, and nothing of a stop text.

        Errors as there, at once and not at the first piece.
        """
        from labkit.text import decoding

        steps = decoding.stream(
            self.model,
            self._prompt(0, conversation, settings),
            max_new_tokens=settings.max_tokens,
            sampling=_sampling(settings),
            stop_ids=self.stop_ids,
            seed=_seed(conversation, settings),
            alternatives=0,
        )
        text = decoding.TextStream(self.tokenizer, settings.stop + self.own_stop)
        return self._stripped(_pieces(steps, text))

    def _batch(self, prompts: list[list[int]], seeds: list[int], settings: Settings) -> list[Reply]:
        from labkit.text.decoding import generate

        started = time.perf_counter()
        rows = generate(
            self.model,
            prompts,
            max_new_tokens=settings.max_tokens,
            sampling=_sampling(settings),
            stop_ids=self.stop_ids,
            seed=seeds,
        )
        replies = [self._reply(len(prompt), row, settings) for prompt, row in zip(prompts, rows, strict=True)]
        seconds = (time.perf_counter() - started) / len(prompts)
        return [replace(reply, seconds=seconds) for reply in replies]

    def _reply(self, prompt_tokens: int, row: list[int], settings: Settings) -> Reply:
        from labkit.text.decoding import TextStream

        text, pieces = TextStream(self.tokenizer, settings.stop + self.own_stop), []
        for token in row:
            pieces.append(text.push(token))
            if text.stopped:
                break
        used = len(pieces)
        pieces.append(text.finish())
        # A row of full length met no stop id: that would have been left out of it.
        finish = "length" if not text.stopped and len(row) == settings.max_tokens else "stop"
        return Reply("".join(self._stripped(iter(pieces))), prompt_tokens, used, finish)

    def _prompt(self, number: int, conversation: Sequence[Message], settings: Settings) -> list[int]:
        from labkit.text.decoders import max_positions

        check_conversation(conversation)
        prompt, limit = self.encode(conversation), max_positions(self.model)
        if limit is not None and len(prompt) + settings.max_tokens > limit:
            room = limit - len(prompt)
            mend = f", or set max_tokens to {room} or less" if room > 0 else ""
            raise LabkitError(
                f"Conversation {number} has {len(prompt)} tokens, and its reply may have {settings.max_tokens} "
                f"(max_tokens); {self.name} sees {limit} in all. Shorten the conversation{mend}."
            )
        return prompt

    def _stripped(self, pieces: Iterator[str]) -> Iterator[str]:
        begun = not self.strips
        for piece in pieces:
            piece = piece if begun else piece.lstrip()
            if piece:
                begun = True
                yield piece


class LocalBackend(_ModelBackend):
    """A labkit model and its tokenizer, asked in Qwen3's chat form; a reply ends at ``<|im_end|>``.

    ``model`` is anything that ``labkit.text.decoding`` generates with. Raises LabkitError for a tokenizer without
    the tokens that begin and end a turn.
    """

    def __init__(
        self, model: Any, tokenizer: Tokenizer, name: str = "local model", batch_size: int = 32
    ) -> None:
        turn_start, turn_end = (tokenizer.encode(text, allow_special=True) for text in (TURN_START, TURN_END))
        if len(turn_start) != 1 or len(turn_end) != 1:
            raise LabkitError(
                f"The tokenizer of {name} has no tokens {TURN_START} and {TURN_END}: the model was not made for "
                "conversations. For a model of another family, use TransformersBackend."
            )
        end_of_text = [] if tokenizer.eos_id is None else [tokenizer.eos_id]
        super().__init__(model, tokenizer, name, batch_size, turn_end + end_of_text)

    def encode(self, conversation: Sequence[Message]) -> list[int]:
        """The tokens of ``messages.chat_text``; a special token typed by a user is ordinary text."""
        pieces = chat_pieces(conversation)
        return [token for text, special in pieces for token in self.tokenizer.encode(text, special)]


class TransformersBackend(_ModelBackend):
    """A causal language model by folder, or by its name on the hub, as ``text.pretrained.load_pretrained`` reads it.

    It is asked in the chat template of its own tokenizer; without one, as a transcript that it goes on with
    (``User: ...``, ``Assistant:``). ``thinking`` is told to templates that know it, as Qwen3's does. Raises
    LabkitError when the model is not there, has no tokenizer, or the hub cannot be reached.
    """

    def __init__(
        self,
        name_or_folder: Path | str,
        *,
        dtype: torch.dtype | None = None,
        device: str = "cpu",
        batch_size: int = 8,
        thinking: bool = False,
    ) -> None:
        import torch

        from labkit.text.pretrained import load_pretrained
        from labkit.text.tokenizer import BPETokenizer

        model, tokenizer = load_pretrained(name_or_folder, dtype or torch.float32)
        folder = Path(name_or_folder).expanduser()
        source = str(folder) if folder.is_dir() else str(name_or_folder)
        name = folder.resolve().name if folder.is_dir() else source  # no paths in notebooks
        if tokenizer is None:
            raise LabkitError(f"{name} has no tokenizer. Save the model's tokenizer into its folder.")
        # labkit's character tokenizer is a file that transformers does not know.
        self._own = _own_tokenizer(source, name) if isinstance(tokenizer, BPETokenizer) else None
        self._thinking = thinking
        if self._own is None or not self._own.chat_template:
            self.own_stop, self.strips = (PLAIN_STOP,), True
        stop_ids = _end_ids(source, model, tokenizer, self._own)
        super().__init__(model.to(device), tokenizer, name, batch_size, stop_ids)

    def encode(self, conversation: Sequence[Message]) -> list[int]:
        """The tokens of the conversation in the model's form; a special token typed by a user is ordinary text."""
        for message in conversation:
            _check_characters(message.content)
        if self._own is not None and self._own.chat_template:
            return self._in_template(conversation)
        lines = [PLAIN_FORMS[message.role].format(message.content) for message in conversation]
        return self._beginning() + self.tokenizer.encode("\n".join([*lines, PLAIN_ANSWER]))

    def _in_template(self, conversation: Sequence[Message]) -> list[int]:
        """The template writes special tokens and contents into one text. What a user typed that looks like one
        is taken out before, and put back as plain pieces."""
        from jinja2 import TemplateError

        names = sorted(_special_names(self._own), key=len, reverse=True)
        mark = _unused(message.content for message in conversation)
        typed: list[str] = []

        def take_out(found: re.Match[str]) -> str:
            typed.append(found.group())
            return f"{mark}{len(typed) - 1}{mark}"

        pattern = re.compile("|".join(map(re.escape, names)) or r"(?!)")
        turns = [{"role": m.role, "content": pattern.sub(take_out, m.content)} for m in conversation]
        try:
            text = self._own.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=True, enable_thinking=self._thinking
            )
        except TemplateError as error:
            raise LabkitError(
                f"The chat template of {self.name} refuses this conversation: {error}"
            ) from None
        ids: list[int] = []
        for place, piece in enumerate(re.split(f"{mark}(\\d+){mark}", text)):
            plain = place % 2 == 1
            piece = typed[int(piece)] if plain else piece
            ids += self._own(piece, add_special_tokens=False, split_special_tokens=plain).input_ids
        return ids

    def _beginning(self) -> list[int]:
        """The token that begins every text, where the model was trained with one."""
        if self._own is None or self._own.bos_token_id not in self._own("").input_ids:
            return []
        return [self._own.bos_token_id]


def _pieces(steps: Iterator[Any], text: Any) -> Iterator[str]:
    for step in steps:
        yield text.push(step.token)
        if text.stopped:
            return
    yield text.finish()


def _sampling(settings: Settings) -> Sampling | None:
    from labkit.text.decoding import Sampling

    if settings.temperature == 0:
        return None
    return Sampling(settings.temperature, top_p=None if settings.top_p == 1 else settings.top_p)


def _seed(conversation: Sequence[Message], settings: Settings) -> int:
    """Of the conversation too, so that a reply does not depend on what is asked beside it."""
    content = json.dumps([settings.seed, [astuple(message) for message in conversation]])
    return int.from_bytes(hashlib.sha256(content.encode()).digest()[:8], "big")


def _own_tokenizer(source: str, name: str) -> PreTrainedTokenizerBase:
    """The tokenizer as transformers reads it, with the model's chat template."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(source, local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError, AttributeError) as error:
        raise LabkitError(f"transformers cannot read the tokenizer of {name}: {error}") from None


def _end_ids(source: str, model: Any, tokenizer: Tokenizer, own: PreTrainedTokenizerBase | None) -> list[int]:
    """What ends a reply, by any of the places where models say so."""
    from transformers import GenerationConfig

    from labkit.text.decoders import vocabulary_size

    found = {tokenizer.eos_id}
    if own is not None:
        found |= {own.eos_token_id} | {own.added_tokens_encoder.get(name) for name in TURN_ENDS}
    try:
        ends = GenerationConfig.from_pretrained(source, local_files_only=True).eos_token_id
        found |= set(ends) if isinstance(ends, list) else {ends}
    except (OSError, ValueError):  # most small models have none
        pass
    size = vocabulary_size(model)
    return [token for token in found if token is not None and token < size]


def _special_names(own: PreTrainedTokenizerBase) -> set[str]:
    added = {token.content for token in own.added_tokens_decoder.values() if token.special}
    return added | set(own.all_special_tokens)


def _unused(texts: Iterator[str]) -> str:
    """A character that is in none of the texts."""
    used = set().union(*map(set, texts))
    return next(chr(point) for point in PRIVATE_USE if chr(point) not in used)


def _check_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise LabkitError(
            "A message holds half a character (a surrogate). Read its file with the right encoding."
        ) from None
