"""labkit.network against autograd, against differences, and on the digits."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from labkit.network import ACTIVATIONS, INITIALIZATIONS, MLP, numerical_gradients, relative_difference

PYTORCH = {
    "relu": F.relu,
    "gelu": F.gelu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "identity": lambda z: z,
}
# The same inputs in every run: a failure is the code's, never the draw's.
PROPERTY = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def batch(sizes, batch_size: int, seed: int = 0, scale: float = 1.0):
    rng = np.random.default_rng(seed)
    x = scale * rng.standard_normal((batch_size, sizes[0]))
    return x, rng.integers(sizes[-1], size=batch_size)


def with_biases(network: MLP, seed: int = 1) -> MLP:
    """Biases start at 0, where a gradient that forgets them could pass."""
    rng = np.random.default_rng(seed)
    for _, b in network.weights:
        b += 0.3 * rng.standard_normal(b.shape)
    return network


def pytorch(network: MLP, x, targets):
    """The same network in PyTorch: logits, loss, and gradients by autograd."""
    weights = [tuple(torch.tensor(part, requires_grad=True) for part in pair) for pair in network.weights]
    a = torch.from_numpy(x)
    for layer, (W, b) in enumerate(weights):
        a = (PYTORCH[network.activation](a) if layer else a) @ W + b
    loss = F.cross_entropy(a, torch.from_numpy(targets))
    loss.backward()
    return a.detach().numpy(), loss.item(), [(W.grad.numpy(), b.grad.numpy()) for W, b in weights]


def assert_same_gradients(gradients, expected, atol: float = 1e-10) -> None:
    assert len(gradients) == len(expected)
    for layer, (ours, theirs) in enumerate(zip(gradients, expected, strict=True)):
        for name, mine, other in zip(("W", "b"), ours, theirs, strict=True):
            np.testing.assert_allclose(mine, other, rtol=0, atol=atol, err_msg=f"{name} of layer {layer}")


@pytest.mark.parametrize("activation", ACTIVATIONS)
@PROPERTY
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=5),
    batch_size=st.integers(1, 7),
    seed=st.integers(0, 10_000),
    scale=st.sampled_from([0.01, 1.0, 30.0]),
)
def test_forward_loss_and_gradients_equal_autograd(activation, sizes, batch_size, seed, scale):
    network = with_biases(MLP(sizes, activation, seed=seed))
    x, targets = batch(sizes, batch_size, seed, scale)
    logits, loss, expected = pytorch(network, x, targets)
    np.testing.assert_allclose(network.forward(x), logits, rtol=1e-12, atol=1e-12)
    assert network.loss(x, targets) == pytest.approx(loss, rel=1e-12, abs=1e-14)
    ours, gradients = network.backward(x, targets)
    assert ours == network.loss(x, targets)
    assert_same_gradients(gradients, expected)
    np.testing.assert_array_equal(network.predict(x), network.forward(x).argmax(axis=1))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_of_a_wide_and_deep_network_equal_autograd(activation):
    sizes = (64, 48, 32, 32, 24, 10)
    network = with_biases(MLP(sizes, activation, seed=3))
    x, targets = batch(sizes, 50)
    assert_same_gradients(network.backward(x, targets)[1], pytorch(network, x, targets)[2])


def test_relu_has_slope_0_at_0():
    """A dead start: with the first weights at 0 every hidden z is exactly 0."""
    network = MLP((3, 4, 2), "relu")
    network.weights[0][0][:] = 0
    x, targets = batch((3, 4, 2), 5)
    gradients = network.backward(x, targets)[1]
    assert not gradients[0][0].any()
    assert_same_gradients(gradients, pytorch(network, x, targets)[2])


class NoActivationSlope(MLP):
    """Forgets the derivative of the activation."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._derivative = np.ones_like


class SumNotMean(MLP):
    def backward(self, x, targets):
        loss, gradients = super().backward(x, targets)
        return loss, [(W * len(x), b * len(x)) for W, b in gradients]


class NoBias(MLP):
    def backward(self, x, targets):
        loss, gradients = super().backward(x, targets)
        return loss, [(W, 0 * b) for W, b in gradients]


@pytest.mark.parametrize("broken", [NoActivationSlope, SumNotMean, NoBias])
def test_broken_backward_is_caught_twice(broken):
    network = with_biases(broken((5, 4, 3), "tanh"))
    x, targets = batch((5, 4, 3), 6)
    gradients = network.backward(x, targets)[1]
    with pytest.raises(AssertionError):
        assert_same_gradients(gradients, pytorch(network, x, targets)[2])
    assert relative_difference(gradients, numerical_gradients(network, x, targets)) > 1e-2


# ---------------------------------------------------------------------------------------------------------------
# The gradient check


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_numerical_gradients_agree(activation):
    network = with_biases(MLP((5, 4, 4, 3), activation))
    x, targets = batch((5, 4, 4, 3), 6)
    before = [part.copy() for pair in network.weights for part in pair]
    numerical = numerical_gradients(network, x, targets)
    gradients = network.backward(x, targets)[1]
    assert_same_gradients(numerical, gradients, atol=1e-8)
    assert relative_difference(gradients, numerical) < 1e-7
    after = [part for pair in network.weights for part in pair]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)), (
        "weights are put back exactly"
    )


def test_numerical_gradients_err_by_epsilon_squared():
    network = with_biases(MLP((4, 3, 2), "tanh"))
    x, targets = batch((4, 3, 2), 5)
    exact = network.backward(x, targets)[1]
    errors = [relative_difference(exact, numerical_gradients(network, x, targets, e)) for e in (1e-1, 1e-2)]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.1)


@pytest.mark.parametrize("epsilon", [0, -1e-6])
def test_epsilon_is_positive(epsilon):
    with pytest.raises(ValueError, match=r"^epsilon"):
        numerical_gradients(MLP((2, 2)), np.ones((1, 2)), [0], epsilon)


def test_weights_are_put_back_when_the_loss_fails():
    network = MLP((2, 2))
    before = [part.copy() for part in network.weights[0]]
    with pytest.raises(ValueError, match="targets"):
        numerical_gradients(network, np.ones((1, 2)), [5])
    assert all(np.array_equal(a, b) for a, b in zip(before, network.weights[0], strict=True))


def test_relative_difference():
    g = [(np.array([[3.0]]), np.array([4.0]))]
    opposite = [(np.array([[-3.0]]), np.array([-4.0]))]
    zero = [(np.array([[0.0]]), np.array([0.0]))]
    assert relative_difference(g, g) == 0
    assert relative_difference(g, opposite) == 1
    assert relative_difference(zero, zero) == 0
    assert relative_difference(g, [(np.array([[3.0]]), np.array([4.5]))]) == pytest.approx(
        0.5 / (5 + np.hypot(3, 4.5))
    )
    with pytest.raises(ValueError, match=r"^others"):
        relative_difference(g, [*g, *g])


# ---------------------------------------------------------------------------------------------------------------
# Steps, starts and stability


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_equal_pytorchs_sgd(momentum):
    network = with_biases(MLP((6, 5, 3), "tanh"))
    x, targets = batch((6, 5, 3), 20)
    parameters = [torch.tensor(part, requires_grad=True) for pair in network.weights for part in pair]
    optimizer = torch.optim.SGD(parameters, lr=0.3, momentum=momentum)
    for _ in range(10):
        network.step(network.backward(x, targets)[1], learning_rate=0.3, momentum=momentum)

        optimizer.zero_grad()
        W1, b1, W2, b2 = parameters
        logits = torch.tanh(torch.from_numpy(x) @ W1 + b1) @ W2 + b2
        F.cross_entropy(logits, torch.from_numpy(targets)).backward()
        optimizer.step()
    ours = [part for pair in network.weights for part in pair]
    for mine, theirs in zip(ours, parameters, strict=True):
        np.testing.assert_allclose(mine, theirs.detach().numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("init", "deviation"),
    [("he", (2 / 300) ** 0.5), ("xavier", (2 / 500) ** 0.5), ("zeros", 0.0), ("large", 1.0)],
)
def test_initialization(init, deviation):
    network = MLP((300, 200, 2), init=init)
    W, b = network.weights[0]
    # 60,000 draws: the sample deviation is within 1.5 %, five standard errors.
    assert W.std() == pytest.approx(deviation, rel=0.015)
    assert abs(W.mean()) <= 5 * deviation / W.size**0.5
    assert not b.any()
    assert network.init == init


def test_the_fitting_initialization_is_the_default():
    fitting = {"relu": "he", "gelu": "he", "tanh": "xavier", "sigmoid": "xavier", "identity": "xavier"}
    assert {activation: MLP((2, 2), activation).init for activation in ACTIVATIONS} == fitting
    assert set(fitting.values()) < set(INITIALIZATIONS)


def test_he_keeps_the_signal_that_xavier_loses_under_relu():
    """The reason for the choice: 20 layers of ReLU, and how large the last z still are."""
    sizes = (256, *[256] * 20, 10)
    x, _ = batch(sizes, 64)
    deviation = {
        init: MLP(sizes, "relu", init=init).trace(x)[1][-2].std() for init in ("he", "xavier", "large")
    }
    assert 0.3 < deviation["he"] < 3
    assert deviation["xavier"] < 0.01
    assert deviation["large"] > 1e6


def test_zeros_never_break_the_symmetry():
    network = MLP((4, 6, 3), "tanh", init="zeros")
    x, targets = batch((4, 6, 3), 30)
    for _ in range(20):
        network.step(network.backward(x, targets)[1], learning_rate=0.5)
    hidden = network.weights[0][0]
    assert np.ptp(hidden, axis=1).max() == 0, "every hidden unit is the same"


def test_seed_decides_the_weights():
    first, same, other = MLP((4, 3), seed=5), MLP((4, 3), seed=5), MLP((4, 3), seed=6)
    assert np.array_equal(first.weights[0][0], same.weights[0][0])
    assert not np.array_equal(first.weights[0][0], other.weights[0][0])


def test_huge_logits_stay_finite():
    network = MLP((2, 2), "identity")
    network.weights[0][0][:] = np.array([[1e4, -1e4], [0, 0]])
    loss, gradients = network.backward([[1.0, 0.0]], [1])
    assert loss == 2e4
    assert all(np.isfinite(part).all() for pair in gradients for part in pair)


def test_trace_holds_every_layer():
    network = MLP((4, 5, 3), "tanh")
    x, _ = batch((4, 5, 3), 2)
    inputs, outputs = network.trace(x)
    assert [a.shape for a in inputs] == [(2, 4), (2, 5)]
    assert [z.shape for z in outputs] == [(2, 5), (2, 3)]
    np.testing.assert_array_equal(inputs[0], x)
    np.testing.assert_array_equal(inputs[1], np.tanh(outputs[0]))
    np.testing.assert_array_equal(outputs[-1], network.forward(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype):
    network = MLP((4, 5, 3), "gelu", dtype=dtype)
    x, targets = batch((4, 5, 3), 6)
    _, gradients = network.backward(x, targets)
    network.step(gradients, 0.1, momentum=0.9)
    for pair in [*gradients, *network.weights]:
        assert all(part.dtype == dtype for part in pair)
    assert network.forward(torch.from_numpy(x)).dtype == dtype  # tensors are taken as they are
    assert network.loss(x, torch.from_numpy(targets)) == network.loss(x, targets)


# ---------------------------------------------------------------------------------------------------------------
# Wrong arguments

X = np.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: MLP((3,)), ValueError, "^sizes"),
        (lambda: MLP((3, 0)), ValueError, "^sizes"),
        (lambda: MLP((3, 2), "swish"), ValueError, "^activation .*relu.*'swish'"),
        (lambda: MLP((3, 2), init="random"), ValueError, "^init .*xavier.*'random'"),
        (lambda: MLP((3, 2), dtype=np.int64), ValueError, "^dtype"),
        (lambda: MLP((3, 2)).forward(np.ones((2, 4))), ValueError, r"^x .*\(B, 3\).* got \(2, 4\)"),
        (lambda: MLP((3, 2)).forward(np.ones(3)), ValueError, "^x "),
        (lambda: MLP((3, 2)).loss(np.ones((0, 3)), []), ValueError, "^x "),
        (lambda: MLP((3, 2)).loss(X, [0, 2]), ValueError, "^targets .*0 to 1, got 2"),
        (lambda: MLP((3, 2)).loss(X, [-1, 0]), ValueError, "^targets .*got -1"),
        (lambda: MLP((3, 2)).backward(X, [0]), ValueError, r"^targets .*\(2,\), got \(1,\)"),
        (lambda: MLP((3, 2)).backward(X, [[0], [1]]), ValueError, "^targets"),
        (lambda: MLP((3, 2)).loss(X, [0.0, 1.0]), TypeError, "^targets .*float64"),
        (lambda: MLP((3, 2)).step([], 0.1), ValueError, "^gradients .*1 layers"),
        (
            lambda: MLP((3, 2)).step([(np.ones((2, 3)), np.ones(2))], 0.1),
            ValueError,
            r"^gradients .*\(3, 2\)",
        ),
        (lambda: MLP((3, 2)).step([(np.ones((3, 2)), 1.0)], 0.1), ValueError, "^gradients"),
        (lambda: MLP((3, 2)).step([(np.ones((3, 2)), np.ones(2))], 0), ValueError, "^learning_rate"),
        (lambda: MLP((3, 2)).step([(np.ones((3, 2)), np.ones(2))], 0.1, 1.0), ValueError, "^momentum"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_refused_step_changes_nothing():
    network = MLP((3, 4, 2))
    before = [part.copy() for pair in network.weights for part in pair]
    with pytest.raises(ValueError, match=r"^gradients"):
        network.step([(np.ones((3, 4)), np.ones(4)), (np.ones((4, 2)), np.ones(3))], 0.1)
    after = [part for pair in network.weights for part in pair]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


# ---------------------------------------------------------------------------------------------------------------
# On real data


def test_learns_the_digits():
    """97 % of held-out digits within 20 s is what lesson 04 promises. 20 passes here, for speed."""
    digits = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        digits.data / 16, digits.target, test_size=0.25, stratify=digits.target, random_state=0
    )
    network = MLP((64, 64, 32, 10), "relu", seed=0)
    rng = np.random.default_rng(0)
    start = time.perf_counter()
    untrained = (network.predict(test_x) == test_y).mean()
    for _ in range(20):
        for rows in np.array_split(rng.permutation(len(train_x)), len(train_x) // 32):
            _, gradients = network.backward(train_x[rows], train_y[rows])
            network.step(gradients, learning_rate=0.05, momentum=0.9)
    trained = (network.predict(test_x) == test_y).mean()
    assert untrained < 0.3
    assert trained >= 0.97, trained
    assert time.perf_counter() - start < 20
