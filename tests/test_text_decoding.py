"""Decoding against transformers on the same weights, against closed forms, and against itself without a cache."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

from labkit.common import LabkitError
from labkit.text import decoding, fast_decode
from labkit.text.decoders import CachedGPT, open_decoder
from labkit.text.decoding import (
    Sampling,
    TextStream,
    adjust_logits,
    complete,
    complete_all,
    complete_in_batches,
    generate,
    stream,
    stream_text,
)
from labkit.text.gpt import GPT, GPTConfig
from labkit.text.lstm import LSTMConfig, LSTMLanguageModel
from labkit.text.tokenizer import BPETokenizer, CharTokenizer

CONFIG = GPTConfig(97, hidden_size=32, num_layers=2, num_heads=4, num_kv_heads=2, max_positions=64)
SHAPES = [
    CONFIG,
    replace(CONFIG, num_kv_heads=4, head_dim=10, tie_embeddings=False),
    replace(CONFIG, num_kv_heads=1, num_layers=1, hidden_act="gelu_pytorch_tanh"),
]
SEEDS = range(4)


@pytest.fixture(autouse=True)
def _one_thread():
    """Models this small gain nothing from a second thread, and wait long for it on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def spread(model: nn.Module, seed: int, scale: float = 0.3) -> nn.Module:
    """Weights so large that the likeliest token changes from step to step, and norms that are not one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(scale * noise if weight.ndim == 2 else 1 + 0.2 * noise)
    return model.eval()


def gpt(seed: int = 0, config: GPTConfig = CONFIG) -> GPT:
    return spread(GPT(config), seed)


def lstm(seed: int = 0) -> LSTMLanguageModel:
    return spread(
        LSTMLanguageModel(LSTMConfig(97, embedding_size=16, hidden_size=24, dropout=0.5)), seed, 0.8
    )


def prompts_of(seed: int, lengths: tuple[int, ...] = (5, 1, 9, 5), vocab_size: int = 97) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(5, vocab_size, length).tolist() for length in lengths]


def in_transformers(model: GPT):
    """The same weights as transformers' Qwen3."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    c = model.config
    other = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=c.vocab_size,
            hidden_size=c.hidden_size,
            intermediate_size=c.intermediate_size,
            num_hidden_layers=c.num_layers,
            num_attention_heads=c.num_heads,
            num_key_value_heads=c.num_kv_heads,
            head_dim=c.head_dim,
            max_position_embeddings=c.max_positions,
            rope_theta=c.rope_theta,
            rms_norm_eps=c.rms_norm_eps,
            hidden_act=c.hidden_act,
            tie_word_embeddings=c.tie_embeddings,
        )
    ).eval()
    weights = model.state_dict()
    names = {
        name if name.startswith("lm_head") else f"model.{name}": value for name, value in weights.items()
    }
    missing, unexpected = other.load_state_dict(names, strict=False)
    assert not unexpected
    assert set(missing) <= {"lm_head.weight"}
    return other


def generated(other, prompts, count, stop_ids=(), **options) -> list[list[int]]:
    """New tokens of transformers' generate, without the stop id and what follows it."""
    width = max(map(len, prompts))
    tokens = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    rows = other.generate(
        tokens,
        attention_mask=mask,
        max_new_tokens=count,
        eos_token_id=list(stop_ids) or None,
        pad_token_id=0,
        **{"do_sample": False, **options},
    )[:, width:].tolist()
    return [decoding._before(row, set(stop_ids)) for row in rows]


# ---- greedy


@pytest.mark.parametrize("config", SHAPES)
@pytest.mark.parametrize("seed", SEEDS)
def test_greedy_tokens_equal_those_of_transformers(seed, config):
    model, prompts = gpt(seed, config), prompts_of(seed)
    other = in_transformers(model)
    ours = generate(model, prompts, max_new_tokens=40)
    assert ours == generated(other, prompts, 40)
    assert [generate(model, [prompt], max_new_tokens=40)[0] for prompt in prompts] == ours
    assert len({token for row in ours for token in row}) > 15, "a text that repeats one token proves little"


@pytest.mark.parametrize("seed", SEEDS)
def test_stop_ids_end_each_row_alone(seed):
    model, prompts = gpt(seed), prompts_of(seed, (4, 7, 2, 9, 3, 3))
    free = generate(model, prompts, max_new_tokens=40)
    stop_ids = (free[0][3], free[1][11], free[2][30])
    expected = [decoding._before(row, set(stop_ids)) for row in free]
    assert generate(model, prompts, max_new_tokens=40, stop_ids=stop_ids) == expected
    assert generated(in_transformers(model), prompts, 40, stop_ids) == expected
    assert len({len(row) for row in expected}) > 1


@pytest.mark.parametrize("make", [gpt, lstm, lambda seed: in_transformers(gpt(seed))])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sampling", [None, Sampling(1.3, top_k=20)])
def test_cached_tokens_equal_uncached_ones(make, seed, sampling):
    model, prompts = make(seed), prompts_of(seed)
    rows = [
        generate(model, prompts, max_new_tokens=30, sampling=sampling, use_cache=on) for on in (True, False)
    ]
    assert rows[0] == rows[1]
    assert {len(row) for row in rows[0]} == {30}


def test_transformers_models_decode_as_labkits():
    model, prompts = gpt(), prompts_of(0)
    for options in ({}, {"sampling": Sampling(top_p=0.9)}, {"num_beams": 3}):
        expected = generate(model, prompts, max_new_tokens=20, **options)
        assert generate(in_transformers(model), prompts, max_new_tokens=20, **options) == expected


def test_gpt2_of_transformers_decodes_as_its_own_generate():
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    other = GPT2LMHeadModel(GPT2Config(vocab_size=97, n_positions=64, n_embd=32, n_layer=2, n_head=2)).eval()
    spread(other, 0)
    for num_beams in (1, 3):
        ours = generate(other, prompts_of(0), max_new_tokens=20, num_beams=num_beams)
        assert ours == generated(other, prompts_of(0), 20, num_beams=num_beams)


@pytest.mark.parametrize("make", [gpt, lstm])
def test_greedy_is_the_likeliest_token_of_the_whole_text(make):
    model, prompts = make(), prompts_of(3)
    rows = generate(model, prompts, max_new_tokens=12)
    for prompt, row in zip(prompts, rows, strict=True):
        logits = model(torch.tensor([prompt + row]))
        logits = logits[0] if isinstance(logits, tuple) else logits
        assert logits[0, len(prompt) - 1 : -1].argmax(-1).tolist() == row


# ---- the packed step


@pytest.mark.parametrize("config", SHAPES)
@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("onednn", [True, False])
def test_a_packed_step_equals_the_model(config, rows, onednn, monkeypatch):
    if not onednn:
        monkeypatch.setattr(fast_decode, "onednn_works", lambda: False)
    model = gpt(1, config)
    prompts = prompts_of(1, tuple(range(3, 3 + rows)))
    fast, plain = CachedGPT(model), CachedGPT(model)
    with torch.inference_mode():
        for decoder in (fast, plain):
            decoder.start(prompts, 30)
        plain.pack = False
        for token in range(6):
            tokens = torch.arange(rows) + token
            torch.testing.assert_close(fast.step(tokens), plain.step(tokens), rtol=1e-4, atol=1e-4)
    assert fast.packed is not None
    assert plain.packed is None


def test_a_model_that_was_changed_is_not_packed():
    """Adapters, hooks and replaced layers must act while text is generated."""
    prompts = prompts_of(0)

    class Adapter(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(x) + x[..., : self.inner.out_features].sin()

    def adapted(model):
        model.layers[0].self_attn.q_proj = Adapter(model.layers[0].self_attn.q_proj)

    def hooked(model):
        model.layers[1].mlp.register_forward_hook(lambda module, inputs, output: output.roll(1, -1))

    def replaced(model):
        down = model.layers[1].mlp.down_proj
        down.forward = lambda x: nn.functional.linear(x, down.weight).roll(1, -1)

    def pruned(model):
        prune.random_unstructured(model.layers[0].mlp.up_proj, "weight", 0.9)

    def biased(model):
        model.layers[0].self_attn.o_proj.bias = nn.Parameter(torch.linspace(-3, 3, 32))

    assert fast_decode.is_plain(gpt())
    for change in (adapted, hooked, replaced, pruned, biased):
        model = gpt()
        before = generate(model, prompts, max_new_tokens=30)
        change(model)
        assert not fast_decode.is_plain(model), change.__name__
        after = generate(model, prompts, max_new_tokens=30)
        assert after == generate(model, prompts, max_new_tokens=30, use_cache=False), change.__name__
        assert after != before, change.__name__
        with pytest.raises(ValueError, match="plain"):
            fast_decode.PackedGPT(model)
    assert not fast_decode.is_plain(gpt().double())


def test_weights_that_change_between_two_calls_count():
    model, prompts = gpt(0), prompts_of(0)
    before = generate(model, prompts, max_new_tokens=30)
    for weight in model.parameters():
        weight.data.mul_(1.3).add_(0.05)  # unseen by autograd's version counters
    after = generate(model, prompts, max_new_tokens=30)
    assert after != before
    assert after == generate(model, prompts, max_new_tokens=30, use_cache=False)


# ---- sampling


def warped(logits, seen_tokens, sampling):
    """What transformers' own processors make of the same logits, in its order."""
    from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM
    from transformers.generation import LogitsProcessorList

    holder = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=8, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
            num_attention_heads=1, num_key_value_heads=1, head_dim=8,
        )
    )  # fmt: skip
    chosen = GenerationConfig(
        do_sample=True,
        temperature=sampling.temperature,
        top_k=sampling.top_k or 0,
        top_p=sampling.top_p or 1.0,
        min_p=sampling.min_p,
        repetition_penalty=sampling.repetition_penalty,
        num_beams=1,
    )
    processors = holder._get_logits_processor(
        chosen, seen_tokens.shape[1], seen_tokens, None, LogitsProcessorList(), device="cpu"
    )
    return processors(seen_tokens, logits.clone())


SAMPLINGS = [
    Sampling(),
    Sampling(temperature=0.7),
    Sampling(top_k=1),
    Sampling(top_k=7),
    Sampling(top_k=500),
    Sampling(top_p=0.3),
    Sampling(top_p=1e-9),
    Sampling(top_p=1.0),
    Sampling(min_p=0.1),
    Sampling(min_p=1.0),
    Sampling(repetition_penalty=1.7),
    Sampling(repetition_penalty=0.6),
    Sampling(0.8, top_k=30, top_p=0.8, min_p=0.05, repetition_penalty=1.3),
    Sampling(1.9, top_k=12, top_p=0.95, min_p=0.2, repetition_penalty=1.1),
]


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_distributions_are_those_of_transformers(sampling):
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(6, 60, generator=generator)
    tokens = torch.randint(0, 60, (6, 9), generator=generator)
    seen = torch.zeros(6, 60, dtype=torch.bool).scatter_(1, tokens, True)
    ours, theirs = adjust_logits(logits, sampling, seen), warped(logits, tokens, sampling)
    assert torch.equal(ours, theirs)
    if sampling not in (Sampling(), Sampling(top_k=500), Sampling(top_p=1.0)):
        assert not torch.equal(ours.softmax(-1), logits.softmax(-1))


@pytest.mark.parametrize(
    "sampling", [Sampling(2.4), Sampling(2.0, top_p=0.9), Sampling(1.9, top_k=10, min_p=0.02)]
)
def test_tokens_are_drawn_with_their_probabilities(sampling):
    """Pearson's chi-squared over 4,000 first tokens, each of its own seed."""
    from scipy.stats import chisquare

    model, prompt = gpt(2), prompts_of(2)[0]
    rows = generate(model, [prompt] * 4000, max_new_tokens=1, sampling=sampling)
    counts = np.bincount([row[0] for row in rows], minlength=97)
    logits = model(torch.tensor([prompt]))[:, -1].detach()
    expected = adjust_logits(logits, sampling).double().softmax(-1)[0].numpy() * 4000
    assert counts[expected == 0].sum() == 0
    often = expected >= 5
    observed = [*counts[often], counts[~often].sum() + 1e-9]
    wanted = np.array([*expected[often], expected[~often].sum() + 1e-9])
    assert often.sum() >= 3
    assert chisquare(observed, wanted * np.sum(observed) / wanted.sum()).pvalue > 1e-3
    wrong = adjust_logits(logits, Sampling(sampling.temperature * 1.5)).double().softmax(-1)[0].numpy() * 4000
    wrong = np.array([*wrong[often], wrong[~often].sum() + 1e-9])
    assert chisquare(observed, wrong * np.sum(observed) / wrong.sum()).pvalue < 1e-6, (
        "the test sees a difference"
    )


def test_what_has_no_probability_is_never_drawn():
    """Also at the ends of the uniform numbers."""
    logits = torch.tensor([[-torch.inf, 2.0, -torch.inf, 1.0, -torch.inf]])
    choose = decoding._Chooser(Sampling(), [[0]], 2, 0, logits)
    choose.draws = torch.tensor([[0.0, 1 - 2.0**-24]], dtype=torch.float64)
    assert [int(choose(logits, place)) for place in (0, 1)] == [1, 3]


def test_numbers_lie_below_one_and_do_not_depend_on_how_many_are_asked_for():
    numbers = decoding._uniform(3, 4, 50)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert np.array_equal(numbers[:, :7], decoding._uniform(3, 4, 7))
    assert len(np.unique(numbers)) == 200


@pytest.mark.parametrize("make", [gpt, lstm])
@pytest.mark.parametrize("sampling", [Sampling(1.2), Sampling(top_p=0.8, repetition_penalty=1.5)])
def test_a_row_does_not_depend_on_the_others(make, sampling):
    model, prompts = make(1), prompts_of(1)
    together = generate(model, prompts, max_new_tokens=25, sampling=sampling, seed=5)
    others = [prompts[0], *prompts_of(9, (3, 8, 6))]
    assert generate(model, others, max_new_tokens=25, sampling=sampling, seed=5)[0] == together[0]
    # With its own seed, a row is the same alone and anywhere in a batch.
    seeds = [11, 22, 33, 44]
    mixed = generate(model, prompts, max_new_tokens=25, sampling=sampling, seed=seeds)
    for prompt, seed, row in zip(prompts, seeds, mixed, strict=True):
        assert generate(model, [prompt], max_new_tokens=25, sampling=sampling, seed=seed) == [row]
    assert together != generate(model, prompts, max_new_tokens=25, sampling=sampling, seed=6)
    twice = generate(model, [prompts[0]] * 2, max_new_tokens=25, sampling=sampling)
    assert twice[0] != twice[1]
    # A row that ends early leaves the others as they were.
    stop = together[1][2]
    stopped = generate(model, prompts, max_new_tokens=25, sampling=sampling, seed=5, stop_ids=[stop])
    assert stopped == [decoding._before(row, {stop}) for row in together]


def test_the_global_generator_is_left_alone():
    model = gpt()
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    generate(model, prompts_of(0), max_new_tokens=5, sampling=Sampling())
    assert torch.equal(torch.rand(3), expected)


def test_a_penalty_forbids_repetition():
    model, prompts = gpt(4), prompts_of(4)
    rows = generate(model, prompts, max_new_tokens=30, sampling=Sampling(top_k=1, repetition_penalty=1e6))
    for prompt, row in zip(prompts, rows, strict=True):
        assert len(set(prompt + row)) == len(set(prompt)) + len(row)
    assert generate(model, prompts, max_new_tokens=30, sampling=Sampling(top_k=1)) == generate(
        model, prompts, max_new_tokens=30
    )


def test_greedy_with_a_penalty_equals_transformers():
    model, prompts = gpt(5), prompts_of(5, (6,))
    ours = generate(model, prompts, max_new_tokens=40, sampling=Sampling(top_k=1, repetition_penalty=1.4))
    assert ours == generated(in_transformers(model), prompts, 40, repetition_penalty=1.4)


# ---- beams


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("num_beams", "length_penalty"), [(2, 1.0), (4, 1.0), (3, 0.0), (3, 2.0), (3, -1.0)])
def test_beams_find_the_texts_that_transformers_finds(seed, num_beams, length_penalty):
    model, prompts = gpt(seed), prompts_of(seed)
    other = in_transformers(model)
    greedy = generate(model, prompts, max_new_tokens=20)
    for stop_ids in ((), (greedy[0][5], greedy[1][9], greedy[2][2])):
        options = {"num_beams": num_beams, "length_penalty": length_penalty}
        ours = generate(model, prompts, max_new_tokens=20, stop_ids=stop_ids, **options)
        assert ours == generated(other, prompts, 20, stop_ids, **options)
        alone = [
            generate(model, [one], max_new_tokens=20, stop_ids=stop_ids, **options)[0] for one in prompts
        ]
        assert alone == ours
        assert ours == generate(
            model, prompts, max_new_tokens=20, stop_ids=stop_ids, use_cache=False, **options
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_beams_over_all_beginnings_find_the_likeliest_text(seed):
    """Against all 25 texts of two tokens over a vocabulary of five."""
    model = gpt(
        seed, GPTConfig(5, hidden_size=16, num_layers=1, num_heads=2, num_kv_heads=1, max_positions=8)
    )
    texts = torch.cartesian_prod(torch.arange(5), torch.arange(5))
    with torch.inference_mode():
        logits = model(torch.cat((torch.full((25, 1), 2), texts), 1))[:, :-1]
    chances = logits.log_softmax(-1).gather(2, texts[:, :, None]).sum((1, 2))
    assert generate(model, [[2]], max_new_tokens=2, num_beams=5) == [texts[chances.argmax()].tolist()]


def test_beams_work_with_a_state():
    model, prompts = lstm(2), prompts_of(2)
    found = generate(model, prompts, max_new_tokens=15, num_beams=4)
    assert found == generate(model, prompts, max_new_tokens=15, num_beams=4, use_cache=False)
    assert found != generate(model, prompts, max_new_tokens=15)


# ---- streams and text


@pytest.mark.parametrize("make", [gpt, lstm])
@pytest.mark.parametrize("sampling", [None, Sampling(1.3), Sampling(0.8, top_k=3, repetition_penalty=1.3)])
def test_a_stream_gives_the_tokens_of_generate_with_their_probabilities(make, sampling):
    model, prompt = make(3), prompts_of(3)[0]
    steps = list(stream(model, prompt, max_new_tokens=30, sampling=sampling, seed=4, alternatives=5))
    assert [[step.token for step in steps]] == generate(
        model, [prompt], max_new_tokens=30, sampling=sampling, seed=4
    )
    text = list(prompt)
    for step in steps:
        logits = model(torch.tensor([text]))
        logits = (logits[0] if isinstance(logits, tuple) else logits)[:, -1].detach()
        if sampling is not None:
            seen = torch.zeros(1, 97, dtype=torch.bool)
            seen[0, text] = True
            logits = adjust_logits(logits, sampling, seen)
        chances = logits.softmax(-1)[0]
        assert step.probability == pytest.approx(float(chances[step.token]), abs=1e-5)
        best = chances.topk(5).values
        assert [chance for _, chance in step.alternatives] == pytest.approx(best[best > 0].tolist(), abs=1e-5)
        assert all(chances[token] == pytest.approx(chance, abs=1e-5) for token, chance in step.alternatives)
        text.append(step.token)
    if sampling is None:
        assert all(step.alternatives[0] == (step.token, step.probability) for step in steps)


def test_a_stream_comes_token_by_token():
    model, reads = gpt(), []
    model.register_forward_hook(lambda *_: reads.append(1))
    steps = stream(model, [7, 8], max_new_tokens=9)
    next(steps)
    next(steps)
    assert len(reads) <= 1  # of the ten reads that the whole text takes
    assert torch.zeros(1, requires_grad=True).exp().requires_grad, (
        "inference mode does not leak out of the stream"
    )


@pytest.fixture(scope="module")
def bpe():
    texts = [
        "The market opened at nine. 市场九点开门。",
        "Rain fell on the town; 小镇下雨了 🌧️, naïve café.",
    ] * 20
    return BPETokenizer.train(texts, 300)


class Scripted(nn.Module):
    """A GPT's place is taken by a text: the next token is that of the script, for any row and prompt length 1."""

    def __init__(self, scripts: list[list[int]], vocab_size: int) -> None:
        super().__init__()
        self.scripts, self.vocab_size = scripts, vocab_size

    def next_probabilities(self, context):
        chances = np.zeros(self.vocab_size)
        script = self.scripts[context[0]]
        chances[script[len(context) - 1] if len(context) <= len(script) else 0] = 1
        return chances


def scripted(tokenizer, *texts: str) -> tuple[Scripted, list[str]]:
    """A model that answers the n-th prompt with the n-th text, then ends; and the prompts."""
    prompts = [chr(ord("A") + row) for row in range(len(texts))]
    scripts = {tokenizer.encode(prompt)[0]: tokenizer.encode(text) + [tokenizer.eos_id] * 200
               for prompt, text in zip(prompts, texts, strict=True)}  # fmt: skip
    return Scripted(scripts, tokenizer.vocab_size), prompts


TEXT = "小镇下雨了 🌧️ rain, naïve café 👩‍🌾 and 𝔘𝔫𝔦; the market opened. ˙∂ƒ 結束"


@pytest.mark.parametrize("kind", ["bpe", "characters"])
def test_streams_hold_whole_characters_and_lose_nothing(kind, bpe):
    tokenizer = (
        bpe if kind == "bpe" else CharTokenizer.from_text("ABabc 雨")
    )  # most of TEXT falls back to bytes
    model, (prompt,) = scripted(tokenizer, TEXT)
    pieces = list(stream_text(model, tokenizer, prompt, max_new_tokens=200))
    assert "".join(pieces) == TEXT == complete(model, tokenizer, prompt, max_new_tokens=200)
    assert len(pieces) > 20
    assert not any("\ufffd" in piece for piece in pieces)
    assert len(tokenizer.encode(TEXT)) > len(TEXT), "characters are spread over tokens"


def test_a_text_that_ends_inside_a_character_shows_it(bpe):
    model, (prompt,) = scripted(bpe, "a𝔘")
    for count in range(1, len(bpe.encode("a𝔘"))):
        pieces = list(stream_text(model, bpe, prompt, max_new_tokens=count))
        expected = bpe.decode(bpe.encode("a𝔘")[:count])
        assert "".join(pieces) == expected == complete(model, bpe, prompt, max_new_tokens=count)


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ("opened", "The market "),
        (" opened at", "The market"),
        (("nine", "market op"), "The "),
        ("The", ""),
        ("opened at ten", "The market opened at nine. 市场九点开门。"),
        ("九点开", "The market opened at nine. 市场"),
        (("x", "。"), "The market opened at nine. 市场九点开门"),
        ("门。!", "The market opened at nine. 市场九点开门。"),
        (("ket", "market"), "The "),
        (("market o", "ket"), "The mar"),
    ],
)
def test_stop_strings_end_the_text_wherever_tokens_lie(stop, expected, bpe):
    text = "The market opened at nine. 市场九点开门。"
    for tokenizer in (bpe, CharTokenizer.from_text("ABCDT")):
        model, (first, second) = scripted(tokenizer, text, "Rain. " * 9)
        assert complete(model, tokenizer, first, stop=stop) == expected
        pieces = list(stream_text(model, tokenizer, first, stop=stop))
        assert "".join(pieces) == expected
        assert all(pieces), "no empty piece"
        assert complete_all(model, tokenizer, [second, first], stop=stop)[1] == expected


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(alphabet="ab雨🌧", min_size=1, max_size=40),
    stop=st.lists(st.text(alphabet="ab雨", min_size=1, max_size=4), max_size=3),
)
def test_streamed_text_is_the_text_before_the_first_stop(text, stop):
    tokenizer = CharTokenizer.from_text("xyz")  # everything else is bytes
    pieces = TextStream(tokenizer, stop)
    shown = "".join(pieces.push(token) for token in tokenizer.encode(text))
    ends = [(text.find(one) + len(one), text.find(one)) for one in stop if one in text]
    assert shown + pieces.finish() == (text[: min(ends)[1]] if ends else text)
    assert pieces.stopped == bool(ends)
    together = TextStream(tokenizer, stop)
    assert together.push(*tokenizer.encode(text)) + together.finish() == (
        text[: min(ends)[1]] if ends else text
    )


def test_completing_ends_at_the_end_of_text_and_leaves_it_out(bpe):
    model, prompts = scripted(bpe, "Rain fell.", "", "The market opened at nine.")
    for stop in ((), "never seen"):
        assert complete_all(model, bpe, prompts, stop=stop) == [
            "Rain fell.",
            "",
            "The market opened at nine.",
        ]
    assert complete(model, bpe, prompts[0], max_new_tokens=0, stop="a") == ""
    steps = list(stream(model, bpe.encode(prompts[0]), max_new_tokens=50, stop_ids=[bpe.eos_id]))
    assert [step.token for step in steps] == bpe.encode("Rain fell.")
    beams = complete_all(model, bpe, prompts, num_beams=2, max_new_tokens=40)
    assert beams == ["Rain fell.", "", "The market opened at nine."]


def test_text_of_a_model_is_the_same_streamed_and_whole(bpe):
    model = spread(GPT(replace(CONFIG, vocab_size=bpe.vocab_size)), 3)
    for sampling in (None, Sampling(1.5)):
        options = {"max_new_tokens": 50, "sampling": sampling, "seed": 2}
        whole = complete(model, bpe, "The town", **options)
        assert whole == "".join(stream_text(model, bpe, "The town", **options))
        assert whole == complete(model, bpe, "The town", stop="never seen", **options)
        stop = whole[len(whole) // 2 :][:2]
        cut = whole[: whole.find(stop)]
        assert cut == complete(model, bpe, "The town", stop=stop, **options)


# ---- rows that end, models as they were


def test_dropout_is_off_while_generating_and_on_again_afterwards():
    model = lstm().train()
    first = generate(model, prompts_of(0), max_new_tokens=20)
    assert first == generate(model, prompts_of(0), max_new_tokens=20)
    assert model.training
    assert model.lstm.training
    list(stream(model, [3], max_new_tokens=3))
    assert model.training


def test_rows_that_ended_are_no_longer_computed():
    model, sizes = gpt(1), []
    prompts = prompts_of(1, (4, 4, 4, 4))
    free = generate(model, prompts, max_new_tokens=20)
    model.layers[0].register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    stop = free[0][0]
    with_stop = generate(model, [prompts[0]] * 3 + [prompts[1]], max_new_tokens=20, stop_ids=[stop])
    assert with_stop[:3] == [[], [], []]
    if stop not in free[1]:
        assert sizes == [4] + [1] * 19


def test_nothing_to_do_is_nothing():
    assert generate(gpt(), [], max_new_tokens=5) == []
    assert generate(gpt(), [[1], [2, 3]], max_new_tokens=0) == [[], []]
    assert list(stream(gpt(), [1], max_new_tokens=0)) == []
    assert complete_all(gpt(), CharTokenizer.from_text("ab"), []) == []


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_batches_give_what_one_batch_gives(bpe, batch_size):
    model = spread(GPT(replace(CONFIG, vocab_size=bpe.vocab_size)), 3)
    prompts = ["Rain fell.", "The market", "Rain"]
    together = complete_all(model, bpe, prompts, max_new_tokens=6)
    assert complete_in_batches(model, bpe, prompts, batch_size, max_new_tokens=6) == together
    assert complete_in_batches(model, bpe, []) == []


def test_a_text_may_fill_all_positions():
    model = gpt()
    prompt = prompts_of(0, (34,))[0]
    assert len(generate(model, [prompt], max_new_tokens=30)[0]) == 30
    assert len(generate(model, [prompt], max_new_tokens=30, use_cache=False)[0]) == 30


# ---- errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "temperature.*greedy"),
        ({"temperature": -1.0}, "temperature.*greedy"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": 2.5}, "top_k"),
        ({"top_p": 0}, r"top_p must be in \(0, 1\]"),
        ({"top_p": 1.01}, "top_p"),
        ({"min_p": -0.1}, "min_p"),
        ({"min_p": 1.1}, "min_p"),
        ({"repetition_penalty": 0}, "repetition_penalty"),
    ],
)
def test_wrong_sampling_is_refused_by_name(options, message):
    with pytest.raises(LabkitError, match=message):
        Sampling(**options)


@pytest.mark.parametrize(
    ("prompts", "options", "message"),
    [
        ([[1], []], {}, "Prompt 1 is empty"),
        ([[1] * 65], {}, "65 tokens, and the model sees 64 at most"),
        ([[1] * 60], {"max_new_tokens": 5}, "ask for 4 new tokens"),
        ([[1]], {"max_new_tokens": -1}, "max_new_tokens"),
        ([[1]], {"max_new_tokens": 2.0}, "max_new_tokens"),
        ([[1, 97]], {}, "97.*vocabulary of 97"),
        ([[1, -1]], {}, "-1"),
        ([[1.5]], {}, "1.5"),
        (["text"], {}, "lists of token ids"),
        ([1, 2], {}, "lists of token ids"),
        ([[1]], {"stop_ids": [97]}, "stop_ids"),
        ([[1]], {"stop_ids": [97], "num_beams": 2}, "stop_ids"),
        ([[1]], {"num_beams": 0}, "num_beams"),
        ([[1]], {"num_beams": 98}, "num_beams"),
        ([[1]], {"num_beams": 2, "sampling": Sampling()}, "num_beams"),
        ([[1]], {"seed": -1, "sampling": Sampling()}, "seed"),
        ([[1]], {"seed": [1, 2], "sampling": Sampling()}, "seed.*2 for 1"),
    ],
)
def test_wrong_arguments_are_refused_by_name(prompts, options, message):
    with pytest.raises(LabkitError, match=message):
        generate(gpt(), prompts, **{"max_new_tokens": 3, **options})


def test_errors_of_a_stream_come_at_once():
    with pytest.raises(LabkitError, match="empty"):
        stream(gpt(), [], max_new_tokens=3)
    with pytest.raises(LabkitError, match="alternatives"):
        stream(gpt(), [1], max_new_tokens=3, alternatives=-1)
    tokenizer = CharTokenizer.from_text("ab")
    with pytest.raises(LabkitError, match="prompt is empty"):
        complete(gpt(), tokenizer, "")
    with pytest.raises(LabkitError, match="must be a text"):
        complete(gpt(), tokenizer, [1, 2])
    with pytest.raises(LabkitError, match="stop"):
        stream_text(gpt(), tokenizer, "a", max_new_tokens=5, stop=("x", ""))


def test_models_that_cannot_write_are_refused():
    with pytest.raises(LabkitError, match="full"):
        generate(GPT(replace(CONFIG, attention="full")), [[1]], max_new_tokens=2)
    with pytest.raises(LabkitError, match="Linear"):
        open_decoder(nn.Linear(2, 2))
    broken = gpt()
    nn.init.constant_(broken.norm.weight, torch.nan)
    for options in ({}, {"sampling": Sampling()}, {"num_beams": 2}):
        with pytest.raises(LabkitError, match="NaN"):
            generate(broken, [[1]], max_new_tokens=3, **options)
