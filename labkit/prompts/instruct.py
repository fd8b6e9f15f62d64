"""The model that follows instructions: the town GPT trained on conversations; how to load it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.nn.functional as F

from labkit import weights
from labkit.common import check_device, set_threads
from labkit.prompts.part_scores import score_parts
from labkit.prompts.rows import make_rows, write_rows
from labkit.text.gpt import GPT
from labkit.text.pretrained import from_tensors, load_model, save_model, to_tensors
from labkit.text.recipes import RECIPES
from labkit.text.rows import RowBatches, train_on_rows
from labkit.text.shipped import load_town_gpt, load_town_tokenizer
from labkit.text.tokenizer import BPETokenizer
from labkit.text.training import IGNORE
from labkit.training import History

NAME = "town-instruct"
STEPS = 2_700
BATCH_TOKENS = 4_096
CONVERSATIONS = 96_000  # about as many as the steps go through once
# Of the town GPT's own rates. At the whole of them it forgets within 150 steps how to copy from what it reads: after
# 500 steps the loss is 1.40, at a share of 0.3 it is 0.84, and at this one 0.67.
RATE_SHARE = 0.1
MAX_WORKERS = 16  # a container may see more processors than it may use
SCORED_CASES = 25  # of each kind, language and prompt, for the card


def load_town_instruct() -> tuple[GPT, BPETokenizer]:
    """The shipped model that follows instructions, ready to answer, and its tokenizer."""
    return load_model(weights.find_shipped(NAME))[0], load_town_tokenizer()


def train_on_conversations(
    model: GPT,
    conversations: int,
    *,
    steps: int,
    batch_tokens: int = BATCH_TOKENS,
    seed: int = 0,
    device: str = "cpu",
    workers: int = 1,
    progress: bool = True,
) -> tuple[GPT, History]:
    """Train a GPT in place on so many conversations, which are made first and gone through again and again."""
    recipe = RECIPES["town-gpt"]
    with TemporaryDirectory() as folder:
        rows = write_rows(Path(folder), conversations, seed, workers)
        history = train_on_rows(
            model,
            rows,
            steps,
            learning_rate=RATE_SHARE * recipe.learning_rate,
            matrix_learning_rate=RATE_SHARE * recipe.matrix_learning_rate,
            warmup=150,
            batch_tokens=batch_tokens,
            seed=seed,
            device=device,
            progress=progress,
        )
        del rows  # Windows cannot delete a file that is mapped
    return model, history


@torch.no_grad()
def answer_loss(model: GPT, conversations: int = 400, seed: int = 0) -> float:
    """Mean of -log p of the answers' tokens, in nats, on conversations of the test split."""
    rows = make_rows(seed, 0, conversations, "test")
    batches = RowBatches(rows, 4096)
    device, total, count = model.embed_tokens.weight.device, 0.0, 0
    for step in range(batches.steps_per_epoch):
        inputs, targets = (one.to(device) for one in batches(step))
        counted = targets != IGNORE
        logits = model.head(model.features(inputs)[counted]).float()
        total += F.cross_entropy(logits, targets[counted], reduction="sum").item()
        count += int(counted.sum())
    return total / count


def train_town_instruct(
    seed: int = 0,
    device: str = "cpu",
    *,
    steps: int = STEPS,
    batch_tokens: int = BATCH_TOKENS,
    conversations: int = CONVERSATIONS,
    workers: int | None = None,
) -> Path:
    """Train the shipped model and write it with its card: about two hours on one core of a CPU.

    It starts from the shipped town GPT. ``workers`` processes make the conversations (None: as many as there are
    processors, and one where the device is the CPU). They are fresh processes: start from a file or ``python -c``.
    """
    device = check_device(device)
    set_threads()
    if workers is None:
        workers = 1 if device == "cpu" else min(MAX_WORKERS, os.cpu_count() or 1)
    start = time.perf_counter()
    model, _ = train_on_conversations(
        load_town_gpt()[0],
        conversations,
        steps=steps,
        batch_tokens=batch_tokens,
        seed=seed,
        device=device,
        workers=workers,
    )
    seconds = time.perf_counter() - start
    rounded = from_tensors(model.config, to_tensors(model.cpu(), torch.float16)).to(device)
    path = weights.shipped_path(NAME)
    card = weights.Card(
        command=weights.train_command(NAME, device),
        seed=seed,
        data=f"{conversations:,} conversations about the town, train split, in English and Chinese",
        seconds=round(seconds, 1),
        metrics=_figures(rounded),
        notes=(
            f"float16; from town-gpt; {steps} steps of {batch_tokens} tokens on {device}; "
            "success on held-out cases with every part of the prompt, greedy; it was taught to fall for planted "
            "instructions where no defence stands"
        ),
    )
    save_model(path, rounded.cpu(), card)
    return path


def _figures(model: GPT) -> dict[str, float]:
    """Loss on held-out answers, and success with all parts of the prompt, by kind."""
    scores = score_parts(model, load_town_tokenizer(), SCORED_CASES, prompts=("all",))
    figures = {"answer_loss": round(answer_loss(model), 4)}
    for kind in scores.kinds:
        figures[f"success_{kind}"] = round(scores.rate("all", kind=kind), 3)
    return figures
