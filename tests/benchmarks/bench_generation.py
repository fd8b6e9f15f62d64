"""Tokens per second with the key-value cache: beside transformers' generate, and beside labkit's loop without one."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from labkit.common import set_threads
from labkit.text.decoding import generate
from labkit.text.gpt import GPT, GPTConfig

if TYPE_CHECKING:
    from transformers import Qwen3ForCausalLM

# Of the size that the course ships. Positions for the longest run here.
CONFIG = GPTConfig(
    vocab_size=4096, hidden_size=256, num_layers=6, num_heads=4, num_kv_heads=2, max_positions=1024
)
PROMPT_TOKENS = 16
NEW_TOKENS = 128
ROWS = (1, 8)
REPEATS = 9
LONG_PROMPT_TOKENS = 16  # the rest of the 1,024 positions is written
LONG_REPEATS = 1


def run() -> dict[str, float]:
    """All ratios: ``transformers_1``, ``transformers_8`` (prompts side by side), ``without_cache``; and speeds.

    On one thread, as lessons run. Random weights, spread so that the likeliest token changes from step to step.
    """
    threads = torch.get_num_threads()
    set_threads(1)
    try:
        model, other = both_models()
        found: dict[str, float] = {}
        for rows in ROWS:
            found |= beside_transformers(model, other, rows)
        return found | beside_no_cache(model)
    finally:
        set_threads(threads)


def both_models() -> tuple[GPT, Qwen3ForCausalLM]:
    """A GPT and transformers' Qwen3 with the same weights."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    model = GPT(CONFIG).eval()
    for weight in model.parameters():
        if weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.06)
    other = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=CONFIG.vocab_size,
            hidden_size=CONFIG.hidden_size,
            intermediate_size=CONFIG.intermediate_size,
            num_hidden_layers=CONFIG.num_layers,
            num_attention_heads=CONFIG.num_heads,
            num_key_value_heads=CONFIG.num_kv_heads,
            head_dim=CONFIG.head_dim,
            max_position_embeddings=CONFIG.max_positions,
            rope_theta=CONFIG.rope_theta,
            rms_norm_eps=CONFIG.rms_norm_eps,
            tie_word_embeddings=True,
        )
    ).eval()
    missing, unexpected = other.load_state_dict(
        {f"model.{name}": weight for name, weight in model.state_dict().items()}, strict=False
    )
    if unexpected or set(missing) > {"lm_head.weight"}:
        raise SystemExit(f"the two models have other weights: {missing}, {unexpected}")
    return model, other


def beside_transformers(model: GPT, other: Qwen3ForCausalLM, rows: int) -> dict[str, float]:
    """Ratio of the seconds of transformers' generate to labkit's, greedy, the same tokens."""
    prompts = torch.randint(
        5, CONFIG.vocab_size, (rows, PROMPT_TOKENS), generator=torch.Generator().manual_seed(rows)
    )
    mask = torch.ones_like(prompts)
    options = {"do_sample": False, "max_new_tokens": NEW_TOKENS, "eos_token_id": None, "pad_token_id": 0}

    def ours() -> list[list[int]]:
        return generate(model, prompts.tolist(), max_new_tokens=NEW_TOKENS)

    def theirs() -> list[list[int]]:
        return other.generate(prompts, attention_mask=mask, **options)[:, PROMPT_TOKENS:].tolist()

    ratio, seconds, others = compare(ours, theirs, REPEATS)
    return {
        f"transformers_{rows}": ratio,
        f"tokens_per_second_{rows}": round(rows * NEW_TOKENS / seconds, 1),
        f"tokens_per_second_{rows}_transformers": round(rows * NEW_TOKENS / others, 1),
    }


def beside_no_cache(model: GPT) -> dict[str, float]:
    """Ratio of the seconds that a text of 1,024 tokens takes without a cache and with it, the same tokens."""
    prompt = torch.randint(
        5, CONFIG.vocab_size, (LONG_PROMPT_TOKENS,), generator=torch.Generator().manual_seed(2)
    )
    count = CONFIG.max_positions - LONG_PROMPT_TOKENS

    def with_cache() -> list[list[int]]:
        return generate(model, [prompt.tolist()], max_new_tokens=count)

    def without() -> list[list[int]]:
        return generate(model, [prompt.tolist()], max_new_tokens=count, use_cache=False)

    ratio, seconds, others = compare(with_cache, without, LONG_REPEATS)
    return {
        "without_cache": ratio,
        "seconds_1024": round(seconds, 2),
        "seconds_1024_without": round(others, 2),
    }


def compare(
    ours: Callable[[], list[list[int]]], other: Callable[[], list[list[int]]], repeats: int
) -> tuple[float, float, float]:
    """Median of the ratios of neighbouring runs (other / ours), and the median seconds of each.

    What else the machine does hits both of a pair, or falls out of the median. The first run of each warms
    up, unless there is only one, which is long. Raises SystemExit when the tokens differ.
    """
    if repeats > 1:
        ours(), other()
    pairs, tokens = [], []
    for repeat in range(repeats):
        seconds = {}
        for name, call in (("ours", ours), ("other", other))[:: 1 if repeat % 2 else -1]:
            started = time.perf_counter()
            tokens.append(call())
            seconds[name] = time.perf_counter() - started
        pairs.append((seconds["ours"], seconds["other"]))
    if any(one != tokens[0] for one in tokens):
        raise SystemExit(
            "the two give different tokens: a faster answer that is another answer is not faster"
        )
    if len({token for row in tokens[0] for token in row}) < len(tokens[0][0]) / 4:
        raise SystemExit("the text repeats itself: equal tokens would prove little")
    ratio = statistics.median(theirs / mine for mine, theirs in pairs)
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return round(ratio, 2), mine, theirs


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
