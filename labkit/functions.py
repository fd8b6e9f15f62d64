"""Activation functions and losses, straight from their formulas.

Every function here is computed from exp, log, erf and their like, never by calling PyTorch's function of the same
name, so that the code can be read beside the formula. Where the plain formula overflows or cancels, the code uses
an equal form that does not, and a comment says which. Values and gradients are finite for inputs up to ±1e4 in
float32, by autograd as well as by the derivative written beside each function.

Two patterns return:

- ``torch.where(x > 0, f(x.clamp(min=0)), g(x.clamp(max=0)))``: each form sees only the inputs that it is good for.
  Without the clamp, the form that is not chosen overflows, and its gradient, 0 · inf, is NaN.
- ``torch.where(x <= 0, 0, x)`` and not ``torch.where(x > 0, x, 0)``: the two differ for NaN, which must stay visible.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Concatenate, ParamSpec

import torch
from torch import Tensor

P = ParamSpec("P")

REDUCTIONS = ("mean", "sum", "none")


# ---------------------------------------------------------------------------------------------------------------
# Checks: wrong arguments are refused by name


def _check_floats(**tensors: Tensor) -> None:
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} must be a tensor, got {type(tensor).__name__}: use torch.tensor({name})")
        if not tensor.is_floating_point():
            raise TypeError(
                f"{name} must hold floating-point numbers, got {tensor.dtype}: use {name}.float()"
            )


def _check_same_shape(**tensors: Tensor) -> None:
    (first, a), (second, b) = tensors.items()
    if a.shape != b.shape:  # broadcasting (B,) against (B, 1) would compare every pair, and say nothing
        raise ValueError(f"{second} must have the shape of {first}, {tuple(a.shape)}, got {tuple(b.shape)}")


def _check_probabilities(**tensors: Tensor) -> None:
    for name, tensor in tensors.items():
        outside = ~((tensor >= 0) & (tensor <= 1))  # written so that NaN is outside
        if outside.any():
            raise ValueError(f"{name} must lie in [0, 1], got {tensor[outside][0].item():g}")


def _check_distributions(**tensors: Tensor) -> None:
    _check_probabilities(**tensors)
    for name, tensor in tensors.items():
        sums = tensor.sum(dim=-1)
        off = (sums - 1).abs() > max(1e-3, 10 * torch.finfo(tensor.dtype).eps)  # room for rounding alone
        if off.any():
            raise ValueError(f"{name} must sum to 1 over the last axis, got a sum of {sums[off][0].item():g}")


def _check_indices(targets: Tensor, num_classes: int) -> None:
    if not isinstance(targets, Tensor):
        raise TypeError(f"targets must be a tensor, got {type(targets).__name__}: use torch.tensor(targets)")
    if targets.is_floating_point() or targets.is_complex() or targets.dtype == torch.bool:
        raise TypeError(f"targets must be class indices of an integer type, got {targets.dtype}")
    outside = (targets < 0) | (targets >= num_classes)
    if outside.any():
        raise ValueError(
            f"targets must be class indices from 0 to {num_classes - 1}, got {targets[outside][0].item()}"
        )


def _check_positive(**numbers: float) -> None:
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} must be greater than 0, got {number}")


def _check_share(**numbers: float) -> None:
    for name, number in numbers.items():
        if not 0 <= number <= 1:
            raise ValueError(f"{name} must lie in [0, 1], got {number}")


def _on_floats(
    function: Callable[Concatenate[Tensor, P], Tensor],
) -> Callable[Concatenate[Tensor, P], Tensor]:
    """Check that ``x`` is a floating-point tensor, so that each activation below is its formula alone."""

    @functools.wraps(function)
    def checked(x: Tensor, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        _check_floats(x=x)
        return function(x, *args, **kwargs)

    return checked


# ---------------------------------------------------------------------------------------------------------------
# Activations: f(x) and its derivative f_grad(x), elementwise, of the shape of x


@_on_floats
def sigmoid(x: Tensor) -> Tensor:
    """σ(x) = 1 / (1 + e^-x), the logistic function; range (0, 1). Verhulst 1838.

    For x < 0 the equal form e^x / (1 + e^x) is used: e^-x would overflow.
    """
    e = torch.exp(x.clamp(max=0))
    return torch.where(x > 0, 1 / (1 + torch.exp(-x.clamp(min=0))), e / (1 + e))


@_on_floats
def sigmoid_grad(x: Tensor) -> Tensor:
    """σ'(x) = σ(x) (1 - σ(x)) = σ(x) σ(-x); range (0, 1/4].

    The last form keeps its precision for large x, where 1 - σ(x) is rounded to 0.
    """
    return sigmoid(x) * sigmoid(-x)


@_on_floats
def tanh(x: Tensor) -> Tensor:
    """tanh(x) = (e^x - e^-x) / (e^x + e^-x) = 2 σ(2x) - 1; range (-1, 1).

    Divided by e^|x|, with ``expm1`` for e^y - 1, it neither overflows nor cancels near 0.
    """
    low, high = torch.expm1(2 * x.clamp(max=0)), torch.expm1(-2 * x.clamp(min=0))
    return torch.where(x > 0, -high / (high + 2), low / (low + 2))


@_on_floats
def tanh_grad(x: Tensor) -> Tensor:
    """tanh'(x) = 1 - tanh²(x) = 4 σ'(2x); range (0, 1]. The last form does not cancel for large |x|."""
    return 4 * sigmoid_grad(2 * x)


@_on_floats
def relu(x: Tensor) -> Tensor:
    """ReLU(x) = max(0, x); range [0, ∞). Nair & Hinton 2010; Glorot, Bordes & Bengio 2011."""
    return torch.where(x <= 0, 0, x)


@_on_floats
def relu_grad(x: Tensor) -> Tensor:
    """1 for x > 0, else 0. At 0 there is no derivative; 0 is the usual choice."""
    return torch.where(x > 0, torch.ones_like(x), 0)


@_on_floats
def leaky_relu(x: Tensor, slope: float = 0.01) -> Tensor:
    """x for x > 0, else slope · x; range (-∞, ∞). Maas, Hannun & Ng 2013."""
    return torch.where(x > 0, x, slope * x)


@_on_floats
def leaky_relu_grad(x: Tensor, slope: float = 0.01) -> Tensor:
    """1 for x > 0, else ``slope``."""
    return torch.where(x > 0, torch.ones_like(x), slope)


@_on_floats
def prelu(x: Tensor, weight: Tensor | float = 0.25) -> Tensor:
    """x for x > 0, else weight · x, where the weight is learned; range (-∞, ∞). He et al. 2015.

    ``weight`` is one number for all, or of shape (C,): one for each channel of x (B, C, ...).
    Its start value in the paper is 0.25.
    """
    return torch.where(x > 0, x, _per_channel(weight, x) * x)


@_on_floats
def prelu_grad(x: Tensor, weight: Tensor | float = 0.25) -> Tensor:
    """Derivative by x: 1 for x > 0, else ``weight``."""
    return torch.where(x > 0, torch.ones_like(x), _per_channel(weight, x))


@_on_floats
def prelu_weight_grad(x: Tensor, weight: Tensor | float = 0.25) -> Tensor:
    """Derivative by the weight: 0 for x > 0, else x (of the shape of x).

    It does not depend on the weight. A gradient sums it, times the gradient from above, over all that share a weight.
    """
    _per_channel(weight, x)
    return torch.where(x > 0, 0, x)


def _per_channel(weight: Tensor | float, x: Tensor) -> Tensor:
    weight = torch.as_tensor(weight, dtype=x.dtype, device=x.device)
    if weight.numel() == 1:
        return weight.reshape(())
    if weight.ndim != 1 or x.ndim < 2 or len(weight) != x.shape[1]:
        raise ValueError(
            f"weight must be one number or one for each channel of x {tuple(x.shape)}, got {tuple(weight.shape)}"
        )
    return weight.reshape(-1, *[1] * (x.ndim - 2))


@_on_floats
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x for x > 0, else alpha (e^x - 1); range (-alpha, ∞). Clevert, Unterthiner & Hochreiter 2015."""
    return torch.where(x > 0, x, alpha * torch.expm1(x.clamp(max=0)))


@_on_floats
def elu_grad(x: Tensor, alpha: float = 1.0) -> Tensor:
    """1 for x > 0, else alpha · e^x."""
    return torch.where(x > 0, torch.ones_like(x), alpha * torch.exp(x.clamp(max=0)))


# With these two numbers, mean 0 and variance 1 are a fixed point of the map from layer to layer
# (Klambauer et al. 2017).
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


@_on_floats
def selu(x: Tensor) -> Tensor:
    """scale · ELU(x, alpha), scale = 1.0507, alpha = 1.6733; range (-1.7581, ∞). Klambauer et al. 2017."""
    return SELU_SCALE * elu(x, SELU_ALPHA)


@_on_floats
def selu_grad(x: Tensor) -> Tensor:
    """scale for x > 0, else scale · alpha · e^x."""
    return SELU_SCALE * elu_grad(x, SELU_ALPHA)


@_on_floats
def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x), a smooth ReLU; range (0, ∞). Dugas et al. 2001.

    For x > 0 the equal form x + log(1 + e^-x) is used: e^x would overflow.
    """
    above = x + torch.log1p(torch.exp(-x.clamp(min=0)))
    return torch.where(x > 0, above, torch.log1p(torch.exp(x.clamp(max=0))))


@_on_floats
def softplus_grad(x: Tensor) -> Tensor:
    """softplus'(x) = σ(x); range (0, 1)."""
    return sigmoid(x)


@_on_floats
def gelu(x: Tensor) -> Tensor:
    """GELU(x) = x Φ(x), where Φ(x) = (1 + erf(x / √2)) / 2 is the normal distribution's cumulative probability.

    Range [-0.17, ∞), the lowest value at x = -0.75. Hendrycks & Gimpel 2016.
    """
    return x * _normal_cdf(x)


@_on_floats
def gelu_grad(x: Tensor) -> Tensor:
    """GELU'(x) = Φ(x) + x φ(x), with φ(x) = e^(-x²/2) / √(2π); range [-0.1289, 1.1289]."""
    return _normal_cdf(x) + x * _gaussian(x) / math.sqrt(2 * math.pi)


def _normal_cdf(x: Tensor) -> Tensor:
    """Φ(x), to full relative precision in the lower tail too.

    There 1 + erf(x / √2) cancels: in float32 it has no correct digit left at x = -5.5. The equal form
    erfcx(-x / √2) e^(-x²/2) / 2 does not, where erfcx(y) = e^(y²) (1 - erf(y)).
    """
    if x.dtype in (torch.float16, torch.bfloat16):  # PyTorch has no erfcx for these
        return _normal_cdf(x.float()).to(x.dtype)

    def tail(y: Tensor) -> Tensor:  # Φ(-y), y >= 0
        return torch.special.erfcx(y / math.sqrt(2)) * _gaussian(y) / 2

    return torch.where(x > 0, 1 - tail(x.clamp(min=0)), tail(-x.clamp(max=0)))


def _gaussian(x: Tensor) -> Tensor:
    """e^(-x²/2), to full relative precision.

    Rounding x² costs up to x²/2 units in the last place. So x is split: the square of ``head``, a multiple of
    1/16, is exact, and the rest, (x - head)(x + head) = x² - head², is small. Past |x| = 40 all is 0.
    """
    x = x.clamp(-40, 40)
    head = (16 * x).round() / 16
    return torch.exp(-head * head / 2) * torch.exp(-(x - head) * (x + head) / 2)


@_on_floats
def gelu_tanh(x: Tensor) -> Tensor:
    """x (1 + tanh(u)) / 2 with u = √(2/π) (x + 0.044715 x³): GELU to within 0.0005. Hendrycks & Gimpel 2016.

    (1 + tanh(u)) / 2 = σ(2u) does not cancel for u < 0. What remains is the rounding of u, which makes the
    relative error grow as |2u|; there the formula itself is far from GELU, by 10 % at x = -3.
    """
    return x * sigmoid(_gelu_tanh_argument(x))


@_on_floats
def gelu_tanh_grad(x: Tensor) -> Tensor:
    """σ(2u) + x σ'(2u) · 2 √(2/π) (1 + 3 · 0.044715 x²), with u as in ``gelu_tanh``."""
    slope = 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
    return sigmoid(_gelu_tanh_argument(x)) + x * sigmoid_grad(_gelu_tanh_argument(x)) * slope


def _gelu_tanh_argument(x: Tensor) -> Tensor:
    return 2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)  # 2u


@_on_floats
def silu(x: Tensor) -> Tensor:
    """SiLU(x) = x σ(x), also called Swish; range [-0.279, ∞), the lowest value at x = -1.278.

    Elfwing, Uchibe & Doya 2018; Ramachandran, Zoph & Le 2017.
    """
    return x * sigmoid(x)


@_on_floats
def silu_grad(x: Tensor) -> Tensor:
    """SiLU'(x) = σ(x) (1 + x (1 - σ(x))) = σ(x) (1 + x σ(-x)); range [-0.0998, 1.0998]."""
    return sigmoid(x) * (1 + x * sigmoid(-x))


# Elementwise activations that need no more than x, each with its derivative.
ACTIVATIONS: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "sigmoid": (sigmoid, sigmoid_grad),
    "tanh": (tanh, tanh_grad),
    "relu": (relu, relu_grad),
    "leaky_relu": (leaky_relu, leaky_relu_grad),
    "prelu": (prelu, prelu_grad),
    "elu": (elu, elu_grad),
    "selu": (selu, selu_grad),
    "softplus": (softplus, softplus_grad),
    "gelu": (gelu, gelu_grad),
    "gelu_tanh": (gelu_tanh, gelu_tanh_grad),
    "silu": (silu, silu_grad),
}


# ---------------------------------------------------------------------------------------------------------------
# Softmax: its derivative is a matrix, because every output depends on every input


@_on_floats
def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """p_i = e^(x_i) / Σ_j e^(x_j) along ``dim``; range [0, 1], sum 1. Bridle 1990.

    Adding a number to all x changes nothing, so the largest is subtracted: no exponent is above 0.
    """
    e = torch.exp(x - x.amax(dim, keepdim=True).detach())
    return e / e.sum(dim, keepdim=True)


@_on_floats
def softmax_grad(x: Tensor) -> Tensor:
    """Jacobian over the last axis, (..., K) -> (..., K, K): ∂p_i/∂x_j = p_i (δ_ij - p_j)."""
    p = softmax(x)
    return torch.diag_embed(p) - p.unsqueeze(-1) * p.unsqueeze(-2)  # (..., K, K)


@_on_floats
def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """log p_i = x_i - log Σ_j e^(x_j) along ``dim``; range (-∞, 0].

    With m the largest x: x_i - m - log(1 + Σ e^(x_j - m)), the sum over all but the largest. ``log1p`` keeps the
    digits of a log-probability near 0, where log(1 + small) has none.
    """
    largest, index = x.max(dim, keepdim=True)
    shifted = x - largest
    others = torch.exp(shifted).scatter(dim, index, 0).sum(dim, keepdim=True)
    return shifted - torch.log1p(others)


@_on_floats
def log_softmax_grad(x: Tensor) -> Tensor:
    """Jacobian over the last axis, (..., K) -> (..., K, K): ∂ log p_i / ∂x_j = δ_ij - p_j."""
    p = softmax(x)
    return torch.eye(p.shape[-1], dtype=p.dtype, device=p.device) - p.unsqueeze(-2)  # (..., K, K)


# ---------------------------------------------------------------------------------------------------------------
# Losses: a number to be made small, the mean over the batch unless asked otherwise


def _reduce(values: Tensor, reduction: str) -> Tensor:
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}")
    if reduction == "none":
        return values
    return values.mean() if reduction == "mean" else values.sum()


def mse(predictions: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """Mean squared error, (y - t)²; both of one shape; range [0, ∞). Legendre 1805.

    Half of it is the negative log-likelihood of a normal distribution of variance 1, up to a constant.
    """
    _check_floats(predictions=predictions, targets=targets)
    _check_same_shape(predictions=predictions, targets=targets)
    return _reduce((predictions - targets) ** 2, reduction)


def mae(predictions: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """Mean absolute error, |y - t|; both of one shape; range [0, ∞). Its minimum is the median. Laplace 1774."""
    _check_floats(predictions=predictions, targets=targets)
    _check_same_shape(predictions=predictions, targets=targets)
    return _reduce((predictions - targets).abs(), reduction)


def huber(predictions: Tensor, targets: Tensor, delta: float = 1.0, reduction: str = "mean") -> Tensor:
    """e²/2 where |e| <= delta, else delta (|e| - delta/2), with e = y - t; range [0, ∞). Huber 1964.

    Both cases are c (e - c/2), where c is e cut to [-delta, delta].
    """
    _check_floats(predictions=predictions, targets=targets)
    _check_same_shape(predictions=predictions, targets=targets)
    _check_positive(delta=delta)
    error = predictions - targets
    cut = error.clamp(-delta, delta)
    return _reduce(cut * (error - cut / 2), reduction)


def binary_cross_entropy(probabilities: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """-t log p - (1 - t) log(1 - p); both of one shape and in [0, 1]; range [0, 100].

    The logarithms are cut at -100, as PyTorch does, so that p = 0 or 1 costs much but not infinity; the gradient
    there is 0. Where there are logits, ``binary_cross_entropy_with_logits`` needs no cut.
    """
    _check_floats(probabilities=probabilities, targets=targets)
    _check_same_shape(probabilities=probabilities, targets=targets)
    _check_probabilities(probabilities=probabilities, targets=targets)

    def cut_log(p: Tensor) -> Tensor:
        tiny = torch.finfo(p.dtype).tiny  # below it, 1 / p is infinite
        return torch.where(p < tiny, -100, torch.log(p.clamp(min=tiny)).clamp(min=-100))

    p, t = probabilities, targets
    log_not_p = torch.where(p < 0.5, torch.log1p(-p.clamp(max=0.5)), cut_log(1 - p))
    return _reduce(-t * cut_log(p) - (1 - t) * log_not_p, reduction)


def binary_cross_entropy_with_logits(logits: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """-t log σ(x) - (1 - t) log(1 - σ(x)) = t softplus(-x) + (1 - t) softplus(x); range [0, ∞).

    ``logits`` x and ``targets`` t of one shape, t in [0, 1]. Both terms are positive, so nothing cancels.
    """
    _check_floats(logits=logits, targets=targets)
    _check_same_shape(logits=logits, targets=targets)
    _check_probabilities(targets=targets)
    return _reduce(targets * softplus(-logits) + (1 - targets) * softplus(logits), reduction)


def cross_entropy(
    logits: Tensor, targets: Tensor, label_smoothing: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """-Σ_k q_k log p_k with p = softmax(logits); range [0, ∞).

    ``logits`` are (..., K), usually (B, K). ``targets`` are class indices (...,), for which q is 1 at the class and
    0 elsewhere, or probabilities q (..., K) of the shape of the logits. ``label_smoothing`` ε in [0, 1] mixes q with
    the uniform distribution, (1 - ε) q + ε/K (Szegedy et al. 2016, section 7).
    """
    _check_floats(logits=logits)
    _check_share(label_smoothing=label_smoothing)
    log_p = log_softmax(logits)
    if isinstance(targets, Tensor) and targets.is_floating_point():
        _check_same_shape(logits=logits, targets=targets)
        _check_distributions(targets=targets)
        q = _smooth(targets, label_smoothing)
        return _reduce(-(q * log_p).sum(dim=-1), reduction)

    _check_indices(targets, num_classes=logits.shape[-1])
    if targets.shape != logits.shape[:-1]:
        raise ValueError(
            f"targets must be class indices of shape {tuple(logits.shape[:-1])} for logits of shape "
            f"{tuple(logits.shape)}, got {tuple(targets.shape)}"
        )
    nll = -log_p.gather(-1, targets.long().unsqueeze(-1)).squeeze(-1)
    if label_smoothing == 0:
        return _reduce(nll, reduction)
    q = smooth_labels(targets, logits.shape[-1], label_smoothing, dtype=logits.dtype)
    return _reduce(-(q * log_p).sum(dim=-1), reduction)


def smooth_labels(
    targets: Tensor, num_classes: int, smoothing: float, dtype: torch.dtype | None = None
) -> Tensor:
    """Class indices (...,) -> probabilities (..., K): 1 - ε + ε/K at the class, ε/K elsewhere.

    Szegedy et al. 2016, section 7. ``smoothing`` is ε in [0, 1]; ``dtype`` is PyTorch's default unless given.
    """
    _check_indices(targets, num_classes)
    _check_share(smoothing=smoothing)
    classes = torch.arange(num_classes, device=targets.device)
    one_hot = (targets.unsqueeze(-1) == classes).to(dtype or torch.get_default_dtype())  # (..., K)
    return _smooth(one_hot, smoothing)


def _smooth(q: Tensor, smoothing: float) -> Tensor:
    return (1 - smoothing) * q + smoothing / q.shape[-1]


def kl_divergence(p: Tensor, q: Tensor, reduction: str = "mean") -> Tensor:
    """KL(p ‖ q) = Σ_k p_k log(p_k / q_k) over the last axis; range [0, ∞]. Kullback & Leibler 1951.

    ``p`` and ``q`` are probabilities (..., K), each summing to 1. Where p_k = 0 the term is 0; where q_k = 0 < p_k
    the divergence is infinite.
    """
    _check_floats(p=p, q=q)
    _check_same_shape(p=p, q=q)
    _check_distributions(p=p, q=q)
    log_ratio = torch.log(torch.where(p > 0, p, 1)) - torch.log(torch.where(p > 0, q, 1))
    return _reduce((p * log_ratio).sum(dim=-1), reduction)


def hinge(scores: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """max(0, 1 - t s), with ``targets`` t in {-1, 1} of the shape of ``scores`` s; range [0, ∞).

    The loss of the support vector machine. Cortes & Vapnik 1995.
    """
    _check_floats(scores=scores)
    if not isinstance(targets, Tensor):
        raise TypeError(f"targets must be a tensor, got {type(targets).__name__}: use torch.tensor(targets)")
    _check_same_shape(scores=scores, targets=targets)
    other = (targets != 1) & (targets != -1)
    if other.any():
        raise ValueError(f"targets must be -1 or 1, got {targets[other][0].item():g}")
    return _reduce(relu(1 - targets * scores), reduction)


def info_nce(a: Tensor, b: Tensor, temperature: float = 0.1, reduction: str = "mean") -> Tensor:
    """-log( e^(s_ii/τ) / Σ_j e^(s_ij/τ) ), s_ij the cosine of a_i and b_j; range [0, ∞). van den Oord et al. 2018.

    ``a`` and ``b`` are (B, D): row i of each belong together, and the other rows of ``b`` are the negatives.
    A model that knows nothing scores log B. CLIP uses the mean of info_nce(a, b) and info_nce(b, a).
    """
    _check_floats(a=a, b=b)
    _check_same_shape(a=a, b=b)
    _check_positive(temperature=temperature)
    if a.ndim != 2:
        raise ValueError(f"a must be of shape (B, D), got {tuple(a.shape)}")
    logits = _unit(a) @ _unit(b).T / temperature  # (B, B)
    return cross_entropy(logits, torch.arange(len(a), device=a.device), reduction=reduction)


def _unit(x: Tensor) -> Tensor:
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / length.clamp(min=1e-12)  # a row of zeros stays one


def perplexity(mean_nll: Tensor | float) -> Tensor | float:
    """e^(mean negative log-likelihood in nats per token); range [1, ∞). Jelinek et al. 1977.

    A model with perplexity k is as unsure as one that chooses among k equally likely tokens.
    """
    if isinstance(mean_nll, Tensor):
        _check_floats(mean_nll=mean_nll)
        if (mean_nll < 0).any():
            raise ValueError(f"mean_nll must not be negative, got {mean_nll.min().item():g}")
        return torch.exp(mean_nll)
    if mean_nll < 0:
        raise ValueError(f"mean_nll must not be negative, got {mean_nll:g}")
    return math.exp(mean_nll) if mean_nll < 709 else math.inf  # e^710 overflows
