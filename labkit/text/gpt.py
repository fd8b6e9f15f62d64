"""A decoder-only Transformer in the layout of Qwen3."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.text.gpt_config import ACTIVATIONS, GPTConfig, check_tokens, embed
from labkit.text.kv_cache import KVCache


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight over the last axis (Zhang and Sennrich 2019, arXiv:1910.07467, eq. 4)."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(size)), eps

    def forward(self, x: Tensor) -> Tensor:
        # Mixed precision may hand over a narrower type; the mean of squares is taken in the weight's.
        return F.rms_norm(x.to(self.weight.dtype), self.weight.shape, self.weight, self.eps)


class Attention(nn.Module):
    """Grouped-query attention (arXiv:2305.13245) with normed queries and keys and rotary positions."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        D, d = config.hidden_size, config.head_dim
        self.layer, self.head_dim, self.causal = layer, d, config.attention == "causal"
        self.q_proj = nn.Linear(D, config.num_heads * d, bias=False)
        self.k_proj = nn.Linear(D, config.num_kv_heads * d, bias=False)
        self.v_proj = nn.Linear(D, config.num_kv_heads * d, bias=False)
        self.o_proj = nn.Linear(config.num_heads * d, D, bias=False)
        self.q_norm, self.k_norm = RMSNorm(d, config.rms_norm_eps), RMSNorm(d, config.rms_norm_eps)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, H, T, d), keys and values (B, K, T, d) of x (B, T, D)."""
        heads = (*x.shape[:2], -1, self.head_dim)
        q = rotate(self.q_norm(self.q_proj(x).view(heads)), cos, sin)
        k = rotate(self.k_norm(self.k_proj(x).view(heads)), cos, sin)
        v = self.v_proj(x).view(heads)
        return q.transpose(1, 2).to(v.dtype), k.transpose(1, 2).to(v.dtype), v.transpose(1, 2)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None, cache: KVCache | None
    ) -> Tensor:
        q, k, v = self.project(x, cos, sin)
        if cache is not None:
            k, v = cache.append(self.layer, k, v)
        causal = self.causal and mask is None and q.shape[2] > 1
        y = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=causal, enable_gqa=True
        )  # (B, H, T, d)
        return self.o_proj(y.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """Gated feed-forward layer: down(act(gate(x)) * up(x)) (Shazeer 2020, arXiv:2002.05202, eq. 6)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)
        self.act = ACTIVATIONS[config.hidden_act]

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(self.act(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.self_attn, self.mlp = Attention(config, layer), MLP(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None, cache: KVCache | None
    ) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class GPT(nn.Module):
    """The language model. Its parameters have the names of transformers' Qwen3, less the prefix ``model.``."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(config, layer) for layer in range(config.num_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.lm_head = (
            None if config.tie_embeddings else nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        )
        cos, sin = rotary_tables(config)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self._initialize()

    def _initialize(self) -> None:
        # Each block adds two terms to the residual stream: scaled so, their sum has the size of one (GPT-2).
        shrink = (2 * self.config.num_layers) ** -0.5
        for name, weight in self.named_parameters():
            if name in ("embed_tokens.weight", "lm_head.weight"):
                nn.init.normal_(weight, std=0.02)
            elif weight.ndim == 2:
                residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5 * (shrink if residual else 1.0))

    def num_parameters(self) -> int:
        """Numbers that training may change; tied embeddings count once."""
        return sum(parameter.numel() for parameter in self.parameters())

    def new_cache(self, batch_size: int, max_length: int) -> KVCache:
        """An empty cache in the type and on the device of the weights."""
        weight = self.embed_tokens.weight
        return KVCache(self.config, batch_size, max_length, weight.dtype, weight.device)

    def forward(self, tokens: Tensor, cache: KVCache | None = None, padding: Tensor | None = None) -> Tensor:
        """Logits (B, T, V) of tokens (B, T), which follow on what ``cache`` holds.

        ``padding`` (B, cached + T) is True where a token is real; rows are padded on the left, so that their last
        tokens align. Positions count from the left edge; rotary attention sees differences only. Raises
        ValueError for tokens that are empty, not integers, out of the vocabulary, or too many.
        """
        return self.head(self.features(tokens, cache, padding))

    def head(self, features: Tensor) -> Tensor:
        """Logits (..., V) of features (..., D)."""
        return F.linear(features, self.embed_tokens.weight if self.lm_head is None else self.lm_head.weight)

    def features(self, tokens: Tensor, cache: KVCache | None = None, padding: Tensor | None = None) -> Tensor:
        """Final normed hidden states (B, T, D); arguments and errors as in ``forward``."""
        past = 0 if cache is None else cache.length
        self._check(tokens, cache, padding, past)
        T = tokens.shape[1]
        cos, sin = self.cos[past : past + T], self.sin[past : past + T]  # (T, 1, d)
        mask = attention_mask(T, past, padding, self.config.attention == "causal", tokens.device)
        x = embed(tokens, self.embed_tokens)  # (B, T, D)
        for block in self.layers:
            x = block(x, cos, sin, mask, cache)
        if cache is not None:
            cache.length = past + T
        return self.norm(x)

    def _check(self, tokens: Tensor, cache: KVCache | None, padding: Tensor | None, past: int) -> None:
        check_tokens(tokens)
        B, T = tokens.shape
        if past + T > self.config.max_positions:
            raise ValueError(f"{past + T} positions are more than max_positions {self.config.max_positions}")
        if cache is not None:
            if self.config.attention != "causal":
                raise ValueError("a cache needs attention='causal'")
            if cache.batch_size != B:
                raise ValueError(f"tokens have {B} rows, and the cache was made for {cache.batch_size}")
            if past + T > cache.max_length:
                raise ValueError(
                    f"{past + T} positions are more than the cache's max_length {cache.max_length}"
                )
        if padding is not None and (padding.dtype != torch.bool or padding.shape != (B, past + T)):
            raise ValueError(
                f"padding must be bool of shape {(B, past + T)}, and is {padding.dtype} of {tuple(padding.shape)}"
            )


def rotary_tables(config: GPTConfig) -> tuple[Tensor, Tensor]:
    """cos and sin (max_positions, 1, head_dim) of position * theta^(-2i/d) (arXiv:2104.09864, eq. 15).

    The first half of the sines is negative, so that ``rotate`` needs no sign.
    """
    d = config.head_dim
    frequencies = 1.0 / config.rope_theta ** (torch.arange(0, d, 2, dtype=torch.float32) / d)
    angles = torch.arange(config.max_positions, dtype=torch.float32)[:, None] * frequencies  # (L, d/2)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat((cos, cos), -1)[:, None], torch.cat((-sin, sin), -1)[:, None]


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (x_i, x_{i+d/2}) of (B, T, H, d) by the angle of their position."""
    return x * cos + x.roll(x.shape[-1] // 2, -1) * sin


def attention_mask(
    T: int, past: int, padding: Tensor | None, causal: bool, device: torch.device
) -> Tensor | None:
    """What may be seen, True for yes: (T, past + T) or (B, 1, T, past + T); None where no mask is needed."""
    if padding is None and (not causal or past == 0 or T == 1):
        return None
    allowed = torch.ones(T, past + T, dtype=torch.bool, device=device)
    if causal:
        allowed = allowed.tril(past)
    if padding is None:
        return allowed
    # A padded position sees itself: a row of softmax over nothing would be NaN.
    itself = torch.ones_like(allowed).tril(past).triu(past)
    return (allowed & (padding[:, None, :] | itself))[:, None]


@torch.no_grad()
def attention_maps(model: GPT, tokens: Tensor) -> list[Tensor]:
    """How much each position (row) looks at each other (column): a (B, H, T, T) tensor a layer, rows sum to 1.

    softmax(q k^T / sqrt(d)), written out beside the fused attention of ``forward``, which keeps no such matrix.
    Arguments and errors are those of ``forward``.
    """
    model._check(tokens, None, None, 0)
    T, config = tokens.shape[1], model.config
    cos, sin = model.cos[:T], model.sin[:T]
    hidden_from = torch.full((T, T), -torch.inf, device=tokens.device).triu(
        1 if config.attention == "causal" else T
    )
    x, maps = embed(tokens, model.embed_tokens), []
    for block in model.layers:
        q, k, _ = block.self_attn.project(block.input_layernorm(x), cos, sin)
        k = k.repeat_interleave(config.num_heads // config.num_kv_heads, dim=1)  # (B, H, T, d)
        scores = q @ k.transpose(2, 3) / config.head_dim**0.5  # (B, H, T, T)
        maps.append((scores + hidden_from).softmax(-1))
        x = block(x, cos, sin, None, None)
    return maps
