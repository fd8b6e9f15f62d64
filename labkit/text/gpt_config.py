"""The shape of a GPT, and what is asked of its input."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ACTIVATIONS = {
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "relu2": lambda x: F.relu(x).square(),
}  # under the names that transformers has for them
ATTENTIONS = ("causal", "full")


@dataclass(frozen=True)
class GPTConfig:
    """Shape of a GPT. ``attention="full"`` lets every position see every other, for masked-token training.

    ``None`` for ``intermediate_size`` stands for 8/3 of ``hidden_size``, rounded up to a multiple of 64; for
    ``head_dim``, for ``hidden_size / num_heads``. Raises ValueError that names the field.
    """

    vocab_size: int
    hidden_size: int = 256
    intermediate_size: int | None = None
    num_layers: int = 6
    num_heads: int = 4
    num_kv_heads: int = 2
    head_dim: int | None = None
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-6
    max_positions: int = 1024
    tie_embeddings: bool = True
    hidden_act: str = "silu"
    attention: str = "causal"

    def __post_init__(self) -> None:
        check_sizes(
            self, "vocab_size", "hidden_size", "num_layers", "num_heads", "num_kv_heads", "max_positions"
        )
        if self.num_heads % self.num_kv_heads:
            raise ValueError(f"num_kv_heads ({self.num_kv_heads}) must divide num_heads ({self.num_heads})")
        if self.intermediate_size is None:
            object.__setattr__(self, "intermediate_size", 64 * math.ceil(self.hidden_size / 24))
        if self.head_dim is None:
            if self.hidden_size % self.num_heads:
                raise ValueError(
                    f"num_heads ({self.num_heads}) must divide hidden_size ({self.hidden_size}), or give head_dim"
                )
            object.__setattr__(self, "head_dim", self.hidden_size // self.num_heads)
        check_sizes(self, "intermediate_size", "head_dim")
        if self.head_dim % 2:
            raise ValueError(f"head_dim must be even for rotary positions, and is {self.head_dim}")
        for name in ("rope_theta", "rms_norm_eps"):
            if not (isinstance(getattr(self, name), int | float) and 0 < getattr(self, name) < math.inf):
                raise ValueError(f"{name} must be a positive number, and is {getattr(self, name)!r}")
        if not isinstance(self.tie_embeddings, bool):
            raise ValueError(f"tie_embeddings must be True or False, and is {self.tie_embeddings!r}")
        if self.hidden_act not in ACTIVATIONS:
            raise ValueError(
                f"hidden_act must be one of {', '.join(ACTIVATIONS)}, and is {self.hidden_act!r}"
            )
        if self.attention not in ATTENTIONS:
            raise ValueError(f"attention must be one of {', '.join(ATTENTIONS)}, and is {self.attention!r}")


def check_tokens(tokens: Tensor) -> None:
    """Raises ValueError unless tokens are (B, T) integers, not empty."""
    if not isinstance(tokens, Tensor) or tokens.is_floating_point() or tokens.dtype == torch.bool:
        kind = tokens.dtype if isinstance(tokens, Tensor) else type(tokens).__name__
        raise ValueError(
            f"tokens must be a tensor of integer ids, and are {kind}; encode text with a tokenizer first"
        )
    if tokens.ndim != 2 or tokens.numel() == 0:
        raise ValueError(f"tokens must be (batch, time) and not empty, and have shape {tuple(tokens.shape)}")


def embed(tokens: Tensor, embedding: nn.Embedding) -> Tensor:
    """``embedding(tokens)``, with an error that names an id out of the vocabulary (on the CPU; a GPU stops itself)."""
    try:
        return embedding(tokens)
    except IndexError:
        wrong = tokens[(tokens < 0) | (tokens >= embedding.num_embeddings)]
        raise ValueError(
            f"token id {wrong[0].item()} is outside the vocabulary of {embedding.num_embeddings}"
        ) from None


def check_sizes(config: object, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a positive integer, and is {value!r}")
