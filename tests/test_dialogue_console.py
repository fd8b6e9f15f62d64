"""The chat panel: it keeps working on any input, shows where the bot looked, and escapes what it shows."""

from __future__ import annotations

import re

import pytest

from labkit.dialogue.chat import Chatbot, train_chatbot
from labkit.dialogue.console import NAMED_WEIGHT, ChatModel, attention_table, console, render
from labkit.dialogue.talks import Dialogue, Exchange
from labkit.text.tokenizer import CharTokenizer

TOY = [
    Dialogue((Exchange("ab", "ba."), Exchange("c?", "yes c.")), "en"),
    Dialogue((Exchange("cd", "dc."), Exchange("c?", "no.")), "en"),
]


@pytest.fixture(scope="module")
def bot() -> Chatbot:
    """A second of training: "c?" has two answers, which the exchange before it decides."""
    tokenizer = CharTokenizer.from_text("abcdefghijklmnopqrstuvwxyz .?", byte_fallback=True)
    found, _ = train_chatbot(
        TOY, tokenizer, steps=150, batch_size=4, learning_rate=0.02, embedding_size=16, hidden_size=24, dropout=0.0,
        progress=False,
    )  # fmt: skip
    return found


def test_the_conversation_goes_on_with_its_history(bot):
    model = ChatModel(bot)
    model.send("cd")
    assert model.send("c?").turns[-2:] == (("person", "c?"), ("bot", "no."))
    model.reset()
    model.send("ab")
    view = model.send("c?")
    assert view.turns[-1] == ("bot", "yes c.")
    assert len(view.turns) == 4


def test_what_was_not_answered_is_no_history(bot):
    model = ChatModel(bot)
    model.send("ab")
    for said in ("", "你好吗", "😀"):
        assert model.send(said).reply.reason
    assert model.send("c?").turns[-1] == ("bot", "yes c.")


@pytest.mark.parametrize(
    "said", ["", " \n", "a" * 20_000, "😀😀", "你好吗", "\u202e\u0000", "<b>ab</b>", "ab"]
)
def test_any_input_gives_a_panel(bot, said):
    model = ChatModel(bot)
    talk, looked = render(model.send(said))
    assert talk.count("<div") == 2
    assert looked
    assert "<b>ab</b>" not in talk
    assert len(talk) < 20_000


def test_nothing_said_is_shown_too(bot):
    talk, looked = render(ChatModel(bot).view())
    assert talk.startswith("<i>")
    assert looked.startswith("<i>")


def test_the_table_has_a_cell_for_each_weight_and_names_the_large_ones(bot):
    reply = bot.reply("c?", [("ab", "ba.")])
    table = attention_table(reply)
    assert table.count("<td") == len(reply.read) * len(reply.written)
    large = sum(weight >= NAMED_WEIGHT for row in reply.attention for weight in row)
    assert len(re.findall(r"<td[^>]*>0\.\d|<td[^>]*>1\.0", table)) == large > 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_widget_answers(bot, language, monkeypatch):
    monkeypatch.setenv("LABKIT_LANG", language)
    panel = console(bot)
    left, right = panel.children
    talk, (field, send, fresh) = left.children[0], left.children[1].children
    field.value = "ab"
    assert "ba." in talk.value
    assert "<table" in right.children[0].value
    assert field.value == ""
    send.click()  # who types and clicks leaves the field first, which sends: the click must not send nothing after it
    assert talk.value.count("<div") == 2
    field.value = "  "
    assert talk.value.count("<div") == 4
    fresh.click()
    assert "<div" not in talk.value
