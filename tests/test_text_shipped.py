"""The town models: their texts, and what the shipped weights can do."""

import numpy as np
import pytest

from labkit.common import LabkitError
from labkit.text import shipped, town
from labkit.text.corpus import join_documents
from labkit.text.decoding import Sampling, generate
from labkit.text.ngram import NGram
from labkit.text.recipes import TOWN_VOCABULARY


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
    monkeypatch.setattr(shipped, "data_dir", lambda: tmp_path)
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
