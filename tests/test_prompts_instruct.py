"""The model that follows instructions: its training, scores by part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from labkit import weights
from labkit.common import LabkitError
from labkit.prompts import instruct
from labkit.prompts.instruct import answer_loss, train_on_conversations
from labkit.prompts.part_scores import PARTS, PROMPTS, PartScores, answer_all, part_messages, score_parts
from labkit.prompts.tasks import cases
from labkit.text.gpt import GPT, GPTConfig
from labkit.text.shipped import load_town_tokenizer

CONFIG = GPTConfig(4096, hidden_size=16, num_layers=2, num_heads=2, num_kv_heads=1, max_positions=1024)


def small() -> GPT:
    torch.manual_seed(0)
    return GPT(CONFIG).eval()


@pytest.fixture(scope="module")
def tokenizer():
    return load_town_tokenizer()


def test_training_lowers_the_loss_on_held_out_answers(monkeypatch):
    monkeypatch.setattr(instruct, "RATE_SHARE", 1)  # a fresh model has nothing to forget
    model = small()
    before = answer_loss(model, 10)
    model, history = train_on_conversations(model, 60, steps=100, batch_tokens=1024, progress=False)
    assert len(history.train["loss"]) == 100
    assert answer_loss(model, 10) < before - 0.5


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_prompt_holds_the_parts_of_its_name(prompt: str):
    case = next(one for one in cases("write", "en", 20) if one.example)
    case = replace(case, style="As a poem.", parameters="One line.")
    said = "\n".join(message.content for message in part_messages(case, prompt))
    for part in PARTS:
        text = case.example.answer if part == "example" else getattr(case, part)
        assert (text in said) == (part in PROMPTS[prompt]), part
    assert (case.task in said) == (prompt != "vague")
    assert (case.vague in said) == (prompt == "vague")


def test_an_unknown_prompt_is_refused():
    with pytest.raises(LabkitError, match="prompt"):
        part_messages(cases("write", "en", 1)[0], "poetic")


def test_answers_come_in_the_order_of_the_conversations(tokenizer, monkeypatch):
    drawn = cases("answer", "en", 6)
    conversations = [part_messages(case, "all") for case in drawn]
    together = answer_all(small(), tokenizer, conversations, max_new_tokens=6)
    monkeypatch.setattr("labkit.prompts.part_scores.BATCH_SIZE", 2)
    assert answer_all(small(), tokenizer, conversations, max_new_tokens=6) == together


def test_scores_are_the_judges_decisions(tokenizer, monkeypatch):
    drawn = tuple(cases("classify", "en", 3))

    def answer(model, tokenizer, conversations, max_new_tokens=0):
        return ["nonsense" for _ in conversations]

    monkeypatch.setattr("labkit.prompts.part_scores.answer_all", answer)
    scores = score_parts(small(), tokenizer, 3, kinds=("classify",), languages=("en",), prompts=("all",))
    assert scores.rate("all") == 0
    assert scores.kinds == ("classify",)
    mixed = PartScores(drawn, {"all": np.array([True, False, True])}, {"all": ["", "", ""]})
    assert mixed.rate("all", kind="classify", language="en") == pytest.approx(2 / 3)
    with pytest.raises(LabkitError, match="No case"):
        mixed.rate("all", kind="write")


def test_missing_weights_are_named_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "data_dir", lambda: tmp_path)
    with pytest.raises(LabkitError, match="labkit train town-instruct"):
        instruct.load_town_instruct()
