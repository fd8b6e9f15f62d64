"""Rows of which the end is learned: what a batch holds, that nothing else is scored, and that it trains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.text import town
from labkit.text.gpt import GPT, GPTConfig
from labkit.text.recipes import Recipe, make_task, train
from labkit.text.rows import RowBatches, Rows
from labkit.text.shipped import document_rows, load_town_tokenizer
from labkit.text.training import IGNORE, AnswerTask, LanguageModelTask

V = 11
LENGTH = st.integers(1, 40)
SMALL = GPTConfig(V, hidden_size=16, num_layers=2, num_heads=2, num_kv_heads=1, max_positions=64)
RECIPE = Recipe(SMALL, steps=60, sequence_length=32, batch_size=4, warmup=5)


def learned(inputs: torch.Tensor, targets: torch.Tensor) -> list[tuple[list[int], list[int]]]:
    """(read, learned) of each row, put together again from a batch."""
    rows = []
    for given_tokens, wanted in zip(inputs.tolist(), targets.tolist(), strict=True):
        places = [place for place, target in enumerate(wanted) if target != IGNORE]
        assert places == list(range(places[0], places[-1] + 1))
        assert given_tokens[places[0] + 1 : places[-1] + 1] == wanted[places[0] : places[-1]]
        rows.append((given_tokens[: places[0] + 1], wanted[places[0] : places[-1] + 1]))
    return rows


@settings(deadline=None)
@given(st.lists(st.tuples(LENGTH, LENGTH), min_size=1, max_size=12), st.integers(0, 3))
def test_every_row_comes_once_an_epoch_and_its_end_alone_is_scored(lengths, epoch):
    draw = np.random.default_rng(len(lengths))
    parts = [tuple(draw.integers(0, V, length).tolist() for length in pair) for pair in lengths]
    batches = RowBatches(Rows.join(parts), 96, seed=1)
    first = epoch * batches.steps_per_epoch
    seen = []
    for step in range(first, first + batches.steps_per_epoch):
        inputs, targets = batches(step)
        assert inputs.shape == targets.shape
        assert inputs.numel() <= 96
        assert inputs.shape[1] % 32 == 0
        seen += learned(inputs, targets)
    assert sorted(seen) == sorted(parts)


def test_batches_depend_on_seed_and_step_alone():
    rows = Rows.join(([1, n % V], [n % 7, 3]) for n in range(40))
    one, other = RowBatches(rows, 64, 5), RowBatches(rows, 64, 5)
    later = [other(step)[0] for step in (30, 7, 0)]
    for step, batch in zip((30, 7, 0), later, strict=True):
        assert torch.equal(one(step)[0], batch)
    assert any(not torch.equal(one(step)[0], RowBatches(rows, 64, 6)(step)[0]) for step in range(4))
    other.load_state_dict(one.state_dict())
    with pytest.raises(LabkitError, match="tokens was 64 and is 96"):
        RowBatches(rows, 96, 5).load_state_dict(one.state_dict())


def test_what_does_not_fit_is_refused():
    for parts in ([([], [1])], [([1], [])]):
        with pytest.raises(LabkitError, match="at least one token"):
            Rows.join(parts)
    with pytest.raises(LabkitError, match="no row"):
        RowBatches(Rows.join([]), 64)
    with pytest.raises(LabkitError, match="tokens is 32. A batch must hold a row of 64 tokens"):
        RowBatches(Rows.join([([1] * 30, [2] * 20)]), 32)
    with pytest.raises(LabkitError, match=f"the id {V}, and the model a vocabulary of {V}"):
        train(RECIPE, Rows.join([([1], [V])]), progress=False)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_logits_of_the_answers_alone_give_the_same_step(accumulate):
    batch = RowBatches(Rows.join(([1, 2, n % V], [n % 5, 4, 0]) for n in range(6)), 256)(0)
    models = []
    for kind in (LanguageModelTask, AnswerTask):
        recipe = replace(RECIPE, matrices="adamw", accumulate=accumulate, precision="float32")
        task = make_task(recipe, seed=3, kind=kind)
        figures = task.step(batch)
        models.append((figures["loss"], figures["gradient_norm"]))
    assert models[0] == pytest.approx(models[1], rel=1e-5)


def test_training_on_rows_learns_their_ends_and_not_what_is_read():
    draw = np.random.default_rng(0)
    # The end repeats the first token; the rest of what is read is noise.
    parts = [([a, *draw.integers(0, 5, 3).tolist()], [a, 10]) for a in draw.integers(5, 10, 400).tolist()]
    model, _ = train(replace(RECIPE, steps=150), Rows.join(parts), progress=False)
    model.eval()
    with torch.no_grad():
        logits = model(torch.tensor([read + ends[:1] for read, ends in parts]))
    answers = torch.tensor([ends for _, ends in parts])
    assert (logits[:, -2:].argmax(-1) == answers).float().mean() > 0.98
    fresh = GPT(SMALL).eval()
    with torch.no_grad():
        assert (
            fresh(torch.tensor([read for read, _ in parts]))[:, -1].argmax(-1) == answers[:, 0]
        ).float().mean() < 0.5


def test_a_document_is_a_row_whose_notes_are_read():
    tokenizer = load_town_tokenizer()
    documents = list(town.documents("zh", count=20, notes_share=0.5))
    rows = document_rows(documents, tokenizer)
    assert len(rows) == 20
    for number, document in enumerate(documents):
        ids = rows.ids[rows.offsets[number] : rows.offsets[number + 1]].tolist()
        read, ends = ids[: rows.starts[number]], ids[rows.starts[number] :]
        assert tokenizer.decode(read[1:]) == (f"{document.notes}\n" if document.notes else "")
        assert tokenizer.decode(ends[:-1]) == document.text
        assert read[0] == ends[-1] == tokenizer.eos_id
