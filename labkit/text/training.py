"""Training of language models: optimizers, schedules, the task that fit() steps, and held-out loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau
from torch.overrides import TorchFunctionMode

from labkit.common import LabkitError
from labkit.text.lstm import detach_state

IGNORE = -100  # a target with this id is not scored: cross_entropy's own convention
MATRICES = ("muon", "adamw")
PRECISIONS = ("float32", "bfloat16", "auto")
SHAPES = ("linear", "cosine")
Batch = tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Tensor]


def make_optimizers(
    model: nn.Module,
    learning_rate: float = 3e-3,
    matrix_learning_rate: float | None = None,
    weight_decay: float = 0.1,
    matrices: str = "muon",
    *,
    betas: tuple[float, float] = (0.9, 0.95),
    momentum: float = 0.95,
    newton_schulz_steps: int = 5,
) -> list[Optimizer]:
    """One optimizer for the hidden matrices, and AdamW for everything else, over the parameters that train.

    Hidden matrices are the 2-D parameters other than embeddings and the output layer. ``"muon"`` steps along
    the momentum with all singular values made about equal (Jordan et al. 2024,
    https://kellerjordan.github.io/posts/muon/), by ``matrix_learning_rate`` (0.02 when None); fewer
    ``newton_schulz_steps`` make a step cheaper and the singular values less equal.
    ``"adamw"`` (Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2) by ``matrix_learning_rate``
    (``learning_rate`` when None), and then all is one optimizer. Only hidden matrices decay.
    """
    if matrices not in MATRICES:
        raise LabkitError(f"matrices is {matrices!r}. Choose one of: {', '.join(MATRICES)}.")
    if matrix_learning_rate is None:
        matrix_learning_rate = 0.02 if matrices == "muon" else learning_rate
    for name, value in (("learning_rate", learning_rate), ("matrix_learning_rate", matrix_learning_rate)):
        if not (0 < value < math.inf):
            raise LabkitError(f"{name} is {value!r}. Give a positive number.")
    hidden, others = split_parameters(model)
    rest = {"params": others, "lr": learning_rate, "weight_decay": 0.0}
    if matrices == "adamw" or not hidden:
        groups = [{"params": hidden, "lr": matrix_learning_rate, "weight_decay": weight_decay}, rest]
        return [AdamW([group for group in groups if group["params"]], betas=betas, fused=True)]
    muon = _PortableMuon(
        hidden,
        lr=matrix_learning_rate,
        weight_decay=weight_decay,
        momentum=momentum,
        ns_steps=newton_schulz_steps,
    )
    return [muon, AdamW([rest], betas=betas, fused=True)] if others else [muon]


class _PortableMuon(Muon):
    """torch's Muon, which multiplies in bfloat16 on any device; here in float32 where that is not an instruction.

    Emulated, those products took three quarters of a training step.
    """

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        device = self.param_groups[0]["params"][0].device
        with nullcontext() if has_bfloat16(device) else _NoBFloat16():
            return super().step(closure)


class _NoBFloat16(TorchFunctionMode):
    """``tensor.bfloat16()`` is a float32 copy."""

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is Tensor.bfloat16:
            return args[0].float().clone()
        return func(*args, **(kwargs or {}))


def split_parameters(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """(hidden matrices, embeddings and output layer and vectors) of the parameters that train, each once.

    The output layer is the linear layer with as many outputs as there are tokens in an embedding.
    """
    vocabularies = {m.num_embeddings for m in model.modules() if isinstance(m, nn.Embedding)}
    tables = {
        id(m.weight)
        for m in model.modules()
        if isinstance(m, nn.Embedding) or (isinstance(m, nn.Linear) and m.out_features in vocabularies)
    }
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trained:
        raise LabkitError("The model has no parameter that trains: requires_grad is False everywhere.")
    is_hidden = [parameter.ndim == 2 and id(parameter) not in tables for parameter in trained]
    hidden = [parameter for parameter, yes in zip(trained, is_hidden, strict=True) if yes]
    return hidden, [parameter for parameter, yes in zip(trained, is_hidden, strict=True) if not yes]


@dataclass(frozen=True)
class WarmupDecay:
    """Factor of the learning rate at step 0, 1, ...: linear warm-up, constant part, decay to ``final``.

    ``(step + 1) / warmup`` up to ``warmup`` steps; 1; then over the last ``decay`` steps (None: all that are
    left) a line or half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5) down to ``final``,
    which is reached at ``steps``, one step after the last. With ``decay`` shorter than the run it is the
    schedule "warm-up, stable, decay" (Hu et al. 2024, arXiv:2404.06395, section 4).
    """

    steps: int
    warmup: int = 0
    decay: int | None = None
    shape: str = "cosine"
    final: float = 0.0

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise LabkitError(f"shape is {self.shape!r}. Choose one of: {', '.join(SHAPES)}.")
        decay = 0 if self.decay is None else self.decay
        if self.steps < 1 or self.warmup < 0 or decay < 0 or self.warmup + decay > self.steps:
            raise LabkitError(
                f"warmup ({self.warmup}) and decay ({self.decay}) do not fit into {self.steps} steps."
            )
        if not 0 <= self.final <= 1:
            raise LabkitError(
                f"final is {self.final!r}. Give the share of the learning rate at the end, 0 to 1."
            )

    def __call__(self, step: int) -> float:
        if step < self.warmup:
            return (step + 1) / self.warmup
        length = self.steps - self.warmup if self.decay is None else self.decay
        to_come = max(0, self.steps - step)
        left = 1.0 if to_come >= length else to_come / length
        if self.shape == "cosine":
            left = 0.5 * (1 - math.cos(math.pi * left))
        return self.final + (1 - self.final) * left


def make_schedules(optimizers: Sequence[Optimizer], factor: WarmupDecay) -> list[LRScheduler]:
    """One schedule for each optimizer: its learning rates times ``factor(step)``."""
    return [LambdaLR(optimizer, factor) for optimizer in optimizers]


class LanguageModelTask:
    """Next-token training of a GPT or an LSTM for ``labkit.training.fit``.

    A batch is ``(inputs, targets)``, both (B, T), or with a third tensor (B, T) that is True where a target
    counts; targets of -100 do not count either. The loss is the mean of -log p(target) over all that count,
    in nats. Masked-token training is the same, with a model whose ``attention`` is ``"full"``.

    ``accumulate`` works through a batch in that many parts of rows, for less memory: the step is that of the
    whole batch. ``clip_norm`` scales gradients down to that L2 norm (None: never). ``precision``:
    ``"bfloat16"`` computes matrix products in it, with weights and loss in float32; ``"auto"`` does so where
    the device has instructions for it. ``carry_state`` gives an LSTM the state in which
    the batch before left it, cut off from its graph, for batches whose rows continue each other.

    ``average`` (such as 0.99) keeps beside the weights their running mean w <- average w + (1 - average) new,
    its first steps weighed so that the mean starts at the weights, not at chance (Kingma and Ba 2015,
    arXiv:1412.6980, section 7.1). See ``averaged`` and ``use_average``.

    Figures of a step: ``loss``; with ``clip_norm`` ``gradient_norm``, before clipping; with schedules
    ``learning_rate``, the one that this step used, of the first group.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizers: Optimizer | Sequence[Optimizer],
        schedules: LRScheduler | Sequence[LRScheduler] = (),
        clip_norm: float | None = 1.0,
        accumulate: int = 1,
        precision: str = "float32",
        device: torch.device | str = "cpu",
        *,
        carry_state: bool = False,
        average: float | None = None,
    ) -> None:
        self.model = model.to(device)
        self.optimizers = [optimizers] if isinstance(optimizers, Optimizer) else list(optimizers)
        self.schedules = [schedules] if isinstance(schedules, LRScheduler) else list(schedules)
        self.clip_norm, self.accumulate, self.average = clip_norm, accumulate, average
        self.carry_state = carry_state
        self.device = torch.device(device)
        self.precision = resolve_precision(precision, self.device)
        self._check()
        self.parameters = [p for o in self.optimizers for group in o.param_groups for p in group["params"]]
        self.mean = None if average is None else {n: p.detach().clone() for n, p in model.named_parameters()}
        self.steps_averaged = 0
        self.states: list[Any] = [None] * accumulate
        # Now, since an optimizer may add to its defaults when it loads a state.
        self._settings = self._describe()

    def _check(self) -> None:
        if not self.optimizers:
            raise LabkitError("There is no optimizer. Make some with make_optimizers(model, ...).")
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise LabkitError(
                f"clip_norm is {self.clip_norm!r}. Give a positive number, or None for no clipping."
            )
        if isinstance(self.accumulate, bool) or not isinstance(self.accumulate, int) or self.accumulate < 1:
            raise LabkitError(f"accumulate is {self.accumulate!r}. Give a whole number from 1.")
        if self.average is not None and not 0 < self.average < 1:
            raise LabkitError(f"average is {self.average!r}. Give a number between 0 and 1, or None.")
        for schedule in self.schedules:
            if isinstance(schedule, ReduceLROnPlateau):
                raise LabkitError("ReduceLROnPlateau cannot be stepped with each batch. Use WarmupDecay.")
            if all(schedule.optimizer is not optimizer for optimizer in self.optimizers):
                raise LabkitError("A schedule belongs to another optimizer. Build it from one given here.")

    def step(self, batch: Batch) -> dict[str, float]:
        parts = self._split(batch)
        if not self.model.training:  # an evaluation may have left it in eval mode
            self.model.train()
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss = self._backward(parts)
        figures = {}
        if self.clip_norm is not None:
            figures["gradient_norm"] = nn.utils.clip_grad_norm_(self.parameters, self.clip_norm).item()
        if self.schedules:
            figures["learning_rate"] = float(self.optimizers[0].param_groups[0]["lr"])
        for optimizer in self.optimizers:
            optimizer.step()
        for schedule in self.schedules:
            schedule.step()
        if self.mean is not None:
            self._update_mean()
        return {"loss": loss.item(), **figures}

    def _split(self, batch: Batch) -> list[tuple[Tensor, Tensor]]:
        """The parts of the batch, on the device, with masked targets ignored."""
        inputs, targets, *mask = batch
        if mask:
            targets = targets.masked_fill(~mask[0], IGNORE)
        inputs, targets = inputs.to(self.device), targets.to(self.device)
        if self.accumulate == 1:
            return [(inputs, targets)]
        if len(inputs) < self.accumulate:
            raise LabkitError(
                f"A batch of {len(inputs)} rows cannot be worked through in {self.accumulate} parts. Lower accumulate."
            )
        pieces = (inputs.tensor_split(self.accumulate), targets.tensor_split(self.accumulate))
        return list(zip(*pieces, strict=True))

    def _backward(self, parts: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Gradients and value of the mean loss over all parts together."""
        if len(parts) == 1:
            loss = self._loss(0, *parts[0], "mean")
            loss.backward()
            return loss.detach()
        count = sum((targets != IGNORE).sum() for _, targets in parts)
        total = torch.zeros((), device=self.device)
        for i, (inputs, targets) in enumerate(parts):
            loss = self._loss(i, inputs, targets, "sum") / count
            loss.backward()
            total += loss.detach()
        return total

    def _loss(self, part: int, inputs: Tensor, targets: Tensor, reduction: str) -> Tensor:
        with lower_precision(self.precision, self.device):
            if self.carry_state:
                logits, state = self.model(inputs, self.states[part])
                self.states[part] = detach_state(state)
            else:
                logits = only_logits(self.model(inputs))  # (B, T, V)
        return F.cross_entropy(
            logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORE, reduction=reduction
        )

    @torch.no_grad()
    def _update_mean(self) -> None:
        self.steps_averaged += 1
        # The weight of the new among all so far, when older ones fade by ``average`` a step: 1, ~1/2, ~1/3, ...
        share = (1 - self.average) / (1 - self.average**self.steps_averaged)
        torch._foreach_lerp_(list(self.mean.values()), list(self.model.parameters()), share)

    @contextmanager
    def averaged(self) -> Iterator[nn.Module]:
        """``with task.averaged() as model:`` the model has its mean weights, and its own again after it."""
        own = {name: p.detach().clone() for name, p in self.model.named_parameters()}
        self.use_average()
        try:
            yield self.model
        finally:
            self._write(own)

    def use_average(self) -> None:
        """Put the mean weights into the model, for good."""
        if self.mean is None:
            raise LabkitError("No mean of the weights was kept. Give the task average=0.99.")
        self._write(self.mean)

    @torch.no_grad()
    def _write(self, weights: Mapping[str, Tensor]) -> None:
        for name, parameter in self.model.named_parameters():
            parameter.copy_(weights[name])

    def state_dict(self) -> dict[str, Any]:
        return {
            "settings": self._settings,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "schedules": [schedule.state_dict() for schedule in self.schedules],
            "mean": self.mean,
            "steps_averaged": self.steps_averaged,
            "states": self.states,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        # PyTorch would put Adam's state into SGD, or an old learning rate over a new one, without a word.
        saved, current = state["settings"], self._settings
        different = [name for name in current if saved.get(name) != current[name]]
        if different:
            pairs = [f"{name} was {saved.get(name)!r} and is {current[name]!r}" for name in different]
            raise LabkitError(f"{'; '.join(pairs)}.")
        self.model.load_state_dict(state["model"])
        for name in ("optimizers", "schedules"):
            for owner, one in zip(getattr(self, name), state[name], strict=True):
                owner.load_state_dict(one)
        if self.mean is not None:
            for name, tensor in self.mean.items():
                tensor.copy_(state["mean"][name])
        self.steps_averaged = state["steps_averaged"]
        self.states = [
            None if one is None else tuple(tensor.to(self.device) for tensor in one)
            for one in state["states"]
        ]

    def _describe(self) -> dict[str, Any]:
        plain = (bool, int, float, str, tuple, type(None))
        groups = [
            {name: value for name, value in group.items() if name != "lr" and isinstance(value, plain)}
            for optimizer in self.optimizers
            for group in optimizer.param_groups
        ]
        return {
            "optimizers": [type(optimizer).__name__ for optimizer in self.optimizers],
            "groups": groups,
            "schedules": [type(schedule).__name__ for schedule in self.schedules],
            "clip_norm": self.clip_norm,
            "accumulate": self.accumulate,
            "precision": self.precision,
            "carry_state": self.carry_state,
            "average": self.average,
        }


class AnswerTask(LanguageModelTask):
    """``LanguageModelTask`` of a GPT where part of the targets count: logits are computed for these alone.

    The loss is the same, in less time and memory: most of both go into the logits where the vocabulary is large.
    """

    def _loss(self, part: int, inputs: Tensor, targets: Tensor, reduction: str) -> Tensor:
        counted = targets != IGNORE  # (B, T)
        with lower_precision(self.precision, self.device):
            logits = self.model.head(self.model.features(inputs)[counted])  # (N, V)
        return F.cross_entropy(logits.float(), targets[counted], reduction=reduction)


def resolve_precision(precision: str, device: torch.device) -> str:
    """``float32`` or ``bfloat16``; ``auto`` is bfloat16 where the processor or GPU has instructions for it."""
    if precision not in PRECISIONS:
        raise LabkitError(f"precision is {precision!r}. Choose one of: {', '.join(PRECISIONS)}.")
    has_it = has_bfloat16(device)
    if precision == "auto":
        return "bfloat16" if has_it else "float32"
    if precision == "bfloat16" and device.type == "cuda" and not has_it:
        raise LabkitError("This GPU has no bfloat16. Use precision='float32', or 'auto'.")
    return precision


def has_bfloat16(device: torch.device | str) -> bool:
    """Whether products in bfloat16 are instructions of the device, not emulated (a CPU does that slowly)."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind == "cpu":
        able = torch.cpu.get_capabilities()
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return False


def lower_precision(precision: str, device: torch.device) -> AbstractContextManager:
    """Where products are computed in ``precision``."""
    if precision == "float32":
        return nullcontext()
    return _BFloat16Linear() if device.type == "cpu" else torch.autocast(device.type, torch.bfloat16)


class _BFloat16Linear(TorchFunctionMode):
    """Linear layers multiply in bfloat16, forward and backward; all else stays in float32.

    Not autocast on a CPU: it takes attention to bfloat16 too, whose backward was 3.7 times slower there.
    """

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is not F.linear:
            return func(*args, **(kwargs or {}))
        given = [None if one is None else one.bfloat16() for one in args]
        return func(*given, **{k: v.bfloat16() for k, v in (kwargs or {}).items() if v is not None}).float()


def only_logits(output: Tensor | tuple[Tensor, Any]) -> Tensor:
    """Logits of a GPT's output, or of an LSTM's, which comes with its state."""
    return output[0] if isinstance(output, tuple) else output


@torch.no_grad()
def evaluate_loss(
    model: nn.Module,
    tokens: Tensor | np.ndarray | Sequence[int],
    sequence_length: int,
    batch_size: int = 64,
    *,
    stride: int | None = None,
) -> float:
    """Mean of -log p(token | what precedes it in its window), in nats, over all tokens but the first.

    Windows of ``sequence_length`` tokens lie end to end (the last ends with the text), so the context is 1 to
    ``sequence_length`` tokens long. With a ``stride`` below it windows overlap, and each scores only what the one before it did not
    reach: longer contexts, at the cost of sequence_length / stride times the work. The model is left in the
    mode (train or eval) in which it was.
    """
    tokens = torch.as_tensor(
        np.asarray(tokens).astype(np.int64) if not isinstance(tokens, Tensor) else tokens
    )
    stride = sequence_length if stride is None else stride
    if tokens.ndim != 1 or len(tokens) < 2:
        raise LabkitError(
            f"There is nothing to score in tokens of shape {tuple(tokens.shape)}: give 2 or more."
        )
    if min(sequence_length, batch_size, stride) < 1 or stride > sequence_length:
        raise LabkitError(
            f"sequence_length ({sequence_length}), batch_size ({batch_size}) and stride ({stride}) must be whole "
            "numbers from 1, and stride at most sequence_length."
        )
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        total = 0.0
        for inputs, targets in _windows(tokens.long(), sequence_length, stride, batch_size):
            logits = only_logits(model(inputs.to(device))).flatten(0, 1).float()
            losses = F.cross_entropy(
                logits, targets.flatten().to(device), reduction="none", ignore_index=IGNORE
            )
            total += losses.double().sum().item()
    finally:
        model.train(was_training)
    return total / (len(tokens) - 1)


def _windows(tokens: Tensor, length: int, stride: int, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches (inputs, targets) that score tokens 1, 2, ... once each; other targets are IGNORE."""
    count = len(tokens) - 1
    length = min(length, count)
    starts = [*range(0, count - length, min(stride, length)), count - length]
    windows = tokens.unfold(0, length + 1, 1)  # (count - length + 1, length + 1), a view
    scored_to = [0] + [start + length for start in starts[:-1]]
    for first in range(0, len(starts), batch_size):
        chosen = starts[first : first + batch_size]
        rows = windows[torch.tensor(chosen)]
        targets = rows[:, 1:].clone()
        for row, start, scored in zip(targets, chosen, scored_to[first:], strict=False):
            row[: scored - start] = IGNORE
        yield rows[:, :-1], targets


def bits_per_character(nll: float, tokens: int, characters: int) -> float:
    """nll * tokens / (characters * ln 2): comparable between tokenizers, unlike nats a token.

    ``nll`` is the mean over ``tokens`` tokens, which stand for ``characters`` characters.
    """
    if tokens < 1 or characters < 1:
        raise LabkitError(f"tokens ({tokens}) and characters ({characters}) must be at least 1.")
    return nll * tokens / (characters * math.log(2))
