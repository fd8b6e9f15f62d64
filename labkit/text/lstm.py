"""A recurrent language model: embedding, LSTM layers, tied output."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from labkit.text.gpt_config import check_sizes, check_tokens, embed

State = tuple[Tensor, Tensor]  # hidden and cell, each (num_layers, B, hidden_size)


@dataclass(frozen=True)
class LSTMConfig:
    """Shape of an LSTM language model; wrong values raise ValueError that names the field.

    ``dropout`` is a probability in [0, 1): after the embedding, between the layers, and before the output.
    """

    vocab_size: int
    embedding_size: int = 256
    hidden_size: int = 512
    num_layers: int = 2
    dropout: float = 0.0
    tie_embeddings: bool = True

    def __post_init__(self) -> None:
        check_sizes(self, "vocab_size", "embedding_size", "hidden_size", "num_layers")
        if not (isinstance(self.dropout, int | float) and 0 <= self.dropout < 1):
            raise ValueError(f"dropout must be in [0, 1), and is {self.dropout!r}")
        if not isinstance(self.tie_embeddings, bool):
            raise ValueError(f"tie_embeddings must be True or False, and is {self.tie_embeddings!r}")


class LSTMLanguageModel(nn.Module):
    """Embedding, LSTM layers (Hochreiter and Schmidhuber 1997), linear output over the vocabulary.

    With ``tie_embeddings`` the output uses the embedding's matrix (Press and Wolf 2017, arXiv:1608.05859); a
    projection leads from ``hidden_size`` to ``embedding_size`` where the two differ.
    """

    def __init__(self, config: LSTMConfig) -> None:
        super().__init__()
        self.config = config
        V, E, H = config.vocab_size, config.embedding_size, config.hidden_size
        self.embedding = nn.Embedding(V, E)
        between = config.dropout if config.num_layers > 1 else 0.0
        self.lstm = nn.LSTM(E, H, config.num_layers, dropout=between, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.projection = nn.Linear(H, E, bias=False) if config.tie_embeddings and H != E else None
        self.output = nn.Linear(E if config.tie_embeddings else H, V)
        nn.init.normal_(self.embedding.weight, std=E**-0.5)  # so that tied logits start near unit size
        nn.init.zeros_(self.output.bias)
        self.tie_weights()

    def tie_weights(self) -> None:
        """Make the output's matrix the embedding's, where the configuration says so."""
        if self.config.tie_embeddings:
            self.output.weight = self.embedding.weight

    def num_parameters(self) -> int:
        """Numbers that training may change; tied embeddings count once."""
        return sum(parameter.numel() for parameter in self.parameters())

    def initial_state(self, batch_size: int) -> State:
        """Zeros, as at the start of a text."""
        weight = self.embedding.weight
        zeros = weight.new_zeros(self.config.num_layers, batch_size, self.config.hidden_size)
        return zeros, zeros.clone()

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Logits (B, T, V) of tokens (B, T), and the state after the last of them.

        ``state`` is what the previous call gave back (None: zeros). Raises ValueError for tokens that are
        empty, not integers or out of the vocabulary, and for a state that is not (hidden, cell).
        """
        features, state = self.features(tokens, state)
        return self.output(features), state

    def features(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """What the output layer sees (B, T, E, or H when not tied), and the state; as in ``forward``."""
        check_tokens(tokens)
        if state is not None:
            self._check_state(state, len(tokens))
        x = self.dropout(embed(tokens, self.embedding))  # (B, T, E)
        x, state = self.lstm(x, state)  # (B, T, H)
        if self.projection is not None:
            x = self.projection(x)  # (B, T, E)
        return self.dropout(x), state

    def head(self, features: Tensor) -> Tensor:
        """Logits (..., V) of features."""
        return self.output(features)

    def _check_state(self, state: State, batch_size: int) -> None:
        check_state(state)
        expected = (self.config.num_layers, batch_size, self.config.hidden_size)
        for name, part in zip(("hidden", "cell"), state, strict=True):
            if tuple(part.shape) != expected:
                raise ValueError(f"state: {name} must have shape {expected}, and has {tuple(part.shape)}")


def check_state(state: object) -> None:
    """Raises ValueError unless ``state`` is the pair (hidden, cell) of tensors."""
    if isinstance(state, Tensor):
        raise ValueError(
            f"state is one tensor of shape {tuple(state.shape)}; an LSTM's state is the pair (hidden, cell)"
        )
    if not isinstance(state, tuple) or len(state) != 2 or not all(isinstance(part, Tensor) for part in state):
        raise ValueError(f"state must be the pair (hidden, cell) of tensors, and is {type(state).__name__}")


def detach_state(state: State) -> State:
    """The same numbers, cut off from the graph: gradients stop at the border between two batches.

    Without it backward reaches through all earlier batches, and fails at the second step.
    """
    check_state(state)
    hidden, cell = state
    return hidden.detach(), cell.detach()


def reorder_state(state: State, indices: Tensor) -> State:
    """Row i becomes what row ``indices[i]`` was, for beams."""
    check_state(state)
    hidden, cell = state
    return hidden.index_select(1, indices), cell.index_select(1, indices)
