"""The chatbots that come with the course: the training that makes them, what is measured, and how to load them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from labkit import weights
from labkit.common import LANGUAGES, LabkitError, check_device, set_threads
from labkit.dialogue.chat import Chatbot, held_out_loss, train_chatbot
from labkit.dialogue.corpus import mixed_corpus
from labkit.dialogue.measures import is_right
from labkit.dialogue.pairs import Vocabulary, history_of
from labkit.dialogue.seq2seq import Seq2Seq, Seq2SeqConfig
from labkit.dialogue.talks import Dialogue, turns_of
from labkit.text.shipped import load_town_tokenizer
from labkit.text.tokenizer import Tokenizer

DIALOGUES, STEPS = 12_000, 2_000
# Exchanges that are read. Of the held-out questions for facts 93 % name their subject within one, 99 % within two.
MEMORY = 2
TRAINING = {
    "batch_size": 32,
    "learning_rate": 4e-3,
    "dropout": 0.0,
}  # with the shape by default, what the benchmarks train as well
TRIED, TRIED_SEED = 400, 7  # test dialogues for the card


def load_chatbot(language: str) -> Chatbot:
    """The shipped chatbot of a language."""
    if language not in LANGUAGES:
        raise LabkitError(f"language is {language!r}. It must be one of {', '.join(LANGUAGES)}.")
    path = weights.find_shipped(f"town-chat-{language}")
    return restore(weights.load(path)[0], load_town_tokenizer())


def train_town_chat(language: str, seed: int = 0, device: str = "cpu") -> Path:
    """Train the chatbot of a language and write it with its card; about ten minutes on one core."""
    device = check_device(device)
    set_threads()
    start = time.perf_counter()
    train = mixed_corpus(language, count=DIALOGUES, seed=seed)
    tokenizer = load_town_tokenizer()
    bot, _ = train_chatbot(train, tokenizer, memory=MEMORY, steps=STEPS, seed=seed, device=device, **TRAINING)
    tensors = pack(bot)
    test = mixed_corpus(language, split="test", count=TRIED, seed=TRIED_SEED)
    name = f"town-chat-{language}"
    card = weights.Card(
        command=weights.train_command(name, device),
        seed=seed,
        data=f"dialogues about the town and small talk in {language}, train split",
        seconds=round(time.perf_counter() - start, 1),
        metrics=figures(restore(tensors, tokenizer), test),
        notes=f"float16; the figures are those after rounding, on {TRIED} dialogues of the test split, greedy",
    )
    path = weights.shipped_path(name)
    weights.save(path, tensors, card)
    return path


def figures(bot: Chatbot, dialogues: list[Dialogue]) -> dict[str, float]:
    """Share of the replies with the right facts, and the loss of the true replies, on held-out dialogues."""
    turns = [
        (dialogue, place) for dialogue, place in turns_of(dialogues) if dialogue.exchanges[place].expected
    ]
    replies = bot.reply_all([history_of(dialogue, place, bot.memory) for dialogue, place in turns])
    right = [
        is_right(reply, dialogue.exchanges[place], bot.language)
        for reply, (dialogue, place) in zip(replies, turns, strict=True)
    ]
    return {
        "right_facts": round(sum(right) / max(1, len(right)), 4),
        "loss": round(held_out_loss(bot, dialogues), 4),
    }


def pack(bot: Chatbot) -> dict[str, Tensor]:
    """The tensors of a chatbot as they are shipped: float16, with a description."""
    described = {
        "config": asdict(bot.model.config),
        "tokens": list(bot.vocabulary.tokens),
        "language": bot.language,
        "memory": bot.memory,
    }
    return weights.pack(bot.model, described)


def restore(tensors: Mapping[str, Tensor], tokenizer: Tokenizer) -> Chatbot:
    """The chatbot that ``pack`` packed; ``tokenizer`` is the one that it was trained with."""
    described, state = weights.unpack(tensors, "chatbot")
    model = Seq2Seq(Seq2SeqConfig(**described["config"]))
    model.load_state_dict(state)
    vocabulary = Vocabulary(tokenizer, tuple(described["tokens"]))
    return Chatbot(model.eval(), vocabulary, described["language"], described["memory"])
