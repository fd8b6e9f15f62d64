"""How fast the town is told and read, how right its sentences are, and how varied beside Tiny Shakespeare."""

from __future__ import annotations

import time

from labkit.text import scores, town
from labkit.text.corpus import load_corpus

LANGUAGES = ("en", "zh")
SIZE = 5_000_000
VARIETY_SIZE = 1_000_000
JUDGED = 2_000


def run() -> dict[str, dict[str, float]]:
    """For each language ``seconds`` for 5 MB, ``grammatical`` and ``consistent`` in percent, and its variety."""
    return {language: speed(language) | judged(language) | variety(language) for language in LANGUAGES}


def speed(language: str, size: int = SIZE) -> dict[str, float]:
    """Wall seconds to tell ``size`` bytes of documents in one process."""
    start = time.perf_counter()
    for _ in town.documents(language, size_bytes=size, seed=51):
        pass
    return {"seconds": time.perf_counter() - start}


def judged(language: str, count: int = JUDGED) -> dict[str, float]:
    """Percent of the sentences that the judge finds grammatical, and of those stating facts that it finds true."""
    sentences = grammatical = stating = consistent = 0
    start = time.perf_counter()
    for document in town.documents(language, count=count, seed=52):
        check = town.check_text(document.text, document.facts, language)
        sentences += check.sentences
        grammatical += check.grammatical
        stating += check.stating
        consistent += check.consistent
    return {
        "grammatical": 100 * grammatical / sentences,
        "consistent": 100 * consistent / stating,
        "milliseconds": 1000 * (time.perf_counter() - start) / sentences,
    }


def variety(language: str | None, size: int = VARIETY_SIZE) -> dict[str, float]:
    """Distinct n-grams, repeated sentences and compression of ``size`` bytes; None: of Tiny Shakespeare."""
    if language is None:
        texts = [load_corpus("tinyshakespeare")[0][:size]]
    else:
        texts = [one.text for one in town.documents(language, size_bytes=size, seed=53, notes_share=0)]
    return {
        **{f"distinct_{n}": scores.distinct_n(texts, n) for n in (1, 2, 3, 4)},
        "repeated": 100 * scores.repeated_sentences(texts),
        "zlib": scores.compression_ratio(texts, "zlib"),
        "lzma": scores.compression_ratio(texts, "lzma"),
    }
