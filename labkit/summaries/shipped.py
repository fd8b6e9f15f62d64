"""The summarizers that come with the course: the training that makes them, what is measured, and how to load them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from labkit import weights
from labkit.common import LabkitError, check_device, set_threads
from labkit.summaries.abstractive import Abstractive, train_abstractive
from labkit.summaries.evaluation import evaluate
from labkit.summaries.extractive import Extractive, ExtractiveConfig, SentenceScorer, train_extractive
from labkit.summaries.pointer_generator import PointerConfig, PointerGenerator
from labkit.summaries.reports import reports
from labkit.summaries.texts import Summary, check_language
from labkit.summaries.words import Vocabulary

EXTRACTIVE_REPORTS, EXTRACTIVE_STEPS = 3_000, 600
ABSTRACTIVE_REPORTS, ABSTRACTIVE_STEPS, ABSTRACTIVE_BATCH = 12_000, 1_500, 32
TRIED, TRIED_SEED = 200, 7  # test reports for the card


def load_extractive(language: str) -> Extractive:
    """The shipped sentence scorer of a language."""
    return restore_extractive(
        weights.load(weights.find_shipped(f"news-extractive-{check_language(language)}"))[0]
    )


def load_abstractive(language: str) -> Abstractive:
    """The shipped pointer-generator of a language."""
    return restore_abstractive(
        weights.load(weights.find_shipped(f"news-abstractive-{check_language(language)}"))[0]
    )


def train_news_extractive(language: str, seed: int = 0, device: str = "cpu") -> Path:
    """Train the sentence scorer of a language and write it with its card; about a minute on one core."""
    if check_device(device) != "cpu":
        raise LabkitError("The sentence scorer is trained on the CPU, in about a minute: leave --device out.")
    set_threads()
    start = time.perf_counter()
    made = list(reports(language, count=EXTRACTIVE_REPORTS, seed=seed))
    system, _ = train_extractive(made, steps=EXTRACTIVE_STEPS, seed=seed)
    tensors = pack_extractive(system)
    rounded = restore_extractive(tensors)
    name = f"news-extractive-{language}"
    return _ship(name, tensors, rounded.summarize, language, seed, time.perf_counter() - start, device)


def train_news_abstractive(language: str, seed: int = 0, device: str = "cpu") -> Path:
    """Train the pointer-generator of a language and write it with its card; about 25 minutes on one core."""
    device = check_device(device)
    set_threads()
    start = time.perf_counter()
    made = list(reports(language, count=ABSTRACTIVE_REPORTS, seed=seed))
    system, _ = train_abstractive(
        made, steps=ABSTRACTIVE_STEPS, batch_size=ABSTRACTIVE_BATCH, seed=seed, device=device
    )
    tensors = pack_abstractive(system)
    rounded = restore_abstractive(tensors)
    name = f"news-abstractive-{language}"
    return _ship(name, tensors, rounded.summarize, language, seed, time.perf_counter() - start, device)


# --- Tensors and back ------------------------------------------------------------------------------------------


def pack_extractive(system: Extractive) -> dict[str, Tensor]:
    """The tensors of a scorer as they are shipped: float16, with a description."""
    return weights.pack(system.model, {"config": asdict(system.model.config)})


def restore_extractive(tensors: Mapping[str, Tensor]) -> Extractive:
    """The scorer that ``pack_extractive`` packed."""
    described, state = weights.unpack(tensors, "summarizer")
    model = SentenceScorer(ExtractiveConfig(**described["config"]))
    model.load_state_dict(state)
    return Extractive(model.eval())


def pack_abstractive(system: Abstractive) -> dict[str, Tensor]:
    """The tensors of a pointer-generator as they are shipped: float16, with a description."""
    vocabulary = system.vocabulary
    described = {
        "config": asdict(system.model.config),
        "words": list(vocabulary.words),
        "buckets": vocabulary.buckets,
        "language": system.language,
    }
    return weights.pack(system.model, described)


def restore_abstractive(tensors: Mapping[str, Tensor]) -> Abstractive:
    """The pointer-generator that ``pack_abstractive`` packed."""
    described, state = weights.unpack(tensors, "summarizer")
    model = PointerGenerator(PointerConfig(**described["config"]))
    model.load_state_dict(state)
    vocabulary = Vocabulary(tuple(described["words"]), described["buckets"])
    return Abstractive(model.eval(), vocabulary, described["language"])


# --- Files -----------------------------------------------------------------------------------------------------


def _ship(
    name: str,
    tensors: Mapping[str, Tensor],
    summarize: Callable[[str], Summary],
    language: str,
    seed: int,
    seconds: float,
    device: str,
) -> Path:
    """Write tensors with a card of what they then can do on test reports."""
    test = list(reports(language, split="test", count=TRIED, seed=TRIED_SEED))
    scores = evaluate(name, summarize, test)
    metrics = {kind: round(scores.estimate(kind).mean, 4) for kind in ("rouge1", "rouge2", "rougeL")}
    card = weights.Card(
        command=weights.train_command(name, device),
        seed=seed,
        data=f"generated news in {language}, train split",
        seconds=round(seconds, 1),
        metrics=metrics | {"supported": round(scores.supported_share, 4)},
        notes=f"float16; the figures are those after rounding, on {TRIED} reports of the test split",
    )
    path = weights.shipped_path(name)
    weights.save(path, tensors, card)
    return path
