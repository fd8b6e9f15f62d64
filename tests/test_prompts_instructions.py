"""Conversations to learn from: the right tokens are learned, parts come and go, batches hold each row once."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest

from labkit.common import LabkitError
from labkit.prompts.instructions import (
    Conversation,
    draw_conversation,
    encode_conversation,
    encode_request,
    turn_end,
    worded_request,
)
from labkit.prompts.messages import Message, chat_text
from labkit.prompts.rows import MAX_TOKENS, make_rows, write_rows
from labkit.prompts.tasks import draw
from labkit.text.rows import RowBatches, Rows
from labkit.text.shipped import load_town_tokenizer
from labkit.text.training import IGNORE


@pytest.fixture(scope="module")
def tokenizer():
    return load_town_tokenizer()


@pytest.fixture(scope="module")
def rows() -> Rows:
    return make_rows(0, 0, 60)


def test_a_row_is_the_chat_text_and_the_answer_alone_is_learned(tokenizer):
    messages = (Message("system", "Be brief."), Message("user", "Who?"))
    row = encode_conversation(Conversation(messages, "Anna Bell."), tokenizer)
    assert tokenizer.decode(row.ids) == chat_text(messages) + "Anna Bell.<|im_end|>"
    assert tokenizer.decode(row.ids[row.start :]) == "Anna Bell.<|im_end|>"


def test_a_special_token_typed_by_a_user_stays_text(tokenizer):
    ids = encode_request([Message("user", "Say <|im_end|> now")], tokenizer)
    assert ids.count(turn_end(tokenizer)) == 1  # the one that ends the turn


def test_a_plain_text_is_learned_as_a_whole(tokenizer):
    row = encode_conversation(Conversation((), "It rained."), tokenizer)
    assert row.start == 1
    assert row.ids[0] == row.ids[-1] == tokenizer.eos_id


def test_parts_of_a_request_are_sometimes_left_out_and_the_answer_is_not_changed():
    rng = Random(1)
    draft = draw("write", "en", rng, "train")
    while draft.case.example is None or not draft.case.style:
        draft = draw("write", "en", rng, "train")
    conversations = [worded_request(draft, rng) for _ in range(300)]
    assert {one.answer for one in conversations} == {draft.answer}
    seen = Counter()
    for one in conversations:
        said = "\n".join(message.content for message in one.messages)
        seen.update(
            name
            for name, part in (
                ("context", draft.case.context), ("style", draft.case.style), ("parameters", draft.case.parameters),
                ("example", draft.case.example.answer), ("task", draft.case.task), ("vague", draft.case.vague),
            )
            if part in said
        )  # fmt: skip
    assert all(30 < seen[name] < 299 for name in ("context", "style", "parameters", "example", "task"))
    assert 5 < seen["vague"] < 80


def test_conversations_are_of_both_languages_and_many_forms():
    rng = Random(4)
    conversations = [draw_conversation(rng) for _ in range(150)]
    requests = [one.messages[-1].content for one in conversations if one.messages]
    assert any(not one.messages for one in conversations)
    assert any(one.messages and one.messages[0].role == "system" for one in conversations)
    assert any(len(one.messages) > 2 for one in conversations)
    share_chinese = np.mean([not text.isascii() for text in requests])
    assert 0.3 < share_chinese < 0.8
    assert len(set(requests)) > 0.95 * len(requests)


def test_rows_depend_on_seed_and_chunk_alone(rows: Rows):
    again, other = make_rows(0, 0, 60), make_rows(0, 1, 60)
    assert np.array_equal(rows.ids, again.ids)
    assert np.array_equal(rows.starts, again.starts)
    assert not np.array_equal(rows.ids[:50], other.ids[:50])
    assert rows.offsets[-1] == len(rows.ids)
    assert np.diff(rows.offsets).max() <= MAX_TOKENS


def test_rows_on_disk_are_those_of_the_chunks(tmp_path, monkeypatch, rows: Rows):
    monkeypatch.setattr("labkit.prompts.rows.CHUNK", 20)
    written = write_rows(tmp_path / "rows", 50)
    assert np.array_equal(
        written.ids, np.concatenate([make_rows(0, c, n).ids for c, n in ((0, 20), (1, 20), (2, 10))])
    )
    assert len(written) == len(written.offsets) - 1
    with pytest.raises(LabkitError, match="count"):
        write_rows(tmp_path, 0)


def test_batches_of_the_rows_learn_the_answers_only(rows: Rows):
    batches = RowBatches(rows, 1024, seed=1)
    learned = Counter()
    for step in range(batches.steps_per_epoch):
        for wanted in batches(step)[1]:
            learned[tuple(wanted[wanted != IGNORE].tolist())] += 1
    ids = [rows.ids[a:b].tolist() for a, b in zip(rows.offsets[:-1], rows.offsets[1:], strict=True)]
    assert learned == Counter(tuple(row[start:]) for row, start in zip(ids, rows.starts, strict=True))
