"""A training run in a process of its own, and what kills it: used by test_training and bench_training.

The run is made as hard to resume as a run can be: two models with two optimizers, dropout and batch
statistics, a schedule, draws from Python's, NumPy's and PyTorch's global generators, batches from an iterator
with a generator of its own, early stopping that watches, and the best state kept aside.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from labkit import files, training
from labkit.training import CHECKPOINT_NAME, fit, unpack

CHECKPOINT_EVERY = 3
BALLAST = 200_000  # numbers that are only there to make writing take its time
LIFE_LIMIT_SECONDS = 120.0
# Half of the kills come at a random time after a random step ("step"). The others come while the run starts and
# loads, with part of the new checkpoint written, with all of it written, just before it takes the old one's
# place, and just after.
OTHER_MOMENTS = ("start", "half", "written", "replacing", "replaced")


class Pairs:
    """Batches from an iterator whose next batch depends on its own generator and its position."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(11)
        self.position = 0

    def __iter__(self) -> Pairs:
        return self

    def __next__(self) -> tuple[torch.Tensor, torch.Tensor]:
        self.position += 1
        inputs = self.generator.standard_normal((16, 8), dtype=np.float32)
        return torch.from_numpy(inputs), torch.full((16, 1), float(self.position % 5))

    def state_dict(self) -> dict[str, Any]:
        return {"generator": self.generator.bit_generator.state, "position": self.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.generator.bit_generator.state = state["generator"]
        self.position = state["position"]


class TwoOptimizers:
    """A generator and a critic, as in a GAN: one step of the task steps both."""

    def __init__(self) -> None:
        self.maker = nn.Sequential(
            nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1)
        )
        self.critic = nn.Sequential(nn.Linear(1, 16), nn.GELU(), nn.Linear(16, 1))
        self.maker.register_buffer("ballast", torch.zeros(BALLAST))
        self.adam = torch.optim.AdamW(self.maker.parameters(), 1e-3)
        self.sgd = torch.optim.SGD(self.critic.parameters(), 1e-2, momentum=0.9, nesterov=True)
        self.cosine = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(self.adam, 17)
        self.decay = torch.optim.lr_scheduler.MultiStepLR(self.sgd, [5, 5, 40], gamma=0.7)
        self.generator = torch.Generator().manual_seed(5)

    def step(self, batch: tuple[torch.Tensor, torch.Tensor]) -> dict[str, float]:
        inputs, targets = batch
        self.maker.train()
        noise = random.gauss(0, 0.1) + np.random.normal(0, 0.1) + torch.randn(1)  # noqa: NPY002
        noise = noise + torch.rand(1, generator=self.generator)
        made = self.maker(inputs + noise)
        self.sgd.zero_grad()
        critic_loss = nn.functional.softplus(self.critic(made.detach()) - self.critic(targets)).mean()
        critic_loss.backward()
        self.sgd.step()
        self.adam.zero_grad()
        maker_loss = (made - targets).square().mean() - 0.1 * self.critic(made).mean()
        maker_loss.backward()
        self.adam.step()
        self.cosine.step()
        self.decay.step()
        return {"maker": maker_loss.item(), "critic": critic_loss.item()}

    def evaluate(self) -> dict[str, float]:
        self.maker.eval()
        with torch.no_grad():
            return {"spread": self.maker(torch.randn(32, 8)).std().item()}

    def _parts(self) -> dict[str, Any]:
        names = ("maker", "critic", "adam", "sgd", "cosine", "decay")
        return {name: getattr(self, name) for name in names}

    def state_dict(self) -> dict[str, Any]:
        state = {name: part.state_dict() for name, part in self._parts().items()}
        return {**state, "generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.generator.set_state(state["generator"])


def train(folder: Path, steps: int, callbacks: tuple = ()) -> dict[str, str]:
    """Train from the start or from the checkpoint in ``folder``; digests of all that is left at the end."""
    torch.set_num_threads(1)
    random.seed(1)
    np.random.seed(2)  # noqa: NPY002
    torch.manual_seed(3)
    task, batches = TwoOptimizers(), Pairs()
    history = fit(
        task,
        batches,
        steps,
        evaluate=task.evaluate,
        evaluate_every=4,
        checkpoint=folder,
        checkpoint_every=CHECKPOINT_EVERY,
        monitor="spread",
        patience=10 * steps,
        restore_best=True,
        callbacks=callbacks,
    )
    left: dict[str, Any] = {f"task/{name}": value for name, value in task.state_dict().items()}
    left |= {
        "history/train": history.train,
        "history/evaluations": history.evaluations,
        "history/best": history.best,
        "next batch": next(batches),
        "next random": [random.random() for _ in range(3)],
        "next numpy": np.random.random(3),  # noqa: NPY002
        "next torch": torch.rand(3),
        "next own": torch.rand(3, generator=task.generator),
    }
    return {name: digest(value) for name, value in left.items()}


def digest(value: Any) -> str:
    """SHA-256 of nested tensors, arrays and numbers, every bit of them."""
    sha = hashlib.sha256()

    def add(part: Any) -> None:
        sha.update(type(part).__name__.replace("OrderedDict", "dict").encode())
        if isinstance(part, torch.Tensor):
            add(part.detach().numpy())
        elif isinstance(part, np.ndarray):
            sha.update(f"{part.dtype}{part.shape}".encode() + part.tobytes())
        elif isinstance(part, dict):
            for key in sorted(part, key=repr):
                add(key)
                add(part[key])
        elif isinstance(part, list | tuple):
            for item in part:
                add(item)
        else:
            sha.update(repr(part).encode())

    add(value)
    return sha.hexdigest()


def checkpoint_digest(folder: Path) -> tuple[int, str]:
    """Step and digest of the checkpoint in ``folder``, apart from the seconds that it took."""
    tensors, metadata = files.load_tensors(folder / CHECKPOINT_NAME)
    state = unpack(metadata, tensors)
    state["history"]["seconds"] = 0.0
    return len(state["history"]["train"].get("maker", ())), digest(state)


def child(folder: str, steps: int, moment: str, saves: int, part: float, reached: Any) -> None:
    """The process that gets killed. ``reached`` holds the step, or -1 where the run waits for its end.

    With a ``moment`` inside the writing it goes there at its save number ``saves``, and stands still.
    """

    def stand_still() -> None:
        reached.value = -1
        time.sleep(LIFE_LIMIT_SECONDS)

    count = 0
    flush, replace = files.flush, files.replace

    def flush_or_stop(path: Path) -> None:
        nonlocal count
        count += 1
        if count == saves and moment == "half":
            with path.open("rb+") as stream:
                stream.truncate(int(path.stat().st_size * part))
            stand_still()
        if count == saves and moment == "written":
            stand_still()
        flush(path)

    def replace_or_stop(source: Path, target: Path) -> None:
        if count == saves and moment == "replacing":
            stand_still()
        replace(source, target)
        if count == saves and moment == "replaced":
            stand_still()

    files.flush, files.replace = flush_or_stop, replace_or_stop

    def tell(step: int, figures: Any) -> None:
        reached.value = step

    result = train(Path(folder), steps, callbacks=(tell,))
    files.atomic_write_text(Path(folder) / "result.json", json.dumps(result))


def unbroken(folder: str, steps: int) -> None:
    """The same run in one go; also keeps the digest of each of its checkpoints."""
    digests = {}
    save_tensors = files.save_tensors

    def keep(path: Path, tensors: Any, metadata: Any) -> None:
        save_tensors(path, tensors, metadata)
        step, value = checkpoint_digest(path.parent)
        digests[step] = value

    training.files.save_tensors = keep
    result = train(Path(folder), steps)
    files.atomic_write_text(Path(folder) / "checkpoints.json", json.dumps(digests))
    files.atomic_write_text(Path(folder) / "result.json", json.dumps(result))


@dataclass
class Survival:
    """What came of a run that was killed again and again."""

    kills: int = 0
    survived: int = 0  # kills after which the checkpoint on disk was one of the unbroken run's, bit for bit
    by_moment: Counter = field(default_factory=Counter)
    temporary_files: int = 0  # kills that left a half-made or unused new checkpoint behind
    differences: list[str] = field(default_factory=list)  # between the two ends
    steps: list[int] = field(default_factory=list)  # of the checkpoint after each kill
    seconds: float = 0.0


def survive(folder: Path, kills: int, seed: int = 0) -> Survival:
    """Train once in one go and once with ``kills`` kills on the way; compare every checkpoint and the end."""
    started = time.perf_counter()
    # A fork server has imported torch once, and what the first optimizer would import: a new process is then
    # ready in milliseconds instead of seconds.
    context = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    if sys.platform != "win32":
        context.set_forkserver_preload(["tests.training_worker", "torch._dynamo"])
    chance = random.Random(seed)
    steps = 10 * kills
    whole, broken = folder / "whole", folder / "broken"
    process = context.Process(target=unbroken, args=(str(whole), steps))
    process.start()
    moments = ["step" if i % 2 else OTHER_MOMENTS[i // 2 % len(OTHER_MOMENTS)] for i in range(kills)]
    chance.shuffle(moments)
    report = Survival()
    states = []
    for moment in moments:
        _one_life(context, broken, steps, moment, chance)
        report.kills += 1
        report.by_moment[moment] += 1
        report.temporary_files += any(broken.glob("*.tmp"))
        exists = (broken / CHECKPOINT_NAME).exists()
        states.append(checkpoint_digest(broken) if exists else (-1, None))
    reached = context.RawValue("q", 0)
    last = context.Process(target=child, args=(str(broken), steps, "", 0, 0.0, reached))
    last.start()
    for one in (process, last):
        one.join(LIFE_LIMIT_SECONDS + steps)
        if one.exitcode != 0:
            raise RuntimeError(f"A training process ended with exit code {one.exitcode}.")
    expected = json.loads((whole / "checkpoints.json").read_text(encoding="utf-8"))
    report.steps = [step for step, _ in states]
    for i, (step, value) in enumerate(states):
        # Before the first checkpoint there is nothing on disk (step -1), and the run starts anew; but a
        # checkpoint that was there once must never be lost.
        intact = value is None or expected.get(str(step)) == value
        report.survived += intact and step >= max(report.steps[:i], default=-1)
    ends = [json.loads((place / "result.json").read_text(encoding="utf-8")) for place in (whole, broken)]
    report.differences = [name for name in {**ends[0], **ends[1]} if ends[0].get(name) != ends[1].get(name)]
    report.seconds = time.perf_counter() - started
    return report


def _one_life(context: Any, folder: Path, steps: int, moment: str, chance: random.Random) -> None:
    """Start or resume the run, and kill it at the given moment."""
    reached = context.RawValue("q", 0)  # without a lock, which a killed process would keep
    saves, part = chance.randint(1, 3), chance.random()
    process = context.Process(target=child, args=(str(folder), steps, moment, saves, part, reached))
    process.start()
    deadline = time.monotonic() + LIFE_LIMIT_SECONDS
    if moment == "start":
        time.sleep(chance.uniform(0, 0.06))
    else:
        first, advance = None, chance.randint(1, 14)
        while reached.value != -1:
            now = reached.value
            if now > 0 and first is None:
                first = now
            if moment == "step" and first is not None and now >= first + advance - 1:
                time.sleep(chance.uniform(0, 0.006))  # somewhere inside a step, or inside its save
                break
            if process.exitcode is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The run ended by itself (exit code {process.exitcode}) before its kill.")
            time.sleep(0.0005)
    process.kill()  # SIGKILL; TerminateProcess on Windows
    process.join()
