"""Dialogues as pairs of token ids: what is read (the last turns), and what is written (the reply)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from labkit.common import LabkitError
from labkit.dialogue.seq2seq import BOS, EOS, UNKNOWN, padded
from labkit.dialogue.talks import Dialogue, turns_of
from labkit.text.tokenizer import Tokenizer

SEPARATOR = 4  # between two turns
NUM_SPECIAL = 5
MAX_READ = 120  # tokens of the history; the oldest are left out
MAX_WRITTEN = 80
BLUR = (12.0, 4.0)  # tokens read and written by which the lengths in one batch may differ, about
LAST_MARKS = ".!?…~。！？～ "


@dataclass(frozen=True)
class Vocabulary:
    """Those tokens of a tokenizer that occur in the training dialogues, numbered anew; all others are UNKNOWN.

    A byte-level tokenizer takes any text, so nothing that a person writes is an error; most of its tokens never occur.
    """

    tokenizer: Tokenizer
    tokens: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {token: NUM_SPECIAL + i for i, token in enumerate(self.tokens)})

    @classmethod
    def of(cls, texts: Iterable[str], tokenizer: Tokenizer) -> Vocabulary:
        found: set[int] = set()
        for text in texts:
            found.update(tokenizer.encode(_spaced(text)))
        return cls(tokenizer, tuple(sorted(found)))

    @property
    def size(self) -> int:
        return NUM_SPECIAL + len(self.tokens)

    def encode(self, text: str) -> list[int]:
        ids: dict[int, int] = self._ids  # type: ignore[attr-defined]
        return [ids.get(token, UNKNOWN) for token in self.tokenizer.encode(_spaced(text))]

    def decode(self, ids: Sequence[int]) -> str:
        tokens = [self.tokens[one - NUM_SPECIAL] for one in ids if one >= NUM_SPECIAL]
        return self.tokenizer.decode(tokens).strip()

    def token_texts(self, ids: Sequence[int]) -> list[str]:
        """How each id reads, for an attention map."""
        names = {UNKNOWN: "?", SEPARATOR: "/", BOS: "(start)", EOS: "(end)"}
        return [
            self.tokenizer.token_text(self.tokens[one - NUM_SPECIAL])
            if one >= NUM_SPECIAL
            else names.get(one, "")
            for one in ids
        ]

    def unknown_share(self, text: str) -> float:
        """Share of the tokens of a text that never occurred in training."""
        ids = self.encode(text)
        return sum(one == UNKNOWN for one in ids) / len(ids) if ids else 0.0


def _spaced(text: str) -> str:
    """The first word is to have the same token as within a sentence; blanks and line ends become one blank."""
    text = " ".join(text.split())
    return f" {text}" if text[:1].isascii() else text


def typed_in_haste(said: str) -> str:
    """Without the last mark, and with a small first letter: "Hello!", "hello" and "Hello." are read alike.

    Else a network takes the mark for a sign of what is talked about, where one kind of question has it in training and
    another has not.
    """
    said = said.strip()
    said = said.rstrip(LAST_MARKS) or said
    return said[:1].lower() + said[1:]


def read_ids(history: Sequence[str], vocabulary: Vocabulary) -> list[int]:
    """Turns with a separator between, the last and every second before it as a person may have typed them in haste.

    Where they are too long, the end of what was said counts.
    """
    ids: list[int] = []
    for place, turn in enumerate(history):
        from_person = (len(history) - place) % 2 == 1
        text = typed_in_haste(turn) if from_person else turn
        ids += ([SEPARATOR] if ids else []) + vocabulary.encode(text)
    return ids[-MAX_READ:] or [UNKNOWN]


def history_of(dialogue: Dialogue, place: int, memory: int) -> list[str]:
    """What is said at ``place``, with the ``memory`` exchanges before it."""
    before = dialogue.exchanges[max(0, place - memory) : place]
    return [turn for one in before for turn in (one.said, one.reply)] + [dialogue.exchanges[place].said]


class Pairs(NamedTuple):
    """A batch: read (B, S), the decoder's inputs (B, T) from BOS on, and targets (B, T) up to EOS."""

    source: Tensor
    inputs: Tensor
    targets: Tensor


class PairBatches:
    """Batches of exchanges of about the same length; batch ``step`` depends on ``seed`` and ``step`` alone.

    Every epoch draws its batches anew. Sorted by length alone, the many copies of one small talk would always stand in
    one batch, which is then seen once an epoch and forgotten in between.
    """

    def __init__(
        self,
        dialogues: Sequence[Dialogue],
        vocabulary: Vocabulary,
        batch_size: int,
        memory: int,
        seed: int = 0,
    ):
        if isinstance(memory, bool) or not isinstance(memory, int) or memory < 0:
            raise LabkitError(f"memory is {memory!r}. Give the number of exchanges before the last, from 0.")
        self.batch_size, self.seed = batch_size, seed
        self.rows = [
            (
                read_ids(history_of(dialogue, place, memory), vocabulary),
                vocabulary.encode(dialogue.exchanges[place].reply)[: MAX_WRITTEN - 1],
            )
            for dialogue, place in turns_of(dialogues)
        ]
        if not self.rows:
            raise LabkitError("There are no dialogues to train on.")
        self.steps_per_epoch = -(-len(self.rows) // batch_size)
        self._drawn: tuple[int, list[np.ndarray]] = (-1, [])  # the last epoch and its batches

    def __call__(self, step: int) -> Pairs:
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._drawn[0]:
            self._drawn = epoch, self._groups(epoch)
        return self.batch(self._drawn[1][place])

    def batch(self, chosen: Sequence[int]) -> Pairs:
        rows = [self.rows[place] for place in chosen]
        written = [reply for _, reply in rows]
        return Pairs(
            padded([read for read, _ in rows]),
            padded([[BOS, *reply] for reply in written]),
            padded([[*reply, EOS] for reply in written]),
        )

    def _groups(self, epoch: int) -> list[np.ndarray]:
        """The rows of each batch of an epoch, in a random order.

        Neighbours by length, blurred by ``BLUR`` tokens, write about as much and read about as much: less padding. What
        is read grows and shrinks in turn, so that no batch holds the longest of a group and the shortest of the next.
        """
        draw = np.random.default_rng((self.seed, epoch))
        blurred = np.array([(len(read), len(reply)) for read, reply in self.rows])
        blurred = blurred + draw.uniform(0, BLUR, blurred.shape)
        group = blurred[:, 1] // 2
        order = np.lexsort((np.where(group % 2, blurred[:, 0], -blurred[:, 0]), group))
        groups = np.split(order, range(self.batch_size, len(order), self.batch_size))
        return [groups[place] for place in draw.permutation(len(groups))]

    def state_dict(self) -> dict[str, Any]:
        return {"seed": self.seed, "batch_size": self.batch_size, "rows": len(self.rows)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state != self.state_dict():
            raise LabkitError(f"The batches were {state}, and are {self.state_dict()}.")


def mean_log_probability(logits: Tensor, ids: Sequence[int]) -> float:
    """Mean of log p of the chosen ids (T,) under logits (T, V): how sure a model was of what it wrote."""
    logs = logits.log_softmax(-1)
    return float(logs[torch.arange(len(ids)), torch.tensor(list(ids))].mean())
