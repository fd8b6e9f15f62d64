"""From words to vectors: one for the whole caption and one for each word, read by a recurrent network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from labkit.common import LabkitError

PADDING = 0  # the id that fills a row of tokens


@dataclass(frozen=True)
class TextConfig:
    """Shape of a ``TextEncoder``; ``hidden_size`` is the size of every vector that comes out, half a direction."""

    vocab_size: int
    embedding_size: int = 48
    hidden_size: int = 96

    def __post_init__(self) -> None:
        for name in ("vocab_size", "embedding_size", "hidden_size"):
            check_whole(name, getattr(self, name))
        if self.hidden_size % 2:
            raise LabkitError(
                f"hidden_size is {self.hidden_size}. Give an even number: half is read forwards."
            )


def check_whole(name: str, value: object, least: int = 1) -> None:
    """Refuse what is not a whole number from ``least``, by its name."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise LabkitError(f"{name} is {value!r}. Give a whole number from {least}.")


@dataclass(frozen=True)
class Encoded:
    """Captions as vectors: ``sentence`` (B, H), ``words`` (B, 1 + T, H) and ``visible`` (B, 1 + T), bool.

    Place 0 of ``words`` is a learned vector that stands for no word and is always visible: attention has
    somewhere to look where no word has anything to say, and where there is no caption at all.
    """

    sentence: Tensor
    words: Tensor
    visible: Tensor

    def __len__(self) -> int:
        return len(self.sentence)

    def __getitem__(self, rows: slice | Tensor) -> Encoded:
        return Encoded(self.sentence[rows], self.words[rows], self.visible[rows])

    @staticmethod
    def cat(parts: list[Encoded]) -> Encoded:
        """The rows of all parts, which must be padded to the same length."""
        fields = ("sentence", "words", "visible")
        return Encoded(*(torch.cat([getattr(part, name) for part in parts]) for name in fields))


class TextEncoder(nn.Module):
    """A gated recurrent network that reads the words in both directions (Cho et al. 2014, arXiv:1406.1078).

    A word's vector is what the two directions know when they stand at it, so "red" before "circle" and "red"
    before "square" come out different. The sentence's vector is made from what each knows at its end.
    Padding (id 0) is not read: a caption has the same vectors in every batch.
    """

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config = config
        size = config.hidden_size
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size, padding_idx=PADDING)
        self.reader = nn.GRU(config.embedding_size, size // 2, batch_first=True, bidirectional=True)
        self.sentence = nn.Linear(size, size)
        self.no_sentence = nn.Parameter(torch.zeros(size))
        self.no_word = nn.Parameter(torch.zeros(size))

    def forward(self, tokens: Tensor, dropped: Tensor | None = None) -> Encoded:
        """Vectors of ``tokens`` (B, T). Rows where ``dropped`` (B,) is True are as if they had no caption."""
        read = tokens != PADDING  # (B, T)
        lengths = read.sum(1).clamp(min=1)  # an empty caption reads one padding, and sees no word
        packed = pack_padded_sequence(
            self.embedding(tokens), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        outputs, last = self.reader(packed)
        words, _ = pad_packed_sequence(outputs, batch_first=True, total_length=tokens.shape[1])  # (B, T, H)
        sentence = self.sentence(torch.cat([last[0], last[1]], 1))  # (B, H)
        if dropped is not None:
            read = read & ~dropped[:, None]
        some = read.any(1, keepdim=True)
        blank = self.no_word.expand(len(tokens), 1, -1)
        return Encoded(
            torch.where(some, sentence, self.no_sentence),
            torch.cat([blank, words.to(blank.dtype)], 1),
            torch.cat([torch.ones_like(some), read], 1),
        )
