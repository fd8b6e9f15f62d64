"""The town models that come with the course: their recipe, the training that makes them, and how to load them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from labkit import training, weights
from labkit.common import LabkitError, data_dir, set_seed, set_threads
from labkit.text import town
from labkit.text.corpus import PackedBatches, write_tokens
from labkit.text.gpt import GPT, GPTConfig
from labkit.text.lstm import LSTMConfig, LSTMLanguageModel
from labkit.text.pretrained import from_tensors, load_model, save_model, to_tensors
from labkit.text.tokenizer import BPETokenizer
from labkit.text.training import (
    LanguageModelTask,
    WarmupDecay,
    bits_per_character,
    evaluate_loss,
    make_optimizers,
    make_schedules,
)

VOCABULARY = 4096
TOWN_GPT = GPTConfig(
    VOCABULARY, hidden_size=256, num_layers=4, num_heads=4, num_kv_heads=2, max_positions=1024
)
TOWN_LSTM = LSTMConfig(VOCABULARY, embedding_size=256, hidden_size=448, num_layers=2, dropout=0.0)
NAMES = {"town-gpt": "town-gpt.safetensors", "town-lstm": "town-lstm.safetensors"}
TOKENIZER = "town-tokenizer.json"
TOKENIZER_BYTES = 2_000_000  # of each language: more text hardly changes the merges


@dataclass(frozen=True)
class Recipe:
    """How a town model is trained. Rates are those of Muon for matrices and of AdamW for the rest."""

    steps: int
    batch_size: int = 16
    sequence_length: int = 256
    learning_rate: float = 3e-3
    matrix_learning_rate: float = 0.02
    weight_decay: float = 0.1
    warmup: int = 50
    decay_share: float = 0.6  # of the steps, at the end, in which the rates go down to zero
    clip_norm: float = 1.0
    precision: str = "auto"
    bytes_per_language: int = 14_000_000
    carry_state: bool = False

    def schedule(self) -> WarmupDecay:
        return WarmupDecay(
            self.steps, min(self.warmup, self.steps // 10), int(self.decay_share * self.steps), "linear"
        )


GPT_RECIPE = Recipe(steps=1900)
LSTM_RECIPE = Recipe(steps=1400, batch_size=32, sequence_length=128, carry_state=True)


def load_town_tokenizer() -> BPETokenizer:
    """The byte-level BPE of the town models: 4,096 tokens for both languages."""
    return BPETokenizer.load(_path(TOKENIZER))


def load_town_gpt() -> tuple[GPT, BPETokenizer]:
    """The shipped GPT, ready to write, and its tokenizer."""
    return load_model(_path(NAMES["town-gpt"]))[0], load_town_tokenizer()


def load_town_lstm() -> tuple[LSTMLanguageModel, BPETokenizer]:
    """The shipped LSTM, ready to write, and its tokenizer."""
    return load_model(_path(NAMES["town-lstm"]))[0], load_town_tokenizer()


def town_texts(split: str, size_bytes: int, seed: int = 0) -> Iterator[str]:
    """Documents of both languages in turn, ``size_bytes`` of each, with their notes where they have some."""
    sources = [
        town.documents(language, split=split, seed=seed, size_bytes=size_bytes) for language in ("en", "zh")
    ]
    while sources:
        for source in list(sources):
            document = next(source, None)
            if document is None:
                sources.remove(source)
            else:
                yield document.full


def make_town_tokenizer(seed: int = 0) -> Path:
    """Train the tokenizer on town texts and write it to ``data/weights``."""
    tokenizer = BPETokenizer.train(town_texts("train", TOKENIZER_BYTES, seed), VOCABULARY)
    path = data_dir() / "weights" / TOKENIZER
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(path)
    return path


def train_town_gpt(seed: int = 0) -> Path:
    """Train the shipped GPT and write it with its card; about 25 minutes on one core."""
    return _ship("town-gpt", lambda: GPT(TOWN_GPT), GPT_RECIPE, seed)


def train_town_lstm(seed: int = 0) -> Path:
    """Train the shipped LSTM and write it with its card; about 25 minutes on one core."""
    return _ship("town-lstm", lambda: LSTMLanguageModel(TOWN_LSTM), LSTM_RECIPE, seed)


def train_language_model(
    model: nn.Module, tokens: np.ndarray, recipe: Recipe, seed: int = 0, progress: bool = True
) -> training.History:
    """Train ``model`` in place on one long row of tokens by ``recipe``."""
    optimizers = make_optimizers(
        model, recipe.learning_rate, recipe.matrix_learning_rate, recipe.weight_decay
    )
    task = LanguageModelTask(
        model,
        optimizers,
        make_schedules(optimizers, recipe.schedule()),
        recipe.clip_norm,
        precision=recipe.precision,
        carry_state=recipe.carry_state,
    )
    batches: Callable[[int], tuple[Tensor, Tensor]]
    if recipe.carry_state:
        batches = ContinuedBatches(tokens, recipe.sequence_length, recipe.batch_size)
    else:
        batches = PackedBatches(tokens, recipe.sequence_length, recipe.batch_size, seed, windows="epoch")
    return training.fit(task, batches, recipe.steps, progress=progress)


class ContinuedBatches:
    """Windows in which row b of each batch goes on where row b of the one before ended, for a carried state.

    The stream is cut into ``batch_size`` long rows of equal length (fewer than ``batch_size`` tokens are left over); after
    their end they begin again. ``batches(step)`` is ``(inputs, targets)``, both (B, T).
    """

    def __init__(self, tokens: np.ndarray, sequence_length: int, batch_size: int):
        self.length = sequence_length
        width = (len(tokens) - 1) // batch_size
        self.windows = width // sequence_length
        if not self.windows:
            raise LabkitError(
                f"{len(tokens)} tokens are too few for {batch_size} rows of {sequence_length}. Use more text, "
                "or smaller batches."
            )
        self.tokens, self.starts = tokens, np.arange(batch_size)[:, None] * width

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        columns = self.starts + step % self.windows * self.length + np.arange(self.length + 1)
        window = torch.from_numpy(self.tokens[columns].astype(np.int64))  # (B, T + 1)
        return window[:, :-1], window[:, 1:]


def held_out_bits(
    model: nn.Module, tokenizer: BPETokenizer, size_bytes: int = 300_000, seed: int = 0
) -> dict[str, float]:
    """Bits per character on test documents of each language, each document by itself, after an end token."""
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
    ids: list[int] = []
    for text in texts:
        ids += [tokenizer.eos_id, *tokenizer.encode(text)]
    nll = evaluate_loss(model, np.array([*ids, tokenizer.eos_id]), length, 16)
    return bits_per_character(nll, len(ids), sum(len(text) + 1 for text in texts))


def _ship(name: str, make: Callable[[], nn.Module], recipe: Recipe, seed: int) -> Path:
    tokenizer_path = data_dir() / "weights" / TOKENIZER
    if not tokenizer_path.exists():
        make_town_tokenizer()
    tokenizer = load_town_tokenizer()
    set_threads()
    set_seed(seed)
    model = make()
    with TemporaryDirectory() as folder:
        file = write_tokens(
            Path(folder) / "tokens.bin", town_texts("train", recipe.bytes_per_language, seed), tokenizer
        )
        start = time.perf_counter()
        tokens = file.open()
        train_language_model(model, tokens, recipe, seed)
        seconds = time.perf_counter() - start
        del tokens  # Windows cannot delete a file that is mapped
    model = from_tensors(model.config, to_tensors(model))  # as it will be loaded: rounded to float16
    bits = held_out_bits(model, tokenizer)
    path = data_dir() / "weights" / NAMES[name]
    card = weights.Card(
        command=f"labkit train {name}",
        seed=seed,
        data=f"town, train split, {recipe.bytes_per_language:,} bytes of English and of Chinese",
        seconds=round(seconds, 1),
        metrics={f"bits_per_character_{language}": round(value, 4) for language, value in bits.items()},
        notes="float16; the figures are those after rounding, on test documents of the town",
    )
    save_model(path, model, card)
    return path


def _path(name: str) -> Path:
    path = data_dir() / "weights" / name
    if not path.exists():
        raise LabkitError(
            f"{path} is not there. Get the course's data folder again, or run: labkit train town-gpt"
        )
    return path
