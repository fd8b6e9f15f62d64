"""A multilayer perceptron in NumPy, with its backward pass by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy.special import erf, expit

Array = NDArray[np.floating]
Gradients = list[tuple[Array, Array]]


def _gelu_cdf(z: Array) -> Array:
    return (1 + erf(z / math.sqrt(2))) / 2


# Each activation as its formula, its derivative, and the initialization that keeps signals from
# shrinking or growing with depth under it.
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array], str]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(z.dtype), "he"),
    "gelu": (
        lambda z: z * _gelu_cdf(z),
        lambda z: _gelu_cdf(z) + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi),
        "he",
    ),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2, "xavier"),
    "sigmoid": (expit, lambda z: expit(z) * expit(-z), "xavier"),
    "identity": (lambda z: z, np.ones_like, "xavier"),
}

# Standard deviation of the weights of a layer from fan_in to fan_out units.
INITIALIZATIONS: dict[str, Callable[[int, int], float]] = {
    "he": lambda fan_in, fan_out: math.sqrt(2 / fan_in),  # He et al. 2015, equation 10
    "xavier": lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)),  # Glorot & Bengio 2010, equation 12
    "zeros": lambda fan_in, fan_out: 0.0,  # every unit of a layer stays the same: to see it fail
    "large": lambda fan_in, fan_out: 1.0,  # whatever the width: signals grow from layer to layer
}


class MLP:
    """Layers of z = a W + b and a = activation(z), and a softmax cross-entropy at the end.

    ``sizes`` are the widths from input to classes, e.g. (64, 32, 10). ``activation`` is relu, gelu, tanh, sigmoid
    or identity. ``init`` is he, xavier, zeros or large, and by default the one that fits the activation; biases
    start at 0. The last layer has no activation: its z are the logits.

    ``weights`` is the list of (W of shape (in, out), b of shape (out,)), which ``step`` changes in place.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "relu",
        seed: int = 0,
        dtype: DTypeLike = np.float64,
        *,
        init: str | None = None,
    ):
        if len(sizes) < 2 or any(size < 1 for size in sizes):
            raise ValueError(f"sizes must be two or more widths of at least 1, got {tuple(sizes)}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {activation!r}")
        if init is not None and init not in INITIALIZATIONS:
            raise ValueError(f"init must be one of {', '.join(INITIALIZATIONS)}, got {init!r}")
        if not np.issubdtype(dtype, np.floating):
            raise ValueError(f"dtype must be a floating-point type, got {dtype}")
        self.sizes = tuple(sizes)
        self.activation = activation
        self.dtype = np.dtype(dtype)
        self._function, self._derivative, fitting = ACTIVATIONS[activation]
        self.init = init or fitting

        rng = np.random.default_rng(seed)
        deviation = INITIALIZATIONS[self.init]
        self.weights = [
            (
                (rng.standard_normal((fan_in, fan_out)) * deviation(fan_in, fan_out)).astype(self.dtype),
                np.zeros(fan_out, self.dtype),
            )
            for fan_in, fan_out in pairwise(sizes)
        ]
        self._velocities: Gradients | None = None

    def trace(self, x: ArrayLike) -> tuple[list[Array], list[Array]]:
        """Every layer's (inputs a, outputs z) for x (B, in): the last z are the logits (B, K)."""
        a = self._check_inputs(x)
        inputs, outputs = [], []
        for W, b in self.weights:
            if outputs:
                a = self._function(outputs[-1])
            inputs.append(a)
            outputs.append(a @ W + b)  # (B, out)
        return inputs, outputs

    def forward(self, x: ArrayLike) -> Array:
        """Logits (B, K) for x (B, in)."""
        return self.trace(x)[1][-1]

    def predict(self, x: ArrayLike) -> NDArray[np.integer]:
        """The class with the largest logit, (B,)."""
        return self.forward(x).argmax(axis=1)

    def loss(self, x: ArrayLike, targets: ArrayLike) -> float:
        """Mean cross-entropy of softmax(logits) against class indices (B,)."""
        logits = self.forward(x)
        return _cross_entropy(logits, self._check_targets(targets, len(logits)))

    def backward(self, x: ArrayLike, targets: ArrayLike) -> tuple[float, Gradients]:
        """The loss, and its gradient by every (W, b), by the chain rule from the last layer to the first."""
        inputs, outputs = self.trace(x)
        logits = outputs[-1]
        targets = self._check_targets(targets, len(logits))

        delta = _softmax(logits)  # ∂loss/∂z of the last layer is (p - one-hot) / B
        delta[np.arange(len(targets)), targets] -= 1
        delta /= len(targets)
        gradients: Gradients = []
        for layer in reversed(range(len(self.weights))):
            gradients.append((inputs[layer].T @ delta, delta.sum(axis=0)))  # ∂loss/∂W, ∂loss/∂b
            if layer > 0:
                W, _ = self.weights[layer]
                delta = (delta @ W.T) * self._derivative(outputs[layer - 1])  # (B, in)
        return _cross_entropy(logits, targets), gradients[::-1]

    def step(self, gradients: Gradients, learning_rate: float, momentum: float = 0.0) -> None:
        """Gradient descent in place: v <- momentum · v + gradient, weight <- weight - learning_rate · v."""
        if not learning_rate > 0:
            raise ValueError(f"learning_rate must be greater than 0, got {learning_rate}")
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must lie in [0, 1), got {momentum}")
        self._check_gradients(gradients)
        if self._velocities is None:
            self._velocities = [(np.zeros_like(W), np.zeros_like(b)) for W, b in self.weights]
        for weights, slopes, velocities in zip(self.weights, gradients, self._velocities, strict=True):
            for weight, slope, velocity in zip(weights, slopes, velocities, strict=True):
                velocity *= momentum
                velocity += slope
                weight -= learning_rate * velocity

    def _check_gradients(self, gradients: Gradients) -> None:
        if len(gradients) != len(self.weights):
            raise ValueError(f"gradients must have {len(self.weights)} layers, got {len(gradients)}")
        for layer, (weights, slopes) in enumerate(zip(self.weights, gradients, strict=True)):
            expected, got = [w.shape for w in weights], [np.shape(slope) for slope in slopes]
            if got != expected:  # NumPy would broadcast, and say nothing
                raise ValueError(f"gradients of layer {layer} must have the shapes {expected}, got {got}")

    def _check_inputs(self, x: ArrayLike) -> Array:
        x = np.asarray(x, dtype=self.dtype)
        if x.ndim != 2 or len(x) == 0 or x.shape[1] != self.sizes[0]:
            raise ValueError(f"x must be of shape (B, {self.sizes[0]}) with B of at least 1, got {x.shape}")
        return x

    def _check_targets(self, targets: ArrayLike, batch_size: int) -> NDArray[np.integer]:
        targets = np.asarray(targets)
        if not np.issubdtype(targets.dtype, np.integer):
            raise TypeError(f"targets must be class indices of an integer type, got {targets.dtype}")
        if targets.shape != (batch_size,):
            raise ValueError(f"targets must be of shape ({batch_size},), got {targets.shape}")
        outside = (targets < 0) | (targets >= self.sizes[-1])
        if outside.any():
            raise ValueError(
                f"targets must be class indices from 0 to {self.sizes[-1] - 1}, got {targets[outside][0]}"
            )
        return targets


def numerical_gradients(network: MLP, x: ArrayLike, targets: ArrayLike, epsilon: float = 1e-6) -> Gradients:
    """The gradient without calculus: (loss(w + ε) - loss(w - ε)) / 2ε for one weight w after the other.

    Two forward passes for each weight: for checking ``backward`` on a small network, in float64. The error is of
    the order of ε² from the curvature and 1e-16 / ε from rounding.
    """
    if not epsilon > 0:
        raise ValueError(f"epsilon must be greater than 0, got {epsilon}")
    gradients = []
    for weights in network.weights:
        slopes = tuple(np.zeros_like(weight) for weight in weights)
        for weight, slope in zip(weights, slopes, strict=True):
            for place in np.ndindex(weight.shape):
                before = weight[place]
                try:
                    weight[place] = before + epsilon
                    above = network.loss(x, targets)
                    weight[place] = before - epsilon
                    below = network.loss(x, targets)
                finally:
                    weight[place] = before
                slope[place] = (above - below) / (2 * epsilon)
        gradients.append(slopes)
    return gradients


def relative_difference(gradients: Gradients, others: Gradients) -> float:
    """‖g - h‖ / (‖g‖ + ‖h‖) over all weights: 0 if equal, 1 if opposite; 0 where both are 0.

    In a gradient check in float64, below 1e-7 is right, and above 1e-2 is wrong.
    """
    g, h = (np.concatenate([part.ravel() for pair in side for part in pair]) for side in (gradients, others))
    if g.shape != h.shape:
        raise ValueError(f"others must hold as many numbers as gradients, {g.size}, got {h.size}")
    scale = np.linalg.norm(g) + np.linalg.norm(h)
    return float(np.linalg.norm(g - h) / scale) if scale > 0 else 0.0


def _softmax(logits: Array) -> Array:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _cross_entropy(logits: Array, targets: NDArray[np.integer]) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return float((log_sum - shifted[np.arange(len(targets)), targets]).mean())
