"""From a pre-trained GPT to a classifier: pooling, a head, LoRA, freezing, and one finetune() for all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from labkit.common import LabkitError
from labkit.text.gpt import GPT
from labkit.text.tokenizer import Tokenizer
from labkit.text.training import WarmupDecay, lower_precision, resolve_precision
from labkit.training import ArrayBatches, History, SupervisedTask, fit

POOLINGS = ("last", "mean")
METHODS = ("full", "lora", "head")
ATTENTION = ("q_proj", "v_proj")  # the two that Hu et al. 2021, section 7.1, found best for a given budget
EVERY_MATRIX = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

# ---------------------------------------------------------------------------------------------------------------
# Texts and classifier


def encode_texts(
    texts: Sequence[str], tokenizer: Tokenizer, max_length: int, side: str = "right", keep: str = "start"
) -> Tensor:
    """Tokens (N, T) of texts, filled up with the pad id on ``side`` (left or right).

    A text of more than ``max_length`` tokens keeps its ``start`` or its ``end``. T is the greatest length left.
    """
    if side not in ("left", "right"):
        raise LabkitError(f"side is {side!r}. Choose left or right.")
    if keep not in ("start", "end"):
        raise LabkitError(f"keep is {keep!r}. Choose start or end.")
    if max_length < 1:
        raise LabkitError(f"max_length is {max_length}. Give a whole number from 1.")
    if tokenizer.pad_id is None:
        raise LabkitError("The tokenizer has no token for padding.")
    rows = []
    for i, text in enumerate(texts):
        ids = tokenizer.encode(text)
        if not ids:
            raise LabkitError(f"Text {i} is empty: a classifier needs at least one token.")
        rows.append(ids[:max_length] if keep == "start" else ids[-max_length:])
    tokens = torch.full((len(rows), max(map(len, rows), default=0)), tokenizer.pad_id)
    for row, ids in zip(tokens, rows, strict=True):
        row[slice(len(ids)) if side == "right" else slice(-len(ids), None)] = torch.tensor(ids)
    return tokens


def pool_last(features: Tensor, real: Tensor) -> Tensor:
    """The features (B, D) of the last position of (B, T, D) where ``real`` (B, T) is True."""
    last = real.shape[1] - 1 - real.flip(1).int().argmax(dim=1)  # argmax gives the first of equals
    return features[torch.arange(len(features), device=features.device), last]


def pool_mean(features: Tensor, real: Tensor) -> Tensor:
    """The mean (B, D) of features (B, T, D) over the positions where ``real`` (B, T) is True."""
    weights = real.to(features.dtype)[..., None]  # (B, T, 1)
    return (features * weights).sum(dim=1) / weights.sum(dim=1)


class SequenceClassifier(nn.Module):
    """logits = W pool(features) + b over the features of a GPT, whatever side the padding is on.

    ``pooling``: ``"last"``, the last real token, which alone has seen the whole text under causal attention; or
    ``"mean"`` over the real tokens. The head starts at zero, so that the first loss is ln(num_classes).
    """

    def __init__(self, model: GPT, num_classes: int, pad_id: int, pooling: str = "mean") -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise LabkitError(f"pooling is {pooling!r}. Choose one of: {', '.join(POOLINGS)}.")
        if num_classes < 2:
            raise LabkitError(f"num_classes is {num_classes}. Give 2 or more.")
        self.model, self.pad_id, self.pooling = model, pad_id, pooling
        self.head = nn.Linear(model.config.hidden_size, num_classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.precision = "float32"

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (B, num_classes) of tokens (B, T)."""
        with lower_precision(self.precision, tokens.device):
            pooled = self.pool(tokens)
        return self.head(pooled.float())

    def pool(self, tokens: Tensor) -> Tensor:
        """One vector a text (B, D): what the head reads. Raises ValueError for a text of padding alone."""
        real = tokens != self.pad_id  # (B, T)
        if not real.any(dim=1).all():
            raise ValueError(f"text {int(real.any(dim=1).int().argmin())} consists of padding alone")
        used = real.any(dim=0)  # columns of padding cost time and change nothing
        tokens, real = tokens[:, used], real[:, used]
        # Under causal attention no real token sees padding on its right, and no mask is needed.
        needless = self.model.config.attention == "causal" and bool((real[:, :-1] >= real[:, 1:]).all())
        features = self.model.features(tokens, padding=None if needless else real)  # (B, T, D)
        return pool_last(features, real) if self.pooling == "last" else pool_mean(features, real)


@torch.no_grad()
def predict(classifier: SequenceClassifier, tokens: Tensor, batch_size: int = 64) -> Tensor:
    """Logits (N, num_classes) of tokens (N, T), in evaluation mode; short texts are worked through together."""
    return _by_length(classifier, classifier, tokens, batch_size)


@torch.no_grad()
def pooled_features(classifier: SequenceClassifier, tokens: Tensor, batch_size: int = 64) -> Tensor:
    """What the head reads (N, D), computed once: while the model under it is frozen it stays the same."""
    return _by_length(classifier, lambda rows: classifier.pool(rows).float(), tokens, batch_size)


def _by_length(classifier: SequenceClassifier, function, tokens: Tensor, batch_size: int) -> Tensor:
    was_training = classifier.training
    classifier.eval()
    try:
        order = (tokens != classifier.pad_id).sum(dim=1).argsort(stable=True)
        parts = [function(tokens[rows]) for rows in order.split(batch_size)]
    finally:
        classifier.train(was_training)
    return torch.cat(parts)[order.argsort()]


# ---------------------------------------------------------------------------------------------------------------
# LoRA


class LoRALinear(nn.Module):
    """y = W x + (alpha / rank) B A x, with W frozen, A (rank, in) and B (out, rank) trained.

    B starts at zero, so that at first nothing changes; A is drawn as nn.Linear draws its weights. Hu et al. 2021,
    arXiv:2106.09685, section 4.1.
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        if rank < 1 or rank > min(base.in_features, base.out_features):
            raise LabkitError(
                f"rank is {rank}. Give 1 to {min(base.in_features, base.out_features)}, the smaller side of the matrix."
            )
        if not 0 < alpha < math.inf:
            raise LabkitError(f"alpha is {alpha!r}. Give a positive number.")
        self.base = base.requires_grad_(False)
        self.scale = alpha / rank
        self.lora_A = nn.Parameter(base.weight.new_empty(rank, base.in_features))
        self.lora_B = nn.Parameter(base.weight.new_zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        # Two thin products; B A is never formed.
        return self.base(x) + self.scale * F.linear(F.linear(x, self.lora_A), self.lora_B)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """An ordinary layer with the weight W + (alpha / rank) B A; the base keeps its own."""
        base = self.base
        layer = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
        layer.to(base.weight.device, base.weight.dtype)
        layer.weight.copy_(base.weight + self.scale * self.lora_B @ self.lora_A)
        if base.bias is not None:
            layer.bias.copy_(base.bias)
        return layer


def freeze(model: nn.Module) -> nn.Module:
    """Let no parameter train; returns the model."""
    return model.requires_grad_(False)


def add_lora(
    model: nn.Module, rank: int = 8, alpha: float = 16.0, targets: Sequence[str] = ATTENTION
) -> nn.Module:
    """Freeze ``model`` and put a LoRALinear around each of its linear layers named in ``targets``, in place.

    A name matches the last part of a layer's path: ``"q_proj"`` means that of all layers. Returns the model. Merge
    or remove before you save the model or add again.
    """
    if any(isinstance(module, LoRALinear) for module in model.modules()):
        raise LabkitError("The model has LoRA layers already. Call merge_lora or remove_lora first.")
    chosen = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if name in targets and isinstance(child, nn.Linear)
    ]
    missing = sorted(set(targets) - {name for _, name, _ in chosen})
    if missing or not targets:
        there = sorted({n.rsplit(".", 1)[-1] for n, m in model.named_modules() if isinstance(m, nn.Linear)})
        raise LabkitError(
            f"The model has no linear layer named {', '.join(missing) or '(none given)'}. It has: {', '.join(there)}."
        )
    freeze(model)
    for parent, name, child in chosen:
        setattr(parent, name, LoRALinear(child, rank, alpha))
    return model


def merge_lora(model: nn.Module) -> nn.Module:
    """Replace each LoRALinear by one layer that computes the same, in place; no cost is left at inference."""
    return _replace_lora(model, LoRALinear.merged)


def remove_lora(model: nn.Module) -> nn.Module:
    """Replace each LoRALinear by its untouched base, in place: bit for bit the model from before."""
    return _replace_lora(model, lambda layer: layer.base)


def _replace_lora(model: nn.Module, by) -> nn.Module:
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LoRALinear):
                setattr(parent, name, by(child))
    return model


# ---------------------------------------------------------------------------------------------------------------
# Counting


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """(numbers that train, all numbers) of a model."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(size for size, trains in sizes if trains), sum(size for size, _ in sizes)


def training_bytes(model: nn.Module) -> int:
    """Bytes of weights, gradients and AdamW's two moments; activations come on top.

    Every weight is held once; one that trains needs three more numbers of its size.
    """
    return sum(p.numel() * p.element_size() * (4 if p.requires_grad else 1) for p in model.parameters())


# ---------------------------------------------------------------------------------------------------------------
# Training


@dataclass(frozen=True)
class FineTuning:
    """How ``finetune`` trains.

    ``method``: ``"full"`` trains every parameter, ``"lora"`` LoRA matrices and the head, ``"head"`` the head alone.
    ``learning_rate`` None is that of ``LEARNING_RATES``; with full and LoRA the head, which starts from nothing, has a
    rate of its own, ``head_learning_rate``. The rates rise over the first tenth of the steps and fall
    linearly to zero.
    """

    method: str = "full"
    steps: int = 60
    batch_size: int = 16
    learning_rate: float | None = None
    head_learning_rate: float = 1e-2
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    rank: int = 8
    alpha: float = 16.0
    targets: tuple[str, ...] = EVERY_MATRIX
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise LabkitError(f"method is {self.method!r}. Choose one of: {', '.join(METHODS)}.")
        if self.steps < 1 or self.batch_size < 1:
            raise LabkitError(f"steps ({self.steps}) and batch_size ({self.batch_size}) must be at least 1.")
        for name in ("learning_rate", "head_learning_rate"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise LabkitError(f"{name} is {value!r}. Give a positive number.")


LEARNING_RATES = {
    "full": 1e-3,
    "lora": 5e-3,
    "head": 3e-2,
}  # few parameters, or a start at zero, take larger steps


def prepare(classifier: SequenceClassifier, settings: FineTuning) -> SequenceClassifier:
    """Let train what the method trains, in place: everything, LoRA and head, or the head."""
    classifier.requires_grad_(settings.method == "full")
    if settings.method == "lora":
        add_lora(classifier.model, settings.rank, settings.alpha, settings.targets)
    classifier.head.requires_grad_(True)
    return classifier


def finetune(
    classifier: SequenceClassifier,
    tokens: Tensor,
    labels: Tensor,
    settings: FineTuning | None = None,
    seed: int = 0,
    progress: bool = False,
) -> History:
    """Train ``classifier`` in place on tokens (N, T) and labels (N,) by cross-entropy; it ends in evaluation mode.

    With ``"head"`` the frozen model works through the texts once, and every step reads its kept features.
    """
    settings = settings or FineTuning()
    _check_labels(classifier, tokens, labels)
    with torch.random.fork_rng(devices=[]):  # the caller's random state stays as it is
        torch.manual_seed(seed)
        prepare(classifier, settings)
        classifier.precision = resolve_precision(settings.precision, tokens.device)
        if settings.method == "head":
            features = pooled_features(classifier, tokens)
            history = _train_head(classifier.head, features, labels, settings, seed, progress)
        else:
            history = _train(classifier, tokens, labels, settings, seed, progress)
    classifier.zero_grad()  # gradients would take as much memory as the weights
    classifier.eval()
    return history


def train_head(
    features: Tensor, labels: Tensor, num_classes: int, *, settings: FineTuning | None = None, seed: int = 0
) -> nn.Linear:
    """A linear head trained on kept features (N, D) of a frozen model (see ``pooled_features``), from zero weights."""
    settings = settings or FineTuning("head", steps=200, batch_size=32)
    head = nn.Linear(features.shape[1], num_classes, device=features.device)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    _train_head(head, features, labels, settings, seed, progress=False)
    return head.requires_grad_(False)


def _train_head(
    head: nn.Linear, features: Tensor, labels: Tensor, settings: FineTuning, seed: int, progress: bool
) -> History:
    """Train on features of mean 0 and about equal spread, where one learning rate fits all; the head is then
    written for the features as they are: W (x - m) / s + b = (W / s) x + (b - (W / s) m)."""
    middle, spread = features.mean(dim=0), features.std(dim=0, correction=0)
    # Features that hardly vary would be blown up to noise.
    spread = spread + 0.3 * spread.mean() + 1e-6
    with torch.no_grad():
        head.bias += head.weight @ middle
        head.weight *= spread
    history = _train(head, (features - middle) / spread, labels, settings, seed, progress)
    with torch.no_grad():
        head.weight /= spread
        head.bias -= head.weight @ middle
    return history


def _train(
    learner: nn.Module, inputs: Tensor, labels: Tensor, settings: FineTuning, seed: int, progress: bool
) -> History:
    rate = settings.learning_rate or LEARNING_RATES[settings.method]
    trained = [(name, p) for name, p in learner.named_parameters() if p.requires_grad]
    of_head = [p for name, p in trained if name.startswith("head.")]
    others = [p for name, p in trained if not name.startswith("head.")]
    groups = [{"params": others, "lr": rate}, {"params": of_head, "lr": settings.head_learning_rate}]
    groups = [group for group in groups if group["params"]]
    optimizer = torch.optim.AdamW(groups, weight_decay=settings.weight_decay, fused=True)
    schedule = LambdaLR(optimizer, WarmupDecay(settings.steps, warmup=settings.steps // 10, shape="linear"))
    task = SupervisedTask(
        learner, F.cross_entropy, optimizer, schedule, settings.clip_norm, str(inputs.device)
    )
    batches = ArrayBatches(inputs, labels, batch_size=min(settings.batch_size, len(inputs)), seed=seed)
    return fit(task, batches, settings.steps, progress=progress)


def _check_labels(classifier: SequenceClassifier, tokens: Tensor, labels: Tensor) -> None:
    classes = classifier.head.out_features
    if len(tokens) != len(labels) or not len(labels):
        raise LabkitError(f"There are {len(tokens)} texts and {len(labels)} labels. Give as many, and some.")
    if labels.dtype != torch.int64 or labels.min() < 0 or labels.max() >= classes:
        raise LabkitError(f"Labels must be whole numbers (int64) from 0 to {classes - 1}.")
