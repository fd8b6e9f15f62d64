"""Named recipes: a model's shape and every number of its training, and the function that follows them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from labkit.common import LabkitError
from labkit.text.corpus import ContinuedBatches, PackedBatches, load_corpus, split_tokens
from labkit.text.gpt import GPT, GPTConfig
from labkit.text.lstm import LSTMConfig, LSTMLanguageModel
from labkit.text.rows import RowBatches, Rows
from labkit.text.tokenizer import CharTokenizer
from labkit.text.training import (
    AnswerTask,
    LanguageModelTask,
    WarmupDecay,
    evaluate_loss,
    make_optimizers,
    make_schedules,
)
from labkit.training import History, fit


@dataclass(frozen=True)
class Recipe:
    """What is trained, and how; the fields are explained where they are used.

    ``model``: gpt.py, lstm.py. Batches (``sequence_length`` to ``windows``): corpus.PackedBatches. Optimizers
    (``matrices`` to ``newton_schulz_steps``): training.make_optimizers. Schedule (``warmup`` to ``final``):
    training.WarmupDecay. The rest: training.LanguageModelTask. With ``carry_state`` (of an LSTM), batches are
    corpus.ContinuedBatches, whatever ``windows`` says.
    """

    model: GPTConfig | LSTMConfig
    steps: int
    sequence_length: int = 64
    batch_size: int = 32
    windows: str = "epoch"
    matrices: str = "muon"
    learning_rate: float = 0.02
    matrix_learning_rate: float = 0.04
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    momentum: float = 0.95
    newton_schulz_steps: int = 5
    warmup: int = 20
    decay: int | None = None
    shape: str = "linear"
    final: float = 0.0
    clip_norm: float | None = 1.0
    accumulate: int = 1
    precision: str = "auto"
    average: float | None = None
    carry_state: bool = False


# 0.81 M parameters. Two wide layers rather than four narrow ones: the same parameters in fewer and larger matrix
# products, which a CPU works through nearly twice as fast (and four times as fast in bfloat16).
_SMALL = GPTConfig(
    vocab_size=65,
    hidden_size=192,
    intermediate_size=432,
    num_layers=2,
    num_heads=4,
    num_kv_heads=4,
    max_positions=256,
)

# 4.0 M parameters each; the rates are lower than above, for more and rarer tokens.
TOWN_VOCABULARY = 4096
_TOWN_GPT = GPTConfig(
    TOWN_VOCABULARY, hidden_size=256, num_layers=4, num_heads=4, num_kv_heads=2, max_positions=1024
)
_TOWN_LSTM = LSTMConfig(TOWN_VOCABULARY, embedding_size=256, hidden_size=448, num_layers=2)
_TOWN_RATES = {"learning_rate": 3e-3, "matrix_learning_rate": 0.02, "warmup": 50}

RECIPES = {
    # The shipped models: labkit train town-gpt, labkit train town-lstm.
    "town-gpt": Recipe(_TOWN_GPT, steps=2000, sequence_length=256, batch_size=16, decay=1200, **_TOWN_RATES),
    # The second stage of town-gpt, on documents that all open with their notes: to keep to facts that it is given.
    "town-gpt-notes": Recipe(
        _TOWN_GPT,
        steps=3000,
        sequence_length=256,
        batch_size=16,
        learning_rate=2e-3,
        matrix_learning_rate=0.015,
        warmup=20,
        decay=2400,
    ),
    # The third: such documents one by one, each with its notes in view and these not learned, and more of the
    # language in which more was wrong.
    "town-gpt-faithful": Recipe(
        _TOWN_GPT,
        steps=2000,
        sequence_length=256,
        batch_size=16,
        learning_rate=2e-3,
        matrix_learning_rate=0.015,
        warmup=50,
        decay=1900,
    ),
    "town-lstm": Recipe(
        _TOWN_LSTM,
        steps=1000,
        sequence_length=128,
        batch_size=32,
        decay=600,
        carry_state=True,
        **_TOWN_RATES,
    ),
    # Validation loss about 1.58, in less than a minute on two cores with bfloat16.
    "tiny-shakespeare": Recipe(_SMALL, steps=900, warmup=50),
    # About 1.83, in some seconds.
    "tiny-shakespeare-quick": Recipe(_SMALL, steps=160),
}


@dataclass(frozen=True)
class TrainedCharacters:
    """A model of characters with all that belongs to it. ``validation_loss`` is in nats a character."""

    model: nn.Module
    tokenizer: CharTokenizer
    history: History
    validation_loss: float


def find_recipe(recipe: Recipe | str) -> Recipe:
    """The recipe of this name, or the recipe that was given."""
    if isinstance(recipe, Recipe):
        return recipe
    if recipe not in RECIPES:
        raise LabkitError(f"There is no recipe {recipe!r}. Recipes by name: {', '.join(RECIPES)}.")
    return RECIPES[recipe]


def make_task(
    recipe: Recipe,
    *,
    seed: int = 0,
    device: str = "cpu",
    model: nn.Module | None = None,
    kind: type[LanguageModelTask] = LanguageModelTask,
) -> LanguageModelTask:
    """The model with fresh weights drawn by ``seed``, its optimizers and schedules, ready for fit.

    With ``model``, that one goes on from where it is. The caller's random state is left as it is.
    """
    if model is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            gpt = isinstance(recipe.model, GPTConfig)
            model = GPT(recipe.model) if gpt else LSTMLanguageModel(recipe.model)
    elif model.config != recipe.model:
        raise LabkitError(f"The model is {model.config}, and the recipe is for {recipe.model}.")
    model.to(device)
    optimizers = make_optimizers(
        model,
        recipe.learning_rate,
        recipe.matrix_learning_rate,
        recipe.weight_decay,
        recipe.matrices,
        betas=recipe.betas,
        momentum=recipe.momentum,
        newton_schulz_steps=recipe.newton_schulz_steps,
    )
    factor = WarmupDecay(recipe.steps, recipe.warmup, recipe.decay, recipe.shape, recipe.final)
    return kind(
        model,
        optimizers,
        make_schedules(optimizers, factor),
        clip_norm=recipe.clip_norm,
        accumulate=recipe.accumulate,
        precision=recipe.precision,
        device=device,
        average=recipe.average,
        carry_state=recipe.carry_state,
    )


def train(
    recipe: Recipe | str,
    tokens: np.ndarray | Rows,
    *,
    seed: int = 0,
    device: str = "cpu",
    model: nn.Module | None = None,
    checkpoint: Path | str | None = None,
    checkpoint_every: int = 0,
    progress: bool = True,
) -> tuple[nn.Module, History]:
    """Train the recipe's model on one stream of token ids; with ``average``, it ends with its mean weights.

    With ``tokens`` as Rows, of which the ends alone are learned, a batch is so many of them as hold about
    ``batch_size`` times ``sequence_length`` tokens. With ``model``, that one is trained on, in place, instead of a fresh one.

    With ``checkpoint``, a folder, a run that was stopped goes on (see labkit.training.fit).
    """
    recipe = find_recipe(recipe)
    in_rows = isinstance(tokens, Rows)
    ids = tokens.ids if in_rows else tokens
    if len(ids) and int(np.max(ids)) >= recipe.model.vocab_size:
        raise LabkitError(
            f"The tokens have the id {int(np.max(ids))}, and the model a vocabulary of "
            f"{recipe.model.vocab_size}. Use the tokenizer that belongs to the recipe."
        )
    kind = AnswerTask if in_rows else LanguageModelTask
    task = make_task(recipe, seed=seed, device=device, model=model, kind=kind)
    history = fit(
        task,
        _batches(recipe, tokens, seed),
        recipe.steps,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        progress=progress,
    )
    if recipe.average is not None:
        task.use_average()
    return task.model, history


def _batches(
    recipe: Recipe, tokens: np.ndarray | Rows, seed: int
) -> RowBatches | ContinuedBatches | PackedBatches:
    shape = (recipe.sequence_length, recipe.batch_size)
    if isinstance(tokens, Rows):
        return RowBatches(tokens, math.prod(shape), seed)
    if recipe.carry_state:
        return ContinuedBatches(tokens, *shape)
    return PackedBatches(tokens, *shape, seed, recipe.windows)


def train_characters(
    text: str | None = None,
    recipe: Recipe | str = "tiny-shakespeare",
    *,
    held_out: float = 0.1,
    seed: int = 0,
    device: str = "cpu",
    checkpoint: Path | str | None = None,
    checkpoint_every: int = 0,
    progress: bool = True,
) -> TrainedCharacters:
    """Train a model of the characters of ``text`` (None: Tiny Shakespeare) on all but its last share ``held_out``.

    The vocabulary is the characters of the whole text, whatever the recipe's model says; the loss is that of
    ``evaluate_loss`` on the held-out end, with the recipe's ``sequence_length`` characters of context at most.
    """
    recipe = find_recipe(recipe)
    text = load_corpus("tinyshakespeare")[0] if text is None else text
    tokenizer = CharTokenizer.from_text(text, byte_fallback=False)
    recipe = replace(recipe, model=replace(recipe.model, vocab_size=tokenizer.vocab_size))
    tokens = np.asarray(tokenizer.encode(text), dtype=np.int64)
    training, validation = split_tokens(tokens, held_out)
    model, history = train(
        recipe,
        training,
        seed=seed,
        device=device,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        progress=progress,
    )
    loss = evaluate_loss(model, validation, recipe.sequence_length)
    return TrainedCharacters(model, tokenizer, history, loss)
