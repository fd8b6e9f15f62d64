"""The pointer-generator network: it writes a word of its vocabulary, or copies one of the article (See et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from labkit.common import LabkitError
from labkit.summaries.words import BOS, PAD

SMALLEST = 1e-9  # added to a probability before its logarithm
NEVER = -1e9


@dataclass(frozen=True)
class PointerConfig:
    """Shape of a pointer-generator network (https://arxiv.org/abs/1704.04368).

    ``copy=False`` leaves the pointer out, and ``coverage=0`` the coverage loss of that weight (equation 13).
    """

    input_size: int
    output_size: int
    embedding_size: int = 64
    hidden_size: int = 96
    dropout: float = 0.1
    copy: bool = True
    coverage: float = 0.0

    def __post_init__(self) -> None:
        for name in ("input_size", "output_size", "embedding_size", "hidden_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise LabkitError(f"{name} is {value!r}. Give a whole number from 1.")
        if self.input_size < self.output_size:
            raise LabkitError(
                f"input_size is {self.input_size}. What can be written must be readable: at least {self.output_size}."
            )
        if not 0 <= self.dropout < 1:
            raise LabkitError(f"dropout is {self.dropout!r}. Give a number from 0 to below 1.")
        if not isinstance(self.copy, bool):
            raise LabkitError(f"copy is {self.copy!r}. Write True or False.")
        if not self.coverage >= 0:
            raise LabkitError(f"coverage is {self.coverage!r}. Give a weight from 0.")


class Article(NamedTuple):
    """What the decoder sees of a batch of articles."""

    states: Tensor  # (B, S, 2H)
    keys: Tensor  # (B, S, H): W_h h of equation 1
    mask: Tensor  # (B, S), True where a word is
    extended: Tensor  # (B, S): ids by which words are copied
    extra: int  # ids beyond the vocabulary in this batch


class State(NamedTuple):
    """Of the decoder between two words."""

    hidden: Tensor  # (B, H)
    context: Tensor  # (B, 2H)
    coverage: Tensor  # (B, S): attention so far


class Step(NamedTuple):
    """What one step of the decoder gave."""

    probabilities: Tensor  # (B, output_size + extra)
    attention: Tensor  # (B, S)
    generate: Tensor  # (B, 1): p_gen


class PointerGenerator(nn.Module):
    """A bidirectional GRU reads the article, a GRU with additive attention writes; GRUs where See et al. have LSTMs."""

    def __init__(self, config: PointerConfig) -> None:
        super().__init__()
        self.config = config
        E, H = config.embedding_size, config.hidden_size
        self.embedding = nn.Embedding(config.input_size, E, padding_idx=PAD)
        self.encoder = nn.GRU(E, H, bidirectional=True, batch_first=True)
        self.start = nn.Linear(2 * H, H)
        self.cell = nn.GRUCell(E + 2 * H, H)
        self.key = nn.Linear(2 * H, H, bias=False)
        self.query = nn.Linear(H, H)
        self.cover = nn.Linear(1, H, bias=False)
        self.energy = nn.Linear(H, 1, bias=False)
        self.generate = nn.Linear(2 * H + H + E, 1)
        self.readout = nn.Linear(H + 2 * H, E)
        self.output = nn.Linear(E, config.output_size)
        self.dropout = nn.Dropout(config.dropout)

    def read(self, articles: Tensor, extended: Tensor, extra: int) -> tuple[Article, State]:
        """``articles`` (B, S) are ids to read, padded at the end, ``extended`` (B, S) those to copy."""
        mask = articles != PAD
        packed = pack_padded_sequence(
            self.dropout(self.embedding(articles)),
            mask.sum(1).clamp(min=1).cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        outputs, last = self.encoder(packed)
        states, _ = pad_packed_sequence(outputs, batch_first=True, total_length=articles.shape[1])
        hidden = torch.tanh(self.start(torch.cat((last[0], last[1]), -1)))  # (B, H)
        context = states.new_zeros(len(articles), states.shape[2])
        coverage = states.new_zeros(mask.shape)
        return Article(states, self.key(states), mask, extended, extra), State(hidden, context, coverage)

    def step(self, words: Tensor, state: State, article: Article) -> tuple[Step, State]:
        """One more word (B,) is read by the decoder; copied words are read as ``UNKNOWN`` by who calls this."""
        embedded = self.dropout(self.embedding(words))  # (B, E)
        hidden = self.cell(torch.cat((embedded, state.context), -1), state.hidden)
        energies = article.keys + self.query(hidden)[:, None]  # (B, S, H)
        if self.config.coverage:
            energies = energies + self.cover(state.coverage[..., None])
        scores = self.energy(torch.tanh(energies)).squeeze(-1)  # equation 1, or 11 with coverage
        attention = scores.masked_fill(~article.mask, NEVER).softmax(-1)  # (B, S)
        context = (attention[:, None] @ article.states).squeeze(1)  # (B, 2H)
        logits = self.output(self.dropout(torch.tanh(self.readout(torch.cat((hidden, context), -1)))))
        vocabulary = logits.softmax(-1)
        if self.config.copy:
            p_gen = torch.sigmoid(self.generate(torch.cat((context, hidden, embedded), -1)))  # equation 8
            both = F.pad(p_gen * vocabulary, (0, article.extra))
            both = both.scatter_add(1, article.extended, (1 - p_gen) * attention)  # equation 9
        else:
            p_gen = torch.ones_like(hidden[:, :1])
            both = F.pad(vocabulary, (0, article.extra))
        return Step(both, attention, p_gen), State(hidden, context, state.coverage + attention)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(log p (B, T) of each target word given those before it, coverage loss (B, T) of equation 12)."""
        article, state = self.read(batch.articles, batch.extended, batch.extra)
        logs, losses = [], []
        words = torch.full_like(batch.inputs[:, 0], BOS)
        for place in range(batch.targets.shape[1]):
            before = state.coverage
            step, state = self.step(words, state, article)
            chosen = step.probabilities.gather(1, batch.targets[:, place, None]).squeeze(1)
            logs.append((chosen + SMALLEST).log())
            losses.append(torch.minimum(step.attention, before).sum(1))
            words = batch.inputs[:, place]  # teacher forcing: the true word, whatever would have been written
        return torch.stack(logs, 1), torch.stack(losses, 1)


class Batch(NamedTuple):
    """Articles and the summaries to learn, padded at the end."""

    articles: Tensor  # (B, S)
    extended: Tensor  # (B, S)
    inputs: Tensor  # (B, T): the summary's words as the decoder reads them
    targets: Tensor  # (B, T): as it writes them
    extra: int


def summary_loss(model: PointerGenerator, batch: Batch) -> Tensor:
    """Mean of -log p over the summaries' words, with the weighed coverage loss where there is one."""
    logs, cover = model(batch)
    there = batch.targets != PAD
    loss = -logs[there].mean()
    return loss + model.config.coverage * cover[there].mean() if model.config.coverage else loss
