"""Summarizers as weights: packed and unpacked they write the same, and training leaves a card."""

from __future__ import annotations

import pytest

from labkit import weights
from labkit.common import LabkitError
from labkit.summaries import shipped
from labkit.summaries.abstractive import train_abstractive
from labkit.summaries.extractive import train_extractive
from labkit.summaries.gold import gold
from labkit.summaries.reports import reports
from labkit.summaries.shipped import (
    pack_abstractive,
    pack_extractive,
    restore_abstractive,
    restore_extractive,
)


def test_packed_summarizers_write_the_same():
    """A few seconds of training."""
    made = list(reports("zh", count=12))
    scorer, _ = train_extractive(made, steps=5, progress=False)
    writer, _ = train_abstractive(
        made, steps=5, vocabulary_size=20, embedding_size=8, hidden_size=8, progress=False
    )
    article = made[0].article
    assert restore_extractive(pack_extractive(scorer)).summarize(article, 2) == scorer.summarize(article, 2)
    again = restore_abstractive(pack_abstractive(writer))
    assert again.vocabulary == writer.vocabulary
    assert again.language == "zh"
    assert isinstance(again.summarize(article, num_beams=1).text, str)
    with pytest.raises(LabkitError, match="no description"):
        restore_extractive({})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_articles_read_together_are_summarized_as_each_alone(language):
    """Words that one article has must not be copied into the summary of another; two batches, lengths mixed."""
    made = list(reports(language, split="test", count=6, seed=3))
    writer = shipped.load_abstractive(language)
    articles = [one.article for one in made] + [gold(language)[0].article]
    together = writer.summarize_all(articles)
    assert together == [writer.summarize(article) for article in articles]
    assert len({one.text for one in together}) == len(articles)


@pytest.mark.parametrize("kind", ["extractive", "abstractive"])
def test_training_writes_weights_with_their_card(kind, tmp_path, monkeypatch):
    """Seconds: the whole way on a small scale."""
    monkeypatch.setattr(weights, "data_dir", lambda: tmp_path)
    monkeypatch.setattr(shipped, "TRIED", 3)
    for name, value in (("REPORTS", 10), ("STEPS", 2)):
        monkeypatch.setattr(shipped, f"{kind.upper()}_{name}", value)
    path = getattr(shipped, f"train_news_{kind}")("en")
    assert weights.read_card(path).command == f"labkit train news-{kind}-en"
    assert getattr(shipped, f"load_{kind}")("en").summarize("It rained. Tom Reed won the race.") is not None
    with pytest.raises(LabkitError, match=f"labkit train news-{kind}-zh"):
        getattr(shipped, f"load_{kind}")("zh")
