"""One token through a GPT with as few calls as possible: for a small model the calls cost more than the products."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.text.gpt import GPT, MLP, Attention, Block, KVCache, RMSNorm, rotate

MAX_PARAMETERS = (
    60_000_000  # beyond it the products dominate, and a second copy of the weights is not worth it
)
ROWS_HINT = 8  # for how many rows oneDNN arranges a matrix: right for any, fast from 2 to 64
PLAIN_MODULES = (GPT, Attention, Block, MLP, RMSNorm, nn.Embedding, nn.Linear, nn.ModuleList)


def is_plain(model: nn.Module) -> bool:
    """Whether ``PackedGPT`` computes what ``model`` does: a small float32 GPT on the CPU that nobody changed.

    Adapters, quantized or parametrized layers, hooks and replaced methods all answer False.
    """
    if type(model) is not GPT or model.config.attention != "causal":
        return False
    if model.num_parameters() > MAX_PARAMETERS:
        return False
    for module in model.modules():
        if type(module) not in PLAIN_MODULES or "forward" in vars(module):
            return False
        if module._forward_hooks or module._forward_pre_hooks or getattr(module, "bias", None) is not None:
            return False
    return all(weight.dtype == torch.float32 and weight.device.type == "cpu" for weight in model.parameters())


class PackedGPT:
    """The weights of a GPT, copied once for many single steps; the cache stays ``gpt.KVCache``.

    What is done differently from ``GPT.forward``, with the same result up to rounding: one product gives
    queries, keys and values, and one gives both halves of the gated layer; matrices lie as a product with
    few rows reads them fastest, and hold the weights of the norm before them; queries and keys are normed
    and rotated together; the query heads that share a key head attend as so many positions of one head, so
    that nothing is repeated.
    """

    def __init__(self, model: GPT, rows: int = 1) -> None:
        if not is_plain(model):
            raise ValueError("model must be a plain float32 GPT on the CPU: see fast_decode.is_plain")
        self.model, self.head_dim = model, model.config.head_dim
        self.onednn = rows > 1 and onednn_works()
        arrange = _blocked if self.onednn else _transposed
        self.layers = [_pack(block, arrange) for block in model.layers]
        head = model.embed_tokens if model.lm_head is None else model.lm_head
        self.head, self.head_floor = arrange(_with_norm(model.norm, head.weight)), _floor(model.norm)

    def step(self, tokens: Tensor, kv: KVCache, visible: Tensor | None = None) -> Tensor:
        """Logits (B, V) after one more token for each row; ``kv`` grows by one position.

        ``visible`` (B, 1, 1, cached + 1) is True where a position is no padding.
        """
        model, d, place = self.model, self.head_dim, kv.length
        product = _blocked_product if self.onednn else torch.mm
        cos, sin = model.cos[place], model.sin[place]  # (1, d)
        x = model.embed_tokens.weight.index_select(0, tokens)  # (B, D)
        B = len(x)
        for layer, packed in enumerate(self.layers):
            (floor, qkv), (qk_floor, qk_weight, H, K), out, (mlp_floor, gate_up), down, act = packed
            heads = product(_direction(x, floor), qkv).view(B, -1, d)  # (B, H + 2K, d)
            qk = rotate(_direction(heads[:, : H + K], qk_floor).mul_(qk_weight), cos, sin)
            keys, values = kv.keys[layer], kv.values[layer]  # (B, K, L, d)
            keys.select(2, place).copy_(qk[:, H:])
            values.select(2, place).copy_(heads[:, H + K :])
            attended = F.scaled_dot_product_attention(
                qk[:, :H].view(B, K, H // K, d),
                keys[:, :, : place + 1],
                values[:, :, : place + 1],
                attn_mask=visible,
            )  # (B, K, H / K, d)
            x = x + product(attended.reshape(B, H * d), out)
            gate, up = product(_direction(x, mlp_floor), gate_up).chunk(2, 1)  # (B, I) each
            x = x + product(act(gate).mul_(up), down)
        kv.length = place + 1
        return product(_direction(x, self.head_floor), self.head)


def _direction(x: Tensor, floor: Tensor) -> Tensor:
    """x / sqrt(sum(x^2) + D eps): RMSNorm without its weight and sqrt(D), in three calls instead of ten."""
    return x / torch.hypot(torch.linalg.vector_norm(x, dim=-1, keepdim=True), floor)


def _floor(norm: RMSNorm) -> Tensor:
    """sqrt(D eps), the least length that ``_direction`` divides by."""
    return torch.tensor((len(norm.weight) * norm.eps) ** 0.5)


def _norm_weight(norm: RMSNorm) -> Tensor:
    return norm.weight.detach() * len(norm.weight) ** 0.5


def _with_norm(norm: RMSNorm, weight: Tensor) -> Tensor:
    """A matrix (out, in) that takes ``_direction`` of what the norm takes."""
    return weight.detach() * _norm_weight(norm)


@cache
def onednn_works() -> bool:
    """Whether oneDNN's product with a matrix rearranged beforehand is there, and right.

    PyTorch's compiler uses it for frozen weights. For a few rows it takes half the time of a plain product
    (measured with 8 rows on x86); its operators are not public, so they are tried before they are trusted.
    """
    x, weight = torch.linspace(-1, 1, 48).view(3, 16), torch.linspace(-1, 1, 512).view(32, 16)
    try:
        with torch.inference_mode():
            return torch.allclose(_blocked_product(x, _blocked(weight)), F.linear(x, weight), atol=1e-4)
    except (AttributeError, RuntimeError):  # not built in, or named otherwise
        return False


def _blocked(*weights: Tensor) -> Tensor:
    """(sum of outs, in), in the order of memory that oneDNN wants."""
    return torch.ops.mkldnn._reorder_linear_weight(
        torch.cat([weight.detach() for weight in weights]), ROWS_HINT
    )


def _blocked_product(x: Tensor, weight: Tensor) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")


def _transposed(*weights: Tensor) -> Tensor:
    """(in, sum of outs), in that order in memory; joining does it in half the time of a transposed copy."""
    return torch.cat([weight.detach().t() for weight in weights], 1).contiguous()


def _pack(block: Block, arrange: Callable[..., Tensor]) -> tuple:
    attention, mlp = block.self_attn, block.mlp
    q, k, v, d = attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight, attention.head_dim
    H, K = len(q) // d, len(k) // d
    before, between = block.input_layernorm, block.post_attention_layernorm
    qk_weight = torch.cat(
        (_norm_weight(attention.q_norm).expand(H, d), _norm_weight(attention.k_norm).expand(K, d))
    )
    return (
        (_floor(before), arrange(*(_with_norm(before, weight) for weight in (q, k, v)))),
        (_floor(attention.q_norm), qk_weight, H, K),
        arrange(attention.o_proj.weight),
        (
            _floor(between),
            arrange(*(_with_norm(between, part.weight) for part in (mlp.gate_proj, mlp.up_proj))),
        ),
        arrange(mlp.down_proj.weight),
        mlp.act,
    )
