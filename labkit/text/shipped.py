"""The town models that come with the course: their texts, the training that makes them, and how to load them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from labkit import weights
from labkit.common import set_threads
from labkit.text import town
from labkit.text.corpus import join_documents, write_tokens
from labkit.text.gpt import GPT
from labkit.text.lstm import LSTMLanguageModel
from labkit.text.pretrained import from_tensors, load_model, save_model, to_tensors
from labkit.text.recipes import RECIPES, TOWN_VOCABULARY, train
from labkit.text.rows import Rows
from labkit.text.tokenizer import BPETokenizer
from labkit.text.training import bits_per_character, evaluate_loss

TOKENIZER = "town-tokenizer"
TOKENIZER_BYTES = 2_000_000  # of each language: more text hardly changes the merges


def load_town_tokenizer() -> BPETokenizer:
    """The byte-level BPE of the town models: 4,096 tokens for both languages."""
    return BPETokenizer.load(weights.find_shipped(TOKENIZER, ".json"))


def load_town_gpt() -> tuple[GPT, BPETokenizer]:
    """The shipped GPT, ready to write, and its tokenizer."""
    return load_model(weights.find_shipped("town-gpt"))[0], load_town_tokenizer()


def load_town_lstm() -> tuple[LSTMLanguageModel, BPETokenizer]:
    """The shipped LSTM, ready to write, and its tokenizer."""
    return load_model(weights.find_shipped("town-lstm"))[0], load_town_tokenizer()


def town_documents(
    split: str, size_bytes: Mapping[str, int], seed: int = 0, notes_share: float = town.NOTES_SHARE
) -> Iterator[town.Document]:
    """Documents of the languages in turn, ``size_bytes`` of each."""
    options = {"split": split, "seed": seed, "notes_share": notes_share}
    sources = [town.documents(language, size_bytes=size, **options) for language, size in size_bytes.items()]
    while sources:
        for source in list(sources):
            document = next(source, None)
            if document is None:
                sources.remove(source)
            else:
                yield document


def town_texts(
    split: str, size_bytes: int, seed: int = 0, notes_share: float = town.NOTES_SHARE
) -> Iterator[str]:
    """Documents of both languages in turn, ``size_bytes`` of each, with their notes where they have some."""
    sizes = {"en": size_bytes, "zh": size_bytes}
    return (document.full for document in town_documents(split, sizes, seed, notes_share))


def make_town_tokenizer(seed: int = 0) -> Path:
    """Train the tokenizer on town texts and write it to ``data/weights``."""
    tokenizer = BPETokenizer.train(town_texts("train", TOKENIZER_BYTES, seed), TOWN_VOCABULARY)
    path = weights.shipped_path(TOKENIZER, ".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(path)
    return path


def train_town_gpt(seed: int = 0, device: str = "cpu") -> Path:
    """Train the shipped GPT in three stages and write it with its card; hours on one core, minutes on a GPU.

    The second and third read only documents that open with their notes, each others than the one before.
    """
    stages = [
        Stage("town-gpt", town.NOTES_SHARE, {"en": 14_000_000, "zh": 14_000_000}),
        Stage("town-gpt-notes", 1.0, {"en": 14_000_000, "zh": 14_000_000}),
        Stage("town-gpt-faithful", 1.0, {"en": 10_000_000, "zh": 20_000_000}, learn_notes=False, share=0.4),
    ]
    return _ship("town-gpt", seed, stages, device)


def train_town_lstm(seed: int = 0, device: str = "cpu") -> Path:
    """Train the shipped LSTM and write it with its card; about 12 minutes on one core."""
    return _ship(
        "town-lstm",
        seed,
        [Stage("town-lstm", town.NOTES_SHARE, {"en": 14_000_000, "zh": 14_000_000})],
        device,
    )


def held_out_bits(
    model: nn.Module, tokenizer: BPETokenizer, size_bytes: int = 300_000, seed: int = 0
) -> dict[str, float]:
    """Bits per character on test documents of each language, laid end to end in windows of 512 tokens."""
    return {
        language: bits_on(
            model,
            tokenizer,
            [d.full for d in town.documents(language, split="test", seed=seed, size_bytes=size_bytes)],
        )
        for language in ("en", "zh")
    }


@torch.no_grad()
def bits_on(model: nn.Module, tokenizer: BPETokenizer, texts: list[str], length: int = 512) -> float:
    """Bits per character of texts laid end to end with an end token before each, in windows of ``length`` tokens."""
    ids = join_documents(texts, tokenizer)
    nll = evaluate_loss(model, np.append(ids, tokenizer.eos_id), length, 16)
    return bits_per_character(nll, len(ids), sum(len(text) + 1 for text in texts))


@dataclass(frozen=True)
class Stage:
    """A part of a training: the recipe's name, the share of the documents that open with their notes, and how
    many bytes of texts there are of each language. Without ``learn_notes`` each document is a row of its own,
    whose notes are read and not learned.

    Of what the stage changes in the weights, ``share`` is kept (Wortsman et al. 2022, arXiv:2109.01903): the whole
    of the third stage is true to notes and has forgotten how texts begin, twice as many bits a character."""

    recipe: str
    notes_share: float
    size_bytes: Mapping[str, int]
    learn_notes: bool = True
    share: float = 1.0


def train_stage(stage: Stage, model: nn.Module | None, seed: int, device: str = "cpu") -> nn.Module:
    """Train a fresh model, or this one on; what comes back is rounded to float16, as it would be loaded."""
    tokenizer = load_town_tokenizer()
    documents = town_documents("train", stage.size_bytes, seed, stage.notes_share)
    options = {"seed": seed, "model": model, "device": device}
    before = None if model is None else deepcopy(model.state_dict())
    if stage.learn_notes:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "tokens.bin"
            tokens = write_tokens(path, (document.full for document in documents), tokenizer).open()
            model, _ = train(RECIPES[stage.recipe], tokens, **options)
            del tokens  # Windows cannot delete a file that is mapped
    else:
        model, _ = train(RECIPES[stage.recipe], document_rows(documents, tokenizer), **options)
    model.cpu()
    if before is not None and stage.share != 1:
        model.load_state_dict(
            {
                name: old.lerp(new, stage.share)
                for (name, old), new in zip(before.items(), model.state_dict().values(), strict=True)
            }
        )
    return from_tensors(model.config, to_tensors(model, torch.float16))


def document_rows(documents: Iterable[town.Document], tokenizer: BPETokenizer) -> Rows:
    """A row of each document between end tokens: its notes are read, its text and the end after it learned."""
    end = tokenizer.eos_id
    return Rows.join(
        (
            [end, *(tokenizer.encode(f"{document.notes}\n") if document.notes else [])],
            [*tokenizer.encode(document.text), end],
        )
        for document in documents
    )


def _ship(name: str, seed: int, stages: list[Stage], device: str) -> Path:
    tokenizer_path = weights.shipped_path(TOKENIZER, ".json")
    if not tokenizer_path.exists():
        make_town_tokenizer()
    tokenizer = load_town_tokenizer()
    set_threads()
    start, model = time.perf_counter(), None
    for number, stage in enumerate(stages):
        model = train_stage(stage, model, seed + 1000 * number, device)
    seconds = time.perf_counter() - start
    bits = held_out_bits(model, tokenizer)
    path = weights.shipped_path(name)
    sizes = " and ".join(f"{stage.size_bytes['en']:,} + {stage.size_bytes['zh']:,}" for stage in stages)
    card = weights.Card(
        command=weights.train_command(name, device),
        seed=seed,
        data=f"town, train split, {sizes} bytes of English + Chinese",
        seconds=round(seconds, 1),
        metrics={f"bits_per_character_{language}": round(value, 4) for language, value in bits.items()},
        notes="float16; the figures are those after rounding, on test documents of the town",
    )
    save_model(path, model, card)
    return path
