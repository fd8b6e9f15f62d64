"""A trained Seq2Seq network that holds a conversation: training, replies to any input, and the attention behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from labkit.common import LabkitError
from labkit.dialogue.pairs import MAX_WRITTEN, PairBatches, Pairs, Vocabulary, read_ids, typed_in_haste
from labkit.dialogue.seq2seq import BOS, EOS, Seq2Seq, Seq2SeqConfig, Seq2SeqDecoder, sequence_loss
from labkit.dialogue.talks import Dialogue
from labkit.text.beams import beam_search, by_length
from labkit.text.tokenizer import Tokenizer
from labkit.training import History, fit

CLIP_NORM = 2.0
NUM_BEAMS = 4
AT_ONCE = 32  # histories that are answered together: of more, all wait for the longest reply
LENGTH_PENALTY = 1.0
UNKNOWN_LIMIT = 0.5  # share of tokens never seen from which nothing can be answered
# Mean log p of a reply's tokens below which it is not given; on dialogues of another seed it loses no right one.
DOUBT_LIMIT = -0.25
SAID_LIMIT = 2_000  # characters of one turn that are read
WORDS = {
    "en": {
        "empty": "You wrote nothing. Ask me something about the town, or just say hello.",
        "strange": "I cannot read that. Please write to me in English.",
        "doubt": "I do not know what to say to that. Ask me about the people and places of the town.",
    },
    "zh": {
        "empty": "你什么也没写。问问镇上的事，或者打个招呼吧。",
        "strange": "这句我看不懂，请用中文跟我说。",
        "doubt": "这个我答不上来。你可以问问镇上的人和地方。",
    },
}


@dataclass(frozen=True)
class Reply:
    """What the bot answers. ``reason`` is "" for a reply of the network, else why it gave none: ``empty``, ``strange``
    (nearly nothing of it occurred in training) or ``doubt`` (the network was not sure).

    ``attention`` (T, S) belongs to the tokens ``written`` (T) and ``read`` (S); empty where the network wrote nothing.
    """

    text: str
    reason: str = ""
    confidence: float = 0.0
    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    attention: tuple[tuple[float, ...], ...] = ()


class Chatbot:
    """A network with its vocabulary; ``memory`` exchanges before the last turn are read with it."""

    def __init__(self, model: Seq2Seq, vocabulary: Vocabulary, language: str, memory: int) -> None:
        self.model, self.vocabulary, self.language, self.memory = model, vocabulary, language, memory

    def reply(
        self,
        said: str,
        history: Sequence[tuple[str, str]] = (),
        num_beams: int = NUM_BEAMS,
        doubt: bool = True,
    ) -> Reply:
        """Answer any text. ``history`` are the exchanges so far; ``doubt=False`` gives what the network wrote anyway."""
        if not isinstance(said, str):
            raise LabkitError(f"said is a {type(said).__name__}. Give a text.")
        said = said.strip()[:SAID_LIMIT]
        if not said:
            return Reply(WORDS[self.language]["empty"], "empty")
        if self.vocabulary.unknown_share(said) > UNKNOWN_LIMIT:
            return Reply(WORDS[self.language]["strange"], "strange")
        turns = [turn for pair in list(history)[-self.memory :] for turn in pair] if self.memory else []
        ids = read_ids([*turns, said], self.vocabulary)
        found = self._written(ids, self._search([ids], num_beams)[0])
        if doubt and (not found.text or found.confidence < DOUBT_LIMIT):
            return Reply(WORDS[self.language]["doubt"], "doubt", found.confidence)
        return found

    def reply_all(self, histories: Sequence[Sequence[str]], num_beams: int = 1) -> list[str]:
        """What the network writes after each list of turns, the last of which is to be answered."""
        rows = [read_ids(turns, self.vocabulary) for turns in histories]
        found = by_length(rows, lambda some: self._search(some, num_beams), AT_ONCE)
        return [self.vocabulary.decode(ids) for ids in found]

    @torch.no_grad()
    def _search(self, rows: Sequence[Sequence[int]], num_beams: int) -> list[list[int]]:
        self.model.eval()
        return beam_search(Seq2SeqDecoder(self.model), rows, MAX_WRITTEN, num_beams, LENGTH_PENALTY, (EOS,))

    @torch.no_grad()
    def _written(self, read: Sequence[int], ids: Sequence[int]) -> Reply:
        """The reply with its attention: the network reads once more what it wrote."""
        source, state = self.model.read(torch.tensor([list(read)]))
        weights, logs = [], []
        for before, after in zip([BOS, *ids], [*ids, EOS], strict=True):
            logits, state = self.model.step(torch.tensor([before]), state, source)
            logs.append(float(logits[0].log_softmax(-1)[after]))
            weights.append(tuple(state.attention[0].tolist()))
        return Reply(
            text=self.vocabulary.decode(ids),
            confidence=sum(logs) / len(logs),
            read=tuple(self.vocabulary.token_texts(read)),
            written=tuple(self.vocabulary.token_texts(ids)),
            attention=tuple(weights[:-1]),
        )


class Seq2SeqTask:
    """Training by ``fit``: teacher forcing, one optimizer, one cycle of the learning rate."""

    def __init__(self, model: Seq2Seq, learning_rate: float, steps: int, device: str = "cpu") -> None:
        self.model = model.to(device)
        self.device = device
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=learning_rate, weight_decay=0.01, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, learning_rate, total_steps=steps, pct_start=0.1
        )

    def step(self, batch: Pairs) -> dict[str, float]:
        source, inputs, targets = (one.to(self.device) for one in batch)
        self.model.train()
        self.optimizer.zero_grad()
        loss = sequence_loss(self.model(source, inputs), targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        self.optimizer.step()
        self.schedule.step()
        return {"loss": loss.item()}

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name).state_dict() for name in ("model", "optimizer", "schedule")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            getattr(self, name).load_state_dict(value)


def train_chatbot(
    dialogues: Sequence[Dialogue],
    tokenizer: Tokenizer,
    *,
    memory: int = 1,
    steps: int = 2_000,
    batch_size: int = 32,
    learning_rate: float = 4e-3,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = True,
    **shape: Any,
) -> tuple[Chatbot, History]:
    """Train a Seq2Seq network on dialogues of one language; ``shape`` are fields of ``Seq2SeqConfig``."""
    languages = {dialogue.language for dialogue in dialogues}
    if len(languages) != 1:
        raise LabkitError(f"Dialogues of one language are needed, and there are {len(languages)}.")
    exchanges = (one for dialogue in dialogues for one in dialogue.exchanges)
    texts = (text for one in exchanges for text in (one.said, typed_in_haste(one.said), one.reply))
    vocabulary = Vocabulary.of(texts, tokenizer)
    torch.manual_seed(seed)
    model = Seq2Seq(Seq2SeqConfig(vocabulary.size, **shape))
    task = Seq2SeqTask(model, learning_rate, steps, device)
    history = fit(
        task, PairBatches(dialogues, vocabulary, batch_size, memory, seed), steps, progress=progress
    )
    model.cpu().eval()
    return Chatbot(model, vocabulary, languages.pop(), memory), history


@torch.no_grad()
def held_out_loss(bot: Chatbot, dialogues: Sequence[Dialogue], batch_size: int = 128) -> float:
    """Mean of -log p of the tokens of the true replies, in nats."""
    bot.model.eval()
    batches = PairBatches(dialogues, bot.vocabulary, batch_size, bot.memory)
    total: Tensor = torch.zeros(())
    count = 0
    for step in range(batches.steps_per_epoch):
        source, inputs, targets = batches(step)
        tokens = int((targets != 0).sum())
        total = total + tokens * sequence_loss(bot.model(source, inputs), targets)
        count += tokens
    return float(total) / count
