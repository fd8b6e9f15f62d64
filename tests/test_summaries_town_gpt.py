"""A GPT as a summarizer: its prompts, and that a tiny one learns to go on after an article with its summary."""

from __future__ import annotations

import pytest
import torch

from labkit.common import LabkitError
from labkit.summaries.texts import Report
from labkit.summaries.town_gpt import MAX_SUMMARY, GPTSummarizer, finetune_gpt, prompt_of
from labkit.text.gpt import GPT
from labkit.text.gpt_config import GPTConfig
from labkit.text.tokenizer import CharTokenizer

TOKENIZER = CharTokenizer.from_text("abcdefghijklmnopqrstuvwxyz .S:\n", byte_fallback=True)
REPORTS = [
    Report("it rained on the hill. cats slept.", "rain.", "en"),
    Report("it snowed on the hill. cats slept.", "snow.", "en"),
]


def a_gpt(max_positions: int = 256) -> GPT:
    torch.manual_seed(0)
    return GPT(
        GPTConfig(
            TOKENIZER.vocab_size, hidden_size=32, num_layers=2, num_heads=2, num_kv_heads=1, max_positions=max_positions
        )
    )  # fmt: skip


def test_a_prompt_is_the_article_in_one_line_and_a_mark():
    model = a_gpt()
    assert prompt_of("a b.\nc d.", model, TOKENIZER) == "a b. c d.\nSummary: "
    assert prompt_of("下雨。", model, TOKENIZER) == "下雨。\n摘要："
    long = prompt_of("word " * 500, model, TOKENIZER)
    assert len(TOKENIZER.encode(long)) + MAX_SUMMARY <= 256
    assert long.endswith("\nSummary: ")
    with pytest.raises(LabkitError, match="in neither"):
        prompt_of("Идёт дождь.", model, TOKENIZER)


def test_it_learns_to_summarize():
    """A few seconds: two articles that differ in one word have different summaries."""
    options = {"steps": 150, "batch_tokens": 256, "learning_rate": 0.01, "matrix_learning_rate": 0.05}
    system, history = finetune_gpt(a_gpt(), TOKENIZER, REPORTS, **options, progress=False)
    assert history.train["loss"][-1] < 0.1
    assert [system.summarize(report.article).text for report in REPORTS] == ["rain.", "snow."]
    assert isinstance(GPTSummarizer(system.model, TOKENIZER).summarize("x " * 900).text, str)
    with pytest.raises(LabkitError, match="no reports"):
        finetune_gpt(a_gpt(), TOKENIZER, [])
