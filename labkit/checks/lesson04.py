"""Exercises of lesson 04: neural networks from scratch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labkit.checks.core import Exercise, Mistake, Text

Array = NDArray[np.floating]


class Formula:
    """A function of an array with a readable name: an exercise's input is shown to the learner.

    It works on arrays and on tensors, so that autograd can differentiate it.
    """

    def __init__(self, text: str, function: Callable[[Any], Any]):
        self.text = text
        self.function = function

    def __call__(self, w: Any) -> Any:
        return self.function(w)

    def __repr__(self) -> str:
        return self.text

    def __deepcopy__(self, memo: dict) -> Formula:
        return self  # nothing in it changes, and the judge compares arguments before and after


# 04.1 ----------------------------------------------------------------------------------------------------------


def _linear_reference(x: Array, weight: Array, bias: Array) -> Array:
    parts = (torch.from_numpy(part) for part in (x, weight, bias))
    return torch.nn.functional.linear(*parts).numpy()


def _linear_inputs() -> list[tuple]:
    rng = np.random.default_rng(1)
    return [
        (np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [3.0, -1.0]]), np.array([0.5, -0.5])),
        (np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 20.0])),
        (rng.standard_normal((3, 2)), rng.standard_normal((4, 2)), rng.standard_normal(4)),
        (rng.standard_normal((5, 64)), rng.standard_normal((10, 64)), rng.standard_normal(10)),
    ]


LINEAR = Exercise(
    id="04.1",
    title=Text("A layer with PyTorch's weights", "使用 PyTorch 权重布局的一层"),
    difficulty=1,
    minutes=5,
    reference=_linear_reference,
    inputs=_linear_inputs,
    mistakes=[
        Mistake(
            Text("the transpose is forgotten", "忘记转置"),
            lambda x, weight, bias: x @ weight + bias,
            Text(
                "Here a row of weight belongs to one output, so weight is (out, in). x @ weight only runs when in "
                "equals out, and then it is wrong without an error. Use weight.T.",
                "这里 weight 的一行对应一个输出，形状是 (out, in)。只有 in 等于 out 时 x @ weight 才能运行，"
                "而且结果是错的，却不会报错。应当用 weight.T。",
            ),
        ),
        Mistake(
            Text("the bias goes down the batch", "偏置沿批次方向相加"),
            lambda x, weight, bias: x @ weight.T + bias[:, None],
            Text(
                "bias[:, None] is a column: it gives each example a bias. A bias belongs to an output, so add the "
                "plain vector of shape (out,) to (B, out): NumPy repeats it for every row.",
                "bias[:, None] 是一列，等于给每个样本配一个偏置。偏置属于输出单元：直接把形状为 (out,) 的向量"
                "加到 (B, out) 上，NumPy 会对每一行重复它。",
            ),
        ),
        Mistake(
            Text("the bias is forgotten", "忘记加偏置"),
            lambda x, weight, bias: x @ weight.T,
            Text(
                "Without the bias every neuron's border goes through the origin.",
                "没有偏置，每个神经元的分界面都只能经过原点。",
            ),
        ),
        Mistake(
            Text("examples and outputs have changed places", "样本轴与输出轴对调"),
            lambda x, weight, bias: weight @ x.T + bias[:, None],
            Text(
                "weight @ x.T is (out, B). In this course, and in PyTorch, the first axis is the batch: (B, out).",
                "weight @ x.T 的形状是 (out, B)。本课程和 PyTorch 都把第一个轴留给批次：(B, out)。",
            ),
        ),
    ],
    hints=[
        Text(
            "Write the shapes in a row: (B, in) times what gives (B, out)?",
            "把形状排成一行：(B, in) 乘以什么形状才能得到 (B, out)？",
        ),
        Text(
            "weight is (out, in), so weight.T is (in, out).",
            "weight 是 (out, in)，所以 weight.T 是 (in, out)。",
        ),
        Text("That is: x @ weight.T + bias", "写成：x @ weight.T + bias"),
    ],
)


# 04.2 ----------------------------------------------------------------------------------------------------------


def _graph_reference(w: float, b: float, v: float, x: float, t: float) -> tuple[float, float, float]:
    parameters = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (w, b, v)]
    w_, b_, v_ = parameters
    loss = (v_ * torch.tanh(w_ * x + b_) - t) ** 2
    return tuple(slope.item() for slope in torch.autograd.grad(loss, parameters))


def _graph_answer(
    error: Callable[[float, float], float], slope: Callable[[float, float], float], keep_x: bool = True
) -> Callable[..., tuple[float, float, float]]:
    """An answer with its own idea of dL/dy (of y and t) and of da/dz (of z and a)."""

    def answer(w: float, b: float, v: float, x: float, t: float) -> tuple[float, float, float]:
        z = w * x + b
        a = np.tanh(z)
        dy = error(v * a, t)
        dz = dy * v * slope(z, a)
        return dz * (x if keep_x else 1.0), dz, dy * a

    return answer


def _right_error(y: float, t: float) -> float:
    return 2 * (y - t)


def _right_slope(z: float, a: float) -> float:
    return 1 - a**2


GRAPH = Exercise(
    id="04.2",
    title=Text("The chain rule on a graph with tanh", "在含 tanh 的计算图上用链式法则"),
    difficulty=2,
    minutes=10,
    reference=_graph_reference,
    inputs=lambda: [
        (1.0, 0.0, 1.0, 1.0, 0.0),
        (0.5, 0.25, 2.0, 1.0, -1.0),
        (0.5, -1.0, 2.0, 3.0, 1.0),
        (-0.8, 0.3, 1.5, -2.0, 0.7),
    ],
    mistakes=[
        Mistake(
            Text("the derivative of tanh is taken at the wrong place", "tanh 的导数代错了位置"),
            _graph_answer(_right_error, lambda z, a: 1 - np.tanh(a) ** 2),
            Text(
                "The slope belongs to the point where tanh was applied, z. With a = tanh(z) at hand it is 1 - a ** 2; "
                "1 - tanh(a) ** 2 applies tanh twice.",
                "斜率要在 tanh 的输入 z 处取。已有 a = tanh(z) 时它就是 1 - a ** 2；"
                "写成 1 - tanh(a) ** 2 等于做了两次 tanh。",
            ),
        ),
        Mistake(
            Text("the derivative of tanh is missing", "漏乘 tanh 的导数"),
            _graph_answer(_right_error, lambda z, a: 1.0),
            Text(
                "On the way from a back to z the gradient is multiplied by da/dz = 1 - a ** 2.",
                "梯度从 a 往回传到 z 时，要乘上 da/dz = 1 - a ** 2。",
            ),
        ),
        Mistake(
            Text("the factor 2 of the square is missing", "漏掉平方求导的系数 2"),
            _graph_answer(lambda y, t: y - t, _right_slope),
            Text("d(e ** 2)/de is 2 e, not e.", "d(e ** 2)/de 等于 2e，不是 e。"),
        ),
        Mistake(
            Text("the sign is turned", "符号反了"),
            _graph_answer(lambda y, t: 2 * (t - y), _right_slope),
            Text(
                "dL/dy is 2 (y - t). With t - y the gradient points downhill, and an update that subtracts it climbs.",
                "dL/dy 是 2(y - t)。写成 t - y，梯度就指向下坡，更新时再减去它，损失反而上升。",
            ),
        ),
        Mistake(
            Text("the last factor x is missing", "漏乘最后的 x"),
            _graph_answer(_right_error, _right_slope, keep_x=False),
            Text(
                "z = w x + b: dz/db is 1, but dz/dw is x.",
                "z = w x + b：dz/db 等于 1，而 dz/dw 等于 x。",
            ),
        ),
    ],
    hints=[
        Text(
            "Go forward first and keep z, a and y. Then go back: dL/dy, dL/da, dL/dz.",
            "先前向计算并记下 z、a、y，再往回走：dL/dy、dL/da、dL/dz。",
        ),
        Text(
            "dL/dy = 2 (y - t), dL/da = dL/dy · v, dL/dz = dL/da · (1 - a ** 2).",
            "依次是 dL/dy = 2(y - t)，dL/da = dL/dy · v，dL/dz = dL/da · (1 - a ** 2)。",
        ),
        Text(
            "dL/dw = dL/dz · x, dL/db = dL/dz, dL/dv = dL/dy · a.",
            "最后：dL/dw = dL/dz · x，dL/db = dL/dz，dL/dv = dL/dy · a。",
        ),
    ],
)


# 04.3 ----------------------------------------------------------------------------------------------------------


def _backward_reference(x: Array, weight: Array, delta: Array) -> tuple[Array, Array, Array]:
    x_, weight_ = (torch.tensor(part, requires_grad=True) for part in (x, weight))
    bias_ = torch.zeros(len(weight), dtype=torch.float64, requires_grad=True)
    output = torch.nn.functional.linear(x_, weight_, bias_)
    slopes = torch.autograd.grad(output, (weight_, bias_, x_), grad_outputs=torch.from_numpy(delta))
    return tuple(slope.numpy() for slope in slopes)


def _backward_inputs() -> list[tuple]:
    rng = np.random.default_rng(3)
    return [
        (
            np.array([[1.0, 2.0], [3.0, 4.0]]),
            np.array([[1.0, 0.0], [2.0, -1.0]]),
            np.array([[1.0, 0.0], [0.5, -1.0]]),
        ),
        (rng.standard_normal((3, 3)), rng.standard_normal((3, 3)), rng.standard_normal((3, 3))),
        (rng.standard_normal((4, 2)), rng.standard_normal((3, 2)), rng.standard_normal((4, 3))),
        (rng.standard_normal((8, 64)), rng.standard_normal((10, 64)), rng.standard_normal((8, 10))),
    ]


LINEAR_BACKWARD = Exercise(
    id="04.3",
    title=Text("Backward through PyTorch's layer", "PyTorch 线性层的反向传播"),
    difficulty=2,
    minutes=10,
    reference=_backward_reference,
    inputs=_backward_inputs,
    mistakes=[
        Mistake(
            Text("the gradient of weight is transposed", "weight 的梯度被转置了"),
            lambda x, weight, delta: (x.T @ delta, delta.sum(axis=0), delta @ weight),
            Text(
                "x.T @ delta is (in, out). A gradient has the shape of its weight, here (out, in): delta.T @ x.",
                "x.T @ delta 的形状是 (in, out)。梯度与它的权重形状相同，这里是 (out, in)：delta.T @ x。",
            ),
        ),
        Mistake(
            Text("the gradient of x goes through the transpose", "求 x 的梯度时多了一次转置"),
            lambda x, weight, delta: (delta.T @ x, delta.sum(axis=0), delta @ weight.T),
            Text(
                "Forward used weight.T, so backward uses weight: (B, out) @ (out, in) is (B, in). With as many inputs as "
                "outputs the wrong one runs too.",
                "前向用的是 weight.T，反向就用 weight：(B, out) @ (out, in) 得到 (B, in)。输入与输出个数相同时，"
                "写错了也能运行。",
            ),
        ),
        Mistake(
            Text("mean instead of sum over the batch", "对批次取了平均而不是求和"),
            lambda x, weight, delta: (delta.T @ x / len(x), delta.mean(axis=0), delta @ weight),
            Text(
                "Every example uses the same weight, so its gradients add up. The division by the batch size belongs to "
                "the loss and is in delta already; here it would be done twice.",
                "每个样本都用到同一个权重，所以梯度要相加。除以批大小是损失函数的事，已经包含在 delta 里，"
                "这里再除就除了两次。",
            ),
        ),
        Mistake(
            Text("the gradient of the bias is summed over the wrong axis", "偏置的梯度沿错误的轴求和"),
            lambda x, weight, delta: (delta.T @ x, delta.sum(axis=1), delta @ weight),
            Text(
                "There is one bias for each output: sum over the batch, axis 0, and (out,) remains. axis=1 leaves (B,), "
                "which has the right length by accident when B equals out.",
                "每个输出有一个偏置：沿批次（轴 0）求和，剩下 (out,)。用 axis=1 得到 (B,)，"
                "只有 B 恰好等于 out 时长度才碰巧对得上。",
            ),
        ),
    ],
    hints=[
        Text(
            "Each gradient has the shape of the thing it belongs to: (out, in), (out,), (B, in).",
            "每个梯度都与它对应的量形状相同：(out, in)、(out,)、(B, in)。",
        ),
        Text(
            "Which product of delta (B, out) with x (B, in) gives (out, in)? Which of delta with weight gives (B, in)?",
            "delta (B, out) 与 x (B, in) 怎样相乘得到 (out, in)？delta 与 weight 怎样相乘得到 (B, in)？",
        ),
        Text(
            "That is: delta.T @ x, delta.sum(axis=0), delta @ weight",
            "写成：delta.T @ x, delta.sum(axis=0), delta @ weight",
        ),
    ],
)


# 04.4 ----------------------------------------------------------------------------------------------------------


def _slope_reference(f: Formula, w: Array, direction: Array, epsilon: float) -> float:
    w_ = torch.tensor(w, requires_grad=True)
    (gradient,) = torch.autograd.grad(f(w_), w_)
    return float((gradient * torch.from_numpy(direction)).sum())


CUBES = Formula("f(w) = sum(w**3)", lambda w: (w**3).sum())
PRODUCT = Formula("f(w) = w[0]**3 * w[1]", lambda w: w[0] ** 3 * w[1])
QUARTIC = Formula("f(w) = sum(w**4) - sum(w)", lambda w: (w**4).sum() - w.sum())


def _unit(direction: Array) -> Array:
    return direction / np.linalg.norm(direction)


SLOPE = Exercise(
    id="04.4",
    title=Text("A gradient check with two evaluations", "只算两次函数值的梯度检验"),
    difficulty=2,
    minutes=10,
    reference=_slope_reference,
    inputs=lambda: [
        (CUBES, np.array([1.0]), np.array([2.0]), 1e-3),
        (CUBES, np.array([1.0, 2.0]), np.array([1.0, 0.0]), 1e-3),
        (PRODUCT, np.array([2.0, -1.0]), np.array([0.6, 0.8]), 1e-3),
        (QUARTIC, np.array([[1.0, 2.0], [-1.0, 1.5]]), np.array([[2.0, 1.0], [1.0, 2.0]]), 1e-3),
    ],
    mistakes=[
        Mistake(
            Text("a one-sided difference", "用了单侧差分"),
            lambda f, w, direction, epsilon: (f(w + epsilon * direction) - f(w)) / epsilon,
            Text(
                "(f(w + εv) - f(w)) / ε is off by the order of ε. Stepping to both sides cancels that term: the error "
                "becomes of the order of ε².",
                "(f(w + εv) - f(w)) / ε 的误差与 ε 同阶。向两侧各走一步，这一项互相抵消，误差变为 ε² 的量级。",
            ),
        ),
        Mistake(
            Text("divided by ε, not by 2 ε", "除以了 ε 而不是 2ε"),
            lambda f, w, direction, epsilon: (
                (f(w + epsilon * direction) - f(w - epsilon * direction)) / epsilon
            ),
            Text(
                "From w - εv to w + εv is a way of 2ε, so the result is twice too large.",
                "从 w - εv 到 w + εv 的距离是 2ε，所以结果大了一倍。",
            ),
        ),
        Mistake(
            Text("the direction is ignored", "没有用到方向"),
            lambda f, w, direction, epsilon: (f(w + epsilon) - f(w - epsilon)) / (2 * epsilon),
            Text(
                "w + ε moves every weight by the same amount. Move along v: w + ε v.",
                "w + ε 让所有权重移动同样的量。应当沿 v 移动：w + εv。",
            ),
        ),
        Mistake(
            Text("the direction is scaled to length 1", "把方向归一化成了单位长度"),
            lambda f, w, direction, epsilon: (
                (f(w + epsilon * _unit(direction)) - f(w - epsilon * _unit(direction))) / (2 * epsilon)
            ),
            Text(
                "The result is to be compared with the sum of gradient · v for this v. Scaling v changes that number.",
                "结果要与这个 v 对应的梯度内积比较，缩放 v 会改变这个数。",
            ),
        ),
    ],
    hints=[
        Text(
            "Take the central difference of the lesson, and move all weights at once, along the direction.",
            "沿用正文里的中心差分，但这次让所有权重沿给定方向一起移动。",
        ),
        Text(
            "You need f(w + ε v) and f(w - ε v), and the distance between the two points in units of v.",
            "需要 f(w + εv) 和 f(w - εv)，以及两点之间以 v 为单位的距离。",
        ),
        Text(
            "That is: (f(w + epsilon * direction) - f(w - epsilon * direction)) / (2 * epsilon)",
            "写成：(f(w + epsilon * direction) - f(w - epsilon * direction)) / (2 * epsilon)",
        ),
    ],
)


# 04.5 ----------------------------------------------------------------------------------------------------------


def _momentum_reference(
    weight: Array, velocity: Array, gradient: Array, learning_rate: float, momentum: float
) -> tuple[Array, Array]:
    parameter = torch.nn.Parameter(torch.tensor(weight))
    optimizer = torch.optim.SGD([parameter], lr=learning_rate, momentum=momentum)
    optimizer.state[parameter]["momentum_buffer"] = torch.tensor(velocity)
    parameter.grad = torch.tensor(gradient)
    optimizer.step()
    return parameter.detach().numpy(), optimizer.state[parameter]["momentum_buffer"].numpy()


def _momentum_inputs() -> list[tuple]:
    rng = np.random.default_rng(5)
    return [
        (np.array([1.0]), np.array([0.0]), np.array([2.0]), 0.1, 0.9),
        (np.array([1.0]), np.array([4.0]), np.array([2.0]), 0.1, 0.5),
        (rng.standard_normal((3, 2)), rng.standard_normal((3, 2)), rng.standard_normal((3, 2)), 0.05, 0.9),
    ]


MOMENTUM = Exercise(
    id="04.5",
    title=Text("A step with momentum", "带动量的一步更新"),
    difficulty=2,
    minutes=8,
    reference=_momentum_reference,
    inputs=_momentum_inputs,
    mistakes=[
        Mistake(
            Text("the step goes uphill", "更新方向反了，在上坡"),
            lambda w, v, g, rate, mu: (w + rate * (mu * v + g), mu * v + g),
            Text(
                "The gradient points to where the loss grows. Subtract: w - learning_rate · v.",
                "梯度指向损失增大的方向，所以要减：w - 学习率 · v。",
            ),
        ),
        Mistake(
            Text("the old velocity is used for the step", "更新权重时用了旧的速度"),
            lambda w, v, g, rate, mu: (w - rate * v, mu * v + g),
            Text(
                "First the velocity takes up the new gradient, then the weight moves with the new velocity.",
                "先把新梯度并入速度，再用新的速度更新权重。",
            ),
        ),
        Mistake(
            Text("momentum is forgotten", "没有用到动量"),
            lambda w, v, g, rate, mu: (w - rate * g, g),
            Text(
                "v = momentum · v + gradient: a part of the old velocity remains.",
                "v = 动量 · v + 梯度：旧速度要保留一部分。",
            ),
        ),
        Mistake(
            Text("the gradient is damped by 1 - momentum", "梯度被乘上了 1 - 动量"),
            lambda w, v, g, rate, mu: (w - rate * (mu * v + (1 - mu) * g), mu * v + (1 - mu) * g),
            Text(
                "That is the moving average of other methods. PyTorch's SGD takes the whole gradient: v = momentum · v + "
                "gradient. The averaged form makes steps that are 1 - momentum times as long.",
                "那是另一些方法里的滑动平均。PyTorch 的 SGD 取整个梯度：v = 动量 · v + 梯度。"
                "按平均的写法，步长只有这里的 (1 - 动量) 倍。",
            ),
        ),
        Mistake(
            Text("the learning rate is inside the velocity", "学习率放进了速度里"),
            lambda w, v, g, rate, mu: (w - (mu * v + rate * g), mu * v + rate * g),
            Text(
                "This convention exists too, and moves alike while the learning rate stays fixed. But here the velocity "
                "is a sum of gradients, and the rate comes in when the weight moves.",
                "这种写法也存在，学习率不变时两者走法相同。但这里的速度是梯度的累加，学习率在更新权重时才乘上。",
            ),
        ),
    ],
    hints=[
        Text(
            "Two lines: first the new velocity, then the new weight.",
            "两行就够：先算新的速度，再算新的权重。",
        ),
        Text(
            "v = momentum · v + gradient, then w = w - learning_rate · v. Make new arrays, do not write v += ...",
            "先算 v = 动量 · v + 梯度，再算 w = w - 学习率 · v。要生成新数组，不要写 v += ...",
        ),
    ],
)


# 04.6 ----------------------------------------------------------------------------------------------------------


def _he_reference(fan_in: int, fan_out: int, slope: float) -> float:
    return torch.nn.init.calculate_gain("leaky_relu", slope) / fan_in**0.5


HE = Exercise(
    id="04.6",
    title=Text("The right spread for leaky ReLU", "为 leaky ReLU 选合适的权重尺度"),
    difficulty=2,
    minutes=10,
    reference=_he_reference,
    inputs=lambda: [(8, 2, 0.0), (8, 2, 0.5), (64, 128, 0.01), (128, 10, 1.0), (512, 512, 0.2)],
    mistakes=[
        Mistake(
            Text("variance instead of standard deviation", "返回了方差而不是标准差"),
            lambda fan_in, fan_out, slope: 2 / ((1 + slope**2) * fan_in),
            Text(
                "Random numbers are scaled by the standard deviation: take the square root of the variance.",
                "随机数要乘以标准差：对方差再开平方。",
            ),
        ),
        Mistake(
            Text("fan_out instead of fan_in", "把 fan_in 写成了 fan_out"),
            lambda fan_in, fan_out, slope: (2 / ((1 + slope**2) * fan_out)) ** 0.5,
            Text(
                "A sum z has as many terms as the neuron has inputs, so fan_in decides its variance in the forward pass.",
                "z 这个和式的项数等于神经元的输入个数，所以前向传播时它的方差由 fan_in 决定。",
            ),
        ),
        Mistake(
            Text("the negative side is ignored", "忽略了负半轴"),
            lambda fan_in, fan_out, slope: (2 / fan_in) ** 0.5,
            Text(
                "ReLU lets half of E[z²] through. Leaky ReLU lets half through, and slope² times the other half: "
                "(1 + slope²) / 2.",
                "ReLU 只放过 E[z²] 的一半；leaky ReLU 放过一半，再加上另一半的 slope² 倍，即 (1 + slope²) / 2。",
            ),
        ),
        Mistake(
            Text("the slope is not squared", "斜率没有平方"),
            lambda fan_in, fan_out, slope: (2 / ((1 + slope) * fan_in)) ** 0.5,
            Text(
                "It is the square of the output that counts: (slope · z)² = slope² z².",
                "这里看的是输出的平方：(slope · z)² = slope² z²。",
            ),
        ),
        Mistake(
            Text("Xavier's rule", "用成了 Xavier 规则"),
            lambda fan_in, fan_out, slope: (2 / (fan_in + fan_out)) ** 0.5,
            Text(
                "sqrt(2 / (fan_in + fan_out)) was derived for tanh-like functions, which keep the signal near 0. "
                "ReLU and its relatives halve it, which has to be made up for.",
                "sqrt(2 / (fan_in + fan_out)) 针对的是 tanh 这类在 0 附近近似保持信号的函数。"
                "ReLU 一类的函数会让信号减半，需要补回来。",
            ),
        ),
    ],
    hints=[
        Text(
            "Ask for E[z²] to stay the same: fan_in · Var(w) · E[a²] of the layer before, with a = leaky_relu(z).",
            "要求 E[z²] 逐层不变：fan_in · Var(w) · 前一层的 E[a²]，其中 a = leaky_relu(z)。",
        ),
        Text(
            "For z symmetric around 0, E[a²] = (1 + slope²) / 2 · E[z²].",
            "z 关于 0 对称时，E[a²] = (1 + slope²) / 2 · E[z²]。",
        ),
        Text(
            "Var(w) = 2 / ((1 + slope²) fan_in), and the standard deviation is its square root.",
            "Var(w) = 2 / ((1 + slope²) fan_in)，标准差是它的平方根。",
        ),
    ],
)


# 04.7 ----------------------------------------------------------------------------------------------------------


def _network_reference(x: Array, targets: Array, weights: list[Array]) -> list[Array]:
    leaves = [torch.tensor(weight, requires_grad=True) for weight in weights]
    W1, b1, W2, b2 = leaves
    logits = torch.tanh(torch.from_numpy(x) @ W1 + b1) @ W2 + b2
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets))
    return [slope.numpy() for slope in torch.autograd.grad(loss, leaves)]


def _network_answer(
    slope: Callable[[Array, Array], Array], mean: bool = True, w2_first: bool = False
) -> Callable[..., list[Array]]:
    """An answer with its own idea of da/dz (of z and a)."""

    def answer(x: Array, targets: Array, weights: list[Array]) -> list[Array]:
        W1, b1, W2, b2 = weights
        z = x @ W1 + b1
        a = np.tanh(z)
        logits = a @ W2 + b2
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(len(x)), targets] -= 1
        delta2 = p / len(x) if mean else p
        dW2 = a.T @ delta2
        delta1 = (delta2 @ (W2 - dW2 if w2_first else W2).T) * slope(z, a)
        return [x.T @ delta1, delta1.sum(axis=0), dW2, delta2.sum(axis=0)]

    return answer


def _network_inputs() -> list[tuple]:
    rng = np.random.default_rng(7)

    def case(batch: int, inputs: int, hidden: int, classes: int) -> tuple:
        shapes = ((inputs, hidden), (hidden,), (hidden, classes), (classes,))
        weights = [rng.standard_normal(shape) for shape in shapes]
        return rng.standard_normal((batch, inputs)), rng.integers(0, classes, batch), weights

    return [case(1, 1, 1, 2), case(2, 2, 2, 2), case(3, 4, 5, 3), case(8, 64, 16, 10)]


NETWORK = Exercise(
    id="04.7",
    title=Text("The whole backward pass, with tanh", "完整的反向传播：tanh 版本"),
    difficulty=3,
    minutes=20,
    reference=_network_reference,
    inputs=_network_inputs,
    mistakes=[
        Mistake(
            Text("sum instead of mean over the batch", "对批次求了和而不是平均"),
            _network_answer(lambda z, a: 1 - a**2, mean=False),
            Text(
                "The loss is the mean over the batch, so delta at the logits is (p - one-hot) / B. Without the division "
                "the network still learns, as with a learning rate that is B times too large.",
                "损失是对批次取平均，所以 logits 处的 delta 是 (p - one-hot) / B。不除以 B 网络也能学，"
                "只是相当于把学习率放大到 B 倍。",
            ),
        ),
        Mistake(
            Text("ReLU's mask is still there", "还在用 ReLU 的掩码"),
            _network_answer(lambda z, a: (z > 0).astype(float)),
            Text(
                "(z > 0) is the derivative of ReLU. This network has tanh: 1 - a ** 2.",
                "(z > 0) 是 ReLU 的导数。这个网络用的是 tanh，导数是 1 - a ** 2。",
            ),
        ),
        Mistake(
            Text("the derivative of tanh is taken at the wrong place", "tanh 的导数代错了位置"),
            _network_answer(lambda z, a: 1 - np.tanh(a) ** 2),
            Text(
                "a is already tanh(z). The derivative at z is 1 - a ** 2; 1 - tanh(a) ** 2 applies tanh twice.",
                "a 已经是 tanh(z)。z 处的导数是 1 - a ** 2；1 - tanh(a) ** 2 等于做了两次 tanh。",
            ),
        ),
        Mistake(
            Text("the derivative of the activation is missing", "漏乘激活函数的导数"),
            _network_answer(lambda z, a: np.ones_like(z)),
            Text(
                "delta2 @ W2.T is the gradient at a. To get to z, multiply by the slope of tanh, element by element.",
                "delta2 @ W2.T 是 a 处的梯度。要传到 z，还要逐元素乘上 tanh 的斜率。",
            ),
        ),
        Mistake(
            Text("W2 is changed before it is used", "W2 在使用之前就被更新了"),
            _network_answer(lambda z, a: 1 - a**2, w2_first=True),
            Text(
                "All gradients belong to the same weights: compute them all first, then take the step.",
                "所有梯度都针对同一组权重：先全部算完，再更新。",
            ),
        ),
    ],
    hints=[
        Text(
            "Take the lesson's backward pass for ReLU. Only two places change: the activation, and its derivative.",
            "从正文里 ReLU 版本的反向传播出发，只需改两处：激活函数和它的导数。",
        ),
        Text(
            "delta2 = (softmax(logits) - one-hot) / B, and delta1 = (delta2 @ W2.T) * (1 - a ** 2).",
            "先写 delta2 = (softmax(logits) - one-hot) / B，再写 delta1 = (delta2 @ W2.T) * (1 - a ** 2)。",
        ),
        Text(
            "That is: [x.T @ delta1, delta1.sum(axis=0), a.T @ delta2, delta2.sum(axis=0)]",
            "写成：[x.T @ delta1, delta1.sum(axis=0), a.T @ delta2, delta2.sum(axis=0)]",
        ),
    ],
)


EXERCISES = [LINEAR, GRAPH, LINEAR_BACKWARD, SLOPE, MOMENTUM, HE, NETWORK]
