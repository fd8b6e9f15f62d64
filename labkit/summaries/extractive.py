"""An extractive model: a neural network scores each sentence of an article, in the company of the others."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from labkit.common import LabkitError
from labkit.summaries.rouge import rouge_n, tokenize
from labkit.summaries.texts import (
    Report,
    Summary,
    check_article,
    check_count,
    extract,
    language_of,
    sentences_of,
)
from labkit.training import ArrayBatches, History, SupervisedTask, fit

PAD = 0  # of features; buckets begin at 1
NO_LABEL = -1.0
THRESHOLD = 0.5
CLIP_NORM = 1.0


@dataclass(frozen=True)
class ExtractiveConfig:
    """Shape of the sentence scorer. Words and pairs of words share ``buckets`` rows of the embedding by a hash.

    Of an article the first ``max_sentences`` are read, of a sentence the first ``max_features`` words and pairs.
    """

    buckets: int = 16_384
    embedding_size: int = 48
    hidden_size: int = 48
    dropout: float = 0.2
    max_sentences: int = 200
    max_features: int = 120

    def __post_init__(self) -> None:
        for name in ("buckets", "embedding_size", "hidden_size", "max_sentences", "max_features"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise LabkitError(f"{name} is {value!r}. Give a whole number from 1.")
        if not 0 <= self.dropout < 1:
            raise LabkitError(f"dropout is {self.dropout!r}. Give a number from 0 to below 1.")


class SentenceScorer(nn.Module):
    """A sentence is the sum of its features' embeddings over the root of their number; a GRU over the sentences in both
    directions, and one logit for each.

    The GRU makes a sentence's score depend on what stands before and after it (Nallapati et al. 2017,
    arXiv:1611.04230, simplified). Sentences beyond an article's end are not read.
    """

    def __init__(self, config: ExtractiveConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.buckets + 1, config.embedding_size, padding_idx=PAD)
        nn.init.normal_(self.embedding.weight, std=config.embedding_size**-0.5)
        with torch.no_grad():
            self.embedding.weight[PAD] = 0
        self.dropout = nn.Dropout(config.dropout)
        self.gru = nn.GRU(config.embedding_size, config.hidden_size, bidirectional=True, batch_first=True)
        self.output = nn.Linear(2 * config.hidden_size + config.embedding_size, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, S) of features (B, S, W); a sentence without features must not stand before one with some."""
        counts = (features != PAD).sum(-1, keepdim=True)  # (B, S, 1)
        sentences = self.embedding(features).sum(2) / counts.clamp(min=1).sqrt()  # (B, S, E)
        sentences = self.dropout(sentences)
        lengths = (counts.squeeze(-1) > 0).sum(1).clamp(min=1)
        packed = pack_padded_sequence(sentences, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=features.shape[1])
        return self.output(torch.cat((self.dropout(states), sentences), -1)).squeeze(-1)  # (B, S)


class Extractive:
    """A trained scorer that summarizes."""

    def __init__(self, model: SentenceScorer) -> None:
        self.model = model

    @torch.no_grad()
    def probabilities(self, sentences: Sequence[str]) -> np.ndarray:
        """How likely each sentence belongs to the summary (S,); those beyond ``max_sentences`` get 0."""
        features = features_of([sentences], self.model.config)
        self.model.eval()
        scores = np.zeros(len(sentences))
        found = torch.sigmoid(self.model(features))[0].numpy()
        scores[: len(found)] = found
        return scores

    def summarize(self, article: str, sentences: int | None = None) -> Summary:
        """The ``sentences`` likeliest, in the article's order; None: all above one half, at least the likeliest."""
        found = sentences_of(check_article(article))
        scores = self.probabilities(found)
        order = np.argsort(-scores, kind="stable")
        count = max(1, int((scores > THRESHOLD).sum())) if sentences is None else check_count(sentences)
        return extract(found, [int(place) for place in order[:count]], language_of(article))


def oracle(sentences: Sequence[str], summary: str) -> list[int]:
    """The sentences that an extractor should choose: greedily the next that raises ROUGE-1 + ROUGE-2 most.

    Nallapati et al. 2017, section 3: nobody has labelled sentences, so labels are made from the summary.
    """
    reference = tokenize(summary)
    tokens = [tokenize(sentence) for sentence in sentences]
    chosen: list[int] = []
    best = 0.0
    while len(chosen) < len(sentences):
        gains = []
        for place in range(len(sentences)):
            if place not in chosen:
                text = [token for one in sorted([*chosen, place]) for token in tokens[one]]
                gains.append((rouge_n(text, reference, 1).f1 + rouge_n(text, reference, 2).f1, -place))
        score, place = max(gains)
        if score <= best:
            break
        best = score
        chosen.append(-place)
    return sorted(chosen)


def features_of(articles: Sequence[Sequence[str]], config: ExtractiveConfig) -> Tensor:
    """Hashed words and pairs of words (B, S, W) of articles in sentences, padded with 0."""
    rows = [
        [_buckets(sentence, config) for sentence in sentences[: config.max_sentences]]
        for sentences in articles
    ]
    most = max(len(row) for row in rows)
    widest = max(len(sentence) for row in rows for sentence in row)
    features = np.zeros((len(rows), most, widest), dtype=np.int64)
    for number, row in enumerate(rows):
        for place, sentence in enumerate(row):
            features[number, place, : len(sentence)] = sentence
    return torch.from_numpy(features)


def _buckets(sentence: str, config: ExtractiveConfig) -> list[int]:
    """At least one feature: a sentence of punctuation alone is read as "#"."""
    tokens = tokenize(sentence) or ["#"]
    # Figures count by their number of digits: "48" and "52" tell the same about a sentence.
    tokens = ["0" * len(token) if token.isdigit() else token for token in tokens]
    pairs = [f"{one} {other}" for one, other in pairwise(tokens)]
    found = [1 + zlib.crc32(feature.encode()) % config.buckets for feature in (*tokens, *pairs)]
    return found[: config.max_features]


def train_extractive(
    reports: Sequence[Report],
    config: ExtractiveConfig | None = None,
    *,
    steps: int = 600,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
    seed: int = 0,
    progress: bool = True,
) -> tuple[Extractive, History]:
    """Train a scorer on reports with summaries; labels are those of ``oracle``."""
    if not reports:
        raise LabkitError("There are no reports to train on.")
    config = config or ExtractiveConfig()
    articles = [sentences_of(check_article(report.article)) for report in reports]
    features = features_of(articles, config)
    labels = torch.full(features.shape[:2], NO_LABEL)
    for number, (sentences, report) in enumerate(zip(articles, reports, strict=True)):
        read = sentences[: config.max_sentences]
        labels[number, : len(read)] = 0
        labels[number, oracle(read, report.summary)] = 1
    torch.manual_seed(seed)
    model = SentenceScorer(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    task = SupervisedTask(model, _label_loss, optimizer, schedule, clip_norm=CLIP_NORM)
    batches = ArrayBatches(features, labels, batch_size=batch_size, seed=seed)
    history = fit(task, batches, steps, progress=progress)
    model.eval()
    return Extractive(model), history


def _label_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy over the sentences that are there."""
    there = labels != NO_LABEL
    return F.binary_cross_entropy_with_logits(logits[there], labels[there])
