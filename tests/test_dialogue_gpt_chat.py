"""A GPT in a conversation: its prompts, and that a tiny one learns replies that depend on the turn before."""

from __future__ import annotations

import pytest
import torch

from labkit.common import LabkitError
from labkit.dialogue.gpt_chat import finetune_gpt, fitting, prompt_of
from labkit.dialogue.talks import Dialogue, Exchange
from labkit.text.gpt import GPT
from labkit.text.gpt_config import GPTConfig
from labkit.text.tokenizer import CharTokenizer

TOKENIZER = CharTokenizer.from_text("abcdefghijklmnopqrstuvwxyz .?QA:\n", byte_fallback=True)
DIALOGUES = [
    Dialogue((Exchange("ab", "ba."), Exchange("c?", "yes.")), "en"),
    Dialogue((Exchange("cd", "dc."), Exchange("c?", "no.")), "en"),
]


def a_gpt() -> GPT:
    torch.manual_seed(0)
    return GPT(
        GPTConfig(
            TOKENIZER.vocab_size, hidden_size=32, num_layers=2, num_heads=2, num_kv_heads=1, max_positions=256
        )
    )


def test_a_prompt_has_a_line_for_each_turn_and_ends_with_the_mark_of_an_answer():
    lines = prompt_of(["Hi", "Hello", "How\nare you?"], "en").split("\n")
    assert len(lines) == 4
    assert lines[2].endswith("How are you?")
    assert lines[3] == lines[1].removesuffix(" Hello")
    assert prompt_of(["你好"], "zh").endswith("答：")


def test_old_turns_and_long_ones_give_way():
    turns = ["a" * 50, "b", "c" * 50, "d", "e"]
    assert "aaaa" not in fitting(turns, "en", TOKENIZER, 100)
    assert "cccc" in fitting(turns, "en", TOKENIZER, 100)
    cut = fitting(["x" * 500 + "end"], "en", TOKENIZER, 100)
    assert len(TOKENIZER.encode(cut)) <= 100
    assert "end" in cut


def test_it_learns_replies_that_depend_on_the_turn_before():
    """A few seconds of training."""
    options = {"steps": 200, "batch_tokens": 256, "learning_rate": 0.01, "matrix_learning_rate": 0.05}
    chat, history = finetune_gpt(a_gpt(), TOKENIZER, DIALOGUES, **options, progress=False)
    assert history.train["loss"][-1] < 0.1
    assert chat.reply_all([["ab"], ["ab", "ba.", "c?"], ["cd", "dc.", "c?"]]) == ["ba.", "yes.", "no."]
    with pytest.raises(LabkitError, match="one language"):
        finetune_gpt(a_gpt(), TOKENIZER, [*DIALOGUES, Dialogue((), "zh")])
