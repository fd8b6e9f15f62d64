"""labkit.text.gpt: the numbers of transformers' Qwen3, whole, padded, and in pieces through the cache."""

from __future__ import annotations

import copy
import dataclasses
import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.text.gpt import GPT, KVCache, RMSNorm, attention_maps, rotary_tables, rotate
from labkit.text.gpt_config import GPTConfig
from labkit.text.pretrained import qwen3_config
from tests.small_models import drawn_gpt

SHAPES = {
    "multi-head": GPTConfig(61, 48, num_layers=2, num_heads=4, num_kv_heads=4, max_positions=64),
    "grouped, wide heads": GPTConfig(
        61, 40, num_layers=3, num_heads=6, num_kv_heads=2, head_dim=16, max_positions=64, rope_theta=1e6
    ),
    "untied, one key head": GPTConfig(
        61, 32, 72, num_layers=2, num_heads=4, num_kv_heads=1, max_positions=64, tie_embeddings=False
    ),
}
TOLERANCE = 2e-6  # of float32 logits of size one; the issue allows 1e-4


def twin(model: GPT):
    """transformers' Qwen3 with the weights of ``model``."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    other = Qwen3ForCausalLM(Qwen3Config(**qwen3_config(model.config))).eval()
    state = {
        name if name == "lm_head.weight" else f"model.{name}": value
        for name, value in model.state_dict().items()
    }
    answer = other.load_state_dict(state, strict=False)
    assert answer.unexpected_keys == []
    assert answer.missing_keys == (["lm_head.weight"] if model.config.tie_embeddings else [])
    return other


def tokens_of(rows: int, length: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(61, (rows, length), generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=SHAPES, scope="module")
def model(request) -> GPT:
    return drawn_gpt(SHAPES[request.param])


@pytest.fixture(scope="module")
def small() -> GPT:
    return drawn_gpt(SHAPES["grouped, wide heads"])


@torch.no_grad()
def test_logits_are_those_of_transformers(model):
    tokens = tokens_of(3, 17)
    expected = twin(model)(tokens).logits
    assert expected.std() > 0.1
    torch.testing.assert_close(model(tokens), expected, atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_left_padding_is_that_of_transformers_and_changes_nothing(model):
    tokens = tokens_of(3, 17)
    padding = torch.ones(3, 17, dtype=torch.bool)
    padding[0, :5] = padding[2, :16] = False
    positions = (padding.cumsum(1) - 1).clamp(min=0)
    expected = twin(model)(tokens, attention_mask=padding.long(), position_ids=positions).logits
    found = model(tokens, padding=padding)
    assert found.isfinite().all()
    torch.testing.assert_close(found[padding], expected[padding], atol=5 * TOLERANCE, rtol=0)
    torch.testing.assert_close(found[0, 5:], model(tokens[:1, 5:])[0], atol=5 * TOLERANCE, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("chunks", [(1,) * 12, (5, 1, 6), (1, 10, 1), (12,)])
def test_the_cache_in_pieces_gives_the_whole(model, chunks, padded):
    tokens, padding = tokens_of(2, 12), None
    if padded:
        padding = torch.ones(2, 12, dtype=torch.bool)
        padding[1, :3] = False
    cache, start, pieces = model.new_cache(2, 16), 0, []
    for size in chunks:
        end = start + size
        pieces.append(model(tokens[:, start:end], cache, None if padding is None else padding[:, :end]))
        start = end
    assert cache.length == 12
    whole = model(tokens, padding=padding)
    torch.testing.assert_close(torch.cat(pieces, 1), whole, atol=5 * TOLERANCE, rtol=0)


@torch.no_grad()
def test_the_cache_of_transformers_in_chunks_agrees(model):
    tokens, other, cache = tokens_of(2, 12), twin(model), model.new_cache(2, 12)
    theirs = None
    for piece in tokens.split((4, 1, 7), 1):
        answer = other(piece, cache=theirs, use_cache=True)
        theirs = answer.cache
        torch.testing.assert_close(model(piece, cache), answer.logits, atol=5 * TOLERANCE, rtol=0)


@torch.no_grad()
def test_rows_of_the_cache_move_multiply_and_go(small):
    tokens, following = tokens_of(3, 6), tokens_of(4, 1, seed=1)
    for rows in ([2, 0, 1], [0, 0, 2, 1], [1]):
        cache, indices = small.new_cache(3, 8), torch.tensor(rows)
        small(tokens, cache)
        cache.reorder(indices)
        found = small(following[: len(rows)], cache)
        whole = small(torch.cat((tokens[indices], following[: len(rows)]), 1))[:, -1:]
        torch.testing.assert_close(found, whole, atol=5 * TOLERANCE, rtol=0)
    cache.reset()
    torch.testing.assert_close(small(tokens[:1], cache), small(tokens[:1]), atol=5 * TOLERANCE, rtol=0)


@torch.no_grad()
def test_the_cache_allocates_nothing_while_it_grows(small):
    cache = small.new_cache(2, 8)
    before = [tensor.data_ptr() for tensor in cache.keys + cache.values]
    for piece in tokens_of(2, 8).split(1, 1):
        small(piece, cache)
    assert [tensor.data_ptr() for tensor in cache.keys + cache.values] == before


@torch.no_grad()
def test_causal_attention_does_not_see_the_future_and_full_attention_does(small):
    tokens = tokens_of(1, 9)
    changed = tokens.clone()
    changed[0, -1] = (changed[0, -1] + 1) % 61
    torch.testing.assert_close(small(tokens)[:, :-1], small(changed)[:, :-1], atol=0, rtol=0)

    full = GPT(dataclasses.replace(small.config, attention="full")).eval()
    full.load_state_dict(small.state_dict())
    assert ((full(tokens) - full(changed)).abs().amax(-1)[0, :-1] > 1e-4).all()


@torch.no_grad()
def test_full_attention_leaves_padding_out_on_either_side(small):
    full = GPT(dataclasses.replace(small.config, attention="full")).eval()
    tokens = tokens_of(1, 9)
    for real in (slice(3, 9), slice(0, 6)):
        padding = torch.zeros(1, 9, dtype=torch.bool)
        padding[:, real] = True
        found = full(tokens, padding=padding)[:, real]
        torch.testing.assert_close(found, full(tokens[:, real]), atol=5 * TOLERANCE, rtol=0)


@pytest.mark.parametrize("part", ["q_norm", "input_layernorm", "rotary", "key heads"])
@torch.no_grad()
def test_a_broken_part_shows_in_the_comparison(model, part):
    tokens, broken = tokens_of(2, 9), copy.deepcopy(model)
    block = broken.layers[0]
    if part == "q_norm":
        block.self_attn.q_norm.weight.fill_(1)
    elif part == "input_layernorm":
        block.input_layernorm.eps = 0.1
    elif part == "rotary":
        broken.sin = -broken.sin.roll(1, 0)
    else:
        block.self_attn.k_proj.weight.copy_(block.self_attn.k_proj.weight.flip(0))
    assert (broken(tokens) - model(tokens)).abs().max() > 1e-4


@torch.no_grad()
@pytest.mark.parametrize("attention", ["causal", "full"])
def test_attention_maps_are_what_the_fused_attention_uses(small, attention):
    model = GPT(dataclasses.replace(small.config, attention=attention)).eval()
    model.load_state_dict(small.state_dict())
    tokens = tokens_of(2, 7)
    maps = attention_maps(model, tokens)
    assert [tuple(layer.shape) for layer in maps] == [(2, 6, 7, 7)] * 3
    for layer in maps:
        torch.testing.assert_close(layer.sum(-1), torch.ones(2, 6, 7))
        assert (layer.triu(1).sum() == 0) == (attention == "causal")
    # The map, applied to the values, is what the block's own attention gives.
    block, cos, sin = model.layers[0], model.cos[:7], model.sin[:7]
    x = block.input_layernorm(model.embed_tokens(tokens))
    values = block.self_attn.project(x, cos, sin)[2].repeat_interleave(3, 1)
    by_hand = block.self_attn.o_proj((maps[0] @ values).transpose(1, 2).flatten(2))
    torch.testing.assert_close(by_hand, block.self_attn(x, cos, sin, None, None), atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_attention_maps_are_those_of_transformers(small):
    from transformers import Qwen3Config, Qwen3ForCausalLM

    other = Qwen3ForCausalLM(Qwen3Config(**qwen3_config(small.config), attn_implementation="eager")).eval()
    other.load_state_dict(twin(small).state_dict())
    tokens = tokens_of(2, 7)
    for ours, theirs in zip(
        attention_maps(small, tokens), other(tokens, output_attentions=True).attentions, strict=True
    ):
        torch.testing.assert_close(ours, theirs, atol=TOLERANCE, rtol=0)


@settings(max_examples=25, deadline=None)
@given(shift=st.integers(0, 40), query=st.integers(0, 10), key=st.integers(0, 10), seed=st.integers(0, 99))
def test_rotary_products_depend_on_the_distance_alone(shift, query, key, seed):
    cos, sin = rotary_tables(GPTConfig(2, 16, num_heads=1, num_kv_heads=1, max_positions=64))
    q, k = torch.randn(2, 1, 1, 1, 16, generator=torch.Generator().manual_seed(seed))

    def product(at_query: int, at_key: int) -> torch.Tensor:
        turned = [rotate(x, cos[at : at + 1], sin[at : at + 1]) for x, at in ((q, at_query), (k, at_key))]
        return (turned[0] * turned[1]).sum()

    torch.testing.assert_close(product(query, key), product(query + shift, key + shift), atol=2e-5, rtol=0)
    torch.testing.assert_close(product(key, key), (q * k).sum(), atol=2e-5, rtol=0)


def test_rms_norm_by_hand():
    norm = RMSNorm(2, eps=0.5)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, 10.0]))
    # mean(x^2) = (9 + 16) / 2 = 12.5, plus 0.5 is 13.
    expected = torch.tensor([3 / math.sqrt(13), 40 / math.sqrt(13)])
    torch.testing.assert_close(norm(torch.tensor([3.0, 4.0])), expected)
    assert norm(torch.ones(2, dtype=torch.bfloat16)).dtype == torch.float32


def test_gradients_are_those_of_transformers(model):
    tokens, other = tokens_of(2, 9), twin(model)
    own = copy.deepcopy(model)
    torch.nn.functional.cross_entropy(own(tokens).flatten(0, 1), tokens.flatten()).backward()
    torch.nn.functional.cross_entropy(other(tokens).logits.flatten(0, 1), tokens.flatten()).backward()
    theirs = dict(other.named_parameters())
    for name, parameter in own.named_parameters():
        expected = theirs[name if name == "lm_head.weight" else f"model.{name}"].grad
        torch.testing.assert_close(parameter.grad, expected, atol=TOLERANCE, rtol=1e-4)


def test_a_few_steps_learn_a_row_by_heart(small):
    model, tokens = copy.deepcopy(small), tokens_of(1, 12)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1 < math.log(61)


def test_the_start_is_sound():
    torch.manual_seed(0)
    model, tokens = GPT(GPTConfig(61, 64, num_layers=8)), tokens_of(4, 32)
    logits = model(tokens)
    loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    assert loss.item() == pytest.approx(math.log(61), abs=0.15)


@torch.no_grad()
def test_mixed_precision_and_narrow_weights_run(small, recwarn):
    tokens = tokens_of(2, 9)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = small(tokens)
    narrow = copy.deepcopy(small).bfloat16()
    cache = narrow.new_cache(2, 9)
    assert mixed.dtype == torch.bfloat16
    assert cache.keys[0].dtype == torch.bfloat16
    whole = small(tokens)
    for found in (mixed, narrow(tokens), narrow(tokens, cache)):
        assert (found.float() - whole).abs().max() < 0.1 * whole.abs().max()
    assert [str(w.message) for w in recwarn if "dtype" in str(w.message)] == []


def test_parameters_are_counted_once():
    D, V, F = 40, 61, 128
    layer = D * (6 + 2 * 2) * 16 + 6 * 16 * D + 3 * D * F + 2 * D + 2 * 16
    assert drawn_gpt(SHAPES["grouped, wide heads"]).num_parameters() == V * D + 3 * layer + D
    untied = SHAPES["untied, one key head"]
    tied = dataclasses.replace(untied, tie_embeddings=True)
    assert GPT(untied).num_parameters() - GPT(tied).num_parameters() == 61 * 32


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.zeros(1, 3), "integer ids.*float32"),
        (torch.zeros(1, 3, dtype=torch.bool), "integer ids.*bool"),
        ("To be or not to be", "integer ids.*str.*tokenizer"),
        ([[1, 2]], "integer ids.*list"),
        (torch.zeros(3, dtype=torch.long), r"\(batch, time\).*\(3,\)"),
        (torch.zeros(1, 0, dtype=torch.long), "not empty"),
        (torch.zeros(0, 4, dtype=torch.long), "not empty"),
        (torch.tensor([[1, 61]]), "token id 61 .* 61"),
        (torch.tensor([[1, -1]]), "token id -1 .* 61"),
        (torch.zeros(1, 65, dtype=torch.long), "65 .*max_positions 64"),
    ],
)
def test_tokens_that_cannot_be_read_are_refused_by_name(small, tokens, message):
    with pytest.raises(ValueError, match=message):
        small(tokens)
    with pytest.raises(ValueError, match=message):
        attention_maps(small, tokens)


def test_caches_and_padding_that_do_not_fit_are_refused_by_name(small):
    tokens = tokens_of(2, 4)
    with pytest.raises(ValueError, match="2 rows.*made for 3"):
        small(tokens, small.new_cache(3, 8))
    cache = small.new_cache(2, 5)
    small(tokens, cache)
    with pytest.raises(ValueError, match="8 positions.*max_length 5"):
        small(tokens, cache)
    assert cache.length == 4
    for padding in (torch.ones(2, 4), torch.ones(2, 3, dtype=torch.bool), torch.ones(1, 4, dtype=torch.bool)):
        with pytest.raises(ValueError, match=re.escape("padding must be bool of shape (2, 4)")):
            small(tokens, padding=padding)
    with pytest.raises(ValueError, match="max_length 65.*max_positions 64"):
        small.new_cache(2, 65)
    for sizes, name in (((0, 8), "batch_size"), ((2, 0), "max_length"), ((2, 1.5), "max_length")):
        with pytest.raises(ValueError, match=name):
            KVCache(small.config, *sizes)
    full = dataclasses.replace(small.config, attention="full")
    with pytest.raises(ValueError, match="attention='causal'"):
        KVCache(full, 2, 8)
    with pytest.raises(ValueError, match="attention='causal'"):
        GPT(full)(tokens, small.new_cache(2, 8))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vocab_size", 0),
        ("vocab_size", 2.0),
        ("hidden_size", -4),
        ("hidden_size", True),
        ("intermediate_size", 0),
        ("num_layers", 0),
        ("num_heads", "4"),
        ("num_heads", 3),
        ("num_kv_heads", 3),
        ("num_kv_heads", 0),
        ("head_dim", 7),
        ("head_dim", -2),
        ("rope_theta", 0),
        ("rope_theta", math.nan),
        ("rms_norm_eps", 0.0),
        ("rms_norm_eps", math.inf),
        ("max_positions", 0),
        ("tie_embeddings", 1),
        ("hidden_act", "swish"),
        ("attention", "sideways"),
    ],
)
def test_wrong_values_are_refused_by_field(field, value):
    with pytest.raises(ValueError, match=field):
        GPTConfig(**{"vocab_size": 61, "hidden_size": 256, field: value})


def test_defaults_follow_from_the_width():
    config = GPTConfig(100)
    assert (config.intermediate_size, config.head_dim) == (704, 64)  # 8/3 * 256 = 682.7
    assert GPTConfig(100, 192).intermediate_size == 512  # 8/3 * 192 exactly
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.num_layers = 3
