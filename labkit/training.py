"""fit(): the one training loop for every model; its History; checkpoints that survive a kill at any moment."""

from __future__ import annotations

import copy
import inspect
import json
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from labkit import files
from labkit.common import LabkitError
from labkit.progress import progress_bar

CHECKPOINT_NAME = "checkpoint.safetensors"
CHECKPOINT_FORMAT = 1
REFRESH_SECONDS = 0.25  # how often the progress bar is touched

Figures = Mapping[str, float]


class Task(Protocol):
    """What ``fit`` trains: it owns its models, optimizers and schedules, and takes one step at a time.

    A GAN's task steps two optimizers in one ``step``. ``state_dict`` returns everything that a further step
    depends on, except the global random state, which ``fit`` keeps: nested dicts, lists and tuples of tensors,
    NumPy arrays, numbers, strings and None.
    """

    def step(self, batch: Any) -> Figures: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class SupervisedTask:
    """One model, one loss, one optimizer: batches are ``(inputs, targets)``.

    ``loss(outputs, targets)`` returns a scalar tensor. ``schedule`` is any scheduler of
    ``torch.optim.lr_scheduler`` over ``optimizer``, stepped once a step. ``clip_norm`` scales the gradients
    down to that global L2 norm (Pascanu et al. 2013, https://arxiv.org/abs/1211.5063, algorithm 1).

    Figures of a step: ``loss``; with ``clip_norm`` also ``gradient_norm`` (before clipping); with
    ``schedule`` also ``learning_rate`` (the one that this step used, of the first parameter group).
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Callable[[Tensor, Tensor], Tensor],
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
        clip_norm: float | None = None,
        device: str = "cpu",
    ):
        if clip_norm is not None and not clip_norm > 0:
            raise LabkitError(f"clip_norm is {clip_norm!r}. Give a positive number, or None for no clipping.")
        if isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau):
            raise LabkitError(
                "ReduceLROnPlateau needs a validation figure and cannot be stepped with each batch. "
                "Use a schedule over steps, or write a task of your own that steps it."
            )
        if schedule is not None and schedule.optimizer is not optimizer:
            raise LabkitError("The schedule belongs to another optimizer. Build it from the one given here.")
        self.model = model.to(device)
        self.loss = loss
        self.optimizer = optimizer
        self.schedule = schedule
        self.clip_norm = clip_norm
        self.device = torch.device(device)
        # Now, since an optimizer may add to its defaults when it loads a state.
        self._settings = self._describe()

    def step(self, batch: tuple[Tensor, Tensor]) -> dict[str, float]:
        inputs, targets = batch
        if self.device.type != "cpu":
            inputs, targets = inputs.to(self.device), targets.to(self.device)
        if not self.model.training:  # an evaluation may have left it in eval mode
            self.model.train()
        self.optimizer.zero_grad()
        loss = self.loss(self.model(inputs), targets)
        loss.backward()
        figures = {}
        if self.clip_norm is not None:
            norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
            figures["gradient_norm"] = norm.item()
        if self.schedule is not None:
            figures["learning_rate"] = float(self.optimizer.param_groups[0]["lr"])
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        return {"loss": loss.item(), **figures}

    @torch.no_grad()
    def predict(self, inputs: Tensor, batch_size: int = 1024) -> Tensor:
        """The model's outputs for ``inputs`` (N, ...) in evaluation mode, without gradients, on the CPU."""
        self.model.eval()
        outputs = [self.model(part.to(self.device)).cpu() for part in inputs.split(batch_size)]
        return torch.cat(outputs)

    def state_dict(self) -> dict[str, Any]:
        return {
            "settings": self._settings,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        # PyTorch would put Adam's state into SGD, or an old learning rate over a new one, without a word.
        shared = {name: value for name, value in state["settings"].items() if name in self._settings}
        _refuse_differences(shared, {name: self._settings[name] for name in shared})
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])

    def _describe(self) -> dict[str, Any]:
        plain = (bool, int, float, str, tuple, type(None))
        defaults = {k: v for k, v in self.optimizer.defaults.items() if isinstance(v, plain)}
        return {
            "optimizer": type(self.optimizer).__name__,
            "schedule": None if self.schedule is None else type(self.schedule).__name__,
            "clip_norm": self.clip_norm,
            **defaults,
        }


class ArrayBatches:
    """Batches of rows from tensors (or NumPy arrays) of equal length, shuffled anew in every epoch.

    ``batches(step)`` is the tuple of batch ``step`` = 0, 1, ...; it depends on ``seed`` and ``step`` alone,
    so a resumed run needs no position. The last batch of an epoch holds what is left, and may be smaller.
    """

    def __init__(self, *arrays: Tensor | np.ndarray, batch_size: int, seed: int = 0):
        if not arrays:
            raise LabkitError("ArrayBatches got no arrays. Pass inputs and targets.")
        self.tensors = tuple(torch.as_tensor(array) for array in arrays)
        lengths = [len(tensor) for tensor in self.tensors]
        if len(set(lengths)) != 1:
            raise LabkitError(f"ArrayBatches got arrays of different lengths: {lengths}.")
        if lengths[0] == 0:
            raise LabkitError("ArrayBatches got arrays without rows: there is nothing to train on.")
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise LabkitError(f"batch_size is {batch_size!r}. Give a whole number from 1.")
        self.rows = lengths[0]
        self.batch_size = batch_size
        self.seed = seed
        self.steps_per_epoch = math.ceil(self.rows / batch_size)
        self._epoch = -1

    def __call__(self, step: int) -> tuple[Tensor, ...]:
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._chunks = self.order(epoch).to(self.tensors[0].device).split(self.batch_size)
            self._epoch = epoch
        rows = self._chunks[place]
        return tuple([tensor.index_select(0, rows) for tensor in self.tensors])

    def order(self, epoch: int) -> Tensor:
        """The rows in the order of this epoch."""
        return torch.from_numpy(np.random.default_rng((self.seed, epoch)).permutation(self.rows))

    def state_dict(self) -> dict[str, Any]:
        shapes = [tuple(tensor.shape) for tensor in self.tensors]
        return {"seed": self.seed, "batch_size": self.batch_size, "shapes": shapes}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to set, since a batch depends on its step alone; refuses other data or another seed."""
        _refuse_differences(state, self.state_dict())


@dataclass
class History:
    """What a training run left behind.

    ``train[name]`` holds one value a step, beside ``steps`` = [1, 2, ...]; ``evaluations[name]`` holds pairs
    (step, value). ``seconds`` is the wall time of training, over all resumed parts.
    """

    train: dict[str, list[float]] = field(default_factory=dict)
    evaluations: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    monitor: str | None = None
    minimize: bool = True
    stopped_early: bool = False
    seconds: float = 0.0

    @property
    def steps(self) -> list[int]:
        """1, 2, ... up to the last step that was taken."""
        return list(range(1, len(self) + 1))

    @property
    def best(self) -> tuple[int, float] | None:
        """(step, value) of the best monitored figure, the first of equals; None without one."""
        pairs = [pair for pair in self.evaluations.get(self.monitor, []) if not math.isnan(pair[1])]
        sign = 1 if self.minimize else -1
        return min(pairs, key=lambda pair: sign * pair[1], default=None)

    def evaluations_since_best(self) -> int:
        """How many evaluations in a row brought no new best."""
        values = self.evaluations.get(self.monitor, [])
        best = self.best
        return len(values) if best is None else sum(step > best[0] for step, _ in values)

    def __len__(self) -> int:
        return max((len(values) for values in self.train.values()), default=0)

    def __repr__(self) -> str:
        parts = [f"{len(self)} steps" + (", stopped early" if self.stopped_early else "")]
        parts += [f"{name} {v[0]:.3g} -> {v[-1]:.3g}" for name, v in self.train.items() if v]
        parts += [f"{name} {v[-1][1]:.3g} at step {v[-1][0]}" for name, v in self.evaluations.items() if v]
        return f"History({'; '.join(parts)})"

    def to_json(self) -> str:
        """The history as JSON; NaN and infinities, which JSON lacks, are the strings nan, inf and -inf."""
        values = vars(self) | {
            "train": {name: [_plain(v) for v in values] for name, values in self.train.items()},
            "evaluations": {
                n: [(step, _plain(v)) for step, v in pairs] for n, pairs in self.evaluations.items()
            },
        }
        return json.dumps(values, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> History:
        """The history that ``to_json`` wrote, every bit of its floats."""
        values = json.loads(text)
        train = {name: [float(v) for v in values] for name, values in values["train"].items()}
        evaluations = {
            n: [(step, float(v)) for step, v in pairs] for n, pairs in values["evaluations"].items()
        }
        return cls(**values | {"train": train, "evaluations": evaluations})


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else repr(value)


def fit(
    task: Task,
    batches: Callable[[int], Any] | Iterable[Any],
    steps: int,
    *,
    evaluate: Callable[[], Figures] | None = None,
    evaluate_every: int = 0,
    checkpoint: Path | str | None = None,
    checkpoint_every: int = 0,
    resume: bool = True,
    monitor: str | None = None,
    minimize: bool = True,
    patience: int | None = None,
    restore_best: bool = False,
    allow_nonfinite: bool = False,
    callbacks: Sequence[Callable[[int, Figures], None]] = (),
    progress: bool = True,
) -> History:
    """Train ``task`` for ``steps`` steps and return the ``History``.

    ``batches`` is a function of the step (0, 1, ...; see ``ArrayBatches``), a sequence of batches or a
    re-iterable such as a DataLoader (both start over at their end), or an iterator, which must last for all
    steps. ``evaluate()`` returns figures by name; it is called every ``evaluate_every`` steps and after the
    last one. With ``monitor``, the name of such a figure, training stops after ``patience`` evaluations in
    a row without a new best, and ``restore_best`` puts the task back to its best evaluation at the end.
    Each of ``callbacks`` is called after each step with (step, figures).

    ``checkpoint`` is a folder that belongs to this run alone. The run is saved there every
    ``checkpoint_every`` steps and at its end. Called again with ``resume`` it goes on from there, and the
    result is bit-identical to a run that was never killed (same machine, versions and thread count): task,
    Python's, NumPy's and PyTorch's random state, batches, early stop and History. A finished run is loaded
    and not trained again. ``batches`` must then be a function of the step, a sequence, or have
    ``state_dict`` and ``load_state_dict``.

    Raises LabkitError for a figure that is NaN or infinite (unless ``allow_nonfinite``), batches that run
    out, a checkpoint that is damaged or of another configuration, and arguments that make no sense.
    """
    settings = {
        "steps": steps,
        "evaluate_every": evaluate_every,
        "monitor": monitor,
        "minimize": minimize,
        "patience": patience,
        "restore_best": restore_best,
    }
    _check_arguments(settings, evaluate, checkpoint, checkpoint_every)
    source = _Source(batches)
    run = _Run(task, source, settings, History(monitor=monitor, minimize=minimize))
    store = None if checkpoint is None else _Checkpoint(Path(checkpoint), run, resume)
    history = run.history
    step = len(history)
    started = time.perf_counter() - history.seconds
    record = _recorder(history, allow_nonfinite)
    draw = source.open()
    pause = _next_pause(step, steps, evaluate_every, checkpoint_every)
    shown, refresh_at = step, time.perf_counter() + REFRESH_SECONDS

    with progress_bar(steps, start=step, show=progress) as bar:
        while step < steps and not history.stopped_early:
            figures = task.step(draw(step))
            step += 1
            record(step, figures)
            for callback in callbacks:
                callback(step, figures)
            if step == pause:
                if evaluate is not None and (step == steps or _due(step, evaluate_every)):
                    run.add_evaluation(step, evaluate())
                history.seconds = time.perf_counter() - started
                if store and (step == steps or history.stopped_early or _due(step, checkpoint_every)):
                    store.save()
                pause = _next_pause(step, steps, evaluate_every, checkpoint_every)
            if time.perf_counter() >= refresh_at:
                bar.set_postfix_str(", ".join(f"{k} {v:.3g}" for k, v in figures.items()), refresh=False)
                bar.update(step - shown)
                shown, refresh_at = step, time.perf_counter() + REFRESH_SECONDS
        bar.update(step - shown)
    if run.best_state is not None:
        task.load_state_dict(run.best_state)
    return history


def _check_arguments(
    settings: dict, evaluate: Callable | None, checkpoint: Any, checkpoint_every: int
) -> None:
    steps, patience = settings["steps"], settings["patience"]
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise LabkitError(f"steps is {steps!r}. Give the number of training steps, from 1.")
    for name, value in (
        ("evaluate_every", settings["evaluate_every"]),
        ("checkpoint_every", checkpoint_every),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise LabkitError(f"{name} is {value!r}. Give a number of steps, or 0 for the end only.")
    if settings["evaluate_every"] and evaluate is None:
        raise LabkitError("evaluate_every is set but there is no evaluate function to call.")
    if checkpoint_every and checkpoint is None:
        raise LabkitError("checkpoint_every is set but checkpoint, the folder to write to, is not.")
    if settings["monitor"] is not None and evaluate is None:
        raise LabkitError("monitor names a figure of evaluate(), but there is no evaluate function.")
    if patience is not None and (isinstance(patience, bool) or not isinstance(patience, int) or patience < 1):
        raise LabkitError(f"patience is {patience!r}. Give a number of evaluations from 1, or None.")
    if settings["monitor"] is None and (patience is not None or settings["restore_best"]):
        raise LabkitError(
            "patience and restore_best need monitor, the name of the evaluation figure to watch."
        )


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


def _next_pause(step: int, steps: int, *intervals: int) -> int:
    """The next step at which there is more to do than to train."""
    return min([steps, *((step // every + 1) * every for every in intervals if every)])


def _recorder(history: History, allow_nonfinite: bool) -> Callable[[int, Figures], None]:
    """Appends a step's figures to the history. Runs every step, so it does no more than it must."""
    columns = history.train

    def record(step: int, figures: Figures) -> None:
        if not columns:
            if not figures:
                raise LabkitError(f"Step {step} returned no figures. Return at least one, such as the loss.")
            columns.update((name, []) for name in figures)
        elif figures.keys() != columns.keys():
            raise LabkitError(
                f"Step {step} returned the figures {sorted(figures)}, and the steps before it {sorted(columns)}. "
                "Return the same figures at every step."
            )
        for name, value in figures.items():
            if not (allow_nonfinite or math.isfinite(value)):
                raise LabkitError(
                    f"Training stopped: {name} is {float(value)} at step {step}. Usual causes: a learning rate "
                    "that is too high, a logarithm or division by zero, gradients that explode (clip_norm). "
                    "Pass allow_nonfinite=True to train on regardless."
                )
            columns[name].append(float(value))

    return record


class _Source:
    """Batches of every accepted kind, as a function of the step."""

    def __init__(self, batches: Any):
        self.batches = batches
        self.seekable = callable(batches) or isinstance(batches, Sequence)
        self.stateful = hasattr(batches, "state_dict") and hasattr(batches, "load_state_dict")
        if inspect.isgeneratorfunction(batches):
            raise LabkitError(
                f"batches is the generator function {batches.__name__}. Call it: batches={batches.__name__}()."
            )
        if not self.seekable and not isinstance(batches, Iterable):
            raise LabkitError(
                f"batches is a {type(batches).__name__}. Give a function of the step, or an iterable."
            )
        if isinstance(batches, Sequence) and not callable(batches) and len(batches) == 0:
            raise LabkitError("batches is empty: there is nothing to train on.")

    def open(self) -> Callable[[int], Any]:
        batches = self.batches
        if callable(batches):
            return batches
        if isinstance(batches, Sequence):
            return lambda step: batches[step % len(batches)]
        return self._draw_from(iter(batches))

    def _draw_from(self, iterator: Iterator) -> Callable[[int], Any]:
        def draw(step: int) -> Any:
            nonlocal iterator
            try:
                return next(iterator)
            except StopIteration:
                pass
            if iterator is not self.batches:  # not an iterator itself, so it can start over
                iterator = iter(self.batches)
                for batch in iterator:
                    return batch
                raise LabkitError("batches is empty: there is nothing to train on.")
            raise LabkitError(
                f"The batches ran out after {step} steps. Ask for that many steps, or give batches that can "
                "start over: ArrayBatches, a list, or a DataLoader."
            )

        return draw

    def state_dict(self) -> Any:
        return self.batches.state_dict() if self.stateful else None

    def load_state_dict(self, state: Any) -> None:
        if self.stateful and state is not None:
            self.batches.load_state_dict(state)


@dataclass
class _Run:
    """Everything that a checkpoint holds."""

    task: Task
    source: _Source
    settings: dict[str, Any]
    history: History
    best_state: dict[str, Any] | None = None

    def add_evaluation(self, step: int, figures: Figures) -> None:
        history, monitor = self.history, self.settings["monitor"]
        if monitor is not None and monitor not in figures:
            raise LabkitError(f"monitor is {monitor!r}, but evaluate() returned {sorted(figures)}.")
        for name, value in figures.items():
            history.evaluations.setdefault(name, []).append((step, float(value)))
        if monitor is None:
            return
        if self.settings["restore_best"] and history.best is not None and history.best[0] == step:
            self.best_state = copy.deepcopy(self.task.state_dict())
        patience = self.settings["patience"]
        out_of_patience = patience is not None and history.evaluations_since_best() >= patience
        history.stopped_early = out_of_patience and step < self.settings["steps"]

    def state_dict(self) -> dict[str, Any]:
        history = vars(self.history).copy()
        # As arrays: a million steps would make a header of 20 MB.
        history["train"] = {name: np.array(values) for name, values in self.history.train.items()}
        return {
            "format": CHECKPOINT_FORMAT,
            "settings": self.settings,
            "batches": self.source.state_dict(),
            "task": self.task.state_dict(),
            "best": self.best_state,
            "history": history,
            "random": _random_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        _refuse_differences(state["settings"], self.settings)
        self.source.load_state_dict(state["batches"])
        before = copy.deepcopy(self.task.state_dict())
        _refuse_other_shapes(state["task"], before)
        try:
            self.task.load_state_dict(state["task"])
        except BaseException:
            self.task.load_state_dict(before)  # half of another run's weights is worse than none
            raise
        self.best_state = state["best"]
        history = state["history"]
        history["train"] = {name: values.tolist() for name, values in history["train"].items()}
        vars(self.history).update(history)
        _set_random_state(state["random"])


class _Checkpoint:
    """One file: tensors, and everything else in its header, so that one rename is the commit point."""

    def __init__(self, folder: Path, run: _Run, resume: bool):
        self.path = folder / CHECKPOINT_NAME
        self.run = run
        if not (run.source.seekable or run.source.stateful):
            raise LabkitError(
                f"These batches ({type(run.source.batches).__name__}) cannot be resumed. With checkpoint, give "
                "a function of the step such as ArrayBatches, a list, or an iterator with state_dict and "
                "load_state_dict."
            )
        files.remove_leftovers(self.path)
        if resume and self.path.exists():
            self.load()
        else:
            self.save()  # now, so that a folder that cannot be written stops the run before hours of work

    def save(self) -> None:
        tensors: dict[str, Tensor] = {}
        metadata = pack(self.run.state_dict(), tensors)
        try:
            files.save_tensors(self.path, tensors, metadata)
        except OSError as error:
            raise LabkitError(
                f"The checkpoint {self.path} could not be written: {error.strerror or error}. Free disk space or "
                "choose another folder, and run again; what was saved before is kept."
            ) from error

    def load(self) -> None:
        advice = "Pass resume=False to start over, or give this run another checkpoint folder."
        try:
            tensors, metadata = files.load_tensors(self.path)
            state = unpack(metadata, tensors)
            if state["format"] != CHECKPOINT_FORMAT:
                raise ValueError(
                    f"its format is {state['format']}, and this labkit reads {CHECKPOINT_FORMAT}"
                )
        except OSError as error:
            raise LabkitError(
                f"The checkpoint {self.path} cannot be read: {error.strerror or error}."
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise LabkitError(
                f"The checkpoint {self.path} is damaged or not ours: {error}. {advice}"
            ) from error
        try:
            self.run.load_state_dict(state)
        except (LabkitError, RuntimeError, ValueError, KeyError, TypeError) as error:
            reason = " ".join(str(error).split())  # PyTorch's reasons have several lines
            raise LabkitError(f"The checkpoint {self.path} is of another run: {reason} {advice}") from error


def _refuse_differences(saved: Mapping[str, Any], current: Mapping[str, Any]) -> None:
    names = [name for name in {**saved, **current} if saved.get(name) != current.get(name)]
    if names:
        differences = "; ".join(f"{n} was {saved.get(n)!r} and is {current.get(n)!r}" for n in names)
        raise LabkitError(f"{differences}.")


def _refuse_other_shapes(saved: dict[str, Any], current: dict[str, Any]) -> None:
    """Every tensor that the task has now must be in the checkpoint, equal in shape and type."""
    old: dict[str, Tensor] = {}
    new: dict[str, Tensor] = {}
    pack(saved, old)
    pack(current, new)
    for name, tensor in new.items():
        if name not in old:
            raise LabkitError(f"it has no tensor {name}.")
        was, now = (f"{t.dtype} {tuple(t.shape)}" for t in (old[name], tensor))
        if was != now:
            raise LabkitError(f"{name} was {was} and is {now}.")


def _random_state() -> dict[str, Any]:
    state = {"python": random.getstate(), "torch": torch.get_rng_state()}
    state["numpy"] = np.random.get_state()  # noqa: NPY002  (scikit-learn still draws from the global generator)
    if torch.cuda.is_initialized():  # a run on the CPU does not wake the GPU
        state["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        state["mps"] = torch.mps.get_rng_state()
    return state


def _set_random_state(state: dict[str, Any]) -> None:
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])


def pack(value: Any, tensors: dict[str, Tensor], path: str = "") -> Any:
    """``value`` as JSON, with its tensors and arrays put into ``tensors`` by their path; see ``unpack``.

    Exact: floats keep every bit, tuples stay tuples and keys keep their type. Every JSON object stands for
    something that JSON lacks, named by its one key. Raises LabkitError for a type that it does not know.
    """
    if value is None or isinstance(value, bool | str) or type(value) is int:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, Tensor):
        return {"tensor": _put(value, tensors, path)}
    if isinstance(value, np.ndarray | np.generic):
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        return {kind: _put(torch.from_numpy(np.array(value, order="C")), tensors, path)}
    if isinstance(value, list):
        return [pack(item, tensors, f"{path}/{i}") for i, item in enumerate(value)]
    if isinstance(value, tuple):
        return {"tuple": pack(list(value), tensors, path)}
    if isinstance(value, Mapping):
        # PyTorch's MultiStepLR calls methods of the Counter that it keeps; other mappings come back as dicts.
        kind = "counter" if isinstance(value, Counter) else "dict"
        return {kind: [[pack(k, tensors), pack(v, tensors, f"{path}/{k}")] for k, v in value.items()]}
    raise LabkitError(
        f"The state at {path or 'the top'} is a {type(value).__name__}, which a checkpoint cannot hold. Keep "
        "tensors, arrays, numbers, strings, lists, tuples and dicts in state_dict()."
    )


def unpack(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """What ``pack`` was given."""
    if isinstance(value, list):
        return [unpack(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "float":
        return float(content)
    if kind == "tensor":
        return tensors[content]
    if kind in ("array", "scalar"):
        array = tensors[content].numpy()
        return array if kind == "array" else array[()]
    if kind == "tuple":
        return tuple(unpack(content, tensors))
    if kind in ("dict", "counter"):
        pairs = {unpack(k, tensors): unpack(v, tensors) for k, v in content}
        return Counter(pairs) if kind == "counter" else pairs
    raise ValueError(f"unknown entry {kind!r}")


def _put(tensor: Tensor, tensors: dict[str, Tensor], path: str) -> str:
    name = path.lstrip("/") or "value"
    while name in tensors:  # {"a/b": ...} beside {"a": {"b": ...}}
        name += "'"
    tensors[name] = tensor.detach()
    return name
