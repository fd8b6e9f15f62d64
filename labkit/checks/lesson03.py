"""Checks of lesson 03: squared errors, cross-entropy and its gradient, log-sum-exp, KL, calibration, perplexity."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor
from torch.nn import functional as F

from labkit.checks.core import Exercise, Mistake, Text

# ---------------------------------------------------------------------------------------------------------------
# 03.1 mean squared error of each example


def _squared_errors_reference(predictions: Tensor, targets: Tensor) -> Tensor:
    pairs = zip(predictions, targets, strict=True)
    return torch.stack([F.mse_loss(prediction, target) for prediction, target in pairs])


def _squared_errors_inputs() -> list[tuple]:
    return [
        (torch.tensor([[2.0, 3.0]]), torch.tensor([[1.0, 4.0]])),
        (torch.tensor([[0.0, 0.0], [1.0, 3.0]]), torch.tensor([[0.0, 4.0], [1.0, 1.0]])),
        (
            torch.tensor([[0.5, -1.0, 2.0], [3.0, 0.0, 0.0]]),
            torch.tensor([[0.0, 1.0, 2.5], [0.0, 1.0, -1.0]]),
        ),
    ]


SQUARED_ERRORS = Exercise(
    id="03.1",
    title=Text("Mean squared error of each example", "每个样本的均方误差"),
    difficulty=1,
    minutes=5,
    reference=_squared_errors_reference,
    inputs=_squared_errors_inputs,
    mistakes=[
        Mistake(
            Text("The mean is taken over the wrong axis", "沿错误的轴取了平均"),
            lambda p, t: ((p - t) ** 2).mean(dim=0),
            Text(
                "dim=0 runs over the examples, so that they are mixed. Each example keeps its own number: dim=1.",
                "dim=0 是样本轴，沿它平均会把不同样本混在一起。每个样本要保留自己的一个数：应当用 dim=1。",
            ),
        ),
        Mistake(
            Text("One mean over everything", "把所有元素一起取了平均"),
            lambda p, t: ((p - t) ** 2).mean(),
            Text(
                "mean() without an axis leaves one number. Asked is one number for each of the B examples.",
                "mean() 不指定轴，只会得到一个数。题目要的是 B 个样本各有一个数。",
            ),
        ),
        Mistake(
            Text("A sum instead of a mean", "求了和，没有取平均"),
            lambda p, t: ((p - t) ** 2).sum(dim=1),
            Text(
                "The sum grows with the number of components D. Divide by D: mean(dim=1).",
                "求和的结果会随分量个数 D 变大。请再除以 D，也就是 mean(dim=1)。",
            ),
        ),
        Mistake(
            Text("Half of the mean squared error", "多除了一个 2"),
            lambda p, t: ((p - t) ** 2).mean(dim=1) / 2,
            Text(
                "The factor 1/2 belongs to another convention, the one with the simpler gradient. MSE has none.",
                "系数 1/2 属于另一种约定（为了让梯度更简洁），均方误差本身没有这个系数。",
            ),
        ),
        Mistake(
            Text("Absolute errors", "用了绝对误差"),
            lambda p, t: (p - t).abs().mean(dim=1),
            Text(
                "An error of 2 costs 4 here. Square the difference, do not take its absolute value.",
                "误差为 2 时损失应为 4。这里要对差求平方，而不是取绝对值。",
            ),
        ),
    ],
    hints=[
        Text(
            "predictions - targets has the shape (B, D). What happens to each entry, and over which axis is the mean?",
            "predictions - targets 的形状是 (B, D)。每个元素要做什么运算？沿哪个轴取平均？",
        ),
        Text(
            "Square first, then take the mean over the components: (...) ** 2 and .mean(dim=1).",
            "先平方，再沿分量轴取平均：(...) ** 2，然后 .mean(dim=1)。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 03.2 cross-entropy from probabilities


def _cross_entropy_reference(predictions: Tensor, targets: Tensor) -> float:
    rows = zip(predictions.tolist(), targets.tolist(), strict=True)
    costs = [sum(-q * math.log(p) for p, q in zip(*row, strict=True)) for row in rows]
    return sum(costs) / len(costs)


def _cross_entropy_inputs() -> list[tuple]:
    return [
        (torch.tensor([[0.5, 0.5]]), torch.tensor([[1.0, 0.0]])),
        (torch.tensor([[0.9, 0.1]]), torch.tensor([[0.1, 0.9]])),
        (torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]), torch.tensor([[0.0, 1.0, 0.0], [0.2, 0.3, 0.5]])),
    ]


CROSS_ENTROPY = Exercise(
    id="03.2",
    title=Text("Cross-entropy from probabilities", "由概率计算交叉熵"),
    difficulty=1,
    minutes=7,
    reference=_cross_entropy_reference,
    inputs=_cross_entropy_inputs,
    mistakes=[
        Mistake(
            Text("The minus sign is missing", "漏了负号"),
            lambda p, q: (q * torch.log(p)).sum(dim=1).mean(),
            Text(
                "The logarithm of a probability is negative, and a loss is not. Put a minus in front.",
                "概率的对数是负数，而损失不能为负。请在最前面加上负号。",
            ),
        ),
        Mistake(
            Text("Logarithm of base 2", "用了以 2 为底的对数"),
            lambda p, q: -(q * torch.log2(p)).sum(dim=1).mean(),
            Text(
                "This is the cross-entropy in bits. The course counts in nats: torch.log.",
                "这样算出来的单位是比特。本课程以奈特为单位，请用自然对数 torch.log。",
            ),
        ),
        Mistake(
            Text("Prediction and target are swapped", "预测与目标写反了"),
            lambda p, q: -(p * torch.log(q)).sum(dim=1).mean(),
            Text(
                "The logarithm is taken of the prediction, the weights are the target. "
                "A target of 0 would give log 0.",
                "取对数的是预测，作为权重的是目标。反过来写，目标里的 0 会变成 log 0。",
            ),
        ),
        Mistake(
            Text("The mean is taken over the classes too", "对类别也取了平均"),
            lambda p, q: -(q * torch.log(p)).mean(),
            Text(
                "Sum over the K classes, then take the mean over the B examples; this is K times too small.",
                "应当先对 K 个类别求和，再对 B 个样本取平均；现在的结果只有应有的 1/K。",
            ),
        ),
        Mistake(
            Text("A sum over the batch", "对整批样本求了和"),
            lambda p, q: -(q * torch.log(p)).sum(),
            Text(
                "The loss would grow with the batch. Take the mean over the B examples.",
                "这样批次越大，损失就越大。请对 B 个样本取平均。",
            ),
        ),
    ],
    hints=[
        Text(
            "One row costs -Σ target · log(prediction). Compute the first input on paper: ln 2.",
            "一行的损失是 -Σ 目标 · log(预测)。先在纸上算第一个输入：等于 ln 2。",
        ),
        Text(
            "Sum over dim=1 gives one cost for each row; then .mean().",
            "沿 dim=1 求和，每行得到一个损失；最后 .mean()。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 03.3 gradient of cross-entropy by the logits


def _one_hot(logits: Tensor, targets: Tensor) -> Tensor:
    return F.one_hot(targets, logits.shape[1]).to(logits.dtype)


def _gradient_reference(logits: Tensor, targets: Tensor) -> Tensor:
    leaf = logits.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(leaf, targets), leaf)[0]


def _gradient_inputs() -> list[tuple]:
    return [
        (torch.tensor([[0.0, 0.0]]), torch.tensor([0])),
        (torch.tensor([[1.0, 0.0, -1.0]]), torch.tensor([2])),
        (torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, -1.0]]), torch.tensor([1, 1])),
    ]


GRADIENT = Exercise(
    id="03.3",
    title=Text("Gradient of cross-entropy by the logits", "交叉熵对 logits 的梯度"),
    difficulty=2,
    minutes=8,
    reference=_gradient_reference,
    inputs=_gradient_inputs,
    mistakes=[
        Mistake(
            Text("The batch mean is forgotten", "忘了对批次取平均"),
            lambda z, t: torch.softmax(z, dim=1) - _one_hot(z, t),
            Text(
                "The loss is a mean over B examples, so each example's gradient is divided by B.",
                "损失是对 B 个样本的平均，所以每个样本的梯度都要除以 B。",
            ),
        ),
        Mistake(
            Text("The sign is reversed", "符号反了"),
            lambda z, t: (_one_hot(z, t) - torch.softmax(z, dim=1)) / len(z),
            Text(
                "More logit for the true class lowers the loss: its gradient must be negative. Probability minus target.",
                "增大正确类别的 logit 会让损失下降，所以它的梯度应为负：概率减目标。",
            ),
        ),
        Mistake(
            Text("Softmax over the batch axis", "沿批次轴做了 softmax"),
            lambda z, t: (torch.softmax(z, dim=0) - _one_hot(z, t)) / len(z),
            Text(
                "dim=0 makes each column sum to 1. Each example, a row, must sum to 1: dim=1.",
                "dim=0 会让每一列之和为 1；应当让每个样本（一行）之和为 1：dim=1。",
            ),
        ),
        Mistake(
            Text("Gradient by the probabilities, not by the logits", "求成了对概率的梯度"),
            lambda z, t: -_one_hot(z, t) / torch.softmax(z, dim=1) / len(z),
            Text(
                "-target / p is the slope by p. Softmax stands between p and the logits: together they give p - target.",
                "-目标 / p 是对 p 的导数。p 与 logits 之间还隔着 softmax，合起来才是 p - 目标。",
            ),
        ),
        Mistake(
            Text("The target is not subtracted", "没有减去目标"),
            lambda z, t: torch.softmax(z, dim=1) / len(z),
            Text(
                "These are the probabilities alone. Subtract 1 at the true class, so that each row sums to 0.",
                "这里只有概率。还要在正确类别处减 1，使每一行之和为 0。",
            ),
        ),
    ],
    hints=[
        Text(
            "For one example the gradient is p - q, with p = softmax(logits) and q one-hot.",
            "单个样本的梯度是 p - q，其中 p = softmax(logits)，q 是独热向量。",
        ),
        Text(
            "torch.softmax(logits, dim=1), then subtract 1 at [row, targets[row]], then divide by the batch size.",
            "先算 torch.softmax(logits, dim=1)，再在 [行, targets[行]] 处减 1，最后除以批大小。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 03.4 log-sum-exp that does not overflow


def _log_sum_exp_inputs() -> list[tuple]:
    return [
        (torch.tensor([[0.0, 0.0]]),),
        (torch.tensor([[1.0, 2.0, 3.0], [0.0, -1.0, 4.0]]),),
        (torch.tensor([[1000.0, 1000.0]]),),
        (torch.tensor([[-1000.0, -1001.0]]),),
        (torch.tensor([[1000.0, 0.0], [-1000.0, -1000.0]]),),
    ]


def _shifted(z: Tensor, largest: Tensor) -> Tensor:
    return torch.log(torch.exp(z - largest).sum(dim=1))


LOG_SUM_EXP = Exercise(
    id="03.4",
    title=Text("A log-sum-exp that does not overflow", "不会溢出的 log-sum-exp"),
    difficulty=2,
    minutes=8,
    reference=lambda logits: torch.logsumexp(logits, dim=1),
    inputs=_log_sum_exp_inputs,
    mistakes=[
        Mistake(
            Text("The formula as it stands", "直接照公式计算"),
            lambda z: torch.log(torch.exp(z).sum(dim=1)),
            Text(
                "Right on paper; in float32 e^89 is already infinite and e^-104 is 0. "
                "Take the largest logit out first.",
                "数学上没错；但在 float32 中 e^89 已是无穷大，e^-104 已是 0。请先把最大的 logit 提出来。",
            ),
        ),
        Mistake(
            Text("The maximum is not added back", "没有把最大值加回来"),
            lambda z: _shifted(z, z.amax(dim=1, keepdim=True)),
            Text(
                "e^(z-m) is e^z divided by e^m, so the logarithm lacks m. Add m at the end.",
                "e^(z-m) 等于 e^z 除以 e^m，所以对数里少了一个 m。最后要把 m 加回来。",
            ),
        ),
        Mistake(
            Text("One maximum for the whole batch", "整个批次共用一个最大值"),
            lambda z: _shifted(z, z.max()) + z.max(),
            Text(
                "A row far below the batch's maximum underflows to log 0. Each row needs its own maximum: amax(dim=1).",
                "某一行若远小于整批的最大值，就会下溢成 log 0。每一行要用自己的最大值：amax(dim=1)。",
            ),
        ),
        Mistake(
            Text("The logits are clamped", "把 logits 截断了"),
            lambda z: torch.log(torch.exp(z.clamp(-88, 88)).sum(dim=1)),
            Text(
                "Clamping keeps the number finite but makes it wrong: log-sum-exp of (1000, 1000) is 1000.69.",
                "截断之后结果有限，但是错的：(1000, 1000) 的 log-sum-exp 是 1000.69。",
            ),
        ),
        Mistake(
            Text("A mean instead of the sum", "用平均代替了求和"),
            lambda z: torch.logsumexp(z, dim=1) - math.log(z.shape[1]),
            Text(
                "log-mean-exp is log K smaller. Softmax needs the sum.",
                "log-mean-exp 会小 log K。softmax 的分母是和，不是平均。",
            ),
        ),
    ],
    hints=[
        Text(
            "For any number m: log Σ e^z = m + log Σ e^(z-m). Which m makes every exponent at most 0?",
            "对任意的 m：log Σ e^z = m + log Σ e^(z-m)。取哪个 m 能让所有指数都不大于 0？",
        ),
        Text(
            "m = logits.amax(dim=1, keepdim=True) has the shape (B, 1); squeeze it before you add it back.",
            "m = logits.amax(dim=1, keepdim=True) 的形状是 (B, 1)；加回来之前先 squeeze。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 03.5 KL divergence


def _kl_reference(p: Tensor, q: Tensor) -> float:
    pairs = zip(p.tolist(), q.tolist(), strict=True)
    return sum(a * math.log(a / b) for a, b in pairs if a > 0)


def _kl_inputs() -> list[tuple]:
    return [
        (torch.tensor([0.5, 0.5]), torch.tensor([0.5, 0.5])),
        (torch.tensor([0.5, 0.5]), torch.tensor([0.9, 0.1])),
        (torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])),
        (torch.tensor([0.2, 0.0, 0.8]), torch.tensor([0.3, 0.3, 0.4])),
    ]


KL = Exercise(
    id="03.5",
    title=Text("KL divergence, also where p is 0", "KL 散度（允许 p 为 0）"),
    difficulty=2,
    minutes=8,
    reference=_kl_reference,
    inputs=_kl_inputs,
    mistakes=[
        Mistake(
            Text("The arguments are swapped", "两个参数写反了"),
            lambda p, q: (q * torch.log(q / p)).sum(),
            Text(
                "This is KL(q ‖ p). KL is not symmetric: the weights in front of the logarithm are p.",
                "这是 KL(q ‖ p)。KL 不对称：对数前面的权重应当是 p。",
            ),
        ),
        Mistake(
            Text("0 · log 0 gives nan", "0 · log 0 得到了 nan"),
            lambda p, q: (p * torch.log(p / q)).sum(),
            Text(
                "A class with p = 0 adds nothing, but the computer finds 0 · (-inf) = nan. Leave such classes out.",
                "p = 0 的类别不贡献任何值，但计算机会算出 0 · (-inf) = nan。请把这些类别排除在外。",
            ),
        ),
        Mistake(
            Text("Cross-entropy instead of KL", "算成了交叉熵"),
            lambda p, q: -(p * torch.log(q)).sum(),
            Text(
                "KL is cross-entropy minus the entropy of p; it is 0 when p = q. Use log(p / q).",
                "KL 等于交叉熵减去 p 的熵，p = q 时应为 0。请用 log(p / q)。",
            ),
        ),
        Mistake(
            Text("The minus sign of cross-entropy", "多写了交叉熵的负号"),
            lambda p, q: -_kl_reference(p, q),
            Text(
                "With log(p / q) there is no minus in front: KL is never negative.",
                "写成 log(p / q) 之后前面不需要负号：KL 从不为负。",
            ),
        ),
        Mistake(
            Text("Logarithm of base 2", "用了以 2 为底的对数"),
            lambda p, q: _kl_reference(p, q) / math.log(2),
            Text(
                "This is KL in bits. The course counts in nats: torch.log.",
                "这是以比特为单位的 KL。本课程以奈特为单位：torch.log。",
            ),
        ),
    ],
    hints=[
        Text(
            "Sum p · log(p / q). Test it with p = q: what must come out?",
            "对 p · log(p / q) 求和。取 p = q 试一试，结果应该是多少？",
        ),
        Text(
            "Keep only the classes with p > 0: some = p > 0, then p[some] and q[some].",
            "只保留 p > 0 的类别：some = p > 0，然后用 p[some] 和 q[some]。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 03.6 expected calibration error


def _bins_of(confidence: Tensor, right: Tensor, bins: int) -> list[tuple[float, float, float]]:
    """(share of the predictions, mean confidence, accuracy) of each bin that is not empty."""
    groups: dict[int, list[tuple[float, float]]] = {}
    for c, r in zip(confidence.tolist(), right.tolist(), strict=True):
        groups.setdefault(math.ceil(c * bins), []).append((c, r))
    return [
        (len(g) / len(confidence), sum(c for c, _ in g) / len(g), sum(r for _, r in g) / len(g))
        for g in groups.values()
    ]


def _ece_reference(confidence: Tensor, right: Tensor, bins: int) -> float:
    return sum(share * abs(acc - conf) for share, conf, acc in _bins_of(confidence, right, bins))


def _ece_inputs() -> list[tuple]:
    return [
        (torch.tensor([0.75]), torch.tensor([1.0]), 2),
        (torch.tensor([0.5, 0.25]), torch.tensor([1.0, 0.0]), 2),  # 0.5 is the upper edge of the first bin
        (torch.tensor([0.9, 0.6, 0.9, 0.8]), torch.tensor([1.0, 1.0, 1.0, 0.0]), 4),
        (
            torch.tensor([0.95, 0.97, 0.93, 0.55, 0.52, 0.71]),
            torch.tensor([1.0, 0.0, 1.0, 1.0, 1.0, 0.0]),
            10,
        ),
    ]


def _ece_with_empty_bins(confidence: Tensor, right: Tensor, bins: int) -> Tensor:
    edges = torch.linspace(0, 1, bins + 1)
    total = torch.tensor(0.0)
    for low, high in itertools.pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        gap = right[inside].mean() - confidence[inside].mean()
        total = total + inside.float().mean() * gap.abs()
    return total


def _closed_below(confidence: Tensor, right: Tensor, bins: int) -> float:
    """Bins [low, high): a confidence on an edge falls into the bin above."""
    place = (confidence * bins).floor()
    total = 0.0
    for number in place.unique():
        inside = place == number
        total += (
            inside.float().mean().item() * (right[inside].mean() - confidence[inside].mean()).abs().item()
        )
    return total


def _unweighted(confidence: Tensor, right: Tensor, bins: int) -> float:
    filled = _bins_of(confidence, right, bins)
    return sum(abs(acc - conf) for _, conf, acc in filled) / len(filled)


ECE = Exercise(
    id="03.6",
    title=Text("Expected calibration error", "期望校准误差"),
    difficulty=3,
    minutes=12,
    reference=_ece_reference,
    inputs=_ece_inputs,
    mistakes=[
        Mistake(
            Text("Every bin counts the same", "各个分箱没有加权"),
            _unweighted,
            Text(
                "A bin with one prediction must not weigh as much as one with a thousand. "
                "Weigh each gap with the share of the predictions in its bin.",
                "只有一个预测的分箱不应与有一千个预测的分箱权重相同。每个差距要乘以该箱预测所占的比例。",
            ),
        ),
        Mistake(
            Text("Gaps of opposite sign cancel", "正负差距互相抵消了"),
            lambda c, r, n: abs(sum(s * (acc - conf) for s, conf, acc in _bins_of(c, r, n))),
            Text(
                "Too sure in one bin and too unsure in another is not calibrated. "
                "Take the absolute value in each bin.",
                "一个箱过于自信，另一个箱信心不足，并不等于校准良好。请在每个箱内先取绝对值。",
            ),
        ),
        Mistake(
            Text("The edge belongs to the wrong bin", "边界上的值归错了分箱"),
            _closed_below,
            Text(
                "The bins are (low, high]: a confidence on an edge belongs to the bin below it, and 1.0 to the last bin.",
                "分箱是左开右闭的 (low, high]：落在边界上的置信度归入下面那个分箱，1.0 归入最后一个分箱。",
            ),
        ),
        Mistake(
            Text("Empty bins give nan", "空的分箱产生了 nan"),
            _ece_with_empty_bins,
            Text(
                "The mean of no numbers is nan, and 0 · nan is nan. Pass over the bins that hold nothing.",
                "没有数的平均是 nan，而 0 · nan 仍是 nan。请跳过空的分箱。",
            ),
        ),
        Mistake(
            Text("Squared gaps", "用了差距的平方"),
            lambda c, r, n: sum(s * (acc - conf) ** 2 for s, conf, acc in _bins_of(c, r, n)),
            Text(
                "The expected calibration error takes the absolute gap |accuracy - confidence|, not its square.",
                "期望校准误差取的是差距的绝对值 |正确率 - 置信度|，不是平方。",
            ),
        ),
    ],
    hints=[
        Text(
            "Loop over the bins. inside = (confidence > low) & (confidence <= high) picks a bin's predictions.",
            "逐个分箱循环。inside = (confidence > low) & (confidence <= high) 可以选出落在该箱内的预测。",
        ),
        Text(
            "If inside.any(): add inside.float().mean() · |right[inside].mean() - confidence[inside].mean()|.",
            "若 inside.any()，则加上 inside.float().mean() · |right[inside].mean() - confidence[inside].mean()|。",
        ),
    ],
)

# ---------------------------------------------------------------------------------------------------------------
# 03.7 perplexity


def _perplexity_reference(probabilities: Tensor) -> float:
    values = probabilities.double().tolist()
    return math.exp(math.fsum(-math.log(p) for p in values) / len(values))


def _perplexity_inputs() -> list[tuple]:
    return [
        (torch.tensor([0.25]),),
        (torch.tensor([0.5, 0.125]),),
        (torch.tensor([0.5, 0.25, 0.125, 0.125]),),
        (torch.full((2000,), 0.1),),
    ]


PERPLEXITY = Exercise(
    id="03.7",
    title=Text("Perplexity of a text", "一段文本的困惑度"),
    difficulty=2,
    minutes=6,
    reference=_perplexity_reference,
    inputs=_perplexity_inputs,
    mistakes=[
        Mistake(
            Text("The sum stands in the exponent, not the mean", "指数上用了总和，没有取平均"),
            lambda p: torch.exp(-torch.log(p).sum()),
            Text(
                "A longer text would always be harder. Divide by the number of tokens: the mean belongs there.",
                "这样文本越长，困惑度就越高。请除以词元数：指数上应当是平均值。",
            ),
        ),
        Mistake(
            Text("Natural logarithm with a power of 2", "自然对数配了 2 的幂"),
            lambda p: 2 ** (-torch.log(p).mean()),
            Text(
                "Logarithm and power must have the same base: exp with log, or 2 ** with log2.",
                "对数和幂的底必须一致：exp 配 log，2 ** 配 log2。",
            ),
        ),
        Mistake(
            Text("The mean of 1/p", "对 1/p 取了算术平均"),
            lambda p: (1 / p).mean(),
            Text(
                "Perplexity is the geometric mean of 1/p: the mean is taken of the logarithms.",
                "困惑度是 1/p 的几何平均：应当对取过对数的值求平均。",
            ),
        ),
        Mistake(
            Text("The minus sign is missing", "漏了负号"),
            lambda p: torch.exp(torch.log(p).mean()),
            Text(
                "This is the geometric mean of the probabilities, below 1. Perplexity is its reciprocal.",
                "这是概率的几何平均，小于 1。困惑度是它的倒数。",
            ),
        ),
        Mistake(
            Text("The product comes first", "先做了连乘"),
            lambda p: p.prod() ** (-1 / len(p)),
            Text(
                "Right on paper, but 2,000 factors of 0.1 are 0 in float32, and 0 to a negative power is infinite. "
                "Add logarithms.",
                "数学上没错，但 2000 个 0.1 相乘在 float32 中等于 0，它的负次幂是无穷大。请改为对数相加。",
            ),
        ),
    ],
    hints=[
        Text(
            "Perplexity is exp of the mean negative log-likelihood. One token with p = 1/4 gives 4.",
            "困惑度是平均负对数似然的指数。只有一个词元且 p = 1/4 时，结果是 4。",
        ),
        Text(
            "torch.log, mean, minus, torch.exp: in this order.",
            "依次使用 torch.log、取平均、负号、torch.exp。",
        ),
    ],
    rtol=1e-3,  # a loop that adds 2,000 logarithms in float32 is right, and is off by 2e-5
)

EXERCISES: list[Exercise] = [SQUARED_ERRORS, CROSS_ENTROPY, GRADIENT, LOG_SUM_EXP, KL, ECE, PERPLEXITY]
