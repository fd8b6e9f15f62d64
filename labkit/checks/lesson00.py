"""Checks of lesson 00: a percentage, a seed, a shape error, a learning curve, a MODE."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from labkit.checks.core import Exercise, Mistake, Text

# ---------------------------------------------------------------------------------------------------------------
# 00.1 percentage of right answers


def _percent_reference(predictions: Tensor, targets: Tensor) -> float:
    return (
        100.0
        * sum(p == t for p, t in zip(predictions.tolist(), targets.tolist(), strict=True))
        / len(targets)
    )


def _percent_inputs() -> list[tuple]:
    return [
        (torch.tensor([1, 2]), torch.tensor([1, 2])),
        (torch.tensor([7, 1, 1]), torch.tensor([7, 1, 2])),
        (torch.tensor([0, 0, 0, 4, 5]), torch.tensor([0, 1, 2, 3, 5])),
    ]


PERCENT = Exercise(
    id="00.1",
    title=Text("Percentage of right answers", "正确率（百分数）"),
    difficulty=1,
    minutes=3,
    reference=_percent_reference,
    inputs=_percent_inputs,
    mistakes=[
        Mistake(
            Text("A share instead of a percentage", "返回的是比例，不是百分数"),
            lambda p, t: (p == t).float().mean().item(),
            Text(
                "All right is 1.0 as a share and 100.0 in percent. Multiply by 100.",
                "全部正确时，比例是 1.0，百分数是 100.0。请再乘以 100。",
            ),
        ),
        Mistake(
            Text("The percentage of wrong answers", "算成了错误率"),
            lambda p, t: 100.0 * (p != t).float().mean().item(),
            Text(
                "Count where both are equal, not where they differ.",
                "要数的是相等的位置，而不是不相等的位置。",
            ),
        ),
        Mistake(
            Text("Whole numbers only", "用了整除"),
            lambda p, t: 100 * int((p == t).sum()) // len(t),
            Text(
                "// throws the fraction away: 2 of 3 becomes 66. Divide with /.",
                "// 会丢掉小数部分，3 题答对 2 题就变成了 66。请用 / 来除。",
            ),
        ),
        Mistake(
            Text("The number of right answers, not their percentage", "返回了正确的个数，没有除以总数"),
            lambda p, t: float((p == t).sum()),
            Text("Divide by how many answers there are.", "还要除以答案的总数。"),
        ),
    ],
    hints=[
        Text(
            "predictions == targets is a tensor of True and False.",
            "predictions == targets 得到一个由 True 和 False 组成的张量。",
        ),
        Text(
            "True counts as 1: (predictions == targets).float().mean() is the share. One step is missing.",
            "True 按 1 计算：(predictions == targets).float().mean() 就是比例，还差一步。",
        ),
    ],
    rtol=0.0,
    atol=0.006,  # the task prints two decimals, so an answer rounded to two is right
)


# ---------------------------------------------------------------------------------------------------------------
# 00.2 seeded noise


def _noise_reference(count: int, seed: int) -> Tensor:
    return torch.normal(0.0, 1.0, (count,), generator=torch.Generator().manual_seed(seed))


def _noise_restarted(count: int, seed: int) -> Tensor:
    return torch.cat([torch.randn(1, generator=torch.Generator().manual_seed(seed)) for _ in range(count)])


NOISE = Exercise(
    id="00.2",
    title=Text("The same noise for the same seed", "相同的种子，相同的噪声"),
    difficulty=1,
    minutes=4,
    reference=_noise_reference,
    inputs=lambda: [(1, 0), (3, 1), (5, 2)],
    mistakes=[
        Mistake(
            Text("The seed is ignored", "没有用到传入的种子"),
            lambda count, seed: torch.randn(count, generator=torch.Generator().manual_seed(0)),
            Text(
                "Every seed gives the numbers of seed 0. Pass the argument to manual_seed.",
                "无论传入什么种子，得到的都是种子 0 的数。请把参数传给 manual_seed。",
            ),
        ),
        Mistake(
            Text("The generator starts again for each number", "每取一个数就重新播种"),
            _noise_restarted,
            Text(
                "All numbers are equal then. Seed once, before the first number.",
                "这样得到的数全都相同。只在取第一个数之前播种一次。",
            ),
        ),
        Mistake(
            Text("Uniform instead of normal numbers", "用了均匀分布，不是正态分布"),
            lambda count, seed: torch.rand(count, generator=torch.Generator().manual_seed(seed)),
            Text(
                "rand draws from 0 to 1 and is never negative; randn draws from the normal distribution.",
                "rand 在 0 到 1 之间取数，不会出现负数；randn 才取自正态分布。",
            ),
        ),
        Mistake(
            Text("Count and seed are swapped", "个数与种子写反了"),
            lambda count, seed: torch.randn(seed, generator=torch.Generator().manual_seed(count)),
            Text(
                "The first argument is the count, the second the seed.",
                "第一个参数是个数，第二个参数是种子。",
            ),
        ),
    ],
    hints=[
        Text(
            "torch.Generator().manual_seed(seed) is a source of randomness of its own.",
            "torch.Generator().manual_seed(seed) 是一个独立的随机数生成器。",
        ),
        Text("Give it to torch.randn as generator=...", "把它作为 generator=... 传给 torch.randn。"),
    ],
    own_randomness=True,
)


# ---------------------------------------------------------------------------------------------------------------
# 00.3 a layer whose weights are stored (out, in)


def _layer_inputs() -> list[tuple]:
    generator = torch.Generator().manual_seed(3)

    def case(batch: int, inputs: int, outputs: int) -> tuple:
        return tuple(
            torch.randint(-3, 4, shape, generator=generator).float()
            for shape in ((batch, inputs), (outputs, inputs), (outputs,))
        )

    small = (torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0.0, 10.0]))
    return [small, case(2, 3, 4), case(5, 4, 2)]


LAYER = Exercise(
    id="00.3",
    title=Text("Mend a shape error", "读懂并修好一个形状错误"),
    difficulty=2,
    minutes=6,
    reference=F.linear,
    inputs=_layer_inputs,
    mistakes=[
        Mistake(
            Text("Reshaped instead of transposed", "用 reshape 代替了转置"),
            lambda x, weight, bias: x @ weight.reshape(x.shape[1], -1) + bias,
            Text(
                "The error is gone, but the numbers stand in the wrong places. reshape only cuts the row of numbers "
                "anew; .T turns rows into columns.",
                "报错没有了，但数放错了位置。reshape 只是把一串数重新分行；.T 才把行变成列。",
            ),
        ),
        Mistake(
            Text("Not transposed", "没有转置"),
            lambda x, weight, bias: x @ weight + bias,
            Text(
                "It runs where the matrix is square, and is wrong there too. weight is (out, in); x needs (in, out).",
                "只有 weight 恰好是方阵时才能运行，而且结果也是错的。weight 的形状是（输出数，输入数），与 x 相乘需要（输入数，输出数）。",
            ),
        ),
        Mistake(
            Text("The bias is missing", "漏掉了偏置"),
            lambda x, weight, bias: x @ weight.T,
            Text("Add bias at the end: one number for each output.", "最后要加上 bias：每个输出对应一个数。"),
        ),
        Mistake(
            Text("The bias is multiplied too", "偏置也被乘进去了"),
            lambda x, weight, bias: (x + bias.sum()) @ weight.T,
            Text(
                "First the product, then the sum: x @ weight.T + bias.",
                "先做乘法，再加偏置：x @ weight.T + bias。",
            ),
        ),
    ],
    hints=[
        Text(
            "In (B, in) @ (?, ?) the inner two numbers must be equal. Which of weight's two sides is `in`?",
            "在 (B, in) @ (?, ?) 中，中间的两个数必须相等。weight 的哪一维是 in？",
        ),
        Text("weight.T has the shape (in, out).", "weight.T 的形状是 (in, out)。"),
    ],
)


# ---------------------------------------------------------------------------------------------------------------
# 00.4 reading a learning curve


def _first_reference(steps: list[int], accuracies: list[float], goal: float) -> int | None:
    return min((s for s, a in zip(steps, accuracies, strict=True) if a >= goal), default=None)


def _first_index(steps: list[int], accuracies: list[float], goal: float) -> int | None:
    return next((i for i, a in enumerate(accuracies) if a >= goal), None)


def _last_below(steps: list[int], accuracies: list[float], goal: float) -> int | None:
    """The step from which on the curve stays above the goal."""
    below = [i for i, a in enumerate(accuracies) if a < goal]
    start = below[-1] + 1 if below else 0
    return steps[start] if start < len(steps) else None


def _strictly_above(steps: list[int], accuracies: list[float], goal: float) -> int | None:
    return next((s for s, a in zip(steps, accuracies, strict=True) if a > goal), None)


def _best_step(steps: list[int], accuracies: list[float], goal: float) -> int | None:
    best = max(range(len(steps)), key=lambda i: accuracies[i])
    return steps[best] if accuracies[best] >= goal else None


FIRST_STEP = Exercise(
    id="00.4",
    title=Text("When was the goal first reached?", "第一次达标是在第几步？"),
    difficulty=1,
    minutes=5,
    reference=_first_reference,
    inputs=lambda: [
        ([20, 40], [0.5, 0.9], 0.8),
        ([20, 40, 60], [0.5, 0.9, 0.95], 0.9),
        ([10, 20, 30, 40], [0.4, 0.91, 0.88, 0.97], 0.9),
        ([10, 20], [0.3, 0.4], 0.9),
    ],
    mistakes=[
        Mistake(
            Text("The place in the list instead of the step", "返回的是列表中的位置，不是步数"),
            _first_index,
            Text(
                "The index counts evaluations. Look the step up at that index: steps[index].",
                "下标数的是第几次评估。请用这个下标取出步数：steps[index]。",
            ),
        ),
        Mistake(
            Text("Strictly above the goal", "写成了严格大于"),
            _strictly_above,
            Text("The goal itself is good enough: compare with >=.", "刚好等于目标也算达标：请用 >= 比较。"),
        ),
        Mistake(
            Text("The best step, not the first one", "返回了最好的一步，不是第一次达标的一步"),
            _best_step,
            Text(
                "The curve goes on rising after the goal. Stop at the first value that reaches it.",
                "达标之后曲线还会上升。遇到第一个达标的值就应停下。",
            ),
        ),
        Mistake(
            Text("From where on it stays above the goal", "返回了从此不再低于目标的那一步"),
            _last_below,
            Text(
                "A curve may fall below the goal again. Here the first time counts.",
                "曲线达标后还可能再跌下去。这里问的是第一次达标。",
            ),
        ),
    ],
    hints=[
        Text(
            "zip(steps, accuracies) walks through both lists together.",
            "zip(steps, accuracies) 可以同时遍历两个列表。",
        ),
        Text(
            "Return the step inside the loop at the first accuracy >= goal. After the loop, return None.",
            "在循环里，遇到第一个不小于 goal 的正确率就返回该步数；循环结束后返回 None。",
        ),
    ],
    accept=lambda received, expected, _arguments: (
        received is None if expected is None else not isinstance(received, bool) and received == expected
    ),
)


# ---------------------------------------------------------------------------------------------------------------
# 00.5 how long a MODE trains

_EPOCHS = {"class": 5, "full": 50}


def _steps_reference(mode: str, rows: int, batch_size: int) -> int:
    return 2 if mode == "smoke" else _EPOCHS[mode] * math.ceil(rows / batch_size)


STEPS = Exercise(
    id="00.5",
    title=Text("How many steps a MODE takes", "每种 MODE 训练多少步"),
    difficulty=2,
    minutes=6,
    reference=_steps_reference,
    inputs=lambda: [
        ("smoke", 64, 32),
        ("class", 64, 32),
        ("class", 70, 32),
        ("full", 1437, 64),
        ("smoke", 1437, 64),
    ],
    mistakes=[
        Mistake(
            Text("The last, smaller batch is lost", "漏掉了最后一个不满的批"),
            lambda mode, rows, size: 2 if mode == "smoke" else _EPOCHS[mode] * (rows // size),
            Text(
                "70 rows in batches of 32 are 3 steps: 32, 32 and 6. Round up.",
                "70 行、每批 32 行，要走 3 步：32、32 和 6。应当向上取整。",
            ),
        ),
        Mistake(
            Text("Epochs instead of steps", "返回的是轮数，不是步数"),
            lambda mode, rows, size: {"smoke": 2, **_EPOCHS}[mode],
            Text(
                "An epoch goes through all rows once; it takes rows / batch_size steps, rounded up.",
                "一轮（epoch）是把所有行用过一遍，需要 rows / batch_size 步（向上取整）。",
            ),
        ),
        Mistake(
            Text("smoke trains two epochs", "smoke 也按轮数计算了"),
            lambda mode, rows, size: {"smoke": 2, **_EPOCHS}[mode] * math.ceil(rows / size),
            Text(
                "smoke takes 2 steps whatever the data: it only proves that the cells run.",
                "不论数据多大，smoke 都只走 2 步：它只用来证明每个单元格能运行。",
            ),
        ),
        Mistake(
            Text("class and full are swapped", "class 与 full 写反了"),
            lambda mode, rows, size: (
                2 if mode == "smoke" else {"class": 50, "full": 5}[mode] * math.ceil(rows / size)
            ),
            Text(
                "full is the long one: 50 epochs. class takes 5.",
                "full 是时间长的那个：50 轮；class 是 5 轮。",
            ),
        ),
    ],
    hints=[
        Text(
            "First: how many steps has one epoch? math.ceil(rows / batch_size) rounds up.",
            "先想：一轮有多少步？math.ceil(rows / batch_size) 会向上取整。",
        ),
        Text(
            'Return 2 for "smoke"; else the epochs, 5 or 50, times the steps of one epoch.',
            '"smoke" 返回 2；其余返回轮数（5 或 50）乘以每轮的步数。',
        ),
    ],
)


EXERCISES = [PERCENT, NOISE, LAYER, FIRST_STEP, STEPS]
