"""The town models: their texts, and what the shipped weights can do."""

import numpy as np
import pytest
import torch

from labkit import weights
from labkit.common import LabkitError
from labkit.text import shipped, town
from labkit.text.corpus import join_documents
from labkit.text.decoding import Sampling, generate
from labkit.text.gpt import GPT, GPTConfig
from labkit.text.ngram import NGram
from labkit.text.recipes import TOWN_VOCABULARY, Recipe


def test_texts_come_in_both_languages_in_turn():
    texts = list(shipped.town_texts("train", 4_000, seed=1))
    chinese = [any("\u4e00" <= character <= "\u9fff" for character in text) for text in texts]
    assert chinese[:4] == [False, True, False, True]
    assert (
        texts
        == list(shipped.town_texts("train", 4_000, seed=1))
        != list(shipped.town_texts("train", 4_000, seed=2))
    )


def test_missing_weights_say_how_to_make_them(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "data_dir", lambda: tmp_path)
    with pytest.raises(LabkitError, match="labkit train town-gpt"):
        shipped.load_town_gpt()


@pytest.mark.parametrize("load", [shipped.load_town_gpt, shipped.load_town_lstm])
def test_shipped_models_are_small_and_beat_an_n_gram(load):
    """A 5-gram of 600 kB is no strong peer (benchmarks have that), but broken weights do not beat it."""
    model, tokenizer = load()
    assert sum(parameter.numel() for parameter in model.parameters()) < 8_000_000
    read = join_documents(shipped.town_texts("train", 300_000), tokenizer)
    peer = NGram(5, TOWN_VOCABULARY).fit(read)
    for language in ("en", "zh"):
        texts = [d.full for d in town.documents(language, split="test", count=60, seed=5)]
        nats = -peer.log_probabilities(join_documents(texts, tokenizer)).sum()
        bits = shipped.bits_on(model, tokenizer, texts)
        assert bits < 0.9 * nats / np.log(2) / sum(len(text) + 1 for text in texts)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_shipped_gpt_keeps_to_the_facts_that_it_is_given(language):
    """A small sample; the benchmarks hold the figures of the issue on a large one."""
    model, tokenizer = shipped.load_town_gpt()
    documents = list(
        town.documents(language, split="test", count=12, seed=9, kinds=["story", "report"], notes_share=1)
    )
    prompts = [[tokenizer.eos_id, *tokenizer.encode(d.notes + "\n")] for d in documents]
    outputs = generate(
        model, prompts, max_new_tokens=160, sampling=Sampling(0.7), stop_ids=(tokenizer.eos_id,), seed=0
    )
    checks = [
        town.check_text(tokenizer.decode(o), d.facts, language)
        for o, d in zip(outputs, documents, strict=True)
    ]
    assert sum(c.grammatical for c in checks) >= 0.85 * sum(c.sentences for c in checks)
    assert sum(c.consistent for c in checks) >= 0.75 * sum(c.stating for c in checks) > 0


def test_a_stage_keeps_the_share_that_it_says_of_what_it_changes(monkeypatch):
    config = GPTConfig(TOWN_VOCABULARY, hidden_size=16, num_layers=1, num_heads=2, num_kv_heads=1)
    monkeypatch.setitem(
        shipped.RECIPES, "tiny", Recipe(config, steps=3, sequence_length=256, batch_size=2, warmup=1)
    )

    def weights_after(share: float) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        stage = shipped.Stage("tiny", 1.0, {"en": 6_000, "zh": 6_000}, learn_notes=False, share=share)
        return shipped.train_stage(stage, GPT(config), 0).state_dict()

    torch.manual_seed(0)
    before = GPT(config).state_dict()
    nothing, half, whole = (weights_after(share) for share in (0.0, 0.5, 1.0))
    assert any(not torch.equal(nothing[name], whole[name]) for name in before)
    for name, old in before.items():
        torch.testing.assert_close(nothing[name], old, rtol=1e-3, atol=1e-6)  # float16
        torch.testing.assert_close(half[name], (old + whole[name]) / 2, rtol=2e-3, atol=2e-5)  # rounded twice
