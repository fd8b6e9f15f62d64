"""What fit costs beside a bare PyTorch loop, and how many kills a run survives."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from labkit.common import set_threads
from labkit.data import Digits, load_digits
from labkit.training import ArrayBatches, SupervisedTask, fit
from tests.training_worker import survive

STEPS = 200
REPEATS = 60
BATCH_SIZE = 64
OPTIMIZERS = {"sgd": lambda p: torch.optim.SGD(p, 0.1), "adam": lambda p: torch.optim.Adam(p, 1e-3)}


def run(kills: int = 200) -> dict[str, Any]:
    """Both benchmarks. ``fit_overhead_percent`` is that of the worse of two optimizers (limit: 5)."""
    overheads = {name: overhead(name) for name in OPTIMIZERS}
    worst = max(overheads.values(), key=lambda one: one["percent"])
    with tempfile.TemporaryDirectory() as folder:
        report = survive(Path(folder), kills)
    same_end = not report.differences
    return {
        "fit_overhead_percent": worst["percent"],
        "fit_overhead": overheads,
        "resume_kills_survived": report.survived if same_end else 0,
        "resume_kills": report.kills,
        "resume_ends_bit_identical": same_end,
        "resume_differences": report.differences,
        "resume_kills_by_moment": dict(report.by_moment),
        "resume_kills_that_left_a_temporary_file": report.temporary_files,
        "resume_seconds": round(report.seconds, 1),
    }


def overhead(optimizer: str) -> dict[str, float]:
    """Microseconds a step of fit and of the loop below, on an MLP 64-128-10 over batches of 64 digits.

    Runs of both alternate. Each pair of neighbours gives a ratio, and the figure is the median of the
    ratios: what else the machine does hits both of a pair, or falls out of the median. Building the task,
    the batches and the progress bar is counted in. On one thread: a batch this small gains nothing from a
    second one, and two threads that wait for each other on a busy machine drown what is measured.
    """
    threads = torch.get_num_threads()
    set_threads(1)
    digits = load_digits()
    bare_seconds, fit_seconds = [], []
    for repeat in range(REPEATS + 2):
        order = [(bare_loop, bare_seconds), (fit_loop, fit_seconds)]
        for loop, seconds in order if repeat % 2 else reversed(order):
            seconds.append(loop(digits, optimizer))
    set_threads(threads)
    bare_seconds, fit_seconds = bare_seconds[2:], fit_seconds[2:]  # the first runs warm the caches
    ratios = [ours / bare for ours, bare in zip(fit_seconds, bare_seconds, strict=True)]
    return {
        "percent": round(100 * (statistics.median(ratios) - 1), 2),
        "percent_of_fastest": round(100 * (min(fit_seconds) / min(bare_seconds) - 1), 2),
        "bare_microseconds": round(1e6 * statistics.median(bare_seconds) / STEPS, 1),
        "fit_microseconds": round(1e6 * statistics.median(fit_seconds) / STEPS, 1),
    }


def _model(optimizer: str) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    return model, OPTIMIZERS[optimizer](model.parameters())


def bare_loop(digits: Digits, optimizer_name: str) -> float:
    """Seconds of the loop that one would write without labkit, with its losses kept."""
    model, optimizer = _model(optimizer_name)
    inputs, targets = digits.train_x, digits.train_y
    losses = []
    started = time.perf_counter()
    place = len(inputs)
    for _ in range(STEPS):
        if place >= len(inputs):
            order, place = torch.randperm(len(inputs)), 0
        rows = order[place : place + BATCH_SIZE]
        place += BATCH_SIZE
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return time.perf_counter() - started


def fit_loop(digits: Digits, optimizer_name: str) -> float:
    """Seconds of the same training with fit."""
    model, optimizer = _model(optimizer_name)
    started = time.perf_counter()
    task = SupervisedTask(model, nn.functional.cross_entropy, optimizer)
    fit(task, ArrayBatches(digits.train_x, digits.train_y, batch_size=BATCH_SIZE), STEPS)
    return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
