"""Abstractive summaries by a pointer-generator network: training, beam search, and what was copied from where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from labkit.common import LabkitError
from labkit.summaries.pointer_generator import (
    Article,
    Batch,
    PointerConfig,
    PointerGenerator,
    State,
    summary_loss,
)
from labkit.summaries.texts import Report, Summary, check_article, language_of, sentences_of
from labkit.summaries.words import BOS, EOS, PAD, UNKNOWN, Vocabulary, split_words
from labkit.text.beams import beam_search, by_length
from labkit.training import History, fit

MAX_ARTICLE = 400  # words (hanzi in Chinese): See et al. 2017 read as many
MAX_SUMMARY = 100
NUM_BEAMS = 4
AT_ONCE = 4  # articles that are searched together: of more, the whole batch waits for the longest summary
CLIP_NORM = 2.0


@dataclass(frozen=True)
class WrittenWord:
    """A word of a summary: ``copied`` the probability that it was copied, ``source`` where it was looked at most.

    ``source`` are the first character of that word in the article, and the one after its last.
    """

    text: str
    copied: float
    source: tuple[int, int]


class Encoded:
    """An article as the network reads it."""

    def __init__(self, article: str, vocabulary: Vocabulary) -> None:
        self.words = split_words(article)[:MAX_ARTICLE]
        self.copied = vocabulary.unknown(self.words)
        self.read = vocabulary.read_ids(self.words)
        self.extended = vocabulary.write_ids(self.words, self.copied)


class PointerBatches:
    """Batches of reports of about the same length; batch ``step`` depends on ``seed`` and ``step`` alone."""

    def __init__(self, reports: Sequence[Report], vocabulary: Vocabulary, batch_size: int, seed: int = 0):
        if not reports:
            raise LabkitError("There are no reports to train on.")
        self.vocabulary, self.batch_size, self.seed = vocabulary, batch_size, seed
        self.articles = [Encoded(check_article(report.article), vocabulary) for report in reports]
        self.summaries = [split_words(report.summary)[: MAX_SUMMARY - 1] for report in reports]
        order = sorted(range(len(reports)), key=lambda place: len(self.articles[place].read))
        self.groups = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]

    def __call__(self, step: int) -> Batch:
        epoch, place = divmod(step, len(self.groups))
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.groups))
        return self.batch(self.groups[order[place]])

    def batch(self, chosen: Sequence[int]) -> Batch:
        articles = [self.articles[place] for place in chosen]
        inputs, targets = [], []
        for place, article in zip(chosen, articles, strict=True):
            words = self.summaries[place]
            inputs.append([*self.vocabulary.read_ids(words), EOS])
            targets.append([*self.vocabulary.write_ids(words, article.copied), EOS])
        return Batch(
            padded([one.read for one in articles]),
            padded([one.extended for one in articles]),
            padded(inputs),
            padded(targets),
            max(len(one.copied) for one in articles),
        )

    def state_dict(self) -> dict[str, Any]:
        return {"seed": self.seed, "batch_size": self.batch_size, "reports": len(self.articles)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state != self.state_dict():
            raise LabkitError(f"The batches were {state}, and are {self.state_dict()}.")


def padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """(B, longest) with padding at the end."""
    width = max(1, *(len(row) for row in rows))
    return torch.tensor([[*row, *[PAD] * (width - len(row))] for row in rows])


class PointerTask:
    """Training of a pointer-generator by ``fit``: one optimizer, one cycle of the learning rate."""

    def __init__(
        self, model: PointerGenerator, learning_rate: float, steps: int, device: str = "cpu"
    ) -> None:
        self.model = model.to(device)
        self.device = device
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, learning_rate, total_steps=steps)

    def step(self, batch: Batch) -> dict[str, float]:
        batch = Batch(*(one.to(self.device) for one in batch[:4]), batch.extra)
        self.model.train()
        self.optimizer.zero_grad()
        loss = summary_loss(self.model, batch)
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


class Abstractive:
    """A trained pointer-generator that writes summaries of articles in its language."""

    def __init__(self, model: PointerGenerator, vocabulary: Vocabulary, language: str) -> None:
        self.model, self.vocabulary, self.language = model, vocabulary, language

    def summarize(self, article: str, num_beams: int = NUM_BEAMS) -> Summary:
        """A new text. LabkitError where the article is in another language than the model was trained on."""
        return self.summarize_all([article], num_beams)[0]

    def summarize_all(self, articles: Sequence[str], num_beams: int = NUM_BEAMS) -> list[Summary]:
        """Summaries of several articles, those of about the same length at once."""
        encoded = [self._encoded(article) for article in articles]
        found = by_length(
            encoded, lambda some: self._search(some, num_beams), AT_ONCE, lambda one: len(one.read)
        )
        summaries = []
        for one, ids in zip(encoded, found, strict=True):
            sentences = tuple(sentences_of(self.vocabulary.join(ids, one.copied)))
            summaries.append(Summary(sentences, (None,) * len(sentences), self.language))
        return summaries

    @torch.no_grad()
    def explain(self, article: str, num_beams: int = NUM_BEAMS) -> list[WrittenWord]:
        """The summary word by word, with where each came from."""
        encoded = self._encoded(article)
        (ids,) = self._search([encoded], num_beams)
        decoder = PointerDecoder(self.model, self.vocabulary, [encoded])
        decoder.start([encoded.read], len(ids) + 1)
        spans = _spans(article, encoded.words)
        written = []
        for one in ids:
            step = decoder.last
            assert step is not None
            own = step.attention[0] * (torch.tensor(encoded.extended) == one)
            copied = (1 - step.generate[0, 0]) * own.sum() / (step.probabilities[0, one] + 1e-12)
            looked = int((own if own.sum() > 0 else step.attention[0]).argmax())
            text = self.vocabulary.join([one], encoded.copied)
            written.append(WrittenWord(text, float(copied.clamp(0, 1)), spans[looked]))
            decoder.step(torch.tensor([one]))
        return written

    def _encoded(self, article: str) -> Encoded:
        found = language_of(check_article(article))
        if found != self.language:
            names = {"en": "English", "zh": "Chinese", "": "another language"}
            raise LabkitError(
                f"This model writes {names[self.language]}, and the article is in {names[found]}. Load or train the "
                "model of that language, or use lead or textrank, which take any."
            )
        return Encoded(article, self.vocabulary)

    @torch.no_grad()
    def _search(self, encoded: Sequence[Encoded], num_beams: int) -> list[list[int]]:
        self.model.eval()
        decoder = PointerDecoder(self.model, self.vocabulary, encoded)
        return beam_search(decoder, [one.read for one in encoded], MAX_SUMMARY, num_beams, 1.0, (EOS,))


class PointerDecoder:
    """A pointer-generator behind the interface of ``labkit.text.decoders``: logits are log p of both kinds of words."""

    def __init__(self, model: PointerGenerator, vocabulary: Vocabulary, articles: Sequence[Encoded]) -> None:
        self.model, self.vocabulary, self.articles = model, vocabulary, articles
        self.read_copied: Tensor | None = None
        self.last = None

    def start(self, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> Tensor:
        """``prompts`` are the articles' ids, one for each of the articles given."""
        extra = max(1, *(len(one.copied) for one in self.articles))
        extended = padded([one.extended for one in self.articles])
        self.article, self.state = self.model.read(padded(prompts), extended, extra)
        copied = [self.vocabulary.read_ids(one.copied) for one in self.articles]
        self.read_copied = padded([[*ids, *[UNKNOWN] * (extra - len(ids))] for ids in copied])  # (B, extra)
        self.owner = torch.arange(len(self.articles))  # of each row, the article that it reads
        lengths = torch.tensor([len(ids) for ids in copied])
        self.absent = torch.arange(extra) >= lengths[:, None]  # (B, extra): words of others of the batch
        return self.step(torch.full((len(self.articles),), BOS))

    def step(self, tokens: Tensor) -> Tensor:
        """A copied word is read by the bucket of its hash, as in the article."""
        V = self.vocabulary.output_size
        place = (tokens - V).clamp(min=0)[:, None]
        words = torch.where(tokens < V, tokens, self.read_copied.gather(1, place).squeeze(1))
        self.last, self.state = self.model.step(words, self.state, self.article)
        logs = (self.last.probabilities + 1e-12).log()
        logs[:, [PAD, BOS, UNKNOWN]] = -math.inf  # nothing that a reader could see
        logs[:, V:].masked_fill_(self.absent, -math.inf)
        return logs

    def reorder(self, indices: Tensor) -> None:
        self.state = State(*(one[indices] for one in self.state))
        before, self.owner = self.owner, self.owner[indices]
        if torch.equal(before, self.owner):
            return  # the beams of an article changed places among themselves: what they read is the same
        states, keys, mask, extended, extra = self.article
        self.article = Article(*(one[indices] for one in (states, keys, mask, extended)), extra)
        self.read_copied, self.absent = self.read_copied[indices], self.absent[indices]


def _spans(article: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where each word stands in the article as it was given."""
    spans, start = [], 0
    for word in words:
        bare = word.strip()
        start = article.index(bare, start)
        spans.append((start, start + len(bare)))
        start += len(bare)
    return spans


def train_abstractive(
    reports: Sequence[Report],
    config: PointerConfig | None = None,
    *,
    vocabulary_size: int = 400,
    steps: int = 1500,
    batch_size: int = 16,
    learning_rate: float = 3e-3,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = True,
    **shape: Any,
) -> tuple[Abstractive, History]:
    """Train a pointer-generator on reports of one language.

    The vocabulary holds words of the summaries, without names and figures (``Vocabulary.of``): these are copied, so that
    the network can also write those that it has never read. ``shape`` are fields of ``PointerConfig``.
    """
    languages = {report.language for report in reports}
    if len(languages) != 1:
        raise LabkitError(f"Reports of one language are needed, and there are {len(languages)}.")
    vocabulary = Vocabulary.of([(report.article, report.summary) for report in reports], vocabulary_size)
    if config is None:
        config = PointerConfig(vocabulary.input_size, vocabulary.output_size, **shape)
    torch.manual_seed(seed)
    model = PointerGenerator(config)
    task = PointerTask(model, learning_rate, steps, device)
    batches = PointerBatches(reports, vocabulary, batch_size, seed)
    history = fit(task, batches, steps, progress=progress)
    model.cpu().eval()
    return Abstractive(model, vocabulary, languages.pop()), history
