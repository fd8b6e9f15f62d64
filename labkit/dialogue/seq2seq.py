"""Seq2Seq with attention: a bidirectional encoder, two kinds of attention, a decoder that writes word by word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.common import LabkitError

PAD, BOS, EOS, UNKNOWN = range(4)
ATTENTIONS = ("additive", "multiplicative", "none")
CELLS = ("gru", "lstm")
NEVER = -1e9


@dataclass(frozen=True)
class Seq2SeqConfig:
    """Shape of the network. ``attention="none"`` leaves the decoder with the encoder's last state alone.

    The embedding is wide, since it is the output's matrix as well: with few numbers a word the facts are learned slowly.
    """

    vocab_size: int
    embedding_size: int = 384
    hidden_size: int = 160
    attention: str = "additive"
    cell: str = "gru"
    dropout: float = 0.1

    def __post_init__(self) -> None:
        for name in ("vocab_size", "embedding_size", "hidden_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise LabkitError(f"{name} is {value!r}. Give a whole number from 1.")
        for name, allowed in (("attention", ATTENTIONS), ("cell", CELLS)):
            if getattr(self, name) not in allowed:
                raise LabkitError(f"{name} is {getattr(self, name)!r}. Choose one of: {', '.join(allowed)}.")
        if not isinstance(self.dropout, int | float) or not 0 <= self.dropout < 1:
            raise LabkitError(f"dropout is {self.dropout!r}. Give a number from 0 to below 1.")


class AdditiveAttention(nn.Module):
    """score(s, h) = vᵀ tanh(W_s s + W_h h) (Bahdanau et al. 2015, arXiv:1409.0473, section A.1.2)."""

    def __init__(self, query_size: int, key_size: int, hidden_size: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_size, hidden_size)
        self.key = nn.Linear(key_size, hidden_size, bias=False)
        self.energy = nn.Linear(hidden_size, 1, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        """What of the encoder's states (B, S, 2H) does not change from step to step."""
        return self.key(states)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """(B, S) of queries (B, H)."""
        return self.energy(torch.tanh(self.query(query)[:, None] + keys)).squeeze(-1)


class MultiplicativeAttention(nn.Module):
    """score(s, h) = sᵀ W h (Luong et al. 2015, arXiv:1508.04025, "general" in section 3.1)."""

    def __init__(self, query_size: int, key_size: int) -> None:
        super().__init__()
        self.key = nn.Linear(key_size, query_size, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        return self.key(states)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return (keys @ query[:, :, None]).squeeze(-1)


class Source(NamedTuple):
    """What the decoder sees of the sentences read: states (B, S, 2H), keys (B, S, H), mask (B, S)."""

    states: Tensor
    keys: Tensor | None
    mask: Tensor


class State(NamedTuple):
    """Of the decoder between two words: hidden and (LSTM) cell (B, H), context (B, 2H) and attention (B, S)."""

    hidden: Tensor
    memory: Tensor | None
    context: Tensor
    attention: Tensor


class Seq2Seq(nn.Module):
    """Reads token ids and writes others; both sides share the embedding, which is the output's matrix as well."""

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.config = config
        E, H, V = config.embedding_size, config.hidden_size, config.vocab_size
        self.embedding = nn.Embedding(V, E, padding_idx=PAD)
        nn.init.normal_(self.embedding.weight, std=E**-0.5)
        encoder, cell = (nn.GRU, nn.GRUCell) if config.cell == "gru" else (nn.LSTM, nn.LSTMCell)
        self.forwards = encoder(E, H, batch_first=True)
        self.backwards = encoder(E, H, batch_first=True)
        self.start = nn.Linear(2 * H, H)
        self.cell = cell(E + 2 * H, H)
        self.attention = {
            "additive": lambda: AdditiveAttention(H, 2 * H, H),
            "multiplicative": lambda: MultiplicativeAttention(H, 2 * H),
            "none": lambda: None,
        }[config.attention]()
        self.readout = nn.Linear(H + 2 * H + E, E)
        self.bias = nn.Parameter(torch.zeros(V))
        self.dropout = nn.Dropout(config.dropout)

    def read(self, source: Tensor) -> tuple[Source, State]:
        """Token ids (B, S), padded at the end. What stands in the padding changes nothing."""
        mask = source != PAD
        lengths = mask.sum(1)
        if (lengths == 0).any():
            raise LabkitError("A sentence to read holds no token. Give at least one.")
        embedded = self.dropout(self.embedding(source))
        forwards, _ = self.forwards(embedded)  # (B, S, H)
        backwards, _ = self.backwards(turned(embedded, lengths))  # each row from its own end
        end = (lengths - 1)[:, None, None].expand(-1, 1, forwards.shape[2])
        last = torch.cat((forwards.gather(1, end), backwards.gather(1, end)), -1).squeeze(1)  # (B, 2H)
        states = torch.cat((forwards, turned(backwards, lengths)), -1)  # (B, S, 2H)
        hidden = torch.tanh(self.start(last))  # (B, H)
        keys = None if self.attention is None else self.attention.keys(states)
        memory = torch.zeros_like(hidden) if self.config.cell == "lstm" else None
        context = states.new_zeros(len(source), states.shape[2])
        return Source(states, keys, mask), State(hidden, memory, context, states.new_zeros(mask.shape))

    def step(self, tokens: Tensor, state: State, source: Source) -> tuple[Tensor, State]:
        """Logits (B, V) after one more token (B,) for each row, and the new state."""
        embedded = self.dropout(self.embedding(tokens))  # (B, E)
        state = self._advance(embedded, state, source)
        return self._logits(state.hidden, state.context, embedded), state

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        """Logits (B, T, V) with teacher forcing: ``inputs`` (B, T) are BOS and the true words before each place.

        Only what depends on the step before goes step by step; the product with the vocabulary is one for all.
        """
        read, state = self.read(source)
        embedded = self.dropout(self.embedding(inputs))  # (B, T, E)
        states = []
        for place in embedded.unbind(1):
            state = self._advance(place, state, read)
            states.append(state)
        hidden = torch.stack([one.hidden for one in states], 1)  # (B, T, H)
        context = torch.stack([one.context for one in states], 1)  # (B, T, 2H)
        return self._logits(hidden, context, embedded)

    def _advance(self, embedded: Tensor, state: State, source: Source) -> State:
        """The state after one more token, embedded (B, E)."""
        inputs = torch.cat((embedded, state.context), -1)  # input feeding: what was looked at last
        if state.memory is None:
            hidden, memory = self.cell(inputs, state.hidden), None
        else:
            hidden, memory = self.cell(inputs, (state.hidden, state.memory))
        if self.attention is None:
            return State(hidden, memory, state.context, state.attention)
        scores = self.attention.scores(hidden, source.keys).masked_fill(~source.mask, NEVER)
        weights = scores.softmax(-1)  # (B, S); 0 in the padding
        context = (weights[:, None] @ source.states).squeeze(1)  # (B, 2H)
        return State(hidden, memory, context, weights)

    def _logits(self, hidden: Tensor, context: Tensor, embedded: Tensor) -> Tensor:
        """(..., V) of states (..., H), contexts (..., 2H) and embedded tokens (..., E)."""
        features = self.dropout(torch.tanh(self.readout(torch.cat((hidden, context, embedded), -1))))
        return F.linear(features, self.embedding.weight, self.bias)


class Seq2SeqDecoder:
    """A Seq2Seq network behind the interface of ``labkit.text.decoders``; a prompt is what is read, not gone on with."""

    def __init__(self, model: Seq2Seq) -> None:
        self.model = model

    def start(self, prompts, max_new_tokens: int) -> Tensor:
        self.source, self.state = self.model.read(padded(prompts))
        self.owner = torch.arange(len(prompts))  # of each row, the prompt that it reads
        return self.step(torch.full((len(prompts),), BOS))

    def step(self, tokens: Tensor) -> Tensor:
        logits, self.state = self.model.step(tokens, self.state, self.source)
        logits = logits.clone()
        logits[:, [PAD, BOS, UNKNOWN]] = -torch.inf  # nothing that a reader could see
        return logits

    def reorder(self, indices: Tensor) -> None:
        self.state = State(*(None if one is None else one[indices] for one in self.state))
        before, self.owner = self.owner, self.owner[indices]
        # Where the beams of a prompt only changed places among themselves, what they read is the same.
        if not torch.equal(before, self.owner):
            self.source = Source(*(None if one is None else one[indices] for one in self.source))


def turned(values: Tensor, lengths: Tensor) -> Tensor:
    """(B, S, ...) with the first ``lengths`` (B,) places of each row in the opposite order; the padding stays.

    So both directions read each row from its first token on, and padding comes after all that counts. A packed
    sequence gives the same; its gradient costs a copy of the whole batch for every place.
    """
    places = torch.arange(values.shape[1], device=values.device)[None]
    places = torch.where(places < lengths[:, None], lengths[:, None] - 1 - places, places)
    return values.gather(1, places[:, :, None].expand_as(values))


def padded(rows) -> Tensor:
    """Token ids (B, longest), with padding at the end."""
    width = max(len(row) for row in rows)
    return torch.tensor([[*row, *[PAD] * (width - len(row))] for row in rows])


def sequence_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean of -log p(target) over the targets (B, T) that are not padding, in nats."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD)
