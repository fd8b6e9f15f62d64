"""The first sentences of an article: the baseline that newspapers make hard to beat."""

from __future__ import annotations

from labkit.summaries.texts import Summary, check_article, check_count, extract, language_of, sentences_of


def lead(article: str, sentences: int = 3) -> Summary:
    """The first ``sentences`` sentences, or all where there are fewer."""
    found = sentences_of(check_article(article))
    return extract(found, range(min(check_count(sentences), len(found))), language_of(article))
