"""Checks of lesson 02: tanh from sigmoid, PReLU backward, stable softplus, softmax, chained slopes, dead units."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from labkit.checks.core import Exercise, Mistake, Text


def _numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# ---------------------------------------------------------------------------------------------------------------
# 02.1 tanh from sigmoid

TANH = Exercise(
    id="02.1",
    title=Text("tanh from sigmoid", "用 sigmoid 写出 tanh"),
    difficulty=1,
    minutes=5,
    reference=torch.tanh,
    inputs=lambda: [
        (_numbers(1.0),),
        (_numbers(-2.0, 0.0, 2.0),),
        (torch.linspace(-9, 9, 37, dtype=torch.float64),),
    ],
    mistakes=[
        Mistake(
            Text("The input is not doubled", "没有把输入乘以 2"),
            lambda x: 2 * torch.sigmoid(x) - 1,
            Text(
                "2σ(x) - 1 has the right range, but it is tanh(x/2): too flat. At x = 0 its slope is 0.5, not 1.",
                "2σ(x) - 1 的值域是对的，但它等于 tanh(x/2)，太平缓：在 x = 0 处斜率是 0.5，而不是 1。",
            ),
        ),
        Mistake(
            Text("The output is neither stretched nor shifted", "输出既没有拉伸，也没有平移"),
            lambda x: torch.sigmoid(2 * x),
            Text(
                "σ(2x) lies between 0 and 1. The range must become -1 to 1: stretch it by 2, then move it down by 1.",
                "σ(2x) 的值域是 0 到 1，应当变成 -1 到 1：先乘以 2，再减去 1。",
            ),
        ),
        Mistake(
            Text("The output is not shifted", "输出没有平移"),
            lambda x: 2 * torch.sigmoid(2 * x),
            Text(
                "2σ(2x) lies between 0 and 2, and is 1 at x = 0. tanh(0) is 0: subtract 1.",
                "2σ(2x) 的值域是 0 到 2，在 x = 0 处等于 1。而 tanh(0) = 0，所以还要减去 1。",
            ),
        ),
        Mistake(
            Text("The output is not stretched", "输出没有拉伸"),
            lambda x: torch.sigmoid(2 * x) - 1,
            Text(
                "σ(2x) - 1 lies between -1 and 0. tanh has twice that range: multiply by 2 before you subtract 1.",
                "σ(2x) - 1 的值域是 -1 到 0。tanh 的值域宽一倍：先乘以 2，再减去 1。",
            ),
        ),
    ],
    hints=[
        Text(
            "σ runs from 0 to 1, tanh from -1 to 1. Which stretch and which shift turn one range into the other?",
            "σ 的值域是 0 到 1，tanh 的值域是 -1 到 1。怎样拉伸、怎样平移，才能把前者变成后者？",
        ),
        Text(
            "Multiply the numerator and the denominator of tanh by e^x: (e^(2x) - 1) / (e^(2x) + 1). Which input does "
            "this ask of σ?",
            "把 tanh 的分子和分母同乘 e^x，得到 (e^(2x) - 1) / (e^(2x) + 1)。由此看，σ 的输入应当是什么？",
        ),
        Text(
            "tanh(x) = 2σ(2x) - 1.",
            "答案：tanh(x) = 2σ(2x) - 1。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 02.2 PReLU backward


def _prelu_reference(x: Tensor, weight: float, upstream: Tensor) -> tuple[Tensor, Tensor]:
    leaf = x.clone().requires_grad_()
    slope = torch.tensor([weight], dtype=x.dtype, requires_grad=True)
    dx, dweight = torch.autograd.grad(F.prelu(leaf, slope), [leaf, slope], upstream)
    return dx, dweight.reshape(())


def _local_slope(x: Tensor, weight: float) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), weight)


def _negative_part(x: Tensor) -> Tensor:
    return x.clamp(max=0)


PRELU_BACKWARD = Exercise(
    id="02.2",
    title=Text("PReLU, backward", "PReLU 的反向传播"),
    difficulty=2,
    minutes=10,
    reference=_prelu_reference,
    inputs=lambda: [
        (_numbers(-2.0), 0.25, _numbers(1.0)),
        (_numbers(-2.0, 3.0), 0.25, _numbers(10.0, -1.0)),
        (_numbers(-1.5, 0.5, -4.0, 2.0, -0.1), 0.1, _numbers(1.0, -2.0, 0.5, 3.0, -1.0)),
    ],
    mistakes=[
        Mistake(
            Text("The gradient from above is left out", "漏乘了上游传来的梯度"),
            lambda x, w, up: (_local_slope(x, w), _negative_part(x).sum()),
            Text(
                "These are the local slopes alone. The chain rule multiplies each by the gradient that comes from above.",
                "这只是本层的局部斜率。按链式法则，每一项都要再乘上游传来的梯度 upstream。",
            ),
        ),
        Mistake(
            Text(
                "The sign of the gradient decides, not the sign of x",
                "按梯度的符号选了分支，而不是按 x 的符号",
            ),
            lambda x, w, up: (_local_slope(up, w) * up, (up * _negative_part(x)).sum()),
            Text(
                "Which branch an element took was settled in the forward pass, by x. Look at x > 0, not upstream > 0.",
                "每个元素走哪个分支，在前向传播时就由 x 决定了。应当看 x > 0，而不是 upstream > 0。",
            ),
        ),
        Mistake(
            Text("The weight's gradient is taken from the positive side", "权重的梯度取自了正半轴"),
            lambda x, w, up: (_local_slope(x, w) * up, (up * x.clamp(min=0)).sum()),
            Text(
                "For x > 0 the output is x: the weight plays no part there. It multiplies x where x ≤ 0.",
                "x > 0 时输出就是 x，与权重无关。权重只在 x ≤ 0 处与 x 相乘。",
            ),
        ),
        Mistake(
            Text("The weight's gradient is the derivative by x, summed", "权重的梯度写成了对 x 的导数再求和"),
            lambda x, w, up: (_local_slope(x, w) * up, (up * w)[x <= 0].sum()),
            Text(
                "weight · x has the derivative weight by x, but x by the weight. dweight needs the second.",
                "weight · x 对 x 的导数是 weight，对 weight 的导数是 x。dweight 要用后者。",
            ),
        ),
        Mistake(
            Text("The weight's gradient is not summed", "权重的梯度没有求和"),
            lambda x, w, up: (_local_slope(x, w) * up, up * _negative_part(x)),
            Text(
                "There is one weight for all elements, so it gets one number: the sum over the elements.",
                "所有元素共用一个权重，所以它的梯度只有一个数：对各元素求和。",
            ),
        ),
    ],
    hints=[
        Text(
            "Two cases. For x > 0 the output is x. For x ≤ 0 it is weight · x. Write the derivative of each by x, and by "
            "the weight.",
            "分两种情况：x > 0 时输出是 x；x ≤ 0 时输出是 weight · x。分别写出它们对 x 和对 weight 的导数。",
        ),
        Text(
            "Multiply each derivative by upstream. A value that is used many times gets the sum of its gradients.",
            "每个导数都要乘 upstream。被多处使用的量，它的梯度是各处梯度之和。",
        ),
        Text(
            "dx = upstream · (1 where x > 0, else weight); dweight = sum of upstream · (0 where x > 0, else x).",
            "dx = upstream · (x > 0 处取 1，否则取 weight)；dweight = 对 upstream · (x > 0 处取 0，否则取 x) 求和。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 02.3 softplus without overflow

SOFTPLUS = Exercise(
    id="02.3",
    title=Text("A softplus that survives x = 1000", "x = 1000 也不溢出的 softplus"),
    difficulty=2,
    minutes=8,
    reference=lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    inputs=lambda: [
        (_numbers(0.0),),
        (_numbers(-1.0, 1.0),),
        (_numbers(-30.0, 30.0),),
        (_numbers(-1000.0, 1000.0),),
    ],
    mistakes=[
        Mistake(
            Text("The plain formula", "直接套用了公式"),
            lambda x: torch.log(1 + torch.exp(x)),
            Text(
                "e^1000 is too large for a float64 and becomes inf. Find an equal form whose exponent is never above 0.",
                "e^1000 超出 float64 的范围，变成 inf。请找一个等价的写法，让指数永远不大于 0。",
            ),
        ),
        Mistake(
            Text("The exponent is cut off", "把指数截断了"),
            lambda x: torch.log1p(torch.exp(x.clamp(max=20))),
            Text(
                "With the input cut at 20 nothing overflows, but softplus(1000) becomes 20 and its slope 0. It must be 1000.",
                "输入截到 20 就不会溢出了，但 softplus(1000) 变成 20，斜率变成 0。正确的值是 1000。",
            ),
        ),
        Mistake(
            Text("The absolute value is missing", "漏了绝对值"),
            lambda x: x.clamp(min=0) + torch.log1p(torch.exp(-x)),
            Text(
                "x + log(1 + e^-x) is right for x > 0. For x < 0 the max is 0, and the exponent must be x, that is -|x|.",
                "x + log(1 + e^-x) 只在 x > 0 时成立。x < 0 时前一项是 0，指数应当是 x，也就是 -|x|。",
            ),
        ),
        Mistake(
            Text("The exponent has the wrong sign", "指数的符号反了"),
            lambda x: x.clamp(min=0) + torch.log1p(torch.exp(x.abs())),
            Text(
                "e^|x| grows without bound. The correction must fade away from 0 on both sides: e^-|x|.",
                "e^|x| 会无限增大。修正项离 0 越远应当越小：用 e^-|x|。",
            ),
        ),
        Mistake(
            Text("This is ReLU", "这是 ReLU"),
            lambda x: x.clamp(min=0),
            Text(
                "max(0, x) is where softplus goes far from 0. Near 0 the logarithm matters: softplus(0) = ln 2 = 0.6931.",
                "max(0, x) 只是离 0 很远时的极限。在 0 附近对数项不能丢：softplus(0) = ln 2 = 0.6931。",
            ),
        ),
    ],
    hints=[
        Text(
            "For x > 0 take e^x out of the bracket: log(1 + e^x) = log(e^x (e^-x + 1)). What does the logarithm make of a "
            "product?",
            "x > 0 时，把括号里的 e^x 提出来：log(1 + e^x) = log(e^x (e^-x + 1))。乘积的对数等于什么？",
        ),
        Text(
            "So it is x + log(1 + e^-x) for x > 0, and log(1 + e^x) for x ≤ 0. Write both as one formula with max(0, x) "
            "and |x|.",
            "于是 x > 0 时是 x + log(1 + e^-x)，x ≤ 0 时是 log(1 + e^x)。用 max(0, x) 和 |x| 把两式合成一个。",
        ),
        Text(
            "x.clamp(min=0) + torch.log1p(torch.exp(-x.abs())). log1p(y) is log(1 + y), exact for tiny y too.",
            "x.clamp(min=0) + torch.log1p(torch.exp(-x.abs()))。log1p(y) 就是 log(1 + y)，y 极小时也准确。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 02.4 softmax with temperature


def _plain_softmax(z: Tensor, dim: int = 1) -> Tensor:
    e = torch.exp(z)
    return e / e.sum(dim, keepdim=True)


def _shared_maximum(logits: Tensor, temperature: float) -> Tensor:
    return _plain_softmax((logits - logits.max()) / temperature)


SOFTMAX = Exercise(
    id="02.4",
    title=Text("Softmax with a temperature", "带温度的 softmax"),
    difficulty=2,
    minutes=8,
    reference=lambda logits, temperature: torch.exp(F.log_softmax(logits / temperature, dim=1)),
    inputs=lambda: [
        (_numbers(0.0, 1.0).reshape(1, 2), 1.0),
        (_numbers(0.0, 1.0, 2.0, 2.0, 0.0, 0.0).reshape(2, 3), 2.0),
        (_numbers(1000.0, 1001.0, 0.0, -1.0).reshape(2, 2), 0.5),
    ],
    mistakes=[
        Mistake(
            Text("Softmax over the batch axis", "沿批次轴做了 softmax"),
            lambda logits, temperature: torch.softmax(logits / temperature, dim=0),
            Text(
                "Each column sums to 1: the examples compete with each other. Let the classes of one example compete: "
                "dim=1.",
                "现在是每一列加起来等于 1，样本之间在互相竞争。应当让同一个样本的各类别竞争：用 dim=1。",
            ),
        ),
        Mistake(
            Text("The largest logit is not subtracted", "没有减去最大的 logit"),
            lambda logits, temperature: _plain_softmax(logits / temperature),
            Text(
                "e^2000 is inf, and inf / inf is nan. Subtract each row's largest logit first: the result is the same.",
                "e^2000 等于 inf，而 inf / inf 是 nan。请先减去每一行最大的 logit，结果不变。",
            ),
        ),
        Mistake(
            Text("One maximum for the whole batch", "整个批次共用一个最大值"),
            _shared_maximum,
            Text(
                "Next to a row with logits near 1000, a row near 0 becomes e^-2000 = 0 everywhere, and 0 / 0 is nan. Every "
                "row needs its own maximum.",
                "如果某一行的 logit 在 1000 左右，0 附近的另一行就全变成 e^-2000 = 0，而 0 / 0 是 nan。每一行要减自己的最大值。",
            ),
        ),
        Mistake(
            Text("Multiplied by the temperature", "乘了温度"),
            lambda logits, temperature: torch.softmax(logits * temperature, dim=1),
            Text(
                "A high temperature must make the probabilities more alike, here it makes them sharper. Divide by it.",
                "温度越高，概率应当越平均，而这里变得更尖锐了。应当除以温度。",
            ),
        ),
        Mistake(
            Text("The probabilities are divided, not the logits", "除的是概率，而不是 logit"),
            lambda logits, temperature: torch.softmax(logits, dim=1) / temperature,
            Text(
                "The rows no longer sum to 1. Divide the logits by the temperature, before the exponential.",
                "这样每一行的和不再是 1。应当在取指数之前，用 logit 除以温度。",
            ),
        ),
    ],
    hints=[
        Text(
            "logits are (B, K), and each row must sum to 1. Which axis runs over the classes? Where does the temperature go: "
            "before or after the exponential?",
            "logits 的形状是 (B, K)，每一行的和必须是 1。哪个轴是类别轴？温度放在取指数之前还是之后？",
        ),
        Text(
            "z = logits / temperature; then z - z.max(dim=1, keepdim=True).values, so that no exponent is above 0.",
            "先算 z = logits / temperature，再算 z - z.max(dim=1, keepdim=True).values，这样指数都不大于 0。",
        ),
        Text(
            "e = torch.exp(z - largest), then e / e.sum(dim=1, keepdim=True).",
            "e = torch.exp(z - largest)，然后 e / e.sum(dim=1, keepdim=True)。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 02.5 the slope of a chain of sigmoids


def _chain_reference(x: Tensor, depth: int) -> Tensor:
    leaf = x.clone().requires_grad_()
    a = leaf
    for _ in range(depth):
        a = torch.sigmoid(a)
    return torch.autograd.grad(a, leaf)[0]


def _slope(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * torch.sigmoid(-x)


def _slopes_on_the_way(x: Tensor, depth: int) -> list[Tensor]:
    slopes = []
    for _ in range(depth):
        slopes.append(_slope(x))
        x = torch.sigmoid(x)
    return slopes


def _one_step_late(x: Tensor, depth: int) -> Tensor:
    return torch.stack(_slopes_on_the_way(torch.sigmoid(x), depth)).prod()


CHAIN = Exercise(
    id="02.5",
    title=Text("The slope of a chain", "一串激活函数的斜率"),
    difficulty=3,
    minutes=12,
    reference=_chain_reference,
    inputs=lambda: [
        (torch.tensor(0.0, dtype=torch.float64), 1),
        (torch.tensor(0.0, dtype=torch.float64), 2),
        (torch.tensor(2.0, dtype=torch.float64), 3),
        (torch.tensor(-1.0, dtype=torch.float64), 10),
    ],
    atol=1e-15,
    mistakes=[
        Mistake(
            Text("Every slope is taken at the first input", "所有斜率都取在最初的输入处"),
            lambda x, depth: _slope(x) ** depth,
            Text(
                "The second sigmoid does not see x, it sees σ(x). Each slope belongs at the input of its own layer.",
                "第二个 sigmoid 的输入不是 x，而是 σ(x)。每个斜率都要在它自己那一层的输入处取。",
            ),
        ),
        Mistake(
            Text("Each slope is taken one step too late", "每个斜率都晚取了一步"),
            _one_step_late,
            Text(
                "The slope of a layer belongs at its input, not at its output: σ'(x), not σ'(σ(x)). Take the slope first, "
                "then move x on.",
                "一层的斜率要在它的输入处取，不是在输出处：是 σ'(x)，不是 σ'(σ(x))。请先取斜率，再更新 x。",
            ),
        ),
        Mistake(
            Text("The slopes are added", "把斜率相加了"),
            lambda x, depth: torch.stack(_slopes_on_the_way(x, depth)).sum(),
            Text(
                "Along a chain the slopes multiply. Gradients are added where paths meet, and here there is one path.",
                "沿着一条链，斜率要相乘。只有多条路径汇合时梯度才相加，而这里只有一条路径。",
            ),
        ),
        Mistake(
            Text("Only the last slope", "只取了最后一个斜率"),
            lambda x, depth: _slopes_on_the_way(x, depth)[-1],
            Text(
                "This is the slope of the last layer by its own input. Multiply by the slopes of all layers before it.",
                "这只是最后一层对自身输入的斜率，还要乘上前面所有层的斜率。",
            ),
        ),
        Mistake(
            Text("One layer too few", "少算了一层"),
            lambda x, depth: torch.stack([torch.ones_like(x), *_slopes_on_the_way(x, depth)[:-1]]).prod(),
            Text(
                "A chain of depth 1 has one slope, σ'(x). Check that your loop runs depth times.",
                "深度为 1 时有一个斜率 σ'(x)。请检查循环是不是执行了 depth 次。",
            ),
        ),
    ],
    hints=[
        Text(
            "Write it out for depth 2: d/dx σ(σ(x)) = σ'(σ(x)) · σ'(x). At which input is each slope taken?",
            "先写出深度为 2 的情形：d/dx σ(σ(x)) = σ'(σ(x)) · σ'(x)。每个斜率分别在哪个输入处取？",
        ),
        Text(
            "Start with product = 1. In each of depth rounds: multiply by the slope at the present x, then replace x by σ(x).",
            "从 product = 1 开始，循环 depth 次：先乘以当前 x 处的斜率，再把 x 换成 σ(x)。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 02.6 dead units


def _dead_reference(z: Tensor) -> float:
    outputs = F.relu(z).numpy()
    return float((outputs.sum(axis=0) == 0).sum() / outputs.shape[1])


DEAD = Exercise(
    id="02.6",
    title=Text("The share of dead units", "死亡单元的比例"),
    difficulty=2,
    minutes=8,
    reference=_dead_reference,
    inputs=lambda: [
        (_numbers(-1.0, 2.0).reshape(1, 2),),
        (_numbers(-1.0, 2.0, -3.0, -1.0).reshape(2, 2),),
        (_numbers(-1.0, 0.0, -1.0, 1.0, -2.0, 0.0, -3.0, -3.0, -1.0, 0.0, 2.0, -4.0).reshape(3, 4),),
        (
            _numbers(
                *(-1.0, 0.0, 3.0, -1.0, -2.0),
                *(-2.0, -1.0, -1.0, -5.0, -1.0),
                *(-1.0, -1.0, -2.0, 1.0, -1.0),
                *(-3.0, 0.0, -1.0, -1.0, -2.0),
            ).reshape(4, 5),
        ),
    ],
    mistakes=[
        Mistake(
            Text("This is the share of silent outputs", "这是输出为 0 的比例"),
            lambda z: (z <= 0).double().mean(),
            Text(
                "A ReLU that is 0 on half of the inputs is healthy. A dead unit is 0 on all of them: first ask for each "
                "unit, then average.",
                "一个 ReLU 在一半输入上为 0 很正常。死亡单元是在所有输入上都为 0：先对每个单元判断，再取平均。",
            ),
        ),
        Mistake(
            Text("One silent input is enough", "只要有一个输入为 0 就算死亡"),
            lambda z: (z <= 0).any(dim=0).double().mean(),
            Text(
                "any() calls a unit dead as soon as one input leaves it silent. Dead means silent on all inputs: all().",
                "any() 只要有一个输入没有激活该单元，就判它死亡。死亡是指所有输入都不能激活：用 all()。",
            ),
        ),
        Mistake(
            Text("The wrong axis: this counts inputs", "轴错了：数的是输入"),
            lambda z: (z <= 0).all(dim=1).double().mean(),
            Text(
                "z is (N, units). all(dim=1) asks for each input whether it wakes no unit. Ask over the inputs: dim=0.",
                "z 的形状是 (N, units)。all(dim=1) 问的是“这个输入是否一个单元也没激活”。应当沿输入轴判断：dim=0。",
            ),
        ),
        Mistake(
            Text("A unit at exactly 0 is called alive", "把恰好等于 0 的单元算成活的"),
            lambda z: (z < 0).all(dim=0).double().mean(),
            Text(
                "At z = 0 the output and the slope of ReLU are 0 as well. Use z <= 0.",
                "z = 0 时，ReLU 的输出和斜率同样是 0。应当用 z <= 0。",
            ),
        ),
        Mistake(
            Text("The number of dead units, not their share", "返回了个数，而不是比例"),
            lambda z: (z <= 0).all(dim=0).double().sum(),
            Text(
                "Divide by the number of units, so that layers of different widths can be compared.",
                "请除以单元总数，这样不同宽度的层才能比较。",
            ),
        ),
    ],
    hints=[
        Text(
            "z is (N, units). For one column: when is this unit dead?",
            "z 的形状是 (N, units)。只看一列：什么情况下这个单元是死的？",
        ),
        Text(
            "(z <= 0).all(dim=0) answers for each unit. The mean of these answers is the share.",
            "(z <= 0).all(dim=0) 给出每个单元的答案，对这些答案取平均就是比例。",
        ),
    ],
)

EXERCISES = [TANH, PRELU_BACKWARD, SOFTPLUS, SOFTMAX, CHAIN, DEAD]
