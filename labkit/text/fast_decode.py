"""One token through a GPT with as few calls as possible: for a small model the calls cost more than the products."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.text.gpt import GPT, MLP, Attention, Block, KVCache, RMSNorm, rotate

MAX_PARAMETERS = (
    60_000_000  # beyond it the products dominate, and a second copy of the weights is not worth it
)
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
    queries, keys and values, and one gives both halves of the gated layer; matrices lie transposed, as a
    product with few rows reads them fastest; queries and keys are normed and rotated together; the G query
    heads that share a key head attend as G positions of one head, so that nothing is repeated.
    """

    def __init__(self, model: GPT) -> None:
        if not is_plain(model):
            raise ValueError("model must be a plain float32 GPT on the CPU: see fast_decode.is_plain")
        self.model, self.head_dim = model, model.config.head_dim
        self.layers = [_pack(block) for block in model.layers]

    def step(self, tokens: Tensor, cache: KVCache, visible: Tensor | None = None) -> Tensor:
        """Logits (B, V) after one more token for each row; ``cache`` grows by one position.

        ``visible`` (B, 1, 1, cached + 1) is True where a position is no padding.
        """
        model, d, place = self.model, self.head_dim, cache.length
        cos, sin = model.cos[place], model.sin[place]  # (1, d)
        x = model.embed_tokens.weight.index_select(0, tokens)  # (B, D)
        B, D = x.shape
        for layer, (norm, qkv, qk_norm, out, mlp_norm, gate_up, down, act) in enumerate(self.layers):
            heads = F.rms_norm(x, (D,), norm.weight, norm.eps).mm(qkv).view(B, -1, d)  # (B, H + 2K, d)
            weight, eps, H, K = qk_norm
            qk = rotate(F.rms_norm(heads[:, : H + K], (d,), None, eps).mul_(weight), cos, sin)
            keys, values = cache.keys[layer], cache.values[layer]  # (B, K, L, d)
            keys.select(2, place).copy_(qk[:, H:])
            values.select(2, place).copy_(heads[:, H + K :])
            attended = F.scaled_dot_product_attention(
                qk[:, :H].view(B, K, H // K, d),
                keys[:, :, : place + 1],
                values[:, :, : place + 1],
                attn_mask=visible,
            )  # (B, K, H / K, d)
            x = torch.addmm(x, attended.reshape(B, H * d), out)
            both = F.rms_norm(x, (D,), mlp_norm.weight, mlp_norm.eps).mm(gate_up)  # (B, 2I)
            gate, up = both.chunk(2, 1)
            x = torch.addmm(x, act(gate).mul_(up), down)
        cache.length = place + 1
        return model.head(model.norm(x))


def _pack(block: Block) -> tuple:
    attention, mlp = block.self_attn, block.mlp
    d = attention.head_dim
    H, K = attention.q_proj.out_features // d, attention.k_proj.out_features // d
    qk_weight = torch.cat(
        (attention.q_norm.weight.detach().expand(H, d), attention.k_norm.weight.detach().expand(K, d))
    )
    qkv = _transposed(attention.q_proj, attention.k_proj, attention.v_proj)
    return (
        block.input_layernorm,
        qkv,
        (qk_weight, attention.q_norm.eps, H, K),
        _transposed(attention.o_proj),
        block.post_attention_layernorm,
        _transposed(mlp.gate_proj, mlp.up_proj),
        _transposed(mlp.down_proj),
        mlp.act,
    )


def _transposed(*linears: nn.Linear) -> Tensor:
    """(in, sum of outs), in that order in memory."""
    return torch.cat([linear.weight.detach() for linear in linears]).t().contiguous()
