"""The town GPT as a summarizer: fine-tuned to go on after an article with its summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labkit.common import LabkitError
from labkit.summaries.texts import Report, Summary, check_article, language_of, sentences_of
from labkit.text.decoding import complete_in_batches
from labkit.text.gpt import GPT
from labkit.text.rows import Rows, train_on_rows
from labkit.text.tokenizer import BPETokenizer
from labkit.training import History

MARKS = {"en": "Summary: ", "zh": "摘要："}  # between an article and its summary
MAX_SUMMARY = 120  # tokens


class GPTSummarizer:
    """A GPT that has learned to summarize, with its tokenizer."""

    def __init__(self, model: GPT, tokenizer: BPETokenizer) -> None:
        self.model, self.tokenizer = model, tokenizer

    def summarize(self, article: str, num_beams: int = 1) -> Summary:
        """A new text in the article's language; of a long article the beginning is read."""
        return self.summarize_all([article], num_beams)[0]

    def summarize_all(self, articles: Sequence[str], num_beams: int = 1) -> list[Summary]:
        """Summaries of several articles."""
        languages = [_language(article) for article in articles]
        prompts = [prompt_of(article, self.model, self.tokenizer) for article in articles]
        texts = complete_in_batches(
            self.model, self.tokenizer, prompts, max_new_tokens=MAX_SUMMARY, num_beams=num_beams, stop="\n"
        )
        found = [tuple(sentences_of(text)) for text in texts]
        return [
            Summary(sentences, (None,) * len(sentences), language)
            for sentences, language in zip(found, languages, strict=True)
        ]


def prompt_of(article: str, model: GPT, tokenizer: BPETokenizer) -> str:
    """The article in one line and the mark after it, cut to what the model can see beside a summary."""
    room = model.config.max_positions - MAX_SUMMARY - 20
    text = " ".join(check_article(article).split())
    ids = tokenizer.encode(text)
    if len(ids) > room:
        text = tokenizer.decode(ids[:room]).rstrip("\ufffd")
    return f"{text}\n{MARKS[_language(article)]}"


def finetune_gpt(
    model: GPT,
    tokenizer: BPETokenizer,
    reports: Sequence[Report],
    *,
    steps: int = 300,
    **training: Any,
) -> tuple[GPTSummarizer, History]:
    """Teach a GPT in place to write the summaries of these reports, of one language or both; ``training`` goes to ``train_on_rows``."""
    if not reports:
        raise LabkitError("There are no reports to train on.")
    end = tokenizer.eos_id
    rows = Rows.join(
        (
            [end, *tokenizer.encode(prompt_of(report.article, model, tokenizer))],
            [*tokenizer.encode(report.summary)[: MAX_SUMMARY - 1], end],
        )
        for report in reports
    )
    history = train_on_rows(model, rows, steps, **training)
    return GPTSummarizer(model, tokenizer), history


def _language(article: str) -> str:
    found = language_of(check_article(article))
    if not found:
        raise LabkitError("The town GPT writes English and Chinese, and the article is in neither.")
    return found
