"""What a GPT remembers of the tokens it has read: their keys and values."""

from __future__ import annotations

import torch
from torch import Tensor

from labkit.text.gpt_config import GPTConfig


class KVCache:
    """Keys and values of the positions seen so far, in memory that is allocated once.

    ``keys[layer]`` and ``values[layer]`` are (B, num_kv_heads, max_length, head_dim), filled up to ``length``.
    """

    def __init__(
        self,
        config: GPTConfig,
        batch_size: int,
        max_length: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        for name, value in (("batch_size", batch_size), ("max_length", max_length)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, and is {value!r}")
        if config.attention != "causal":
            raise ValueError(
                "a cache needs attention='causal': with 'full', later tokens change earlier keys"
            )
        if max_length > config.max_positions:
            raise ValueError(f"max_length {max_length} is more than max_positions {config.max_positions}")
        shape = (batch_size, config.num_kv_heads, max_length, config.head_dim)
        self.keys = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(config.num_layers)]
        self.values = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(config.num_layers)]
        self.batch_size, self.max_length, self.length = batch_size, max_length, 0

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write (B, K, T, d) behind the filled part; returns views of all (B, K, length + T, d)."""
        start, end = self.length, self.length + keys.shape[2]
        self.keys[layer][:, :, start:end] = keys
        self.values[layer][:, :, start:end] = values
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def reorder(self, indices: Tensor) -> None:
        """Row i becomes what row ``indices[i]`` was; another number of indices changes the batch size."""
        for tensors in (self.keys, self.values):
            for layer, old in enumerate(tensors):
                new = old if len(indices) == self.batch_size else old.new_zeros(len(indices), *old.shape[1:])
                new[:, :, : self.length] = old[:, :, : self.length].index_select(0, indices)
                tensors[layer] = new
        self.batch_size = len(indices)

    def reset(self) -> None:
        """Forget everything; the memory stays."""
        self.length = 0
