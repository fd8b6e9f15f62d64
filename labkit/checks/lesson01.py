"""Checks of lesson 01: parameters, memory, computation, a fair verdict, base rates, leaked test data."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from labkit.checks.core import Exercise, Mistake, Text

# ---------------------------------------------------------------------------------------------------------------
# 01.1 parameters of a Transformer block


def _block_reference(width: int, heads: int, hidden: int) -> int:
    return sum(p.numel() for p in nn.TransformerEncoderLayer(width, heads, hidden).parameters())


def _block(width: int, hidden: int, projections: int = 4, norms: int = 2, bias: int = 1) -> int:
    attention = projections * (width * width + bias * width)
    feed_forward = 2 * width * hidden + bias * (hidden + width)
    return attention + feed_forward + norms * 2 * width


BLOCK = Exercise(
    id="01.1",
    title=Text("Count a Transformer block", "数一数 Transformer 块的参数"),
    difficulty=2,
    minutes=8,
    reference=_block_reference,
    inputs=lambda: [(1, 1, 1), (2, 1, 8), (4, 2, 6), (8, 4, 32)],
    mistakes=[
        Mistake(
            Text("The output projection is missing", "漏掉了输出投影"),
            lambda width, heads, hidden: _block(width, hidden, projections=3),
            Text(
                "Attention has four matrices: for queries, keys and values, and one that mixes the heads' results.",
                "注意力有四个矩阵：查询、键、值各一个，还有一个把各个头的结果合起来。",
            ),
        ),
        Mistake(
            Text("The biases are missing", "漏掉了偏置"),
            lambda width, heads, hidden: _block(width, hidden, bias=0),
            Text(
                "Each of the six matrices has a bias for every output.",
                "六个矩阵各有一组偏置，每个输出一个。",
            ),
        ),
        Mistake(
            Text("The heads are multiplied in", "乘上了头的个数"),
            lambda width, heads, hidden: _block(width, hidden, projections=4 * heads),
            Text(
                "Heads divide the width among themselves; they do not add any.",
                "各个头是把宽度分开来用，并没有增加参数。",
            ),
        ),
        Mistake(
            Text("Only one normalization", "只算了一个层归一化"),
            lambda width, heads, hidden: _block(width, hidden, norms=1),
            Text(
                "There are two: one beside the attention, one beside the feed-forward part; each scales and shifts.",
                "层归一化有两个：注意力旁边一个，前馈部分旁边一个，每个都有缩放和平移。",
            ),
        ),
        Mistake(
            Text("hidden is taken for four times the width", "把 hidden 当成了宽度的四倍"),
            lambda width, heads, hidden: _block(width, 4 * width),
            Text(
                "That is usual and not a law. Use the argument hidden.",
                "通常是四倍，但并非一定。请用参数 hidden。",
            ),
        ),
    ],
    hints=[
        Text(
            "A linear layer from n to m has n m + m parameters. There are six of them.",
            "从 n 到 m 的线性层有 n m + m 个参数。这里一共有六个线性层。",
        ),
        Text(
            "Four from width to width, one from width to hidden, one back. Then two normalizations with 2 width each.",
            "四个从 width 到 width，一个从 width 到 hidden，一个回来；再加两个层归一化，各有 2 width 个参数。",
        ),
    ],
    rtol=0.0,
    atol=0.5,
)


# ---------------------------------------------------------------------------------------------------------------
# 01.2 memory


def _memory(parameters: float, bits: float, copies: int, giga: float = 1e9) -> float:
    return parameters * bits / 8 * copies / giga


MEMORY = Exercise(
    id="01.2",
    title=Text("Memory of a model", "模型占多少内存"),
    difficulty=1,
    minutes=6,
    reference=lambda parameters, bits, training: math.fsum(
        [parameters * bits / 8e9] * (4 if training else 1)
    ),
    inputs=lambda: [
        (1e9, 8, False),
        (1e9, 16, False),
        (1e9, 32, True),
        (7e9, 4, False),
        (175e9, 16, True),
    ],
    mistakes=[
        Mistake(
            Text("Bits taken for bytes", "把比特当成了字节"),
            lambda n, bits, training: _memory(n, 8 * bits, 4 if training else 1),
            Text("A byte has 8 bits: divide by 8.", "一个字节有 8 个比特：要除以 8。"),
        ),
        Mistake(
            Text("Adam's two averages are missing", "漏掉了 Adam 的两组平均值"),
            lambda n, bits, training: _memory(n, bits, 2 if training else 1),
            Text(
                "In training, Adam keeps two more numbers for each weight beside its gradient: four copies in all.",
                "训练时，除了梯度，Adam 还为每个权重保存两个数，一共四份。",
            ),
        ),
        Mistake(
            Text("The gradients are missing", "漏掉了梯度"),
            lambda n, bits, training: _memory(n, bits, 3 if training else 1),
            Text(
                "Weights, gradients, and Adam's two averages: four copies in all.",
                "权重、梯度、Adam 的两组平均值，一共四份。",
            ),
        ),
        Mistake(
            Text("Powers of two instead of ten", "用了 2 的幂，没有用 10 的幂"),
            lambda n, bits, training: _memory(n, bits, 4 if training else 1, giga=2**30),
            Text(
                "1024³ bytes are a GiB. A GB is 10⁹ bytes, 7 % less.",
                "1024³ 字节是 1 GiB；1 GB 是 10⁹ 字节，少 7%。",
            ),
        ),
        Mistake(
            Text("Training counted like use", "训练时也只算了一份权重"),
            lambda n, bits, training: _memory(n, bits, 1),
            Text(
                "Training needs more than the weights: gradients and Adam's averages.",
                "训练要的不只是权重，还有梯度和 Adam 的平均值。",
            ),
        ),
    ],
    hints=[
        Text("Bytes of one copy: parameters * bits / 8.", "一份的字节数：parameters * bits / 8。"),
        Text(
            "In training there are four copies: weights, gradients, two averages. Divide by 1e9 at the end.",
            "训练时有四份：权重、梯度、两组平均值。最后除以 1e9。",
        ),
    ],
)


# ---------------------------------------------------------------------------------------------------------------
# 01.3 computation

FLOPS = Exercise(
    id="01.3",
    title=Text("Computation of a training run", "训练一次要多少计算"),
    difficulty=2,
    minutes=6,
    reference=lambda total, active, tokens: math.prod([2 + 4, active, tokens]),
    inputs=lambda: [
        (1e6, 1e6, 1e6),
        (4e6, 1e6, 1e6),
        (175e9, 175e9, 300e9),
        (671e9, 37e9, 14.8e12),
    ],
    mistakes=[
        Mistake(
            Text("All parameters of a mixture of experts", "混合专家模型算上了全部参数"),
            lambda total, active, tokens: 6 * total * tokens,
            Text(
                "A token passes through the active parameters only.",
                "每个词元只经过被激活的那部分参数。",
            ),
        ),
        Mistake(
            Text("Forward pass only", "只算了前向传播"),
            lambda total, active, tokens: 2 * active * tokens,
            Text(
                "2 per parameter and token is the forward pass. The backward pass costs twice as much again.",
                "每个参数、每个词元 2 次，只是前向传播；反向传播还要两倍。",
            ),
        ),
        Mistake(
            Text("The backward pass counted like the forward pass", "把反向传播算成与前向传播一样多"),
            lambda total, active, tokens: 4 * active * tokens,
            Text(
                "Backward there are two products for each weight matrix: one for its input's gradient, one for its own.",
                "反向传播时，每个权重矩阵要做两次乘法：一次求输入的梯度，一次求自己的梯度。",
            ),
        ),
        Mistake(
            Text("The tokens are missing", "漏掉了词元数"),
            lambda total, active, tokens: 6 * active,
            Text(
                "That is the cost of one token. Multiply by tokens.",
                "这只是一个词元的计算量，还要乘以词元数。",
            ),
        ),
    ],
    hints=[
        Text(
            "Forward: one multiplication and one addition for each active parameter and token.",
            "前向：每个被激活的参数、每个词元，做一次乘法和一次加法。",
        ),
        Text("Backward costs twice the forward pass: 2 + 4 = 6.", "反向是前向的两倍：2 + 4 = 6。"),
    ],
)


# ---------------------------------------------------------------------------------------------------------------
# 01.4 is ours better?


def _verdict_reference(ours: list[float], theirs: list[float]) -> str:
    result = stats.ttest_rel(ours, theirs)
    if result.pvalue >= 0.05:
        return "unclear"
    return "better" if result.statistic > 0 else "worse"


def _verdict_by_means(ours: list[float], theirs: list[float]) -> str:
    return "better" if np.mean(ours) > np.mean(theirs) else "worse"


def _interval(values: list[float]) -> tuple[float, float]:
    spread = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values))
    return float(np.mean(values) - spread), float(np.mean(values) + spread)


def _verdict_by_overlap(ours: list[float], theirs: list[float]) -> str:
    (low, high), (other_low, other_high) = _interval(ours), _interval(theirs)
    if low > other_high:
        return "better"
    return "worse" if high < other_low else "unclear"


def _verdict_by_deviation(ours: list[float], theirs: list[float]) -> str:
    differences = np.subtract(ours, theirs)
    if abs(differences.mean()) <= differences.std(ddof=1):
        return "unclear"
    return "better" if differences.mean() > 0 else "worse"


def _verdict_by_normal(ours: list[float], theirs: list[float]) -> str:
    differences = np.subtract(ours, theirs)
    if abs(differences.mean()) <= 1.96 * differences.std(ddof=1) / math.sqrt(len(differences)):
        return "unclear"
    return "better" if differences.mean() > 0 else "worse"


def _verdict_swapped(ours: list[float], theirs: list[float]) -> str:
    return {"better": "worse", "worse": "better"}.get(_verdict_reference(ours, theirs), "unclear")


VERDICT = Exercise(
    id="01.4",
    title=Text("Better, worse or unclear", "更好、更差，还是看不出"),
    difficulty=3,
    minutes=10,
    reference=_verdict_reference,
    inputs=lambda: [
        ([0.90, 0.80, 0.70], [0.88, 0.77, 0.68]),  # clear in pairs, hidden by the splits
        ([0.70, 0.80, 0.92], [0.71, 0.83, 0.93]),
        ([0.95, 0.94, 0.96, 0.95], [0.80, 0.81, 0.80, 0.79]),
        ([0.90, 0.92, 0.91], [0.91, 0.90, 0.905]),
        ([0.90, 0.91, 0.95], [0.88, 0.90, 0.90]),  # larger than its deviation, and still unclear
        ([0.60, 0.61, 0.60, 0.62], [0.70, 0.71, 0.71, 0.70]),
        ([0.93, 0.90, 0.92, 0.91, 0.94, 0.90, 0.91, 0.93], [0.90, 0.91, 0.89, 0.91, 0.90, 0.89, 0.92, 0.90]),
    ],
    mistakes=[
        Mistake(
            Text("The means are compared, without an interval", "只比较了平均值，没有看区间"),
            _verdict_by_means,
            Text(
                "Two means are never quite equal. Ask whether the interval of the differences excludes 0.",
                "两个平均值几乎不会正好相等。要看差值的区间是否不含 0。",
            ),
        ),
        Mistake(
            Text("Two intervals are compared for overlap", "看的是两个区间是否重叠"),
            _verdict_by_overlap,
            Text(
                "Both were measured on the same splits. Subtract split by split first: easy and hard splits then cancel.",
                "两者是在同样的划分上测的。应先逐个划分相减，划分本身的难易就抵消了。",
            ),
        ),
        Mistake(
            Text("The standard deviation instead of the interval", "用标准差代替了区间"),
            _verdict_by_deviation,
            Text(
                "The deviation says how far single differences scatter. The interval of their mean has t / sqrt(n) in it.",
                "标准差说的是单个差值有多分散；平均值的区间还要乘以 t / sqrt(n)。",
            ),
        ),
        Mistake(
            Text("1.96 in place of Student's t", "用 1.96 代替了 t 分布的分位数"),
            _verdict_by_normal,
            Text(
                "1.96 belongs to very many runs. With three runs the interval needs t = 4.30, with five 2.78: "
                "metrics.mean_interval knows it.",
                "1.96 只适用于次数很多的情形。3 次运行时 t = 4.30，5 次时 t = 2.78：metrics.mean_interval 会自动选取。",
            ),
        ),
        Mistake(
            Text("better and worse are swapped", "better 与 worse 写反了"),
            _verdict_swapped,
            Text(
                "Subtract theirs from ours: an interval above 0 is better.",
                "用 ours 减 theirs：区间在 0 以上是 better。",
            ),
        ),
    ],
    hints=[
        Text(
            "Make a list of the differences, ours minus theirs, one for each split.",
            "先列出差值：每个划分上 ours 减 theirs。",
        ),
        Text(
            "metrics.mean_interval(differences) gives (mean, low, high). better: low > 0. worse: high < 0.",
            "metrics.mean_interval(差值列表) 返回（平均, 下限, 上限）。下限大于 0 是 better，上限小于 0 是 worse。",
        ),
    ],
)


# ---------------------------------------------------------------------------------------------------------------
# 01.5 what a positive test means


def _ill_reference(sensitivity: float, specificity: float, prevalence: float) -> float:
    """Counted on a million people."""
    ill = 1e6 * prevalence
    found, false_alarms = ill * sensitivity, (1e6 - ill) * (1 - specificity)
    return found / (found + false_alarms)


CHANCE = Exercise(
    id="01.5",
    title=Text("What a positive finding means", "阳性意味着什么"),
    difficulty=2,
    minutes=8,
    reference=_ill_reference,
    inputs=lambda: [(0.9, 0.9, 0.5), (0.8, 0.9, 0.5), (0.9, 0.9, 0.01), (0.99, 0.95, 0.001)],
    mistakes=[
        Mistake(
            Text("The sensitivity is taken for the answer", "把灵敏度当成了答案"),
            lambda sensitivity, specificity, prevalence: sensitivity,
            Text(
                "Sensitivity is the chance of a finding if ill. Asked is the chance of being ill if there is a finding.",
                "灵敏度是“有病时查出阳性”的概率；这里问的是“查出阳性时有病”的概率。",
            ),
        ),
        Mistake(
            Text("The prevalence is left out", "没有考虑患病率"),
            lambda sensitivity, specificity, prevalence: sensitivity / (sensitivity + 1 - specificity),
            Text(
                "That holds if half of the people are ill. If few are, the many healthy ones give most of the findings.",
                "只有一半人患病时才是这样。患者很少时，大多数阳性来自为数众多的健康人。",
            ),
        ),
        Mistake(
            Text("The share of positive findings", "算成了阳性的比例"),
            lambda sensitivity, specificity, prevalence: (
                sensitivity * prevalence + (1 - specificity) * (1 - prevalence)
            ),
            Text(
                "That is the denominator. Divide the ill among them by it.",
                "这只是分母。请用“患病且查出阳性”的比例除以它。",
            ),
        ),
        Mistake(
            Text("The specificity is used for false alarms", "误报用成了特异度"),
            lambda sensitivity, specificity, prevalence: (
                sensitivity * prevalence / (sensitivity * prevalence + specificity * (1 - prevalence))
            ),
            Text(
                "Specificity is the share of healthy people who are rightly cleared. False alarms are 1 - specificity.",
                "特异度是健康人被正确判为阴性的比例；误报的比例是 1 - 特异度。",
            ),
        ),
    ],
    hints=[
        Text(
            "Imagine 10,000 people. How many are ill and found? How many are healthy and found all the same?",
            "设想 10,000 人：有多少人患病并被查出？又有多少健康人也被判为阳性？",
        ),
        Text(
            "found = sensitivity * prevalence; false = (1 - specificity) * (1 - prevalence); found / (found + false).",
            "found = 灵敏度 × 患病率；false =（1 - 特异度）×（1 - 患病率）；答案是 found / (found + false)。",
        ),
    ],
)


# ---------------------------------------------------------------------------------------------------------------
# 01.6 leaked test rows


def _leaked_reference(train: Tensor, test: Tensor, radius: float) -> float:
    train, test = train.double().numpy(), test.double().numpy()
    return sum(min(np.linalg.norm(row - other) for other in train) < radius for row in test) / len(test)


def _leaked_by_place(train: Tensor, test: Tensor, radius: float) -> float:
    count = min(len(train), len(test))
    return ((train[:count] - test[:count]).norm(dim=1) < radius).float().mean().item()


def _leaked_inputs() -> list[tuple]:
    generator = torch.Generator().manual_seed(11)
    train = torch.randint(0, 4, (12, 3), generator=generator).float()
    test = torch.randint(0, 4, (6, 3), generator=generator).float()
    return [
        (torch.tensor([[0.0], [5.0]]), torch.tensor([[5.0], [9.0]]), 0.5),
        (torch.tensor([[0.0], [1.0], [1.2], [9.0]]), torch.tensor([[0.1], [1.1], [5.0]]), 0.5),
        (torch.tensor([[0.0, 0.0], [4.0, 4.0], [8.0, 0.0]]), torch.tensor([[4.0, 4.3], [9.0, 0.0]]), 0.5),
        (train, test, 2.1),
    ]


LEAKED = Exercise(
    id="01.6",
    title=Text("Find leaked test rows", "找出泄漏的测试样本"),
    difficulty=3,
    minutes=10,
    reference=_leaked_reference,
    inputs=_leaked_inputs,
    mistakes=[
        Mistake(
            Text("Rows are compared by their place", "按位置逐行比较"),
            _leaked_by_place,
            Text(
                "A copy may stand anywhere in the training set. Compare each test row with all training rows.",
                "复制品可能在训练集的任何位置。每个测试样本都要与所有训练样本比较。",
            ),
        ),
        Mistake(
            Text("The share of training rows", "算成了训练样本的比例"),
            lambda train, test, radius: (torch.cdist(train, test).amin(dim=1) < radius).float().mean().item(),
            Text(
                "Asked is how much of the test is spoilt: one minimum for each test row.",
                "问的是测试集中有多少被污染：对每个测试样本取一个最小值。",
            ),
        ),
        Mistake(
            Text("The mean distance instead of the smallest", "用了平均距离，没有用最小距离"),
            lambda train, test, radius: (torch.cdist(test, train).mean(dim=1) < radius).float().mean().item(),
            Text(
                "One near copy is enough to leak, however far the other training rows are.",
                "只要有一个相近的复制品就算泄漏，其他训练样本多远都无所谓。",
            ),
        ),
        Mistake(
            Text("The number of near pairs", "数成了相近的配对数"),
            lambda train, test, radius: (torch.cdist(test, train) < radius).float().sum().item() / len(test),
            Text(
                "A test row with three near copies counts once.",
                "一个测试样本即使有三个相近的复制品，也只算一次。",
            ),
        ),
    ],
    hints=[
        Text(
            "torch.cdist(test, train) gives all distances: a row for each test row, a column for each training row.",
            "torch.cdist(test, train) 给出所有距离：每个测试样本一行，每个训练样本一列。",
        ),
        Text(
            "amin(dim=1) is the distance to the nearest training row. Then compare with radius and average.",
            "amin(dim=1) 是到最近训练样本的距离。再与 radius 比较，取平均。",
        ),
    ],
)


EXERCISES = [BLOCK, MEMORY, FLOPS, VERDICT, CHANCE, LEAKED]
