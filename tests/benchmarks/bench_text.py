"""Tiny Shakespeare: labkit's recipes beside nanoGPT's recipe for a CPU; and what fit costs beside a bare loop."""

from __future__ import annotations

import json
import math
import statistics
import time
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.common import set_threads
from labkit.text.corpus import PackedBatches, load_corpus, split_tokens
from labkit.text.recipes import RECIPES, Recipe, make_task
from labkit.text.tokenizer import CharTokenizer
from labkit.text.training import evaluate_loss
from labkit.training import fit

THREADS = 2
CONTEXT = 64  # characters, at most, in training and in scoring
QUICK, FULL = "tiny-shakespeare-quick", "tiny-shakespeare"
PEER_STEPS = 2000
PEER_SHARES = {QUICK: 0.2, FULL: 0.8}  # of the peer's steps that are taken while this recipe runs
PAIRS, STEPS_OF_A_PAIR = 20, 8


class PeerBlock(nn.Module):
    """GPT-2's block without biases: LayerNorm, attention, LayerNorm, GELU of four times the width."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        B, T, D = x.shape
        q, k, v = self.qkv(self.norm_1(x)).view(B, T, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # (B, H, T, d)
        x = x + self.out(y.transpose(1, 2).reshape(B, T, D))
        return x + self.down(F.gelu(self.up(self.norm_2(x))))


class Peer(nn.Module):
    """The model of nanoGPT's CPU recipe: learned positions, tied embeddings, GPT-2's initial weights."""

    def __init__(self, vocabulary: int, width: int = 128, layers: int = 4, heads: int = 4):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(CONTEXT, width)
        self.blocks = nn.ModuleList(PeerBlock(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width, bias=False)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                residual = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * layers) if residual else 0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.tokens.weight)


class PeerRun:
    """nanoGPT's CPU recipe on its own clock: batch 12, AdamW, 1e-3 by cosine to 1e-4, 100 steps of warm-up.

    In float32, as that recipe is on a CPU. Its optimizer is the fused one, which is the faster for it.
    """

    def __init__(self, tokens: np.ndarray, vocabulary: int):
        torch.manual_seed(0)
        self.model = Peer(vocabulary)
        matrices = [p for p in self.model.parameters() if p.ndim == 2]
        others = [p for p in self.model.parameters() if p.ndim != 2]
        groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99), fused=True)
        self.batches = PackedBatches(tokens, CONTEXT, 12, 0, "random")
        self.seconds: list[float] = []  # of each step

    def step(self) -> None:
        """Take one more step."""
        started = time.perf_counter()
        step = len(self.seconds)
        inputs, targets = self.batches(step)
        for group in self.optimizer.param_groups:
            group["lr"] = peer_learning_rate(step)
        loss = F.cross_entropy(self.model(inputs).flatten(0, 1), targets.flatten())
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.seconds.append(time.perf_counter() - started)


def peer_learning_rate(step: int) -> float:
    """Of the peer's step 0, 1, ..."""
    if step < 100:
        return 1e-3 * (step + 1) / 101
    share = (step - 100) / (PEER_STEPS - 100)
    return 1e-4 + 0.5 * (1 + math.cos(math.pi * share)) * (1e-3 - 1e-4)


def run() -> dict[str, float]:
    """All figures: ``quick_`` and ``full_`` ``loss`` and ``time`` (over that of the peer's whole run), and more.

    Losses are of the whole validation split by ``evaluate_loss``, the same for all. Recipes and peer take
    turns on the same threads, step by step, and the time of a run is its number of steps times its median
    step: all of training, and no scoring. A recipe's time is over that of the peer by the steps that the peer
    took in between, so that what else the machine does meets both.
    """
    threads = torch.get_num_threads()
    set_threads(THREADS)
    try:
        return beside_peer() | {"fit_overhead_percent": overhead()}
    finally:
        set_threads(threads)


def shakespeare() -> tuple[np.ndarray, np.ndarray, int]:
    """Training and validation tokens, 90 and 10 percent, and the number of characters."""
    text = load_corpus("tinyshakespeare")[0]
    tokenizer = CharTokenizer.from_text(text, byte_fallback=False)
    return *split_tokens(np.asarray(tokenizer.encode(text), dtype=np.int64)), tokenizer.vocab_size


def beside_peer() -> dict[str, float]:
    """Losses, seconds and parameters of both recipes and of the peer."""
    training, validation, vocabulary = shakespeare()
    peer = PeerRun(training, vocabulary)
    found: dict[str, float] = {"parameters": 0}
    for name, key in ((QUICK, "quick"), (FULL, "full")):
        before = len(peer.seconds)
        model, seconds = take_turns(RECIPES[name], training, peer, round(PEER_STEPS * PEER_SHARES[name]))
        found[f"{key}_seconds"] = len(seconds) * statistics.median(seconds)
        found[f"{key}_peer_seconds"] = PEER_STEPS * statistics.median(peer.seconds[before:])
        found[f"{key}_time"] = found[f"{key}_seconds"] / found[f"{key}_peer_seconds"]
        found[f"{key}_loss"] = evaluate_loss(model, validation, CONTEXT)
        found["parameters"] = max(found["parameters"], model.num_parameters())
    found["peer_steps"] = len(peer.seconds)
    found["peer_loss"] = evaluate_loss(peer.model, validation, CONTEXT)
    return found


def take_turns(
    recipe: Recipe, tokens: np.ndarray, peer: PeerRun, peer_steps: int
) -> tuple[nn.Module, list[float]]:
    """The recipe's trained model and the seconds of each of its steps; the peer takes its steps in between."""
    seconds: list[float] = []
    first = len(peer.seconds)
    started = 0.0

    def turn(step: int, _: object) -> None:
        nonlocal started
        seconds.append(time.perf_counter() - started)
        while len(peer.seconds) - first < round(peer_steps * step / recipe.steps):
            peer.step()
        started = time.perf_counter()

    task = make_task(recipe, seed=0)
    batches = PackedBatches(tokens, recipe.sequence_length, recipe.batch_size, 0, recipe.windows)
    started = time.perf_counter()
    fit(task, batches, recipe.steps, callbacks=[turn], progress=False)
    return task.model, seconds


def overhead() -> float:
    """Percent that a step of fit takes longer than one of the loop below, on the recipe's model, in float32.

    Runs of both alternate; the figure is the median of the ratios of neighbours.
    """
    training, _, _ = shakespeare()
    recipe = replace(RECIPES[FULL], batch_size=12, steps=STEPS_OF_A_PAIR, warmup=0, precision="float32")
    batches = PackedBatches(training, recipe.sequence_length, recipe.batch_size)
    ratios = []
    for pair in range(PAIRS + 1):
        loops = (with_fit, bare) if pair % 2 else (bare, with_fit)
        seconds = {loop: loop(recipe, batches) for loop in loops}
        ratios.append(seconds[with_fit] / seconds[bare])
    return 100 * (statistics.median(ratios[1:]) - 1)  # the first pair warms the caches


def with_fit(recipe: Recipe, batches: PackedBatches) -> float:
    """Seconds of training with fit and LanguageModelTask."""
    task = make_task(recipe)
    started = time.perf_counter()
    fit(task, batches, recipe.steps)
    return time.perf_counter() - started


def bare(recipe: Recipe, batches: PackedBatches) -> float:
    """Seconds of the same steps in the loop that one would write without labkit, its losses kept."""
    task = make_task(recipe)
    model, optimizers, schedules = task.model, task.optimizers, task.schedules
    losses = []
    started = time.perf_counter()
    for step in range(recipe.steps):
        inputs, targets = batches(step)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        for schedule in schedules:
            schedule.step()
        losses.append(loss.item())
    return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
